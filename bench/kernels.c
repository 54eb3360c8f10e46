/* How fast are the float32 kernels? A program of its own, not a test.
 *
 *     bench_kernels [word]      rows whose name contains the word
 *
 * Products as GFLOP/s and as a share of the multiply-add peak of one core times the threads in
 * use; strips as ns per element and GB/s of memory moved, on arrays of 4096 (first cache). Each
 * figure is the best of many short runs, so it survives a busy machine. KT_ISA and
 * KT_NUM_THREADS apply. */
#include "backend/cpu/kernels/kernels.h"
#include "base/fpu.h"
#include "base/mem.h"
#include "base/pool.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds per call: the best of runs of about 2 ms, for about 0.3 s in all. */
#define BEST(seconds, call)                                                                        \
    do {                                                                                           \
        double best_ = 1e9, start_ = now();                                                        \
        call;                                                                                      \
        const double one_ = now() - start_;                                                        \
        const int n_ = one_ > 2e-3 ? 1 : (int)(2e-3 / (one_ + 1e-9)) + 1;                          \
        for (int run_ = 0; run_ < 400 && now() - start_ < 0.3; run_++) {                           \
            const double t_ = now();                                                               \
            for (int i_ = 0; i_ < n_; i_++) call;                                                  \
            const double d_ = (now() - t_) / n_;                                                   \
            if (d_ < best_) best_ = d_;                                                            \
        }                                                                                          \
        (seconds) = best_;                                                                         \
    } while (0)

/* ---- the peak: twelve independent chains of multiply-adds ------------------------------------ */

#define PEAK_ROUNDS 100000
#define PEAK(name, bytes, ...)                                                                     \
    typedef float vec_##name __attribute__((vector_size(bytes)));                                  \
    __VA_ARGS__ static void peak_##name(void) {                                                    \
        vec_##name s[12], u, v;                                                                    \
        for (int i = 0; i < (int)(bytes / 4); i++) u[i] = 1.5f, v[i] = 0.5f;                       \
        for (int i = 0; i < 12; i++) s[i] = u * (float)i;                                          \
        for (int k = 0; k < PEAK_ROUNDS; k++) {                                                    \
            _Pragma("GCC unroll 12") for (int i = 0; i < 12; i++) s[i] = s[i] * v + u;             \
        }                                                                                          \
        for (int i = 0; i < 12; i++) {                                                             \
            volatile float sink = s[i][0];                                                         \
            (void)sink;                                                                            \
        }                                                                                          \
    }
PEAK(portable, 16, )
#if defined(__x86_64__)
PEAK(avx2, 32, __attribute__((target("avx2,fma"))))
PEAK(avx512, 64, __attribute__((target("avx512f,fma"))))
#endif

static double peak_gflops(const kt_kernels *k) {
    double s;
    void (*run)(void) = peak_portable;
#if defined(__x86_64__)
    if (!strcmp(k->name, "avx2")) run = peak_avx2;
    if (!strcmp(k->name, "avx512")) run = peak_avx512;
#endif
    BEST(s, run());
    return 12.0 * 2 * k->lanes * PEAK_ROUNDS / s / 1e9;
}

/* ---- products -------------------------------------------------------------------------------- */

static float *array(int64_t n) {
    float *x = kt_alloc_aligned((size_t)n * sizeof *x);
    for (int64_t i = 0; i < n; i++) x[i] = (float)(i * 7919 % 1009) / 1009.0f - 0.5f;
    return x;
}

static void bench_gemm(const kt_kernels *k, const char *only, double peak) {
    static const struct {
        int m, n, k;
        const char *form;
    } shapes[] = {
        {256, 256, 256, "NN"},    {256, 256, 256, "NT"},    {256, 256, 256, "TN"},
        {256, 256, 256, "TT"},    {128, 128, 128, "NN"},    {64, 64, 64, "NN"},
        {32, 32, 32, "NN"},       {16, 16, 16, "NN"},       {8, 8, 8, "NN"},
        {32, 128, 784, "NN"},     {784, 128, 32, "TN"},     {32, 784, 128, "NT"},
        {32, 10, 128, "NN"},      {128, 10, 32, "TN"},      {32, 128, 10, "NT"},
        {128, 128, 784, "NN"},    {784, 128, 128, "TN"},    {1, 128, 784, "NN"},
        {1, 784, 128, "NT"},      {1, 10, 128, "NN"},       {32, 256, 64, "NN"},
        {512, 64, 64, "NN"},      {32, 1024, 1024, "NN"},   {32, 1024, 1024, "NT"},
        {1024, 1024, 32, "TN"},   {128, 1024, 1024, "NN"},  {1024, 64, 288, "NN"},
        {12544, 32, 9, "NN"},     {3872, 64, 288, "NN"},    {288, 64, 3872, "TN"},
        {512, 512, 512, "NN"},    {1024, 1024, 1024, "NN"}, {1024, 1024, 1024, "NT"},
        {1024, 1024, 1024, "TN"}, {2000, 2000, 2000, "NN"},
    };
    for (int i = 0; i < (int)(sizeof shapes / sizeof *shapes); i++) {
        const int m = shapes[i].m, n = shapes[i].n, d = shapes[i].k;
        const bool ta = shapes[i].form[0] == 'T', tb = shapes[i].form[1] == 'T';
        char name[64];
        snprintf(name, sizeof name, "gemm %dx%dx%d %s", m, n, d, shapes[i].form);
        if (!strstr(name, only)) continue;
        float *a = array((int64_t)m * d), *b = array((int64_t)n * d), *c = array((int64_t)m * n),
              *bias = array(n);
        kt_gemm g = {
            m,
            n,
            d,
            a,
            b,
            c,
            ta ? m : d,
            tb ? d : n,
            n,
            ta,
            tb,
            false,
            ta || tb ? NULL : bias,
            ta || tb ? KT_EPI_NONE : KT_UN_relu};
        float *scratch = kt_alloc_aligned(k->gemm_scratch(&g));
        double s;
        BEST(s, k->gemm(&g, scratch));
        const double gflops = 2.0 * m * n * d / s / 1e9;
        printf(
            "%-26s %9.2f us %7.1f GFLOP/s %3.0f %%\n", name, s * 1e6, gflops, 100 * gflops / peak);
        kt_mem_free_aligned(a), kt_mem_free_aligned(b), kt_mem_free_aligned(c);
        kt_mem_free_aligned(bias), kt_mem_free_aligned(scratch);
    }
}

/* ---- strips and rows ------------------------------------------------------------------------- */

#define STRIP 4096

static void report(const char *name, double s, double n, double bytes) {
    printf("%-26s %9.3f ns/element %7.1f GB/s\n", name, s * 1e9 / n, bytes / s / 1e9);
}

static void bench_strips(const kt_kernels *k, const char *only) {
    float *x = array(STRIP), *y = array(STRIP), *z = array(STRIP);
    char name[64];
    double s;
#define KT_UNARY(f, value, grad)                                                                   \
    snprintf(name, sizeof name, "unary " #f);                                                      \
    if (strstr(name, only)) {                                                                      \
        BEST(s, k->unary[KT_UN_##f](y, x, STRIP));                                                 \
        report(name, s, STRIP, 8.0 * STRIP);                                                       \
    }
#include "ir/unary.def"
#undef KT_UNARY
#define KT_BINARY(f, value, da, db)                                                                \
    snprintf(name, sizeof name, "binary " #f);                                                     \
    if (strstr(name, only)) {                                                                      \
        BEST(s, k->binary[KT_BIN_##f](y, x, z, STRIP));                                            \
        report(name, s, STRIP, 12.0 * STRIP);                                                      \
    }
#include "ir/binary.def"
#undef KT_BINARY
    kt_mem_free_aligned(x), kt_mem_free_aligned(y), kt_mem_free_aligned(z);
}

static void bench_others(const kt_kernels *k, const char *only) {
    enum { BIG = 1 << 17 };
    float *x = array(BIG), *y = array(BIG), *z = array(BIG), *w = array(BIG);
    int32_t label[BIG / 10];
    for (int i = 0; i < BIG / 10; i++) label[i] = i % 10;
    for (int i = 0; i < BIG; i++) w[i] = w[i] * w[i];
    const kt_adam_scalars adam = {1e-3f, 0.1f, 1e-3f, 1e-7f};
    const kt_philox key = {{1, 2}, {3, 4}};
    volatile float sink;
    double s;
#define ROW(name, n, bytes, call)                                                                  \
    if (strstr(name, only)) {                                                                      \
        BEST(s, call);                                                                             \
        report(name, s, n, bytes);                                                                 \
    }
    ROW("adam 101770", 101770, 28.0 * 101770, k->adam(y, z, w, x, 101770, &adam))
    ROW("adam 4096", 4096, 28.0 * 4096, k->adam(y, z, w, x, 4096, &adam))
    ROW("sum 4096", 4096, 4.0 * 4096, sink = k->sum(x, 4096))
    ROW("max 4096", 4096, 4.0 * 4096, sink = k->max(x, 4096))
    ROW("dot 4096", 4096, 8.0 * 4096, sink = k->dot(x, z, 4096))
    ROW("sum_rows 32x128", 4096, 4.0 * 4096, k->sum_rows(y, x, 32, 128, 128))
    ROW("sum_rows 400x10", 4000, 4.0 * 4000, k->sum_rows(y, x, 400, 10, 10))
    ROW("softmax 32x10", 320, 8.0 * 320, k->softmax(y, x, 32, 10))
    ROW("softmax 32x128", 4096, 8.0 * 4096, k->softmax(y, x, 32, 128))
    ROW("softmax 4x1000", 4000, 8.0 * 4000, k->softmax(y, x, 4, 1000))
    ROW("log_softmax 4x1000", 4000, 8.0 * 4000, k->log_softmax(y, x, 4, 1000))
    ROW("sparse_xent 32x10", 320, 8.0 * 320, k->sparse_xent(z, y, x, label, 32, 10))
    ROW("sparse_xent_grad 32x10", 320, 8.0 * 320, k->sparse_xent_grad(y, x, label, z, 32, 10))
    ROW("uniform 4096", 4096, 4.0 * 4096, k->uniform(y, 4096, 0, &key))
    ROW("dropout 4096", 4096, 8.0 * 4096, k->dropout(y, x, 4096, 0, 0.5f, 2, &key))
    ROW("transpose 64x64", 4096, 8.0 * 4096, k->transpose(y, x, 64, 64))
    ROW("transpose 128x784", 100352, 8.0 * 100352, k->transpose(y, x, 128, 784))
    ROW("to_bool 4096", 4096, 5.0 * 4096, k->to_bool((uint8_t *)y, x, 4096))
    ROW("from_u8 4096", 4096, 5.0 * 4096, k->from_u8(y, (const uint8_t *)x, 4096))
    (void)sink;
    kt_mem_free_aligned(x), kt_mem_free_aligned(y), kt_mem_free_aligned(z), kt_mem_free_aligned(w);
}

/* Two chunks of about 5 us on two threads, less the time of one: what handing over costs */
static void busy(void *arg, int64_t chunk, int thread) {
    volatile double x = 1;
    (void)arg, (void)chunk, (void)thread;
    for (int i = 0; i < 2000; i++) x = x * 0.999;
}

static void bench_pool(void) {
    double one, two, asleep = 1e9;
    if (kt_pool_threads() < 2) return;
    BEST(one, busy(NULL, 0, 0));
    BEST(two, kt_pool_run(busy, NULL, 2));
    for (int i = 0; i < 200; i++) {
        nanosleep(&(struct timespec){0, 200000}, NULL);
        const double start = now();
        kt_pool_run(busy, NULL, 2);
        if (now() - start < asleep) asleep = now() - start;
    }
    printf(
        "pool: %.2f us per chunk, hand-off %.2f us, to a sleeping worker %.2f us\n",
        one * 1e6,
        (two - one) * 1e6,
        (asleep - one) * 1e6);
}

int main(int argc, char **argv) {
    const char *only = argc > 1 ? argv[1] : "";
    const kt_kernels *k = kt_kernels_get();
    kt_fpu_flush_begin();
    const double peak = peak_gflops(k) * kt_pool_threads();
    printf("%s, %d threads, multiply-add peak %.0f GFLOP/s\n", k->name, kt_pool_threads(), peak);
    bench_gemm(k, only, peak);
    bench_strips(k, only);
    bench_others(k, only);
    if (strstr("pool", only)) bench_pool();
    return 0;
}
