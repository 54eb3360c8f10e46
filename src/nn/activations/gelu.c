/* gelu: x Phi(x) = x (1 + erf(x / sqrt(2))) / 2, Phi being the normal distribution; approximate: x
 * (1 + tanh u) / 2 with u = sqrt(2 / pi) (x + 0.044715 x^3).  Keras: gelu (keras.ops.gelu has the
 * other default). (1 + tanh u) / 2 is sigmoid(2 u), which keeps its digits where tanh is near -1.
 */
#include "nn/activations/activation.h"

typedef kt_act_gelu_args gelu_args;

#define TWO_SQRT_2_PI 1.5957691216057307118 /* 2 sqrt(2 / pi) */
#define SQRT_HALF 0.70710678118654752440

static kt_sym *gelu_apply(const kt_component *c, kt_sym *x) {
    if (((const gelu_args *)kt_args_of(c))->approximate) {
        kt_sym *cube = kt_op_multiply(kt_op_square(x), x);
        kt_sym *u = kt_op_add(x, kt_act_scale(cube, 0.044715));
        return kt_op_multiply(x, kt_op_sigmoid(kt_act_scale(u, TWO_SQRT_2_PI)));
    }
    kt_sym *f = kt_act_shift(kt_op_erf(kt_act_scale(x, SQRT_HALF)), 1);
    return kt_op_multiply(kt_act_scale(x, 0.5), f);
}

static const kt_field gelu_fields[] = {KT_F(gelu_args, approximate), KT_F_END};
static const gelu_args gelu_defaults = {.size = sizeof(gelu_args), KT_ACT_GELU_DEFAULTS};

KT_ACT(gelu, gelu_args, gelu_fields, &gelu_defaults, gelu_apply)
