/* Exponential on the negative side:
 *
 *   elu   x, or alpha (e^x - 1)
 *   selu  1.0507 elu(x, 1.6733)
 *   celu  x, or alpha (e^(x / alpha) - 1)
 *
 * Keras: elu, selu, celu. All are max(x, 0) + alpha expm1(min(x, 0) / k): no branch, no overflow,
 * exact on the positive side. At 0 the slope is that of the negative side, as JAX has it
 * (TensorFlow's celu has slope 2 there). */
#include "nn/activations/activation.h"

typedef kt_act_alpha_args alpha_args;

#define SELU_ALPHA 1.6732632423543772848170429916717
#define SELU_SCALE 1.0507009873554804934193349852946

static kt_sym *exponential_unit(kt_sym *x, double alpha, double k) {
    kt_sym *low = kt_op_minimum(x, kt_num(0));
    if (k != 1) low = kt_op_divide(low, kt_num(k));
    return kt_op_add(kt_op_relu(x), kt_act_scale(kt_op_expm1(low), alpha));
}

static kt_sym *elu_apply(const kt_component *c, kt_sym *x) {
    return exponential_unit(x, ((const alpha_args *)kt_args_of(c))->alpha, 1);
}

static kt_sym *celu_apply(const kt_component *c, kt_sym *x) {
    const double alpha = ((const alpha_args *)kt_args_of(c))->alpha;
    return exponential_unit(x, alpha, alpha);
}

static kt_sym *selu_apply(const kt_component *c, kt_sym *x) {
    (void)c;
    return kt_act_scale(exponential_unit(x, SELU_ALPHA, 1), SELU_SCALE);
}

static const kt_field alpha_fields[] = {KT_F(alpha_args, alpha), KT_F_END};
static const alpha_args alpha_defaults = {.size = sizeof(alpha_args), KT_ACT_ALPHA_DEFAULTS};

KT_ACT(elu, alpha_args, alpha_fields, &alpha_defaults, elu_apply)
KT_ACT_PLAIN(selu, NULL, selu_apply)
KT_ACT(celu, alpha_args, alpha_fields, &alpha_defaults, celu_apply)
