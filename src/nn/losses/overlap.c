/* Overlap of two areas, summed over all axes or the given ones, I = sum(t p):
 *
 *   dice     1 - 2 I / (sum(t) + sum(p) + 1e-7)
 *   tversky  1 - I / (I + alpha sum(t (1 - p)) + beta sum((1 - t) p) + 1e-7)
 *
 * Keras: Dice, Tversky. */
#include "nn/losses/loss.h"

/* 1, kt_hw(1, 2), kt_dhw(1, 2, 3) or KT_NONE (all) as a set of axes; -1 if one is out of range. */
static int axis_set(kt_tuple axis, int ndim) {
    const int64_t n = axis >> 60, mask = (INT64_C(1) << 20) - 1;
    int set = 0;
    if (axis == KT_NONE) return (1 << ndim) - 1;
    if (n != 2 && n != 3) return axis < -ndim || axis >= ndim ? -1 : 1 << kt_axis((int)axis, ndim);
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = axis >> (20 * i) & mask;
        if (at >= ndim) return -1;
        set |= 1 << at;
    }
    return set;
}

static kt_status overlap_operands(
    const kt_component *c, kt_sym **t, kt_sym **p, kt_tuple axis, int *axes) {
    const kt_status st = kt_loss_operands(c, t, p);
    if (st) return st;
    *axes = axis_set(axis, kt_sym_shape(*p).ndim);
    if (*axes >= 0) return KT_OK;
    return KT_FAIL(
        KT_EINVAL, "%s: axis is out of range for %d axes", c->name, kt_sym_shape(*p).ndim);
}

static kt_sym *dice_call(const kt_component *c, kt_sym *t, kt_sym *p) {
    int axes;
    const kt_loss_dice_args *a = kt_args_of(c);
    const kt_status st = overlap_operands(c, &t, &p, a->axis, &axes);
    if (st) return kt_fail_object(st);
    kt_sym *both = kt_sum_axes(kt_op_multiply(t, p), axes);
    kt_sym *all = kt_op_add(kt_sum_axes(t, axes), kt_sum_axes(p, axes));
    kt_sym *share = kt_op_divide(kt_sym_scale(both, 2), kt_sym_shift(all, KT_LOSS_EPSILON));
    return kt_sym_from(1, share);
}

static kt_sym *tversky_call(const kt_component *c, kt_sym *t, kt_sym *p) {
    int axes;
    const kt_loss_tversky_args *a = kt_args_of(c);
    const kt_status st = overlap_operands(c, &t, &p, a->axis, &axes);
    if (st) return kt_fail_object(st);
    kt_sym *both = kt_sum_axes(kt_op_multiply(t, p), axes);
    kt_sym *missed = kt_sum_axes(kt_op_multiply(kt_sym_from(1, p), t), axes);
    kt_sym *wrong = kt_sum_axes(kt_op_multiply(kt_sym_from(1, t), p), axes);
    kt_sym *rest = kt_op_add(kt_sym_scale(missed, a->alpha), kt_sym_scale(wrong, a->beta));
    kt_sym *all = kt_sym_shift(kt_op_add(both, rest), KT_LOSS_EPSILON);
    return kt_sym_from(1, kt_op_divide(both, all));
}

static const kt_field dice_fields[] = {
    KT_F(kt_loss_dice_args, axis), KT_LOSS_FIELDS(kt_loss_dice_args)};
static const kt_loss_dice_args dice_defaults = {
    .size = sizeof(kt_loss_dice_args), KT_LOSS_DICE_DEFAULTS};
static const kt_field tversky_fields[] = {
    KT_F(kt_loss_tversky_args, alpha),
    KT_F(kt_loss_tversky_args, beta),
    KT_F(kt_loss_tversky_args, axis),
    KT_LOSS_FIELDS(kt_loss_tversky_args)};
static const kt_loss_tversky_args tversky_defaults = {
    .size = sizeof(kt_loss_tversky_args), KT_LOSS_TVERSKY_DEFAULTS};

const kt_loss_class kt_loss_class_dice = {
    .base =
        {.kind = KT_KIND_LOSS,
         .name = "Dice",
         .args_size = sizeof(kt_loss_dice_args),
         .fields = dice_fields,
         .defaults = &dice_defaults,
         .init = kt_loss_init},
    .call = dice_call};
const kt_loss_class kt_loss_class_tversky = {
    .base =
        {.kind = KT_KIND_LOSS,
         .name = "Tversky",
         .args_size = sizeof(kt_loss_tversky_args),
         .fields = tversky_fields,
         .defaults = &tversky_defaults,
         .init = kt_loss_init},
    .call = tversky_call};

kt_loss *kt_loss_dice_new(const kt_loss_dice_args *args) {
    return kt_component_new(&kt_loss_class_dice.base, args);
}
kt_loss *kt_loss_tversky_new(const kt_loss_tversky_args *args) {
    return kt_component_new(&kt_loss_class_tversky.base, args);
}
