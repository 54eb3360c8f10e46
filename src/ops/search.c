/* search: where numbers lie among edges in ascending order (one axis, the same dtype); int32.
 *
 *   KT_SEARCH_LEFT    how many edges are smaller              keras.ops.searchsorted
 *   KT_SEARCH_RIGHT   how many are not larger; NaN is beyond all   keras.ops.digitize
 *   KT_SEARCH_EXACT   the place of the equal edge, -1 if there is none
 *   KT_SEARCH_KNOWN   the same, and that there is none is an error
 *   KT_SEARCH_NEVER   an error in any case: a table that is not known yet
 *
 * A primitive, because a comparison with every edge takes memory for all of them, and because 64
 * bits of an integer count. No gradient. */
#define KT_REF_SELF "ops/search.c"
#ifdef KT_T

/* The first edge that is larger than x (or, without `right`, not smaller). */
static int64_t KT_REF(bound)(const T *edge, int64_t n, T x, bool right) {
    int64_t low = 0, high = n;
    while (low < high) {
        const int64_t mid = low + (high - low) / 2;
        const bool beyond = right ? x < edge[mid] : !(edge[mid] < x);
        if (beyond)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

static kt_status KT_REF(search)(const kt_kargs *k) {
    const search_kind kind = (search_kind)((const search_attrs *)k->node->attrs)->kind;
    const int64_t n = kt_shape_size(&k->node->in[0]->spec.shape);
    const int64_t n_edges = k->node->in[1]->spec.shape.dim[0];
    const T *x = k->in[0], *edge = k->in[1];
    int32_t *y = k->out[0];
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = KT_REF(bound)(edge, n_edges, x[i], kind == KT_SEARCH_RIGHT);
        y[i] = (int32_t)at;
        if (kind < KT_SEARCH_EXACT) continue;
        if (at >= n_edges || edge[at] != x[i]) y[i] = -1;
        if (kind == KT_SEARCH_NEVER || (kind == KT_SEARCH_KNOWN && y[i] < 0))
            return not_found(kind, (double)x[i]);
    }
    return KT_OK;
}

#else
#include "base/error.h"
#include "ops/build.h"

static kt_status not_found(search_kind kind, double x) {
    if (kind == KT_SEARCH_NEVER) {
        KT_FAIL(KT_ESTATE, "the layer knows no boundaries or vocabulary yet");
        return kt_error_hint("give them as an argument, or let the layer adapt to data");
    }
    KT_FAIL(
        KT_EINVAL,
        "When `num_oov_indices=0` all inputs should be in vocabulary, found OOV values [%.17g]",
        x);
    return kt_error_hint("consider setting `num_oov_indices=1`");
}

#include "ir/ref_types.h"
#define T KT_T
#define KT_T int64_t
#include KT_REF_SELF
#undef KT_T
#undef T

static kt_status search_infer(const kt_node *n, kt_spec *out) {
    const search_attrs *a = n->attrs;
    const kt_spec *x = &n->in[0]->spec, *edge = &n->in[1]->spec;
    *out = (kt_spec){KT_INT32, x->shape};
    if (x->dtype != edge->dtype)
        return KT_FAIL(KT_EDTYPE, "search: numbers and edges differ in dtype");
    if (x->dtype != KT_FLOAT32 && x->dtype != KT_FLOAT64 && x->dtype != KT_INT64)
        return KT_FAIL(KT_EDTYPE, "search: not in %s", kt_dtype_name(x->dtype));
    if (edge->shape.ndim != 1 || edge->shape.dim[0] > INT32_MAX)
        return KT_FAIL(KT_ESHAPE, "search: expected edges along one axis");
    if (a->kind >= KT_SEARCH_LEFT && a->kind <= KT_SEARCH_NEVER) return KT_OK;
    return KT_FAIL(KT_EINVAL, "search: unknown kind %d", a->kind);
}

static const kt_sample search_samples[] = {
    {.in = {{.dim = {3, 4}}, {.dim = {1}}}, .attrs = &(search_attrs){KT_SEARCH_RIGHT}},
    {.in = {{.dim = {5}, .dtype = KT_INT64}, {.dim = {1}, .dtype = KT_INT64}},
     .attrs = &(search_attrs){KT_SEARCH_EXACT}},
    {.in = {{.dim = {3}, .dtype = KT_FLOAT64}, {.dim = {1}, .dtype = KT_FLOAT64}},
     .attrs = &(search_attrs){KT_SEARCH_LEFT}},
    {.in = {{.dim = {3}}, {.dim = {1}, .dtype = KT_INT64}},
     .attrs = &(search_attrs){KT_SEARCH_LEFT},
     .want = KT_EDTYPE},
    {.in = {{.dim = {3}}, {.dim = {1, 2}}}, .attrs = &(search_attrs){0}, .want = KT_ESHAPE},
    {.in = {{.dim = {3}}, {.dim = {1}}}, .attrs = &(search_attrs){9}, .want = KT_EINVAL},
    KT_SAMPLES_END};
static const kt_field search_fields[] = {KT_F(search_attrs, kind), KT_F_END};

const kt_opdef kt_opdef_search = {
    .name = "search",
    .n_in = 2,
    .attrs_size = sizeof(search_attrs),
    .attrs = search_fields,
    .infer = search_infer,
    .ref = {search_float, search_double, search_int64_t},
    .samples = search_samples,
};

kt_val *kt_g_search(kt_graph *g, kt_val *x, kt_val *edges, search_kind kind) {
    kt_val *in[2] = {x, edges};
    kt_node *n = kt_graph_add(g, &kt_opdef_search, 2, in, &(search_attrs){kind});
    return n ? n->out[0] : NULL;
}
#endif
