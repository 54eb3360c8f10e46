/* Text in the C locale, whatever the program chose: after setlocale(LC_ALL, "de_DE.UTF-8") printf
 * writes 0,5 and strtod stops at the point, and in "tr_TR" the lower case of I is another letter.
 * Numbers in files, options and messages must not change with that. Use these in the library; only
 * integers may go through snprintf. */
#ifndef KT_BASE_LOCALE_H
#define KT_BASE_LOCALE_H

#include "base/error.h"

#include <stdarg.h>

int kt_vsnprintf(char *text, size_t size, const char *fmt, va_list ap);
int kt_snprintf(char *text, size_t size, const char *fmt, ...) KT_PRINTF(3, 4);
double kt_strtod(const char *text, char **end);
float kt_strtof(const char *text, char **end);

/* Letters of ASCII; no other byte is one. */
static inline bool kt_is_lower(char c) { return c >= 'a' && c <= 'z'; }
static inline bool kt_is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static inline bool kt_is_alpha(char c) { return kt_is_lower(c) || kt_is_upper(c); }
static inline bool kt_is_digit(char c) { return c >= '0' && c <= '9'; }
static inline char kt_lower(char c) { return kt_is_upper(c) ? (char)(c - 'A' + 'a') : c; }

#endif
