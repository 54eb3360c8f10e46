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

#ifdef __cplusplus
}
#endif
#endif
