/* What convolutions, pools, paddings and the like take alike: sizes and strides as one number or
 * one per axis, pairs of numbers, padding by name, the order of axes. */
#ifndef KT_NN_SPATIAL_H
#define KT_NN_SPATIAL_H

#include "nn/layer.h"
#include "ops/compose/windows.h"

/** Reads n numbers out of a tuple, one plain number standing for all; each must be at least 1.
 * `what` names the argument. */
kt_status kt_tuple_get(kt_tuple t, int n, const char *what, int *out);
/** The same for numbers from 0 on. */
kt_status kt_tuple_get_from_0(kt_tuple t, int n, const char *what, int *out);
/** Two numbers from 0 on for each of n axes: one number for all, one for each axis (n > 1), or
 * kt_pairs(). */
kt_status kt_pairs_get(kt_tuple t, int n, const char *what, int out[][2]);
/** Numbers below the strides for each of n axes, or -1 where it is KT_NONE. */
kt_status kt_output_padding_get(kt_tuple t, int n, const int *strides, int *out);
/** "valid" or "same", in any case; "causal" where that is allowed. */
kt_status kt_padding_get(const char *padding, bool allow_causal, kt_pad_mode *mode);
/** "channels_last" (also NULL) or "channels_first", in any case. */
kt_status kt_data_format_get(const char *data_format, bool *channels_first);
/** "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5", in any case. */
kt_status kt_interpolation_get(const char *interpolation, kt_resize_kind *kind);

/** (n, c, …) to (n, …, c) and back. */
kt_sym *kt_channels_last(kt_sym *x);
kt_sym *kt_channels_first(kt_sym *x);

/** The number in the name of a layer's class: 2 for "Conv2D". */
int kt_layer_rank(const kt_layer *l);
/** Number of channels of the first input, which must be known. */
kt_status kt_layer_channels(const kt_shape *in, bool channels_first, int64_t *channels);
/** kernel_size, strides, dilation_rate of a layer, checked as Keras does. */
kt_status kt_layer_windows(
    const kt_layer *l, kt_tuple size, kt_tuple strides, kt_tuple dilation_rate, int *sizes);

#endif
