/* Metrics. Keras: keras.metrics.
 *
 * Each constructor takes Keras' arguments under Keras' names: the metric's own first, then
 *
 *   name   what the logs call it; default: Keras' ("binary_accuracy", "auc", then "auc_1" …)
 *   dtype  of the variables that collect it; default: the dtype policy's
 *
 * and returns a floating object, to be handed to kt_model_compile(). Where no argument is needed
 * the name does as well (.metrics = kt_list("accuracy", "mae")), and is then what the logs show.
 * "accuracy" and "acc" become binary, categorical or sparse categorical accuracy by the shapes of
 * labels and output, and "crossentropy" and "ce" the cross-entropy likewise. */
#ifndef KERATIN_METRICS_H
#define KERATIN_METRICS_H

#include <keratin/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kt_component kt_metric;

/** The last arguments of every metric. */
#define KT_METRIC_ARGS                                                                             \
    const char *name;                                                                              \
    const char *dtype;

/** Arguments of the metrics that have none of their own. */
typedef struct kt_metric_args {
    size_t size; ///< set by the macro
    KT_METRIC_ARGS
} kt_metric_args;

/* Means and accuracies ------------------------------------------------------------------------- */

/** Mean of the values it is given. Keras: Mean.
 *
 *     kt_metric_mean(.name = "average")
 */
#define kt_metric_mean(...) KT_CALL(kt_metric_mean_new, kt_metric_args, , __VA_ARGS__)
KT_API kt_metric *kt_metric_mean_new(const kt_metric_args *args);

/** Sum of the values it is given. Keras: Sum.
 *
 *     kt_metric_sum()
 */
#define kt_metric_sum(...) KT_CALL(kt_metric_sum_new, kt_metric_args, , __VA_ARGS__)
KT_API kt_metric *kt_metric_sum_new(const kt_metric_args *args);

/** How often y_pred equals y_true exactly. Keras: Accuracy. (The *name* "accuracy" means something
 * else, see above.)
 *
 *     kt_metric_accuracy()
 */
#define kt_metric_accuracy(...) KT_CALL(kt_metric_accuracy_new, kt_metric_args, , __VA_ARGS__)
KT_API kt_metric *kt_metric_accuracy_new(const kt_metric_args *args);

/** How often y_pred > threshold agrees with the label 0 or 1. Keras: BinaryAccuracy.
 *
 *     kt_metric_binary_accuracy(.threshold = 0.3)
 */
typedef struct kt_metric_binary_accuracy_args {
    size_t size;
    double threshold; ///< default 0.5
    KT_METRIC_ARGS
} kt_metric_binary_accuracy_args;
#define KT_METRIC_BINARY_ACCURACY_DEFAULTS .threshold = 0.5,
#define kt_metric_binary_accuracy(...)                                                             \
    KT_CALL(                                                                                       \
        kt_metric_binary_accuracy_new,                                                             \
        kt_metric_binary_accuracy_args,                                                            \
        KT_METRIC_BINARY_ACCURACY_DEFAULTS,                                                        \
        __VA_ARGS__)
KT_API kt_metric *kt_metric_binary_accuracy_new(const kt_metric_binary_accuracy_args *args);

/** How often the largest prediction is that of the label, one-hot labels. Keras:
 * CategoricalAccuracy.
 *
 *     kt_metric_categorical_accuracy()
 */
#define kt_metric_categorical_accuracy(...)                                                        \
    KT_CALL(kt_metric_categorical_accuracy_new, kt_metric_args, , __VA_ARGS__)
KT_API kt_metric *kt_metric_categorical_accuracy_new(const kt_metric_args *args);

/** The same for labels that are class numbers. Keras: SparseCategoricalAccuracy.
 *
 *     kt_metric_sparse_categorical_accuracy(.name = "accuracy")
 */
#define kt_metric_sparse_categorical_accuracy(...)                                                 \
    KT_CALL(kt_metric_sparse_categorical_accuracy_new, kt_metric_args, , __VA_ARGS__)
KT_API kt_metric *kt_metric_sparse_categorical_accuracy_new(const kt_metric_args *args);

/** How often the label is among the k largest predictions, one-hot labels.
 * Keras: TopKCategoricalAccuracy.
 *
 *     kt_metric_top_k_categorical_accuracy(3)
 */
typedef struct kt_metric_top_k_categorical_accuracy_args {
    size_t size;
    int k; ///< default 5
    KT_METRIC_ARGS
} kt_metric_top_k_categorical_accuracy_args;
#define KT_METRIC_TOP_K_CATEGORICAL_ACCURACY_DEFAULTS .k = 5,
#define kt_metric_top_k_categorical_accuracy(...)                                                  \
    KT_CALL(                                                                                       \
        kt_metric_top_k_categorical_accuracy_new,                                                  \
        kt_metric_top_k_categorical_accuracy_args,                                                 \
        KT_METRIC_TOP_K_CATEGORICAL_ACCURACY_DEFAULTS,                                             \
        __VA_ARGS__)
KT_API kt_metric *kt_metric_top_k_categorical_accuracy_new(
    const kt_metric_top_k_categorical_accuracy_args *args);

/** The same for labels that are class numbers. Keras: SparseTopKCategoricalAccuracy.
 *
 *     kt_metric_sparse_top_k_categorical_accuracy(3)
 */
typedef struct kt_metric_sparse_top_k_categorical_accuracy_args {
    size_t size;
    int k; ///< default 5
    KT_METRIC_ARGS
    bool from_sorted_ids; ///< y_pred holds class numbers, best first, instead of predictions
} kt_metric_sparse_top_k_categorical_accuracy_args;
#define KT_METRIC_SPARSE_TOP_K_CATEGORICAL_ACCURACY_DEFAULTS .k = 5,
#define kt_metric_sparse_top_k_categorical_accuracy(...)                                           \
    KT_CALL(                                                                                       \
        kt_metric_sparse_top_k_categorical_accuracy_new,                                           \
        kt_metric_sparse_top_k_categorical_accuracy_args,                                          \
        KT_METRIC_SPARSE_TOP_K_CATEGORICAL_ACCURACY_DEFAULTS,                                      \
        __VA_ARGS__)
KT_API kt_metric *kt_metric_sparse_top_k_categorical_accuracy_new(
    const kt_metric_sparse_top_k_categorical_accuracy_args *args);

/** The mean of a function of your own: symbolic tensors in, one value for each sample out, made
 * with kt_op_* functions; `data` is yours and must live as long as the metric. Keras: a function
 * in `metrics`, MeanMetricWrapper.
 *
 *     static kt_sym *worst(kt_sym *y_true, kt_sym *y_pred, void *data) {
 *         (void)data;
 *         return kt_op_max(kt_op_abs(kt_op_subtract(y_true, y_pred)), -1, false);
 *     }
 *     kt_model_compile(m, "adam", "mse", .metrics = kt_list(kt_metric_custom(worst)));
 */
typedef kt_sym *kt_metric_fn(kt_sym *y_true, kt_sym *y_pred, void *data);
typedef struct kt_metric_custom_args {
    size_t size;
    kt_metric_fn *fn;
    void *data;
    KT_METRIC_ARGS
    const char *text; ///< set by the macro: the default name is the function's, as in Keras
} kt_metric_custom_args;
#define KT_METRIC_CUSTOM_DEFAULTS(text_) .text = text_,
#define kt_metric_custom(...)                                                                      \
    KT_CALL(                                                                                       \
        kt_metric_custom_new,                                                                      \
        kt_metric_custom_args,                                                                     \
        KT_METRIC_CUSTOM_DEFAULTS(#__VA_ARGS__),                                                   \
        __VA_ARGS__)
KT_API kt_metric *kt_metric_custom_new(const kt_metric_custom_args *args);

/* Regression ----------------------------------------------------------------------------------- */

/** Mean of the loss of that name. Keras: MeanSquaredError; "mse".
 *
 *     kt_metric_mean_squared_error(.name = "mse")
 */
#define kt_metric_mean_squared_error(...)                                                          \
    KT_CALL(kt_metric_mean_squared_error_new, kt_metric_args, , __VA_ARGS__)
KT_API kt_metric *kt_metric_mean_squared_error_new(const kt_metric_args *args);

/** Square root of the mean squared error. Keras: RootMeanSquaredError.
 *
 *     kt_metric_root_mean_squared_error()
 */
#define kt_metric_root_mean_squared_error(...)                                                     \
    KT_CALL(kt_metric_root_mean_squared_error_new, kt_metric_args, , __VA_ARGS__)
KT_API kt_metric *kt_metric_root_mean_squared_error_new(const kt_metric_args *args);

/** Mean of the loss of that name. Keras: MeanAbsoluteError; "mae".
 *
 *     kt_metric_mean_absolute_error()
 */
#define kt_metric_mean_absolute_error(...)                                                         \
    KT_CALL(kt_metric_mean_absolute_error_new, kt_metric_args, , __VA_ARGS__)
KT_API kt_metric *kt_metric_mean_absolute_error_new(const kt_metric_args *args);

/** Mean of the loss of that name. Keras: MeanAbsolutePercentageError; "mape".
 *
 *     kt_metric_mean_absolute_percentage_error()
 */
#define kt_metric_mean_absolute_percentage_error(...)                                              \
    KT_CALL(kt_metric_mean_absolute_percentage_error_new, kt_metric_args, , __VA_ARGS__)
KT_API kt_metric *kt_metric_mean_absolute_percentage_error_new(const kt_metric_args *args);

/** Mean of the loss of that name. Keras: MeanSquaredLogarithmicError; "msle".
 *
 *     kt_metric_mean_squared_logarithmic_error()
 */
#define kt_metric_mean_squared_logarithmic_error(...)                                              \
    KT_CALL(kt_metric_mean_squared_logarithmic_error_new, kt_metric_args, , __VA_ARGS__)
KT_API kt_metric *kt_metric_mean_squared_logarithmic_error_new(const kt_metric_args *args);

/** Mean of the log_cosh loss; its default name is "logcosh". Keras: LogCoshError.
 *
 *     kt_metric_log_cosh_error()
 */
#define kt_metric_log_cosh_error(...)                                                              \
    KT_CALL(kt_metric_log_cosh_error_new, kt_metric_args, , __VA_ARGS__)
KT_API kt_metric *kt_metric_log_cosh_error_new(const kt_metric_args *args);

/** Mean cosine of the angle between y_true and y_pred (the loss has a minus). Keras:
 * CosineSimilarity.
 *
 *     kt_metric_cosine_similarity(.axis = 1)
 */
typedef struct kt_metric_cosine_similarity_args {
    size_t size;
    int axis; ///< default -1
    KT_METRIC_ARGS
} kt_metric_cosine_similarity_args;
#define KT_METRIC_COSINE_SIMILARITY_DEFAULTS .axis = -1,
#define kt_metric_cosine_similarity(...)                                                           \
    KT_CALL(                                                                                       \
        kt_metric_cosine_similarity_new,                                                           \
        kt_metric_cosine_similarity_args,                                                          \
        KT_METRIC_COSINE_SIMILARITY_DEFAULTS,                                                      \
        __VA_ARGS__)
KT_API kt_metric *kt_metric_cosine_similarity_new(const kt_metric_cosine_similarity_args *args);

/** Coefficient of determination, y of shape (batch, outputs). Keras: R2Score.
 *
 *     kt_metric_r2_score("variance_weighted_average")
 */
typedef struct kt_metric_r2_score_args {
    size_t size;
    /** "uniform_average" (default), "variance_weighted_average", NULL: one value for each output */
    const char *class_aggregation;
    int num_regressors; ///< above 0: adjusted for so many independent variables
    KT_METRIC_ARGS
} kt_metric_r2_score_args;
#define KT_METRIC_R2_SCORE_DEFAULTS .class_aggregation = "uniform_average",
#define kt_metric_r2_score(...)                                                                    \
    KT_CALL(                                                                                       \
        kt_metric_r2_score_new, kt_metric_r2_score_args, KT_METRIC_R2_SCORE_DEFAULTS, __VA_ARGS__)
KT_API kt_metric *kt_metric_r2_score_new(const kt_metric_r2_score_args *args);

/** Mean of Pearson's correlation along an axis. Keras: PearsonCorrelation.
 *
 *     kt_metric_pearson_correlation(.axis = 0)
 */
typedef struct kt_metric_correlation_args {
    size_t size;
    int axis; ///< default -1
    KT_METRIC_ARGS
} kt_metric_correlation_args;
#define KT_METRIC_CORRELATION_DEFAULTS .axis = -1,
#define kt_metric_pearson_correlation(...)                                                         \
    KT_CALL(                                                                                       \
        kt_metric_pearson_correlation_new,                                                         \
        kt_metric_correlation_args,                                                                \
        KT_METRIC_CORRELATION_DEFAULTS,                                                            \
        __VA_ARGS__)
KT_API kt_metric *kt_metric_pearson_correlation_new(const kt_metric_correlation_args *args);

/** Mean of the concordance correlation along an axis. Keras: ConcordanceCorrelation.
 *
 *     kt_metric_concordance_correlation()
 */
#define kt_metric_concordance_correlation(...)                                                     \
    KT_CALL(                                                                                       \
        kt_metric_concordance_correlation_new,                                                     \
        kt_metric_correlation_args,                                                                \
        KT_METRIC_CORRELATION_DEFAULTS,                                                            \
        __VA_ARGS__)
KT_API kt_metric *kt_metric_concordance_correlation_new(const kt_metric_correlation_args *args);

/* Losses as metrics: the mean of the loss of that name ----------------------------------------- */

/** Keras: BinaryCrossentropy; "bce".
 *
 *     kt_metric_binary_crossentropy(.from_logits = true)
 */
typedef struct kt_metric_binary_crossentropy_args {
    size_t size;
    bool from_logits;
    double label_smoothing;
    KT_METRIC_ARGS
} kt_metric_binary_crossentropy_args;
#define kt_metric_binary_crossentropy(...)                                                         \
    KT_CALL(kt_metric_binary_crossentropy_new, kt_metric_binary_crossentropy_args, , __VA_ARGS__)
KT_API kt_metric *kt_metric_binary_crossentropy_new(const kt_metric_binary_crossentropy_args *args);

/** Keras: CategoricalCrossentropy.
 *
 *     kt_metric_categorical_crossentropy(.label_smoothing = 0.1)
 */
typedef struct kt_metric_categorical_crossentropy_args {
    size_t size;
    bool from_logits;
    double label_smoothing;
    int axis; ///< default -1
    KT_METRIC_ARGS
} kt_metric_categorical_crossentropy_args;
#define KT_METRIC_CATEGORICAL_CROSSENTROPY_DEFAULTS .axis = -1,
#define kt_metric_categorical_crossentropy(...)                                                    \
    KT_CALL(                                                                                       \
        kt_metric_categorical_crossentropy_new,                                                    \
        kt_metric_categorical_crossentropy_args,                                                   \
        KT_METRIC_CATEGORICAL_CROSSENTROPY_DEFAULTS,                                               \
        __VA_ARGS__)
KT_API kt_metric *kt_metric_categorical_crossentropy_new(
    const kt_metric_categorical_crossentropy_args *args);

/** Keras: SparseCategoricalCrossentropy.
 *
 *     kt_metric_sparse_categorical_crossentropy(.from_logits = true)
 */
typedef struct kt_metric_sparse_categorical_crossentropy_args {
    size_t size;
    bool from_logits;
    int64_t ignore_class; ///< default KT_NONE
    int axis;             ///< default -1
    KT_METRIC_ARGS
} kt_metric_sparse_categorical_crossentropy_args;
#define KT_METRIC_SPARSE_CATEGORICAL_CROSSENTROPY_DEFAULTS .ignore_class = KT_NONE, .axis = -1,
#define kt_metric_sparse_categorical_crossentropy(...)                                             \
    KT_CALL(                                                                                       \
        kt_metric_sparse_categorical_crossentropy_new,                                             \
        kt_metric_sparse_categorical_crossentropy_args,                                            \
        KT_METRIC_SPARSE_CATEGORICAL_CROSSENTROPY_DEFAULTS,                                        \
        __VA_ARGS__)
KT_API kt_metric *kt_metric_sparse_categorical_crossentropy_new(
    const kt_metric_sparse_categorical_crossentropy_args *args);

/** Keras: KLDivergence.
 *
 *     kt_metric_kl_divergence()
 */
#define kt_metric_kl_divergence(...)                                                               \
    KT_CALL(kt_metric_kl_divergence_new, kt_metric_args, , __VA_ARGS__)
KT_API kt_metric *kt_metric_kl_divergence_new(const kt_metric_args *args);

/** Keras: Poisson.
 *
 *     kt_metric_poisson()
 */
#define kt_metric_poisson(...) KT_CALL(kt_metric_poisson_new, kt_metric_args, , __VA_ARGS__)
KT_API kt_metric *kt_metric_poisson_new(const kt_metric_args *args);

/** Keras: Hinge.
 *
 *     kt_metric_hinge()
 */
#define kt_metric_hinge(...) KT_CALL(kt_metric_hinge_new, kt_metric_args, , __VA_ARGS__)
KT_API kt_metric *kt_metric_hinge_new(const kt_metric_args *args);

/** Keras: SquaredHinge.
 *
 *     kt_metric_squared_hinge()
 */
#define kt_metric_squared_hinge(...)                                                               \
    KT_CALL(kt_metric_squared_hinge_new, kt_metric_args, , __VA_ARGS__)
KT_API kt_metric *kt_metric_squared_hinge_new(const kt_metric_args *args);

/** Keras: CategoricalHinge.
 *
 *     kt_metric_categorical_hinge()
 */
#define kt_metric_categorical_hinge(...)                                                           \
    KT_CALL(kt_metric_categorical_hinge_new, kt_metric_args, , __VA_ARGS__)
KT_API kt_metric *kt_metric_categorical_hinge_new(const kt_metric_args *args);

/* Confusion counts ----------------------------------------------------------------------------- */

/** Number (or sum of weights) of true positives at one or more thresholds. Keras: TruePositives.
 *
 *     kt_metric_true_positives(kt_floats(0.3, 0.5))
 */
typedef struct kt_metric_count_args {
    size_t size;
    kt_floats_t thresholds; ///< each in [0, 1]; default one: 0.5
    KT_METRIC_ARGS
} kt_metric_count_args;
#define kt_metric_true_positives(...)                                                              \
    KT_CALL(kt_metric_true_positives_new, kt_metric_count_args, , __VA_ARGS__)
KT_API kt_metric *kt_metric_true_positives_new(const kt_metric_count_args *args);

/** Keras: TrueNegatives.
 *
 *     kt_metric_true_negatives()
 */
#define kt_metric_true_negatives(...)                                                              \
    KT_CALL(kt_metric_true_negatives_new, kt_metric_count_args, , __VA_ARGS__)
KT_API kt_metric *kt_metric_true_negatives_new(const kt_metric_count_args *args);

/** Keras: FalsePositives.
 *
 *     kt_metric_false_positives()
 */
#define kt_metric_false_positives(...)                                                             \
    KT_CALL(kt_metric_false_positives_new, kt_metric_count_args, , __VA_ARGS__)
KT_API kt_metric *kt_metric_false_positives_new(const kt_metric_count_args *args);

/** Keras: FalseNegatives.
 *
 *     kt_metric_false_negatives()
 */
#define kt_metric_false_negatives(...)                                                             \
    KT_CALL(kt_metric_false_negatives_new, kt_metric_count_args, , __VA_ARGS__)
KT_API kt_metric *kt_metric_false_negatives_new(const kt_metric_count_args *args);

/** True positives / predicted positives; with several thresholds a value for each. Keras:
 * Precision.
 *
 *     kt_metric_precision(.top_k = 2, .class_id = 1)
 */
typedef struct kt_metric_precision_args {
    size_t size;
    kt_floats_t thresholds; ///< each in [0, 1]; default one: 0.5, with top_k none
    int64_t top_k;          ///< only the k largest predictions of a row count; default KT_NONE
    int64_t class_id;       ///< only this class counts; default KT_NONE
    KT_METRIC_ARGS
} kt_metric_precision_args;
#define KT_METRIC_PRECISION_DEFAULTS .top_k = KT_NONE, .class_id = KT_NONE,
#define kt_metric_precision(...)                                                                   \
    KT_CALL(                                                                                       \
        kt_metric_precision_new,                                                                   \
        kt_metric_precision_args,                                                                  \
        KT_METRIC_PRECISION_DEFAULTS,                                                              \
        __VA_ARGS__)
KT_API kt_metric *kt_metric_precision_new(const kt_metric_precision_args *args);

/** True positives / positive labels; arguments as for precision. Keras: Recall.
 *
 *     kt_metric_recall(kt_floats(0.7))
 */
#define kt_metric_recall(...)                                                                      \
    KT_CALL(                                                                                       \
        kt_metric_recall_new, kt_metric_precision_args, KT_METRIC_PRECISION_DEFAULTS, __VA_ARGS__)
KT_API kt_metric *kt_metric_recall_new(const kt_metric_precision_args *args);

/** The best precision where recall >= `recall`. Keras: PrecisionAtRecall.
 *
 *     kt_metric_precision_at_recall(0.8)
 */
typedef struct kt_metric_precision_at_recall_args {
    size_t size;
    double recall;      ///< in [0, 1]
    int num_thresholds; ///< default 200
    int64_t class_id;   ///< default KT_NONE
    KT_METRIC_ARGS
} kt_metric_precision_at_recall_args;
#define KT_METRIC_AT_DEFAULTS .num_thresholds = 200, .class_id = KT_NONE,
#define kt_metric_precision_at_recall(...)                                                         \
    KT_CALL(                                                                                       \
        kt_metric_precision_at_recall_new,                                                         \
        kt_metric_precision_at_recall_args,                                                        \
        KT_METRIC_AT_DEFAULTS,                                                                     \
        __VA_ARGS__)
KT_API kt_metric *kt_metric_precision_at_recall_new(const kt_metric_precision_at_recall_args *args);

/** The best recall where precision >= `precision`. Keras: RecallAtPrecision.
 *
 *     kt_metric_recall_at_precision(0.9)
 */
typedef struct kt_metric_recall_at_precision_args {
    size_t size;
    double precision; ///< in [0, 1]
    int num_thresholds;
    int64_t class_id;
    KT_METRIC_ARGS
} kt_metric_recall_at_precision_args;
#define kt_metric_recall_at_precision(...)                                                         \
    KT_CALL(                                                                                       \
        kt_metric_recall_at_precision_new,                                                         \
        kt_metric_recall_at_precision_args,                                                        \
        KT_METRIC_AT_DEFAULTS,                                                                     \
        __VA_ARGS__)
KT_API kt_metric *kt_metric_recall_at_precision_new(const kt_metric_recall_at_precision_args *args);

/** The best sensitivity (recall) where specificity >= `specificity`. Keras:
 * SensitivityAtSpecificity.
 *
 *     kt_metric_sensitivity_at_specificity(0.5)
 */
typedef struct kt_metric_sensitivity_at_specificity_args {
    size_t size;
    double specificity; ///< in [0, 1]
    int num_thresholds;
    int64_t class_id;
    KT_METRIC_ARGS
} kt_metric_sensitivity_at_specificity_args;
#define kt_metric_sensitivity_at_specificity(...)                                                  \
    KT_CALL(                                                                                       \
        kt_metric_sensitivity_at_specificity_new,                                                  \
        kt_metric_sensitivity_at_specificity_args,                                                 \
        KT_METRIC_AT_DEFAULTS,                                                                     \
        __VA_ARGS__)
KT_API kt_metric *kt_metric_sensitivity_at_specificity_new(
    const kt_metric_sensitivity_at_specificity_args *args);

/** The best specificity where sensitivity >= `sensitivity`. Keras: SpecificityAtSensitivity.
 *
 *     kt_metric_specificity_at_sensitivity(0.5)
 */
typedef struct kt_metric_specificity_at_sensitivity_args {
    size_t size;
    double sensitivity; ///< in [0, 1]
    int num_thresholds;
    int64_t class_id;
    KT_METRIC_ARGS
} kt_metric_specificity_at_sensitivity_args;
#define kt_metric_specificity_at_sensitivity(...)                                                  \
    KT_CALL(                                                                                       \
        kt_metric_specificity_at_sensitivity_new,                                                  \
        kt_metric_specificity_at_sensitivity_args,                                                 \
        KT_METRIC_AT_DEFAULTS,                                                                     \
        __VA_ARGS__)
KT_API kt_metric *kt_metric_specificity_at_sensitivity_new(
    const kt_metric_specificity_at_sensitivity_args *args);

/** Area under the ROC or the precision-recall curve. Keras: AUC.
 *
 *     kt_metric_auc(.curve = "PR")
 */
typedef struct kt_metric_auc_args {
    size_t size;
    int num_thresholds;           ///< default 200, > 1
    const char *curve;            ///< "ROC" (default), "PR" or "PRGAIN"
    const char *summation_method; ///< "interpolation" (default), "minoring" or "majoring"
    KT_METRIC_ARGS
    kt_floats_t thresholds; ///< instead of num_thresholds evenly spaced ones; each in [0, 1]
    bool multi_label;       ///< an area for each column of y_pred (batch, labels), then their mean
    int64_t num_labels;     ///< with multi_label; default KT_NONE: from the first batch
    kt_floats_t label_weights; ///< one for each label
    bool from_logits;          ///< y_pred goes through a sigmoid first
} kt_metric_auc_args;
#define KT_METRIC_AUC_DEFAULTS                                                                     \
    .num_thresholds = 200, .curve = "ROC", .summation_method = "interpolation",                    \
    .num_labels = KT_NONE,
#define kt_metric_auc(...)                                                                         \
    KT_CALL(kt_metric_auc_new, kt_metric_auc_args, KT_METRIC_AUC_DEFAULTS, __VA_ARGS__)
KT_API kt_metric *kt_metric_auc_new(const kt_metric_auc_args *args);

/** (1 + beta^2) precision recall / (beta^2 precision + recall) for each class, y of shape
 * (batch, classes). Keras: FBetaScore (its default name is "fbeta_score").
 *
 *     kt_metric_f_beta_score("macro", .beta = 2)
 */
typedef struct kt_metric_f_beta_score_args {
    size_t size;
    const char *average; ///< NULL (default): a value for each class; "micro", "macro", "weighted"
    double beta;         ///< default 1, > 0
    double threshold;    ///< in (0, 1]; default KT_NONE_F: the largest of a row is positive
    KT_METRIC_ARGS
} kt_metric_f_beta_score_args;
#define KT_METRIC_F_BETA_SCORE_DEFAULTS .beta = 1, .threshold = KT_NONE_F,
#define kt_metric_f_beta_score(...)                                                                \
    KT_CALL(                                                                                       \
        kt_metric_f_beta_score_new,                                                                \
        kt_metric_f_beta_score_args,                                                               \
        KT_METRIC_F_BETA_SCORE_DEFAULTS,                                                           \
        __VA_ARGS__)
KT_API kt_metric *kt_metric_f_beta_score_new(const kt_metric_f_beta_score_args *args);

/** The same with beta 1. Keras: F1Score.
 *
 *     kt_metric_f1_score("micro")
 */
typedef struct kt_metric_f1_score_args {
    size_t size;
    const char *average;
    double threshold;
    KT_METRIC_ARGS
} kt_metric_f1_score_args;
#define KT_METRIC_F1_SCORE_DEFAULTS .threshold = KT_NONE_F,
#define kt_metric_f1_score(...)                                                                    \
    KT_CALL(                                                                                       \
        kt_metric_f1_score_new, kt_metric_f1_score_args, KT_METRIC_F1_SCORE_DEFAULTS, __VA_ARGS__)
KT_API kt_metric *kt_metric_f1_score_new(const kt_metric_f1_score_args *args);

/* Intersection over union ---------------------------------------------------------------------- */

/** Intersection over union, mean over some classes. Keras: IoU. The counts are integers (int64)
 * unless `dtype` says otherwise, and sample weights are truncated to them, as in Keras.
 *
 *     kt_metric_io_u(4, kt_floats(0, 2))
 */
typedef struct kt_metric_io_u_args {
    size_t size;
    int num_classes;
    kt_floats_t target_class_ids; ///< class numbers
    KT_METRIC_ARGS
    int64_t ignore_class; ///< labels that do not count; default KT_NONE
    bool sparse_y_true;   ///< default true: labels are class numbers; false: the largest on `axis`
    bool sparse_y_pred;   ///< default true: so are the predictions
    int axis;             ///< default -1
} kt_metric_io_u_args;
#define KT_METRIC_IO_U_DEFAULTS                                                                    \
    .ignore_class = KT_NONE, .sparse_y_true = true, .sparse_y_pred = true, .axis = -1,
#define kt_metric_io_u(...)                                                                        \
    KT_CALL(kt_metric_io_u_new, kt_metric_io_u_args, KT_METRIC_IO_U_DEFAULTS, __VA_ARGS__)
KT_API kt_metric *kt_metric_io_u_new(const kt_metric_io_u_args *args);

/** The same over all classes. Keras: MeanIoU.
 *
 *     kt_metric_mean_io_u(4)
 */
typedef struct kt_metric_mean_io_u_args {
    size_t size;
    int num_classes;
    KT_METRIC_ARGS
    int64_t ignore_class;
    bool sparse_y_true, sparse_y_pred;
    int axis;
} kt_metric_mean_io_u_args;
#define kt_metric_mean_io_u(...)                                                                   \
    KT_CALL(kt_metric_mean_io_u_new, kt_metric_mean_io_u_args, KT_METRIC_IO_U_DEFAULTS, __VA_ARGS__)
KT_API kt_metric *kt_metric_mean_io_u_new(const kt_metric_mean_io_u_args *args);

/** For labels 0 and 1: class 1 is y_pred >= threshold. Keras: BinaryIoU.
 *
 *     kt_metric_binary_io_u(kt_floats(1), 0.3)
 */
typedef struct kt_metric_binary_io_u_args {
    size_t size;
    kt_floats_t target_class_ids; ///< default 0 and 1
    double threshold;             ///< default 0.5
    KT_METRIC_ARGS
} kt_metric_binary_io_u_args;
#define KT_METRIC_BINARY_IO_U_DEFAULTS .threshold = 0.5,
#define kt_metric_binary_io_u(...)                                                                 \
    KT_CALL(                                                                                       \
        kt_metric_binary_io_u_new,                                                                 \
        kt_metric_binary_io_u_args,                                                                \
        KT_METRIC_BINARY_IO_U_DEFAULTS,                                                            \
        __VA_ARGS__)
KT_API kt_metric *kt_metric_binary_io_u_new(const kt_metric_binary_io_u_args *args);

/** For one-hot labels. Keras: OneHotIoU.
 *
 *     kt_metric_one_hot_io_u(4, kt_floats(0, 2))
 */
typedef struct kt_metric_one_hot_io_u_args {
    size_t size;
    int num_classes;
    kt_floats_t target_class_ids;
    KT_METRIC_ARGS
    int64_t ignore_class;
    bool sparse_y_pred; ///< default false
    int axis;
} kt_metric_one_hot_io_u_args;
#define KT_METRIC_ONE_HOT_IO_U_DEFAULTS .ignore_class = KT_NONE, .axis = -1,
#define kt_metric_one_hot_io_u(...)                                                                \
    KT_CALL(                                                                                       \
        kt_metric_one_hot_io_u_new,                                                                \
        kt_metric_one_hot_io_u_args,                                                               \
        KT_METRIC_ONE_HOT_IO_U_DEFAULTS,                                                           \
        __VA_ARGS__)
KT_API kt_metric *kt_metric_one_hot_io_u_new(const kt_metric_one_hot_io_u_args *args);

/** For one-hot labels, over all classes. Keras: OneHotMeanIoU.
 *
 *     kt_metric_one_hot_mean_io_u(4)
 */
typedef struct kt_metric_one_hot_mean_io_u_args {
    size_t size;
    int num_classes;
    KT_METRIC_ARGS
    int64_t ignore_class;
    bool sparse_y_pred; ///< default false
    int axis;
} kt_metric_one_hot_mean_io_u_args;
#define kt_metric_one_hot_mean_io_u(...)                                                           \
    KT_CALL(                                                                                       \
        kt_metric_one_hot_mean_io_u_new,                                                           \
        kt_metric_one_hot_mean_io_u_args,                                                          \
        KT_METRIC_ONE_HOT_IO_U_DEFAULTS,                                                           \
        __VA_ARGS__)
KT_API kt_metric *kt_metric_one_hot_mean_io_u_new(const kt_metric_one_hot_mean_io_u_args *args);

#ifdef __cplusplus
}
#endif
#endif
