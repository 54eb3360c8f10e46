/* svd: x = U diag(s) V^T over the last two axes, reduced: U [m, k], s [k] descending, V^T [k, n]
 * with k the smaller length. keras.ops.svd, and with it pinv, matrix_rank, lstsq.
 *
 * One-sided rotations (Hestenes) make the rows of the shorter side orthogonal; in double, on two
 * further outputs. Signs are arbitrary, but belong together in U and V^T. */
#define KT_REF_SELF "ops/svd.c"
#ifdef KT_T

/* g [k, len]: the shorter side's rows of x; rot [k, k]: what they were turned by. */
static void KT_REF(svd_one)(
    const T *x, T *u, T *s, T *vt, double *g, double *rot, int64_t m, int64_t n) {
    const int64_t k = m < n ? m : n, len = m < n ? n : m;
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < len; j++)
            g[i * len + j] = (double)(m < n ? x[i * n + j] : x[j * n + i]);
    for (int64_t i = 0; i < k * k; i++) rot[i] = i % (k + 1) == 0;
    svd_rotate(g, rot, k, len);
    for (int64_t i = 0; i < k; i++) s[i] = (T)sqrt(svd_dot(g + i * len, g + i * len, len));
    svd_normalize(g, k, len);
    /* in order: by insertion, of the rows in both */
    for (int64_t i = 1; i < k; i++)
        for (int64_t j = i; j > 0 && s[j] > s[j - 1]; j--) {
            const T moved = s[j];
            s[j] = s[j - 1];
            s[j - 1] = moved;
            svd_swap(g + j * len, len);
            svd_swap(rot + j * k, k);
        }
    const double *left = m < n ? rot : g, *right = m < n ? g : rot;
    for (int64_t i = 0; i < k; i++) {
        for (int64_t j = 0; j < m; j++) u[j * k + i] = (T)left[i * m + j];
        for (int64_t j = 0; j < n; j++) vt[i * n + j] = (T)right[i * n + j];
    }
}

static kt_status KT_REF(svd)(const kt_kargs *k) {
    const kt_shape *s = &k->node->in[0]->spec.shape;
    const int64_t m = s->dim[s->ndim - 2], n = s->dim[s->ndim - 1], r = m < n ? m : n;
    const int64_t count = kt_shape_range(s, 0, s->ndim - 2);
    for (int64_t i = 0; i < count; i++) KT_REF(svd_one)
    ((const T *)k->in[0] + i * m * n,
     (T *)k->out[0] + i * m * r,
     (T *)k->out[1] + i * r,
     (T *)k->out[2] + i * r * n,
     (double *)k->out[3] + i * m * n,
     (double *)k->out[4] + i * r * r,
     m,
     n);
    return KT_OK;
}

#else
#include "base/error.h"
#include "ops/build.h"

#include <math.h>

static double svd_dot(const double *a, const double *b, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}
/* A row and the one before it. */
static void svd_swap(double *row, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        const double moved = row[i];
        row[i] = row[i - n];
        row[i - n] = moved;
    }
}
static void svd_turn(double *a, double *b, int64_t n, double c, double s) {
    for (int64_t i = 0; i < n; i++) {
        const double x = a[i], y = b[i];
        a[i] = c * x - s * y;
        b[i] = s * x + c * y;
    }
}

static void svd_rotate(double *g, double *rot, int64_t k, int64_t len) {
    bool again = true;
    for (int sweep = 0; again && sweep < 60; sweep++) {
        again = false;
        for (int64_t p = 0; p < k; p++)
            for (int64_t q = p + 1; q < k; q++) {
                double *x = g + p * len, *y = g + q * len;
                const double a = svd_dot(x, x, len), b = svd_dot(y, y, len);
                const double both = svd_dot(x, y, len);
                if (!(fabs(both) > 1e-15 * sqrt(a * b))) continue;
                const double zeta = (b - a) / (2 * both);
                const double t = (zeta < 0 ? -1 : 1) / (fabs(zeta) + hypot(zeta, 1));
                const double c = 1 / hypot(t, 1);
                svd_turn(x, y, len, c, c * t);
                svd_turn(rot + p * k, rot + q * k, k, c, c * t);
                again = true;
            }
    }
}

/* A unit vector that is orthogonal to the other rows, for a row that has no direction. */
static void svd_complete(double *g, int64_t k, int64_t len, int64_t row) {
    double *to = g + row * len;
    for (int64_t i = 0; i < len; i++) {
        for (int64_t j = 0; j < len; j++) to[j] = j == i;
        for (int twice = 0; twice < 2; twice++)
            for (int64_t r = 0; r < k; r++) {
                const double part = r == row ? 0 : svd_dot(g + r * len, to, len);
                for (int64_t j = 0; j < len && r != row; j++) to[j] -= part * g[r * len + j];
            }
        const double size = svd_dot(to, to, len); /* of all i together: at least 1 */
        if (size * (double)len < 0.5) continue;
        for (int64_t j = 0; j < len; j++) to[j] /= sqrt(size);
        return;
    }
}

/* Rows of length 1; those that are nothing beside the largest one first become 0. */
static void svd_normalize(double *g, int64_t k, int64_t len) {
    double most = 0;
    for (int64_t i = 0; i < k; i++) {
        const double size = sqrt(svd_dot(g + i * len, g + i * len, len));
        if (size > most) most = size;
    }
    for (int64_t i = 0; i < k; i++) {
        const double size = sqrt(svd_dot(g + i * len, g + i * len, len));
        const bool none = size <= 1e-14 * most;
        for (int64_t j = 0; j < len; j++) g[i * len + j] = none ? 0 : g[i * len + j] / size;
    }
    for (int64_t i = 0; i < k; i++)
        if (svd_dot(g + i * len, g + i * len, len) == 0) svd_complete(g, k, len, i);
}

#include "ir/ref_types.h"

static kt_status svd_infer(const kt_node *n, kt_spec *out) {
    const kt_status st = kt_matrices("svd", &n->in[0]->spec);
    const int at = n->in[0]->spec.shape.ndim;
    for (int i = 0; i < 5; i++) out[i] = n->in[0]->spec;
    if (st) return st;
    const int64_t rows = out[0].shape.dim[at - 2], columns = out[0].shape.dim[at - 1];
    const int64_t k = rows < columns ? rows : columns;
    out[0].shape.dim[at - 1] = out[2].shape.dim[at - 2] = k;
    out[1].shape.ndim = at - 1;
    out[1].shape.dim[at - 2] = k;
    out[4].shape.dim[at - 2] = out[4].shape.dim[at - 1] = k;
    out[3].dtype = out[4].dtype = KT_FLOAT64;
    return KT_OK;
}

/* What the vectors of one side (columns of v, gradients dv) add: a matrix [k, k] between U and V^T
 * (turned is F o (V^T dV - dV^T V)), and the part of dv outside their span, over s. */
static kt_val *svd_turned(kt_graph *g, kt_val *s, kt_val *v, kt_val *dv) {
    kt_val *m = kt_g_matmul(g, v, dv, true, false);
    m = kt_g_sub(g, m, kt_g_matrix_transpose(g, m));
    return kt_g_mul(g, kt_g_inverse_gaps(g, kt_g_square(g, s)), m);
}
static kt_val *svd_outside(kt_graph *g, kt_val *s, kt_val *v, kt_val *dv) {
    kt_val *inside = kt_g_matmul(g, v, kt_g_matmul(g, v, dv, true, false), false, false);
    return kt_g_div(g, kt_g_sub(g, dv, inside), kt_g_expand_dims(g, s, -2));
}

static kt_status svd_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    kt_val *u = n->out[0], *s = n->out[1], *vt = n->out[2], *v = kt_g_matrix_transpose(g, vt);
    kt_val *row = kt_g_expand_dims(g, s, -2), *column = kt_g_expand_dims(g, s, -1);
    kt_val *zero = kt_g_num(g, 0, s), *mid = zero, *rest = zero;
    (void)want;
    if (!dy[0] && !dy[1] && !dy[2]) return KT_OK;
    if (dy[1])
        mid = kt_g_mul(
            g,
            kt_g_unit_matrix(g, s, s->spec.shape.dim[s->spec.shape.ndim - 1]),
            kt_g_expand_dims(g, dy[1], -1));
    if (dy[0]) {
        mid = kt_g_add(g, mid, kt_g_mul(g, svd_turned(g, s, u, dy[0]), row));
        rest = kt_g_matmul(g, svd_outside(g, s, u, dy[0]), vt, false, false);
    }
    if (dy[2]) {
        kt_val *dv = kt_g_matrix_transpose(g, dy[2]);
        mid = kt_g_add(g, mid, kt_g_mul(g, column, svd_turned(g, s, v, dv)));
        rest = kt_g_add(g, rest, kt_g_matmul(g, u, svd_outside(g, s, v, dv), false, true));
    }
    dx[0] = kt_g_add(
        g, rest, kt_g_matmul(g, kt_g_matmul(g, u, mid, false, false), vt, false, false));
    return g->status;
}

static const kt_sample svd_samples[] = {
    {.in = {{.dim = {2, 4, 3}}}, .steep = true},
    {.in = {{.dim = {3, 5}}}, .steep = true},
    {.in = {{.dim = {3}}}, .want = KT_ESHAPE},
    {.in = {{.dim = {3, 3}, .dtype = KT_INT32}}, .want = KT_EDTYPE},
    KT_SAMPLES_END};

const kt_opdef kt_opdef_svd = {
    .name = "svd",
    .n_in = 1,
    .n_out = 5,
    .n_main = 3,
    .infer = svd_infer,
    .vjp = svd_vjp,
    .ref = KT_REFS(svd),
    .samples = svd_samples,
};

kt_node *kt_g_svd(kt_graph *g, kt_val *x) {
    return x ? kt_graph_add(g, &kt_opdef_svd, 1, &x, NULL) : NULL;
}
#endif
