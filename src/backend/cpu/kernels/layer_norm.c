/* Layer normalization, a row at a time while it is in the first cache. stats: mean and
 * 1 / sqrt(variance + epsilon) of each row. Formulas: ops/layer_norm.c.
 *
 * Rows of a few vectors would wait for their sums, quotients and roots: they go through in groups
 * of one row per lane. A row's result does not depend on the others of its group. */
#include "backend/cpu/kernels/parts.h"
#include "backend/cpu/kernels/turn.h"
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

#define SHORT_VECS 8

static void norm_group(const kt_layer_norm *a, int64_t first, int64_t rows) {
    const int64_t n = a->n;
    const float *x = a->x + first * n;
    float *y = a->y + first * n, mean[LANES], rstd[LANES];
    vf s[LANES];
    for (int64_t r = 0; r < LANES; r++) {
        s[r] = vf_set(0);
        for (int64_t i = 0; r < rows && i < n; i += LANES) s[r] += row_load(x + r * n, i, n);
    }
    vf_store(mean, vf_sum_each(s) / (float)n);
    for (int64_t r = 0; r < LANES; r++) {
        s[r] = vf_set(0);
        for (int64_t i = 0; r < rows && i < n; i += LANES) {
            const vf c = row_centered(x + r * n, i, n, mean[r]);
            s[r] = vf_fma(c, c, s[r]);
        }
    }
    vf_store(rstd, vf_sum_each(s) / (float)n);
    for (int r = 0; r < LANES; r++) rstd[r] = 1 / vm_sqrt(rstd[r] + a->epsilon);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t i = 0; i < n; i += LANES) {
            const vf h = row_centered(x + r * n, i, n, mean[r]) * rstd[r];
            row_store(
                y + r * n, i, n, vf_fma(h, row_load(a->gamma, i, n), row_load(a->beta, i, n)));
        }
        a->stats[2 * (first + r)] = mean[r];
        a->stats[2 * (first + r) + 1] = rstd[r];
    }
}

static int64_t group_at(int64_t r, int64_t rows) { return rows - r < LANES ? rows - r : LANES; }

void KT_FN(kt_layer_norm)(const kt_layer_norm *a) {
    const int64_t n = a->n;
    if (n <= SHORT_VECS * LANES) {
        for (int64_t r = 0; r < a->rows; r += LANES) norm_group(a, r, group_at(r, a->rows));
        return;
    }
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

static void grad_group(const kt_layer_norm_grad *a, int64_t first, int64_t rows) {
    const int64_t n = a->n;
    const float *x = a->x + first * n, *dy = a->dy + first * n, *stats = a->stats + 2 * first;
    float d_mean[LANES], d_along[LANES];
    vf sum[LANES], along[LANES];
    for (int r = 0; r < LANES; r++) sum[r] = along[r] = vf_set(0);
    for (int64_t i = 0; i < n; i += LANES) {
        const vf gamma = row_load(a->gamma, i, n);
        vf dgamma = row_load(a->dgamma, i, n), dbeta = row_load(a->dbeta, i, n);
        for (int64_t r = 0; r < rows; r++) {
            const vf e = row_load(dy + r * n, i, n), d = e * gamma;
            const vf h = row_centered(x + r * n, i, n, stats[2 * r]) * stats[2 * r + 1];
            sum[r] += d;
            along[r] = vf_fma(d, h, along[r]);
            dgamma = vf_fma(e, h, dgamma);
            dbeta += e;
        }
        row_store(a->dgamma, i, n, dgamma);
        row_store(a->dbeta, i, n, dbeta);
    }
    vf_store(d_mean, vf_sum_each(sum) / (float)n);
    vf_store(d_along, vf_sum_each(along) / (float)n);
    for (int64_t r = 0; r < rows; r++) {
        const float mean = stats[2 * r], rstd = stats[2 * r + 1];
        for (int64_t i = 0; i < n; i += LANES) {
            const vf h = row_centered(x + r * n, i, n, mean) * rstd;
            const vf d = row_load(dy + r * n, i, n) * row_load(a->gamma, i, n);
            row_store(a->dx + (first + r) * n, i, n, ((d - d_mean[r]) - h * d_along[r]) * rstd);
        }
    }
}

/* dgamma and dbeta are added to. */
void KT_FN(kt_layer_norm_grad)(const kt_layer_norm_grad *a) {
    const int64_t n = a->n;
    if (n <= SHORT_VECS * LANES) {
        for (int64_t r = 0; r < a->rows; r += LANES) grad_group(a, r, group_at(r, a->rows));
        return;
    }
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
