/* Correlations along an axis, with means m, variances v and eps = 1e-7:
 *
 *   pearson      mean((t - m_t) (p - m_p)) / sqrt(v_t v_p)
 *   concordance  mean(2 (t - m_p) (p - m_p)) / (v_t + v_p + (m_t - m_p)^2 + eps)
 *
 * The second is Keras' formula as it stands (its covariance takes m_p twice).
 * Keras: PearsonCorrelation, ConcordanceCorrelation. */
#include "nn/metrics/mean.h"

static int axis_of(const kt_component *c) {
    return ((const kt_metric_correlation_args *)kt_args_of(c))->axis;
}

static kt_sym *centred(kt_sym *x, int axis) { return kt_op_subtract(x, kt_op_mean(x, axis, true)); }

static kt_sym *scaled(kt_sym *x, int axis) {
    x = centred(x, axis);
    return kt_op_divide(x, kt_op_sqrt(kt_op_mean(kt_op_square(x), axis, true)));
}

static kt_sym *pearson_fn(const kt_component *c, kt_sym *t, kt_sym *p) {
    const int axis = axis_of(c);
    const kt_status st = kt_loss_operands(c, &t, &p);
    if (st) return kt_fail_object(st);
    return kt_op_mean(kt_op_multiply(scaled(t, axis), scaled(p, axis)), axis, false);
}

static kt_sym *concordance_fn(const kt_component *c, kt_sym *t, kt_sym *p) {
    const int axis = axis_of(c);
    const kt_status st = kt_loss_operands(c, &t, &p);
    if (st) return kt_fail_object(st);
    kt_sym *mt = kt_op_mean(t, axis, true), *mp = kt_op_mean(p, axis, true);
    kt_sym *vt = kt_op_mean(kt_op_square(kt_op_subtract(t, mt)), axis, true);
    kt_sym *vp = kt_op_mean(kt_op_square(kt_op_subtract(p, mp)), axis, true);
    kt_sym *covar = kt_op_multiply(kt_op_subtract(t, mp), kt_op_subtract(p, mp));
    kt_sym *norm = kt_op_add(kt_op_add(vt, vp), kt_op_square(kt_op_subtract(mt, mp)));
    kt_sym *ratio = kt_op_divide(kt_sym_scale(covar, 2), kt_sym_shift(norm, KT_LOSS_EPSILON));
    return kt_op_mean(ratio, axis, false);
}

static const kt_field correlation_fields[] = {
    KT_F(kt_metric_correlation_args, axis), KT_METRIC_FIELDS(kt_metric_correlation_args)};
static const kt_metric_correlation_args correlation_defaults = {
    .size = sizeof(kt_metric_correlation_args), KT_METRIC_CORRELATION_DEFAULTS};

#define CORRELATION                                                                                \
    .args_size = sizeof(kt_metric_correlation_args), .fields = correlation_fields,                 \
    .defaults = &correlation_defaults

const kt_metric_def kt_metric_def_pearson_correlation = {
    .base = {.base = {KT_MEAN_BASE("PearsonCorrelation"), CORRELATION}, KT_MEAN_FUNCTIONS},
    .direction = 1,
    .fn = pearson_fn};
const kt_metric_def kt_metric_def_concordance_correlation = {
    .base = {.base = {KT_MEAN_BASE("ConcordanceCorrelation"), CORRELATION}, KT_MEAN_FUNCTIONS},
    .direction = 1,
    .fn = concordance_fn};

kt_metric *kt_metric_pearson_correlation_new(const kt_metric_correlation_args *args) {
    return kt_component_new(&kt_metric_def_pearson_correlation.base.base, args);
}
kt_metric *kt_metric_concordance_correlation_new(const kt_metric_correlation_args *args) {
    return kt_component_new(&kt_metric_def_concordance_correlation.base.base, args);
}
