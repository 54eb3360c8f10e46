/* The inner kernels of gemm.c: one register tile of the product. See gemm_tile.c. */
#ifndef KT_KERNELS_GEMM_TILE_H
#define KT_KERNELS_GEMM_TILE_H

#include "backend/cpu/kernels/vec.h"

/* Rows and vectors of the largest tile: 28 of 32 registers hold sums, 12 of 16 */
#if LANES == 16
#define TILE_ROWS 14
#else
#define TILE_ROWS 6
#endif
#define TILE_VECS 2
#define TILE_COLS (TILE_VECS * LANES)
/* Tiles of few rows are wider: enough independent sums to keep the units busy */
#define TILE_VECS_WIDE 8

/* Can a kernel of one vector read a part of it? Elsewhere such panels are packed with zeros
 * behind. */
#define TILE_PARTIAL (LANES >= 8)

/** What happens to the finished sums. */
typedef struct kt_tile_end {
    const float *bias;  ///< one per column, or NULL
    int64_t last;       ///< columns of the last vector: 1 … LANES
    bool add, relu;     ///< add to what c holds; then the bias, then max(0, …)
    const float *ahead; ///< memory to fetch on the way, one line per step of k
    int64_t ahead_step; ///< floats from one line to the next
    int64_t runs;       ///< k steps are done so many times (0: once), y goes on
    int64_t run_step;   ///< floats of x from the start of one run to the next
} kt_tile_end;

/** c[rows, columns] = sum over k of x[i,k] y[k,j]. `sx` is the distance of two rows of x (kind
 * 0, x is read along its rows) or of two steps of k (kind 1, the rows lie side by side). */
typedef void kt_tile_fn(
    int64_t k,
    const float *x,
    int64_t sx,
    const float *y,
    int64_t ldy,
    float *c,
    int64_t ldc,
    const kt_tile_end *end);

/** [kind][rows][vecs]; NULL where there is none. Rows 1 have vecs 1, 2 and 8; 2 to 4 have 1, 2
 * and 4. [0][0][1] and [0][0][2] are for a product of one row in all, whose sums are others than
 * those of a row among many. */
extern kt_tile_fn *const KT_FN(kt_tiles)[2][TILE_ROWS + 1][TILE_VECS_WIDE + 1];

#endif
