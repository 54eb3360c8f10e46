/* Several axes as one value: what Keras writes as axis=[0, 1, 2]. */
#ifndef KERATIN_AXES_H
#define KERATIN_AXES_H

#include <keratin/base.h>

/** Up to eight axes, negative ones from the end, for an argument that also takes one plain axis.
 * It is a kt_tuple; kt_hw(0, 1) and kt_dhw(0, 1, 2) mean the same as kt_axes(0, 1) and kt_axes(0,
 * 1, 2).
 *
 *     kt_con_max_norm(.axis = kt_axes(0, 1, 2, 3)) // the kernel of a Conv3D
 */
#define kt_axes(...)                                                                               \
    KT_AXES_PACK(                                                                                  \
        sizeof((const int[]){__VA_ARGS__}) / sizeof(int), __VA_ARGS__, 0, 0, 0, 0, 0, 0, 0, 0)
/* Bits 60 and 61: 1; from 48: how many; below: six bits for each axis, shifted by 32. */
#define KT_AXES_PACK(n, a, b, c, d, e, f, g, h, ...)                                               \
    ((kt_tuple)(KT_AXES_HEAD(n) | KT_AXES_FOUR(a, b, c, d) | KT_AXES_FOUR(e, f, g, h) << 24))
#define KT_AXES_HEAD(n) (INT64_C(1) << 60 | (int64_t)((n)&15) << 48)
#define KT_AXES_FOUR(a, b, c, d)                                                                   \
    (KT_AXIS_BITS(a) | KT_AXIS_BITS(b) << 6 | KT_AXIS_BITS(c) << 12 | KT_AXIS_BITS(d) << 18)
#define KT_AXIS_BITS(axis) ((int64_t)(((axis) + 32) & 63))

#endif
