/* Softmax, its logarithm, and cross-entropy with labels, row by row.
 *
 *     p = exp(x - max x) / sum exp(x - max x);   loss = log sum exp(x - max x) - (x[label] - max x)
 *
 * Each row is read while it is in the first cache: maximum, exponentials, sum, scale. Rows of a few
 * numbers, with which most networks end, live in one padded vector or two. */
#include "backend/cpu/kernels/parts.h"
#include "backend/cpu/kernels/vecmath.h"

/* y = exp(x - max) over whole vectors */
KT_INLINE void exp_loop(float *y, const float *x, float max, int64_t n) {
    KT_IVDEP
    for (int64_t i = 0; i < n; i++) y[i] = vm_exp(x[i] - max);
}

/* y = exp(x - max); returns the sum. y may be x. */
static float exp_row(float *y, const float *x, float max, int64_t n) {
    const int64_t body = n & -LANES, rest = n - body;
    exp_loop(y, x, max, body);
    vf sum = vf_set(0);
    for (int64_t i = 0; i < body; i += LANES) sum += vf_load(y + i);
    if (rest) {
        float t[LANES];
        vf_store(t, vf_load_n(x + body, rest));
        exp_loop(t, t, max, LANES);
        vf_store_n(y + body, vf_load(t), rest);
        sum += vf_load_n(t, rest);
    }
    return vf_sum(sum);
}

/* sum of exp(x - max) without a place to keep the terms */
static float exp_sum(const float *x, float max, int64_t n) {
    float t[256], s = 0;
    for (int64_t i = 0; i < n; i += 256) s += exp_row(t, x + i, max, n - i < 256 ? n - i : 256);
    return s;
}

static void scale_row(float *y, const float *x, float s, int64_t n) {
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) vf_store(y + i, vf_load(x + i) * s);
    if (i < n) vf_store_n(y + i, vf_load_n(x + i, n - i) * s, n - i);
}

void KT_FN(kt_softmax)(float *y, const float *x, int64_t rows, int64_t cols) {
    for (int64_t r = 0; r < rows; r++, x += cols, y += cols) {
        const float s = exp_row(y, x, KT_FN(kt_max)(x, cols), cols);
        scale_row(y, y, 1 / s, cols);
    }
}

void KT_FN(kt_log_softmax)(float *y, const float *x, int64_t rows, int64_t cols) {
    for (int64_t r = 0; r < rows; r++, x += cols, y += cols) {
        const float max = KT_FN(kt_max)(x, cols);
        const float log_sum = vm_log(exp_sum(x, max, cols));
        KT_IVDEP
        for (int64_t i = 0; i < cols; i++) y[i] = (x[i] - max) - log_sum;
    }
}

void KT_FN(kt_sparse_xent)(
    float *loss, float *p, const float *x, const int32_t *label, int64_t rows, int64_t cols) {
    for (int64_t r = 0; r < rows; r++, x += cols, p += cols) {
        const float max = KT_FN(kt_max)(x, cols), hit = x[label[r]] - max;
        const float s = exp_row(p, x, max, cols);
        scale_row(p, p, 1 / s, cols);
        loss[r] = vm_log(s) - hit;
    }
}

void KT_FN(kt_sparse_xent_grad)(
    float *dx,
    const float *p,
    const int32_t *label,
    const float *dloss,
    int64_t rows,
    int64_t cols) {
    for (int64_t r = 0; r < rows; r++, p += cols, dx += cols) {
        const float hit = (p[label[r]] - 1) * dloss[r];
        scale_row(dx, p, dloss[r], cols);
        dx[label[r]] = hit;
    }
}
