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
void KT_FN(kt_conv_pack)(float *to, const float *kernel, int64_t ld, int64_t rows, int64_t cols) {
    for (int64_t j = 0; j < cols; j += TILE_COLS) {
        const int64_t width = min64(cols - j, TILE_COLS);
        for (int64_t r = 0; r < rows; r++)
            for (int64_t i = 0; i < width; i += LANES, to += LANES)
                vf_store(to, vf_load_n(kernel + r * ld + j + i, min64(width - i, LANES)));
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

void KT_FN(kt_conv_back)(const kt_conv_back *b) {
    const int64_t ld = round_lanes(b->cols), tiles = (b->depth + TILE_ROWS - 1) / TILE_ROWS;
    const kt_tile_end end = {
        .last = LANES, .add = true, .runs = b->rows, .run_step = b->row_step, .ahead = b->x};
    for (int64_t run = 0; run < b->runs; run++) {
        for (int64_t t = 0; t < tiles; t++) {
            const int64_t i = b->depth * t / tiles, rows = b->depth * (t + 1) / tiles - i;
            const float *x = b->x + run * b->run_step + i;
            float *dk = b->dk + (run * b->depth + i) * b->ldk;
            kt_tile_fn *fn = KT_FN(kt_tiles)[1][rows][ld / LANES];
            fn(b->n, x, b->x_step, b->dy, ld, dk, b->ldk, &end);
        }
    }
}

/* Pooling -------------------------------------------------------------------------------------- */

/* Where v is larger than the best so far, it and its number take the place; a NaN counts as the
 * largest. */
KT_INLINE void larger(vf *best, vi *tap, vf v, int t) {
#if defined(KT_AVX512)
    const __mmask16 number = _mm512_cmp_ps_mask((__m512)*best, (__m512)*best, _CMP_ORD_Q);
    const __mmask16 more = _mm512_mask_cmp_ps_mask(number, (__m512)v, (__m512)*best, _CMP_NLE_UQ);
    *best = (vf)_mm512_mask_mov_ps((__m512)*best, more, (__m512)v);
    *tap = (vi)_mm512_mask_mov_epi32((__m512i)*tap, more, _mm512_set1_epi32(t));
#else
    const vi more = (vi)(v > *best) | ((vi)(v != v) & (vi)(*best == *best));
    *best = (vf)((more & (vi)v) | (~more & (vi)*best));
    *tap = (more & t) | (~more & *tap);
#endif
}

/* One vector of channels of one window. */
KT_INLINE void pool_lanes(
    float *y, uint8_t *at, const float *x, const kt_pool_row *r, int rows, int cols, int64_t m) {
    vf best = vf_load(x);
    vi tap = {0};
    for (int i = 0; i < rows; i++)
        for (int k = 0; k < cols; k++)
            if (i || k) larger(&best, &tap, vf_load(x + i * r->ldx + k * r->step), i * cols + k);
    if (r->relu) {
        const vi alive = (vi)(best > vf_set(0));
        tap = (alive & tap) | (~alive & 255);
        best = vf_max(vf_set(0), best);
    }
    vi_store_u8(at, tap, min64(m, LANES));
    if (m >= LANES)
        vf_store(y, best);
    else
        vf_store_n(y, best, m);
}

KT_INLINE void pool_windows(const kt_pool_row *all, int rows, int cols) {
    const kt_pool_row copy = *all, *r = &copy; /* bytes could be anything: also parts of *all */
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
