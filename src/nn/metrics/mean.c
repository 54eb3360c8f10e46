/* Mean and Sum, and the machinery of "mean of a function". Keras: Mean, Sum, MeanMetricWrapper
 * (reduction_metrics.py). Without weights, further axes are averaged and summed in one pass:
 *
 *   total += sum(values) / (values per sample);  count += samples */
#include "nn/metrics/mean.h"

#include "base/str.h"

kt_status kt_mean_init(kt_component *c) {
    char snake[64];
    const char *fixed = kt_metric_def_of(c)->fixed_name;
    kt_snake_case(c->cls->name, snake, sizeof snake);
    return kt_metric_init(c, fixed ? fixed : snake);
}

void kt_mean_destroy(kt_component *c) {
    kt_release(((kt_mean_state *)c->state)->loss);
    kt_metric_destroy(c);
}

kt_status kt_mean_build(kt_component *c, const kt_shape *y_true, const kt_shape *y_pred) {
    (void)y_true, (void)y_pred;
    if (kt_metric_n_vars(c)) return KT_OK;
    const kt_dtype dtype = kt_metric_dtype(c, KT_NO_DTYPE);
    const kt_status st = kt_metric_add_var(c, "total", dtype, (kt_shape){0, {0}});
    return st ? st : kt_metric_add_var(c, "count", dtype, (kt_shape){0, {0}});
}

static kt_status weight_error(kt_component *c, const kt_shape *values, const kt_shape *weight) {
    char sv[KT_SHAPE_STR], sw[KT_SHAPE_STR];
    KT_FAIL(KT_ESHAPE, "%s: sample weights or mask do not fit", kt_metric_name(c));
    kt_error_expected("%s or its leading axes", kt_shape_str(values, sv, sizeof sv));
    return kt_error_got("%s", kt_shape_str(weight, sw, sizeof sw));
}

/* Values lose the axes that the weight lacks; then the weight gets their shape. */
static kt_status samplewise(kt_component *c, bool mean, kt_sym **values, kt_sym **weight) {
    kt_same_rank(values, weight, true);
    if (kt_failed(*values) || kt_failed(*weight))
        return kt_check(kt_failed(*values) ? *values : *weight);
    kt_shape v = kt_sym_shape(*values), both;
    const kt_shape w = kt_sym_shape(*weight);
    if (v.ndim > w.ndim) {
        const int tail = ((1 << v.ndim) - 1) & ~((1 << w.ndim) - 1);
        const double n = (double)kt_shape_range(&v, w.ndim, v.ndim);
        *values = kt_sum_axes(*values, tail);
        if (mean) *values = kt_sym_scale(*values, 1 / n);
        v.ndim = w.ndim;
    }
    if (kt_shape_broadcast(&v, &w, &both) || !kt_shape_equal(&both, &v))
        return weight_error(c, &v, &w);
    *weight = kt_op_broadcast_to(*weight, v);
    return kt_check(*weight);
}

/* Per-sample weights of fewer axes than the mask: one for each element of its leading axes. */
static kt_sym *masked(kt_sym *weight, kt_sym *mask, kt_dtype dtype) {
    kt_sym *m = kt_sym_cast(mask, dtype);
    if (!weight) return m;
    kt_same_rank(&m, &weight, true);
    while (!kt_failed(weight) && kt_sym_shape(weight).ndim > 0 &&
           kt_sym_shape(weight).ndim < kt_sym_shape(m).ndim)
        weight = kt_op_expand_dims(weight, -1);
    return kt_op_multiply(weight, m);
}

kt_status kt_mean_add(kt_component *c, kt_sym *values, kt_sym *weight) {
    if (kt_failed(values)) return kt_check(values);
    const kt_dtype dtype = kt_metric_vars(c)->var[0]->spec.dtype;
    kt_sym *mask = values->mask;
    values = kt_sym_cast(values, dtype);
    if (weight) weight = kt_sym_cast(weight, dtype);
    if (weight && mask) weight = masked(weight, mask, dtype); /* as Keras: not without weights */
    if (weight) {
        const kt_status st = samplewise(c, true, &values, &weight);
        if (st) return st;
        values = kt_op_multiply(values, weight);
    }
    const kt_shape s = kt_sym_shape(values);
    const double per_sample = s.ndim > 1 ? 1 / (double)kt_shape_range(&s, 1, s.ndim) : 1;
    kt_sym *total = kt_sym_scale(kt_op_sum(values, KT_NONE, false), per_sample);
    kt_sym *count = weight ? kt_sym_scale(kt_op_sum(weight, KT_NONE, false), per_sample)
                           : kt_sym_cast(kt_num(s.ndim ? (double)s.dim[0] : 1), dtype);
    const kt_status st = kt_metric_add_to(c, 0, total);
    return st ? st : kt_metric_add_to(c, 1, count);
}

kt_status kt_mean_update(kt_component *c, kt_sym *y_true, kt_sym *y_pred, kt_sym *weight) {
    const kt_dtype dtype = kt_metric_vars(c)->var[0]->spec.dtype;
    kt_sym *values = kt_metric_def_of(c)->fn(c, y_true, y_pred);
    if (y_pred->mask) weight = masked(weight, y_pred->mask, dtype);
    return kt_mean_add(c, values, weight);
}

kt_sym *kt_mean_result(kt_component *c) {
    return kt_divide_no_nan(kt_metric_value(c, 0), kt_metric_value(c, 1));
}

/* The classes Mean and Sum: of y_true itself
 * ------------------------------------------------------- */

static kt_status mean_update(kt_component *c, kt_sym *y_true, kt_sym *y_pred, kt_sym *weight) {
    (void)y_pred;
    return kt_mean_add(c, y_true, weight);
}

static kt_status sum_build(kt_component *c, const kt_shape *y_true, const kt_shape *y_pred) {
    (void)y_true, (void)y_pred;
    if (kt_metric_n_vars(c)) return KT_OK;
    return kt_metric_add_var(c, "total", kt_metric_dtype(c, KT_NO_DTYPE), (kt_shape){0, {0}});
}

static kt_status sum_update(kt_component *c, kt_sym *y_true, kt_sym *y_pred, kt_sym *weight) {
    (void)y_pred;
    const kt_dtype dtype = kt_metric_vars(c)->var[0]->spec.dtype;
    kt_sym *values = kt_sym_cast(y_true, dtype);
    if (weight) {
        weight = kt_sym_cast(weight, dtype);
        if (y_true->mask) weight = masked(weight, y_true->mask, dtype);
        const kt_status st = samplewise(c, false, &values, &weight);
        if (st) return st;
        values = kt_op_multiply(values, weight);
    }
    return kt_metric_add_to(c, 0, kt_op_sum(values, KT_NONE, false));
}

static kt_sym *sum_result(kt_component *c) { return kt_metric_value(c, 0); }

const kt_metric_def kt_metric_def_mean = {
    .base =
        {.base = {KT_MEAN_PLAIN("Mean")},
         .build = kt_mean_build,
         .update = mean_update,
         .result = kt_mean_result},
    .of_values = true};
const kt_metric_def kt_metric_def_sum = {
    .base =
        {.base = {KT_MEAN_PLAIN("Sum")},
         .build = sum_build,
         .update = sum_update,
         .result = sum_result},
    .of_values = true};

kt_metric *kt_metric_mean_new(const kt_metric_args *args) {
    return kt_component_new(&kt_metric_def_mean.base.base, args);
}
kt_metric *kt_metric_sum_new(const kt_metric_args *args) {
    return kt_component_new(&kt_metric_def_sum.base.base, args);
}
