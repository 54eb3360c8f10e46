/* Pooling: every window is clipped to the picture and its channels go through the vector kernels.
 * Pictures are shared among threads: windows of one picture may overlap. */
#include "backend/cpu/impls.h"
#include "ir/window.h"

#include <string.h>

typedef struct {
    kt_window w;
    const float *x, *dy;
    float *out;
} pool_job;

/* Part of the window that lies on the picture: first cell and number of cells along an axis. */
static int64_t clip(const kt_window *w, int axis, int64_t place, int64_t *n) {
    const int64_t from = place * w->stride[axis] - w->before[axis], to = from + w->size[axis];
    const int64_t first = from < 0 ? 0 : from;
    *n = (to < w->in[axis] ? to : w->in[axis]) - first;
    return first;
}

/* Where a window starts inside its picture, and its extent. */
typedef struct {
    int64_t at, rows, cols;
} patch;

static patch patch_at(const kt_window *w, int64_t place) {
    patch p;
    const int64_t y = clip(w, 0, place / w->out[1] % w->out[0], &p.rows);
    const int64_t x = clip(w, 1, place % w->out[1], &p.cols);
    p.at = ((place / w->out[1] / w->out[0] * w->in[0] + y) * w->in[1] + x) * w->channels;
    return p;
}

typedef void pool_fn(const pool_job *j, int64_t place, const patch *p);

static void over_places(const pool_job *j, int64_t first, int64_t n, pool_fn *fn) {
    const int64_t places = j->w.out[0] * j->w.out[1];
    for (int64_t i = first * places; i < (first + n) * places; i++) {
        const patch p = patch_at(&j->w, i);
        fn(j, i, &p);
    }
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
    memset(j->out + first * size, 0, (size_t)(n * size) * sizeof(float));
}

/* max ------------------------------------------------------------------------------------------ */

static void max_place(const pool_job *j, int64_t place, const patch *p) {
    const int64_t c = j->w.channels, ld = j->w.in[1] * c;
    kt_kernels_get()->max_pool(j->out + place * c, j->x + p->at, p->rows, p->cols, ld, c);
}

static kt_status max_pictures(void *arg, int64_t first, int64_t n) {
    over_places(arg, first, n, max_place);
    return KT_OK;
}

static void max_grad_place(const pool_job *j, int64_t place, const patch *p) {
    const int64_t c = j->w.channels, ld = j->w.in[1] * c;
    kt_kernels_get()->max_pool_grad(
        j->out + p->at, j->x + p->at, j->dy + place * c, p->rows, p->cols, ld, c, true);
}

static void max_grad_place_once(const pool_job *j, int64_t place, const patch *p) {
    const int64_t c = j->w.channels, ld = j->w.in[1] * c;
    kt_kernels_get()->max_pool_grad(
        j->out + p->at, j->x + p->at, j->dy + place * c, p->rows, p->cols, ld, c, false);
}

static kt_status max_grad_pictures(void *arg, int64_t first, int64_t n) {
    const pool_job *j = arg;
    const bool once = j->w.stride[0] >= j->w.size[0] && j->w.stride[1] >= j->w.size[1];
    if (!covers(&j->w, 0) || !covers(&j->w, 1)) clear_pictures(j, first, n);
    over_places(j, first, n, once ? max_grad_place_once : max_grad_place);
    return KT_OK;
}

/* mean ----------------------------------------------------------------------------------------- */

static void avg_place(const pool_job *j, int64_t place, const patch *p) {
    const kt_kernels *kn = kt_kernels_get();
    const int64_t c = j->w.channels, ld = j->w.in[1] * c;
    float *y = j->out + place * c;
    memcpy(y, j->x + p->at, (size_t)c * sizeof *y);
    for (int64_t i = 1; i < p->rows * p->cols; i++)
        kn->binary[KT_BIN_add](y, y, j->x + p->at + i / p->cols * ld + i % p->cols * c, c);
    kn->binary_vs[KT_BIN_div](y, y, (float)(p->rows * p->cols), c);
}

static kt_status avg_pictures(void *arg, int64_t first, int64_t n) {
    over_places(arg, first, n, avg_place);
    return KT_OK;
}

#define STRIP 256

static void avg_grad_place(const pool_job *j, int64_t place, const patch *p) {
    const kt_kernels *kn = kt_kernels_get();
    const int64_t channels = j->w.channels, ld = j->w.in[1] * channels;
    float share[STRIP];
    for (int64_t c = 0; c < channels; c += STRIP) {
        const int64_t n = channels - c < STRIP ? channels - c : STRIP;
        const float *dy = j->dy + place * channels + c;
        kn->binary_vs[KT_BIN_div](share, dy, (float)(p->rows * p->cols), n);
        for (int64_t i = 0; i < p->rows * p->cols; i++) {
            float *dx = j->out + p->at + i / p->cols * ld + i % p->cols * channels + c;
            kn->binary[KT_BIN_add](dx, dx, share, n);
        }
    }
}

static kt_status avg_grad_pictures(void *arg, int64_t first, int64_t n) {
    clear_pictures(arg, first, n);
    over_places(arg, first, n, avg_grad_place);
    return KT_OK;
}

/* Rows of impls.def ---------------------------------------------------------------------------- */

static bool pool_supports(const kt_node *n) { return is_f32(n->in[0]) && val_size(n->in[0]); }

static kt_status max_run(const kt_kargs *k) {
    const kt_spec *x = &k->node->in[0]->spec, *y = &k->node->out[0]->spec;
    pool_job j = {kt_pool_window(&x->shape, &y->shape, k->node->attrs), k->in[0], NULL, k->out[0]};
    return run(max_pictures, &j);
}
const kt_impl impl_max_pool2d_channels = {
    "max_pool2d", "channels", pool_supports, max_run, NULL, NULL};

static kt_status max_grad_run(const kt_kargs *k) {
    const kt_spec *x = &k->node->in[0]->spec, *dy = &k->node->in[1]->spec;
    pool_job j = {
        kt_pool_window(&x->shape, &dy->shape, k->node->attrs), k->in[0], k->in[1], k->out[0]};
    return run(max_grad_pictures, &j);
}
const kt_impl impl_max_pool2d_grad_channels = {
    "max_pool2d_grad", "channels", pool_supports, max_grad_run, NULL, NULL};

static kt_status avg_run(const kt_kargs *k) {
    const kt_spec *x = &k->node->in[0]->spec, *y = &k->node->out[0]->spec;
    pool_job j = {kt_pool_window(&x->shape, &y->shape, k->node->attrs), k->in[0], NULL, k->out[0]};
    return run(avg_pictures, &j);
}
const kt_impl impl_avg_pool2d_channels = {
    "avg_pool2d", "channels", pool_supports, avg_run, NULL, NULL};

static kt_status avg_grad_run(const kt_kargs *k) {
    const kt_spec *dy = &k->node->in[0]->spec, *dx = &k->node->out[0]->spec;
    pool_job j = {
        kt_pool_window(&dx->shape, &dy->shape, k->node->attrs), NULL, k->in[0], k->out[0]};
    return run(avg_grad_pictures, &j);
}
const kt_impl impl_avg_pool2d_grad_channels = {
    "avg_pool2d_grad", "channels", pool_supports, avg_grad_run, NULL, NULL};
