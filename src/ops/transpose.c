/* transpose: axes in another order; axis i of the result is axis perm[i] of x.
 * keras.ops.transpose */
#include "base/error.h"
#include "ops/build.h"

static kt_status transpose_infer(const kt_node *n, kt_spec *out) {
    const transpose_attrs *a = n->attrs;
    const kt_shape *s = &n->in[0]->spec.shape;
    int seen = 0;
    *out = n->in[0]->spec;
    for (int i = 0; i < s->ndim; i++) {
        if (a->perm[i] < 0 || a->perm[i] >= s->ndim || seen >> a->perm[i] & 1)
            return KT_FAIL(KT_EINVAL, "transpose: axes must name each of %d axes once", s->ndim);
        seen |= 1 << a->perm[i];
        out->shape.dim[i] = s->dim[a->perm[i]];
    }
    return KT_OK;
}

static kt_status transpose_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    (void)want;
    const transpose_attrs *a = n->attrs;
    int back[KT_MAX_RANK] = {0};
    for (int i = 0; i < n->in[0]->spec.shape.ndim; i++) back[a->perm[i]] = i;
    dx[0] = kt_g_transpose(g, dy[0], back);
    return g->status;
}

static kt_status transpose_ref(const kt_kargs *k) {
    const transpose_attrs *a = k->node->attrs;
    const kt_shape *from = &k->node->in[0]->spec.shape, *to = &k->node->out[0]->spec.shape;
    int64_t in[KT_MAX_RANK], stride[KT_MAX_RANK], out[KT_MAX_RANK];
    kt_strides(from, in);
    kt_strides(to, out);
    for (int i = 0; i < to->ndim; i++) stride[i] = in[a->perm[i]];
    kt_copy_strided(
        k->out[0], out, k->in[0], stride, to, kt_dtype_size(k->node->in[0]->spec.dtype));
    return KT_OK;
}

static const kt_sample transpose_samples[] = {
    {.in = {{.dim = {3, 4}}}, .attrs = &(transpose_attrs){{1, 0}}},
    {.in = {{.dim = {2, 3, 4}}}, .attrs = &(transpose_attrs){{2, 0, 1}}},
    {.in = {{.dim = {2, 3, 4, 5}}}, .attrs = &(transpose_attrs){{0, 2, 3, 1}}},
    {.in = {{.dim = {2, 3, 4, 5}}}, .attrs = &(transpose_attrs){{0, 2, 1, 3}}},
    {.in = {{.dim = {33, 70}}}, .attrs = &(transpose_attrs){{1, 0}}},
    {.in = {{.dim = {2, 3}}}, .attrs = &(transpose_attrs){{1, 1}}, .want = KT_EINVAL},
    KT_SAMPLES_END};
static const kt_field transpose_fields[] = {
    KT_F_AS(transpose_attrs, perm, KT_FIELD_INTS), KT_F_END};

const kt_opdef kt_opdef_transpose = {
    .name = "transpose",
    .n_in = 1,
    .attrs_size = sizeof(transpose_attrs),
    .attrs = transpose_fields,
    .infer = transpose_infer,
    .vjp = transpose_vjp,
    .ref = {transpose_ref, transpose_ref, transpose_ref},
    .samples = transpose_samples,
};

kt_val *kt_g_transpose(kt_graph *g, kt_val *x, const int *perm) {
    if (!x) return NULL;
    transpose_attrs a = {{0}};
    for (int i = 0; i < x->spec.shape.ndim; i++) a.perm[i] = perm[i];
    kt_node *n = kt_graph_add(g, &kt_opdef_transpose, 1, &x, &a);
    return n ? n->out[0] : NULL;
}
