/* kt_op_*, continued: what Keras composes of other functions, composed here in the same way. Files
 * name these operations as classes of their own, so each is one. */
#include "base/error.h"
#include "base/locale.h"
#include "nn/axes.h"
#include "nn/symbolic/symbolic.h"

#include <keratin/ops_more.h>
#include <keratin/runtime.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

kt_val *kt_op_floats(kt_graph *g, kt_val *x) {
    if (!x || kt_dtype_is_float(x->spec.dtype)) return x;
    return kt_g_cast(g, x, kt_dtype_of(kt_dtype_policy()));
}

int kt_op_axis(kt_graph *g, const char *op, int64_t axis, int ndim) {
    const int at = axis < -KT_MAX_RANK || axis > KT_MAX_RANK ? -1 : kt_axis((int)axis, ndim);
    if (at >= 0) return at;
    KT_FAIL(KT_EINVAL, "%s: axis %lld is out of range", op, (long long)axis);
    kt_error_expected("%d to %d", -ndim, ndim - 1);
    kt_graph_fail(g, KT_EINVAL);
    return -1;
}

int kt_op_axes(kt_graph *g, const char *op, const kt_val *x, kt_tuple axis) {
    char shape[KT_SHAPE_STR];
    int list[KT_MAX_RANK], mask = 0;
    const int n = kt_axes_list(axis, list), ndim = x->spec.shape.ndim;
    if (axis == KT_NONE) return kt_axes_all(x);
    for (int i = 0; i < n; i++) {
        const int at = kt_axis(list[i], ndim);
        if (at < 0) {
            kt_shape_str(&x->spec.shape, shape, sizeof shape);
            kt_graph_fail(
                g,
                KT_FAIL(KT_EINVAL, "%s: axis %d is out of range for shape %s", op, list[i], shape));
            return 0;
        }
        if (mask >> at & 1)
            kt_graph_fail(g, KT_FAIL(KT_EINVAL, "%s: axis %d stands there twice", op, list[i]));
        mask |= 1 << at;
    }
    return mask;
}

bool kt_op_pair(kt_graph *g, kt_val **in, bool real) {
    const kt_dtype d = kt_op_promote(in[0]->spec.dtype, in[1]->spec.dtype);
    for (int i = 0; i < 2; i++) {
        in[i] = kt_g_cast(g, in[i], d);
        if (real) in[i] = kt_op_floats(g, in[i]);
    }
    return in[0] && in[1];
}

kt_status kt_op_text(char *to, size_t size, const char *text, const char *op) {
    if (strlen(text) >= size) return KT_FAIL(KT_EINVAL, "%s: unknown \"%.40s\"", op, text);
    memcpy(to, text, strlen(text) + 1);
    return KT_OK;
}

int kt_op_numbers(const char *text, int max, int64_t *out) {
    int n = 0;
    while (*text) {
        char *end = NULL;
        const long long v = strtoll(text, &end, 10);
        if (end == text) {
            text++;
            continue;
        }
        if (n < max) out[n] = v;
        n++;
        text = end;
    }
    return n;
}

void kt_op_numbers_text(char *text, size_t size, int n, const int64_t *v) {
    size_t at = 0;
    for (int i = 0; i < n && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, "%s%lld", i ? ", " : "[", (long long)v[i]);
    if (at < size) snprintf(text + at, size - at, n ? "]" : "[]");
}

/* One operand ---------------------------------------------------------------------------------- */

#define UNARY(fn, camel, expression)                                                               \
    static kt_val *fn##_build(kt_graph *g, int n, kt_val **in, const void *attrs) {                \
        (void)n, (void)attrs, (void)g;                                                             \
        kt_val *x = in[0];                                                                         \
        return expression;                                                                         \
    }                                                                                              \
    static const kt_op_class fn##_class = {camel, 0, fn##_build, NULL};                            \
    kt_sym *kt_op_##fn(kt_sym *x) { return kt_op_apply(&fn##_class, 1, &x, NULL); }

static kt_val *is_infinite(kt_graph *g, kt_val *x) {
    x = kt_op_floats(g, x);
    return x ? kt_g_eq(g, kt_g_abs(g, x), kt_g_num(g, INFINITY, x)) : NULL;
}
static kt_val *is_nan(kt_graph *g, kt_val *x) {
    x = kt_op_floats(g, x);
    return kt_g_ne(g, x, x);
}
static kt_val *is_finite(kt_graph *g, kt_val *x) { /* no comparison with NaN holds */
    x = kt_op_floats(g, x);
    return x ? kt_g_lt(g, kt_g_abs(g, x), kt_g_num(g, INFINITY, x)) : NULL;
}
/* 2 log(sqrt((x + 1) / 2) + sqrt((x - 1) / 2)) does not overflow. */
static kt_val *arccosh_of(kt_graph *g, kt_val *x) {
    kt_val *half = kt_g_scale(g, kt_op_floats(g, x), 0.5);
    kt_val *sum = kt_g_sqrt(g, kt_g_shift(g, half, 0.5));
    return kt_g_scale(g, kt_g_log(g, kt_g_add(g, sum, kt_g_sqrt(g, kt_g_shift(g, half, -0.5)))), 2);
}
UNARY(copy, "Copy", x)
UNARY(arccosh, "Arccosh", arccosh_of(g, x))
UNARY(log2, "Log2", kt_g_scale(g, kt_g_log(g, kt_op_floats(g, x)), M_LOG2E))
UNARY(log10, "Log10", kt_g_scale(g, kt_g_log(g, kt_op_floats(g, x)), M_LOG10E))
UNARY(exp2, "Exp2", kt_g_exp(g, kt_g_scale(g, kt_op_floats(g, x), M_LN2)))
UNARY(deg2rad, "Deg2rad", kt_g_scale(g, kt_op_floats(g, x), M_PI / 180))
UNARY(rad2deg, "Rad2deg", kt_g_scale(g, kt_op_floats(g, x), 180 / M_PI))
UNARY(isnan, "Isnan", is_nan(g, x))
UNARY(isinf, "Isinf", is_infinite(g, x))
UNARY(isfinite, "Isfinite", is_finite(g, x))
UNARY(ravel, "Ravel", kt_g_reshape(g, x, kt_dims(-1)))

/* Arrays of one value, in the form of another -------------------------------------------------- */

typedef struct {
    int dtype; ///< KT_NO_DTYPE: that of the operand
    double value;
} like_attrs;
static kt_val *like_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    const like_attrs *a = attrs;
    (void)n;
    kt_spec spec = in[0]->spec;
    if (a->dtype != KT_NO_DTYPE) spec.dtype = (kt_dtype)a->dtype;
    return kt_g_const(g, a->value, spec);
}
static kt_val *full_like_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    const like_attrs *a = attrs;
    (void)n;
    const kt_dtype d = a->dtype != KT_NO_DTYPE ? (kt_dtype)a->dtype : in[0]->spec.dtype;
    return kt_g_broadcast(g, kt_g_cast(g, in[1], d), in[0]->spec.shape);
}
static const kt_op_class zeros_like_class = {"ZerosLike", sizeof(like_attrs), like_build, NULL},
                         ones_like_class = {"OnesLike", sizeof(like_attrs), like_build, NULL},
                         full_like_class = {"FullLike", sizeof(like_attrs), full_like_build, NULL};

static kt_sym *like(const kt_op_class *op, int n, kt_sym *const *in, const char *dtype, double v) {
    like_attrs a;
    memset(&a, 0, sizeof a);
    a.dtype = dtype ? kt_dtype_of(dtype) : KT_NO_DTYPE;
    a.value = v;
    if (dtype && a.dtype == KT_NO_DTYPE)
        return kt_fail_object(KT_FAIL(KT_EINVAL, "dtype: unknown name \"%.60s\"", dtype));
    return kt_op_apply(op, n, in, &a);
}
kt_sym *kt_op_zeros_like(kt_sym *x, const char *dtype) {
    return like(&zeros_like_class, 1, &x, dtype, 0);
}
kt_sym *kt_op_ones_like(kt_sym *x, const char *dtype) {
    return like(&ones_like_class, 1, &x, dtype, 1);
}
kt_sym *kt_op_full_like(kt_sym *x, kt_sym *fill_value, const char *dtype) {
    kt_sym *in[2] = {x, fill_value};
    return like(&full_like_class, 2, in, dtype, 0);
}
static kt_status ones_finish(int n, kt_sym *const *in, void *attrs) {
    (void)n, (void)in;
    ((like_attrs *)attrs)->value = 1;
    return KT_OK;
}

/* Two operands --------------------------------------------------------------------------------- */

#define BINARY(fn, camel)                                                                          \
    static kt_val *fn##_build(kt_graph *g, int n, kt_val **in, const void *attrs) {                \
        (void)n, (void)attrs;                                                                      \
        const kt_dtype d = kt_op_promote(in[0]->spec.dtype, in[1]->spec.dtype);                    \
        return fn##_of(                                                                            \
            g, kt_op_floats(g, kt_g_cast(g, in[0], d)), kt_op_floats(g, kt_g_cast(g, in[1], d)));  \
    }                                                                                              \
    static const kt_op_class fn##_class = {camel, 0, fn##_build, NULL};                            \
    kt_sym *kt_op_##fn(kt_sym *a, kt_sym *b) {                                                     \
        kt_sym *in[2] = {a, b};                                                                    \
        return kt_op_apply(&fn##_class, 2, in, NULL);                                              \
    }

static kt_val *hypot_of(kt_graph *g, kt_val *a, kt_val *b) { /* scaled: squares may overflow */
    a = kt_g_abs(g, a);
    b = kt_g_abs(g, b);
    kt_val *large = kt_g_maximum(g, a, b), *small = kt_g_minimum(g, a, b);
    if (!large) return NULL;
    kt_val *zero = kt_g_eq(g, large, kt_g_num(g, 0, large));
    kt_val *safe = kt_g_select(g, zero, kt_g_num(g, 1, large), large);
    kt_val *ratio = kt_g_square(g, kt_g_div(g, small, safe));
    return kt_g_mul(g, large, kt_g_sqrt(g, kt_g_shift(g, ratio, 1)));
}
static kt_val *logaddexp_of(kt_graph *g, kt_val *a, kt_val *b) {
    kt_val *apart = kt_g_neg(g, kt_g_abs(g, kt_g_sub(g, a, b)));
    return kt_g_add(g, kt_g_maximum(g, a, b), kt_g_log1p(g, kt_g_exp(g, apart)));
}
static kt_val *divide_no_nan_of(kt_graph *g, kt_val *a, kt_val *b) {
    if (!a || !b) return NULL;
    kt_val *zero = kt_g_eq(g, b, kt_g_num(g, 0, b));
    kt_val *safe = kt_g_select(g, zero, kt_g_num(g, 1, b), b);
    return kt_g_select(g, zero, kt_g_num(g, 0, a), kt_g_div(g, a, safe));
}
static kt_val *outer_of(kt_graph *g, kt_val *a, kt_val *b) {
    a = kt_g_reshape(g, a, kt_dims(-1, 1));
    return kt_g_mul(g, a, kt_g_reshape(g, b, kt_dims(1, -1)));
}
BINARY(hypot, "Hypot")
BINARY(logaddexp, "Logaddexp")
BINARY(divide_no_nan, "DivideNoNan")
BINARY(outer, "Outer")

/* Reductions ----------------------------------------------------------------------------------- */

typedef struct {
    kt_tuple axis;
    bool keepdims;
} fold_attrs;

/* Around the largest, as that one's exponential never overflows. */
static kt_val *logsumexp_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    const fold_attrs *a = attrs;
    (void)n;
    kt_val *x = kt_op_floats(g, in[0]);
    const int axes = kt_op_axes(g, "logsumexp", x, a->axis);
    if (g->status) return NULL;
    kt_val *top = kt_g_stop_gradient(g, kt_g_reduce(g, KT_RED_MAX, x, axes, true));
    if (!top) return NULL;
    kt_val *finite = is_finite(g, top);
    top = kt_g_select(g, finite, top, kt_g_num(g, 0, top));
    kt_val *sum = kt_g_sum(g, kt_g_exp(g, kt_g_sub(g, x, top)), axes, true);
    kt_val *y = kt_g_add(g, kt_g_log(g, sum), top);
    return a->keepdims ? y : kt_g_sum(g, y, axes, false); /* of single elements: drops the axes */
}

static kt_val *count_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    const int axes = kt_op_axes(g, "count_nonzero", in[0], ((const fold_attrs *)attrs)->axis);
    (void)n;
    if (g->status) return NULL;
    kt_val *x = in[0];
    if (x->spec.dtype != KT_BOOL) x = kt_g_ne(g, x, kt_g_num(g, 0, x));
    return kt_g_sum(g, kt_g_cast(g, x, KT_INT32), axes, false);
}

typedef struct {
    kt_tuple axis;
    bool keepdims;
    char ord[24]; ///< as in JSON: "" (None), "\"fro\"", "1", "-Infinity"
} norm_attrs;

static kt_val *extreme(kt_graph *g, kt_val *x, bool largest, int axes, bool keepdims) {
    return kt_g_reduce(g, largest ? KT_RED_MAX : KT_RED_MIN, x, axes, keepdims);
}

/* Of vectors along one axis. */
static kt_val *vector_norm(kt_graph *g, kt_val *x, double p, int axes, bool keepdims) {
    kt_val *size = kt_g_abs(g, x);
    if (!size) return NULL;
    if (isinf(p)) return extreme(g, size, p > 0, axes, keepdims);
    if (p == 1) return kt_g_sum(g, size, axes, keepdims);
    if (p == 0) {
        kt_val *hit = kt_g_cast(g, kt_g_ne(g, size, kt_g_num(g, 0, size)), size->spec.dtype);
        return kt_g_sum(g, hit, axes, keepdims);
    }
    kt_val *sum = kt_g_sum(g, kt_g_pow(g, size, kt_g_num(g, p, size)), axes, keepdims);
    return sum ? kt_g_pow(g, sum, kt_g_num(g, 1 / p, sum)) : NULL;
}

/* Of matrices: the largest (smallest) sum of a column, of a row. */
static kt_val *matrix_norm(kt_graph *g, kt_val *x, double p, const int *axis, bool keepdims) {
    const bool rows = isinf(p);
    const int ndim = x->spec.shape.ndim, along = axis[rows], over = axis[!rows];
    if (fabs(p) != 1 && !isinf(p))
        return kt_graph_fail(
            g, KT_FAIL(KT_EUNSUPPORTED, "norm: ord %g of matrices is not supported", p));
    kt_val *sum = kt_g_sum(g, kt_g_abs(g, x), 1 << kt_axis(along, ndim), true);
    kt_val *y = sum ? extreme(g, sum, p > 0, 1 << kt_axis(over, ndim), true) : NULL;
    const int both = 1 << kt_axis(along, ndim) | 1 << kt_axis(over, ndim);
    return keepdims || !y ? y
                          : kt_g_sum(g, y, both, false); /* of single elements: drops the axes */
}

KT_OP_BUILD(norm) {
    const norm_attrs *a = attrs;
    kt_val *x = kt_op_floats(g, in[0]);
    int list[KT_MAX_RANK] = {0, 1}, count = kt_axes_list(a->axis, list);
    const int axes = x ? kt_op_axes(g, "norm", x, a->axis) : 0;
    (void)n;
    if (g->status) return NULL;
    if (!count) count = x->spec.shape.ndim;
    char *end = NULL;
    double p = kt_strtod(a->ord, &end);
    const bool endless = strstr(a->ord, "Infinity") != NULL, number = end != a->ord || endless;
    if (endless) p = *a->ord == '-' ? -INFINITY : INFINITY;
    if (!strcmp(a->ord, "\"fro\"") || !*a->ord || (number && p == 2 && count == 1))
        return kt_g_sqrt(g, kt_g_sum(g, kt_g_square(g, x), axes, a->keepdims));
    if (number && count == 1) return vector_norm(g, x, p, axes, a->keepdims);
    if (number && count == 2) return matrix_norm(g, x, p, list, a->keepdims);
    return kt_graph_fail(
        g, KT_FAIL(KT_EUNSUPPORTED, "norm: ord %s over %d axes is not supported", a->ord, count));
}

static const kt_op_class logsumexp_class = {"Logsumexp", sizeof(fold_attrs), logsumexp_build, NULL},
                         count_class = {"CountNonzero", sizeof(fold_attrs), count_build, NULL},
                         norm_class = {"Norm", sizeof(norm_attrs), norm_build, NULL};

static kt_sym *fold(const kt_op_class *op, kt_sym *x, kt_tuple axis, bool keepdims) {
    fold_attrs a;
    memset(&a, 0, sizeof a);
    a.axis = axis;
    a.keepdims = keepdims;
    return kt_op_apply(op, 1, &x, &a);
}
kt_sym *kt_op_logsumexp(kt_sym *x, kt_tuple axis, bool keepdims) {
    return fold(&logsumexp_class, x, axis, keepdims);
}
kt_sym *kt_op_count_nonzero(kt_sym *x, kt_tuple axis) { return fold(&count_class, x, axis, false); }
kt_sym *kt_op_norm(kt_sym *x, double ord, kt_tuple axis, bool keepdims) {
    norm_attrs a;
    memset(&a, 0, sizeof a);
    a.axis = axis;
    a.keepdims = keepdims;
    if (isinf(ord))
        memcpy(a.ord, ord < 0 ? "-Infinity" : "Infinity", ord < 0 ? 10 : 9);
    else if (ord != KT_NONE_F)
        kt_snprintf(a.ord, sizeof a.ord, "%g", ord);
    return kt_op_apply(&norm_class, 1, &x, &a);
}

/* Along one axis ------------------------------------------------------------------------------- */

typedef struct {
    int64_t axis, other;
    double epsilon;
} along_attrs;

/* x / max(norm, epsilon), epsilon 1e-7 (None). */
static kt_val *normalize_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    const along_attrs *a = attrs;
    (void)n;
    kt_val *x = kt_op_floats(g, in[0]);
    const int axis = kt_op_axis(g, "normalize", a->axis, x ? x->spec.shape.ndim : 0);
    if (axis < 0) return NULL;
    if (a->other != 1 && a->other != 2)
        return kt_graph_fail(
            g, KT_FAIL(KT_EUNSUPPORTED, "normalize: order %lld", (long long)a->other));
    const double epsilon = a->epsilon == KT_NONE_F ? 1e-7 : a->epsilon;
    const bool square = a->other == 2;
    kt_val *parts = square ? kt_g_square(g, x) : kt_g_abs(g, x);
    kt_val *sum = kt_g_sum(g, parts, 1 << axis, true);
    if (!sum) return NULL;
    sum = kt_g_maximum(g, sum, kt_g_num(g, square ? epsilon * epsilon : epsilon, sum));
    return square ? kt_g_mul(g, x, kt_g_rsqrt(g, sum)) : kt_g_div(g, x, sum);
}

/* Differences of neighbours, `other` times. */
static kt_val *diff_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    const along_attrs *a = attrs;
    (void)n;
    kt_val *x = in[0];
    const int axis = kt_op_axis(g, "diff", a->axis, x->spec.shape.ndim);
    if (axis < 0) return NULL;
    if (a->other < 0) return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "diff: n must not be negative"));
    for (int64_t i = 0; x && i < a->other; i++) {
        const int64_t len = x->spec.shape.dim[axis];
        if (len == 0) return x;
        x = kt_g_sub(
            g, kt_g_slice_axis(g, x, axis, 1, len), kt_g_slice_axis(g, x, axis, 0, len - 1));
    }
    return x;
}

typedef struct {
    char source[48], destination[48]; ///< "1" or "[1, 2]"
} moveaxis_attrs;

/* Each source comes to stand at its destination, the others keep their order. */
KT_OP_BUILD(moveaxis) {
    const moveaxis_attrs *a = attrs;
    const int ndim = in[0]->spec.shape.ndim;
    int64_t from[KT_MAX_RANK], to[KT_MAX_RANK];
    int perm[KT_MAX_RANK], taken = 0, next = 0;
    const int count = kt_op_numbers(a->source, KT_MAX_RANK, from);
    (void)n;
    if (count != kt_op_numbers(a->destination, KT_MAX_RANK, to) || count > ndim)
        return kt_graph_fail(
            g, KT_FAIL(KT_EINVAL, "moveaxis: source and destination of different lengths"));
    for (int i = 0; i < ndim; i++) perm[i] = -1;
    for (int i = 0; i < count; i++) {
        const int f = kt_op_axis(g, "moveaxis", from[i], ndim);
        const int t = f < 0 ? -1 : kt_op_axis(g, "moveaxis", to[i], ndim);
        if (t < 0) return NULL;
        if (taken >> f & 1 || perm[t] >= 0)
            return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "moveaxis: an axis stands there twice"));
        perm[t] = f;
        taken |= 1 << f;
    }
    for (int i = 0; i < ndim; i++) {
        if (perm[i] >= 0) continue;
        while (taken >> next & 1) next++;
        perm[i] = next++;
    }
    return kt_g_transpose(g, in[0], perm);
}

/* The triangle below (above) diagonal `other` of the last two axes, zeros elsewhere. */
static kt_val *triangle(kt_graph *g, kt_val *x, int64_t k, bool lower) {
    const kt_shape *s = &x->spec.shape;
    if (s->ndim < 2)
        return kt_graph_fail(g, KT_FAIL(KT_ESHAPE, "tril and triu: expected two axes"));
    const int64_t rows = s->dim[s->ndim - 2], columns = s->dim[s->ndim - 1];
    const kt_spec spec = {KT_BOOL, {2, {rows, columns}}};
    const int64_t bytes = kt_spec_bytes(&spec);
    unsigned char *keep = bytes < 0 ? NULL : kt_arena_alloc(g->arena, (size_t)bytes + 1);
    if (!keep) return kt_graph_fail(g, KT_ENOMEM);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            keep[i * columns + j] = lower ? j - i <= k : j - i >= k;
    kt_val *zero = kt_g_num(g, 0, x);
    return kt_g_select(g, kt_g_array(g, keep, spec), x, zero);
}
static kt_val *tril_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)n;
    return triangle(g, in[0], ((const along_attrs *)attrs)->other, true);
}
static kt_val *triu_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)n;
    return triangle(g, in[0], ((const along_attrs *)attrs)->other, false);
}

static const kt_op_class
    normalize_class = {"Normalize", sizeof(along_attrs), normalize_build, NULL},
    diff_class = {"Diff", sizeof(along_attrs), diff_build, NULL},
    moveaxis_class = {"Moveaxis", sizeof(moveaxis_attrs), moveaxis_build, NULL},
    tril_class = {"Tril", sizeof(along_attrs), tril_build, NULL},
    triu_class = {"Triu", sizeof(along_attrs), triu_build, NULL};

kt_sym *kt_op_normalize(kt_sym *x, int axis, int order, double epsilon) {
    return kt_op_apply(&normalize_class, 1, &x, &(along_attrs){axis, order, epsilon});
}
kt_sym *kt_op_diff(kt_sym *x, int n, int axis) {
    return kt_op_apply(&diff_class, 1, &x, &(along_attrs){axis, n, 0});
}
kt_sym *kt_op_moveaxis(kt_sym *x, int source, int destination) {
    moveaxis_attrs a;
    memset(&a, 0, sizeof a);
    snprintf(a.source, sizeof a.source, "%d", source);
    snprintf(a.destination, sizeof a.destination, "%d", destination);
    return kt_op_apply(&moveaxis_class, 1, &x, &a);
}
kt_sym *kt_op_tril(kt_sym *x, int k) {
    return kt_op_apply(&tril_class, 1, &x, &(along_attrs){0, k, 0});
}
kt_sym *kt_op_triu(kt_sym *x, int k) {
    return kt_op_apply(&triu_class, 1, &x, &(along_attrs){0, k, 0});
}

/* Side by side --------------------------------------------------------------------------------- */

static kt_val *joined(kt_graph *g, int n, kt_val **in, int64_t axis, const char *op) {
    kt_dtype d = in[0]->spec.dtype;
    for (int i = 1; i < n; i++) d = kt_op_promote(d, in[i]->spec.dtype);
    for (int i = 0; i < n; i++) {
        in[i] = kt_g_cast(g, in[i], d);
        if (axis == KT_NONE) in[i] = kt_g_reshape(g, in[i], kt_dims(-1));
        if (!in[i]) return NULL;
    }
    const int at = axis == KT_NONE ? 0 : kt_op_axis(g, op, axis, in[0]->spec.shape.ndim);
    return at < 0 ? NULL : kt_g_concat(g, n, in, at);
}
static kt_val *append_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    return joined(g, n, in, ((const along_attrs *)attrs)->axis, "append");
}
static kt_val *hstack_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)attrs;
    return joined(g, n, in, in[0]->spec.shape.ndim > 1, "hstack");
}
static kt_val *vstack_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    (void)attrs;
    for (int i = 0; i < n; i++)
        if (in[i]->spec.shape.ndim == 1) in[i] = kt_g_expand_dims(g, in[i], 0);
    return in[0] ? joined(g, n, in, 0, "vstack") : NULL;
}
static const kt_op_class append_class = {"Append", sizeof(along_attrs), append_build, NULL},
                         hstack_class = {"Hstack", 0, hstack_build, NULL},
                         vstack_class = {"Vstack", 0, vstack_build, NULL};

kt_sym *kt_op_append(kt_sym *a, kt_sym *b, int64_t axis) {
    kt_sym *in[2] = {a, b};
    return kt_op_apply(&append_class, 2, in, &(along_attrs){axis, 0, 0});
}
kt_sym *kt_op_of_list(const kt_op_class *op, kt_ref xs, const void *attrs) {
    kt_sym *in[KT_OP_MAX_IN];
    const int n = kt_is(xs, KT_KIND_LIST) ? kt_list_len(xs) : 1;
    if (kt_failed(xs)) return kt_fail_object(kt_check(xs));
    if (n < 1 || n > KT_OP_MAX_IN)
        return kt_fail_object(
            KT_FAIL(KT_ELIMIT, "%s: expected 1 to %d tensors", op->name, KT_OP_MAX_IN));
    for (int i = 0; i < n; i++)
        in[i] = (kt_sym *)(uintptr_t)(kt_is(xs, KT_KIND_LIST) ? kt_list_get(xs, i) : xs);
    kt_sym *y = kt_op_apply(op, n, in, attrs);
    if (kt_is(xs, KT_KIND_LIST)) kt_drop(xs);
    return y;
}
kt_sym *kt_op_hstack(kt_ref xs) { return kt_op_of_list(&hstack_class, xs, NULL); }
kt_sym *kt_op_vstack(kt_ref xs) { return kt_op_of_list(&vstack_class, xs, NULL); }

/* Files ---------------------------------------------------------------------------------------- */

static const kt_field like_fields[] = {KT_F_AS(like_attrs, dtype, KT_FIELD_DTYPE), KT_F_END};
static const kt_field fold_fields[] = {
    KT_F(fold_attrs, axis), KT_F(fold_attrs, keepdims), KT_F_END};
static const kt_field count_fields[] = {KT_F(fold_attrs, axis), KT_F_END};
static const kt_field norm_fields[] = {
    KT_F_AS(norm_attrs, ord, KT_FIELD_TEXT),
    KT_F(norm_attrs, axis),
    KT_F(norm_attrs, keepdims),
    KT_F_END};
static const kt_field normalize_fields[] = {
    KT_F(along_attrs, axis),
    KT_F_NAMED(along_attrs, other, "order", KT_FIELD_INT64),
    KT_F(along_attrs, epsilon),
    KT_F_END};
static const kt_field diff_fields[] = {
    KT_F_NAMED(along_attrs, other, "n", KT_FIELD_INT64), KT_F(along_attrs, axis), KT_F_END};
static const kt_field moveaxis_fields[] = {
    KT_F_AS(moveaxis_attrs, source, KT_FIELD_TEXT),
    KT_F_AS(moveaxis_attrs, destination, KT_FIELD_TEXT),
    KT_F_END};
static const kt_field triangle_fields[] = {
    KT_F_NAMED(along_attrs, other, "k", KT_FIELD_INT64), KT_F_END};
static const kt_field append_fields[] = {KT_F(along_attrs, axis), KT_F_END};

const kt_op_form kt_op_forms_more[] = {
    {&copy_class, "numpy", 1, NULL, NULL, NULL},
    {&arccosh_class, "numpy", 1, NULL, NULL, NULL},
    {&log2_class, "numpy", 1, NULL, NULL, NULL},
    {&log10_class, "numpy", 1, NULL, NULL, NULL},
    {&exp2_class, "numpy", 1, NULL, NULL, NULL},
    {&deg2rad_class, "numpy", 1, NULL, NULL, NULL},
    {&rad2deg_class, "numpy", 1, NULL, NULL, NULL},
    {&isnan_class, "numpy", 1, NULL, NULL, NULL},
    {&isinf_class, "numpy", 1, NULL, NULL, NULL},
    {&isfinite_class, "numpy", 1, NULL, NULL, NULL},
    {&ravel_class, "numpy", 1, NULL, NULL, NULL},
    {&zeros_like_class, "numpy", 1, like_fields, NULL, NULL},
    {&ones_like_class, "numpy", 1, like_fields, ones_finish, NULL},
    {&full_like_class, "numpy", 2, like_fields, NULL, NULL},
    {&hypot_class, "numpy", 2, NULL, NULL, NULL},
    {&logaddexp_class, "numpy", 2, NULL, NULL, NULL},
    {&divide_no_nan_class, "numpy", 2, NULL, NULL, NULL},
    {&outer_class, "numpy", 2, NULL, NULL, NULL},
    {&logsumexp_class, "math", 1, fold_fields, NULL, NULL},
    {&count_class, "numpy", 1, count_fields, NULL, NULL},
    {&norm_class, "linalg", 1, norm_fields, NULL, NULL},
    {&normalize_class, "nn", 1, normalize_fields, NULL, NULL},
    {&diff_class, "numpy", 1, diff_fields, NULL, NULL},
    {&moveaxis_class, "numpy", 1, moveaxis_fields, NULL, NULL},
    {&tril_class, "numpy", 1, triangle_fields, NULL, NULL},
    {&triu_class, "numpy", 1, triangle_fields, NULL, NULL},
    {&append_class, "numpy", 2, append_fields, NULL, NULL},
    {&hstack_class, "numpy", KT_OP_LIST, NULL, NULL, NULL},
    {&vstack_class, "numpy", KT_OP_LIST, NULL, NULL, NULL},
    {NULL, NULL, 0, NULL, NULL, NULL}};
