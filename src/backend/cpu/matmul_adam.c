/* matmul_adam by blocks of rows: the gradient of a block stays in the first cache until Adam has used it. */
#include "backend/cpu/impls.h"

#include <string.h>

#define BLOCK 12288  /* elements of gradient at a time: 48 KiB, so it stays in the caches next to the core */
#define MIN_ROWS 14 /* what a tile of the product needs to be quick */

typedef struct {
    const kt_kargs *k;
    kt_gemm gemm; /* of the whole product */
    int64_t rows; /* of a block */
    size_t gemm_scratch;
    kt_adam_scalars scalars;
} block_job;

static kt_gemm whole_product(const kt_node *n) {
    const matmul_attrs *at = n->attrs;
    const kt_shape *a = &n->in[3]->spec.shape, *b = &n->in[4]->spec.shape;
    kt_gemm g = {.m = a->dim[at->ta], .n = b->dim[!at->tb], .k = a->dim[!at->ta]};
    g.ta = at->ta;
    g.tb = at->tb;
    g.lda = a->dim[1];
    g.ldb = b->dim[1];
    g.ldc = g.n;
    g.epilogue = KT_EPI_NONE;
    return g;
}

static int64_t block_rows(const kt_gemm *g) {
    int64_t rows = BLOCK / (g->n + 1) / MIN_ROWS * MIN_ROWS;
    if (rows < MIN_ROWS) rows = MIN_ROWS;
    return rows < g->m ? rows : g->m;
}

static kt_gemm block_product(const kt_gemm *whole, int64_t rows) {
    kt_gemm g = *whole;
    g.m = rows;
    return g;
}

/* One block of gradient and gemm's own scratch, for each thread there may be. */
#define MAX_THREADS 64
static size_t block_bytes(const kt_node *n) {
    const kt_gemm whole = whole_product(n), g = block_product(&whole, block_rows(&whole));
    const size_t grad = (size_t)(g.m * g.n) * sizeof(float);
    return (grad + kt_kernels_get()->gemm_scratch(&g) + 63) / 64 * 64;
}

static int scratch_threads(void) {
    const int n = kt_pool_threads();
    return n < MAX_THREADS ? n : MAX_THREADS;
}

static size_t matmul_adam_scratch(const kt_node *n) {
    return block_bytes(n) * (size_t)scratch_threads();
}

static void run_block(void *arg, int64_t chunk, int thread) {
    const block_job *j = arg;
    const int64_t first = chunk * j->rows, left = j->gemm.m - first;
    kt_gemm g = block_product(&j->gemm, left < j->rows ? left : j->rows);
    char *scratch = (char *)j->k->scratch + (size_t)thread * block_bytes(j->k->node);
    g.a = (const float *)j->k->in[3] + (g.ta ? first : first * g.lda);
    g.b = j->k->in[4];
    g.c = (float *)scratch;
    kt_kernels_get()->gemm(&g, scratch + (size_t)(j->rows * g.n) * sizeof(float));
    const int64_t at = first * g.n, n = g.m * g.n;
    float *out[3];
    for (int i = 0; i < 3; i++) {
        out[i] = (float *)j->k->out[i] + at;
        if (j->k->out[i] != j->k->in[i])
            memcpy(out[i], (const float *)j->k->in[i] + at, (size_t)n * sizeof(float));
    }
    kt_kernels_get()->adam(out[0], out[1], out[2], g.c, n, &j->scalars);
}

static kt_status matmul_adam_run(const kt_kargs *k) {
    const float *s = k->in[5];
    block_job j = {.k = k, .gemm = whole_product(k->node), .scalars = {s[0], s[1], s[2], s[3]}};
    j.rows = block_rows(&j.gemm);
    kt_pool_run(run_block, &j, (j.gemm.m + j.rows - 1) / j.rows);
    return KT_OK;
}

static bool matmul_adam_supports(const kt_node *n) {
    return is_f32(n->in[0]) && val_size(n->in[0]);
}

const kt_impl impl_matmul_adam_blocks = {
    "matmul_adam", "blocks", matmul_adam_supports, matmul_adam_run, matmul_adam_scratch, NULL};
