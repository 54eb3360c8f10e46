/* Convolutions, pools and enlarging over one to three axes, composed of the primitives for
 * pictures. Values are [n, axes …, channels]; entry i of an array belongs to axis i. */
#ifndef KT_OPS_WINDOWS_H
#define KT_OPS_WINDOWS_H

#include "ops/build.h"

typedef enum { KT_PAD_VALID, KT_PAD_SAME, KT_PAD_CAUSAL } kt_pad_mode;
typedef enum {
    KT_RESIZE_NEAREST,
    KT_RESIZE_BILINEAR,
    KT_RESIZE_BICUBIC,
    KT_RESIZE_LANCZOS3,
    KT_RESIZE_LANCZOS5
} kt_resize_kind;

typedef struct kt_conv_nd {
    int stride[3], dilation[3];
    int padding;           ///< kt_pad_mode
    int output_padding[3]; ///< of a transposed convolution; -1: worked out
} kt_conv_nd;
typedef struct kt_pool_nd {
    int window[3], stride[3];
    bool same, average;
} kt_pool_nd;

/** Padding that makes ceil(length / stride) positions; the odd cell comes after, as in
 * TensorFlow. */
void kt_same_padding(int64_t length, int size, int stride, int dilation, int *before, int *after);

/** kernel [size …, channels / groups, filters]. */
kt_val *kt_g_conv_nd(kt_graph *g, kt_val *x, kt_val *kernel, const kt_conv_nd *a);
/** kernel [size …, channels, multiplier]: result channel c * multiplier + j. */
kt_val *kt_g_depthwise_conv_nd(kt_graph *g, kt_val *x, kt_val *kernel, const kt_conv_nd *a);
/** kernel [size …, filters, channels]: the gradient of a convolution, called forward. */
kt_val *kt_g_conv_transpose_nd(kt_graph *g, kt_val *x, kt_val *kernel, const kt_conv_nd *a);
kt_val *kt_g_pool_nd(kt_graph *g, kt_val *x, const kt_pool_nd *a);

/** Every element of axis i factor[i] times (three axes, or as many as there are). */
kt_val *kt_g_repeat_nd(kt_graph *g, kt_val *x, const int *factor);
/** The weight of a cell at distance x, which is 0 from that many cells on. */
double kt_resize_weight(kt_resize_kind kind, double x);
int kt_resize_reach(kt_resize_kind kind);
/** Axis 1 + i factor[i] times as long, by interpolation (nearest is kt_g_repeat_nd), where none of
 * these axes is empty. */
kt_val *kt_g_enlarge(kt_graph *g, kt_val *x, const int *factor, kt_resize_kind kind);

#endif
