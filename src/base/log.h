/* The two ways out of the library: diagnostics, and the text that Keras prints to stdout. */
#ifndef KT_BASE_LOG_H
#define KT_BASE_LOG_H

#include "base/error.h"

/** Diagnostics that somebody asked for through an environment variable; stderr unless
 * redirected. */
void kt_log(const char *fmt, ...) KT_PRINTF(1, 2);
/** Progress bars, summaries, printed tensors: stdout unless kt_set_output redirected it. */
void kt_out(const char *text, size_t n);
/** Does that text go to a terminal? Its width (80 if unknown). */
bool kt_out_is_terminal(void);
int kt_out_width(void);

#endif
