/* Activation functions with arguments or weights, as layers; ReLU and Softmax stand in core.h. See
 * layers.h. */
#ifndef KERATIN_LAYERS_ACTIVATION_H
#define KERATIN_LAYERS_ACTIVATION_H

#include <keratin/axes.h>
#include <keratin/layers/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** x, or negative_slope x where x is negative. Keras: keras.layers.LeakyReLU.
 * Errors: a negative slope below 0.
 *
 *     kt_leaky_relu(0.1)
 */
typedef struct kt_leaky_relu_args {
    size_t size;
    double negative_slope; ///< default 0.3; >= 0
    KT_LAYER_ARGS
} kt_leaky_relu_args;
#define KT_LEAKY_RELU_DEFAULTS .negative_slope = 0.3, KT_LAYER_DEFAULTS
#define kt_leaky_relu(...)                                                                         \
    KT_CALL(kt_leaky_relu_new, kt_leaky_relu_args, KT_LEAKY_RELU_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_leaky_relu_new(const kt_leaky_relu_args *args);

/** x, or alpha (e^x - 1) where x is negative. Keras: keras.layers.ELU.
 *
 *     kt_elu()
 */
typedef struct kt_elu_args {
    size_t size;
    double alpha; ///< default 1
    KT_LAYER_ARGS
} kt_elu_args;
#define KT_ELU_DEFAULTS .alpha = 1, KT_LAYER_DEFAULTS
#define kt_elu(...) KT_CALL(kt_elu_new, kt_elu_args, KT_ELU_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_elu_new(const kt_elu_args *args);

/** x, or alpha x where x is negative, with an alpha that is learned.
 *
 * Keras: keras.layers.PReLU.  The shape stays. Weight: alpha, of the shape of a sample, with length
 * 1 along shared_axes.
 * Errors: shared axes out of range (the batch axis is none); open axes that are not shared.
 *
 *     kt_prelu(.shared_axes = kt_axes(1, 2)) // one number per channel of a picture
 */
typedef struct kt_prelu_args {
    size_t size;
    kt_ref alpha_initializer; ///< default "zeros"
    kt_ref alpha_regularizer, alpha_constraint;
    kt_tuple shared_axes; ///< default KT_NONE; 1 or kt_axes(1, 2)
    KT_LAYER_ARGS
} kt_prelu_args;
#define KT_PRELU_DEFAULTS .alpha_initializer = "zeros", .shared_axes = KT_NONE, KT_LAYER_DEFAULTS
#define kt_prelu(...) KT_CALL(kt_prelu_new, kt_prelu_args, KT_PRELU_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_prelu_new(const kt_prelu_args *args);

#ifdef __cplusplus
}
#endif
#endif
