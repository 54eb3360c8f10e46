/* What the files of kt_op_* share: operands in one dtype, axes that are checked. */
#ifndef KT_NN_SYMBOLIC_H
#define KT_NN_SYMBOLIC_H

#include "nn/axes.h"
#include "nn/tracer.h"

/** Integers become floats of the policy's dtype, as in NumPy. */
kt_val *kt_op_floats(kt_graph *g, kt_val *x);
/** bool: what is other than 0. */
kt_val *kt_op_truth(kt_graph *g, kt_val *x);
/** Two operands in the dtype that they make together (real: a floating one); false: failed. */
bool kt_op_pair(kt_graph *g, kt_val **in, bool real);
/** 0 … ndim-1, or -1 and the error names the op. */
int kt_op_axis(kt_graph *g, const char *op, int64_t axis, int ndim);
/** Bits of the axes, all of them for None; look at g->status. */
int kt_op_axes(kt_graph *g, const char *op, const kt_val *x, kt_tuple axis);

/** The whole numbers in "[1, [2, -3]]"; how many there are, at most `max` of them in out. */
int kt_op_numbers(const char *text, int max, int64_t *out);
/** "[1, 2]" */
void kt_op_numbers_text(char *text, size_t size, int n, const int64_t *v);
/** A text argument into its attribute; KT_EINVAL names the op if it is too long. */
kt_status kt_op_text(char *to, size_t size, const char *text, const char *op);
/** An op on the items of a list; the list is a temporary. */
kt_sym *kt_op_of_list(const kt_op_class *op, kt_ref xs, const void *attrs);

#define KT_OP_BUILD(fn)                                                                            \
    static kt_val *fn##_build(kt_graph *g, int n, kt_val **in, const void *attrs)

#endif
