/* What the kernels of pools work on. See pool.c. */
#ifndef KT_KERNELS_POOL_H
#define KT_KERNELS_POOL_H

#include <stdbool.h>
#include <stdint.h>

/** Windows side by side, each of rows x cols cells of n channels; cells of a row follow one
 * another. Results lie n floats apart. */
typedef struct kt_pool_cells {
    int64_t n, places, rows, cols;
    int64_t x_row, x_step; ///< floats from row to row, and from window to window
    bool add;              ///< gradients: add to dx instead of writing it
} kt_pool_cells;

#endif
