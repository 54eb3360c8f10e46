/* kt_op_*, continued: constant arrays. Computed when they are named, as in Keras; the windows in
 * double, by the formulas of NumPy. */
#include "base/error.h"
#include "nn/symbolic/symbolic.h"
#include "tensor/tensor.h"

#include <keratin/ops_constants.h>
#include <keratin/runtime.h>

#include <math.h>
#include <string.h>

/* `value` of element (row, column) for a number that the function reads as it likes. */
typedef double element_fn(int64_t row, int64_t column, const double *arg);

static kt_sym *array_of(
    kt_shape shape, const char *dtype, element_fn *value, const double *arg, const char *op) {
    const char *name = dtype ? dtype : kt_floatx();
    const kt_dtype d = kt_dtype_of(name);
    if (d == KT_NO_DTYPE)
        return kt_fail_object(KT_FAIL(KT_EINVAL, "%s: dtype: unknown name \"%.60s\"", op, name));
    for (int i = 0; i < shape.ndim; i++)
        if (shape.dim[i] < 0)
            return kt_fail_object(KT_FAIL(
                KT_EINVAL,
                "%s: a length of %lld; expected 0 or more",
                op,
                (long long)shape.dim[i]));
    kt_tensor *t = kt_tensor_new(d, shape, NULL);
    if (kt_failed(t)) return kt_fail_object(kt_check(t));
    const int64_t n = kt_tensor_size(t), width = shape.ndim > 1 ? shape.dim[1] : 1;
    for (int64_t i = 0; value && i < n; i++) kt_tensor_set(t, i, value(i / width, i % width, arg));
    kt_sym *s = kt_const(t);
    kt_drop(t); /* inside a trace the graph has a copy */
    return s;
}

/* Matrices ------------------------------------------------------------------------------------- */

static double one(int64_t row, int64_t column, const double *arg) {
    (void)row, (void)column, (void)arg;
    return 1;
}
static double on_diagonal(int64_t row, int64_t column, const double *k) {
    return (double)(column - row) == *k;
}
static double below_diagonal(int64_t row, int64_t column, const double *k) {
    return (double)(column - row) <= *k;
}
static kt_shape matrix(int64_t rows, int64_t columns) {
    return (kt_shape){2, {rows, columns == KT_NONE ? rows : columns}};
}

kt_sym *kt_op_zeros(kt_shape shape, const char *dtype) {
    return array_of(shape, dtype, NULL, NULL, "zeros");
}
kt_sym *kt_op_ones(kt_shape shape, const char *dtype) {
    return array_of(shape, dtype, one, NULL, "ones");
}
kt_sym *kt_op_empty(kt_shape shape, const char *dtype) {
    return array_of(shape, dtype, NULL, NULL, "empty");
}
kt_sym *kt_op_eye(int64_t N, int64_t M, int64_t k, const char *dtype) {
    return array_of(matrix(N, M), dtype, on_diagonal, &(double){(double)k}, "eye");
}
kt_sym *kt_op_identity(int64_t n, const char *dtype) {
    return array_of(matrix(n, n), dtype, on_diagonal, &(double){0}, "identity");
}
kt_sym *kt_op_tri(int64_t N, int64_t M, int64_t k, const char *dtype) {
    return array_of(matrix(N, M), dtype, below_diagonal, &(double){(double)k}, "tri");
}

/* Ranges and windows --------------------------------------------------------------------------- */

static double nth(int64_t i, int64_t column, const double *range) {
    (void)column;
    return range[0] + (double)i * range[1];
}
kt_sym *kt_op_arange(double start, double stop, double step, const char *dtype) {
    const double length = ceil((stop - start) / step);
    if (step == 0 || !(fabs(length) < 9e15))
        return kt_fail_object(
            KT_FAIL(KT_EINVAL, "arange: from %g to %g by %g; expected a step", start, stop, step));
    const bool whole = start == rint(start) && stop == rint(stop) && step == rint(step);
    const kt_shape shape = {1, {length > 0 ? (int64_t)length : 0}};
    const double range[2] = {start, step};
    return array_of(shape, dtype ? dtype : whole ? "int32" : NULL, nth, range, "arange");
}

/* 0 … 1 … 0 for the points; arg[0] is the number of steps between them. */
static double place(int64_t i, const double *arg) { return arg[0] > 0 ? (double)i / arg[0] : 0.5; }
static double triangle_at(int64_t i, int64_t column, const double *arg) {
    (void)column;
    return 1 - fabs(2 * place(i, arg) - 1);
}
/* arg[1] - arg[2] cos + arg[3] cos 2 */
static double cosines_at(int64_t i, int64_t column, const double *arg) {
    const double angle = 2 * M_PI * place(i, arg);
    (void)column;
    return arg[1] - arg[2] * cos(angle) + arg[3] * cos(2 * angle);
}
/* The modified Bessel function of order 0, by its series: all terms are positive. */
static double bessel(double x) {
    double sum = 1, term = 1;
    for (int k = 1; k < 2000 && term > sum * 1e-17; k++) {
        term *= x * x / (4.0 * k * k);
        sum += term;
    }
    return sum;
}
static double kaiser_at(int64_t i, int64_t column, const double *arg) {
    const double off = 2 * place(i, arg) - 1, inside = 1 - off * off;
    (void)column;
    return bessel(arg[1] * sqrt(inside > 0 ? inside : 0)) / bessel(arg[1]);
}
static kt_sym *window(int64_t n, element_fn *at, double a, double b, double c, const char *op) {
    const double arg[4] = {n > 1 ? (double)(n - 1) : 0, a, b, c};
    return array_of((kt_shape){1, {n}}, NULL, at, arg, op);
}
kt_sym *kt_op_bartlett(int64_t x) { return window(x, triangle_at, 0, 0, 0, "bartlett"); }
kt_sym *kt_op_blackman(int64_t x) { return window(x, cosines_at, 0.42, 0.5, 0.08, "blackman"); }
kt_sym *kt_op_hamming(int64_t x) { return window(x, cosines_at, 0.54, 0.46, 0, "hamming"); }
kt_sym *kt_op_hanning(int64_t x) { return window(x, cosines_at, 0.5, 0.5, 0, "hanning"); }
kt_sym *kt_op_kaiser(int64_t x, double beta) {
    if (!(fabs(beta) < 700)) /* its Bessel function is no number then */
        return kt_fail_object(KT_FAIL(KT_EINVAL, "kaiser: a beta of %g", beta));
    return window(x, kaiser_at, beta, 0, 0, "kaiser");
}
