/* kt_op_*, continued: elementwise functions composed of others, comparisons within a tolerance.
 * Files name these operations as classes of their own, so each is one. */
#include "base/error.h"
#include "nn/symbolic/symbolic.h"

#include <keratin/ops_elementwise.h>

#include <float.h>
#include <math.h>
#include <string.h>

static kt_val *num(kt_graph *g, double v, const kt_val *like) {
    return like ? kt_g_num(g, v, like) : NULL;
}
static kt_val *nan_mask(kt_graph *g, kt_val *x) { return x ? kt_g_ne(g, x, x) : NULL; }

/* One operand ---------------------------------------------------------------------------------- */

#define UNARY(fn, camel, expression)                                                               \
    KT_OP_BUILD(fn) {                                                                              \
        (void)n, (void)attrs;                                                                      \
        kt_val *x = kt_op_floats(g, in[0]);                                                        \
        return x ? expression : NULL;                                                              \
    }                                                                                              \
    static const kt_op_class fn##_class = {camel, 0, fn##_build, NULL};                            \
    kt_sym *kt_op_##fn(kt_sym *x) { return kt_op_apply(&fn##_class, 1, &x, NULL); }

static kt_val *is_infinite(kt_graph *g, kt_val *x) {
    return kt_g_eq(g, kt_g_abs(g, x), num(g, INFINITY, x));
}
static kt_val *is_finite(kt_graph *g, kt_val *x) { /* no comparison with NaN holds */
    return kt_g_lt(g, kt_g_abs(g, x), num(g, INFINITY, x));
}
/* 2 log(sqrt((x + 1) / 2) + sqrt((x - 1) / 2)) does not overflow. */
static kt_val *arccosh_of(kt_graph *g, kt_val *x) {
    kt_val *half = kt_g_scale(g, x, 0.5);
    kt_val *sum = kt_g_sqrt(g, kt_g_shift(g, half, 0.5));
    return kt_g_scale(g, kt_g_log(g, kt_g_add(g, sum, kt_g_sqrt(g, kt_g_shift(g, half, -0.5)))), 2);
}
static kt_val *cube_root(kt_graph *g, kt_val *x) {
    kt_val *size = kt_g_pow(g, kt_g_abs(g, x), num(g, 1.0 / 3, x));
    return kt_g_mul(g, kt_g_sign(g, x), size);
}
static kt_val *sinc_of(kt_graph *g, kt_val *x) {
    kt_val *zero = kt_g_eq(g, x, num(g, 0, x));
    kt_val *safe = kt_g_scale(g, kt_g_select(g, zero, num(g, 1, x), x), M_PI);
    return kt_g_select(g, zero, num(g, 1, x), kt_g_div(g, kt_g_sin(g, safe), safe));
}
static kt_val *sign_of(kt_graph *g, kt_val *x) { /* 1 / -0 is below 0 */
    kt_val *zero = kt_g_eq(g, x, num(g, 0, x));
    return kt_g_lt(g, kt_g_select(g, zero, kt_g_reciprocal(g, x), x), num(g, 0, x));
}
UNARY(arccosh, "Arccosh", arccosh_of(g, x))
UNARY(log2, "Log2", kt_g_scale(g, kt_g_log(g, x), M_LOG2E))
UNARY(log10, "Log10", kt_g_scale(g, kt_g_log(g, x), M_LOG10E))
UNARY(exp2, "Exp2", kt_g_exp(g, kt_g_scale(g, x, M_LN2)))
UNARY(deg2rad, "Deg2rad", kt_g_scale(g, x, M_PI / 180))
UNARY(rad2deg, "Rad2deg", kt_g_scale(g, x, 180 / M_PI))
UNARY(isnan, "Isnan", nan_mask(g, x))
UNARY(isinf, "Isinf", is_infinite(g, x))
UNARY(isfinite, "Isfinite", is_finite(g, x))
UNARY(cbrt, "Cbrt", cube_root(g, x))
UNARY(sinc, "Sinc", sinc_of(g, x))
UNARY(fabs, "Fabs", kt_g_abs(g, x))
UNARY(signbit, "Signbit", sign_of(g, x))
UNARY(isposinf, "Isposinf", kt_g_eq(g, x, num(g, INFINITY, x)))
UNARY(isneginf, "Isneginf", kt_g_eq(g, x, num(g, -INFINITY, x)))
UNARY(isreal, "Isreal", kt_g_const(g, 1, (kt_spec){KT_BOOL, x->spec.shape}))

kt_sym *kt_op_absolute(kt_sym *x) { return kt_op_abs(x); }
kt_sym *kt_op_true_divide(kt_sym *a, kt_sym *b) { return kt_op_divide(a, b); }

typedef struct {
    double nan, posinf, neginf; ///< KT_NONE_F: the largest and the smallest number
} finite_attrs;
KT_OP_BUILD(nan_to_num) {
    const finite_attrs *a = attrs;
    kt_val *x = in[0];
    (void)n;
    if (!kt_dtype_is_float(x->spec.dtype)) return x;
    const double most = x->spec.dtype == KT_FLOAT64    ? DBL_MAX
                        : x->spec.dtype == KT_FLOAT16  ? 65504
                        : x->spec.dtype == KT_BFLOAT16 ? 0x1.fep127
                                                       : FLT_MAX;
    kt_val *high = num(g, a->posinf == KT_NONE_F ? most : a->posinf, x);
    kt_val *low = num(g, a->neginf == KT_NONE_F ? -most : a->neginf, x);
    kt_val *y = kt_g_select(g, nan_mask(g, x), num(g, a->nan, x), x);
    y = kt_g_select(g, kt_g_eq(g, x, num(g, INFINITY, x)), high, y);
    return kt_g_select(g, kt_g_eq(g, x, num(g, -INFINITY, x)), low, y);
}
static const kt_op_class nan_to_num_class = {
    "NanToNum", sizeof(finite_attrs), nan_to_num_build, NULL};
kt_sym *kt_op_nan_to_num(kt_sym *x, double nan, double posinf, double neginf) {
    return kt_op_apply(&nan_to_num_class, 1, &x, &(finite_attrs){nan, posinf, neginf});
}

typedef struct {
    int decimals;
} round_attrs;
KT_OP_BUILD(round) {
    const int decimals = ((const round_attrs *)attrs)->decimals;
    kt_val *x = in[0];
    const kt_dtype d = x->spec.dtype;
    (void)n;
    if (!kt_dtype_is_float(d) && decimals >= 0) return x;
    if (decimals == 0) return kt_g_round(g, x);
    x = kt_op_floats(g, x);
    kt_val *factor = num(g, pow(10, decimals), x);
    return kt_g_cast(g, kt_g_div(g, kt_g_round(g, kt_g_mul(g, x, factor)), factor), d);
}
static const kt_op_class round_class = {"Round", sizeof(round_attrs), round_build, NULL};
kt_sym *kt_op_round(kt_sym *x) { return kt_op_round_to(x, 0); }
kt_sym *kt_op_round_to(kt_sym *x, int decimals) {
    return kt_op_apply(&round_class, 1, &x, &(round_attrs){decimals});
}

/* Two operands --------------------------------------------------------------------------------- */

#define BINARY(fn, camel, real, expression)                                                        \
    KT_OP_BUILD(fn) {                                                                              \
        (void)n, (void)attrs;                                                                      \
        if (!kt_op_pair(g, in, real)) return NULL;                                                 \
        kt_val *a = in[0], *b = in[1];                                                             \
        return expression;                                                                         \
    }                                                                                              \
    static const kt_op_class fn##_class = {camel, 0, fn##_build, NULL};                            \
    kt_sym *kt_op_##fn(kt_sym *a, kt_sym *b) {                                                     \
        kt_sym *in[2] = {a, b};                                                                    \
        return kt_op_apply(&fn##_class, 2, in, NULL);                                              \
    }

static kt_val *hypot_of(kt_graph *g, kt_val *a, kt_val *b) { /* scaled: squares may overflow */
    a = kt_g_abs(g, a);
    b = kt_g_abs(g, b);
    kt_val *large = kt_g_maximum(g, a, b), *small = kt_g_minimum(g, a, b);
    if (!large) return NULL;
    kt_val *zero = kt_g_eq(g, large, kt_g_num(g, 0, large));
    kt_val *safe = kt_g_select(g, zero, kt_g_num(g, 1, large), large);
    kt_val *ratio = kt_g_square(g, kt_g_div(g, small, safe));
    return kt_g_mul(g, large, kt_g_sqrt(g, kt_g_shift(g, ratio, 1)));
}
static kt_val *logaddexp_of(kt_graph *g, kt_val *a, kt_val *b) {
    kt_val *apart = kt_g_neg(g, kt_g_abs(g, kt_g_sub(g, a, b)));
    return kt_g_add(g, kt_g_maximum(g, a, b), kt_g_log1p(g, kt_g_exp(g, apart)));
}
static kt_val *divide_no_nan_of(kt_graph *g, kt_val *a, kt_val *b) {
    if (!a || !b) return NULL;
    kt_val *zero = kt_g_eq(g, b, kt_g_num(g, 0, b));
    kt_val *safe = kt_g_select(g, zero, kt_g_num(g, 1, b), b);
    return kt_g_select(g, zero, kt_g_num(g, 0, a), kt_g_div(g, a, safe));
}
/* The remainder with the sign of a. */
static kt_val *remainder_of(kt_graph *g, kt_val *a, kt_val *b) {
    return kt_g_mul(g, kt_g_sign(g, a), kt_g_mod(g, kt_g_abs(g, a), kt_g_abs(g, b)));
}
/* The other one where one is NaN. */
static kt_val *fpick(kt_graph *g, kt_val *a, kt_val *b, bool largest) {
    kt_val *y = largest ? kt_g_maximum(g, a, b) : kt_g_minimum(g, a, b);
    if (!kt_dtype_is_float(a->spec.dtype)) return y;
    y = kt_g_select(g, nan_mask(g, a), b, y);
    return kt_g_select(g, nan_mask(g, b), a, y);
}
static kt_val *step_at(kt_graph *g, kt_val *a, kt_val *b) {
    kt_val *zero = num(g, 0, a), *above = kt_g_select(g, kt_g_gt(g, a, zero), num(g, 1, a), b);
    return kt_g_select(g, kt_g_lt(g, a, zero), zero, above);
}
static kt_val *add_powers(kt_graph *g, kt_val *a, kt_val *b) {
    kt_val *apart = kt_g_scale(g, kt_g_abs(g, kt_g_sub(g, a, b)), -M_LN2);
    kt_val *more = kt_g_scale(g, kt_g_log1p(g, kt_g_exp(g, apart)), M_LOG2E);
    return kt_g_add(g, kt_g_maximum(g, a, b), more);
}
BINARY(hypot, "Hypot", true, hypot_of(g, a, b))
BINARY(logaddexp, "Logaddexp", true, logaddexp_of(g, a, b))
BINARY(divide_no_nan, "DivideNoNan", true, divide_no_nan_of(g, a, b))
BINARY(fmod, "Fmod", false, remainder_of(g, a, b))
BINARY(fmax, "Fmax", false, fpick(g, a, b, true))
BINARY(fmin, "Fmin", false, fpick(g, a, b, false))
BINARY(heaviside, "Heaviside", true, step_at(g, a, b))
BINARY(logaddexp2, "Logaddexp2", true, add_powers(g, a, b))
BINARY(ldexp, "Ldexp", true, kt_g_mul(g, a, kt_g_pow(g, num(g, 2, b), b)))

typedef struct {
    double rtol, atol;
    bool equal_nan;
} close_attrs;
KT_OP_BUILD(isclose) {
    const close_attrs *a = attrs;
    (void)n;
    if (!kt_op_pair(g, in, false)) return NULL;
    if (!kt_dtype_is_float(in[0]->spec.dtype)) return kt_g_eq(g, in[0], in[1]);
    kt_val *room = kt_g_shift(g, kt_g_scale(g, kt_g_abs(g, in[1]), a->rtol), a->atol);
    kt_val *y = kt_g_le(g, kt_g_abs(g, kt_g_sub(g, in[0], in[1])), room);
    if (!a->equal_nan) return y;
    return kt_g_maximum(g, y, kt_g_minimum(g, nan_mask(g, in[0]), nan_mask(g, in[1])));
}
KT_OP_BUILD(allclose) {
    kt_val *y = isclose_build(g, n, in, attrs);
    return y ? kt_g_reduce(g, KT_RED_MIN, y, kt_axes_all(y), false) : NULL;
}
#define CLOSE(fn, camel)                                                                           \
    static const kt_op_class fn##_class = {camel, sizeof(close_attrs), fn##_build, NULL};          \
    kt_sym *kt_op_##fn(kt_sym *a, kt_sym *b, double rtol, double atol, bool equal_nan) {           \
        kt_sym *in[2] = {a, b};                                                                    \
        close_attrs c;                                                                             \
        memset(&c, 0, sizeof c);                                                                   \
        c.rtol = rtol;                                                                             \
        c.atol = atol;                                                                             \
        c.equal_nan = equal_nan;                                                                   \
        return kt_op_apply(&fn##_class, 2, in, &c);                                                \
    }
CLOSE(isclose, "Isclose")
CLOSE(allclose, "AllClose")

/* Files ---------------------------------------------------------------------------------------- */

static const kt_field finite_fields[] = {
    KT_F(finite_attrs, nan), KT_F(finite_attrs, posinf), KT_F(finite_attrs, neginf), KT_F_END};
static const kt_field round_fields[] = {KT_F(round_attrs, decimals), KT_F_END};
static const kt_field close_fields[] = {
    KT_F(close_attrs, equal_nan), KT_F(close_attrs, rtol), KT_F(close_attrs, atol), KT_F_END};

const kt_op_form kt_op_forms_elementwise[] = {
    {&arccosh_class, "numpy", 1, NULL, NULL, NULL},
    {&log2_class, "numpy", 1, NULL, NULL, NULL},
    {&log10_class, "numpy", 1, NULL, NULL, NULL},
    {&exp2_class, "numpy", 1, NULL, NULL, NULL},
    {&deg2rad_class, "numpy", 1, NULL, NULL, NULL},
    {&rad2deg_class, "numpy", 1, NULL, NULL, NULL},
    {&isnan_class, "numpy", 1, NULL, NULL, NULL},
    {&isinf_class, "numpy", 1, NULL, NULL, NULL},
    {&isfinite_class, "numpy", 1, NULL, NULL, NULL},
    {&cbrt_class, "numpy", 1, NULL, NULL, NULL},
    {&sinc_class, "numpy", 1, NULL, NULL, NULL},
    {&fabs_class, "numpy", 1, NULL, NULL, NULL},
    {&signbit_class, "numpy", 1, NULL, NULL, NULL},
    {&isposinf_class, "numpy", 1, NULL, NULL, NULL},
    {&isneginf_class, "numpy", 1, NULL, NULL, NULL},
    {&isreal_class, "numpy", 1, NULL, NULL, NULL},
    {&nan_to_num_class, "numpy", 1, finite_fields, NULL, NULL},
    {&round_class, "numpy", 1, round_fields, NULL, NULL},
    {&hypot_class, "numpy", 2, NULL, NULL, NULL},
    {&logaddexp_class, "numpy", 2, NULL, NULL, NULL},
    {&divide_no_nan_class, "numpy", 2, NULL, NULL, NULL},
    {&fmod_class, "numpy", 2, NULL, NULL, NULL},
    {&fmax_class, "numpy", 2, NULL, NULL, NULL},
    {&fmin_class, "numpy", 2, NULL, NULL, NULL},
    {&heaviside_class, "numpy", 2, NULL, NULL, NULL},
    {&logaddexp2_class, "numpy", 2, NULL, NULL, NULL},
    {&ldexp_class, "numpy", 2, NULL, NULL, NULL},
    {&isclose_class, "numpy", 2, close_fields, NULL, "x1 x2 rtol atol"},
    {&allclose_class, "numpy", 2, close_fields, NULL, NULL},
    {NULL, NULL, 0, NULL, NULL, NULL}};
