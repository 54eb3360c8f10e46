/* Layers that vary pictures at random while training: see layers.h.
 *
 * Outside of training they give back what they got, in the layer's dtype, unless they say
 * otherwise. Pictures are (batch, height, width, channels), with "channels_first" (batch, channels,
 * height, width); three axes are one picture. Each picture has draws of its own. A factor is a
 * number v, which stands for the range from 0 (from -v where that is allowed) to v, or, with an s
 * behind its name, the two ends of the range. Other values than pictures (labels, boxes, masks) go
 * past these layers; bounding_box_format is kept for files. */
#ifndef KERATIN_LAYERS_IMAGE_AUGMENTATION_H
#define KERATIN_LAYERS_IMAGE_AUGMENTATION_H

#include <keratin/layers/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The values of each channel of a picture stretched over all of value_range; not only while
 * training.
 *
 * Keras: keras.layers.AutoContrast. A channel of one value stays as it is.
 *
 *     kt_auto_contrast(.value_range = kt_floats(0, 1))
 */
typedef struct kt_auto_contrast_args {
    size_t size;
    kt_floats_t value_range; ///< default (0, 255)
    const char *data_format;
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_auto_contrast_args;
#define KT_AUTO_CONTRAST_DEFAULTS KT_LAYER_DEFAULTS
#define kt_auto_contrast(...)                                                                      \
    KT_CALL(kt_auto_contrast_new, kt_auto_contrast_args, KT_AUTO_CONTRAST_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_auto_contrast_new(const kt_auto_contrast_args *args);

/** The values of each channel spread evenly over value_range, by their distribution in the whole
 * batch; while training.
 *
 * Keras: keras.layers.Equalization.  Errors: bins below 1.
 *
 *     kt_equalization(.bins = 64)
 */
typedef struct kt_equalization_args {
    size_t size;
    kt_floats_t value_range; ///< default (0, 255)
    int bins;                ///< of the histogram; default 256
    const char *data_format;
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_equalization_args;
#define KT_EQUALIZATION_DEFAULTS .bins = 256, KT_LAYER_DEFAULTS
#define kt_equalization(...)                                                                       \
    KT_CALL(kt_equalization_new, kt_equalization_args, KT_EQUALIZATION_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_equalization_new(const kt_equalization_args *args);

/** The values of each channel spread evenly over value_range in each tile of a picture, and between
 * the middles of tiles gradually; not only while training. Integers stay integers.
 *
 * Keras: keras.layers.ContrastLimitedAdaptiveHistogramEqualization.
 *
 *     kt_contrast_limited_adaptive_histogram_equalization(.tile_grid_size = 4)
 */
typedef struct kt_contrast_limited_adaptive_histogram_equalization_args {
    size_t size;
    kt_floats_t value_range; ///< default (0, 255)
    double clip_limit; ///< bins hold at most so many times their even share; default 4, 0: no limit
    kt_tuple tile_grid_size; ///< tiles from top to bottom, from left to right; default 8
    const char *data_format;
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_contrast_limited_adaptive_histogram_equalization_args;
#define KT_CONTRAST_LIMITED_ADAPTIVE_HISTOGRAM_EQUALIZATION_DEFAULTS                               \
    .clip_limit = 4, .tile_grid_size = 8, KT_LAYER_DEFAULTS
#define kt_contrast_limited_adaptive_histogram_equalization(...)                                   \
    KT_CALL(                                                                                       \
        kt_contrast_limited_adaptive_histogram_equalization_new,                                   \
        kt_contrast_limited_adaptive_histogram_equalization_args,                                  \
        KT_CONTRAST_LIMITED_ADAPTIVE_HISTOGRAM_EQUALIZATION_DEFAULTS,                              \
        __VA_ARGS__)
KT_API kt_layer *kt_contrast_limited_adaptive_histogram_equalization_new(
    const kt_contrast_limited_adaptive_histogram_equalization_args *args);

/** Pictures inverted (high - x) with a probability.
 *
 * Keras: keras.layers.RandomInvert.
 *
 *     kt_random_invert(0.5)
 */
typedef struct kt_random_invert_args {
    size_t size;
    double factor;           ///< 0 to 1: the probability is drawn from 0 to factor; default 1
    kt_floats_t value_range; ///< default (0, 255)
    int64_t seed;            ///< default KT_NONE: from the seed of the session
    const char *data_format;
    kt_floats_t factors; ///< Keras' factor as a tuple
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_random_invert_args;
#define KT_RANDOM_INVERT_DEFAULTS .factor = 1, .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_random_invert(...)                                                                      \
    KT_CALL(kt_random_invert_new, kt_random_invert_args, KT_RANDOM_INVERT_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_random_invert_new(const kt_random_invert_args *args);

/** Pictures in shades of gray, in as many channels, with a probability. Integers stay integers.
 *
 * Keras: keras.layers.RandomGrayscale.  Errors: not 3 channels or 1.
 *
 *     kt_random_grayscale(0.2)
 */
typedef struct kt_random_grayscale_args {
    size_t size;
    double factor; ///< 0 to 1: the probability; default 0.5
    const char *data_format;
    int64_t seed; ///< default KT_NONE: from the seed of the session
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_random_grayscale_args;
#define KT_RANDOM_GRAYSCALE_DEFAULTS .factor = 0.5, .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_random_grayscale(...)                                                                   \
    KT_CALL(                                                                                       \
        kt_random_grayscale_new,                                                                   \
        kt_random_grayscale_args,                                                                  \
        KT_RANDOM_GRAYSCALE_DEFAULTS,                                                              \
        __VA_ARGS__)
KT_API kt_layer *kt_random_grayscale_new(const kt_random_grayscale_args *args);

/** Only the highest bits of values of 0 to 255 are kept.
 *
 * Keras: keras.layers.RandomPosterization.
 *
 *     kt_random_posterization(.factors = kt_floats(4, 4))
 */
typedef struct kt_random_posterization_args {
    size_t size;
    double
        factor; ///< 1 to 8: 1 to factor - 1 bits are kept, as in Keras; of two ends the upper one
                ///< counts only if they are the same
    kt_floats_t value_range; ///< default (0, 255)
    const char *data_format;
    int64_t seed;        ///< default KT_NONE: from the seed of the session
    kt_floats_t factors; ///< Keras' factor as a tuple
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_random_posterization_args;
#define KT_RANDOM_POSTERIZATION_DEFAULTS .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_random_posterization(...)                                                               \
    KT_CALL(                                                                                       \
        kt_random_posterization_new,                                                               \
        kt_random_posterization_args,                                                              \
        KT_RANDOM_POSTERIZATION_DEFAULTS,                                                          \
        __VA_ARGS__)
KT_API kt_layer *kt_random_posterization_new(const kt_random_posterization_args *args);

/** A step from each picture towards its shades of gray.
 *
 * Keras: keras.layers.RandomColorDegeneration.  Errors: not 3 channels or 1.
 *
 *     kt_random_color_degeneration(0.5)
 */
typedef struct kt_random_color_degeneration_args {
    size_t size;
    double factor;           ///< -1 to 1: from -factor to factor; 1 is gray
    kt_floats_t value_range; ///< default (0, 255)
    const char *data_format;
    int64_t seed;        ///< default KT_NONE: from the seed of the session
    kt_floats_t factors; ///< Keras' factor as a tuple
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_random_color_degeneration_args;
#define KT_RANDOM_COLOR_DEGENERATION_DEFAULTS .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_random_color_degeneration(...)                                                          \
    KT_CALL(                                                                                       \
        kt_random_color_degeneration_new,                                                          \
        kt_random_color_degeneration_args,                                                         \
        KT_RANDOM_COLOR_DEGENERATION_DEFAULTS,                                                     \
        __VA_ARGS__)
KT_API kt_layer *kt_random_color_degeneration_new(const kt_random_color_degeneration_args *args);

/** Pictures smoothed (0), as they are (0.5) or sharpened (1).
 *
 * Keras: keras.layers.RandomSharpness.
 *
 *     kt_random_sharpness(0.8)
 */
typedef struct kt_random_sharpness_args {
    size_t size;
    double factor;           ///< 0 to 1
    kt_floats_t value_range; ///< default (0, 255)
    const char *data_format;
    int64_t seed;        ///< default KT_NONE: from the seed of the session
    kt_floats_t factors; ///< Keras' factor as a tuple
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_random_sharpness_args;
#define KT_RANDOM_SHARPNESS_DEFAULTS .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_random_sharpness(...)                                                                   \
    KT_CALL(                                                                                       \
        kt_random_sharpness_new,                                                                   \
        kt_random_sharpness_args,                                                                  \
        KT_RANDOM_SHARPNESS_DEFAULTS,                                                              \
        __VA_ARGS__)
KT_API kt_layer *kt_random_sharpness_new(const kt_random_sharpness_args *args);

/** Pictures blurred with a probability; the width of the blur is drawn once for the batch.
 *
 * Keras: keras.layers.RandomGaussianBlur.  Errors: a kernel_size that is even.
 *
 *     kt_random_gaussian_blur(0.5, .kernel_size = 5)
 */
typedef struct kt_random_gaussian_blur_args {
    size_t size;
    double factor;           ///< 0 to 1: the probability is drawn from 0 to factor; default 1
    kt_tuple kernel_size;    ///< odd; default 3
    double sigma;            ///< 0 to 1: from 0 to sigma; default 1
    kt_floats_t value_range; ///< default (0, 255)
    const char *data_format;
    int64_t seed;        ///< default KT_NONE: from the seed of the session
    kt_floats_t factors; ///< Keras' factor as a tuple
    kt_floats_t sigmas;  ///< Keras' sigma as a tuple
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_random_gaussian_blur_args;
#define KT_RANDOM_GAUSSIAN_BLUR_DEFAULTS                                                           \
    .factor = 1, .kernel_size = 3, .sigma = 1, .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_random_gaussian_blur(...)                                                               \
    KT_CALL(                                                                                       \
        kt_random_gaussian_blur_new,                                                               \
        kt_random_gaussian_blur_args,                                                              \
        KT_RANDOM_GAUSSIAN_BLUR_DEFAULTS,                                                          \
        __VA_ARGS__)
KT_API kt_layer *kt_random_gaussian_blur_new(const kt_random_gaussian_blur_args *args);

/** Pictures whose rows and columns slide along each other.
 *
 * Keras: keras.layers.RandomShear.
 *
 *     kt_random_shear(0.2, 0.2)
 */
typedef struct kt_random_shear_args {
    size_t size;
    double x_factor;           ///< 0 to 1: from -x_factor to x_factor
    double y_factor;           ///< the same for columns
    const char *interpolation; ///< "bilinear" (default) or "nearest"
    const char *fill_mode;     ///< as in kt_random_rotation
    double fill_value;         ///< for "constant"; default 0
    const char *data_format;
    int64_t seed; ///< default KT_NONE: from the seed of the session
    kt_floats_t x_factors,
        y_factors; ///< Keras' factors as tuples, from 0 to 1, to one side or the other
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_random_shear_args;
#define KT_RANDOM_SHEAR_DEFAULTS .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_random_shear(...)                                                                       \
    KT_CALL(kt_random_shear_new, kt_random_shear_args, KT_RANDOM_SHEAR_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_random_shear_new(const kt_random_shear_args *args);

/** num_ops times one of eleven changes, the same for the batch, to each picture by its own draw:
 * RandomShear, RandomTranslation, RandomRotation, RandomBrightness, RandomColorDegeneration,
 * RandomContrast, RandomSharpness, RandomPosterization, Solarization, AutoContrast, Equalization.
 *
 * Keras: keras.layers.RandAugment.
 *
 *     kt_rand_augment(.value_range = kt_floats(0, 1), .num_ops = 3)
 */
typedef struct kt_rand_augment_args {
    size_t size;
    kt_floats_t value_range;   ///< default (0, 255)
    int num_ops;               ///< default 2
    double factor;             ///< 0 to 1: how strong; default 0.5
    const char *interpolation; ///< "bilinear" (default) or "nearest"
    int64_t seed;              ///< default KT_NONE: from the seed of the session
    const char *data_format;
    kt_floats_t factors; ///< Keras' factor as a tuple
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_rand_augment_args;
#define KT_RAND_AUGMENT_DEFAULTS .num_ops = 2, .factor = 0.5, .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_rand_augment(...)                                                                       \
    KT_CALL(kt_rand_augment_new, kt_rand_augment_args, KT_RAND_AUGMENT_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_rand_augment_new(const kt_rand_augment_args *args);

/** Pictures mixed with what chains of changes (those of kt_rand_augment) make of them, by random
 * weights.
 *
 * Keras: keras.layers.AugMix. What a chain does is drawn anew for each batch.
 *
 *     kt_aug_mix(.value_range = kt_floats(0, 1), .factor = 0.2)
 */
typedef struct kt_aug_mix_args {
    size_t size;
    kt_floats_t value_range; ///< default (0, 255)
    int num_chains;          ///< default 3
    int chain_depth;         ///< default 3
    double factor;           ///< 0 to 1: how strong; default 0.3
    double alpha;            ///< of the distributions of the weights; default 1
    bool all_ops; ///< default true; without: brightness, color degeneration, contrast and sharpness
                  ///< take no part
    const char *interpolation; ///< "bilinear" (default) or "nearest"
    int64_t seed;              ///< default KT_NONE: from the seed of the session
    const char *data_format;
    kt_floats_t factors; ///< Keras' factor as a tuple
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_aug_mix_args;
#define KT_AUG_MIX_DEFAULTS                                                                        \
    .num_chains = 3, .chain_depth = 3, .factor = 0.3, .alpha = 1, .all_ops = true,                 \
    .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_aug_mix(...) KT_CALL(kt_aug_mix_new, kt_aug_mix_args, KT_AUG_MIX_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_aug_mix_new(const kt_aug_mix_args *args);

/** Colors paler or stronger: the saturation is multiplied by f / (1 - f).
 *
 * Keras: keras.layers.RandomSaturation.  Errors: not 3 channels.
 *
 *     kt_random_saturation(.factors = kt_floats(0.3, 0.7))
 */
typedef struct kt_random_saturation_args {
    size_t size;
    double factor;           ///< -1 to 1, from -factor; 0 is gray, 0.5 changes nothing
    kt_floats_t value_range; ///< default (0, 255)
    const char *data_format;
    int64_t seed;        ///< default KT_NONE: from the seed of the session
    kt_floats_t factors; ///< Keras' factor as a tuple
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_random_saturation_args;
#define KT_RANDOM_SATURATION_DEFAULTS .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_random_saturation(...)                                                                  \
    KT_CALL(                                                                                       \
        kt_random_saturation_new,                                                                  \
        kt_random_saturation_args,                                                                 \
        KT_RANDOM_SATURATION_DEFAULTS,                                                             \
        __VA_ARGS__)
KT_API kt_layer *kt_random_saturation_new(const kt_random_saturation_args *args);

/** All colors of a picture turned by a part of the circle of hues, to one side or the other.
 *
 * Keras: keras.layers.RandomHue.  Errors: not 3 channels.
 *
 *     kt_random_hue(0.2)
 */
typedef struct kt_random_hue_args {
    size_t size;
    double factor;           ///< 0 to 1: half of the circle
    kt_floats_t value_range; ///< default (0, 255)
    const char *data_format;
    int64_t seed;        ///< default KT_NONE: from the seed of the session
    kt_floats_t factors; ///< Keras' factor as a tuple
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_random_hue_args;
#define KT_RANDOM_HUE_DEFAULTS .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_random_hue(...)                                                                         \
    KT_CALL(kt_random_hue_new, kt_random_hue_args, KT_RANDOM_HUE_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_random_hue_new(const kt_random_hue_args *args);

/** kt_random_brightness, _contrast, _saturation and _hue after each other, those that have a
 * factor.
 *
 * Keras: keras.layers.RandomColorJitter.
 *
 *     kt_random_color_jitter(.brightness_factor = 0.2, .hue_factor = 0.1)
 */
typedef struct kt_random_color_jitter_args {
    size_t size;
    kt_floats_t value_range;                                                  ///< default (0, 255)
    double brightness_factor, contrast_factor, saturation_factor, hue_factor; ///< default KT_NONE_F
    int64_t seed; ///< default KT_NONE: from the seed of the session
    const char *data_format;
    kt_floats_t brightness_factors, contrast_factors, saturation_factors, hue_factors; ///< tuples
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_random_color_jitter_args;
#define KT_RANDOM_COLOR_JITTER_DEFAULTS                                                            \
    .brightness_factor = KT_NONE_F, .contrast_factor = KT_NONE_F, .saturation_factor = KT_NONE_F,  \
    .hue_factor = KT_NONE_F, .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_random_color_jitter(...)                                                                \
    KT_CALL(                                                                                       \
        kt_random_color_jitter_new,                                                                \
        kt_random_color_jitter_args,                                                               \
        KT_RANDOM_COLOR_JITTER_DEFAULTS,                                                           \
        __VA_ARGS__)
KT_API kt_layer *kt_random_color_jitter_new(const kt_random_color_jitter_args *args);

/** A box of each picture filled with noise or a color, with a probability.
 *
 * Keras: keras.layers.RandomErasing.
 *
 *     kt_random_erasing(0.5, .fill_value = 0)
 */
typedef struct kt_random_erasing_args {
    size_t size;
    double factor; ///< 0 to 1: the probability is drawn from 0 to factor; default 1
    double scale; ///< 0 to 1: each side is the root of a number from 0 to scale; default KT_NONE_F:
                  ///< from 0.02 to 0.33
    double fill_value;       ///< default KT_NONE_F: noise, normal with the deviation high
    kt_floats_t value_range; ///< default (0, 255)
    int64_t seed;            ///< default KT_NONE: from the seed of the session
    const char *data_format;
    kt_floats_t factors;     ///< Keras' factor as a tuple
    kt_floats_t scales;      ///< Keras' scale as a tuple
    kt_floats_t fill_values; ///< Keras' fill_value as a tuple, one for each of 3 channels
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_random_erasing_args;
#define KT_RANDOM_ERASING_DEFAULTS                                                                 \
    .factor = 1, .scale = KT_NONE_F, .fill_value = KT_NONE_F, .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_random_erasing(...)                                                                     \
    KT_CALL(kt_random_erasing_new, kt_random_erasing_args, KT_RANDOM_ERASING_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_random_erasing_new(const kt_random_erasing_args *args);

/** Pictures seen from another point, with a probability: their corners move.
 *
 * Keras: keras.layers.RandomPerspective.  Errors: a scale that is not 0 to 1.
 *
 *     kt_random_perspective(0.5, .scale = 0.3)
 */
typedef struct kt_random_perspective_args {
    size_t size;
    double factor;             ///< 0 to 1: the probability is drawn from 0 to factor; default 1
    double scale;              ///< 0 to 1: how far the corners move, in half sides; default 1
    const char *interpolation; ///< "bilinear" (default) or "nearest"
    double fill_value;         ///< outside of the picture; default 0
    int64_t seed;              ///< default KT_NONE: from the seed of the session
    const char *data_format;
    kt_floats_t factors; ///< Keras' factor as a tuple
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_random_perspective_args;
#define KT_RANDOM_PERSPECTIVE_DEFAULTS .factor = 1, .scale = 1, .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_random_perspective(...)                                                                 \
    KT_CALL(                                                                                       \
        kt_random_perspective_new,                                                                 \
        kt_random_perspective_args,                                                                \
        KT_RANDOM_PERSPECTIVE_DEFAULTS,                                                            \
        __VA_ARGS__)
KT_API kt_layer *kt_random_perspective_new(const kt_random_perspective_args *args);

/** Pictures distorted by noise, with a probability.
 *
 * Keras: keras.layers.RandomElasticTransform. Cells move along the diagonal, as in Keras.
 *
 *     kt_random_elastic_transform(.scale = 0.5)
 */
typedef struct kt_random_elastic_transform_args {
    size_t size;
    double factor; ///< 0 to 1: the probability is drawn from 0 to factor; default 1
    double scale;  ///< 0 to 1: how strong, drawn from 0 to scale once for the batch; default 1
    const char *interpolation; ///< "bilinear" (default) or "nearest"
    const char *fill_mode;     ///< as in kt_random_rotation
    double fill_value;         ///< for "constant"; default 0
    kt_floats_t value_range;   ///< default (0, 255)
    int64_t seed;              ///< default KT_NONE: from the seed of the session
    const char *data_format;
    kt_floats_t factors; ///< Keras' factor as a tuple
    kt_floats_t scales;  ///< Keras' scale as a tuple
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_random_elastic_transform_args;
#define KT_RANDOM_ELASTIC_TRANSFORM_DEFAULTS                                                       \
    .factor = 1, .scale = 1, .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_random_elastic_transform(...)                                                           \
    KT_CALL(                                                                                       \
        kt_random_elastic_transform_new,                                                           \
        kt_random_elastic_transform_args,                                                          \
        KT_RANDOM_ELASTIC_TRANSFORM_DEFAULTS,                                                      \
        __VA_ARGS__)
KT_API kt_layer *kt_random_elastic_transform_new(const kt_random_elastic_transform_args *args);

/** Pictures mixed with others of the batch, and so are their labels (batch, classes).
 *
 * Keras: keras.layers.MixUp.  Labels come back as output 1: kt_item(y, 1).
 *
 *     kt_call(kt_mix_up(0.2), kt_dict("images", x, "labels", y))
 */
typedef struct kt_mix_up_args {
    size_t size;
    double alpha; ///< above 0: of the beta distribution of the shares; default 0.2
    const char *data_format;
    int64_t seed; ///< default KT_NONE: from the seed of the session
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_mix_up_args;
#define KT_MIX_UP_DEFAULTS .alpha = 0.2, .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_mix_up(...) KT_CALL(kt_mix_up_new, kt_mix_up_args, KT_MIX_UP_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_mix_up_new(const kt_mix_up_args *args);

/** A box of another picture of the batch in each; labels (batch, classes) are mixed by its area.
 *
 * Keras: keras.layers.CutMix.  Inputs and outputs: as kt_mix_up.
 *
 *     kt_cut_mix(.factor = 0.5)
 */
typedef struct kt_cut_mix_args {
    size_t size;
    double factor; ///< 0 to 1: alpha of the beta distribution is drawn from 0 to factor; default 1
    int64_t seed;  ///< default KT_NONE: from the seed of the session
    const char *data_format;
    kt_floats_t factors; ///< Keras' factor as a tuple
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_cut_mix_args;
#define KT_CUT_MIX_DEFAULTS .factor = 1, .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_cut_mix(...) KT_CALL(kt_cut_mix_new, kt_cut_mix_args, KT_CUT_MIX_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_cut_mix_new(const kt_cut_mix_args *args);

/** Pictures, as they are: the bounding boxes that this layer of Keras is for are no input here.
 *
 * Keras: keras.layers.MaxNumBoundingBoxes.
 *
 *     kt_max_num_bounding_boxes(10)
 */
typedef struct kt_max_num_bounding_boxes_args {
    size_t size;
    int max_number;
    int fill_value; ///< default -1
    const char *data_format;
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_max_num_bounding_boxes_args;
#define KT_MAX_NUM_BOUNDING_BOXES_DEFAULTS .fill_value = -1, KT_LAYER_DEFAULTS
#define kt_max_num_bounding_boxes(...)                                                             \
    KT_CALL(                                                                                       \
        kt_max_num_bounding_boxes_new,                                                             \
        kt_max_num_bounding_boxes_args,                                                            \
        KT_MAX_NUM_BOUNDING_BOXES_DEFAULTS,                                                        \
        __VA_ARGS__)
KT_API kt_layer *kt_max_num_bounding_boxes_new(const kt_max_num_bounding_boxes_args *args);

#ifdef __cplusplus
}
#endif
#endif
