/* A string builder: append, then read `s`. Failure to grow sticks and is reported by
 * kt_str_status. */
#ifndef KT_BASE_STR_H
#define KT_BASE_STR_H

#include "base/error.h"

typedef struct kt_str {
    char *s; /* always terminated once something was added; NULL before */
    size_t n, cap;
    kt_status status;
} kt_str;

void kt_str_add(kt_str *b, const char *text);
void kt_str_addn(kt_str *b, const char *text, size_t n);
void kt_str_addf(kt_str *b, const char *fmt, ...) KT_PRINTF(2, 3);
/** `count` times the text. */
void kt_str_repeat(kt_str *b, const char *text, int count);
void kt_str_free(kt_str *b);
/** The shortest decimal that reads back as the same double, written as Python's repr does. */
void kt_str_double(kt_str *b, double v);
/** Keras' to_snake_case: "MaxPooling2D" -> "max_pooling2d". Into buf, cut if too long. */
void kt_snake_case(const char *camel, char *buf, size_t size);

#endif
