/* Counts of true and false, positives and negatives at a list of thresholds: what precision,
 * recall, AUC and their kin collect. Keras: metrics_utils.update_confusion_matrix_variables. */
#ifndef KT_NN_METRICS_CONFUSION_H
#define KT_NN_METRICS_CONFUSION_H

#include "nn/metrics/metric.h"

enum { KT_TP, KT_FP, KT_TN, KT_FN };

/** How to count. Second part of the state of these metrics. */
typedef struct kt_confusion {
    int n; ///< thresholds
    double *threshold;
    bool even;                 ///< evenly spaced over [0, 1]: samples go into buckets
    int64_t top_k, class_id;   ///< KT_NONE: not
    bool multi_label;          ///< counts for each column
    kt_floats_t label_weights; ///< n = 0: none
    int at[4];                 ///< which variable collects KT_TP …; -1: not wanted
} kt_confusion;

typedef struct kt_confusion_state {
    kt_metric_state vars;
    kt_confusion how;
} kt_confusion_state;
static inline kt_confusion *kt_confusion_of(const kt_component *c) {
    return &((kt_confusion_state *)c->state)->how;
}

/** Thresholds as given (each in [0, 1]), or the one default; nothing else is counted yet. */
kt_status kt_confusion_init(kt_confusion *q, kt_floats_t thresholds, double fallback);
/** n evenly spaced thresholds 0, 1 / (n - 1) … 1; the outer ones moved outwards by `margin`. */
kt_status kt_confusion_spread(kt_confusion *q, int n, double margin);
/** The given thresholds, sorted, between one below 0 and one above 1. */
kt_status kt_confusion_between(kt_confusion *q, kt_floats_t inner);
void kt_confusion_destroy(kt_component *c);
/** Variables of n counts (n x labels) in this order, -1 ends it. */
kt_status kt_confusion_build(kt_component *c, const int *kinds, int64_t labels);
kt_status kt_confusion_update(kt_component *c, kt_sym *y_true, kt_sym *y_pred, kt_sym *weight);
/** The counts of one kind. */
kt_sym *kt_confusion_value(const kt_component *c, int kind);
/** a / (a + b) of two kinds, 0 where both are 0. */
kt_sym *kt_confusion_ratio(const kt_component *c, int a, int b);

#endif
