/* Floats as decimal digits. See decimal.h.
 *
 * printf and strtod do the exact arithmetic; this file only asks them for more and more digits
 * until the text reads back. */
#include "tensor/decimal.h"

#include "base/locale.h"
#include "tensor/half.h"

#include <stdio.h>
#include <stdlib.h>

enum { PLACES_MAX = 17 };

/* Takes the digits out of what %e or %f wrote. */
static void take_digits(kt_decimal *r, const char *text) {
    r->n = 0;
    for (; *text && *text != 'e'; text++)
        if (*text >= '0' && *text <= '9') r->d[r->n++] = *text;
    r->point = *text == 'e' ? (int)strtol(text + 1, NULL, 10) + 1 : 0;
    while (r->n > 0 && r->d[r->n - 1] == '0') r->n--;
    if (r->n == 0) r->point = 1;
}

static bool reads_back(const char *text, double v, kt_dtype dtype) {
    if (dtype == KT_FLOAT32) /* via double: rounded twice */
        return (double)kt_strtof(text, NULL) == v;
    const float odd = kt_float_round_odd(kt_strtod(text, NULL));
    if (dtype == KT_FLOAT16) return (double)kt_half_to_float(kt_half_of_float(odd)) == v;
    if (dtype == KT_BFLOAT16) return (double)kt_bfloat_to_float(kt_bfloat_of_float(odd)) == v;
    return kt_strtod(text, NULL) == v;
}

/* Adds one to the last digit of "d.ddde±x". All nines stay as they are: longer text follows. */
static void step_up(char *text) {
    char *p = strchr(text, 'e') - 1;
    while (p > text && *p == '9') *p-- = '0';
    if (*p >= '0' && *p < '9') ++*p;
}

kt_decimal kt_decimal_shortest(double v, kt_dtype dtype) {
    char text[48];
    kt_decimal r = {.negative = signbit(v)};
    v = fabs(v);
    for (int places = 0; places < PLACES_MAX; places++) {
        kt_snprintf(text, sizeof text, "%.*e", places, v);
        if (reads_back(text, v, dtype)) break;
        /* At a power of two the values below lie closer than those above: the nearest decimal may
         * be below and too far, and the next one above near enough. */
        step_up(text);
        if (reads_back(text, v, dtype)) break;
    }
    take_digits(&r, text);
    return r;
}

kt_decimal kt_decimal_rounded(double v, bool exponent, int places) {
    char text[KT_DECIMAL_MAX];
    kt_decimal r = {.negative = signbit(v)};
    kt_snprintf(text, sizeof text, exponent ? "%.*e" : "%.*f", places, fabs(v));
    take_digits(&r, text);
    if (exponent) return r;
    int whole = 0, zeros = 0;
    while (text[whole] >= '0' && text[whole] <= '9') whole++;
    while (zeros < r.n && r.d[zeros] == '0') zeros++;
    r.n -= zeros;
    memmove(r.d, r.d + zeros, (size_t)r.n);
    r.point = r.n ? whole - zeros : 1;
    return r;
}

int kt_decimal_places(const kt_decimal *r, bool exponent) {
    const int n = exponent ? r->n - 1 : r->n - r->point;
    return n > 0 ? n : 0;
}

int kt_decimal_exponent(const kt_decimal *r) { return r->n ? r->point - 1 : 0; }

char kt_decimal_digit(const kt_decimal *r, int i) { return i >= 0 && i < r->n ? r->d[i] : '0'; }
