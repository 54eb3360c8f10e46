/* root_mean_squared_error: the square root of the mean of (y_pred - y_true)^2 over everything seen.
 * Keras: RootMeanSquaredError. */
#include "nn/metrics/mean.h"

static kt_status rmse_update(kt_component *c, kt_sym *t, kt_sym *p, kt_sym *weight) {
    const kt_status st = kt_loss_operands(c, &t, &p);
    return st ? st : kt_mean_add(c, kt_op_square(kt_op_subtract(p, t)), weight);
}

static kt_sym *rmse_result(kt_component *c) { return kt_op_sqrt(kt_mean_result(c)); }

const kt_metric_def kt_metric_def_root_mean_squared_error = {
    .base =
        {.base = {KT_MEAN_PLAIN("RootMeanSquaredError")},
         .build = kt_mean_build,
         .update = rmse_update,
         .result = rmse_result},
    .direction = -1};

kt_metric *kt_metric_root_mean_squared_error_new(const kt_metric_args *args) {
    return kt_component_new(&kt_metric_def_root_mean_squared_error.base.base, args);
}
