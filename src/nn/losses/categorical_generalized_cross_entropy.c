/* categorical_generalized_cross_entropy: (1 - p^q) / q with p the prediction for the label, which
 * is a class number. Keras: CategoricalGeneralizedCrossEntropy. */
#include "nn/losses/loss.h"

typedef kt_loss_categorical_generalized_cross_entropy_args gce_args;

static kt_status gce_init(kt_component *c) {
    const double q = ((const gce_args *)kt_args_of(c))->q;
    if (!(q > 0 && q < 1)) return KT_FAIL(KT_EINVAL, "q: expected 0 < q < 1, got %g", q);
    return kt_loss_init(c);
}

static kt_sym *gce_call(const kt_component *c, kt_sym *t, kt_sym *p) {
    const double q = ((const gce_args *)kt_args_of(c))->q;
    if (kt_failed(p) || kt_failed(t)) return kt_failed(p) ? p : t;
    const kt_shape s = kt_sym_shape(p);
    kt_sym *hot = kt_op_one_hot(kt_sym_cast(t, KT_INT32), kt_shape_dim(&s, -1), -1, NULL);
    const kt_status st = kt_loss_operands(c, &hot, &p);
    if (st) return kt_fail_object(st);
    kt_sym *right = kt_op_sum(kt_op_multiply(p, hot), -1, false);
    return kt_sym_scale(kt_sym_from(1, kt_op_power(right, kt_num(q))), 1 / q);
}

static const kt_field gce_fields[] = {KT_F(gce_args, q), KT_LOSS_FIELDS(gce_args)};
static const gce_args gce_defaults = {
    .size = sizeof(gce_args), KT_LOSS_CATEGORICAL_GENERALIZED_CROSS_ENTROPY_DEFAULTS};

const kt_loss_class kt_loss_class_categorical_generalized_cross_entropy = {
    .base =
        {.kind = KT_KIND_LOSS,
         .name = "CategoricalGeneralizedCrossEntropy",
         .args_size = sizeof(gce_args),
         .fields = gce_fields,
         .defaults = &gce_defaults,
         .init = gce_init},
    .call = gce_call};

kt_loss *kt_loss_categorical_generalized_cross_entropy_new(
    const kt_loss_categorical_generalized_cross_entropy_args *args) {
    return kt_component_new(&kt_loss_class_categorical_generalized_cross_entropy.base, args);
}
