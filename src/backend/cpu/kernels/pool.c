/* Largest cell, and mean, of a window, one vector of channels at a time. Which cell was the largest
 * is kept as a number per lane; the gradient finds that out again, which costs less than to keep it
 * in memory. */
#include "backend/cpu/kernels/pool.h"

#include "backend/cpu/kernels/parts.h"

#define HALF (LANES / 2)

/* m channels: all lanes or half of them (then a constant), or the last few */
KT_INLINE vf load(const float *p, int64_t m) {
    return m == LANES ? vf_load(p) : m == HALF ? vf_load_half(p) : vf_load_n(p, m);
}

KT_INLINE void store(float *p, vf v, int64_t m) {
    if (m == LANES)
        vf_store(p, v);
    else if (m == HALF)
        vf_store_half(p, v);
    else
        vf_store_n(p, v, m);
}

#define WIDE 64 /* channels; fewer of them, and the processor sees by itself what comes next */

/* The next window to write, the one after the next to read: cells lie in many places. */
KT_INLINE void fetch_window(const float *x, const kt_pool_cells *w, const int write) {
    if (w->n < WIDE) return;
    x += (write ? 1 : 2) * w->x_step;
    for (int64_t r = 0; r < w->rows; r++)
        for (int64_t k = 0; k < w->x_step; k += 16)
            if (write) /* clang wants a constant */
                __builtin_prefetch(x + r * w->x_row + k, 1);
            else
                __builtin_prefetch(x + r * w->x_row + k, 0);
}

/* SIDE vectors of channels side by side, or one of m channels */
#define SIDE 4
KT_INLINE void max_lanes(float *y, const float *x, const kt_pool_cells *w, int side, int64_t m) {
    vf best[SIDE];
    vi nan[SIDE]; /* the maximum of the processor loses them */
    for (int j = 0; j < side; j++) {
        best[j] = load(x + j * LANES, m);
        nan[j] = (vi)(best[j] != best[j]);
    }
    for (int64_t r = 0; r < w->rows; r++) {
        for (int64_t t = 0; t < w->cols; t++) {
            for (int j = 0; j < side; j++) {
                const vf v = load(x + r * w->x_row + t * w->n + j * LANES, m);
                nan[j] |= (vi)(v != v);
                best[j] = vf_max(v, best[j]);
            }
        }
    }
    for (int j = 0; j < side; j++) store(y + j * LANES, (vf)((vi)best[j] | nan[j]), m);
}

void KT_FN(kt_max_pool)(float *y, const float *x, const kt_pool_cells *cells) {
    const kt_pool_cells own = *cells, *w = &own; /* no store of a vector changes it */
    for (int64_t i = 0; i < w->places; i++, y += w->n, x += w->x_step) {
        int64_t c = 0;
        fetch_window(x, w, 0);
        for (; c + SIDE * LANES <= w->n; c += SIDE * LANES) max_lanes(y + c, x + c, w, SIDE, LANES);
        for (; c + 2 * LANES <= w->n; c += 2 * LANES) max_lanes(y + c, x + c, w, 2, LANES);
        for (; c + LANES <= w->n; c += LANES) max_lanes(y + c, x + c, w, 1, LANES);
        for (; c + HALF <= w->n; c += HALF) max_lanes(y + c, x + c, w, 1, HALF);
        if (c < w->n) max_lanes(y + c, x + c, w, 1, w->n - c);
    }
}

KT_INLINE void max_grad_lanes(
    float *dx,
    const float *x,
    vf dy,
    const kt_pool_cells *w,
    int64_t rows,
    int64_t cols,
    int64_t m) {
    vf best = load(x, m);
    vi nan = (vi)(best != best);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t t = 0; t < cols; t++) {
            const vf v = load(x + r * w->x_row + t * w->n, m);
            nan |= (vi)(v != v);
            best = vf_max(v, best);
        }
    }
    vi left = (vi){0} == 0; /* lanes whose largest cell is yet to come: a NaN where there is one */
    best = (vf)((vi)best | nan);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t t = 0; t < cols; t++) {
            float *to = dx + r * w->x_row + t * w->n;
            const vf v = load(x + r * w->x_row + t * w->n, m);
            const vi here = ((vi)(v == best) | ((vi)(v != v) & nan)) & left;
            const vf d = (vf)((vi)dy & here);
            left &= ~here;
            store(to, w->add ? load(to, m) + d : d, m);
        }
    }
}

/* rows and cols are those of w; as constants they leave no loops. */
KT_INLINE void max_grad_window(
    float *dx,
    const float *x,
    const float *dy,
    const kt_pool_cells *w,
    int64_t rows,
    int64_t cols) {
    int64_t c = 0;
    for (; c + LANES <= w->n; c += LANES)
        max_grad_lanes(dx + c, x + c, vf_load(dy + c), w, rows, cols, LANES);
    for (; c + HALF <= w->n; c += HALF)
        max_grad_lanes(dx + c, x + c, vf_load_half(dy + c), w, rows, cols, HALF);
    if (c < w->n)
        max_grad_lanes(dx + c, x + c, vf_load_n(dy + c, w->n - c), w, rows, cols, w->n - c);
}

void KT_FN(kt_max_pool_grad)(
    float *dx, const float *x, const float *dy, const kt_pool_cells *cells) {
    const kt_pool_cells own = *cells, *w = &own; /* no store of a vector changes it */
    for (int64_t i = 0; i < w->places; i++, dx += w->x_step, x += w->x_step, dy += w->n) {
        fetch_window(x, w, 0);
        fetch_window(dx, w, 1);
        if (w->rows == 3 && w->cols == 3)
            max_grad_window(dx, x, dy, w, 3, 3);
        else if (w->rows == 2 && w->cols == 2)
            max_grad_window(dx, x, dy, w, 2, 2);
        else
            max_grad_window(dx, x, dy, w, w->rows, w->cols);
    }
}

KT_INLINE void avg_lanes(float *y, const float *x, vf share, const kt_pool_cells *w, int64_t m) {
    vf sum = vf_set(0);
    for (int64_t r = 0; r < w->rows; r++)
        for (int64_t t = 0; t < w->cols; t++) sum += load(x + r * w->x_row + t * w->n, m);
    store(y, sum * share, m);
}

#define FEW 4 /* channels: of pictures */
typedef float vfew __attribute__((vector_size(4 * FEW), aligned(4), may_alias));

KT_INLINE void avg_few(
    float *y,
    const float *x,
    float share,
    const kt_pool_cells *w,
    int64_t windows,
    int64_t rows,
    int64_t cols) {
    for (int64_t i = 0; i < windows; i++) {
        vfew sum = {0};
        for (int64_t r = 0; r < rows; r++)
            for (int64_t t = 0; t < cols; t++)
                sum += *(const vfew *)(x + i * w->x_step + r * w->x_row + t * w->n);
        *(vfew *)(y + i * w->n) = sum * share;
    }
}

/* All windows but the last, with FEW channels each also where there are less of them: what the
 * next windows have is read with it, and written before theirs is. Returns how many. */
static int64_t avg_most(float *y, const float *x, float share, const kt_pool_cells *w) {
    const int64_t n = w->places > FEW ? w->places - FEW : 0;
    if (w->rows == 2 && w->cols == 2)
        avg_few(y, x, share, w, n, 2, 2);
    else
        avg_few(y, x, share, w, n, w->rows, w->cols);
    return n;
}

void KT_FN(kt_avg_pool)(float *y, const float *x, const kt_pool_cells *cells) {
    const kt_pool_cells own = *cells, *w = &own; /* no store of a vector changes it */
    const float share = 1.0f / (float)(w->rows * w->cols);
    int64_t i = w->n <= FEW ? avg_most(y, x, share, w) : 0;
    y += i * w->n;
    x += i * w->x_step;
    for (; i < w->places; i++, y += w->n, x += w->x_step) {
        int64_t c = 0;
        fetch_window(x, w, 0);
        for (; c + LANES <= w->n; c += LANES) avg_lanes(y + c, x + c, vf_set(share), w, LANES);
        for (; c + HALF <= w->n; c += HALF) avg_lanes(y + c, x + c, vf_set(share), w, HALF);
        if (c < w->n) avg_lanes(y + c, x + c, vf_set(share), w, w->n - c);
    }
}

KT_INLINE void avg_grad_lanes(float *dx, vf dy, const kt_pool_cells *w, int64_t m) {
    for (int64_t r = 0; r < w->rows; r++) {
        for (int64_t t = 0; t < w->cols; t++) {
            float *to = dx + r * w->x_row + t * w->n;
            store(to, w->add ? load(to, m) + dy : dy, m);
        }
    }
}

void KT_FN(kt_avg_pool_grad)(float *dx, const float *dy, const kt_pool_cells *cells) {
    const kt_pool_cells own = *cells, *w = &own; /* no store of a vector changes it */
    const vf share = vf_set(1.0f / (float)(w->rows * w->cols));
    for (int64_t i = 0; i < w->places; i++, dx += w->x_step, dy += w->n) {
        int64_t c = 0;
        fetch_window(dx, w, 1);
        for (; c + LANES <= w->n; c += LANES)
            avg_grad_lanes(dx + c, vf_load(dy + c) * share, w, LANES);
        if (c < w->n) avg_grad_lanes(dx + c, vf_load_n(dy + c, w->n - c) * share, w, w->n - c);
    }
}
