/* kt_op_*, continued: elementwise functions composed of others, comparisons within a tolerance,
 * reductions that leave NaN out, arrays of numbers between two ends. */
#include "base/error.h"
#include "nn/symbolic/symbolic.h"

#include <keratin/ops_math.h>
#include <keratin/runtime.h>

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
UNARY(cbrt, "Cbrt", cube_root(g, x))
UNARY(sinc, "Sinc", sinc_of(g, x))
UNARY(signbit, "Signbit", sign_of(g, x))
UNARY(isposinf, "Isposinf", kt_g_eq(g, x, num(g, INFINITY, x)))
UNARY(isneginf, "Isneginf", kt_g_eq(g, x, num(g, -INFINITY, x)))
UNARY(isreal, "Isreal", kt_g_const(g, 1, (kt_spec){KT_BOOL, x->spec.shape}))

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

/* A dtype; a number of elements -------------------------------------------------------- */

typedef struct {
    int dtype;
    kt_shape shape;
} dtype_attrs;
KT_OP_BUILD(array) {
    const int d = ((const dtype_attrs *)attrs)->dtype;
    (void)n;
    return d == KT_NO_DTYPE ? in[0] : kt_g_cast(g, in[0], (kt_dtype)d);
}
KT_OP_BUILD(empty_like) {
    kt_spec spec = in[0]->spec;
    const int d = ((const dtype_attrs *)attrs)->dtype;
    (void)n;
    if (d != KT_NO_DTYPE) spec.dtype = (kt_dtype)d;
    return kt_g_const(g, 0, spec);
}
/* Into the range of the dtype first. */
KT_OP_BUILD(saturate_cast) {
    const kt_dtype d = (kt_dtype)((const dtype_attrs *)attrs)->dtype;
    kt_val *x = in[0];
    (void)n;
    if (d == KT_BOOL || d == KT_UINT8) x = kt_g_clip(g, x, 0, d == KT_BOOL ? 1 : 255);
    if (d == KT_INT32)
        x = kt_g_clip(g, x, INT32_MIN, kt_dtype_is_float(x->spec.dtype) ? 2147483520.0 : INT32_MAX);
    return kt_g_cast(g, x, d);
}
KT_OP_BUILD(full) {
    const dtype_attrs *a = attrs;
    const kt_dtype d = a->dtype == KT_NO_DTYPE ? kt_dtype_of(kt_dtype_policy())
                                               : (kt_dtype)a->dtype;
    (void)n;
    return kt_g_broadcast(g, kt_g_cast(g, in[0], d), a->shape);
}
KT_OP_BUILD(size) {
    (void)n, (void)attrs;
    return kt_g_const(g, (double)kt_shape_size(&in[0]->spec.shape), (kt_spec){KT_INT32, {0, {0}}});
}
#define WITH_DTYPE(fn, camel)                                                                      \
    static const kt_op_class fn##_class = {camel, sizeof(dtype_attrs), fn##_build, NULL};          \
    kt_sym *kt_op_##fn(kt_sym *x, const char *dtype) {                                             \
        dtype_attrs a;                                                                             \
        memset(&a, 0, sizeof a);                                                                   \
        a.dtype = dtype ? kt_dtype_of(dtype) : KT_NO_DTYPE;                                        \
        if (dtype && a.dtype == KT_NO_DTYPE)                                                       \
            return kt_fail_object(KT_FAIL(KT_EINVAL, "dtype: unknown name \"%.60s\"", dtype));     \
        return kt_op_apply(&fn##_class, 1, &x, &a);                                                \
    }
WITH_DTYPE(array, "Array")
WITH_DTYPE(empty_like, "EmptyLike")
WITH_DTYPE(saturate_cast, "SaturateCast")
static const kt_op_class full_class = {"Full", sizeof(dtype_attrs), full_build, NULL},
                         size_class = {"Size", 0, size_build, NULL};
kt_sym *kt_op_full(kt_shape shape, kt_sym *fill_value, const char *dtype) {
    dtype_attrs a;
    memset(&a, 0, sizeof a);
    a.shape = shape;
    a.dtype = dtype ? kt_dtype_of(dtype) : KT_NO_DTYPE;
    if (dtype && a.dtype == KT_NO_DTYPE)
        return kt_fail_object(KT_FAIL(KT_EINVAL, "dtype: unknown name \"%.60s\"", dtype));
    return kt_op_apply(&full_class, 1, &fill_value, &a);
}
kt_sym *kt_op_size(kt_sym *x) { return kt_op_apply(&size_class, 1, &x, NULL); }

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

/* Reductions ----------------------------------------------------------------------------------- */

typedef struct {
    unsigned given; ///< average: bit 1, weights
    kt_tuple axis;
    bool keepdims;
} nan_attrs;
typedef enum { SUM, MEAN, MAX, MIN, PROD, VAR, STD } nan_kind;

static kt_val *without_nan(kt_graph *g, kt_val *x, double in_its_place) {
    return kt_dtype_is_float(x->spec.dtype)
               ? kt_g_select(g, nan_mask(g, x), num(g, in_its_place, x), x)
               : x;
}

/* Sum and number of what is there. */
static kt_val *nan_mean(kt_graph *g, kt_val *x, kt_val *there, int axes, bool keepdims) {
    kt_val *sum = kt_g_sum(g, kt_g_select(g, there, x, num(g, 0, x)), axes, keepdims);
    kt_val *count = kt_g_sum(g, kt_g_cast(g, there, x->spec.dtype), axes, keepdims);
    return kt_g_div(g, sum, count);
}

static kt_val *nan_reduce(
    kt_graph *g, kt_val *x, const nan_attrs *a, nan_kind kind, const char *op) {
    static const double instead[] = {[MAX] = -INFINITY, [MIN] = INFINITY, [PROD] = 1};
    const bool moments = kind == MEAN || kind == VAR || kind == STD;
    const int axes = kt_op_axes(g, op, x, a->axis);
    if (g->status) return NULL;
    if (moments) x = kt_op_floats(g, x);
    if ((kind == SUM || kind == PROD) && x->spec.dtype == KT_BOOL) x = kt_g_cast(g, x, KT_INT32);
    if (!x) return NULL;
    kt_val *there = kt_g_eq(g, x, x);
    if (moments) {
        kt_val *y = nan_mean(g, x, there, axes, kind == MEAN ? a->keepdims : true);
        if (kind == MEAN) return y;
        y = nan_mean(g, kt_g_square(g, kt_g_sub(g, x, y)), there, axes, a->keepdims);
        return kind == STD ? kt_g_sqrt(g, y) : y;
    }
    const kt_reduce_kind reduce = kind == SUM    ? KT_RED_SUM
                                  : kind == PROD ? KT_RED_PROD
                                  : kind == MAX  ? KT_RED_MAX
                                                 : KT_RED_MIN;
    kt_val *y = kt_g_reduce(g, reduce, without_nan(g, x, instead[kind]), axes, a->keepdims);
    if (!y || kind == SUM || kind == PROD || !kt_dtype_is_float(x->spec.dtype)) return y;
    kt_val *any = kt_g_reduce(g, KT_RED_MAX, there, axes, a->keepdims);
    return kt_g_select(g, any, y, num(g, NAN, y));
}

static kt_val *range_of(kt_graph *g, kt_val *x, const nan_attrs *a) {
    const int axes = kt_op_axes(g, "ptp", x, a->axis);
    if (g->status) return NULL;
    kt_val *high = kt_g_reduce(g, KT_RED_MAX, x, axes, a->keepdims);
    return kt_g_sub(g, high, kt_g_reduce(g, KT_RED_MIN, x, axes, a->keepdims));
}

#define FOLD(fn, camel, expression)                                                                \
    KT_OP_BUILD(fn) {                                                                              \
        (void)n;                                                                                   \
        return expression;                                                                         \
    }                                                                                              \
    static const kt_op_class fn##_class = {camel, sizeof(nan_attrs), fn##_build, NULL};            \
    kt_sym *kt_op_##fn(kt_sym *x, kt_tuple axis, bool keepdims) {                                  \
        nan_attrs a;                                                                               \
        memset(&a, 0, sizeof a);                                                                   \
        a.axis = axis;                                                                             \
        a.keepdims = keepdims;                                                                     \
        return kt_op_apply(&fn##_class, 1, &x, &a);                                                \
    }
FOLD(nansum, "Nansum", nan_reduce(g, in[0], attrs, SUM, "nansum"))
FOLD(nanmean, "Nanmean", nan_reduce(g, in[0], attrs, MEAN, "nanmean"))
FOLD(nanmax, "Nanmax", nan_reduce(g, in[0], attrs, MAX, "nanmax"))
FOLD(nanmin, "Nanmin", nan_reduce(g, in[0], attrs, MIN, "nanmin"))
FOLD(nanprod, "Nanprod", nan_reduce(g, in[0], attrs, PROD, "nanprod"))
FOLD(nanvar, "Nanvar", nan_reduce(g, in[0], attrs, VAR, "nanvar"))
FOLD(nanstd, "Nanstd", nan_reduce(g, in[0], attrs, STD, "nanstd"))
FOLD(ptp, "Ptp", range_of(g, in[0], attrs))

/* sum w x / sum w; weights of one axis stand along the axis. */
KT_OP_BUILD(average) {
    const nan_attrs *a = attrs;
    kt_val *x = kt_op_floats(g, in[0]), *w = n > 1 ? in[1] : NULL;
    const int axes = x ? kt_op_axes(g, "average", x, a->axis) : 0;
    if (g->status) return NULL;
    if (!w) return kt_g_mean(g, x, axes, false);
    kt_val *pair[2] = {x, w};
    if (!kt_op_pair(g, pair, true)) return NULL;
    x = pair[0];
    w = pair[1];
    if (w->spec.shape.ndim != x->spec.shape.ndim) {
        kt_shape s = {x->spec.shape.ndim, {0}};
        for (int i = 0; i < s.ndim; i++) s.dim[i] = axes >> i & 1 ? x->spec.shape.dim[i] : 1;
        w = kt_g_reshape(g, w, s);
    }
    kt_val *sum = kt_g_sum(g, kt_g_mul(g, x, w), axes, false);
    kt_val *total = w ? kt_g_sum(g, kt_g_broadcast(g, w, x->spec.shape), axes, false) : NULL;
    return kt_g_div(g, sum, total);
}
static const kt_op_class average_class = {"Average", sizeof(nan_attrs), average_build, NULL};
kt_sym *kt_op_average(kt_sym *x, kt_tuple axis, kt_sym *weights) {
    kt_sym *in[2] = {x, weights};
    nan_attrs a;
    memset(&a, 0, sizeof a);
    a.given = weights ? 3 : 1;
    a.axis = axis;
    return kt_op_apply(&average_class, weights ? 2 : 1, in, &a);
}

/* Numbers between two ends --------------------------------------------------------------------- */

typedef struct {
    int64_t num;
    int axis, dtype;
    bool endpoint;
    double base; ///< of logspace
    double dx;   ///< of trapezoid
} space_attrs;

static kt_val *spaced(kt_graph *g, kt_val **in, const space_attrs *a, const char *op) {
    if (a->num < 0 || a->num > (1 << 24))
        return kt_graph_fail(g, KT_FAIL(KT_EINVAL, "%s: num %lld", op, (long long)a->num));
    if (!kt_op_pair(g, in, true)) return NULL;
    kt_val *start = in[0], *way = kt_g_sub(g, in[1], in[0]);
    if (!way) return NULL;
    start = kt_g_broadcast(g, start, way->spec.shape);
    const int ndim = way->spec.shape.ndim + 1, axis = kt_op_axis(g, op, a->axis, ndim);
    if (axis < 0) return NULL;
    kt_shape s = {ndim, {0}};
    for (int i = 0; i < ndim; i++) s.dim[i] = i == axis ? a->num : 1;
    double *share = kt_arena_alloc(g->arena, sizeof *share * (size_t)(a->num + 1));
    if (!share) return kt_graph_fail(g, KT_ENOMEM);
    const double parts = a->endpoint && a->num > 1 ? (double)(a->num - 1) : (double)a->num;
    for (int64_t i = 0; i < a->num; i++) share[i] = (double)i / parts;
    kt_val *at = kt_g_cast(g, kt_g_array(g, share, (kt_spec){KT_FLOAT64, s}), way->spec.dtype);
    way = kt_g_mul(g, kt_g_expand_dims(g, way, axis), at);
    return kt_g_add(g, kt_g_expand_dims(g, start, axis), way);
}
static kt_val *space_dtype(kt_graph *g, kt_val *y, const space_attrs *a) {
    if (a->dtype == KT_NO_DTYPE || !y) return y;
    if (!kt_dtype_is_float((kt_dtype)a->dtype)) y = kt_g_floor(g, y);
    return kt_g_cast(g, y, (kt_dtype)a->dtype);
}
KT_OP_BUILD(linspace) {
    (void)n;
    return space_dtype(g, spaced(g, in, attrs, "linspace"), attrs);
}
KT_OP_BUILD(logspace) {
    (void)n;
    kt_val *y = spaced(g, in, attrs, "logspace");
    y = y ? kt_g_pow(g, kt_g_num(g, ((const space_attrs *)attrs)->base, y), y) : NULL;
    return space_dtype(g, y, attrs);
}
/* The area below lines between the points. */
KT_OP_BUILD(trapezoid) {
    const space_attrs *a = attrs;
    kt_val *y = kt_op_floats(g, in[0]);
    const int axis = y ? kt_op_axis(g, "trapezoid", a->axis, y->spec.shape.ndim) : -1;
    (void)n;
    if (axis < 0) return NULL;
    const int64_t len = y->spec.shape.dim[axis];
    if (len == 0) return kt_g_sum(g, y, 1 << axis, false);
    kt_val *both = kt_g_add(
        g, kt_g_slice_axis(g, y, axis, 1, len), kt_g_slice_axis(g, y, axis, 0, len - 1));
    return both ? kt_g_scale(g, kt_g_sum(g, both, 1 << axis, false), a->dx / 2) : NULL;
}
static const kt_op_class linspace_class = {"Linspace", sizeof(space_attrs), linspace_build, NULL},
                         logspace_class = {"Logspace", sizeof(space_attrs), logspace_build, NULL},
                         trapezoid_class = {
                             "Trapezoid", sizeof(space_attrs), trapezoid_build, NULL};
static kt_sym *space(
    const kt_op_class *op,
    int n,
    kt_sym **in,
    int64_t count,
    bool endpoint,
    double base,
    int axis) {
    space_attrs a;
    memset(&a, 0, sizeof a);
    a.num = count;
    a.endpoint = endpoint;
    a.base = a.dx = base;
    a.axis = axis;
    a.dtype = KT_NO_DTYPE;
    return kt_op_apply(op, n, in, &a);
}
kt_sym *kt_op_linspace(kt_sym *start, kt_sym *stop, int num, bool endpoint, int axis) {
    return space(&linspace_class, 2, (kt_sym *[]){start, stop}, num, endpoint, 0, axis);
}
kt_sym *kt_op_logspace(kt_sym *start, kt_sym *stop, int num, bool endpoint, double base, int axis) {
    return space(&logspace_class, 2, (kt_sym *[]){start, stop}, num, endpoint, base, axis);
}
kt_sym *kt_op_trapezoid(kt_sym *y, double dx, int axis) {
    return space(&trapezoid_class, 1, &y, 0, true, dx, axis);
}

/* Files ---------------------------------------------------------------------------------------- */

static const kt_field finite_fields[] = {
    KT_F(finite_attrs, nan), KT_F(finite_attrs, posinf), KT_F(finite_attrs, neginf), KT_F_END};
static const kt_field round_fields[] = {KT_F(round_attrs, decimals), KT_F_END};
static const kt_field dtype_fields[] = {KT_F_AS(dtype_attrs, dtype, KT_FIELD_DTYPE), KT_F_END};
static const kt_field full_fields[] = {
    KT_F(dtype_attrs, shape), KT_F_AS(dtype_attrs, dtype, KT_FIELD_DTYPE), KT_F_END};
static const kt_field close_fields[] = {
    KT_F(close_attrs, equal_nan), KT_F(close_attrs, rtol), KT_F(close_attrs, atol), KT_F_END};
static const kt_field nan_fields[] = {KT_F(nan_attrs, axis), KT_F(nan_attrs, keepdims), KT_F_END};
static const kt_field average_fields[] = {KT_F(nan_attrs, axis), KT_F_END};
static const kt_field linspace_fields[] = {
    KT_F(space_attrs, num),
    KT_F(space_attrs, endpoint),
    KT_F_AS(space_attrs, dtype, KT_FIELD_DTYPE),
    KT_F(space_attrs, axis),
    KT_F_END};
static const kt_field logspace_fields[] = {
    KT_F(space_attrs, num),
    KT_F(space_attrs, endpoint),
    KT_F(space_attrs, base),
    KT_F_AS(space_attrs, dtype, KT_FIELD_DTYPE),
    KT_F(space_attrs, axis),
    KT_F_END};
static const kt_field trapezoid_fields[] = {
    KT_F(space_attrs, dx), KT_F(space_attrs, axis), KT_F_END};

const kt_op_form kt_op_forms_math[] = {
    {&cbrt_class, "numpy", 1, NULL, NULL, NULL},
    {&sinc_class, "numpy", 1, NULL, NULL, NULL},
    {&signbit_class, "numpy", 1, NULL, NULL, NULL},
    {&isposinf_class, "numpy", 1, NULL, NULL, NULL},
    {&isneginf_class, "numpy", 1, NULL, NULL, NULL},
    {&isreal_class, "numpy", 1, NULL, NULL, NULL},
    {&nan_to_num_class, "numpy", 1, finite_fields, NULL, NULL},
    {&round_class, "numpy", 1, round_fields, NULL, NULL},
    {&array_class, "numpy", 1, dtype_fields, NULL, NULL},
    {&empty_like_class, "numpy", 1, dtype_fields, NULL, NULL},
    {&saturate_cast_class, "core", 1, dtype_fields, NULL, NULL},
    {&full_class, "numpy", 1, full_fields, NULL, NULL},
    {&size_class, "numpy", 1, NULL, NULL, NULL},
    {&fmod_class, "numpy", 2, NULL, NULL, NULL},
    {&fmax_class, "numpy", 2, NULL, NULL, NULL},
    {&fmin_class, "numpy", 2, NULL, NULL, NULL},
    {&heaviside_class, "numpy", 2, NULL, NULL, NULL},
    {&logaddexp2_class, "numpy", 2, NULL, NULL, NULL},
    {&ldexp_class, "numpy", 2, NULL, NULL, NULL},
    {&isclose_class, "numpy", 2, close_fields, NULL, "x1 x2 rtol atol"},
    {&allclose_class, "numpy", 2, close_fields, NULL, NULL},
    {&nansum_class, "numpy", 1, nan_fields, NULL, NULL},
    {&nanmean_class, "numpy", 1, nan_fields, NULL, NULL},
    {&nanmax_class, "numpy", 1, nan_fields, NULL, NULL},
    {&nanmin_class, "numpy", 1, nan_fields, NULL, NULL},
    {&nanprod_class, "numpy", 1, nan_fields, NULL, NULL},
    {&nanvar_class, "numpy", 1, nan_fields, NULL, NULL},
    {&nanstd_class, "numpy", 1, nan_fields, NULL, NULL},
    {&ptp_class, "numpy", 1, nan_fields, NULL, NULL},
    {&average_class, "numpy", 1, average_fields, NULL, "x * weights?"},
    {&linspace_class, "numpy", 2, linspace_fields, NULL, NULL},
    {&logspace_class, "numpy", 2, logspace_fields, NULL, NULL},
    {&trapezoid_class, "numpy", 1, trapezoid_fields, NULL, NULL},
    {NULL, NULL, 0, NULL, NULL, NULL}};
