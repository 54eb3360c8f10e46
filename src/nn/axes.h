/* Reading the axes out of a kt_tuple: 1, kt_hw(0, 1), kt_dhw(0, 1, 2), kt_axes(…) or KT_NONE. */
#ifndef KT_NN_AXES_H
#define KT_NN_AXES_H

#include <keratin/axes.h>

/** Fills axes[KT_MAX_RANK] in the order given and returns how many there are; 0 for None. Whether
 * they are in range is for the caller to see: negative ones come as they are. */
static inline int kt_axes_list(kt_tuple t, int *axes) {
    const int64_t form = t >> 60;
    int n = 0;
    if (t == KT_NONE) return 0;
    if (form == 1) {
        n = (int)(t >> 48 & 15);
        if (n > KT_MAX_RANK) n = KT_MAX_RANK;
        for (int i = 0; i < n; i++) axes[i] = (int)(t >> 6 * i & 63) - 32;
    } else if (form == 2 || form == 3) {
        n = (int)form;
        for (int i = 0; i < n; i++) axes[i] = (int)(t >> 20 * (n - 1 - i) & 0xfffff);
    } else { /* no rank comes near the ends */
        axes[n++] = t < -1000 ? -1000 : t > 1000 ? 1000 : (int)t;
    }
    return n;
}

/** The opposite: as kt_axes() writes them. */
static inline kt_tuple kt_axes_of(int n, const int *axes) {
    kt_tuple t = KT_AXES_HEAD(n);
    for (int i = 0; i < n; i++) t |= KT_AXIS_BITS(axes[i]) << 6 * i;
    return t;
}

#endif
