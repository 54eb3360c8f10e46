/* Pooling: windows are clipped to the picture, and those of a row that see equally many cells go
 * through the vector kernels together. Pictures are shared among threads: windows of one picture
 * may overlap. Where windows are one column wide, a row of cells is as good as one cell of more
 * channels. */
#include "backend/cpu/impls.h"
#include "ir/window.h"

#include <string.h>

typedef struct {
    kt_window w;
    const float *x, *dy;
    float *out;
    bool add; ///< gradients: windows overlap
} pool_job;

/* Part of the window that lies on the picture: first cell and number of cells along an axis. */
static int64_t clip(const kt_window *w, int axis, int64_t place, int64_t *n) {
    const int64_t from = place * w->stride[axis] - w->before[axis], to = from + w->size[axis];
    const int64_t first = from < 0 ? 0 : from;
    *n = (to < w->in[axis] ? to : w->in[axis]) - first;
    return first;
}

/* How many windows of a row, from this one on, lie whole on the picture; 1 for one that does
 * not. */
static int64_t whole_windows(const kt_window *w, int64_t place) {
    if (place * w->stride[1] < w->before[1]) return 1;
    const int64_t last_start = w->in[1] + w->before[1] - w->size[1];
    const int64_t end = last_start < 0 ? 0 : last_start / w->stride[1] + 1;
    return end <= place ? 1 : (end < w->out[1] ? end : w->out[1]) - place;
}

/* Windows from `place` on, whose first cell is element `cell` of the pictures. */
typedef void pool_fn(const pool_job *j, int64_t place, int64_t cell, const kt_pool_cells *c);

static void pool_row(const pool_job *j, int64_t row, pool_fn *fn) {
    const kt_window *w = &j->w;
    kt_pool_cells c = {.n = w->channels, .x_row = w->in[1] * w->channels, .add = j->add};
    const int64_t y = row / w->out[0] * w->in[0] + clip(w, 0, row % w->out[0], &c.rows);
    c.x_step = w->stride[1] * w->channels;
    for (int64_t place = 0; place < w->out[1]; place += c.places) {
        const int64_t x = clip(w, 1, place, &c.cols);
        c.places = whole_windows(w, place);
        fn(j, (row * w->out[1] + place) * c.n, (y * w->in[1] + x) * c.n, &c);
    }
}

static void over_rows(const pool_job *j, int64_t first, int64_t n, pool_fn *fn) {
    for (int64_t i = first * j->w.out[0]; i < (first + n) * j->w.out[0]; i++) pool_row(j, i, fn);
}

static kt_status run(kt_range_fn *fn, pool_job *j) {
    const double cells = (double)(j->w.in[0] * j->w.in[1] * j->w.channels);
    return kt_cpu_range(fn, j, j->w.n, 1, 0.2 * cells);
}

/* Do windows touch each cell once? Then a gradient is written, not added up. */
static bool covers(const kt_window *w, int axis) {
    return w->stride[axis] == w->size[axis] && w->before[axis] == 0 &&
           w->out[axis] * w->stride[axis] >= w->in[axis];
}

static void clear_pictures(const pool_job *j, int64_t first, int64_t n) {
    const int64_t size = j->w.in[0] * j->w.in[1] * j->w.channels;
    if (covers(&j->w, 0) && covers(&j->w, 1)) return;
    memset(j->out + first * size, 0, (size_t)(n * size) * sizeof(float));
}

/* max ------------------------------------------------------------------------------------------ */

static void max_windows(const pool_job *j, int64_t place, int64_t cell, const kt_pool_cells *c) {
    kt_kernels_get()->max_pool(j->out + place, j->x + cell, c);
}

static kt_status max_pictures(void *arg, int64_t first, int64_t n) {
    over_rows(arg, first, n, max_windows);
    return KT_OK;
}

static void max_grad_windows(
    const pool_job *j, int64_t place, int64_t cell, const kt_pool_cells *c) {
    kt_kernels_get()->max_pool_grad(j->out + cell, j->x + cell, j->dy + place, c);
}

static kt_status max_grad_pictures(void *arg, int64_t first, int64_t n) {
    for (int64_t i = first; i < first + n; i++) {
        clear_pictures(arg, i, 1);
        over_rows(arg, i, 1, max_grad_windows);
    }
    return KT_OK;
}

/* mean ----------------------------------------------------------------------------------------- */

static void avg_windows(const pool_job *j, int64_t place, int64_t cell, const kt_pool_cells *c) {
    kt_kernels_get()->avg_pool(j->out + place, j->x + cell, c);
}

static kt_status avg_pictures(void *arg, int64_t first, int64_t n) {
    over_rows(arg, first, n, avg_windows);
    return KT_OK;
}

static void avg_grad_windows(
    const pool_job *j, int64_t place, int64_t cell, const kt_pool_cells *c) {
    kt_kernels_get()->avg_pool_grad(j->out + cell, j->dy + place, c);
}

static kt_status avg_grad_pictures(void *arg, int64_t first, int64_t n) {
    clear_pictures(arg, first, n);
    over_rows(arg, first, n, avg_grad_windows);
    return KT_OK;
}

/* Rows of impls.def ---------------------------------------------------------------------------- */

static bool pool_supports(const kt_node *n) { return is_f32(n->in[0]) && val_size(n->in[0]); }

static pool_job job_of(const kt_kargs *k, const kt_val *x, const kt_val *y) {
    pool_job j = {
        .w = kt_pool_window(&x->spec.shape, &y->spec.shape, k->node->attrs), .out = k->out[0]};
    kt_window *w = &j.w;
    if (w->size[1] == 1 && w->stride[1] == 1) {
        w->channels *= w->in[1];
        w->in[1] = w->out[1] = 1;
    }
    j.add = w->stride[0] < w->size[0] || w->stride[1] < w->size[1];
    return j;
}

static kt_status max_run(const kt_kargs *k) {
    pool_job j = job_of(k, k->node->in[0], k->node->out[0]);
    j.x = k->in[0];
    return run(max_pictures, &j);
}
const kt_impl impl_max_pool2d_channels = {
    "max_pool2d", "channels", pool_supports, max_run, NULL, NULL};

static kt_status max_grad_run(const kt_kargs *k) {
    pool_job j = job_of(k, k->node->in[0], k->node->in[1]);
    j.x = k->in[0];
    j.dy = k->in[1];
    return run(max_grad_pictures, &j);
}
const kt_impl impl_max_pool2d_grad_channels = {
    "max_pool2d_grad", "channels", pool_supports, max_grad_run, NULL, NULL};

static kt_status avg_run(const kt_kargs *k) {
    pool_job j = job_of(k, k->node->in[0], k->node->out[0]);
    j.x = k->in[0];
    return run(avg_pictures, &j);
}
const kt_impl impl_avg_pool2d_channels = {
    "avg_pool2d", "channels", pool_supports, avg_run, NULL, NULL};

static kt_status avg_grad_run(const kt_kargs *k) {
    pool_job j = job_of(k, k->node->out[0], k->node->in[0]);
    j.dy = k->in[0];
    return run(avg_grad_pictures, &j);
}
const kt_impl impl_avg_pool2d_grad_channels = {
    "avg_pool2d_grad", "channels", pool_supports, avg_grad_run, NULL, NULL};
