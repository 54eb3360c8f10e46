/* Reductions: sum, dot, max, min, argmax, column sums.
 *
 * Four vectors are added side by side over a block, the block's sum goes into a double: the
 * shape of the sum depends on n alone, and long sums lose next to nothing. Columns are added in
 * blocks of rows for the same reason. Maximum and minimum look for NaN apart from the
 * comparison, because the vector instructions drop it. */
#include "backend/cpu/kernels/parts.h"

#include <math.h>

#define SUM_BLOCK 4096

/* n <= SUM_BLOCK products (or, with b NULL, numbers) */
KT_INLINE float sum_block(const float *a, const float *b, int64_t n) {
    const vf one = vf_set(1);
    vf s[4] = {vf_set(0), vf_set(0), vf_set(0), vf_set(0)};
    int64_t i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES) {
        for (int j = 0; j < 4; j++) {
            const vf v = vf_load(a + i + j * LANES);
            s[j] = b ? vf_fma(v, vf_load(b + i + j * LANES), s[j]) : s[j] + v;
        }
    }
    for (; i < n; i += LANES) {
        const int64_t m = n - i < LANES ? n - i : LANES;
        s[0] = vf_fma(vf_load_n(a + i, m), b ? vf_load_n(b + i, m) : one, s[0]);
    }
    return vf_sum((s[0] + s[1]) + (s[2] + s[3]));
}

float KT_FN(kt_sum)(const float *x, int64_t n) {
    if (n <= SUM_BLOCK) return sum_block(x, NULL, n);
    double s = 0;
    for (int64_t i = 0; i < n; i += SUM_BLOCK)
        s += (double)sum_block(x + i, NULL, n - i < SUM_BLOCK ? n - i : SUM_BLOCK);
    return (float)s;
}

float KT_FN(kt_dot)(const float *a, const float *b, int64_t n) {
    if (n <= SUM_BLOCK) return sum_block(a, b, n);
    double s = 0;
    for (int64_t i = 0; i < n; i += SUM_BLOCK)
        s += (double)sum_block(a + i, b + i, n - i < SUM_BLOCK ? n - i : SUM_BLOCK);
    return (float)s;
}

/* The largest of sign * x, times sign */
KT_INLINE float reduce_extreme(const float *x, int64_t n, float sign) {
    const vf s = vf_set(sign);
    vf best[2] = {vf_set(-INFINITY), vf_set(-INFINITY)};
    vi nan[2] = {{0}, {0}};
    int64_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        for (int j = 0; j < 2; j++) {
            const vf v = vf_load(x + i + j * LANES) * s;
            nan[j] |= (vi)(v != v);
            best[j] = vf_max(v, best[j]);
        }
    }
    float t[LANES], m = -INFINITY;
    vf_store(t, vf_max(best[0], best[1]));
    for (int j = 0; j < LANES; j++) m = t[j] > m ? t[j] : m;
    nan[0] |= nan[1];
    int any = 0;
    for (int j = 0; j < LANES; j++) any |= nan[0][j];
    for (; i < n; i++) {
        const float v = x[i] * sign;
        any |= v != v;
        m = v > m ? v : m;
    }
    return any ? NAN : m * sign;
}

float KT_FN(kt_max)(const float *x, int64_t n) { return reduce_extreme(x, n, 1); }

float KT_FN(kt_min)(const float *x, int64_t n) { return reduce_extreme(x, n, -1); }

/* As in NumPy, a NaN counts as the largest. */
int64_t KT_FN(kt_argmax)(const float *x, int64_t n) {
    const float m = KT_FN(kt_max)(x, n);
    for (int64_t i = 0; i < n; i++)
        if (x[i] == m || (m != m && x[i] != x[i])) return i;
    return 0;
}

/* Rows added up before the partial sum goes to y; a multiple of what SUM_TILE does at once */
#define ROW_BLOCK 256

/* y[0 … width) += sum of `rows` rows, for n_vec vectors (the last one of `rest` lanes); `side`
 * rows are added side by side, since one addition waits for the other. */
KT_INLINE void sum_tile(
    float *y, const float *x, int64_t rows, int64_t ldx, int n_vec, int side, int64_t rest) {
    vf s[4][4];
    for (int r = 0; r < side; r++)
        for (int j = 0; j < n_vec; j++) s[r][j] = vf_set(0);
    for (int64_t i = 0; i < rows; i++) {
        const int r = (int)(i % side);
        for (int j = 0; j < n_vec; j++) {
            const float *p = x + i * ldx + j * LANES;
            s[r][j] += j == n_vec - 1 ? vf_load_n(p, rest) : vf_load(p);
        }
    }
    for (int j = 0; j < n_vec; j++) {
        vf sum = s[0][j];
        for (int r = 1; r < side; r++) sum += s[r][j];
        float *p = y + j * LANES;
        const int64_t m = j == n_vec - 1 ? rest : LANES;
        vf_store_n(p, vf_load_n(p, m) + sum, m);
    }
}

void KT_FN(kt_sum_rows)(float *y, const float *x, int64_t rows, int64_t cols, int64_t ldx) {
    memset(y, 0, (size_t)cols * sizeof *y);
    if (cols == 1 && ldx == 1) {
        y[0] = KT_FN(kt_sum)(x, rows);
        return;
    }
    for (int64_t r = 0; r < rows; r += ROW_BLOCK) {
        const int64_t m = rows - r < ROW_BLOCK ? rows - r : ROW_BLOCK;
        const float *p = x + r * ldx;
        int64_t c = 0;
        for (; c + 4 * LANES <= cols; c += 4 * LANES) sum_tile(y + c, p + c, m, ldx, 4, 1, LANES);
        for (; c < cols; c += LANES)
            sum_tile(y + c, p + c, m, ldx, 1, 1, cols - c < LANES ? cols - c : LANES);
    }
}
