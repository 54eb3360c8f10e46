/* Dropout: while training, 0 with probability rate and x / (1 - rate) otherwise.
 * keras.layers.Dropout
 *
 * The numbers come from (seed, path of the layer, call, element), so a run can be repeated whatever
 * the number of threads; the gradient draws the same mask again instead of keeping it. */
#include "nn/layers/noise.h"

#include <keratin/layers.h>

kt_status kt_rate_check(double rate) {
    if (rate >= 0 && rate <= 1) return KT_OK;
    return KT_FAIL(KT_EINVAL, "rate: expected a number between 0 and 1, got %g", rate);
}

kt_status kt_noise_shape(const int64_t *field, const kt_shape *full, kt_shape *out) {
    *out = field[0] ? kt_shape_of_field(field) : *full;
    if (out->ndim != full->ndim)
        return KT_FAIL(KT_ESHAPE, "noise_shape: expected %d axes, got %d", full->ndim, out->ndim);
    for (int i = 0; i < out->ndim; i++)
        if (out->dim[i] == KT_NONE) out->dim[i] = full->dim[i];
    return KT_OK;
}

kt_sym *kt_dropout_shared(kt_layer *l, kt_sym *x, kt_shape noise, double rate, int64_t seed) {
    if (rate == 1) return kt_op_multiply(x, kt_num(0));
    kt_sym *ones = kt_op_broadcast_to(kt_op_cast(kt_num(1), kt_dtype_name(l->dtype)), noise);
    return kt_op_multiply(x, kt_random_dropout(l, ones, rate, seed));
}

static kt_status dropout_init(kt_layer *l) {
    const kt_dropout_args *a = kt_layer_args(l);
    const kt_status st = kt_rate_check(a->rate);
    return st ? kt_error_hint("rate is the share of inputs that is dropped") : KT_OK;
}

static kt_status dropout_call(kt_layer *l, kt_trace *t) {
    const kt_dropout_args *a = kt_layer_args(l);
    kt_sym *x = t->in[0];
    t->out[0] = x;
    if (!t->training || a->rate == 0) return KT_OK;
    if (a->noise_shape[0] || a->rate == 1) {
        const kt_shape full = kt_sym_shape(x);
        kt_shape noise;
        const kt_status st = kt_noise_shape(a->noise_shape, &full, &noise);
        if (st) return st;
        t->out[0] = kt_dropout_shared(l, x, noise, a->rate, a->seed);
    } else {
        t->out[0] = kt_random_dropout(l, x, a->rate, a->seed);
    }
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
