/* Margins, over the last axis:
 *
 *   hinge              mean(max(1 - t p, 0))
 *   squared_hinge      mean(max(1 - t p, 0)^2)
 *   categorical_hinge  max(max((1 - t) p) - sum(t p) + 1, 0)
 *
 * For the first two, labels 0 and 1 become -1 and 1, unless the batch has any other label: the
 * whole batch decides, as in Keras. Keras: Hinge, SquaredHinge, CategoricalHinge. */
#include "nn/losses/plain.h"

static kt_sym *hinge_labels(kt_sym *t) {
    kt_sym *is_bit = kt_op_equal(kt_op_square(t), t); /* t^2 = t: 0 or 1 */
    kt_sym *all = kt_op_min(kt_sym_cast(is_bit, kt_sym_dtype(t)), KT_NONE, false);
    return kt_op_where(kt_op_greater(all, kt_num(0)), kt_sym_shift(kt_sym_scale(t, 2), -1), t);
}

static kt_sym *margin(const kt_component *c, kt_sym *t, kt_sym *p) {
    const kt_status st = kt_loss_operands(c, &t, &p);
    if (st) return kt_fail_object(st);
    return kt_op_maximum(kt_sym_from(1, kt_op_multiply(hinge_labels(t), p)), kt_num(0));
}

static kt_sym *hinge_call(const kt_component *c, kt_sym *t, kt_sym *p) {
    return kt_op_mean(margin(c, t, p), -1, false);
}

static kt_sym *squared_hinge_call(const kt_component *c, kt_sym *t, kt_sym *p) {
    return kt_op_mean(kt_op_square(margin(c, t, p)), -1, false);
}

static kt_sym *categorical_hinge_call(const kt_component *c, kt_sym *t, kt_sym *p) {
    const kt_status st = kt_loss_operands(c, &t, &p);
    if (st) return kt_fail_object(st);
    kt_sym *right = kt_op_sum(kt_op_multiply(t, p), -1, false);
    kt_sym *wrong = kt_op_max(kt_op_multiply(kt_sym_from(1, t), p), -1, false);
    return kt_op_maximum(kt_sym_shift(kt_op_subtract(wrong, right), 1), kt_num(0));
}

const kt_loss_class kt_loss_class_hinge = {.base = {KT_LOSS_PLAIN("Hinge")}, .call = hinge_call};
const kt_loss_class kt_loss_class_squared_hinge = {
    .base = {KT_LOSS_PLAIN("SquaredHinge")}, .call = squared_hinge_call};
const kt_loss_class kt_loss_class_categorical_hinge = {
    .base = {KT_LOSS_PLAIN("CategoricalHinge")}, .call = categorical_hinge_call};

kt_loss *kt_loss_hinge_new(const kt_loss_args *args) {
    return kt_component_new(&kt_loss_class_hinge.base, args);
}
kt_loss *kt_loss_squared_hinge_new(const kt_loss_args *args) {
    return kt_component_new(&kt_loss_class_squared_hinge.base, args);
}
kt_loss *kt_loss_categorical_hinge_new(const kt_loss_args *args) {
    return kt_component_new(&kt_loss_class_categorical_hinge.base, args);
}
