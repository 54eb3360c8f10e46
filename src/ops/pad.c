/* pad: a constant before and after each axis. keras.ops.pad (mode constant) */
#include "base/error.h"
#include "ops/build.h"

#include <string.h>

#define LIMIT                                                                                      \
    (INT64_C(1) << 40) /* keeps sums of lengths away from overflow; memory ends long before */

static kt_status pad_infer(const kt_node *n, kt_spec *out) {
    const pad_attrs *a = n->attrs;
    *out = n->in[0]->spec;
    for (int i = 0; i < out->shape.ndim; i++) {
        if (a->before[i] < 0 || a->after[i] < 0 || a->before[i] > LIMIT || a->after[i] > LIMIT)
            return KT_FAIL(KT_EINVAL, "pad: expected widths >= 0 on axis %d", i);
        out->shape.dim[i] += a->before[i] + a->after[i];
    }
    return KT_OK;
}

static kt_status pad_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    (void)want;
    const pad_attrs *a = n->attrs;
    slice_attrs s = {{0}, {0}, {0}};
    for (int i = 0; i < n->in[0]->spec.shape.ndim; i++) {
        s.start[i] = a->before[i];
        s.length[i] = n->in[0]->spec.shape.dim[i];
        s.step[i] = 1;
    }
    dx[0] = kt_g_slice(g, dy[0], &s);
    return g->status;
}

/* The border along one axis: inside the array along the axes before it, all along those behind. */
static void pad_border(
    const kt_kargs *k, int axis, int64_t start, int64_t width, const int64_t *stride) {
    const pad_attrs *a = k->node->attrs;
    const kt_shape *from = &k->node->in[0]->spec.shape;
    const kt_spec *to = &k->node->out[0]->spec;
    const int64_t nowhere[KT_MAX_RANK] = {0};
    double value = 0; /* room for one element of any dtype */
    kt_shape part = to->shape;
    int64_t first = start * stride[axis];
    kt_elem_set(&value, to->dtype, 0, a->value);
    for (int i = 0; i < axis; i++) {
        part.dim[i] = from->dim[i];
        first += a->before[i] * stride[i];
    }
    part.dim[axis] = width;
    const size_t e = kt_dtype_size(to->dtype);
    kt_copy_strided((char *)k->out[0] + (size_t)first * e, stride, &value, nowhere, &part, e);
}

static kt_status pad_ref(const kt_kargs *k) {
    const pad_attrs *a = k->node->attrs;
    const kt_spec *from = &k->node->in[0]->spec, *to = &k->node->out[0]->spec;
    const size_t e = kt_dtype_size(from->dtype);
    int64_t in[KT_MAX_RANK], out[KT_MAX_RANK], first = 0;
    kt_strides(&from->shape, in);
    kt_strides(&to->shape, out);
    for (int i = 0; i < to->shape.ndim; i++) {
        pad_border(k, i, 0, a->before[i], out);
        pad_border(k, i, to->shape.dim[i] - a->after[i], a->after[i], out);
        first += out[i] * a->before[i];
    }
    kt_copy_strided((char *)k->out[0] + (size_t)first * e, out, k->in[0], in, &from->shape, e);
    return KT_OK;
}

static const kt_sample pad_samples[] = {
    {.in = {{.dim = {3, 2}}}, .attrs = &(pad_attrs){{1, 0}, {2, 3}, 0}},
    {.in = {{.dim = {3}}}, .attrs = &(pad_attrs){{1}, {0}, -2.5}},
    {.in = {{.dim = {3, 4, 2}}}, .attrs = &(pad_attrs){{1, 2, 3}, {3, 0, 1}, 1.5}},
    {.in = {{.dim = {2, 3, 4}}}, .attrs = &(pad_attrs){{0, 2, 0}, {0, 1, 0}, 0}},
    {.in = {{.dim = {3}}}, .attrs = &(pad_attrs){{-1}, {0}, 0}, .want = KT_EINVAL},
    KT_SAMPLES_END};
static const kt_field pad_fields[] = {
    KT_F_AS(pad_attrs, before, KT_FIELD_INT64S),
    KT_F_AS(pad_attrs, after, KT_FIELD_INT64S),
    KT_F(pad_attrs, value),
    KT_F_END};

const kt_opdef kt_opdef_pad = {
    .name = "pad",
    .n_in = 1,
    .attrs_size = sizeof(pad_attrs),
    .attrs = pad_fields,
    .infer = pad_infer,
    .vjp = pad_vjp,
    .ref = {pad_ref, pad_ref, pad_ref},
    .samples = pad_samples,
};

kt_val *kt_g_pad(kt_graph *g, kt_val *x, const pad_attrs *a) {
    if (!x) return NULL;
    bool any = false;
    for (int i = 0; i < x->spec.shape.ndim; i++) any = any || a->before[i] || a->after[i];
    if (!any) return x;
    kt_node *n = kt_graph_add(g, &kt_opdef_pad, 1, &x, a);
    return n ? n->out[0] : NULL;
}
