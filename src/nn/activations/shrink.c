/* A threshold t:
 *
 *   soft_shrink  x - t above t, x + t below -t, 0 between: x less what lies in -t … t
 *   hard_shrink  x where |x| > t, else 0
 *   threshold    x where x > t, else default_value
 *
 * Keras: soft_shrink, hard_shrink, threshold. At the knees all belong to the flat part. */
#include "nn/activations/activation.h"

typedef kt_act_shrink_args shrink_args;
typedef kt_act_threshold_args threshold_args;

static double shrink_t(const kt_component *c) {
    return ((const shrink_args *)kt_args_of(c))->threshold;
}

/* Written out for negative thresholds, where Keras' own order of choices decides. */
static kt_sym *soft_shrink_apply(const kt_component *c, kt_sym *x) {
    const double t = shrink_t(c);
    if (t >= 0) return kt_op_subtract(x, kt_op_clip(x, -t, t));
    kt_sym *below = kt_op_less(x, kt_num(-t));
    kt_sym *low = kt_op_where(below, kt_act_shift(x, t), kt_num(0));
    return kt_op_where(kt_op_greater(x, kt_num(t)), kt_act_shift(x, -t), low);
}

static kt_sym *hard_shrink_apply(const kt_component *c, kt_sym *x) {
    kt_sym *far = kt_op_greater(kt_op_abs(x), kt_num(shrink_t(c)));
    return kt_op_where(far, x, kt_num(0));
}

static kt_sym *threshold_apply(const kt_component *c, kt_sym *x) {
    const threshold_args *a = kt_args_of(c);
    kt_sym *above = kt_op_greater(x, kt_num(a->threshold));
    return kt_op_where(above, x, kt_num(a->default_value));
}

static const kt_field shrink_fields[] = {KT_F(shrink_args, threshold), KT_F_END};
static const shrink_args shrink_defaults = {.size = sizeof(shrink_args), KT_ACT_SHRINK_DEFAULTS};
static const kt_field threshold_fields[] = {
    KT_F(threshold_args, threshold), KT_F(threshold_args, default_value), KT_F_END};

KT_ACT(soft_shrink, shrink_args, shrink_fields, &shrink_defaults, soft_shrink_apply)
KT_ACT(hard_shrink, shrink_args, shrink_fields, &shrink_defaults, hard_shrink_apply)
KT_ACT(threshold, threshold_args, threshold_fields, NULL, threshold_apply)
