/* Transposes that turn matrices: two neighbouring groups of axes at the end change places, the axes
 * before them stay. Tiles in cache instead of one element at a time; matrices are shared out over
 * the threads. Other orders (heads of attention: whole rows move) are copies of rows in the
 * reference kernel. */
#include "backend/cpu/impls.h"

/* x is [batch, rows, cols], the result [batch, cols, rows]. */
typedef struct {
    const float *x;
    float *y;
    int64_t batch, rows, cols;
} turn_job;

/* perm = 0 … b-1, then s … n-1, then b … s-1: a rotation of the axes from b on. */
static bool is_rotation(const kt_node *n, turn_job *j) {
    const int *perm = ((const transpose_attrs *)n->attrs)->perm;
    const kt_shape *s = &n->in[0]->spec.shape;
    int b = 0;
    while (b < s->ndim && perm[b] == b) b++;
    if (b == s->ndim) return false;
    const int split = perm[b];
    for (int i = b; i < s->ndim; i++)
        if (perm[i] != (i - b + split < s->ndim ? i - b + split : i - s->ndim + split))
            return false;
    j->batch = kt_shape_range(s, 0, b);
    j->rows = kt_shape_range(s, b, split);
    j->cols = kt_shape_range(s, split, s->ndim);
    return true;
}

static bool transpose_supports(const kt_node *n) {
    turn_job j;
    return is_f32(n->in[0]) && is_rotation(n, &j);
}

static kt_status turn(void *arg, int64_t first, int64_t n) {
    const turn_job *j = arg;
    const int64_t size = j->rows * j->cols;
    for (int64_t i = first; i < first + n; i++)
        kt_kernels_get()->transpose(j->y + i * size, j->x + i * size, j->rows, j->cols);
    return KT_OK;
}

static kt_status transpose_run(const kt_kargs *k) {
    turn_job j;
    if (!is_rotation(k->node, &j)) return KT_EINTERNAL;
    j.x = k->in[0];
    j.y = k->out[0];
    const int64_t size = j.rows * j.cols;
    if (size == 0) return KT_OK;
    return kt_cpu_range(turn, &j, j.batch, 1 + 4096 / size, 0.3 * (double)size);
}

const kt_impl impl_transpose_matrices = {
    "transpose", "matrices", transpose_supports, transpose_run, NULL, NULL};
