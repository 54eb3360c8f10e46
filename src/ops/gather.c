/* gather: rows of a table along axis 0, by int32 index of any shape. keras.ops.take(axis=0)
 * scatter_add: its gradient; rows of zeros with every update added at its index.
 *
 * An index outside the table is an error that names its position, never a read outside. */
#define KT_REF_SELF "ops/gather.c"
#ifdef KT_T

static kt_status KT_REF(scatter_add)(const kt_kargs *k) {
    const kt_shape *table = &k->node->out[0]->spec.shape;
    const int64_t n = kt_shape_size(&k->node->in[1]->spec.shape);
    const int64_t row = kt_shape_range(table, 1, table->ndim);
    const int32_t *index = k->in[1];
    const T *from = k->in[0];
    T *to = k->out[0];
    memset(to, 0, sizeof(T) * (size_t)kt_shape_size(table));
    for (int64_t i = 0; i < n; i++) {
        if (index[i] < 0 || index[i] >= table->dim[0])
            return kt_index_error(&k->node->in[1]->spec.shape, i, index[i], table->dim[0]);
        for (int64_t j = 0; j < row; j++) to[index[i] * row + j] += from[i * row + j];
    }
    return KT_OK;
}

#else
#include "base/error.h"
#include "ops/build.h"

#include "ir/ref_types.h"

/* Position `at` of the index array, as (row, column, …). */
kt_status kt_index_error(const kt_shape *s, int64_t at, int64_t index, int64_t n_rows) {
    char where[KT_SHAPE_STR];
    kt_shape place = *s;
    for (int d = s->ndim; d-- > 0; at /= s->dim[d]) place.dim[d] = at % s->dim[d];
    KT_FAIL(KT_EINVAL, "an index is out of range");
    kt_error_expected("0 to %lld (the rows of the table)", (long long)n_rows - 1);
    kt_error_got(
        "%lld at position %s", (long long)index, kt_shape_str(&place, where, sizeof where));
    return kt_error_hint("is input_dim of the embedding the largest id plus one?");
}

static kt_status gather_infer(const kt_node *n, kt_spec *out) {
    const kt_shape *table = &n->in[0]->spec.shape;
    *out = (kt_spec){n->in[0]->spec.dtype, n->in[1]->spec.shape};
    if (n->in[1]->spec.dtype != KT_INT32)
        return KT_FAIL(KT_EDTYPE, "gather: expected int32 indices");
    if (table->ndim < 1 || out->shape.ndim + table->ndim - 1 > KT_MAX_RANK)
        return KT_FAIL(KT_ESHAPE, "gather: too many or too few axes");
    for (int i = 1; i < table->ndim; i++) out->shape.dim[out->shape.ndim++] = table->dim[i];
    return KT_OK;
}

static kt_status gather_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    if (want[0]) dx[0] = kt_g_scatter_add(g, dy[0], n->in[1], n->in[0]->spec.shape);
    return g->status;
}

static kt_status gather_ref(const kt_kargs *k) {
    const kt_shape *table = &k->node->in[0]->spec.shape;
    const int64_t n = kt_shape_size(&k->node->in[1]->spec.shape);
    const size_t row = (size_t)kt_shape_range(table, 1, table->ndim) *
                       kt_dtype_size(k->node->in[0]->spec.dtype);
    const int32_t *index = k->in[1];
    for (int64_t i = 0; i < n; i++) {
        if (index[i] < 0 || index[i] >= table->dim[0])
            return kt_index_error(&k->node->in[1]->spec.shape, i, index[i], table->dim[0]);
        memcpy(
            (char *)k->out[0] + (size_t)i * row,
            (const char *)k->in[0] + (size_t)index[i] * row,
            row);
    }
    return KT_OK;
}

static kt_status scatter_add_any(const kt_kargs *k) {
    const kt_spec *table = &k->node->out[0]->spec;
    const int64_t n = kt_shape_size(&k->node->in[1]->spec.shape);
    const int64_t row = kt_shape_range(&table->shape, 1, table->shape.ndim);
    const int32_t *index = k->in[1];
    memset(k->out[0], 0, (size_t)kt_spec_bytes(table));
    for (int64_t i = 0; i < n; i++) {
        if (index[i] < 0 || index[i] >= table->shape.dim[0])
            return kt_index_error(&k->node->in[1]->spec.shape, i, index[i], table->shape.dim[0]);
        for (int64_t j = 0; j < row; j++) {
            const int64_t at = index[i] * row + j;
            const double sum = kt_elem_get(k->out[0], table->dtype, at) +
                               kt_elem_get(k->in[0], table->dtype, i * row + j);
            kt_elem_set(k->out[0], table->dtype, at, sum);
        }
    }
    return KT_OK;
}

static kt_status scatter_add_infer(const kt_node *n, kt_spec *out) {
    const kt_shape *table = &((const shape_attrs *)n->attrs)->shape;
    *out = (kt_spec){n->in[0]->spec.dtype, *table};
    kt_shape updates = n->in[1]->spec.shape; /* one row of the table for each index */
    if (n->in[1]->spec.dtype != KT_INT32)
        return KT_FAIL(KT_EDTYPE, "scatter_add: expected int32 indices");
    if (table->ndim < 1 || updates.ndim + table->ndim - 1 > KT_MAX_RANK)
        return KT_FAIL(KT_ESHAPE, "scatter_add: too many or too few axes");
    for (int i = 1; i < table->ndim; i++) updates.dim[updates.ndim++] = table->dim[i];
    if (kt_shape_equal(&updates, &n->in[0]->spec.shape)) return KT_OK;
    return KT_FAIL(KT_ESHAPE, "scatter_add: updates are not one row for each index");
}

static kt_status scatter_add_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    if (want[0]) dx[0] = kt_g_gather(g, dy[0], n->in[1]);
    return g->status;
}

static const kt_sample gather_samples[] = {
    {.in = {{.dim = {6, 3}}, {.dim = {2, 4}, .dtype = KT_INT32}}},
    {.in = {{.dim = {4}}, {.dim = {5}, .dtype = KT_INT32}}},
    {.in = {{.dim = {4}}, {.dim = {5}}}, .want = KT_EDTYPE},
    KT_SAMPLES_END};
static const kt_sample scatter_add_samples[] = {
    {.in = {{.dim = {5, 3}}, {.dim = {5}, .dtype = KT_INT32}},
     .attrs = &(shape_attrs){{2, {6, 3}}}},
    {.in = {{.dim = {5, 3}, .dtype = KT_INT32}, {.dim = {5}, .dtype = KT_INT32}},
     .attrs = &(shape_attrs){{2, {6, 3}}}},
    {.in = {{.dim = {5, 2}}, {.dim = {5}, .dtype = KT_INT32}},
     .attrs = &(shape_attrs){{2, {6, 3}}},
     .want = KT_ESHAPE},
    KT_SAMPLES_END};
static const kt_field scatter_add_fields[] = {KT_F(shape_attrs, shape), KT_F_END};

const kt_opdef kt_opdef_gather = {
    .name = "gather",
    .n_in = 2,
    .flags = KT_OP_TEXTS,
    .infer = gather_infer,
    .vjp = gather_vjp,
    .ref = {gather_ref, gather_ref, gather_ref},
    .samples = gather_samples,
};
const kt_opdef kt_opdef_scatter_add = {
    .name = "scatter_add",
    .n_in = 2,
    .attrs_size = sizeof(shape_attrs),
    .attrs = scatter_add_fields,
    .infer = scatter_add_infer,
    .vjp = scatter_add_vjp,
    .ref = {scatter_add_float, scatter_add_double, scatter_add_any},
    .samples = scatter_add_samples,
};

kt_val *kt_g_gather(kt_graph *g, kt_val *table, kt_val *index) {
    kt_val *in[2] = {table, index};
    kt_node *n = kt_graph_add(g, &kt_opdef_gather, 2, in, NULL);
    return n ? n->out[0] : NULL;
}

kt_val *kt_g_scatter_add(kt_graph *g, kt_val *updates, kt_val *index, kt_shape table_shape) {
    kt_val *in[2] = {updates, index};
    kt_node *n = kt_graph_add(g, &kt_opdef_scatter_add, 2, in, &(shape_attrs){table_shape});
    return n ? n->out[0] : NULL;
}
#endif
