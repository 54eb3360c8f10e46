/* kt_op_*: functions on symbolic tensors. Keras: keras.ops.
 *
 * Inside a layer's `call` (and a loss, metric, …) they add nodes to the program that is being
 * traced; between kt_input() and kt_functional() they become operations of the model, as in Keras.
 * Operands are broadcast as in NumPy; a plain number is kt_num(2.0) and takes the dtype of the
 * other operand; mixed dtypes are promoted (integer with float gives that float). A failed operand
 * gives a failed result. */
#ifndef KERATIN_OPS_H
#define KERATIN_OPS_H

#include <keratin/axes.h>
#include <keratin/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A symbolic tensor: dtype and shape (None where open), no values. */
typedef struct kt_sym kt_sym;

/** The dtype. */
KT_API kt_dtype kt_sym_dtype(const kt_sym *x);
/** The shape with the batch axis; KT_NONE where open. */
KT_API kt_shape kt_sym_shape(const kt_sym *x);
/** Output i of a call with several outputs. */
KT_API kt_sym *kt_item(const kt_sym *call, int i);
/** A number as an operand. */
KT_API kt_sym *kt_num(double value);
/** An array as a constant operand (its values are copied). */
KT_API kt_sym *kt_const(const kt_tensor *t);

/* Elementwise, one operand. */
KT_API kt_sym *kt_op_negative(kt_sym *x);
KT_API kt_sym *kt_op_abs(kt_sym *x);
KT_API kt_sym *kt_op_sign(kt_sym *x);
KT_API kt_sym *kt_op_square(kt_sym *x);
KT_API kt_sym *kt_op_sqrt(kt_sym *x);
KT_API kt_sym *kt_op_rsqrt(kt_sym *x);
KT_API kt_sym *kt_op_reciprocal(kt_sym *x);
KT_API kt_sym *kt_op_exp(kt_sym *x);
KT_API kt_sym *kt_op_expm1(kt_sym *x);
KT_API kt_sym *kt_op_log(kt_sym *x);
KT_API kt_sym *kt_op_log1p(kt_sym *x);
KT_API kt_sym *kt_op_sin(kt_sym *x);
KT_API kt_sym *kt_op_cos(kt_sym *x);
KT_API kt_sym *kt_op_tan(kt_sym *x);
KT_API kt_sym *kt_op_arcsin(kt_sym *x);
KT_API kt_sym *kt_op_arccos(kt_sym *x);
KT_API kt_sym *kt_op_arctan(kt_sym *x);
KT_API kt_sym *kt_op_sinh(kt_sym *x);
KT_API kt_sym *kt_op_cosh(kt_sym *x);
KT_API kt_sym *kt_op_tanh(kt_sym *x);
KT_API kt_sym *kt_op_arcsinh(kt_sym *x);
KT_API kt_sym *kt_op_arctanh(kt_sym *x);
KT_API kt_sym *kt_op_erf(kt_sym *x);
KT_API kt_sym *kt_op_sigmoid(kt_sym *x);
KT_API kt_sym *kt_op_softplus(kt_sym *x);
KT_API kt_sym *kt_op_relu(kt_sym *x);
KT_API kt_sym *kt_op_floor(kt_sym *x);
KT_API kt_sym *kt_op_ceil(kt_sym *x);
/** Half to even, as NumPy. */
KT_API kt_sym *kt_op_round(kt_sym *x);
KT_API kt_sym *kt_op_trunc(kt_sym *x);
/** The same values; no gradient flows back. */
KT_API kt_sym *kt_op_stop_gradient(kt_sym *x);

/* Elementwise, two operands. */
KT_API kt_sym *kt_op_add(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_subtract(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_multiply(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_divide(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_power(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_maximum(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_minimum(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_floor_divide(kt_sym *a, kt_sym *b);
/** Sign of the divisor, as Python's %. */
KT_API kt_sym *kt_op_mod(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_arctan2(kt_sym *a, kt_sym *b);
/* Comparisons: bool. */
KT_API kt_sym *kt_op_equal(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_not_equal(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_less(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_less_equal(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_greater(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_greater_equal(kt_sym *a, kt_sym *b);
/* Logic: bool; of numbers, whether they are other than 0. */
KT_API kt_sym *kt_op_logical_and(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_logical_or(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_logical_xor(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_logical_not(kt_sym *x);
/** condition ? a : b */
KT_API kt_sym *kt_op_where(kt_sym *condition, kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_clip(kt_sym *x, double x_min, double x_max);
KT_API kt_sym *kt_op_cast(kt_sym *x, const char *dtype);

/* Reductions over one axis (negative from the end), several with kt_axes(0, 2), all with KT_NONE.
 * The axes go away, or stay with length 1 with `keepdims`. */
KT_API kt_sym *kt_op_sum(kt_sym *x, kt_tuple axis, bool keepdims);
KT_API kt_sym *kt_op_mean(kt_sym *x, kt_tuple axis, bool keepdims);
KT_API kt_sym *kt_op_max(kt_sym *x, kt_tuple axis, bool keepdims);
KT_API kt_sym *kt_op_min(kt_sym *x, kt_tuple axis, bool keepdims);
KT_API kt_sym *kt_op_prod(kt_sym *x, kt_tuple axis, bool keepdims);
/** Is any (are all) of the elements other than 0: bool. */
KT_API kt_sym *kt_op_any(kt_sym *x, kt_tuple axis, bool keepdims);
KT_API kt_sym *kt_op_all(kt_sym *x, kt_tuple axis, bool keepdims);
/** Mean square distance from the mean, and its root. */
KT_API kt_sym *kt_op_var(kt_sym *x, kt_tuple axis, bool keepdims);
KT_API kt_sym *kt_op_std(kt_sym *x, kt_tuple axis, bool keepdims);
/** Index of the first largest (smallest) element, int32; KT_NONE: in the flat array. */
KT_API kt_sym *kt_op_argmax(kt_sym *x, int64_t axis, bool keepdims);
KT_API kt_sym *kt_op_argmin(kt_sym *x, int64_t axis, bool keepdims);

/* Products and rows. */
/** Over the last two axes, as NumPy's matmul; leading axes are broadcast. */
KT_API kt_sym *kt_op_matmul(kt_sym *a, kt_sym *b);
/** Of two operands: kt_op_einsum("bij,bjk->bik", a, b); "..." stands for leading axes. */
KT_API kt_sym *kt_op_einsum(const char *subscripts, kt_sym *a, kt_sym *b);
/** softmax(scale query . key) value for (batch, steps, heads, dim). mask: bool, of a shape that can
 * be broadcast to (batch, heads, queries, keys), or NULL; is_causal: no query sees a later key. A
 * query that sees no key gets the mean of all values. Keras: keras.ops.dot_product_attention. */
KT_API kt_sym *kt_op_dot_product_attention(
    kt_sym *query, kt_sym *key, kt_sym *value, kt_sym *mask, double scale, bool is_causal);
KT_API kt_sym *kt_op_softmax(kt_sym *x, int axis);
KT_API kt_sym *kt_op_log_softmax(kt_sym *x, int axis);
/** 1 at the class, 0 elsewhere, along a new axis (-1: the last); dtype NULL: the policy's. */
KT_API kt_sym *kt_op_one_hot(kt_sym *x, int64_t num_classes, int axis, const char *dtype);
/** Slices of x along `axis` by integer index of any shape; KT_NONE: elements of the flat array. */
KT_API kt_sym *kt_op_take(kt_sym *x, kt_sym *indices, int64_t axis);

/* Shapes. */
/** One dimension may be -1 (worked out); KT_NONE keeps an open batch axis open. */
KT_API kt_sym *kt_op_reshape(kt_sym *x, kt_shape shape);
/** axes: a permutation of 0 … ndim-1; without dimensions ({0}): reversed. */
KT_API kt_sym *kt_op_transpose(kt_sym *x, kt_shape axes);
/** New axes of length 1, counted in the result: one, or kt_axes(1, -1). */
KT_API kt_sym *kt_op_expand_dims(kt_sym *x, kt_tuple axis);
/** Without an axis of length 1, or several of them; KT_NONE: without all of them. */
KT_API kt_sym *kt_op_squeeze(kt_sym *x, kt_tuple axis);
KT_API kt_sym *kt_op_concatenate(kt_ref xs, int axis);
/** Elements start … stop-1 along one axis; negative counts from the end, KT_NONE: to the end. */
KT_API kt_sym *kt_op_slice(kt_sym *x, int axis, int64_t start, int64_t stop);
/** The same in steps, x[start:stop:step]; a negative step goes backwards. */
KT_API kt_sym *kt_op_strided_slice(kt_sym *x, int axis, int64_t start, int64_t stop, int64_t step);
KT_API kt_sym *kt_op_broadcast_to(kt_sym *x, kt_shape shape);
/** The whole array so many times along each axis. */
KT_API kt_sym *kt_op_tile(kt_sym *x, kt_shape repeats);
/** The other way round (KT_NONE: along every axis); the last `shift` elements first (KT_NONE: of
 * the flat array); two axes exchanged. */
KT_API kt_sym *kt_op_flip(kt_sym *x, kt_tuple axis);
KT_API kt_sym *kt_op_roll(kt_sym *x, int64_t shift, kt_tuple axis);
KT_API kt_sym *kt_op_swapaxes(kt_sym *x, int axis1, int axis2);
/** Tensors of one shape side by side along a new axis: kt_op_stack(kt_list(a, b), 1). */
KT_API kt_sym *kt_op_stack(kt_ref xs, int axis);

#ifdef __cplusplus
}
#endif
#endif
