/* kt_op_*, continued: the activation functions that ops.h does not have, as operations; see ops.h.
 * Each is the function of activations.h of its name. */
#ifndef KERATIN_OPS_ACTIVATIONS_H
#define KERATIN_OPS_ACTIVATIONS_H

#include <keratin/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Without arguments. */
KT_API kt_sym *kt_op_relu6(kt_sym *x);
KT_API kt_sym *kt_op_softsign(kt_sym *x);
KT_API kt_sym *kt_op_silu(kt_sym *x);
KT_API kt_sym *kt_op_log_sigmoid(kt_sym *x);
KT_API kt_sym *kt_op_hard_sigmoid(kt_sym *x);
KT_API kt_sym *kt_op_hard_silu(kt_sym *x);
KT_API kt_sym *kt_op_selu(kt_sym *x);
KT_API kt_sym *kt_op_tanh_shrink(kt_sym *x);
KT_API kt_sym *kt_op_hard_tanh(kt_sym *x);
KT_API kt_sym *kt_op_sparse_plus(kt_sym *x);
KT_API kt_sym *kt_op_sparse_sigmoid(kt_sym *x);
/** With one, whose default in Keras is 0.2; 1; 1; 0.5; 0.5; 4.
 *
 *     kt_op_leaky_relu(a, 0.2)
 */
KT_API kt_sym *kt_op_leaky_relu(kt_sym *x, double negative_slope);
KT_API kt_sym *kt_op_elu(kt_sym *x, double alpha);
KT_API kt_sym *kt_op_celu(kt_sym *x, double alpha);
KT_API kt_sym *kt_op_hard_shrink(kt_sym *x, double threshold);
KT_API kt_sym *kt_op_soft_shrink(kt_sym *x, double threshold);
KT_API kt_sym *kt_op_squareplus(kt_sym *x, double b);
/** By tanh (Keras' default), or by erf. */
KT_API kt_sym *kt_op_gelu(kt_sym *x, bool approximate);
/** x above the threshold, else the other value. */
KT_API kt_sym *kt_op_threshold(kt_sym *x, double threshold, double default_value);
/** The first half of an axis of even length times sigmoid of the second. */
KT_API kt_sym *kt_op_glu(kt_sym *x, int axis);
/** The nearest point to x whose elements along an axis are at least 0 and have the sum 1. */
KT_API kt_sym *kt_op_sparsemax(kt_sym *x, int axis);

#ifdef __cplusplus
}
#endif
#endif
