/* Pooling layers: see layers.h. */
#ifndef KERATIN_LAYERS_POOLING_H
#define KERATIN_LAYERS_POOLING_H

#include <keratin/layers/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The largest value of each window, channel by channel.
 *
 * Keras: keras.layers.MaxPooling2D.  Shape: (batch, height, width, channels) -> (batch, height',
 * width', channels); with data_format "channels_first" the channels stand second on both sides.
 * Padding "valid": what does not fill a window is left out; "same": height / stride, rounded up.
 * Errors: sizes or strides below 1; pictures that are smaller than the window.
 *
 *     kt_max_pooling2d()
 *     kt_max_pooling2d(3, .strides = 2, .padding = "same")
 */
typedef struct kt_max_pooling2d_args {
    size_t size;
    kt_tuple pool_size;      ///< default 2; 3 or kt_hw(3, 2)
    kt_tuple strides;        ///< default KT_NONE: pool_size
    const char *padding;     ///< "valid" (default) or "same"
    const char *data_format; ///< "channels_last" (default) or "channels_first"
    KT_LAYER_ARGS
} kt_max_pooling2d_args;
#define KT_MAX_POOLING2D_DEFAULTS                                                                  \
    .pool_size = 2, .strides = KT_NONE, .padding = "valid", KT_LAYER_DEFAULTS
#define kt_max_pooling2d(...)                                                                      \
    KT_CALL(kt_max_pooling2d_new, kt_max_pooling2d_args, KT_MAX_POOLING2D_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_max_pooling2d_new(const kt_max_pooling2d_args *args);

#ifdef __cplusplus
}
#endif
#endif
