/* kt_op_*, continued: further reductions; see ops.h. */
#ifndef KERATIN_OPS_REDUCTIONS_H
#define KERATIN_OPS_REDUCTIONS_H

#include <keratin/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Other names: max, min. */
KT_API kt_sym *kt_op_amax(kt_sym *x, kt_tuple axis, bool keepdims);
KT_API kt_sym *kt_op_amin(kt_sym *x, kt_tuple axis, bool keepdims);

/** Reductions; `axis` as in kt_op_sum(). The count is int32. */
KT_API kt_sym *kt_op_logsumexp(kt_sym *x, kt_tuple axis, bool keepdims);
KT_API kt_sym *kt_op_count_nonzero(kt_sym *x, kt_tuple axis);
/** Length of vectors, kt_op_norm(x, KT_NONE_F, -1, true); over two axes of matrices.
 * ord: the power (vectors; 0 counts, INFINITY is the largest), or 1, -1, 2, -2, the infinities and
 * KT_NUCLEAR (Keras' "nuc", matrices); KT_NONE_F: the root of all squares. */
#define KT_NUCLEAR (-1e300)
KT_API kt_sym *kt_op_norm(kt_sym *x, double ord, kt_tuple axis, bool keepdims);

/** Reductions as in ops.h that leave NaN out. Where nothing is left, maximum, minimum and the
 * moments are NaN. */
KT_API kt_sym *kt_op_nansum(kt_sym *x, kt_tuple axis, bool keepdims);
KT_API kt_sym *kt_op_nanmean(kt_sym *x, kt_tuple axis, bool keepdims);
KT_API kt_sym *kt_op_nanmax(kt_sym *x, kt_tuple axis, bool keepdims);
KT_API kt_sym *kt_op_nanmin(kt_sym *x, kt_tuple axis, bool keepdims);
KT_API kt_sym *kt_op_nanprod(kt_sym *x, kt_tuple axis, bool keepdims);
KT_API kt_sym *kt_op_nanvar(kt_sym *x, kt_tuple axis, bool keepdims);
KT_API kt_sym *kt_op_nanstd(kt_sym *x, kt_tuple axis, bool keepdims);
/** Largest minus smallest. */
KT_API kt_sym *kt_op_ptp(kt_sym *x, kt_tuple axis, bool keepdims);
/** sum(weights x) / sum(weights); weights NULL: all 1; of one axis: along `axis`. */
KT_API kt_sym *kt_op_average(kt_sym *x, kt_tuple axis, kt_sym *weights);

/** The area below lines between points that are dx apart. */
KT_API kt_sym *kt_op_trapezoid(kt_sym *y, double dx, int axis);

#ifdef __cplusplus
}
#endif
#endif
