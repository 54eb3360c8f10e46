/* Depthwise convolutions: a vector holds channels, and several places next to one another share
 * each tap of the kernel. */
#include "backend/cpu/kernels/depthwise.h"

#include "backend/cpu/kernels/parts.h"

#define SIDE 6 /* places at once: as many sums as keep the multipliers busy */

KT_INLINE vf load(const float *p, int64_t m) { return m == LANES ? vf_load(p) : vf_load_n(p, m); }

KT_INLINE void store(float *p, vf v, int64_t m) {
    if (m == LANES)
        vf_store(p, v);
    else
        vf_store_n(p, v, m);
}

KT_INLINE void depth_tile(
    float *y,
    const float *x,
    const float *k,
    const float *bias,
    const kt_depth *d,
    int side,
    int64_t m) {
    const vf first = bias ? load(bias, m) : vf_set(0);
    vf sum[SIDE];
    for (int i = 0; i < side; i++) sum[i] = first;
    for (int64_t r = 0; r < d->rows; r++) {
        for (int64_t t = 0; t < d->cols; t++) {
            const vf w = load(k + r * d->k_row + t * d->k_col, m);
            const float *p = x + r * d->x_row + t * d->x_col;
            for (int i = 0; i < side; i++) sum[i] = vf_fma(load(p + i * d->x_step, m), w, sum[i]);
        }
    }
    for (int i = 0; i < side; i++) store(y + i * d->y_step, sum[i], m);
}

KT_INLINE void depth_places(float *y, const float *x, const float *k, const kt_depth *d, int side) {
    int64_t c = 0;
    for (; c + LANES <= d->n; c += LANES)
        depth_tile(y + c, x + c, k + c, d->bias ? d->bias + c : NULL, d, side, LANES);
    if (c < d->n) depth_tile(y + c, x + c, k + c, d->bias ? d->bias + c : NULL, d, side, d->n - c);
}

void KT_FN(kt_depth_row)(float *y, const float *x, const float *k, const kt_depth *steps) {
    const kt_depth own = *steps, *d = &own; /* no store of a vector changes it */
    int64_t i = 0;
    for (; i + SIDE <= d->places; i += SIDE)
        depth_places(y + i * d->y_step, x + i * d->x_step, k, d, SIDE);
    for (; i < d->places; i++) depth_places(y + i * d->y_step, x + i * d->x_step, k, d, 1);
}

/* dk += sum over places of x dy, for `taps` taps side by side, which share dy. */
KT_INLINE void kernel_taps(
    float *dk, const float *x, const float *dy, const kt_depth *d, int taps, int64_t m) {
    vf sum[3];
    for (int t = 0; t < taps; t++) sum[t] = vf_set(0);
    for (int64_t i = 0; i < d->places; i++) {
        const vf g = load(dy + i * d->y_step, m);
        for (int t = 0; t < taps; t++)
            sum[t] = vf_fma(load(x + i * d->x_step + t * d->x_col, m), g, sum[t]);
    }
    for (int t = 0; t < taps; t++) store(dk + t * d->k_col, load(dk + t * d->k_col, m) + sum[t], m);
}

KT_INLINE void kernel_channels(
    float *dk, const float *x, const float *dy, const kt_depth *d, int taps) {
    int64_t c = 0;
    for (; c + LANES <= d->n; c += LANES) kernel_taps(dk + c, x + c, dy + c, d, taps, LANES);
    if (c < d->n) kernel_taps(dk + c, x + c, dy + c, d, taps, d->n - c);
}

void KT_FN(kt_depth_kernel)(float *dk, const float *x, const float *dy, const kt_depth *steps) {
    const kt_depth own = *steps, *d = &own;
    int64_t t = 0;
    for (; t + 3 <= d->cols; t += 3) kernel_channels(dk + t * d->k_col, x + t * d->x_col, dy, d, 3);
    for (; t < d->cols; t++) kernel_channels(dk + t * d->k_col, x + t * d->x_col, dy, d, 1);
}
