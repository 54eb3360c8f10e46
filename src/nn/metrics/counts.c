/* true_positives, true_negatives, false_positives, false_negatives: one count for each threshold.
 * Keras: TruePositives, TrueNegatives, FalsePositives, FalseNegatives. */
#include "nn/metrics/confusion.h"

typedef kt_metric_count_args count_args;

static kt_status count_init(kt_component *c) {
    const kt_status st = kt_confusion_init(
        kt_confusion_of(c), ((const count_args *)kt_args_of(c))->thresholds, 0.5);
    return st ? st : kt_metric_init(c, NULL);
}

static kt_status count_build(kt_component *c, int kind) {
    kt_confusion *q = kt_confusion_of(c);
    if (kt_metric_n_vars(c)) return KT_OK;
    q->at[kind] = 0;
    return kt_metric_add_var(
        c, "accumulator", kt_metric_dtype(c, KT_NO_DTYPE), (kt_shape){1, {q->n}});
}

static kt_sym *count_result(kt_component *c) {
    kt_sym *v = kt_metric_value(c, 0);
    return kt_confusion_of(c)->n == 1 ? kt_op_squeeze(v, 0) : v;
}

static const kt_field count_fields[] = {KT_F(count_args, thresholds), KT_METRIC_FIELDS(count_args)};
static const count_args count_defaults = {.size = sizeof(count_args)};

#define COUNT(x, camel, which)                                                                     \
    static kt_status x##_build(kt_component *c, const kt_shape *t, const kt_shape *p) {            \
        (void)t, (void)p;                                                                          \
        return count_build(c, which);                                                              \
    }                                                                                              \
    const kt_metric_def kt_metric_def_##x = {                                                      \
        .base = {                                                                                  \
            .base =                                                                                \
                {.kind = KT_KIND_METRIC,                                                           \
                 .name = camel,                                                                    \
                 .args_size = sizeof(count_args),                                                  \
                 .state_size = sizeof(kt_confusion_state),                                         \
                 .fields = count_fields,                                                           \
                 .defaults = &count_defaults,                                                      \
                 .init = count_init,                                                               \
                 .destroy = kt_confusion_destroy},                                                 \
            .build = x##_build,                                                                    \
            .update = kt_confusion_update,                                                         \
            .result = count_result}};                                                              \
    kt_metric *kt_metric_##x##_new(const kt_metric_count_args *args) {                             \
        return kt_component_new(&kt_metric_def_##x.base.base, args);                               \
    }

COUNT(true_positives, "TruePositives", KT_TP)
COUNT(true_negatives, "TrueNegatives", KT_TN)
COUNT(false_positives, "FalsePositives", KT_FP)
COUNT(false_negatives, "FalseNegatives", KT_FN)
