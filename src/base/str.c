/* String builder and the few text conversions everybody needs. */
#include "base/str.h"

#include "base/locale.h"
#include "base/mem.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void kt_str_addn(kt_str *b, const char *text, size_t n) {
    if (b->status) return;
    if (b->n + n + 1 > b->cap) {
        const size_t cap = (b->n + n + 1) * 2 + 64;
        char *p = kt_realloc(b->s, cap);
        if (!p) {
            b->status = KT_ENOMEM;
            return;
        }
        b->s = p;
        b->cap = cap;
    }
    memcpy(b->s + b->n, text, n);
    b->n += n;
    b->s[b->n] = 0;
}

void kt_str_add(kt_str *b, const char *text) { kt_str_addn(b, text, strlen(text)); }

void kt_str_addf(kt_str *b, const char *fmt, ...) {
    char small[256];
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    const int n = kt_vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof small) {
        kt_str_addn(b, small, (size_t)n);
    } else if (n >= 0) {
        char *big = kt_alloc((size_t)n + 1);
        if (big) {
            kt_vsnprintf(big, (size_t)n + 1, fmt, again);
            kt_str_addn(b, big, (size_t)n);
        } else {
            b->status = KT_ENOMEM;
        }
        kt_mem_free(big);
    }
    va_end(again);
}

void kt_str_repeat(kt_str *b, const char *text, int count) {
    for (int i = 0; i < count; i++) kt_str_add(b, text);
}

void kt_str_free(kt_str *b) {
    kt_mem_free(b->s);
    *b = (kt_str){0};
}

void kt_str_double(kt_str *b, double v) {
    if (isnan(v)) return kt_str_add(b, "nan");
    if (isinf(v)) return kt_str_add(b, v > 0 ? "inf" : "-inf");
    char digits[40];
    int precision = 1;
    do kt_snprintf(digits, sizeof digits, "%.*e", precision - 1, v);
    while (kt_strtod(digits, NULL) != v && precision++ < 17);
    const int exponent = (int)strtol(strchr(digits, 'e') + 1, NULL, 10);
    if (exponent < -4 || exponent >= 16) {
        char *e = strchr(digits, 'e');
        kt_str_addf(
            b, "%.*se%c%02d", (int)(e - digits), digits, exponent < 0 ? '-' : '+', abs(exponent));
        return;
    }
    const int decimals = precision - 1 - exponent;
    kt_str_addf(b, "%.*f", decimals > 0 ? decimals : 1, v);
}

/* Keras' rule: a word boundary before an upper-case letter that follows a lower-case letter
 * or starts a capitalised word; then everything in lower case. */
void kt_snake_case(const char *camel, char *buf, size_t size) {
    size_t n = 0;
    for (size_t i = 0; camel[i] && n + 2 < size; i++) {
        const char c = camel[i], before = i ? camel[i - 1] : 0;
        const bool word_start = i && before != '_' && kt_is_lower(camel[i + 1]);
        if (kt_is_upper(c) && i && (kt_is_lower(before) || word_start)) buf[n++] = '_';
        buf[n++] = kt_lower(c);
    }
    buf[n] = 0;
}
