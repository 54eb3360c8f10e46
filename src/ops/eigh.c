/* eigh: eigenvalues, ascending, and eigenvectors (columns) of (x + x^T) / 2, over the last two
 * axes. keras.ops.eigh
 *
 * Jacobi's rotations: short, and as exact as it gets. They work in double on two further outputs.
 * The sign of a vector is arbitrary, as everywhere. */
#define KT_REF_SELF "ops/eigh.c"
#ifdef KT_T

static void KT_REF(eigh_one)(const T *x, T *w, T *v, double *a, double *r, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            a[i * n + j] = 0.5 * ((double)x[i * n + j] + (double)x[j * n + i]);
            r[i * n + j] = i == j;
        }
    if (!eigh_rotate(a, r, n)) {
        for (int64_t i = 0; i < n; i++) w[i] = (T)NAN;
        for (int64_t i = 0; i < n * n; i++) v[i] = (T)NAN;
        return;
    }
    for (int64_t i = 0; i < n; i++) { /* its place: how many are smaller, or equal and before it */
        int64_t at = 0;
        for (int64_t j = 0; j < n; j++)
            at += a[j * n + j] < a[i * n + i] || (a[j * n + j] == a[i * n + i] && j < i);
        w[at] = (T)a[i * n + i];
        for (int64_t j = 0; j < n; j++) v[j * n + at] = (T)r[i * n + j];
    }
}

static kt_status KT_REF(eigh)(const kt_kargs *k) {
    const kt_shape *s = &k->node->in[0]->spec.shape;
    const int64_t n = s->dim[s->ndim - 1], count = kt_shape_range(s, 0, s->ndim - 2);
    for (int64_t i = 0; i < count; i++) KT_REF(eigh_one)
    ((const T *)k->in[0] + i * n * n,
     (T *)k->out[0] + i * n,
     (T *)k->out[1] + i * n * n,
     (double *)k->out[2] + i * n * n,
     (double *)k->out[3] + i * n * n,
     n);
    return KT_OK;
}

#else
#include "base/error.h"
#include "ops/build.h"

#include <math.h>

/* Rows p and q of both, and columns p and q of a, turned so that a[p][q] goes away. */
static void rotate(double *a, double *r, int64_t n, int64_t p, int64_t q) {
    const double zeta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
    const double t = (zeta < 0 ? -1 : 1) / (fabs(zeta) + hypot(zeta, 1));
    const double c = 1 / hypot(t, 1), s = c * t;
    for (int64_t i = 0; i < n; i++) {
        const double x = a[i * n + p], y = a[i * n + q];
        a[i * n + p] = c * x - s * y;
        a[i * n + q] = s * x + c * y;
    }
    for (int64_t i = 0; i < n; i++) {
        const double x = a[p * n + i], y = a[q * n + i], u = r[p * n + i], v = r[q * n + i];
        a[p * n + i] = c * x - s * y;
        a[q * n + i] = s * x + c * y;
        r[p * n + i] = c * u - s * v;
        r[q * n + i] = s * u + c * v;
    }
    a[p * n + q] = a[q * n + p] = 0;
}

/* Convergence is quadratic: some ten sweeps. False: there are infinities or NaN. */
static bool eigh_rotate(double *a, double *r, int64_t n) {
    for (int sweep = 0; sweep < 50; sweep++) {
        double off = 0, all = 0;
        for (int64_t i = 0; i < n * n; i++) {
            all += a[i] * a[i];
            if (i / n != i % n) off += a[i] * a[i];
        }
        if (!isfinite(all)) return false;
        if (off <= 1e-32 * all) break;
        for (int64_t p = 0; p < n; p++)
            for (int64_t q = p + 1; q < n; q++)
                if (a[p * n + q] * a[p * n + q] > 1e-36 * all) rotate(a, r, n, p, q);
    }
    return true;
}

#include "ir/ref_types.h"

static kt_status eigh_infer(const kt_node *n, kt_spec *out) {
    const kt_status st = kt_square_matrices("eigh", &n->in[0]->spec);
    for (int i = 0; i < 4; i++) out[i] = n->in[0]->spec;
    if (st) return st;
    out[0].shape.ndim -= 1;
    out[2].dtype = out[3].dtype = KT_FLOAT64;
    return KT_OK;
}

/* V (diag(dw) + F o V^T dV) V^T with F = 1 / (w_j - w_i), and the mean with its transpose. */
static kt_status eigh_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    kt_val *w = n->out[0], *v = n->out[1], *m = NULL;
    (void)want;
    if (!dy[0] && !dy[1]) return KT_OK;
    if (dy[0])
        m = kt_g_mul(
            g,
            kt_g_unit_matrix(g, w, w->spec.shape.dim[w->spec.shape.ndim - 1]),
            kt_g_expand_dims(g, dy[0], -1));
    if (dy[1]) {
        kt_val *own = kt_g_mul(g, kt_g_inverse_gaps(g, w), kt_g_matmul(g, v, dy[1], true, false));
        m = m ? kt_g_add(g, m, own) : own;
    }
    m = kt_g_matmul(g, kt_g_matmul(g, v, m, false, false), v, false, true);
    dx[0] = kt_g_scale(g, kt_g_add(g, m, kt_g_matrix_transpose(g, m)), 0.5);
    return g->status;
}

static const kt_sample eigh_samples[] = {
    {.in = {{.dim = {2, 4, 4}}}, .steep = true},
    {.in = {{.dim = {3, 3}}}, .steep = true},
    {.in = {{.dim = {3, 4}}}, .want = KT_ESHAPE},
    {.in = {{.dim = {3, 3}, .dtype = KT_INT32}}, .want = KT_EDTYPE},
    KT_SAMPLES_END};

const kt_opdef kt_opdef_eigh = {
    .name = "eigh",
    .n_in = 1,
    .n_out = 4,
    .n_main = 2,
    .infer = eigh_infer,
    .vjp = eigh_vjp,
    .ref = KT_REFS(eigh),
    .samples = eigh_samples,
};

kt_node *kt_g_eigh(kt_graph *g, kt_val *x) {
    return x ? kt_graph_add(g, &kt_opdef_eigh, 1, &x, NULL) : NULL;
}
#endif
