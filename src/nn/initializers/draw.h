/* Random arrays from counters: element i is a pure function of (key, i), whatever the number of
 * threads. */
#ifndef KT_NN_INITIALIZERS_DRAW_H
#define KT_NN_INITIALIZERS_DRAW_H

#include "tensor/tensor.h"

typedef enum kt_draw {
    KT_DRAW_UNIFORM,  ///< a <= y < b
    KT_DRAW_NORMAL,   ///< mean a, standard deviation b
    KT_DRAW_TRUNCATED ///< the same without what is further than 2 b from a
} kt_draw;

/** Fills an array; float dtypes only (KT_EDTYPE). */
kt_status kt_draw_fill(
    kt_draw kind, double a, double b, uint64_t key, const kt_spec *spec, void *data);

#endif
