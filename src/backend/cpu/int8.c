/* int8_matmul: rows are rounded once, then blocks of 64 rows by 64 columns are work of their own.
 * The sums are exact, so that nothing depends on how the work is cut. */
#include "backend/cpu/impls.h"

#include <string.h>

typedef struct {
    const kt_kernels *fn;
    kt_int8 a;
    int64_t across; ///< blocks side by side
} int8_job;

static bool int8_supports(const kt_node *n) { return is_f32(n->in[0]); }

static int64_t int8_depth(const kt_node *n) {
    return n->in[1]->spec.shape.dim[n->in[1]->spec.shape.ndim - 2];
}

static kt_status quantize_rows(void *arg, int64_t first, int64_t n) {
    const int8_job *j = arg;
    j->fn->int8_quantize(&j->a, first, n);
    return KT_OK;
}

static kt_status product_blocks(void *arg, int64_t first, int64_t n) {
    const int8_job *j = arg;
    for (int64_t b = first; b < first + n; b++) {
        const int64_t row = b / j->across * KT_INT8_ROWS, col = b % j->across * KT_INT8_COLS;
        const int64_t rows = j->a.rows - row, cols = j->a.n - col;
        j->fn->int8_block(
            &j->a,
            row,
            rows < KT_INT8_ROWS ? rows : KT_INT8_ROWS,
            col,
            cols < KT_INT8_COLS ? cols : KT_INT8_COLS);
    }
    return KT_OK;
}

static kt_status int8_run(const kt_kargs *k) {
    const int8_matmul_attrs *at = k->node->attrs;
    const kt_shape *y = &k->node->out[0]->spec.shape;
    const int64_t rows = y->dim[y->ndim - 2], n = y->dim[y->ndim - 1], depth = int8_depth(k->node);
    const int64_t batch = y->ndim == 3 ? y->dim[0] : 1, pitch = KT_INT8_PITCH(depth);
    if (batch * rows * n == 0) return KT_OK; /* arrays without elements have no address */
    if (depth == 0) return memset(k->out[0], 0, sizeof(float) * (size_t)(batch * rows * n)), KT_OK;
    int16_t *q = k->scratch;
    float *s = (float *)(void *)(q + rows * pitch);
    int8_job j = {.fn = kt_kernels_get(), .across = (n + KT_INT8_COLS - 1) / KT_INT8_COLS};
    const int64_t down = (rows + KT_INT8_ROWS - 1) / KT_INT8_ROWS;
    const double block_rows = (double)(rows < KT_INT8_ROWS ? rows : KT_INT8_ROWS);
    for (int64_t b = 0; b < batch; b++) {
        j.a = (kt_int8){
            .rows = rows,
            .k = depth,
            .n = n,
            .x = (const float *)k->in[0] + b * rows * depth,
            .scale = (const float *)k->in[2] + b * n,
            .w = (const int8_t *)k->in[1] + b * depth * n,
            .y = (float *)k->out[0] + b * rows * n,
            .low = (float)at->low,
            .high = (float)at->high,
            .epsilon = (float)at->epsilon,
            .q = q,
            .s = s,
            .sum = (int32_t *)(void *)(s + rows)};
        kt_cpu_range(quantize_rows, &j, rows, 1, 0.5 * (double)depth);
        kt_cpu_range(
            product_blocks, &j, j.across * down, 1, (3 + 0.5 * block_rows) * (double)depth);
    }
    return KT_OK;
}

static size_t int8_scratch(const kt_node *n) {
    const kt_shape *y = &n->out[0]->spec.shape;
    const size_t pitch = (size_t)KT_INT8_PITCH(int8_depth(n));
    return (size_t)y->dim[y->ndim - 2] *
           (pitch * sizeof(int16_t) + sizeof(float) + sizeof(int32_t));
}

const kt_impl impl_int8_matmul_blocks = {
    "int8_matmul", "blocks", int8_supports, int8_run, int8_scratch, NULL};
