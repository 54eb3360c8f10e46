/* See snapshot.h. One block for all weights in Keras' order, each at a multiple of 8 bytes. */
#include "callbacks/snapshot.h"

#include "base/mem.h"

static size_t bytes_of(const kt_var *v) { return ((size_t)kt_spec_bytes(&v->spec) + 7) / 8 * 8; }

static kt_status collect(kt_model *m, kt_var_list *all, size_t *size) {
    *size = 0;
    const kt_status st = kt_layer_collect(m, all, NULL, false);
    for (int i = 0; i < all->n; i++) *size += bytes_of(all->v[i]);
    return st;
}

static kt_status take(kt_snapshot *s, const kt_var_list *all, size_t size) {
    if (!s->data || s->size != size) {
        kt_snapshot_free(s);
        s->data = kt_alloc(size);
        if (!s->data) return KT_ENOMEM;
        s->size = size;
    }
    char *at = s->data;
    for (int i = 0; i < all->n; i++) {
        kt_var *v = all->v[i];
        const kt_status st = kt_var_ensure(v);
        if (st) return st;
        kt_var_read(v, at, v->spec.dtype);
        at += bytes_of(v);
    }
    return KT_OK;
}

kt_status kt_snapshot_take(kt_snapshot *s, kt_model *m) {
    kt_var_list all = {0, 0, NULL};
    size_t size;
    kt_status st = collect(m, &all, &size);
    if (st == KT_OK) st = take(s, &all, size);
    kt_vec_free(&all);
    return st;
}

kt_status kt_snapshot_restore(const kt_snapshot *s, kt_model *m) {
    kt_var_list all = {0, 0, NULL};
    size_t size;
    kt_status st = collect(m, &all, &size);
    if (st == KT_OK && size != s->size)
        st = KT_FAIL(KT_ESTATE, "the weights of the model are not those that were kept");
    const char *at = s->data;
    for (int i = 0; st == KT_OK && i < all.n; i++) {
        kt_var_write(all.v[i], at, all.v[i]->spec.dtype);
        at += bytes_of(all.v[i]);
    }
    kt_vec_free(&all);
    return st;
}

void kt_snapshot_free(kt_snapshot *s) {
    kt_mem_free(s->data);
    *s = (kt_snapshot){NULL, 0};
}
