/* Merging layers: see layers.h. */
#ifndef KERATIN_LAYERS_MERGING_H
#define KERATIN_LAYERS_MERGING_H

#include <keratin/axes.h>
#include <keratin/layers/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* All take a list of tensors: kt_call(kt_add(), kt_list(a, b)). Shapes are broadcast; inputs of
 * fewer axes get axes of length 1 after the batch axis. Where every input has a mask the output has
 * one, which lets through what any of them lets through. Errors: shapes that do not go together. */

/** Sum of two or more inputs, broadcast. Keras: keras.layers.Add.
 *
 *     kt_sym *y = kt_call(kt_add(), kt_list(a, b));
 */
typedef struct kt_add_args {
    size_t size;
    KT_LAYER_ARGS
} kt_add_args;
#define KT_ADD_DEFAULTS KT_LAYER_DEFAULTS
#define kt_add(...) KT_CALL(kt_add_new, kt_add_args, KT_ADD_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_add_new(const kt_add_args *args);

/** The first input minus the second. Keras: keras.layers.Subtract.
 *
 *     kt_sym *y = kt_call(kt_subtract(), kt_list(a, b));
 */
typedef struct kt_subtract_args {
    size_t size;
    KT_LAYER_ARGS
} kt_subtract_args;
#define KT_SUBTRACT_DEFAULTS KT_LAYER_DEFAULTS
#define kt_subtract(...)                                                                           \
    KT_CALL(kt_subtract_new, kt_subtract_args, KT_SUBTRACT_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_subtract_new(const kt_subtract_args *args);

/** Product of two or more inputs. A masked step of an input counts as 1.
 *
 * Keras: keras.layers.Multiply.
 *
 *     kt_sym *y = kt_call(kt_multiply(), kt_list(a, b));
 */
typedef struct kt_multiply_args {
    size_t size;
    KT_LAYER_ARGS
} kt_multiply_args;
#define KT_MULTIPLY_DEFAULTS KT_LAYER_DEFAULTS
#define kt_multiply(...)                                                                           \
    KT_CALL(kt_multiply_new, kt_multiply_args, KT_MULTIPLY_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_multiply_new(const kt_multiply_args *args);

/** Mean of two or more inputs. Keras: keras.layers.Average.
 *
 *     kt_sym *y = kt_call(kt_average(), kt_list(a, b));
 */
typedef struct kt_average_args {
    size_t size;
    KT_LAYER_ARGS
} kt_average_args;
#define KT_AVERAGE_DEFAULTS KT_LAYER_DEFAULTS
#define kt_average(...) KT_CALL(kt_average_new, kt_average_args, KT_AVERAGE_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_average_new(const kt_average_args *args);

/** Largest of two or more inputs; masked steps of an input do not take part.
 *
 * Keras: keras.layers.Maximum.
 *
 *     kt_sym *y = kt_call(kt_maximum(), kt_list(a, b));
 */
typedef struct kt_maximum_args {
    size_t size;
    KT_LAYER_ARGS
} kt_maximum_args;
#define KT_MAXIMUM_DEFAULTS KT_LAYER_DEFAULTS
#define kt_maximum(...) KT_CALL(kt_maximum_new, kt_maximum_args, KT_MAXIMUM_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_maximum_new(const kt_maximum_args *args);

/** Smallest of two or more inputs; masked steps of an input do not take part.
 *
 * Keras: keras.layers.Minimum.
 *
 *     kt_sym *y = kt_call(kt_minimum(), kt_list(a, b));
 */
typedef struct kt_minimum_args {
    size_t size;
    KT_LAYER_ARGS
} kt_minimum_args;
#define KT_MINIMUM_DEFAULTS KT_LAYER_DEFAULTS
#define kt_minimum(...) KT_CALL(kt_minimum_new, kt_minimum_args, KT_MINIMUM_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_minimum_new(const kt_minimum_args *args);

/** Inputs one after the other along an axis. Keras: keras.layers.Concatenate.
 *
 *     kt_sym *y = kt_call(kt_concatenate(), kt_list(a, b));
 */
typedef struct kt_concatenate_args {
    size_t size;
    int axis; ///< default -1
    KT_LAYER_ARGS
} kt_concatenate_args;
#define KT_CONCATENATE_DEFAULTS .axis = -1, KT_LAYER_DEFAULTS
#define kt_concatenate(...)                                                                        \
    KT_CALL(kt_concatenate_new, kt_concatenate_args, KT_CONCATENATE_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_concatenate_new(const kt_concatenate_args *args);

/** Sum of products along one axis of each of two inputs, sample by sample.
 *
 * Keras: keras.layers.Dot.  The output has the other axes of the first input, then those of the
 * second; (batch, 1) if none is left. It carries no mask.
 * Errors: the batch axis; axes of different lengths; not two axes.
 *
 *     kt_sym *y = kt_call(kt_dot(kt_axes(2, 1)), kt_list(a, b)); // the matrix product
 *     kt_sym *y = kt_call(kt_dot(1, .normalize = true), kt_list(a, b)); // cosine proximity
 */
typedef struct kt_dot_args {
    size_t size;
    kt_tuple axes;  ///< one number for both inputs, or kt_axes(1, 2)
    bool normalize; ///< brings both to length 1 along the axis first
    KT_LAYER_ARGS
} kt_dot_args;
#define KT_DOT_DEFAULTS KT_LAYER_DEFAULTS
#define kt_dot(...) KT_CALL(kt_dot_new, kt_dot_args, KT_DOT_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_dot_new(const kt_dot_args *args);

#ifdef __cplusplus
}
#endif
#endif
