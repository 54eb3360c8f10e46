/* The mean of values per sample: variables total and count. Most metrics are that, of one
 * function. */
#ifndef KT_NN_METRICS_MEAN_H
#define KT_NN_METRICS_MEAN_H

#include "nn/metrics/metric.h"

typedef struct kt_mean_state {
    kt_metric_state vars;
    kt_component *loss; ///< adopted; kt_mean_of_loss()
} kt_mean_state;

kt_status kt_mean_init(kt_component *c);
void kt_mean_destroy(kt_component *c);
kt_status kt_mean_build(kt_component *c, const kt_shape *y_true, const kt_shape *y_pred);
/** total += sum of the values, count += their number (or weights), with one value per sample:
 * further axes are averaged first. */
kt_status kt_mean_add(kt_component *c, kt_sym *values, kt_sym *weight);
kt_status kt_mean_update(kt_component *c, kt_sym *y_true, kt_sym *y_pred, kt_sym *weight);
kt_sym *kt_mean_result(kt_component *c);

/** `fn` and `init` of a class that is the mean of a loss with default arguments. */
kt_sym *kt_mean_of_loss(const kt_component *c, kt_sym *y_true, kt_sym *y_pred);
kt_status kt_mean_of_loss_init(kt_component *c);
/** The metric that a loss among the metrics means, with the loss's name. */
kt_metric *kt_metric_of_loss(const kt_component *loss);

#define KT_MEAN_BASE(name_)                                                                        \
    .kind = KT_KIND_METRIC, .name = (name_), .state_size = sizeof(kt_mean_state),                  \
    .init = kt_mean_init, .destroy = kt_mean_destroy
#define KT_MEAN_PLAIN(name_)                                                                       \
    KT_MEAN_BASE(name_), .args_size = sizeof(kt_metric_args), .fields = kt_metric_plain_fields,    \
                         .defaults = &kt_metric_plain_defaults
#define KT_MEAN_FUNCTIONS .build = kt_mean_build, .update = kt_mean_update, .result = kt_mean_result

#endif
