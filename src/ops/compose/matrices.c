/* Matrices in the last two axes: what the factorizations (cholesky.c, lu.c, qr.c, eigh.c, svd.c)
 * and their gradients share. */
#include "base/error.h"
#include "ops/build.h"

static kt_status wrong(const char *op, const kt_spec *x, const char *expected) {
    char got[KT_SHAPE_STR];
    KT_FAIL(KT_ESHAPE, "%s: the shape of the matrices", op);
    kt_error_expected("%s", expected);
    return kt_error_got("%s", kt_spec_str(x, got, sizeof got));
}

kt_status kt_matrices(const char *op, const kt_spec *x) {
    if (!kt_dtype_is_float(x->dtype)) {
        KT_FAIL(KT_EDTYPE, "%s: the dtype of the matrices", op);
        kt_error_expected("a floating one");
        return kt_error_got("%s", kt_dtype_name(x->dtype));
    }
    return x->shape.ndim < 2 ? wrong(op, x, "two axes or more") : KT_OK;
}

kt_status kt_square_matrices(const char *op, const kt_spec *x) {
    const kt_status st = kt_matrices(op, x);
    const int n = x->shape.ndim;
    if (st) return st;
    return x->shape.dim[n - 1] == x->shape.dim[n - 2] ? KT_OK : wrong(op, x, "square matrices");
}

kt_val *kt_g_triangle(kt_graph *g, kt_val *x, int64_t k, bool lower) {
    if (!x) return NULL;
    const kt_shape *s = &x->spec.shape;
    if (s->ndim < 2)
        return kt_graph_fail(g, KT_FAIL(KT_ESHAPE, "tril and triu: expected two axes"));
    const int64_t rows = s->dim[s->ndim - 2], columns = s->dim[s->ndim - 1];
    const kt_spec spec = {KT_BOOL, {2, {rows, columns}}};
    const int64_t bytes = kt_spec_bytes(&spec);
    unsigned char *keep = bytes < 0 ? NULL : kt_arena_alloc(g->arena, (size_t)bytes + 1);
    if (!keep) return kt_graph_fail(g, KT_ENOMEM);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            keep[i * columns + j] = lower ? j - i <= k : j - i >= k;
    kt_val *zero = kt_g_num(g, 0, x);
    return kt_g_select(g, kt_g_array(g, keep, spec), x, zero);
}

kt_val *kt_g_matrix_transpose(kt_graph *g, kt_val *x) {
    int perm[KT_MAX_RANK];
    if (!x) return NULL;
    const int n = x->spec.shape.ndim;
    for (int i = 0; i < n; i++) perm[i] = i < n - 2 ? i : 2 * n - 3 - i;
    return kt_g_transpose(g, x, perm);
}

kt_val *kt_g_unit_matrix(kt_graph *g, const kt_val *like, int64_t n) {
    if (!like) return NULL;
    kt_val *ones = kt_g_const(g, 1, (kt_spec){like->spec.dtype, {2, {n, n}}});
    return kt_g_triangle(g, kt_g_triangle(g, ones, 0, true), 0, false);
}

kt_val *kt_g_inverse_gaps(kt_graph *g, kt_val *w) {
    kt_val *gap = kt_g_sub(g, kt_g_expand_dims(g, w, -2), kt_g_expand_dims(g, w, -1));
    if (!gap) return NULL;
    kt_val *zero = kt_g_num(g, 0, gap), *none = kt_g_eq(g, gap, zero);
    return kt_g_select(
        g, none, zero, kt_g_reciprocal(g, kt_g_select(g, none, kt_g_num(g, 1, gap), gap)));
}
