/* kt_op_*, continued: constant arrays, which have no operand: kt_const() of what Keras computes at
 * once. dtype NULL: the policy's; an unknown name is KT_EINVAL. In files they are constants. */
#ifndef KERATIN_OPS_CONSTANTS_H
#define KERATIN_OPS_CONSTANTS_H

#include <keratin/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

/** 0, 1, 0 everywhere.
 *
 *     kt_op_ones(kt_dims(2, 3), NULL)
 */
KT_API kt_sym *kt_op_zeros(kt_shape shape, const char *dtype);
KT_API kt_sym *kt_op_ones(kt_shape shape, const char *dtype);
KT_API kt_sym *kt_op_empty(kt_shape shape, const char *dtype);
/** N rows of M (KT_NONE: N) elements, 1 on diagonal k; a square one; 1 on and below diagonal k.
 *
 *     kt_op_eye(3, KT_NONE, 0, NULL)
 */
KT_API kt_sym *kt_op_eye(int64_t N, int64_t M, int64_t k, const char *dtype);
KT_API kt_sym *kt_op_identity(int64_t n, const char *dtype);
KT_API kt_sym *kt_op_tri(int64_t N, int64_t M, int64_t k, const char *dtype);
/** start, start + step … before stop. dtype NULL: int32 if all three are whole, as of Python's
 * integers, else the policy's. Keras' arange(n) is arange(0, n, 1).
 *
 *     kt_op_arange(0, 10, 2, NULL)
 */
KT_API kt_sym *kt_op_arange(double start, double stop, double step, const char *dtype);
/** Symmetric windows of x points: a triangle, and four bells; kaiser is wider the smaller beta is.
 *
 *     kt_op_hanning(512)
 */
KT_API kt_sym *kt_op_bartlett(int64_t x);
KT_API kt_sym *kt_op_blackman(int64_t x);
KT_API kt_sym *kt_op_hamming(int64_t x);
KT_API kt_sym *kt_op_hanning(int64_t x);
KT_API kt_sym *kt_op_kaiser(int64_t x, double beta);

#ifdef __cplusplus
}
#endif
#endif
