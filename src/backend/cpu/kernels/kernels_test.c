/* Every kernel of every level that this build and processor have, against plain double
 * arithmetic. Sizes around the vector lengths, unaligned starts, NaN and infinities where they
 * mean something. */
#include "backend/cpu/kernels/kernels.h"

#include "base/fpu.h"
#include "base/mem.h"
#include "base/pool.h"
#include "tensor/half.h"
#include "testing/kt_test.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const levels[] = {"portable", "avx2", "avx512"};
static const int sizes[] = {0, 1, 2, 3, 7, 15, 16, 17, 31, 33, 100, 1000};
#define N_SIZES ((int)(sizeof sizes / sizeof *sizes))
#define N_MAX 1000
#define GUARD 12345.0f /* stands after each output and must survive */

#define FOR_LEVELS(k)                                                                              \
    for (int level_ = 0; level_ < 3; level_++)                                                     \
        for (const kt_kernels *k = kt_kernels_level(levels[level_]); k; k = NULL)

static uint32_t test_state = 1;

static double test_uniform(double low, double high) {
    test_state = test_state * 1664525u + 1013904223u;
    return low + (high - low) * (test_state >> 8) / 16777216.0;
}

static void fill_random(float *x, int64_t n, double low, double high) {
    for (int64_t i = 0; i < n; i++) x[i] = (float)test_uniform(low, high);
}

/* Distance in units of the last place of the float next to `want` */
static double ulps(float got, double want) {
    if (isnan(want)) return isnan(got) ? 0 : INFINITY;
    const float w = (float)want;
    if (isinf(w)) return got == w || fabs((double)got) > FLT_MAX * 0.999999 ? 0 : INFINITY;
    if (isnan(got)) return INFINITY;
    int e;
    frexp(want, &e);
    return fabs((double)got - want) / ldexp(1, (e < -125 ? -125 : e) - 24);
}

static void check_ulps(
    const char *what, const char *level, float x, float got, double want, double max) {
    const double d = ulps(got, want);
    if (!(d <= max))
        fail_msg("%s (%s): f(%.9g) = %.9g, expected %.9g: %g ulp", what, level, x, got, want, d);
}

/* ---- references: the .def files in double ---------------------------------------------------- */

#define T double
#define M(name) name
#define KT_UNARY(name, value, grad)                                                                \
    static double ref_un_##name(double x) { return value; }
#include "ir/unary.def"
#undef KT_UNARY
#define KT_BINARY(name, value, da, db)                                                             \
    static double ref_bin_##name(double a, double b) { return value; }
#include "ir/binary.def"
#undef KT_BINARY
#define KT_COMPARE(name, value)                                                                    \
    static double ref_cmp_##name(double a, double b) { return value; }
#include "ir/compare.def"
#undef KT_COMPARE

static const struct {
    const char *name;
    double (*f)(double);
} unary_refs[] = {
#define KT_UNARY(name, value, grad) {#name, ref_un_##name},
#include "ir/unary.def"
#undef KT_UNARY
};
static const struct {
    const char *name;
    double (*f)(double, double);
} binary_refs[] =
    {
#define KT_BINARY(name, value, da, db) {#name, ref_bin_##name},
#include "ir/binary.def"
#undef KT_BINARY
},
  compare_refs[] = {
#define KT_COMPARE(name, value) {#name, ref_cmp_##name},
#include "ir/compare.def"
#undef KT_COMPARE
};

/* Domain of the dense sample; the special values below go everywhere. */
static void unary_domain(const char *name, double *low, double *high, double *max_ulp) {
    *low = -20;
    *high = 20;
    *max_ulp = 4;
    if (!strcmp(name, "exp") || !strcmp(name, "expm1") || !strcmp(name, "sinh") ||
        !strcmp(name, "cosh"))
        *low = -100, *high = 88;
    if (!strcmp(name, "sigmoid") || !strcmp(name, "softplus")) *low = -85, *high = 85;
    if (!strcmp(name, "tanh") || !strcmp(name, "erf")) *low = -6, *high = 6;
    if (!strcmp(name, "asin") || !strcmp(name, "acos") || !strcmp(name, "atanh"))
        *low = -1, *high = 1;
    if (!strcmp(name, "sin") || !strcmp(name, "cos") || !strcmp(name, "tan"))
        *low = -1000, *high = 1000;
    if (!strcmp(name, "log") || !strcmp(name, "sqrt") || !strcmp(name, "rsqrt")) *low = 1e-3;
    if (!strcmp(name, "log1p")) *low = -0.999;
    if (!strcmp(name, "acosh")) *low = 1;
}

static const float specials[] = {
    0.0f,   -0.0f,   1.0f,    -1.0f,   0.5f,     -0.5f,   1.5f,     2.5f,      -2.5f,
    1e-6f,  -1e-6f,  1e-20f,  -1e-20f, 1e-38f,   3e-38f,  88.0f,    88.9f,     -87.0f,
    -90.0f, -100.0f, -110.0f, 127.5f,  1000.0f,  1e6f,    3e6f,     -3e6f,     1e9f,
    4e9f,   1e20f,   -1e20f,  FLT_MAX, -FLT_MAX, FLT_MIN, INFINITY, -INFINITY, NAN,
};
#define N_SPECIALS ((int)(sizeof specials / sizeof *specials))

/* ---- strips ---------------------------------------------------------------------------------- */

KT_TEST(kernels, unary_matches_double_everywhere) {
    static float x[20001], y[20001];
    FOR_LEVELS(k) {
        for (int f = 0; f < KT_UN_COUNT; f++) {
            double low, high, max;
            unary_domain(unary_refs[f].name, &low, &high, &max);
            fill_random(x, 20000, low, high);
            for (int i = 0; i < 4000; i++) x[i] *= i & 1 ? 1e-3f : 1e-1f; /* around zero */
            k->unary[f](y, x, 20000);
            for (int i = 0; i < 20000; i++) {
                if (x[i] < low) continue;
                check_ulps(
                    unary_refs[f].name, k->name, x[i], y[i], unary_refs[f].f((double)x[i]), max);
            }
        }
    }
}

KT_TEST(kernels, unary_special_values) {
    float y[N_SPECIALS];
    FOR_LEVELS(k) {
        for (int f = 0; f < KT_UN_COUNT; f++) {
            k->unary[f](y, specials, N_SPECIALS);
            for (int i = 0; i < N_SPECIALS; i++) {
                double want = unary_refs[f].f((double)specials[i]);
                /* as written in float, where exp(-x) overflows earlier; both are "nearly zero" */
                if (f == KT_UN_sigmoid && fabs(want) < 1e-37)
                    want = (double)y[i] < 2e-38 ? (double)y[i] : want;
                if (f == KT_UN_square || f == KT_UN_reciprocal) want = (double)(float)want;
                check_ulps(unary_refs[f].name, k->name, specials[i], y[i], want, 4);
            }
        }
    }
}

/* The same bits as tensor/half.h on every level: all float16 numbers, what lies between two of
 * them, ties and their neighbours, and any bits at all. */
KT_TEST(kernels, rounding_to_16_bits) {
    enum { PIECE = 512 };
    float x[PIECE], y[PIECE];
    FOR_LEVELS(k) {
        for (uint32_t i = 0; i < 1u << 20; i += PIECE) {
            for (uint32_t j = 0; j < PIECE; j++) {
                const uint32_t half = (i + j) & 0xFFFF, where = (i + j) >> 16;
                uint32_t bits = kt_float_bits(kt_half_to_float((uint16_t)half));
                if (where & 1) bits ^= 0x1000;
                if (where & 2) bits++;
                if (where & 4) bits--;
                test_uniform(0, 1);
                if (where & 8) bits = test_state ^ test_state >> 13;
                x[j] = kt_float_of_bits(bits);
            }
            for (int to = 0; to < 2; to++) {
                k->unary[to ? KT_UN_round_bfloat16 : KT_UN_round_float16](y, x, PIECE);
                for (int j = 0; j < PIECE; j++) {
                    const float want = to ? kt_bf16f(x[j]) : kt_f16f(x[j]);
                    if (kt_float_bits(y[j]) != kt_float_bits(want))
                        fail_msg("%s: %a becomes %a, not %a", k->name, x[j], y[j], want);
                }
            }
        }
    }
}

/* Any size, any start, in place: the same numbers, and nothing written outside. */
KT_TEST(kernels, unary_sizes_and_places) {
    float x[N_MAX + 40], y[N_MAX + 40], whole[N_MAX + 40];
    FOR_LEVELS(k) {
        for (int f = 0; f < KT_UN_COUNT; f++) {
            fill_random(x, N_MAX + 40, 0.01, 0.99);
            k->unary[f](whole, x, N_MAX + 40);
            for (int s = 0; s < N_SIZES; s++) {
                const int n = sizes[s], at = s % 5;
                for (int i = 0; i < N_MAX + 40; i++) y[i] = i < at + n && i >= at ? x[i] : GUARD;
                k->unary[f](y + at, y + at, n);
                for (int i = 0; i < N_MAX + 40; i++) {
                    const float want = i < at + n && i >= at ? whole[i] : GUARD;
                    if (memcmp(&y[i], &want, 4))
                        fail_msg("%s (%s) n=%d at %d", unary_refs[f].name, k->name, n, i);
                }
            }
        }
    }
}

/* The float result may round a / b over an integer where the double one does not. */
static bool binary_is_stepwise(int f) { return f == KT_BIN_floor_div || f == KT_BIN_mod; }

static void check_binary(
    const kt_kernels *k, int f, const float *a, const float *b, int n, bool in_place) {
    float y[N_MAX + 1], vs[N_MAX + 1], sv[N_MAX + 1];
    y[n] = vs[n] = sv[n] = GUARD;
    if (in_place) memcpy(y, b, (size_t)n * 4);
    k->binary[f](y, a, in_place ? y : b, n);
    k->binary_vs[f](vs, a, 0.75f, n);
    k->binary_sv[f](sv, 0.75f, b, n);
    for (int i = 0; i < n; i++) {
        if (binary_is_stepwise(f)) continue;
        const char *name = binary_refs[f].name;
        check_ulps(name, k->name, a[i], y[i], binary_refs[f].f((double)a[i], (double)b[i]), 4);
        check_ulps(name, k->name, a[i], vs[i], binary_refs[f].f((double)a[i], 0.75), 4);
        check_ulps(name, k->name, b[i], sv[i], binary_refs[f].f(0.75, (double)b[i]), 4);
    }
    assert_true(y[n] == GUARD && vs[n] == GUARD && sv[n] == GUARD);
}

KT_TEST(kernels, binary_matches_double) {
    float a[N_MAX], b[N_MAX];
    FOR_LEVELS(k) {
        for (int f = 0; f < KT_BIN_COUNT; f++) {
            for (int s = 0; s < N_SIZES; s++) {
                fill_random(a, N_MAX, f == KT_BIN_pow ? 0 : -30, 30);
                fill_random(b, N_MAX, -9, 9);
                check_binary(k, f, a, b, sizes[s], s & 1);
            }
        }
        const float floor_a[] = {7, -7, 7, -7}, floor_b[] = {2, 2, -2, -2};
        float y[4];
        k->binary[KT_BIN_floor_div](y, floor_a, floor_b, 4);
        assert_true(y[0] == 3 && y[1] == -4 && y[2] == -4 && y[3] == 3);
        k->binary[KT_BIN_mod](y, floor_a, floor_b, 4);
        assert_true(y[0] == 1 && y[1] == 1 && y[2] == -1 && y[3] == -1);
    }
}

static const struct {
    int f;
    double (*ref)(double, double);
} two_argument[] = {{KT_BIN_pow, pow}, {KT_BIN_atan2, atan2}};

KT_TEST(kernels, pow_and_atan2_special_values) {
    static const float v[] = {0.0f,  -0.0f,  1,     -1,       2,         -2,    3,        -3,
                              0.5f,  -0.5f,  2.5f,  -7,       1e9f,      1e-9f, 16777215, 16777216,
                              1e20f, -1e20f, 1e38f, INFINITY, -INFINITY, NAN};
    enum { N = sizeof v / sizeof *v };
    float y[N];
    FOR_LEVELS(k) {
        for (int c = 0; c < 2 * N; c++) {
            const int f = two_argument[c & 1].f;
            k->binary_vs[f](y, v, v[c / 2], N);
            for (int j = 0; j < N; j++) {
                const double want = two_argument[c & 1].ref((double)v[j], (double)v[c / 2]);
                if (ulps(y[j], want) > 3 || (want == 0 && !signbit(y[j]) != !signbit(want)))
                    fail_msg(
                        "%s: %s(%g, %g) = %g, expected %g",
                        k->name,
                        binary_refs[f].name,
                        v[j],
                        v[c / 2],
                        y[j],
                        want);
            }
        }
    }
}

KT_TEST(kernels, maximum_and_minimum_pass_nan) {
    const float a[] = {1, NAN, 2, NAN}, b[] = {NAN, 1, 3, NAN};
    float y[4];
    FOR_LEVELS(k) {
        k->binary[KT_BIN_maximum](y, a, b, 4);
        assert_true(isnan(y[0]) && isnan(y[1]) && y[2] == 3 && isnan(y[3]));
        k->binary[KT_BIN_minimum](y, a, b, 4);
        assert_true(isnan(y[0]) && isnan(y[1]) && y[2] == 2 && isnan(y[3]));
    }
}

KT_TEST(kernels, compare_select_and_the_like) {
    float a[N_MAX + 1], b[N_MAX + 1], c[N_MAX + 1], y[N_MAX + 1];
    FOR_LEVELS(k) {
        for (int s = 0; s < N_SIZES; s++) {
            const int n = sizes[s];
            for (int i = 0; i < n; i++) {
                a[i] = (float)(int)test_uniform(-3, 3);
                b[i] = (float)(int)test_uniform(-3, 3);
                c[i] = i % 7 == 3 ? NAN : (float)(int)test_uniform(0, 2);
            }
            y[n] = GUARD;
            for (int f = 0; f < KT_CMP_COUNT; f++) {
                k->compare[f](y, a, b, n);
                for (int i = 0; i < n; i++) assert_true(y[i] == compare_refs[f].f(a[i], b[i]));
                k->compare_vs[f](y, c, 1, n);
                for (int i = 0; i < n; i++) assert_true(y[i] == compare_refs[f].f(c[i], 1));
            }
            k->select(y, c, a, b, n);
            for (int i = 0; i < n; i++) assert_true(y[i] == (c[i] != 0 ? a[i] : b[i]));
            k->muladd(y, a, b, a, n);
            for (int i = 0; i < n; i++) assert_true(y[i] == a[i] * b[i] + a[i]);
            k->fill(y, 2.5f, n);
            for (int i = 0; i < n; i++) assert_true(y[i] == 2.5f);
            assert_true(y[n] == GUARD);
        }
    }
}

KT_TEST(kernels, conversions) {
    uint8_t u8[N_MAX + 1];
    int32_t i32[N_MAX];
    int64_t i64[N_MAX];
    float y[N_MAX + 1];
    FOR_LEVELS(k) {
        for (int s = 0; s < N_SIZES; s++) {
            const int n = sizes[s];
            for (int i = 0; i < n; i++) {
                u8[i] = (uint8_t)(i * 7);
                i32[i] = (int32_t)test_uniform(-2e9, 2e9);
                i64[i] = (int64_t)test_uniform(-9e18, 9e18);
            }
            y[n] = GUARD;
            k->from_u8(y, u8, n);
            for (int i = 0; i < n; i++) assert_true(y[i] == (float)u8[i]);
            k->from_i32(y, i32, n);
            for (int i = 0; i < n; i++) assert_true(y[i] == (float)i32[i]);
            k->from_i64(y, i64, n);
            for (int i = 0; i < n; i++) assert_true(y[i] == (float)i64[i]);
            for (int i = 0; i < n; i++) y[i] = i % 3 ? (i % 5 ? NAN : -1e-30f) : -0.0f;
            assert_true(y[n] == GUARD);
            u8[n] = 99;
            k->to_bool(u8, y, n);
            for (int i = 0; i < n; i++) assert_true(u8[i] == (i % 3 != 0));
            assert_true(u8[n] == 99);
        }
    }
}

/* ---- reductions and rows --------------------------------------------------------------------- */

KT_TEST(kernels, reductions) {
    static float x[100001], z[100001];
    static const int lengths[] = {0, 1, 2, 7, 15, 16, 17, 33, 100, 1000, 4096, 4097, 100000};
    FOR_LEVELS(k) {
        for (int s = 0; s < 13; s++) {
            const int n = lengths[s];
            float *a = x + 1;
            double sum = 0, dot = 0, abs_sum = 0, abs_dot = 0;
            fill_random(a, n, -1, 2);
            fill_random(z, n, -1, 1);
            float max = -INFINITY, min = INFINITY;
            int64_t arg = 0;
            for (int i = 0; i < n; i++) {
                sum += a[i];
                abs_sum += fabs(a[i]);
                dot += (double)a[i] * z[i];
                abs_dot += fabs((double)a[i] * z[i]);
                if (a[i] > max) max = a[i], arg = i;
                if (a[i] < min) min = a[i];
            }
            kt_check_near(k->sum(a, n), sum, 0, 4e-7 * abs_sum);
            kt_check_near(k->dot(a, z, n), dot, 0, 4e-7 * abs_dot);
            assert_true(k->max(a, n) == max && k->min(a, n) == min);
            assert_int_equal(k->argmax(a, n), arg);
            if (n < 2) continue;
            a[n / 2] = NAN;
            assert_true(isnan(k->max(a, n)) && isnan(k->min(a, n)) && isnan(k->sum(a, n)));
            assert_int_equal(k->argmax(a, n), n / 2);
        }
    }
}

KT_TEST(kernels, argmax_takes_the_first) {
    float x[40];
    FOR_LEVELS(k) {
        for (int i = 0; i < 40; i++) x[i] = -INFINITY;
        assert_int_equal(k->argmax(x, 40), 0);
        x[5] = x[21] = x[37] = 3;
        assert_int_equal(k->argmax(x, 40), 5);
    }
}

KT_TEST(kernels, sum_rows) {
    static float x[700 * 210], y[201];
    static const int rows[] = {0, 1, 2, 5, 33, 257, 700}, cols[] = {1, 2, 10, 16, 17, 64, 100, 200};
    fill_random(x, 700 * 210, -1, 1);
    FOR_LEVELS(k) {
        for (int r = 0; r < 7; r++) {
            for (int c = 0; c < 8; c++) {
                const int ld = cols[c] + (r & 1 ? 0 : 7);
                y[cols[c]] = GUARD;
                k->sum_rows(y, x, rows[r], cols[c], ld);
                for (int j = 0; j < cols[c]; j++) {
                    double s = 0;
                    for (int i = 0; i < rows[r]; i++) s += x[i * ld + j];
                    kt_check_near(y[j], s, 0, 5e-5);
                }
                assert_true(y[cols[c]] == GUARD);
            }
        }
    }
}

static void check_softmax_rows(const kt_kernels *k, int rows, int cols) {
    static float x[5 * N_MAX], y[5 * N_MAX + 1], z[5 * N_MAX + 1], loss[6], dloss[5],
        dx[5 * N_MAX + 1];
    int32_t label[5];
    fill_random(x, rows * cols, -30, 30);
    for (int r = 0; r < rows; r++) label[r] = (r * 7 + 1) % cols, dloss[r] = 0.5f + (float)r;
    y[rows * cols] = z[rows * cols] = dx[rows * cols] = loss[rows] = GUARD;
    k->softmax(y, x, rows, cols);
    k->log_softmax(z, x, rows, cols);
    for (int pass = 0; pass < 2; pass++) {
        for (int r = 0; r < rows; r++) {
            double max = -INFINITY, sum = 0;
            for (int c = 0; c < cols; c++) max = fmax(max, x[r * cols + c]);
            for (int c = 0; c < cols; c++) sum += exp(x[r * cols + c] - max);
            for (int c = 0; c < cols; c++) {
                const double p = exp(x[r * cols + c] - max) / sum;
                kt_check_near(y[r * cols + c], p, 1e-5, 1e-37); /* x - max is rounded */
                kt_check_near(z[r * cols + c], x[r * cols + c] - max - log(sum), 1e-6, 1e-6);
                if (!pass) continue;
                const double d = (p - (c == label[r])) * dloss[r];
                kt_check_near(dx[r * cols + c], d, 1e-5, 2e-7 * dloss[r]);
                if (c == label[r])
                    kt_check_near(loss[r], max + log(sum) - x[r * cols + c], 1e-6, 1e-6);
            }
        }
        assert_true(y[rows * cols] == GUARD && z[rows * cols] == GUARD);
        memset(y, 0, (size_t)(rows * cols) * 4);
        k->sparse_xent(loss, y, x, label, rows, cols);
        k->sparse_xent_grad(dx, y, label, dloss, rows, cols);
        memcpy(z, x, (size_t)(rows * cols) * 4);
        k->log_softmax(z, z, rows, cols);
    }
    assert_true(dx[rows * cols] == GUARD && loss[rows] == GUARD);
}

KT_TEST(kernels, softmax_and_cross_entropy) {
    static const int cols[] = {1, 2, 3, 7, 10, 15, 16, 17, 31, 33, 100, 257, 1000};
    FOR_LEVELS(k) {
        for (int c = 0; c < 13; c++)
            for (int rows = 0; rows <= 5; rows++) check_softmax_rows(k, rows, cols[c]);
    }
}

KT_TEST(kernels, softmax_of_many_short_rows) {
    static float x[100 * 10], y[100 * 10];
    fill_random(x, 1000, -5, 5);
    FOR_LEVELS(k) {
        k->softmax(y, x, 100, 10);
        for (int r = 0; r < 100; r++) {
            double sum = 0;
            for (int c = 0; c < 10; c++) sum += y[r * 10 + c];
            kt_check_near(sum, 1, 1e-6, 0);
        }
    }
}

KT_TEST(kernels, softmax_special_values) {
    float x[20], y[20];
    FOR_LEVELS(k) {
        for (int cols = 5; cols <= 20; cols += 15) {
            for (int i = 0; i < cols; i++) x[i] = i == 2 ? 0 : -INFINITY; /* a mask */
            k->softmax(y, x, 1, cols);
            for (int i = 0; i < cols; i++) assert_true(y[i] == (i == 2 ? 1.0f : 0.0f));
            for (int i = 0; i < cols; i++) x[i] = i == 2 ? NAN : 0;
            k->softmax(y, x, 1, cols);
            for (int i = 0; i < cols; i++) assert_true(isnan(y[i]));
            for (int i = 0; i < cols; i++) x[i] = i == 2 ? 3e38f : -3e38f;
            k->softmax(y, x, 1, cols);
            for (int i = 0; i < cols; i++) assert_true(y[i] == (i == 2 ? 1.0f : 0.0f));
        }
    }
}

/* ---- optimizer, random numbers, transposition ------------------------------------------------ */

KT_TEST(kernels, adam) {
    float p[101], m[101], v[101], g[101], p0[101], m0[101], v0[101];
    const kt_adam_scalars s = {0.01f, 0.1f, 0.001f, 1e-7f};
    FOR_LEVELS(k) {
        for (int i = 0; i < N_SIZES - 1; i++) {
            const int n = sizes[i];
            fill_random(p, 101, -1, 1);
            fill_random(m, 101, -1, 1);
            fill_random(v, 101, 0, 2);
            fill_random(g, 101, -2, 2);
            v[0] = g[0] = 0, v[1] = 1e-30f, g[1] = 1e-15f, v[2] = 1e30f;
            p[n] = m[n] = v[n] = GUARD;
            memcpy(p0, p, sizeof p), memcpy(m0, m, sizeof m), memcpy(v0, v, sizeof v);
            k->adam(p, m, v, g, n, &s);
            for (int j = 0; j < n; j++) {
                const double gj = g[j], mj = m0[j] + (gj - m0[j]) * (double)s.one_minus_b1;
                const double vj = v0[j] + (gj * gj - v0[j]) * (double)s.one_minus_b2;
                const double step = mj * (double)s.alpha / (sqrt(vj) + (double)s.epsilon);
                kt_check_near(m[j], mj, 2e-7, 1e-7);
                kt_check_near(v[j], vj, 3e-7, 0);
                kt_check_near(p[j], p0[j] - step, 1e-7, 5e-7 * fabs(step));
            }
            assert_true(p[n] == GUARD && m[n] == GUARD && v[n] == GUARD);
        }
    }
}

/* One block, as published */
static void philox_ref(uint32_t c[4], uint32_t k0, uint32_t k1) {
    for (int r = 0; r < 10; r++, k0 += 0x9e3779b9u, k1 += 0xbb67ae85u) {
        const uint64_t a = (uint64_t)0xd2511f53u * c[0], b = (uint64_t)0xcd9e8d57u * c[2];
        const uint32_t c1 = c[1], c3 = c[3];
        c[0] = (uint32_t)(b >> 32) ^ c1 ^ k0;
        c[1] = (uint32_t)b;
        c[2] = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c[3] = (uint32_t)a;
    }
}

KT_TEST(kernels, philox_known_answers) {
    uint32_t zero[4] = {0}, ones[4] = {~0u, ~0u, ~0u, ~0u};
    uint32_t digits[4] = {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344};
    philox_ref(zero, 0, 0);
    assert_true(
        zero[0] == 0x6627e8d5 && zero[1] == 0xe169c58d && zero[2] == 0xbc57ac4c &&
        zero[3] == 0x9b00dbd8);
    philox_ref(ones, ~0u, ~0u);
    assert_true(
        ones[0] == 0x408f276d && ones[1] == 0x41c83b0e && ones[2] == 0xa20bc7c6 &&
        ones[3] == 0x6d5451fd);
    philox_ref(digits, 0xa4093822, 0x299f31d0);
    assert_true(
        digits[0] == 0xd16cfe09 && digits[1] == 0x94fdcceb && digits[2] == 0x5001e420 &&
        digits[3] == 0x24126ea1);
}

KT_TEST(kernels, uniform_and_dropout) {
    const kt_philox r = {{0xa4093822, 0x299f31d0}, {7, 9}};
    float x[N_MAX], u[N_MAX + 1], y[N_MAX + 1];
    fill_random(x, N_MAX, 1, 2);
    FOR_LEVELS(k) {
        for (int s = 0; s < N_SIZES; s++) {
            const int n = sizes[s];
            const int64_t first = s * 37 + (s > 8 ? INT64_C(5) << 34 : 0);
            u[n] = y[n] = GUARD;
            k->uniform(u, n, first, &r);
            k->dropout(y, x, n, first, 0.3f, 2, &r);
            for (int i = 0; i < n; i++) {
                const uint64_t block = (uint64_t)(first + i) / 4;
                uint32_t c[4] = {(uint32_t)block, (uint32_t)(block >> 32), 7, 9};
                philox_ref(c, r.key[0], r.key[1]);
                assert_true(u[i] == (float)(c[(first + i) % 4] >> 8) * 0x1p-24f);
                assert_true(y[i] == (u[i] >= 0.3f ? x[i] * 2 : 0));
            }
            assert_true(u[n] == GUARD && y[n] == GUARD);
        }
    }
}

KT_TEST(kernels, transpose) {
    static const int dims[] = {0, 1, 2, 3, 7, 8, 15, 16, 17, 33, 70};
    static float x[70 * 70], y[70 * 70 + 1];
    fill_random(x, 70 * 70, -1, 1);
    FOR_LEVELS(k) {
        for (int a = 0; a < 11; a++) {
            for (int b = 0; b < 11; b++) {
                const int rows = dims[a], cols = dims[b];
                y[rows * cols] = GUARD;
                k->transpose(y, x, rows, cols);
                for (int i = 0; i < rows; i++)
                    for (int j = 0; j < cols; j++) assert_true(y[j * rows + i] == x[i * cols + j]);
                assert_true(y[rows * cols] == GUARD);
            }
        }
    }
}
