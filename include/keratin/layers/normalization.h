/* Normalization layers: see layers.h. */
#ifndef KERATIN_LAYERS_NORMALIZATION_H
#define KERATIN_LAYERS_NORMALIZATION_H

#include <keratin/layers/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Brings every channel to mean 0 and variance 1, then to a mean and a scale that are learned:
 * gamma (x - mean) / sqrt(variance + epsilon) + beta.
 *
 * Keras: keras.layers.BatchNormalization.  The shape stays. While training (and while the layer is
 * trainable) mean and variance are those of the batch, over all axes but `axis`, and moving
 * averages of them are kept: moving = moving momentum + batch (1 - momentum). Otherwise the moving
 * averages are used. A mask (of all axes but the last) leaves steps out of mean and variance.
 * Weights: gamma, beta (where scale and center are on), moving_mean, moving_variance (not trained),
 * each (channels).
 * Errors: an axis out of range or of open length.
 *
 *     kt_batch_normalization()
 */
typedef struct kt_batch_normalization_args {
    size_t size;
    int axis;                           ///< default -1: the channels
    double momentum;                    ///< default 0.99
    double epsilon;                     ///< default 0.001
    bool center;                        ///< default true: with beta
    bool scale;                         ///< default true: with gamma
    kt_ref beta_initializer;            ///< default "zeros"
    kt_ref gamma_initializer;           ///< default "ones"
    kt_ref moving_mean_initializer;     ///< default "zeros"
    kt_ref moving_variance_initializer; ///< default "ones"
    kt_ref beta_regularizer, gamma_regularizer;
    kt_ref beta_constraint, gamma_constraint;
    bool synchronized; ///< not supported
    KT_LAYER_ARGS
} kt_batch_normalization_args;
#define KT_BATCH_NORMALIZATION_DEFAULTS                                                            \
    .axis = -1, .momentum = 0.99, .epsilon = 0.001, .center = true, .scale = true,                 \
    .beta_initializer = "zeros", .gamma_initializer = "ones", .moving_mean_initializer = "zeros",  \
    .moving_variance_initializer = "ones", KT_LAYER_DEFAULTS
#define kt_batch_normalization(...)                                                                \
    KT_CALL(                                                                                       \
        kt_batch_normalization_new,                                                                \
        kt_batch_normalization_args,                                                               \
        KT_BATCH_NORMALIZATION_DEFAULTS,                                                           \
        __VA_ARGS__)
KT_API kt_layer *kt_batch_normalization_new(const kt_batch_normalization_args *args);

#ifdef __cplusplus
}
#endif
#endif
