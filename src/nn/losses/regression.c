/* Errors of real numbers, the mean over the last axis of
 *
 *   mean_squared_error              (t - p)^2
 *   mean_absolute_error             |t - p|
 *   mean_absolute_percentage_error  100 |t - p| / max(|t|, 1e-7)
 *   mean_squared_logarithmic_error  (log(1 + max(p, 1e-7)) - log(1 + max(t, 1e-7)))^2
 *   log_cosh                        log cosh(p - t), as x + softplus(-2 x) - log 2 (no overflow)
 *   poisson                         p - t log(p + 1e-7)
 *
 * Keras: classes and functions of these names, MeanSquaredError … */
#include "nn/losses/plain.h"

const kt_field kt_loss_plain_fields[] = {KT_LOSS_FIELDS(kt_loss_args)};
const kt_loss_args kt_loss_plain_defaults = {.size = sizeof(kt_loss_args), KT_LOSS_DEFAULTS};

static kt_sym *mse_call(const kt_component *c, kt_sym *t, kt_sym *p) {
    const kt_status st = kt_loss_operands(c, &t, &p);
    if (st) return kt_fail_object(st);
    return kt_op_mean(kt_op_square(kt_op_subtract(t, p)), -1, false);
}

static kt_sym *mae_call(const kt_component *c, kt_sym *t, kt_sym *p) {
    const kt_status st = kt_loss_operands(c, &t, &p);
    if (st) return kt_fail_object(st);
    return kt_op_mean(kt_op_abs(kt_op_subtract(t, p)), -1, false);
}

static kt_sym *mape_call(const kt_component *c, kt_sym *t, kt_sym *p) {
    const kt_status st = kt_loss_operands(c, &t, &p);
    if (st) return kt_fail_object(st);
    kt_sym *scale = kt_op_maximum(kt_op_abs(t), kt_num(KT_LOSS_EPSILON));
    kt_sym *share = kt_op_abs(kt_op_divide(kt_op_subtract(t, p), scale));
    return kt_sym_scale(kt_op_mean(share, -1, false), 100);
}

static kt_sym *log_of_one_plus(kt_sym *x) {
    return kt_op_log(kt_sym_shift(kt_op_maximum(x, kt_num(KT_LOSS_EPSILON)), 1));
}

static kt_sym *msle_call(const kt_component *c, kt_sym *t, kt_sym *p) {
    const kt_status st = kt_loss_operands(c, &t, &p);
    if (st) return kt_fail_object(st);
    kt_sym *d = kt_op_subtract(log_of_one_plus(p), log_of_one_plus(t));
    return kt_op_mean(kt_op_square(d), -1, false);
}

static kt_sym *log_cosh_call(const kt_component *c, kt_sym *t, kt_sym *p) {
    const kt_status st = kt_loss_operands(c, &t, &p);
    if (st) return kt_fail_object(st);
    kt_sym *d = kt_op_subtract(p, t);
    kt_sym *y = kt_op_add(d, kt_op_softplus(kt_sym_scale(d, -2)));
    return kt_op_mean(kt_sym_shift(y, -0.69314718055994531), -1, false);
}

static kt_sym *poisson_call(const kt_component *c, kt_sym *t, kt_sym *p) {
    const kt_status st = kt_loss_operands(c, &t, &p);
    if (st) return kt_fail_object(st);
    kt_sym *log_p = kt_op_log(kt_sym_shift(p, KT_LOSS_EPSILON));
    return kt_op_mean(kt_op_subtract(p, kt_op_multiply(t, log_p)), -1, false);
}

const kt_loss_class kt_loss_class_mean_squared_error = {
    .base = {KT_LOSS_PLAIN("MeanSquaredError"), .aliases = {"mse", "MSE"}}, .call = mse_call};
const kt_loss_class kt_loss_class_mean_absolute_error = {
    .base = {KT_LOSS_PLAIN("MeanAbsoluteError"), .aliases = {"mae", "MAE"}}, .call = mae_call};
const kt_loss_class kt_loss_class_mean_absolute_percentage_error = {
    .base = {KT_LOSS_PLAIN("MeanAbsolutePercentageError"), .aliases = {"mape", "MAPE"}},
    .call = mape_call};
const kt_loss_class kt_loss_class_mean_squared_logarithmic_error = {
    .base = {KT_LOSS_PLAIN("MeanSquaredLogarithmicError"), .aliases = {"msle", "MSLE"}},
    .call = msle_call};
const kt_loss_class kt_loss_class_log_cosh = {
    .base = {KT_LOSS_PLAIN("LogCosh")}, .call = log_cosh_call};
const kt_loss_class kt_loss_class_poisson = {
    .base = {KT_LOSS_PLAIN("Poisson")}, .call = poisson_call};

kt_loss *kt_loss_mean_squared_error_new(const kt_loss_args *args) {
    return kt_component_new(&kt_loss_class_mean_squared_error.base, args);
}
kt_loss *kt_loss_mean_absolute_error_new(const kt_loss_args *args) {
    return kt_component_new(&kt_loss_class_mean_absolute_error.base, args);
}
kt_loss *kt_loss_mean_absolute_percentage_error_new(const kt_loss_args *args) {
    return kt_component_new(&kt_loss_class_mean_absolute_percentage_error.base, args);
}
kt_loss *kt_loss_mean_squared_logarithmic_error_new(const kt_loss_args *args) {
    return kt_component_new(&kt_loss_class_mean_squared_logarithmic_error.base, args);
}
kt_loss *kt_loss_log_cosh_new(const kt_loss_args *args) {
    return kt_component_new(&kt_loss_class_log_cosh.base, args);
}
kt_loss *kt_loss_poisson_new(const kt_loss_args *args) {
    return kt_component_new(&kt_loss_class_poisson.base, args);
}
