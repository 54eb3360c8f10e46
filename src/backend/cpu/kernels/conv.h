/* What the kernels of convolutions work on. See conv.c and conv_sparse.c. */
#ifndef KT_KERNELS_CONV_H
#define KT_KERNELS_CONV_H

#include <stdbool.h>
#include <stdint.h>

/** Results of a convolution side by side: y[n, cols] = sum over runs of x[depth] k[depth, cols]. */
typedef struct kt_conv_row {
    int64_t n, cols;                ///< cols: at most conv_panel
    int64_t runs, depth;            ///< of the window: rows, floats in a row
    const float *x, *kernel, *bias; ///< bias may be NULL
    int64_t x_step, run_step;       ///< floats from place to place, from run to run
    int64_t ldk;                    ///< floats from row to row of the kernel, if it is not packed
    bool packed, relu;
    float *y;
    int64_t ldy;
} kt_conv_row;

/** The gradient of the kernel: dk[runs * depth, cols] += x dy over rows of n places each. */
typedef struct kt_conv_back {
    int64_t rows, n, cols;              ///< cols: at most conv_panel
    int64_t runs, depth;                ///< of the window
    const float *x, *dy;                ///< dy: [rows * n, cols filled up to whole vectors]
    int64_t x_step, run_step, row_step; ///< of x: from place to place, run to run, row to row
    float *dk;                          ///< is written up to whole vectors as well
    int64_t ldk;
} kt_conv_back;

/** Pooling windows of rows x window cells side by side: the largest cell and which one it was. */
typedef struct kt_pool_row {
    int64_t n, cols; ///< windows, channels
    int rows, window;
    const float *x;
    int64_t step, ldx; ///< floats from cell to cell, from row to row
    float *y;          ///< channels of a window are read up to whole vectors, and written exactly
    uint8_t *at;
    int64_t ldy; ///< of y and at
    bool relu;   ///< largest of 0 and these; 255 where that is 0
} kt_pool_row;

/** Which cells of a picture have a gradient: for each filter a list of values and places. */
typedef struct kt_sparse_lists {
    int64_t n, filters; ///< windows; dy and at are [n, filters]
    int64_t ld;         ///< from window to window in those
    const float *dy;
    const uint8_t *at;
    const int32_t *start; ///< [n]: where a window begins
    const int32_t *tap;   ///< [256]: how far from there each of its cells is; -1: no such cell
    int taps;             ///< how many there are
    float *value;
    int32_t *place;
    int64_t room;   ///< elements from list to list: n and one vector more
    int64_t *count; ///< [filters]
} kt_sparse_lists;

/** One list at work on [runs][depth] floats from each of its places on. A kernel's runs are filled
 * up to whole vectors (conv_round); the picture is read and written so far as well. */
typedef struct kt_sparse {
    int64_t n;
    const float *value;
    const int32_t *place;
    float *x;
    int64_t runs, depth, run_step;
} kt_sparse;

/** The gradient of the picture where the kernel is 3 x 3 and the pool 2 x 2, both with strides
 * as Keras has them by default, and channels fill vectors; NULL where the processor does better
 * without. pack brings a kernel [9 channels, filters] into its order; l's lists are made on the
 * way: value and place have room for n filters and a vector more, count for 4 n. */
typedef struct kt_patch_kernels {
    void (*pack)(float *to, const float *kernel, int64_t channels, int64_t filters);
    void (*input)(
        const float *packed, float *x, int64_t row, int64_t channels, const kt_sparse_lists *l);
} kt_patch_kernels;

/** The same gradient for few channels: dk[cells, filters] += x[start + tap + cell] dy. */
typedef struct kt_few {
    int64_t n, filters, cells;
    int64_t ld; ///< from window to window in dy and at
    const float *x, *dy;
    const uint8_t *at;
    const int32_t *start, *tap, *cell;
    int taps;
    int64_t ldk; ///< of dk: filters filled up to whole vectors
} kt_few;

#endif
