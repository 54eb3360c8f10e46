/* AlphaDropout: while training, sets a share of the inputs to selu's lowest value and brings mean
 * and variance back.  keras.layers.AlphaDropout
 *
 *   y = a (keep ? x : p) + b,  p = -alpha scale,  a = 1 / sqrt((1 - rate)(1 + rate p^2)),
 *   b = -a p rate */
#include "nn/layers/noise.h"

#include <keratin/layers.h>

#include <math.h>

#define SELU_ALPHA 1.6732632423543772848170429916717
#define SELU_SCALE 1.0507009873554804934193349852946

static kt_status alpha_dropout_init(kt_layer *l) {
    return kt_rate_check(((const kt_alpha_dropout_args *)kt_layer_args(l))->rate);
}

static kt_status alpha_dropout_call(kt_layer *l, kt_trace *t) {
    const kt_alpha_dropout_args *args = kt_layer_args(l);
    const double rate = args->rate, p = -SELU_ALPHA * SELU_SCALE;
    const kt_shape full = kt_sym_shape(t->in[0]);
    kt_shape noise;
    t->out[0] = t->in[0];
    if (!t->training || rate == 0) return KT_OK;
    if (rate == 1) return KT_FAIL(KT_EINVAL, "rate: at 1 the scale is infinite");
    const kt_status st = kt_noise_shape(args->noise_shape, &full, &noise);
    if (st) return st;
    const double a = 1 / sqrt((1 - rate) * (1 + rate * p * p)), b = -a * p * rate;
    kt_sym *keep = kt_op_greater_equal(kt_random_uniform(l, noise, args->seed), kt_num(rate));
    kt_sym *y = kt_op_where(keep, t->in[0], kt_num(p));
    t->out[0] = kt_op_add(kt_op_multiply(y, kt_num(a)), kt_num(b));
    return kt_check(t->out[0]);
}

#define F(name) KT_F(kt_alpha_dropout_args, name)
static const kt_field alpha_dropout_fields[] = {F(rate), F(noise_shape), F(seed), KT_F_END};
#undef F

const kt_layer_class kt_class_alpha_dropout = {
    .name = "AlphaDropout",
    .args_size = sizeof(kt_alpha_dropout_args),
    .fields = alpha_dropout_fields,
    .defaults = &(const kt_alpha_dropout_args){KT_ALPHA_DROPOUT_DEFAULTS},
    .init = alpha_dropout_init,
    .call = alpha_dropout_call,
    .supports_masking = true,
};

kt_layer *kt_alpha_dropout_new(const kt_alpha_dropout_args *a) {
    return kt_layer_new(&kt_class_alpha_dropout, a);
}
