/* Layer normalization, a row at a time while it is in the first cache. stats: mean and
 * 1 / sqrt(variance + epsilon) of each row. Formulas: ops/layer_norm.c. */
#include "backend/cpu/kernels/parts.h"
#include "backend/cpu/kernels/vecmath.h"

/* The part of a row from i on, 0 beyond its end */
KT_INLINE vf row_load(const float *x, int64_t i, int64_t n) {
    return i + LANES <= n ? vf_load(x + i) : vf_load_n(x + i, n - i);
}
KT_INLINE void row_store(float *y, int64_t i, int64_t n, vf v) {
    if (i + LANES <= n)
        vf_store(y + i, v);
    else
        vf_store_n(y + i, v, n - i);
}

/* x - mean, 0 beyond the end */
KT_INLINE vf row_centered(const float *x, int64_t i, int64_t n, float mean) {
    if (i + LANES <= n) return vf_load(x + i) - mean;
    float m[LANES];
    for (int c = 0; c < LANES; c++) m[c] = i + c < n ? mean : 0;
    return vf_load_n(x + i, n - i) - vf_load(m);
}

void KT_FN(kt_layer_norm)(const kt_layer_norm *a) {
    const int64_t n = a->n;
    for (int64_t r = 0; r < a->rows; r++) {
        const float *x = a->x + r * n;
        float *y = a->y + r * n;
        vf sum = vf_set(0), square = vf_set(0);
        for (int64_t i = 0; i < n; i += LANES) sum += row_load(x, i, n);
        const float mean = vf_sum(sum) / (float)n;
        for (int64_t i = 0; i < n; i += LANES) {
            const vf c = row_centered(x, i, n, mean);
            square = vf_fma(c, c, square);
        }
        const float rstd = 1 / vm_sqrt(vf_sum(square) / (float)n + a->epsilon);
        for (int64_t i = 0; i < n; i += LANES) {
            const vf h = row_centered(x, i, n, mean) * rstd;
            row_store(y, i, n, vf_fma(h, row_load(a->gamma, i, n), row_load(a->beta, i, n)));
        }
        a->stats[2 * r] = mean;
        a->stats[2 * r + 1] = rstd;
    }
}

/* dgamma and dbeta are added to. */
void KT_FN(kt_layer_norm_grad)(const kt_layer_norm_grad *a) {
    const int64_t n = a->n;
    for (int64_t r = 0; r < a->rows; r++) {
        const float *x = a->x + r * n, *dy = a->dy + r * n;
        const float mean = a->stats[2 * r], rstd = a->stats[2 * r + 1];
        vf sum = vf_set(0), along = vf_set(0);
        for (int64_t i = 0; i < n; i += LANES) {
            const vf h = row_centered(x, i, n, mean) * rstd, e = row_load(dy, i, n);
            const vf d = e * row_load(a->gamma, i, n);
            sum += d;
            along = vf_fma(d, h, along);
            row_store(a->dgamma, i, n, vf_fma(e, h, row_load(a->dgamma, i, n)));
            row_store(a->dbeta, i, n, e + row_load(a->dbeta, i, n));
        }
        const float d_mean = vf_sum(sum) / (float)n, d_along = vf_sum(along) / (float)n;
        for (int64_t i = 0; i < n; i += LANES) {
            const vf h = row_centered(x, i, n, mean) * rstd;
            const vf d = row_load(dy, i, n) * row_load(a->gamma, i, n);
            row_store(a->dx + r * n, i, n, ((d - d_mean) - h * d_along) * rstd);
        }
    }
}
