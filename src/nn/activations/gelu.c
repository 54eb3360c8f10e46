/* gelu: x Phi(x) = x (1 + erf(x / sqrt(2))) / 2, Phi being the normal distribution; approximate: x
 * (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.  Keras: gelu (keras.ops.gelu has the other
 * default). */
#include "nn/activations/activation.h"

typedef kt_act_gelu_args gelu_args;

static kt_sym *gelu_apply(const kt_component *c, kt_sym *x) {
    kt_sym *f;
    if (((const gelu_args *)kt_args_of(c))->approximate) {
        kt_sym *cube = kt_op_multiply(kt_op_square(x), x);
        kt_sym *inner = kt_op_add(x, kt_act_scale(cube, 0.044715));
        f = kt_op_tanh(kt_act_scale(inner, 0.79788456080286535588)); /* sqrt(2 / pi) */
    } else {
        f = kt_op_erf(kt_act_scale(x, 0.70710678118654752440));
    }
    return kt_op_multiply(kt_act_scale(x, 0.5), kt_act_shift(f, 1));
}

static const kt_field gelu_fields[] = {KT_F(gelu_args, approximate), KT_F_END};
static const gelu_args gelu_defaults = {.size = sizeof(gelu_args), KT_ACT_GELU_DEFAULTS};

KT_ACT(gelu, gelu_args, gelu_fields, &gelu_defaults, gelu_apply)
