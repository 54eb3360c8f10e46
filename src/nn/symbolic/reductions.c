/* kt_op_*, continued: reductions composed of others, those that leave NaN out, norms. */
#include "base/error.h"
#include "base/locale.h"
#include "nn/axes.h"
#include "nn/symbolic/symbolic.h"

#include <keratin/ops_reductions.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

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
    kt_val *finite = kt_g_lt(g, kt_g_abs(g, top), kt_g_num(g, INFINITY, top));
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

/* Of matrices: the largest, the smallest, the sum of their singular values. */
static kt_val *of_singular_values(
    kt_graph *g, kt_val *x, kt_reduce_kind kind, const int *axis, bool keepdims) {
    const int ndim = x->spec.shape.ndim, row = kt_axis(axis[0], ndim), col = kt_axis(axis[1], ndim);
    int perm[KT_MAX_RANK], n = 0;
    for (int i = 0; i < ndim; i++)
        if (i != row && i != col) perm[n++] = i;
    perm[n] = row;
    perm[n + 1] = col;
    kt_val *m = kt_g_transpose(g, x, perm);
    const bool empty = !m || !x->spec.shape.dim[row] || !x->spec.shape.dim[col];
    if (empty && m) KT_FAIL(KT_ESHAPE, "norm: a matrix without elements has no singular values");
    kt_node *svd = empty ? NULL : kt_g_svd(g, m);
    if (!svd) return g->status ? NULL : kt_graph_fail(g, KT_ESHAPE);
    kt_val *y = kt_g_reduce(g, kind, svd->out[1], 1 << (ndim - 2), false);
    for (int i = 0; i < ndim && keepdims && y; i++)
        if (i == row || i == col) y = kt_g_expand_dims(g, y, i);
    return y;
}

/* Of matrices: the largest (smallest) sum of a column, of a row. */
static kt_val *matrix_norm(kt_graph *g, kt_val *x, double p, const int *axis, bool keepdims) {
    const bool rows = isinf(p);
    const int ndim = x->spec.shape.ndim, along = axis[rows], over = axis[!rows];
    if (fabs(p) == 2)
        return of_singular_values(g, x, p > 0 ? KT_RED_MAX : KT_RED_MIN, axis, keepdims);
    if (fabs(p) != 1 && !isinf(p))
        return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "norm: matrices have none with ord %g", p));
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
    if (!strcmp(a->ord, "\"nuc\"") && count == 2)
        return of_singular_values(g, x, KT_RED_SUM, list, a->keepdims);
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
    else if (ord == KT_NUCLEAR)
        memcpy(a.ord, "\"nuc\"", 6);
    else if (ord != KT_NONE_F)
        kt_snprintf(a.ord, sizeof a.ord, "%g", ord);
    return kt_op_apply(&norm_class, 1, &x, &a);
}

/* Without NaN ---------------------------------------------------------------------------------- */

typedef struct {
    unsigned given; ///< average: bit 1, weights
    kt_tuple axis;
    bool keepdims;
} nan_attrs;
typedef enum { SUM, MEAN, MAX, MIN, PROD, VAR, STD } nan_kind;

static kt_val *without_nan(kt_graph *g, kt_val *x, double in_its_place) {
    return kt_dtype_is_float(x->spec.dtype)
               ? kt_g_select(g, kt_g_ne(g, x, x), kt_g_num(g, in_its_place, x), x)
               : x;
}

/* Sum and number of what is there. */
static kt_val *nan_mean(kt_graph *g, kt_val *x, kt_val *there, int axes, bool keepdims) {
    kt_val *sum = kt_g_sum(g, kt_g_select(g, there, x, kt_g_num(g, 0, x)), axes, keepdims);
    kt_val *count = kt_g_sum(g, kt_g_cast(g, there, x->spec.dtype), axes, keepdims);
    return kt_g_div(g, sum, count);
}

static kt_val *nan_reduce(
    kt_graph *g, kt_val *x, const nan_attrs *a, nan_kind kind, const char *op) {
    static const double instead[] = {[MAX] = -INFINITY, [MIN] = INFINITY, [PROD] = 1};
    const bool moments = kind == MEAN || kind == VAR || kind == STD;
    const int axes = kt_op_axes(g, op, x, a->axis);
    if (g->status) return NULL;
    if (moments) x = kt_op_floats(g, x);
    if ((kind == SUM || kind == PROD) && x->spec.dtype == KT_BOOL) x = kt_g_cast(g, x, KT_INT32);
    if (!x) return NULL;
    kt_val *there = kt_g_eq(g, x, x);
    if (moments) {
        kt_val *y = nan_mean(g, x, there, axes, kind == MEAN ? a->keepdims : true);
        if (kind == MEAN) return y;
        y = nan_mean(g, kt_g_square(g, kt_g_sub(g, x, y)), there, axes, a->keepdims);
        return kind == STD ? kt_g_sqrt(g, y) : y;
    }
    const kt_reduce_kind reduce = kind == SUM    ? KT_RED_SUM
                                  : kind == PROD ? KT_RED_PROD
                                  : kind == MAX  ? KT_RED_MAX
                                                 : KT_RED_MIN;
    kt_val *y = kt_g_reduce(g, reduce, without_nan(g, x, instead[kind]), axes, a->keepdims);
    if (!y || kind == SUM || kind == PROD || !kt_dtype_is_float(x->spec.dtype)) return y;
    kt_val *any = kt_g_reduce(g, KT_RED_MAX, there, axes, a->keepdims);
    return y ? kt_g_select(g, any, y, kt_g_num(g, NAN, y)) : NULL;
}

static kt_val *range_of(kt_graph *g, kt_val *x, const nan_attrs *a) {
    const int axes = kt_op_axes(g, "ptp", x, a->axis);
    if (g->status) return NULL;
    kt_val *high = kt_g_reduce(g, KT_RED_MAX, x, axes, a->keepdims);
    return kt_g_sub(g, high, kt_g_reduce(g, KT_RED_MIN, x, axes, a->keepdims));
}

#define FOLD(fn, camel, expression)                                                                \
    KT_OP_BUILD(fn) {                                                                              \
        (void)n;                                                                                   \
        return expression;                                                                         \
    }                                                                                              \
    static const kt_op_class fn##_class = {camel, sizeof(nan_attrs), fn##_build, NULL};            \
    kt_sym *kt_op_##fn(kt_sym *x, kt_tuple axis, bool keepdims) {                                  \
        nan_attrs a;                                                                               \
        memset(&a, 0, sizeof a);                                                                   \
        a.axis = axis;                                                                             \
        a.keepdims = keepdims;                                                                     \
        return kt_op_apply(&fn##_class, 1, &x, &a);                                                \
    }
FOLD(nansum, "Nansum", nan_reduce(g, in[0], attrs, SUM, "nansum"))
FOLD(nanmean, "Nanmean", nan_reduce(g, in[0], attrs, MEAN, "nanmean"))
FOLD(nanmax, "Nanmax", nan_reduce(g, in[0], attrs, MAX, "nanmax"))
FOLD(nanmin, "Nanmin", nan_reduce(g, in[0], attrs, MIN, "nanmin"))
FOLD(nanprod, "Nanprod", nan_reduce(g, in[0], attrs, PROD, "nanprod"))
FOLD(nanvar, "Nanvar", nan_reduce(g, in[0], attrs, VAR, "nanvar"))
FOLD(nanstd, "Nanstd", nan_reduce(g, in[0], attrs, STD, "nanstd"))
FOLD(ptp, "Ptp", range_of(g, in[0], attrs))

kt_sym *kt_op_amax(kt_sym *x, kt_tuple axis, bool keepdims) { return kt_op_max(x, axis, keepdims); }
kt_sym *kt_op_amin(kt_sym *x, kt_tuple axis, bool keepdims) { return kt_op_min(x, axis, keepdims); }

/* sum w x / sum w; weights of one axis stand along the axis. */
KT_OP_BUILD(average) {
    const nan_attrs *a = attrs;
    kt_val *x = kt_op_floats(g, in[0]), *w = n > 1 ? in[1] : NULL;
    const int axes = x ? kt_op_axes(g, "average", x, a->axis) : 0;
    if (g->status) return NULL;
    if (!w) return kt_g_mean(g, x, axes, false);
    kt_val *pair[2] = {x, w};
    if (!kt_op_pair(g, pair, true)) return NULL;
    x = pair[0];
    w = pair[1];
    if (w->spec.shape.ndim != x->spec.shape.ndim) {
        kt_shape s = {x->spec.shape.ndim, {0}};
        for (int i = 0; i < s.ndim; i++) s.dim[i] = axes >> i & 1 ? x->spec.shape.dim[i] : 1;
        w = kt_g_reshape(g, w, s);
    }
    kt_val *sum = kt_g_sum(g, kt_g_mul(g, x, w), axes, false);
    kt_val *total = w ? kt_g_sum(g, kt_g_broadcast(g, w, x->spec.shape), axes, false) : NULL;
    return kt_g_div(g, sum, total);
}
static const kt_op_class average_class = {"Average", sizeof(nan_attrs), average_build, NULL};
kt_sym *kt_op_average(kt_sym *x, kt_tuple axis, kt_sym *weights) {
    kt_sym *in[2] = {x, weights};
    nan_attrs a;
    memset(&a, 0, sizeof a);
    a.given = weights ? 3 : 1;
    a.axis = axis;
    return kt_op_apply(&average_class, weights ? 2 : 1, in, &a);
}

typedef struct {
    double dx;
    int axis;
} trapezoid_attrs;
/* The area below lines between the points. */
KT_OP_BUILD(trapezoid) {
    const trapezoid_attrs *a = attrs;
    kt_val *y = kt_op_floats(g, in[0]);
    const int axis = y ? kt_op_axis(g, "trapezoid", a->axis, y->spec.shape.ndim) : -1;
    (void)n;
    if (axis < 0) return NULL;
    const int64_t len = y->spec.shape.dim[axis];
    if (len == 0) return kt_g_sum(g, y, 1 << axis, false);
    kt_val *both = kt_g_add(
        g, kt_g_slice_axis(g, y, axis, 1, len), kt_g_slice_axis(g, y, axis, 0, len - 1));
    return both ? kt_g_scale(g, kt_g_sum(g, both, 1 << axis, false), a->dx / 2) : NULL;
}
static const kt_op_class trapezoid_class = {
    "Trapezoid", sizeof(trapezoid_attrs), trapezoid_build, NULL};
kt_sym *kt_op_trapezoid(kt_sym *y, double dx, int axis) {
    trapezoid_attrs a;
    memset(&a, 0, sizeof a);
    a.dx = dx;
    a.axis = axis;
    return kt_op_apply(&trapezoid_class, 1, &y, &a);
}

/* Files ---------------------------------------------------------------------------------------- */

static const kt_field fold_fields[] = {
    KT_F(fold_attrs, axis), KT_F(fold_attrs, keepdims), KT_F_END};
static const kt_field count_fields[] = {KT_F(fold_attrs, axis), KT_F_END};
static const kt_field norm_fields[] = {
    KT_F_AS(norm_attrs, ord, KT_FIELD_TEXT),
    KT_F(norm_attrs, axis),
    KT_F(norm_attrs, keepdims),
    KT_F_END};
static const kt_field nan_fields[] = {KT_F(nan_attrs, axis), KT_F(nan_attrs, keepdims), KT_F_END};
static const kt_field average_fields[] = {KT_F(nan_attrs, axis), KT_F_END};
static const kt_field trapezoid_fields[] = {
    KT_F(trapezoid_attrs, dx), KT_F(trapezoid_attrs, axis), KT_F_END};

const kt_op_form kt_op_forms_reductions[] = {
    {&logsumexp_class, "math", 1, fold_fields, NULL, NULL},
    {&count_class, "numpy", 1, count_fields, NULL, NULL},
    {&norm_class, "linalg", 1, norm_fields, NULL, NULL},
    {&nansum_class, "numpy", 1, nan_fields, NULL, NULL},
    {&nanmean_class, "numpy", 1, nan_fields, NULL, NULL},
    {&nanmax_class, "numpy", 1, nan_fields, NULL, NULL},
    {&nanmin_class, "numpy", 1, nan_fields, NULL, NULL},
    {&nanprod_class, "numpy", 1, nan_fields, NULL, NULL},
    {&nanvar_class, "numpy", 1, nan_fields, NULL, NULL},
    {&nanstd_class, "numpy", 1, nan_fields, NULL, NULL},
    {&ptp_class, "numpy", 1, nan_fields, NULL, NULL},
    {&average_class, "numpy", 1, average_fields, NULL, "x * weights?"},
    {&trapezoid_class, "numpy", 1, trapezoid_fields, NULL, NULL},
    {NULL, NULL, 0, NULL, NULL, NULL}};
