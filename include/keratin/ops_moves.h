/* kt_op_*, continued: turning, stacking, windows of sequences, choices, segments; see ops.h. */
#ifndef KERATIN_OPS_MOVES_H
#define KERATIN_OPS_MOVES_H

#include <keratin/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The flat array. */
KT_API kt_sym *kt_op_ravel(kt_sym *x);

/** One axis to another place, the others keep their order. */
KT_API kt_sym *kt_op_moveaxis(kt_sym *x, int source, int destination);
/** b behind a along an axis (KT_NONE: flat); tensors side by side along axis 1, along axis 0. */
KT_API kt_sym *kt_op_append(kt_sym *a, kt_sym *b, int64_t axis);
KT_API kt_sym *kt_op_hstack(kt_ref xs);
KT_API kt_sym *kt_op_vstack(kt_ref xs);
/** The other way round along axis 1, along axis 0. */
KT_API kt_sym *kt_op_fliplr(kt_sym *x);
KT_API kt_sym *kt_op_flipud(kt_sym *x);
/** k quarter turns from the first of two axes to the second: kt_op_rot90(a, 1, kt_axes(1, 2)). */
KT_API kt_sym *kt_op_rot90(kt_sym *x, int k, kt_tuple axes);
/** Tensors behind each other along the third axis. */
KT_API kt_sym *kt_op_dstack(kt_ref xs);
/** Windows of the last axis: (…, windows, sequence_length). */
KT_API kt_sym *kt_op_extract_sequences(kt_sym *x, int sequence_length, int sequence_stride);
/** Powers n-1 … 0 of a vector (KT_NONE: as many as it is long), or 0 … n-1. */
KT_API kt_sym *kt_op_vander(kt_sym *x, int64_t n, bool increasing);
/** Of up to 7 choices the one whose condition holds first, or default_value. */
KT_API kt_sym *kt_op_select(kt_ref condlist, kt_ref choicelist, kt_sym *default_value);
/** 1 at every class that is among the numbers of a row (batch, n). dtype NULL: the policy's. */
KT_API kt_sym *kt_op_multi_hot(kt_sym *inputs, int64_t num_classes, const char *dtype);
/** Row i of the result: the sum of the rows whose segment is i. */
KT_API kt_sym *kt_op_segment_sum(kt_sym *data, kt_sym *segment_ids, int64_t num_segments);
/** Peak signal-to-noise ratio of x1 and x2, in decibels. */
KT_API kt_sym *kt_op_psnr(kt_sym *x1, kt_sym *x2, double max_val);

#ifdef __cplusplus
}
#endif
#endif
