/* kt_op_*, continued: linear algebra, composed of the factorizations cholesky, lu, qr, eigh, svd
 * and of solve_triangular, from which the gradients come. */
#include "base/error.h"
#include "nn/symbolic/symbolic.h"

#include <keratin/ops_linalg.h>

#include <float.h>
#include <string.h>

typedef struct {
    bool upper, lower, full_matrices, compute_uv;
    char mode[12];
    double rcond, tol; ///< KT_NONE_F: by the precision of the dtype
} linalg_attrs;

static bool is_matrix(kt_graph *g, const char *op, const kt_val *x, bool square) {
    if (!x) return false;
    const kt_status st = square ? kt_square_matrices(op, &x->spec) : kt_matrices(op, &x->spec);
    if (st) kt_graph_fail(g, st);
    return !st;
}
static int64_t length(const kt_val *x, int axis) { return kt_shape_dim(&x->spec.shape, axis); }
static kt_val *transposed(kt_graph *g, kt_val *x) { return kt_g_matrix_transpose(g, x); }
static kt_val *last_sum(kt_graph *g, kt_val *x) {
    return x ? kt_g_sum(g, x, kt_axis_bit(g, x, -1), false) : NULL;
}
static kt_val *last_reduced(kt_graph *g, kt_val *x, kt_reduce_kind kind, bool keepdims) {
    return x ? kt_g_reduce(g, kind, x, kt_axis_bit(g, x, -1), keepdims) : NULL;
}
static kt_val *diagonal(kt_graph *g, kt_val *x) {
    return last_sum(g, kt_g_triangle(g, kt_g_triangle(g, x, 0, true), 0, false));
}
/* One unit matrix for each matrix of x. */
static kt_val *units(kt_graph *g, kt_val *x) {
    return x ? kt_g_broadcast(g, kt_g_unit_matrix(g, x, length(x, -1)), x->spec.shape) : NULL;
}

/* Solving -------------------------------------------------------------------------------------- */

static kt_val *solved(kt_graph *g, kt_val *a, kt_val *b) {
    const triangular_attrs lower = {.lower = true, .unit = true}, upper = {.lower = false};
    kt_node *lu = kt_g_lu(g, a);
    if (!lu || !b) return NULL;
    if (b->spec.shape.ndim != a->spec.shape.ndim || length(b, -2) != length(a, -1))
        return kt_graph_fail(
            g,
            KT_FAIL(
                KT_ESHAPE,
                "solve: expected %lld rows on the right side",
                (long long)length(a, -1)));
    kt_val *row = kt_g_expand_dims(g, lu->out[1], -1);
    b = kt_g_take_along(g, b, row, b->spec.shape.ndim - 2, false);
    return kt_g_solve_triangular(
        g, lu->out[0], kt_g_solve_triangular(g, lu->out[0], b, &lower), &upper);
}

/* b as a column where it is a vector. */
static bool as_columns(kt_graph *g, const char *op, kt_val **in, bool *vector) {
    if (!kt_op_pair(g, in, true) || !is_matrix(g, op, in[0], true)) return false;
    *vector = in[1]->spec.shape.ndim == in[0]->spec.shape.ndim - 1;
    if (*vector) in[1] = kt_g_expand_dims(g, in[1], -1);
    return in[1] != NULL;
}
KT_OP_BUILD(solve) {
    bool vector;
    (void)n, (void)attrs;
    if (!as_columns(g, "solve", in, &vector)) return NULL;
    kt_val *y = solved(g, in[0], in[1]);
    return vector && y ? kt_g_squeeze(g, y, -1) : y;
}
KT_OP_BUILD(solve_triangular) {
    const triangular_attrs at = {.lower = ((const linalg_attrs *)attrs)->lower};
    bool vector;
    (void)n;
    if (!as_columns(g, "solve_triangular", in, &vector)) return NULL;
    kt_val *y = kt_g_solve_triangular(g, in[0], in[1], &at);
    return vector && y ? kt_g_squeeze(g, y, -1) : y;
}
KT_OP_BUILD(inv) {
    kt_val *x = kt_op_floats(g, in[0]);
    (void)n, (void)attrs;
    return is_matrix(g, "inv", x, true) ? solved(g, x, units(g, x)) : NULL;
}
KT_OP_BUILD(cholesky) {
    kt_val *x = kt_op_floats(g, in[0]);
    (void)n;
    if (!is_matrix(g, "cholesky", x, true)) return NULL;
    kt_val *l = kt_g_cholesky(g, x);
    return ((const linalg_attrs *)attrs)->upper ? transposed(g, l) : l;
}
KT_OP_BUILD(cholesky_inverse) {
    kt_val *x = kt_op_floats(g, in[0]);
    const bool upper = ((const linalg_attrs *)attrs)->upper;
    const triangular_attrs at = {.lower = !upper};
    (void)n;
    if (!is_matrix(g, "cholesky_inverse", x, true)) return NULL;
    kt_val *y = kt_g_solve_triangular(g, x, units(g, x), &at);
    return kt_g_matmul(g, y, y, !upper, upper);
}

/* Determinants --------------------------------------------------------------------------------- */

KT_OP_BUILD(det) {
    kt_val *x = kt_op_floats(g, in[0]);
    (void)n, (void)attrs;
    if (!is_matrix(g, "det", x, true)) return NULL;
    kt_node *lu = kt_g_lu(g, x);
    if (!lu) return NULL;
    return kt_g_mul(g, last_reduced(g, diagonal(g, lu->out[0]), KT_RED_PROD, false), lu->out[2]);
}
KT_OP_BUILD(logdet) {
    kt_val *x = kt_op_floats(g, in[0]);
    (void)n, (void)attrs;
    if (!is_matrix(g, "logdet", x, true)) return NULL;
    x = kt_g_log(g, diagonal(g, kt_g_cholesky(g, x)));
    return x ? kt_g_scale(g, last_sum(g, x), 2) : NULL;
}
static int slogdet_outputs(kt_graph *g, int n, kt_val **in, const void *attrs, kt_val **out) {
    kt_val *x = kt_op_floats(g, in[0]);
    (void)n, (void)attrs;
    if (!is_matrix(g, "slogdet", x, true)) return 0;
    kt_node *lu = kt_g_lu(g, x);
    if (!lu) return 0;
    x = diagonal(g, lu->out[0]);
    out[0] = kt_g_mul(
        g, last_reduced(g, kt_g_sign(g, x), KT_RED_PROD, false), kt_g_stop_gradient(g, lu->out[2]));
    out[1] = last_sum(g, kt_g_log(g, kt_g_abs(g, x)));
    return 2;
}

/* Factors -------------------------------------------------------------------------------------- */

static int lu_outputs(kt_graph *g, int n, kt_val **in, const void *attrs, kt_val **out) {
    kt_val *x = kt_op_floats(g, in[0]);
    (void)n, (void)attrs;
    if (!is_matrix(g, "lu_factor", x, false)) return 0;
    kt_node *lu = kt_g_lu(g, x);
    if (!lu) return 0;
    out[0] = lu->out[0];
    out[1] = kt_g_argsort(g, lu->out[1], -1, KT_NONE, false);
    return 2;
}
static int qr_outputs(kt_graph *g, int n, kt_val **in, const void *attrs, kt_val **out) {
    kt_val *x = kt_op_floats(g, in[0]);
    (void)n;
    if (!is_matrix(g, "qr", x, false)) return 0;
    const char *mode = ((const linalg_attrs *)attrs)->mode;
    kt_node *qr = kt_g_qr(g, x, !strcmp(mode, "complete") && length(x, -2) > length(x, -1));
    if (!qr) return 0;
    out[0] = qr->out[0];
    out[1] = qr->out[1];
    return 2;
}
static int eigh_outputs(kt_graph *g, int n, kt_val **in, const void *attrs, kt_val **out) {
    kt_val *x = kt_op_floats(g, in[0]);
    (void)n, (void)attrs;
    if (!is_matrix(g, "eigh", x, true)) return 0;
    kt_node *e = kt_g_eigh(g, x);
    if (!e) return 0;
    out[0] = e->out[0];
    out[1] = e->out[1];
    return 2;
}

/* Orthogonal columns, and behind them as many more as make them a square matrix. */
static kt_val *completed(kt_graph *g, kt_val *q) {
    if (!q || length(q, -1) == length(q, -2)) return q;
    const int axis = q->spec.shape.ndim - 1;
    kt_node *qr = kt_g_qr(g, q, true);
    if (!qr) return NULL;
    kt_val *more = kt_g_slice_axis(
        g, kt_g_stop_gradient(g, qr->out[0]), axis, length(q, -1), length(q, -2));
    return more ? kt_g_concat(g, 2, (kt_val *[]){q, more}, axis) : NULL;
}
static int svd_outputs(kt_graph *g, int n, kt_val **in, const void *attrs, kt_val **out) {
    const linalg_attrs *a = attrs;
    kt_val *x = kt_op_floats(g, in[0]);
    (void)n;
    if (!is_matrix(g, "svd", x, false)) return 0;
    kt_node *svd = kt_g_svd(g, x);
    if (!svd) return 0;
    for (int i = 0; i < 3; i++) out[i] = svd->out[i];
    if (!a->compute_uv) {
        out[0] = svd->out[1];
        return 1;
    }
    if (a->full_matrices) {
        out[0] = completed(g, out[0]);
        if (length(x, -1) > length(x, -2))
            out[2] = transposed(g, completed(g, transposed(g, out[2])));
    }
    return out[0] && out[2] ? 3 : 0;
}

/* Through singular values ---------------------------------------------------------------------- */

/* The smallest one that counts: some share of the largest. */
static kt_val *limit_of(kt_graph *g, kt_val *s, double share) {
    return kt_g_scale(g, last_reduced(g, s, KT_RED_MAX, true), share);
}
static double rounding(const kt_val *x, double times) {
    const double n = (double)(length(x, -1) > length(x, -2) ? length(x, -1) : length(x, -2));
    return n * times * (x->spec.dtype == KT_FLOAT64 ? DBL_EPSILON : FLT_EPSILON);
}
/* 1 / s of those that count, else 0. */
static kt_val *inverses(kt_graph *g, kt_val *s, kt_val *counts) {
    if (!s) return NULL;
    kt_val *safe = kt_g_select(g, counts, s, kt_g_num(g, 1, s));
    return kt_g_select(g, counts, kt_g_reciprocal(g, safe), kt_g_num(g, 0, s));
}
KT_OP_BUILD(pinv) {
    const double rcond = ((const linalg_attrs *)attrs)->rcond;
    kt_val *x = kt_op_floats(g, in[0]);
    (void)n;
    if (!is_matrix(g, "pinv", x, false)) return NULL;
    kt_node *svd = length(x, -1) && length(x, -2) ? kt_g_svd(g, x) : NULL;
    if (!svd) return g->status ? NULL : transposed(g, x);
    kt_val *s = svd->out[1], *v = transposed(g, svd->out[2]);
    s = inverses(g, s, kt_g_gt(g, s, limit_of(g, s, rcond == KT_NONE_F ? rounding(x, 10) : rcond)));
    return kt_g_matmul(g, kt_g_mul(g, v, kt_g_expand_dims(g, s, -2)), svd->out[0], false, true);
}
KT_OP_BUILD(matrix_rank) {
    const double tol = ((const linalg_attrs *)attrs)->tol;
    kt_val *x = kt_op_floats(g, in[0]);
    (void)n;
    if (!is_matrix(g, "matrix_rank", x, false)) return NULL;
    if (!length(x, -1) || !length(x, -2))
        return last_sum(g, last_sum(g, kt_g_cast(g, x, KT_INT32)));
    kt_node *svd = kt_g_svd(g, x);
    if (!svd) return NULL;
    kt_val *s = svd->out[1];
    kt_val *limit = tol == KT_NONE_F ? limit_of(g, s, rounding(x, 1)) : kt_g_num(g, tol, s);
    return last_sum(g, kt_g_cast(g, kt_g_gt(g, s, limit), KT_INT32));
}
KT_OP_BUILD(lstsq) {
    double rcond = ((const linalg_attrs *)attrs)->rcond;
    (void)n;
    if (!kt_op_pair(g, in, true) || !is_matrix(g, "lstsq", in[0], false)) return NULL;
    kt_val *a = in[0], *b = in[1];
    const int nd = b->spec.shape.ndim;
    if (a->spec.shape.ndim != 2 || nd < 1 || nd > 2 || b->spec.shape.dim[0] != length(a, 0))
        return kt_graph_fail(
            g, KT_FAIL(KT_ESHAPE, "lstsq: expected a matrix and a right side of as many rows"));
    if (nd == 1) b = kt_g_expand_dims(g, b, 1);
    if (rcond == KT_NONE_F) rcond = rounding(a, 1);
    if (rcond < 0) rcond = a->spec.dtype == KT_FLOAT64 ? DBL_EPSILON : FLT_EPSILON;
    if (!length(a, 0) || !length(a, 1))
        return kt_graph_fail(g, KT_FAIL(KT_ESHAPE, "lstsq: an empty matrix"));
    kt_node *svd = kt_g_svd(g, a);
    if (!svd || !b) return NULL;
    kt_val *s = svd->out[1];
    s = kt_g_expand_dims(g, inverses(g, s, kt_g_ge(g, s, limit_of(g, s, rcond))), 1);
    kt_val *y = kt_g_mul(g, s, kt_g_matmul(g, svd->out[0], b, true, false));
    y = kt_g_matmul(g, svd->out[2], y, true, false);
    return nd == 1 && y ? kt_g_squeeze(g, y, 1) : y;
}

/* The functions -------------------------------------------------------------------------------- */

#define CLASS(fn, camel, build, outputs)                                                           \
    static const kt_op_class fn##_class = {camel, sizeof(linalg_attrs), build, outputs};
CLASS(cholesky, "Cholesky", cholesky_build, NULL)
CLASS(cholesky_inverse, "CholeskyInverse", cholesky_inverse_build, NULL)
CLASS(inv, "Inv", inv_build, NULL)
CLASS(det, "Det", det_build, NULL)
CLASS(logdet, "Logdet", logdet_build, NULL)
CLASS(slogdet, "Slogdet", NULL, slogdet_outputs)
CLASS(solve, "Solve", solve_build, NULL)
CLASS(solve_triangular, "SolveTriangular", solve_triangular_build, NULL)
CLASS(qr, "Qr", NULL, qr_outputs)
CLASS(lu, "LuFactor", NULL, lu_outputs)
CLASS(eigh, "Eigh", NULL, eigh_outputs)
CLASS(svd, "SVD", NULL, svd_outputs)
CLASS(pinv, "Pinv", pinv_build, NULL)
CLASS(matrix_rank, "MatrixRank", matrix_rank_build, NULL)
CLASS(lstsq, "Lstsq", lstsq_build, NULL)

/* Padding takes part when attributes are compared. */
static linalg_attrs none(void) {
    linalg_attrs a;
    memset(&a, 0, sizeof a);
    a.rcond = a.tol = KT_NONE_F;
    return a;
}
static kt_sym *apply(const kt_op_class *op, int n, kt_sym **in, linalg_attrs a) {
    return kt_op_apply(op, n, in, &a);
}
kt_sym *kt_op_cholesky(kt_sym *x, bool upper) {
    linalg_attrs a = none();
    a.upper = upper;
    return apply(&cholesky_class, 1, &x, a);
}
kt_sym *kt_op_cholesky_inverse(kt_sym *x, bool upper) {
    linalg_attrs a = none();
    a.upper = upper;
    return apply(&cholesky_inverse_class, 1, &x, a);
}
kt_sym *kt_op_inv(kt_sym *x) { return apply(&inv_class, 1, &x, none()); }
kt_sym *kt_op_det(kt_sym *x) { return apply(&det_class, 1, &x, none()); }
kt_sym *kt_op_logdet(kt_sym *x) { return apply(&logdet_class, 1, &x, none()); }
kt_sym *kt_op_slogdet(kt_sym *x) { return apply(&slogdet_class, 1, &x, none()); }
kt_sym *kt_op_solve(kt_sym *a, kt_sym *b) {
    return apply(&solve_class, 2, (kt_sym *[]){a, b}, none());
}
kt_sym *kt_op_solve_triangular(kt_sym *a, kt_sym *b, bool lower) {
    linalg_attrs attrs = none();
    attrs.lower = lower;
    return apply(&solve_triangular_class, 2, (kt_sym *[]){a, b}, attrs);
}
static kt_status known_mode(int n, kt_sym *const *in, void *attrs) {
    linalg_attrs *a = attrs;
    (void)n, (void)in;
    if (!*a->mode) memcpy(a->mode, "reduced", sizeof "reduced");
    if (!strcmp(a->mode, "reduced") || !strcmp(a->mode, "complete")) return KT_OK;
    KT_FAIL(KT_EINVAL, "qr: mode");
    kt_error_expected("\"reduced\" or \"complete\"");
    return kt_error_got("\"%s\"", a->mode);
}
kt_sym *kt_op_qr(kt_sym *x, const char *mode) {
    linalg_attrs a = none();
    kt_status st = kt_op_text(a.mode, sizeof a.mode, mode ? mode : "reduced", "qr: mode");
    if (st == KT_OK) st = known_mode(1, &x, &a);
    return st ? kt_fail_object(st) : apply(&qr_class, 1, &x, a);
}
kt_sym *kt_op_lu_factor(kt_sym *x) { return apply(&lu_class, 1, &x, none()); }
kt_sym *kt_op_eigh(kt_sym *x) { return apply(&eigh_class, 1, &x, none()); }
kt_sym *kt_op_svd(kt_sym *x, bool full_matrices, bool compute_uv) {
    linalg_attrs a = none();
    a.full_matrices = full_matrices;
    a.compute_uv = compute_uv;
    return apply(&svd_class, 1, &x, a);
}
kt_sym *kt_op_pinv(kt_sym *x, double rcond) {
    linalg_attrs a = none();
    a.rcond = rcond;
    return apply(&pinv_class, 1, &x, a);
}
kt_sym *kt_op_matrix_rank(kt_sym *x, double tol) {
    linalg_attrs a = none();
    a.tol = tol;
    return apply(&matrix_rank_class, 1, &x, a);
}
kt_sym *kt_op_lstsq(kt_sym *a, kt_sym *b, double rcond) {
    linalg_attrs attrs = none();
    attrs.rcond = rcond;
    return apply(&lstsq_class, 2, (kt_sym *[]){a, b}, attrs);
}

/* Files ---------------------------------------------------------------------------------------- */

static const kt_field upper_fields[] = {KT_F(linalg_attrs, upper), KT_F_END};
static const kt_field lower_fields[] = {KT_F(linalg_attrs, lower), KT_F_END};
static const kt_field mode_fields[] = {KT_F_AS(linalg_attrs, mode, KT_FIELD_TEXT), KT_F_END};
static const kt_field svd_fields[] = {
    KT_F(linalg_attrs, full_matrices), KT_F(linalg_attrs, compute_uv), KT_F_END};
static const kt_field rcond_fields[] = {KT_F(linalg_attrs, rcond), KT_F_END};
static const kt_field tol_fields[] = {KT_F(linalg_attrs, tol), KT_F_END};

const kt_op_form kt_op_forms_linalg[] = {
    {&cholesky_class, "linalg", 1, upper_fields, NULL, NULL},
    {&cholesky_inverse_class, "linalg", 1, upper_fields, NULL, NULL},
    {&inv_class, "linalg", 1, NULL, NULL, NULL},
    {&det_class, "linalg", 1, NULL, NULL, NULL},
    {&logdet_class, "math", 1, NULL, NULL, NULL},
    {&slogdet_class, "numpy", 1, NULL, NULL, NULL},
    {&solve_class, "linalg", 2, NULL, NULL, NULL},
    {&solve_triangular_class, "linalg", 2, lower_fields, NULL, NULL},
    {&qr_class, "linalg", 1, mode_fields, known_mode, NULL},
    {&lu_class, "linalg", 1, NULL, NULL, NULL},
    {&eigh_class, "linalg", 1, NULL, NULL, NULL},
    {&svd_class, "linalg", 1, svd_fields, NULL, NULL},
    {&pinv_class, "linalg", 1, rcond_fields, NULL, NULL},
    {&matrix_rank_class, "linalg", 1, tol_fields, NULL, NULL},
    {&lstsq_class, "linalg", 2, rcond_fields, NULL, NULL},
    {NULL, NULL, 0, NULL, NULL, NULL}};
