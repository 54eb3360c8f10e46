/* binary_crossentropy: mean over an axis of -t log p - (1 - t) log(1 - p), with p clipped to
 * 1e-7 … 1 - 1e-7; from logits x the stable form of the same, softplus(x) - x t, which is
 * max(x, 0) - x t + log(1 + exp(-|x|)).
 *
 * When p is the output of a sigmoid of the same graph, its input is used as logits, as Keras does
 * on TensorFlow: no clipping, so saturated outputs keep their gradient.
 * Keras: BinaryCrossentropy. */
#include "nn/losses/loss.h"

typedef kt_loss_binary_crossentropy_args bce_args;

static kt_sym *bce_call(const kt_component *c, kt_sym *t, kt_sym *p) {
    const bce_args *a = kt_args_of(c);
    const kt_status st = kt_loss_operands(c, &t, &p);
    if (st) return kt_fail_object(st);
    t = kt_smooth_labels(t, a->label_smoothing, 2);
    kt_sym *logits = kt_logits_of(p, a->from_logits, &kt_opdef_sigmoid, -1);
    if (logits) {
        kt_sym *y = kt_op_subtract(kt_op_softplus(logits), kt_op_multiply(logits, t));
        return kt_op_mean(y, a->axis, false);
    }
    p = kt_op_clip(p, KT_LOSS_EPSILON, 1 - KT_LOSS_EPSILON);
    kt_sym *yes = kt_op_multiply(t, kt_op_log(p));
    kt_sym *no = kt_op_multiply(kt_sym_from(1, t), kt_op_log(kt_sym_from(1, p)));
    return kt_op_negative(kt_op_mean(kt_op_add(yes, no), a->axis, false));
}

static const kt_field bce_fields[] = {
    KT_F(bce_args, from_logits),
    KT_F(bce_args, label_smoothing),
    KT_F(bce_args, axis),
    KT_LOSS_FIELDS(bce_args)};
static const bce_args bce_defaults = {
    .size = sizeof(bce_args), KT_LOSS_BINARY_CROSSENTROPY_DEFAULTS};

const kt_loss_class kt_loss_class_binary_crossentropy = {
    .base =
        {.kind = KT_KIND_LOSS,
         .name = "BinaryCrossentropy",
         .aliases = {"bce", "BCE"},
         .args_size = sizeof(bce_args),
         .fields = bce_fields,
         .defaults = &bce_defaults,
         .init = kt_loss_init},
    .call = bce_call};

kt_loss *kt_loss_binary_crossentropy_new(const kt_loss_binary_crossentropy_args *args) {
    return kt_component_new(&kt_loss_class_binary_crossentropy.base, args);
}
