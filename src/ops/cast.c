/* cast: another dtype, as C converts (float to integer truncates). keras.ops.cast */
#include "base/error.h"
#include "ops/build.h"

static kt_status cast_infer(const kt_node *n, kt_spec *out) {
    const cast_attrs *a = n->attrs;
    *out = n->in[0]->spec;
    out->dtype = (kt_dtype)a->dtype;
    if (a->dtype > KT_NO_DTYPE && a->dtype < KT_DTYPE_COUNT) return KT_OK;
    return KT_FAIL(KT_EDTYPE, "cast: unknown dtype %d", a->dtype);
}

static kt_status cast_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    (void)want;
    const bool both = kt_dtype_is_float(n->in[0]->spec.dtype) &&
                      kt_dtype_is_float(n->out[0]->spec.dtype);
    dx[0] = both ? kt_g_cast(g, dy[0], n->in[0]->spec.dtype) : NULL;
    return g->status;
}

static kt_status cast_ref(const kt_kargs *k) {
    const kt_spec *in = &k->node->in[0]->spec, *out = &k->node->out[0]->spec;
    kt_elem_convert(k->out[0], out->dtype, k->in[0], in->dtype, kt_shape_size(&in->shape));
    return KT_OK;
}

static const kt_sample cast_samples[] = {
    {.in = {{.dim = {3, 4}, .dtype = KT_UINT8}}, .attrs = &(cast_attrs){KT_FLOAT32}},
    {.in = {{.dim = {3, 4}, .high = 5}}, .attrs = &(cast_attrs){KT_INT32}},
    {.in = {{.dim = {3}}}, .attrs = &(cast_attrs){99}, .want = KT_EDTYPE},
    KT_SAMPLES_END};
static const kt_field cast_fields[] = {KT_F_AS(cast_attrs, dtype, KT_FIELD_DTYPE), KT_F_END};

const kt_opdef kt_opdef_cast = {
    .name = "cast",
    .n_in = 1,
    .flags = KT_OP_ELEMENTWISE,
    .attrs_size = sizeof(cast_attrs),
    .attrs = cast_fields,
    .infer = cast_infer,
    .vjp = cast_vjp,
    .ref = {cast_ref, cast_ref, cast_ref},
    .samples = cast_samples,
};

kt_val *kt_g_cast(kt_graph *g, kt_val *x, kt_dtype dtype) {
    if (!x || x->spec.dtype == dtype) return x;
    kt_node *n = kt_graph_add(g, &kt_opdef_cast, 1, &x, &(cast_attrs){dtype});
    return n ? n->out[0] : NULL;
}
