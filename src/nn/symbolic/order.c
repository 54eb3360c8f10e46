/* kt_op_*, continued: what puts elements in order, looks them up, or runs along an axis. Sorting is
 * the primitive argsort and a gather, running sums and products are the primitive recurrence. */
#include "base/error.h"
#include "base/obj.h"
#include "nn/symbolic/symbolic.h"

#include <keratin/ops_order.h>

#include <math.h>
#include <string.h>

typedef struct {
    int64_t axis, k; ///< axis KT_NONE: the flat array
    bool sorted;
    int dtype;
} order_attrs;

static kt_sym *apply(const kt_op_class *op, kt_sym *x, int64_t axis, int64_t k, int dtype) {
    order_attrs a;
    memset(&a, 0, sizeof a);
    a.axis = axis;
    a.k = k;
    a.sorted = true;
    a.dtype = dtype;
    return kt_op_apply(op, 1, &x, &a);
}

/* The array that an axis counts in: itself, or with None the flat one; *at: the axis. */
static kt_val *lanes(kt_graph *g, const char *op, kt_val *x, int64_t axis, int *at) {
    if (axis == KT_NONE || x->spec.shape.ndim == 0) {
        *at = 0;
        return kt_g_reshape(g, x, kt_dims(-1));
    }
    *at = kt_op_axis(g, op, axis, x->spec.shape.ndim);
    return *at < 0 ? NULL : x;
}

/* Sorting -------------------------------------------------------------------------------------- */

KT_OP_BUILD(argsort) {
    int axis;
    (void)n;
    kt_val *x = lanes(g, "argsort", in[0], ((const order_attrs *)attrs)->axis, &axis);
    return kt_g_argsort(g, x, axis, KT_NONE, false);
}
KT_OP_BUILD(sort) {
    int axis;
    (void)n;
    kt_val *x = lanes(g, "sort", in[0], ((const order_attrs *)attrs)->axis, &axis);
    return kt_g_take_along(g, x, kt_g_argsort(g, x, axis, KT_NONE, false), axis, false);
}
static int top_k_outputs(kt_graph *g, int n, kt_val **in, const void *attrs, kt_val **out) {
    const int64_t k = ((const order_attrs *)attrs)->k;
    const kt_shape *s = &in[0]->spec.shape;
    (void)n;
    if (s->ndim == 0 || k < 0 || k > s->dim[s->ndim - 1]) {
        KT_FAIL(KT_EINVAL, "top_k: no %lld largest elements", (long long)k);
        kt_error_expected("k up to the length of the last axis");
        kt_graph_fail(g, KT_EINVAL);
        return 0;
    }
    out[1] = kt_g_argsort(g, in[0], -1, k, true);
    out[0] = kt_g_take_along(g, in[0], out[1], s->ndim - 1, false);
    return 2;
}
static const kt_op_class argsort_class = {"Argsort", sizeof(order_attrs), argsort_build, NULL},
                         sort_class = {"Sort", sizeof(order_attrs), sort_build, NULL},
                         top_k_class = {"TopK", sizeof(order_attrs), NULL, top_k_outputs};
kt_sym *kt_op_argsort(kt_sym *x, int64_t axis) { return apply(&argsort_class, x, axis, 0, 0); }
kt_sym *kt_op_sort(kt_sym *x, int64_t axis) { return apply(&sort_class, x, axis, 0, 0); }
kt_sym *kt_op_top_k(kt_sym *x, int64_t k) { return apply(&top_k_class, x, -1, k, 0); }

/* Fewer than k of the predictions are larger; never where one of them is no number. */
KT_OP_BUILD(in_top_k) {
    kt_val *target = in[0], *all = kt_op_floats(g, in[1]);
    (void)n;
    if (!all || target->spec.shape.ndim != 1 || all->spec.shape.ndim != 2)
        return kt_graph_fail(
            g, KT_FAIL(KT_ESHAPE, "in_top_k: expected targets (n) and predictions (n, classes)"));
    const double classes = (double)all->spec.shape.dim[1];
    target = kt_g_expand_dims(g, kt_g_cast(g, target, KT_INT32), 1);
    kt_val *at = kt_g_clip(g, target, 0, classes - 1);
    kt_val *own = kt_g_take_along(g, all, at, 1, false);
    kt_val *above = kt_g_cast(g, kt_g_gt(g, all, own), KT_INT32);
    kt_val *finite = kt_g_sub(g, all, all); /* 0, or NaN */
    if (!above || !finite) return NULL;
    kt_val *bad = kt_g_cast(g, kt_g_ne(g, finite, kt_g_num(g, 0, finite)), KT_INT32);
    kt_val *outside = kt_g_cast(g, kt_g_ne(g, at, target), KT_INT32);
    above = kt_g_sum(
        g, kt_g_add(g, above, kt_g_scale(g, kt_g_add(g, bad, outside), 1e6)), 2, false);
    return above ? kt_g_lt(g, above, kt_g_num(g, (double)((const order_attrs *)attrs)->k, above))
                 : NULL;
}
static const kt_op_class in_top_k_class = {"InTopK", sizeof(order_attrs), in_top_k_build, NULL};
kt_sym *kt_op_in_top_k(kt_sym *targets, kt_sym *predictions, int64_t k) {
    kt_sym *in[2] = {targets, predictions};
    order_attrs a;
    memset(&a, 0, sizeof a);
    a.k = k;
    return kt_op_apply(&in_top_k_class, 2, in, &a);
}

KT_OP_BUILD(take_along_axis) {
    const int64_t given = ((const order_attrs *)attrs)->axis;
    int axis;
    (void)n;
    kt_val *x = lanes(g, "take_along_axis", in[0], given, &axis);
    kt_val *index = kt_g_cast(g, in[1], KT_INT32);
    if (!x || !index) return NULL;
    kt_val *len = kt_g_num(g, (double)x->spec.shape.dim[axis], index); /* -1: the last */
    kt_val *negative = kt_g_lt(g, index, kt_g_num(g, 0, index));
    index = kt_g_select(g, negative, kt_g_add(g, index, len), index);
    return kt_g_take_along(g, x, index, axis, true);
}
static const kt_op_class take_along_axis_class = {
    "TakeAlongAxis", sizeof(order_attrs), take_along_axis_build, NULL};
kt_sym *kt_op_take_along_axis(kt_sym *x, kt_sym *indices, int64_t axis) {
    kt_sym *in[2] = {x, indices};
    order_attrs a;
    memset(&a, 0, sizeof a);
    a.axis = axis;
    return kt_op_apply(&take_along_axis_class, 2, in, &a);
}

/* Running sums and products -------------------------------------------------------------------- */

static kt_val *running(kt_graph *g, kt_val *x, const order_attrs *a, bool product, bool skip_nan) {
    int axis;
    kt_dtype d = a->dtype == KT_NO_DTYPE ? x->spec.dtype : (kt_dtype)a->dtype;
    if (d == KT_BOOL) d = KT_INT32;
    x = kt_g_cast(g, x, d);
    if (x) x = lanes(g, product ? "cumprod" : "cumsum", x, a->axis, &axis);
    if (x && skip_nan) x = kt_g_select(g, kt_g_eq(g, x, x), x, kt_g_num(g, product ? 1 : 0, x));
    if (!x) return NULL;
    const int64_t len = x->spec.shape.dim[axis];
    if (!product) return kt_g_recurrence(g, kt_g_const(g, 1, x->spec), x, axis, false);
    pad_attrs rest = {{0}, {0}, 0};
    if (!len) return x;
    rest.after[axis] = len - 1;
    kt_val *first = kt_g_pad(g, kt_g_slice_axis(g, x, axis, 0, 1), &rest);
    return kt_g_recurrence(g, x, first, axis, false);
}
#define RUNNING(fn, camel, product, skip_nan)                                                      \
    KT_OP_BUILD(fn) {                                                                              \
        (void)n;                                                                                   \
        return running(g, in[0], attrs, product, skip_nan);                                        \
    }                                                                                              \
    static const kt_op_class fn##_class = {camel, sizeof(order_attrs), fn##_build, NULL};          \
    kt_sym *kt_op_##fn(kt_sym *x, int64_t axis, const char *dtype) {                               \
        const int d = dtype ? kt_dtype_of(dtype) : KT_NO_DTYPE;                                    \
        if (dtype && d == KT_NO_DTYPE)                                                             \
            return kt_fail_object(KT_FAIL(KT_EINVAL, "dtype: unknown name \"%.60s\"", dtype));     \
        return apply(&fn##_class, x, axis, 0, d);                                                  \
    }
RUNNING(cumsum, "Cumsum", false, false)
RUNNING(cumprod, "Cumprod", true, false)
RUNNING(nancumsum, "Nancumsum", false, true)
RUNNING(nancumprod, "Nancumprod", true, true)

/* Quantiles ------------------------------------------------------------------------------------ */

typedef struct {
    kt_tuple axis;
    bool keepdims;
    char method[12];
} quantile_attrs;

/* The axes of the mask become one, behind the others. */
static kt_val *together(kt_graph *g, kt_val *x, int mask) {
    int perm[KT_MAX_RANK], n = 0;
    kt_shape out = {0, {0}};
    const kt_shape s = x->spec.shape;
    int64_t len = 1;
    for (int i = 0; i < s.ndim; i++)
        if (!(mask >> i & 1)) {
            perm[n++] = i;
            out.dim[out.ndim++] = s.dim[i];
        }
    for (int i = 0; i < s.ndim; i++)
        if (mask >> i & 1) {
            perm[n++] = i;
            len *= s.dim[i];
        }
    out.dim[out.ndim++] = len;
    return kt_g_reshape(g, kt_g_transpose(g, x, perm), out);
}

/* What lies at position `at` (float64, of any shape) of the last axis: (that shape, others). */
static kt_val *pick(kt_graph *g, kt_val *sorted, kt_val *at, int64_t len) {
    const int last = sorted->spec.shape.ndim - 1;
    int perm[KT_MAX_RANK] = {last};
    for (int i = 0; i < last; i++) perm[i + 1] = i;
    at = kt_g_clip(g, kt_g_cast(g, at, KT_INT32), 0, (double)(len - 1));
    return kt_g_gather(g, kt_g_transpose(g, sorted, perm), at);
}

/* Between the two elements around position q (n - 1), or one of them. */
static kt_val *between(kt_graph *g, kt_val *sorted, kt_val *q, const char *method) {
    const kt_shape *s = &sorted->spec.shape;
    const int64_t len = s->dim[s->ndim - 1];
    kt_val *exact = kt_g_scale(g, kt_g_cast(g, q, KT_FLOAT64), (double)(len - 1));
    kt_val *low = kt_g_floor(g, exact), *high = kt_g_ceil(g, exact);
    if (len == 0 || !exact)
        return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "quantile: no elements to take it from"));
    if (!strcmp(method, "lower")) return pick(g, sorted, low, len);
    if (!strcmp(method, "higher")) return pick(g, sorted, high, len);
    if (!strcmp(method, "nearest")) return pick(g, sorted, kt_g_round(g, exact), len);
    kt_val *a = pick(g, sorted, low, len), *b = pick(g, sorted, high, len);
    if (!strcmp(method, "midpoint")) return kt_g_scale(g, kt_g_add(g, a, b), 0.5);
    if (strcmp(method, "linear") != 0)
        return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "quantile: unknown method \"%.11s\"", method));
    if (!a || !b) return NULL;
    kt_shape wide = exact->spec.shape; /* the share of b, for each of the other axes */
    while (wide.ndim < a->spec.shape.ndim) wide.dim[wide.ndim++] = 1;
    kt_val *share = kt_g_reshape(g, kt_g_sub(g, exact, low), wide);
    share = kt_g_cast(g, share, a->spec.dtype);
    return kt_g_add(g, a, kt_g_mul(g, kt_g_sub(g, b, a), share));
}

static kt_val *quantile_of(
    kt_graph *g, kt_val *x, kt_val *q, const quantile_attrs *a, const char *op) {
    x = kt_op_floats(g, x);
    if (!x) return NULL;
    const int mask = kt_op_axes(g, op, x, a->axis), n_q = q->spec.shape.ndim;
    if (g->status) return NULL;
    kt_shape out = q->spec.shape;
    for (int i = 0; i < x->spec.shape.ndim; i++)
        if (!(mask >> i & 1) || a->keepdims) {
            if (out.ndim == KT_MAX_RANK)
                return kt_graph_fail(g, KT_FAIL(KT_ELIMIT, "%s: too many axes", op));
            out.dim[out.ndim++] = mask >> i & 1 ? 1 : x->spec.shape.dim[i];
        }
    kt_val *all = together(g, x, mask);
    if (!all || n_q + all->spec.shape.ndim - 1 > KT_MAX_RANK) return NULL;
    const int last = all->spec.shape.ndim - 1;
    kt_val *order = kt_g_argsort(g, all, last, KT_NONE, false);
    kt_val *y = between(g, kt_g_take_along(g, all, order, last, false), q, a->method);
    if (!y) return NULL;
    /* NaN among them: NaN */
    kt_val *nan = kt_g_reduce(
        g, KT_RED_MAX, kt_g_cast(g, kt_g_ne(g, all, all), KT_INT32), 1 << last, false);
    nan = kt_g_cast(g, nan, KT_BOOL);
    return kt_g_reshape(g, kt_g_select(g, nan, kt_g_num(g, NAN, y), y), out);
}
KT_OP_BUILD(quantile) {
    (void)n;
    return quantile_of(g, in[0], in[1], attrs, "quantile");
}
KT_OP_BUILD(percentile) {
    (void)n;
    kt_val *q = kt_g_scale(g, kt_g_cast(g, in[1], KT_FLOAT64), 0.01);
    return q ? quantile_of(g, in[0], q, attrs, "percentile") : NULL;
}
KT_OP_BUILD(median) {
    quantile_attrs a = *(const quantile_attrs *)attrs;
    (void)n;
    memcpy(a.method, "linear", sizeof "linear");
    kt_val *half = kt_g_const(g, 0.5, (kt_spec){KT_FLOAT64, {0, {0}}});
    return half ? quantile_of(g, in[0], half, &a, "median") : NULL;
}
static const kt_op_class
    quantile_class = {"Quantile", sizeof(quantile_attrs), quantile_build, NULL},
    percentile_class = {"Percentile", sizeof(quantile_attrs), percentile_build, NULL},
    median_class = {"Median", sizeof(quantile_attrs), median_build, NULL};

static kt_sym *quantile_apply(
    const kt_op_class *op, kt_sym *x, kt_sym *q, kt_tuple axis, const char *method, bool keepdims) {
    kt_sym *in[2] = {x, q};
    quantile_attrs a;
    memset(&a, 0, sizeof a);
    a.axis = axis;
    a.keepdims = keepdims;
    const kt_status st = kt_op_text(
        a.method, sizeof a.method, method ? method : "linear", "quantile: method");
    if (st) return kt_fail_object(st);
    kt_tensor *number = NULL; /* beside integers a number would become one */
    if (kt_is(q, KT_KIND_SYM) && q->is_num) {
        number = kt_tensor_new(KT_FLOAT32, (kt_shape){0, {0}}, &(float){(float)q->num});
        in[1] = kt_const(number);
    }
    kt_sym *y = kt_op_apply(op, q ? 2 : 1, in, &a);
    if (number) kt_drop(number);
    return y;
}
kt_sym *kt_op_quantile(kt_sym *x, kt_sym *q, kt_tuple axis, const char *method, bool keepdims) {
    return quantile_apply(&quantile_class, x, q, axis, method, keepdims);
}
kt_sym *kt_op_percentile(kt_sym *x, kt_sym *q, kt_tuple axis, const char *method, bool keepdims) {
    return quantile_apply(&percentile_class, x, q, axis, method, keepdims);
}
kt_sym *kt_op_median(kt_sym *x, kt_tuple axis, bool keepdims) {
    return quantile_apply(&median_class, x, NULL, axis, NULL, keepdims);
}

/* Looking up ----------------------------------------------------------------------------------- */

typedef struct {
    char side[8];
    bool invert, assume_unique;
} lookup_attrs;

/* How many of the edges (1 axis) hold `compare(edge, value)`, for each value. */
static kt_val *count_edges(
    kt_graph *g,
    kt_val *edges,
    kt_val *values,
    kt_val *(*compare)(kt_graph *, kt_val *, kt_val *)) {
    if (edges->spec.shape.ndim != 1)
        return kt_graph_fail(
            g, KT_FAIL(KT_ESHAPE, "searchsorted, digitize: expected a sequence with one axis"));
    kt_val *pair[2] = {edges, kt_g_expand_dims(g, values, -1)};
    if (!pair[1] || !kt_op_pair(g, pair, false)) return NULL;
    kt_val *hits = kt_g_cast(g, compare(g, pair[0], pair[1]), KT_INT32);
    return hits ? kt_g_sum(g, hits, 1 << (hits->spec.shape.ndim - 1), false) : NULL;
}
KT_OP_BUILD(searchsorted) {
    const bool right = !strcmp(((const lookup_attrs *)attrs)->side, "right");
    (void)n;
    return count_edges(g, in[0], in[1], right ? kt_g_le : kt_g_lt);
}
KT_OP_BUILD(digitize) {
    (void)n, (void)attrs;
    return count_edges(g, in[1], in[0], kt_g_le);
}
KT_OP_BUILD(isin) {
    const bool invert = ((const lookup_attrs *)attrs)->invert;
    (void)n;
    kt_val *pair[2] = {kt_g_expand_dims(g, in[0], -1), kt_g_reshape(g, in[1], kt_dims(-1))};
    if (!pair[0] || !pair[1] || !kt_op_pair(g, pair, false)) return NULL;
    kt_val *hits = kt_g_cast(g, kt_g_eq(g, pair[0], pair[1]), KT_INT32);
    if (!hits) return NULL;
    hits = kt_g_sum(g, hits, 1 << (hits->spec.shape.ndim - 1), false);
    if (!hits) return NULL;
    return (invert ? kt_g_eq : kt_g_ne)(g, hits, kt_g_num(g, 0, hits));
}
static const kt_op_class searchsorted_class =
                             {"SearchSorted", sizeof(lookup_attrs), searchsorted_build, NULL},
                         digitize_class = {"Digitize", 0, digitize_build, NULL},
                         isin_class = {"IsIn", sizeof(lookup_attrs), isin_build, NULL};

static kt_status side_finish(int n, kt_sym *const *in, void *attrs) {
    const char *side = ((const lookup_attrs *)attrs)->side;
    (void)n, (void)in;
    if (!strcmp(side, "left") || !strcmp(side, "right")) return KT_OK;
    return KT_FAIL(KT_EINVAL, "searchsorted: side \"%.7s\" is not left or right", side);
}
kt_sym *kt_op_searchsorted(kt_sym *sorted_sequence, kt_sym *values, const char *side) {
    kt_sym *in[2] = {sorted_sequence, values};
    lookup_attrs a;
    memset(&a, 0, sizeof a);
    kt_status st = kt_op_text(a.side, sizeof a.side, side ? side : "left", "searchsorted: side");
    if (st == KT_OK) st = side_finish(2, in, &a);
    return st ? kt_fail_object(st) : kt_op_apply(&searchsorted_class, 2, in, &a);
}
kt_sym *kt_op_digitize(kt_sym *x, kt_sym *bins) {
    kt_sym *in[2] = {x, bins};
    return kt_op_apply(&digitize_class, 2, in, NULL);
}
kt_sym *kt_op_isin(kt_sym *x1, kt_sym *x2, bool invert) {
    kt_sym *in[2] = {x1, x2};
    lookup_attrs a;
    memset(&a, 0, sizeof a);
    a.invert = invert;
    return kt_op_apply(&isin_class, 2, in, &a);
}

typedef struct {
    int64_t n, axis;
} diff_attrs;

/* Differences of neighbours, n times. */
static kt_val *diff_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    const diff_attrs *a = attrs;
    (void)n;
    kt_val *x = in[0];
    const int axis = kt_op_axis(g, "diff", a->axis, x->spec.shape.ndim);
    if (axis < 0) return NULL;
    if (a->n < 0) return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "diff: n must not be negative"));
    for (int64_t i = 0; x && i < a->n; i++) {
        const int64_t len = x->spec.shape.dim[axis];
        if (len == 0) return x;
        x = kt_g_sub(
            g, kt_g_slice_axis(g, x, axis, 1, len), kt_g_slice_axis(g, x, axis, 0, len - 1));
    }
    return x;
}
static const kt_op_class diff_class = {"Diff", sizeof(diff_attrs), diff_build, NULL};
kt_sym *kt_op_diff(kt_sym *x, int n, int axis) {
    return kt_op_apply(&diff_class, 1, &x, &(diff_attrs){n, axis});
}

/* Files ---------------------------------------------------------------------------------------- */

static const kt_field axis_fields[] = {KT_F(order_attrs, axis), KT_F_END};
static const kt_field k_fields[] = {KT_F(order_attrs, k), KT_F_END};
static const kt_field top_k_fields[] = {KT_F(order_attrs, k), KT_F(order_attrs, sorted), KT_F_END};
static const kt_field running_fields[] = {
    KT_F(order_attrs, axis), KT_F_AS(order_attrs, dtype, KT_FIELD_DTYPE), KT_F_END};
static const kt_field median_fields[] = {
    KT_F(quantile_attrs, axis), KT_F(quantile_attrs, keepdims), KT_F_END};
static const kt_field quantile_fields[] = {
    KT_F(quantile_attrs, axis),
    KT_F_AS(quantile_attrs, method, KT_FIELD_TEXT),
    KT_F(quantile_attrs, keepdims),
    KT_F_END};
static const kt_field side_fields[] = {KT_F_AS(lookup_attrs, side, KT_FIELD_TEXT), KT_F_END};
static const kt_field isin_fields[] = {
    KT_F(lookup_attrs, assume_unique), KT_F(lookup_attrs, invert), KT_F_END};
static const kt_field diff_fields[] = {KT_F(diff_attrs, n), KT_F(diff_attrs, axis), KT_F_END};

const kt_op_form kt_op_forms_order[] = {
    {&diff_class, "numpy", 1, diff_fields, NULL, NULL},
    {&argsort_class, "numpy", 1, axis_fields, NULL, NULL},
    {&sort_class, "numpy", 1, axis_fields, NULL, NULL},
    {&top_k_class, "math", 1, top_k_fields, NULL, NULL},
    {&in_top_k_class, "math", 2, k_fields, NULL, NULL},
    {&take_along_axis_class, "numpy", 2, axis_fields, NULL, NULL},
    {&cumsum_class, "numpy", 1, running_fields, NULL, NULL},
    {&cumprod_class, "numpy", 1, running_fields, NULL, NULL},
    {&nancumsum_class, "numpy", 1, running_fields, NULL, NULL},
    {&nancumprod_class, "numpy", 1, running_fields, NULL, NULL},
    {&median_class, "numpy", 1, median_fields, NULL, NULL},
    {&quantile_class, "numpy", 2, quantile_fields, NULL, NULL},
    {&percentile_class, "numpy", 2, quantile_fields, NULL, NULL},
    {&searchsorted_class, "numpy", 2, side_fields, side_finish, NULL},
    {&digitize_class, "numpy", 2, NULL, NULL, NULL},
    {&isin_class, "numpy", 2, isin_fields, NULL, NULL},
    {NULL, NULL, 0, NULL, NULL, NULL}};
