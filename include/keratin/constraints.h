/* Limits of weights, enforced after each update. Keras: keras.constraints.
 *
 * A layer takes them by name or as an object:
 *
 *     kt_dense(64, .kernel_constraint = "non_neg")
 *     kt_dense(64, .kernel_constraint = kt_con_max_norm(3))
 *
 * Constructors return a floating object, which the layer adopts. Norms are taken over `axis`, one
 * axis (negative from the end) or several: 0 for the kernel of a dense layer, kt_axes(0, 1, 2) for
 * that of a two-dimensional convolution, KT_NONE for the whole weight. An axis out of range is
 * KT_EINVAL when the constraint is applied. */
#ifndef KERATIN_CONSTRAINTS_H
#define KERATIN_CONSTRAINTS_H

#include <keratin/axes.h>
#include <keratin/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kt_component kt_constraint;

/** Shortens vectors that are longer than max_value: w * clip(norm, 0, max_value) / (1e-7 + norm).
 *
 * Keras: MaxNorm, max_norm.  Errors: NaN.
 *
 *     kt_con_max_norm(.max_value = 3, .axis = 0)
 */
typedef struct kt_con_max_norm_args {
    size_t size;      ///< set by the macro
    double max_value; ///< default 2
    kt_tuple axis;    ///< default 0
} kt_con_max_norm_args;
#define KT_CON_MAX_NORM_DEFAULTS .max_value = 2,
#define kt_con_max_norm(...)                                                                       \
    KT_CALL(kt_con_max_norm_new, kt_con_max_norm_args, KT_CON_MAX_NORM_DEFAULTS, __VA_ARGS__)
KT_API kt_constraint *kt_con_max_norm_new(const kt_con_max_norm_args *args);

/** Brings norms between min_value and max_value, or `rate` of the way.
 *
 * Keras: MinMaxNorm, min_max_norm.  Errors: NaN.
 *
 *     kt_con_min_max_norm(0.5, 2, .rate = 0.1)
 */
typedef struct kt_con_min_max_norm_args {
    size_t size;
    double min_value; ///< default 0
    double max_value; ///< default 1
    double rate;      ///< default 1
    kt_tuple axis;    ///< default 0
} kt_con_min_max_norm_args;
#define KT_CON_MIN_MAX_NORM_DEFAULTS .max_value = 1, .rate = 1,
#define kt_con_min_max_norm(...)                                                                   \
    KT_CALL(                                                                                       \
        kt_con_min_max_norm_new,                                                                   \
        kt_con_min_max_norm_args,                                                                  \
        KT_CON_MIN_MAX_NORM_DEFAULTS,                                                              \
        __VA_ARGS__)
KT_API kt_constraint *kt_con_min_max_norm_new(const kt_con_min_max_norm_args *args);

/** max(w, 0). Keras: NonNeg, non_neg.
 *
 *     kt_con_non_neg()
 */
KT_API kt_constraint *kt_con_non_neg(void);

/** w / (1e-7 + norm). Keras: UnitNorm, unit_norm.
 *
 *     kt_con_unit_norm(.axis = 1)
 */
typedef struct kt_con_unit_norm_args {
    size_t size;
    kt_tuple axis; ///< default 0
} kt_con_unit_norm_args;
#define KT_CON_UNIT_NORM_DEFAULTS
#define kt_con_unit_norm(...)                                                                      \
    KT_CALL(kt_con_unit_norm_new, kt_con_unit_norm_args, KT_CON_UNIT_NORM_DEFAULTS, __VA_ARGS__)
KT_API kt_constraint *kt_con_unit_norm_new(const kt_con_unit_norm_args *args);

/** A constraint of your own, made of kt_op_* functions: the weight as it should be, of the same
 * shape. `data` is yours and must live as long as the object. Keras: any callable.  Errors: fn is
 * NULL; a result (when it is applied) of another shape.
 *
 *     static kt_sym *box(kt_sym *w, void *data) {
 *         (void)data;
 *         return kt_op_clip(w, -1, 1);
 *     }
 *     kt_dense(8, .kernel_constraint = kt_con_custom(box))
 */
typedef kt_sym *kt_con_fn(kt_sym *w, void *data);
typedef struct kt_con_custom_args {
    size_t size;
    kt_con_fn *fn;
    void *data;
    const char *name; ///< default: the function's
    const char *text; ///< set by the macro
} kt_con_custom_args;
#define KT_CON_CUSTOM_DEFAULTS(text_) .text = text_,
#define kt_con_custom(...)                                                                         \
    KT_CALL(                                                                                       \
        kt_con_custom_new, kt_con_custom_args, KT_CON_CUSTOM_DEFAULTS(#__VA_ARGS__), __VA_ARGS__)
KT_API kt_constraint *kt_con_custom_new(const kt_con_custom_args *args);

#ifdef __cplusplus
}
#endif
#endif
