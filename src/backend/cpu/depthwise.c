/* conv2d and its gradients where every channel is a group of its own: nothing to multiply as
 * matrices, so the kernels go over places with vectors of channels.
 *
 * One axis at a time: along each, a place of the result meets the taps first, first + step, … of
 * the kernel, which lie apart by a fixed distance in the other array. That holds for a convolution
 * (the taps that lie on the picture) and for its gradient (the places whose window covers a cell),
 * so one kernel does both. Places with the same taps follow one another in one call. */
#include "backend/cpu/impls.h"
#include "ir/window.h"

#include <string.h>

#define PARTS 8

/** Along one axis: the taps that meet at one position, and where the first of them lies. */
typedef struct {
    int64_t tap, n;      ///< first tap, how many
    int64_t tap_step;    ///< from tap to tap
    int64_t at, at_step; ///< position in the other array of the first, and from tap to tap
} meeting;

/* How far the kernel starts before the picture counts as taps that are left out. */
static meeting meet_forward(const kt_window *w, int axis, int64_t place) {
    const int64_t from = place * w->stride[axis] - w->before[axis], d = w->dilation[axis];
    const int64_t first = from < 0 ? (-from + d - 1) / d : 0;
    const int64_t room = w->in[axis] - 1 - from; /* the last cell, from the first tap on */
    const int64_t last = room < 0 ? -1 : room / d;
    const int64_t end = last < w->size[axis] - 1 ? last + 1 : w->size[axis];
    return (meeting){first, end > first ? end - first : 0, 1, from + first * d, d};
}

/* Taps t for which (cell + before - t dilation) is a multiple of the stride, at a place. They are
 * stride / gcd(stride, dilation) apart. */
static meeting meet_backward(const kt_window *w, int axis, int64_t cell) {
    const int64_t s = w->stride[axis], d = w->dilation[axis], p = cell + w->before[axis];
    int64_t step = d == 1 ? s : 1, first = d == 1 && p > 0 ? p % s : 0, end = w->size[axis];
    while (step * d % s) step++;
    if (end > step) end = step;
    while (first < end && ((p - first * d) % s || p - first * d < 0)) first++;
    meeting m = {first, 0, step, 0, -(step * d / s)};
    if (first >= end) return m;
    int64_t place = (p - first * d) / s;
    while (place >= w->out[axis]) place += m.at_step, m.tap += step; /* beyond the last window */
    m.at = place;
    for (int64_t t = m.tap; t < w->size[axis] && place >= 0; t += step, place += m.at_step) m.n++;
    return m;
}

typedef meeting meet_fn(const kt_window *w, int axis, int64_t at);

/* Positions first, first + stride, … of a row that meet the same taps: n of them, and how far what
 * they meet moves from one to the next. */
typedef struct {
    int64_t first, n, next;
    meeting m;
} run;

#define MAX_RUNS 64

typedef struct {
    kt_window w;
    meet_fn *meet;
    int64_t from[2], to[2]; ///< sizes of what is read and what is written
    int64_t stride;         ///< positions of a row that follow one another are this far apart
    const float *x, *kernel, *bias;
    float *y;
    int epilogue;
    run runs[MAX_RUNS]; ///< those of every row; none: too many to keep
    int n_runs;
} depth_job;

static run run_from(const depth_job *j, int64_t first) {
    run r = {first, 1, 0, j->meet(&j->w, 1, first)};
    for (int64_t x = first + j->stride; x < j->to[1]; x += j->stride, r.n++) {
        const meeting o = j->meet(&j->w, 1, x);
        if (o.tap != r.m.tap || o.n != r.m.n) break;
        if (r.n == 1) r.next = o.at - r.m.at;
    }
    return r;
}

/* The first run, or the one behind r; n is 0 behind the last. The phases of the stride come one
 * after the other. */
static run next_run(const depth_job *j, const run *r) {
    int64_t at = r ? r->first + r->n * j->stride : 0;
    if (r && at >= j->to[1]) {
        at = r->first % j->stride + 1;
        if (at == j->stride) return (run){0, 0, 0, {0}};
    }
    return at < j->to[1] ? run_from(j, at) : (run){0, 0, 0, {0}};
}

static void depth_run(
    const depth_job *j, const float *x, float *y, const meeting *row, const run *r) {
    const int64_t c = j->w.channels;
    const kt_depth d = {
        .n = c,
        .places = r->n,
        .rows = r->m.n ? row->n : 0,
        .cols = r->m.n,
        .x_row = row->at_step * j->from[1] * c,
        .x_col = r->m.at_step * c,
        .k_row = row->tap_step * j->w.size[1] * c,
        .k_col = r->m.tap_step * c,
        .x_step = r->next * c,
        .y_step = j->stride * c,
        .bias = j->bias,
    };
    const int64_t at = d.rows ? (row->at * j->from[1] + r->m.at) * c : 0;
    const int64_t tap = d.rows ? (row->tap * j->w.size[1] + r->m.tap) * c : 0;
    kt_kernels_get()->depth_row(y + r->first * c, x + at, j->kernel + tap, &d);
}

/* One row of what is written. */
static kt_status depth_rows(void *arg, int64_t first, int64_t n) {
    const depth_job *j = arg;
    const int64_t c = j->w.channels;
    for (int64_t i = first; i < first + n; i++) {
        const meeting row = j->meet(&j->w, 0, i % j->to[0]);
        const float *x = j->x + i / j->to[0] * j->from[0] * j->from[1] * c;
        float *y = j->y + i * j->to[1] * c;
        for (int k = 0; k < j->n_runs; k++) depth_run(j, x, y, &row, &j->runs[k]);
        if (!j->n_runs)
            for (run r = next_run(j, NULL); r.n; r = next_run(j, &r)) depth_run(j, x, y, &row, &r);
        if (j->epilogue >= 0) kt_kernels_get()->unary[j->epilogue](y, y, j->to[1] * c);
    }
    return KT_OK;
}

static kt_status depth_start(depth_job *j) {
    const double taps = (double)(j->w.size[0] * j->w.size[1]);
    const double cost = (double)(j->to[1] * j->w.channels) * (0.2 + 0.03 * taps);
    const int64_t piece = 1 + (int64_t)(8000 / (cost + 1));
    for (run r = next_run(j, NULL); r.n; r = next_run(j, &r)) {
        if (j->n_runs == MAX_RUNS) {
            j->n_runs = 0;
            break;
        }
        j->runs[j->n_runs++] = r;
    }
    return kt_cpu_range(depth_rows, j, j->w.n * j->to[0], piece, cost);
}

/* Rows of impls.def ---------------------------------------------------------------------------- */

/* One input channel and one filter for each group, and enough of them for vectors. */
static bool is_depthwise(const kt_node *n, const kt_shape *x, const kt_shape *kernel) {
    const conv_attrs *a = n->attrs;
    return is_f32(n->in[0]) && a->groups == x->dim[3] && kernel->dim[3] == x->dim[3] &&
           x->dim[3] > 1 && val_size(n->in[0]) && val_size(n->in[1]) && val_size(n->out[0]);
}

static bool forward_supports(const kt_node *n) {
    return is_depthwise(n, &n->in[0]->spec.shape, &n->in[1]->spec.shape);
}

static kt_status forward_run(const kt_kargs *k) {
    const kt_node *n = k->node;
    const conv_attrs *a = n->attrs;
    const kt_window w = kt_conv_window(
        &n->in[0]->spec.shape, &n->in[1]->spec.shape, &n->out[0]->spec.shape, a);
    depth_job j = {
        .w = w,
        .meet = meet_forward,
        .from = {w.in[0], w.in[1]},
        .to = {w.out[0], w.out[1]},
        .stride = 1,
        .x = k->in[0],
        .kernel = k->in[1],
        .bias = a->bias ? k->in[2] : NULL,
        .y = k->out[0],
        .epilogue = a->epilogue - 1,
    };
    return depth_start(&j);
}
const kt_impl impl_conv2d_depthwise = {
    "conv2d", "depthwise", forward_supports, forward_run, NULL, NULL};

static bool input_supports(const kt_node *n) {
    return is_depthwise(n, &n->out[0]->spec.shape, &n->in[1]->spec.shape);
}

static kt_status input_run(const kt_kargs *k) {
    const kt_node *n = k->node;
    const kt_window w = kt_conv_window(
        &n->out[0]->spec.shape, &n->in[1]->spec.shape, &n->in[0]->spec.shape, n->attrs);
    depth_job j = {
        .w = w,
        .meet = meet_backward,
        .from = {w.out[0], w.out[1]},
        .to = {w.in[0], w.in[1]},
        .stride = w.stride[1],
        .x = k->in[0],
        .kernel = k->in[1],
        .y = k->out[0],
        .epilogue = -1,
    };
    return depth_start(&j);
}
const kt_impl impl_conv2d_grad_input_depthwise = {
    "conv2d_grad_input", "depthwise", input_supports, input_run, NULL, NULL};

/* Gradient of the kernel: parts of pictures with a sum of their own each, added in order. */
typedef struct {
    kt_window w;
    const float *x, *dy;
    float *dk, *partial;
    int64_t parts, size;
} kernel_job;

/* The places of a row that tap t of the kernel's columns sees on the picture. */
static void places_of(const kt_window *w, int64_t t, int64_t *first, int64_t *n) {
    const int64_t s = w->stride[1], shift = t * w->dilation[1] - w->before[1];
    *first = shift < 0 ? (-shift + s - 1) / s : 0;
    const int64_t room = w->in[1] - 1 - shift;
    const int64_t end = room < 0 ? 0 : room / s + 1;
    *n = (end < w->out[1] ? end : w->out[1]) - *first;
}

/* The columns of the kernel that see the same places go together. */
static void kernel_row(const kernel_job *j, const float *x, const float *dy, float *dk) {
    const kt_window *w = &j->w;
    const int64_t c = w->channels;
    for (int64_t t = 0, same; t < w->size[1]; t += same) {
        int64_t first, n, f, m;
        places_of(w, t, &first, &n);
        for (same = 1; t + same < w->size[1]; same++) {
            places_of(w, t + same, &f, &m);
            if (f != first || m != n) break;
        }
        if (n <= 0) continue;
        const int64_t cell = first * w->stride[1] + t * w->dilation[1] - w->before[1];
        const kt_depth d = {
            .n = c,
            .places = n,
            .cols = same,
            .x_col = w->dilation[1] * c,
            .k_col = c,
            .x_step = w->stride[1] * c,
            .y_step = c};
        kt_kernels_get()->depth_kernel(dk + t * c, x + cell * c, dy + first * c, &d);
    }
}

static void kernel_part(void *arg, int64_t part, int thread) {
    const kernel_job *j = arg;
    const kt_window *w = &j->w;
    const int64_t c = w->channels, rows = w->n * w->out[0];
    float *dk = part ? j->partial + (part - 1) * j->size : j->dk;
    (void)thread;
    memset(dk, 0, (size_t)j->size * sizeof *dk);
    for (int64_t i = rows * part / j->parts; i < rows * (part + 1) / j->parts; i++) {
        const meeting m = meet_forward(w, 0, i % w->out[0]);
        const float *dy = j->dy + i * w->out[1] * c;
        for (int64_t r = 0; r < m.n; r++) {
            const int64_t line = i / w->out[0] * w->in[0] + m.at + r * m.at_step;
            kernel_row(j, j->x + line * w->in[1] * c, dy, dk + (m.tap + r) * w->size[1] * c);
        }
    }
}

static kernel_job kernel_plan(const kt_node *n) {
    kernel_job j = {
        .w = kt_conv_window(
            &n->in[0]->spec.shape, &n->out[0]->spec.shape, &n->in[1]->spec.shape, n->attrs)};
    const int64_t rows = j.w.n * j.w.out[0];
    j.size = val_size(n->out[0]);
    j.parts = rows < PARTS ? rows : PARTS;
    return j;
}

static bool kernel_supports(const kt_node *n) {
    return is_depthwise(n, &n->in[0]->spec.shape, &n->out[0]->spec.shape);
}

static size_t kernel_scratch(const kt_node *n) {
    const kernel_job j = kernel_plan(n);
    return (size_t)((j.parts - 1) * j.size) * sizeof(float);
}

static kt_status kernel_run(const kt_kargs *k) {
    kernel_job j = kernel_plan(k->node);
    j.x = k->in[0];
    j.dy = k->in[1];
    j.dk = k->out[0];
    j.partial = k->scratch;
    if (val_size(k->node->in[1]) * kt_window_taps(&j.w) < 200000)
        for (int64_t part = 0; part < j.parts; part++) kernel_part(&j, part, 0);
    else
        kt_pool_run(kernel_part, &j, j.parts);
    for (int64_t part = 1; part < j.parts; part++)
        kt_kernels_get()->binary[KT_BIN_add](j.dk, j.dk, j.partial + (part - 1) * j.size, j.size);
    return KT_OK;
}
const kt_impl impl_conv2d_grad_kernel_depthwise = {
    "conv2d_grad_kernel", "depthwise", kernel_supports, kernel_run, kernel_scratch, NULL};
