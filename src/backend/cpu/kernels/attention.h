/* Attention of one head of one sample: see attention.c. */
#ifndef KT_KERNELS_ATTENTION_H
#define KT_KERNELS_ATTENTION_H

#include <stdbool.h>
#include <stdint.h>

#define KT_ATTENTION_MAX_DIM 256 /* h and d: packed keys and values lie on the stack */

/** Row i of q is q + i ldq, and so on; t queries, s keys, h and d floats in a row. */
typedef struct kt_attention {
    int64_t t, s, h, d;
    const float *q, *k, *v;
    int64_t ldq, ldk, ldv, ldy; ///< also of dq, dk, dv, dy
    float *y;                   ///< forward: written
    float *stats;               ///< [t][2]: largest score, sum of exponentials; forward: written
    const uint8_t *mask;        ///< 0: left out; NULL: none
    int64_t mask_t, mask_s;     ///< bytes from one query, one key to the next; 0: the same for all
    float scale;
    bool causal;
    /* back */
    const float *dy;
    float *dq, *dk, *dv;
} kt_attention;

#endif
