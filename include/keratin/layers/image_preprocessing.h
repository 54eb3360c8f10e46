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
                               ///< "lanczos5"
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

#ifdef __cplusplus
}
#endif
#endif
