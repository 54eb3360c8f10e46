/* Generators: batches made by the program as the loops ask for them.  fit_generator of Keras 2; a
 * Python generator or PyDataset given to fit in Keras 3 */
#include "model/generator.h"

#include "base/error.h"

#include <string.h>

struct kt_generator {
    kt_obj obj;
    kt_generator_args args;
};

kt_generator *kt_generator_new_with(const kt_generator_args *a) {
    if (!a->fn) return kt_fail_object(KT_FAIL(KT_EINVAL, "kt_generator: expected a function"));
    if (a->length != KT_NONE && a->length < 1)
        return kt_fail_object(KT_FAIL(
            KT_EINVAL,
            "length: expected a positive number of batches, got %lld",
            (long long)a->length));
    kt_generator *g = kt_obj_new(sizeof *g, KT_KIND_GENERATOR, NULL);
    if (!g) return kt_fail_object(KT_ENOMEM);
    g->args = *a;
    return g;
}

int64_t kt_generator_length(const kt_generator *g) {
    return g->args.length == KT_NONE ? -1 : g->args.length;
}

kt_status kt_generator_next(const kt_generator *g, kt_model *m, bool predicts, kt_gen_batch *b) {
    *b = (kt_gen_batch){.batch = {NULL, NULL, NULL}};
    kt_status st = g->args.fn(&b->batch, g->args.data);
    if (st == KT_OK && !b->batch.x) {
        b->end = true;
        return KT_OK;
    }
    if (st == KT_OK)
        st = kt_feed_open(&b->feed, m, b->batch.x, b->batch.y, b->batch.sample_weight, predicts);
    if (st) kt_generator_done(b);
    return st;
}

/* A list goes with the floating tensors in it: nobody else knows them. */
static void drop_with_items(kt_ref ref) {
    const void *items[KT_MAX_TENSORS];
    int n = 0;
    if (kt_is(ref, KT_KIND_LIST))
        for (; n < kt_list_len(ref) && n < KT_MAX_TENSORS; n++) items[n] = kt_list_get(ref, n);
    kt_drop(ref);
    while (n-- > 0) kt_drop(items[n]);
}

void kt_generator_done(kt_gen_batch *b) {
    memset(b->feed.given, 0, sizeof b->feed.given);
    kt_feed_close(&b->feed);
    drop_with_items(b->batch.x);
    drop_with_items(b->batch.y);
    drop_with_items(b->batch.sample_weight);
}
