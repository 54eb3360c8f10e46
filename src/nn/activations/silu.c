/* x times a gate of x:
 *
 *   silu       x sigmoid(x)
 *   hard_silu  x hard_sigmoid(x)
 *   mish       x tanh(softplus(x))
 *   glu        a sigmoid(b), a and b being the halves of x along an axis
 *
 * Keras: silu (swish), hard_silu (hard_swish), mish, glu. */
#include "nn/activations/activation.h"

typedef kt_act_axis_args axis_args;

static kt_sym *silu_apply(const kt_component *c, kt_sym *x) {
    (void)c;
    return kt_op_multiply(x, kt_op_sigmoid(x));
}

static kt_sym *hard_silu_apply(const kt_component *c, kt_sym *x) {
    (void)c;
    return kt_op_multiply(x, kt_op_divide(kt_act_cut6(kt_act_shift(x, 3)), kt_num(6)));
}

static kt_sym *mish_apply(const kt_component *c, kt_sym *x) {
    (void)c;
    return kt_op_multiply(x, kt_op_tanh(kt_op_softplus(x)));
}

static kt_status glu_check(const kt_sym *x, int axis, int64_t *half) {
    char s[KT_SHAPE_STR];
    const kt_shape shape = kt_sym_shape(x);
    const int at = kt_axis(axis, shape.ndim);
    kt_shape_str(&shape, s, sizeof s);
    if (at < 0) return KT_FAIL(KT_EINVAL, "glu: axis %d is out of range for shape %s", axis, s);
    *half = shape.dim[at] / 2;
    if (shape.dim[at] % 2 == 0) return KT_OK;
    KT_FAIL(KT_ESHAPE, "glu: the axis that is split must have an even length");
    return kt_error_got("%s with axis %d", s, axis);
}

static kt_sym *glu_apply(const kt_component *c, kt_sym *x) {
    const int axis = ((const axis_args *)kt_args_of(c))->axis;
    int64_t half = 0;
    const kt_status st = glu_check(x, axis, &half);
    if (st) return kt_fail_object(st);
    kt_sym *gate = kt_op_sigmoid(kt_op_slice(x, axis, half, KT_NONE));
    return kt_op_multiply(kt_op_slice(x, axis, 0, half), gate);
}

static const kt_field glu_fields[] = {KT_F(axis_args, axis), KT_F_END};
static const axis_args glu_defaults = {.size = sizeof(axis_args), KT_ACT_AXIS_DEFAULTS};

KT_ACT_PLAIN(silu, "swish", silu_apply)
KT_ACT_PLAIN(hard_silu, "hard_swish", hard_silu_apply)
KT_ACT_PLAIN(mish, NULL, mish_apply)
KT_ACT(glu, axis_args, glu_fields, &glu_defaults, glu_apply)
