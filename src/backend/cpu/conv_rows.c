/* Convolutions without a matrix of windows: conv2d, its gradient for the picture (with strides of 1
 * it is a convolution of dy with the kernel turned round), and conv2d_pool. Parts are bands; see
 * kernels/conv.c for what is computed. */
#include "backend/cpu/conv_bands.h"

#define PACK_ROWS 32        /* from so many rows of results on a packed kernel pays */
#define SPREAD_FLOATS 65536 /* from so many on several threads move them faster */
#define LEAST_ROW 6         /* results side by side, else tiles are too small */

static void pool_rows(
    const kt_conv_job *j, float *rows, int64_t place, int64_t filter, int64_t cols) {
    const int64_t panel = kt_kernels_get()->conv_panel, f = j->w.filters;
    kt_kernels_get()->pool_row(&(kt_pool_row){
        .n = j->places[1],
        .cols = cols,
        .rows = (int)j->pool[0],
        .window = (int)j->pool[1],
        .x = rows,
        .step = panel,
        .ldx = j->places[1] * j->pool[1] * panel,
        .y = j->y + place * f + filter,
        .at = j->at + place * f + filter,
        .ldy = f,
        .relu = j->relu});
}

/* One row of results, one panel of filters, straight into y. */
static void plain_row(const kt_conv_job *j, kt_conv_row *r) {
    const bool strip = j->epilogue != KT_EPI_NONE && j->epilogue != KT_UN_relu;
    r->relu = j->epilogue == KT_UN_relu;
    kt_kernels_get()->conv_row(r);
    for (int64_t i = 0; strip && i < r->n; i++) {
        float *y = r->y + i * r->ldy;
        kt_kernels_get()->unary[j->epilogue](y, y, r->cols);
    }
}

/* One row of results (pooled, if there is a pool), one panel of filters. x: the picture at its
 * first window. */
static void forward_row(
    const kt_conv_job *j, const float *x, int64_t place, int64_t filter, float *rows) {
    const int64_t panel = kt_kernels_get()->conv_panel, f = j->w.filters;
    kt_conv_row r = {
        .n = j->places[1] * j->pool[1],
        .cols = min64(f - filter, panel),
        .runs = j->runs,
        .depth = j->depth,
        .kernel = j->kernel + (j->packed ? j->cells * filter : filter),
        .bias = j->bias ? j->bias + filter : NULL,
        .x_step = j->x_step,
        .run_step = j->run_step,
        .ldk = f,
        .packed = j->packed,
        .x = x,
        .y = j->y + place * f + filter,
        .ldy = f};
    if (!j->at) {
        plain_row(j, &r);
        return;
    }
    r.ldy = panel;
    for (int64_t i = 0; i < j->pool[0]; i++) {
        r.x = x + i * j->w.stride[0] * j->row;
        r.y = rows + i * r.n * panel;
        kt_kernels_get()->conv_row(&r);
    }
    pool_rows(j, rows, place, filter, r.cols);
}

static void forward_part(void *arg, int64_t part, int thread) {
    const kt_conv_job *j = arg;
    const int64_t panel = kt_kernels_get()->conv_panel, panels = ceil_div(j->w.filters, panel);
    const int64_t side = j->filter_parts, units = j->w.n * j->bands * side;
    char *at = kt_conv_lane(j, part);
    float *rows = kt_conv_take(&at, j->at ? j->pool[0] * j->places[1] * j->pool[1] * panel : 0);
    float *copy = kt_conv_take(&at, j->copy ? j->band_floats : 0);
    (void)thread;
    for (int64_t i = units * part / j->parts; i < units * (part + 1) / j->parts; i++) {
        const kt_band b = kt_band_at(j, i / side);
        const int64_t first = panels * (i % side) / side, end = panels * (i % side + 1) / side;
        if (j->copy) kt_band_move(j, j->x, copy, &b, false);
        const float *x = j->copy ? copy : kt_band_in_place(j, j->x, &b);
        for (int64_t filter = first * panel; filter < end * panel; filter += panel) {
            for (int64_t k = 0; k < b.n; k++) {
                const int64_t place = (b.picture * j->places[0] + b.first + k) * j->places[1];
                const float *at_row = x + k * j->pool[0] * j->w.stride[0] * j->row;
                forward_row(j, at_row, place, filter, rows);
            }
        }
    }
}

/* One panel of the packed kernel. */
static void pack_part(void *arg, int64_t part, int thread) {
    const kt_conv_job *j = arg;
    const int64_t panel = kt_kernels_get()->conv_panel, filter = part * panel;
    float *packed = (float *)(void *)j->scratch;
    (void)thread;
    kt_kernels_get()->conv_pack(
        packed + j->cells * filter,
        j->kernel + filter,
        j->w.filters,
        j->cells,
        min64(panel, j->w.filters - filter));
}

static void run_forward(kt_conv_job *j) {
    if (j->packed) {
        const int64_t panels = ceil_div(j->w.filters, kt_kernels_get()->conv_panel);
        if (j->cells * j->w.filters < SPREAD_FLOATS)
            for (int64_t i = 0; i < panels; i++) pack_part(j, i, 0);
        else
            kt_pool_run(pack_part, j, panels);
        j->kernel = (float *)(void *)j->scratch;
    }
    kt_conv_run_parts(j, forward_part, kt_conv_flops(j));
}

/* A tap of the kernel, [channels, filters] of j being [filters, channels] of the forward pass. */
static void turn_tap(void *arg, int64_t tap, int thread) {
    const kt_conv_job *j = arg;
    const int64_t size = j->w.channels * j->w.filters, taps = kt_window_taps(&j->w);
    (void)thread;
    kt_kernels_get()->transpose(
        (float *)(void *)(j->scratch + j->packed_bytes) + (taps - 1 - tap) * size,
        j->kernel + tap * size,
        j->w.filters,
        j->w.channels);
}

static kt_conv_job plan_rows(const kt_window *w, const int *window) {
    static const int none[2] = {1, 1};
    const kt_kernels *kn = kt_kernels_get();
    kt_conv_job j = kt_conv_geometry(w, window ? window : none, 1);
    kt_conv_plan_bands(&j, max64(w->n * j.places[0] / KT_CONV_PARTS, 1));
    const int64_t units = w->n * j.bands, panels = ceil_div(w->filters, kn->conv_panel);
    j.filter_parts = min64(panels, ceil_div(KT_CONV_PARTS, units));
    j.parts = min64(KT_CONV_PARTS, units * j.filter_parts);
    j.packed = w->filters % kn->lanes || w->n * j.places[0] * j.pool[0] >= PACK_ROWS;
    if (j.packed) j.packed_bytes = floats(j.cells * round_up(w->filters, LANES_MOST));
    j.shared_bytes = j.packed_bytes;
    j.lane_bytes = floats(j.copy ? j.band_floats : 0);
    if (window) j.lane_bytes += floats(j.pool[0] * j.places[1] * j.pool[1] * kn->conv_panel);
    return j;
}

static kt_conv_job plan_pool(const kt_node *n) {
    const conv_pool_attrs *a = n->attrs;
    const kt_window w = kt_conv_pool_window(&n->in[0]->spec.shape, &n->in[1]->spec.shape, a);
    kt_conv_job j = plan_rows(&w, a->window);
    j.relu = a->relu;
    return j;
}

/* Rows of impls.def ---------------------------------------------------------------------------- */

static bool pool_supports(const kt_node *n) {
    const conv_pool_attrs *a = n->attrs;
    return val_size(n->out[0]) && kt_conv_fits(n->in[0], &n->in[0]->spec.shape, &a->conv);
}

static size_t pool_scratch(const kt_node *n) {
    const kt_conv_job j = plan_pool(n);
    return kt_conv_scratch(&j);
}
static kt_status pool_prepare(kt_graph *g, const kt_node *n, void **state) {
    return kt_conv_keep(g, plan_pool(n), state);
}
static kt_status pool_run(const kt_kargs *k) {
    kt_conv_job j = *(const kt_conv_job *)k->state;
    j.scratch = k->scratch;
    j.x = k->in[0];
    j.kernel = k->in[1];
    j.bias = k->node->n_in > 2 ? k->in[2] : NULL;
    j.y = k->out[0];
    j.at = k->out[1];
    run_forward(&j);
    return KT_OK;
}
const kt_impl impl_conv2d_pool_bands = {
    "conv2d_pool", "bands", pool_supports, pool_run, pool_scratch, pool_prepare};

/* A single row of cells in the kernel, or one for the whole picture, is a product as it is. */
static bool rows_pay(const kt_window *w) {
    return w->out[1] >= LEAST_ROW && w->size[0] * w->size[1] > 1;
}

static bool forward_supports(const kt_node *n) {
    const kt_window w = kt_conv_window(
        &n->in[0]->spec.shape, &n->in[1]->spec.shape, &n->out[0]->spec.shape, n->attrs);
    return val_size(n->out[0]) && kt_conv_fits(n->in[0], &n->in[0]->spec.shape, n->attrs) &&
           rows_pay(&w);
}
static kt_conv_job plan_forward(const kt_node *n) {
    const kt_window w = kt_conv_window(
        &n->in[0]->spec.shape, &n->in[1]->spec.shape, &n->out[0]->spec.shape, n->attrs);
    kt_conv_job j = plan_rows(&w, NULL);
    j.epilogue = ((const conv_attrs *)n->attrs)->epilogue - 1;
    return j;
}
static size_t forward_scratch(const kt_node *n) {
    const kt_conv_job j = plan_forward(n);
    return kt_conv_scratch(&j);
}
static kt_status forward_prepare(kt_graph *g, const kt_node *n, void **state) {
    return kt_conv_keep(g, plan_forward(n), state);
}
static kt_status forward_run(const kt_kargs *k) {
    kt_conv_job j = *(const kt_conv_job *)k->state;
    j.scratch = k->scratch;
    j.x = k->in[0];
    j.kernel = k->in[1];
    j.bias = k->node->n_in > 2 ? k->in[2] : NULL;
    j.y = k->out[0];
    run_forward(&j);
    return KT_OK;
}
const kt_impl impl_conv2d_rows = {
    "conv2d", "rows", forward_supports, forward_run, forward_scratch, forward_prepare};

/* The convolution that gives dx: of dy, with the kernel turned round. */
static kt_window turned_window(const kt_node *n) {
    const kt_window f = kt_conv_window(
        &n->out[0]->spec.shape, &n->in[1]->spec.shape, &n->in[0]->spec.shape, n->attrs);
    kt_window w = {.n = f.n, .channels = f.filters, .filters = f.channels, .groups = 1};
    for (int i = 0; i < 2; i++) {
        w.in[i] = f.out[i];
        w.out[i] = f.in[i];
        w.size[i] = f.size[i];
        w.stride[i] = 1;
        w.dilation[i] = f.dilation[i];
        w.before[i] = (f.size[i] - 1) * f.dilation[i] - f.before[i];
    }
    return w;
}

static bool turned_supports(const kt_node *n) {
    const conv_attrs *a = n->attrs;
    const kt_window w = turned_window(n);
    return val_size(n->in[0]) && val_size(n->out[0]) && a->stride[0] == 1 && a->stride[1] == 1 &&
           w.before[0] >= 0 && w.before[1] >= 0 && w.filters * 2 >= kt_kernels_get()->lanes &&
           kt_conv_fits(n->in[0], &n->out[0]->spec.shape, a) && rows_pay(&w);
}
static kt_conv_job plan_turned(const kt_node *n) {
    const kt_window w = turned_window(n);
    kt_conv_job j = plan_rows(&w, NULL);
    j.shared_bytes += floats(j.cells * w.filters);
    return j;
}
static size_t turned_scratch(const kt_node *n) {
    const kt_conv_job j = plan_turned(n);
    return kt_conv_scratch(&j);
}
static kt_status turned_prepare(kt_graph *g, const kt_node *n, void **state) {
    return kt_conv_keep(g, plan_turned(n), state);
}
static kt_status turned_run(const kt_kargs *k) {
    kt_conv_job j = *(const kt_conv_job *)k->state;
    j.scratch = k->scratch;
    j.x = k->in[0];
    j.kernel = k->in[1];
    j.y = k->out[0];
    const int64_t taps = kt_window_taps(&j.w);
    if (j.cells * j.w.filters < SPREAD_FLOATS)
        for (int64_t i = 0; i < taps; i++) turn_tap(&j, i, 0);
    else
        kt_pool_run(turn_tap, &j, taps);
    j.kernel = (float *)(void *)(j.scratch + j.packed_bytes);
    run_forward(&j);
    return KT_OK;
}
const kt_impl impl_conv2d_grad_input_rows = {
    "conv2d_grad_input", "rows", turned_supports, turned_run, turned_scratch, turned_prepare};
