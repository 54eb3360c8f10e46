/* kt-check: not alone, because it includes the file that includes it
 *
 * Compiles the reference part of an op file once per floating type.
 *
 * The file defines KT_REF_SELF to its own path, includes this, and puts its kernels behind
 * `#ifdef KT_T`. Inside, T is float or double, M(f) the function of math.h for it, and
 * KT_REF(softmax) becomes softmax_float or softmax_double. KT_REFS(softmax) fills opdef.ref. */
#include <math.h>
#include <string.h>

#define KT_CAT_(a, b) a##_##b
#define KT_CAT(a, b) KT_CAT_(a, b)
#define KT_REF(name) KT_CAT(name, KT_T)
#define KT_REFS(name)                                                                              \
    { name##_float, name##_double, NULL }

#define T KT_T
#define KT_T float
#define M(fn) fn##f
#include KT_REF_SELF
#undef KT_T
#undef M
#define KT_T double
#define M(fn) fn
#include KT_REF_SELF
#undef KT_T
#undef M
#undef T
