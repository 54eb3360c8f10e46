/* What convolutions and pools take alike: sizes and strides as one number or one per axis, padding
 * by name, the order of axes. */
#ifndef KT_NN_SPATIAL_H
#define KT_NN_SPATIAL_H

#include "nn/layer.h"

/** Reads n numbers out of a tuple, one plain number standing for all; each must be at least 1.
 * `what` names the argument. */
kt_status kt_tuple_get(kt_tuple t, int n, const char *what, int *out);
/** "valid" or "same", in any case. */
kt_status kt_padding_get(const char *padding, bool *same);
/** "channels_last" (also NULL) or "channels_first", in any case. */
kt_status kt_data_format_get(const char *data_format, bool *channels_first);

/** Padding that makes ceil(length / stride) positions; the odd cell comes after, as in
 * TensorFlow. */
void kt_same_padding(int64_t length, int size, int stride, int dilation, int *before, int *after);

/** (n, c, …) to (n, …, c) and back. */
kt_sym *kt_channels_last(kt_sym *x);
kt_sym *kt_channels_first(kt_sym *x);

#endif
