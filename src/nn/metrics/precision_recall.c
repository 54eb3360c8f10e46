/* precision: TP / (TP + FP); recall: TP / (TP + FN); at each threshold, 0 where nothing is
 * positive. With top_k only the k largest predictions of a row can be positive, and any of them is
 * (no threshold) unless one is given. Keras: Precision, Recall. */
#include "nn/metrics/confusion.h"

typedef kt_metric_precision_args precision_args;

static const int precision_kinds[] = {KT_TP, KT_FP, -1}, recall_kinds[] = {KT_TP, KT_FN, -1};

static kt_status precision_init(kt_component *c) {
    const precision_args *a = kt_args_of(c);
    kt_confusion *q = kt_confusion_of(c);
    if (a->top_k != KT_NONE && a->top_k < 1)
        return KT_FAIL(
            KT_EINVAL, "top_k: expected a positive integer, got %lld", (long long)a->top_k);
    const kt_status st = kt_confusion_init(q, a->thresholds, a->top_k == KT_NONE ? 0.5 : -1e10);
    if (st) return st;
    q->top_k = a->top_k;
    q->class_id = a->class_id;
    return kt_metric_init(c, NULL);
}

static kt_status precision_build(kt_component *c, const kt_shape *t, const kt_shape *p) {
    (void)t, (void)p;
    return kt_confusion_build(c, precision_kinds, 0);
}

static kt_status recall_build(kt_component *c, const kt_shape *t, const kt_shape *p) {
    (void)t, (void)p;
    return kt_confusion_build(c, recall_kinds, 0);
}

static kt_sym *ratio(const kt_component *c, int other) {
    kt_sym *v = kt_confusion_ratio(c, KT_TP, other);
    return kt_confusion_of(c)->n == 1 ? kt_op_squeeze(v, 0) : v;
}

static kt_sym *precision_result(kt_component *c) { return ratio(c, KT_FP); }

static kt_sym *recall_result(kt_component *c) { return ratio(c, KT_FN); }

static const kt_field precision_fields[] = {
    KT_F(precision_args, thresholds),
    KT_F(precision_args, top_k),
    KT_F(precision_args, class_id),
    KT_METRIC_FIELDS(precision_args)};
static const precision_args precision_defaults = {
    .size = sizeof(precision_args), KT_METRIC_PRECISION_DEFAULTS};

#define PRECISION_BASE                                                                             \
    .kind = KT_KIND_METRIC, .args_size = sizeof(precision_args),                                   \
    .state_size = sizeof(kt_confusion_state), .fields = precision_fields,                          \
    .defaults = &precision_defaults, .init = precision_init, .destroy = kt_confusion_destroy

const kt_metric_def kt_metric_def_precision = {
    .base =
        {.base = {PRECISION_BASE, .name = "Precision"},
         .build = precision_build,
         .update = kt_confusion_update,
         .result = precision_result},
    .direction = 1};
const kt_metric_def kt_metric_def_recall = {
    .base =
        {.base = {PRECISION_BASE, .name = "Recall"},
         .build = recall_build,
         .update = kt_confusion_update,
         .result = recall_result},
    .direction = 1};

kt_metric *kt_metric_precision_new(const kt_metric_precision_args *args) {
    return kt_component_new(&kt_metric_def_precision.base.base, args);
}
kt_metric *kt_metric_recall_new(const kt_metric_precision_args *args) {
    return kt_component_new(&kt_metric_def_recall.base.base, args);
}
