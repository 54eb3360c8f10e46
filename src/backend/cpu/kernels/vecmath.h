/* Elementary functions of one float, written without branches so that the compiler turns a loop
 * over them into vector code at every level. Own polynomials (minimax fits on the ranges named),
 * so results do not change with the C library. Largest errors found, in units of the last place:
 *
 *   exp 1.0  expm1 1.4  log 0.9  log1p 0.9  pow 0.6  tanh 2.5  erf 1.1  sin, cos 1.6  tan 3.5
 *   asin 2.1  acos 2.6  atan 1.9  atan2 2.5  sinh 2.1  cosh 1.4  asinh 1.6  acosh 2.5  atanh 1.9
 *
 * and none of them more than 4 (kernels_test.c). NaN gives NaN; infinities, overflow and
 * denormal results are right unless the thread flushes denormals. vm_name(x) is what M(name)(x)
 * of ir/unary.def becomes in kernels. */
#ifndef KT_KERNELS_VECMATH_H
#define KT_KERNELS_VECMATH_H

#include "backend/cpu/kernels/vec.h"

#include <math.h>

#define vm_fabs __builtin_fabsf
#define vm_sqrt __builtin_sqrtf
#define vm_floor __builtin_floorf
#define vm_ceil __builtin_ceilf
#define vm_rint __builtin_rintf
#define vm_trunc __builtin_truncf

KT_INLINE uint32_t vm_bits(float x) {
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}
KT_INLINE float vm_float(uint32_t u) {
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}
/* To the nearest float16, ties to even, as tensor/half.h does it. Below 2^-14 the steps are those
 * of numbers between 0.5 and 1; a NaN stays one. */
KT_INLINE float vm_kt_f16(float x) {
    const uint32_t u = vm_bits(x), mag = u & 0x7FFFFFFFu;
    const uint32_t small = vm_bits((vm_float(mag) + 0.5f) - 0.5f);
    uint32_t r = (mag + 0xFFFu + (mag >> 13 & 1u)) & ~0x1FFFu;
    r = mag >= 0x477FF000u ? 0x7F800000u : r;
    r = mag < 0x38800000u ? small : r;
    r = mag > 0x7F800000u ? (mag & ~0x1FFFu) | 0x400000u : r;
    return vm_float((u & 0x80000000u) | r);
}
KT_INLINE float vm_kt_bf16(float x) {
    const uint32_t u = vm_bits(x);
    const uint32_t r = u + 0x7FFFu + (u >> 16 & 1u);
    return vm_float(((u & 0x7FFFFFFFu) > 0x7F800000u ? u | 0x400000u : r) & 0xFFFF0000u);
}
KT_INLINE uint64_t vm_bits64(double x) {
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}
KT_INLINE double vm_double(uint64_t u) {
    double x;
    memcpy(&x, &u, sizeof x);
    return x;
}
/* 2^n for n in the range of normal numbers */
KT_INLINE float vm_pow2(int32_t n) { return vm_float((uint32_t)(n + 127) << 23); }

/* Adding this pushes the integer part of |x| < 2^22 into the low bits, rounded to nearest. */
#define VM_MAGIC 0x1.8p23f
#define VM_LOG2E 0x1.715476p+0f
#define VM_LN2_HI 0x1.62e4p-1f /* 15 bits: its product with an exponent is exact */
#define VM_LN2_LO 0x1.7f7d1cp-20f

/* x = n ln 2 + f, |f| <= ln 2 / 2 */
KT_INLINE float vm_exp_reduce(float x, int32_t *n) {
    const float t = x * VM_LOG2E + VM_MAGIC;
    const float k = t - VM_MAGIC;
    *n = (int32_t)(vm_bits(t) - vm_bits(VM_MAGIC));
    return (x - k * VM_LN2_HI) - k * VM_LN2_LO;
}

/* 2^scale exp(x), scale 0 or -1 */
KT_INLINE float vm_exp_scaled(float x, int32_t scale) {
    x = x > 90.0f ? 90.0f : x; /* NaN stays */
    x = x < -104.0f ? -104.0f : x;
    int32_t n;
    const float f = vm_exp_reduce(x, &n);
    float q = 0x1.6d7ca2p-10f;
    q = q * f + 0x1.123afep-7f;
    q = q * f + 0x1.5554bep-5f;
    q = q * f + 0x1.555490p-3f;
    q = q * f + 0.5f;
    const float p = (q * (f * f) + f) + 1;
    /* in two steps: 2^n itself may lie outside of the normal numbers. NaN has any n, and stays
     * NaN */
    const int32_t half = n >> 1;
    return p * vm_pow2(half) * vm_pow2(n - half + scale);
}

KT_INLINE float vm_exp(float x) { return vm_exp_scaled(x, 0); }

/* exp(f) - 1 for the reduced argument */
KT_INLINE float vm_expm1_poly(float f) {
    float q = 0x1.a242fcp-13f;
    q = q * f + 0x1.6d3cd2p-10f;
    q = q * f + 0x1.111004p-7f;
    q = q * f + 0x1.5554f6p-5f;
    q = q * f + 0x1.555556p-3f;
    q = q * f + 0.5f;
    return q * (f * f) + f;
}

KT_INLINE float vm_expm1(float x0) {
    float x = x0 > 89.0f ? 89.0f : x0;
    x = x < -18.0f ? -18.0f : x;
    int32_t n;
    const float p = vm_expm1_poly(vm_exp_reduce(x, &n));
    const float s = vm_pow2(n - 1); /* half of 2^n, which would overflow for the largest x */
    const float y = 2 * (s * p + (s - 0.5f));
    return x0 == 0 ? x0 : y;
}

KT_INLINE float vm_tanh(float x) {
    float a = __builtin_fabsf(x);
    a = a > 10.0f ? 10.0f : a;
    int32_t n;
    const float p = vm_expm1_poly(vm_exp_reduce(-2 * a, &n));
    const float s = vm_pow2(n);
    const float e = s * p + (s - 1); /* exp(-2a) - 1 */
    return __builtin_copysignf(-e / (2 + e), x);
}

/* log(1 + f) for f in [-0.25, 0.5], plus e ln 2 */
KT_INLINE float vm_log_sum(float f, float e) {
    float p = -0x1.7a45aap-5f;
    p = p * f + 0x1.b17b52p-4f;
    p = p * f + -0x1.0e0ea0p-3f;
    p = p * f + 0x1.284b32p-3f;
    p = p * f + -0x1.54dd52p-3f;
    p = p * f + 0x1.996b02p-3f;
    p = p * f + -0x1.000082p-2f;
    p = p * f + 0x1.5555a2p-2f;
    const float tail = (p * f - 0.5f) * (f * f) + e * VM_LN2_LO;
    return e * VM_LN2_HI + (f + tail);
}

#define VM_NAN __builtin_nanf("")
#define VM_INF __builtin_inff()

KT_INLINE float vm_log(float x) {
    const int small = x < 0x1p-126f;
    const uint32_t u = vm_bits(small ? x * 0x1p23f : x);
    const uint32_t i = (u - 0x3f400000u) & 0xff800000u; /* so that u - i lies in [0.75, 1.5) */
    const float e = (float)((int32_t)i >> 23) - (small ? 23.0f : 0.0f);
    float y = vm_log_sum(vm_float(u - i) - 1, e);
    y = x < VM_INF ? y : x;
    y = x < 0 ? VM_NAN : y;
    return x == 0 ? -VM_INF : y;
}

KT_INLINE float vm_log1p(float x) {
    /* 1 + x = 2^e (1 + f): f is put together from x 2^-e and 2^-e - 1, so nothing of x is lost */
    const uint32_t i = (vm_bits(1 + x) - 0x3f400000u) & 0xff800000u;
    const float scaled = vm_float(vm_bits(x) - i);
    const float f = scaled + (0.25f * vm_float(0x40800000u - i) - 1);
    float y = vm_log_sum(f, (float)((int32_t)i >> 23));
    y = x < VM_INF ? y : x;
    y = x < -1 ? VM_NAN : y;
    y = x == -1 ? -VM_INF : y;
    return x == 0 ? x : y;
}

KT_INLINE float vm_erf(float x) {
    float a = __builtin_fabsf(x);
    a = a > 4.0f ? 4.0f : a;
    const float s = a * a;
    float p = -0x1.398912p-11f; /* |x| < 0.93: x + x P(x^2) */
    p = p * s + 0x1.4723dep-8f;
    p = p * s + -0x1.b689b6p-6f;
    p = p * s + 0x1.ce1a88p-4f;
    p = p * s + -0x1.8126e8p-2f;
    p = p * s + 0x1.06eba6p-3f;
    float q = 0x1.428cc8p-18f; /* above: 1 - exp(-x Q(x)) */
    q = q * a + -0x1.710a78p-15f;
    q = q * a + -0x1.e2f1d2p-15f;
    q = q * a + 0x1.82e8d6p-9f;
    q = q * a + -0x1.740f3cp-6f;
    q = q * a + 0x1.af49b0p-4f;
    q = q * a + 0x1.456e8cp-1f;
    q = q * a + 0x1.20e8fep+0f;
    const float y = a < 0.93f ? p * a + a : 1 - vm_exp(-(q * a));
    return __builtin_copysignf(y, x);
}

/* x = n pi/2 + r, |r| <= pi/4, right for |x| <= VM_TRIG_MAX (strips.c looks after the others). In
 * double: no table of bits of pi, and the float result is rounded once. */
#define VM_TRIG_MAX 1e6f
KT_INLINE float vm_trig_reduce(float x, uint32_t *n) {
    const double magic = 0x1.8p52, half_pi_hi = 0x1.921fb544p+0, half_pi_lo = 0x1.0b4611a626331p-34;
    const double t = (double)x * 0.63661977236758134 + magic, k = t - magic;
    *n = (uint32_t)vm_bits64(t);
    return (float)(((double)x - k * half_pi_hi) - k * half_pi_lo);
}

KT_INLINE float vm_sin_poly(float r, float s) {
    float p = 0x1.7cd016p-19f;
    p = p * s + -0x1.a05baap-13f;
    p = p * s + 0x1.111176p-7f;
    p = p * s + -0x1.555556p-3f;
    return p * s * r + r;
}

KT_INLINE float vm_cos_poly(float s) {
    float p = 0x1.99e0ecp-16f;
    p = p * s + -0x1.6c0c1ap-10f;
    p = p * s + 0x1.55554ap-5f;
    return p * (s * s) + (-0.5f * s + 1);
}

/* sin(x + quarter pi/2) */
KT_INLINE float vm_sin_of(float x, uint32_t quarter) {
    uint32_t n;
    const float r = vm_trig_reduce(x, &n), s = r * r;
    n += quarter;
    const float y = n & 1 ? vm_cos_poly(s) : vm_sin_poly(r, s);
    return vm_float(vm_bits(y) ^ (n & 2) << 30);
}

KT_INLINE float vm_sin(float x) { return vm_sin_of(x, 0); }
KT_INLINE float vm_cos(float x) { return vm_sin_of(x, 1); }

KT_INLINE float vm_tan(float x) {
    uint32_t n;
    const float r = vm_trig_reduce(x, &n), s = r * r;
    const float sine = vm_sin_poly(r, s), cosine = vm_cos_poly(s);
    const float above = n & 1 ? -cosine : sine, below = n & 1 ? sine : cosine;
    return above / below;
}

/* atan t for |t| <= 1 */
KT_INLINE float vm_atan_poly(float t) {
    const float s = t * t;
    float p = -0x1.de3c4ep-10f;
    p = p * s + 0x1.6a2386p-7f;
    p = p * s + -0x1.017d7ap-5f;
    p = p * s + 0x1.dcdcc2p-5f;
    p = p * s + -0x1.58cdd2p-4f;
    p = p * s + 0x1.c0cd78p-4f;
    p = p * s + -0x1.24267ap-3f;
    p = p * s + 0x1.99926ap-3f;
    p = p * s + -0x1.555540p-2f;
    return p * s * t + t;
}

#define VM_PI 0x1.921fb6p+1f

KT_INLINE float vm_atan(float x) {
    const float a = __builtin_fabsf(x);
    const float above = a > 1 ? -1 : a, below = a > 1 ? a : 1;
    const float y = vm_atan_poly(above / below); /* atan a = pi/2 + atan(-1/a) */
    return __builtin_copysignf(a > 1 ? VM_PI / 2 + y : y, x);
}

KT_INLINE float vm_atan2(float y, float x) {
    const float a = __builtin_fabsf(x), b = __builtin_fabsf(y);
    const float low = b > a ? a : b, high = b > a ? b : a;
    float t = low == high ? 1 : low / high; /* two infinities are equal */
    t = high == 0 ? 0 : t;
    float r = vm_atan_poly(t);
    r = b > a ? VM_PI / 2 - r : r;
    r = vm_bits(x) >> 31 ? VM_PI - r : r; /* -0 counts as negative */
    r = x == x ? r : x;
    return y == y ? __builtin_copysignf(r, y) : y;
}

/* Half-angle forms: no cancellation near the ends, NaN beyond them */
KT_INLINE float vm_asin(float x) { return 2 * vm_atan_poly(x / (1 + vm_sqrt((1 - x) * (1 + x)))); }
KT_INLINE float vm_acos(float x) { return 2 * vm_atan(vm_sqrt((1 - x) / (1 + x))); }

/* log2 of a positive finite double */
KT_INLINE double vm_log2_double(double a) {
    const uint64_t u = vm_bits64(a);
    const uint64_t i = (u - 0x3fe6a09e00000000u) & 0xfff0000000000000u; /* [sqrt 1/2, sqrt 2) */
    const double m = vm_double(u - i), s = (m - 1) / (m + 1), z = s * s;
    const double e = (double)((int32_t)(i >> 32) >> 20);
    double p = 0x1.f0e33c943f69dp-3;
    p = p * z + 0x1.0bbf69ec8208ep-2;
    p = p * z + 0x1.484f6476c76f6p-2;
    p = p * z + 0x1.a61757b79271fp-2;
    p = p * z + 0x1.2776c5154f6f9p-1;
    p = p * z + 0x1.ec709dc39dd80p-1;
    p = p * z + 0x1.71547652b82fep+1;
    return p * s + e;
}

/* 2^t, t cut to the range that float can tell from 0 and infinity */
KT_INLINE double vm_exp2_double(double t) {
    t = t > 200 ? 200 : t;
    t = t < -200 ? -200 : t;
    const double magic = 0x1.8p52, k = t + magic, r = t - (k - magic);
    double p = 0x1.00f7cf1dd7a26p-16;
    p = p * r + 0x1.446ca1c957f46p-13;
    p = p * r + 0x1.5d8715802b73fp-10;
    p = p * r + 0x1.3b29d88860e3dp-7;
    p = p * r + 0x1.c6b08e0722aecp-5;
    p = p * r + 0x1.ebfbe0aa42350p-3;
    p = p * r + 0x1.62e42fef6cbcfp-1;
    p = p * r + 0x1.ffffffffa6e80p-1;
    return p * vm_double((vm_bits64(k) + 1023) << 52);
}

/* In double: the logarithm's error times y would show otherwise. Rules for signs, zeros,
 * infinities and NaN as in C. */
KT_INLINE float vm_pow(float a, float b) {
    const float m = __builtin_fabsf(a);
    double l = vm_log2_double((double)m);
    l = m == 0 ? -(double)VM_INF : l;
    l = m < VM_INF ? l : (double)m;
    float y = (float)vm_exp2_double((double)b * l);
    /* an odd power keeps the sign; other powers of negative numbers must be whole. (Written
     * with trunc: gcc makes branches of conversions to int here.) */
    const float half = 0.5f * b;
    const uint32_t sign = half != vm_trunc(half) ? vm_bits(a) & 0x80000000u : 0;
    const float otherwise = a < 0 ? (m < VM_INF ? VM_NAN : y) : y;
    y = b != vm_trunc(b) ? otherwise : vm_float(vm_bits(y) | sign);
    y = m == 1 ? (__builtin_fabsf(b) == VM_INF ? 1 : y) : y;
    y = a == 1 ? 1 : y;
    return b == 0 ? 1 : y;
}

KT_INLINE float vm_sinh(float x) {
    const float a = __builtin_fabsf(x), h = vm_exp_scaled(a, -1);
    const float e = vm_expm1(a > 1 ? 1 : a);
    const float y = a > 1 ? h - 0.25f / h : 0.5f * (e + e / (1 + e));
    return x == x ? __builtin_copysignf(y, x) : x;
}

KT_INLINE float vm_cosh(float x) {
    const float h = vm_exp_scaled(__builtin_fabsf(x), -1);
    return h + 0.25f / h;
}

/* Beyond this, x^2 + 1 is x^2 */
#define VM_LARGE 1e6f
#define VM_LN2 0x1.62e43p-1f

KT_INLINE float vm_asinh(float x) {
    const float a = __builtin_fabsf(x);
    const float small = vm_log1p(a + a * a / (1 + vm_sqrt(a * a + 1)));
    return __builtin_copysignf(a > VM_LARGE ? vm_log(a) + VM_LN2 : small, x);
}

KT_INLINE float vm_acosh(float x) {
    const float t = x - 1, small = vm_log1p(t + vm_sqrt(2 * t + t * t));
    const float y = x > VM_LARGE ? vm_log(x) + VM_LN2 : small;
    return x < 1 ? VM_NAN : y;
}

KT_INLINE float vm_atanh(float x) {
    const float a = __builtin_fabsf(x);
    return __builtin_copysignf(0.5f * vm_log1p(2 * a / (1 - a)), x);
}

#endif
