/* The rows of the elementwise families as numbers: what fused regions and epilogues store, and what
 * kernel tables are indexed by. */
#ifndef KT_OPS_FAMILIES_H
#define KT_OPS_FAMILIES_H

#include "ir/opdef.h"

/** The ops of unary.def, binary.def, compare.def in the order of the file, ended by NULL. */
extern const kt_opdef *const kt_unary_ops[], *const kt_binary_ops[], *const kt_compare_ops[];
/** Row of an op in such a list, -1 if it is not there. */
int kt_family_row(const kt_opdef *const *family, const kt_opdef *op);

#endif
