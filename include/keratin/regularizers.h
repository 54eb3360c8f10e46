/* Penalties of weights, added to the loss while training. Keras: keras.regularizers.
 *
 * A layer takes them by name or as an object:
 *
 *     kt_dense(64, .kernel_regularizer = "l2")
 *     kt_dense(64, .kernel_regularizer = kt_reg_l2(1e-4))
 *
 * Constructors return a floating object, which the layer adopts. As activity_regularizer the
 * penalty is that of the layer's output, divided by the batch size. A factor that is negative,
 * infinite or NaN is KT_EINVAL. */
#ifndef KERATIN_REGULARIZERS_H
#define KERATIN_REGULARIZERS_H

#include <keratin/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kt_component kt_regularizer;

/** l1 * sum(|w|). Keras: L1, l1.
 *
 *     kt_reg_l1(0.001)
 */
typedef struct kt_reg_l1_args {
    size_t size; ///< set by the macro
    double l1;   ///< default 0.01
} kt_reg_l1_args;
#define KT_REG_L1_DEFAULTS .l1 = 0.01,
#define kt_reg_l1(...) KT_CALL(kt_reg_l1_new, kt_reg_l1_args, KT_REG_L1_DEFAULTS, __VA_ARGS__)
KT_API kt_regularizer *kt_reg_l1_new(const kt_reg_l1_args *args);

/** l2 * sum(w^2), without a factor of one half. Keras: L2, l2.
 *
 *     kt_reg_l2(1e-4)
 */
typedef struct kt_reg_l2_args {
    size_t size;
    double l2; ///< default 0.01
} kt_reg_l2_args;
#define KT_REG_L2_DEFAULTS .l2 = 0.01,
#define kt_reg_l2(...) KT_CALL(kt_reg_l2_new, kt_reg_l2_args, KT_REG_L2_DEFAULTS, __VA_ARGS__)
KT_API kt_regularizer *kt_reg_l2_new(const kt_reg_l2_args *args);

/** l1 * sum(|w|) + l2 * sum(w^2).
 *
 * Keras: L1L2, l1_l2.  Both are 0 unless given, so the name alone has no effect.
 *
 *     kt_reg_l1_l2(.l1 = 1e-5, .l2 = 1e-4)
 */
typedef struct kt_reg_l1_l2_args {
    size_t size;
    double l1; ///< default 0
    double l2; ///< default 0
} kt_reg_l1_l2_args;
#define KT_REG_L1_L2_DEFAULTS
#define kt_reg_l1_l2(...)                                                                          \
    KT_CALL(kt_reg_l1_l2_new, kt_reg_l1_l2_args, KT_REG_L1_L2_DEFAULTS, __VA_ARGS__)
KT_API kt_regularizer *kt_reg_l1_l2_new(const kt_reg_l1_l2_args *args);

/** Pushes the rows (or columns) of a matrix to be orthogonal: factor times the mean |cosine| of
 * two of them.
 *
 * Keras: OrthogonalRegularizer, orthogonal_regularizer.  Errors: unknown mode; a weight (when the
 * layer is called) of another rank than 2.
 *
 *     kt_reg_orthogonal_regularizer(.mode = "columns")
 */
typedef struct kt_reg_orthogonal_regularizer_args {
    size_t size;
    double factor;    ///< default 0.01
    const char *mode; ///< "rows" (default) or "columns"
} kt_reg_orthogonal_regularizer_args;
#define KT_REG_ORTHOGONAL_REGULARIZER_DEFAULTS .factor = 0.01, .mode = "rows",
#define kt_reg_orthogonal_regularizer(...)                                                         \
    KT_CALL(                                                                                       \
        kt_reg_orthogonal_regularizer_new,                                                         \
        kt_reg_orthogonal_regularizer_args,                                                        \
        KT_REG_ORTHOGONAL_REGULARIZER_DEFAULTS,                                                    \
        __VA_ARGS__)
KT_API kt_regularizer *kt_reg_orthogonal_regularizer_new(
    const kt_reg_orthogonal_regularizer_args *args);

/** A penalty of your own, made of kt_op_* functions: a scalar. `data` is yours and must live as
 * long as the object. Keras: any callable.  Errors: fn is NULL; a penalty (when the layer is
 * called) that is no scalar.
 *
 *     static kt_sym *l1(kt_sym *w, void *data) {
 *         return kt_op_multiply(kt_op_sum(kt_op_abs(w), KT_NONE, false), kt_num(*(double *)data));
 *     }
 *     kt_dense(8, .kernel_regularizer = kt_reg_custom(l1, .data = &factor))
 */
typedef kt_sym *kt_reg_fn(kt_sym *w, void *data);
typedef struct kt_reg_custom_args {
    size_t size;
    kt_reg_fn *fn;
    void *data;
    const char *name; ///< default: the function's
    const char *text; ///< set by the macro
} kt_reg_custom_args;
#define KT_REG_CUSTOM_DEFAULTS(text_) .text = text_,
#define kt_reg_custom(...)                                                                         \
    KT_CALL(                                                                                       \
        kt_reg_custom_new, kt_reg_custom_args, KT_REG_CUSTOM_DEFAULTS(#__VA_ARGS__), __VA_ARGS__)
KT_API kt_regularizer *kt_reg_custom_new(const kt_reg_custom_args *args);

#ifdef __cplusplus
}
#endif
#endif
