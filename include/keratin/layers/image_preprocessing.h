/* Layers that resize, crop and vary pictures: see layers.h.
 *
 * Pictures are (batch, height, width, channels), with "channels_first" (batch, channels, height,
 * width); three axes are one picture. bounding_box_format is kept for files: boxes are no input
 * here. */
#ifndef KERATIN_LAYERS_IMAGE_PREPROCESSING_H
#define KERATIN_LAYERS_IMAGE_PREPROCESSING_H

#include <keratin/layers/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Pictures of another size, in their own dtype: integers are rounded.
 *
 * Keras: keras.layers.Resizing.  Shape: (batch, h, w, channels) -> (batch, height, width,
 * channels).
 * Errors: both aspect ratios, a fill_mode other than "constant", an interpolation that is none.
 *
 *     kt_resizing(224, 224, .crop_to_aspect_ratio = true)
 */
typedef struct kt_resizing_args {
    size_t size;
    int height, width;         ///< > 0
    const char *interpolation; ///< "bilinear" (default), "nearest", "bicubic", "lanczos3",
                               ///< "lanczos5", "area"
    bool crop_to_aspect_ratio; ///< the largest part in the middle that has the wanted shape
    bool pad_to_aspect_ratio;  ///< fill_value around the picture until it has the wanted shape
    const char *fill_mode;     ///< "constant" (default)
    double fill_value;         ///< default 0
    bool antialias;            ///< a smaller picture is made of all its cells
    const char *data_format;   ///< "channels_last" (default) or "channels_first"
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_resizing_args;
#define KT_RESIZING_DEFAULTS KT_LAYER_DEFAULTS
#define kt_resizing(...)                                                                           \
    KT_CALL(kt_resizing_new, kt_resizing_args, KT_RESIZING_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_resizing_new(const kt_resizing_args *args);

/** The middle of pictures; where they are smaller, the largest part in the middle with the wanted
 * shape, resized.
 *
 * Keras: keras.layers.CenterCrop.  Shape: (batch, h, w, channels) -> (batch, height, width,
 * channels).
 *
 *     kt_center_crop(200, 200)
 */
typedef struct kt_center_crop_args {
    size_t size;
    int height, width;       ///< > 0
    const char *data_format; ///< "channels_last" (default) or "channels_first"
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_center_crop_args;
#define KT_CENTER_CROP_DEFAULTS KT_LAYER_DEFAULTS
#define kt_center_crop(...)                                                                        \
    KT_CALL(kt_center_crop_new, kt_center_crop_args, KT_CENTER_CROP_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_center_crop_new(const kt_center_crop_args *args);

/* The random layers give back what they got outside of training (RandomCrop too), in the layer's
 * dtype. Each picture has draws of its own. A factor is a number or, with an s behind its name,
 * two: the ends of the range that is drawn from. */

/** Pictures are mirrored with probability 1/2.
 *
 * Keras: keras.layers.RandomFlip. With both directions a picture is mirrored in both or in none, as
 * in Keras.
 *
 *     kt_random_flip("horizontal")
 */
typedef struct kt_random_flip_args {
    size_t size;
    const char *mode; ///< "horizontal_and_vertical" (default), "horizontal", "vertical"
    int64_t seed;     ///< default KT_NONE: from the seed of the session
    const char *data_format;
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_random_flip_args;
#define KT_RANDOM_FLIP_DEFAULTS .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_random_flip(...)                                                                        \
    KT_CALL(kt_random_flip_new, kt_random_flip_args, KT_RANDOM_FLIP_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_random_flip_new(const kt_random_flip_args *args);

/** Pictures are turned around their middle.
 *
 * Keras: keras.layers.RandomRotation.
 *
 *     kt_random_rotation(0.1)
 *     kt_random_rotation(.factors = kt_floats(0, 0.25), .fill_mode = "constant")
 */
typedef struct kt_random_rotation_args {
    size_t size;
    double factor;             ///< -1 to 1, in full turns: from -factor to factor
    const char *fill_mode;     ///< outside of the picture: "reflect" (default), "wrap", "constant",
                               ///< "nearest"
    const char *interpolation; ///< "bilinear" (default) or "nearest"
    int64_t seed;              ///< default KT_NONE: from the seed of the session
    double fill_value;         ///< for "constant"; default 0
    const char *data_format;
    kt_floats_t factors; ///< Keras' factor as a tuple
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_random_rotation_args;
#define KT_RANDOM_ROTATION_DEFAULTS .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_random_rotation(...)                                                                    \
    KT_CALL(                                                                                       \
        kt_random_rotation_new, kt_random_rotation_args, KT_RANDOM_ROTATION_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_random_rotation_new(const kt_random_rotation_args *args);

/** Pictures become smaller (factors above 0) or larger.
 *
 * Keras: keras.layers.RandomZoom.
 *
 *     kt_random_zoom(0.2)
 *     kt_random_zoom(.height_factors = kt_floats(-0.3, -0.2), .width_factor = 0.1)
 */
typedef struct kt_random_zoom_args {
    size_t size;
    double height_factor;      ///< above -1, up to 1
    double width_factor;       ///< default KT_NONE_F: what is drawn for the height
    const char *fill_mode;     ///< as in kt_random_rotation
    const char *interpolation; ///< "bilinear" (default) or "nearest"
    int64_t seed;              ///< default KT_NONE: from the seed of the session
    double fill_value;         ///< for "constant"; default 0
    const char *data_format;
    kt_floats_t height_factors; ///< Keras' height_factor as a tuple
    kt_floats_t width_factors;  ///< Keras' width_factor as a tuple
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_random_zoom_args;
#define KT_RANDOM_ZOOM_DEFAULTS .width_factor = KT_NONE_F, .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_random_zoom(...)                                                                        \
    KT_CALL(kt_random_zoom_new, kt_random_zoom_args, KT_RANDOM_ZOOM_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_random_zoom_new(const kt_random_zoom_args *args);

/** Pictures are moved: down and to the right for factors above 0.
 *
 * Keras: keras.layers.RandomTranslation.
 *
 *     kt_random_translation(0.1, 0.2)
 */
typedef struct kt_random_translation_args {
    size_t size;
    double height_factor;      ///< -1 to 1, in heights
    double width_factor;       ///< -1 to 1, in widths
    const char *fill_mode;     ///< as in kt_random_rotation
    const char *interpolation; ///< "bilinear" (default) or "nearest"
    int64_t seed;              ///< default KT_NONE: from the seed of the session
    double fill_value;         ///< for "constant"; default 0
    const char *data_format;
    kt_floats_t height_factors; ///< Keras' height_factor as a tuple
    kt_floats_t width_factors;  ///< Keras' width_factor as a tuple
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_random_translation_args;
#define KT_RANDOM_TRANSLATION_DEFAULTS .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_random_translation(...)                                                                 \
    KT_CALL(                                                                                       \
        kt_random_translation_new,                                                                 \
        kt_random_translation_args,                                                                \
        KT_RANDOM_TRANSLATION_DEFAULTS,                                                            \
        __VA_ARGS__)
KT_API kt_layer *kt_random_translation_new(const kt_random_translation_args *args);

/** Distances from the mean of each channel are scaled by 1 - factor to 1 + factor.
 *
 * Keras: keras.layers.RandomContrast.
 *
 *     kt_random_contrast(0.2)
 *     kt_random_contrast(.factors = kt_floats(0.1, 0.3), .value_range = kt_floats(0, 1))
 */
typedef struct kt_random_contrast_args {
    size_t size;
    double factor;           ///< 0 to 1
    kt_floats_t value_range; ///< default (0, 255): what is beyond is cut
    int64_t seed;            ///< default KT_NONE: from the seed of the session
    const char *data_format;
    kt_floats_t factors; ///< Keras' factor as a tuple: from 1 - the first to 1 + the second
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_random_contrast_args;
#define KT_RANDOM_CONTRAST_DEFAULTS .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_random_contrast(...)                                                                    \
    KT_CALL(                                                                                       \
        kt_random_contrast_new, kt_random_contrast_args, KT_RANDOM_CONTRAST_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_random_contrast_new(const kt_random_contrast_args *args);

/** A number is added to all of a picture: factor times the length of value_range.
 *
 * Keras: keras.layers.RandomBrightness.
 *
 *     kt_random_brightness(0.2, .value_range = kt_floats(0, 1))
 */
typedef struct kt_random_brightness_args {
    size_t size;
    double factor;           ///< -1 to 1: from -factor to factor
    kt_floats_t value_range; ///< default (0, 255): what is beyond is cut
    int64_t seed;            ///< default KT_NONE: from the seed of the session
    const char *data_format;
    kt_floats_t factors; ///< Keras' factor as a tuple
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_random_brightness_args;
#define KT_RANDOM_BRIGHTNESS_DEFAULTS .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_random_brightness(...)                                                                  \
    KT_CALL(                                                                                       \
        kt_random_brightness_new,                                                                  \
        kt_random_brightness_args,                                                                 \
        KT_RANDOM_BRIGHTNESS_DEFAULTS,                                                             \
        __VA_ARGS__)
KT_API kt_layer *kt_random_brightness_new(const kt_random_brightness_args *args);

/** Pictures get a number added, then values from a threshold on are inverted.
 *
 * Keras: keras.layers.Solarization.
 *
 *     kt_solarization(.threshold_factor = 0.5)
 */
typedef struct kt_solarization_args {
    size_t size;
    double addition_factor;  ///< 0 to 1, of 255: from 0 to the factor
    double threshold_factor; ///< 0 to 1, of 255: from 0 to the factor
    kt_floats_t value_range; ///< default (0, 255)
    int64_t seed;            ///< default KT_NONE: from the seed of the session
    const char *data_format;
    kt_floats_t addition_factors, threshold_factors; ///< Keras' factors as tuples; the lower ends
                                                     ///< are not scaled by 255, as in Keras
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_solarization_args;
#define KT_SOLARIZATION_DEFAULTS .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_solarization(...)                                                                       \
    KT_CALL(kt_solarization_new, kt_solarization_args, KT_SOLARIZATION_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_solarization_new(const kt_solarization_args *args);

/** A part of that size, at one place for the whole batch.
 *
 * Keras: keras.layers.RandomCrop.  Shape while training: (batch, h, w, channels) -> (batch, height,
 * width, channels). Pictures that are not larger on both sides are cut from a place that does not
 * vary, and resized. Outside of training pictures stay as they are, whatever their size, as in
 * Keras 3.15.1 (whose documentation promises to resize).
 *
 *     kt_random_crop(24, 24)
 */
typedef struct kt_random_crop_args {
    size_t size;
    int height, width; ///< > 0
    int64_t seed;      ///< default KT_NONE: from the seed of the session
    const char *data_format;
    const char *bounding_box_format;
    KT_LAYER_ARGS
} kt_random_crop_args;
#define KT_RANDOM_CROP_DEFAULTS .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_random_crop(...)                                                                        \
    KT_CALL(kt_random_crop_new, kt_random_crop_args, KT_RANDOM_CROP_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_random_crop_new(const kt_random_crop_args *args);

#ifdef __cplusplus
}
#endif
#endif
