/* Products with sparse rows, finding what is not zero, and rows of a table by index. */
#include "backend/cpu/kernels/parts.h"

/* m floats: all lanes (then a constant), or the last few */
KT_INLINE vf load(const float *p, int64_t m) { return m == LANES ? vf_load(p) : vf_load_n(p, m); }

KT_INLINE void store(float *p, vf v, int64_t m) {
    if (m == LANES)
        vf_store(p, v);
    else
        vf_store_n(p, v, m);
}

/* `vectors` vectors of the sum, the last with m lanes. Numbers take turns in two sums, so that an
 * addition need not wait for the one before. */
KT_INLINE void row_part(
    float *y,
    const float *value,
    const int32_t *index,
    int64_t n,
    const float *w,
    int64_t cols,
    int vectors,
    int64_t m) {
    vf sum[2][4];
    int64_t k = 0;
    for (int v = 0; v < vectors; v++) sum[0][v] = sum[1][v] = vf_set(0);
    for (; k + 2 <= n; k += 2) {
        for (int t = 0; t < 2; t++) {
            const float *from = w + index[k + t] * cols;
            const vf x = vf_set(value[k + t]);
            for (int v = 0; v < vectors; v++)
                sum[t][v] = vf_fma(
                    x, load(from + v * LANES, v == vectors - 1 ? m : LANES), sum[t][v]);
        }
    }
    if (k < n) {
        const float *from = w + index[k] * cols;
        for (int v = 0; v < vectors; v++)
            sum[0][v] = vf_fma(
                vf_set(value[k]), load(from + v * LANES, v == vectors - 1 ? m : LANES), sum[0][v]);
    }
    for (int v = 0; v < vectors; v++)
        store(y + v * LANES, sum[0][v] + sum[1][v], v == vectors - 1 ? m : LANES);
}

void KT_FN(kt_sparse_row)(
    float *y, const float *value, const int32_t *index, int64_t n, const float *w, int64_t cols) {
    int64_t c = 0;
    for (; c + 4 * LANES <= cols; c += 4 * LANES)
        row_part(y + c, value, index, n, w + c, cols, 4, LANES);
    for (; c + 2 * LANES <= cols; c += 2 * LANES)
        row_part(y + c, value, index, n, w + c, cols, 2, LANES);
    for (; c + LANES <= cols; c += LANES) row_part(y + c, value, index, n, w + c, cols, 1, LANES);
    if (c < cols) row_part(y + c, value, index, n, w + c, cols, 1, cols - c);
}

void KT_FN(kt_sparse_scatter)(
    float *dw, const float *value, const int32_t *index, int64_t n, const float *dy, int64_t cols) {
    for (int64_t k = 0; k < n; k++) {
        float *to = dw + index[k] * cols;
        const vf x = vf_set(value[k]);
        int64_t c = 0;
        for (; c + LANES <= cols; c += LANES)
            vf_store(to + c, vf_fma(x, vf_load(dy + c), vf_load(to + c)));
        if (c < cols)
            vf_store_n(
                to + c,
                vf_fma(x, vf_load_n(dy + c, cols - c), vf_load_n(to + c, cols - c)),
                cols - c);
    }
}

bool KT_FN(kt_ascending)(const int32_t *index, int64_t n, int32_t limit) {
    int32_t bad = 0;
    if (n == 0) return true;
    for (int64_t k = 1; k < n; k++) bad |= index[k] <= index[k - 1];
    return !bad && index[0] >= 0 && index[n - 1] < limit;
}

#if defined(KT_AVX512)

/* Without a branch: where something will be found cannot be predicted. */
static int64_t nonzeros_16(const float *x, int64_t i, uint16_t *column, int32_t *other) {
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512 v = _mm512_loadu_ps(x + i);
    const __mmask16 mask = _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NEQ_UQ);
    const __m512i at = _mm512_add_epi32(lane, _mm512_set1_epi32((int)i));
    const __m256i found = _mm512_cvtepi32_epi16(_mm512_maskz_compress_epi32(mask, at));
    _mm256_storeu_si256((__m256i *)(void *)column, found);
    *other |= _mm512_mask_cmp_ps_mask(mask, v, _mm512_set1_ps(1), _CMP_NEQ_UQ);
    return __builtin_popcount(mask);
}

#else

static uint32_t nonzero_mask(const float *x) {
#if defined(KT_AVX2)
    const __m256 zero = _mm256_setzero_ps();
    const int low = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(x), zero, _CMP_NEQ_UQ));
    const int high = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(x + 8), zero, _CMP_NEQ_UQ));
    return (uint32_t)low | (uint32_t)high << 8;
#else
    uint32_t mask = 0;
    for (int i = 0; i < 16; i++) mask |= (uint32_t)(x[i] != 0) << i;
    return mask;
#endif
}

static int64_t nonzeros_16(const float *x, int64_t i, uint16_t *column, int32_t *other) {
    int64_t n = 0;
    for (uint32_t mask = nonzero_mask(x + i); mask; mask &= mask - 1) {
        const int64_t at = i + __builtin_ctz(mask);
        *other |= x[at] != 1;
        column[n++] = (uint16_t)at;
    }
    return n;
}

#endif

int64_t KT_FN(kt_nonzeros)(const float *x, int64_t n, uint16_t *column, bool *ones) {
    int64_t found = 0, i = 0;
    int32_t other = 0;
    for (; i + 16 <= n; i += 16) found += nonzeros_16(x, i, column + found, &other);
    for (; i < n; i++) {
        if (x[i] == 0) continue;
        other |= x[i] != 1;
        column[found++] = (uint16_t)i;
    }
    if (other) *ones = false;
    return found;
}

void KT_FN(kt_from_u16)(int32_t *y, const uint16_t *x, int64_t n) {
    for (int64_t i = 0; i < n; i++) y[i] = x[i];
}

KT_INLINE void copy_row(float *to, const float *from, int64_t n) {
    int64_t k = 0;
    for (; k + LANES <= n; k += LANES) vf_store(to + k, vf_load(from + k));
    if (k < n) vf_store_n(to + k, vf_load_n(from + k, n - k), n - k);
}

void KT_FN(kt_copy_rows)(
    float *to, int64_t ldto, const float *from, int64_t ld, int64_t rows, int64_t n) {
    for (int64_t i = 0; i < rows; i++) copy_row(to + i * ldto, from + i * ld, n);
}

void KT_FN(kt_gather)(float *to, const float *table, const int32_t *index, int64_t n, int64_t row) {
    for (int64_t i = 0; i < n; i++) copy_row(to + i * row, table + index[i] * row, row);
}

void KT_FN(kt_scatter)(
    float *table,
    int64_t first,
    int64_t end,
    const float *from,
    const int32_t *index,
    int64_t n,
    int64_t row) {
    for (int64_t i = 0; i < n; i++, from += row) {
        if (index[i] < first || index[i] >= end) continue;
        float *to = table + index[i] * row;
        int64_t k = 0;
        for (; k + LANES <= row; k += LANES) vf_store(to + k, vf_load(to + k) + vf_load(from + k));
        if (k == row) continue;
        const vf sum = vf_load_n(to + k, row - k) + vf_load_n(from + k, row - k);
        vf_store_n(to + k, sum, row - k);
    }
}
