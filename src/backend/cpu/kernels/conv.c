/* Convolution without a matrix of windows, and pooling of what it gives.
 *
 * What a window sees in one row of the picture is one piece of memory, a *run*, and windows side by
 * side start a fixed number of floats apart: so the register tiles of gemm.c read the picture
 * itself, run by run, with its cells as broadcasts. The kernel is read in panels as wide as a tile;
 * packed, a panel is one piece of memory. */
#include "backend/cpu/kernels/conv.h"

#include "backend/cpu/kernels/gemm_tile.h"
#include "backend/cpu/kernels/parts.h"

static int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t round_lanes(int64_t n) { return (n + LANES - 1) & -LANES; }

/* [rows, cols] -> panels [rows][TILE_COLS], the last one filled up with zeros to whole vectors */
void KT_FN(kt_conv_pack)(float *to, const float *kernel, int64_t rows, int64_t cols) {
    for (int64_t j = 0; j < cols; j += TILE_COLS) {
        const int64_t width = min64(cols - j, TILE_COLS);
        for (int64_t r = 0; r < rows; r++)
            for (int64_t i = 0; i < width; i += LANES, to += LANES)
                vf_store(to, vf_load_n(kernel + r * cols + j + i, min64(width - i, LANES)));
    }
}

void KT_FN(kt_conv_row)(const kt_conv_row *r) {
    const int64_t ld = r->packed ? round_lanes(r->cols) : r->ldk;
    const int64_t tiles = (r->n + TILE_ROWS - 1) / TILE_ROWS;
    kt_tile_end end = {
        .bias = r->bias,
        .last = LANES - (round_lanes(r->cols) - r->cols),
        .relu = r->relu,
        .runs = r->runs,
        .run_step = r->run_step,
        .ahead = r->x};
    for (int64_t t = 0; t < tiles; t++) {
        const int64_t i = r->n * t / tiles, rows = r->n * (t + 1) / tiles - i;
        kt_tile_fn *fn = KT_FN(kt_tiles)[0][rows][round_lanes(r->cols) / LANES];
        fn(r->depth,
           r->x + i * r->x_step,
           r->x_step,
           r->kernel,
           ld,
           r->y + i * r->ldy,
           r->ldy,
           &end);
    }
}

/* Pooling -------------------------------------------------------------------------------------- */

KT_INLINE vf pick(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }

typedef uint8_t vb __attribute__((vector_size(LANES)));

/* One vector of channels of one window. */
KT_INLINE void pool_lanes(
    float *y, uint8_t *at, const float *x, const kt_pool_row *r, int rows, int cols, int64_t m) {
    vf best = vf_load(x);
    vi tap = {0};
    for (int t = 1; t < rows * cols; t++) {
        const vf v = vf_load(x + t / cols * r->ldx + t % cols * r->step);
        const vi more = (vi)(v > best) | ((vi)(v != v) & (vi)(best == best));
        best = pick(more, v, best);
        tap = (more & t) | (~more & tap);
    }
    if (r->relu) {
        const vi alive = (vi)(best > vf_set(0));
        tap = (alive & tap) | (~alive & 255);
        best = vf_max(vf_set(0), best);
    }
    const vb bytes = __builtin_convertvector(tap, vb);
    if (m >= LANES) {
        vf_store(y, best);
        memcpy(at, &bytes, LANES);
    } else {
        vf_store_n(y, best, m);
        for (int64_t i = 0; i < m; i++) at[i] = bytes[i];
    }
}

KT_INLINE void pool_windows(const kt_pool_row *r, int rows, int cols) {
    for (int64_t i = 0; i < r->n; i++)
        for (int64_t c = 0; c < r->cols; c += LANES)
            pool_lanes(
                r->y + i * r->ldy + c,
                r->at + i * r->ldy + c,
                r->x + i * cols * r->step + c,
                r,
                rows,
                cols,
                r->cols - c);
}

void KT_FN(kt_pool_row)(const kt_pool_row *r) {
    if (r->rows == 2 && r->window == 2)
        pool_windows(r, 2, 2);
    else
        pool_windows(r, r->rows, r->window);
}
