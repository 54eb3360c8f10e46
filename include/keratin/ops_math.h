/* kt_op_*, continued: more elementwise functions and reductions; see ops.h. */
#ifndef KERATIN_OPS_MATH_H
#define KERATIN_OPS_MATH_H

#include <keratin/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

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

/** x in a dtype (NULL: its own); zeros in its shape; cast after it was brought into the range. */
KT_API kt_sym *kt_op_array(kt_sym *x, const char *dtype);
KT_API kt_sym *kt_op_empty_like(kt_sym *x, const char *dtype);
KT_API kt_sym *kt_op_saturate_cast(kt_sym *x, const char *dtype);
/** One value everywhere; dtype NULL: the policy's. */
KT_API kt_sym *kt_op_full(kt_shape shape, kt_sym *fill_value, const char *dtype);
/** Number of elements: an int32 scalar. */
KT_API kt_sym *kt_op_size(kt_sym *x);

/** Remainder with the sign of a; the larger (smaller) that is not NaN. */
KT_API kt_sym *kt_op_fmod(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_fmax(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_fmin(kt_sym *a, kt_sym *b);
/** 0 where a < 0, 1 where a > 0, else b; log2(2^a + 2^b); a 2^b. */
KT_API kt_sym *kt_op_heaviside(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_logaddexp2(kt_sym *a, kt_sym *b);
KT_API kt_sym *kt_op_ldexp(kt_sym *a, kt_sym *b);
/** |a - b| <= atol + rtol |b|: bool, of each element, of all of them.
 *
 *     kt_op_isclose(a, b, 1e-5, 1e-8, false)
 */
KT_API kt_sym *kt_op_isclose(kt_sym *a, kt_sym *b, double rtol, double atol, bool equal_nan);
KT_API kt_sym *kt_op_allclose(kt_sym *a, kt_sym *b, double rtol, double atol, bool equal_nan);

/** Reductions as in ops.h that leave NaN out. Where nothing is left, maximum, minimum and the
 * moments are NaN. */
KT_API kt_sym *kt_op_nansum(kt_sym *x, kt_tuple axis, bool keepdims);
KT_API kt_sym *kt_op_nanmean(kt_sym *x, kt_tuple axis, bool keepdims);
KT_API kt_sym *kt_op_nanmax(kt_sym *x, kt_tuple axis, bool keepdims);
KT_API kt_sym *kt_op_nanmin(kt_sym *x, kt_tuple axis, bool keepdims);
KT_API kt_sym *kt_op_nanprod(kt_sym *x, kt_tuple axis, bool keepdims);
KT_API kt_sym *kt_op_nanvar(kt_sym *x, kt_tuple axis, bool keepdims);
KT_API kt_sym *kt_op_nanstd(kt_sym *x, kt_tuple axis, bool keepdims);
/** Largest minus smallest. */
KT_API kt_sym *kt_op_ptp(kt_sym *x, kt_tuple axis, bool keepdims);
/** sum(weights x) / sum(weights); weights NULL: all 1; of one axis: along `axis`. */
KT_API kt_sym *kt_op_average(kt_sym *x, kt_tuple axis, kt_sym *weights);

/** `num` numbers from start to stop along a new axis, with or without stop; powers of a base. */
KT_API kt_sym *kt_op_linspace(kt_sym *start, kt_sym *stop, int num, bool endpoint, int axis);
KT_API kt_sym *kt_op_logspace(
    kt_sym *start, kt_sym *stop, int num, bool endpoint, double base, int axis);
/** The area below lines between points that are dx apart. */
KT_API kt_sym *kt_op_trapezoid(kt_sym *y, double dx, int axis);

#ifdef __cplusplus
}
#endif
#endif
