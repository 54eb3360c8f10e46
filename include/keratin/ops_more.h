/* kt_op_*, continued: further functions of keras.ops on symbolic tensors; see ops.h. */
#ifndef KERATIN_OPS_MORE_H
#define KERATIN_OPS_MORE_H

#include <keratin/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The same values. */
KT_API kt_sym *kt_op_copy(kt_sym *x);
KT_API kt_sym *kt_op_arccosh(kt_sym *x);
KT_API kt_sym *kt_op_log2(kt_sym *x);
KT_API kt_sym *kt_op_log10(kt_sym *x);
/** 2 to the power of x. */
KT_API kt_sym *kt_op_exp2(kt_sym *x);
KT_API kt_sym *kt_op_deg2rad(kt_sym *x);
KT_API kt_sym *kt_op_rad2deg(kt_sym *x);
/** bool. */
KT_API kt_sym *kt_op_isnan(kt_sym *x);
KT_API kt_sym *kt_op_isinf(kt_sym *x);
KT_API kt_sym *kt_op_isfinite(kt_sym *x);
/** The flat array. */
KT_API kt_sym *kt_op_ravel(kt_sym *x);

/** Zeros, ones, or a value, in the shape of x; dtype NULL: that of x. */
KT_API kt_sym *kt_op_zeros_like(kt_sym *x, const char *dtype);
KT_API kt_sym *kt_op_ones_like(kt_sym *x, const char *dtype);
KT_API kt_sym *kt_op_full_like(kt_sym *x, kt_sym *fill_value, const char *dtype);

/** sqrt(a^2 + b^2), log(e^a + e^b), a / b or 0 where b is 0, all products of flat arrays. */
KT_API kt_sym *kt_op_hypot(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_logaddexp(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_divide_no_nan(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_outer(kt_sym *a, kt_sym *b);

/** Reductions; `axis` as in kt_op_sum(). The count is int32. */
KT_API kt_sym *kt_op_logsumexp(kt_sym *x, kt_tuple axis, bool keepdims);
KT_API kt_sym *kt_op_count_nonzero(kt_sym *x, kt_tuple axis);
/** Length of vectors, kt_op_norm(x, KT_NONE_F, -1, true); over two axes of matrices.
 * ord: the power (vectors; 0 counts, INFINITY is the largest), or 1, -1, the infinities (matrices);
 * KT_NONE_F: 2. Those that need singular values are KT_EUNSUPPORTED. */
KT_API kt_sym *kt_op_norm(kt_sym *x, double ord, kt_tuple axis, bool keepdims);

/** x / norm along an axis, order 1 or 2; the norm is at least epsilon (KT_NONE_F: 1e-7). */
KT_API kt_sym *kt_op_normalize(kt_sym *x, int axis, int order, double epsilon);
/** Differences of neighbours, n times. */
KT_API kt_sym *kt_op_diff(kt_sym *x, int n, int axis);
/** One axis to another place, the others keep their order. */
KT_API kt_sym *kt_op_moveaxis(kt_sym *x, int source, int destination);
/** Zeros above (below) diagonal k of the last two axes. */
KT_API kt_sym *kt_op_tril(kt_sym *x, int k);
KT_API kt_sym *kt_op_triu(kt_sym *x, int k);
/** b behind a along an axis (KT_NONE: flat); tensors side by side along axis 1, along axis 0. */
KT_API kt_sym *kt_op_append(kt_sym *a, kt_sym *b, int64_t axis);
KT_API kt_sym *kt_op_hstack(kt_ref xs);
KT_API kt_sym *kt_op_vstack(kt_ref xs);

#ifdef __cplusplus
}
#endif
#endif
