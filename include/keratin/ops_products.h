/* kt_op_*, continued: products over axes, and diagonals; see ops.h (matmul and einsum stand there).
 */
#ifndef KERATIN_OPS_PRODUCTS_H
#define KERATIN_OPS_PRODUCTS_H

#include <keratin/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Sums of products over the last `axes` axes of a and the first of b; or over pairs of axes, which
 * have one length:
 *
 *     kt_op_tensordot_axes(a, b, kt_dims(1, 2), kt_dims(1, 0))
 */
KT_API kt_sym *kt_op_tensordot(kt_sym *a, kt_sym *b, int axes);
KT_API kt_sym *kt_op_tensordot_axes(kt_sym *a, kt_sym *b, kt_shape axes_a, kt_shape axes_b);
/** Over the last axis of a and the last but one of b (the only one of a vector); over the last axes
 * of both; of the flat arrays. */
KT_API kt_sym *kt_op_dot(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_inner(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_vdot(kt_sym *a, kt_sym *b);
/** Every element of a times all of b, side by side. */
KT_API kt_sym *kt_op_kron(kt_sym *a, kt_sym *b);
/** Cross products of vectors of 2 or 3 along an axis; of 2 and 2 only the third component. */
KT_API kt_sym *kt_op_cross(kt_sym *a, kt_sym *b, int axis);
/** Distances of every row of a (…, n, k) from every row of b (…, m, k): (…, n, m). */
KT_API kt_sym *kt_op_cdist(kt_sym *a, kt_sym *b);

/** All products of the flat arrays: a matrix. */
KT_API kt_sym *kt_op_outer(kt_sym *a, kt_sym *b);
/** Elements (i, i + offset) of axis1 and axis2, as the last axis; their sum. */
KT_API kt_sym *kt_op_diagonal(kt_sym *x, int offset, int axis1, int axis2);
KT_API kt_sym *kt_op_trace(kt_sym *x, int offset, int axis1, int axis2);
/** A vector on diagonal k of zeros, or diagonal k of a matrix; the first, of the flat array. */
KT_API kt_sym *kt_op_diag(kt_sym *x, int k);
KT_API kt_sym *kt_op_diagflat(kt_sym *x, int k);
/** Zeros above (below) diagonal k of the last two axes. */
KT_API kt_sym *kt_op_tril(kt_sym *x, int k);
KT_API kt_sym *kt_op_triu(kt_sym *x, int k);

#ifdef __cplusplus
}
#endif
#endif
