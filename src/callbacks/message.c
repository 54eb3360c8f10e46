/* See message.h. */
#include "callbacks/message.h"

#include "base/locale.h"
#include "base/log.h"
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>

void kt_message(const char *fmt, ...) {
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    const int n = kt_vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n > 0) kt_out(text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

void kt_message_rate(const char *name, const char *verb, int64_t epoch, double rate) {
    kt_str number = {0};
    kt_str_double(&number, rate);
    if (number.status == KT_OK)
        kt_message(
            "\nEpoch %lld: %s %s learning rate to %s.\n",
            (long long)epoch + 1,
            name,
            verb,
            number.s);
    kt_str_free(&number);
}
