/* Products of rounded rows with int8 weights: see kernels/int8.c and ops/int8_matmul.c. */
#ifndef KT_KERNELS_INT8_H
#define KT_KERNELS_INT8_H

#include <stdint.h>

#define KT_INT8_ROWS 64 /* of a block */
#define KT_INT8_COLS 64 /* a cache line of weights */

/** y [rows, n] = x [rows, k] by w [k, n] and scale [n]. */
typedef struct kt_int8 {
    int64_t rows, k, n;
    const float *x, *scale;
    const int8_t *w;
    float *y;
    float low, high, epsilon;
    /* scratch */
    int16_t *q;   ///< [rows, KT_INT8_PITCH(k)]: the rounded rows, as the level wants them
    float *s;     ///< [rows]: their scales
    int32_t *sum; ///< [rows]: their sums
} kt_int8;
#define KT_INT8_PITCH(k) (((k) + 3) / 4 * 4)

#endif
