/* cholesky: L of L L^T = (x + x^T) / 2 + shift, for the last two axes. keras.ops.cholesky
 *
 * A primitive, as a loop over columns is no composition. Both triangles are read, so that the
 * gradient is symmetric, as TensorFlow and JAX have it. A matrix that is not positive definite is
 * an error when it runs. */
#define KT_REF_SELF "ops/cholesky.c"
#ifdef KT_T

/* Column j of the row i, once all before it are there. */
static bool KT_REF(cholesky_one)(const T *a, T *l, int64_t n, double shift) {
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j <= i; j++) {
            double s = 0.5 * ((double)a[i * n + j] + (double)a[j * n + i]) + (i == j ? shift : 0);
            for (int64_t p = 0; p < j; p++) s -= (double)l[i * n + p] * (double)l[j * n + p];
            if (i == j && !(s > 0)) return false;
            l[i * n + j] = (T)(i == j ? sqrt(s) : s / (double)l[j * n + j]);
        }
        for (int64_t j = i + 1; j < n; j++) l[i * n + j] = 0;
    }
    return true;
}

static kt_status KT_REF(cholesky)(const kt_kargs *k) {
    const kt_shape *s = &k->node->in[0]->spec.shape;
    const int64_t n = s->dim[s->ndim - 1], count = kt_shape_range(s, 0, s->ndim - 2);
    const double shift = ((const cholesky_attrs *)k->node->attrs)->shift;
    for (int64_t i = 0; i < count; i++)
        if (!KT_REF(cholesky_one)(
                (const T *)k->in[0] + i * n * n, (T *)k->out[0] + i * n * n, n, shift))
            return KT_FAIL(
                KT_EINVAL, "cholesky: matrix %lld is not positive definite", (long long)i);
    return KT_OK;
}

#else
#include "base/error.h"
#include "ops/build.h"

#include "ir/ref_types.h"

static kt_status cholesky_infer(const kt_node *n, kt_spec *out) {
    *out = n->in[0]->spec;
    return kt_square_matrices("cholesky", out);
}

/* S = L^-T phi(L^T dL) L^-1, and half of S + S^T; phi: the lower triangle, half of the diagonal. */
static kt_status cholesky_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    const triangular_attrs back = {.lower = true, .trans = true};
    kt_val *l = n->out[0];
    (void)want;
    kt_val *p = kt_g_triangle(g, kt_g_matmul(g, l, dy[0], true, false), 0, true);
    p = kt_g_sub(g, p, kt_g_scale(g, kt_g_sub(g, p, kt_g_triangle(g, p, -1, true)), 0.5));
    p = kt_g_matrix_transpose(g, kt_g_solve_triangular(g, l, p, &back));
    p = kt_g_solve_triangular(g, l, p, &back); /* S^T: the other side */
    dx[0] = kt_g_scale(g, kt_g_add(g, p, kt_g_matrix_transpose(g, p)), 0.5);
    return g->status;
}

static const kt_sample cholesky_samples[] = {
    {.in = {{.dim = {2, 4, 4}}}, .attrs = &(cholesky_attrs){9}, .steep = true},
    {.in = {{.dim = {3, 3}}}, .attrs = &(cholesky_attrs){9}, .steep = true},
    {.in = {{.dim = {3, 4}}}, .attrs = &(cholesky_attrs){9}, .want = KT_ESHAPE},
    {.in = {{.dim = {3, 3}, .dtype = KT_INT32}}, .attrs = &(cholesky_attrs){9}, .want = KT_EDTYPE},
    KT_SAMPLES_END};
static const kt_field cholesky_fields[] = {KT_F(cholesky_attrs, shift), KT_F_END};

const kt_opdef kt_opdef_cholesky = {
    .name = "cholesky",
    .n_in = 1,
    .attrs_size = sizeof(cholesky_attrs),
    .attrs = cholesky_fields,
    .infer = cholesky_infer,
    .vjp = cholesky_vjp,
    .ref = KT_REFS(cholesky),
    .samples = cholesky_samples,
};

kt_val *kt_g_cholesky(kt_graph *g, kt_val *x) {
    if (!x) return NULL;
    kt_node *n = kt_graph_add(g, &kt_opdef_cholesky, 1, &x, &(cholesky_attrs){0});
    return n ? n->out[0] : NULL;
}
#endif
