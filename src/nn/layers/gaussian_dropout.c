/* GaussianDropout: while training, x times numbers of mean 1 and deviation sqrt(rate / (1 - rate)).
 * keras.layers.GaussianDropout */
#include "nn/layers/noise.h"

#include <keratin/layers.h>

#include <math.h>

static kt_status gaussian_dropout_init(kt_layer *l) {
    return kt_rate_check(((const kt_gaussian_dropout_args *)kt_layer_args(l))->rate);
}

static kt_status gaussian_dropout_call(kt_layer *l, kt_trace *t) {
    const kt_gaussian_dropout_args *a = kt_layer_args(l);
    t->out[0] = t->in[0];
    if (!t->training || a->rate == 0) return KT_OK;
    if (a->rate == 1) return KT_FAIL(KT_EINVAL, "rate: at 1 the deviation is infinite");
    kt_sym *noise = kt_random_normal(l, kt_sym_shape(t->in[0]), a->seed);
    noise = kt_op_add(kt_op_multiply(noise, kt_num(sqrt(a->rate / (1 - a->rate)))), kt_num(1));
    t->out[0] = kt_op_multiply(t->in[0], noise);
    return kt_check(t->out[0]);
}

#define F(name) KT_F(kt_gaussian_dropout_args, name)
static const kt_field gaussian_dropout_fields[] = {F(rate), F(seed), KT_F_END};
#undef F

const kt_layer_class kt_class_gaussian_dropout = {
    .name = "GaussianDropout",
    .args_size = sizeof(kt_gaussian_dropout_args),
    .fields = gaussian_dropout_fields,
    .defaults = &(const kt_gaussian_dropout_args){KT_GAUSSIAN_DROPOUT_DEFAULTS},
    .init = gaussian_dropout_init,
    .call = gaussian_dropout_call,
    .supports_masking = true,
};

kt_layer *kt_gaussian_dropout_new(const kt_gaussian_dropout_args *a) {
    return kt_layer_new(&kt_class_gaussian_dropout, a);
}
