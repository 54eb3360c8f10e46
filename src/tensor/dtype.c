/* The dtype table and everything that depends on it: names, sizes, one element, whole arrays.
 *
 * Conversion follows what Keras' backends do and leaves nothing to undefined C: integers wrap,
 * floats lose their fraction and are clipped to the range of the integer (NaN becomes 0, as in
 * XLA), bool is value != 0, and narrower floats round to nearest even. */
#include "tensor/half.h"
#include "tensor/tensor.h"

#include <string.h>

static const struct {
    const char *name;
    size_t size;
} dtypes[KT_DTYPE_COUNT] = {
    [KT_NO_DTYPE] = {"none", 0},
    [KT_FLOAT32] = {"float32", 4},
    [KT_FLOAT64] = {"float64", 8},
    [KT_INT32] = {"int32", 4},
    [KT_INT64] = {"int64", 8},
    [KT_UINT8] = {"uint8", 1},
    [KT_BOOL] = {"bool", 1},
    [KT_FLOAT16] = {"float16", 2},
    [KT_BFLOAT16] = {"bfloat16", 2},
    [KT_INT8] = {"int8", 1},
    [KT_STRING] = {"string", sizeof(const char *)},
};

/* Values come from callers and files: an enum may hold anything. */
static bool dtype_known(kt_dtype d) { return (int)d > KT_NO_DTYPE && (int)d < KT_DTYPE_COUNT; }

const char *kt_dtype_name(kt_dtype dtype) { return dtypes[dtype_known(dtype) ? dtype : 0].name; }

size_t kt_dtype_size(kt_dtype dtype) { return dtypes[dtype_known(dtype) ? dtype : 0].size; }

kt_dtype kt_dtype_of(const char *name) {
    for (int d = 1; name && d < KT_DTYPE_COUNT; d++)
        if (!strcmp(dtypes[d].name, name)) return (kt_dtype)d;
    return KT_NO_DTYPE;
}

/* Truncation with defined results: a C cast of 1e10 to int32 is not. The bounds are exact doubles.
 */
static int64_t clip_to(double v, double low, double high, int64_t min, int64_t max) {
    if (isnan(v)) return 0;
    if (v <= low) return min;
    return v >= high ? max : (int64_t)v;
}
static int32_t to_i32(double v) {
    return (int32_t)clip_to(v, -2147483648.0, 2147483647.0, INT32_MIN, INT32_MAX);
}
static int64_t to_i64(double v) {
    return clip_to(v, -9223372036854775808.0, 9223372036854775808.0, INT64_MIN, INT64_MAX);
}
static uint8_t to_u8(double v) { return (uint8_t)clip_to(v, 0, 255, 0, 255); }
static int8_t to_i8(double v) { return (int8_t)clip_to(v, -128, 127, -128, 127); }

/* Access that does not depend on alignment: wrapped memory and file buffers need not be aligned. */
#define LOAD(T, v, p, i)                                                                           \
    T v;                                                                                           \
    memcpy(&v, (const char *)(p) + (size_t)(i) * sizeof v, sizeof v)
#define STORE(T, p, i, value)                                                                      \
    do {                                                                                           \
        const T stored = (value);                                                                  \
        memcpy((char *)(p) + (size_t)(i) * sizeof stored, &stored, sizeof stored);                 \
    } while (0)

/* clang-format off */
double kt_elem_get(const void *data, kt_dtype dtype, int64_t i) {
    switch (dtype) {
    case KT_FLOAT32: { LOAD(float, v, data, i); return (double)v; }
    case KT_FLOAT64: { LOAD(double, v, data, i); return v; }
    case KT_INT32: { LOAD(int32_t, v, data, i); return v; }
    case KT_INT64: { LOAD(int64_t, v, data, i); return (double)v; }
    case KT_UINT8: { LOAD(uint8_t, v, data, i); return v; }
    case KT_BOOL: { LOAD(uint8_t, v, data, i); return v != 0; }
    case KT_FLOAT16: { LOAD(uint16_t, v, data, i); return (double)kt_half_to_float(v); }
    case KT_BFLOAT16: { LOAD(uint16_t, v, data, i); return (double)kt_bfloat_to_float(v); }
    case KT_INT8: { LOAD(int8_t, v, data, i); return v; }
    case KT_STRING: case KT_NO_DTYPE: case KT_DTYPE_COUNT: break;
    }
    return 0;
}

void kt_elem_set(void *data, kt_dtype dtype, int64_t i, double value) {
    switch (dtype) {
    case KT_FLOAT32: STORE(float, data, i, (float)value); break;
    case KT_FLOAT64: STORE(double, data, i, value); break;
    case KT_INT32: STORE(int32_t, data, i, to_i32(value)); break;
    case KT_INT64: STORE(int64_t, data, i, to_i64(value)); break;
    case KT_UINT8: STORE(uint8_t, data, i, to_u8(value)); break;
    case KT_BOOL: STORE(uint8_t, data, i, value != 0); break;
    case KT_FLOAT16: STORE(uint16_t, data, i, kt_half_of_float(kt_float_round_odd(value))); break;
    case KT_BFLOAT16:
        STORE(uint16_t, data, i, kt_bfloat_of_float(kt_float_round_odd(value)));
        break;
    case KT_INT8: STORE(int8_t, data, i, to_i8(value)); break;
    case KT_STRING: case KT_NO_DTYPE: case KT_DTYPE_COUNT: break;
    }
}

/* The pairs worth a loop of their own: integers must not go through double (int64 does not fit),
 * and uint8 to float32 is what every picture data set does. All others go element by element. */
#define PAIR(from, S, to, D, expr)                                                                 \
    case (from) * KT_DTYPE_COUNT + (to):                                                           \
        for (int64_t i = 0; i < n; i++) { LOAD(S, v, src, i); STORE(D, dst, i, (D)(expr)); }       \
        return true;

/* Unsigned in between: a cast to a signed type that cannot hold the value is implementation-defined
 * but wraps with every compiler that we build with. */
static bool convert_fast(void *dst, kt_dtype to, const void *src, kt_dtype from, int64_t n) {
    switch ((int)from * KT_DTYPE_COUNT + (int)to) {
    PAIR(KT_UINT8, uint8_t, KT_FLOAT32, float, v)
    PAIR(KT_INT64, int64_t, KT_FLOAT32, float, v)
    PAIR(KT_FLOAT64, double, KT_FLOAT32, float, v)
    PAIR(KT_FLOAT32, float, KT_FLOAT64, double, v)
    PAIR(KT_FLOAT16, uint16_t, KT_FLOAT32, float, kt_half_to_float(v))
    PAIR(KT_FLOAT32, float, KT_FLOAT16, uint16_t, kt_half_of_float(v))
    PAIR(KT_BFLOAT16, uint16_t, KT_FLOAT32, float, kt_bfloat_to_float(v))
    PAIR(KT_FLOAT32, float, KT_BFLOAT16, uint16_t, kt_bfloat_of_float(v))
    PAIR(KT_INT64, int64_t, KT_INT32, int32_t, (uint32_t)v)
    PAIR(KT_INT64, int64_t, KT_UINT8, uint8_t, (uint64_t)v)
    PAIR(KT_INT64, int64_t, KT_BOOL, uint8_t, v != 0)
    PAIR(KT_INT32, int32_t, KT_INT64, int64_t, v)
    PAIR(KT_INT32, int32_t, KT_UINT8, uint8_t, (uint32_t)v)
    PAIR(KT_UINT8, uint8_t, KT_INT32, int32_t, v)
    PAIR(KT_UINT8, uint8_t, KT_INT64, int64_t, v)
    PAIR(KT_INT8, int8_t, KT_FLOAT32, float, v)
    PAIR(KT_INT8, int8_t, KT_INT32, int32_t, v)
    PAIR(KT_INT8, int8_t, KT_INT64, int64_t, v)
    PAIR(KT_INT8, int8_t, KT_UINT8, uint8_t, (uint8_t)v)
    PAIR(KT_UINT8, uint8_t, KT_INT8, uint8_t, v)
    PAIR(KT_INT32, int32_t, KT_INT8, uint8_t, (uint32_t)v)
    PAIR(KT_INT64, int64_t, KT_INT8, uint8_t, (uint64_t)v)
    default: return false;
    }
}
/* clang-format on */

void kt_elem_convert(void *dst, kt_dtype to, const void *src, kt_dtype from, int64_t n) {
    if (n <= 0 || !dtype_known(to) || !dtype_known(from)) return;
    if (to == from) {
        memcpy(dst, src, (size_t)n * kt_dtype_size(to));
        return;
    }
    if (convert_fast(dst, to, src, from, n)) return;
    for (int64_t i = 0; i < n; i++) kt_elem_set(dst, to, i, kt_elem_get(src, from, i));
}
