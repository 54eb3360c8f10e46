/* Limits of the norm n of vectors along some axes, e being 1e-7:
 *
 *   MaxNorm     w clip(n, 0, max) / (e + n)
 *   MinMaxNorm  w (rate clip(n, min, max) + (1 - rate) n) / (e + n)
 *   UnitNorm    w / (e + n)
 *
 * keras.constraints.MaxNorm, MinMaxNorm, UnitNorm. Vectors of zeros stay zeros. */
#include "nn/axes.h"
#include "nn/constraints/constraint.h"

#define EPSILON 1e-7 /* keras.config.epsilon() */

typedef kt_con_max_norm_args max_norm_args;
typedef kt_con_min_max_norm_args min_max_norm_args;
typedef kt_con_unit_norm_args unit_norm_args;

static kt_sym *norms(kt_sym *w, kt_tuple t) {
    int axes[KT_MAX_RANK];
    const int n = kt_axes_list(t, axes);
    kt_sym *sum = kt_op_square(w);
    if (n == 0) sum = kt_op_sum(sum, KT_NONE, true);
    for (int i = 0; i < n; i++) sum = kt_op_sum(sum, axes[i], true);
    return kt_op_sqrt(sum);
}

static kt_sym *scaled(kt_sym *w, kt_sym *desired, kt_sym *norm) {
    return kt_op_multiply(w, kt_op_divide(desired, kt_op_add(norm, kt_num(EPSILON))));
}

static kt_sym *max_norm_project(const kt_component *c, kt_sym *w) {
    const max_norm_args *a = kt_args_of(c);
    kt_sym *norm = norms(w, a->axis);
    return scaled(w, kt_op_clip(norm, 0, a->max_value), norm);
}

static kt_sym *min_max_norm_project(const kt_component *c, kt_sym *w) {
    const min_max_norm_args *a = kt_args_of(c);
    kt_sym *norm = norms(w, a->axis), *cut = kt_op_clip(norm, a->min_value, a->max_value);
    if (a->rate == 1) return scaled(w, cut, norm);
    kt_sym *moved = kt_op_multiply(cut, kt_num(a->rate));
    return scaled(w, kt_op_add(moved, kt_op_multiply(norm, kt_num(1 - a->rate))), norm);
}

static kt_sym *unit_norm_project(const kt_component *c, kt_sym *w) {
    kt_sym *norm = norms(w, ((const unit_norm_args *)kt_args_of(c))->axis);
    return kt_op_divide(w, kt_op_add(norm, kt_num(EPSILON)));
}

static const kt_field max_norm_fields[] = {
    KT_F(max_norm_args, max_value), KT_F(max_norm_args, axis), KT_F_END};
static const max_norm_args max_norm_defaults = {
    .size = sizeof(max_norm_args), KT_CON_MAX_NORM_DEFAULTS};
static const kt_field min_max_norm_fields[] = {
    KT_F(min_max_norm_args, min_value),
    KT_F(min_max_norm_args, max_value),
    KT_F(min_max_norm_args, rate),
    KT_F(min_max_norm_args, axis),
    KT_F_END};
static const min_max_norm_args min_max_norm_defaults = {
    .size = sizeof(min_max_norm_args), KT_CON_MIN_MAX_NORM_DEFAULTS};
static const kt_field unit_norm_fields[] = {KT_F(unit_norm_args, axis), KT_F_END};
static const unit_norm_args unit_norm_defaults = {
    .size = sizeof(unit_norm_args), KT_CON_UNIT_NORM_DEFAULTS};

const kt_constraint_class kt_constraint_class_max_norm = {
    .base =
        {.kind = KT_KIND_CONSTRAINT,
         .name = "MaxNorm",
         .args_size = sizeof(max_norm_args),
         .fields = max_norm_fields,
         .defaults = &max_norm_defaults},
    .project = max_norm_project};
const kt_constraint_class kt_constraint_class_min_max_norm = {
    .base =
        {.kind = KT_KIND_CONSTRAINT,
         .name = "MinMaxNorm",
         .args_size = sizeof(min_max_norm_args),
         .fields = min_max_norm_fields,
         .defaults = &min_max_norm_defaults},
    .project = min_max_norm_project};
const kt_constraint_class kt_constraint_class_unit_norm = {
    .base =
        {.kind = KT_KIND_CONSTRAINT,
         .name = "UnitNorm",
         .args_size = sizeof(unit_norm_args),
         .fields = unit_norm_fields,
         .defaults = &unit_norm_defaults},
    .project = unit_norm_project};

kt_constraint *kt_con_max_norm_new(const kt_con_max_norm_args *args) {
    return kt_component_new(&kt_constraint_class_max_norm.base, args);
}
kt_constraint *kt_con_min_max_norm_new(const kt_con_min_max_norm_args *args) {
    return kt_component_new(&kt_constraint_class_min_max_norm.base, args);
}
kt_constraint *kt_con_unit_norm_new(const kt_con_unit_norm_args *args) {
    return kt_component_new(&kt_constraint_class_unit_norm.base, args);
}
