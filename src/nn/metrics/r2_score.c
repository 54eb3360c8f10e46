/* r2_score: 1 - sum(w (t - p)^2) / (sum(w t^2) - sum(w t)^2 / sum(w)) for each output, infinite
 * values 0; then averaged over the outputs. Adjusted for k regressors and n seen numbers it is
 * 1 - (1 - r2) (n - 1) / (n - k - 1), unless that has no sense (n <= k + 1). Keras: R2Score. */
#include "nn/metrics/metric.h"

#include <math.h>
#include <string.h>

typedef kt_metric_r2_score_args r2_args;

enum { R2_SAMPLES, R2_SQUARED_SUM, R2_SUM, R2_RESIDUAL, R2_COUNT };

static kt_status r2_init(kt_component *c) {
    const r2_args *a = kt_args_of(c);
    if (a->class_aggregation && strcmp(a->class_aggregation, "uniform_average") != 0 &&
        strcmp(a->class_aggregation, "variance_weighted_average") != 0)
        return KT_FAIL(
            KT_EINVAL,
            "class_aggregation: expected \"uniform_average\", \"variance_weighted_average\" or "
            "NULL");
    if (a->num_regressors < 0)
        return KT_FAIL(
            KT_EINVAL, "num_regressors: expected a number >= 0, got %d", a->num_regressors);
    return kt_metric_init(c, "r2_score");
}

static kt_status r2_build(kt_component *c, const kt_shape *t, const kt_shape *p) {
    static const char *const names[] = {"num_samples", "squared_sum", "sum", "residual", "count"};
    const kt_dtype dtype = kt_metric_dtype(c, KT_NO_DTYPE);
    const bool column = t->ndim == 1 && p->ndim == 2 && p->dim[1] == 1;
    kt_status st = column ? KT_OK : kt_metric_need_2d(c, t, p);
    if (st || kt_metric_n_vars(c)) return st;
    for (int i = 0; i < 5 && st == KT_OK; i++)
        st = kt_metric_add_var(c, names[i], dtype, (kt_shape){i ? 1 : 0, {p->dim[1]}});
    return st;
}

static kt_status r2_update(kt_component *c, kt_sym *t, kt_sym *p, kt_sym *weight) {
    const kt_dtype dtype = kt_metric_vars(c)->var[0]->spec.dtype;
    t = kt_sym_cast(t, dtype);
    p = kt_sym_cast(p, dtype);
    kt_status st = kt_loss_operands(c, &t, &p);
    if (st) return st;
    const kt_shape s = kt_sym_shape(t);
    kt_sym *w = weight ? kt_sym_cast(weight, dtype) : kt_sym_cast(kt_num(1), dtype);
    if (kt_sym_shape(w).ndim == 1) w = kt_op_expand_dims(w, 1);
    w = kt_op_broadcast_to(w, s);
    kt_sym *wt = kt_op_multiply(t, w);
    kt_sym *residual = kt_op_multiply(kt_op_square(kt_op_subtract(t, p)), w);
    kt_sym *add[5] = {
        [R2_SAMPLES] = kt_sym_cast(kt_num((double)kt_shape_size(&s)), dtype),
        [R2_SQUARED_SUM] = kt_op_sum(kt_op_multiply(t, wt), 0, false),
        [R2_SUM] = kt_op_sum(wt, 0, false),
        [R2_RESIDUAL] = kt_op_sum(residual, 0, false),
        [R2_COUNT] = kt_op_sum(w, 0, false)};
    for (int i = 0; i < 5 && st == KT_OK; i++) st = kt_metric_add_to(c, i, add[i]);
    return st;
}

static kt_sym *adjusted(const kt_component *c, kt_sym *r2, double k) {
    kt_sym *n = kt_metric_value(c, R2_SAMPLES);
    kt_sym *rest = kt_sym_shift(n, -k - 1);
    kt_sym *usable = kt_op_greater(rest, kt_num(0));
    kt_sym *above = kt_op_multiply(kt_sym_from(1, r2), kt_sym_shift(n, -1));
    kt_sym *safe = kt_op_where(usable, rest, kt_num(1));
    return kt_op_where(usable, kt_sym_from(1, kt_op_divide(above, safe)), r2);
}

static kt_sym *r2_result(kt_component *c) {
    const r2_args *a = kt_args_of(c);
    kt_sym *sum = kt_metric_value(c, R2_SUM);
    kt_sym *mean = kt_op_divide(sum, kt_metric_value(c, R2_COUNT));
    kt_sym *total = kt_op_subtract(kt_metric_value(c, R2_SQUARED_SUM), kt_op_multiply(sum, mean));
    kt_sym *score = kt_sym_from(1, kt_op_divide(kt_metric_value(c, R2_RESIDUAL), total));
    score = kt_op_where(kt_op_equal(kt_op_abs(score), kt_num(INFINITY)), kt_num(0), score);
    if (a->class_aggregation && !strcmp(a->class_aggregation, "uniform_average")) {
        score = kt_op_mean(score, KT_NONE, false);
    } else if (a->class_aggregation) {
        kt_sym *weighted = kt_op_sum(kt_op_multiply(total, score), KT_NONE, false);
        score = kt_op_divide(weighted, kt_op_sum(total, KT_NONE, false));
    }
    return a->num_regressors ? adjusted(c, score, a->num_regressors) : score;
}

static const kt_field r2_fields[] = {
    KT_F(r2_args, class_aggregation), KT_F(r2_args, num_regressors), KT_METRIC_FIELDS(r2_args)};
static const r2_args r2_defaults = {.size = sizeof(r2_args), KT_METRIC_R2_SCORE_DEFAULTS};

const kt_metric_def kt_metric_def_r2_score = {
    .base =
        {.base =
             {.kind = KT_KIND_METRIC,
              .name = "R2Score",
              .args_size = sizeof(r2_args),
              .state_size = sizeof(kt_metric_state),
              .fields = r2_fields,
              .defaults = &r2_defaults,
              .init = r2_init,
              .destroy = kt_metric_destroy},
         .build = r2_build,
         .update = r2_update,
         .result = r2_result},
    .direction = 1};

kt_metric *kt_metric_r2_score_new(const kt_metric_r2_score_args *args) {
    return kt_component_new(&kt_metric_def_r2_score.base.base, args);
}
