/* See draw.h. Philox words (base/rng.h) become
 *
 *   uniform    a + (b - a) u, u with 24 bits (53 for double), never b itself
 *   normal     a + b z, z = the inverse of the normal distribution at u: one word for each number,
 *              no pairs as in Box and Muller's method, no loop as in rejection
 *   truncated  the same with u from Phi(-2) … Phi(2): just what drawing again and again gives
 *
 * The inverse is Wichura's AS 241 (Applied Statistics 37, 1988): a rational function of q = u - 1/2
 * where |q| <= 0.425, one of sqrt(-log(tail)) elsewhere; 7 digits (PPND7) for float, 16 (PPND16)
 * for double. The tail's probability is taken from the integer, so that it keeps its digits: normal
 * numbers reach 6.3 (8.1) standard deviations. */
#include "nn/initializers/draw.h"

#include "base/error.h"
#include "base/pool.h"
#include "base/rng.h"

#include <math.h>

#define CHUNK 1024                    /* elements at a time; a multiple of 4 */
#define PER_JOB (64 * CHUNK)          /* elements that one thread takes at a time */
#define HALF_MASS 0.47724986805182079 /* Phi(2) - 1/2 */
#define CENTRAL 0.425

/* Float ------------------------------------------------------------------------------------------
 */

static float float_central(float q) {
    const float r = 0.180625F - q * q;
    const float a = ((59.109374720F * r + 159.29113202F) * r + 50.434271938F) * r + 3.3871327179F;
    const float b = ((67.187563600F * r + 78.757757664F) * r + 17.895169469F) * r + 1;
    return q * a / b;
}

/* tail >= 2^-33, so that the third range of PPND7 is never reached. */
static float float_tail(float tail) {
    const float r = sqrtf(-logf(tail)) - 1.6F;
    const float c = ((0.17023821103F * r + 1.3067284816F) * r + 2.7568153900F) * r + 1.4234372777F;
    const float d = (0.12021132975F * r + 0.73700164250F) * r + 1;
    return c / d;
}

/* Bits 0 … 30 say how far from the median, bit 31 on which side. */
static void float_normal(const uint32_t *w, float *z, int n, bool truncated) {
    const float unit = truncated ? (float)(HALF_MASS * 0x1p-31) : 0x1p-32F;
    for (int i = 0; i < n; i++) {
        const float q = ((float)(int32_t)(w[i] & 0x7fffffff) + 0.5F) * unit;
        z[i] = float_central(q);
    }
    for (int i = 0; i < n; i++) {
        const int32_t m = (int32_t)(w[i] & 0x7fffffff);
        const float q = ((float)m + 0.5F) * unit;
        if (q > (float)CENTRAL)
            z[i] = float_tail(truncated ? 0.5F - q : ((float)(0x7fffffff - m) + 0.5F) * unit);
        if (truncated && z[i] > 2) z[i] = 2;
        if (w[i] >> 31) z[i] = -z[i];
    }
}

static void float_fill(
    kt_draw kind, double a, double b, uint64_t key, int64_t at, float *y, int n) {
    uint32_t w[CHUNK];
    const float low = (float)a, high = (float)b;
    for (int i = 0; i < n; i += 4) kt_philox_block(key, 0, (uint64_t)(at + i) / 4, w + i);
    if (kind == KT_DRAW_UNIFORM) {
        const float width = (float)(b - a), last = high > low ? nextafterf(high, low) : INFINITY;
        for (int i = 0; i < n; i++) {
            const float v = low + width * ((float)(int32_t)(w[i] >> 8) * 0x1p-24F);
            y[i] = v > last ? last : v;
        }
        return;
    }
    float_normal(w, y, n, kind == KT_DRAW_TRUNCATED);
    for (int i = 0; i < n; i++) y[i] = low + high * y[i];
}

/* Double -----------------------------------------------------------------------------------------
 */

static double ratio(const double *a, const double *b, double r) {
    double p = a[7], q = b[7];
    for (int i = 6; i >= 0; i--) {
        p = p * r + a[i];
        q = q * r + b[i];
    }
    return p / q;
}

static double double_central(double q) {
    static const double a[] = {
        3.3871328727963666080e0,
        1.3314166789178437745e2,
        1.9715909503065514427e3,
        1.3731693765509461125e4,
        4.5921953931549871457e4,
        6.7265770927008700853e4,
        3.3430575583588128105e4,
        2.5090809287301226727e3};
    static const double b[] = {
        1,
        4.2313330701600911252e1,
        6.8718700749205790830e2,
        5.3941960214247511077e3,
        2.1213794301586595867e4,
        3.9307895800092710610e4,
        2.8729085735721942674e4,
        5.2264952788528545610e3};
    return q * ratio(a, b, 0.180625 - q * q);
}

static double double_tail(double tail) {
    static const double c[] = {
        1.42343711074968357734e0,
        4.63033784615654529590e0,
        5.76949722146069140550e0,
        3.64784832476320460504e0,
        1.27045825245236838258e0,
        2.41780725177450611770e-1,
        2.27238449892691845833e-2,
        7.74545014278341407640e-4};
    static const double d[] = {
        1,
        2.05319162663775882187e0,
        1.67638483018380384940e0,
        6.89767334985100004550e-1,
        1.48103976427480074590e-1,
        1.51986665636164571966e-2,
        5.47593808499534494600e-4,
        1.05075007164441684324e-9};
    static const double e[] = {
        6.65790464350110377720e0,
        5.46378491116411436990e0,
        1.78482653991729133580e0,
        2.96560571828504891230e-1,
        2.65321895265761230930e-2,
        1.24266094738807843860e-3,
        2.71155556874348757815e-5,
        2.01033439929228813265e-7};
    static const double f[] = {
        1,
        5.99832206555887937690e-1,
        1.36929880922735805310e-1,
        1.48753612908506148525e-2,
        7.86869131145613259100e-4,
        1.84631831751005468180e-5,
        1.42151175831644588870e-7,
        2.04426310338993978564e-15};
    const double r = sqrt(-log(tail));
    return r <= 5 ? ratio(c, d, r - 1.6) : ratio(e, f, r - 5);
}

/* 52 bits of distance from the median, one of side. */
static double double_normal(uint64_t bits, bool truncated) {
    const uint64_t m = bits >> 1 & 0xfffffffffffff;
    const double unit = truncated ? HALF_MASS * 0x1p-52 : 0x1p-53;
    const double q = ((double)m + 0.5) * unit;
    double z;
    if (q <= CENTRAL)
        z = double_central(q);
    else
        z = double_tail(truncated ? 0.5 - q : ((double)(0xfffffffffffff - m) + 0.5) * unit);
    if (truncated && z > 2) z = 2;
    return bits & 1 ? -z : z;
}

static void double_fill(
    kt_draw kind, double a, double b, uint64_t key, int64_t at, double *y, int n) {
    const double last = b > a ? nextafter(b, a) : INFINITY;
    uint32_t w[4];
    for (int i = 0; i < n; i++) {
        if (i % 2 == 0) kt_philox_block(key, 0, (uint64_t)(at + i) / 2, w);
        const uint64_t high = w[i % 2 * 2], bits = high << 21 ^ w[i % 2 * 2 + 1] >> 11;
        if (kind == KT_DRAW_UNIFORM) {
            const double v = a + (b - a) * ((double)bits * 0x1p-53);
            y[i] = v > last ? last : v;
        } else {
            y[i] = a + b * double_normal(bits, kind == KT_DRAW_TRUNCATED);
        }
    }
}

/* Arrays -----------------------------------------------------------------------------------------
 */

typedef struct {
    kt_draw kind;
    double a, b;
    uint64_t key;
    kt_dtype dtype;
    int64_t n;
    char *data;
} draw_job;

static void draw_some(const draw_job *j, int64_t at, int n) {
    float buf[CHUNK];
    char *to = j->data + (size_t)at * kt_dtype_size(j->dtype);
    if (j->dtype == KT_FLOAT64) {
        double_fill(j->kind, j->a, j->b, j->key, at, (double *)(void *)to, n);
        return;
    }
    float_fill(j->kind, j->a, j->b, j->key, at, buf, n);
    kt_elem_convert(to, j->dtype, buf, KT_FLOAT32, n);
}

static void draw_chunk(void *arg, int64_t chunk, int thread) {
    const draw_job *j = arg;
    (void)thread;
    const int64_t start = chunk * PER_JOB;
    const int64_t stop = j->n - start > PER_JOB ? start + PER_JOB : j->n;
    for (int64_t at = start; at < stop; at += CHUNK)
        draw_some(j, at, stop - at > CHUNK ? CHUNK : (int)(stop - at));
}

kt_status kt_draw_fill(
    kt_draw kind, double a, double b, uint64_t key, const kt_spec *spec, void *data) {
    if (!kt_dtype_is_float(spec->dtype))
        return KT_FAIL(
            KT_EDTYPE,
            "random initializers fill floating-point weights, not %s",
            kt_dtype_name(spec->dtype));
    draw_job j = {kind, a, b, key, spec->dtype, kt_shape_size(&spec->shape), data};
    kt_pool_run(draw_chunk, &j, (j.n + PER_JOB - 1) / PER_JOB);
    return KT_OK;
}
