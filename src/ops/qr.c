/* qr: x = Q R by Householder reflections, over the last two axes; the diagonal of R has the signs
 * that LAPACK's has. complete: Q is square. A third output is where the reflections lie.
 * keras.ops.qr */
#define KT_REF_SELF "ops/qr.c"
#ifdef KT_T

/* Columns c … of w [m, n]: w -= v (v^T w) 2 / v^T v, where v begins at row p. */
static void KT_REF(reflect)(
    T *w, int64_t m, int64_t n, const T *v, int64_t step, int64_t p, double vv) {
    for (int64_t c = 0; c < n && vv > 0; c++) {
        double dot = 0;
        for (int64_t i = p; i < m; i++) dot += (double)v[i * step] * (double)w[i * n + c];
        for (int64_t i = p; i < m; i++)
            w[i * n + c] = (T)((double)w[i * n + c] - 2 * dot / vv * (double)v[i * step]);
    }
}

static void KT_REF(qr_one)(
    const T *x, T *q, T *r, T *v, int64_t m, int64_t n, int64_t q_cols, int64_t r_rows) {
    /* v [m, n] gets the reflections as its columns; what is left of x goes through r's rows */
    for (int64_t i = 0; i < m * n; i++) v[i] = x[i];
    for (int64_t i = 0; i < r_rows * n; i++) r[i] = 0;
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < q_cols; j++) q[i * q_cols + j] = i == j;
    const int64_t k = m < n ? m : n;
    for (int64_t p = 0; p < n; p++) {
        for (int64_t e = 0; e < p && e < k; e++) { /* the reflections so far, on this column */
            double dot = 0, vv = 0;
            for (int64_t i = e; i < m; i++) dot += (double)v[i * n + e] * (double)v[i * n + p];
            for (int64_t i = e; i < m; i++) vv += (double)v[i * n + e] * (double)v[i * n + e];
            for (int64_t i = e; i < m && vv > 0; i++)
                v[i * n + p] = (T)((double)v[i * n + p] - 2 * dot / vv * (double)v[i * n + e]);
        }
        for (int64_t i = 0; i < p && i < r_rows; i++) r[i * n + p] = v[i * n + p];
        if (p >= k) continue;
        double size = 0, below = 0;
        for (int64_t i = p; i < m; i++) size += (double)v[i * n + p] * (double)v[i * n + p];
        for (int64_t i = p + 1; i < m; i++) below += fabs((double)v[i * n + p]);
        const double head = (double)v[p * n + p];
        size = head < 0 ? sqrt(size) : -sqrt(size);
        r[p * n + p] = (T)(below > 0 ? size : head);
        for (int64_t i = p; i < m && !(below > 0); i++) v[i * n + p] = 0; /* nothing to reflect */
        if (below > 0) v[p * n + p] = (T)(head - size);
    }
    for (int64_t p = k; p-- > 0;) {
        double vv = 0;
        for (int64_t i = p; i < m; i++) vv += (double)v[i * n + p] * (double)v[i * n + p];
        KT_REF(reflect)(q, m, q_cols, v + p, n, p, vv);
    }
}

static kt_status KT_REF(qr)(const kt_kargs *k) {
    const kt_shape *s = &k->node->in[0]->spec.shape, *sq = &k->node->out[0]->spec.shape;
    const int64_t m = s->dim[s->ndim - 2], n = s->dim[s->ndim - 1], q = sq->dim[s->ndim - 1];
    const int64_t count = kt_shape_range(s, 0, s->ndim - 2);
    for (int64_t i = 0; i < count; i++) KT_REF(qr_one)
    ((const T *)k->in[0] + i * m * n,
     (T *)k->out[0] + i * m * q,
     (T *)k->out[1] + i * q * n,
     (T *)k->out[2] + i * m * n,
     m,
     n,
     q,
     q);
    return KT_OK;
}

#else
#include "base/error.h"
#include "ops/build.h"

#include "ir/ref_types.h"

static kt_status qr_infer(const kt_node *n, kt_spec *out) {
    const kt_status st = kt_matrices("qr", &n->in[0]->spec);
    const int at = n->in[0]->spec.shape.ndim;
    for (int i = 0; i < 3; i++) out[i] = n->in[0]->spec;
    if (st) return st;
    const int64_t rows = out[2].shape.dim[at - 2], columns = out[2].shape.dim[at - 1];
    const bool complete = ((const qr_attrs *)n->attrs)->complete;
    out[0].shape.dim[at - 1] = complete || rows < columns ? rows : columns;
    out[1].shape.dim[at - 2] = out[0].shape.dim[at - 1];
    return KT_OK;
}

/* (dQ + Q copy(M)) R^-T with M = R dR^T - dQ^T Q; copy: the lower triangle on both sides. */
static kt_status qr_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    const triangular_attrs upper = {0};
    kt_val *q = n->out[0], *r = n->out[1], *m = NULL, *y = dy[0];
    const kt_shape *s = &r->spec.shape;
    (void)want;
    if (!dy[0] && !dy[1]) return KT_OK;
    if (s->dim[s->ndim - 1] != s->dim[s->ndim - 2])
        return KT_FAIL(KT_EUNSUPPORTED, "qr: the gradient of a complete or a wide form");
    if (dy[1]) m = kt_g_matmul(g, r, dy[1], false, true);
    if (dy[0]) {
        kt_val *own = kt_g_neg(g, kt_g_matmul(g, dy[0], q, true, false));
        m = m ? kt_g_add(g, m, own) : own;
    }
    kt_val *low = kt_g_triangle(g, m, 0, true), *strict = kt_g_triangle(g, m, -1, true);
    m = kt_g_matmul(g, q, kt_g_add(g, low, kt_g_matrix_transpose(g, strict)), false, false);
    y = y ? kt_g_add(g, y, m) : m;
    y = kt_g_solve_triangular(g, r, kt_g_matrix_transpose(g, y), &upper);
    dx[0] = kt_g_matrix_transpose(g, y);
    return g->status;
}

static const kt_sample qr_samples[] = {
    {.in = {{.dim = {2, 4, 3}}}, .attrs = &(qr_attrs){false}, .steep = true},
    {.in = {{.dim = {3, 3}}}, .attrs = &(qr_attrs){false}, .steep = true},
    {.in = {{.dim = {3, 5}}}, .attrs = &(qr_attrs){false}, .no_grad = true, .steep = true},
    {.in = {{.dim = {5, 3}}}, .attrs = &(qr_attrs){true}, .no_grad = true, .steep = true},
    {.in = {{.dim = {3}}}, .attrs = &(qr_attrs){false}, .want = KT_ESHAPE},
    {.in = {{.dim = {3, 3}, .dtype = KT_INT32}}, .attrs = &(qr_attrs){false}, .want = KT_EDTYPE},
    KT_SAMPLES_END};
static const kt_field qr_fields[] = {KT_F(qr_attrs, complete), KT_F_END};

const kt_opdef kt_opdef_qr = {
    .name = "qr",
    .n_in = 1,
    .n_out = 3,
    .n_main = 2,
    .attrs_size = sizeof(qr_attrs),
    .attrs = qr_fields,
    .infer = qr_infer,
    .vjp = qr_vjp,
    .ref = KT_REFS(qr),
    .samples = qr_samples,
};

kt_node *kt_g_qr(kt_graph *g, kt_val *x, bool complete) {
    return x ? kt_graph_add(g, &kt_opdef_qr, 1, &x, &(qr_attrs){complete}) : NULL;
}
#endif
