/* Losses. Keras: keras.losses.
 *
 * Each constructor takes Keras' arguments under Keras' names: the loss's own first, then
 *
 *   reduction  "sum_over_batch_size" (default; mean over all per-sample values), "mean" (the same),
 *              "sum", "mean_with_sample_weight" (divides by the sum of the weights), "none" or NULL
 *   name       default: Keras' ("mean_squared_error")
 *   dtype      what the loss is computed in; default: the dtype of y_pred
 *
 * and returns a floating object, to be handed to kt_model_compile(). Where no argument is needed
 * the name does as well: kt_model_compile(m, "adam", "mse"). Labels are cast to the dtype of the
 * predictions; where one of the two has a last axis of length 1 that the other lacks, they are
 * brought to the same rank; all other differences of shape are errors. */
#ifndef KERATIN_LOSSES_H
#define KERATIN_LOSSES_H

#include <keratin/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kt_component kt_loss;

/** The last arguments of every loss. */
#define KT_LOSS_ARGS                                                                               \
    const char *reduction; /* default "sum_over_batch_size" */                                     \
    const char *name;                                                                              \
    const char *dtype;
#define KT_LOSS_DEFAULTS .reduction = "sum_over_batch_size",

/** Arguments of the losses that have none of their own. */
typedef struct kt_loss_args {
    size_t size; ///< set by the macro
    KT_LOSS_ARGS
} kt_loss_args;

/** mean((y_true - y_pred)^2) over the last axis. Keras: MeanSquaredError; "mse".
 *
 *     kt_loss_mean_squared_error()
 */
#define kt_loss_mean_squared_error(...)                                                            \
    KT_CALL(kt_loss_mean_squared_error_new, kt_loss_args, KT_LOSS_DEFAULTS, __VA_ARGS__)
KT_API kt_loss *kt_loss_mean_squared_error_new(const kt_loss_args *args);

/** mean(|y_true - y_pred|) over the last axis. Keras: MeanAbsoluteError; "mae".
 *
 *     kt_loss_mean_absolute_error(.reduction = "sum")
 */
#define kt_loss_mean_absolute_error(...)                                                           \
    KT_CALL(kt_loss_mean_absolute_error_new, kt_loss_args, KT_LOSS_DEFAULTS, __VA_ARGS__)
KT_API kt_loss *kt_loss_mean_absolute_error_new(const kt_loss_args *args);

/** 100 mean(|y_true - y_pred| / max(|y_true|, 1e-7)). Keras: MeanAbsolutePercentageError; "mape".
 *
 *     kt_loss_mean_absolute_percentage_error()
 */
#define kt_loss_mean_absolute_percentage_error(...)                                                \
    KT_CALL(kt_loss_mean_absolute_percentage_error_new, kt_loss_args, KT_LOSS_DEFAULTS, __VA_ARGS__)
KT_API kt_loss *kt_loss_mean_absolute_percentage_error_new(const kt_loss_args *args);

/** mean((log(1 + y_true) - log(1 + y_pred))^2). Keras: MeanSquaredLogarithmicError; "msle".
 *
 *     kt_loss_mean_squared_logarithmic_error()
 */
#define kt_loss_mean_squared_logarithmic_error(...)                                                \
    KT_CALL(kt_loss_mean_squared_logarithmic_error_new, kt_loss_args, KT_LOSS_DEFAULTS, __VA_ARGS__)
KT_API kt_loss *kt_loss_mean_squared_logarithmic_error_new(const kt_loss_args *args);

/** Minus the cosine of the angle between y_true and y_pred. Keras: CosineSimilarity.
 *
 *     kt_loss_cosine_similarity(.axis = 1)
 */
typedef struct kt_loss_cosine_similarity_args {
    size_t size;
    int axis; ///< default -1
    KT_LOSS_ARGS
} kt_loss_cosine_similarity_args;
#define KT_LOSS_COSINE_SIMILARITY_DEFAULTS .axis = -1, KT_LOSS_DEFAULTS
#define kt_loss_cosine_similarity(...)                                                             \
    KT_CALL(                                                                                       \
        kt_loss_cosine_similarity_new,                                                             \
        kt_loss_cosine_similarity_args,                                                            \
        KT_LOSS_COSINE_SIMILARITY_DEFAULTS,                                                        \
        __VA_ARGS__)
KT_API kt_loss *kt_loss_cosine_similarity_new(const kt_loss_cosine_similarity_args *args);

/** Half the squared error up to delta, from there on delta |error| - delta^2 / 2. Keras: Huber.
 *
 *     kt_loss_huber(0.5)
 */
typedef struct kt_loss_huber_args {
    size_t size;
    double delta; ///< default 1
    KT_LOSS_ARGS
} kt_loss_huber_args;
#define KT_LOSS_HUBER_DEFAULTS .delta = 1, .name = "huber_loss", KT_LOSS_DEFAULTS
#define kt_loss_huber(...)                                                                         \
    KT_CALL(kt_loss_huber_new, kt_loss_huber_args, KT_LOSS_HUBER_DEFAULTS, __VA_ARGS__)
KT_API kt_loss *kt_loss_huber_new(const kt_loss_huber_args *args);

/** mean(log(cosh(y_pred - y_true))). Keras: LogCosh.
 *
 *     kt_loss_log_cosh()
 */
#define kt_loss_log_cosh(...)                                                                      \
    KT_CALL(kt_loss_log_cosh_new, kt_loss_args, KT_LOSS_DEFAULTS, __VA_ARGS__)
KT_API kt_loss *kt_loss_log_cosh_new(const kt_loss_args *args);

/** mean(max(1 - y_true y_pred, 0)); labels -1 and 1, or 0 and 1 throughout a batch. Keras: Hinge.
 *
 *     kt_loss_hinge()
 */
#define kt_loss_hinge(...) KT_CALL(kt_loss_hinge_new, kt_loss_args, KT_LOSS_DEFAULTS, __VA_ARGS__)
KT_API kt_loss *kt_loss_hinge_new(const kt_loss_args *args);

/** mean(max(1 - y_true y_pred, 0)^2), labels as for the hinge loss. Keras: SquaredHinge.
 *
 *     kt_loss_squared_hinge()
 */
#define kt_loss_squared_hinge(...)                                                                 \
    KT_CALL(kt_loss_squared_hinge_new, kt_loss_args, KT_LOSS_DEFAULTS, __VA_ARGS__)
KT_API kt_loss *kt_loss_squared_hinge_new(const kt_loss_args *args);

/** max(max((1 - y_true) y_pred) - sum(y_true y_pred) + 1, 0), one-hot labels. Keras:
 * CategoricalHinge.
 *
 *     kt_loss_categorical_hinge()
 */
#define kt_loss_categorical_hinge(...)                                                             \
    KT_CALL(kt_loss_categorical_hinge_new, kt_loss_args, KT_LOSS_DEFAULTS, __VA_ARGS__)
KT_API kt_loss *kt_loss_categorical_hinge_new(const kt_loss_args *args);

/** sum(y_true log(y_true / y_pred)) of two distributions, both clipped to 1e-7 … 1.
 * Keras: KLDivergence; "kld".
 *
 *     kt_loss_kl_divergence()
 */
#define kt_loss_kl_divergence(...)                                                                 \
    KT_CALL(kt_loss_kl_divergence_new, kt_loss_args, KT_LOSS_DEFAULTS, __VA_ARGS__)
KT_API kt_loss *kt_loss_kl_divergence_new(const kt_loss_args *args);

/** mean(y_pred - y_true log(y_pred + 1e-7)). Keras: Poisson.
 *
 *     kt_loss_poisson()
 */
#define kt_loss_poisson(...)                                                                       \
    KT_CALL(kt_loss_poisson_new, kt_loss_args, KT_LOSS_DEFAULTS, __VA_ARGS__)
KT_API kt_loss *kt_loss_poisson_new(const kt_loss_args *args);

/** mean(-y_true log(y_pred) - (1 - y_true) log(1 - y_pred)). Keras: BinaryCrossentropy; "bce".
 *
 * On the output of a sigmoid it is computed from the sigmoid's input, which loses no digits.
 *
 *     kt_loss_binary_crossentropy(.from_logits = true)
 */
typedef struct kt_loss_binary_crossentropy_args {
    size_t size;
    bool from_logits;       ///< y_pred is what the sigmoid would be applied to
    double label_smoothing; ///< 0 … 1: moves the labels towards 0.5
    int axis;               ///< the mean is over this axis; default -1
    KT_LOSS_ARGS
} kt_loss_binary_crossentropy_args;
#define KT_LOSS_BINARY_CROSSENTROPY_DEFAULTS .axis = -1, KT_LOSS_DEFAULTS
#define kt_loss_binary_crossentropy(...)                                                           \
    KT_CALL(                                                                                       \
        kt_loss_binary_crossentropy_new,                                                           \
        kt_loss_binary_crossentropy_args,                                                          \
        KT_LOSS_BINARY_CROSSENTROPY_DEFAULTS,                                                      \
        __VA_ARGS__)
KT_API kt_loss *kt_loss_binary_crossentropy_new(const kt_loss_binary_crossentropy_args *args);

/** Binary cross-entropy times (1 - probability of the true label)^gamma: easy samples count less.
 * Keras: BinaryFocalCrossentropy.
 *
 *     kt_loss_binary_focal_crossentropy(.gamma = 2)
 */
typedef struct kt_loss_binary_focal_crossentropy_args {
    size_t size;
    bool apply_class_balancing; ///< weights label 1 with alpha and label 0 with 1 - alpha
    double alpha;               ///< default 0.25
    double gamma;               ///< default 2
    bool from_logits;
    double label_smoothing;
    int axis; ///< default -1
    KT_LOSS_ARGS
} kt_loss_binary_focal_crossentropy_args;
#define KT_LOSS_BINARY_FOCAL_CROSSENTROPY_DEFAULTS                                                 \
    .alpha = 0.25, .gamma = 2, .axis = -1, KT_LOSS_DEFAULTS
#define kt_loss_binary_focal_crossentropy(...)                                                     \
    KT_CALL(                                                                                       \
        kt_loss_binary_focal_crossentropy_new,                                                     \
        kt_loss_binary_focal_crossentropy_args,                                                    \
        KT_LOSS_BINARY_FOCAL_CROSSENTROPY_DEFAULTS,                                                \
        __VA_ARGS__)
KT_API kt_loss *kt_loss_binary_focal_crossentropy_new(
    const kt_loss_binary_focal_crossentropy_args *args);

/** -sum(y_true log(y_pred)) over the classes, labels one-hot or a distribution.
 * Keras: CategoricalCrossentropy.
 *
 * On the output of a softmax it is computed from the softmax's input, which loses no digits.
 *
 *     kt_loss_categorical_crossentropy(.label_smoothing = 0.1)
 */
typedef struct kt_loss_categorical_crossentropy_args {
    size_t size;
    bool from_logits;       ///< y_pred is what the softmax would be applied to
    double label_smoothing; ///< 0 … 1: spreads this share of the label over all classes
    int axis;               ///< axis of the classes; default -1
    KT_LOSS_ARGS
} kt_loss_categorical_crossentropy_args;
#define KT_LOSS_CATEGORICAL_CROSSENTROPY_DEFAULTS .axis = -1, KT_LOSS_DEFAULTS
#define kt_loss_categorical_crossentropy(...)                                                      \
    KT_CALL(                                                                                       \
        kt_loss_categorical_crossentropy_new,                                                      \
        kt_loss_categorical_crossentropy_args,                                                     \
        KT_LOSS_CATEGORICAL_CROSSENTROPY_DEFAULTS,                                                 \
        __VA_ARGS__)
KT_API kt_loss *kt_loss_categorical_crossentropy_new(
    const kt_loss_categorical_crossentropy_args *args);

/** sum(alpha (1 - y_pred)^gamma (-y_true log(y_pred))) over the classes.
 * Keras: CategoricalFocalCrossentropy.
 *
 *     kt_loss_categorical_focal_crossentropy(.gamma = 3)
 */
typedef struct kt_loss_categorical_focal_crossentropy_args {
    size_t size;
    double alpha; ///< default 0.25
    double gamma; ///< default 2
    bool from_logits;
    double label_smoothing;
    int axis;           ///< default -1
    kt_floats_t alphas; ///< Keras' alpha as a list: one for each class
    KT_LOSS_ARGS
} kt_loss_categorical_focal_crossentropy_args;
#define KT_LOSS_CATEGORICAL_FOCAL_CROSSENTROPY_DEFAULTS                                            \
    .alpha = 0.25, .gamma = 2, .axis = -1, KT_LOSS_DEFAULTS
#define kt_loss_categorical_focal_crossentropy(...)                                                \
    KT_CALL(                                                                                       \
        kt_loss_categorical_focal_crossentropy_new,                                                \
        kt_loss_categorical_focal_crossentropy_args,                                               \
        KT_LOSS_CATEGORICAL_FOCAL_CROSSENTROPY_DEFAULTS,                                           \
        __VA_ARGS__)
KT_API kt_loss *kt_loss_categorical_focal_crossentropy_new(
    const kt_loss_categorical_focal_crossentropy_args *args);

/** (1 - p^q) / q where p is the prediction for the true class; labels are class numbers.
 * Keras: CategoricalGeneralizedCrossEntropy.
 *
 *     kt_loss_categorical_generalized_cross_entropy(0.7)
 */
typedef struct kt_loss_categorical_generalized_cross_entropy_args {
    size_t size;
    double q; ///< default 0.5; 0 < q < 1
    KT_LOSS_ARGS
} kt_loss_categorical_generalized_cross_entropy_args;
#define KT_LOSS_CATEGORICAL_GENERALIZED_CROSS_ENTROPY_DEFAULTS .q = 0.5, KT_LOSS_DEFAULTS
#define kt_loss_categorical_generalized_cross_entropy(...)                                         \
    KT_CALL(                                                                                       \
        kt_loss_categorical_generalized_cross_entropy_new,                                         \
        kt_loss_categorical_generalized_cross_entropy_args,                                        \
        KT_LOSS_CATEGORICAL_GENERALIZED_CROSS_ENTROPY_DEFAULTS,                                    \
        __VA_ARGS__)
KT_API kt_loss *kt_loss_categorical_generalized_cross_entropy_new(
    const kt_loss_categorical_generalized_cross_entropy_args *args);

/** -log(y_pred[label]), labels are class numbers 0 … classes-1, of y_pred's shape without the last
 * axis (or with a last axis of length 1). Keras: SparseCategoricalCrossentropy.
 *
 * On the output of a softmax it is computed from the softmax's input, in one pass. A label that is
 * out of range stops the training with KT_EINVAL and says which row and value.
 *
 *     kt_loss_sparse_categorical_crossentropy(.from_logits = true, .ignore_class = -1)
 */
typedef struct kt_loss_sparse_categorical_crossentropy_args {
    size_t size;
    bool from_logits;      ///< y_pred is what the softmax would be applied to
    int64_t ignore_class;  ///< samples with this label do not count; default KT_NONE
    const char *reduction; ///< default "sum_over_batch_size"
    int axis;              ///< default -1, and no other is supported
    const char *name;
    const char *dtype;
} kt_loss_sparse_categorical_crossentropy_args;
#define KT_LOSS_SPARSE_CATEGORICAL_CROSSENTROPY_DEFAULTS                                           \
    .ignore_class = KT_NONE, .axis = -1, KT_LOSS_DEFAULTS
#define kt_loss_sparse_categorical_crossentropy(...)                                               \
    KT_CALL(                                                                                       \
        kt_loss_sparse_categorical_crossentropy_new,                                               \
        kt_loss_sparse_categorical_crossentropy_args,                                              \
        KT_LOSS_SPARSE_CATEGORICAL_CROSSENTROPY_DEFAULTS,                                          \
        __VA_ARGS__)
KT_API kt_loss *kt_loss_sparse_categorical_crossentropy_new(
    const kt_loss_sparse_categorical_crossentropy_args *args);

/** Connectionist temporal classification: y_true (batch, n) are class numbers, filled up with 0,
 * the blank; y_pred (batch, steps, classes) are logits. Keras: CTC.
 *
 *     kt_loss_ctc()
 */
#define kt_loss_ctc(...) KT_CALL(kt_loss_ctc_new, kt_loss_args, KT_LOSS_DEFAULTS, __VA_ARGS__)
KT_API kt_loss *kt_loss_ctc_new(const kt_loss_args *args);

/** 1 - 2 sum(y_true y_pred) / (sum(y_true) + sum(y_pred) + 1e-7): overlap of two areas. Keras:
 * Dice.
 *
 *     kt_loss_dice(.axis = kt_dhw(1, 2, 3))  // one value for each picture
 */
typedef struct kt_loss_dice_args {
    size_t size;
    const char *reduction; ///< default "sum_over_batch_size"
    const char *name;
    kt_tuple axis; ///< 1, kt_hw(1, 2) or kt_dhw(1, 2, 3): axes to sum over; default KT_NONE: all
    const char *dtype;
} kt_loss_dice_args;
#define KT_LOSS_DICE_DEFAULTS .axis = KT_NONE, KT_LOSS_DEFAULTS
#define kt_loss_dice(...)                                                                          \
    KT_CALL(kt_loss_dice_new, kt_loss_dice_args, KT_LOSS_DICE_DEFAULTS, __VA_ARGS__)
KT_API kt_loss *kt_loss_dice_new(const kt_loss_dice_args *args);

/** 1 - I / (I + alpha sum(y_true (1 - y_pred)) + beta sum((1 - y_true) y_pred) + 1e-7) with
 * I = sum(y_true y_pred). Keras: Tversky.
 *
 *     kt_loss_tversky(0.3, 0.7)
 */
typedef struct kt_loss_tversky_args {
    size_t size;
    double alpha, beta; ///< default 0.5 each
    const char *reduction;
    const char *name;
    kt_tuple axis; ///< as in kt_loss_dice()
    const char *dtype;
} kt_loss_tversky_args;
#define KT_LOSS_TVERSKY_DEFAULTS .alpha = 0.5, .beta = 0.5, .axis = KT_NONE, KT_LOSS_DEFAULTS
#define kt_loss_tversky(...)                                                                       \
    KT_CALL(kt_loss_tversky_new, kt_loss_tversky_args, KT_LOSS_TVERSKY_DEFAULTS, __VA_ARGS__)
KT_API kt_loss *kt_loss_tversky_new(const kt_loss_tversky_args *args);

/** Circle loss over all pairs of a batch: y_true (batch,) class numbers, y_pred (batch, n)
 * embeddings of length 1. Keras: Circle.
 *
 *     kt_loss_circle(.margin = 0.2)
 */
typedef struct kt_loss_circle_args {
    size_t size;
    double gamma;         ///< scale, default 80
    double margin;        ///< default 0.4
    bool remove_diagonal; ///< a sample is no pair with itself; default true
    KT_LOSS_ARGS
} kt_loss_circle_args;
#define KT_LOSS_CIRCLE_DEFAULTS                                                                    \
    .gamma = 80, .margin = 0.4, .remove_diagonal = true, KT_LOSS_DEFAULTS
#define kt_loss_circle(...)                                                                        \
    KT_CALL(kt_loss_circle_new, kt_loss_circle_args, KT_LOSS_CIRCLE_DEFAULTS, __VA_ARGS__)
KT_API kt_loss *kt_loss_circle_new(const kt_loss_circle_args *args);

/** A loss of your own: symbolic tensors in, one value for each sample out, made with kt_op_*
 * functions; `data` is yours and must live as long as the loss. The gradient comes by itself.
 * Keras: a function given as loss.
 *
 *     static kt_sym *cube(kt_sym *y_true, kt_sym *y_pred, void *data) {
 *         (void)data;
 *         kt_sym *e = kt_op_abs(kt_op_subtract(y_true, y_pred));
 *         return kt_op_mean(kt_op_power(e, kt_num(3)), -1, false);
 *     }
 *     kt_model_compile(m, "adam", kt_loss_custom(cube));
 */
typedef kt_sym *kt_loss_fn(kt_sym *y_true, kt_sym *y_pred, void *data);
typedef struct kt_loss_custom_args {
    size_t size;
    kt_loss_fn *fn;
    void *data;
    KT_LOSS_ARGS
    const char *text; ///< set by the macro: the default name is the function's, as in Keras
} kt_loss_custom_args;
#define KT_LOSS_CUSTOM_DEFAULTS(text_) .text = text_, KT_LOSS_DEFAULTS
#define kt_loss_custom(...)                                                                        \
    KT_CALL(                                                                                       \
        kt_loss_custom_new,                                                                        \
        kt_loss_custom_args,                                                                       \
        KT_LOSS_CUSTOM_DEFAULTS(#__VA_ARGS__),                                                     \
        __VA_ARGS__)
KT_API kt_loss *kt_loss_custom_new(const kt_loss_custom_args *args);

#ifdef __cplusplus
}
#endif
#endif
