/* concat: arrays one after the other along an axis. keras.ops.concatenate */
#include "base/error.h"
#include "ops/build.h"

#include <string.h>

static kt_status concat_infer(const kt_node *n, kt_spec *out) {
    const int axis = ((const axis_attrs *)n->attrs)->axis;
    if (n->n_in == 0) return KT_FAIL(KT_EINVAL, "concatenate: expected at least one array");
    *out = n->in[0]->spec;
    if (axis < 0 || axis >= out->shape.ndim)
        return KT_FAIL(KT_EINVAL, "concatenate: axis %d is out of range", axis);
    out->shape.dim[axis] = 0;
    for (int i = 0; i < n->n_in; i++) {
        kt_spec s = n->in[i]->spec;
        out->shape.dim[axis] += s.shape.ndim > axis ? s.shape.dim[axis] : 0;
        s.shape.dim[axis] = out->shape.dim[axis];
        if (s.dtype == out->dtype && kt_shape_equal(&s.shape, &out->shape)) continue;
        char a[KT_SHAPE_STR], b[KT_SHAPE_STR];
        KT_FAIL(KT_ESHAPE, "concatenate: inputs differ outside axis %d", axis);
        return kt_error_got(
            "%s and %s",
            kt_spec_str(&n->in[0]->spec, a, sizeof a),
            kt_spec_str(&n->in[i]->spec, b, sizeof b));
    }
    return KT_OK;
}

static kt_status concat_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    const int axis = ((const axis_attrs *)n->attrs)->axis;
    int64_t at = 0;
    for (int i = 0; i < n->n_in; i++) {
        const int64_t len = n->in[i]->spec.shape.dim[axis];
        if (want[i]) dx[i] = kt_g_slice_axis(g, dy[0], axis, at, at + len);
        at += len;
    }
    return g->status;
}

static kt_status concat_ref(const kt_kargs *k) {
    const int axis = ((const axis_attrs *)k->node->attrs)->axis;
    const kt_spec *out = &k->node->out[0]->spec;
    const size_t e = kt_dtype_size(out->dtype);
    int64_t to[KT_MAX_RANK], from[KT_MAX_RANK];
    char *y = k->out[0];
    kt_strides(&out->shape, to);
    for (int i = 0; i < k->node->n_in; i++) {
        const kt_shape *s = &k->node->in[i]->spec.shape;
        kt_strides(s, from);
        kt_copy_strided(y, to, k->in[i], from, s, e);
        y += (size_t)(s->dim[axis] * to[axis]) * e;
    }
    return KT_OK;
}

static const kt_sample concat_samples[] = {
    {.in = {{.dim = {2, 3}}, {.dim = {2, 1}}, {.dim = {2, 4}}}, .attrs = &(axis_attrs){1}},
    {.in = {{.dim = {2, 3}}, {.dim = {1, 3}}}, .attrs = &(axis_attrs){0}},
    {.in = {{.dim = {2, 3}}, {.dim = {3, 3}}}, .attrs = &(axis_attrs){1}, .want = KT_ESHAPE},
    KT_SAMPLES_END};
static const kt_field concat_fields[] = {KT_F(axis_attrs, axis), KT_F_END};

const kt_opdef kt_opdef_concat = {
    .name = "concat",
    .n_in = -1,
    .flags = KT_OP_TEXTS,
    .attrs_size = sizeof(axis_attrs),
    .attrs = concat_fields,
    .infer = concat_infer,
    .vjp = concat_vjp,
    .ref = {concat_ref, concat_ref, concat_ref},
    .samples = concat_samples,
};

kt_val *kt_g_concat(kt_graph *g, int n, kt_val *const *in, int axis) {
    if (n < 1 || !in[0]) return NULL;
    const int at = kt_axis(axis, in[0]->spec.shape.ndim);
    if (at < 0)
        return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "concatenate: axis %d is out of range", axis));
    kt_node *node = kt_graph_add(g, &kt_opdef_concat, n, in, &(axis_attrs){at});
    return node ? node->out[0] : NULL;
}
