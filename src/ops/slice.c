/* slice: start, length and step per axis (step >= 1). keras.ops.slice, x[a:b:c] */
#include "base/error.h"
#include "ops/build.h"

static kt_status slice_infer(const kt_node *n, kt_spec *out) {
    const slice_attrs *a = n->attrs;
    const kt_shape *s = &n->in[0]->spec.shape;
    *out = n->in[0]->spec;
    for (int i = 0; i < s->ndim; i++) {
        const int64_t room = s->dim[i] - a->start[i]; /* elements from the first on */
        const bool legal = a->step[i] >= 1 && a->start[i] >= 0 && a->length[i] >= 0 && room >= 0;
        if (!legal || (a->length[i] && (room < 1 || a->length[i] - 1 > (room - 1) / a->step[i])))
            return KT_FAIL(
                KT_EINVAL,
                "slice: axis %d has %lld elements, asked for %lld from %lld in steps of %lld",
                i,
                (long long)s->dim[i],
                (long long)a->length[i],
                (long long)a->start[i],
                (long long)a->step[i]);
        out->shape.dim[i] = a->length[i];
    }
    return KT_OK;
}

/* Zeros around (and, with steps, between): pad can only do the former, steps go through scatter. */
static kt_status slice_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    (void)want;
    const slice_attrs *a = n->attrs;
    const kt_shape *s = &n->in[0]->spec.shape;
    kt_val *d = dy[0];
    pad_attrs p = {{0}, {0}, 0};
    for (int i = 0; i < s->ndim; i++) {
        if (a->step[i] > 1 && a->length[i] > 1) { /* spread: [.., n, ..] -> [.., n, step, ..] */
            kt_shape wide = d->spec.shape;
            pad_attrs gap = {{0}, {0}, 0};
            d = kt_g_expand_dims(g, d, i + 1);
            if (!d) return g->status;
            gap.after[i + 1] = a->step[i] - 1;
            d = kt_g_pad(g, d, &gap);
            wide.dim[i] = a->length[i] * a->step[i];
            d = kt_g_reshape(g, d, wide);
            d = kt_g_slice_axis(g, d, i, 0, (a->length[i] - 1) * a->step[i] + 1);
        }
        if (!d) return g->status;
        p.before[i] = a->start[i];
        p.after[i] = s->dim[i] - a->start[i] - d->spec.shape.dim[i];
    }
    dx[0] = kt_g_pad(g, d, &p);
    return g->status;
}

static kt_status slice_ref(const kt_kargs *k) {
    const slice_attrs *a = k->node->attrs;
    const kt_shape *from = &k->node->in[0]->spec.shape, *to = &k->node->out[0]->spec.shape;
    const size_t e = kt_dtype_size(k->node->in[0]->spec.dtype);
    int64_t in[KT_MAX_RANK], out[KT_MAX_RANK], first = 0;
    kt_strides(from, in);
    kt_strides(to, out);
    for (int i = 0; i < from->ndim; i++) {
        first += in[i] * a->start[i];
        in[i] *= a->step[i];
    }
    kt_copy_strided(k->out[0], out, (const char *)k->in[0] + (size_t)first * e, in, to, e);
    return KT_OK;
}

static const kt_sample slice_samples[] = {
    {.in = {{.dim = {5, 4}}}, .attrs = &(slice_attrs){{1, 0}, {3, 4}, {1, 1}}},
    {.in = {{.dim = {7, 4}}}, .attrs = &(slice_attrs){{1, 1}, {3, 2}, {2, 2}}},
    {.in = {{.dim = {5}}}, .attrs = &(slice_attrs){{3}, {4}, {1}}, .want = KT_EINVAL},
    {.in = {{.dim = {5}}}, .attrs = &(slice_attrs){{5}, {0}, {1}}},
    KT_SAMPLES_END};
static const kt_field slice_fields[] = {
    KT_F_AS(slice_attrs, start, KT_FIELD_INT64S),
    KT_F_AS(slice_attrs, length, KT_FIELD_INT64S),
    KT_F_AS(slice_attrs, step, KT_FIELD_INT64S),
    KT_F_END};

const kt_opdef kt_opdef_slice = {
    .name = "slice",
    .n_in = 1,
    .flags = KT_OP_TEXTS,
    .attrs_size = sizeof(slice_attrs),
    .attrs = slice_fields,
    .infer = slice_infer,
    .vjp = slice_vjp,
    .ref = {slice_ref, slice_ref, slice_ref},
    .samples = slice_samples,
};

kt_val *kt_g_slice(kt_graph *g, kt_val *x, const slice_attrs *a) {
    kt_node *n = kt_graph_add(g, &kt_opdef_slice, 1, &x, a);
    return n ? n->out[0] : NULL;
}
