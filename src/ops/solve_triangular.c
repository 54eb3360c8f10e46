/* solve_triangular: X of A X = B (trans: A^T X = B), where only one triangle of A counts (unit: and
 * its diagonal is 1), over the last two axes; leading axes are equal. keras.ops.solve_triangular
 *
 * What inv, solve, det and the gradients of all factorizations are made of; closed under
 * differentiation. A zero on the diagonal is an error when it runs. */
#define KT_REF_SELF "ops/solve_triangular.c"
#ifdef KT_T

/* Row by row, in the order in which the unknowns are found. */
static bool KT_REF(triangular_one)(
    const T *a, const T *b, T *x, int64_t n, int64_t m, const triangular_attrs *at) {
    const bool down = at->lower != at->trans;
    const int64_t across = at->trans ? n : 1, along = at->trans ? 1 : n;
    for (int64_t r = 0; r < n; r++) {
        const int64_t i = down ? r : n - 1 - r;
        const double d = at->unit ? 1 : (double)a[i * n + i];
        if (d == 0) return false;
        for (int64_t c = 0; c < m; c++) {
            double s = (double)b[i * m + c];
            for (int64_t j = down ? 0 : i + 1; j < (down ? i : n); j++)
                s -= (double)a[i * along + j * across] * (double)x[j * m + c];
            x[i * m + c] = (T)(s / d);
        }
    }
    return true;
}

static kt_status KT_REF(solve_triangular)(const kt_kargs *k) {
    const kt_shape *s = &k->node->out[0]->spec.shape;
    const int64_t n = s->dim[s->ndim - 2], m = s->dim[s->ndim - 1];
    const int64_t count = kt_shape_range(s, 0, s->ndim - 2);
    for (int64_t i = 0; i < count; i++)
        if (!KT_REF(triangular_one)(
                (const T *)k->in[0] + i * n * n,
                (const T *)k->in[1] + i * n * m,
                (T *)k->out[0] + i * n * m,
                n,
                m,
                k->node->attrs))
            return KT_FAIL(
                KT_EINVAL, "solve_triangular: matrix %lld is not invertible", (long long)i);
    return KT_OK;
}

#else
#include "base/error.h"
#include "ops/build.h"

#include "ir/ref_types.h"

static kt_status solve_triangular_infer(const kt_node *n, kt_spec *out) {
    const kt_spec *a = &n->in[0]->spec;
    const kt_status st = kt_square_matrices("solve_triangular", a);
    *out = n->in[1]->spec;
    if (st) return st;
    bool fits = out->dtype == a->dtype && out->shape.ndim == a->shape.ndim;
    for (int i = 0; fits && i < a->shape.ndim - 1; i++) fits = a->shape.dim[i] == out->shape.dim[i];
    if (fits) return KT_OK;
    char got[KT_SHAPE_STR], expected[KT_SHAPE_STR];
    KT_FAIL(KT_ESHAPE, "solve: the right side does not fit the matrix");
    kt_error_expected("as many rows as %s", kt_spec_str(a, expected, sizeof expected));
    return kt_error_got("%s", kt_spec_str(out, got, sizeof got));
}

static kt_status solve_triangular_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    triangular_attrs at;
    memcpy(&at, n->attrs, sizeof at);
    at.trans = !at.trans;
    kt_val *db = kt_g_solve_triangular(g, n->in[0], dy[0], &at), *x = n->out[0];
    dx[1] = db;
    if (!want[0]) return g->status;
    kt_val *da = at.trans ? kt_g_matmul(g, db, x, false, true) : kt_g_matmul(g, x, db, false, true);
    const int64_t off = !at.unit ? 0 : at.lower ? -1 : 1;
    dx[0] = kt_g_neg(g, kt_g_triangle(g, da, off, at.lower));
    return g->status;
}

#define SQUARE(...)                                                                                \
    { .dim = {__VA_ARGS__}, .low = 0.5, .high = 1.5 }
static const kt_sample solve_triangular_samples[] = {
    {.in = {SQUARE(2, 3, 3), {.dim = {2, 3, 4}}},
     .attrs = &(triangular_attrs){.lower = true},
     .steep = true},
    {.in = {SQUARE(3, 3), {.dim = {3, 2}}},
     .attrs = &(triangular_attrs){.trans = true},
     .steep = true},
    {.in = {SQUARE(3, 3), {.dim = {3, 2}}},
     .attrs = &(triangular_attrs){.lower = true, .trans = true, .unit = true},
     .steep = true},
    {.in = {SQUARE(3, 3), {.dim = {3, 1}}},
     .attrs = &(triangular_attrs){.unit = true},
     .steep = true},
    {.in = {SQUARE(3, 4), {.dim = {3, 2}}}, .attrs = &(triangular_attrs){0}, .want = KT_ESHAPE},
    {.in = {SQUARE(3, 3), {.dim = {4, 2}}}, .attrs = &(triangular_attrs){0}, .want = KT_ESHAPE},
    KT_SAMPLES_END};
static const kt_field solve_triangular_fields[] = {
    KT_F(triangular_attrs, lower),
    KT_F(triangular_attrs, trans),
    KT_F(triangular_attrs, unit),
    KT_F_END};

const kt_opdef kt_opdef_solve_triangular = {
    .name = "solve_triangular",
    .n_in = 2,
    .attrs_size = sizeof(triangular_attrs),
    .attrs = solve_triangular_fields,
    .infer = solve_triangular_infer,
    .vjp = solve_triangular_vjp,
    .ref = KT_REFS(solve_triangular),
    .samples = solve_triangular_samples,
};

kt_val *kt_g_solve_triangular(kt_graph *g, kt_val *a, kt_val *b, const triangular_attrs *attrs) {
    if (!a || !b) return NULL;
    kt_val *in[2] = {a, b};
    kt_node *n = kt_graph_add(g, &kt_opdef_solve_triangular, 2, in, attrs);
    return n ? n->out[0] : NULL;
}
#endif
