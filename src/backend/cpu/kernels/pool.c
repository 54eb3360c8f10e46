/* Largest cell of a window, one vector of channels at a time. Which cell it was is kept as a number
 * per lane; the gradient finds that out again, which costs less than to keep it in memory. */
#include "backend/cpu/kernels/parts.h"

typedef struct {
    int64_t rows, cols, ld, n; /* n: floats from cell to cell */
} pool_window;

KT_INLINE vf pick(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }

/* m channels: all lanes (then a constant), or the last few */
KT_INLINE vf load(const float *p, int64_t m) { return m == LANES ? vf_load(p) : vf_load_n(p, m); }

KT_INLINE void store(float *p, vf v, int64_t m) {
    if (m == LANES)
        vf_store(p, v);
    else
        vf_store_n(p, v, m);
}

KT_INLINE void max_lanes(float *y, const float *x, const pool_window *w, int64_t m) {
    vf best = load(x, m);
    vi nan = (vi)(best != best); /* the maximum of the processor loses them */
    for (int64_t r = 0; r < w->rows; r++) {
        for (int64_t t = 0; t < w->cols; t++) {
            const vf v = load(x + r * w->ld + t * w->n, m);
            nan |= (vi)(v != v);
            best = vf_max(v, best);
        }
    }
    store(y, (vf)((vi)best | nan), m);
}

void KT_FN(kt_max_pool)(
    float *y, const float *x, int64_t rows, int64_t cols, int64_t ld, int64_t n) {
    const pool_window w = {rows, cols, ld, n};
    int64_t c = 0;
    for (; c + LANES <= n; c += LANES) max_lanes(y + c, x + c, &w, LANES);
    if (c < n) max_lanes(y + c, x + c, &w, n - c);
}

KT_INLINE void grad_lanes(
    float *dx, const float *x, vf dy, const pool_window *w, bool add, int64_t m) {
    vf best = load(x, m);
    vi at = {0};
    int32_t tap = 0;
    for (int64_t r = 0; r < w->rows; r++) {
        for (int64_t t = 0; t < w->cols; t++, tap++) {
            const vf v = load(x + r * w->ld + t * w->n, m);
            const vi more = (vi)(v > best) | ((vi)(v != v) & (vi)(best == best));
            best = pick(more, v, best);
            at = (more & tap) | (~more & at);
        }
    }
    tap = 0;
    for (int64_t r = 0; r < w->rows; r++) {
        for (int64_t t = 0; t < w->cols; t++, tap++) {
            float *to = dx + r * w->ld + t * w->n;
            const vf v = (vf)((vi)dy & (vi)(at == tap));
            store(to, add ? load(to, m) + v : v, m);
        }
    }
}

void KT_FN(kt_max_pool_grad)(
    float *dx,
    const float *x,
    const float *dy,
    int64_t rows,
    int64_t cols,
    int64_t ld,
    int64_t n,
    bool add) {
    const pool_window w = {rows, cols, ld, n};
    int64_t c = 0;
    for (; c + LANES <= n; c += LANES) grad_lanes(dx + c, x + c, vf_load(dy + c), &w, add, LANES);
    if (c < n) grad_lanes(dx + c, x + c, vf_load_n(dy + c, n - c), &w, add, n - c);
}
