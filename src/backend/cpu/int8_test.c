/* int8_matmul: every level gives the reference's bits, also at the edges of blocks, beyond 2^31 and
 * for numbers that are none; and so does every number of threads. */
#include "backend/cpu/impls.h"
#include "ops/build.h"
#include "testing/graphs.h"
#include "testing/kt_test.h"

#include <keratin/runtime.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int64_t m, k, n;
} sizes;

static void fill(float *x, int8_t *w, float *scale, sizes s, uint64_t *seed) {
    for (int64_t i = 0; i < s.m * s.k; i++) x[i] = (float)(kt_test_random(seed) * 4 - 2);
    for (int64_t i = 0; i < s.k * s.n; i++) w[i] = (int8_t)(kt_test_random(seed) * 256 - 128);
    for (int64_t i = 0; i < s.n; i++) scale[i] = (float)(kt_test_random(seed) * 100 + 1);
}

/* The product by the program's kernel, or by the reference. */
static float *product(const float *x, const int8_t *w, const float *scale, sizes s, bool ref) {
    kt_graph *g = kt_graph_new();
    kt_val *in[3] = {
        kt_g_input(g, (kt_spec){KT_FLOAT32, {2, {s.m, s.k}}}),
        kt_g_input(g, (kt_spec){KT_INT8, {2, {s.k, s.n}}}),
        kt_g_input(g, (kt_spec){KT_FLOAT32, {1, {s.n}}})};
    const int8_matmul_attrs a = {-127, 127, 1e-7};
    kt_val *y = kt_g_int8_matmul(g, in[0], in[1], in[2], &a);
    assert_non_null(y);
    assert_int_equal(kt_vec_push(&g->outputs, y), 0);
    kt_cpu_code *code;
    kt_cpu_run *run;
    kt_cpu_set_reference_only(ref);
    kt_check_status(kt_cpu_compile(g, &code), KT_OK);
    kt_cpu_set_reference_only(false);
    kt_check_status(kt_cpu_run_new(code, NULL, &run), KT_OK);
    memcpy(kt_cpu_input(run, 0), x, (size_t)(s.m * s.k) * sizeof *x);
    memcpy(kt_cpu_input(run, 1), w, (size_t)(s.k * s.n));
    memcpy(kt_cpu_input(run, 2), scale, (size_t)s.n * sizeof *scale);
    kt_check_status(kt_cpu_execute(run), KT_OK);
    float *out = malloc((size_t)(s.m * s.n + 1) * sizeof *out);
    memcpy(out, kt_cpu_output(run, 0), (size_t)(s.m * s.n) * sizeof *out);
    kt_cpu_run_free(run);
    kt_cpu_code_free(code);
    kt_graph_free(g);
    return out;
}

static void check_same(const float *a, const float *b, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        if (memcmp(&a[i], &b[i], sizeof *a) && !(isnan(a[i]) && isnan(b[i])))
            fail_msg(
                "element %lld: %.9g, reference %.9g", (long long)i, (double)a[i], (double)b[i]);
}

static void check(sizes s, bool odd) {
    uint64_t seed = 7;
    float *x = malloc((size_t)(s.m * s.k + 1) * sizeof *x);
    float *scale = malloc((size_t)(s.n + 1) * sizeof *scale);
    int8_t *w = malloc((size_t)(s.k * s.n + 1));
    fill(x, w, scale, s, &seed);
    if (odd) {
        memset(x, 0, (size_t)s.k * sizeof *x);
        for (int64_t i = s.k; i < 2 * s.k; i++) x[i] = -3;
        x[3 * s.k - 1] = NAN;
        x[3 * s.k] = INFINITY;
    }
    float *want = product(x, w, scale, s, true);
    for (int threads = 1; threads <= 3; threads++) {
        kt_set_num_threads(threads);
        float *got = product(x, w, scale, s, false);
        check_same(got, want, s.m * s.n);
        free(got);
    }
    kt_set_num_threads(0);
    free(want);
    free(x);
    free(scale);
    free(w);
}

KT_TEST(int8, every_level_has_the_bits_of_the_reference) {
    static const sizes cases[] = {
        {1, 1, 1},
        {1, 784, 10},
        {2, 5, 17},
        {3, 6, 16},
        {17, 7, 15},
        {65, 33, 33},
        {130, 1030, 40},
        {5, 2050, 3},
        {64, 128, 256}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check(cases[i], false);
    check((sizes){6, 37, 19}, true);
}

/* 150,000 products of 127 and -127 are more than an int32 holds. */
KT_TEST(int8, sums_wrap_around_alike) {
    const sizes s = {2, 150000, 2};
    float *x = malloc((size_t)(s.m * s.k) * sizeof *x), scale[2] = {1, 2};
    int8_t *w = malloc((size_t)(s.k * s.n));
    for (int64_t i = 0; i < s.m * s.k; i++) x[i] = 1;
    memset(w, 127, (size_t)(s.k * s.n));
    float *want = product(x, w, scale, s, true), *got = product(x, w, scale, s, false);
    check_same(got, want, 4);
    assert_true(want[0] < 0);
    free(want);
    free(got);
    free(x);
    free(w);
}
