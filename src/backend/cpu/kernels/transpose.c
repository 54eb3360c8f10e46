/* Transposition by square tiles of LANES x LANES floats in registers.
 *
 * Tiles at the edges are loaded and stored with masks. */
#include "backend/cpu/kernels/parts.h"
#include "backend/cpu/kernels/turn.h"

KT_INLINE void transpose_tile(float *y, int64_t ldy, const float *x, int64_t ldx) {
    vf v[LANES];
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++) v[i] = vf_load(x + i * ldx);
    vf_turn(v);
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++) vf_store(y + i * ldy, v[i]);
}

/* rows, cols <= LANES */
static void transpose_edge(
    float *y, int64_t ldy, const float *x, int64_t ldx, int64_t rows, int64_t cols) {
    vf v[LANES];
    for (int i = 0; i < LANES; i++) v[i] = i < rows ? vf_load_n(x + i * ldx, cols) : vf_set(0);
    vf_turn(v);
    for (int i = 0; i < cols; i++) vf_store_n(y + i * ldy, v[i], rows);
}

void KT_FN(kt_transpose_ld)(
    float *y, int64_t ldy, const float *x, int64_t ldx, int64_t rows, int64_t cols) {
    for (int64_t r = 0; r < rows; r += LANES) {
        const int64_t m = rows - r < LANES ? rows - r : LANES;
        for (int64_t c = 0; c < cols; c += LANES) {
            const int64_t n = cols - c < LANES ? cols - c : LANES;
            float *to = y + c * ldy + r;
            const float *from = x + r * ldx + c;
            if (m == LANES && n == LANES)
                transpose_tile(to, ldy, from, ldx);
            else
                transpose_edge(to, ldy, from, ldx, m, n);
        }
    }
}

void KT_FN(kt_transpose)(float *y, const float *x, int64_t rows, int64_t cols) {
    KT_FN(kt_transpose_ld)(y, rows, x, cols, rows, cols);
}
