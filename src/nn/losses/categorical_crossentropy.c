/* categorical_crossentropy: -sum(t log p) over the classes, p normalised to sum 1 and clipped to
 * 1e-7 … 1 - 1e-7; from logits: -sum(t log_softmax(x)).
 *
 * When p is the output of a softmax of the same graph, its input is used as logits, as Keras does
 * on TensorFlow. Keras: CategoricalCrossentropy. */
#include "nn/losses/loss.h"

typedef kt_loss_categorical_crossentropy_args cce_args;

extern const kt_opdef kt_opdef_softmax;

static kt_sym *cce_call(const kt_component *c, kt_sym *t, kt_sym *p) {
    const cce_args *a = kt_args_of(c);
    const kt_status st = kt_one_hot_labels(c, &t, &p, "sparse_categorical_crossentropy");
    if (st) return kt_fail_object(st);
    const kt_shape shape = kt_sym_shape(p);
    const double n = (double)kt_shape_dim(&shape, -1); /* as Keras: of the last axis */
    t = kt_smooth_labels(t, a->label_smoothing, n);
    kt_sym *logits = kt_logits_of(p, a->from_logits, &kt_opdef_softmax, a->axis);
    kt_sym *log_p = NULL;
    if (logits) {
        log_p = kt_op_log_softmax(logits, a->axis);
    } else {
        p = kt_op_divide(p, kt_op_sum(p, a->axis, true));
        log_p = kt_op_log(kt_op_clip(p, KT_LOSS_EPSILON, 1 - KT_LOSS_EPSILON));
    }
    return kt_op_negative(kt_op_sum(kt_op_multiply(t, log_p), a->axis, false));
}

static const kt_field cce_fields[] = {
    KT_F(cce_args, from_logits),
    KT_F(cce_args, label_smoothing),
    KT_F(cce_args, axis),
    KT_LOSS_FIELDS(cce_args)};
static const cce_args cce_defaults = {
    .size = sizeof(cce_args), KT_LOSS_CATEGORICAL_CROSSENTROPY_DEFAULTS};

const kt_loss_class kt_loss_class_categorical_crossentropy = {
    .base =
        {.kind = KT_KIND_LOSS,
         .name = "CategoricalCrossentropy",
         .args_size = sizeof(cce_args),
         .fields = cce_fields,
         .defaults = &cce_defaults,
         .init = kt_loss_init},
    .call = cce_call};

kt_loss *kt_loss_categorical_crossentropy_new(const kt_loss_categorical_crossentropy_args *args) {
    return kt_component_new(&kt_loss_class_categorical_crossentropy.base, args);
}
