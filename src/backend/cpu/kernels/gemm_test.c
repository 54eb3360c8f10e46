/* gemm of every level against a plain product in double: shapes, transpositions, strides,
 * epilogues, and the same bits for any number of threads. */
#include "backend/cpu/kernels/kernels.h"

#include "base/mem.h"
#include "base/pool.h"
#include "testing/kt_test.h"

#include <math.h>
#include <string.h>

static const char *const levels[] = {"portable", "avx2", "avx512"};

#define FOR_LEVELS(k)                                                                              \
    for (int level_ = 0; level_ < 3; level_++)                                                     \
        for (const kt_kernels *k = kt_kernels_level(levels[level_]); k; k = NULL)

#define GUARD 12345.0f
#define SCRATCH_GUARD 64

typedef struct problem {
    int m, n, k, pad; /* pad: ld beyond the width */
    bool ta, tb, accumulate, bias;
    int epilogue;
} problem;

typedef struct buffers {
    float *a, *b, *c, *c0, *bias;
    unsigned char *scratch;
    size_t n_a, n_b, n_c, n_scratch;
    kt_gemm g;
} buffers;

static void fill(float *x, size_t n, uint32_t seed) {
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (float)(seed >> 8) / 8388608.0f - 1;
    }
}

static void prepare(buffers *s, const problem *p, const kt_kernels *k) {
    const int lda = (p->ta ? p->m : p->k) + p->pad, ldb = (p->tb ? p->k : p->n) + p->pad,
              ldc = p->n + p->pad;
    s->n_a = (size_t)lda * (p->ta ? p->k : p->m);
    s->n_b = (size_t)ldb * (p->tb ? p->n : p->k);
    s->n_c = (size_t)ldc * p->m;
    s->a = kt_alloc(s->n_a * 4), s->b = kt_alloc(s->n_b * 4), s->bias = kt_alloc((size_t)p->n * 4);
    s->c = kt_alloc(s->n_c * 4), s->c0 = kt_alloc(s->n_c * 4);
    fill(s->a, s->n_a, 1), fill(s->b, s->n_b, 2), fill(s->bias, (size_t)p->n, 3),
        fill(s->c0, s->n_c, 4);
    for (int i = 0; i < p->m; i++)
        for (int j = p->n; j < ldc; j++) s->c0[i * ldc + j] = GUARD;
    memcpy(s->c, s->c0, s->n_c * 4);
    s->g = (kt_gemm){
        p->m,
        p->n,
        p->k,
        s->a,
        s->b,
        s->c,
        lda,
        ldb,
        ldc,
        p->ta,
        p->tb,
        p->accumulate,
        p->bias ? s->bias : NULL,
        p->epilogue};
    s->n_scratch = k->gemm_scratch(&s->g);
    s->scratch = kt_alloc_aligned(s->n_scratch + SCRATCH_GUARD);
    memset(s->scratch + s->n_scratch, 0xab, SCRATCH_GUARD);
}

static void release(buffers *s) {
    kt_mem_free(s->a), kt_mem_free(s->b), kt_mem_free(s->c), kt_mem_free(s->c0),
        kt_mem_free(s->bias);
    kt_mem_free_aligned(s->scratch);
}

static double epilogue_ref(int epilogue, double v) {
    switch (epilogue) {
    case KT_UN_relu:
        return v < 0 ? 0 : v;
    case KT_UN_tanh:
        return tanh(v);
    case KT_UN_sigmoid:
        return 1 / (1 + exp(-v));
    default:
        return v;
    }
}

static double element_ref(const buffers *s, int i, int j) {
    const kt_gemm *g = &s->g;
    double v = g->accumulate ? s->c0[i * g->ldc + j] : 0;
    for (int q = 0; q < g->k; q++)
        v += (double)(g->ta ? s->a[q * g->lda + i] : s->a[i * g->lda + q]) *
             (double)(g->tb ? s->b[j * g->ldb + q] : s->b[q * g->ldb + j]);
    if (g->bias) v += g->bias[j];
    return epilogue_ref(g->epilogue, v);
}

static void check_result(const buffers *s, const problem *p, const kt_kernels *k, int step) {
    const int64_t ldc = s->g.ldc;
    const double tolerance = 3e-7 * (2 + sqrt(p->k) * 4);
    for (int i = 0; i < p->m; i++) {
        for (int j = 0; j < ldc; j++) {
            const float got = s->c[i * ldc + j];
            if (j >= p->n) {
                if (got != GUARD)
                    fail_msg("%s: %dx%dx%d wrote beyond row %d", k->name, p->m, p->n, p->k, i);
                continue;
            }
            if ((i * p->n + j) % step) continue;
            const double want = element_ref(s, i, j);
            if (!(fabs(got - want) <= tolerance))
                fail_msg(
                    "%s: %dx%dx%d ta=%d tb=%d pad=%d acc=%d bias=%d epi=%d: c[%d,%d] = %.9g, "
                    "expected %.9g",
                    k->name,
                    p->m,
                    p->n,
                    p->k,
                    p->ta,
                    p->tb,
                    p->pad,
                    p->accumulate,
                    p->bias,
                    p->epilogue,
                    i,
                    j,
                    got,
                    want);
        }
    }
    for (int i = 0; i < SCRATCH_GUARD; i++)
        if (s->scratch[s->n_scratch + (size_t)i] != 0xab)
            fail_msg("scratch of %dx%dx%d overrun", p->m, p->n, p->k);
}

static void check_problem(const kt_kernels *k, problem p, int step) {
    buffers s;
    prepare(&s, &p, k);
    k->gemm(&s.g, s.scratch);
    check_result(&s, &p, k, step);
    release(&s);
}

static void check_forms(const kt_kernels *k, int m, int n, int dk, int step) {
    static const int epilogues[] = {KT_EPI_NONE, KT_UN_relu, KT_UN_tanh, KT_UN_sigmoid};
    for (int form = 0; form < 4; form++) {
        for (int extra = 0; extra < 4; extra++) {
            const problem p = {
                m,
                n,
                dk,
                extra * 3,
                form & 1,
                form >> 1 & 1,
                extra & 1,
                extra >> 1 & 1,
                epilogues[(extra + form + m + n) % 4]};
            check_problem(k, p, step);
        }
    }
}

KT_TEST(gemm, small_shapes) {
    static const int dims[] = {1, 2, 3, 4, 5, 7, 8, 13, 14, 15, 16, 17, 31, 32, 33, 50};
    static const int depths[] = {0, 1, 2, 3, 8, 17, 40};
    FOR_LEVELS(k) {
        for (int a = 0; a < 16; a++)
            for (int b = 0; b < 16; b++) check_forms(k, dims[a], dims[b], depths[(a + b) % 7], 1);
        for (int a = 0; a < 16; a += 3)
            for (int d = 0; d < 7; d++) check_forms(k, dims[a], dims[15 - a], depths[d], 1);
    }
}

KT_TEST(gemm, named_shapes) {
    static const int shapes[][3] = {
        {32, 128, 784}, {784, 128, 32},  {32, 784, 128}, {32, 10, 128},   {128, 10, 32},
        {32, 128, 10},  {1, 128, 784},   {1, 10, 128},   {128, 1, 300},   {300, 128, 1},
        {300, 3, 700},  {2, 600, 300},   {257, 65, 257}, {300, 300, 300}, {1, 1, 1000},
        {513, 33, 520}, {40, 1025, 300}, {600, 520, 40}, {64, 64, 1024},  {1024, 20, 64},
        {33, 37, 301},  {5, 1025, 500},
    };
    FOR_LEVELS(k) {
        for (int i = 0; i < 22; i++) check_forms(k, shapes[i][0], shapes[i][1], shapes[i][2], 97);
    }
}

KT_TEST(gemm, row_strides_that_alias) {
    FOR_LEVELS(k) {
        for (int form = 0; form < 4; form++) {
            check_problem(
                k, (problem){100, 1024, 1024, 0, form & 1, form >> 1, 0, 1, KT_UN_relu}, 997);
            check_problem(
                k, (problem){1024, 64, 300, 0, form & 1, form >> 1, 1, 0, KT_EPI_NONE}, 997);
        }
    }
}

KT_TEST(gemm, nothing_to_do) {
    float c = GUARD;
    kt_gemm g = {0, 5, 3, NULL, NULL, &c, 3, 5, 5, false, false, false, NULL, KT_EPI_NONE};
    FOR_LEVELS(k) {
        k->gemm(&g, NULL);
        kt_gemm h = g;
        h.m = 5, h.n = 0;
        k->gemm(&h, NULL);
        assert_true(k->gemm_scratch(&g) == 0 && c == GUARD);
    }
}

KT_TEST(gemm, nan_and_infinity_reach_the_result) {
    float a[64], b[64], c[64];
    FOR_LEVELS(k) {
        fill(a, 64, 1), fill(b, 64, 2);
        a[3 * 8 + 2] = NAN;
        b[5 * 8 + 6] = INFINITY;
        kt_gemm g = {8, 8, 8, a, b, c, 8, 8, 8, false, false, false, NULL, KT_UN_relu};
        k->gemm(&g, NULL);
        for (int j = 0; j < 8; j++) assert_true(isnan(c[3 * 8 + j]));
        for (int i = 0; i < 8; i++)
            if (i != 3) assert_true(c[i * 8 + 6] == (a[i * 8 + 5] > 0 ? INFINITY : 0));
    }
}

KT_TEST(gemm, same_bits_for_any_number_of_threads) {
    static const problem problems[] = {
        {300, 300, 300, 1, 0, 0, 0, 1, KT_UN_relu},
        {32, 128, 784, 0, 0, 0, 0, 1, KT_UN_tanh},
        {784, 128, 64, 0, 1, 0, 0, 0, KT_EPI_NONE},
        {64, 784, 128, 0, 0, 1, 0, 0, KT_EPI_NONE},
        {600, 530, 520, 3, 1, 1, 1, 0, KT_EPI_NONE},
        {520, 600, 1000, 0, 0, 1, 0, 0, KT_UN_sigmoid},
        {1, 3000, 1000, 0, 0, 0, 0, 1, KT_EPI_NONE},
        {3000, 1, 1000, 0, 0, 1, 0, 1, KT_EPI_NONE},
        {15, 1500, 300, 2, 0, 0, 0, 0, KT_EPI_NONE},
        {1024, 129, 256, 0, 0, 0, 1, 0, KT_EPI_NONE},
    };
    static const int threads[] = {2, 3, 8};
    FOR_LEVELS(k) {
        for (int i = 0; i < 10; i++) {
            buffers s, t;
            kt_pool_set_threads(1);
            prepare(&s, &problems[i], k);
            k->gemm(&s.g, s.scratch);
            for (int n = 0; n < 3; n++) {
                prepare(&t, &problems[i], k);
                kt_pool_set_threads(
                    threads[n]); /* scratch must do for more threads than it was asked for */
                k->gemm(&t.g, t.scratch);
                check_result(&t, &problems[i], k, 9973);
                if (memcmp(s.c, t.c, s.n_c * 4))
                    fail_msg("%s: problem %d differs with %d threads", k->name, i, threads[n]);
                release(&t);
            }
            release(&s);
        }
    }
    kt_pool_set_threads(0);
}
