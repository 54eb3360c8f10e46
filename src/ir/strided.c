/* Strided copies: what broadcast, transpose, slice and pad come down to. Axes that lie one behind
 * the other on both sides become one; large copies are shared among the threads. */
#include "base/pool.h"
#include "ir/kernel.h"

#include <string.h>

#define PART_BYTES 65536 /* of a thread's share, at least */

void kt_strides(const kt_shape *s, int64_t *stride) {
    int64_t step = 1;
    for (int i = s->ndim; i-- > 0; step *= s->dim[i]) stride[i] = step;
}

typedef struct {
    int64_t n, d, s; /* length, and from element to element in dst and src, in bytes */
} axis;

typedef struct {
    axis axes[KT_MAX_RANK + 2]; /* outermost first; at least two */
    int n;
    size_t size;
    char *dst;
    const char *src;
    int64_t parts;
} copy_job;

/* n times the four bytes at s. */
static void fill(char *d, const char *s, int64_t n) {
    uint32_t v;
    memcpy(&v, s, 4);
    if (v == 0)
        memset(d, 0, (size_t)n * 4);
    else
        for (int64_t k = 0; k < n; k++) memcpy(d + k * 4, &v, 4);
}

static inline void copy_each(char *d, const char *s, const axis *row, size_t bytes) {
    for (int64_t i = 0; i < row->n; i++) memcpy(d + i * row->d, s + i * row->s, bytes);
}

/* A call for each row costs more than a short row. */
static void copy_rows(char *d, const char *s, const axis *row, size_t bytes) {
    if (bytes == 4)
        copy_each(d, s, row, 4);
    else if (bytes == 8)
        copy_each(d, s, row, 8);
    else if (bytes == 12)
        copy_each(d, s, row, 12);
    else if (bytes == 16)
        copy_each(d, s, row, 16);
    else if (bytes == 32)
        copy_each(d, s, row, 32);
    else if (bytes == 64)
        copy_each(d, s, row, 64);
    else
        copy_each(d, s, row, bytes);
}

/* The common sizes are spelled out so that memcpy becomes a move. */
static void copy_plane(char *d, const char *s, const axis *row, const axis *col, size_t size) {
    if (col->d == (int64_t)size && col->s == (int64_t)size) {
        copy_rows(d, s, row, (size_t)col->n * size);
    } else if (size == 4 && col->d == 4 && col->s == 0) { /* one value all along */
        for (int64_t i = 0; i < row->n; i++) fill(d + i * row->d, s + i * row->s, col->n);
    } else if (size == 4) {
        for (int64_t i = 0; i < row->n; i++)
            for (int64_t k = 0; k < col->n; k++)
                memcpy(d + i * row->d + k * col->d, s + i * row->s + k * col->s, 4);
    } else {
        for (int64_t i = 0; i < row->n; i++)
            for (int64_t k = 0; k < col->n; k++)
                memcpy(d + i * row->d + k * col->d, s + i * row->s + k * col->s, size);
    }
}

/* The part of the outermost axis that belongs to a chunk, plane by plane. */
static void copy_chunk(void *arg, int64_t chunk, int thread) {
    const copy_job *j = arg;
    axis first = j->axes[0];
    const int64_t from = first.n * chunk / j->parts, to = first.n * (chunk + 1) / j->parts;
    char *d = j->dst + from * first.d;
    const char *s = j->src + from * first.s;
    int64_t planes = 1, at[KT_MAX_RANK + 2] = {0};
    (void)thread;
    first.n = to - from;
    const int outer = j->n - 2;
    for (int i = 0; i < outer; i++) planes *= i ? j->axes[i].n : first.n;
    const axis *row = outer ? &j->axes[outer] : &first, *col = &j->axes[outer + 1];
    for (int64_t p = 0; p < planes; p++) {
        copy_plane(d, s, row, col, j->size);
        for (int i = outer; i-- > 0;) { /* odometer over the leading axes */
            const axis *a = i ? &j->axes[i] : &first;
            d += a->d;
            s += a->s;
            if (++at[i] < a->n) break;
            d -= a->d * a->n;
            s -= a->s * a->n;
            at[i] = 0;
        }
    }
}

/* Appends an axis, or lengthens the one before where they lie one behind the other. */
static void add_axis(copy_job *j, axis a) {
    if (a.n == 1) return;
    axis *last = j->n ? &j->axes[j->n - 1] : NULL;
    if (last && last->d == a.d * a.n && last->s == a.s * a.n)
        *last = (axis){last->n * a.n, a.d, a.s};
    else
        j->axes[j->n++] = a;
}

void kt_copy_strided(
    void *dst,
    const int64_t *dst_stride,
    const void *src,
    const int64_t *src_stride,
    const kt_shape *shape,
    size_t size) {
    copy_job j = {.size = size, .dst = dst, .src = src, .parts = 1};
    const int64_t e = (int64_t)size, total = kt_shape_size(shape);
    if (total == 0) return;
    for (int i = 0; i < shape->ndim; i++)
        add_axis(&j, (axis){shape->dim[i], dst_stride[i] * e, src_stride[i] * e});
    if (!j.n) j.axes[j.n++] = (axis){1, e, e};
    if (j.n == 1) { /* a plane has two axes */
        j.axes[1] = j.axes[0];
        j.axes[0] = (axis){1, 0, 0};
        j.n = 2;
    }
    const int64_t most = total * e / PART_BYTES, threads = kt_pool_threads();
    j.parts = most < 1 || j.axes[0].n < 2 * threads ? 1 : most < 8 * threads ? most : 8 * threads;
    if (j.parts > j.axes[0].n) j.parts = j.axes[0].n;
    if (j.parts > 1)
        kt_pool_run(copy_chunk, &j, j.parts);
    else
        copy_chunk(&j, 0, 0);
}
