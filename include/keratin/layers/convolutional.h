/* Convolution layers: see layers.h. */
#ifndef KERATIN_LAYERS_CONVOLUTIONAL_H
#define KERATIN_LAYERS_CONVOLUTIONAL_H

#include <keratin/layers/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Filters that slide over pictures: activation(convolution(x, kernel) + bias).
 *
 * Keras: keras.layers.Conv2D.  Shape: (batch, height, width, channels) -> (batch, height', width',
 * filters); with data_format "channels_first" the channels stand second on both sides. Padding
 * "valid": height' = (height - (kernel - 1) dilation - 1) / stride + 1; "same": height / stride,
 * rounded up.
 * Weights: kernel (kernel height, kernel width, channels / groups, filters), bias (filters).
 * Errors: sizes or strides below 1; strides and dilation both above 1; filters or channels that
 * `groups` does not divide; open channels; pictures that are smaller than the kernel.
 *
 *     kt_conv2d(32, 3, .activation = "relu")
 *     kt_conv2d(16, kt_hw(3, 5), .strides = 2, .padding = "same")
 */
typedef struct kt_conv2d_args {
    size_t size;               ///< set by the macro
    int filters;               ///< channels of the result, > 0
    kt_tuple kernel_size;      ///< 3 or kt_hw(3, 5): height and width of the window
    kt_tuple strides;          ///< default 1
    const char *padding;       ///< "valid" (default) or "same"
    const char *data_format;   ///< "channels_last" (default) or "channels_first"
    kt_tuple dilation_rate;    ///< default 1: no gaps in the window
    int groups;                ///< default 1: every filter sees all channels
    kt_ref activation;         ///< name or object; NULL (None) means linear
    bool use_bias;             ///< default true
    kt_ref kernel_initializer; ///< default "glorot_uniform"
    kt_ref bias_initializer;   ///< default "zeros"
    kt_ref kernel_regularizer, bias_regularizer, activity_regularizer;
    kt_ref kernel_constraint, bias_constraint;
    KT_LAYER_ARGS ///< name, dtype, trainable
} kt_conv2d_args;
#define KT_CONV2D_DEFAULTS                                                                         \
    .strides = 1, .padding = "valid", .dilation_rate = 1, .groups = 1, .use_bias = true,           \
    .kernel_initializer = "glorot_uniform", .bias_initializer = "zeros", KT_LAYER_DEFAULTS
#define kt_conv2d(...) KT_CALL(kt_conv2d_new, kt_conv2d_args, KT_CONV2D_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_conv2d_new(const kt_conv2d_args *args);

#ifdef __cplusplus
}
#endif
#endif
