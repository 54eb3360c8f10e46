/* Gradients of convolutions for the kernel, and of conv2d_pool for both operands. See
 * kernels/conv.c and kernels/conv_sparse.c for what is computed.
 *
 * Parts of dx are whole pictures (bands overlap). Parts of dk are pictures, each with a dk of its
 * own while those are small (they are added in order), else filters. */
#include "backend/cpu/conv_bands.h"

#include <string.h>

#define LIST_ENTRIES 16384    /* of all lists of a band */
#define SPARSE_FLOATS 8192    /* of the part of a picture that lists of a band reach */
#define DENSE_FLOATS 65536    /* of a band of the picture: half of a second cache */
#define PANEL_FLOATS 8192     /* of a panel of dy */
#define PARTIAL_FLOATS 262144 /* for all dk of parts together */

typedef struct {
    float *value;
    int32_t *place;
    int64_t *count;
    int64_t room;
} lists;

static int64_t lists_floats(const kt_conv_job *j, int64_t filters) {
    const int64_t room = j->band * j->places[1] + LANES_MOST;
    return round_up(2 * room * filters, 16) + 2 * round_up(max64(filters, 4 * room), 16);
}

static lists take_lists(const kt_conv_job *j, char **from, int64_t filters) {
    lists l = {.room = j->band * j->places[1] + LANES_MOST};
    float *all = kt_conv_take(from, lists_floats(j, filters));
    l.value = all;
    l.place = (int32_t *)(void *)(all + l.room * filters);
    l.count = (int64_t *)(void *)(all + round_up(2 * l.room * filters, 16));
    return l;
}

static kt_sparse_lists lists_of(
    const kt_conv_job *j, const lists *l, const kt_band *b, int64_t filter, int64_t filters) {
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

static kt_sparse list_of(const kt_conv_job *j, const lists *l, int64_t filter, float *x) {
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
static void turn_kernel(const kt_conv_job *j, float *to, float *strip) {
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
    const kt_conv_job *j = arg;
    const int64_t picture = j->w.in[0] * j->w.in[1] * j->w.channels, f = j->w.filters;
    const int64_t first = j->w.n * part / j->parts, end = j->w.n * (part + 1) / j->parts;
    const float *turned = (const float *)(const void *)j->scratch;
    char *at = kt_conv_lane(j, part);
    const lists l = take_lists(j, &at, f);
    float *copy = kt_conv_take(&at, j->copy ? j->band_floats : 0);
    (void)thread;
    memset(j->x + first * picture, 0, (size_t)((end - first) * picture) * sizeof(float));
    for (int64_t i = first * j->bands; i < end * j->bands; i++) {
        const kt_band b = kt_band_at(j, i);
        float *dx = j->copy ? copy : kt_band_in_place(j, j->x, &b);
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
        if (j->copy) kt_band_move(j, j->x, copy, &b, true);
    }
}

/* dk of a part: [filters][runs][run_floats], or [cells][filters] where channels are few; then the
 * sums for the bias. */
static int64_t partial_floats(const kt_conv_job *j) {
    const int64_t f = round_up(j->w.filters, 2 * LANES_MOST);
    return (j->few ? j->cells : j->runs * j->run_floats) * f + f;
}

static float *partial(const kt_conv_job *j, int64_t picture_part) {
    return (float *)(void *)(j->scratch + floats(partial_floats(j)) * (size_t)picture_part);
}

static kt_few few_of(const kt_conv_job *j, const kt_band *b, float *x) {
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
    const kt_conv_job *j = arg;
    const int64_t pictures = j->parts / j->filter_parts, p = part % pictures;
    const int64_t f0 = j->w.filters * (part / pictures) / j->filter_parts;
    const int64_t f1 = j->w.filters * (part / pictures + 1) / j->filter_parts;
    const int64_t first = j->w.n * p / pictures, end = j->w.n * (p + 1) / pictures;
    const int64_t size = j->few ? partial_floats(j) : j->runs * j->run_floats;
    float *dk = partial(j, p), *dbias = dk + partial_floats(j) - round_up(j->w.filters, 32);
    char *at = kt_conv_lane(j, part);
    float *copy = kt_conv_take(&at, j->copy ? j->band_floats : 0);
    const lists l = j->few ? (lists){0} : take_lists(j, &at, f1 - f0);
    (void)thread;
    memset(dk + (j->few ? 0 : f0 * size), 0, (size_t)(j->few ? size : (f1 - f0) * size) * 4);
    memset(dbias + f0, 0, (size_t)(f1 - f0) * sizeof *dbias);
    for (int64_t i = first * j->bands; i < end * j->bands; i++) {
        const kt_band b = kt_band_at(j, i);
        if (j->copy) kt_band_move(j, j->x, copy, &b, false);
        float *x = j->copy ? copy : kt_band_in_place(j, j->x, &b);
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

/* The same without a pool: every place counts, so it is a product; dy is packed in panels. */
static void dense_part(void *arg, int64_t part, int thread) {
    const kt_conv_job *j = arg;
    const kt_kernels *kn = kt_kernels_get();
    const int64_t f = j->w.filters, panels = ceil_div(f, kn->conv_panel);
    const int64_t pictures = j->parts / j->filter_parts, p = part % pictures;
    const int64_t p0 = panels * (part / pictures) / j->filter_parts;
    const int64_t p1 = panels * (part / pictures + 1) / j->filter_parts;
    const int64_t first = j->w.n * p / pictures, end = j->w.n * (p + 1) / pictures;
    char *at = kt_conv_lane(j, part);
    float *copy = kt_conv_take(&at, j->copy ? j->band_floats : 0), *packed = kt_conv_take(&at, 0);
    kt_conv_back back = {
        .n = j->w.out[1],
        .runs = j->runs,
        .depth = j->depth,
        .dy = packed,
        .x_step = j->x_step,
        .run_step = j->run_step,
        .row_step = j->w.stride[0] * j->row,
        .ldk = round_up(f, 2 * LANES_MOST)};
    (void)thread;
    for (int64_t i = 0; i < j->cells; i++)
        memset(
            partial(j, p) + i * back.ldk + p0 * kn->conv_panel,
            0,
            (size_t)min64((p1 - p0) * kn->conv_panel, back.ldk - p0 * kn->conv_panel) * 4);
    for (int64_t i = first * j->bands; i < end * j->bands; i++) {
        const kt_band b = kt_band_at(j, i);
        if (j->copy) kt_band_move(j, j->x, copy, &b, false);
        back.x = j->copy ? copy : kt_band_in_place(j, j->x, &b);
        back.rows = b.n;
        for (int64_t k = p0 * kn->conv_panel; k < f && k < p1 * kn->conv_panel;
             k += kn->conv_panel) {
            const float *dy = j->y + (b.picture * j->places[0] + b.first) * j->places[1] * f + k;
            back.cols = min64(kn->conv_panel, f - k);
            back.dk = partial(j, p) + k;
            kn->conv_pack(packed, dy, f, b.n * j->places[1], back.cols);
            kn->conv_back(&back);
        }
    }
}

/* [filters][runs][run_floats] -> [runs * depth][filters] */
static void turn_back(const kt_conv_job *j, float *from, float *strip) {
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

static void finish_kernel(const kt_conv_job *j) {
    const int64_t n = partial_floats(j), f = j->w.filters, padded = round_up(f, 32);
    float *sum = partial(j, 0);
    for (int64_t p = 1; p < j->parts / j->filter_parts; p++)
        kt_kernels_get()->binary[KT_BIN_add](sum, sum, partial(j, p), n);
    if (j->bias) memcpy(j->bias, sum + n - padded, (size_t)f * sizeof *sum);
    if (!j->few)
        turn_back(j, sum, (float *)(void *)kt_conv_lane(j, 0));
    else
        for (int64_t i = 0; i < j->cells; i++)
            memcpy(j->kernel + i * f, sum + i * padded, (size_t)f * sizeof *sum);
}

/* Lists of a band, and what they reach, stay in a cache. */
static void plan_sparse(kt_conv_job *j) {
    const int64_t pooled = j->pool[0] * j->w.stride[0] * j->row;
    kt_conv_plan_bands(
        j, min64(LIST_ENTRIES / (j->w.filters * j->places[1]), SPARSE_FLOATS / pooled));
}

static bool is_patch(const kt_conv_job *j) {
    bool fits = kt_kernels_get()->patch->input && j->w.channels % kt_kernels_get()->lanes == 0;
    for (int i = 0; i < 2; i++)
        fits = fits && j->w.size[i] == 3 && j->pool[i] == 2 && j->w.stride[i] == 1 &&
               j->w.dilation[i] == 1;
    return fits;
}

static kt_conv_job plan_input(const kt_node *n) {
    const conv_pool_attrs *a = n->attrs;
    const kt_window w = kt_conv_pool_window(&a->conv.shape, &n->in[2]->spec.shape, a);
    kt_conv_job j = kt_conv_geometry(&w, a->window, kt_kernels_get()->lanes);
    const int64_t f = j.w.filters;
    plan_sparse(&j);
    j.parts = min64(KT_CONV_PARTS, j.w.n);
    j.patch = is_patch(&j);
    j.shared_bytes = floats(f * j.runs * j.run_floats);
    j.lane_bytes = floats(lists_floats(&j, f)) + floats(j.copy ? j.band_floats : 0);
    j.lane_bytes = (size_t)max64((int64_t)j.lane_bytes, (int64_t)floats(f * j.depth));
    return j;
}

static kt_conv_job plan_kernel(const kt_node *n) {
    const conv_pool_attrs *a = n->attrs;
    const int64_t vector = kt_kernels_get()->lanes;
    const kt_shape *x = &n->in[0]->spec.shape, *kernel = &a->conv.shape;
    const bool few = kernel->dim[1] * kernel->dim[2] < vector;
    const kt_window w = kt_conv_pool_window(x, kernel, a);
    kt_conv_job j = kt_conv_geometry(&w, a->window, few ? 1 : vector);
    const int64_t f = j.w.filters;
    j.few = few;
    if (few)
        kt_conv_plan_bands(&j, j.places[0]);
    else
        plan_sparse(&j);
    const int64_t pictures = min64(
        min64(KT_CONV_PARTS, j.w.n), max64(1, PARTIAL_FLOATS / partial_floats(&j)));
    if (!few) j.filter_parts = min64(KT_CONV_PARTS / pictures, f);
    j.parts = pictures * j.filter_parts;
    j.shared_bytes = floats(partial_floats(&j)) * (size_t)pictures;
    j.lane_bytes = floats(j.copy ? j.band_floats : 0);
    if (!few) j.lane_bytes += floats(lists_floats(&j, ceil_div(f, j.filter_parts)));
    j.lane_bytes = (size_t)max64((int64_t)j.lane_bytes, (int64_t)floats(f * j.depth));
    return j;
}

static kt_conv_job plan_dense(const kt_node *n) {
    static const int none[2] = {1, 1};
    const kt_window w = kt_conv_window(
        &n->in[0]->spec.shape, &n->out[0]->spec.shape, &n->in[1]->spec.shape, n->attrs);
    kt_conv_job j = kt_conv_geometry(&w, none, 1);
    const int64_t panel = kt_kernels_get()->conv_panel;
    j.few = true;
    kt_conv_plan_bands(
        &j, min64(DENSE_FLOATS / (w.stride[0] * j.row), PANEL_FLOATS / (panel * w.out[1])));
    const int64_t size = partial_floats(&j);
    const int64_t pictures = min64(min64(KT_CONV_PARTS, w.n), max64(1, PARTIAL_FLOATS / size));
    j.filter_parts = min64(KT_CONV_PARTS / pictures, ceil_div(w.filters, panel));
    j.parts = pictures * j.filter_parts;
    j.shared_bytes = floats(size) * (size_t)pictures;
    j.lane_bytes = floats(j.copy ? j.band_floats : 0) + floats(j.band * w.out[1] * panel);
    return j;
}

/* Rows of impls.def ---------------------------------------------------------------------------- */

static bool grad_supports(const kt_node *n) {
    const conv_pool_attrs *a = n->attrs;
    const bool input = n->n_out == 1;
    return val_size(n->in[0]) && val_size(n->in[1]) && val_size(n->out[0]) &&
           kt_conv_fits(n->in[0], input ? &a->conv.shape : &n->in[0]->spec.shape, &a->conv);
}

static size_t input_scratch(const kt_node *n) {
    const kt_conv_job j = plan_input(n);
    return kt_conv_scratch(&j);
}
static kt_status input_prepare(kt_graph *g, const kt_node *n, void **state) {
    return kt_conv_keep(g, plan_input(n), state);
}
static kt_status input_run(const kt_kargs *k) {
    kt_conv_job j = *(const kt_conv_job *)k->state;
    j.scratch = k->scratch;
    j.y = k->in[0];
    j.at = k->in[1];
    j.kernel = k->in[2];
    j.x = k->out[0];
    float *turned = (float *)(void *)j.scratch;
    if (j.patch)
        kt_kernels_get()->patch->pack(turned, j.kernel, j.w.channels, j.w.filters);
    else
        turn_kernel(&j, turned, (float *)(void *)kt_conv_lane(&j, 0));
    kt_conv_run_parts(&j, input_part, kt_conv_flops(&j) / j.taps);
    return KT_OK;
}
const kt_impl impl_conv2d_pool_grad_input_sparse = {
    "conv2d_pool_grad_input", "sparse", grad_supports, input_run, input_scratch, input_prepare};

static size_t kernel_scratch(const kt_node *n) {
    const kt_conv_job j = plan_kernel(n);
    return kt_conv_scratch(&j);
}
static kt_status kernel_prepare(kt_graph *g, const kt_node *n, void **state) {
    return kt_conv_keep(g, plan_kernel(n), state);
}
static kt_status kernel_run(const kt_kargs *k) {
    kt_conv_job j = *(const kt_conv_job *)k->state;
    j.scratch = k->scratch;
    j.x = k->in[0];
    j.y = k->in[1];
    j.at = k->in[2];
    j.kernel = k->out[0];
    j.bias = k->out[1];
    kt_conv_run_parts(&j, kernel_part, kt_conv_flops(&j) / (j.few ? 1 : j.taps));
    finish_kernel(&j);
    return KT_OK;
}
const kt_impl impl_conv2d_pool_grad_kernel_sparse = {
    "conv2d_pool_grad_kernel", "sparse", grad_supports, kernel_run, kernel_scratch, kernel_prepare};

/* Where a picture has few places, or a run few cells, products over many pictures are better. */
#define LEAST_PLACES 16
#define LEAST_DEPTH 5

static bool dense_supports(const kt_node *n) {
    const kt_window w = kt_conv_window(
        &n->in[0]->spec.shape, &n->out[0]->spec.shape, &n->in[1]->spec.shape, n->attrs);
    return val_size(n->out[0]) && kt_conv_fits(n->in[0], &n->in[0]->spec.shape, n->attrs) &&
           w.out[0] * w.out[1] >= LEAST_PLACES && w.size[1] * w.channels >= LEAST_DEPTH;
}
static size_t dense_scratch(const kt_node *n) {
    const kt_conv_job j = plan_dense(n);
    return kt_conv_scratch(&j);
}
static kt_status dense_prepare(kt_graph *g, const kt_node *n, void **state) {
    return kt_conv_keep(g, plan_dense(n), state);
}
static kt_status dense_run(const kt_kargs *k) {
    kt_conv_job j = *(const kt_conv_job *)k->state;
    j.scratch = k->scratch;
    j.x = k->in[0];
    j.y = k->in[1];
    j.kernel = k->out[0];
    kt_conv_run_parts(&j, dense_part, kt_conv_flops(&j));
    finish_kernel(&j);
    return KT_OK;
}
const kt_impl impl_conv2d_grad_kernel_rows = {
    "conv2d_grad_kernel", "rows", dense_supports, dense_run, dense_scratch, dense_prepare};
