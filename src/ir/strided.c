/* Strided copies: what broadcast, transpose, slice and pad come down to. */
#include "ir/kernel.h"

#include <string.h>

void kt_strides(const kt_shape *s, int64_t *stride) {
    int64_t step = 1;
    for (int i = s->ndim; i-- > 0; step *= s->dim[i]) stride[i] = step;
}

/* One row along the last axis; the common sizes are spelled out so that memcpy becomes a move. */
static void copy_row(char *d, int64_t ds, const char *s, int64_t ss, int64_t n, size_t size) {
    if (ds == 1 && ss == 1) {
        memcpy(d, s, (size_t)n * size);
    } else if (size == 4) {
        for (int64_t i = 0; i < n; i++) memcpy(d + i * ds * 4, s + i * ss * 4, 4);
    } else {
        for (int64_t i = 0; i < n; i++)
            memcpy(d + i * ds * (int64_t)size, s + i * ss * (int64_t)size, size);
    }
}

void kt_copy_strided(
    void *dst,
    const int64_t *dst_stride,
    const void *src,
    const int64_t *src_stride,
    const kt_shape *shape,
    size_t size) {
    const int last = shape->ndim - 1;
    int64_t rows = 1, at[KT_MAX_RANK] = {0}, d = 0, s = 0;
    for (int i = 0; i < last; i++) rows *= shape->dim[i];
    const int64_t n = last < 0 ? 1 : shape->dim[last];
    const int64_t ds = last < 0 ? 1 : dst_stride[last], ss = last < 0 ? 1 : src_stride[last];
    for (int64_t r = 0; r < rows && n > 0; r++) {
        copy_row(
            (char *)dst + d * (int64_t)size,
            ds,
            (const char *)src + s * (int64_t)size,
            ss,
            n,
            size);
        for (int i = last; i-- > 0;) { /* odometer over the leading axes */
            d += dst_stride[i];
            s += src_stride[i];
            if (++at[i] < shape->dim[i]) break;
            d -= dst_stride[i] * shape->dim[i];
            s -= src_stride[i] * shape->dim[i];
            at[i] = 0;
        }
    }
}
