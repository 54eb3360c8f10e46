/* kt_op_*, continued: further elementwise functions and comparisons; see ops.h. */
#ifndef KERATIN_OPS_ELEMENTWISE_H
#define KERATIN_OPS_ELEMENTWISE_H

#include <keratin/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The inverse of cosh; logarithms to base 2 and 10. */
KT_API kt_sym *kt_op_arccosh(kt_sym *x);
KT_API kt_sym *kt_op_log2(kt_sym *x);
KT_API kt_sym *kt_op_log10(kt_sym *x);
/** 2 to the power of x. */
KT_API kt_sym *kt_op_exp2(kt_sym *x);
KT_API kt_sym *kt_op_deg2rad(kt_sym *x);
KT_API kt_sym *kt_op_rad2deg(kt_sym *x);
/** bool. */
KT_API kt_sym *kt_op_isnan(kt_sym *x);
KT_API kt_sym *kt_op_isinf(kt_sym *x);
KT_API kt_sym *kt_op_isfinite(kt_sym *x);

/** Other names: abs; abs as a floating number; divide. */
KT_API kt_sym *kt_op_absolute(kt_sym *x);
KT_API kt_sym *kt_op_fabs(kt_sym *x);
KT_API kt_sym *kt_op_true_divide(kt_sym *a, kt_sym *b);

/** The cube root. */
KT_API kt_sym *kt_op_cbrt(kt_sym *x);
/** sin(pi x) / (pi x), 1 at 0. */
KT_API kt_sym *kt_op_sinc(kt_sym *x);
/** bool: negative, also -0; plus, minus infinity; always true. */
KT_API kt_sym *kt_op_signbit(kt_sym *x);
KT_API kt_sym *kt_op_isposinf(kt_sym *x);
KT_API kt_sym *kt_op_isneginf(kt_sym *x);
KT_API kt_sym *kt_op_isreal(kt_sym *x);
/** Numbers in place of NaN and the infinities; KT_NONE_F: the largest (smallest) of the dtype.
 *
 *     kt_op_nan_to_num(a, 0, KT_NONE_F, KT_NONE_F)
 */
KT_API kt_sym *kt_op_nan_to_num(kt_sym *x, double nan, double posinf, double neginf);

/** To so many decimal places; negative: to tens, hundreds … */
KT_API kt_sym *kt_op_round_to(kt_sym *x, int decimals);

/** sqrt(a^2 + b^2), log(e^a + e^b), a / b or 0 where b is 0. */
KT_API kt_sym *kt_op_hypot(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_logaddexp(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_divide_no_nan(kt_sym *a, kt_sym *b);
/** Remainder with the sign of a; the larger (smaller) that is not NaN. */
KT_API kt_sym *kt_op_fmod(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_fmax(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_fmin(kt_sym *a, kt_sym *b);
/** 0 where a < 0, 1 where a > 0, else b; log2(2^a + 2^b); a 2^b. */
KT_API kt_sym *kt_op_heaviside(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_logaddexp2(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_ldexp(kt_sym *a, kt_sym *b);
/** Whole numbers (bitwise: also bool), KT_EDTYPE for others: bits that both have, one, exactly one;
 * moved by b bits to the left, to the right (of negative numbers the sign is moved in); changed. */
KT_API kt_sym *kt_op_bitwise_and(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_bitwise_or(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_bitwise_xor(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_bitwise_left_shift(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_bitwise_right_shift(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_left_shift(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_right_shift(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_bitwise_not(kt_sym *x);
KT_API kt_sym *kt_op_bitwise_invert(kt_sym *x);
/** The greatest common divisor, the least common multiple. */
KT_API kt_sym *kt_op_gcd(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_lcm(kt_sym *a, kt_sym *b);

/** |a - b| <= atol + rtol |b|: bool, of each element, of all of them.
 *
 *     kt_op_isclose(a, b, 1e-5, 1e-8, false)
 */
KT_API kt_sym *kt_op_isclose(kt_sym *a, kt_sym *b, double rtol, double atol, bool equal_nan);
KT_API kt_sym *kt_op_allclose(kt_sym *a, kt_sym *b, double rtol, double atol, bool equal_nan);

#ifdef __cplusplus
}
#endif
#endif
