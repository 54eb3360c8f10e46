/* Register tiles: every sum of a tile stays in a register while k runs; one vector load of y
 * per column vector and one broadcast of x per row feed rows x vecs multiply-adds. `rows` and
 * `vecs` are constants in each instance, so all inner loops vanish. */
#include "backend/cpu/kernels/gemm_tile.h"

#define UNROLL _Pragma("GCC unroll 16")

typedef vf tile_sums[TILE_ROWS][TILE_VECS_WIDE];

/* The last vector of each row may be a part of one. */
KT_INLINE vf load_last(const float *p, bool part, int64_t n) {
    return part ? vf_load_n(p, n) : vf_load(p);
}

KT_INLINE void tile_finish(
    const int rows,
    const int vecs,
    const bool part,
    tile_sums s,
    float *c,
    int64_t ldc,
    const kt_tile_end *end) {
    const int64_t n = end->last;
    if (end->add) {
        UNROLL for (int i = 0; i < rows; i++) {
            UNROLL for (int j = 0; j < vecs; j++)
                s[i][j] += load_last(c + i * ldc + j * LANES, part && j == vecs - 1, n);
        }
    }
    if (end->bias) {
        UNROLL for (int j = 0; j < vecs; j++) {
            const vf b = load_last(end->bias + j * LANES, part && j == vecs - 1, n);
            UNROLL for (int i = 0; i < rows; i++) s[i][j] += b;
        }
    }
    if (end->relu) {
        UNROLL for (int i = 0; i < rows; i++) {
            UNROLL for (int j = 0; j < vecs; j++) s[i][j] = vf_max(vf_set(0), s[i][j]);
        }
    }
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int j = 0; j < vecs - part; j++) vf_store(c + i * ldc + j * LANES, s[i][j]);
        if (part) vf_store_n(c + i * ldc + (vecs - 1) * LANES, s[i][vecs - 1], n);
    }
}

/* One step of k, added to s. */
KT_INLINE void tile_step(
    const int rows,
    const int vecs,
    const bool along,
    const float *x,
    int64_t sx,
    const float *y,
    const kt_tile_end *end,
    tile_sums s) {
    vf v[TILE_VECS_WIDE];
    UNROLL for (int j = 0; j < vecs; j++)
        v[j] = load_last(y + j * LANES, TILE_PARTIAL && vecs == 1, end->last);
    UNROLL for (int i = 0; i < rows; i++) {
        const vf u = vf_set(along ? x[i * sx] : x[i]);
        UNROLL for (int j = 0; j < vecs; j++) s[i][j] = vf_fma(u, v[j], s[i][j]);
    }
}

KT_INLINE void tile_body(
    const int rows,
    const int vecs,
    const bool along,
    const int64_t depth,
    const float *x0,
    int64_t sx,
    const float *y,
    int64_t ldy,
    float *c,
    int64_t ldc,
    const kt_tile_end *end) {
    tile_sums s;
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int j = 0; j < vecs; j++) s[i][j] = vf_set(0);
    }
    const float *ahead = end->ahead;
    for (int64_t run = 0; run == 0 || run < end->runs; run++) {
        const float *x = x0 + run * end->run_step;
        for (int64_t k = depth; k > 0; k--) {
            if (vecs == TILE_VECS) {
                __builtin_prefetch(ahead, 0, 2);
                ahead += end->ahead_step;
            }
            tile_step(rows, vecs, along, x, sx, y, end, s);
            x += along ? 1 : sx;
            y += ldy;
        }
    }
    if (end->last == LANES)
        tile_finish(rows, vecs, false, s, c, ldc, end);
    else
        tile_finish(rows, vecs, true, s, c, ldc, end);
}

#define TILE_ARGS                                                                                  \
    int64_t k, const float *x, int64_t sx, const float *y, int64_t ldy, float *c, int64_t ldc,     \
        const kt_tile_end *end
#define TILE(rows, vecs)                                                                           \
    static void tile_along_##rows##x##vecs(TILE_ARGS) {                                            \
        tile_body(rows, vecs, true, k, x, sx, y, ldy, c, ldc, end);                                \
    }                                                                                              \
    static void tile_across_##rows##x##vecs(TILE_ARGS) {                                           \
        tile_body(rows, vecs, false, k, x, sx, y, ldy, c, ldc, end);                               \
    }

// clang-format off
#define TILES_SMALL(T)                                                                             \
    T(1, 1)                                                                                        \
    T(1, 2)                                                                                        \
    T(1, 8)                                                                                        \
    T(2, 1)                                                                                        \
    T(2, 2) T(2, 4) T(3, 1) T(3, 2) T(3, 4) T(4, 1) T(4, 2) T(4, 4) T(5, 1) T(5, 2) T(6, 1) T(6, 2)
#if TILE_ROWS == 14
#define TILES(T)                                                                                   \
    TILES_SMALL(T)                                                                                 \
    T(7, 1)                                                                                        \
    T(7, 2)                                                                                        \
    T(8, 1)                                                                                        \
    T(8, 2)                                                                                        \
    T(9, 1)                                                                                        \
    T(9, 2) T(10, 1) T(10, 2) T(11, 1) T(11, 2) T(12, 1) T(12, 2) T(13, 1) T(13, 2) T(14, 1)       \
        T(14, 2)
#else
#define TILES(T) TILES_SMALL(T)
#endif
// clang-format on

TILES(TILE)

/* A single row and few columns: a multiply-add takes four cycles, so the steps are dealt out to
 * four sums, which do not wait for one another. */
KT_INLINE void line_body(
    const int vecs,
    int64_t k,
    const float *x,
    const float *y,
    int64_t ldy,
    float *c,
    const kt_tile_end *end) {
    tile_sums s[4];
    UNROLL for (int d = 0; d < 4; d++) {
        UNROLL for (int j = 0; j < vecs; j++) s[d][0][j] = vf_set(0);
    }
    for (; k >= 4; k -= 4, x += 4, y += 4 * ldy)
        UNROLL for (int d = 0; d < 4; d++)
            tile_step(1, vecs, true, x + d, 0, y + d * ldy, end, s[d]);
    for (; k > 0; k--, x++, y += ldy) tile_step(1, vecs, true, x, 0, y, end, s[0]);
    UNROLL for (int j = 0; j < vecs; j++)
        s[0][0][j] = (s[0][0][j] + s[1][0][j]) + (s[2][0][j] + s[3][0][j]);
    if (end->last == LANES)
        tile_finish(1, vecs, false, s[0], c, 0, end);
    else
        tile_finish(1, vecs, true, s[0], c, 0, end);
}
#define LINE(vecs)                                                                                 \
    static void line_##vecs(TILE_ARGS) {                                                           \
        (void)sx;                                                                                  \
        (void)ldc;                                                                                 \
        line_body(vecs, k, x, y, ldy, c, end);                                                     \
    }
LINE(1)
LINE(2)

#define ALONG(rows, vecs) [rows][vecs] = tile_along_##rows##x##vecs,
#define ACROSS(rows, vecs) [rows][vecs] = tile_across_##rows##x##vecs,
kt_tile_fn *const KT_FN(kt_tiles)[2][TILE_ROWS + 1][TILE_VECS_WIDE + 1] = {
    {TILES(ALONG)[0] = {[1] = line_1, [2] = line_2}},
    {TILES(ACROSS)},
};
