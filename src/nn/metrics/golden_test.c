/* Every metric against real Keras (tests/golden/metrics.npz): its value after each of three
 * batches of different sizes, with and without weights or masks, and its variables at the end. */
#include "io/npz.h"
#include "nn/metrics/metric.h"
#include "runtime/program.h"
#include "testing/kt_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RTOL 1e-5
#define ATOL 1e-6
#define STATE_ATOL 1e-5 /* Keras subtracts sums of weights from each other, and leaves 2e-6 */

/* Case, data, metric. */
#define CASES(X)                                                                                   \
    X("Mean", "any3", kt_metric_mean())                                                            \
    X("Mean.scalar", "scalars", kt_metric_mean())                                                  \
    X("Sum", "any3", kt_metric_sum())                                                              \
    X("Sum.scalar", "scalars", kt_metric_sum())                                                    \
    X("MeanSquaredError", "reg", kt_metric_mean_squared_error())                                   \
    X("RootMeanSquaredError", "reg", kt_metric_root_mean_squared_error())                          \
    X("MeanAbsoluteError", "reg", kt_metric_mean_absolute_error())                                 \
    X("MeanAbsolutePercentageError", "reg", kt_metric_mean_absolute_percentage_error())            \
    X("LogCoshError", "reg", kt_metric_log_cosh_error())                                           \
    X("CosineSimilarity", "reg", kt_metric_cosine_similarity())                                    \
    X("MeanSquaredLogarithmicError", "pos", kt_metric_mean_squared_logarithmic_error())            \
    X("Poisson", "pos", kt_metric_poisson())                                                       \
    X("CosineSimilarity.axis_0", "reg_axis_0", kt_metric_cosine_similarity(0))                     \
    X("MeanSquaredError.ranks", "ranks", kt_metric_mean_squared_error())                           \
    X("MeanSquaredError.3d", "cube", kt_metric_mean_squared_error())                               \
    X("MeanSquaredError.mask", "masked", kt_metric_mean_squared_error())                           \
    X("R2Score.uniform_average", "near", kt_metric_r2_score())                                     \
    X("R2Score.variance_weighted_average",                                                         \
      "near",                                                                                      \
      kt_metric_r2_score("variance_weighted_average"))                                             \
    X("R2Score.none", "near", kt_metric_r2_score(NULL))                                            \
    X("R2Score.adjusted", "near", kt_metric_r2_score(.num_regressors = 2))                         \
    X("PearsonCorrelation", "near", kt_metric_pearson_correlation())                               \
    X("PearsonCorrelation.axis_0", "near", kt_metric_pearson_correlation(0))                       \
    X("ConcordanceCorrelation", "near", kt_metric_concordance_correlation())                       \
    X("ConcordanceCorrelation.axis_0", "near", kt_metric_concordance_correlation(.axis = 0))       \
    X("BinaryAccuracy", "binary", kt_metric_binary_accuracy())                                     \
    X("BinaryAccuracy.threshold", "binary", kt_metric_binary_accuracy(0.3))                        \
    X("BinaryAccuracy.one_output", "one", kt_metric_binary_accuracy())                             \
    X("BinaryAccuracy.at_threshold", "at_threshold", kt_metric_binary_accuracy())                  \
    X("BinaryCrossentropy", "binary", kt_metric_binary_crossentropy())                             \
    X("BinaryCrossentropy.logits", "binlogits", kt_metric_binary_crossentropy(true))               \
    X("BinaryCrossentropy.smoothing",                                                              \
      "binary",                                                                                    \
      kt_metric_binary_crossentropy(.label_smoothing = 0.2))                                       \
    X("Hinge", "signs", kt_metric_hinge())                                                         \
    X("Hinge.zero_one", "binlogits", kt_metric_hinge())                                            \
    X("SquaredHinge", "signs", kt_metric_squared_hinge())                                          \
    X("Accuracy", "equal", kt_metric_accuracy())                                                   \
    X("CategoricalAccuracy", "categorical", kt_metric_categorical_accuracy())                      \
    X("CategoricalAccuracy.ties", "ties", kt_metric_categorical_accuracy())                        \
    X("SparseCategoricalAccuracy", "sparse", kt_metric_sparse_categorical_accuracy())              \
    X("SparseCategoricalAccuracy.column", "column", kt_metric_sparse_categorical_accuracy())       \
    X("SparseCategoricalAccuracy.steps", "steps", kt_metric_sparse_categorical_accuracy())         \
    X("TopKCategoricalAccuracy.1", "categorical", kt_metric_top_k_categorical_accuracy(1))         \
    X("TopKCategoricalAccuracy.2", "categorical", kt_metric_top_k_categorical_accuracy(2))         \
    X("TopKCategoricalAccuracy.3", "categorical", kt_metric_top_k_categorical_accuracy(3))         \
    X("SparseTopKCategoricalAccuracy.1", "sparse", kt_metric_sparse_top_k_categorical_accuracy(1)) \
    X("SparseTopKCategoricalAccuracy.2", "sparse", kt_metric_sparse_top_k_categorical_accuracy(2)) \
    X("SparseTopKCategoricalAccuracy.3", "sparse", kt_metric_sparse_top_k_categorical_accuracy(3)) \
    X("TopKCategoricalAccuracy.ties", "ties", kt_metric_top_k_categorical_accuracy(1))             \
    X("TopKCategoricalAccuracy.default", "wide", kt_metric_top_k_categorical_accuracy())           \
    X("SparseTopKCategoricalAccuracy.sorted_ids",                                                  \
      "best_ids",                                                                                  \
      kt_metric_sparse_top_k_categorical_accuracy(2, .from_sorted_ids = true))                     \
    X("CategoricalCrossentropy", "categorical", kt_metric_categorical_crossentropy())              \
    X("CategoricalCrossentropy.logits",                                                            \
      "catlogits",                                                                                 \
      kt_metric_categorical_crossentropy(true, 0.1))                                               \
    X("SparseCategoricalCrossentropy", "sparse", kt_metric_sparse_categorical_crossentropy())      \
    X("SparseCategoricalCrossentropy.logits",                                                      \
      "sparse_logits",                                                                             \
      kt_metric_sparse_categorical_crossentropy(true))                                             \
    X("SparseCategoricalCrossentropy.ignore_class",                                                \
      "sparse",                                                                                    \
      kt_metric_sparse_categorical_crossentropy(.ignore_class = 1))                                \
    X("KLDivergence", "two", kt_metric_kl_divergence())                                            \
    X("CategoricalHinge", "catlogits", kt_metric_categorical_hinge())                              \
    X("TruePositives", "binary", kt_metric_true_positives())                                       \
    X("TruePositives.thresholds", "binary", kt_metric_true_positives(kt_floats(0.2, 0.5, 0.8)))    \
    X("TrueNegatives", "binary", kt_metric_true_negatives())                                       \
    X("TrueNegatives.thresholds", "binary", kt_metric_true_negatives(kt_floats(0.2, 0.5, 0.8)))    \
    X("FalsePositives", "binary", kt_metric_false_positives())                                     \
    X("FalsePositives.thresholds", "binary", kt_metric_false_positives(kt_floats(0.2, 0.5, 0.8)))  \
    X("FalseNegatives", "binary", kt_metric_false_negatives())                                     \
    X("FalseNegatives.thresholds", "binary", kt_metric_false_negatives(kt_floats(0.2, 0.5, 0.8)))  \
    X("Precision", "binary", kt_metric_precision())                                                \
    X("Precision.threshold", "binary", kt_metric_precision(kt_floats(0.7)))                        \
    X("Precision.thresholds", "binary", kt_metric_precision(kt_floats(0, 0.3, 0.6, 1)))            \
    X("Precision.top_k", "categorical", kt_metric_precision(.top_k = 2))                           \
    X("Precision.class_id", "categorical", kt_metric_precision(.class_id = 1))                     \
    X("Precision.top_k_class_id", "categorical", kt_metric_precision(.top_k = 2, .class_id = 0))   \
    X("Precision.none_positive", "nothing", kt_metric_precision())                                 \
    X("Recall", "binary", kt_metric_recall())                                                      \
    X("Recall.threshold", "binary", kt_metric_recall(kt_floats(0.7)))                              \
    X("Recall.thresholds", "binary", kt_metric_recall(kt_floats(0, 0.3, 0.6, 1)))                  \
    X("Recall.top_k", "categorical", kt_metric_recall(.top_k = 2))                                 \
    X("Recall.class_id", "categorical", kt_metric_recall(.class_id = 1))                           \
    X("Recall.top_k_class_id", "categorical", kt_metric_recall(.top_k = 2, .class_id = 0))         \
    X("Recall.none_positive", "nothing", kt_metric_recall())                                       \
    X("SensitivityAtSpecificity", "one", kt_metric_sensitivity_at_specificity(0.5))                \
    X("SensitivityAtSpecificity.one", "binary", kt_metric_sensitivity_at_specificity(0.5, 1))      \
    X("SpecificityAtSensitivity", "one", kt_metric_specificity_at_sensitivity(0.6))                \
    X("PrecisionAtRecall", "one", kt_metric_precision_at_recall(0.5))                              \
    X("PrecisionAtRecall.few", "binary", kt_metric_precision_at_recall(0.8, 5))                    \
    X("RecallAtPrecision", "one", kt_metric_recall_at_precision(0.6))                              \
    X("RecallAtPrecision.class_id",                                                                \
      "categorical",                                                                               \
      kt_metric_recall_at_precision(0.4, .class_id = 2))                                           \
    X("AUC.ROC.interpolation", "binary", kt_metric_auc(20))                                        \
    X("AUC.ROC.minoring", "binary", kt_metric_auc(20, .summation_method = "minoring"))             \
    X("AUC.ROC.majoring", "binary", kt_metric_auc(20, "ROC", "majoring"))                          \
    X("AUC.ROC", "binary", kt_metric_auc())                                                        \
    X("AUC.ROC.edges", "edges", kt_metric_auc(11))                                                 \
    X("AUC.ROC.only_ones", "only_ones", kt_metric_auc(5))                                          \
    X("AUC.PR.interpolation", "binary", kt_metric_auc(20, "PR"))                                   \
    X("AUC.PR.minoring", "binary", kt_metric_auc(20, "PR", "minoring"))                            \
    X("AUC.PR.majoring", "binary", kt_metric_auc(20, "PR", "majoring"))                            \
    X("AUC.PR", "binary", kt_metric_auc(.curve = "pr"))                                            \
    X("AUC.PR.edges", "edges", kt_metric_auc(11, "PR"))                                            \
    X("AUC.PR.only_ones", "only_ones", kt_metric_auc(5, "PR"))                                     \
    X("AUC.thresholds", "binary", kt_metric_auc(.thresholds = kt_floats(0.1, 0.25, 0.6)))          \
    X("AUC.thresholds_even", "binary", kt_metric_auc(.thresholds = kt_floats(0.25, 0.5, 0.75)))    \
    X("AUC.logits", "binlogits", kt_metric_auc(10, .from_logits = true))                           \
    X("AUC.multi_label", "binary", kt_metric_auc(10, .multi_label = true))                         \
    X("AUC.multi_label_weights",                                                                   \
      "binary",                                                                                    \
      kt_metric_auc(                                                                               \
          10, .multi_label = true, .num_labels = 3, .label_weights = kt_floats(0.2, 0.5, 0.3)))    \
    X("F1Score.none", "categorical", kt_metric_f1_score())                                         \
    X("F1Score.micro", "categorical", kt_metric_f1_score("micro"))                                 \
    X("F1Score.macro", "categorical", kt_metric_f1_score("macro"))                                 \
    X("F1Score.weighted", "categorical", kt_metric_f1_score("weighted"))                           \
    X("FBetaScore.none", "binary", kt_metric_f_beta_score(NULL, 2, 0.4))                           \
    X("FBetaScore.micro", "binary", kt_metric_f_beta_score("micro", 2, 0.4))                       \
    X("FBetaScore.macro", "binary", kt_metric_f_beta_score("macro", 2, 0.4))                       \
    X("FBetaScore.weighted", "binary", kt_metric_f_beta_score("weighted", 2, 0.4))                 \
    X("FBetaScore.half", "categorical", kt_metric_f_beta_score(.beta = 0.5))                       \
    X("IoU", "ids", kt_metric_io_u(4, kt_floats(0)))                                               \
    X("IoU.two", "ids", kt_metric_io_u(4, kt_floats(1, 3)))                                        \
    X("IoU.dense", "steps", kt_metric_io_u(4, kt_floats(0, 2), .sparse_y_pred = false))            \
    X("MeanIoU", "ids", kt_metric_mean_io_u(4))                                                    \
    X("MeanIoU.ignore_class", "ids", kt_metric_mean_io_u(4, .ignore_class = 1))                    \
    X("MeanIoU.absent_class", "ids", kt_metric_mean_io_u(6))                                       \
    X("IoU.float", "ids", kt_metric_io_u(4, kt_floats(0, 2), .dtype = "float32"))                  \
    X("MeanIoU.float", "ids", kt_metric_mean_io_u(4, .dtype = "float32"))                          \
    X("BinaryIoU", "binary_each", kt_metric_binary_io_u())                                         \
    X("BinaryIoU.one", "binary_each", kt_metric_binary_io_u(kt_floats(1), 0.3))                    \
    X("OneHotIoU", "onehot", kt_metric_one_hot_io_u(4, kt_floats(0, 2)))                           \
    X("OneHotMeanIoU", "onehot", kt_metric_one_hot_mean_io_u(4))                                   \
    X("OneHotMeanIoU.sparse_pred",                                                                 \
      "onehot_ids",                                                                                \
      kt_metric_one_hot_mean_io_u(4, .sparse_y_pred = true))

static const struct {
    const char *name, *data;
} cases[] = {
#define NAME(name, data, make) {name, data},
    CASES(NAME)
#undef NAME
};

static kt_metric *make_metric(const char *name) {
#define MAKE(name_, data, make)                                                                    \
    if (!strcmp(name, name_)) return make;
    CASES(MAKE)
#undef MAKE
    return NULL;
}

typedef struct {
    kt_npz *npz;
    const char *name; ///< of the case
    int failures;
} golden;

/* An array, NULL if there is none of that name. */
static kt_tensor *member(const golden *g, const char *of, const char *part, int i) {
    char path[160];
    if (i < 0)
        snprintf(path, sizeof path, "%s/%s", of, part);
    else
        snprintf(path, sizeof path, "%s/%s%d", of, part, i);
    for (int k = 0; k < kt_npz_count(g->npz); k++)
        if (!strcmp(kt_npz_name(g->npz, k), path)) return kt_npz_read(g->npz, path);
    return NULL;
}

static void compare(
    golden *g,
    const char *what,
    const double *got,
    const kt_tensor *want,
    int64_t at,
    int64_t n,
    double atol) {
    for (int64_t i = 0; i < n; i++) {
        const double w = kt_tensor_get(want, at + i), d = got[i] - w;
        const double allowed = atol + RTOL * (w < 0 ? -w : w);
        if (d <= allowed && -d <= allowed) continue;
        print_message(
            "%s %s [%lld]: %.9g, want %.9g\n", g->name, what, (long long)(at + i), got[i], w);
        g->failures++;
        return;
    }
}

static kt_sym *input(kt_graph *g, const kt_tensor *t) {
    return t ? kt_wrap(kt_g_input(g, (kt_spec){kt_tensor_dtype(t), kt_tensor_shape(t)})) : NULL;
}

static void feed(kt_cpu_run *run, int *at, const kt_tensor *t) {
    if (t) memcpy(kt_cpu_input(run, (*at)++), kt_tensor_data(t), kt_tensor_bytes(t));
}

/* One batch in a program of its own; out: the metric's value, of n elements. */
static int64_t update(
    kt_metric *m,
    const kt_tensor *y_true,
    const kt_tensor *y_pred,
    const kt_tensor *weight,
    const kt_tensor *mask,
    double *out) {
    kt_graph *g = kt_graph_new();
    kt_tracer t;
    kt_tracer_begin(&t, g, true, NULL);
    kt_sym *st = input(g, y_true), *sp = input(g, y_pred), *sw = input(g, weight);
    kt_sym *sm = input(g, mask);
    if (sm) sp->mask = sm;
    if (kt_metric_update(m, st, sp, sw)) fail_msg("%s", kt_error_message());
    kt_sym *result = kt_metric_result(m);
    if (kt_failed(result)) fail_msg("%s", kt_error_message());
    assert_int_equal(kt_vec_push(&g->outputs, kt_unwrap(result, NULL)), KT_OK);
    assert_int_equal(kt_tracer_end(&t), KT_OK);

    kt_program *program = NULL;
    kt_cpu_run *run = NULL;
    assert_int_equal(kt_program_new(g, &program), KT_OK);
    assert_int_equal(kt_program_acquire(program, &run), KT_OK);
    int at = 0;
    feed(run, &at, y_true);
    feed(run, &at, y_pred);
    feed(run, &at, weight);
    feed(run, &at, mask);
    if (kt_cpu_execute(run)) fail_msg("%s", kt_error_message());
    const kt_spec *spec = &kt_program_graph(program)->outputs.v[0]->spec;
    const int64_t n = kt_shape_size(&spec->shape);
    assert_true(n <= 32);
    for (int64_t i = 0; i < n; i++) out[i] = kt_elem_get(kt_cpu_output(run, 0), spec->dtype, i);
    kt_program_release(program, run);
    kt_program_free(program);
    return n;
}

static void check_state(golden *g, const kt_metric *m, bool weighted) {
    const char *part = weighted ? "weighted_state" : "state";
    for (int i = 0; i < kt_metric_n_vars(m); i++) {
        kt_tensor *want = member(g, g->name, part, i);
        const kt_var *v = kt_metric_var(m, i);
        assert_non_null(want);
        const kt_shape shape = kt_tensor_shape(want);
        if (!kt_shape_equal(&shape, &v->spec.shape) || kt_tensor_dtype(want) != v->spec.dtype)
            fail_msg("%s: variable %s", g->name, v->name);
        const int64_t n = kt_shape_size(&shape);
        double *values = calloc((size_t)n + 1, sizeof *values);
        kt_var_read(v, values, KT_FLOAT64);
        compare(g, v->name, values, want, 0, n, STATE_ATOL);
        free(values);
    }
    assert_null(member(g, g->name, part, kt_metric_n_vars(m)));
}

static void check(golden *g, const char *data, bool weighted) {
    kt_tensor *want = member(g, g->name, weighted ? "weighted" : "result", -1);
    if (!want) return;
    kt_metric *m = kt_adopt(make_metric(g->name));
    if (kt_failed(m)) fail_msg("%s: %s", g->name, kt_error_message());
    for (int again = 0; again < 2; again++) { /* and once more after a reset */
        for (int i = 0; i < 3; i++) {
            double got[32];
            kt_tensor *weight = weighted ? member(g, data, "weight", i) : NULL;
            const int64_t n = update(
                m,
                member(g, data, "y_true", i),
                member(g, data, "y_pred", i),
                weight,
                member(g, data, "mask", i),
                got);
            assert_int_equal(n * 3, kt_tensor_size(want));
            compare(g, weighted ? "weighted" : "result", got, want, i * n, n, ATOL);
        }
        check_state(g, m, weighted);
        kt_metric_reset(m);
    }
    kt_release(m);
}

KT_TEST(metrics, golden) {
    golden g = {NULL, NULL, 0};
    assert_int_equal(kt_npz_open(&g.npz, "tests/golden/metrics.npz"), KT_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        g.name = cases[i].name;
        check(&g, cases[i].data, false);
        check(&g, cases[i].data, true);
        kt_clear_session();
    }
    kt_npz_close(g.npz);
    assert_int_equal(g.failures, 0);
}

/* A case added to the golden file must be added here. */
KT_TEST(metrics, golden_cases_are_all_tested) {
    kt_npz *npz = NULL;
    int missing = 0;
    assert_int_equal(kt_npz_open(&npz, "tests/golden/metrics.npz"), KT_OK);
    for (int i = 0; i < kt_npz_count(npz); i++) {
        const char *name = kt_npz_name(npz, i), *slash = strchr(name, '/');
        if (!slash || strcmp(slash, "/result") != 0) continue;
        bool found = false;
        for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
            found = found || (strlen(cases[k].name) == (size_t)(slash - name) &&
                              !strncmp(cases[k].name, name, (size_t)(slash - name)));
        if (!found) print_message("not tested: %s\n", name);
        missing += !found;
    }
    kt_npz_close(npz);
    assert_int_equal(missing, 0);
}
