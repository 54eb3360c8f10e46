/* Convolutions, pools and padding as functions on symbolic tensors. Keras: keras.ops.
 *
 * Inputs have a batch axis, one to three axes, and channels: last, or second with data_format
 * "channels_first". Sizes are one number, kt_hw(3, 5) or kt_dhw(1, 3, 5). */
#ifndef KERATIN_OPS_WINDOWS_H
#define KERATIN_OPS_WINDOWS_H

#include <keratin/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The convolution of `inputs` with a kernel (size ..., channels / groups, filters).
 *
 * Keras: keras.ops.conv, and "causal" for one axis, as the layer has it.
 * Errors: channels that the kernel's do not divide, groups that do not divide the filters, a kernel
 * that is larger than the input.
 *
 *     kt_op_conv(a, b, .strides = 2, .padding = "same")
 */
typedef struct kt_op_conv_args {
    size_t size; ///< set by the macro
    kt_sym *inputs, *kernel;
    kt_tuple strides;        ///< default 1
    const char *padding;     ///< "valid" (default), "same"; "causal" with one axis
    const char *data_format; ///< "channels_last" (default) or "channels_first"
    kt_tuple dilation_rate;  ///< default 1
} kt_op_conv_args;
#define KT_OP_CONV_DEFAULTS .strides = 1, .padding = "valid", .dilation_rate = 1,
#define kt_op_conv(...) KT_CALL(kt_op_conv_with, kt_op_conv_args, KT_OP_CONV_DEFAULTS, __VA_ARGS__)
KT_API kt_sym *kt_op_conv_with(const kt_op_conv_args *args);
/** Each channel on its own: kernel (size ..., channels, multiplier), one or two axes.
 * Keras: keras.ops.depthwise_conv */
#define kt_op_depthwise_conv(...)                                                                  \
    KT_CALL(kt_op_depthwise_conv_with, kt_op_conv_args, KT_OP_CONV_DEFAULTS, __VA_ARGS__)
KT_API kt_sym *kt_op_depthwise_conv_with(const kt_op_conv_args *args);

/** A depthwise convolution, then one with a kernel of size 1: pointwise_kernel (1 ..., channels *
 * multiplier, filters). Keras: keras.ops.separable_conv */
typedef struct kt_op_separable_conv_args {
    size_t size;
    kt_sym *inputs, *depthwise_kernel, *pointwise_kernel;
    kt_tuple strides;
    const char *padding;
    const char *data_format;
    kt_tuple dilation_rate;
} kt_op_separable_conv_args;
#define kt_op_separable_conv(...)                                                                  \
    KT_CALL(kt_op_separable_conv_with, kt_op_separable_conv_args, KT_OP_CONV_DEFAULTS, __VA_ARGS__)
KT_API kt_sym *kt_op_separable_conv_with(const kt_op_separable_conv_args *args);

/** The convolution the other way round, which makes pictures larger: kernel (size ..., filters,
 * channels).
 *
 * Keras: keras.ops.conv_transpose.  "valid": (length - 1) strides + kernel, at least length
 * strides; "same": length strides; with output_padding (length - 1) strides + output_padding +
 * kernel ("valid") or kernel % 2 ("same").
 *
 *     kt_op_conv_transpose(a, b, .strides = 2, .padding = "same")
 */
typedef struct kt_op_conv_transpose_args {
    size_t size;
    kt_sym *inputs, *kernel;
    kt_tuple strides;
    const char *padding;
    kt_tuple output_padding; ///< default KT_NONE: worked out
    const char *data_format;
    kt_tuple dilation_rate;
} kt_op_conv_transpose_args;
#define KT_OP_CONV_TRANSPOSE_DEFAULTS                                                              \
    .strides = 1, .padding = "valid", .output_padding = KT_NONE, .dilation_rate = 1,
#define kt_op_conv_transpose(...)                                                                  \
    KT_CALL(                                                                                       \
        kt_op_conv_transpose_with,                                                                 \
        kt_op_conv_transpose_args,                                                                 \
        KT_OP_CONV_TRANSPOSE_DEFAULTS,                                                             \
        __VA_ARGS__)
KT_API kt_sym *kt_op_conv_transpose_with(const kt_op_conv_transpose_args *args);

/** The largest value of each window, channel by channel. Cells of the padding take no part.
 *
 * Keras: keras.ops.max_pool
 *
 *     kt_op_max_pool(a, 2)
 */
typedef struct kt_op_pool_args {
    size_t size;
    kt_sym *inputs;
    kt_tuple pool_size;
    kt_tuple strides;        ///< default KT_NONE: pool_size
    const char *padding;     ///< "valid" (default) or "same"
    const char *data_format; ///< "channels_last" (default) or "channels_first"
} kt_op_pool_args;
#define KT_OP_POOL_DEFAULTS .strides = KT_NONE, .padding = "valid",
#define kt_op_max_pool(...)                                                                        \
    KT_CALL(kt_op_max_pool_with, kt_op_pool_args, KT_OP_POOL_DEFAULTS, __VA_ARGS__)
KT_API kt_sym *kt_op_max_pool_with(const kt_op_pool_args *args);
/** The mean of each window; what lies in the padding does not count. Keras: keras.ops.average_pool
 */
#define kt_op_average_pool(...)                                                                    \
    KT_CALL(kt_op_average_pool_with, kt_op_pool_args, KT_OP_POOL_DEFAULTS, __VA_ARGS__)
KT_API kt_sym *kt_op_average_pool_with(const kt_op_pool_args *args);

/** A constant around x: before[i] and after[i] elements at axis i. Keras: keras.ops.pad (mode
 * "constant") */
KT_API kt_sym *kt_op_pad(kt_sym *x, kt_shape before, kt_shape after, double constant_value);
/** The elements themselves around x, mirrored: mode "reflect" leaves the outermost one out,
 * "symmetric" takes it twice. Errors: a border longer than what there is to mirror. */
KT_API kt_sym *kt_op_pad_mode(kt_sym *x, kt_shape before, kt_shape after, const char *mode);
/** Every element of an axis `repeats` times. Keras: keras.ops.repeat */
KT_API kt_sym *kt_op_repeat(kt_sym *x, int repeats, int64_t axis);

#ifdef __cplusplus
}
#endif
#endif
