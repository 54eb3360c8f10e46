/* Dropout: while training, 0 with probability rate and x / (1 - rate) otherwise.
 * keras.layers.Dropout
 *
 * The numbers come from (seed, path of the layer, call, element), so a run can be repeated whatever
 * the number of threads; the gradient draws the same mask again instead of keeping it. */
#include "nn/layer.h"

#include <keratin/layers.h>

static kt_status dropout_init(kt_layer *l) {
    const kt_dropout_args *a = kt_layer_args(l);
    if (a->rate >= 0 && a->rate <= 1) return KT_OK;
    KT_FAIL(KT_EINVAL, "rate: expected a number between 0 and 1, got %g", a->rate);
    return kt_error_hint("rate is the share of inputs that is dropped");
}

/* One draw for several elements: a mask of ones in that shape is dropped and broadcast. */
static kt_sym *dropout_shared(kt_layer *l, const kt_dropout_args *a, kt_sym *x) {
    kt_shape noise = kt_shape_of_field(a->noise_shape);
    const kt_shape full = kt_sym_shape(x);
    if (noise.ndim != full.ndim)
        return kt_fail_object(
            KT_FAIL(KT_ESHAPE, "noise_shape: expected %d axes, got %d", full.ndim, noise.ndim));
    for (int i = 0; i < noise.ndim; i++)
        if (noise.dim[i] == KT_NONE) noise.dim[i] = full.dim[i];
    kt_sym *ones = kt_op_broadcast_to(kt_num(1), noise);
    return kt_op_multiply(x, kt_random_dropout(l, ones, a->rate, a->seed));
}

static kt_status dropout_call(kt_layer *l, kt_trace *t) {
    const kt_dropout_args *a = kt_layer_args(l);
    kt_sym *x = t->in[0];
    if (!t->training || a->rate == 0)
        t->out[0] = x;
    else if (a->rate == 1)
        t->out[0] = kt_op_multiply(x, kt_num(0));
    else if (a->noise_shape[0])
        t->out[0] = dropout_shared(l, a, x);
    else
        t->out[0] = kt_random_dropout(l, x, a->rate, a->seed);
    return kt_check(t->out[0]);
}

#define F(name) KT_F(kt_dropout_args, name)
static const kt_field dropout_fields[] = {F(rate), F(noise_shape), F(seed), KT_F_END};
#undef F

const kt_layer_class kt_class_dropout = {
    .name = "Dropout",
    .args_size = sizeof(kt_dropout_args),
    .fields = dropout_fields,
    .defaults = &(const kt_dropout_args){KT_DROPOUT_DEFAULTS},
    .init = dropout_init,
    .call = dropout_call,
    .supports_masking = true,
};

kt_layer *kt_dropout_new(const kt_dropout_args *a) { return kt_layer_new(&kt_class_dropout, a); }
