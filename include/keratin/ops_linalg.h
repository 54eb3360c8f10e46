/* kt_op_*, continued: linear algebra; see ops.h. Matrices are the last two axes, what stands before
 * is a batch; integers become floats. Anything but matrices (square ones where they must be) is
 * KT_ESHAPE. All have gradients but matrix_rank; a matrix that is not positive definite or not
 * invertible is KT_EINVAL when the model runs, as on TensorFlow. */
#ifndef KERATIN_OPS_LINALG_H
#define KERATIN_OPS_LINALG_H

#include <keratin/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

/** L of L L^T = x, or (upper) its transpose; and the inverse of the x that such an L belongs to. */
KT_API kt_sym *kt_op_cholesky(kt_sym *x, bool upper);
KT_API kt_sym *kt_op_cholesky_inverse(kt_sym *x, bool upper);
/** The inverse, the determinant, the logarithm of it for positive definite matrices. */
KT_API kt_sym *kt_op_inv(kt_sym *x);
KT_API kt_sym *kt_op_det(kt_sym *x);
KT_API kt_sym *kt_op_logdet(kt_sym *x);
/** Sign and logarithm of the size of the determinant: two results, see kt_item(). */
KT_API kt_sym *kt_op_slogdet(kt_sym *x);
/** X of a X = b; b has the axes of a, or one less: then it is a vector. The second reads one
 * triangle of a.
 *
 *     kt_op_solve_triangular(a, b, true)
 */
KT_API kt_sym *kt_op_solve(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_solve_triangular(kt_sym *a, kt_sym *b, bool lower);

/** Several results. Q and R, mode "reduced" or "complete"; L and U in one matrix and for each row
 * of x its place, int32; eigenvalues, ascending, and eigenvectors (columns) of symmetric matrices;
 * U, s and V^T, or s alone.
 *
 *     kt_item(kt_op_qr(a, "reduced"), 1)
 */
KT_API kt_sym *kt_op_qr(kt_sym *x, const char *mode);
KT_API kt_sym *kt_op_lu_factor(kt_sym *x);
KT_API kt_sym *kt_op_eigh(kt_sym *x);
KT_API kt_sym *kt_op_svd(kt_sym *x, bool full_matrices, bool compute_uv);

/** Through svd: the pseudo-inverse, the rank (int32), X with the least |a X - b| (a has two axes).
 * Singular values up to rcond times the largest one count as 0, up to tol for the rank; KT_NONE_F:
 * what rounding makes of 0. */
KT_API kt_sym *kt_op_pinv(kt_sym *x, double rcond);
KT_API kt_sym *kt_op_matrix_rank(kt_sym *x, double tol);
KT_API kt_sym *kt_op_lstsq(kt_sym *a, kt_sym *b, double rcond);

#ifdef __cplusplus
}
#endif
#endif
