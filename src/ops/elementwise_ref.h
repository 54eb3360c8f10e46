/* kt-check: not alone, because ir/ref_types.h includes it once per type
 *
 * Reference kernels of the elementwise families, compiled for float and double (ir/ref_types.h). */
#define ELEMENTWISE_LOOP                                                                           \
    const int64_t n = kt_shape_size(&k->node->in[0]->spec.shape);                                  \
    for (int64_t i = 0; i < n; i++)

#define KT_UNARY(name, value, grad)                                                                \
    static kt_status KT_REF(name)(const kt_kargs *k) {                                             \
        const T *in = k->in[0];                                                                    \
        T *out = k->out[0];                                                                        \
        ELEMENTWISE_LOOP {                                                                         \
            const T x = in[i];                                                                     \
            out[i] = value;                                                                        \
        }                                                                                          \
        return KT_OK;                                                                              \
    }
#include "ir/unary.def"
#undef KT_UNARY
#define BINARY_LOOP(name, value, OUT)                                                              \
    static kt_status KT_REF(name)(const kt_kargs *k) {                                             \
        const T *in0 = k->in[0], *in1 = k->in[1];                                                  \
        OUT *out = k->out[0];                                                                      \
        ELEMENTWISE_LOOP {                                                                         \
            const T a = in0[i], b = in1[i];                                                        \
            out[i] = value;                                                                        \
        }                                                                                          \
        return KT_OK;                                                                              \
    }
#define KT_BINARY(name, value, da, db) BINARY_LOOP(name, value, T)
#include "ir/binary.def"
#undef KT_BINARY
#define KT_COMPARE(name, value) BINARY_LOOP(name, value, uint8_t)
#include "ir/compare.def"
#undef KT_COMPARE
#undef BINARY_LOOP
#undef ELEMENTWISE_LOOP
