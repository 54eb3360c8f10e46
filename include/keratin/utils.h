/* Utilities on host arrays. keras.utils */
#ifndef KERATIN_UTILS_H
#define KERATIN_UTILS_H

#include <keratin/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Class numbers as one-hot rows: (…) or (…, 1) -> (…, num_classes), float32.
 *
 * Keras: keras.utils.to_categorical.  KT_EINVAL names the first number that is no class.
 *
 *     kt_tensor *y = kt_to_categorical(d.y_train, 10);
 */
typedef struct kt_to_categorical_args {
    size_t size;
    const kt_tensor *x;
    int64_t num_classes; ///< default KT_NONE: the largest number + 1
} kt_to_categorical_args;
#define KT_TO_CATEGORICAL_DEFAULTS .num_classes = KT_NONE,
#define kt_to_categorical(...)                                                                     \
    KT_CALL(kt_to_categorical_with, kt_to_categorical_args, KT_TO_CATEGORICAL_DEFAULTS, __VA_ARGS__)
KT_API kt_tensor *kt_to_categorical_with(const kt_to_categorical_args *args);

/** x divided by its norm along an axis; a norm of 0 counts as 1. float32 stays so, everything else
 * becomes float64.
 *
 * Keras: keras.utils.normalize.
 *
 *     kt_tensor *unit_rows = kt_normalize(x);
 */
typedef struct kt_normalize_args {
    size_t size;
    const kt_tensor *x;
    int axis;     ///< default -1
    double order; ///< of the norm, default 2; 0 counts what is not 0; may be infinite
} kt_normalize_args;
#define KT_NORMALIZE_DEFAULTS .axis = -1, .order = 2,
#define kt_normalize(...)                                                                          \
    KT_CALL(kt_normalize_with, kt_normalize_args, KT_NORMALIZE_DEFAULTS, __VA_ARGS__)
KT_API kt_tensor *kt_normalize_with(const kt_normalize_args *args);

#ifdef __cplusplus
}
#endif
#endif
