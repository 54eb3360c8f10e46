/* recurrence: y[i] = a[i] y[i-1] + b[i] along an axis, y[-1] = 0; backwards: from y[i+1].
 * keras.ops.cumsum (a = 1) and cumprod (b = 0 but for the first)
 *
 * A primitive, because products of triangles would take n^2 steps. It is closed under
 * differentiation: what reaches y[i] in all is s[i] = dy[i] + a[i+1] s[i+1], the same the other way
 * round, and no element is divided by, so zeros in a product are no special case. */
#define KT_REF_SELF "ops/recurrence.c"
#ifdef KT_T

static kt_status KT_REF(recurrence)(const kt_kargs *k) {
    const recurrence_attrs *at = k->node->attrs;
    const kt_lanes l = kt_lanes_along(&k->node->out[0]->spec.shape, at->axis);
    const int64_t step = at->backwards ? -l.inner : l.inner;
    for (int64_t o = 0; o < l.outer && l.len; o++) {
        const int64_t first = (o * l.len + (at->backwards ? l.len - 1 : 0)) * l.inner;
        const T *a = (const T *)k->in[0] + first, *b = (const T *)k->in[1] + first;
        T *y = (T *)k->out[0] + first;
        for (int64_t j = 0; j < l.inner; j++) y[j] = b[j];
        for (int64_t i = 1; i < l.len; i++) {
            const T *before = y;
            a += step, b += step, y += step;
            for (int64_t j = 0; j < l.inner; j++) y[j] = a[j] * before[j] + b[j];
        }
    }
    return KT_OK;
}

#else
#include "base/error.h"
#include "ops/build.h"

#include "ir/ref_types.h"

/* Integers as their low bits: they wrap around. */
static kt_status recurrence_any(const kt_kargs *k) {
    const recurrence_attrs *at = k->node->attrs;
    const kt_spec *s = &k->node->out[0]->spec;
    const kt_lanes l = kt_lanes_along(&s->shape, at->axis);
    const bool real = kt_dtype_is_float(s->dtype);
    for (int64_t lane = 0; lane < l.outer * l.inner; lane++) {
        double y = 0;
        int64_t whole = 0;
        for (int64_t n = 0; n < l.len; n++) {
            const int64_t i = at->backwards ? l.len - 1 - n : n;
            const int64_t e = kt_lane_start(&l, lane) + i * l.inner;
            const double a = kt_elem_get(k->in[0], s->dtype, e);
            const double b = kt_elem_get(k->in[1], s->dtype, e);
            const uint64_t factor = (uint64_t)(int64_t)(real ? 0 : a);
            whole = (int64_t)(factor * (uint64_t)whole + (uint64_t)(int64_t)(real ? 0 : b));
            if (s->dtype == KT_INT32) whole = (int32_t)(uint32_t)(uint64_t)whole;
            if (s->dtype == KT_UINT8) whole = (uint8_t)whole;
            y = real ? (n ? a * y : 0) + b : (double)whole;
            kt_elem_set(k->out[0], s->dtype, e, y);
        }
    }
    return KT_OK;
}

static kt_status recurrence_infer(const kt_node *n, kt_spec *out) {
    const int axis = ((const recurrence_attrs *)n->attrs)->axis;
    *out = n->in[1]->spec;
    if (n->in[0]->spec.dtype != out->dtype || !kt_shape_equal(&n->in[0]->spec.shape, &out->shape))
        return KT_FAIL(KT_ESHAPE, "recurrence: operands of different shapes or dtypes");
    if (axis >= 0 && axis < out->shape.ndim) return KT_OK;
    return KT_FAIL(KT_EINVAL, "recurrence: axis %d is out of range", axis);
}

/* x[i + 1], or x[i - 1] (forwards), with a zero where there is none. */
static kt_val *shifted(kt_graph *g, kt_val *x, int axis, bool forwards) {
    const int64_t len = x->spec.shape.dim[axis];
    pad_attrs p = {{0}, {0}, 0};
    if (len == 0) return x;
    (forwards ? p.before : p.after)[axis] = 1;
    kt_val *rest = kt_g_slice_axis(g, x, axis, forwards ? 0 : 1, forwards ? len - 1 : len);
    return kt_g_pad(g, rest, &p);
}

static kt_status recurrence_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    const recurrence_attrs *a = n->attrs;
    kt_val *next = shifted(g, n->in[0], a->axis, a->backwards);
    kt_val *s = kt_g_recurrence(g, next, dy[0], a->axis, !a->backwards);
    dx[1] = s;
    if (want[0]) dx[0] = kt_g_mul(g, s, shifted(g, n->out[0], a->axis, !a->backwards));
    return g->status;
}

static const kt_sample recurrence_samples[] = {
    {.in = {{.dim = {2, 5, 3}}, {.dim = {2, 5, 3}}}, .attrs = &(recurrence_attrs){1, false}},
    {.in = {{.dim = {3, 4}}, {.dim = {3, 4}}}, .attrs = &(recurrence_attrs){1, true}},
    {.in = {{.dim = {3, 4}, .dtype = KT_INT32}, {.dim = {3, 4}, .dtype = KT_INT32}},
     .attrs = &(recurrence_attrs){0, false}},
    {.in = {{.dim = {3, 4}}, {.dim = {3, 4}}},
     .attrs = &(recurrence_attrs){2, false},
     .want = KT_EINVAL},
    {.in = {{.dim = {3, 4}}, {.dim = {3, 5}}},
     .attrs = &(recurrence_attrs){1, false},
     .want = KT_ESHAPE},
    KT_SAMPLES_END};
static const kt_field recurrence_fields[] = {
    KT_F(recurrence_attrs, axis), KT_F(recurrence_attrs, backwards), KT_F_END};

const kt_opdef kt_opdef_recurrence = {
    .name = "recurrence",
    .n_in = 2,
    .attrs_size = sizeof(recurrence_attrs),
    .attrs = recurrence_fields,
    .infer = recurrence_infer,
    .vjp = recurrence_vjp,
    .ref = {recurrence_float, recurrence_double, recurrence_any},
    .samples = recurrence_samples,
};

kt_val *kt_g_recurrence(kt_graph *g, kt_val *a, kt_val *b, int axis, bool backwards) {
    if (!a || !b) return NULL;
    kt_val *in[2] = {a, b};
    const int at = kt_axis(axis, b->spec.shape.ndim);
    recurrence_attrs attrs;
    memset(&attrs, 0, sizeof attrs);
    attrs.axis = at < 0 ? axis : at;
    attrs.backwards = backwards;
    kt_node *n = kt_graph_add(g, &kt_opdef_recurrence, 2, in, &attrs);
    return n ? n->out[0] : NULL;
}
#endif
