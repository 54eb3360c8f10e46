/* broadcast: NumPy's rule, to a given shape. Explicit, so that elementwise ops see equal shapes
 * only and the gradient of every broadcast is written once; fusion reads through it without a
 * copy. */
#include "base/error.h"
#include "ops/build.h"

static kt_status broadcast_infer(const kt_node *n, kt_spec *out) {
    const shape_attrs *a = n->attrs;
    kt_shape both;
    *out = (kt_spec){n->in[0]->spec.dtype, a->shape};
    if (!kt_shape_broadcast(&n->in[0]->spec.shape, &a->shape, &both) &&
        kt_shape_equal(&both, &a->shape))
        return KT_OK;
    char from[KT_SHAPE_STR], to[KT_SHAPE_STR];
    return KT_FAIL(
        KT_ESHAPE,
        "shape %s cannot be broadcast to %s",
        kt_shape_str(&n->in[0]->spec.shape, from, sizeof from),
        kt_shape_str(&a->shape, to, sizeof to));
}

static kt_status broadcast_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    (void)want;
    dx[0] = kt_g_unbroadcast(g, dy[0], &n->in[0]->spec.shape);
    return g->status;
}

static kt_status broadcast_ref(const kt_kargs *k) {
    const kt_shape *from = &k->node->in[0]->spec.shape, *to = &k->node->out[0]->spec.shape;
    int64_t in[KT_MAX_RANK], stride[KT_MAX_RANK] = {0}, out[KT_MAX_RANK];
    const int extra = to->ndim - from->ndim;
    kt_strides(from, in);
    kt_strides(to, out);
    for (int i = 0; i < from->ndim; i++) stride[i + extra] = from->dim[i] == 1 ? 0 : in[i];
    kt_copy_strided(
        k->out[0], out, k->in[0], stride, to, kt_dtype_size(k->node->in[0]->spec.dtype));
    return KT_OK;
}

static const kt_sample broadcast_samples[] = {
    {.in = {{.dim = {3}}}, .attrs = &(shape_attrs){{2, {4, 3}}}},
    {.in = {{.dim = {4, 1}}}, .attrs = &(shape_attrs){{3, {2, 4, 5}}}},
    {.in = {{.dim = {KT_SCALAR_DIM}}}, .attrs = &(shape_attrs){{2, {2, 3}}}},
    {.in = {{.dim = {3}}}, .attrs = &(shape_attrs){{1, {4}}}, .want = KT_ESHAPE},
    KT_SAMPLES_END};
static const kt_field shape_fields[] = {KT_F(shape_attrs, shape), KT_F_END};

const kt_opdef kt_opdef_broadcast = {
    .name = "broadcast",
    .n_in = 1,
    .attrs_size = sizeof(shape_attrs),
    .attrs = shape_fields,
    .infer = broadcast_infer,
    .vjp = broadcast_vjp,
    .ref = {broadcast_ref, broadcast_ref, broadcast_ref},
    .samples = broadcast_samples,
};

kt_val *kt_g_broadcast(kt_graph *g, kt_val *x, kt_shape shape) {
    if (!x || kt_shape_equal(&x->spec.shape, &shape)) return x;
    kt_node *n = kt_graph_add(g, &kt_opdef_broadcast, 1, &x, &(shape_attrs){shape});
    return n ? n->out[0] : NULL;
}
