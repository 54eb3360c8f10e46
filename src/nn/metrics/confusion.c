/* Counting at thresholds. See confusion.h.
 *
 * A prediction is positive where it is greater than the threshold. With evenly spaced thresholds
 * each sample falls into bucket ceil(p (n - 1)) - 1, one scatter adds it there, and sums from the
 * last bucket down give the counts at every threshold: the work does not grow with samples times
 * thresholds. */
#include "nn/metrics/confusion.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NEVER (-1e10) /* predictions that top_k leaves out */

/* Thresholds ----------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void confusion_clear(kt_confusion *q) {
    q->top_k = q->class_id = KT_NONE;
    for (int i = 0; i < 4; i++) q->at[i] = -1;
}

/* NumPy's allclose with the thresholds i / (n - 1). */
static bool evenly_spread(const double *v, int n) {
    for (int i = 0; n >= 3 && i < n; i++) {
        const double want = (double)((float)i / (float)(n - 1));
        if (!(fabs(v[i] - want) <= KT_LOSS_EPSILON + 1e-5 * fabs(want))) return false;
    }
    return n >= 3;
}

kt_status kt_confusion_init(kt_confusion *q, kt_floats_t thresholds, double fallback) {
    confusion_clear(q);
    q->n = thresholds.n ? thresholds.n : 1;
    q->threshold = kt_alloc_array(q->n, sizeof *q->threshold);
    if (!q->threshold) return KT_ENOMEM;
    q->threshold[0] = fallback;
    for (int i = 0; i < thresholds.n; i++) {
        if (!(thresholds.v[i] >= 0 && thresholds.v[i] <= 1))
            return KT_FAIL(
                KT_EINVAL, "thresholds: expected numbers in [0, 1], got %g", thresholds.v[i]);
        q->threshold[i] = thresholds.v[i];
    }
    q->even = evenly_spread(q->threshold, q->n);
    return KT_OK;
}

kt_status kt_confusion_spread(kt_confusion *q, int n, double margin) {
    const int most = 1 << 20; /* the number may come from a file */
    confusion_clear(q);
    if (n > most) return KT_FAIL(KT_ELIMIT, "num_thresholds: %d, at most %d", n, most);
    q->n = n;
    q->threshold = kt_alloc_array(n, sizeof *q->threshold);
    if (!q->threshold) return KT_ENOMEM;
    for (int i = 1; i + 1 < n; i++) q->threshold[i] = i * 1.0 / (n - 1);
    q->threshold[0] = -margin;
    q->threshold[n - 1] = 1 + margin;
    q->even = true;
    return KT_OK;
}

kt_status kt_confusion_between(kt_confusion *q, kt_floats_t inner) {
    confusion_clear(q);
    const int n = inner.n + 2;
    double *v = q->threshold = kt_alloc_array(n, sizeof *v);
    if (!v) return KT_ENOMEM;
    q->n = n;
    memcpy(v + 1, inner.v, sizeof *v * (size_t)inner.n);
    qsort(v + 1, (size_t)inner.n, sizeof *v, ascending);
    v[0] = 0;
    v[n - 1] = 1;
    q->even = evenly_spread(v, n);
    v[0] -= KT_LOSS_EPSILON;
    v[n - 1] += KT_LOSS_EPSILON;
    return KT_OK;
}

void kt_confusion_destroy(kt_component *c) {
    kt_mem_free(kt_confusion_of(c)->threshold);
    kt_metric_destroy(c);
}

kt_status kt_confusion_build(kt_component *c, const int *kinds, int64_t labels) {
    static const char *const names[] = {
        "true_positives", "false_positives", "true_negatives", "false_negatives"};
    kt_confusion *q = kt_confusion_of(c);
    const kt_shape shape = {q->multi_label ? 2 : 1, {q->n, labels}};
    const kt_dtype dtype = kt_metric_dtype(c, KT_NO_DTYPE);
    kt_status st = KT_OK;
    if (kt_metric_n_vars(c)) return KT_OK;
    for (int i = 0; st == KT_OK && kinds[i] >= 0; i++) {
        st = kt_metric_add_var(c, names[kinds[i]], dtype, shape);
        q->at[kinds[i]] = i;
    }
    return st;
}

kt_sym *kt_confusion_value(const kt_component *c, int kind) {
    return kt_metric_value(c, kt_confusion_of(c)->at[kind]);
}

kt_sym *kt_confusion_ratio(const kt_component *c, int a, int b) {
    kt_sym *x = kt_confusion_value(c, a);
    return kt_divide_no_nan(x, kt_op_add(x, kt_confusion_value(c, b)));
}

/* What is counted ------------------------------------------------------------------------------ */

/* The k largest of each row as they are, the others NEVER. One argmax for each of the k. */
static kt_sym *keep_top_k(kt_sym *p, int64_t k) {
    const kt_shape s = kt_sym_shape(p);
    const int64_t classes = kt_shape_dim(&s, -1);
    kt_sym *rest = p;
    if (k >= classes) return p;
    for (int64_t i = 0; i < k; i++) {
        kt_sym *best = kt_op_one_hot(kt_op_argmax(rest, -1, false), classes, -1, NULL);
        rest = kt_op_where(kt_op_greater(best, kt_num(0)), kt_num(-INFINITY), rest);
    }
    return kt_op_where(kt_op_equal(rest, p), kt_num(NEVER), p);
}

/* Labels as 0 or 1, predictions, weights: all of one shape; the weight may stay NULL. */
static kt_status confusion_operands(
    kt_component *c, const kt_confusion *q, kt_sym **t, kt_sym **p, kt_sym **w) {
    const kt_dtype dtype = kt_metric_vars(c)->var[0]->spec.dtype;
    *t = kt_sym_cast(*t, dtype);
    *p = kt_sym_cast(*p, dtype);
    kt_status st = kt_loss_operands(c, t, p);
    if (st) return st;
    if (*w) {
        kt_sym *like = *t;
        *w = kt_op_expand_dims(kt_sym_cast(*w, dtype), -1);
        kt_same_rank(&like, w, false);
        if (kt_failed(*w)) return kt_check(*w);
        while (!kt_failed(*w) && kt_sym_shape(*w).ndim < kt_sym_shape(*t).ndim)
            *w = kt_op_expand_dims(*w, -1);
    }
    const kt_shape s = kt_sym_shape(*p);
    if (s.ndim < 2 && (q->class_id != KT_NONE || q->top_k != KT_NONE))
        return KT_FAIL(
            KT_ESHAPE, "%s: top_k and class_id need y_pred (batch, classes)", kt_metric_name(c));
    if (q->top_k != KT_NONE) *p = keep_top_k(*p, q->top_k);
    if (q->class_id != KT_NONE) {
        if (q->class_id < 0 || q->class_id >= kt_shape_dim(&s, -1))
            return KT_FAIL(
                KT_EINVAL,
                "class_id: expected less than %lld, the number of classes, got %lld",
                (long long)kt_shape_dim(&s, -1),
                (long long)q->class_id);
        *t = kt_op_slice(*t, -1, q->class_id, q->class_id + 1);
        *p = kt_op_slice(*p, -1, q->class_id, q->class_id + 1);
    }
    *t = kt_sym_cast(kt_op_not_equal(*t, kt_num(0)), dtype);
    if (*w) *w = kt_op_broadcast_to(*w, kt_sym_shape(*p));
    if (q->label_weights.n && !q->multi_label) {
        kt_sym *v = kt_sym_array(q->label_weights.v, dtype, (kt_shape){1, {q->label_weights.n}});
        *w = *w ? kt_op_multiply(*w, v) : kt_op_broadcast_to(v, kt_sym_shape(*p));
    }
    st = kt_check(*p);
    if (st == KT_OK) st = kt_check(*t);
    return st || !*w ? st : kt_check(*w);
}

static kt_status confusion_add(kt_component *c, int kind, kt_sym *counts) {
    const int at = kt_confusion_of(c)->at[kind];
    return at < 0 ? KT_OK : kt_metric_add_to(c, at, counts);
}

/* Every sample against every threshold: p [1, samples (, labels)], thresholds [n, 1 (, 1)]. */
static kt_status count_compared(
    kt_component *c, const kt_confusion *q, kt_sym *t, kt_sym *p, kt_sym *w) {
    const kt_dtype dtype = kt_sym_dtype(p);
    const kt_shape s = kt_sym_shape(p);
    const kt_shape one = q->multi_label ? (kt_shape){3, {1, s.dim[0], s.dim[1]}}
                                        : (kt_shape){2, {1, kt_shape_size(&s)}};
    const kt_shape at = {one.ndim, {q->n, 1, 1}};
    kt_sym *yes = kt_op_reshape(w ? kt_op_multiply(t, w) : t, one);
    kt_sym *no = kt_sym_from(1, t);
    no = kt_op_reshape(w ? kt_op_multiply(no, w) : no, one);
    kt_sym *above = kt_op_greater(kt_op_reshape(p, one), kt_sym_array(q->threshold, dtype, at));
    kt_sym *positive = kt_sym_cast(above, dtype), *negative = kt_sym_from(1, positive);
    kt_sym *const factors[4][2] = {
        [KT_TP] = {positive, yes},
        [KT_FP] = {positive, no},
        [KT_TN] = {negative, no},
        [KT_FN] = {negative, yes}};
    kt_status st = KT_OK;
    for (int k = 0; k < 4 && st == KT_OK; k++) {
        if (q->at[k] < 0) continue;
        kt_sym *hits = kt_op_multiply(factors[k][0], factors[k][1]);
        st = confusion_add(c, k, kt_op_sum(hits, 1, false));
    }
    return st;
}

/* counts[i] = sum of x[j] for j >= i, in log2(n) steps. */
static kt_sym *sum_from_end(kt_sym *x, int64_t n) {
    kt_graph *g = kt_tracer_current()->g;
    for (int64_t step = 1; step < n && !kt_failed(x); step *= 2) {
        pad_attrs zeros = {{0}, {0}, 0};
        zeros.after[0] = step;
        kt_val *v = kt_unwrap(x, NULL);
        kt_val *shifted = kt_g_pad(g, kt_g_slice_axis(g, v, 0, step, n), &zeros);
        x = kt_wrap(kt_g_add(g, v, shifted));
    }
    return x;
}

/* The row of each sample in a table of n x labels buckets; *out_of_range: 0 where it falls before
 * them. */
static kt_sym *bucket_rows(const kt_confusion *q, kt_sym *p, int64_t labels, kt_sym **in_range) {
    const kt_dtype dtype = kt_sym_dtype(p);
    kt_sym *scaled = kt_sym_scale(kt_op_clip(p, 0, 1), q->n - 1);
    kt_sym *bucket = kt_sym_shift(kt_op_ceil(scaled), -1);
    const bool open = !(q->threshold[0] < 0 || q->threshold[q->n - 1] > 1);
    *in_range = open ? kt_sym_cast(kt_op_greater_equal(bucket, kt_num(0)), dtype) : NULL;
    kt_sym *row = kt_sym_cast(kt_op_maximum(bucket, kt_num(0)), KT_INT32);
    if (labels > 1) {
        kt_graph *g = kt_tracer_current()->g;
        int32_t *number = kt_arena_alloc(g->arena, sizeof *number * (size_t)labels);
        if (!number) return kt_fail_object(KT_ENOMEM);
        for (int64_t i = 0; i < labels; i++) number[i] = (int32_t)i;
        kt_sym *column = kt_wrap(kt_g_array(g, number, (kt_spec){KT_INT32, {1, {labels}}}));
        row = kt_op_add(kt_op_multiply(row, kt_num((double)labels)), column);
    }
    return kt_op_reshape(row, (kt_shape){1, {-1}});
}

/* Column i of pairs [.., 2], shaped as the variables. */
static kt_sym *column(kt_sym *pairs, int i, kt_shape shape) {
    return kt_op_reshape(kt_op_slice(pairs, -1, i, i + 1), shape);
}

static kt_status count_buckets(
    kt_component *c, const kt_confusion *q, kt_sym *t, kt_sym *p, kt_sym *w) {
    kt_graph *g = kt_tracer_current()->g;
    const kt_shape s = kt_sym_shape(p), shape = kt_metric_vars(c)->var[0]->spec.shape;
    const int64_t labels = q->multi_label ? s.dim[1] : 1,
                  samples = kt_shape_size(&s) / (labels ? labels : 1);
    const kt_shape each = {2, {samples * labels, 1}};
    kt_sym *in_range, *rows = bucket_rows(q, p, labels, &in_range);
    kt_sym *no = kt_sym_from(1, t), *yes = t;
    if (w) {
        yes = kt_op_multiply(yes, w);
        no = kt_op_multiply(no, w);
    }
    kt_sym *both[2] = {kt_op_reshape(yes, each), kt_op_reshape(no, each)};
    kt_sym *pairs = kt_op_concatenate(kt_list(both[0], both[1]), -1);
    const kt_shape by_label = {3, {samples, labels, 2}};
    kt_sym *outside = NULL; /* of every bucket: these count as negative at each threshold */
    if (in_range) {
        kt_sym *inside = kt_op_multiply(pairs, kt_op_reshape(in_range, each));
        outside = kt_op_subtract(pairs, inside);
        outside = kt_op_sum(kt_op_reshape(outside, by_label), 0, false);
        pairs = inside;
    }
    if (kt_failed(pairs) || kt_failed(rows)) return kt_check(kt_failed(pairs) ? pairs : rows);
    const kt_shape table = {2, {q->n * labels, 2}};
    kt_sym *counts = kt_wrap(
        kt_g_scatter_add(g, kt_unwrap(pairs, NULL), kt_unwrap(rows, NULL), table));
    counts = sum_from_end(kt_op_reshape(counts, (kt_shape){3, {q->n, labels, 2}}), q->n);
    kt_sym *rest = kt_op_subtract(kt_op_slice(counts, 0, 0, 1), counts); /* row 0 has all inside */
    if (outside) rest = kt_op_add(rest, outside);
    kt_sym *const from[4] = {[KT_TP] = counts, [KT_FP] = counts, [KT_TN] = rest, [KT_FN] = rest};
    static const int which[4] = {[KT_TP] = 0, [KT_FP] = 1, [KT_TN] = 1, [KT_FN] = 0};
    kt_status st = KT_OK;
    for (int k = 0; k < 4 && st == KT_OK; k++)
        if (q->at[k] >= 0) st = confusion_add(c, k, column(from[k], which[k], shape));
    return st;
}

kt_status kt_confusion_update(kt_component *c, kt_sym *y_true, kt_sym *y_pred, kt_sym *weight) {
    const kt_confusion *q = kt_confusion_of(c);
    const kt_status st = confusion_operands(c, q, &y_true, &y_pred, &weight);
    if (st) return st;
    return q->even ? count_buckets(c, q, y_true, y_pred, weight)
                   : count_compared(c, q, y_true, y_pred, weight);
}
