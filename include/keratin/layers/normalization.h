/* Normalization layers: see layers.h. */
#ifndef KERATIN_LAYERS_NORMALIZATION_H
#define KERATIN_LAYERS_NORMALIZATION_H

#include <keratin/axes.h>
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
    bool renorm;                 ///< default false; batch renormalization, with three more weights
    kt_floats_t renorm_clipping; ///< kt_floats(rmax, rmin, dmax), KT_NONE_F where there is no limit
    double renorm_momentum;      ///< default 0.99
    bool synchronized;           ///< not supported
    KT_LAYER_ARGS
} kt_batch_normalization_args;
#define KT_BATCH_NORMALIZATION_DEFAULTS                                                            \
    .axis = -1, .momentum = 0.99, .epsilon = 0.001, .center = true, .scale = true,                 \
    .beta_initializer = "zeros", .gamma_initializer = "ones", .moving_mean_initializer = "zeros",  \
    .moving_variance_initializer = "ones", .renorm_momentum = 0.99, KT_LAYER_DEFAULTS
#define kt_batch_normalization(...)                                                                \
    KT_CALL(                                                                                       \
        kt_batch_normalization_new,                                                                \
        kt_batch_normalization_args,                                                               \
        KT_BATCH_NORMALIZATION_DEFAULTS,                                                           \
        __VA_ARGS__)
KT_API kt_layer *kt_batch_normalization_new(const kt_batch_normalization_args *args);

/** Brings every sample to mean 0 and variance 1 along some axes, then to a mean and a scale that
 * are learned: gamma (x - mean) / sqrt(variance + epsilon) + beta.
 *
 * Keras: keras.layers.LayerNormalization.  The shape stays. Weights: gamma, beta (where scale and
 * center are on), of the lengths of the axes.
 * Errors: an axis out of range or of open length.
 *
 *     kt_layer_normalization()
 */
typedef struct kt_layer_normalization_args {
    size_t size;
    kt_tuple axis;            ///< default -1; -1 or kt_axes(1, 2)
    double epsilon;           ///< default 0.001
    bool center;              ///< default true: with beta
    bool scale;               ///< default true: with gamma
    kt_ref beta_initializer;  ///< default "zeros"
    kt_ref gamma_initializer; ///< default "ones"
    kt_ref beta_regularizer, gamma_regularizer;
    kt_ref beta_constraint, gamma_constraint;
    bool rms_scaling; ///< deprecated: x gamma / sqrt(variance + epsilon)
    KT_LAYER_ARGS
} kt_layer_normalization_args;
#define KT_LAYER_NORMALIZATION_DEFAULTS                                                            \
    .axis = -1, .epsilon = 0.001, .center = true, .scale = true, .beta_initializer = "zeros",      \
    .gamma_initializer = "ones", KT_LAYER_DEFAULTS
#define kt_layer_normalization(...)                                                                \
    KT_CALL(                                                                                       \
        kt_layer_normalization_new,                                                                \
        kt_layer_normalization_args,                                                               \
        KT_LAYER_NORMALIZATION_DEFAULTS,                                                           \
        __VA_ARGS__)
KT_API kt_layer *kt_layer_normalization_new(const kt_layer_normalization_args *args);

/** Brings groups of channels of every sample to mean 0 and variance 1, over all positions, then
 * every channel to a mean and a scale that are learned.
 *
 * Keras: keras.layers.GroupNormalization.  The shape stays. Weights: gamma, beta (where scale and
 * center are on), (channels).
 * Errors: groups below 1 that are not -1; groups that do not divide the channels; an axis out of
 * range or of open length.
 *
 *     kt_group_normalization(4)
 */
typedef struct kt_group_normalization_args {
    size_t size;
    int groups;               ///< default 32; -1: one for each channel (instance normalization)
    int axis;                 ///< default -1: the channels
    double epsilon;           ///< default 0.001
    bool center;              ///< default true: with beta
    bool scale;               ///< default true: with gamma
    kt_ref beta_initializer;  ///< default "zeros"
    kt_ref gamma_initializer; ///< default "ones"
    kt_ref beta_regularizer, gamma_regularizer;
    kt_ref beta_constraint, gamma_constraint;
    KT_LAYER_ARGS
} kt_group_normalization_args;
#define KT_GROUP_NORMALIZATION_DEFAULTS                                                            \
    .groups = 32, .axis = -1, .epsilon = 0.001, .center = true, .scale = true,                     \
    .beta_initializer = "zeros", .gamma_initializer = "ones", KT_LAYER_DEFAULTS
#define kt_group_normalization(...)                                                                \
    KT_CALL(                                                                                       \
        kt_group_normalization_new,                                                                \
        kt_group_normalization_args,                                                               \
        KT_GROUP_NORMALIZATION_DEFAULTS,                                                           \
        __VA_ARGS__)
KT_API kt_layer *kt_group_normalization_new(const kt_group_normalization_args *args);

/** Divides by the root of the mean square along some axes and multiplies with a scale that is
 * learned.
 *
 * Keras: keras.layers.RMSNormalization.  The shape stays. Weight: scale, of the lengths of the
 * axes.
 * Errors: an axis out of range or of open length.
 *
 *     kt_rms_normalization()
 */
typedef struct kt_rms_normalization_args {
    size_t size;
    kt_tuple axis;  ///< default -1; -1 or kt_axes(1, 2)
    double epsilon; ///< default 1e-6
    KT_LAYER_ARGS
} kt_rms_normalization_args;
#define KT_RMS_NORMALIZATION_DEFAULTS .axis = -1, .epsilon = 1e-6, KT_LAYER_DEFAULTS
#define kt_rms_normalization(...)                                                                  \
    KT_CALL(                                                                                       \
        kt_rms_normalization_new,                                                                  \
        kt_rms_normalization_args,                                                                 \
        KT_RMS_NORMALIZATION_DEFAULTS,                                                             \
        __VA_ARGS__)
KT_API kt_layer *kt_rms_normalization_new(const kt_rms_normalization_args *args);

/** Brings every sample to length 1 (the square root of the sum of squares) along some axes.
 *
 * Keras: keras.layers.UnitNormalization.  The shape stays.
 * Errors: an axis out of range.
 *
 *     kt_unit_normalization()
 */
typedef struct kt_unit_normalization_args {
    size_t size;
    kt_tuple axis; ///< default -1; -1 or kt_axes(1, 2)
    KT_LAYER_ARGS
} kt_unit_normalization_args;
#define KT_UNIT_NORMALIZATION_DEFAULTS .axis = -1, KT_LAYER_DEFAULTS
#define kt_unit_normalization(...)                                                                 \
    KT_CALL(                                                                                       \
        kt_unit_normalization_new,                                                                 \
        kt_unit_normalization_args,                                                                \
        KT_UNIT_NORMALIZATION_DEFAULTS,                                                            \
        __VA_ARGS__)
KT_API kt_layer *kt_unit_normalization_new(const kt_unit_normalization_args *args);

/** Another layer, whose kernel is divided by its largest singular value before calls in training.
 *
 * Keras: keras.layers.SpectralNormalization.  Shape: that of the layer; the result has the dtype of
 * the input. Weights: the layer's "kernel" (or "embeddings"), "vector_u" (1, outputs), not trained.
 * Errors: power_iterations <= 0; a layer without kernel; a kernel that is used twice in one step of
 * training, or has LoRA (KT_EUNSUPPORTED).
 *
 *     kt_spectral_normalization(kt_conv2d(64, 3), .power_iterations = 2)
 */
typedef struct kt_spectral_normalization_args {
    size_t size;
    kt_ref layer;
    int power_iterations; ///< default 1
    KT_LAYER_ARGS
} kt_spectral_normalization_args;
#define KT_SPECTRAL_NORMALIZATION_DEFAULTS .power_iterations = 1, KT_LAYER_DEFAULTS
#define kt_spectral_normalization(...)                                                             \
    KT_CALL(                                                                                       \
        kt_spectral_normalization_new,                                                             \
        kt_spectral_normalization_args,                                                            \
        KT_SPECTRAL_NORMALIZATION_DEFAULTS,                                                        \
        __VA_ARGS__)
KT_API kt_layer *kt_spectral_normalization_new(const kt_spectral_normalization_args *args);

/** (x - mean) / sqrt(variance), with moments that are given or taken from data.
 *
 * Keras: keras.layers.Normalization.  The shape stays.
 * Errors: an axis out of range, or of unknown length; mean without variance; shapes that differ.
 *
 *     kt_normalization(.axis = -1)
 */
typedef struct kt_normalization_args {
    size_t size;
    kt_tuple axis;         ///< default -1; each place along it has its own moments; KT_NONE: one
    kt_ref mean, variance; ///< arrays (kt_tensor), both or none; none: kt_normalization_adapt()
    bool invert;           ///< default false; true: mean + x sqrt(variance)
    KT_LAYER_ARGS
} kt_normalization_args;
#define KT_NORMALIZATION_DEFAULTS .axis = -1, KT_LAYER_DEFAULTS
#define kt_normalization(...)                                                                      \
    KT_CALL(kt_normalization_new, kt_normalization_args, KT_NORMALIZATION_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_normalization_new(const kt_normalization_args *args);
/** Takes mean and variance from data, whose first axis is the batch; builds the layer if need be.
 * Keras: Normalization.adapt. */
KT_API kt_status kt_normalization_adapt(kt_layer *layer, const kt_tensor *data);

#ifdef __cplusplus
}
#endif
#endif
