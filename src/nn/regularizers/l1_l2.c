/* L1: l1 sum(|w|).  L2: l2 sum(w^2).  L1L2: both.  keras.regularizers.L1, L2, L1L2
 *
 * A factor of 0 adds nothing at all, so that a weight that has become infinite does not give 0
 * inf. */
#include "nn/regularizers/regularizer.h"

typedef kt_reg_l1_args l1_args;
typedef kt_reg_l2_args l2_args;
typedef kt_reg_l1_l2_args l1_l2_args;

static kt_sym *penalty(kt_sym *w, double l1, double l2) {
    kt_sym *sum = NULL;
    if (kt_failed(w)) return w;
    if (l1 != 0) sum = kt_op_multiply(kt_op_sum(kt_op_abs(w), KT_NONE, false), kt_num(l1));
    if (l2 != 0) {
        kt_sym *squares = kt_op_multiply(kt_op_sum(kt_op_square(w), KT_NONE, false), kt_num(l2));
        sum = sum ? kt_op_add(sum, squares) : squares;
    }
    return sum ? sum : kt_op_cast(kt_num(0), kt_dtype_name(kt_sym_dtype(w)));
}

static kt_sym *l1_penalty(const kt_component *c, kt_sym *w) {
    return penalty(w, ((const l1_args *)kt_args_of(c))->l1, 0);
}

static kt_sym *l2_penalty(const kt_component *c, kt_sym *w) {
    return penalty(w, 0, ((const l2_args *)kt_args_of(c))->l2);
}

static kt_sym *l1_l2_penalty(const kt_component *c, kt_sym *w) {
    const l1_l2_args *a = kt_args_of(c);
    return penalty(w, a->l1, a->l2);
}

static const kt_field l1_fields[] = {KT_F(l1_args, l1), KT_F_END};
static const l1_args l1_defaults = {.size = sizeof(l1_args), KT_REG_L1_DEFAULTS};
static const kt_field l2_fields[] = {KT_F(l2_args, l2), KT_F_END};
static const l2_args l2_defaults = {.size = sizeof(l2_args), KT_REG_L2_DEFAULTS};
static const kt_field l1_l2_fields[] = {KT_F(l1_l2_args, l1), KT_F(l1_l2_args, l2), KT_F_END};
static const l1_l2_args l1_l2_defaults = {.size = sizeof(l1_l2_args), KT_REG_L1_L2_DEFAULTS};

const kt_regularizer_class kt_regularizer_class_l1 = {
    .base =
        {.kind = KT_KIND_REGULARIZER,
         .name = "L1",
         .args_size = sizeof(l1_args),
         .fields = l1_fields,
         .defaults = &l1_defaults,
         .init = kt_reg_init},
    .penalty = l1_penalty};
const kt_regularizer_class kt_regularizer_class_l2 = {
    .base =
        {.kind = KT_KIND_REGULARIZER,
         .name = "L2",
         .args_size = sizeof(l2_args),
         .fields = l2_fields,
         .defaults = &l2_defaults,
         .init = kt_reg_init},
    .penalty = l2_penalty};
const kt_regularizer_class kt_regularizer_class_l1_l2 = {
    .base =
        {.kind = KT_KIND_REGULARIZER,
         .name = "L1L2",
         .aliases = {"l1_l2"},
         .args_size = sizeof(l1_l2_args),
         .fields = l1_l2_fields,
         .defaults = &l1_l2_defaults,
         .init = kt_reg_init},
    .penalty = l1_l2_penalty};

kt_regularizer *kt_reg_l1_new(const kt_reg_l1_args *args) {
    return kt_component_new(&kt_regularizer_class_l1.base, args);
}
kt_regularizer *kt_reg_l2_new(const kt_reg_l2_args *args) {
    return kt_component_new(&kt_regularizer_class_l2.base, args);
}
kt_regularizer *kt_reg_l1_l2_new(const kt_reg_l1_l2_args *args) {
    return kt_component_new(&kt_regularizer_class_l1_l2.base, args);
}
