/* huber: mean over the last axis of e^2 / 2 where |e| <= delta, else delta |e| - delta^2 / 2, with
 * e = y_pred - y_true. Keras: Huber (its name is huber_loss). */
#include "nn/losses/loss.h"

static kt_sym *huber_call(const kt_component *c, kt_sym *t, kt_sym *p) {
    const double delta = ((const kt_loss_huber_args *)kt_args_of(c))->delta;
    const kt_status st = kt_loss_operands(c, &t, &p);
    if (st) return kt_fail_object(st);
    kt_sym *e = kt_op_subtract(p, t), *size = kt_op_abs(e);
    kt_sym *near = kt_sym_scale(kt_op_square(e), 0.5);
    kt_sym *far = kt_sym_shift(kt_sym_scale(size, delta), -0.5 * delta * delta);
    kt_sym *is_near = kt_op_less_equal(size, kt_num(delta));
    return kt_op_mean(kt_op_where(is_near, near, far), -1, false);
}

static const kt_field huber_fields[] = {
    KT_F(kt_loss_huber_args, delta), KT_LOSS_FIELDS(kt_loss_huber_args)};
static const kt_loss_huber_args huber_defaults = {
    .size = sizeof(kt_loss_huber_args), KT_LOSS_HUBER_DEFAULTS};

const kt_loss_class kt_loss_class_huber = {
    .base =
        {.kind = KT_KIND_LOSS,
         .name = "Huber",
         .args_size = sizeof(kt_loss_huber_args),
         .fields = huber_fields,
         .defaults = &huber_defaults,
         .init = kt_loss_init},
    .call = huber_call};

kt_loss *kt_loss_huber_new(const kt_loss_huber_args *args) {
    return kt_component_new(&kt_loss_class_huber.base, args);
}
