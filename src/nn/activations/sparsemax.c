/* sparsemax: max(x - tau, 0) along an axis, tau being such that the results add up to 1.  Keras:
 * sparsemax (Martins and Astudillo, From softmax to sparsemax, ICML 2016).
 *
 * Keras sorts and adds up. Here tau is found by Newton's method on f(tau) = sum(max(x - tau, 0)) -
 * 1, which needs no sorting: f is convex and piecewise linear, so that from tau = max x - 1, where
 * f >= 0, the steps rise to the root, are exact once the support is right, and need never more
 * than one step for each element. The product of f and its slope falls at least fourfold in each
 * step, which bounds the number of steps for long axes: 13 + log2(n) bring it below the digits of
 * float32, 28 + log2(n) below those of float64.
 *
 * The gradient flows through the last step alone: d tau / dx = 1 / k on the support, as it should
 * be. */
#include "nn/activations/activation.h"

typedef kt_act_axis_args axis_args;

static int newton_steps(int64_t n, kt_dtype dtype) {
    int bound = dtype == KT_FLOAT64 ? 28 : 13;
    for (int64_t m = n; m > 1; m /= 2) bound++;
    return n < bound ? (int)n : bound;
}

/* The root of the line that f follows at tau: (sum of the support - 1) / its size. */
static kt_sym *newton_step(kt_sym *z, kt_sym *tau, int axis) {
    kt_sym *support = kt_op_cast(kt_op_greater(z, tau), kt_dtype_name(kt_sym_dtype(z)));
    kt_sym *sum = kt_op_sum(kt_op_multiply(z, support), axis, true);
    return kt_op_divide(kt_act_shift(sum, -1), kt_op_sum(support, axis, true));
}

static kt_sym *sparsemax_apply(const kt_component *c, kt_sym *x) {
    const int axis = ((const axis_args *)kt_args_of(c))->axis;
    kt_sym *max = kt_op_max(x, axis, true);
    if (kt_failed(max)) return max;
    /* From 0 down to -1: what lies further below the maximum never takes part. */
    kt_sym *z = kt_op_maximum(kt_op_subtract(x, kt_op_stop_gradient(max)), kt_num(-1));
    kt_sym *fixed = kt_op_stop_gradient(z), *tau = kt_num(-1);
    const kt_shape shape = kt_sym_shape(x);
    const int steps = newton_steps(kt_shape_dim(&shape, axis), kt_sym_dtype(x));
    for (int i = 1; i < steps; i++) tau = newton_step(fixed, tau, axis);
    return kt_op_relu(kt_op_subtract(z, newton_step(z, tau, axis)));
}

static const kt_field axis_fields[] = {KT_F(axis_args, axis), KT_F_END};
static const axis_args axis_defaults = {.size = sizeof(axis_args), KT_ACT_AXIS_DEFAULTS};

KT_ACT(sparsemax, axis_args, axis_fields, &axis_defaults, sparsemax_apply)
