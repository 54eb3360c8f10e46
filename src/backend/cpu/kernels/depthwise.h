/* What the kernels of depthwise convolutions work on. See depthwise.c. */
#ifndef KT_KERNELS_DEPTHWISE_H
#define KT_KERNELS_DEPTHWISE_H

#include <stdint.h>

/** Results side by side, each a sum over rows x cols taps of x times k, channel by channel. Steps
 * are floats: from tap to tap of x and of k, from place to place of x and of y. */
typedef struct kt_depth {
    int64_t n; ///< channels
    int64_t places, rows, cols;
    int64_t x_row, x_col, k_row, k_col, x_step, y_step;
    const float *bias; ///< [n] or NULL
} kt_depth;

#endif
