/* lu: P (x + shift) = L U with the largest pivots, over the last two axes: L (below the diagonal of
 * ones) and U in one matrix, the row of x in each row of P x as int32, and the sign of P.
 * keras.ops.lu_factor, and with solve_triangular det, slogdet, inv, solve. */
#define KT_REF_SELF "ops/lu.c"
#ifdef KT_T

static void KT_REF(lu_one)(T *a, int32_t *row, T *sign, int64_t m, int64_t n) {
    *sign = 1;
    for (int64_t i = 0; i < m; i++) row[i] = (int32_t)i;
    for (int64_t p = 0; p < m && p < n; p++) {
        int64_t best = p;
        for (int64_t i = p + 1; i < m; i++)
            if (M(fabs)(a[i * n + p]) > M(fabs)(a[best * n + p])) best = i;
        if (best != p) {
            for (int64_t j = 0; j < n; j++) {
                const T moved = a[p * n + j];
                a[p * n + j] = a[best * n + j];
                a[best * n + j] = moved;
            }
            const int32_t from = row[p];
            row[p] = row[best];
            row[best] = from;
            *sign = -*sign;
        }
        if (a[p * n + p] == 0) continue; /* the column is zero below, too */
        for (int64_t i = p + 1; i < m; i++) {
            const T f = a[i * n + p] / a[p * n + p];
            a[i * n + p] = f;
            for (int64_t j = p + 1; j < n; j++) a[i * n + j] -= f * a[p * n + j];
        }
    }
}

static kt_status KT_REF(lu)(const kt_kargs *k) {
    const kt_shape *s = &k->node->in[0]->spec.shape;
    const int64_t m = s->dim[s->ndim - 2], n = s->dim[s->ndim - 1];
    const int64_t count = kt_shape_range(s, 0, s->ndim - 2);
    const T shift = (T)((const cholesky_attrs *)k->node->attrs)->shift;
    T *a = k->out[0];
    for (int64_t i = 0; i < count; i++) {
        for (int64_t e = 0; e < m * n; e++)
            a[i * m * n + e] = ((const T *)k->in[0])[i * m * n + e] + (e % (n + 1) ? 0 : shift);
        KT_REF(lu_one)(a + i * m * n, (int32_t *)k->out[1] + i * m, (T *)k->out[2] + i, m, n);
    }
    return KT_OK;
}

#else
#include "base/error.h"
#include "ops/build.h"

#include "ir/ref_types.h"

static kt_status lu_infer(const kt_node *n, kt_spec *out) {
    const kt_status st = kt_matrices("lu_factor", &n->in[0]->spec);
    for (int i = 0; i < 3; i++) out[i] = n->in[0]->spec;
    if (st) return st;
    out[1].dtype = KT_INT32;
    out[1].shape.ndim -= 1;
    out[2].shape.ndim -= 2;
    return KT_OK;
}

/* dx = P^T L^-T (below(L^T dL) + above(dU U^T)) U^-T, the diagonal with the second. */
static kt_status lu_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    const triangular_attrs lower = {.lower = true, .trans = true, .unit = true}, upper = {0};
    kt_val *y = n->out[0];
    const kt_shape *s = &y->spec.shape;
    (void)want;
    if (!dy[0]) return KT_OK;
    if (s->dim[s->ndim - 1] != s->dim[s->ndim - 2])
        return KT_FAIL(KT_EUNSUPPORTED, "lu_factor: the gradient of matrices that are not square");
    kt_val *l = kt_g_triangle(g, y, -1, true), *u = kt_g_triangle(g, y, 0, false);
    kt_val *dl = kt_g_triangle(g, dy[0], -1, true), *du = kt_g_triangle(g, dy[0], 0, false);
    /* L has ones on its diagonal, which L^T dL misses only on and above the diagonal's own rows */
    kt_val *below = kt_g_add(g, kt_g_matmul(g, l, dl, true, false), dl);
    kt_val *p = kt_g_add(
        g,
        kt_g_triangle(g, below, -1, true),
        kt_g_triangle(g, kt_g_matmul(g, du, u, false, true), 0, false));
    p = kt_g_solve_triangular(g, y, p, &lower);
    p = kt_g_matrix_transpose(g, kt_g_solve_triangular(g, y, kt_g_matrix_transpose(g, p), &upper));
    kt_val *back = kt_g_argsort(g, n->out[1], -1, KT_NONE, false);
    dx[0] = kt_g_take_along(g, p, kt_g_expand_dims(g, back, -1), s->ndim - 2, false);
    return g->status;
}

static const kt_sample lu_samples[] = {
    {.in = {{.dim = {2, 4, 4}}}, .attrs = &(cholesky_attrs){3}, .steep = true},
    {.in = {{.dim = {3, 3}}}, .attrs = &(cholesky_attrs){0}, .steep = true},
    {.in = {{.dim = {2, 3, 5}}}, .attrs = &(cholesky_attrs){0}, .no_grad = true, .steep = true},
    {.in = {{.dim = {5, 3}}}, .attrs = &(cholesky_attrs){0}, .no_grad = true, .steep = true},
    {.in = {{.dim = {3}}}, .attrs = &(cholesky_attrs){0}, .want = KT_ESHAPE},
    {.in = {{.dim = {3, 3}, .dtype = KT_INT32}}, .attrs = &(cholesky_attrs){0}, .want = KT_EDTYPE},
    KT_SAMPLES_END};
static const kt_field lu_fields[] = {KT_F(cholesky_attrs, shift), KT_F_END};

const kt_opdef kt_opdef_lu = {
    .name = "lu",
    .n_in = 1,
    .n_out = 3,
    .attrs_size = sizeof(cholesky_attrs),
    .attrs = lu_fields,
    .infer = lu_infer,
    .vjp = lu_vjp,
    .ref = KT_REFS(lu),
    .samples = lu_samples,
};

kt_node *kt_g_lu(kt_graph *g, kt_val *x) {
    return x ? kt_graph_add(g, &kt_opdef_lu, 1, &x, &(cholesky_attrs){0}) : NULL;
}
#endif
