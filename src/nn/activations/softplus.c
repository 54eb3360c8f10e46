/* Smooth forms of relu, and of sign:
 *
 *   softplus     log(1 + e^x)
 *   sparse_plus  0 below -1, (x + 1)^2 / 4 up to 1, x above
 *   squareplus   (x + sqrt(x^2 + b)) / 2
 *   softsign     x / (1 + |x|)
 *
 * Keras: softplus, sparse_plus, squareplus, softsign. sparse_plus is min(max(x + 1, 0), 2)^2 / 4 +
 * max(x - 1, 0): no comparison to keep for the gradient. */
#include "nn/activations/activation.h"

typedef kt_act_squareplus_args squareplus_args;

static kt_sym *softplus_apply(const kt_component *c, kt_sym *x) {
    (void)c;
    return kt_op_softplus(x);
}

static kt_sym *sparse_plus_apply(const kt_component *c, kt_sym *x) {
    (void)c;
    kt_sym *rise = kt_op_minimum(kt_op_relu(kt_act_shift(x, 1)), kt_num(2));
    return kt_op_add(kt_act_scale(kt_op_square(rise), 0.25), kt_op_relu(kt_act_shift(x, -1)));
}

static kt_sym *squareplus_apply(const kt_component *c, kt_sym *x) {
    const double b = ((const squareplus_args *)kt_args_of(c))->b;
    kt_sym *root = kt_op_sqrt(kt_act_shift(kt_op_square(x), b));
    return kt_act_scale(kt_op_add(x, root), 0.5);
}

static kt_sym *softsign_apply(const kt_component *c, kt_sym *x) {
    (void)c;
    return kt_op_divide(x, kt_act_shift(kt_op_abs(x), 1));
}

static const kt_field squareplus_fields[] = {KT_F(squareplus_args, b), KT_F_END};
static const squareplus_args squareplus_defaults = {
    .size = sizeof(squareplus_args), KT_ACT_SQUAREPLUS_DEFAULTS};

KT_ACT_PLAIN(softplus, NULL, softplus_apply)
KT_ACT_PLAIN(sparse_plus, NULL, sparse_plus_apply)
KT_ACT_PLAIN(softsign, NULL, softsign_apply)
KT_ACT(squareplus, squareplus_args, squareplus_fields, &squareplus_defaults, squareplus_apply)
