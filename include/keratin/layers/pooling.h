/* Pooling layers: see layers.h.
 *
 * One struct describes a layer for one, two and three axes (sequences, pictures, volumes). */
#ifndef KERATIN_LAYERS_POOLING_H
#define KERATIN_LAYERS_POOLING_H

#include <keratin/layers/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The largest value of each window, channel by channel.
 *
 * Keras: keras.layers.MaxPooling1D, MaxPooling2D, MaxPooling3D.  Shape: (batch, length ...,
 * channels) -> (batch, length' ..., channels); with data_format "channels_first" the channels stand
 * second on both sides. Padding "valid": what does not fill a window is left out; "same": length /
 * stride, rounded up.
 * Errors: sizes or strides below 1; an input that is smaller than the window.
 *
 *     kt_max_pooling2d()
 *     kt_max_pooling2d(3, .strides = 2, .padding = "same")
 */
typedef struct kt_pooling_args {
    size_t size;
    kt_tuple pool_size;      ///< 3 or kt_hw(3, 2); default of MaxPooling 2
    kt_tuple strides;        ///< default KT_NONE: pool_size
    const char *padding;     ///< "valid" (default) or "same"
    const char *data_format; ///< "channels_last" (default) or "channels_first"
    KT_LAYER_ARGS
} kt_pooling_args;
#define KT_MAX_POOLING_DEFAULTS                                                                    \
    .pool_size = 2, .strides = KT_NONE, .padding = "valid", KT_LAYER_DEFAULTS
#define kt_max_pooling1d(...)                                                                      \
    KT_CALL(kt_max_pooling1d_new, kt_pooling_args, KT_MAX_POOLING_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_max_pooling1d_new(const kt_pooling_args *args);
#define kt_max_pooling2d(...)                                                                      \
    KT_CALL(kt_max_pooling2d_new, kt_pooling_args, KT_MAX_POOLING_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_max_pooling2d_new(const kt_pooling_args *args);
#define kt_max_pooling3d(...)                                                                      \
    KT_CALL(kt_max_pooling3d_new, kt_pooling_args, KT_MAX_POOLING_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_max_pooling3d_new(const kt_pooling_args *args);

/** The mean of each window, channel by channel; what lies in the padding does not count. All else
 * as MaxPooling, but pool_size has no default.
 *
 * Keras: keras.layers.AveragePooling1D, AveragePooling2D, AveragePooling3D
 *
 *     kt_average_pooling2d(2)
 */
#define KT_AVERAGE_POOLING_DEFAULTS .strides = KT_NONE, .padding = "valid", KT_LAYER_DEFAULTS
#define kt_average_pooling1d(...)                                                                  \
    KT_CALL(kt_average_pooling1d_new, kt_pooling_args, KT_AVERAGE_POOLING_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_average_pooling1d_new(const kt_pooling_args *args);
#define kt_average_pooling2d(...)                                                                  \
    KT_CALL(kt_average_pooling2d_new, kt_pooling_args, KT_AVERAGE_POOLING_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_average_pooling2d_new(const kt_pooling_args *args);
#define kt_average_pooling3d(...)                                                                  \
    KT_CALL(kt_average_pooling3d_new, kt_pooling_args, KT_AVERAGE_POOLING_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_average_pooling3d_new(const kt_pooling_args *args);

/** The largest value of each channel.
 *
 * Keras: keras.layers.GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D.  Shape: (batch,
 * length ..., channels) -> (batch, channels), or (batch, 1 ..., channels) with keepdims.
 *
 *     kt_global_max_pooling1d()
 */
typedef struct kt_global_pooling_args {
    size_t size;
    const char *data_format; ///< "channels_last" (default) or "channels_first"
    bool keepdims;           ///< default false
    KT_LAYER_ARGS
} kt_global_pooling_args;
#define KT_GLOBAL_POOLING_DEFAULTS KT_LAYER_DEFAULTS
#define kt_global_max_pooling1d(...)                                                               \
    KT_CALL(                                                                                       \
        kt_global_max_pooling1d_new,                                                               \
        kt_global_pooling_args,                                                                    \
        KT_GLOBAL_POOLING_DEFAULTS,                                                                \
        __VA_ARGS__)
KT_API kt_layer *kt_global_max_pooling1d_new(const kt_global_pooling_args *args);
#define kt_global_max_pooling2d(...)                                                               \
    KT_CALL(                                                                                       \
        kt_global_max_pooling2d_new,                                                               \
        kt_global_pooling_args,                                                                    \
        KT_GLOBAL_POOLING_DEFAULTS,                                                                \
        __VA_ARGS__)
KT_API kt_layer *kt_global_max_pooling2d_new(const kt_global_pooling_args *args);
#define kt_global_max_pooling3d(...)                                                               \
    KT_CALL(                                                                                       \
        kt_global_max_pooling3d_new,                                                               \
        kt_global_pooling_args,                                                                    \
        KT_GLOBAL_POOLING_DEFAULTS,                                                                \
        __VA_ARGS__)
KT_API kt_layer *kt_global_max_pooling3d_new(const kt_global_pooling_args *args);

/** The mean of each channel; with one axis a mask says which steps count.
 *
 * Keras: keras.layers.GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D
 *
 *     kt_global_average_pooling2d(.keepdims = true)
 */
#define kt_global_average_pooling1d(...)                                                           \
    KT_CALL(                                                                                       \
        kt_global_average_pooling1d_new,                                                           \
        kt_global_pooling_args,                                                                    \
        KT_GLOBAL_POOLING_DEFAULTS,                                                                \
        __VA_ARGS__)
KT_API kt_layer *kt_global_average_pooling1d_new(const kt_global_pooling_args *args);
#define kt_global_average_pooling2d(...)                                                           \
    KT_CALL(                                                                                       \
        kt_global_average_pooling2d_new,                                                           \
        kt_global_pooling_args,                                                                    \
        KT_GLOBAL_POOLING_DEFAULTS,                                                                \
        __VA_ARGS__)
KT_API kt_layer *kt_global_average_pooling2d_new(const kt_global_pooling_args *args);
#define kt_global_average_pooling3d(...)                                                           \
    KT_CALL(                                                                                       \
        kt_global_average_pooling3d_new,                                                           \
        kt_global_pooling_args,                                                                    \
        KT_GLOBAL_POOLING_DEFAULTS,                                                                \
        __VA_ARGS__)
KT_API kt_layer *kt_global_average_pooling3d_new(const kt_global_pooling_args *args);

/** As many means as are asked for, of windows that share the input out (and overlap where it does
 * not divide).
 *
 * Keras: keras.layers.AdaptiveAveragePooling1D, AdaptiveAveragePooling2D, AdaptiveAveragePooling3D.
 * Shape: (batch, length ..., channels) -> (batch, output_size ..., channels).
 * Errors: sizes below 1 or above 4096; an input without cells.
 *
 *     kt_adaptive_average_pooling2d(7)
 *     kt_adaptive_average_pooling2d(kt_hw(4, 6))
 */
typedef struct kt_adaptive_pooling_args {
    size_t size;
    kt_tuple output_size;    ///< one number or one for each axis
    const char *data_format; ///< "channels_last" (default) or "channels_first"
    KT_LAYER_ARGS
} kt_adaptive_pooling_args;
#define KT_ADAPTIVE_POOLING_DEFAULTS KT_LAYER_DEFAULTS
#define kt_adaptive_average_pooling1d(...)                                                         \
    KT_CALL(                                                                                       \
        kt_adaptive_average_pooling1d_new,                                                         \
        kt_adaptive_pooling_args,                                                                  \
        KT_ADAPTIVE_POOLING_DEFAULTS,                                                              \
        __VA_ARGS__)
KT_API kt_layer *kt_adaptive_average_pooling1d_new(const kt_adaptive_pooling_args *args);
#define kt_adaptive_average_pooling2d(...)                                                         \
    KT_CALL(                                                                                       \
        kt_adaptive_average_pooling2d_new,                                                         \
        kt_adaptive_pooling_args,                                                                  \
        KT_ADAPTIVE_POOLING_DEFAULTS,                                                              \
        __VA_ARGS__)
KT_API kt_layer *kt_adaptive_average_pooling2d_new(const kt_adaptive_pooling_args *args);
#define kt_adaptive_average_pooling3d(...)                                                         \
    KT_CALL(                                                                                       \
        kt_adaptive_average_pooling3d_new,                                                         \
        kt_adaptive_pooling_args,                                                                  \
        KT_ADAPTIVE_POOLING_DEFAULTS,                                                              \
        __VA_ARGS__)
KT_API kt_layer *kt_adaptive_average_pooling3d_new(const kt_adaptive_pooling_args *args);

/** As many maxima, of the same windows. Keras: keras.layers.AdaptiveMaxPooling1D,
 * AdaptiveMaxPooling2D, AdaptiveMaxPooling3D
 *
 *     kt_adaptive_max_pooling1d(8)
 */
#define kt_adaptive_max_pooling1d(...)                                                             \
    KT_CALL(                                                                                       \
        kt_adaptive_max_pooling1d_new,                                                             \
        kt_adaptive_pooling_args,                                                                  \
        KT_ADAPTIVE_POOLING_DEFAULTS,                                                              \
        __VA_ARGS__)
KT_API kt_layer *kt_adaptive_max_pooling1d_new(const kt_adaptive_pooling_args *args);
#define kt_adaptive_max_pooling2d(...)                                                             \
    KT_CALL(                                                                                       \
        kt_adaptive_max_pooling2d_new,                                                             \
        kt_adaptive_pooling_args,                                                                  \
        KT_ADAPTIVE_POOLING_DEFAULTS,                                                              \
        __VA_ARGS__)
KT_API kt_layer *kt_adaptive_max_pooling2d_new(const kt_adaptive_pooling_args *args);
#define kt_adaptive_max_pooling3d(...)                                                             \
    KT_CALL(                                                                                       \
        kt_adaptive_max_pooling3d_new,                                                             \
        kt_adaptive_pooling_args,                                                                  \
        KT_ADAPTIVE_POOLING_DEFAULTS,                                                              \
        __VA_ARGS__)
KT_API kt_layer *kt_adaptive_max_pooling3d_new(const kt_adaptive_pooling_args *args);

#ifdef __cplusplus
}
#endif
#endif
