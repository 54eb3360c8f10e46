/* sparse_matmul for rows whose columns ascend, as kt_feed makes them; anything else (tests, fuzzed
 * graphs) runs the reference, which also has the words for a column that is none.
 *
 * Forward the work is split by rows of the batch. The gradient is split by rows of the *kernel*:
 * each part of it is zeroed and filled by one thread, which looks up where its columns begin in
 * each row of the batch. So every element is added up in the same order whatever the number of
 * threads. */
#include "backend/cpu/impls.h"

#include <string.h>

typedef struct {
    const kt_kernels *fn;
    int64_t rows, width, n;
    const float *value, *b;
    const int32_t *offset, *index;
    float *out;
} sparse_job;

static sparse_job job_of(const kt_kargs *k) {
    const sparse_attrs *a = k->node->attrs;
    return (sparse_job){
        kt_kernels_get(),
        k->node->in[1]->spec.shape.dim[0] - 1,
        a->width,
        k->node->out[0]->spec.shape.dim[1],
        k->in[0],
        k->in[3],
        k->in[1],
        k->in[2],
        k->out[0]};
}

static bool is_regular(const sparse_job *j, int64_t cap) {
    bool ok = j->offset[0] >= 0 && j->offset[j->rows] <= cap;
    for (int64_t r = 0; r < j->rows; r++) ok &= j->offset[r] <= j->offset[r + 1];
    for (int64_t r = 0; ok && r < j->rows; r++)
        ok = j->fn->ascending(
            j->index + j->offset[r], j->offset[r + 1] - j->offset[r], (int32_t)j->width);
    return ok;
}

static kt_status product_rows(void *arg, int64_t first, int64_t n) {
    const sparse_job *j = arg;
    for (int64_t r = first; r < first + n; r++) {
        const int64_t at = j->offset[r];
        j->fn->sparse_row(
            j->out + r * j->n, j->value + at, j->index + at, j->offset[r + 1] - at, j->b, j->n);
    }
    return KT_OK;
}

/* The first place from `at` to `end` whose column is not below `column`. */
static int32_t find(const int32_t *index, int32_t at, int32_t end, int64_t column) {
    while (at < end) {
        const int32_t middle = at + (end - at) / 2;
        if (index[middle] < column)
            at = middle + 1;
        else
            end = middle;
    }
    return at;
}

static kt_status gradient_rows(void *arg, int64_t first, int64_t n) {
    const sparse_job *j = arg;
    memset(j->out + first * j->n, 0, (size_t)(n * j->n) * sizeof(float));
    for (int64_t r = 0; r < j->rows; r++) {
        const int32_t begin = find(j->index, j->offset[r], j->offset[r + 1], first);
        const int32_t end = find(j->index, begin, j->offset[r + 1], first + n);
        j->fn->sparse_scatter(
            j->out, j->value + begin, j->index + begin, end - begin, j->b + r * j->n, j->n);
    }
    return KT_OK;
}

static bool sparse_supports(const kt_node *n) { return is_f32(n->in[0]); }

static kt_status sparse_run(const kt_kargs *k) {
    sparse_job j = job_of(k);
    if (!is_regular(&j, k->node->in[0]->spec.shape.dim[0])) return k->node->op->ref[0](k);
    const double each = 0.1 * (double)j.n, used = j.offset[j.rows] - j.offset[0];
    if (!((const sparse_attrs *)k->node->attrs)->ta)
        return kt_cpu_range(product_rows, &j, j.rows, 16, each * used / (double)(j.rows + 1));
    const int64_t parts = kt_pool_threads();
    return kt_cpu_range(
        gradient_rows, &j, j.width, (j.width + parts - 1) / parts, each * used / (double)j.width);
}

const kt_impl impl_sparse_matmul_rows = {
    "sparse_matmul", "rows", sparse_supports, sparse_run, NULL, NULL};
