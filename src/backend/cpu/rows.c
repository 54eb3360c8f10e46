/* Ops over the last axis, and reductions that come down to rows or columns of a matrix. */
#include "backend/cpu/impls.h"
#include "base/error.h"

static bool last_axis_f32(const kt_node *n) {
    return is_f32(n->in[0]) &&
           ((const axis_attrs *)n->attrs)->axis == n->in[0]->spec.shape.ndim - 1;
}

typedef struct {
    const kt_kargs *k;
    int64_t cols;
} rows_job;

/* Runs fn over the rows of input 0, at least 64 rows or 4096 elements to a piece. */
static kt_status over_rows(const kt_kargs *k, kt_range_fn *fn, double cost_ns) {
    const kt_shape *s = &k->node->in[0]->spec.shape;
    const int64_t cols = s->dim[s->ndim - 1], rows = kt_shape_range(s, 0, s->ndim - 1);
    rows_job j = {k, cols};
    const int64_t piece = cols < 4096 ? (4096 / (cols + 1) + 1) : 1;
    return kt_cpu_range(fn, &j, rows, piece, cost_ns * (double)cols);
}

static kt_status softmax_rows(void *arg, int64_t first, int64_t n) {
    const rows_job *j = arg;
    const int64_t at = first * j->cols;
    kt_kernels_get()->softmax(
        (float *)j->k->out[0] + at, (const float *)j->k->in[0] + at, n, j->cols);
    return KT_OK;
}
static kt_status softmax_run(const kt_kargs *k) { return over_rows(k, softmax_rows, 1); }
const kt_impl impl_softmax_rows = {"softmax", "rows", last_axis_f32, softmax_run, NULL, NULL};

static kt_status log_softmax_rows(void *arg, int64_t first, int64_t n) {
    const rows_job *j = arg;
    const int64_t at = first * j->cols;
    kt_kernels_get()->log_softmax(
        (float *)j->k->out[0] + at, (const float *)j->k->in[0] + at, n, j->cols);
    return KT_OK;
}
static kt_status log_softmax_run(const kt_kargs *k) { return over_rows(k, log_softmax_rows, 1); }
const kt_impl impl_log_softmax_rows = {
    "log_softmax", "rows", last_axis_f32, log_softmax_run, NULL, NULL};

static bool first_f32(const kt_node *n) { return is_f32(n->in[0]); }

/* Kernels write at the label, so it is looked at first; label 0 of the piece is row `first`. */
static kt_status check_labels(const rows_job *j, const int32_t *label, int64_t first, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        if (label[i] < 0 || label[i] >= j->cols)
            return kt_label_error(first + i, label[i], j->cols);
    return KT_OK;
}

static kt_status xent_rows(void *arg, int64_t first, int64_t n) {
    const rows_job *j = arg;
    const int32_t *label = (const int32_t *)j->k->in[1] + first;
    const kt_status st = check_labels(j, label, first, n);
    if (st) return st;
    const int64_t at = first * j->cols;
    kt_kernels_get()->sparse_xent(
        (float *)j->k->out[0] + first,
        (float *)j->k->out[1] + at,
        (const float *)j->k->in[0] + at,
        label,
        n,
        j->cols);
    return KT_OK;
}
static kt_status xent_run(const kt_kargs *k) { return over_rows(k, xent_rows, 1); }
const kt_impl impl_sparse_xent_rows = {"sparse_xent", "rows", first_f32, xent_run, NULL, NULL};

static kt_status xent_grad_rows(void *arg, int64_t first, int64_t n) {
    const rows_job *j = arg;
    const int64_t at = first * j->cols;
    const int32_t *label = (const int32_t *)j->k->in[1] + first;
    const kt_status st = check_labels(j, label, first, n);
    if (st) return st;
    kt_kernels_get()->sparse_xent_grad(
        (float *)j->k->out[0] + at,
        (const float *)j->k->in[0] + at,
        label,
        (const float *)j->k->in[2] + first,
        n,
        j->cols);
    return KT_OK;
}
static kt_status xent_grad_run(const kt_kargs *k) { return over_rows(k, xent_grad_rows, 0.2); }
const kt_impl impl_sparse_xent_grad_rows = {
    "sparse_xent_grad", "rows", first_f32, xent_grad_run, NULL, NULL};

static kt_status argmax_rows(void *arg, int64_t first, int64_t n) {
    const rows_job *j = arg;
    for (int64_t i = first; i < first + n; i++)
        ((int32_t *)j->k->out[0])[i] = (int32_t)kt_kernels_get()->argmax(
            (const float *)j->k->in[0] + i * j->cols, j->cols);
    return KT_OK;
}
static kt_status argmax_run(const kt_kargs *k) { return over_rows(k, argmax_rows, 0.3); }
const kt_impl impl_argmax_rows = {"argmax", "rows", last_axis_f32, argmax_run, NULL, NULL};

/* reduce over neighbouring axes (those of length 1 do not count): x is [outer, len, inner]. Rows
 * where nothing is behind the axes, else columns: sums and maxima. */
typedef struct {
    const float *x;
    float *y;
    int64_t outer, len, inner;
    int kind;
} reduce_job;

static bool reduce_axes(const kt_node *n, reduce_job *j) {
    const kt_shape *s = &n->in[0]->spec.shape;
    const int axes = ((const reduce_attrs *)n->attrs)->axes;
    int from = 0, to;
    j->kind = ((const reduce_attrs *)n->attrs)->kind;
    while (from < s->ndim && (s->dim[from] == 1 || !(axes >> from & 1))) from++;
    for (to = from; to < s->ndim && (s->dim[to] == 1 || axes >> to & 1);) to++;
    for (int i = to; i < s->ndim; i++)
        if (s->dim[i] != 1 && axes >> i & 1) return false;
    j->outer = kt_shape_range(s, 0, from);
    j->len = kt_shape_range(s, from, to);
    j->inner = kt_shape_range(s, to, s->ndim);
    return true;
}

static bool reduce_supports(const kt_node *n) {
    reduce_job j;
    if (!is_f32(n->in[0]) || val_size(n->in[0]) == 0 || !reduce_axes(n, &j)) return false;
    if (j.kind == KT_RED_SUM || j.kind == KT_RED_MAX) return true;
    return j.kind == KT_RED_MIN && j.inner == 1;
}

#define SHORT 8

/* Short rows: a call for each would cost more than the sum. */
static void sum_short(float *y, const float *x, int64_t n, int64_t len) {
    for (int64_t i = 0; i < n; i++, x += len) {
        float s = x[0];
        for (int64_t t = 1; t < len; t++) s += x[t];
        y[i] = s;
    }
}

static kt_status reduce_lanes(void *arg, int64_t first, int64_t n) {
    const reduce_job *j = arg;
    const kt_kernels *kn = kt_kernels_get();
    float (*f)(const float *x, int64_t n) = j->kind == KT_RED_SUM   ? kn->sum
                                            : j->kind == KT_RED_MAX ? kn->max
                                                                    : kn->min;
    if (j->kind == KT_RED_SUM && j->len <= SHORT)
        sum_short(j->y + first, j->x + first * j->len, n, j->len);
    else
        for (int64_t i = first; i < first + n; i++) j->y[i] = f(j->x + i * j->len, j->len);
    return KT_OK;
}

/* Columns at, at + 1, … of block i. A maximum is that of one window. */
static void reduce_block(const reduce_job *j, int64_t i, int64_t at, int64_t n) {
    const kt_kernels *kn = kt_kernels_get();
    const float *x = j->x + i * j->len * j->inner + at;
    float *y = j->y + i * j->inner + at;
    if (j->kind == KT_RED_SUM)
        kn->sum_rows(y, x, j->len, n, j->inner);
    else
        kn->max_pool(
            y,
            x,
            &(kt_pool_cells){.n = n, .places = 1, .rows = j->len, .cols = 1, .x_row = j->inner});
}

static kt_status reduce_columns(void *arg, int64_t first, int64_t n) {
    reduce_block(arg, 0, first, n);
    return KT_OK;
}

static kt_status reduce_blocks(void *arg, int64_t first, int64_t n) {
    const reduce_job *j = arg;
    for (int64_t i = first; i < first + n; i++) reduce_block(j, i, 0, j->inner);
    return KT_OK;
}

static kt_status reduce_run(const kt_kargs *k) {
    reduce_job j;
    if (!reduce_axes(k->node, &j)) return KT_EINTERNAL;
    j.x = k->in[0];
    j.y = k->out[0];
    const double cost = 0.1 * (double)j.len;
    if (j.inner == 1) return kt_cpu_range(reduce_lanes, &j, j.outer, 4096 / (j.len + 1) + 1, cost);
    if (j.outer == 1) return kt_cpu_range(reduce_columns, &j, j.inner, 64, cost);
    const int64_t piece = 4096 / (j.len * j.inner + 1) + 1;
    return kt_cpu_range(reduce_blocks, &j, j.outer, piece, cost * (double)j.inner);
}
const kt_impl impl_reduce_rows = {"reduce", "rows", reduce_supports, reduce_run, NULL, NULL};
