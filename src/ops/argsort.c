/* argsort: positions of the first k elements along an axis when they are in order, int32; that axis
 * gets length k. keras.ops.argsort, and with a gather sort, top_k, median, quantile.
 *
 * Equal elements keep their order, and NaN counts as larger than every number. One routine for all
 * dtypes: a heap of the best k that lies in the result itself, so nothing is allocated and a small
 * k of a long axis is cheap. No gradient: what moves along is gathered by these positions. */
#include "base/error.h"
#include "ops/build.h"

#include <string.h>

typedef struct {
    const void *x;
    kt_dtype dtype;
    int64_t start, step; ///< of the lane
    bool descending;
    int32_t *heap; ///< in the result, `step` apart; the last in order at the root
} sorting;

static double element(const sorting *s, int32_t i) {
    const int64_t at = s->start + i * s->step;
    return s->dtype == KT_FLOAT32 ? (double)((const float *)s->x)[at]
                                  : kt_elem_get(s->x, s->dtype, at);
}

static bool before(const sorting *s, int32_t i, int32_t j) {
    const double a = element(s, i), b = element(s, j);
    if (a < b) return !s->descending;
    if (a > b) return s->descending;
    if (a == b || (a != a && b != b)) return i < j;
    return (a != a) == s->descending;
}

static void sift(const sorting *s, int64_t at, int64_t n) {
    const int32_t moved = s->heap[at * s->step];
    for (int64_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && before(s, s->heap[child * s->step], s->heap[(child + 1) * s->step]))
            child++;
        if (!before(s, moved, s->heap[child * s->step])) break;
        s->heap[at * s->step] = s->heap[child * s->step];
    }
    s->heap[at * s->step] = moved;
}

static kt_status argsort_ref(const kt_kargs *k) {
    const argsort_attrs *a = k->node->attrs;
    const kt_spec *x = &k->node->in[0]->spec;
    const kt_lanes l = kt_lanes_along(&x->shape, a->axis);
    const kt_lanes to = kt_lanes_along(&k->node->out[0]->spec.shape, a->axis);
    for (int64_t lane = 0; lane < l.outer * l.inner && a->k; lane++) {
        const sorting s = {
            k->in[0],
            x->dtype,
            kt_lane_start(&l, lane),
            l.inner,
            a->descending,
            (int32_t *)k->out[0] + kt_lane_start(&to, lane)};
        for (int64_t i = 0; i < a->k; i++) s.heap[i * s.step] = (int32_t)i;
        for (int64_t i = a->k / 2; i-- > 0;) sift(&s, i, a->k);
        for (int64_t i = a->k; i < l.len; i++) {
            if (!before(&s, (int32_t)i, s.heap[0])) continue;
            s.heap[0] = (int32_t)i;
            sift(&s, 0, a->k);
        }
        for (int64_t n = a->k - 1; n > 0; n--) {
            const int32_t last = s.heap[0];
            s.heap[0] = s.heap[n * s.step];
            s.heap[n * s.step] = last;
            sift(&s, 0, n);
        }
    }
    return KT_OK;
}

static kt_status argsort_infer(const kt_node *n, kt_spec *out) {
    const argsort_attrs *a = n->attrs;
    *out = (kt_spec){KT_INT32, n->in[0]->spec.shape};
    if (a->axis < 0 || a->axis >= out->shape.ndim)
        return KT_FAIL(KT_EINVAL, "sort: axis %d is out of range", a->axis);
    const int64_t len = out->shape.dim[a->axis];
    if (a->k < 0 || a->k > len || len > INT32_MAX) {
        KT_FAIL(KT_EINVAL, "sort: the first %lld elements", (long long)a->k);
        return kt_error_expected("0 to %lld, the length of the axis", (long long)len);
    }
    out->shape.dim[a->axis] = a->k;
    return KT_OK;
}

static const kt_sample argsort_samples[] = {
    {.in = {{.dim = {3, 7, 2}}}, .attrs = &(argsort_attrs){1, 7, false}},
    {.in = {{.dim = {3, 40}, .dtype = KT_INT32}}, .attrs = &(argsort_attrs){1, 5, true}},
    {.in = {{.dim = {4}}}, .attrs = &(argsort_attrs){1, 4, false}, .want = KT_EINVAL},
    {.in = {{.dim = {4}}}, .attrs = &(argsort_attrs){0, 5, false}, .want = KT_EINVAL},
    KT_SAMPLES_END};
static const kt_field argsort_fields[] = {
    KT_F(argsort_attrs, axis), KT_F(argsort_attrs, k), KT_F(argsort_attrs, descending), KT_F_END};

const kt_opdef kt_opdef_argsort = {
    .name = "argsort",
    .n_in = 1,
    .attrs_size = sizeof(argsort_attrs),
    .attrs = argsort_fields,
    .infer = argsort_infer,
    .ref = {argsort_ref, argsort_ref, argsort_ref},
    .samples = argsort_samples,
};

kt_val *kt_g_argsort(kt_graph *g, kt_val *x, int axis, int64_t k, bool descending) {
    if (!x) return NULL;
    const int at = kt_axis(axis, x->spec.shape.ndim);
    argsort_attrs a;
    memset(&a, 0, sizeof a); /* padding takes part when equal nodes are merged */
    a.axis = at < 0 ? axis : at;
    a.k = k == KT_NONE && at >= 0 ? x->spec.shape.dim[at] : k;
    a.descending = descending;
    kt_node *n = kt_graph_add(g, &kt_opdef_argsort, 1, &x, &a);
    return n ? n->out[0] : NULL;
}
