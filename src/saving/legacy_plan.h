/* Which variable gets what from an old file: between legacy_weights.c, legacy_convert.c and
 * legacy_state.c. */
#ifndef KT_SAVING_LEGACY_PLAN_H
#define KT_SAVING_LEGACY_PLAN_H

#include "saving/legacy.h"

typedef KT_VEC(const kt_hdf5_node *) kt_legacy_nodes;

/** One variable: the data set that holds its value, or the value, converted. */
typedef struct kt_legacy_item {
    kt_var *var;
    const kt_hdf5_node *node;
    kt_tensor *value; ///< ours
} kt_legacy_item;
typedef struct kt_legacy_plan {
    kt_legacy_origin from;
    int n, cap;
    kt_legacy_item *v;
} kt_legacy_plan;

/** The data sets that an attribute names. */
kt_status kt_legacy_nodes_read(kt_legacy_nodes *out, const kt_hdf5_node *group, const char *attr);
/** Adds the weights of one layer; shapes are checked. KT_ENOTFOUND (without a message) if their
 * number does not fit. skip_mismatch leaves variables alone whose shape does not fit. */
kt_status kt_legacy_convert(
    kt_legacy_plan *plan,
    const kt_var_list *vars,
    const kt_legacy_nodes *weights,
    bool skip_mismatch);
/** Carries it out. */
kt_status kt_legacy_plan_run(const kt_legacy_plan *plan);
void kt_legacy_plan_free(kt_legacy_plan *plan);

#endif
