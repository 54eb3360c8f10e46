/* one_hot: a new last axis of length depth with 1 at the index, all 0 for an index outside.
 * keras.ops.one_hot. Input int32, no gradient. */
#include "base/error.h"
#include "ops/build.h"

#include <string.h>

static kt_status one_hot_infer(const kt_node *n, kt_spec *out) {
    const one_hot_attrs *a = n->attrs;
    *out = (kt_spec){(kt_dtype)a->dtype, n->in[0]->spec.shape};
    if (n->in[0]->spec.dtype != KT_INT32)
        return KT_FAIL(KT_EDTYPE, "one_hot: expected int32 indices");
    if (a->depth < 1 || out->shape.ndim == KT_MAX_RANK)
        return KT_FAIL(
            KT_EINVAL, "one_hot: expected a positive depth, got %lld", (long long)a->depth);
    out->shape.dim[out->shape.ndim++] = a->depth;
    return KT_OK;
}

static kt_status one_hot_ref(const kt_kargs *k) {
    const one_hot_attrs *a = k->node->attrs;
    const int64_t n = kt_shape_size(&k->node->in[0]->spec.shape);
    const int32_t *index = k->in[0];
    memset(k->out[0], 0, (size_t)kt_spec_bytes(&k->node->out[0]->spec)); /* 0 in every dtype */
    for (int64_t i = 0; i < n; i++)
        if (index[i] >= 0 && index[i] < a->depth)
            kt_elem_set(k->out[0], (kt_dtype)a->dtype, i * a->depth + index[i], 1);
    return KT_OK;
}

static const kt_sample one_hot_samples[] = {
    {.in = {{.dim = {3, 2}, .dtype = KT_INT32}}, .attrs = &(one_hot_attrs){5, KT_FLOAT32}},
    {.in = {{.dim = {3}, .dtype = KT_INT32}},
     .attrs = &(one_hot_attrs){0, KT_FLOAT32},
     .want = KT_EINVAL},
    KT_SAMPLES_END};
static const kt_field one_hot_fields[] = {
    KT_F(one_hot_attrs, depth), KT_F_AS(one_hot_attrs, dtype, KT_FIELD_DTYPE), KT_F_END};

const kt_opdef kt_opdef_one_hot = {
    .name = "one_hot",
    .n_in = 1,
    .attrs_size = sizeof(one_hot_attrs),
    .attrs = one_hot_fields,
    .infer = one_hot_infer,
    .ref = {one_hot_ref, one_hot_ref, one_hot_ref},
    .samples = one_hot_samples,
};

kt_val *kt_g_one_hot(kt_graph *g, kt_val *index, int64_t depth, kt_dtype dtype) {
    kt_node *n = kt_graph_add(g, &kt_opdef_one_hot, 1, &index, &(one_hot_attrs){depth, dtype});
    return n ? n->out[0] : NULL;
}
