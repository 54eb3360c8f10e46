/* Text in the C locale. See locale.h.
 *
 * newlocale("C") neither allocates nor fails with glibc; where it does, the program's locale is
 * used. uselocale() is of the thread and costs some nanoseconds. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strtod_l under -std=c11 */
#endif
#include "base/locale.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

static locale_t c_locale(void) { return newlocale(LC_ALL_MASK, "C", (locale_t)0); }

int kt_vsnprintf(char *text, size_t size, const char *fmt, va_list ap) {
    const locale_t c = c_locale();
    const locale_t before = c ? uselocale(c) : (locale_t)0;
    const int n = vsnprintf(text, size, fmt, ap);
    if (c) {
        uselocale(before);
        freelocale(c);
    }
    return n;
}

int kt_snprintf(char *text, size_t size, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    const int n = kt_vsnprintf(text, size, fmt, ap);
    va_end(ap);
    return n;
}

double kt_strtod(const char *text, char **end) {
    const locale_t c = c_locale();
    const double v = c ? strtod_l(text, end, c) : strtod(text, end);
    if (c) freelocale(c);
    return v;
}

float kt_strtof(const char *text, char **end) {
    const locale_t c = c_locale();
    const float v = c ? strtof_l(text, end, c) : strtof(text, end);
    if (c) freelocale(c);
    return v;
}
