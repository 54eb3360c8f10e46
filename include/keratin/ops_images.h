/* kt_op_*, continued: pictures (batch, height, width, channels), the batch may be missing; see
 * ops.h. Keras: keras.ops.image. */
#ifndef KERATIN_OPS_IMAGES_H
#define KERATIN_OPS_IMAGES_H

#include <keratin/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Another size by interpolation: "bilinear" (NULL), "nearest", "bicubic", "lanczos3", "lanczos5",
 * "area" (the mean of what a new cell covers); antialias: a smaller picture is made of all its
 * cells.
 *
 *     kt_op_image_resize(a, 8, 8, "bicubic", false)
 */
KT_API kt_sym *kt_op_image_resize(
    kt_sym *images, int height, int width, const char *interpolation, bool antialias);
/** Zeros around the picture; without so many cells of each side. */
KT_API kt_sym *kt_op_image_pad_images(kt_sym *images, int top, int left, int bottom, int right);
KT_API kt_sym *kt_op_image_crop_images(kt_sym *images, int top, int left, int bottom, int right);
/** Three channels become one. */
KT_API kt_sym *kt_op_image_rgb_to_grayscale(kt_sym *images);
/** Every window of that size as channels; strides KT_NONE: side by side; padding NULL: "valid". */
KT_API kt_sym *kt_op_image_extract_patches(
    kt_sym *images, kt_tuple size, kt_tuple strides, kt_tuple dilation_rate, const char *padding);
/** Channels become blocks of cells; the other way round. */
KT_API kt_sym *kt_op_depth_to_space(kt_sym *x, int block_size);
KT_API kt_sym *kt_op_space_to_depth(kt_sym *x, int block_size);

#ifdef __cplusplus
}
#endif
#endif
