/* General matrix product: C (+)= op(A) op(B), then bias and activation.
 *
 * Everything is brought to one form, D = X Y, and cut into register tiles (gemm_tile.c). X is read
 * by broadcast and may lie either way in memory; of Y whole vectors are wanted along its columns,
 * so where it is stored the other way round a panel of it is transposed first. If that would be
 * most of the work (few rows of A, B transposed: the gradient of an input) the roles change: D is
 * then C transposed, B's rows are broadcast, and the finished tile is turned round in registers.
 *
 * Two orders of the loops. With few rows, panels of Y stand outside: a panel (at most KC deep) is
 * packed on the stack, or read in place, and used for all rows; so too with many rows that lie
 * side by side (the gradient of weights), if those of a thread stay in its second cache, because
 * a packed panel then stays in the first. Otherwise rows stand outside: the
 * rows of a tile are packed on the stack, or read in place, and meet all panels; Y is read in
 * place while it is small, else a block of it that fits into the second cache is packed into the
 * caller's scratch, shared by all threads. So no thread needs scratch of its own.
 *
 * The depth of a block depends on k alone. Blocks of k are added in memory; bias and activation
 * follow the last one while the tile is in the first cache.
 *
 * Threads share rows and columns. With few rows and a long k the sum has two halves instead, for
 * every number of threads: so each thread reads the half of the weights (of Y) whose gradient it
 * computes and which it updates, and what goes from core to core is half a sum, not half the
 * weights. Either way each result is the same sum in the same order for every number of threads. */
#include "backend/cpu/kernels/gemm_tile.h"
#include "backend/cpu/kernels/parts.h"
#include "backend/cpu/kernels/turn.h"
#include "base/pool.h"

/* Depth of a block: TILE_COLS columns of it are half of a first cache */
#define KC 256
/* Columns of a shared block: KC x NC floats are half of a second cache */
#define NC 512
#define TILE_LD (LANES == 16 ? 16 : 8) /* distance of two steps of k in packed rows */
#define ROWS_FEW 256                   /* up to so many rows of X, panels stand outside */
#define DIRECT_BYTES (512 * 1024)      /* up to this size Y may be read in place many times */
#define ALIAS 1024 /* rows so many floats apart fall onto each other in a cache */
/* Below, other threads cost more than they bring: operands come from one core and the result goes
 * back to it. */
#define PARALLEL_FLOPS (LANES * 131072.0)
#define HALVES_MIN_K 256 /* from here on, and from four times the rows, the sum has two halves */

typedef struct gemm_job {
    const kt_gemm *g;
    int64_t m, n, k; /* of D = X Y */
    const float *x, *y;
    int64_t sx, sy;    /* elements from one stored row to the next */
    bool x_along;      /* X is stored [m,k], else [k,m] */
    bool y_across;     /* Y is stored [n,k], else [k,n] */
    bool swapped;      /* D is C transposed */
    bool rows_outer;   /* which of the two orders */
    bool tall;         /* panels outside although there are many rows */
    bool pack_x;       /* rows_outer: pack the rows of a tile */
    bool pack_y;       /* panels outer: pack the panel */
    float *shared;     /* rows_outer: the packed block of Y; NULL: read in place */
    int64_t depth;     /* of a block of k */
    int64_t tile_rows; /* at most TILE_ROWS */
    int64_t parts_m, parts_n;
    int64_t k0, j0, j1; /* the shared block: k0 … k0+depth, columns j0 … j1 */
} gemm_job;

/* One tile with its operands in their final place */
typedef struct gemm_tile {
    int64_t i, rows, j, cols, k0, depth;
    const float *x, *y;
    int64_t sx, sy;
    bool x_along;
    const float *ahead; /* memory to fetch meanwhile, or NULL */
    int64_t ahead_step;
} gemm_tile;

static int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

static int64_t round_lanes(int64_t n) { return (n + LANES - 1) & -LANES; }

/* ---- one tile -------------------------------------------------------------------------------- */

static bool is_strip(int epilogue) { return epilogue != KT_EPI_NONE && epilogue != KT_UN_relu; }

/* The tile t[rows, ldt] of D goes to C the other way round. A column of the tile is a row of C. */
static void finish_turned(
    const gemm_job *job, const gemm_tile *tile, const float *t, int64_t ldt, bool add, bool last) {
    const kt_gemm *g = job->g;
    const float *bias = last && g->bias ? g->bias + tile->i : NULL;
    const bool relu = last && g->epilogue == KT_UN_relu;
    float turned[TILE_VECS_WIDE * LANES * TILE_LD];
    /* whole squares are quicker to turn; what lies beyond the tile's rows is not used */
    const int64_t rows = ldt <= TILE_COLS ? TILE_LD : tile->rows;
    KT_FN(kt_transpose_ld)(turned, TILE_LD, t, ldt, rows, tile->cols);
    for (int64_t i = 0; i < tile->rows; i += LANES) {
        const int64_t n = min64(tile->rows - i, LANES);
        const vf b = bias ? vf_load_n(bias + i, n) : vf_set(0);
        float *c = g->c + tile->j * g->ldc + tile->i + i;
        for (int64_t r = 0; r < tile->cols; r++, c += g->ldc) {
            vf v = vf_load(turned + r * TILE_LD + i);
            if (add) v += vf_load_n(c, n);
            if (bias) v += b;
            if (relu) v = vf_max(vf_set(0), v);
            vf_store_n(c, v, n);
        }
    }
}

/* The activations that are not part of the kernels, over rows x cols of C */
static void finish_strips(const kt_gemm *g, int64_t i, int64_t rows, int64_t j, int64_t cols) {
    for (int64_t r = i; r < i + rows; r++) {
        float *c = g->c + r * g->ldc + j;
        KT_FN(kt_kernels).unary[g->epilogue](c, c, cols);
    }
}

static void run_turned(
    const gemm_job *job, const gemm_tile *tile, kt_tile_fn *fn, bool add, bool last) {
    float t[TILE_LD * TILE_COLS];
    const int64_t ldt = round_lanes(tile->cols);
    const kt_tile_end end = {.last = LANES - (ldt - tile->cols), .ahead = tile->x};
    fn(tile->depth, tile->x, tile->sx, tile->y, tile->sy, t, ldt, &end);
    finish_turned(job, tile, t, ldt, add, last);
    if (last && is_strip(job->g->epilogue))
        finish_strips(job->g, tile->j, tile->cols, tile->i, tile->rows);
}

static void run_tile(const gemm_job *job, const gemm_tile *tile) {
    const kt_gemm *g = job->g;
    const int64_t width = round_lanes(tile->cols);
    const bool line = job->m == 1 && job->n <= TILE_COLS && tile->x_along;
    kt_tile_fn *fn = KT_FN(kt_tiles)[!tile->x_along][line ? 0 : tile->rows][width / LANES];
    const bool add = tile->k0 > 0 || g->accumulate, last = tile->k0 + tile->depth >= job->k;
    if (job->swapped) {
        run_turned(job, tile, fn, add, last);
        return;
    }
    const kt_tile_end end = {
        .bias = last && g->bias ? g->bias + tile->j : NULL,
        .last = LANES - (width - tile->cols),
        .add = add,
        .relu = last && g->epilogue == KT_UN_relu,
        .ahead = tile->ahead ? tile->ahead : tile->x,
        .ahead_step = tile->ahead ? tile->ahead_step : 0,
    };
    float *c = g->c + tile->i * g->ldc + tile->j;
    fn(tile->depth, tile->x, tile->sx, tile->y, tile->sy, c, g->ldc, &end);
    if (last && is_strip(g->epilogue)) finish_strips(g, tile->i, tile->rows, tile->j, tile->cols);
}

/* ---- packing --------------------------------------------------------------------------------- */

/* Columns j … j+cols of Y, `depth` rows from k0: to[depth][cols, filled up with zeros to whole
 * vectors] */
static void pack_panel(
    const gemm_job *job, float *to, int64_t j, int64_t cols, int64_t k0, int64_t depth) {
    const int64_t ld = round_lanes(cols);
    if (job->y_across) {
        if (ld != cols) memset(to, 0, (size_t)(depth * ld) * sizeof *to);
        KT_FN(kt_transpose_ld)(to, ld, job->y + j * job->sy + k0, job->sy, cols, depth);
        return;
    }
    const float *from = job->y + k0 * job->sy + j;
    for (int64_t k = 0; k < depth; k++, from += job->sy, to += ld)
        for (int64_t i = 0; i < cols; i += LANES)
            vf_store(to + i, vf_load_n(from + i, min64(cols - i, LANES)));
}

/* Rows i … of X, `depth` long from k0: to[depth][TILE_LD]. What follows the tile's rows is
 * filled too. */
static void pack_rows(const gemm_job *job, float *to, int64_t i, int64_t k0, int64_t depth) {
    const int64_t rows = min64(job->m - i, TILE_LD);
    if (job->x_along) {
        KT_FN(kt_transpose_ld)(to, TILE_LD, job->x + i * job->sx + k0, job->sx, rows, depth);
        return;
    }
    const float *from = job->x + k0 * job->sx + i;
    for (int64_t k = 0; k < depth; k++, from += job->sx, to += TILE_LD)
        for (int64_t r = 0; r < rows; r += LANES)
            vf_store_n(to + r, vf_load_n(from + r, min64(rows - r, LANES)), min64(rows - r, LANES));
}

static const float *place_x(const gemm_job *job, int64_t i, int64_t k0) {
    return job->x + (job->x_along ? i * job->sx + k0 : k0 * job->sx + i);
}

/* ---- the two orders of the loops ------------------------------------------------------------- */

typedef struct gemm_range {
    int64_t i0, i1, j0, j1;
    int64_t rows; /* of a tile: evenly, so that none is much smaller than the others */
} gemm_range;

/* Columns of the panel at j; with few rows in all, tiles are wider */
static int64_t cols_at(const gemm_job *job, const gemm_range *r, int64_t j) {
    const int64_t rows = r->i1 - r->i0, left = r->j1 - j;
    if (!job->rows_outer && !job->pack_y) {
        if (rows == 1 && left >= 8 * LANES) return 8 * LANES;
        if (rows <= 4 && rows > 1 && left >= 4 * LANES) return 4 * LANES;
    }
    if (left >= TILE_COLS) return TILE_COLS;
    /* read in place, the last columns are a tile of their own, of one vector */
    return left >= LANES && !job->pack_y && !job->shared ? left & -LANES : left;
}

/* Packing waits for memory, and what it will want next is known: the first tiles of a panel,
 * one per line of a row, fetch it while they compute. */
static void look_ahead(const gemm_job *job, const gemm_range *r, gemm_tile *t) {
    const int64_t line = (t->i - r->i0) / r->rows * (64 / (int64_t)sizeof(float));
    const bool more = t->k0 + t->depth < job->k;
    const int64_t k = more ? t->k0 + t->depth : 0, j = more ? t->j : t->j + t->cols;
    t->ahead = NULL;
    if (!job->pack_y || job->y_across || line >= TILE_COLS || j + line >= r->j1) return;
    t->ahead = job->y + k * job->sy + j + line;
    t->ahead_step = job->sy;
}

static void run_panels_outer(const gemm_job *job, const gemm_range *r) {
    float panel[KC * TILE_COLS];
    gemm_tile t = {.sx = job->sx, .x_along = job->x_along};
    for (t.j = r->j0; t.j < r->j1; t.j += t.cols) {
        t.cols = cols_at(job, r, t.j);
        const bool pack = job->pack_y || (!TILE_PARTIAL && t.cols % LANES);
        const int64_t step = pack ? job->depth : job->k + 1;
        t.sy = pack ? round_lanes(t.cols) : job->sy;
        t.k0 = 0;
        do {
            t.depth = min64(job->k - t.k0, step);
            if (pack) pack_panel(job, panel, t.j, t.cols, t.k0, t.depth);
            t.y = pack ? panel : job->y + t.j;
            for (t.i = r->i0; t.i < r->i1; t.i += r->rows) {
                t.rows = min64(r->i1 - t.i, r->rows);
                t.x = place_x(job, t.i, t.k0);
                look_ahead(job, r, &t);
                run_tile(job, &t);
            }
        } while ((t.k0 += step) < job->k);
    }
}

/* The block of k after this one lies in memory that nobody touched for long: the tiles of a range
 * of columns, whoever computes them, fetch a line of each of its rows. */
static void next_block(const gemm_job *job, const gemm_range *r, gemm_tile *t) {
    const int64_t floats = 64 / (int64_t)sizeof(float), k = t->k0 + t->depth;
    const int64_t of_y = job->y_across ? 0 : ceil_div(r->j1 - r->j0, floats);
    const int64_t of_x = job->x_along ? 0 : ceil_div(job->m, floats);
    const int64_t tile = ceil_div(t->i, job->tile_rows) * ceil_div(r->j1 - r->j0, TILE_COLS) +
                         (t->j - r->j0) / TILE_COLS;
    t->ahead = NULL;
    if (k >= job->k || tile >= of_y + of_x) return;
    t->ahead_step = tile < of_y ? job->sy : job->sx;
    t->ahead = tile < of_y ? job->y + k * job->sy + r->j0 + tile * floats
                           : job->x + k * job->sx + (tile - of_y) * floats;
}

/* One block of k; the shared block, if there is one, covers columns j0 … j1 of the job. */
static void run_rows_outer(const gemm_job *job, const gemm_range *r, int64_t k0) {
    float rows[KC * TILE_LD], edge[KC * LANES];
    gemm_tile t = {.k0 = k0, .depth = min64(job->k - k0, job->depth)};
    const int64_t whole = r->j1 - (r->j1 - r->j0) % LANES;
    const bool pack_edge = !TILE_PARTIAL && !job->shared && whole < r->j1;
    if (pack_edge) pack_panel(job, edge, whole, r->j1 - whole, k0, t.depth);
    t.sx = job->pack_x ? TILE_LD : job->sx;
    t.x_along = job->x_along && !job->pack_x;
    for (t.i = r->i0; t.i < r->i1; t.i += r->rows) {
        t.rows = min64(r->i1 - t.i, r->rows);
        if (job->pack_x) pack_rows(job, rows, t.i, k0, t.depth);
        t.x = job->pack_x ? rows : place_x(job, t.i, k0);
        for (t.j = r->j0; t.j < r->j1; t.j += t.cols) {
            t.cols = cols_at(job, r, t.j);
            if (job->shared) {
                t.y = job->shared + (t.j - job->j0) * t.depth;
                t.sy = round_lanes(t.cols);
            } else if (pack_edge && t.j == whole) {
                t.y = edge;
                t.sy = LANES;
            } else {
                t.y = job->y + k0 * job->sy + t.j;
                t.sy = job->sy;
            }
            if (job->shared) next_block(job, r, &t);
            run_tile(job, &t);
        }
    }
}

/* Part p of `parts` of [from, to) in steps of `unit` */
static int64_t part_start(int64_t from, int64_t to, int64_t unit, int64_t p, int64_t parts) {
    if (p == 0) return from;
    if (p == parts) return to;
    return from + p * ceil_div(to - from, unit) / parts * unit;
}

static void run_part(void *arg, int64_t part, int thread) {
    const gemm_job *job = arg;
    const int64_t pm = part % job->parts_m, pn = part / job->parts_m;
    const int64_t j0 = job->shared ? job->j0 : 0, j1 = job->shared ? job->j1 : job->n;
    gemm_range r = {
        .i0 = part_start(0, job->m, job->tile_rows, pm, job->parts_m),
        .i1 = part_start(0, job->m, job->tile_rows, pm + 1, job->parts_m),
        .j0 = part_start(j0, j1, TILE_COLS, pn, job->parts_n),
        .j1 = part_start(j0, j1, TILE_COLS, pn + 1, job->parts_n),
    };
    (void)thread;
    if (r.i0 == r.i1) return;
    r.rows = ceil_div(r.i1 - r.i0, ceil_div(r.i1 - r.i0, job->tile_rows));
    if (!job->rows_outer) {
        run_panels_outer(job, &r);
    } else if (job->shared) {
        run_rows_outer(job, &r, job->k0);
    } else {
        int64_t k0 = 0;
        do run_rows_outer(job, &r, k0);
        while ((k0 += job->depth) < job->k);
    }
}

static void pack_part(void *arg, int64_t part, int thread) {
    const gemm_job *job = arg;
    const int64_t j = job->j0 + part * TILE_COLS, depth = min64(job->k - job->k0, job->depth);
    (void)thread;
    pack_panel(
        job, job->shared + (j - job->j0) * depth, j, min64(job->j1 - j, TILE_COLS), job->k0, depth);
}

/* ---- scalar products ------------------------------------------------------------------------- */

/* Both operands lie along k, and one of them has so few rows that a tile would be nearly empty:
 * LANES scalar products at a time, each with a vector of partial sums. */
#define DOT_FEW 3

/* Lane j is x . y[j]; rows of y from `many` on are the last one again. */
KT_INLINE vf dot_lanes(int64_t k, const float *x, const float *y, int64_t sy, int64_t many) {
    const float *row[LANES];
    vf s[LANES];
    for (int j = 0; j < LANES; j++) row[j] = y + min64(j, many - 1) * sy, s[j] = vf_set(0);
    int64_t q = 0;
    for (; q + LANES <= k; q += LANES) {
        const vf v = vf_load(x + q);
        for (int j = 0; j < LANES; j++) s[j] = vf_fma(v, vf_load(row[j] + q), s[j]);
    }
    if (q < k) {
        const vf v = vf_load_n(x + q, k - q);
        for (int j = 0; j < LANES; j++) s[j] = vf_fma(v, vf_load_n(row[j] + q, k - q), s[j]);
    }
    return vf_sum_each(s);
}

/* Products of few row i with the many j …: a part of row i of C, or of column i where they are
 * swapped */
static void finish_dots(const gemm_job *job, vf v, int64_t i, int64_t j, int64_t many) {
    const kt_gemm *g = job->g;
    const int64_t step = job->swapped ? g->ldc : 1;
    float t[LANES] = {0}, *c = job->swapped ? g->c + j * g->ldc + i : g->c + i * g->ldc + j;
    if (g->accumulate) {
        for (int64_t q = 0; q < many; q++) t[q] = c[q * step];
        v += vf_load_n(t, many);
    }
    if (g->bias) v += job->swapped ? vf_set(g->bias[i]) : vf_load_n(g->bias + j, many);
    vf_store(t, v);
    if (g->epilogue != KT_EPI_NONE) KT_FN(kt_kernels).unary[g->epilogue](t, t, many);
    if (step == 1)
        vf_store_n(c, vf_load(t), many);
    else
        for (int64_t q = 0; q < many; q++) c[q * step] = t[q];
}

/* job->x holds the few rows, job->y the many. */
static void run_dots(void *arg, int64_t part, int thread) {
    const gemm_job *job = arg;
    const int64_t from = part_start(0, job->n, LANES, part, job->parts_n);
    const int64_t to = part_start(0, job->n, LANES, part + 1, job->parts_n);
    (void)thread;
    for (int64_t j = from; j < to; j += LANES) {
        const int64_t many = min64(to - j, LANES);
        for (int64_t i = 0; i < job->m; i++) {
            const float *x = job->x + i * job->sx, *y = job->y + j * job->sy;
            finish_dots(job, dot_lanes(job->k, x, y, job->sy, many), i, j, many);
        }
    }
}

/* ---- the plan -------------------------------------------------------------------------------- */

static bool b_is_column(const kt_gemm *g) { return !g->tb && g->n == 1 && g->ldb == 1; }

static bool is_dots(const kt_gemm *g) {
    return !g->ta && (g->tb || b_is_column(g)) && min64(g->m, g->n) <= DOT_FEW;
}

static void set_operands(gemm_job *job, bool swapped) {
    const kt_gemm *g = job->g;
    job->swapped = swapped;
    job->k = g->k;
    job->m = swapped ? g->n : g->m;
    job->n = swapped ? g->m : g->n;
    job->x = swapped ? g->b : g->a;
    job->y = swapped ? g->a : g->b;
    job->sx = swapped ? g->ldb : g->lda;
    job->sy = swapped ? g->lda : g->ldb;
    job->x_along = swapped ? g->tb : !g->ta;
    job->y_across = swapped ? !g->ta : g->tb;
}

static bool want_swap(const kt_gemm *g) {
    if (g->ta) { /* vectors of which little is used, against turning the result */
        const double plain = (double)g->m * (double)ceil_div(g->n, LANES) * (double)g->k;
        const double turned = (double)g->n * (double)ceil_div(g->m, LANES) * (double)(g->k + LANES);
        return !g->tb && g->n < LANES && turned < plain;
    }
    /* transposing B against transposing A and the result */
    return g->tb && (double)g->k * (double)g->n > (double)(g->k + g->n) * (double)g->m;
}

/* Many rows, side by side and read in place for each panel: they are no multiples of four lines
 * apart, which would fall onto each other in the first cache. */
static bool is_tall(const gemm_job *job) {
    return !job->x_along && !job->y_across && job->m > ROWS_FEW && job->n > TILE_COLS &&
           job->k <= KC && job->sx % 64 && 4.0 * (double)job->m * (double)job->k <= DIRECT_BYTES;
}

/* How to split, once it is known how many parts pay. */
static void set_parts(gemm_job *job, int64_t cols) {
    const double flops = 2.0 * (double)job->m * (double)cols * (double)job->k;
    const int threads = kt_pool_threads();
    int64_t parts = 1;
    if (threads > 1 && flops >= PARALLEL_FLOPS)
        parts = min64(4 * (int64_t)threads, (int64_t)(flops / (PARALLEL_FLOPS / 4)));
    const int64_t tiles_m = ceil_div(job->m, job->tile_rows), tiles_n = ceil_div(cols, TILE_COLS);
    if (job->tall) parts = min64(parts, threads); /* each packs every panel */
    if (job->rows_outer || job->tall) {
        job->parts_m = min64(parts, tiles_m);
        job->parts_n = min64(ceil_div(parts, job->parts_m), tiles_n);
    } else {
        job->parts_n = min64(parts, tiles_n);
        job->parts_m = min64(ceil_div(parts, job->parts_n), tiles_m);
    }
}

/* Everything but the place of the shared block; true if one is wanted. */
static bool make_plan(gemm_job *job, const kt_gemm *g) {
    *job = (gemm_job){.g = g};
    set_operands(job, want_swap(g));
    const double y_bytes = 4.0 * (double)job->k * (double)job->n;
    job->tall = is_tall(job);
    job->rows_outer = !job->tall && job->m > TILE_ROWS && (!job->x_along || job->m > ROWS_FEW);
    job->tile_rows = TILE_ROWS;
    job->depth = ceil_div(job->k, ceil_div(job->k ? job->k : 1, KC));
    if (!job->depth) job->depth = 1;
    const bool costly_y = y_bytes > DIRECT_BYTES || (job->sy % ALIAS == 0 && job->k > 64);
    const bool alias_x = job->x_along && job->sx % ALIAS == 0;
    if (job->rows_outer)
        job->pack_x = job->x_along ? job->n >= (alias_x ? NC / 4 : NC) : job->n > TILE_COLS;
    if (alias_x && !job->pack_x) job->tile_rows = min64(TILE_ROWS, 8);
    if (job->rows_outer) return job->y_across || costly_y;
    job->pack_y = job->tall || job->y_across || (job->m > TILE_ROWS && costly_y);
    return false;
}

static void gemm_dots(const kt_gemm *g) {
    gemm_job job = {.g = g};
    set_operands(&job, g->n < g->m);
    if (b_is_column(g)) *(job.swapped ? &job.sx : &job.sy) = g->k;
    job.tile_rows = TILE_ROWS;
    set_parts(&job, job.n);
    job.parts_n = min64(job.parts_n * job.parts_m, ceil_div(job.n, LANES));
    kt_pool_run(run_dots, &job, job.parts_n);
}

static void gemm_shared(gemm_job *job, float *scratch) {
    job->shared = scratch;
    for (job->j0 = 0; job->j0 < job->n; job->j0 += NC) {
        job->j1 = min64(job->j0 + NC, job->n);
        set_parts(job, job->j1 - job->j0);
        job->k0 = 0;
        do {
            const int64_t panels = ceil_div(job->j1 - job->j0, TILE_COLS);
            if (job->parts_m * job->parts_n > 1)
                kt_pool_run(pack_part, job, panels);
            else
                for (int64_t p = 0; p < panels; p++) pack_part(job, p, 0);
            kt_pool_run(run_part, job, job->parts_m * job->parts_n);
        } while ((job->k0 += job->depth) < job->k);
    }
}

/* ---- two halves of k ------------------------------------------------------------------------- */

static bool is_halved(const gemm_job *job) {
    return !job->rows_outer && !job->swapped && !job->y_across && job->k >= HALVES_MIN_K &&
           job->k >= 4 * job->m && job->m > 1;
}

static void run_half(void *arg, int64_t part, int thread) {
    const gemm_job *half = arg;
    const int64_t parts = half->parts_m * half->parts_n;
    run_part((void *)(half + part / parts), part % parts, thread);
}

/* C += the other half, then bias and activation */
static void add_half(const kt_gemm *g, const float *other) {
    for (int64_t i = 0; i < g->m; i++, other += g->n) {
        float *c = g->c + i * g->ldc;
        for (int64_t j = 0; j < g->n; j += LANES) {
            const int64_t n = min64(g->n - j, LANES);
            vf v = vf_load_n(c + j, n) + vf_load_n(other + j, n);
            if (g->bias) v += vf_load_n(g->bias + j, n);
            if (g->epilogue == KT_UN_relu) v = vf_max(vf_set(0), v);
            vf_store_n(c + j, v, n);
        }
    }
    if (is_strip(g->epilogue)) finish_strips(g, 0, g->m, 0, g->n);
}

static void gemm_halves(const kt_gemm *g, float *scratch) {
    kt_gemm half[2] = {*g, *g};
    gemm_job job[2];
    half[0].k = g->k / 2;
    half[1].k = g->k - g->k / 2;
    half[1].a += g->ta ? half[0].k * g->lda : half[0].k;
    half[1].b += half[0].k * g->ldb;
    half[1].c = scratch;
    half[1].ldc = g->n;
    half[1].accumulate = false;
    for (int i = 0; i < 2; i++) {
        half[i].bias = NULL;
        half[i].epilogue = KT_EPI_NONE;
        make_plan(&job[i], &half[i]);
    }
    set_parts(&job[1], job[1].n);
    job[0].parts_m = job[1].parts_m;
    job[0].parts_n = job[1].parts_n;
    const int64_t parts = 2 * job[0].parts_m * job[0].parts_n;
    if (2.0 * (double)g->m * (double)g->n * (double)g->k >= PARALLEL_FLOPS)
        kt_pool_run(run_half, job, parts);
    else
        for (int64_t i = 0; i < parts; i++) run_half(job, i, 0);
    add_half(g, scratch);
}

size_t KT_FN(kt_gemm_scratch)(const kt_gemm *g) {
    gemm_job job;
    if (g->m <= 0 || g->n <= 0 || is_dots(g)) return 0;
    if (!make_plan(&job, g)) return is_halved(&job) ? (size_t)(g->m * g->n) * sizeof(float) : 0;
    return (size_t)(job.depth * round_lanes(min64(job.n, NC))) * sizeof(float);
}

void KT_FN(kt_gemm)(const kt_gemm *g, void *scratch) {
    gemm_job job;
    if (g->m <= 0 || g->n <= 0) return;
    if (is_dots(g)) {
        gemm_dots(g);
        return;
    }
    if (make_plan(&job, g)) {
        gemm_shared(&job, scratch);
        return;
    }
    if (is_halved(&job)) {
        gemm_halves(g, scratch);
        return;
    }
    set_parts(&job, job.n);
    kt_pool_run(run_part, &job, job.parts_m * job.parts_n);
}
