/* A square of LANES x LANES floats, transposed in registers.
 *
 * log2(LANES) rounds of "interleave row i with row i + LANES/2" are a transposition; each is
 * two shuffles of two vectors that every instruction set has in some form. */
#ifndef KT_KERNELS_TURN_H
#define KT_KERNELS_TURN_H

#include "backend/cpu/kernels/vec.h"

#if LANES == 16
#define INTERLEAVE_LO(a, b)                                                                        \
    __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define INTERLEAVE_HI(a, b)                                                                        \
    __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#elif LANES == 8
#define INTERLEAVE_LO(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define INTERLEAVE_HI(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#else
#define INTERLEAVE_LO(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define INTERLEAVE_HI(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#endif

KT_INLINE void turn_round(vf *to, const vf *from) {
#pragma GCC unroll 16
    for (int i = 0; i < LANES / 2; i++) {
        to[2 * i] = INTERLEAVE_LO(from[i], from[i + LANES / 2]);
        to[2 * i + 1] = INTERLEAVE_HI(from[i], from[i + LANES / 2]);
    }
}

KT_INLINE void vf_turn(vf *v) {
    vf t[LANES];
    turn_round(t, v);
    turn_round(v, t);
#if LANES >= 8
    turn_round(t, v);
#endif
#if LANES == 16
    turn_round(v, t);
#elif LANES == 8
#pragma GCC unroll 8
    for (int i = 0; i < LANES; i++) v[i] = t[i];
#endif
}

/** Lane i of the result is the sum over the lanes of v[i], always in the same order. */
KT_INLINE vf vf_sum_each(vf *v) {
    vf_turn(v);
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++) v[i] += v[i + half];
    return v[0];
}

#endif
