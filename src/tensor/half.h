/* float16 and bfloat16 as bit patterns: storage types that are computed in float.
 *
 * Narrowing rounds to nearest, ties to even, as IEEE 754, NumPy and ml_dtypes do. A double goes
 * through a float that was rounded to odd: a plain cast would round twice and get ties wrong. */
#ifndef KT_TENSOR_HALF_H
#define KT_TENSOR_HALF_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t kt_float_bits(float f) {
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

static inline float kt_float_of_bits(uint32_t u) {
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

static inline float kt_half_to_float(uint16_t h) {
    const uint32_t sign = (uint32_t)(h & 0x8000u) << 16, exponent = h >> 10 & 31,
                   mantissa = h & 1023;
    if (exponent == 31) return kt_float_of_bits(sign | 0x7F800000u | mantissa << 13);
    if (exponent == 0) { /* subnormal: mantissa * 2^-24 is exact in float */
        const float v = (float)mantissa * 5.9604644775390625e-08f;
        return sign ? -v : v;
    }
    return kt_float_of_bits(sign | (exponent + 112) << 23 | mantissa << 13);
}

static inline uint16_t kt_half_of_float(float f) {
    const uint32_t bits = kt_float_bits(f), sign = bits >> 16 & 0x8000u, mag = bits & 0x7FFFFFFFu;
    if (mag > 0x7F800000u) return (uint16_t)(sign | 0x7E00u | (mag >> 13 & 0x3FFu)); /* NaN */
    if (mag >= 0x477FF000u)
        return (uint16_t)(sign | 0x7C00u); /* 65520 and more round to infinity */
    if (mag < 0x38800000u) {
        /* Subnormal result: adding 0.5 leaves the rounded mantissa in the low bits. */
        const float shifted = kt_float_of_bits(mag) + 0.5f;
        return (uint16_t)(sign | (kt_float_bits(shifted) - 0x3F000000u));
    }
    const uint32_t rounded = mag + 0xFFFu + (mag >> 13 & 1u);
    return (uint16_t)(sign | ((rounded >> 13) - (112u << 10)));
}

static inline float kt_bfloat_to_float(uint16_t b) { return kt_float_of_bits((uint32_t)b << 16); }

static inline uint16_t kt_bfloat_of_float(float f) {
    const uint32_t bits = kt_float_bits(f);
    if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return (uint16_t)(bits >> 16 | 0x40u); /* stay a NaN */
    return (uint16_t)((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16);
}

/* Rounds to odd: of the two floats around d, the one whose last bit is set. Rounding that once more
 * to a shorter type equals rounding d itself. */
static inline float kt_float_round_odd(double d) {
    const float f = (float)d;
    if (isnan(d) || isinf(d) || (double)f == d) return f;
    uint32_t bits = kt_float_bits(f);
    if (fabs((double)f) > fabs(d)) bits--; /* infinity steps down to the largest float */
    return kt_float_of_bits(bits | 1u);
}

/* A number as the type has it, in a wider type: what an operation of that type gives. */
static inline float kt_f16f(float x) { return kt_half_to_float(kt_half_of_float(x)); }
static inline float kt_bf16f(float x) { return kt_bfloat_to_float(kt_bfloat_of_float(x)); }
static inline double kt_f16(double x) { return (double)kt_f16f(kt_float_round_odd(x)); }
static inline double kt_bf16(double x) { return (double)kt_bf16f(kt_float_round_odd(x)); }

#endif
