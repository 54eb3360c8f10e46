/* Core layers, reshaping, merging, activation, regularization and preprocessing layers of the first
 * slice: see layers.h. */
#ifndef KERATIN_LAYERS_CORE_H
#define KERATIN_LAYERS_CORE_H

#include <keratin/axes.h>
#include <keratin/layers/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An input of a functional model, or the first item of a sequential one.
 *
 * Keras: keras.Input.  `shape` is without the batch axis; KT_NONE where open, {KT_SCALAR} for ().
 * Errors: no shape, or both shape and batch_shape.
 *
 *     kt_sym *x = kt_input({28, 28, 1}, .name = "picture");
 */
typedef struct kt_input_args {
    size_t size;
    int64_t shape[KT_MAX_RANK];
    int64_t batch_size;               ///< default KT_NONE: any
    const char *dtype;                ///< default: the dtype policy's
    bool sparse;                      ///< not supported
    bool ragged;                      ///< not supported
    int64_t batch_shape[KT_MAX_RANK]; ///< in place of shape and batch_size: {KT_NONE, 784}
    const char *name;
    kt_ref tensor; ///< not supported
    bool optional; ///< not supported
} kt_input_args;
#define KT_INPUT_DEFAULTS .batch_size = KT_NONE,
#define kt_input(...) KT_CALL(kt_input_new, kt_input_args, KT_INPUT_DEFAULTS, __VA_ARGS__)
KT_API kt_sym *kt_input_new(const kt_input_args *args);

/** Densely connected layer: activation(x . kernel + bias).
 *
 * Keras: keras.layers.Dense.  Shape: (batch, ..., in) -> (batch, ..., units).
 * Errors: units <= 0; an input of fewer than two axes or with an open last axis.
 *
 *     kt_dense(64, .activation = "relu")
 */
typedef struct kt_dense_args {
    size_t size;               ///< set by the macro
    int units;                 ///< size of the last output axis, > 0
    kt_ref activation;         ///< name or object; NULL (None) means linear
    bool use_bias;             ///< default true
    kt_ref kernel_initializer; ///< default "glorot_uniform"
    kt_ref bias_initializer;   ///< default "zeros"
    kt_ref kernel_regularizer, bias_regularizer, activity_regularizer;
    kt_ref kernel_constraint, bias_constraint;
    int64_t lora_rank; ///< default KT_NONE; else as kt_layer_enable_lora() when it is built
    double lora_alpha; ///< default KT_NONE_F; Keras 3.15.1 takes the rank whatever it is
    kt_ref quantization_config; ///< for the dtype "int8_from_float32", see quantizers.h
    KT_LAYER_NAME_ARGS          ///< name, dtype, trainable, autocast
} kt_dense_args;
#define KT_DENSE_DEFAULTS                                                                          \
    .use_bias = true, .kernel_initializer = "glorot_uniform", .bias_initializer = "zeros",         \
    .lora_rank = KT_NONE, .lora_alpha = KT_NONE_F, KT_LAYER_DEFAULTS
#define kt_dense(...) KT_CALL(kt_dense_new, kt_dense_args, KT_DENSE_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_dense_new(const kt_dense_args *args);

/** All axes but the batch axis become one. Keras: keras.layers.Flatten.
 *
 *     kt_flatten()
 */
typedef struct kt_flatten_args {
    size_t size;
    const char *data_format; ///< "channels_last" (default) or "channels_first"
    KT_LAYER_ARGS
} kt_flatten_args;
#define KT_FLATTEN_DEFAULTS KT_LAYER_DEFAULTS
#define kt_flatten(...) KT_CALL(kt_flatten_new, kt_flatten_args, KT_FLATTEN_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_flatten_new(const kt_flatten_args *args);

/** An activation function as a layer. Keras: keras.layers.Activation.
 *
 *     kt_activation("relu")
 */
typedef struct kt_activation_args {
    size_t size;
    kt_ref activation; ///< name or object
    KT_LAYER_ARGS
} kt_activation_args;
#define KT_ACTIVATION_DEFAULTS KT_LAYER_DEFAULTS
#define kt_activation(...)                                                                         \
    KT_CALL(kt_activation_new, kt_activation_args, KT_ACTIVATION_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_activation_new(const kt_activation_args *args);

/** max(x, 0), with a slope below the threshold and a ceiling. Keras: keras.layers.ReLU.
 *
 *     kt_relu(.max_value = 6)
 */
typedef struct kt_relu_args {
    size_t size;
    double max_value;      ///< default KT_NONE_F: no ceiling; >= 0
    double negative_slope; ///< default 0; >= 0
    double threshold;      ///< default 0; >= 0
    KT_LAYER_ARGS
} kt_relu_args;
#define KT_RELU_DEFAULTS .max_value = KT_NONE_F, KT_LAYER_DEFAULTS
#define kt_relu(...) KT_CALL(kt_relu_new, kt_relu_args, KT_RELU_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_relu_new(const kt_relu_args *args);

/** exp(x) / sum(exp(x)) along one axis or several. Keras: keras.layers.Softmax.
 *
 * A mask (that can be broadcast to the input) leaves elements out: they become 0.
 *
 *     kt_softmax()
 */
typedef struct kt_softmax_args {
    size_t size;
    kt_tuple axis; ///< default -1; -1 or kt_axes(1, 2)
    KT_LAYER_ARGS
} kt_softmax_args;
#define KT_SOFTMAX_DEFAULTS .axis = -1, KT_LAYER_DEFAULTS
#define kt_softmax(...) KT_CALL(kt_softmax_new, kt_softmax_args, KT_SOFTMAX_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_softmax_new(const kt_softmax_args *args);

/** Sets a share of the inputs to 0 while training and scales the rest by 1 / (1 - rate).
 *
 * Keras: keras.layers.Dropout.
 *
 *     kt_dropout(0.5)
 */
typedef struct kt_dropout_args {
    size_t size;
    double rate; ///< 0 <= rate <= 1
    int64_t
        noise_shape[KT_MAX_RANK]; ///< 1 where one draw serves the axis, KT_NONE: the input's size
    int64_t seed;                 ///< default KT_NONE: from the seed of the session
    KT_LAYER_ARGS
} kt_dropout_args;
#define KT_DROPOUT_DEFAULTS .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_dropout(...) KT_CALL(kt_dropout_new, kt_dropout_args, KT_DROPOUT_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_dropout_new(const kt_dropout_args *args);

/** x * scale + offset. Keras: keras.layers.Rescaling.
 *
 *     kt_rescaling(1.0 / 255)
 *     kt_rescaling(.scales = kt_floats(2, 3, 4), .offset = -1)
 */
typedef struct kt_rescaling_args {
    size_t size;
    double scale;
    double offset;
    kt_floats_t scales;  ///< Keras' scale as a list: one for each channel (the last axis)
    kt_floats_t offsets; ///< Keras' offset as a list
    KT_LAYER_ARGS
} kt_rescaling_args;
#define KT_RESCALING_DEFAULTS KT_LAYER_DEFAULTS
#define kt_rescaling(...)                                                                          \
    KT_CALL(kt_rescaling_new, kt_rescaling_args, KT_RESCALING_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_rescaling_new(const kt_rescaling_args *args);

/** Gives back what it got. Keras: keras.layers.Identity.
 *
 *     kt_identity()
 */
typedef struct kt_identity_args {
    size_t size;
    KT_LAYER_ARGS
} kt_identity_args;
#define KT_IDENTITY_DEFAULTS KT_LAYER_DEFAULTS
#define kt_identity(...)                                                                           \
    KT_CALL(kt_identity_new, kt_identity_args, KT_IDENTITY_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_identity_new(const kt_identity_args *args);

/** A dense layer for any einsum: activation(einsum(equation, x, kernel) + bias).
 *
 * Keras: keras.layers.EinsumDense.  The equation is [X],[Y]->[Z], ...[X],[Y]->...[Z] or
 * [X]...,[Y]->[Z]..., Y being the kernel. Weights: kernel, and bias over the axes bias_axes.
 * Errors: an equation that cannot be read or does not fit the input and output_shape.
 *
 *     kt_einsum_dense("abc,cd->abd", {KT_NONE, 64}, .bias_axes = "d")
 */
typedef struct kt_einsum_dense_args {
    size_t size;
    const char *equation;
    int64_t output_shape
        [KT_MAX_RANK];         ///< without the batch axis and what "..." stands for; KT_NONE: open
    kt_ref activation;         ///< name or object; NULL (None) means linear
    const char *bias_axes;     ///< letters of output axes; default NULL (None): no bias
    kt_ref kernel_initializer; ///< default "glorot_uniform"
    kt_ref bias_initializer;   ///< default "zeros"
    kt_ref kernel_regularizer, bias_regularizer;
    kt_ref kernel_constraint, bias_constraint;
    int64_t lora_rank; ///< default KT_NONE; else as kt_layer_enable_lora() when it is built
    double lora_alpha; ///< default KT_NONE_F: the rank
    int64_t gptq_unpacked_column_size; ///< default KT_NONE; not supported
    kt_ref quantization_config;        ///< for the dtype "int8_from_float32", see quantizers.h
    KT_LAYER_ARGS
} kt_einsum_dense_args;
#define KT_EINSUM_DENSE_DEFAULTS                                                                   \
    .kernel_initializer = "glorot_uniform", .bias_initializer = "zeros", .lora_rank = KT_NONE,     \
    .lora_alpha = KT_NONE_F, .gptq_unpacked_column_size = KT_NONE, KT_LAYER_DEFAULTS
#define kt_einsum_dense(...)                                                                       \
    KT_CALL(kt_einsum_dense_new, kt_einsum_dense_args, KT_EINSUM_DENSE_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_einsum_dense_new(const kt_einsum_dense_args *args);

#ifdef __cplusplus
}
#endif
#endif
