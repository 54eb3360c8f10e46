/* Discretization: numbers to bins between boundaries that are given, or taken from data by
 * kt_discretization_adapt().  keras.layers.Discretization
 *
 * Boundaries are arguments, changed by adapting: so they are in the configuration, as in Keras.
 * What adapting does is Keras' own arithmetic, float32 where that is, so that boundaries agree to
 * the bit: a summary of (value, weight) pairs for each batch, merged and compressed to 1 / epsilon
 * pairs, and at last to num_bins. */
#include "nn/layers/encode.h"

#include "base/mem.h"
#include "runtime/var.h"
#include "tensor/tensor.h"

#include <keratin/layers.h>
#include <keratin/runtime.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef kt_discretization_args bins_args;
typedef struct {
    kt_encode_mode mode;
    bool known; ///< boundaries were given, read or found
} bins_state;

static kt_status bins_init(kt_layer *l) {
    const bins_args *a = kt_layer_args(l);
    bins_state *s = kt_layer_state(l);
    kt_status st = kt_encode_mode_of(&s->mode, a->output_mode, (1u << KT_ENCODE_TF_IDF) - 1);
    if (st == KT_OK) st = kt_encode_refuse_sparse(a->sparse);
    if (st) return st;
    s->known = a->bin_boundaries.n > 0;
    if (!s->known && a->num_bins == KT_NONE)
        return KT_FAIL(KT_EINVAL, "You need to set either `num_bins` or `bin_boundaries`.");
    if (a->num_bins != KT_NONE && (a->num_bins < 0 || a->num_bins > INT32_MAX))
        return KT_FAIL(
            KT_EINVAL,
            "`num_bins` must be greater than or equal to 0, got %lld",
            (long long)a->num_bins);
    if (!(a->epsilon > 0))
        return KT_FAIL(KT_EINVAL, "epsilon: expected a number above 0, got %g", a->epsilon);
    for (int i = 1; i < a->bin_boundaries.n; i++)
        if (!(a->bin_boundaries.v[i - 1] <= a->bin_boundaries.v[i]))
            return KT_FAIL(
                KT_EINVAL,
                "bin_boundaries: expected ascending order, got %g at %d",
                a->bin_boundaries.v[i],
                i);
    l->no_autocast = true; /* the layer's dtype is that of its output */
    return KT_OK;
}

/* The boundaries as float32, in the dtype of x; before they are known one that nothing passes. */
static kt_val *edges_of(kt_graph *g, const bins_args *a, const kt_val *x) {
    const int n = a->bin_boundaries.n;
    float *edge = kt_alloc_array(n + 1, sizeof *edge);
    if (!edge || !x) {
        kt_mem_free(edge);
        return kt_graph_fail(g, x ? KT_ENOMEM : g->status);
    }
    for (int i = 0; i < n; i++) edge[i] = (float)a->bin_boundaries.v[i];
    kt_val *v = kt_g_array(g, edge, (kt_spec){KT_FLOAT32, kt_dims(n ? n : 1)});
    kt_mem_free(edge);
    return kt_g_cast(g, v, x->spec.dtype);
}

static kt_status bins_call(kt_layer *l, kt_trace *t) {
    const bins_args *a = kt_layer_args(l);
    const bins_state *s = kt_layer_state(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_val *x = kt_unwrap(t->in[0], NULL);
    if (!x) return g->status;
    const bool wide = x->spec.dtype == KT_FLOAT64 && !strcmp(kt_floatx(), "float64");
    x = kt_g_cast(g, x, wide ? KT_FLOAT64 : KT_FLOAT32);
    const int64_t depth = s->known ? a->bin_boundaries.n + 1 : a->num_bins;
    kt_val *edges = edges_of(g, a, x), *index;
    if (s->known && !a->bin_boundaries.n)
        index = kt_g_const(g, 0, (kt_spec){KT_INT32, x->spec.shape}); /* one bin */
    else
        index = kt_g_search(g, x, edges, s->known ? KT_SEARCH_RIGHT : KT_SEARCH_NEVER);
    const kt_dtype to = s->mode == KT_ENCODE_INT ? KT_INT32 : l->dtype;
    t->out[0] = kt_wrap(kt_encode(g, index, s->mode, depth, to, NULL));
    return kt_check(t->out[0]);
}

static const kt_field bins_fields[] = {
    KT_F(bins_args, bin_boundaries),
    KT_F(bins_args, num_bins),
    KT_F(bins_args, epsilon),
    KT_F(bins_args, output_mode),
    KT_F(bins_args, sparse),
    KT_F_END};

const kt_layer_class kt_class_discretization = {
    .name = "Discretization",
    .args_size = sizeof(bins_args),
    .state_size = sizeof(bins_state),
    .fields = bins_fields,
    .defaults = &(const bins_args){KT_DISCRETIZATION_DEFAULTS},
    .init = bins_init,
    .call = bins_call,
    .any_dtype = true,
};

kt_layer *kt_discretization_new(const kt_discretization_args *a) {
    return kt_layer_new(&kt_class_discretization, a);
}

/* Summaries ------------------------------------------------------------------------------------ */

typedef struct {
    int64_t n;
    float *value, *weight; ///< of `n`; NULL: none yet
} summary;

static void summary_free(summary *s) {
    kt_mem_free(s->value);
    kt_mem_free(s->weight);
    *s = (summary){0, NULL, NULL};
}

static kt_status summary_new(summary *s, int64_t n) {
    *s = (summary){n, kt_alloc_array(n + 1, sizeof(float)), kt_alloc_array(n + 1, sizeof(float))};
    if (s->value && s->weight) return KT_OK;
    summary_free(s);
    return KT_ENOMEM;
}

/* NaN behind all numbers, as NumPy sorts. */
static int by_value(const void *a, const void *b) {
    const float x = *(const float *)a, y = *(const float *)b;
    if (isnan(x) || isnan(y)) return isnan(x) - isnan(y);
    return (x > y) - (x < y);
}

/* Every step-th of the sorted values, each of which stands for so many. */
static kt_status summarize(summary *out, const kt_tensor *data, double epsilon) {
    const int64_t n = kt_tensor_size(data);
    const double increment = (double)n / (1.0 / epsilon), step = increment > 1 ? increment : 1;
    const int64_t start = (int64_t)(step - 1), each = (int64_t)step;
    float *all = kt_alloc_array(n, sizeof *all);
    kt_status st = all ? summary_new(out, start < n ? (n - start - 1) / each + 1 : 0) : KT_ENOMEM;
    if (st == KT_OK) {
        kt_elem_convert(all, KT_FLOAT32, kt_tensor_data(data), kt_tensor_dtype(data), n);
        qsort(all, (size_t)n, sizeof *all, by_value);
        for (int64_t i = 0; i < out->n; i++) {
            out->value[i] = all[start + i * each];
            out->weight[i] = (float)step;
        }
    }
    kt_mem_free(all);
    return st;
}

/* numpy.interp of one place; at grows with it. */
static double between(double x, const float *xs, const float *ys, int64_t n) {
    int64_t low = 0, high = n;
    if (x < (double)xs[0]) return (double)ys[0];
    while (low < high) { /* the last xs that is not beyond x lies before `low` */
        const int64_t mid = low + (high - low) / 2;
        if (x < (double)xs[mid])
            high = mid;
        else
            low = mid + 1;
    }
    const int64_t j = low - 1;
    if (j >= n - 1 || (double)xs[j] == x) return (double)ys[j < n ? j : n - 1];
    const double x0 = (double)xs[j], x1 = (double)xs[j + 1];
    const double y0 = (double)ys[j], y1 = (double)ys[j + 1], slope = (y1 - y0) / (x1 - x0);
    double y = slope * (x - x0) + y0;
    if (isnan(y)) y = slope * (x - x1) + y1;
    return isnan(y) && y0 == y1 ? y0 : y;
}

/* 1 / epsilon pairs, as evenly as the weights say. */
static kt_status compress(summary *s, double epsilon) {
    summary out;
    if ((double)s->n * epsilon < 1) return KT_OK;
    const double length = ceil(1 / epsilon);
    float *sums = kt_alloc_array(s->n, sizeof *sums), *shares = kt_alloc_array(s->n, sizeof *sums);
    kt_status st = sums && shares ? summary_new(&out, (int64_t)length) : KT_ENOMEM;
    float sum = 0;
    for (int64_t i = 0; i < s->n && st == KT_OK; i++) sums[i] = sum += s->weight[i];
    for (int64_t i = 0; i < s->n && st == KT_OK; i++) shares[i] = sums[i] / sum;
    double before = 0;
    for (int64_t i = 0; st == KT_OK && i < out.n; i++) {
        const double at = epsilon + (double)i * epsilon;
        const double here = between(at, shares, sums, s->n);
        out.value[i] = (float)between(at, shares, s->value, s->n);
        out.weight[i] = (float)(here - before);
        before = here;
    }
    kt_mem_free(sums);
    kt_mem_free(shares);
    if (st) return st;
    summary_free(s);
    *s = out;
    return KT_OK;
}

/* Both in the order of their values, then compressed; `a` becomes the result. */
static kt_status merge(summary *a, const summary *b, double epsilon) {
    summary out;
    const kt_status st = summary_new(&out, a->n + b->n);
    if (st) return st;
    for (int64_t i = 0, j = 0, k = 0; k < out.n; k++) {
        const bool first = j >= b->n || (i < a->n && by_value(&a->value[i], &b->value[j]) <= 0);
        out.value[k] = first ? a->value[i] : b->value[j];
        out.weight[k] = first ? a->weight[i++] : b->weight[j++];
    }
    summary_free(a);
    *a = out;
    return compress(a, epsilon);
}

/* Adapting ------------------------------------------------------------------------------------- */

static kt_status take_batch(summary *all, const kt_tensor *data, double epsilon) {
    summary one = {0, NULL, NULL};
    if (!kt_is(data, KT_KIND_TENSOR))
        return data && kt_failed(data) ? kt_check(data)
                                       : KT_FAIL(KT_EINVAL, "adapt: expected arrays");
    if (kt_tensor_size(data) == 0) return KT_FAIL(KT_EINVAL, "adapt: the data are empty");
    kt_status st = summarize(&one, data, epsilon);
    if (st == KT_OK) st = merge(&one, all, epsilon); /* the new one first, as in Keras */
    if (st) {
        summary_free(&one);
        return st;
    }
    summary_free(all);
    *all = one;
    return KT_OK;
}

static kt_status keep_boundaries(kt_layer *l, const summary *s) {
    bins_args *a = l->args;
    const int64_t n = s->n ? s->n - 1 : 0;
    double *v = kt_alloc_array(n + 1, sizeof *v);
    if (!v) return KT_ENOMEM;
    for (int64_t i = 0; i < n; i++) v[i] = (double)s->value[i];
    kt_mem_free((void *)(uintptr_t)a->bin_boundaries.v);
    a->bin_boundaries = (kt_floats_t){v, (int)n};
    ((bins_state *)kt_layer_state(l))->known = true;
    kt_layout_changed(); /* programs have the old boundaries in them */
    return KT_OK;
}

kt_status kt_discretization_adapt(kt_layer *l, kt_ref data) {
    kt_status st = kt_layer_require(l, "kt_discretization_adapt");
    if (st) return st;
    if (l->cls != &kt_class_discretization)
        return KT_FAIL(KT_EINVAL, "kt_discretization_adapt: expected a Discretization layer");
    const bins_args *a = kt_layer_args(l);
    if (a->num_bins == KT_NONE) {
        KT_FAIL(KT_ESTATE, "adapt: the layer was made with `bin_boundaries`");
        return kt_error_hint("use `num_bins` instead");
    }
    if (a->num_bins == 0) return KT_FAIL(KT_EINVAL, "adapt: num_bins is 0");
    summary all = {0, NULL, NULL};
    const bool list = kt_is(data, KT_KIND_LIST);
    if (list && !kt_list_len(data)) st = KT_FAIL(KT_EINVAL, "adapt: the data are empty");
    for (int i = 0; list && i < kt_list_len(data) && st == KT_OK; i++)
        st = take_batch(&all, kt_list_get(data, i), a->epsilon);
    if (!list) st = take_batch(&all, data, a->epsilon);
    if (st == KT_OK) st = compress(&all, 1.0 / (double)a->num_bins);
    if (st == KT_OK) st = keep_boundaries(l, &all);
    summary_free(&all);
    if (list) kt_drop(data);
    return st;
}
