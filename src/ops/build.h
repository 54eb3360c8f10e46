/* kt_g_*: adding nodes to a graph, with the conveniences that op and layer code wants (scalars,
 * broadcasting, negative axes). NULL in, NULL out; the graph remembers why (g->status). */
#ifndef KT_OPS_BUILD_H
#define KT_OPS_BUILD_H

#include "ir/attrs.h"
#include "ir/opdef.h"

/* Leaves */
kt_val *kt_g_input(kt_graph *g, kt_spec spec);
/** Every element is `value`. */
kt_val *kt_g_const(kt_graph *g, double value, kt_spec spec);
/** A scalar constant of the dtype of `like`. */
kt_val *kt_g_num(kt_graph *g, double value, const kt_val *like);
/** A constant array; `data` is copied into the graph. */
kt_val *kt_g_array(kt_graph *g, const void *data, kt_spec spec);
/** What a slot holds when the program starts. */
kt_val *kt_g_var(kt_graph *g, int slot);
/** Writes `value` to elements offset … of a slot, at the end of the program. */
void kt_g_assign(kt_graph *g, int slot, int64_t offset, kt_val *value);
/** Elements offset … of a contiguous value under a shape; no copy. */
kt_val *kt_g_view(kt_graph *g, kt_val *x, int64_t offset, kt_shape shape);
/** A flat array of `size` elements in which input i starts at offsets[i]; gaps are 0. */
kt_val *kt_g_pack(kt_graph *g, int n, kt_val *const *in, const int64_t *offsets, int64_t size);

/* Elementwise. Operands of binary functions are broadcast as in NumPy; scalars take part as
 * constants. */
kt_val *kt_g_unary(kt_graph *g, const kt_opdef *op, kt_val *x);
kt_val *kt_g_binary(kt_graph *g, const kt_opdef *op, kt_val *a, kt_val *b);
#define KT_UNARY(name, value, grad)                                                                \
    extern const kt_opdef kt_opdef_##name;                                                         \
    static inline kt_val *kt_g_##name(kt_graph *g, kt_val *x) {                                    \
        return kt_g_unary(g, &kt_opdef_##name, x);                                                 \
    }
#include "ir/unary.def"
#undef KT_UNARY
#define KT_BINARY_FN(name)                                                                         \
    extern const kt_opdef kt_opdef_##name;                                                         \
    static inline kt_val *kt_g_##name(kt_graph *g, kt_val *a, kt_val *b) {                         \
        return kt_g_binary(g, &kt_opdef_##name, a, b);                                             \
    }
#define KT_BINARY(name, value, da, db) KT_BINARY_FN(name)
#include "ir/binary.def"
#undef KT_BINARY
#define KT_COMPARE(name, value) KT_BINARY_FN(name)
#include "ir/compare.def"
#undef KT_COMPARE
/** a * c, a + c with a plain number. */
kt_val *kt_g_scale(kt_graph *g, kt_val *a, double c);
kt_val *kt_g_shift(kt_graph *g, kt_val *a, double c);
/** Of whole numbers, see ops/bits.c. */
kt_val *kt_g_bits(kt_graph *g, bits_kind kind, kt_val *a, kt_val *b);
/** cond ? a : b; cond is bool. All three are broadcast. */
kt_val *kt_g_select(kt_graph *g, kt_val *cond, kt_val *a, kt_val *b);
kt_val *kt_g_cast(kt_graph *g, kt_val *x, kt_dtype dtype);
kt_val *kt_g_clip(kt_graph *g, kt_val *x, double low, double high);
/** x, as a constant for the gradient. */
kt_val *kt_g_stop_gradient(kt_graph *g, kt_val *x);

kt_val *kt_g_stop_gradient(kt_graph *g, kt_val *x);

/* Shapes */
kt_val *kt_g_broadcast(kt_graph *g, kt_val *x, kt_shape shape);
/** One dimension may be -1. */
kt_val *kt_g_reshape(kt_graph *g, kt_val *x, kt_shape shape);
kt_val *kt_g_transpose(kt_graph *g, kt_val *x, const int *perm);
/** A new axis of length 1 at `axis` of the result; and the opposite. */
kt_val *kt_g_expand_dims(kt_graph *g, kt_val *x, int axis);
kt_val *kt_g_squeeze(kt_graph *g, kt_val *x, int axis);
kt_val *kt_g_slice(kt_graph *g, kt_val *x, const slice_attrs *a);
/** Elements start … stop-1 along one axis. */
kt_val *kt_g_slice_axis(kt_graph *g, kt_val *x, int axis, int64_t start, int64_t stop);
kt_val *kt_g_pad(kt_graph *g, kt_val *x, const pad_attrs *a);
/** The elements along one axis in the opposite order. */
kt_val *kt_g_reverse(kt_graph *g, kt_val *x, int axis);
kt_val *kt_g_concat(kt_graph *g, int n, kt_val *const *in, int axis);

/* Reductions. `axes` is a bit mask, kt_axes_all(x) for all. */
kt_val *kt_g_reduce(kt_graph *g, kt_reduce_kind kind, kt_val *x, int axes, bool keepdims);
kt_val *kt_g_sum(kt_graph *g, kt_val *x, int axes, bool keepdims);
kt_val *kt_g_mean(kt_graph *g, kt_val *x, int axes, bool keepdims);
int kt_axes_all(const kt_val *x);
/** Bit of one axis, negative from the end; 0 and g->status if out of range. */
int kt_axis_bit(kt_graph *g, const kt_val *x, int axis);
/** Sums a gradient back to the shape its value had before broadcasting. */
kt_val *kt_g_unbroadcast(kt_graph *g, kt_val *dy, const kt_shape *shape);
kt_val *kt_g_argmax(kt_graph *g, kt_val *x, int axis); ///< int32, that axis goes away
/** Positions of the first k (KT_NONE: all) elements in order; int32. */
kt_val *kt_g_argsort(kt_graph *g, kt_val *x, int axis, int64_t k, bool descending);
/** y[i] = a[i] y[i-1] + b[i] along an axis; backwards: from y[i+1]. */
kt_val *kt_g_recurrence(kt_graph *g, kt_val *a, kt_val *b, int axis, bool backwards);
/** Elements along an axis by integer positions of as many axes, the others broadcast. check: they
 * may be out of range, which is an error when it runs. */
kt_val *kt_g_take_along(kt_graph *g, kt_val *x, kt_val *index, int axis, bool check);
kt_val *kt_g_one_hot(kt_graph *g, kt_val *index, int64_t depth, kt_dtype dtype);

/** Where x lies among sorted edges [n], see ops/search.c: int32. */
kt_val *kt_g_search(kt_graph *g, kt_val *x, kt_val *edges, search_kind kind);
/** Where texts lie among `bytes` (uint8: texts one behind the other, each ended by 0), of which
 * text i begins at starts[i] (int32), in the order of their bytes: see ops/text.c. int32. */
kt_val *kt_g_text_find(kt_graph *g, kt_val *x, kt_val *bytes, kt_val *starts, search_kind kind);
/** The texts of those int32 indices; one out of range is an error when it runs. */
kt_val *kt_g_text_pick(kt_graph *g, kt_val *bytes, kt_val *starts, kt_val *index);
/** The tokens of texts as indices: `index` (int32) is that of each of the sorted texts. */
kt_val *kt_g_text_tokens(
    kt_graph *g,
    kt_val *x,
    kt_val *bytes,
    kt_val *starts,
    kt_val *index,
    const text_tokens_attrs *a);
/** Bins of whole numbers, see ops/hash.c: int64 inputs or texts of one shape; int64. */
kt_val *kt_g_hash_bins(kt_graph *g, int n, kt_val *const *in, const hash_attrs *a);

/* Products and rows */
kt_val *kt_g_matmul(kt_graph *g, kt_val *a, kt_val *b, bool ta, bool tb);
/** Matrices in the last two axes. L of L L^T = x; X of A X = B by one triangle of A; and nodes with
 * several outputs: lu (packed, rows int32, sign), qr (q, r), eigh (values, vectors), svd (u, s,
 * v^T), reduced ones. */
kt_val *kt_g_cholesky(kt_graph *g, kt_val *x);
kt_val *kt_g_solve_triangular(kt_graph *g, kt_val *a, kt_val *b, const triangular_attrs *attrs);
kt_node *kt_g_lu(kt_graph *g, kt_val *x);
kt_node *kt_g_qr(kt_graph *g, kt_val *x, bool complete);
kt_node *kt_g_eigh(kt_graph *g, kt_val *x);
kt_node *kt_g_svd(kt_graph *g, kt_val *x);
/** The triangle below (above) diagonal k, zeros elsewhere; x^T; the unit matrix [n, n]. */
kt_val *kt_g_triangle(kt_graph *g, kt_val *x, int64_t k, bool lower);
kt_val *kt_g_matrix_transpose(kt_graph *g, kt_val *x);
kt_val *kt_g_unit_matrix(kt_graph *g, const kt_val *like, int64_t n);
/** 1 / (w[j] - w[i]) of each pair, 0 of equal ones. */
kt_val *kt_g_inverse_gaps(kt_graph *g, kt_val *w);
/** Floating matrices (square ones), or an error that names the op. */
kt_status kt_matrices(const char *op, const kt_spec *x);
kt_status kt_square_matrices(const char *op, const kt_spec *x);
/** x by int8 weights that stand for w / scale, see ops/int8_matmul.c: [m, k] by [k, n] and scale
 * [n], or all three with a batch axis in front. */
kt_val *kt_g_int8_matmul(
    kt_graph *g, kt_val *x, kt_val *w, kt_val *scale, const int8_matmul_attrs *a);
/** einsum() of x and such a kernel; scale has the kernel's axes that the result has too, in the
 * result's order. */
kt_val *kt_g_int8_einsum(
    kt_graph *g,
    const char *equation,
    kt_val *x,
    kt_val *w,
    kt_val *scale,
    const int8_matmul_attrs *a);
/** Of two operands, "abc,cd->abd"; "..." stands for leading or trailing axes. */
kt_val *kt_g_einsum(kt_graph *g, const char *equation, kt_val *a, kt_val *b);
/** A sparse matrix [rows, width], see ops/sparse.c: value [cap], offset int32 [rows + 1], index
 * int32 [cap]. As an array; or times b, S b or (ta) S^T b. */
kt_val *kt_g_sparse_to_dense(
    kt_graph *g, kt_val *value, kt_val *offset, kt_val *index, int64_t width);
kt_val *kt_g_sparse_matmul(kt_graph *g, kt_val *const *sparse, kt_val *b, int64_t width, bool ta);
kt_val *kt_g_softmax(kt_graph *g, kt_val *x, int axis);
kt_val *kt_g_log_softmax(kt_graph *g, kt_val *x, int axis);
/** -log softmax(logits)[label] per row; logits [rows, classes], labels int32 [rows]. */
kt_val *kt_g_sparse_xent(kt_graph *g, kt_val *logits, kt_val *labels);
/** See ops/ctc.c: logp [b, t, classes], labels int32 [b, n], lengths of both int32 [b]; the loss
 * [b]. */
kt_val *kt_g_ctc(
    kt_graph *g, kt_val *logp, kt_val *labels, kt_val *n_labels, kt_val *n_steps, int blank);
/** Rows of `table` along axis 0 by int32 index; and its gradient. */
kt_val *kt_g_gather(kt_graph *g, kt_val *table, kt_val *index);
kt_val *kt_g_scatter_add(kt_graph *g, kt_val *updates, kt_val *index, kt_shape table_shape);

/** gamma (x - mean) / sqrt(variance + epsilon) + beta, moments over the last `axes` axes; gamma and
 * beta [n]. */
kt_val *kt_g_layer_norm(
    kt_graph *g, kt_val *x, int axes, kt_val *gamma, kt_val *beta, double epsilon);
/** q (b, t, n, h), k (b, s, n, h), v (b, s, n, d) to (b, t, n, d); mask: bool, can be broadcast to
 * (b, n, t, s), or NULL. */
kt_val *kt_g_attention(
    kt_graph *g, kt_val *q, kt_val *k, kt_val *v, kt_val *mask, double scale, bool causal);

/* Pictures [n, h, w, c]. The gradients take the attributes of the forward op and the shape they
 * give; they are maps of their own (a transposed convolution is kt_g_conv2d_grad_input). */
kt_val *kt_g_conv2d(kt_graph *g, kt_val *x, kt_val *kernel, const conv_attrs *a);
kt_val *kt_g_conv2d_grad_input(
    kt_graph *g, kt_val *dy, kt_val *kernel, kt_shape shape, const conv_attrs *a);
kt_val *kt_g_conv2d_grad_kernel(
    kt_graph *g, kt_val *x, kt_val *dy, kt_shape shape, const conv_attrs *a);
kt_val *kt_g_max_pool2d(kt_graph *g, kt_val *x, const pool_attrs *a);
kt_val *kt_g_avg_pool2d(kt_graph *g, kt_val *x, const pool_attrs *a);

/** Whole sequences, see ops/rnn.c: x [b, t, f], kernel [f, gates u], r [u, gates u], biases [gates
 * u] or NULL, state [b, u] to begin with (lstm: h and c), mask bool [b, t] or NULL. bias_r belongs
 * to the recurrent product of a gru, whose third part the reset gate scales. Gives the last (or
 * with `sequences` every) output; end: the states. */
typedef struct kt_rnn_in {
    kt_val *x, *kernel, *r, *bias, *bias_r, *state[2], *mask;
} kt_rnn_in;
kt_val *kt_g_rnn(kt_graph *g, rnn_kind kind, const kt_rnn_in *in, const rnn_attrs *a, kt_val **end);

/* Random: `counter` is an int64 scalar that differs from call to call. */
kt_val *kt_g_dropout(kt_graph *g, kt_val *x, kt_val *counter, double rate, int64_t key);
kt_val *kt_g_uniform(kt_graph *g, kt_val *counter, int64_t key, kt_spec spec); ///< in [0, 1)

/** Adam over a flat array; s = (alpha, 1-b1, 1-b2, epsilon) as a float [4]. out: p, m, v. */
bool kt_g_adam(
    kt_graph *g, kt_val *p, kt_val *m, kt_val *v, kt_val *grad, kt_val *s, kt_val *out[3]);

/** Gradients of a scalar: dx[i] = d loss / d wrt[i], zeros where it does not depend. */
kt_status kt_grad(kt_graph *g, kt_val *loss, int n, kt_val *const *wrt, kt_val **dx);

#endif
