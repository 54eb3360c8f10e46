/* binary_focal_crossentropy: mean over an axis of
 *
 *   (1 - p_t)^gamma bce   with p_t = t p + (1 - t)(1 - p), bce as binary_crossentropy has it
 *
 * and, with class balancing, times t alpha + (1 - t)(1 - alpha). Keras: BinaryFocalCrossentropy. */
#include "nn/losses/loss.h"

typedef kt_loss_binary_focal_crossentropy_args bfce_args;

static kt_sym *bfce_call(const kt_component *c, kt_sym *t, kt_sym *p) {
    const bfce_args *a = kt_args_of(c);
    const kt_status st = kt_loss_operands(c, &t, &p);
    if (st) return kt_fail_object(st);
    t = kt_smooth_labels(t, a->label_smoothing, 2);
    if (a->from_logits) p = kt_op_sigmoid(p);
    kt_sym *not_t = kt_sym_from(1, t);
    kt_sym *bce, *logits = kt_logits_of(p, false, &kt_opdef_sigmoid, -1);
    if (logits) {
        bce = kt_op_subtract(kt_op_softplus(logits), kt_op_multiply(logits, t));
    } else {
        kt_sym *q = kt_op_clip(p, KT_LOSS_EPSILON, 1 - KT_LOSS_EPSILON);
        kt_sym *yes = kt_op_multiply(t, kt_op_log(q));
        kt_sym *no = kt_op_multiply(not_t, kt_op_log(kt_sym_from(1, q)));
        bce = kt_op_negative(kt_op_add(yes, no));
    }
    /* 1 - p_t = t (1 - p) + (1 - t) p */
    kt_sym *miss = kt_op_add(kt_op_multiply(t, kt_sym_from(1, p)), kt_op_multiply(not_t, p));
    kt_sym *focal = kt_op_power(miss, kt_num(a->gamma));
    kt_sym *y = kt_op_multiply(focal, bce);
    if (a->apply_class_balancing) {
        kt_sym *weight = kt_op_add(kt_sym_scale(t, a->alpha), kt_sym_scale(not_t, 1 - a->alpha));
        y = kt_op_multiply(weight, y);
    }
    return kt_op_mean(y, a->axis, false);
}

static const kt_field bfce_fields[] = {
    KT_F(bfce_args, apply_class_balancing),
    KT_F(bfce_args, alpha),
    KT_F(bfce_args, gamma),
    KT_F(bfce_args, from_logits),
    KT_F(bfce_args, label_smoothing),
    KT_F(bfce_args, axis),
    KT_LOSS_FIELDS(bfce_args)};
static const bfce_args bfce_defaults = {
    .size = sizeof(bfce_args), KT_LOSS_BINARY_FOCAL_CROSSENTROPY_DEFAULTS};

const kt_loss_class kt_loss_class_binary_focal_crossentropy = {
    .base =
        {.kind = KT_KIND_LOSS,
         .name = "BinaryFocalCrossentropy",
         .args_size = sizeof(bfce_args),
         .fields = bfce_fields,
         .defaults = &bfce_defaults,
         .init = kt_loss_init},
    .call = bfce_call};

kt_loss *kt_loss_binary_focal_crossentropy_new(const kt_loss_binary_focal_crossentropy_args *args) {
    return kt_component_new(&kt_loss_class_binary_focal_crossentropy.base, args);
}
