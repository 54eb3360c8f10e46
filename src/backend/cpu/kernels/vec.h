/* The vector of this level: `vf` holds LANES floats, and some twenty operations on it.
 *
 * Arithmetic (+ - * /) is written with the operators of the compiler's vector types, which both
 * gcc and clang offer on every processor; only what they cannot say (masked loads, maximum,
 * fused multiply-add, estimates) stands here, once per instruction set and once in plain C.
 * Names of functions that leave a file carry the level: KT_FN(kt_gemm) is kt_gemm_avx512. */
#ifndef KT_KERNELS_VEC_H
#define KT_KERNELS_VEC_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#ifndef KT_ISA
#define KT_ISA portable
#endif
#define KT_PASTE2(name, isa) name##_##isa
#define KT_PASTE(name, isa) KT_PASTE2(name, isa)
#define KT_FN(name) KT_PASTE(name, KT_ISA)

#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#define KT_AVX512 1
#define LANES 16
#elif defined(__AVX2__) && defined(__FMA__)
#define KT_AVX2 1
#define LANES 8
#else
#define LANES 4
#endif

#define KT_INLINE static inline __attribute__((always_inline))

/* "Iterations do not depend on each other": true of every strip, also where y is one of the
 * inputs. */
#if defined(__clang__)
#define KT_IVDEP _Pragma("clang loop vectorize(assume_safety)")
#else
#define KT_IVDEP _Pragma("GCC ivdep")
#endif

typedef float vf __attribute__((vector_size(4 * LANES)));
typedef int32_t vi __attribute__((vector_size(4 * LANES)));
typedef float vf_unaligned __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

KT_INLINE vf vf_load(const float *p) { return *(const vf_unaligned *)p; }
KT_INLINE void vf_store(float *p, vf v) { *(vf_unaligned *)p = v; }

#if defined(KT_AVX512)

KT_INLINE vf vf_set(float x) { return (vf)_mm512_set1_ps(x); }
KT_INLINE vf vf_fma(vf a, vf b, vf c) {
    return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}
/** b where a is not greater, so b where either is NaN. */
KT_INLINE vf vf_max(vf a, vf b) { return (vf)_mm512_max_ps((__m512)a, (__m512)b); }
KT_INLINE vf vf_min(vf a, vf b) { return (vf)_mm512_min_ps((__m512)a, (__m512)b); }
/** The first n lanes (0 … LANES); the others are zero and their memory is not touched. */
KT_INLINE vf vf_load_n(const float *p, int64_t n) {
    return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
}
KT_INLINE void vf_store_n(float *p, vf v, int64_t n) {
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
}
/** The lower half of the lanes; the others are zero. Faster than a mask. */
KT_INLINE vf vf_load_half(const float *p) { return (vf)_mm512_zextps256_ps512(_mm256_loadu_ps(p)); }
KT_INLINE void vf_store_half(float *p, vf v) {
    _mm256_storeu_ps(p, _mm512_castps512_ps256((__m512)v));
}

#elif defined(KT_AVX2)

KT_INLINE vf vf_set(float x) { return (vf)_mm256_set1_ps(x); }
KT_INLINE vf vf_fma(vf a, vf b, vf c) {
    return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}
KT_INLINE vf vf_max(vf a, vf b) { return (vf)_mm256_max_ps((__m256)a, (__m256)b); }
KT_INLINE vf vf_min(vf a, vf b) { return (vf)_mm256_min_ps((__m256)a, (__m256)b); }
KT_INLINE __m256i vf_mask_n(int64_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
KT_INLINE vf vf_load_n(const float *p, int64_t n) {
    return (vf)_mm256_maskload_ps(p, vf_mask_n(n));
}
KT_INLINE void vf_store_n(float *p, vf v, int64_t n) {
    _mm256_maskstore_ps(p, vf_mask_n(n), (__m256)v);
}
KT_INLINE vf vf_load_half(const float *p) { return (vf)_mm256_zextps128_ps256(_mm_loadu_ps(p)); }
KT_INLINE void vf_store_half(float *p, vf v) {
    _mm_storeu_ps(p, _mm256_castps256_ps128((__m256)v));
}

#else

KT_INLINE vf vf_set(float x) { return (vf){x, x, x, x}; }
KT_INLINE vf vf_fma(vf a, vf b, vf c) { return a * b + c; }
#if defined(__SSE__)
KT_INLINE vf vf_max(vf a, vf b) { return (vf)_mm_max_ps((__m128)a, (__m128)b); }
KT_INLINE vf vf_min(vf a, vf b) { return (vf)_mm_min_ps((__m128)a, (__m128)b); }
#else
KT_INLINE vf vf_pick(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }
KT_INLINE vf vf_max(vf a, vf b) { return vf_pick((vi)(a > b), a, b); }
KT_INLINE vf vf_min(vf a, vf b) { return vf_pick((vi)(a < b), a, b); }
#endif
KT_INLINE vf vf_load_n(const float *p, int64_t n) {
    if (n >= LANES) return vf_load(p);
    return (vf){n > 0 ? p[0] : 0, n > 1 ? p[1] : 0, n > 2 ? p[2] : 0, 0};
}
KT_INLINE void vf_store_n(float *p, vf v, int64_t n) {
    for (int i = 0; i < LANES && i < n; i++) p[i] = v[i];
}
KT_INLINE vf vf_load_half(const float *p) { return (vf){p[0], p[1], 0, 0}; }
KT_INLINE void vf_store_half(float *p, vf v) {
    p[0] = v[0];
    p[1] = v[1];
}

#endif

/** Bytes as integers, and back (values 0 … 255): the first n lanes, 1 … LANES. */
KT_INLINE vi vi_load_u8(const uint8_t *p, int64_t n) {
#if defined(KT_AVX512)
    return (vi)_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8((__mmask16)((1u << n) - 1), p));
#elif defined(KT_AVX2)
    uint64_t bytes = 0;
    if (n == LANES)
        memcpy(&bytes, p, LANES);
    else
        memcpy(&bytes, p, (size_t)n);
    return (vi)_mm256_cvtepu8_epi32(_mm_cvtsi64_si128((int64_t)bytes));
#else
    vi v = {0};
    for (int64_t i = 0; i < n && i < LANES; i++) v[i] = p[i];
    return v;
#endif
}
KT_INLINE void vi_store_u8(uint8_t *p, vi v, int64_t n) {
#if defined(KT_AVX512)
    const __m128i bytes = _mm512_cvtepi32_epi8((__m512i)v);
    if (n == LANES) /* a masked store is slow */
        _mm_storeu_si128((__m128i *)(void *)p, bytes);
    else
        _mm_mask_storeu_epi8(p, (__mmask16)((1u << n) - 1), bytes);
#elif defined(KT_AVX2)
    const __m128i low = _mm256_castsi256_si128((__m256i)v);
    const __m128i words = _mm_packus_epi32(low, _mm256_extracti128_si256((__m256i)v, 1));
    const int64_t bytes = _mm_cvtsi128_si64(_mm_packus_epi16(words, words));
    if (n == LANES)
        memcpy(p, &bytes, LANES);
    else
        memcpy(p, &bytes, (size_t)n);
#else
    for (int64_t i = 0; i < n && i < LANES; i++) p[i] = (uint8_t)v[i];
#endif
}

typedef uint64_t vu64 __attribute__((vector_size(4 * LANES)));

/** The 64-bit products of the lower halves of a with b. */
KT_INLINE vu64 vu64_mul_low(vu64 a, uint32_t b) {
#if defined(KT_AVX512)
    return (vu64)_mm512_mul_epu32((__m512i)a, _mm512_set1_epi64((int64_t)b));
#elif defined(KT_AVX2)
    return (vu64)_mm256_mul_epu32((__m256i)a, _mm256_set1_epi64x((int64_t)b));
#elif defined(__SSE2__)
    return (vu64)_mm_mul_epu32((__m128i)a, _mm_set1_epi64x((int64_t)b));
#else
    return (a & 0xffffffffu) * (uint64_t)b;
#endif
}

/* Sums over the lanes, by halves: always in the same order. */
KT_INLINE float vf_sum(vf v) {
    float t[LANES];
    vf_store(t, v);
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++) t[i] += t[i + half];
    return t[0];
}

#endif
