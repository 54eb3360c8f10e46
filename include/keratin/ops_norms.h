/* kt_op_*, continued: normalizations and cross-entropies of tensors; see ops.h. */
#ifndef KERATIN_OPS_NORMS_H
#define KERATIN_OPS_NORMS_H

#include <keratin/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

/** gamma (x - mean) / sqrt(variance + epsilon) + beta, with the moments along axes as in
 * kt_op_sum(); gamma and beta may be NULL, epsilon KT_NONE_F is 1e-7.
 *
 *     kt_op_layer_normalization(a, NULL, NULL, -1, 1e-3)
 */
KT_API kt_sym *kt_op_layer_normalization(
    kt_sym *x, kt_sym *gamma, kt_sym *beta, kt_tuple axis, double epsilon);
/** scale x / sqrt(mean(x^2) + epsilon); scale may be NULL. */
KT_API kt_sym *kt_op_rms_normalization(kt_sym *x, kt_sym *scale, kt_tuple axis, double epsilon);
/** scale (x - mean) / sqrt(variance + epsilon) + offset, all vectors along one axis; offset and
 * scale may be NULL. */
KT_API kt_sym *kt_op_batch_normalization(
    kt_sym *x,
    kt_sym *mean,
    kt_sym *variance,
    int axis,
    kt_sym *offset,
    kt_sym *scale,
    double epsilon);
/** x / norm along an axis, order 1 or 2; the norm is at least epsilon (KT_NONE_F: 1e-7). */
KT_API kt_sym *kt_op_normalize(kt_sym *x, int axis, int order, double epsilon);
/** The mean, and as output 1 the variance: kt_item(moments, 1). */
KT_API kt_sym *kt_op_moments(kt_sym *x, kt_tuple axes, bool keepdims);

/** Cross-entropy of each element; of each row of classes (the last axis), with targets as rows or
 * as numbers of classes. from_logits: `output` is in front of its sigmoid (softmax). */
KT_API kt_sym *kt_op_binary_crossentropy(kt_sym *target, kt_sym *output, bool from_logits);
KT_API kt_sym *kt_op_categorical_crossentropy(kt_sym *target, kt_sym *output, bool from_logits);
KT_API kt_sym *kt_op_sparse_categorical_crossentropy(
    kt_sym *target, kt_sym *output, bool from_logits);

#ifdef __cplusplus
}
#endif
#endif
