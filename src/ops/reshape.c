/* reshape: the same elements in C order under another shape; no copy. keras.ops.reshape */
#include "base/error.h"
#include "ops/build.h"

static kt_status reshape_infer(const kt_node *n, kt_spec *out) {
    const shape_attrs *a = n->attrs;
    *out = (kt_spec){n->in[0]->spec.dtype, a->shape};
    if (kt_shape_size(&a->shape) == kt_shape_size(&n->in[0]->spec.shape)) return KT_OK;
    char from[KT_SHAPE_STR], to[KT_SHAPE_STR];
    return KT_FAIL(
        KT_ESHAPE,
        "cannot reshape %s into %s",
        kt_shape_str(&n->in[0]->spec.shape, from, sizeof from),
        kt_shape_str(&a->shape, to, sizeof to));
}

static kt_status reshape_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    (void)want;
    dx[0] = kt_g_reshape(g, dy[0], n->in[0]->spec.shape);
    return g->status;
}

static const kt_sample reshape_samples[] = {
    {.in = {{.dim = {3, 4}}}, .attrs = &(shape_attrs){{3, {2, 2, 3}}}},
    {.in = {{.dim = {3, 4}}}, .attrs = &(shape_attrs){{1, {5}}}, .want = KT_ESHAPE},
    KT_SAMPLES_END};
static const kt_field reshape_fields[] = {KT_F(shape_attrs, shape), KT_F_END};

const kt_opdef kt_opdef_reshape = {
    .name = "reshape",
    .n_in = 1,
    .flags = KT_OP_ALIAS | KT_OP_TEXTS,
    .attrs_size = sizeof(shape_attrs),
    .attrs = reshape_fields,
    .infer = reshape_infer,
    .vjp = reshape_vjp,
    .samples = reshape_samples,
};

kt_val *kt_g_reshape(kt_graph *g, kt_val *x, kt_shape shape) {
    if (!x) return NULL;
    int open = -1;
    for (int i = 0; i < shape.ndim; i++)
        if (shape.dim[i] == -1) open = i;
    if (open >= 0) { /* where it cannot be, the message shows -1 */
        shape.dim[open] = 1;
        const int64_t size = kt_shape_size(&x->spec.shape), known = kt_shape_size(&shape);
        shape.dim[open] = known > 0 && size % known == 0 ? size / known : known ? -1 : 0;
    }
    if (kt_shape_equal(&x->spec.shape, &shape)) return x;
    kt_node *n = kt_graph_add(g, &kt_opdef_reshape, 1, &x, &(shape_attrs){shape});
    return n ? n->out[0] : NULL;
}
