/* CategoryEncoding: whole numbers 0 … num_tokens-1 as one-hot, multi-hot or counting vectors.
 * keras.layers.CategoryEncoding
 *
 * The weights of "count" are a second input here and the argument count_weights in files. */
#include "nn/layers/encode.h"

#include <keratin/layers.h>

#include <string.h>

typedef kt_category_encoding_args encoding_args;
typedef struct {
    kt_encode_mode mode;
} encoding_state;

static kt_status encoding_init(kt_layer *l) {
    const encoding_args *a = kt_layer_args(l);
    encoding_state *s = kt_layer_state(l);
    const unsigned modes = 1 << KT_ENCODE_ONE_HOT | 1 << KT_ENCODE_MULTI_HOT | 1 << KT_ENCODE_COUNT;
    const bool binary = a->output_mode && !strcmp(a->output_mode, "binary"); /* an older name */
    kt_status st = kt_encode_mode_of(&s->mode, binary ? "multi_hot" : a->output_mode, modes);
    if (st == KT_OK) st = kt_encode_refuse_sparse(a->sparse);
    if (st) return st;
    if (a->num_tokens == 0)
        return KT_FAIL(
            KT_EINVAL,
            "num_tokens must be set to use this layer: it is how many "
            "tokens there are");
    if (a->num_tokens < 1)
        return KT_FAIL(KT_EINVAL, "num_tokens: expected at least 1, got %d", a->num_tokens);
    l->no_autocast = true;
    return KT_OK;
}

static kt_status encoding_call(kt_layer *l, kt_trace *t) {
    const encoding_args *a = kt_layer_args(l);
    const encoding_state *s = kt_layer_state(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_val *x = kt_unwrap(t->in[0], NULL), *weights = NULL;
    if (t->n_in > 1) {
        weights = kt_unwrap(t->in[1], NULL);
        if (s->mode != KT_ENCODE_COUNT)
            return KT_FAIL(
                KT_EINVAL, "`count_weights` is not used when `output_mode` is not `'count'`");
        if (!x || !weights) return g->status;
        if (!kt_shape_equal(&x->spec.shape, &weights->spec.shape))
            return KT_FAIL(KT_ESHAPE, "count_weights: expected the shape of the inputs");
    }
    t->out[0] = kt_wrap(kt_encode(g, x, s->mode, a->num_tokens, l->dtype, weights));
    return kt_check(t->out[0]);
}

static const kt_field encoding_fields[] = {
    KT_F(encoding_args, num_tokens),
    KT_F(encoding_args, output_mode),
    KT_F(encoding_args, sparse),
    KT_F_END};

const kt_layer_class kt_class_category_encoding = {
    .name = "CategoryEncoding",
    .args_size = sizeof(encoding_args),
    .state_size = sizeof(encoding_state),
    .fields = encoding_fields,
    .defaults = &(const encoding_args){KT_CATEGORY_ENCODING_DEFAULTS},
    .init = encoding_init,
    .call = encoding_call,
    .min_inputs = 1,
    .max_inputs = 2,
    .any_dtype = true,
};

kt_layer *kt_category_encoding_new(const kt_category_encoding_args *a) {
    return kt_layer_new(&kt_class_category_encoding, a);
}
