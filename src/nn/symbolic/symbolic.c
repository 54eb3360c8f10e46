/* kt_op_*: the public functions on symbolic tensors, each one row over the builders of
 * ops/build.h. */
#include "nn/symbolic/symbolic.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

/* Integer with float gives that float; of two floats or two integers the wider one; bool gives
 * way. */
kt_dtype kt_op_promote(kt_dtype a, kt_dtype b) {
    const bool halves = (a == KT_FLOAT16 && b == KT_BFLOAT16) ||
                        (a == KT_BFLOAT16 && b == KT_FLOAT16);
    static const int rank[KT_DTYPE_COUNT] = {
        [KT_BOOL] = 1,
        [KT_UINT8] = 2,
        [KT_INT8] = 2,
        [KT_INT32] = 3,
        [KT_INT64] = 4,
        [KT_FLOAT16] = 5,
        [KT_BFLOAT16] = 6,
        [KT_FLOAT32] = 7,
        [KT_FLOAT64] = 8};
    if (halves) return KT_FLOAT32;                               /* neither holds the other */
    if (a != b && rank[a] == 2 && rank[b] == 2) return KT_INT32; /* of which it is the wider one */
    return rank[a] > rank[b] ? a : b;
}

/* Unwraps operands: numbers take the dtype of the first operand that is none; then all are
 * promoted. */
static bool operands(kt_tracer *t, int n, kt_sym *const *in, kt_val **out) {
    const kt_val *like = NULL;
    for (int i = 0; i < n; i++)
        if (kt_is(in[i], KT_KIND_SYM) && !in[i]->is_num && (!like || like->spec.dtype == KT_BOOL))
            like = kt_unwrap(in[i], NULL); /* the condition of a where gives way to its values */
    for (int i = 0; i < n; i++)
        if (!(out[i] = kt_unwrap(in[i], like))) return false;
    (void)t;
    return true;
}

/* The first of several outputs, with the others behind it for kt_item(). */
static kt_sym *wrap_outputs(
    kt_tracer *t, const kt_op_class *op, int n, kt_val **in, const void *attrs) {
    kt_val *vals[KT_MAX_TENSORS];
    const int n_out = op->outputs(t->g, n, in, attrs, vals);
    kt_sym **outs = kt_arena_alloc(t->g->arena, sizeof *outs * KT_MAX_TENSORS);
    for (int i = 0; outs && i < n_out; i++) {
        outs[i] = kt_wrap(vals[i]);
        if (kt_failed(outs[i])) return outs[i];
    }
    if (!outs) kt_graph_fail(t->g, KT_ENOMEM);
    if (!outs || n_out < 1) return kt_fail_object(t->g->status);
    outs[0]->n_outs = n_out;
    outs[0]->outs = outs;
    return outs[0];
}

kt_sym *kt_op_apply(const kt_op_class *op, int n, kt_sym *const *in, const void *attrs) {
    kt_tracer *t = kt_tracer_current();
    kt_val *vals[KT_OP_MAX_IN];
    for (int i = 0; i < n; i++)
        if (kt_failed(in[i])) return kt_fail_object(kt_check(in[i]));
    if (!t) return kt_op_record(op, n, in, attrs);
    if (n > KT_OP_MAX_IN)
        return kt_fail_object(
            KT_FAIL(KT_ELIMIT, "%s: at most %d operands", op->name, KT_OP_MAX_IN));
    if (!operands(t, n, in, vals)) return kt_fail_object(t->g->status);
    return op->outputs ? wrap_outputs(t, op, n, vals, attrs)
                       : kt_wrap(op->build(t->g, n, vals, attrs));
}

#define UNARY(fn, camel, builder)                                                                  \
    static kt_val *fn##_build(kt_graph *g, int n, kt_val **in, const void *attrs) {                \
        (void)n, (void)attrs;                                                                      \
        return builder(g, in[0]);                                                                  \
    }                                                                                              \
    static const kt_op_class fn##_class = {camel, 0, fn##_build, NULL};                            \
    kt_sym *kt_op_##fn(kt_sym *x) { return kt_op_apply(&fn##_class, 1, &x, NULL); }

/* Of integers: what their floats give, as in NumPy. */
#define REAL(fn, camel, builder)                                                                   \
    static kt_val *fn##_real(kt_graph *g, kt_val *x) { return builder(g, kt_op_floats(g, x)); }    \
    UNARY(fn, camel, fn##_real)

static kt_val *absolute(kt_graph *g, kt_val *x) {
    return x && x->spec.dtype == KT_BOOL ? x : kt_g_abs(g, x);
}
static kt_val *squared(kt_graph *g, kt_val *x) {
    return kt_g_square(g, x && x->spec.dtype == KT_BOOL ? kt_g_cast(g, x, KT_INT32) : x);
}

UNARY(negative, "Negative", kt_g_neg)
UNARY(abs, "Absolute", absolute)
UNARY(sign, "Sign", kt_g_sign)
UNARY(square, "Square", squared)
REAL(sqrt, "Sqrt", kt_g_sqrt)
REAL(rsqrt, "Rsqrt", kt_g_rsqrt)
REAL(reciprocal, "Reciprocal", kt_g_reciprocal)
REAL(exp, "Exp", kt_g_exp)
REAL(expm1, "Expm1", kt_g_expm1)
REAL(log, "Log", kt_g_log)
REAL(log1p, "Log1p", kt_g_log1p)
REAL(sin, "Sin", kt_g_sin)
REAL(cos, "Cos", kt_g_cos)
REAL(tan, "Tan", kt_g_tan)
REAL(arcsin, "Arcsin", kt_g_asin)
REAL(arccos, "Arccos", kt_g_acos)
REAL(arctan, "Arctan", kt_g_atan)
REAL(sinh, "Sinh", kt_g_sinh)
REAL(cosh, "Cosh", kt_g_cosh)
REAL(tanh, "Tanh", kt_g_tanh)
REAL(arcsinh, "Arcsinh", kt_g_asinh)
REAL(arctanh, "Arctanh", kt_g_atanh)
REAL(erf, "Erf", kt_g_erf)
REAL(sigmoid, "Sigmoid", kt_g_sigmoid)
REAL(softplus, "Softplus", kt_g_softplus)
UNARY(relu, "Relu", kt_g_relu)
REAL(floor, "Floor", kt_g_floor)
REAL(ceil, "Ceil", kt_g_ceil)
UNARY(trunc, "Trunc", kt_g_trunc)
UNARY(stop_gradient, "StopGradient", kt_g_stop_gradient)

static kt_val *promoted(
    kt_graph *g, kt_val *a, kt_val *b, kt_val *(*builder)(kt_graph *, kt_val *, kt_val *)) {
    const kt_dtype d = kt_op_promote(a->spec.dtype, b->spec.dtype);
    return builder(g, kt_g_cast(g, a, d), kt_g_cast(g, b, d));
}

#define BINARY(fn, camel, builder)                                                                 \
    static kt_val *fn##_build(kt_graph *g, int n, kt_val **in, const void *attrs) {                \
        (void)n, (void)attrs;                                                                      \
        return promoted(g, in[0], in[1], builder);                                                 \
    }                                                                                              \
    static const kt_op_class fn##_class = {camel, 0, fn##_build, NULL};                            \
    kt_sym *kt_op_##fn(kt_sym *a, kt_sym *b) {                                                     \
        kt_sym *in[2] = {a, b};                                                                    \
        return kt_op_apply(&fn##_class, 2, in, NULL);                                              \
    }

BINARY(add, "Add", kt_g_add)
BINARY(subtract, "Subtract", kt_g_sub)
BINARY(multiply, "Multiply", kt_g_mul)
BINARY(power, "Power", kt_g_pow)
BINARY(maximum, "Maximum", kt_g_maximum)
BINARY(minimum, "Minimum", kt_g_minimum)
BINARY(floor_divide, "FloorDivide", kt_g_floor_div)
BINARY(mod, "Mod", kt_g_mod)
BINARY(equal, "Equal", kt_g_eq)
BINARY(not_equal, "NotEqual", kt_g_ne)
BINARY(less, "Less", kt_g_lt)
BINARY(less_equal, "LessEqual", kt_g_le)
BINARY(greater, "Greater", kt_g_gt)
BINARY(greater_equal, "GreaterEqual", kt_g_ge)

/* True division: integers become floats first, as in NumPy. */
static kt_val *divide_floats(kt_graph *g, kt_val *a, kt_val *b) {
    if (!a || !b || kt_dtype_is_float(a->spec.dtype)) return kt_g_div(g, a, b);
    const kt_dtype d = kt_dtype_of(kt_floatx());
    return kt_g_div(g, kt_g_cast(g, a, d), kt_g_cast(g, b, d));
}
BINARY(divide, "Divide", divide_floats)

static kt_val *angle(kt_graph *g, kt_val *a, kt_val *b) {
    return kt_g_atan2(g, kt_op_floats(g, a), kt_op_floats(g, b));
}
BINARY(arctan2, "Arctan2", angle)

kt_val *kt_op_truth(kt_graph *g, kt_val *x) {
    return !x || x->spec.dtype == KT_BOOL ? x : kt_g_ne(g, x, kt_g_num(g, 0, x));
}

/* Of 0 and 1: the larger, the smaller, whether they differ. */
static kt_val *either(kt_graph *g, kt_val *a, kt_val *b) {
    return kt_g_maximum(g, kt_op_truth(g, a), kt_op_truth(g, b));
}
static kt_val *both(kt_graph *g, kt_val *a, kt_val *b) {
    return kt_g_minimum(g, kt_op_truth(g, a), kt_op_truth(g, b));
}
static kt_val *one_of_two(kt_graph *g, kt_val *a, kt_val *b) {
    return kt_g_ne(g, kt_op_truth(g, a), kt_op_truth(g, b));
}
static kt_val *negation(kt_graph *g, kt_val *x) {
    x = kt_op_truth(g, x);
    return x ? kt_g_eq(g, x, kt_g_const(g, 0, (kt_spec){KT_BOOL, {0, {0}}})) : NULL;
}
BINARY(logical_or, "LogicalOr", either)
BINARY(logical_and, "LogicalAnd", both)
BINARY(logical_xor, "LogicalXor", one_of_two)
UNARY(logical_not, "LogicalNot", negation)

static kt_val *where_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)n, (void)attrs;
    const kt_dtype d = kt_op_promote(in[1]->spec.dtype, in[2]->spec.dtype);
    return kt_g_select(g, kt_op_truth(g, in[0]), kt_g_cast(g, in[1], d), kt_g_cast(g, in[2], d));
}
static const kt_op_class where_class = {"Where", 0, where_build, NULL};
kt_sym *kt_op_where(kt_sym *condition, kt_sym *a, kt_sym *b) {
    kt_sym *in[3] = {condition, a, b};
    return kt_op_apply(&where_class, 3, in, NULL);
}

typedef struct {
    double low, high;
} clip_attrs;
static kt_val *clip_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)n;
    return kt_g_clip(g, in[0], ((const clip_attrs *)attrs)->low, ((const clip_attrs *)attrs)->high);
}
static const kt_op_class clip_class = {"Clip", sizeof(clip_attrs), clip_build, NULL};
kt_sym *kt_op_clip(kt_sym *x, double x_min, double x_max) {
    return kt_op_apply(&clip_class, 1, &x, &(clip_attrs){x_min, x_max});
}

static kt_val *cast_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)n;
    return kt_g_cast(g, in[0], (kt_dtype)((const cast_attrs *)attrs)->dtype);
}
static const kt_op_class cast_class = {"Cast", sizeof(cast_attrs), cast_build, NULL};
kt_sym *kt_op_cast(kt_sym *x, const char *dtype) {
    if (kt_failed(x)) return kt_fail_object(kt_check(x));
    const kt_dtype d = dtype ? kt_dtype_of(dtype) : KT_NO_DTYPE;
    if (dtype == kt_dtype_name(KT_NO_DTYPE) && kt_error_last())
        return kt_fail_object(kt_error_last()); /* the dtype of a failed symbol */
    if (d == KT_NO_DTYPE)
        return kt_fail_object(
            KT_FAIL(KT_EINVAL, "dtype: unknown name \"%s\"", dtype ? dtype : "None"));
    return kt_op_apply(&cast_class, 1, &x, &(cast_attrs){d});
}

/* Reductions */
typedef struct {
    int kind; /* kt_reduce_kind, or one of those below */
    int64_t axis;
    bool keepdims;
    double initial; ///< max, min: a value that takes part; KT_NONE_F: none
    int dtype;      ///< prod: of the result; KT_NO_DTYPE: that of x
} op_reduce_attrs;
static op_reduce_attrs reduce_of(int kind, int64_t axis, bool keepdims) {
    op_reduce_attrs a;
    memset(&a, 0, sizeof a);
    a.kind = kind;
    a.axis = axis;
    a.keepdims = keepdims;
    a.initial = KT_NONE_F;
    return a;
}
enum { MEAN = 100, ANY, ALL };

static const char *reduce_name(int kind) {
    static const char *const names[] = {"sum", "max", "min", "prod"};
    return kind == MEAN ? "mean" : kind == ANY ? "any" : kind == ALL ? "all" : names[kind];
}

static kt_val *op_reduce_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)n;
    const op_reduce_attrs *a = attrs;
    kt_val *x = in[0];
    const int axes = kt_op_axes(g, reduce_name(a->kind), x, a->axis);
    if (g->status) return NULL;
    if (a->kind == ANY || a->kind == ALL) {
        if (x->spec.dtype != KT_BOOL) x = kt_g_ne(g, x, kt_g_num(g, 0, x));
        return kt_g_reduce(g, a->kind == ANY ? KT_RED_MAX : KT_RED_MIN, x, axes, a->keepdims);
    }
    const bool to_float = a->kind == MEAN && !kt_dtype_is_float(x->spec.dtype);
    if (to_float) x = kt_g_cast(g, x, kt_dtype_of(kt_floatx()));
    if (a->kind == KT_RED_SUM && x->spec.dtype == KT_BOOL) x = kt_g_cast(g, x, KT_INT32);
    if (a->kind == MEAN) return kt_g_mean(g, x, axes, a->keepdims);
    if (a->dtype != KT_NO_DTYPE) x = kt_g_cast(g, x, (kt_dtype)a->dtype);
    const bool small = x && (x->spec.dtype == KT_BOOL || x->spec.dtype == KT_UINT8);
    if (a->kind == KT_RED_PROD && small && a->dtype == KT_NO_DTYPE) x = kt_g_cast(g, x, KT_INT32);
    x = kt_g_reduce(g, (kt_reduce_kind)a->kind, x, axes, a->keepdims);
    const bool ends = a->kind == KT_RED_MAX || a->kind == KT_RED_MIN;
    if (a->initial == KT_NONE_F || !ends || !x) return x;
    kt_val *first = kt_g_num(g, a->initial, x);
    return a->kind == KT_RED_MAX ? kt_g_maximum(g, x, first) : kt_g_minimum(g, x, first);
}
#define REDUCE(fn, camel, code)                                                                    \
    static const kt_op_class fn##_class = {camel, sizeof(op_reduce_attrs), op_reduce_build, NULL}; \
    kt_sym *kt_op_##fn(kt_sym *x, kt_tuple axis, bool keepdims) {                                  \
        return kt_op_apply(                                                                        \
            &fn##_class, 1, &x, &(op_reduce_attrs[]){reduce_of(code, axis, keepdims)});            \
    }                                                                                              \
    static kt_status fn##_finish(int n, kt_sym *const *in, void *attrs) {                          \
        (void)n, (void)in;                                                                         \
        ((op_reduce_attrs *)attrs)->kind = code;                                                   \
        return KT_OK;                                                                              \
    }
REDUCE(sum, "Sum", KT_RED_SUM)
REDUCE(mean, "Mean", MEAN)
REDUCE(max, "Max", KT_RED_MAX)
REDUCE(min, "Min", KT_RED_MIN)
REDUCE(prod, "Prod", KT_RED_PROD)
REDUCE(any, "Any", ANY)
REDUCE(all, "All", ALL)

/* Index of the first largest or smallest element; None: of the flat array. */
static kt_val *argmax_along(kt_graph *g, kt_val *x, const op_reduce_attrs *a) {
    const int nd = x->spec.shape.ndim;
    kt_shape kept = x->spec.shape;
    if (a->axis != KT_NONE) {
        kt_val *y = kt_g_argmax(g, x, (int)a->axis);
        return a->keepdims && y ? kt_g_expand_dims(g, y, kt_axis((int)a->axis, nd)) : y;
    }
    for (int i = 0; i < nd; i++) kept.dim[i] = 1;
    kt_val *y = kt_g_argmax(g, kt_g_reshape(g, x, kt_dims(-1)), 0);
    return a->keepdims ? kt_g_reshape(g, y, kept) : y;
}

static kt_val *argmax_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)n;
    return argmax_along(g, in[0], attrs);
}
static const kt_op_class argmax_class = {"Argmax", sizeof(op_reduce_attrs), argmax_build, NULL};
kt_sym *kt_op_argmax(kt_sym *x, int64_t axis, bool keepdims) {
    return kt_op_apply(&argmax_class, 1, &x, &(op_reduce_attrs[]){reduce_of(0, axis, keepdims)});
}

static kt_val *argmin_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)n;
    kt_val *x = in[0];
    if (x->spec.dtype == KT_BOOL || x->spec.dtype == KT_UINT8) x = kt_g_cast(g, x, KT_INT32);
    return argmax_along(g, kt_g_neg(g, x), attrs);
}
static const kt_op_class argmin_class = {"Argmin", sizeof(op_reduce_attrs), argmin_build, NULL};
kt_sym *kt_op_argmin(kt_sym *x, int64_t axis, bool keepdims) {
    return kt_op_apply(&argmin_class, 1, &x, &(op_reduce_attrs[]){reduce_of(0, axis, keepdims)});
}

/* Ops with one axis */
#define AXIS(fn, camel, builder)                                                                   \
    static kt_val *fn##_build(kt_graph *g, int n, kt_val **in, const void *attrs) {                \
        (void)n;                                                                                   \
        return builder(g, in[0], ((const axis_attrs *)attrs)->axis);                               \
    }                                                                                              \
    static const kt_op_class fn##_class = {camel, sizeof(axis_attrs), fn##_build, NULL};
AXIS(softmax, "Softmax", kt_g_softmax)
AXIS(log_softmax, "LogSoftmax", kt_g_log_softmax)
#define APPLY_AXIS(fn, T)                                                                          \
    kt_sym *kt_op_##fn(kt_sym *x, T axis) {                                                        \
        return kt_op_apply(&fn##_class, 1, &x, &(axis_attrs){(int)axis});                          \
    }
APPLY_AXIS(softmax, int)
APPLY_AXIS(log_softmax, int)

typedef struct {
    kt_tuple axis; ///< squeeze, KT_NONE: every axis of length 1
} axes_attrs;
KT_OP_BUILD(expand_dims) {
    kt_val *x = in[0];
    int axes[KT_MAX_RANK], mask = 0;
    const int count = kt_axes_list(((const axes_attrs *)attrs)->axis, axes);
    const int ndim = x->spec.shape.ndim + count;
    (void)n;
    if (ndim > KT_MAX_RANK)
        return kt_graph_fail(g, KT_FAIL(KT_ELIMIT, "expand_dims: more than %d axes", KT_MAX_RANK));
    for (int i = 0; i < count; i++) {
        const int at = kt_op_axis(g, "expand_dims", axes[i], ndim);
        if (at < 0) return NULL;
        mask |= 1 << at;
    }
    if (__builtin_popcount((unsigned)mask) != count)
        return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "expand_dims: an axis stands there twice"));
    for (int i = 0; i < ndim; i++)
        if (mask >> i & 1) x = kt_g_expand_dims(g, x, i);
    return x;
}
KT_OP_BUILD(squeeze) {
    const kt_tuple axis = ((const axes_attrs *)attrs)->axis;
    kt_val *x = in[0];
    const int mask = kt_op_axes(g, "squeeze", x, axis);
    (void)n;
    if (g->status) return NULL;
    for (int i = x->spec.shape.ndim - 1; x && i >= 0; i--)
        if (mask >> i & 1 && (axis != KT_NONE || x->spec.shape.dim[i] == 1))
            x = kt_g_squeeze(g, x, i);
    return x;
}
static const kt_op_class expand_dims_class =
                             {"ExpandDims", sizeof(axes_attrs), expand_dims_build, NULL},
                         squeeze_class = {"Squeeze", sizeof(axes_attrs), squeeze_build, NULL};
kt_sym *kt_op_expand_dims(kt_sym *x, kt_tuple axis) {
    return kt_op_apply(&expand_dims_class, 1, &x, &(axes_attrs){axis});
}
kt_sym *kt_op_squeeze(kt_sym *x, kt_tuple axis) {
    return kt_op_apply(&squeeze_class, 1, &x, &(axes_attrs){axis});
}

/* Products */
static kt_shape with_batch(const kt_shape *batch, const kt_shape *s) {
    kt_shape out = *batch;
    for (int i = s->ndim < 2 ? 0 : s->ndim - 2; i < s->ndim; i++) out.dim[out.ndim++] = s->dim[i];
    return out;
}

/* (…, n, k) x (k, m): one product over all rows, the case of Dense on sequences. */
static kt_val *matmul_rows(kt_graph *g, kt_val *a, kt_val *b) {
    kt_shape out = a->spec.shape;
    const int64_t k = out.dim[out.ndim - 1];
    out.dim[out.ndim - 1] = b->spec.shape.dim[1];
    int64_t rows = kt_shape_range(&a->spec.shape, 0, out.ndim - 1);
    kt_val *flat = kt_g_reshape(g, a, (kt_shape){2, {rows, k}});
    return kt_g_reshape(g, kt_g_matmul(g, flat, b, false, false), out);
}

static kt_val *matmul_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)n, (void)attrs;
    const kt_dtype d = kt_op_promote(in[0]->spec.dtype, in[1]->spec.dtype);
    kt_val *a = kt_g_cast(g, in[0], d), *b = kt_g_cast(g, in[1], d);
    if (!a || !b) return NULL;
    if (!kt_dtype_is_float(d)) { /* float64 is exact up to 2^53 */
        kt_val *wide[2] = {kt_g_cast(g, a, KT_FLOAT64), kt_g_cast(g, b, KT_FLOAT64)};
        kt_val *y = wide[0] && wide[1] ? matmul_build(g, 2, wide, NULL) : NULL;
        return kt_g_cast(g, y, d);
    }
    const int ra = a->spec.shape.ndim, rb = b->spec.shape.ndim;
    if (ra == 0 || rb == 0)
        return kt_graph_fail(
            g, KT_FAIL(KT_ESHAPE, "matmul: expected at least one axis on each side"));
    if (ra == 1)
        return kt_g_squeeze(
            g,
            matmul_build(g, 2, (kt_val *[]){kt_g_expand_dims(g, a, 0), b}, NULL),
            rb == 1 ? 0 : -2);
    if (rb == 1)
        return kt_g_squeeze(
            g, matmul_build(g, 2, (kt_val *[]){a, kt_g_expand_dims(g, b, 1)}, NULL), -1);
    if (rb == 2 && ra > 2 && a->spec.shape.dim[ra - 1] == b->spec.shape.dim[0])
        return matmul_rows(g, a, b);
    kt_shape ba = a->spec.shape, bb = b->spec.shape, batch;
    ba.ndim -= 2;
    bb.ndim -= 2;
    if (kt_shape_broadcast(&ba, &bb, &batch))
        return kt_graph_fail(g, KT_FAIL(KT_ESHAPE, "matmul: leading axes do not go together"));
    return kt_g_matmul(
        g,
        kt_g_broadcast(g, a, with_batch(&batch, &a->spec.shape)),
        kt_g_broadcast(g, b, with_batch(&batch, &b->spec.shape)),
        false,
        false);
}
static const kt_op_class matmul_class = {"Matmul", 0, matmul_build, NULL};
kt_sym *kt_op_matmul(kt_sym *a, kt_sym *b) {
    kt_sym *in[2] = {a, b};
    return kt_op_apply(&matmul_class, 2, in, NULL);
}

/* Axis `from` comes to stand at `to`, the others keep their order. */
static kt_val *move_axis(kt_graph *g, kt_val *x, int from, int to) {
    int perm[KT_MAX_RANK], at = 0;
    if (!x || from == to) return x;
    for (int i = 0; i < x->spec.shape.ndim; i++) {
        if (at == from) at++;
        perm[i] = i == to ? from : at++;
    }
    return kt_g_transpose(g, x, perm);
}

typedef struct {
    int64_t classes;
    int axis, dtype;
} op_one_hot_attrs;
static kt_val *one_hot_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)n;
    const op_one_hot_attrs *a = attrs;
    kt_val *y = kt_g_one_hot(g, kt_g_cast(g, in[0], KT_INT32), a->classes, (kt_dtype)a->dtype);
    const int nd = in[0]->spec.shape.ndim + 1, axis = kt_axis(a->axis, nd);
    if (axis < 0)
        return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "one_hot: axis %d is out of range", a->axis));
    return move_axis(g, y, nd - 1, axis);
}
static const kt_op_class one_hot_class = {"OneHot", sizeof(op_one_hot_attrs), one_hot_build, NULL};
kt_sym *kt_op_one_hot(kt_sym *x, int64_t num_classes, int axis, const char *dtype) {
    const kt_dtype d = kt_dtype_of(dtype ? dtype : kt_floatx());
    if (d == KT_NO_DTYPE)
        return kt_fail_object(KT_FAIL(KT_EINVAL, "dtype: unknown name \"%s\"", dtype));
    return kt_op_apply(&one_hot_class, 1, &x, &(op_one_hot_attrs){num_classes, axis, d});
}

/* -1 is the last. */
static kt_val *from_end(kt_graph *g, kt_val *index, int64_t len) {
    if (!index) return NULL;
    kt_val *negative = kt_g_lt(g, index, kt_g_num(g, 0, index));
    return kt_g_select(g, negative, kt_g_shift(g, index, (double)len), index);
}

static kt_val *take_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)n;
    const int64_t given = ((const op_reduce_attrs *)attrs)->axis;
    kt_val *index = kt_g_cast(g, in[1], KT_INT32);
    if (given == KT_NONE) {
        index = from_end(g, index, kt_shape_size(&in[0]->spec.shape));
        return kt_g_gather(g, kt_g_reshape(g, in[0], kt_dims(-1)), index);
    }
    const int nd = in[0]->spec.shape.ndim, n_index = in[1]->spec.shape.ndim;
    const int axis = kt_op_axis(g, "take", given, nd);
    if (axis < 0) return NULL;
    index = from_end(g, index, in[0]->spec.shape.dim[axis]);
    kt_val *y = kt_g_gather(g, move_axis(g, in[0], axis, 0), index);
    for (int i = 0; i < axis; i++) y = move_axis(g, y, n_index + i, i); /* what stood before */
    return y;
}
static const kt_op_class take_class = {"Take", sizeof(op_reduce_attrs), take_build, NULL};
kt_sym *kt_op_take(kt_sym *x, kt_sym *indices, int64_t axis) {
    kt_sym *in[2] = {x, indices};
    return kt_op_apply(&take_class, 2, in, &(op_reduce_attrs[]){reduce_of(0, axis, false)});
}

/* Shapes */
static kt_val *reshape_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)n;
    kt_shape s = ((const shape_attrs *)attrs)->shape;
    for (int i = 0; i < s.ndim; i++)
        if (s.dim[i] == KT_NONE)
            s.dim[i] = i < in[0]->spec.shape.ndim ? in[0]->spec.shape.dim[i] : -1;
    return kt_g_reshape(g, in[0], s);
}
static const kt_op_class reshape_class = {"Reshape", sizeof(shape_attrs), reshape_build, NULL};
kt_sym *kt_op_reshape(kt_sym *x, kt_shape shape) {
    return kt_op_apply(&reshape_class, 1, &x, &(shape_attrs){shape});
}

static kt_val *broadcast_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)n;
    kt_shape s = ((const shape_attrs *)attrs)->shape;
    for (int i = 0; i < s.ndim; i++)
        if (s.dim[i] == KT_NONE)
            s.dim[i] = i < in[0]->spec.shape.ndim ? in[0]->spec.shape.dim[i] : 1;
    return kt_g_broadcast(g, in[0], s);
}
static const kt_op_class broadcast_class = {
    "BroadcastTo", sizeof(shape_attrs), broadcast_build, NULL};
kt_sym *kt_op_broadcast_to(kt_sym *x, kt_shape shape) {
    return kt_op_apply(&broadcast_class, 1, &x, &(shape_attrs){shape});
}

static kt_val *transpose_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)n;
    const kt_shape *axes = &((const shape_attrs *)attrs)->shape;
    const int nd = in[0]->spec.shape.ndim;
    int perm[KT_MAX_RANK];
    if (axes->ndim && axes->ndim != nd)
        return kt_graph_fail(
            g, KT_FAIL(KT_EINVAL, "transpose: expected %d axes, got %d", nd, axes->ndim));
    for (int i = 0; i < nd; i++) perm[i] = axes->ndim ? (int)axes->dim[i] : nd - 1 - i;
    return kt_g_transpose(g, in[0], perm);
}
static const kt_op_class transpose_class = {
    "Transpose", sizeof(shape_attrs), transpose_build, NULL};
kt_sym *kt_op_transpose(kt_sym *x, kt_shape axes) {
    return kt_op_apply(&transpose_class, 1, &x, &(shape_attrs){axes});
}

static kt_val *concatenate_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    kt_dtype d = in[0]->spec.dtype;
    for (int i = 1; i < n; i++) d = kt_op_promote(d, in[i]->spec.dtype);
    for (int i = 0; i < n; i++) in[i] = kt_g_cast(g, in[i], d);
    return kt_g_concat(g, n, in, ((const axis_attrs *)attrs)->axis);
}
static const kt_op_class concatenate_class = {
    "Concatenate", sizeof(axis_attrs), concatenate_build, NULL};
kt_sym *kt_op_concatenate(kt_ref xs, int axis) {
    kt_sym *in[KT_OP_MAX_IN];
    const int n = kt_is(xs, KT_KIND_LIST) ? kt_list_len(xs) : 1;
    if (kt_failed(xs)) return kt_fail_object(kt_check(xs));
    if (n > KT_OP_MAX_IN)
        return kt_fail_object(KT_FAIL(KT_ELIMIT, "concatenate: at most %d", KT_OP_MAX_IN));
    for (int i = 0; i < n; i++)
        in[i] = (kt_sym *)(uintptr_t)(kt_is(xs, KT_KIND_LIST) ? kt_list_get(xs, i) : xs);
    kt_sym *y = kt_op_apply(&concatenate_class, n, in, &(axis_attrs){axis});
    if (kt_is(xs, KT_KIND_LIST)) kt_drop(xs);
    return y;
}

typedef struct {
    int axis;
    int64_t start, stop, step;
} op_slice_attrs;

/* A bound as Python reads it: from the end if negative, then brought to low … high. */
static int64_t slice_bound(int64_t given, int64_t standard, int64_t len, int64_t low) {
    const int64_t high = len + low;
    if (given == KT_NONE) return standard;
    if (given < 0) given += len;
    return given < low ? low : given > high ? high : given;
}

static kt_val *op_slice_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)n;
    const op_slice_attrs *a = attrs;
    const int ndim = in[0]->spec.shape.ndim, axis = kt_axis(a->axis, ndim);
    if (axis < 0)
        return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "slice: axis %d is out of range", a->axis));
    const int64_t len = in[0]->spec.shape.dim[axis];
    const bool back = a->step < 0;
    const int64_t low = back ? -1 : 0, by = back ? -a->step : a->step;
    int64_t start = slice_bound(a->start, back ? len - 1 : 0, len, low);
    int64_t stop = slice_bound(a->stop, back ? -1 : len, len, low);
    if (back) {
        start = len - 1 - start;
        stop = len - 1 - stop;
    }
    if (stop < start) stop = start;
    kt_val *x = back ? kt_g_reverse(g, in[0], axis) : in[0];
    if (by == 1) return kt_g_slice_axis(g, x, axis, start, stop);
    slice_attrs s;
    for (int i = 0; i < ndim; i++) {
        s.start[i] = i == axis ? start : 0;
        s.step[i] = i == axis ? by : 1;
        s.length[i] = i == axis ? (stop - start + by - 1) / by : in[0]->spec.shape.dim[i];
    }
    return kt_g_slice(g, x, &s);
}
static const kt_op_class op_slice_class = {"GetItem", sizeof(op_slice_attrs), op_slice_build, NULL};
kt_sym *kt_op_strided_slice(kt_sym *x, int axis, int64_t start, int64_t stop, int64_t step) {
    op_slice_attrs a;
    if (step == 0 || step < -INT32_MAX || step > INT32_MAX)
        return kt_fail_object(KT_FAIL(KT_EINVAL, "slice: a step of %lld", (long long)step));
    memset(&a, 0, sizeof a);
    a.axis = axis;
    a.start = start;
    a.stop = stop;
    a.step = step;
    return kt_op_apply(&op_slice_class, 1, &x, &a);
}
kt_sym *kt_op_slice(kt_sym *x, int axis, int64_t start, int64_t stop) {
    return kt_op_strided_slice(x, axis, start, stop, 1);
}

/* Files ------------------------------------------------------------------------------------------
 */

/* Attributes under the names of Keras' config. */
static const kt_field reduce_fields[] = {
    KT_F(op_reduce_attrs, axis), KT_F(op_reduce_attrs, keepdims), KT_F_END};
static const kt_field initial_fields[] = {
    KT_F(op_reduce_attrs, axis),
    KT_F(op_reduce_attrs, keepdims),
    KT_F(op_reduce_attrs, initial),
    KT_F_END};
static const kt_field prod_fields[] = {
    KT_F(op_reduce_attrs, axis),
    KT_F(op_reduce_attrs, keepdims),
    KT_F_AS(op_reduce_attrs, dtype, KT_FIELD_DTYPE),
    KT_F_END};
static const kt_field take_fields[] = {KT_F(op_reduce_attrs, axis), KT_F_END};
static const kt_field axis_fields[] = {KT_F(axis_attrs, axis), KT_F_END};
static const kt_field axes_fields[] = {KT_F(axes_attrs, axis), KT_F_END};
static const kt_field clip_fields[] = {
    KT_F_NAMED(clip_attrs, low, "x_min", KT_FIELD_DOUBLE),
    KT_F_NAMED(clip_attrs, high, "x_max", KT_FIELD_DOUBLE),
    KT_F_END};
static const kt_field cast_fields[] = {KT_F_AS(cast_attrs, dtype, KT_FIELD_DTYPE), KT_F_END};
static const kt_field one_hot_fields[] = {
    KT_F_NAMED(op_one_hot_attrs, classes, "num_classes", KT_FIELD_INT64),
    KT_F(op_one_hot_attrs, axis),
    KT_F_AS(op_one_hot_attrs, dtype, KT_FIELD_DTYPE),
    KT_F_END};
static const kt_field reshape_fields[] = {
    KT_F_NAMED(shape_attrs, shape, "newshape", KT_FIELD_DIMS), KT_F_END};
static const kt_field broadcast_fields[] = {KT_F(shape_attrs, shape), KT_F_END};
static const kt_field transpose_fields[] = {
    KT_F_NAMED(shape_attrs, shape, "axes", KT_FIELD_DIMS), KT_F_END};
static const kt_field slice_fields[] = {
    KT_F(op_slice_attrs, axis),
    KT_F(op_slice_attrs, start),
    KT_F(op_slice_attrs, stop),
    KT_F(op_slice_attrs, step),
    KT_F_END};

static const kt_op_form forms[] = {
    {&negative_class, "numpy", 1, NULL, NULL, NULL},
    {&abs_class, "numpy", 1, NULL, NULL, NULL},
    {&sign_class, "numpy", 1, NULL, NULL, NULL},
    {&square_class, "numpy", 1, NULL, NULL, NULL},
    {&sqrt_class, "numpy", 1, NULL, NULL, NULL},
    {&rsqrt_class, "math", 1, NULL, NULL, NULL},
    {&reciprocal_class, "numpy", 1, NULL, NULL, NULL},
    {&exp_class, "numpy", 1, NULL, NULL, NULL},
    {&expm1_class, "numpy", 1, NULL, NULL, NULL},
    {&log_class, "numpy", 1, NULL, NULL, NULL},
    {&log1p_class, "numpy", 1, NULL, NULL, NULL},
    {&sin_class, "numpy", 1, NULL, NULL, NULL},
    {&cos_class, "numpy", 1, NULL, NULL, NULL},
    {&tan_class, "numpy", 1, NULL, NULL, NULL},
    {&arcsin_class, "numpy", 1, NULL, NULL, NULL},
    {&arccos_class, "numpy", 1, NULL, NULL, NULL},
    {&arctan_class, "numpy", 1, NULL, NULL, NULL},
    {&sinh_class, "numpy", 1, NULL, NULL, NULL},
    {&cosh_class, "numpy", 1, NULL, NULL, NULL},
    {&tanh_class, "numpy", 1, NULL, NULL, NULL},
    {&arcsinh_class, "numpy", 1, NULL, NULL, NULL},
    {&arctanh_class, "numpy", 1, NULL, NULL, NULL},
    {&erf_class, "math", 1, NULL, NULL, NULL},
    {&sigmoid_class, "nn", 1, NULL, NULL, NULL},
    {&softplus_class, "nn", 1, NULL, NULL, NULL},
    {&relu_class, "nn", 1, NULL, NULL, NULL},
    {&floor_class, "numpy", 1, NULL, NULL, NULL},
    {&ceil_class, "numpy", 1, NULL, NULL, NULL},
    {&trunc_class, "numpy", 1, NULL, NULL, NULL},
    {&stop_gradient_class, "core", 1, NULL, NULL, NULL},
    {&add_class, "numpy", 2, NULL, NULL, NULL},
    {&subtract_class, "numpy", 2, NULL, NULL, NULL},
    {&multiply_class, "numpy", 2, NULL, NULL, NULL},
    {&power_class, "numpy", 2, NULL, NULL, NULL},
    {&maximum_class, "numpy", 2, NULL, NULL, NULL},
    {&minimum_class, "numpy", 2, NULL, NULL, NULL},
    {&floor_divide_class, "numpy", 2, NULL, NULL, NULL},
    {&mod_class, "numpy", 2, NULL, NULL, NULL},
    {&arctan2_class, "numpy", 2, NULL, NULL, NULL},
    {&equal_class, "numpy", 2, NULL, NULL, NULL},
    {&not_equal_class, "numpy", 2, NULL, NULL, NULL},
    {&less_class, "numpy", 2, NULL, NULL, NULL},
    {&less_equal_class, "numpy", 2, NULL, NULL, NULL},
    {&greater_class, "numpy", 2, NULL, NULL, NULL},
    {&greater_equal_class, "numpy", 2, NULL, NULL, NULL},
    {&divide_class, "numpy", 2, NULL, NULL, NULL},
    {&logical_or_class, "numpy", 2, NULL, NULL, NULL},
    {&logical_and_class, "numpy", 2, NULL, NULL, NULL},
    {&logical_xor_class, "numpy", 2, NULL, NULL, NULL},
    {&logical_not_class, "numpy", 1, NULL, NULL, NULL},
    {&sum_class, "numpy", 1, reduce_fields, sum_finish, NULL},
    {&mean_class, "numpy", 1, reduce_fields, mean_finish, NULL},
    {&max_class, "numpy", 1, initial_fields, max_finish, NULL},
    {&min_class, "numpy", 1, initial_fields, min_finish, NULL},
    {&prod_class, "numpy", 1, prod_fields, prod_finish, NULL},
    {&any_class, "numpy", 1, reduce_fields, any_finish, NULL},
    {&all_class, "numpy", 1, reduce_fields, all_finish, NULL},
    {&softmax_class, "nn", 1, axis_fields, NULL, NULL},
    {&log_softmax_class, "nn", 1, axis_fields, NULL, NULL},
    {&expand_dims_class, "numpy", 1, axes_fields, NULL, NULL},
    {&squeeze_class, "numpy", 1, axes_fields, NULL, NULL},
    {&where_class, "numpy", 3, NULL, NULL, NULL},
    {&clip_class, "numpy", 1, clip_fields, NULL, NULL},
    {&cast_class, "core", 1, cast_fields, NULL, NULL},
    {&argmax_class, "numpy", 1, reduce_fields, NULL, NULL},
    {&argmin_class, "numpy", 1, reduce_fields, NULL, NULL},
    {&matmul_class, "numpy", 2, NULL, NULL, NULL},
    {&one_hot_class, "nn", 1, one_hot_fields, NULL, NULL},
    {&take_class, "numpy", 2, take_fields, NULL, NULL},
    {&reshape_class, "numpy", 1, reshape_fields, NULL, NULL},
    {&broadcast_class, "numpy", 1, broadcast_fields, NULL, NULL},
    {&transpose_class, "numpy", 1, transpose_fields, NULL, NULL},
    {&concatenate_class, "numpy", KT_OP_LIST, axis_fields, NULL, NULL},
    {&op_slice_class, "numpy", 1, slice_fields, NULL, NULL},
    {NULL, NULL, 0, NULL, NULL, NULL}};

const kt_op_form *kt_op_form_at(int i) {
    static const kt_op_form *const tables[] = {
        forms,
        kt_op_forms_shape,
        kt_op_forms_windows,
        kt_op_forms_elementwise,
        kt_op_forms_activations,
        kt_op_forms_order,
        kt_op_forms_parts,
        kt_op_forms_products,
        kt_op_forms_norms,
        kt_op_forms_reductions,
        kt_op_forms_creation,
        kt_op_forms_images,
        kt_op_forms_moves,
        kt_op_forms_linalg,
        kt_op_forms_whole,
        NULL};
    for (int t = 0; tables[t]; t++)
        for (const kt_op_form *f = tables[t]; f->op; f++)
            if (i-- == 0) return f;
    return NULL;
}
