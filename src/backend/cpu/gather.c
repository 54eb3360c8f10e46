/* gather and scatter_add: rows of a table by index. Indices are looked at first, so that a wrong
 * one is an error before anything is written; then rows are shared among the threads.
 *
 * Of scatter_add each thread owns a range of the table and goes through all indices: sums have the
 * order of the indices whatever the number of threads, and no two threads write to one row. */
#include "backend/cpu/impls.h"
#include "base/error.h"

#include <string.h>

typedef struct {
    const int32_t *index;
    int64_t n, row, n_rows; /* indices, floats of a row, rows of the table */
    const float *from;
    float *to;
} rows_job;

static kt_status check_index(const rows_job *j, const kt_shape *shape) {
    const uint32_t n = (uint32_t)(j->n_rows > INT32_MAX ? INT32_MAX : j->n_rows);
    for (int64_t i = 0; i < j->n; i++)
        if ((uint32_t)j->index[i] >= n) return kt_index_error(shape, i, j->index[i], j->n_rows);
    return KT_OK;
}

static rows_job rows_start(const kt_kargs *k, const kt_shape *table) {
    return (rows_job){
        .n = kt_shape_size(&k->node->in[1]->spec.shape),
        .row = kt_shape_range(table, 1, table->ndim),
        .n_rows = table->dim[0],
        .index = k->in[1],
        .from = k->in[0],
        .to = k->out[0]};
}

static kt_status gather_rows(void *arg, int64_t first, int64_t n) {
    const rows_job *j = arg;
    kt_kernels_get()->gather(j->to + first * j->row, j->from, j->index + first, n, j->row);
    return KT_OK;
}

static kt_status gather_run(const kt_kargs *k) {
    rows_job j = rows_start(k, &k->node->in[0]->spec.shape);
    const kt_status st = check_index(&j, &k->node->in[1]->spec.shape);
    if (st) return st;
    return kt_cpu_range(gather_rows, &j, j.n, 8192 / (j.row + 1) + 1, 0.3 * (double)j.row + 2);
}

static kt_status scatter_rows(void *arg, int64_t first, int64_t n) {
    const rows_job *j = arg;
    memset(j->to + first * j->row, 0, sizeof(float) * (size_t)(n * j->row));
    kt_kernels_get()->scatter(j->to, first, first + n, j->from, j->index, j->n, j->row);
    return KT_OK;
}

static kt_status scatter_run(const kt_kargs *k) {
    rows_job j = rows_start(k, &k->node->out[0]->spec.shape);
    const kt_status st = check_index(&j, &k->node->in[1]->spec.shape);
    if (st || !j.n_rows) return st;
    const int64_t threads = kt_pool_threads();
    const double ns = 0.3 * (double)(j.row * (j.n + j.n_rows)) / (double)j.n_rows;
    return kt_cpu_range(scatter_rows, &j, j.n_rows, (j.n_rows + threads - 1) / threads, ns);
}

static bool rows_support(const kt_node *n) { return is_f32(n->in[0]); }

const kt_impl impl_gather_rows = {"gather", "rows", rows_support, gather_run, NULL, NULL};
const kt_impl impl_scatter_add_rows = {
    "scatter_add", "rows", rows_support, scatter_run, NULL, NULL};
