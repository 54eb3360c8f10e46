/* conv2d and its gradients as matrix products.
 *
 * The cells that a window sees at one place, in the order of the kernel, are one row of a matrix P
 * that exists a block at a time: y = P k, dP = dy k' (added up into dx), dk = P' dy. A block of P
 * is some 128 KB, so it is still in the second cache when the product reads it. With a single
 * channel P is made column by column: a column is the picture, shifted. A 1 x 1 kernel, and one
 * that covers the whole picture, need no P: the picture is P already.
 *
 * Work is cut into at most PARTS parts by shapes alone, each with scratch of its own, so results do
 * not depend on the number of threads. Parts of y are rows, parts of dx are whole pictures (windows
 * of one picture overlap), parts of dk are rows, each with a dk of its own while those are small
 * (they are added in order), else slices of taps. With a single part the product itself runs on all
 * threads. */
#include "backend/cpu/impls.h"
#include "ir/window.h"

#include <string.h>

#define PARTS 8
#define BLOCK_FLOATS 32768     /* of P */
#define SLICE_FLOATS 512       /* columns of P, where all of them are more than twice that */
#define PARTIAL_FLOATS 131072  /* for all dk of parts together */
#define PARALLEL_FLOPS 2000000 /* below, other threads cost more than they bring */

typedef enum { CONV_FORWARD, CONV_INPUT, CONV_KERNEL } conv_kind;

typedef struct {
    conv_kind kind;
    kt_window w;
    int64_t cin, cout;    /* channels and filters of a group */
    int64_t rows, taps;   /* of P (a tap is cin columns) */
    int64_t slice, block; /* taps and rows of a block of P */
    int64_t span;         /* blocks start anew every so many rows */
    int64_t parts;
    int64_t row_parts; /* of them; CONV_KERNEL: the others are slices */
    bool direct;       /* the picture is P */
    bool turned;       /* P lies column by column */
    size_t block_bytes, lane_bytes, partial_bytes;
    float *x, *kernel, *y; /* or their gradients */
    const float *bias;
    int epilogue;
    char *scratch;
} conv_job;

static int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static size_t round64(size_t bytes) { return (bytes + 63) & ~(size_t)63; }

/* Moving cells between pictures and P ---------------------------------------------------------- */

/* Copies n floats; short pieces of one length follow one another, so branches are foreseen. */
static inline void copy_floats(float *to, const float *from, int64_t n) {
    if (n >= 16) {
        memcpy(to, from, (size_t)n * sizeof *to);
        return;
    }
    if (n & 8) memcpy(to, from, 32), to += 8, from += 8;
    if (n & 4) memcpy(to, from, 16), to += 4, from += 4;
    if (n & 2) memcpy(to, from, 8), to += 2, from += 2;
    if (n & 1) *to = *from;
}

/* P = cells, or cells += P */
static inline void move_floats(float *x, float *p, int64_t n, bool add_up) {
    if (!add_up)
        copy_floats(p, x, n);
    else if (n >= 8)
        kt_kernels_get()->binary[KT_BIN_add](x, x, p, n);
    else
        for (int64_t i = 0; i < n; i++) x[i] += p[i];
}

static inline void clear_floats(float *p, int64_t n, bool add_up) {
    if (n > 0 && !add_up) memset(p, 0, (size_t)n * sizeof *p);
}

/* `m` cells, columns x0, x0 + step, … of a line of the picture (NULL: in the padding). */
static inline void move_cells(
    const conv_job *j, float *line, int64_t x0, int64_t step, int64_t m, float *p, bool add_up) {
    const int64_t width = j->w.in[1], c = j->w.channels, cin = j->cin;
    if (!line) {
        clear_floats(p, m * cin, add_up);
    } else if (step == 1 && cin == c) { /* one piece of memory */
        const int64_t low = min64(x0 < 0 ? -x0 : 0, m), end = min64(width - x0, m);
        const int64_t high = end < low ? low : end;
        clear_floats(p, low * c, add_up);
        if (high > low) move_floats(line + (x0 + low) * c, p + low * c, (high - low) * c, add_up);
        clear_floats(p + high * c, (m - high) * c, add_up);
    } else {
        for (int64_t x = x0; x < x0 + m * step; x += step, p += cin) {
            if (x >= 0 && x < width)
                move_floats(line + x * c, p, cin, add_up);
            else
                clear_floats(p, cin, add_up);
        }
    }
}

/* What of P is at hand: rows row … row+n-1, taps tap … tap+taps-1 of one group. */
typedef struct {
    int64_t row, n, tap, taps, group;
} conv_block;

static inline void move_block(const conv_job *j, const conv_block *b, float *p, bool add_up) {
    const kt_window *w = &j->w;
    const int64_t c = w->channels, line_size = w->in[1] * c, picture_size = w->in[0] * line_size;
    const int64_t ky0 = b->tap / w->size[1], kx0 = b->tap % w->size[1];
    const bool joined = w->dilation[1] == 1 && j->cin == c;
    int64_t ox = b->row % w->out[1], oy = b->row / w->out[1] % w->out[0];
    float *picture = j->x + b->row / w->out[1] / w->out[0] * picture_size + b->group * j->cin;
    for (int64_t i = 0; i < b->n; i++, ox++) {
        if (ox == w->out[1]) ox = 0, oy++;
        if (oy == w->out[0]) oy = 0, picture += picture_size;
        const int64_t x = ox * w->stride[1] - w->before[1];
        const bool inside = joined && x >= 0 && x + w->size[1] <= w->in[1];
        int64_t y = oy * w->stride[0] - w->before[0] + ky0 * w->dilation[0], kx = kx0;
        for (int64_t left = b->taps, m; left > 0; left -= m, kx = 0, y += w->dilation[0]) {
            m = min64(w->size[1] - kx, left);
            float *line = y >= 0 && y < w->in[0] ? picture + y * line_size : NULL;
            if (inside && line)
                move_floats(line + (x + kx) * c, p, m * c, add_up);
            else
                move_cells(j, line, x + kx * w->dilation[1], w->dilation[1], m, p, add_up);
            p += m * j->cin;
        }
    }
}

/* The same for one channel and stride 1, turned: tap by tap, so that a line of places is one
 * piece. */
static void gather_turned(const conv_job *j, const conv_block *b, float *p) {
    const kt_window *w = &j->w;
    const int64_t picture = w->in[0] * w->in[1];
    for (int64_t tap = b->tap; tap < b->tap + b->taps; tap++) {
        const int64_t ky = tap / w->size[1] * w->dilation[0] - w->before[0];
        const int64_t kx = tap % w->size[1] * w->dilation[1] - w->before[1];
        for (int64_t row = b->row, m; row < b->row + b->n; row += m, p += m) {
            const int64_t ox = row % w->out[1], line = row / w->out[1];
            const int64_t y = line % w->out[0] * w->stride[0] + ky;
            float *x = j->x + line / w->out[0] * picture;
            m = min64(w->out[1] - ox, b->row + b->n - row);
            x = y >= 0 && y < w->in[0] ? x + y * w->in[1] : NULL;
            move_cells(j, x, ox + kx, 1, m, p, false);
        }
    }
}

static void gather(const conv_job *j, const conv_block *b, float *p) {
    if (j->turned)
        gather_turned(j, b, p);
    else
        move_block(j, b, p, false);
}

static void scatter(const conv_job *j, const conv_block *b, float *p) { move_block(j, b, p, true); }

/* Parts ---------------------------------------------------------------------------------------- */

typedef struct {
    int64_t row, n, end; /* block of rows, end of the part */
} conv_rows;

/* Rows of part `part` of `parts`: whole spans. */
static conv_rows part_rows(const conv_job *j, int64_t part, int64_t parts) {
    const int64_t spans = ceil_div(j->rows, j->span);
    return (conv_rows){
        .row = spans * part / parts * j->span,
        .end = min64(spans * (part + 1) / parts * j->span, j->rows)};
}

static bool next_block(const conv_job *j, conv_rows *r) {
    r->row += r->n;
    r->n = min64(min64(j->block, j->span - r->row % j->span), r->end - r->row);
    return r->row < r->end;
}

/* The product over some rows and taps of P, without operands: y = P k, dP = dy k', dk = P' dy. */
static kt_gemm conv_product(const conv_job *j, int64_t rows, int64_t taps) {
    const int64_t k = taps * j->cin, f = j->w.filters;
    kt_gemm g = {.m = rows, .n = j->cout, .k = k, .lda = k, .ldb = f, .ldc = f};
    g.epilogue = KT_EPI_NONE;
    g.tb = j->kind == CONV_INPUT;
    if (j->kind == CONV_KERNEL) g.m = k, g.k = rows;
    g.ta = (j->kind == CONV_KERNEL) != j->turned;
    if (j->turned) g.lda = rows;
    if (g.tb) g.n = k, g.k = j->cout, g.lda = f, g.ldc = k;
    return g;
}

static void conv_gemm(const conv_job *j, int64_t part, const kt_gemm *g) {
    char *lane = j->scratch + j->lane_bytes * (size_t)part;
    kt_kernels_get()->gemm(g, lane + j->block_bytes);
}

static float *lane_block(const conv_job *j, int64_t part) {
    return (float *)(void *)(j->scratch + j->lane_bytes * (size_t)part);
}

static float *at_tap(const conv_job *j, float *kernel, int64_t tap, int64_t group) {
    return kernel + tap * j->cin * j->w.filters + group * j->cout;
}

static void forward_block(const conv_job *j, int64_t part, const conv_rows *r, int64_t group) {
    float *p = lane_block(j, part);
    for (int64_t tap = 0; tap < j->taps; tap += j->slice) {
        const int64_t taps = min64(j->slice, j->taps - tap);
        const bool last = tap + taps == j->taps;
        gather(j, &(conv_block){r->row, r->n, tap, taps, group}, p);
        kt_gemm g = conv_product(j, r->n, taps);
        g.a = p;
        g.b = at_tap(j, j->kernel, tap, group);
        g.c = j->y + r->row * j->w.filters + group * j->cout;
        g.accumulate = tap > 0;
        if (last && j->bias) g.bias = j->bias + group * j->cout;
        if (last) g.epilogue = j->epilogue;
        conv_gemm(j, part, &g);
    }
}

static void forward_part(void *arg, int64_t part, int thread) {
    const conv_job *j = arg;
    conv_rows r = part_rows(j, part, j->parts);
    (void)thread;
    while (next_block(j, &r))
        for (int64_t group = 0; group < j->w.groups; group++) forward_block(j, part, &r, group);
}

static void input_block(const conv_job *j, int64_t part, const conv_rows *r, int64_t group) {
    float *p = lane_block(j, part);
    for (int64_t tap = 0; tap < j->taps; tap += j->slice) {
        const int64_t taps = min64(j->slice, j->taps - tap);
        kt_gemm g = conv_product(j, r->n, taps);
        g.a = j->y + r->row * j->w.filters + group * j->cout;
        g.b = at_tap(j, j->kernel, tap, group);
        g.c = p;
        conv_gemm(j, part, &g);
        scatter(j, &(conv_block){r->row, r->n, tap, taps, group}, p);
    }
}

static void input_part(void *arg, int64_t part, int thread) {
    const conv_job *j = arg;
    conv_rows r = part_rows(j, part, j->parts);
    const int64_t picture = j->w.in[0] * j->w.in[1] * j->w.channels;
    const int64_t places = j->w.out[0] * j->w.out[1];
    (void)thread;
    float *dx = j->x + r.row / places * picture;
    memset(dx, 0, (size_t)((r.end - r.row) / places * picture) * sizeof *dx);
    while (next_block(j, &r))
        for (int64_t group = 0; group < j->w.groups; group++) input_block(j, part, &r, group);
}

/* Adds one block to taps tap … of dk (writes, if it is the first). */
static void kernel_block(
    const conv_job *j,
    int64_t part,
    const conv_rows *r,
    int64_t group,
    int64_t tap,
    float *dk,
    bool first) {
    float *p = lane_block(j, part);
    const int64_t taps = min64(j->slice, j->taps - tap);
    gather(j, &(conv_block){r->row, r->n, tap, taps, group}, p);
    kt_gemm g = conv_product(j, r->n, taps);
    g.a = p;
    g.b = j->y + r->row * j->w.filters + group * j->cout;
    g.c = at_tap(j, dk, tap, group);
    g.accumulate = !first;
    conv_gemm(j, part, &g);
}

static float *kernel_partial(const conv_job *j, int64_t row_part) {
    if (!row_part) return j->kernel;
    char *all = j->scratch + j->lane_bytes * (size_t)j->parts;
    return (float *)(void *)(all + j->partial_bytes * (size_t)(row_part - 1));
}

static void kernel_part(void *arg, int64_t part, int thread) {
    const conv_job *j = arg;
    const int64_t row_part = part % j->row_parts, step = j->parts / j->row_parts * j->slice;
    float *dk = kernel_partial(j, row_part);
    (void)thread;
    for (int64_t tap = part / j->row_parts * j->slice; tap < j->taps; tap += step) {
        for (int64_t group = 0; group < j->w.groups; group++) {
            conv_rows r = part_rows(j, row_part, j->row_parts);
            for (bool first = true; next_block(j, &r); first = false)
                kernel_block(j, part, &r, group, tap, dk, first);
        }
    }
}

/* Plan ----------------------------------------------------------------------------------------- */

/* One product of whole operands. */
static kt_gemm direct_gemm(const conv_job *j) {
    kt_gemm g = conv_product(j, j->rows, j->taps);
    g.a = j->kind == CONV_INPUT ? j->y : j->x;
    g.b = j->kind == CONV_KERNEL ? j->y : j->kernel;
    g.c = j->kind == CONV_FORWARD ? j->y : j->kind == CONV_INPUT ? j->x : j->kernel;
    g.bias = j->bias;
    g.epilogue = j->epilogue;
    return g;
}

static bool is_direct(const kt_window *w) {
    bool one = w->groups == 1, whole = w->groups == 1;
    for (int i = 0; i < 2; i++) {
        one = one && w->size[i] == 1 && w->out[i] == w->in[i] && w->before[i] == 0 &&
              w->stride[i] == 1;
        whole = whole && w->size[i] == w->in[i] && w->out[i] == 1 && w->before[i] == 0 &&
                (w->dilation[i] == 1 || w->size[i] == 1);
    }
    return one || whole;
}

/* Sets rows of a block, spans and parts. */
static void plan_rows(conv_job *j) {
    const int64_t picture = j->w.out[0] * j->w.out[1], columns = j->slice * j->cin;
    j->block = BLOCK_FLOATS / columns > 8 ? BLOCK_FLOATS / columns : 8;
    if (j->kind != CONV_INPUT) {
        const int64_t blocks = ceil_div(j->rows, j->block);
        j->row_parts = min64(PARTS, ceil_div(j->rows, 64));
        j->block = ceil_div(j->rows, ceil_div(blocks, j->row_parts) * j->row_parts);
        j->span = j->block;
    } else if (picture <= j->block * 3 / 2) {
        const int64_t most = ceil_div(j->w.n, PARTS), fit = j->block / picture;
        j->span = j->block = picture * min64(fit ? fit : 1, most);
    } else {
        j->block = ceil_div(picture, ceil_div(picture, j->block));
        j->span = picture;
    }
    const int64_t spans = ceil_div(j->rows, j->span);
    if (j->kind == CONV_INPUT || spans < j->row_parts) j->row_parts = min64(PARTS, spans);
    j->parts = j->row_parts;
}

/* dk: as many parts of rows as their partial sums may take memory, then parts of taps. */
static void plan_kernel_parts(conv_job *j) {
    const int64_t size = j->taps * j->cin * j->w.filters;
    const int64_t slices = ceil_div(j->taps, j->slice);
    j->row_parts = min64(j->row_parts, 1 + PARTIAL_FLOATS / size);
    j->parts = j->row_parts * (j->row_parts >= 4 ? 1 : min64(slices, PARTS / j->row_parts));
    j->partial_bytes = round64((size_t)size * sizeof(float));
}

/* Every size of block that can occur has its say. */
static void plan_scratch(conv_job *j) {
    const int64_t rows[] = {j->block, j->span % j->block, j->rows % j->span % j->block};
    const int64_t taps[] = {j->slice, j->taps % j->slice};
    size_t most = 0;
    for (int i = 0; i < 6; i++) {
        const kt_gemm g = conv_product(j, rows[i % 3], taps[i / 3]);
        const size_t bytes = kt_kernels_get()->gemm_scratch(&g);
        most = bytes > most ? bytes : most;
    }
    j->block_bytes = round64((size_t)(j->block * j->slice * j->cin) * sizeof(float));
    j->lane_bytes = j->block_bytes + round64(most);
}

static conv_job conv_plan(conv_kind kind, const kt_window *w) {
    conv_job j = {.kind = kind, .w = *w, .parts = 1, .row_parts = 1, .epilogue = KT_EPI_NONE};
    j.cin = w->channels / w->groups;
    j.cout = w->filters / w->groups;
    j.rows = kt_window_places(w);
    j.taps = kt_window_taps(w);
    j.direct = is_direct(w);
    if (j.direct) return j;
    j.turned = w->channels == 1 && w->stride[1] == 1 && kind != CONV_INPUT;
    j.slice = j.taps;
    if (j.taps * j.cin > 2 * SLICE_FLOATS)
        j.slice = j.cin < SLICE_FLOATS ? SLICE_FLOATS / j.cin : 1;
    plan_rows(&j);
    if (kind == CONV_KERNEL) plan_kernel_parts(&j);
    plan_scratch(&j);
    return j;
}

static size_t job_scratch(const conv_job *j) {
    if (j->direct) {
        const kt_gemm g = direct_gemm(j);
        return kt_kernels_get()->gemm_scratch(&g);
    }
    return j->lane_bytes * (size_t)j->parts + j->partial_bytes * (size_t)(j->row_parts - 1);
}

static kt_status job_run(conv_job *j, void *scratch) {
    static kt_pool_fn *const run[] = {forward_part, input_part, kernel_part};
    j->scratch = scratch;
    if (j->direct) {
        const kt_gemm g = direct_gemm(j);
        kt_kernels_get()->gemm(&g, scratch);
        return KT_OK;
    }
    const double columns = (double)j->taps * (double)j->cin;
    if (2.0 * (double)j->rows * columns * (double)j->w.filters < PARALLEL_FLOPS)
        for (int64_t part = 0; part < j->parts; part++) run[j->kind](j, part, 0);
    else
        kt_pool_run(run[j->kind], j, j->parts);
    for (int64_t part = 1; j->kind == CONV_KERNEL && part < j->row_parts; part++)
        kt_kernels_get()->binary[KT_BIN_add](
            j->kernel, j->kernel, kernel_partial(j, part), j->taps * j->cin * j->w.filters);
    return KT_OK;
}

/* Rows of impls.def ---------------------------------------------------------------------------- */

static bool conv_supports(const kt_node *n) {
    return is_f32(n->in[0]) && val_size(n->in[0]) && val_size(n->in[1]) && val_size(n->out[0]);
}

static conv_job forward_job(const kt_node *n) {
    const conv_attrs *a = n->attrs;
    const kt_window w = kt_conv_window(
        &n->in[0]->spec.shape, &n->in[1]->spec.shape, &n->out[0]->spec.shape, a);
    conv_job j = conv_plan(CONV_FORWARD, &w);
    j.epilogue = a->epilogue - 1;
    return j;
}
static size_t forward_scratch(const kt_node *n) {
    const conv_job j = forward_job(n);
    return job_scratch(&j);
}
static kt_status forward_run(const kt_kargs *k) {
    conv_job j = forward_job(k->node);
    j.x = k->in[0];
    j.kernel = k->in[1];
    j.y = k->out[0];
    j.bias = ((const conv_attrs *)k->node->attrs)->bias ? k->in[2] : NULL;
    return job_run(&j, k->scratch);
}
const kt_impl impl_conv2d_gemm = {
    "conv2d", "gemm", conv_supports, forward_run, forward_scratch, NULL};

static conv_job input_job(const kt_node *n) {
    const kt_window w = kt_conv_window(
        &n->out[0]->spec.shape, &n->in[1]->spec.shape, &n->in[0]->spec.shape, n->attrs);
    return conv_plan(CONV_INPUT, &w);
}
static size_t input_scratch(const kt_node *n) {
    const conv_job j = input_job(n);
    return job_scratch(&j);
}
static kt_status input_run(const kt_kargs *k) {
    conv_job j = input_job(k->node);
    j.y = k->in[0];
    j.kernel = k->in[1];
    j.x = k->out[0];
    return job_run(&j, k->scratch);
}
const kt_impl impl_conv2d_grad_input_gemm = {
    "conv2d_grad_input", "gemm", conv_supports, input_run, input_scratch, NULL};

static conv_job kernel_job(const kt_node *n) {
    const kt_window w = kt_conv_window(
        &n->in[0]->spec.shape, &n->out[0]->spec.shape, &n->in[1]->spec.shape, n->attrs);
    return conv_plan(CONV_KERNEL, &w);
}
static size_t kernel_scratch(const kt_node *n) {
    const conv_job j = kernel_job(n);
    return job_scratch(&j);
}
static kt_status kernel_run(const kt_kargs *k) {
    conv_job j = kernel_job(k->node);
    j.x = k->in[0];
    j.y = k->in[1];
    j.kernel = k->out[0];
    return job_run(&j, k->scratch);
}
const kt_impl impl_conv2d_grad_kernel_gemm = {
    "conv2d_grad_kernel", "gemm", conv_supports, kernel_run, kernel_scratch, NULL};
