/* sparse_to_dense: a sparse matrix [rows, width] as an array.
 * sparse_matmul: its product with B, S B or (ta) S^T B.
 *
 * The matrix is in compressed rows: row r has value[k] in column index[k] for k from offset[r] to
 * offset[r + 1] - 1, of [cap] places that are not all in use; offsets outside 0 … cap count as the
 * nearest of them. What occurs twice is added. A column outside the matrix is an error.
 *
 * A multi-hot batch of texts is a hundred numbers a row and not ten thousand. The matrix is data,
 * so nothing flows back to it: no gradient. The model is traced with sparse_to_dense, and
 * passes/sparse.c turns the products with it, both ways, into sparse_matmul. */
#define KT_REF_SELF "ops/sparse.c"
#ifdef KT_T

static kt_status KT_REF(sparse_to_dense)(const kt_kargs *k) {
    const sparse_view s = view_of(k->node, k->in);
    memset(k->out[0], 0, sizeof(T) * (size_t)(s.rows * s.width));
    for (int64_t r = 0; r < s.rows; r++) {
        for (int64_t i = row_begin(&s, r); i < row_begin(&s, r + 1); i++) {
            if (s.index[i] < 0 || s.index[i] >= s.width) return column_error(&s, r, s.index[i]);
            ((T *)k->out[0])[r * s.width + s.index[i]] += ((const T *)k->in[0])[i];
        }
    }
    return KT_OK;
}

static kt_status KT_REF(sparse_matmul)(const kt_kargs *k) {
    const sparse_view s = view_of(k->node, k->in);
    const bool ta = ((const sparse_attrs *)k->node->attrs)->ta;
    const int64_t n = k->node->out[0]->spec.shape.dim[1];
    const T *value = k->in[0], *b = k->in[3];
    T *out = k->out[0];
    memset(out, 0, sizeof(T) * (size_t)kt_shape_size(&k->node->out[0]->spec.shape));
    for (int64_t r = 0; r < s.rows; r++) {
        for (int64_t i = row_begin(&s, r); i < row_begin(&s, r + 1); i++) {
            if (s.index[i] < 0 || s.index[i] >= s.width) return column_error(&s, r, s.index[i]);
            const int64_t from = ta ? r : s.index[i], to = ta ? s.index[i] : r;
            for (int64_t j = 0; j < n; j++) out[to * n + j] += value[i] * b[from * n + j];
        }
    }
    return KT_OK;
}

#else
#include "base/error.h"
#include "ops/build.h"

typedef struct {
    int64_t rows, cap, width;
    const int32_t *offset, *index;
} sparse_view;

static sparse_view view_of(const kt_node *n, void *const *in) {
    return (sparse_view){
        n->in[1]->spec.shape.dim[0] - 1,
        n->in[0]->spec.shape.dim[0],
        ((const sparse_attrs *)n->attrs)->width,
        in[1],
        in[2]};
}

static int64_t row_begin(const sparse_view *s, int64_t r) {
    const int64_t at = s->offset[r];
    return at < 0 ? 0 : at > s->cap ? s->cap : at;
}

static kt_status column_error(const sparse_view *s, int64_t row, int64_t column) {
    KT_FAIL(KT_EINVAL, "a column of a sparse matrix is out of range");
    kt_error_expected("0 to %lld", (long long)s->width - 1);
    return kt_error_got("%lld in row %lld", (long long)column, (long long)row);
}

#include "ir/ref_types.h"

static kt_status check_sparse(const kt_node *n) {
    const kt_spec *value = &n->in[0]->spec, *offset = &n->in[1]->spec, *index = &n->in[2]->spec;
    if (offset->dtype != KT_INT32 || index->dtype != KT_INT32)
        return KT_FAIL(KT_EDTYPE, "%s: expected int32 offsets and columns", n->op->name);
    if (value->shape.ndim == 1 && kt_shape_equal(&value->shape, &index->shape) &&
        offset->shape.ndim == 1 && offset->shape.dim[0] >= 1 && value->shape.dim[0] <= INT32_MAX &&
        ((const sparse_attrs *)n->attrs)->width >= 0 &&
        ((const sparse_attrs *)n->attrs)->width <= INT32_MAX)
        return KT_OK;
    return KT_FAIL(
        KT_ESHAPE, "%s: expected [cap] values, [rows + 1] offsets, [cap] columns", n->op->name);
}

static kt_status sparse_to_dense_infer(const kt_node *n, kt_spec *out) {
    const kt_status st = check_sparse(n);
    if (st) return st;
    const int64_t rows = n->in[1]->spec.shape.dim[0] - 1;
    *out = (kt_spec){n->in[0]->spec.dtype, {2, {rows, ((const sparse_attrs *)n->attrs)->width}}};
    return KT_OK;
}

static kt_status sparse_matmul_infer(const kt_node *n, kt_spec *out) {
    const kt_status st = check_sparse(n);
    if (st) return st;
    const sparse_attrs *a = n->attrs;
    const kt_shape *b = &n->in[3]->spec.shape;
    const int64_t rows = n->in[1]->spec.shape.dim[0] - 1;
    if (n->in[3]->spec.dtype != n->in[0]->spec.dtype || b->ndim != 2 ||
        b->dim[0] != (a->ta ? rows : a->width))
        return KT_FAIL(KT_ESHAPE, "sparse_matmul: shapes do not go together");
    *out = (kt_spec){n->in[0]->spec.dtype, {2, {a->ta ? a->width : rows, b->dim[1]}}};
    return KT_OK;
}

#define OFFSETS(n)                                                                                 \
    { .dim = {n}, .dtype = KT_INT32, .low = 0, .high = 9 }
#define COLUMNS(n)                                                                                 \
    { .dim = {n}, .dtype = KT_INT32, .low = 0, .high = 6 }
static const kt_sample sparse_to_dense_samples[] = {
    {.in = {{.dim = {8}}, OFFSETS(5), COLUMNS(8)}, .attrs = &(sparse_attrs){.width = 6}},
    {.in = {{.dim = {8}}, OFFSETS(5), COLUMNS(7)},
     .attrs = &(sparse_attrs){.width = 6},
     .want = KT_ESHAPE},
    {.in = {{.dim = {8}}, {.dim = {5}}, COLUMNS(8)},
     .attrs = &(sparse_attrs){.width = 6},
     .want = KT_EDTYPE},
    KT_SAMPLES_END};
static const kt_sample sparse_matmul_samples[] = {
    {.in = {{.dim = {8}}, OFFSETS(5), COLUMNS(8), {.dim = {6, 3}}},
     .attrs = &(sparse_attrs){.width = 6}},
    {.in = {{.dim = {8}}, OFFSETS(5), COLUMNS(8), {.dim = {6, 37}}},
     .attrs = &(sparse_attrs){.width = 6}},
    {.in = {{.dim = {8}}, OFFSETS(5), COLUMNS(8), {.dim = {4, 3}}},
     .attrs = &(sparse_attrs){.width = 6, .ta = true}},
    {.in = {{.dim = {1}}, OFFSETS(2), COLUMNS(1), {.dim = {1, 80}}},
     .attrs = &(sparse_attrs){.width = 6, .ta = true}},
    {.in = {{.dim = {8}}, OFFSETS(5), COLUMNS(8), {.dim = {5, 3}}},
     .attrs = &(sparse_attrs){.width = 6, .ta = true},
     .want = KT_ESHAPE},
    KT_SAMPLES_END};
static const kt_field sparse_fields[] = {
    KT_F(sparse_attrs, width), KT_F(sparse_attrs, ta), KT_F_END};

const kt_opdef kt_opdef_sparse_to_dense = {
    .name = "sparse_to_dense",
    .n_in = 3,
    .attrs_size = sizeof(sparse_attrs),
    .attrs = sparse_fields,
    .infer = sparse_to_dense_infer,
    .ref = KT_REFS(sparse_to_dense),
    .samples = sparse_to_dense_samples,
};
const kt_opdef kt_opdef_sparse_matmul = {
    .name = "sparse_matmul",
    .n_in = 4,
    .attrs_size = sizeof(sparse_attrs),
    .attrs = sparse_fields,
    .infer = sparse_matmul_infer,
    .ref = KT_REFS(sparse_matmul),
    .samples = sparse_matmul_samples,
};

kt_val *kt_g_sparse_to_dense(
    kt_graph *g, kt_val *value, kt_val *offset, kt_val *index, int64_t width) {
    kt_val *in[3] = {value, offset, index};
    kt_node *n = kt_graph_add(g, &kt_opdef_sparse_to_dense, 3, in, &(sparse_attrs){width, false});
    return n ? n->out[0] : NULL;
}

kt_val *kt_g_sparse_matmul(kt_graph *g, kt_val *const *sparse, kt_val *b, int64_t width, bool ta) {
    kt_val *in[4] = {sparse[0], sparse[1], sparse[2], b};
    kt_node *n = kt_graph_add(g, &kt_opdef_sparse_matmul, 4, in, &(sparse_attrs){width, ta});
    return n ? n->out[0] : NULL;
}
#endif
