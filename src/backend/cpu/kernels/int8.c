/* Integer products: a block of up to 64 rounded rows by 64 columns of int8 weights.
 *
 * The weights of a block are packed on the stack, 256 rows of them at a time, in panels of 16
 * columns as the instruction takes them: pairs of int16 for vpmaddwd (vpmaddubsw would saturate),
 * fours of bytes for vpdpbusd, which wants one operand unsigned: these are the weights plus 128,
 * and 128 times the sum of a row is taken off at the end. Every way gives the same integers. */
#include "backend/cpu/kernels/int8.h"

#include "backend/cpu/kernels/parts.h"

#include <math.h>
#include <string.h>

#define K_BLOCK 256
#define PANEL 16
#define PANELS (KT_INT8_COLS / PANEL)

typedef uint32_t sum_row[KT_INT8_COLS]; /* they wrap around */

#if defined(KT_AVX512)
#define VNNI __attribute__((target("avx512vnni")))
static bool has_vnni(void) { return __builtin_cpu_supports("avx512vnni"); }
#else
static bool has_vnni(void) { return false; }
#endif

/* One row, its end filled with zeros. */
static void quantize_row(const kt_int8 *a, int64_t row, bool bytes) {
    const int64_t k = a->k, pitch = KT_INT8_PITCH(k);
    const float *x = a->x + row * k;
    int16_t *wide = a->q + row * pitch;
    int8_t *narrow = (int8_t *)a->q + row * pitch;
    const float up = KT_FN(kt_max)(x, k), down = -KT_FN(kt_min)(x, k);
    const float s = a->high / ((k ? up > down ? up : down : 0) + a->epsilon);
    int32_t sum = 0;
    for (int64_t i = 0; i < k; i++) {
        float v = rintf(x[i] * s);
        v = v < a->low ? a->low : v > a->high ? a->high : v;
        const int q = (int)(v == v ? v : 0);
        if (bytes)
            narrow[i] = (int8_t)q;
        else
            wide[i] = (int16_t)q;
        sum += q;
    }
    for (int64_t i = k; i < pitch; i++) {
        if (bytes)
            narrow[i] = 0;
        else
            wide[i] = 0;
    }
    a->s[row] = s;
    a->sum[row] = sum;
}

void KT_FN(kt_int8_quantize)(const kt_int8 *a, int64_t row, int64_t rows) {
    const bool bytes = has_vnni();
    for (int64_t r = row; r < row + rows; r++) quantize_row(a, r, bytes);
}

#if defined(KT_AVX2) || defined(KT_AVX512)

/* Row i of the weights, a panel from column col on; zeros beyond. */
KT_INLINE __m128i weights_row(const kt_int8 *a, int64_t i, int64_t col) {
    const int8_t *from = a->w + i * a->n + col;
    if (i >= a->k || col >= a->n) return _mm_setzero_si128();
    if (col + PANEL <= a->n) return _mm_loadu_si128((const void *)from);
    int8_t row[PANEL] = {0};
    memcpy(row, from, (size_t)(a->n - col));
    return _mm_loadu_si128((const void *)row);
}

static void pack_pairs(const kt_int8 *a, int64_t from, int64_t to, int64_t col, char *out) {
    for (int64_t i = from; i < to; i += 2) {
        for (int p = 0; p < PANELS; p++) {
            const __m128i even = weights_row(a, i, col + p * PANEL);
            const __m128i odd = weights_row(a, i + 1, col + p * PANEL);
            __m256i *b = (void *)(out + ((to - from) * p + i - from) * 2 * PANEL);
            _mm256_store_si256(b, _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(even, odd)));
            _mm256_store_si256(b + 1, _mm256_cvtepi8_epi16(_mm_unpackhi_epi8(even, odd)));
        }
    }
}

KT_INLINE int32_t two_of(const int16_t *q) {
    int32_t v;
    memcpy(&v, q, sizeof v);
    return v;
}

#endif

#if defined(KT_AVX512)

KT_INLINE void pairs_tile(
    uint32_t *sum, const int16_t *q, int64_t pitch, const void *b, int64_t n, int rows) {
    __m512i acc[8];
    for (int r = 0; r < rows; r++) acc[r] = _mm512_loadu_si512(sum + r * KT_INT8_COLS);
    for (int64_t p = 0; p < n; p += 2) {
        const __m512i w = _mm512_load_si512((const char *)b + p * 32);
        for (int r = 0; r < rows; r++)
            acc[r] = _mm512_add_epi32(
                acc[r], _mm512_madd_epi16(_mm512_set1_epi32(two_of(q + r * pitch + p)), w));
    }
    for (int r = 0; r < rows; r++) _mm512_storeu_si512(sum + r * KT_INT8_COLS, acc[r]);
}
#define PAIR_ROWS 8

static void pack_fours(const kt_int8 *a, int64_t from, int64_t to, int64_t col, char *out) {
    const __m128i high = _mm_set1_epi8(-128);
    for (int64_t i = from; i < to; i += 4) {
        for (int p = 0; p < PANELS; p++) {
            __m128i r[4], *b = (void *)(out + ((to - from) * p + i - from) * PANEL);
            for (int t = 0; t < 4; t++) r[t] = weights_row(a, i + t, col + p * PANEL);
            const __m128i l01 = _mm_unpacklo_epi8(r[0], r[1]), l23 = _mm_unpacklo_epi8(r[2], r[3]);
            const __m128i h01 = _mm_unpackhi_epi8(r[0], r[1]), h23 = _mm_unpackhi_epi8(r[2], r[3]);
            _mm_store_si128(b, _mm_xor_si128(high, _mm_unpacklo_epi16(l01, l23)));
            _mm_store_si128(b + 1, _mm_xor_si128(high, _mm_unpackhi_epi16(l01, l23)));
            _mm_store_si128(b + 2, _mm_xor_si128(high, _mm_unpacklo_epi16(h01, h23)));
            _mm_store_si128(b + 3, _mm_xor_si128(high, _mm_unpackhi_epi16(h01, h23)));
        }
    }
}

VNNI KT_INLINE void fours_tile(
    uint32_t *sum, const int8_t *q, int64_t pitch, const void *b, int64_t n, int rows) {
    __m512i acc[16];
    for (int r = 0; r < rows; r++) acc[r] = _mm512_loadu_si512(sum + r * KT_INT8_COLS);
    for (int64_t p = 0; p < n; p += 4) {
        const __m512i w = _mm512_load_si512((const char *)b + p * 16);
        for (int r = 0; r < rows; r++) {
            int32_t four;
            memcpy(&four, q + r * pitch + p, sizeof four);
            acc[r] = _mm512_dpbusd_epi32(acc[r], w, _mm512_set1_epi32(four));
        }
    }
    for (int r = 0; r < rows; r++) _mm512_storeu_si512(sum + r * KT_INT8_COLS, acc[r]);
}

VNNI static void block_fours(
    const kt_int8 *a, int64_t row, int64_t rows, int64_t col, int64_t cols, sum_row *sums) {
    const int64_t pitch = KT_INT8_PITCH(a->k);
    _Alignas(64) char b[K_BLOCK * KT_INT8_COLS];
    for (int64_t from = 0; from < pitch; from += K_BLOCK) {
        const int64_t to = pitch - from < K_BLOCK ? pitch : from + K_BLOCK, n = to - from;
        const int8_t *q = (const int8_t *)a->q + row * pitch + from;
        pack_fours(a, from, to, col, b);
        for (int64_t c = 0; c < cols; c += PANEL) {
            const char *w = b + n * c;
            int64_t r = 0;
            for (; r + 16 <= rows; r += 16) fours_tile(sums[r] + c, q + r * pitch, pitch, w, n, 16);
            for (; r + 4 <= rows; r += 4) fours_tile(sums[r] + c, q + r * pitch, pitch, w, n, 4);
            for (; r < rows; r++) fours_tile(sums[r] + c, q + r * pitch, pitch, w, n, 1);
        }
    }
    for (int64_t r = 0; r < rows; r++)
        for (int j = 0; j < KT_INT8_COLS; j++) sums[r][j] -= 128u * (uint32_t)a->sum[row + r];
}

#elif defined(KT_AVX2)

KT_INLINE void pairs_tile(
    uint32_t *sum, const int16_t *q, int64_t pitch, const void *b, int64_t n, int rows) {
    __m256i acc[4][2];
    for (int r = 0; r < rows; r++)
        for (int h = 0; h < 2; h++)
            acc[r][h] = _mm256_loadu_si256((const void *)(sum + r * KT_INT8_COLS + 8 * h));
    for (int64_t p = 0; p < n; p += 2) {
        const __m256i *w = (const void *)((const char *)b + p * 32);
        const __m256i low = _mm256_load_si256(w), high = _mm256_load_si256(w + 1);
        for (int r = 0; r < rows; r++) {
            const __m256i two = _mm256_set1_epi32(two_of(q + r * pitch + p));
            acc[r][0] = _mm256_add_epi32(acc[r][0], _mm256_madd_epi16(two, low));
            acc[r][1] = _mm256_add_epi32(acc[r][1], _mm256_madd_epi16(two, high));
        }
    }
    for (int r = 0; r < rows; r++)
        for (int h = 0; h < 2; h++)
            _mm256_storeu_si256((void *)(sum + r * KT_INT8_COLS + 8 * h), acc[r][h]);
}
#define PAIR_ROWS 4

#endif

#if defined(KT_AVX2) || defined(KT_AVX512)

static void block_pairs(
    const kt_int8 *a, int64_t row, int64_t rows, int64_t col, int64_t cols, sum_row *sums) {
    const int64_t pitch = KT_INT8_PITCH(a->k);
    _Alignas(64) char b[2 * K_BLOCK * KT_INT8_COLS];
    for (int64_t from = 0; from < pitch; from += K_BLOCK) {
        const int64_t to = pitch - from < K_BLOCK ? pitch : from + K_BLOCK, n = to - from;
        const int16_t *q = a->q + row * pitch + from;
        pack_pairs(a, from, to, col, b);
        for (int64_t c = 0; c < cols; c += PANEL) {
            const char *w = b + 2 * n * c;
            int64_t r = 0;
            for (; r + PAIR_ROWS <= rows; r += PAIR_ROWS)
                pairs_tile(sums[r] + c, q + r * pitch, pitch, w, n, PAIR_ROWS);
            for (; r < rows; r++) pairs_tile(sums[r] + c, q + r * pitch, pitch, w, n, 1);
        }
    }
}

#else

static void block_pairs(
    const kt_int8 *a, int64_t row, int64_t rows, int64_t col, int64_t cols, sum_row *sums) {
    for (int64_t r = 0; r < rows; r++) {
        const int16_t *q = a->q + (row + r) * KT_INT8_PITCH(a->k);
        for (int64_t i = 0; i < a->k; i++) {
            const int8_t *w = a->w + i * a->n + col;
            for (int64_t j = 0; j < cols; j++) sums[r][j] += (uint32_t)(q[i] * w[j]);
        }
    }
}

#endif

void KT_FN(kt_int8_block)(const kt_int8 *a, int64_t row, int64_t rows, int64_t col, int64_t cols) {
    sum_row sums[KT_INT8_ROWS];
    memset(sums, 0, (size_t)rows * sizeof *sums);
#if defined(KT_AVX512)
    (has_vnni() ? block_fours : block_pairs)(a, row, rows, col, cols, sums);
#else
    block_pairs(a, row, rows, col, cols, sums);
#endif
    for (int64_t r = 0; r < rows; r++) {
        float *y = a->y + (row + r) * a->n + col;
        const float s = a->s[row + r];
        for (int64_t j = 0; j < cols; j++)
            y[j] = (float)(int32_t)sums[r][j] / (a->scale[col + j] * s);
    }
}
