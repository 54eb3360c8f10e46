/* Regularization layers (Dropout stands in core.h): see layers.h. */
#ifndef KERATIN_LAYERS_REGULARIZATION_H
#define KERATIN_LAYERS_REGULARIZATION_H

#include <keratin/layers/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* All of them give back what they got outside of training. */

#define KT_SPATIAL_DROPOUT_DEFAULTS .seed = KT_NONE, KT_LAYER_DEFAULTS
/** Dropout of whole channels: one draw for all steps of a sample.
 *
 * Keras: keras.layers.SpatialDropout1D.  Shape: (batch, steps, channels), stays.
 *
 *     kt_spatial_dropout1d(0.2)
 */
typedef struct kt_spatial_dropout1d_args {
    size_t size;
    double rate;  ///< 0 <= rate <= 1
    int64_t seed; ///< default KT_NONE: from the seed of the session
    KT_LAYER_ARGS
} kt_spatial_dropout1d_args;
#define kt_spatial_dropout1d(...)                                                                  \
    KT_CALL(                                                                                       \
        kt_spatial_dropout1d_new,                                                                  \
        kt_spatial_dropout1d_args,                                                                 \
        KT_SPATIAL_DROPOUT_DEFAULTS,                                                               \
        __VA_ARGS__)
KT_API kt_layer *kt_spatial_dropout1d_new(const kt_spatial_dropout1d_args *args);

/** The arguments of SpatialDropout2D and SpatialDropout3D. */
typedef struct kt_spatial_dropout_args {
    size_t size;
    double rate;             ///< 0 <= rate <= 1
    const char *data_format; ///< "channels_last" (default) or "channels_first"
    int64_t seed;            ///< default KT_NONE: from the seed of the session
    KT_LAYER_ARGS
} kt_spatial_dropout_args;
/** The same for pictures, (batch, height, width, channels). Keras: keras.layers.SpatialDropout2D.
 *
 *     kt_spatial_dropout2d(0.2)
 */
#define kt_spatial_dropout2d(...)                                                                  \
    KT_CALL(                                                                                       \
        kt_spatial_dropout2d_new,                                                                  \
        kt_spatial_dropout_args,                                                                   \
        KT_SPATIAL_DROPOUT_DEFAULTS,                                                               \
        __VA_ARGS__)
KT_API kt_layer *kt_spatial_dropout2d_new(const kt_spatial_dropout_args *args);
/** The same for volumes, (batch, depth, height, width, channels). Keras:
 * keras.layers.SpatialDropout3D.
 *
 *     kt_spatial_dropout3d(0.2)
 */
#define kt_spatial_dropout3d(...)                                                                  \
    KT_CALL(                                                                                       \
        kt_spatial_dropout3d_new,                                                                  \
        kt_spatial_dropout_args,                                                                   \
        KT_SPATIAL_DROPOUT_DEFAULTS,                                                               \
        __VA_ARGS__)
KT_API kt_layer *kt_spatial_dropout3d_new(const kt_spatial_dropout_args *args);

/** Adds numbers of mean 0 while training. Keras: keras.layers.GaussianNoise.
 *
 *     kt_gaussian_noise(0.1)
 */
typedef struct kt_gaussian_noise_args {
    size_t size;
    double stddev; ///< 0 <= stddev <= 1
    int64_t seed;  ///< default KT_NONE: from the seed of the session
    KT_LAYER_ARGS
} kt_gaussian_noise_args;
#define KT_GAUSSIAN_NOISE_DEFAULTS .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_gaussian_noise(...)                                                                     \
    KT_CALL(kt_gaussian_noise_new, kt_gaussian_noise_args, KT_GAUSSIAN_NOISE_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_gaussian_noise_new(const kt_gaussian_noise_args *args);

/** Multiplies with numbers of mean 1 and deviation sqrt(rate / (1 - rate)) while training.
 *
 * Keras: keras.layers.GaussianDropout.
 * Errors: training with a rate of 1.
 *
 *     kt_gaussian_dropout(0.3)
 */
typedef struct kt_gaussian_dropout_args {
    size_t size;
    double rate;  ///< 0 <= rate <= 1
    int64_t seed; ///< default KT_NONE: from the seed of the session
    KT_LAYER_ARGS
} kt_gaussian_dropout_args;
#define KT_GAUSSIAN_DROPOUT_DEFAULTS .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_gaussian_dropout(...)                                                                   \
    KT_CALL(                                                                                       \
        kt_gaussian_dropout_new,                                                                   \
        kt_gaussian_dropout_args,                                                                  \
        KT_GAUSSIAN_DROPOUT_DEFAULTS,                                                              \
        __VA_ARGS__)
KT_API kt_layer *kt_gaussian_dropout_new(const kt_gaussian_dropout_args *args);

/** Dropout for networks with selu: dropped inputs take its lowest value, mean and variance stay.
 *
 * Keras: keras.layers.AlphaDropout.
 * Errors: training with a rate of 1.
 *
 *     kt_alpha_dropout(0.1)
 */
typedef struct kt_alpha_dropout_args {
    size_t size;
    double rate; ///< 0 <= rate <= 1
    int64_t
        noise_shape[KT_MAX_RANK]; ///< 1 where one draw serves the axis, KT_NONE: the input's size
    int64_t seed;                 ///< default KT_NONE: from the seed of the session
    KT_LAYER_ARGS
} kt_alpha_dropout_args;
#define KT_ALPHA_DROPOUT_DEFAULTS .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_alpha_dropout(...)                                                                      \
    KT_CALL(kt_alpha_dropout_new, kt_alpha_dropout_args, KT_ALPHA_DROPOUT_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_alpha_dropout_new(const kt_alpha_dropout_args *args);

/** Adds (l1 sum |x| + l2 sum x^2) / batch size to the loss; the values stay.
 *
 * Keras: keras.layers.ActivityRegularization.
 *
 *     kt_activity_regularization(.l2 = 1e-3)
 */
typedef struct kt_activity_regularization_args {
    size_t size;
    double l1; ///< default 0
    double l2; ///< default 0
    KT_LAYER_NAME_ARGS
} kt_activity_regularization_args;
#define KT_ACTIVITY_REGULARIZATION_DEFAULTS KT_LAYER_DEFAULTS
#define kt_activity_regularization(...)                                                            \
    KT_CALL(                                                                                       \
        kt_activity_regularization_new,                                                            \
        kt_activity_regularization_args,                                                           \
        KT_ACTIVITY_REGULARIZATION_DEFAULTS,                                                       \
        __VA_ARGS__)
KT_API kt_layer *kt_activity_regularization_new(const kt_activity_regularization_args *args);

#ifdef __cplusplus
}
#endif
#endif
