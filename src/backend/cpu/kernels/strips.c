/* Strips: y[i] = f(x[i]), for every row of ir/unary.def, binary.def and compare.def.
 *
 * The value column of those files is compiled as it stands, with T = float and M(name) =
 * vm_name, the branch-free functions of vecmath.h; the compiler makes vectors of it. Each loop
 * runs over whole vectors, and what is left over goes through the same code in a padded buffer:
 * so the result of an element does not depend on where in a strip it stands, nor on how work
 * was split, and short strips (a bias of 10) are not done one by one. */
#include "backend/cpu/kernels/parts.h"
#include "backend/cpu/kernels/vecmath.h"

#if defined(__clang__) /* the loops that call libm stay scalar */
#pragma clang diagnostic ignored "-Wpass-failed"
#endif

#define T float
#define M(name) vm_##name

/* ---- one argument ---------------------------------------------------------------------------- */

#define KT_UNARY(name, value, grad)                                                                \
    KT_INLINE void loop_un_##name(float *y, const float *px, int64_t n) {                          \
        KT_IVDEP                                                                                   \
        for (int64_t i = 0; i < n; i++) {                                                          \
            const float x = px[i];                                                                 \
            y[i] = (float)(value);                                                                 \
        }                                                                                          \
    }                                                                                              \
    KT_INLINE void strip_un_##name(float *y, const float *x, int64_t n) {                          \
        const int64_t body = n & -LANES;                                                           \
        loop_un_##name(y, x, body);                                                                \
        if (body == n) return;                                                                     \
        float t[LANES];                                                                            \
        vf_store(t, vf_load_n(x + body, n - body));                                                \
        loop_un_##name(t, t, LANES);                                                               \
        vf_store_n(y + body, vf_load(t), n - body);                                                \
    }
#include "ir/unary.def"
#undef KT_UNARY

/* sin, cos and tan of vecmath.h hold up to VM_TRIG_MAX; pieces with larger arguments are left
 * to libm. */
#define TRIG_PIECE 512

static bool trig_fits(const float *x, int64_t n) {
    int large = 0;
    for (int64_t i = 0; i < n; i++) large |= !(__builtin_fabsf(x[i]) <= VM_TRIG_MAX);
    return !large;
}

#define STRIP_TRIG(name)                                                                           \
    KT_INLINE void guarded_un_##name(float *y, const float *x, int64_t n) {                        \
        for (int64_t i = 0; i < n; i += TRIG_PIECE) {                                              \
            const int64_t m = n - i < TRIG_PIECE ? n - i : TRIG_PIECE;                             \
            if (trig_fits(x + i, m))                                                               \
                strip_un_##name(y + i, x + i, m);                                                  \
            else                                                                                   \
                for (int64_t j = i; j < i + m; j++) y[j] = name##f(x[j]);                          \
        }                                                                                          \
    }
STRIP_TRIG(sin)
STRIP_TRIG(cos)
STRIP_TRIG(tan)
#define strip_un_sin guarded_un_sin
#define strip_un_cos guarded_un_cos
#define strip_un_tan guarded_un_tan

#define KT_UNARY(name, value, grad)                                                                \
    void KT_FN(kt_un_##name)(float *y, const float *x, int64_t n) { strip_un_##name(y, x, n); }
#include "ir/unary.def"
#undef KT_UNARY

/* ---- two arguments, either of which may be one number ---------------------------------------- */

#define STRIP_TWO(prefix, name, value)                                                             \
    KT_INLINE void loop_##prefix##_##name(                                                         \
        float *y, const float *pa, bool va, const float *pb, bool vb, int64_t n) {                 \
        const float a0 = *pa, b0 = *pb;                                                            \
        KT_IVDEP                                                                                   \
        for (int64_t i = 0; i < n; i++) {                                                          \
            const float a = va ? pa[i] : a0, b = vb ? pb[i] : b0;                                  \
            y[i] = (float)(value);                                                                 \
        }                                                                                          \
    }                                                                                              \
    KT_INLINE void strip_##prefix##_##name(                                                        \
        float *y, const float *a, bool va, const float *b, bool vb, int64_t n) {                   \
        const int64_t body = n & -LANES, rest = n - body;                                          \
        if (body) loop_##prefix##_##name(y, a, va, b, vb, body);                                   \
        if (!rest) return;                                                                         \
        float t[LANES], u[LANES];                                                                  \
        vf_store(t, va ? vf_load_n(a + body, rest) : vf_set(*a));                                  \
        vf_store(u, vb ? vf_load_n(b + body, rest) : vf_set(*b));                                  \
        loop_##prefix##_##name(t, t, true, u, true, LANES);                                        \
        vf_store_n(y + body, vf_load(t), rest);                                                    \
    }

#define KT_BINARY(name, value, da, db)                                                             \
    STRIP_TWO(bin, name, value)                                                                    \
    void KT_FN(kt_bin_##name)(float *y, const float *a, const float *b, int64_t n) {               \
        strip_bin_##name(y, a, true, b, true, n);                                                  \
    }                                                                                              \
    void KT_FN(kt_bin_vs_##name)(float *y, const float *a, float b, int64_t n) {                   \
        strip_bin_##name(y, a, true, &b, false, n);                                                \
    }                                                                                              \
    void KT_FN(kt_bin_sv_##name)(float *y, float a, const float *b, int64_t n) {                   \
        strip_bin_##name(y, &a, false, b, true, n);                                                \
    }
#include "ir/binary.def"
#undef KT_BINARY

#define KT_COMPARE(name, value)                                                                    \
    STRIP_TWO(cmp, name, value)                                                                    \
    void KT_FN(kt_cmp_##name)(float *y, const float *a, const float *b, int64_t n) {               \
        strip_cmp_##name(y, a, true, b, true, n);                                                  \
    }                                                                                              \
    void KT_FN(kt_cmp_vs_##name)(float *y, const float *a, float b, int64_t n) {                   \
        strip_cmp_##name(y, a, true, &b, false, n);                                                \
    }
#include "ir/compare.def"
#undef KT_COMPARE

/* ---- the others ------------------------------------------------------------------------------ */

void KT_FN(kt_select)(float *y, const float *c, const float *a, const float *b, int64_t n) {
    KT_IVDEP
    for (int64_t i = 0; i < n; i++) {
        const float u = a[i], v = b[i];
        y[i] = c[i] != 0 ? u : v;
    }
}

void KT_FN(kt_muladd)(float *y, const float *a, const float *b, const float *c, int64_t n) {
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        vf_store(y + i, vf_fma(vf_load(a + i), vf_load(b + i), vf_load(c + i)));
    if (i == n) return;
    const vf u = vf_load_n(a + i, n - i), v = vf_load_n(b + i, n - i), w = vf_load_n(c + i, n - i);
    vf_store_n(y + i, vf_fma(u, v, w), n - i);
}

void KT_FN(kt_fill)(float *y, float v, int64_t n) {
    for (int64_t i = 0; i < n; i++) y[i] = v;
}

void KT_FN(kt_from_u8)(float *y, const uint8_t *x, int64_t n) {
    KT_IVDEP
    for (int64_t i = 0; i < n; i++) y[i] = x[i];
}

void KT_FN(kt_from_i32)(float *y, const int32_t *x, int64_t n) {
    KT_IVDEP
    for (int64_t i = 0; i < n; i++) y[i] = (float)x[i];
}

void KT_FN(kt_from_i64)(float *y, const int64_t *x, int64_t n) {
    KT_IVDEP
    for (int64_t i = 0; i < n; i++) y[i] = (float)x[i];
}

void KT_FN(kt_to_bool)(uint8_t *y, const float *x, int64_t n) {
    KT_IVDEP
    for (int64_t i = 0; i < n; i++) y[i] = x[i] != 0;
}
