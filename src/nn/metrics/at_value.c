/* The best value of one ratio over all thresholds at which another is at least as given, 0 if there
 * is none. Sensitivity = recall = TP / (TP + FN), precision = TP / (TP + FP), specificity =
 * TN / (TN + FP).
 *
 * Keras: PrecisionAtRecall, RecallAtPrecision, SensitivityAtSpecificity,
 * SpecificityAtSensitivity. */
#include "nn/metrics/confusion.h"

static const int all_kinds[] = {KT_TP, KT_FP, KT_TN, KT_FN, -1};

static kt_status at_init(
    kt_component *c, const char *what, double value, int num_thresholds, int64_t class_id) {
    kt_confusion *q = kt_confusion_of(c);
    if (!(value >= 0 && value <= 1))
        return KT_FAIL(KT_EINVAL, "%s: expected a number in [0, 1], got %g", what, value);
    if (num_thresholds < 1)
        return KT_FAIL(
            KT_EINVAL, "num_thresholds: expected a positive integer, got %d", num_thresholds);
    const kt_status st = num_thresholds == 1 ? kt_confusion_init(q, (kt_floats_t){NULL, 0}, 0.5)
                                             : kt_confusion_spread(q, num_thresholds, 0);
    q->class_id = class_id;
    return st ? st : kt_metric_init(c, NULL);
}

static kt_status at_build(kt_component *c, const kt_shape *t, const kt_shape *p) {
    (void)t, (void)p;
    return kt_confusion_build(c, all_kinds, 0);
}

static kt_sym *precision_of(const kt_component *c) { return kt_confusion_ratio(c, KT_TP, KT_FP); }

static kt_sym *recall_of(const kt_component *c) { return kt_confusion_ratio(c, KT_TP, KT_FN); }

static kt_sym *specificity_of(const kt_component *c) { return kt_confusion_ratio(c, KT_TN, KT_FP); }

static kt_sym *best_where(kt_sym *constrained, double least, kt_sym *wanted) {
    kt_sym *feasible = kt_op_greater_equal(constrained, kt_num(least));
    return kt_op_max(kt_op_where(feasible, wanted, kt_num(0)), KT_NONE, false);
}

#define AT_VALUE(x, camel, value, constrained, wanted)                                             \
    static const kt_metric_##x##_args x##_defaults = {                                             \
        .size = sizeof(kt_metric_##x##_args), KT_METRIC_AT_DEFAULTS};                              \
    static kt_status x##_init(kt_component *c) {                                                   \
        const kt_metric_##x##_args *a = kt_args_of(c);                                             \
        return at_init(c, #value, a->value, a->num_thresholds, a->class_id);                       \
    }                                                                                              \
    static kt_sym *x##_result(kt_component *c) {                                                   \
        const kt_metric_##x##_args *a = kt_args_of(c);                                             \
        return best_where(constrained(c), a->value, wanted(c));                                    \
    }                                                                                              \
    static const kt_field x##_fields[] = {                                                         \
        KT_F(kt_metric_##x##_args, value),                                                         \
        KT_F(kt_metric_##x##_args, num_thresholds),                                                \
        KT_F(kt_metric_##x##_args, class_id),                                                      \
        KT_METRIC_FIELDS(kt_metric_##x##_args)};                                                   \
    const kt_metric_def kt_metric_def_##x = {                                                      \
        .base =                                                                                    \
            {.base =                                                                               \
                 {.kind = KT_KIND_METRIC,                                                          \
                  .name = camel,                                                                   \
                  .args_size = sizeof(kt_metric_##x##_args),                                       \
                  .state_size = sizeof(kt_confusion_state),                                        \
                  .fields = x##_fields,                                                            \
                  .defaults = &x##_defaults,                                                       \
                  .needs_arguments = true,                                                         \
                  .init = x##_init,                                                                \
                  .destroy = kt_confusion_destroy},                                                \
             .build = at_build,                                                                    \
             .update = kt_confusion_update,                                                        \
             .result = x##_result},                                                                \
        .direction = 1};                                                                           \
    kt_metric *kt_metric_##x##_new(const kt_metric_##x##_args *args) {                             \
        return kt_component_new(&kt_metric_def_##x.base.base, args);                               \
    }

AT_VALUE(precision_at_recall, "PrecisionAtRecall", recall, recall_of, precision_of)
AT_VALUE(recall_at_precision, "RecallAtPrecision", precision, precision_of, recall_of)
AT_VALUE(
    sensitivity_at_specificity, "SensitivityAtSpecificity", specificity, specificity_of, recall_of)
AT_VALUE(
    specificity_at_sensitivity, "SpecificityAtSensitivity", sensitivity, recall_of, specificity_of)
