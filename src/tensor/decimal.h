/* Floats as decimal digits: the shortest that reads back, or rounded to so many places. */
#ifndef KT_TENSOR_DECIMAL_H
#define KT_TENSOR_DECIMAL_H

#include <keratin/tensor.h>

#define KT_DECIMAL_MAX 350 /* 309 digits before the point, some places behind it */

/** 0.d1d2d3… times 10^point, without zeros at the end; n is 0 for zero. */
typedef struct kt_decimal {
    bool negative;
    int n, point;
    char d[KT_DECIMAL_MAX];
} kt_decimal;

/** The shortest decimal that reads back as the finite v once it is stored as dtype (a float dtype).
 */
kt_decimal kt_decimal_shortest(double v, kt_dtype dtype);
/** v rounded (exactly, ties to even) to `places` (at most 17) after the point: of d.ddd when
 * `exponent`, of the whole number otherwise. */
kt_decimal kt_decimal_rounded(double v, bool exponent, int places);
/** Places that are needed after the point, in the same sense. */
int kt_decimal_places(const kt_decimal *r, bool exponent);
/** e of d.ddd times 10^e. */
int kt_decimal_exponent(const kt_decimal *r);
/** Digit i, counted from the first; '0' in front of it and behind the last. */
char kt_decimal_digit(const kt_decimal *r, int i);

#endif
