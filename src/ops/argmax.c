/* argmax: index of the first largest element along an axis, int32; that axis goes away.
 * keras.ops.argmax. No gradient. */
#define KT_REF_SELF "ops/argmax.c"
#ifdef KT_T

static kt_status KT_REF(argmax)(const kt_kargs *k) {
    const kt_lanes l = kt_lanes_along(
        &k->node->in[0]->spec.shape, ((const axis_attrs *)k->node->attrs)->axis);
    for (int64_t lane = 0; lane < l.outer * l.inner; lane++) {
        const T *x = (const T *)k->in[0] + kt_lane_start(&l, lane);
        int64_t best = 0;
        for (int64_t i = 1; i < l.len; i++)
            if (x[i * l.inner] > x[best * l.inner]) best = i;
        ((int32_t *)k->out[0])[lane] = (int32_t)best;
    }
    return KT_OK;
}

#else
#include "base/error.h"
#include "ops/build.h"

#include "ir/ref_types.h"

static kt_status argmax_any(const kt_kargs *k) {
    const kt_spec *s = &k->node->in[0]->spec;
    const kt_lanes l = kt_lanes_along(&s->shape, ((const axis_attrs *)k->node->attrs)->axis);
    for (int64_t lane = 0; lane < l.outer * l.inner; lane++) {
        const int64_t at = kt_lane_start(&l, lane);
        int64_t best = 0;
        for (int64_t i = 1; i < l.len; i++)
            if (kt_elem_get(k->in[0], s->dtype, at + i * l.inner) >
                kt_elem_get(k->in[0], s->dtype, at + best * l.inner))
                best = i;
        ((int32_t *)k->out[0])[lane] = (int32_t)best;
    }
    return KT_OK;
}

static kt_status argmax_infer(const kt_node *n, kt_spec *out) {
    const int axis = ((const axis_attrs *)n->attrs)->axis;
    const kt_shape *s = &n->in[0]->spec.shape;
    *out = (kt_spec){.dtype = KT_INT32};
    if (axis < 0 || axis >= s->ndim)
        return KT_FAIL(KT_EINVAL, "argmax: axis %d is out of range", axis);
    if (s->dim[axis] == 0) return KT_FAIL(KT_EINVAL, "argmax: axis %d is empty", axis);
    for (int i = 0; i < s->ndim; i++)
        if (i != axis) out->shape.dim[out->shape.ndim++] = s->dim[i];
    return KT_OK;
}

static const kt_sample argmax_samples[] = {
    {.in = {{.dim = {3, 5}}}, .attrs = &(axis_attrs){1}},
    {.in = {{.dim = {3, 5}}}, .attrs = &(axis_attrs){0}},
    {.in = {{.dim = {4, 40}}}, .attrs = &(axis_attrs){1}},
    {.in = {{.dim = {4}}}, .attrs = &(axis_attrs){1}, .want = KT_EINVAL},
    KT_SAMPLES_END};
static const kt_field argmax_fields[] = {KT_F(axis_attrs, axis), KT_F_END};

const kt_opdef kt_opdef_argmax = {
    .name = "argmax",
    .n_in = 1,
    .attrs_size = sizeof(axis_attrs),
    .attrs = argmax_fields,
    .infer = argmax_infer,
    .ref = {argmax_float, argmax_double, argmax_any},
    .samples = argmax_samples,
};

kt_val *kt_g_argmax(kt_graph *g, kt_val *x, int axis) {
    if (!x) return NULL;
    const int at = kt_axis(axis, x->spec.shape.ndim);
    kt_node *n = kt_graph_add(g, &kt_opdef_argmax, 1, &x, &(axis_attrs){at < 0 ? axis : at});
    return n ? n->out[0] : NULL;
}
#endif
