/* Denormal numbers as zero: on the processors we know, one denormal operand costs as much as a
 * hundred normal ones, and decaying optimizer slots produce them by the million. Workers of the
 * pool run so always; whoever runs a program puts these two calls around it, and the caller's
 * mode comes back. */
#ifndef KT_BASE_FPU_H
#define KT_BASE_FPU_H

#include <stdint.h>

/** Turns flush-to-zero (results) and denormals-are-zero (operands) on for this thread; returns
 * the old control word for kt_fpu_flush_end(). */
uint64_t kt_fpu_flush_begin(void);
/** Puts the control word back. */
void kt_fpu_flush_end(uint64_t saved);

#endif
