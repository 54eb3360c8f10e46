/* kt_op_*, continued: arrays of one value, in another dtype, of numbers between two ends; see
 * ops.h. */
#ifndef KERATIN_OPS_CREATION_H
#define KERATIN_OPS_CREATION_H

#include <keratin/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The same values. */
KT_API kt_sym *kt_op_copy(kt_sym *x);
/** Zeros, ones, or a value, in the shape of x; dtype NULL: that of x. */
KT_API kt_sym *kt_op_zeros_like(kt_sym *x, const char *dtype);
KT_API kt_sym *kt_op_ones_like(kt_sym *x, const char *dtype);
KT_API kt_sym *kt_op_full_like(kt_sym *x, kt_sym *fill_value, const char *dtype);

/** x in a dtype (NULL: its own); zeros in its shape; cast after it was brought into the range. */
KT_API kt_sym *kt_op_array(kt_sym *x, const char *dtype);
KT_API kt_sym *kt_op_convert_to_tensor(kt_sym *x, const char *dtype); ///< like array
KT_API kt_sym *kt_op_empty_like(kt_sym *x, const char *dtype);
KT_API kt_sym *kt_op_saturate_cast(kt_sym *x, const char *dtype);
/** One value everywhere; dtype NULL: the policy's. */
KT_API kt_sym *kt_op_full(kt_shape shape, kt_sym *fill_value, const char *dtype);
/** Number of elements: an int32 scalar. */
KT_API kt_sym *kt_op_size(kt_sym *x);

/** `num` numbers from start to stop along a new axis, with or without stop; powers of a base. */
KT_API kt_sym *kt_op_linspace(kt_sym *start, kt_sym *stop, int num, bool endpoint, int axis);
KT_API kt_sym *kt_op_logspace(
    kt_sym *start, kt_sym *stop, int num, bool endpoint, double base, int axis);

#ifdef __cplusplus
}
#endif
#endif
