/* reduce: sum, max, min or product over a set of axes. keras.ops.sum, max, min, prod
 *
 * One primitive for the four: shape rule and loops are the same. Mean is a sum and a division. Sums
 * run in T, pairwise over blocks, so that float32 keeps its digits over long axes. */
#define KT_REF_SELF "ops/reduce.c"
#ifdef KT_T

static T KT_REF(reduce_two)(int kind, T a, T b) {
    switch ((kt_reduce_kind)kind) {
    case KT_RED_SUM:
        return a + b;
    case KT_RED_PROD:
        return a * b;
    case KT_RED_MAX:
        return a > b || a != a ? a : b;
    case KT_RED_MIN:
        return a < b || a != a ? a : b;
    }
    return a;
}

/* Element e of the reduced block that belongs to one output starts at x; idx walks the reduced
 * axes. */
static T KT_REF(reduce_block)(int kind, const T *x, const reduce_walk *w, int64_t from, int64_t n) {
    if (n > 128) {
        const int64_t half = n / 2;
        return KT_REF(reduce_two)(
            kind,
            KT_REF(reduce_block)(kind, x, w, from, half),
            KT_REF(reduce_block)(kind, x, w, from + half, n - half));
    }
    T acc = x[reduce_offset(w, from)];
    for (int64_t i = 1; i < n; i++)
        acc = KT_REF(reduce_two)(kind, acc, x[reduce_offset(w, from + i)]);
    return acc;
}

static kt_status KT_REF(reduce)(const kt_kargs *k) {
    static const double empty[] = {0, -INFINITY, INFINITY, 1};
    const reduce_attrs *a = k->node->attrs;
    reduce_walk inner, outer;
    reduce_walks(k->node, &inner, &outer);
    const T *x = k->in[0];
    T *y = k->out[0];
    for (int64_t i = 0; i < outer.size; i++)
        y[i] = inner.size ? KT_REF(reduce_block)(
                                a->kind, x + reduce_offset(&outer, i), &inner, 0, inner.size)
                          : (T)empty[a->kind];
    return KT_OK;
}

#else
#include "base/error.h"
#include "ops/build.h"

/* A set of axes as one index: how to turn 0 … size-1 into an offset. */
typedef struct {
    int n;
    int64_t size, dim[KT_MAX_RANK], stride[KT_MAX_RANK];
} reduce_walk;

static int64_t reduce_offset(const reduce_walk *w, int64_t index) {
    int64_t at = 0;
    for (int i = w->n; i-- > 0; index /= w->dim[i]) at += index % w->dim[i] * w->stride[i];
    return at;
}

static void reduce_walks(const kt_node *n, reduce_walk *inner, reduce_walk *outer) {
    const kt_shape *s = &n->in[0]->spec.shape;
    int64_t stride[KT_MAX_RANK];
    *inner = *outer = (reduce_walk){.size = 1};
    kt_strides(s, stride);
    for (int i = 0; i < s->ndim; i++) {
        reduce_walk *w = ((const reduce_attrs *)n->attrs)->axes >> i & 1 ? inner : outer;
        w->dim[w->n] = s->dim[i];
        w->stride[w->n++] = stride[i];
        w->size *= s->dim[i];
    }
}

#include "ir/ref_types.h"

static kt_status reduce_any(const kt_kargs *k) {
    const kt_spec *s = &k->node->in[0]->spec;
    reduce_walk inner, outer;
    reduce_walks(k->node, &inner, &outer);
    const int kind = ((const reduce_attrs *)k->node->attrs)->kind;
    for (int64_t i = 0; i < outer.size; i++) {
        const int64_t base = reduce_offset(&outer, i);
        double acc = kind == KT_RED_PROD;
        for (int64_t j = 0; j < inner.size; j++) {
            const double x = kt_elem_get(k->in[0], s->dtype, base + reduce_offset(&inner, j));
            acc = j ? reduce_two_double(kind, acc, x) : x;
        }
        kt_elem_set(k->out[0], s->dtype, i, acc);
    }
    return KT_OK;
}

static kt_status reduce_infer(const kt_node *n, kt_spec *out) {
    const reduce_attrs *a = n->attrs;
    const kt_shape *s = &n->in[0]->spec.shape;
    *out = (kt_spec){.dtype = n->in[0]->spec.dtype};
    if (a->kind < KT_RED_SUM || a->kind > KT_RED_PROD)
        return KT_FAIL(KT_EINVAL, "reduce: no such kind: %d", a->kind);
    if (a->axes >> s->ndim)
        return KT_FAIL(KT_EINVAL, "reduce: axis out of range for %d axes", s->ndim);
    for (int i = 0; i < s->ndim; i++) {
        if (!(a->axes >> i & 1))
            out->shape.dim[out->shape.ndim++] = s->dim[i];
        else if (a->keepdims)
            out->shape.dim[out->shape.ndim++] = 1;
    }
    return KT_OK;
}

/* The shape with reduced axes kept as 1, so that a result can be broadcast back. */
static kt_shape reduce_kept(const kt_node *n) {
    kt_shape s = n->in[0]->spec.shape;
    for (int i = 0; i < s.ndim; i++)
        if (((const reduce_attrs *)n->attrs)->axes >> i & 1) s.dim[i] = 1;
    return s;
}

/* sum: dy everywhere. prod: dy y / x. max, min: dy shared evenly among the equal largest, as JAX
 * does. */
static kt_status reduce_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    (void)want;
    const reduce_attrs *a = n->attrs;
    const kt_shape full = n->in[0]->spec.shape, kept = reduce_kept(n);
    kt_val *d = kt_g_reshape(g, dy[0], kept);
    kt_val *y = kt_g_broadcast(g, kt_g_reshape(g, n->out[0], kept), full);
    if (a->kind == KT_RED_MAX || a->kind == KT_RED_MIN) {
        kt_val *hit = kt_g_cast(g, kt_g_eq(g, n->in[0], y), n->in[0]->spec.dtype);
        d = kt_g_div(g, d, kt_g_sum(g, hit, a->axes, true));
        dx[0] = kt_g_mul(g, hit, kt_g_broadcast(g, d, full));
        return g->status;
    }
    dx[0] = kt_g_broadcast(g, d, full);
    if (a->kind == KT_RED_PROD) dx[0] = kt_g_div(g, kt_g_mul(g, dx[0], y), n->in[0]);
    return g->status;
}

static const kt_sample reduce_samples[] = {
    {.in = {{.dim = {3, 5}}}, .attrs = &(reduce_attrs){KT_RED_SUM, 1, false}},
    {.in = {{.dim = {3, 5}}}, .attrs = &(reduce_attrs){KT_RED_SUM, 2, true}},
    {.in = {{.dim = {2, 3, 4}}}, .attrs = &(reduce_attrs){KT_RED_SUM, 5, false}},
    {.in = {{.dim = {2, 301}}}, .attrs = &(reduce_attrs){KT_RED_SUM, 3, false}},
    {.in = {{.dim = {3, 2, 1, 5}}}, .attrs = &(reduce_attrs){KT_RED_SUM, 6, true}},
    {.in = {{.dim = {3, 4, 2}}}, .attrs = &(reduce_attrs){KT_RED_SUM, 4, false}},
    {.in = {{.dim = {4, 6}}}, .attrs = &(reduce_attrs){KT_RED_MAX, 2, false}},
    {.in = {{.dim = {3, 4, 5, 19}}}, .attrs = &(reduce_attrs){KT_RED_SUM, 6, false}},
    {.in = {{.dim = {3, 7, 19}}}, .attrs = &(reduce_attrs){KT_RED_MAX, 2, true}},
    {.in = {{.dim = {7, 19}}}, .attrs = &(reduce_attrs){KT_RED_MAX, 1, false}},
    {.in = {{.dim = {4, 6}}}, .attrs = &(reduce_attrs){KT_RED_MIN, 1, true}},
    {.in = {{.dim = {3, 4}, .low = 0.5, .high = 1.5}},
     .attrs = &(reduce_attrs){KT_RED_PROD, 2, false}},
    {.in = {{.dim = {3}}}, .attrs = &(reduce_attrs){KT_RED_SUM, 2, false}, .want = KT_EINVAL},
    KT_SAMPLES_END};
static const kt_field reduce_fields[] = {
    KT_F(reduce_attrs, kind), KT_F(reduce_attrs, axes), KT_F(reduce_attrs, keepdims), KT_F_END};

const kt_opdef kt_opdef_reduce = {
    .name = "reduce",
    .n_in = 1,
    .attrs_size = sizeof(reduce_attrs),
    .attrs = reduce_fields,
    .infer = reduce_infer,
    .vjp = reduce_vjp,
    .ref = {reduce_float, reduce_double, reduce_any},
    .samples = reduce_samples,
};

kt_val *kt_g_reduce(kt_graph *g, kt_reduce_kind kind, kt_val *x, int axes, bool keepdims) {
    if (!x) return NULL;
    if (x->spec.shape.ndim == 0) return x;
    kt_node *n = kt_graph_add(g, &kt_opdef_reduce, 1, &x, &(reduce_attrs){kind, axes, keepdims});
    return n ? n->out[0] : NULL;
}
#endif
