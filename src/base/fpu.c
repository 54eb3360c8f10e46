/* Flush-to-zero for this thread. See fpu.h. Elsewhere than on x86 and arm64 nothing happens. */
#include "base/fpu.h"

#if defined(__SSE__) || defined(__x86_64__)
#include <xmmintrin.h>

#define FLUSH_BITS 0x8040u /* MXCSR: flush to zero (bit 15), denormals are zero (bit 6) */

uint64_t kt_fpu_flush_begin(void) {
    const unsigned saved = _mm_getcsr();
    _mm_setcsr(saved | FLUSH_BITS);
    return saved;
}

void kt_fpu_flush_end(uint64_t saved) { _mm_setcsr((unsigned)saved); }

#elif defined(__aarch64__)

#define FLUSH_BITS (UINT64_C(1) << 24) /* FPCR.FZ does both */

uint64_t kt_fpu_flush_begin(void) {
    uint64_t saved;
    __asm__ __volatile__("mrs %0, fpcr" : "=r"(saved));
    __asm__ __volatile__("msr fpcr, %0" : : "r"(saved | FLUSH_BITS));
    return saved;
}

void kt_fpu_flush_end(uint64_t saved) { __asm__ __volatile__("msr fpcr, %0" : : "r"(saved)); }

#else

uint64_t kt_fpu_flush_begin(void) { return 0; }

void kt_fpu_flush_end(uint64_t saved) { (void)saved; }

#endif
