/* Adam, all in one pass over parameter, moments and gradient. keras.optimizers.Adam
 *
 *     m += (g - m)(1 - b1);  v += (g^2 - v)(1 - b2);  p -= m alpha / (sqrt(v) + epsilon)
 *
 * With AVX-512 the root and the quotient are made from the 14-bit estimates and one Newton step
 * each (relative error below 2e-7): a full square root and division would take longer than the
 * memory. */
#include "backend/cpu/kernels/parts.h"

#include <float.h>

/* a / (sqrt(v) + e) */
KT_INLINE vf adam_ratio(vf a, vf v, vf e) {
#if defined(KT_AVX512)
    /* away from 0 and infinity, where 0 * inf would arise; NaN passes through */
    const __m512 x = (__m512)vf_min(vf_set(FLT_MAX), vf_max(vf_set(FLT_MIN), v));
    const __m512 r = _mm512_rsqrt14_ps(x);
    const __m512 root = _mm512_mul_ps(x, r);
    const __m512 half = _mm512_mul_ps(_mm512_set1_ps(0.5f), root);
    const __m512 miss = _mm512_fnmadd_ps(root, r, _mm512_set1_ps(1)); /* 1 - x r^2 */
    const __m512 d = _mm512_add_ps(_mm512_fmadd_ps(half, miss, root), (__m512)e);
    const __m512 q = _mm512_rcp14_ps(d);
    const __m512 left = _mm512_fnmadd_ps(d, q, _mm512_set1_ps(1));
    return a * (vf)_mm512_fmadd_ps(q, left, q);
#elif defined(KT_AVX2)
    return a / ((vf)_mm256_sqrt_ps((__m256)v) + e);
#elif defined(__SSE__)
    return a / ((vf)_mm_sqrt_ps((__m128)v) + e);
#else
    vf root;
    for (int i = 0; i < LANES; i++) root[i] = __builtin_sqrtf(v[i]);
    return a / (root + e);
#endif
}

KT_INLINE void adam_step(float *p, float *m, float *v, const float *g, int64_t n, const vf *s) {
    const bool whole = n == LANES;
    const vf grad = whole ? vf_load(g) : vf_load_n(g, n);
    vf first = whole ? vf_load(m) : vf_load_n(m, n);
    vf second = whole ? vf_load(v) : vf_load_n(v, n);
    const vf old = whole ? vf_load(p) : vf_load_n(p, n);
    first = vf_fma(grad - first, s[1], first);
    second = vf_fma(vf_fma(grad, grad, -second), s[2], second);
    const vf new = old - adam_ratio(first * s[0], second, s[3]);
    if (whole) {
        vf_store(m, first);
        vf_store(v, second);
        vf_store(p, new);
    } else {
        vf_store_n(m, first, n);
        vf_store_n(v, second, n);
        vf_store_n(p, new, n);
    }
}

void KT_FN(kt_adam)(
    float *p, float *m, float *v, const float *g, int64_t n, const kt_adam_scalars *scalars) {
    const vf s[4] = {
        vf_set(scalars->alpha),
        vf_set(scalars->one_minus_b1),
        vf_set(scalars->one_minus_b2),
        vf_set(scalars->epsilon),
    };
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) adam_step(p + i, m + i, v + i, g + i, LANES, s);
    if (i < n) adam_step(p + i, m + i, v + i, g + i, n - i, s);
}
