/* matmul_adam by blocks: the gradient of a block stays in the caches next to the core until Adam
 * has used it.
 *
 * With several threads blocks are cut out of panels of columns, and neighbouring panels go to the
 * same thread at every step. The forward product is split by columns too, so each core keeps its
 * part of the weights and their moments. */
#include "backend/cpu/impls.h"

#include <string.h>

#define BLOCK 12288 /* elements of gradient at a time: 48 KiB */
#define COLUMNS 64  /* of a panel: whole cache lines, and wide enough for a tile of the product */
#define MIN_ROWS 14 /* what a tile of the product needs to be quick */

/* The whole product, and how it is cut. */
typedef struct {
    kt_gemm gemm;
    int64_t rows, columns, row_blocks, panels;
    size_t bytes; /* scratch of a thread: a block of gradient, then gemm's own */
    int threads;  /* that there is scratch for */
} cut;

typedef struct {
    const kt_kargs *k;
    const cut *c;
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
    g.epilogue = KT_EPI_NONE;
    return g;
}

static cut cut_product(const kt_node *n) {
    cut c = {.gemm = whole_product(n)};
    c.threads = kt_pool_threads();
    c.columns = c.threads == 1 || c.gemm.n < 2 * COLUMNS ? c.gemm.n : COLUMNS;
    c.rows = BLOCK / c.columns / MIN_ROWS * MIN_ROWS;
    if (c.rows < MIN_ROWS) c.rows = MIN_ROWS;
    if (c.rows > c.gemm.m) c.rows = c.gemm.m;
    c.panels = (c.gemm.n + c.columns - 1) / c.columns;
    c.row_blocks = (c.gemm.m + c.rows - 1) / c.rows;
    kt_gemm g = c.gemm;
    g.m = c.rows;
    g.n = g.ldc = c.columns;
    const size_t grad = (size_t)(c.rows * c.columns) * sizeof(float);
    c.bytes = (grad + kt_kernels_get()->gemm_scratch(&g) + 63) / 64 * 64;
    return c;
}

static size_t matmul_adam_scratch(const kt_node *n) {
    const cut c = cut_product(n);
    return c.bytes * (size_t)c.threads;
}

static kt_status matmul_adam_prepare(kt_graph *g, const kt_node *n, void **state) {
    const cut c = cut_product(n);
    *state = kt_arena_copy(g->arena, &c, sizeof c);
    return *state ? KT_OK : KT_ENOMEM;
}

static int64_t at_most(int64_t n, int64_t most) { return n < most ? n : most; }

static void run_block(void *arg, int64_t chunk, int thread) {
    const block_job *j = arg;
    const kt_kargs *k = j->k;
    kt_gemm g = j->c->gemm;
    const int64_t row = chunk % j->c->row_blocks * j->c->rows;
    const int64_t column = chunk / j->c->row_blocks * j->c->columns, ld = g.n;
    char *scratch = (char *)k->scratch + (size_t)thread * j->c->bytes;
    g.a = (const float *)k->in[3] + (g.ta ? row : row * g.lda);
    g.b = (const float *)k->in[4] + (g.tb ? column * g.ldb : column);
    g.c = (float *)scratch;
    g.m = at_most(g.m - row, j->c->rows);
    g.n = g.ldc = at_most(g.n - column, j->c->columns);
    kt_kernels_get()->gemm(&g, scratch + (size_t)(j->c->rows * j->c->columns) * sizeof(float));
    float *out[3];
    for (int i = 0; i < 3; i++) out[i] = (float *)k->out[i] + row * ld + column;
    kt_kernels_get()->adam_block(out[0], out[1], out[2], g.c, g.m, g.n, ld, &j->scalars);
}

static kt_status matmul_adam_run(const kt_kargs *k) {
    const float *s = k->in[5];
    const cut *c = k->state;
    block_job j = {.k = k, .c = c, .scalars = {s[0], s[1], s[2], s[3]}};
    for (int i = 0; i < 3; i++) /* the planner usually gives the same memory */
        if (k->out[i] != k->in[i])
            memcpy(k->out[i], k->in[i], (size_t)(c->gemm.m * c->gemm.n) * sizeof(float));
    const int64_t blocks = c->row_blocks * c->panels;
    if (kt_pool_threads() <= c->threads) {
        kt_pool_run(run_block, &j, blocks);
    } else { /* threads were added since the program was made */
        for (int64_t i = 0; i < blocks; i++) run_block(&j, i, 0);
    }
    return KT_OK;
}

static bool matmul_adam_supports(const kt_node *n) {
    return is_f32(n->in[0]) && val_size(n->in[0]) && n->in[3]->spec.shape.dim[0];
}

const kt_impl impl_matmul_adam_blocks = {
    "matmul_adam",
    "blocks",
    matmul_adam_supports,
    matmul_adam_run,
    matmul_adam_scratch,
    matmul_adam_prepare};
