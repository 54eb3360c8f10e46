/* kt_op_*, continued: sorting, looking up, running sums, quantiles; see ops.h. */
#ifndef KERATIN_OPS_ORDER_H
#define KERATIN_OPS_ORDER_H

#include <keratin/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The elements along an axis (KT_NONE: of the flat array) from the smallest to the largest; their
 * positions, int32. Equal ones keep their order, NaN comes last. The gradient of sort goes back to
 * where an element stood. */
KT_API kt_sym *kt_op_sort(kt_sym *x, int64_t axis);
KT_API kt_sym *kt_op_argsort(kt_sym *x, int64_t axis);
/** The k largest elements of the last axis, the largest first, and as output 1 their positions
 * (int32). Errors: k > length of the axis.
 *
 *     kt_item(kt_op_top_k(a, 5), 1)
 */
KT_API kt_sym *kt_op_top_k(kt_sym *x, int64_t k);
/** bool (n): is predictions[i, targets[i]] among the k largest of row i? */
KT_API kt_sym *kt_op_in_top_k(kt_sym *targets, kt_sym *predictions, int64_t k);
/** x[..., indices[...], ...] along an axis: both have as many axes, the others are broadcast;
 * KT_NONE: flat, with flat indices. -1 is the last. */
KT_API kt_sym *kt_op_take_along_axis(kt_sym *x, kt_sym *indices, int64_t axis);

/** Sums (products) of all elements up to each one, along an axis or of the flat array (KT_NONE).
 * dtype NULL: that of x, int32 of bool. The nan… ones count NaN as 0 (as 1). */
KT_API kt_sym *kt_op_cumsum(kt_sym *x, int64_t axis, const char *dtype);
KT_API kt_sym *kt_op_cumprod(kt_sym *x, int64_t axis, const char *dtype);
KT_API kt_sym *kt_op_nancumsum(kt_sym *x, int64_t axis, const char *dtype);
KT_API kt_sym *kt_op_nancumprod(kt_sym *x, int64_t axis, const char *dtype);

/** What a share q (0 … 1; a percentile: 0 … 100) of the elements lies below, over axes as in
 * kt_op_sum(). Axes of q come first. method: "linear" (NULL), "lower", "higher", "nearest",
 * "midpoint". NaN if one of the elements is.
 *
 *     kt_op_quantile(a, kt_num(0.9), -1, NULL, false)
 */
KT_API kt_sym *kt_op_quantile(
    kt_sym *x, kt_sym *q, kt_tuple axis, const char *method, bool keepdims);
KT_API kt_sym *kt_op_percentile(
    kt_sym *x, kt_sym *q, kt_tuple axis, const char *method, bool keepdims);
KT_API kt_sym *kt_op_median(kt_sym *x, kt_tuple axis, bool keepdims);

/** Where values would have to stand in a sorted sequence (one axis): before equal ones ("left",
 * NULL) or behind ("right"). Bins: those that are <= x. int32. */
KT_API kt_sym *kt_op_searchsorted(kt_sym *sorted_sequence, kt_sym *values, const char *side);
KT_API kt_sym *kt_op_digitize(kt_sym *x, kt_sym *bins);
/** bool: is the element of x1 one of x2 (invert: none of them)? */
KT_API kt_sym *kt_op_isin(kt_sym *x1, kt_sym *x2, bool invert);
/** Differences of neighbours, n times. */
KT_API kt_sym *kt_op_diff(kt_sym *x, int n, int axis);

#ifdef __cplusplus
}
#endif
#endif
