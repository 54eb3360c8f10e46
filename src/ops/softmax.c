/* softmax: y = exp(x - max x) / sum exp(x - max x) along one axis. keras.ops.softmax
 * log_softmax: y = x - max x - log sum exp(x - max x). keras.ops.log_softmax
 *
 * Primitives, although they could be composed, for two reasons: every engine has a fused kernel for
 * them, and their gradients need only y, so x can be freed early. */
#define KT_REF_SELF "ops/softmax.c"
#ifdef KT_T

static kt_status KT_REF(softmax)(const kt_kargs *k) {
    const kt_lanes l = kt_lanes_along(
        &k->node->in[0]->spec.shape, ((const axis_attrs *)k->node->attrs)->axis);
    for (int64_t lane = 0; lane < l.outer * l.inner; lane++) {
        const int64_t at = kt_lane_start(&l, lane);
        const T *x = (const T *)k->in[0] + at;
        T *y = (T *)k->out[0] + at, max = -INFINITY, sum = 0;
        for (int64_t i = 0; i < l.len; i++) max = M(fmax)(max, x[i * l.inner]);
        for (int64_t i = 0; i < l.len; i++) sum += y[i * l.inner] = M(exp)(x[i * l.inner] - max);
        for (int64_t i = 0; i < l.len; i++) y[i * l.inner] /= sum;
    }
    return KT_OK;
}

static kt_status KT_REF(log_softmax)(const kt_kargs *k) {
    const kt_lanes l = kt_lanes_along(
        &k->node->in[0]->spec.shape, ((const axis_attrs *)k->node->attrs)->axis);
    for (int64_t lane = 0; lane < l.outer * l.inner; lane++) {
        const int64_t at = kt_lane_start(&l, lane);
        const T *x = (const T *)k->in[0] + at;
        T *y = (T *)k->out[0] + at, max = -INFINITY, sum = 0;
        for (int64_t i = 0; i < l.len; i++) max = M(fmax)(max, x[i * l.inner]);
        for (int64_t i = 0; i < l.len; i++) sum += M(exp)(x[i * l.inner] - max);
        sum = M(log)(sum);
        for (int64_t i = 0; i < l.len; i++) y[i * l.inner] = x[i * l.inner] - max - sum;
    }
    return KT_OK;
}

#else
#include "base/error.h"
#include "ops/build.h"

#include "ir/ref_types.h"

static kt_status softmax_infer(const kt_node *n, kt_spec *out) {
    const int axis = ((const axis_attrs *)n->attrs)->axis;
    *out = n->in[0]->spec;
    if (axis >= 0 && axis < out->shape.ndim) return KT_OK;
    char s[KT_SHAPE_STR];
    return KT_FAIL(
        KT_EINVAL,
        "%s: axis %d is out of range for input %s",
        n->op->name,
        axis,
        kt_spec_str(out, s, sizeof s));
}

/* dx = y (dy - sum(dy y)) */
static kt_status softmax_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    (void)want;
    const int axes = 1 << ((const axis_attrs *)n->attrs)->axis;
    kt_val *s = kt_g_sum(g, kt_g_mul(g, dy[0], n->out[0]), axes, true);
    dx[0] = kt_g_mul(g, n->out[0], kt_g_sub(g, dy[0], s));
    return g->status;
}

/* dx = dy - exp(y) sum(dy) */
static kt_status log_softmax_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    (void)want;
    const int axes = 1 << ((const axis_attrs *)n->attrs)->axis;
    dx[0] = kt_g_sub(g, dy[0], kt_g_mul(g, kt_g_exp(g, n->out[0]), kt_g_sum(g, dy[0], axes, true)));
    return g->status;
}

static const kt_sample softmax_samples[] = {
    {.in = {{.dim = {2, 5}}}, .attrs = &(axis_attrs){1}},
    {.in = {{.dim = {3, 4, 7}}}, .attrs = &(axis_attrs){1}},
    {.in = {{.dim = {5, 33}}}, .attrs = &(axis_attrs){1}},
    {.in = {{.dim = {2, 5}}}, .attrs = &(axis_attrs){2}, .want = KT_EINVAL},
    KT_SAMPLES_END};
static const kt_field softmax_fields[] = {KT_F(axis_attrs, axis), KT_F_END};

const kt_opdef kt_opdef_softmax = {
    .name = "softmax",
    .n_in = 1,
    .attrs_size = sizeof(axis_attrs),
    .attrs = softmax_fields,
    .infer = softmax_infer,
    .vjp = softmax_vjp,
    .ref = KT_REFS(softmax),
    .samples = softmax_samples,
};
const kt_opdef kt_opdef_log_softmax = {
    .name = "log_softmax",
    .n_in = 1,
    .attrs_size = sizeof(axis_attrs),
    .attrs = softmax_fields,
    .infer = softmax_infer,
    .vjp = log_softmax_vjp,
    .ref = KT_REFS(log_softmax),
    .samples = softmax_samples,
};

static kt_val *softmax_node(kt_graph *g, const kt_opdef *op, kt_val *x, int axis) {
    if (!x) return NULL;
    const int at = kt_axis(axis, x->spec.shape.ndim);
    kt_node *n = kt_graph_add(g, op, 1, &x, &(axis_attrs){at < 0 ? axis : at});
    return n ? n->out[0] : NULL;
}

kt_val *kt_g_softmax(kt_graph *g, kt_val *x, int axis) {
    return softmax_node(g, &kt_opdef_softmax, x, axis);
}

kt_val *kt_g_log_softmax(kt_graph *g, kt_val *x, int axis) {
    return softmax_node(g, &kt_opdef_log_softmax, x, axis);
}
#endif
