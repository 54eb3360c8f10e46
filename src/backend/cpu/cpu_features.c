/* Which kernels this processor runs: the best level that was compiled in, that the processor
 * and the operating system support, and that the environment variable KT_ISA allows
 * ("portable", "avx2", "avx512"; an unknown word allows all). Decided once. See
 * kernels/kernels.h. */
#include "backend/cpu/kernels/kernels.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

extern const kt_kernels kt_kernels_portable;
#if defined(KT_HAVE_AVX2)
extern const kt_kernels kt_kernels_avx2;
#endif
#if defined(KT_HAVE_AVX512)
extern const kt_kernels kt_kernels_avx512;
#endif

/* __builtin_cpu_supports looks at XGETBV as well: a kernel that does not save the registers
 * counts as a processor that does not have them. */
static const kt_kernels *features_avx2(void) {
#if defined(KT_HAVE_AVX2)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &kt_kernels_avx2;
#endif
    return NULL;
}

static const kt_kernels *features_avx512(void) {
#if defined(KT_HAVE_AVX512)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("fma"))
        return &kt_kernels_avx512;
#endif
    return NULL;
}

const kt_kernels *kt_kernels_level(const char *name) {
    if (!strcmp(name, "avx512")) return features_avx512();
    if (!strcmp(name, "avx2")) return features_avx2();
    if (!strcmp(name, "portable")) return &kt_kernels_portable;
    return NULL;
}

static const kt_kernels *features_choose(void) {
    const char *cap = getenv("KT_ISA");
    const kt_kernels *k = NULL;
    if (!cap || (strcmp(cap, "portable") != 0 && strcmp(cap, "avx2") != 0)) k = features_avx512();
    if (!k && (!cap || strcmp(cap, "portable") != 0)) k = features_avx2();
    return k ? k : &kt_kernels_portable;
}

const kt_kernels *kt_kernels_get(void) {
    static _Atomic(const kt_kernels *) chosen;
    const kt_kernels *k = atomic_load_explicit(&chosen, memory_order_acquire);
    if (k) return k;
    k = features_choose(); /* two threads at once find the same */
    atomic_store_explicit(&chosen, k, memory_order_release);
    return k;
}
