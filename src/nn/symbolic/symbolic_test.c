/* kt_op_*: every function as a layer of a model, against the C library; shapes, dtypes, wrong
 * operands. */
#include "testing/kt_layers.h"
#include "testing/kt_models.h"

#include <math.h>
#include <string.h>

#define N 40

static kt_tensor *run1(kt_sym *x, kt_sym *y, kt_tensor *data) {
    kt_model *m = kt_functional(x, y);
    kt_check_ok(m);
    kt_tensor *out = kt_model_predict(m, data, .batch_size = 1000, .verbose = 0);
    kt_check_ok(out);
    return out; /* freeing the model would take x with it */
}

/* One operand ---------------------------------------------------------------------------------- */

static double f_negative(double x) { return -x; }
static double f_sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }
static double f_square(double x) { return x * x; }
static double f_rsqrt(double x) { return 1 / sqrt(x); }
static double f_reciprocal(double x) { return 1 / x; }
static double f_sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double f_softplus(double x) { return log1p(exp(x)); }
static double f_relu(double x) { return x > 0 ? x : 0; }
static double f_same(double x) { return x; }

static const struct {
    const char *name;
    kt_sym *(*op)(kt_sym *x);
    double (*want)(double x);
    double low, high;
} unary[] = {
    {"negative", kt_op_negative, f_negative, -3, 3},
    {"abs", kt_op_abs, fabs, -3, 3},
    {"sign", kt_op_sign, f_sign, -3, 3},
    {"square", kt_op_square, f_square, -3, 3},
    {"sqrt", kt_op_sqrt, sqrt, 0, 9},
    {"rsqrt", kt_op_rsqrt, f_rsqrt, 0.1, 9},
    {"reciprocal", kt_op_reciprocal, f_reciprocal, 0.1, 9},
    {"exp", kt_op_exp, exp, -5, 5},
    {"expm1", kt_op_expm1, expm1, -5, 5},
    {"log", kt_op_log, log, 0.1, 9},
    {"log1p", kt_op_log1p, log1p, -0.9, 9},
    {"sin", kt_op_sin, sin, -9, 9},
    {"cos", kt_op_cos, cos, -9, 9},
    {"tan", kt_op_tan, tan, -1.4, 1.4},
    {"arcsin", kt_op_arcsin, asin, -1, 1},
    {"arccos", kt_op_arccos, acos, -1, 1},
    {"arctan", kt_op_arctan, atan, -9, 9},
    {"sinh", kt_op_sinh, sinh, -4, 4},
    {"cosh", kt_op_cosh, cosh, -4, 4},
    {"tanh", kt_op_tanh, tanh, -4, 4},
    {"arcsinh", kt_op_arcsinh, asinh, -4, 4},
    {"arctanh", kt_op_arctanh, atanh, -0.9, 0.9},
    {"erf", kt_op_erf, erf, -3, 3},
    {"sigmoid", kt_op_sigmoid, f_sigmoid, -9, 9},
    {"softplus", kt_op_softplus, f_softplus, -9, 9},
    {"relu", kt_op_relu, f_relu, -3, 3},
    {"floor", kt_op_floor, floor, -9, 9},
    {"ceil", kt_op_ceil, ceil, -9, 9},
    {"round", kt_op_round, nearbyint, -9, 9},
    {"trunc", kt_op_trunc, trunc, -9, 9},
    {"stop_gradient", kt_op_stop_gradient, f_same, -9, 9},
};

KT_TEST(symbolic, functions_of_one_operand) {
    uint64_t seed = 3;
    for (int i = 0; i < (int)(sizeof unary / sizeof unary[0]); i++) {
        kt_sym *x = kt_input({N});
        kt_tensor *in = kt_test_tensor(
            KT_FLOAT32, kt_dims(1, N), unary[i].low, unary[i].high, &seed);
        kt_tensor *y = run1(x, unary[i].op(x), in);
        for (int k = 0; k < N; k++)
            kt_check_near_at(
                kt_tensor_get(y, k),
                unary[i].want(kt_tensor_get(in, k)),
                2e-6,
                1e-6,
                unary[i].name,
                __FILE__,
                __LINE__);
    }
}

KT_TEST(symbolic, rounding_goes_to_even) {
    kt_sym *x = kt_input({6});
    kt_tensor *in = kt_floats_tensor(kt_dims(1, 6), KT_VALUES(0.5, 1.5, 2.5, -0.5, -1.5, 3.49));
    kt_check_values(run1(x, kt_op_round(x), in), 0, 0, 0, 2, 2, 0, -2, 3);
}

/* Two operands --------------------------------------------------------------------------------- */

static double f_add(double a, double b) { return a + b; }
static double f_subtract(double a, double b) { return a - b; }
static double f_multiply(double a, double b) { return a * b; }
static double f_divide(double a, double b) { return a / b; }
static double f_maximum(double a, double b) { return a > b ? a : b; }
static double f_minimum(double a, double b) { return a < b ? a : b; }
static double f_floor_divide(double a, double b) { return floor(a / b); }
static double f_mod(double a, double b) { return a - b * floor(a / b); }
static double f_equal(double a, double b) { return a == b; }
static double f_not_equal(double a, double b) { return a != b; }
static double f_less(double a, double b) { return a < b; }
static double f_less_equal(double a, double b) { return a <= b; }
static double f_greater(double a, double b) { return a > b; }
static double f_greater_equal(double a, double b) { return a >= b; }

static const struct {
    const char *name;
    kt_sym *(*op)(kt_sym *a, kt_sym *b);
    double (*want)(double a, double b);
    double low, high;
} binary[] = {
    {"add", kt_op_add, f_add, -3, 3},
    {"subtract", kt_op_subtract, f_subtract, -3, 3},
    {"multiply", kt_op_multiply, f_multiply, -3, 3},
    {"divide", kt_op_divide, f_divide, 0.5, 3},
    {"power", kt_op_power, pow, 0.5, 3},
    {"maximum", kt_op_maximum, f_maximum, -3, 3},
    {"minimum", kt_op_minimum, f_minimum, -3, 3},
    {"floor_divide", kt_op_floor_divide, f_floor_divide, 0.5, 9},
    {"mod", kt_op_mod, f_mod, 0.5, 9},
    {"arctan2", kt_op_arctan2, atan2, -3, 3},
    {"equal", kt_op_equal, f_equal, 0, 4},
    {"not_equal", kt_op_not_equal, f_not_equal, 0, 4},
    {"less", kt_op_less, f_less, 0, 4},
    {"less_equal", kt_op_less_equal, f_less_equal, 0, 4},
    {"greater", kt_op_greater, f_greater, 0, 4},
    {"greater_equal", kt_op_greater_equal, f_greater_equal, 0, 4},
};

static kt_tensor *run2(kt_sym *y, kt_sym *a, kt_sym *b, kt_tensor *x0, kt_tensor *x1) {
    kt_model *m = kt_functional(kt_list(a, b), y);
    kt_check_ok(m);
    kt_tensor *out = kt_model_predict(m, kt_list(x0, x1), .batch_size = 1000, .verbose = 0);
    kt_check_ok(out);
    kt_free(m);
    return out;
}

KT_TEST(symbolic, functions_of_two_operands) {
    uint64_t seed = 4;
    for (int i = 0; i < (int)(sizeof binary / sizeof binary[0]); i++) {
        kt_sym *a = kt_input({N}), *b = kt_input({N});
        kt_tensor *x0 = kt_test_tensor(
            KT_FLOAT32, kt_dims(1, N), binary[i].low, binary[i].high, &seed);
        kt_tensor *x1 = kt_test_tensor(
            KT_FLOAT32, kt_dims(1, N), binary[i].low, binary[i].high, &seed);
        for (int k = 0; k < 5; k++) kt_tensor_set(x1, k, kt_tensor_get(x0, k)); /* some are equal */
        kt_tensor *y = run2(binary[i].op(a, b), a, b, x0, x1);
        for (int k = 0; k < N; k++)
            kt_check_near_at(
                kt_tensor_get(y, k),
                binary[i].want(kt_tensor_get(x0, k), kt_tensor_get(x1, k)),
                2e-6,
                1e-6,
                binary[i].name,
                __FILE__,
                __LINE__);
    }
}

KT_TEST(symbolic, operands_are_broadcast) {
    kt_sym *a = kt_input({3, 1}), *b = kt_input({2});
    kt_tensor *x0 = kt_floats_tensor(kt_dims(2, 3, 1), KT_VALUES(1, 2, 3, 4, 5, 6));
    kt_tensor *x1 = kt_floats_tensor(kt_dims(2, 2), KT_VALUES(10, 20, 30, 40));
    /* (2, 3, 1) with (2, 2) as (1, 2, 2) would not go together: the second gets an axis by hand */
    kt_sym *y = kt_op_add(a, kt_op_expand_dims(b, 1));
    kt_check_values(run2(y, a, b, x0, x1), 0, 0, 11, 21, 12, 22, 13, 23, 34, 44, 35, 45, 36, 46);
    kt_check_fails(kt_op_add(kt_input({3}), kt_input({4})), KT_ESHAPE, "(None, 3)");
    kt_check_message_has("(None, 4)");
}

/* Dtypes --------------------------------------------------------------------------------------- */

KT_TEST(symbolic, dtypes_are_promoted) {
    kt_sym *f = kt_input({2}), *i = kt_input({2}, .dtype = "int32"),
           *u = kt_input({2}, .dtype = "uint8");
    kt_sym *d = kt_input({2}, .dtype = "float64"), *b = kt_input({2}, .dtype = "bool");
    assert_int_equal(kt_sym_dtype(kt_op_add(f, i)), KT_FLOAT32);
    assert_int_equal(kt_sym_dtype(kt_op_add(i, f)), KT_FLOAT32);
    assert_int_equal(kt_sym_dtype(kt_op_add(i, u)), KT_INT32);
    assert_int_equal(kt_sym_dtype(kt_op_multiply(d, f)), KT_FLOAT64);
    assert_int_equal(kt_sym_dtype(kt_op_multiply(b, i)), KT_INT32);
    assert_int_equal(kt_sym_dtype(kt_op_add(i, kt_num(2))), KT_INT32); /* numbers give way */
    assert_int_equal(kt_sym_dtype(kt_op_divide(i, u)), KT_FLOAT32);
    assert_int_equal(kt_sym_dtype(kt_op_mean(i, -1, false)), KT_FLOAT32);
    assert_int_equal(kt_sym_dtype(kt_op_less(i, f)), KT_BOOL);
    assert_int_equal(kt_sym_dtype(kt_op_argmax(f, -1, false)), KT_INT32);
    assert_int_equal(kt_sym_dtype(kt_op_cast(f, "int64")), KT_INT64);
    kt_check_fails(kt_op_cast(f, "flaot"), KT_EINVAL, "unknown name \"flaot\"");
    kt_check_fails(kt_op_cast(f, NULL), KT_EINVAL, "None");
}

/* Reductions, products, shapes ----------------------------------------------------------------- */

static kt_tensor *six(void) {
    return kt_floats_tensor(kt_dims(1, 2, 3), KT_VALUES(1, 2, 3, 6, 5, 4));
}

KT_TEST(symbolic, reductions) {
    kt_sym *x = kt_input({2, 3});
    kt_check_values(run1(x, kt_op_sum(x, 1, false), six()), 0, 0, 7, 7, 7);
    kt_check_values(run1(x, kt_op_sum(x, -1, false), six()), 0, 0, 6, 15);
    kt_check_values(run1(x, kt_op_mean(x, 2, true), six()), 1e-6, 0, 2, 5);
    kt_check_values(run1(x, kt_op_max(x, 1, false), six()), 0, 0, 6, 5, 4);
    kt_check_values(run1(x, kt_op_min(x, 2, false), six()), 0, 0, 1, 4);
    kt_check_values(run1(x, kt_op_prod(x, 2, false), six()), 0, 0, 6, 120);
    kt_check_values(run1(x, kt_op_argmax(x, 2, false), six()), 0, 0, 2, 0);
    kt_check_values(run1(x, kt_op_argmin(x, 1, true), six()), 0, 0, 0, 0, 0);
    kt_check_values(run1(x, kt_op_sum(x, kt_axes(2, 1), false), six()), 0, 0, 21);
    kt_check_values(run1(x, kt_op_mean(x, kt_axes(-1, 1), true), six()), 1e-6, 0, 3.5);
    kt_sym *big = kt_op_greater(x, kt_num(4));
    kt_check_values(run1(x, kt_op_cast(kt_op_any(big, 1, false), "float32"), six()), 0, 0, 1, 1, 0);
    kt_check_values(run1(x, kt_op_cast(kt_op_all(x, 2, false), "float32"), six()), 0, 0, 1, 1);
    kt_sym *at = kt_op_add(kt_op_argmax(x, KT_NONE, true), kt_op_argmin(x, KT_NONE, false));
    at = kt_op_add(x, kt_op_multiply(kt_op_cast(at, "float32"), kt_num(10)));
    kt_check_values(run1(x, at, six()), 0, 0, 31, 32, 33, 36, 35, 34);
    kt_check_fails(kt_op_sum(x, kt_axes(1, -2), false), KT_EINVAL, "twice");
    kt_sym *all = kt_op_sum(x, KT_NONE, false);
    assert_int_equal(kt_sym_shape(all).ndim, 0);
    kt_check_values(run1(x, kt_op_subtract(x, all), six()), 0, 0, -20, -19, -18, -15, -16, -17);
    kt_check_fails(kt_op_sum(x, 3, false), KT_EINVAL, "axis 3");
    kt_check_fails(kt_op_mean(x, -4, false), KT_EINVAL, "axis -4");
}

KT_TEST(symbolic, products) {
    kt_sym *x = kt_input({2, 3});
    kt_sym *w = kt_const(kt_floats_tensor(kt_dims(3, 2), KT_VALUES(1, 0, 0, 1, 1, 1)));
    kt_check_values(run1(x, kt_op_matmul(x, w), six()), 0, 0, 4, 5, 10, 9);
    kt_sym *v = kt_const(kt_floats_tensor(kt_dims(3), KT_VALUES(1, 10, 100)));
    kt_check_values(run1(x, kt_op_matmul(x, v), six()), 0, 0, 321, 456);
    kt_sym *t = kt_op_transpose(x, kt_dims(0, 2, 1));
    kt_check_values(run1(x, kt_op_matmul(x, t), six()), 0, 0, 14, 28, 28, 77);
    kt_check_fails(kt_op_matmul(x, kt_input({2, 2})), KT_ESHAPE, "");
    kt_check_fails(kt_op_matmul(x, kt_op_sum(x, KT_NONE, false)), KT_ESHAPE, "at least one axis");
}

KT_TEST(symbolic, rows_and_classes) {
    kt_sym *x = kt_input({2, 3});
    const double e = exp(1), s = 1 + e + e * e;
    kt_check_values(
        run1(x, kt_op_slice(kt_op_softmax(x, -1), 1, 0, 1), six()),
        1e-5,
        0,
        1 / s,
        e / s,
        e * e / s);
    kt_check_values(
        run1(x, kt_op_slice(kt_op_log_softmax(x, -1), 1, 0, 1), six()),
        1e-5,
        0,
        -log(s),
        1 - log(s),
        2 - log(s));
    kt_sym *ids = kt_input({3}, .dtype = "int32");
    kt_tensor *data = kt_tensor_new(KT_INT32, kt_dims(1, 3), (int32_t[]){2, 0, 1});
    kt_check_values(
        run1(ids, kt_op_one_hot(ids, 3, -1, NULL), data), 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0);
    kt_sym *table = kt_const(kt_floats_tensor(kt_dims(3, 2), KT_VALUES(1, 2, 3, 4, 5, 6)));
    kt_check_values(run1(ids, kt_op_take(table, ids, 0), data), 0, 0, 5, 6, 1, 2, 3, 4);
    kt_check_values(run1(ids, kt_op_take(table, ids, KT_NONE), data), 0, 0, 3, 1, 2);
    kt_sym *at = kt_const(kt_tensor_new(KT_INT32, kt_dims(2), (int32_t[]){2, 0}));
    kt_check_values(run1(x, kt_op_take(x, at, -1), six()), 0, 0, 3, 1, 4, 6);
    kt_check_values(
        run1(ids, kt_op_one_hot(ids, 3, 1, "float32"), data), 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0);
    kt_check_fails(kt_op_take(table, ids, 2), KT_EINVAL, "axis 2");
    kt_check_fails(kt_op_one_hot(ids, 3, 5, NULL), KT_EINVAL, "axis 5");
}

KT_TEST(symbolic, shapes) {
    kt_sym *x = kt_input({2, 3});
    kt_check_values(
        run1(x, kt_op_reshape(x, kt_dims(KT_NONE, 3, 2)), six()), 0, 0, 1, 2, 3, 6, 5, 4);
    kt_check_values(run1(x, kt_op_reshape(x, kt_dims(KT_NONE, -1)), six()), 0, 0, 1, 2, 3, 6, 5, 4);
    kt_check_values(run1(x, kt_op_transpose(x, kt_dims(0, 2, 1)), six()), 0, 0, 1, 6, 2, 5, 3, 4);
    kt_check_values(run1(x, kt_op_slice(x, -1, 1, KT_NONE), six()), 0, 0, 2, 3, 5, 4);
    kt_check_values(run1(x, kt_op_slice(x, 2, -1, KT_NONE), six()), 0, 0, 3, 4);
    kt_check_values(
        run1(x, kt_op_squeeze(kt_op_expand_dims(x, 1), 1), six()), 0, 0, 1, 2, 3, 6, 5, 4);
    kt_sym *wide = kt_op_broadcast_to(kt_op_slice(x, 2, 0, 1), kt_dims(KT_NONE, 2, 2));
    kt_check_values(run1(x, wide, six()), 0, 0, 1, 1, 6, 6);
    kt_check_values(
        run1(x, kt_op_concatenate(kt_list(x, x), 1), six()),
        0,
        0,
        1,
        2,
        3,
        6,
        5,
        4,
        1,
        2,
        3,
        6,
        5,
        4);
    kt_check_values(
        run1(x, kt_op_where(kt_op_greater(x, kt_num(3)), x, kt_num(0)), six()),
        0,
        0,
        0,
        0,
        0,
        6,
        5,
        4);
    kt_check_values(run1(x, kt_op_clip(x, 2, 5), six()), 0, 0, 2, 2, 3, 5, 5, 4);
    kt_check_fails(kt_op_reshape(x, kt_dims(KT_NONE, 5)), KT_ESHAPE, "");
    kt_check_fails(
        kt_op_transpose(x, kt_dims(0, 1)), KT_EINVAL, "transpose: expected 3 axes, got 2");
    kt_check_fails(kt_op_transpose(x, kt_dims(0, 1, 1)), KT_EINVAL, "");
    kt_check_fails(kt_op_squeeze(x, 1), KT_EINVAL, "");
    kt_check_fails(kt_op_expand_dims(x, 7), KT_EINVAL, "");
    kt_check_fails(kt_op_slice(x, 5, 0, 1), KT_EINVAL, "axis 5");
    kt_check_fails(kt_op_concatenate(kt_list(x, kt_input({4, 4})), 1), KT_ESHAPE, "");
    kt_check_fails(kt_op_broadcast_to(x, kt_dims(KT_NONE, 5, 3)), KT_ESHAPE, "");
}

/* Operands that are none ----------------------------------------------------------------------- */

static kt_sym *make_repeat(kt_sym *x) { return kt_op_repeat(x, 2, 1); }
static kt_sym *make_tile(kt_sym *x) { return kt_op_tile(x, kt_dims(2, 1)); }
static kt_sym *make_flip(kt_sym *x) { return kt_op_flip(x, -1); }
static kt_sym *make_roll(kt_sym *x) { return kt_op_roll(x, 1, 2); }
static kt_sym *make_roll_back(kt_sym *x) { return kt_op_roll(x, -4, 2); }
static kt_sym *make_swapaxes(kt_sym *x) { return kt_op_swapaxes(x, 1, -1); }
static kt_sym *make_stack(kt_sym *x) {
    return kt_op_stack(kt_list(x, kt_op_multiply(x, kt_num(2))), 2);
}
static kt_sym *make_var(kt_sym *x) { return kt_op_var(x, -1, false); }
static kt_sym *make_std(kt_sym *x) { return kt_op_std(x, kt_axes(1, 2), true); }

KT_TEST(symbolic, moving_and_repeating) {
    const float data[] = {1, 2, 3, 4, 5, 6};
    kt_tensor *t = kt_tensor_new(KT_FLOAT32, kt_dims(1, 2, 3), data);
    const struct {
        const char *name;
        kt_sym *(*make)(kt_sym *x);
        kt_shape shape;
        float want[12];
    } cases[] = {
        {"repeat", make_repeat, kt_dims(1, 4, 3), {1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6}},
        {"tile", make_tile, kt_dims(1, 4, 3), {1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6}},
        {"flip", make_flip, kt_dims(1, 2, 3), {3, 2, 1, 6, 5, 4}},
        {"roll", make_roll, kt_dims(1, 2, 3), {3, 1, 2, 6, 4, 5}},
        {"roll back", make_roll_back, kt_dims(1, 2, 3), {2, 3, 1, 5, 6, 4}},
        {"swapaxes", make_swapaxes, kt_dims(1, 3, 2), {1, 4, 2, 5, 3, 6}},
        {"stack", make_stack, kt_dims(1, 2, 2, 3), {1, 2, 3, 2, 4, 6, 4, 5, 6, 8, 10, 12}},
        {"var", make_var, kt_dims(1, 2), {2 / 3.0f, 2 / 3.0f}},
        {"std", make_std, kt_dims(1, 1, 1), {1.707825127f}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        kt_sym *x = kt_input({2, 3});
        kt_tensor *y = run1(x, cases[i].make(x), t);
        const kt_shape got = kt_tensor_shape(y);
        if (!kt_shape_equal(&got, &cases[i].shape)) print_error("%s: shape\n", cases[i].name);
        assert_true(kt_shape_equal(&got, &cases[i].shape));
        for (int64_t k = 0; k < kt_tensor_size(y); k++)
            kt_check_near(kt_tensor_get(y, k), cases[i].want[k], 1e-6, 0);
        kt_free(y);
    }
    kt_free(t);
}

KT_TEST(symbolic, moving_rejects_wrong_axes) {
    kt_sym *x = kt_input({2, 3}), *other = kt_input({2, 4});
    kt_check_fails(kt_op_tile(x, kt_dims(-2)), KT_EINVAL, "tile: expected 0 or more times");
    kt_check_fails(kt_op_flip(x, -4), KT_EINVAL, "flip: axis -4 is out of range");
    kt_check_fails(kt_op_roll(x, 1, 5), KT_EINVAL, "roll: axis 5");
    kt_check_fails(kt_op_swapaxes(x, 0, 3), KT_EINVAL, "swapaxes: axis 3");
    kt_check_fails(kt_op_stack(kt_list(x, other), 1), KT_ESHAPE, "one shape");
    kt_check_fails(kt_op_var(x, 7, false), KT_EINVAL, "var: axis 7");
}

KT_TEST(symbolic, wrong_operands) {
    kt_sym *x = kt_input({2});
    kt_tensor *t = kt_floats_tensor(kt_dims(1, 2), KT_VALUES(1, 2));
    kt_check_fails(kt_op_add(x, NULL), KT_EINVAL, "");
    kt_check_fails(kt_op_add(x, (kt_sym *)t), KT_EINVAL, "expected a symbolic tensor");
    kt_check_fails(kt_op_exp(NULL), KT_EINVAL, "");
    kt_check_fails(kt_op_exp(kt_num(2)), KT_EINVAL, "no operand belongs to a model");
    kt_check_fails(kt_op_add(kt_num(1), kt_num(2)), KT_EINVAL, "no operand belongs to a model");
    kt_check_fails(kt_const(NULL), KT_EINVAL, "");
    kt_check_fails(kt_const((kt_tensor *)x), KT_EINVAL, "expected a tensor");
    kt_check_fails(kt_op_concatenate(x, -1), KT_OK, ""); /* one tensor is a list of one */
    assert_int_equal(kt_sym_dtype(NULL), KT_NO_DTYPE);
    assert_int_equal(kt_sym_shape(NULL).ndim, 0);
}
