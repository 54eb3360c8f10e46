/* Layers that change the form and no value (Flatten stands in core.h): see layers.h. */
#ifndef KERATIN_LAYERS_RESHAPING_H
#define KERATIN_LAYERS_RESHAPING_H

#include <keratin/layers/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The same values in another shape.
 *
 * Keras: keras.layers.Reshape.  Shape: (batch, ...) -> (batch, target_shape). One dimension may be
 * -1: it is worked out.
 * Errors: more than one -1; a shape of another size than the input (also if that shows only once an
 * open axis is known).
 *
 *     kt_reshape({7, 7, 64})
 *     kt_reshape({-1, 3})
 */
typedef struct kt_reshape_args {
    size_t size;
    int64_t target_shape[KT_MAX_RANK]; ///< without the batch axis; {KT_SCALAR} for ()
    KT_LAYER_ARGS
} kt_reshape_args;
#define KT_RESHAPE_DEFAULTS KT_LAYER_DEFAULTS
#define kt_reshape(...) KT_CALL(kt_reshape_new, kt_reshape_args, KT_RESHAPE_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_reshape_new(const kt_reshape_args *args);

/** Zeros around the input.
 *
 * Keras: keras.layers.ZeroPadding1D, ZeroPadding2D, ZeroPadding3D.  Shape: each axis between batch
 * and channels becomes longer by both its paddings.
 * Errors: negative numbers, as many numbers as no axes fit.
 *
 *     kt_zero_padding1d(kt_pairs(2, 0))
 *     kt_zero_padding2d(1)
 *     kt_zero_padding2d(kt_hw(1, 2))
 *     kt_zero_padding2d(kt_pairs(0, 1, 0, 1))
 */
typedef struct kt_zero_padding_args {
    size_t size;
    kt_tuple padding;        ///< one number, one for each axis, or kt_pairs(); default 1
    const char *data_format; ///< "channels_last" (default) or "channels_first"
    KT_LAYER_ARGS
} kt_zero_padding_args;
#define KT_ZERO_PADDING_DEFAULTS .padding = 1, KT_LAYER_DEFAULTS
#define kt_zero_padding1d(...)                                                                     \
    KT_CALL(kt_zero_padding1d_new, kt_zero_padding_args, KT_ZERO_PADDING_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_zero_padding1d_new(const kt_zero_padding_args *args);
#define kt_zero_padding2d(...)                                                                     \
    KT_CALL(kt_zero_padding2d_new, kt_zero_padding_args, KT_ZERO_PADDING_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_zero_padding2d_new(const kt_zero_padding_args *args);
#define kt_zero_padding3d(...)                                                                     \
    KT_CALL(kt_zero_padding3d_new, kt_zero_padding_args, KT_ZERO_PADDING_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_zero_padding3d_new(const kt_zero_padding_args *args);

/** Cuts the borders off.
 *
 * Keras: keras.layers.Cropping1D.  Shape: (batch, steps, channels) -> (batch, steps - both,
 * channels).
 * Errors: negative numbers; nothing would be left.
 *
 *     kt_cropping1d(kt_pairs(1, 2))
 */
typedef struct kt_cropping1d_args {
    size_t size;
    kt_tuple cropping; ///< one number or kt_pairs(before, after); default 1
    KT_LAYER_ARGS
} kt_cropping1d_args;
#define KT_CROPPING1D_DEFAULTS .cropping = 1, KT_LAYER_DEFAULTS
#define kt_cropping1d(...)                                                                         \
    KT_CALL(kt_cropping1d_new, kt_cropping1d_args, KT_CROPPING1D_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_cropping1d_new(const kt_cropping1d_args *args);

/** The same for pictures and volumes. Keras: keras.layers.Cropping2D, Cropping3D
 *
 *     kt_cropping2d(kt_pairs(2, 2, 4, 4))
 */
typedef struct kt_cropping_args {
    size_t size;
    kt_tuple cropping;       ///< one number, one for each axis, or kt_pairs(); default 0, 3D: 1
    const char *data_format; ///< "channels_last" (default) or "channels_first"
    KT_LAYER_ARGS
} kt_cropping_args;
#define KT_CROPPING2D_DEFAULTS KT_LAYER_DEFAULTS
#define kt_cropping2d(...)                                                                         \
    KT_CALL(kt_cropping2d_new, kt_cropping_args, KT_CROPPING2D_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_cropping2d_new(const kt_cropping_args *args);
#define KT_CROPPING3D_DEFAULTS .cropping = 1, KT_LAYER_DEFAULTS
#define kt_cropping3d(...)                                                                         \
    KT_CALL(kt_cropping3d_new, kt_cropping_args, KT_CROPPING3D_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_cropping3d_new(const kt_cropping_args *args);

/** Every step `size` times. Keras names the argument `size`; here the first field of every struct
 * has that name, so it is `factor`, and the first one by position.
 *
 * Keras: keras.layers.UpSampling1D.  Shape: (batch, steps, channels) -> (batch, steps factor,
 * channels).
 * Errors: a factor below 1.
 *
 *     kt_up_sampling1d(3)
 */
typedef struct kt_up_sampling1d_args {
    size_t size;
    int factor; ///< Keras: size; default 2
    KT_LAYER_ARGS
} kt_up_sampling1d_args;
#define KT_UP_SAMPLING1D_DEFAULTS .factor = 2, KT_LAYER_DEFAULTS
#define kt_up_sampling1d(...)                                                                      \
    KT_CALL(kt_up_sampling1d_new, kt_up_sampling1d_args, KT_UP_SAMPLING1D_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_up_sampling1d_new(const kt_up_sampling1d_args *args);

/** Makes pictures larger, by repeating or by interpolation.
 *
 * Keras: keras.layers.UpSampling2D.  Shape: (batch, height, width, channels) -> (batch, height
 * factor, width factor, channels).
 * Errors: a factor below 1; an interpolation that there is not.
 *
 *     kt_up_sampling2d(kt_hw(2, 3), .interpolation = "bilinear")
 */
typedef struct kt_up_sampling2d_args {
    size_t size;
    kt_tuple factor;         ///< Keras: size; default 2
    const char *data_format; ///< "channels_last" (default) or "channels_first"
    /// "nearest" (default), "bilinear", "bicubic", "lanczos3" or "lanczos5"
    const char *interpolation;
    KT_LAYER_ARGS
} kt_up_sampling2d_args;
#define KT_UP_SAMPLING2D_DEFAULTS .factor = 2, .interpolation = "nearest", KT_LAYER_DEFAULTS
#define kt_up_sampling2d(...)                                                                      \
    KT_CALL(kt_up_sampling2d_new, kt_up_sampling2d_args, KT_UP_SAMPLING2D_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_up_sampling2d_new(const kt_up_sampling2d_args *args);

/** Makes volumes larger by repeating. Keras: keras.layers.UpSampling3D
 *
 *     kt_up_sampling3d(kt_dhw(1, 2, 2))
 */
typedef struct kt_up_sampling3d_args {
    size_t size;
    kt_tuple factor;         ///< Keras: size; default 2
    const char *data_format; ///< "channels_last" (default) or "channels_first"
    KT_LAYER_ARGS
} kt_up_sampling3d_args;
#define KT_UP_SAMPLING3D_DEFAULTS .factor = 2, KT_LAYER_DEFAULTS
#define kt_up_sampling3d(...)                                                                      \
    KT_CALL(kt_up_sampling3d_new, kt_up_sampling3d_args, KT_UP_SAMPLING3D_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_up_sampling3d_new(const kt_up_sampling3d_args *args);

/** The axes of a sample in another order.
 *
 * Keras: keras.layers.Permute.  dims[i] is the axis of the input, counted from 1, that becomes axis
 * i + 1 of the output.
 * Errors: not each axis once.
 *
 *     kt_permute({2, 1})
 */
typedef struct kt_permute_args {
    size_t size;
    int64_t dims[KT_MAX_RANK];
    KT_LAYER_ARGS
} kt_permute_args;
#define KT_PERMUTE_DEFAULTS KT_LAYER_DEFAULTS
#define kt_permute(...) KT_CALL(kt_permute_new, kt_permute_args, KT_PERMUTE_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_permute_new(const kt_permute_args *args);

/** The same row n times. Keras: keras.layers.RepeatVector.
 *
 * Shape: (batch, features) -> (batch, n, features).
 * Errors: n below 1.
 *
 *     kt_repeat_vector(3)
 */
typedef struct kt_repeat_vector_args {
    size_t size;
    int n; ///< > 0
    KT_LAYER_ARGS
} kt_repeat_vector_args;
#define KT_REPEAT_VECTOR_DEFAULTS KT_LAYER_DEFAULTS
#define kt_repeat_vector(...)                                                                      \
    KT_CALL(kt_repeat_vector_new, kt_repeat_vector_args, KT_REPEAT_VECTOR_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_repeat_vector_new(const kt_repeat_vector_args *args);

#ifdef __cplusplus
}
#endif
#endif
