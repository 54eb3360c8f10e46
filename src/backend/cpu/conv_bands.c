/* Convolutions without a matrix of windows: conv2d, its gradient for the picture (with strides of 1
 * it is a convolution of dy with the kernel turned round), conv2d_pool and its gradients. See
 * kernels/conv.c and kernels/conv_sparse.c for what is computed.
 *
 * Pictures are worked on in bands of pooled rows. Where a window reaches over the edge of the
 * picture, or vectors would, a band is copied into scratch with zeros around it; else the picture
 * is used where it lies.
 *
 * Work is cut into at most PARTS parts by shapes alone, each with scratch of its own, so results do
 * not depend on the number of threads. Parts of y are bands. Parts of dx are whole pictures (bands
 * overlap). Parts of dk are pictures, each with a dk of its own while those are small (they are
 * added in order), else filters. */
#include "backend/cpu/impls.h"
#include "ir/window.h"

#include <string.h>

#define PARTS 8
#define LANES_MOST 16
#define BAND_FLOATS 32768      /* of a copied band */
#define LIST_ENTRIES 16384     /* of all lists of a band */
#define PARTIAL_FLOATS 262144  /* for all dk of parts together */
#define PARALLEL_FLOPS 2000000 /* below, other threads cost more than they bring */
#define PACK_ROWS 32           /* from so many rows of results on a packed kernel pays */
#define ALIAS 512              /* rows so many floats apart get into each other's way in a cache */
#define LEAST_ROW 6            /* results side by side, else tiles are too small */
#define SPARSE_FLOATS 16384    /* of the part of a picture that lists of a band reach */

typedef struct {
    kt_window w;
    int64_t pool[2], places[2];    /* windows of the pool */
    int taps;                      /* cells of one */
    bool relu;                     /* before the pool */
    int epilogue;                  /* without a pool: KT_UN_…, KT_EPI_NONE */
    int64_t depth, runs, cells;    /* of the kernel: floats in a run, runs, all of them */
    bool copy;                     /* bands of x are copied */
    int64_t need;                  /* cells of a copied row */
    int64_t row, x_step, run_step; /* floats of x, or of its copy */
    int64_t band, bands;           /* pooled rows of a band, bands of a picture */
    int64_t band_floats;
    int64_t parts, filter_parts; /* parts in all; of them side by side over the filters */
    int64_t run_floats;          /* of a run filled up to whole vectors */
    bool few;                    /* vectors go over filters */
    bool patch;                  /* see kt_patch_kernels */
    bool packed;
    size_t shared_bytes, lane_bytes; /* of scratch: before the lanes, of each */
    size_t packed_bytes;             /* of shared_bytes: the packed kernel */
    float *x, *kernel, *y, *bias;    /* or their gradients */
    uint8_t *at;                     /* NULL: no pool */
    int32_t *start, *cell, tap[256]; /* see kt_sparse_lists and kt_few */
    char *scratch;
} pool_job;

static int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t max64(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t round_up(int64_t n, int64_t to) { return ceil_div(n, to) * to; }
static size_t floats(int64_t n) { return (size_t)round_up(n, 16) * sizeof(float); }

/* Bands ---------------------------------------------------------------------------------------- */

typedef struct {
    int64_t picture, first, n; /* pooled rows */
} band;

static band band_at(const pool_job *j, int64_t i) {
    const int64_t k = i % j->bands;
    const int64_t first = j->places[0] * k / j->bands;
    return (band){i / j->bands, first, j->places[0] * (k + 1) / j->bands - first};
}

static int64_t band_rows(const pool_job *j, int64_t pooled) {
    return (pooled * j->pool[0] - 1) * j->w.stride[0] + (j->runs - 1) * j->w.dilation[0] + 1;
}

/* The picture at the first window of a band; only where nothing is copied. */
static float *band_in_place(const pool_job *j, float *x, const band *b) {
    const int64_t y = b->first * j->pool[0] * j->w.stride[0];
    return x + (b->picture * j->w.in[0] + y) * j->row;
}

/* Moves the rows of a band between x and its copy: into the copy with zeros around, or added to
 * x. */
static void move_band(const pool_job *j, float *x, float *copy, const band *b, bool add) {
    const kt_window *w = &j->w;
    const int64_t c = w->channels, rows = band_rows(j, b->n);
    const int64_t low = w->before[1] * c, n = min64(w->in[1], j->need - w->before[1]) * c;
    const int64_t y0 = b->first * j->pool[0] * w->stride[0] - w->before[0];
    for (int64_t i = 0; i < rows; i++, copy += j->row) {
        const int64_t y = y0 + i;
        float *line = x + (b->picture * w->in[0] + y) * w->in[1] * c;
        const bool inside = y >= 0 && y < w->in[0];
        if (add && inside) {
            kt_kernels_get()->binary[KT_BIN_add](line, line, copy + low, n);
        } else if (!add) {
            memset(copy, 0, (size_t)j->row * sizeof *copy);
            if (inside) memcpy(copy + low, line, (size_t)n * sizeof *copy);
        }
    }
}

static char *lane(const pool_job *j, int64_t part) {
    return j->scratch + j->shared_bytes + j->lane_bytes * (size_t)part;
}

/* Takes n floats from a lane. */
static float *take(char **from, int64_t n) {
    float *p = (float *)(void *)*from;
    *from += floats(n);
    return p;
}

static void run_parts(pool_job *j, kt_pool_fn *fn, double flops) {
    if (flops < PARALLEL_FLOPS)
        for (int64_t part = 0; part < j->parts; part++) fn(j, part, 0);
    else
        kt_pool_run(fn, j, j->parts);
}

static double conv_flops(const pool_job *j) {
    const double places = (double)(j->w.n * j->places[0] * j->places[1] * j->taps);
    return 2.0 * places * (double)j->cells * (double)j->w.filters;
}

/* Forward -------------------------------------------------------------------------------------- */

static void pool_rows(const pool_job *j, float *rows, int64_t place, int64_t filter, int64_t cols) {
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
static void plain_row(const pool_job *j, kt_conv_row *r) {
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
    const pool_job *j, const float *x, int64_t place, int64_t filter, float *rows) {
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
    const pool_job *j = arg;
    const int64_t units = j->w.n * j->bands, panel = kt_kernels_get()->conv_panel;
    char *at = lane(j, part);
    float *rows = take(&at, j->at ? j->pool[0] * j->places[1] * j->pool[1] * panel : 0);
    float *copy = take(&at, j->copy ? j->band_floats : 0);
    (void)thread;
    for (int64_t i = units * part / j->parts; i < units * (part + 1) / j->parts; i++) {
        const band b = band_at(j, i);
        if (j->copy) move_band(j, j->x, copy, &b, false);
        const float *x = j->copy ? copy : band_in_place(j, j->x, &b);
        for (int64_t filter = 0; filter < j->w.filters; filter += panel) {
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
    const pool_job *j = arg;
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

#define SPREAD_FLOATS 65536 /* from so many on several threads move them faster */

static void run_forward(pool_job *j) {
    if (j->packed) {
        const int64_t panels = ceil_div(j->w.filters, kt_kernels_get()->conv_panel);
        if (j->cells * j->w.filters < SPREAD_FLOATS)
            for (int64_t i = 0; i < panels; i++) pack_part(j, i, 0);
        else
            kt_pool_run(pack_part, j, panels);
        j->kernel = (float *)(void *)j->scratch;
    }
    run_parts(j, forward_part, conv_flops(j));
}

/* A tap of the kernel, [channels, filters] of j being [filters, channels] of the forward pass. */
static void turn_tap(void *arg, int64_t tap, int thread) {
    const pool_job *j = arg;
    const int64_t size = j->w.channels * j->w.filters, taps = kt_window_taps(&j->w);
    (void)thread;
    kt_kernels_get()->transpose(
        (float *)(void *)(j->scratch + j->packed_bytes) + (taps - 1 - tap) * size,
        j->kernel + tap * size,
        j->w.filters,
        j->w.channels);
}

/* Backward ------------------------------------------------------------------------------------- */

typedef struct {
    float *value;
    int32_t *place;
    int64_t *count;
    int64_t room;
} lists;

static int64_t lists_floats(const pool_job *j, int64_t filters) {
    const int64_t room = j->band * j->places[1] + LANES_MOST;
    return round_up(2 * room * filters, 16) + 2 * round_up(max64(filters, 4 * room), 16);
}

static lists take_lists(const pool_job *j, char **from, int64_t filters) {
    lists l = {.room = j->band * j->places[1] + LANES_MOST};
    float *all = take(from, lists_floats(j, filters));
    l.value = all;
    l.place = (int32_t *)(void *)(all + l.room * filters);
    l.count = (int64_t *)(void *)(all + round_up(2 * l.room * filters, 16));
    return l;
}

static kt_sparse_lists lists_of(
    const pool_job *j, const lists *l, const band *b, int64_t filter, int64_t filters) {
    const int64_t from = (b->picture * j->places[0] + b->first) * j->places[1] * j->w.filters;
    return (kt_sparse_lists){
        .n = b->n * j->places[1],
        .filters = filters,
        .ld = j->w.filters,
        .dy = j->y + from + filter,
        .at = j->at + from + filter,
        .start = j->start,
        .tap = j->tap,
        .taps = j->taps,
        .value = l->value,
        .place = l->place,
        .room = l->room,
        .count = l->count};
}

static kt_sparse list_of(const pool_job *j, const lists *l, int64_t filter, float *x) {
    return (kt_sparse){
        .n = l->count[filter],
        .value = l->value + filter * l->room,
        .place = l->place + filter * l->room,
        .x = x,
        .runs = j->runs,
        .depth = j->depth,
        .run_step = j->run_step};
}

/* [runs][depth, filters] -> [filters][runs][run_floats] */
static void turn_kernel(const pool_job *j, float *to, float *strip) {
    const int64_t f = j->w.filters;
    if (j->run_floats == j->depth) {
        kt_kernels_get()->transpose(to, j->kernel, j->cells, f);
        return;
    }
    memset(to, 0, (size_t)(f * j->runs * j->run_floats) * sizeof *to);
    for (int64_t run = 0; run < j->runs; run++) {
        kt_kernels_get()->transpose(strip, j->kernel + run * j->depth * f, j->depth, f);
        for (int64_t i = 0; i < f; i++)
            memcpy(
                to + (i * j->runs + run) * j->run_floats,
                strip + i * j->depth,
                (size_t)j->depth * sizeof *to);
    }
}

static void input_part(void *arg, int64_t part, int thread) {
    const pool_job *j = arg;
    const int64_t picture = j->w.in[0] * j->w.in[1] * j->w.channels, f = j->w.filters;
    const int64_t first = j->w.n * part / j->parts, end = j->w.n * (part + 1) / j->parts;
    const float *turned = (const float *)(const void *)j->scratch;
    char *at = lane(j, part);
    const lists l = take_lists(j, &at, f);
    float *copy = take(&at, j->copy ? j->band_floats : 0);
    (void)thread;
    memset(j->x + first * picture, 0, (size_t)((end - first) * picture) * sizeof(float));
    for (int64_t i = first * j->bands; i < end * j->bands; i++) {
        const band b = band_at(j, i);
        float *dx = j->copy ? copy : band_in_place(j, j->x, &b);
        if (j->copy) memset(copy, 0, (size_t)j->band_floats * sizeof *copy);
        const kt_sparse_lists all = lists_of(j, &l, &b, 0, f);
        if (j->patch) {
            kt_kernels_get()->patch->input(turned, dx, j->row, j->w.channels, &all);
        } else {
            kt_kernels_get()->sparse_lists(&all);
            for (int64_t k = 0; k < f; k++) {
                const kt_sparse s = list_of(j, &l, k, dx);
                if (s.n) kt_kernels_get()->sparse_input(turned + k * j->runs * j->run_floats, &s);
            }
        }
        if (j->copy) move_band(j, j->x, copy, &b, true);
    }
}

/* dk of a part: [filters][runs][run_floats], or [cells][filters] where channels are few; then the
 * sums for the bias. */
static int64_t partial_floats(const pool_job *j) {
    const int64_t f = round_up(j->w.filters, 2 * LANES_MOST);
    return (j->few ? j->cells : j->runs * j->run_floats) * f + f;
}

static float *partial(const pool_job *j, int64_t picture_part) {
    return (float *)(void *)(j->scratch + floats(partial_floats(j)) * (size_t)picture_part);
}

static kt_few few_of(const pool_job *j, const band *b, float *x) {
    const int64_t from = (b->picture * j->places[0] + b->first) * j->places[1] * j->w.filters;
    return (kt_few){
        .n = b->n * j->places[1],
        .filters = j->w.filters,
        .ld = j->w.filters,
        .cells = j->cells,
        .x = x,
        .dy = j->y + from,
        .at = j->at + from,
        .start = j->start,
        .tap = j->tap,
        .cell = j->cell,
        .taps = j->taps,
        .ldk = round_up(j->w.filters, 2 * LANES_MOST)};
}

static void kernel_part(void *arg, int64_t part, int thread) {
    const pool_job *j = arg;
    const int64_t pictures = j->parts / j->filter_parts, p = part % pictures;
    const int64_t f0 = j->w.filters * (part / pictures) / j->filter_parts;
    const int64_t f1 = j->w.filters * (part / pictures + 1) / j->filter_parts;
    const int64_t first = j->w.n * p / pictures, end = j->w.n * (p + 1) / pictures;
    const int64_t size = j->few ? partial_floats(j) : j->runs * j->run_floats;
    float *dk = partial(j, p), *dbias = dk + partial_floats(j) - round_up(j->w.filters, 32);
    char *at = lane(j, part);
    float *copy = take(&at, j->copy ? j->band_floats : 0);
    const lists l = j->few ? (lists){0} : take_lists(j, &at, f1 - f0);
    (void)thread;
    memset(dk + (j->few ? 0 : f0 * size), 0, (size_t)(j->few ? size : (f1 - f0) * size) * 4);
    memset(dbias + f0, 0, (size_t)(f1 - f0) * sizeof *dbias);
    for (int64_t i = first * j->bands; i < end * j->bands; i++) {
        const band b = band_at(j, i);
        if (j->copy) move_band(j, j->x, copy, &b, false);
        float *x = j->copy ? copy : band_in_place(j, j->x, &b);
        kt_few few = few_of(j, &b, x);
        if (j->few) kt_kernels_get()->few_kernel(dk, &few);
        few.filters = f1 - f0;
        few.dy += f0;
        few.at += f0;
        kt_kernels_get()->few_bias(dbias + f0, &few);
        if (j->few) continue;
        const kt_sparse_lists all = lists_of(j, &l, &b, f0, f1 - f0);
        kt_kernels_get()->sparse_lists(&all);
        for (int64_t k = f0; k < f1; k++) {
            const kt_sparse s = list_of(j, &l, k - f0, x);
            if (s.n) kt_kernels_get()->sparse_kernel(dk + k * size, &s);
        }
    }
}

/* [filters][runs][run_floats] -> [runs * depth][filters] */
static void turn_back(const pool_job *j, float *from, float *strip) {
    const int64_t f = j->w.filters;
    if (j->run_floats == j->depth) {
        kt_kernels_get()->transpose(j->kernel, from, f, j->cells);
        return;
    }
    for (int64_t run = 0; run < j->runs; run++) {
        for (int64_t i = 0; i < f; i++)
            memcpy(
                strip + i * j->depth,
                from + (i * j->runs + run) * j->run_floats,
                (size_t)j->depth * sizeof *strip);
        kt_kernels_get()->transpose(j->kernel + run * j->depth * f, strip, f, j->depth);
    }
}

static void finish_kernel(const pool_job *j) {
    const int64_t n = partial_floats(j), f = j->w.filters, padded = round_up(f, 32);
    float *sum = partial(j, 0);
    for (int64_t p = 1; p < j->parts / j->filter_parts; p++)
        kt_kernels_get()->binary[KT_BIN_add](sum, sum, partial(j, p), n);
    memcpy(j->bias, sum + n - padded, (size_t)f * sizeof *sum);
    if (!j->few)
        turn_back(j, sum, (float *)(void *)lane(j, 0));
    else
        for (int64_t i = 0; i < j->cells; i++)
            memcpy(j->kernel + i * f, sum + i * padded, (size_t)f * sizeof *sum);
}

/* Plan ----------------------------------------------------------------------------------------- */

static pool_job geometry(const kt_window *w, const int *window, int64_t vector) {
    pool_job j = {.w = *w, .filter_parts = 1, .epilogue = KT_EPI_NONE};
    int64_t need[2];
    for (int i = 0; i < 2; i++) {
        j.pool[i] = window[i];
        j.places[i] = w->out[i] / window[i];
        const int64_t places = j.places[i] * j.pool[i];
        need[i] = (places - 1) * w->stride[i] + (w->size[i] - 1) * w->dilation[i] + 1;
        j.copy = j.copy || w->before[i] || need[i] > w->in[i];
    }
    j.taps = window[0] * window[1];
    j.depth = w->size[1] * w->channels;
    j.runs = w->size[0];
    j.cells = j.runs * j.depth;
    j.run_floats = round_up(j.depth, vector);
    j.copy = j.copy || j.run_floats != j.depth;
    j.need = need[1];
    j.row = (j.copy ? need[1] : w->in[1]) * w->channels;
    if (j.copy && j.row % ALIAS == 0) j.row += LANES_MOST;
    j.x_step = w->stride[1] * w->channels;
    j.run_step = w->dilation[0] * j.row;
    return j;
}

/* Bands of at most `most` pooled rows and not much more than BAND_FLOATS, if they are copied. */
static void plan_bands(pool_job *j, int64_t most) {
    const int64_t pooled = j->pool[0] * j->w.stride[0] * j->row;
    if (j->copy) most = min64(most, BAND_FLOATS / pooled);
    j->bands = ceil_div(j->places[0], min64(max64(most, 1), j->places[0]));
    j->band = ceil_div(j->places[0], j->bands);
    j->band_floats = band_rows(j, j->band) * j->row + 2 * LANES_MOST;
}

/* Lists of a band, and what they reach, stay in a cache. */
static void plan_sparse(pool_job *j) {
    const int64_t pooled = j->pool[0] * j->w.stride[0] * j->row;
    plan_bands(j, min64(LIST_ENTRIES / (j->w.filters * j->places[1]), SPARSE_FLOATS / pooled));
}

static pool_job plan_rows(const kt_window *w, const int *window) {
    static const int none[2] = {1, 1};
    const kt_kernels *kn = kt_kernels_get();
    pool_job j = geometry(w, window ? window : none, 1);
    plan_bands(&j, max64(w->n * j.places[0] / PARTS, 1));
    j.parts = min64(PARTS, w->n * j.bands);
    j.packed = w->filters % kn->lanes || w->n * j.places[0] * j.pool[0] >= PACK_ROWS;
    if (j.packed) j.packed_bytes = floats(j.cells * round_up(w->filters, LANES_MOST));
    j.shared_bytes = j.packed_bytes;
    j.lane_bytes = floats(j.copy ? j.band_floats : 0);
    if (window) j.lane_bytes += floats(j.pool[0] * j.places[1] * j.pool[1] * kn->conv_panel);
    return j;
}

static pool_job plan_pool(const kt_node *n) {
    const conv_pool_attrs *a = n->attrs;
    const kt_window w = kt_conv_pool_window(&n->in[0]->spec.shape, &n->in[1]->spec.shape, a);
    pool_job j = plan_rows(&w, a->window);
    j.relu = a->relu;
    return j;
}

static bool is_patch(const pool_job *j) {
    bool fits = kt_kernels_get()->patch->input && j->w.channels % kt_kernels_get()->lanes == 0;
    for (int i = 0; i < 2; i++)
        fits = fits && j->w.size[i] == 3 && j->pool[i] == 2 && j->w.stride[i] == 1 &&
               j->w.dilation[i] == 1;
    return fits;
}

static pool_job plan_input(const kt_node *n) {
    const conv_pool_attrs *a = n->attrs;
    const kt_window w = kt_conv_pool_window(&a->conv.shape, &n->in[2]->spec.shape, a);
    pool_job j = geometry(&w, a->window, kt_kernels_get()->lanes);
    const int64_t f = j.w.filters;
    plan_sparse(&j);
    j.parts = min64(PARTS, j.w.n);
    j.patch = is_patch(&j);
    j.shared_bytes = floats(f * j.runs * j.run_floats);
    j.lane_bytes = floats(lists_floats(&j, f)) + floats(j.copy ? j.band_floats : 0);
    j.lane_bytes = (size_t)max64((int64_t)j.lane_bytes, (int64_t)floats(f * j.depth));
    return j;
}

static pool_job plan_kernel(const kt_node *n) {
    const conv_pool_attrs *a = n->attrs;
    const int64_t vector = kt_kernels_get()->lanes;
    const kt_shape *x = &n->in[0]->spec.shape, *kernel = &a->conv.shape;
    const bool few = kernel->dim[1] * kernel->dim[2] < vector;
    const kt_window w = kt_conv_pool_window(x, kernel, a);
    pool_job j = geometry(&w, a->window, few ? 1 : vector);
    const int64_t f = j.w.filters;
    j.few = few;
    if (few)
        plan_bands(&j, j.places[0]);
    else
        plan_sparse(&j);
    const int64_t pictures = min64(
        min64(PARTS, j.w.n), max64(1, PARTIAL_FLOATS / partial_floats(&j)));
    if (!few) j.filter_parts = min64(PARTS / pictures, f);
    j.parts = pictures * j.filter_parts;
    j.shared_bytes = floats(partial_floats(&j)) * (size_t)pictures;
    j.lane_bytes = floats(j.copy ? j.band_floats : 0);
    if (!few) j.lane_bytes += floats(lists_floats(&j, ceil_div(f, j.filter_parts)));
    j.lane_bytes = (size_t)max64((int64_t)j.lane_bytes, (int64_t)floats(f * j.depth));
    return j;
}

static size_t job_scratch(const pool_job *j) {
    return j->shared_bytes + j->lane_bytes * (size_t)j->parts;
}

/* The job for every run of the node, with its tables. */
static kt_status keep(kt_graph *g, pool_job j, void **state) {
    const int64_t windows = j.band * j.places[1];
    j.start = kt_arena_alloc(g->arena, sizeof *j.start * (size_t)windows);
    j.cell = kt_arena_alloc(g->arena, sizeof *j.cell * (size_t)j.cells);
    if (!j.start || !j.cell) return KT_ENOMEM;
    const int64_t down = j.w.stride[0] * j.row, right = j.x_step; /* a place further */
    for (int64_t i = 0; i < windows; i++) {
        const int64_t y = i / j.places[1] * j.pool[0], x = i % j.places[1] * j.pool[1];
        j.start[i] = (int32_t)(y * down + x * right);
    }
    for (int64_t i = 0; i < j.cells; i++)
        j.cell[i] = (int32_t)(i / j.depth * j.run_step + i % j.depth);
    for (int i = 0; i < 256; i++) {
        const int64_t tap = i / j.pool[1] * down + i % j.pool[1] * right;
        j.tap[i] = i < j.taps ? (int32_t)tap : -1;
    }
    *state = kt_arena_copy(g->arena, &j, sizeof j);
    return *state ? KT_OK : KT_ENOMEM;
}

/* Rows of impls.def ---------------------------------------------------------------------------- */

static bool fits(const kt_val *first, const kt_shape *x, const conv_attrs *a) {
    const double high = (double)x->dim[1] + a->before[0] + a->after[0];
    const double wide = (double)x->dim[2] + a->before[1] + a->after[1];
    return is_f32(first) && kt_shape_size(x) > 0 && a->groups == 1 && a->dilation[1] == 1 &&
           high * wide * (double)x->dim[3] < 1e9;
}

static bool pool_supports(const kt_node *n) {
    const conv_pool_attrs *a = n->attrs;
    return val_size(n->out[0]) && fits(n->in[0], &n->in[0]->spec.shape, &a->conv);
}

static bool grad_supports(const kt_node *n) {
    const conv_pool_attrs *a = n->attrs;
    const bool input = n->n_out == 1;
    return val_size(n->in[0]) && val_size(n->in[1]) && val_size(n->out[0]) &&
           fits(n->in[0], input ? &a->conv.shape : &n->in[0]->spec.shape, &a->conv);
}

static size_t pool_scratch(const kt_node *n) {
    const pool_job j = plan_pool(n);
    return job_scratch(&j);
}
static kt_status pool_prepare(kt_graph *g, const kt_node *n, void **state) {
    return keep(g, plan_pool(n), state);
}
static kt_status pool_run(const kt_kargs *k) {
    pool_job j = *(const pool_job *)k->state;
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
    return val_size(n->out[0]) && fits(n->in[0], &n->in[0]->spec.shape, n->attrs) && rows_pay(&w);
}
static pool_job plan_forward(const kt_node *n) {
    const kt_window w = kt_conv_window(
        &n->in[0]->spec.shape, &n->in[1]->spec.shape, &n->out[0]->spec.shape, n->attrs);
    pool_job j = plan_rows(&w, NULL);
    j.epilogue = ((const conv_attrs *)n->attrs)->epilogue - 1;
    return j;
}
static size_t forward_scratch(const kt_node *n) {
    const pool_job j = plan_forward(n);
    return job_scratch(&j);
}
static kt_status forward_prepare(kt_graph *g, const kt_node *n, void **state) {
    return keep(g, plan_forward(n), state);
}
static kt_status forward_run(const kt_kargs *k) {
    pool_job j = *(const pool_job *)k->state;
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
           fits(n->in[0], &n->out[0]->spec.shape, a) && rows_pay(&w);
}
static pool_job plan_turned(const kt_node *n) {
    const kt_window w = turned_window(n);
    pool_job j = plan_rows(&w, NULL);
    j.shared_bytes += floats(j.cells * w.filters);
    return j;
}
static size_t turned_scratch(const kt_node *n) {
    const pool_job j = plan_turned(n);
    return job_scratch(&j);
}
static kt_status turned_prepare(kt_graph *g, const kt_node *n, void **state) {
    return keep(g, plan_turned(n), state);
}
static kt_status turned_run(const kt_kargs *k) {
    pool_job j = *(const pool_job *)k->state;
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

static size_t input_scratch(const kt_node *n) {
    const pool_job j = plan_input(n);
    return job_scratch(&j);
}
static kt_status input_prepare(kt_graph *g, const kt_node *n, void **state) {
    return keep(g, plan_input(n), state);
}
static kt_status input_run(const kt_kargs *k) {
    pool_job j = *(const pool_job *)k->state;
    j.scratch = k->scratch;
    j.y = k->in[0];
    j.at = k->in[1];
    j.kernel = k->in[2];
    j.x = k->out[0];
    float *turned = (float *)(void *)j.scratch;
    if (j.patch)
        kt_kernels_get()->patch->pack(turned, j.kernel, j.w.channels, j.w.filters);
    else
        turn_kernel(&j, turned, (float *)(void *)lane(&j, 0));
    run_parts(&j, input_part, conv_flops(&j) / j.taps);
    return KT_OK;
}
const kt_impl impl_conv2d_pool_grad_input_sparse = {
    "conv2d_pool_grad_input", "sparse", grad_supports, input_run, input_scratch, input_prepare};

static size_t kernel_scratch(const kt_node *n) {
    const pool_job j = plan_kernel(n);
    return job_scratch(&j);
}
static kt_status kernel_prepare(kt_graph *g, const kt_node *n, void **state) {
    return keep(g, plan_kernel(n), state);
}
static kt_status kernel_run(const kt_kargs *k) {
    pool_job j = *(const pool_job *)k->state;
    j.scratch = k->scratch;
    j.x = k->in[0];
    j.y = k->in[1];
    j.at = k->in[2];
    j.kernel = k->out[0];
    j.bias = k->out[1];
    run_parts(&j, kernel_part, conv_flops(&j) / (j.few ? 1 : j.taps));
    finish_kernel(&j);
    return KT_OK;
}
const kt_impl impl_conv2d_pool_grad_kernel_sparse = {
    "conv2d_pool_grad_kernel", "sparse", grad_supports, kernel_run, kernel_scratch, kernel_prepare};
