/* Convolution layers: see layers.h.
 *
 * One struct describes a layer for one, two and three axes (sequences, pictures, volumes). Sizes
 * are one number, or one for each axis: kt_hw(3, 5), kt_dhw(1, 3, 5). */
#ifndef KERATIN_LAYERS_CONVOLUTIONAL_H
#define KERATIN_LAYERS_CONVOLUTIONAL_H

#include <keratin/layers/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Filters that slide over the input: activation(convolution(x, kernel) + bias).
 *
 * Keras: keras.layers.Conv1D, Conv2D, Conv3D.  Shape: (batch, length ..., channels) -> (batch,
 * length' ..., filters); with data_format "channels_first" the channels stand second on both sides.
 * Padding "valid": length' = (length - (kernel - 1) dilation - 1) / stride + 1; "same": length /
 * stride, rounded up; "causal" (Conv1D): as "same", and no step sees a later one.
 * Weights: kernel (kernel_size ..., channels / groups, filters), bias (filters).
 * Errors: sizes or strides below 1; strides and dilation both above 1; filters or channels that
 * `groups` does not divide; open channels; an input that is smaller than the kernel.
 *
 *     kt_conv2d(32, 3, .activation = "relu")
 *     kt_conv2d(16, kt_hw(3, 5), .strides = 2, .padding = "same")
 *     kt_conv1d(32, 7, .padding = "causal", .dilation_rate = 2)
 */
typedef struct kt_conv_args {
    size_t size;               ///< set by the macro
    int filters;               ///< channels of the result, > 0
    kt_tuple kernel_size;      ///< 3 or kt_hw(3, 5): size of the window
    kt_tuple strides;          ///< default 1
    const char *padding;       ///< "valid" (default) or "same"; Conv1D: also "causal"
    const char *data_format;   ///< "channels_last" (default) or "channels_first"
    kt_tuple dilation_rate;    ///< default 1: no gaps in the window
    int groups;                ///< default 1: every filter sees all channels
    kt_ref activation;         ///< name or object; NULL (None) means linear
    bool use_bias;             ///< default true
    kt_ref kernel_initializer; ///< default "glorot_uniform"
    kt_ref bias_initializer;   ///< default "zeros"
    kt_ref kernel_regularizer, bias_regularizer, activity_regularizer;
    kt_ref kernel_constraint, bias_constraint;
    int64_t lora_rank; ///< default KT_NONE; else as kt_layer_enable_lora() when the layer is built
    double lora_alpha; ///< default KT_NONE_F: the rank
    KT_LAYER_NAME_ARGS ///< name, dtype, trainable, autocast
} kt_conv_args;
#define KT_CONV_DEFAULTS                                                                           \
    .strides = 1, .padding = "valid", .dilation_rate = 1, .groups = 1, .use_bias = true,           \
    .kernel_initializer = "glorot_uniform", .bias_initializer = "zeros", .lora_rank = KT_NONE,     \
    .lora_alpha = KT_NONE_F, KT_LAYER_DEFAULTS
#define kt_conv1d(...) KT_CALL(kt_conv1d_new, kt_conv_args, KT_CONV_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_conv1d_new(const kt_conv_args *args);
#define kt_conv2d(...) KT_CALL(kt_conv2d_new, kt_conv_args, KT_CONV_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_conv2d_new(const kt_conv_args *args);
#define kt_conv3d(...) KT_CALL(kt_conv3d_new, kt_conv_args, KT_CONV_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_conv3d_new(const kt_conv_args *args);

/** A convolution the other way round: the input becomes larger.
 *
 * Keras: keras.layers.Conv1DTranspose, Conv2DTranspose.  Shape: (batch, length ..., channels) ->
 * (batch, length' ..., filters). Padding "same": length' = length stride; "valid": (length - 1)
 * stride + max(kernel, stride); with output_padding: (length - 1) stride + output_padding + kernel
 * ("valid") or kernel % 2 ("same").
 * Weights: kernel (kernel_size ..., filters, channels), bias (filters).
 * Errors: those of Conv2D; an output_padding that is not less than the stride.
 *
 *     kt_conv2d_transpose(16, 3, .strides = 2, .padding = "same")
 */
typedef struct kt_conv_transpose_args {
    size_t size;
    int filters;                                 ///< channels of the result, > 0
    kt_tuple kernel_size;                        ///< size of the window
    kt_tuple strides;                            ///< default 1
    const char *padding;                         ///< "valid" (default) or "same"
    kt_tuple output_padding;                     ///< default KT_NONE: worked out
    const char *data_format;                     ///< "channels_last" (default) or "channels_first"
    kt_tuple dilation_rate;                      ///< default 1
    kt_ref activation;                           ///< name or object; NULL (None) means linear
    bool use_bias;                               ///< default true
    kt_ref kernel_initializer, bias_initializer; ///< "glorot_uniform" and "zeros"
    kt_ref kernel_regularizer, bias_regularizer, activity_regularizer;
    kt_ref kernel_constraint, bias_constraint;
    KT_LAYER_NAME_ARGS
} kt_conv_transpose_args;
#define KT_CONV_TRANSPOSE_DEFAULTS                                                                 \
    .strides = 1, .padding = "valid", .output_padding = KT_NONE, .dilation_rate = 1,               \
    .use_bias = true, .kernel_initializer = "glorot_uniform", .bias_initializer = "zeros",         \
    KT_LAYER_DEFAULTS
#define kt_conv1d_transpose(...)                                                                   \
    KT_CALL(                                                                                       \
        kt_conv1d_transpose_new, kt_conv_transpose_args, KT_CONV_TRANSPOSE_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_conv1d_transpose_new(const kt_conv_transpose_args *args);
#define kt_conv2d_transpose(...)                                                                   \
    KT_CALL(                                                                                       \
        kt_conv2d_transpose_new, kt_conv_transpose_args, KT_CONV_TRANSPOSE_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_conv2d_transpose_new(const kt_conv_transpose_args *args);

/** The same for volumes. Keras: keras.layers.Conv3DTranspose, whose data_format comes before
 * output_padding.
 *
 *     kt_conv3d_transpose(8, 3, 2, "same")
 */
typedef struct kt_conv3d_transpose_args {
    size_t size;
    int filters;
    kt_tuple kernel_size, strides;
    const char *padding;
    const char *data_format;
    kt_tuple output_padding, dilation_rate;
    kt_ref activation;
    bool use_bias;
    kt_ref kernel_initializer, bias_initializer;
    kt_ref kernel_regularizer, bias_regularizer, activity_regularizer;
    kt_ref kernel_constraint, bias_constraint;
    KT_LAYER_NAME_ARGS
} kt_conv3d_transpose_args;
#define kt_conv3d_transpose(...)                                                                   \
    KT_CALL(                                                                                       \
        kt_conv3d_transpose_new,                                                                   \
        kt_conv3d_transpose_args,                                                                  \
        KT_CONV_TRANSPOSE_DEFAULTS,                                                                \
        __VA_ARGS__)
KT_API kt_layer *kt_conv3d_transpose_new(const kt_conv3d_transpose_args *args);

/** Each channel with filters of its own: depth_multiplier results for each channel.
 *
 * Keras: keras.layers.DepthwiseConv1D, DepthwiseConv2D.  Shape: (batch, length ..., channels) ->
 * (batch, length' ..., channels depth_multiplier), lengths as Conv2D has them. Strides and dilation
 * may both be above 1.
 * Weights: kernel (kernel_size ..., channels, depth_multiplier), bias (channels depth_multiplier).
 * Errors: sizes, strides or multiplier below 1; open channels; an input smaller than the kernel.
 *
 *     kt_depthwise_conv2d(3, .padding = "same")
 */
typedef struct kt_depthwise_conv_args {
    size_t size;
    kt_tuple kernel_size;    ///< size of the window
    kt_tuple strides;        ///< default 1
    const char *padding;     ///< "valid" (default) or "same"
    int depth_multiplier;    ///< default 1
    const char *data_format; ///< "channels_last" (default) or "channels_first"
    kt_tuple dilation_rate;  ///< default 1
    kt_ref activation;       ///< name or object; NULL (None) means linear
    bool use_bias;           ///< default true
    kt_ref depthwise_initializer, bias_initializer; ///< "glorot_uniform" and "zeros"
    kt_ref depthwise_regularizer, bias_regularizer, activity_regularizer;
    kt_ref depthwise_constraint, bias_constraint;
    KT_LAYER_NAME_ARGS
} kt_depthwise_conv_args;
#define KT_DEPTHWISE_CONV_DEFAULTS                                                                 \
    .strides = 1, .padding = "valid", .depth_multiplier = 1, .dilation_rate = 1, .use_bias = true, \
    .depthwise_initializer = "glorot_uniform", .bias_initializer = "zeros", KT_LAYER_DEFAULTS
#define kt_depthwise_conv1d(...)                                                                   \
    KT_CALL(                                                                                       \
        kt_depthwise_conv1d_new, kt_depthwise_conv_args, KT_DEPTHWISE_CONV_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_depthwise_conv1d_new(const kt_depthwise_conv_args *args);
#define kt_depthwise_conv2d(...)                                                                   \
    KT_CALL(                                                                                       \
        kt_depthwise_conv2d_new, kt_depthwise_conv_args, KT_DEPTHWISE_CONV_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_depthwise_conv2d_new(const kt_depthwise_conv_args *args);

/** A depthwise convolution, then one of size 1 that mixes the channels.
 *
 * Keras: keras.layers.SeparableConv1D, SeparableConv2D.  Shape: that of Conv2D.
 * Weights: depthwise_kernel (kernel_size ..., channels, depth_multiplier), pointwise_kernel (1 ...,
 * channels depth_multiplier, filters), bias (filters).
 * Errors: those of DepthwiseConv2D; filters below 1.
 *
 *     kt_separable_conv2d(64, 3, .activation = "relu")
 */
typedef struct kt_separable_conv_args {
    size_t size;
    int filters;             ///< channels of the result, > 0
    kt_tuple kernel_size;    ///< size of the window
    kt_tuple strides;        ///< default 1
    const char *padding;     ///< "valid" (default) or "same"
    const char *data_format; ///< "channels_last" (default) or "channels_first"
    kt_tuple dilation_rate;  ///< default 1
    int depth_multiplier;    ///< default 1
    kt_ref activation;       ///< name or object; NULL (None) means linear
    bool use_bias;           ///< default true
    kt_ref depthwise_initializer, pointwise_initializer; ///< "glorot_uniform"
    kt_ref bias_initializer;                             ///< "zeros"
    kt_ref depthwise_regularizer, pointwise_regularizer, bias_regularizer, activity_regularizer;
    kt_ref depthwise_constraint, pointwise_constraint, bias_constraint;
    KT_LAYER_NAME_ARGS
} kt_separable_conv_args;
#define KT_SEPARABLE_CONV_DEFAULTS                                                                 \
    .strides = 1, .padding = "valid", .dilation_rate = 1, .depth_multiplier = 1, .use_bias = true, \
    .depthwise_initializer = "glorot_uniform", .pointwise_initializer = "glorot_uniform",          \
    .bias_initializer = "zeros", KT_LAYER_DEFAULTS
#define kt_separable_conv1d(...)                                                                   \
    KT_CALL(                                                                                       \
        kt_separable_conv1d_new, kt_separable_conv_args, KT_SEPARABLE_CONV_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_separable_conv1d_new(const kt_separable_conv_args *args);
#define kt_separable_conv2d(...)                                                                   \
    KT_CALL(                                                                                       \
        kt_separable_conv2d_new, kt_separable_conv_args, KT_SEPARABLE_CONV_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_separable_conv2d_new(const kt_separable_conv_args *args);

#ifdef __cplusplus
}
#endif
#endif
