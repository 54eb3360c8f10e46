/* Piecewise linear functions around 0:
 *
 *   relu        x above the threshold, at most max_value; slope (x - threshold) below
 *   relu6       min(max(x, 0), 6)
 *   leaky_relu  x, or slope x where x is negative
 *
 * Keras: relu, relu6, leaky_relu. relu with its defaults is the primitive, which engines fuse into
 * products and whose gradient they know. leaky_relu is a maximum (a minimum for slopes above 1)
 * rather than a choice by sign: one pass less. At 0 its slope is that of the negative side, as
 * TensorFlow's. */
#include "nn/activations/activation.h"

typedef kt_act_relu_args relu_args;
typedef kt_act_leaky_relu_args leaky_relu_args;

static kt_sym *leaky(kt_sym *x, double slope) {
    if (slope == 0) return kt_op_relu(x);
    kt_sym *low = kt_act_scale(x, slope);
    return slope <= 1 ? kt_op_maximum(low, x) : kt_op_minimum(low, x);
}

static kt_sym *relu_apply(const kt_component *c, kt_sym *x) {
    const relu_args *a = kt_args_of(c);
    const bool cut = a->max_value != KT_NONE_F;
    if (!cut && a->threshold == 0) return leaky(x, a->negative_slope);
    kt_sym *y = kt_op_relu(x);
    if (a->threshold != 0) {
        kt_sym *above = kt_op_greater(x, kt_num(a->threshold));
        y = kt_op_where(above, x, kt_num(0));
    }
    if (cut && a->threshold != 0) y = kt_op_clip(y, 0, a->max_value);
    if (cut && a->threshold == 0) y = kt_op_minimum(y, kt_num(a->max_value));
    if (a->negative_slope == 0) return y;
    kt_sym *below = kt_op_relu(kt_act_shift(kt_op_negative(x), a->threshold));
    return kt_op_subtract(y, kt_act_scale(below, a->negative_slope));
}

static kt_sym *relu6_apply(const kt_component *c, kt_sym *x) {
    (void)c;
    return kt_act_cut6(x);
}

static kt_sym *leaky_relu_apply(const kt_component *c, kt_sym *x) {
    return leaky(x, ((const leaky_relu_args *)kt_args_of(c))->negative_slope);
}

static const kt_field relu_fields[] = {
    KT_F(relu_args, negative_slope),
    KT_F(relu_args, max_value),
    KT_F(relu_args, threshold),
    KT_F_END};
static const relu_args relu_defaults = {.size = sizeof(relu_args), KT_ACT_RELU_DEFAULTS};
static const kt_field leaky_relu_fields[] = {KT_F(leaky_relu_args, negative_slope), KT_F_END};
static const leaky_relu_args leaky_relu_defaults = {
    .size = sizeof(leaky_relu_args), KT_ACT_LEAKY_RELU_DEFAULTS};

KT_ACT(relu, relu_args, relu_fields, &relu_defaults, relu_apply)
KT_ACT_PLAIN(relu6, NULL, relu6_apply)
KT_ACT(leaky_relu, leaky_relu_args, leaky_relu_fields, &leaky_relu_defaults, leaky_relu_apply)
