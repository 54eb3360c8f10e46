/* categorical_focal_crossentropy: sum over the classes of alpha (1 - p)^gamma (-t log p), p
 * normalised to sum 1 and clipped to 1e-7 … 1 - 1e-7. Keras: CategoricalFocalCrossentropy. */
#include "nn/losses/loss.h"

typedef kt_loss_categorical_focal_crossentropy_args cfce_args;

/* One alpha for each class, along the last axis (as Keras broadcasts a list). */
static kt_sym *cfce_alphas(const kt_component *c, kt_floats_t alphas, const kt_sym *p) {
    const kt_shape s = kt_sym_shape(p);
    if (alphas.n != kt_shape_dim(&s, -1)) {
        KT_FAIL(KT_ESHAPE, "%s: alphas do not fit the output", c->name);
        kt_error_expected("%lld values, one for each class", (long long)kt_shape_dim(&s, -1));
        kt_error_got("%d", alphas.n);
        return kt_fail_object(KT_ESHAPE);
    }
    kt_graph *g = kt_tracer_current()->g;
    return kt_sym_cast(
        kt_wrap(kt_g_array(g, alphas.v, (kt_spec){KT_FLOAT64, {1, {alphas.n}}})), kt_sym_dtype(p));
}

static kt_sym *cfce_call(const kt_component *c, kt_sym *t, kt_sym *p) {
    const cfce_args *a = kt_args_of(c);
    const kt_status st = kt_one_hot_labels(c, &t, &p, "sparse_categorical_crossentropy");
    if (st) return kt_fail_object(st);
    const kt_shape shape = kt_sym_shape(p);
    t = kt_smooth_labels(t, a->label_smoothing, (double)kt_shape_dim(&shape, -1));
    if (a->from_logits) p = kt_op_softmax(p, a->axis);
    p = kt_op_divide(p, kt_op_sum(p, a->axis, true));
    p = kt_op_clip(p, KT_LOSS_EPSILON, 1 - KT_LOSS_EPSILON);
    kt_sym *weight = kt_op_power(kt_sym_from(1, p), kt_num(a->gamma));
    kt_sym *alpha = a->alphas.n ? cfce_alphas(c, a->alphas, p) : kt_num(a->alpha);
    weight = kt_op_multiply(weight, alpha);
    kt_sym *y = kt_op_multiply(weight, kt_op_multiply(t, kt_op_log(p)));
    return kt_op_negative(kt_op_sum(y, a->axis, false));
}

static const kt_field cfce_fields[] = {
    KT_F(cfce_args, alpha),
    KT_F(cfce_args, gamma),
    KT_F(cfce_args, from_logits),
    KT_F(cfce_args, label_smoothing),
    KT_F(cfce_args, axis),
    KT_F(cfce_args, alphas),
    KT_LOSS_FIELDS(cfce_args)};
static const cfce_args cfce_defaults = {
    .size = sizeof(cfce_args), KT_LOSS_CATEGORICAL_FOCAL_CROSSENTROPY_DEFAULTS};

const kt_loss_class kt_loss_class_categorical_focal_crossentropy = {
    .base =
        {.kind = KT_KIND_LOSS,
         .name = "CategoricalFocalCrossentropy",
         .args_size = sizeof(cfce_args),
         .fields = cfce_fields,
         .defaults = &cfce_defaults,
         .init = kt_loss_init},
    .call = cfce_call};

kt_loss *kt_loss_categorical_focal_crossentropy_new(
    const kt_loss_categorical_focal_crossentropy_args *args) {
    return kt_component_new(&kt_loss_class_categorical_focal_crossentropy.base, args);
}
