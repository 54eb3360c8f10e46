/* f_beta_score: (1 + b^2) precision recall / (b^2 precision + recall + 1e-7) for each class, from
 * counts of y_pred > threshold, or of each row's largest (unless that is 0); then averaged:
 * "micro" counts all classes as one, "macro" takes the mean, "weighted" weights by the number of
 * labels. Keras: FBetaScore, F1Score. */
#include "nn/metrics/metric.h"

#include <string.h>

typedef struct {
    kt_metric_state vars;
    const char *average; ///< borrowed from the arguments
    double beta, threshold;
} f_state;

enum { F_TP, F_FP, F_FN, F_WEIGHTS };

static kt_status f_setup(
    kt_component *c, const char *average, double beta, double threshold, const char *name) {
    f_state *s = kt_state_of(c);
    if (average && strcmp(average, "micro") != 0 && strcmp(average, "macro") != 0 &&
        strcmp(average, "weighted") != 0)
        return KT_FAIL(
            KT_EINVAL,
            "average: expected \"micro\", \"macro\", \"weighted\" or NULL, got \"%.60s\"",
            average);
    if (!(beta > 0)) return KT_FAIL(KT_EINVAL, "beta: expected a number > 0, got %g", beta);
    if (threshold != KT_NONE_F && !(threshold > 0 && threshold <= 1))
        return KT_FAIL(KT_EINVAL, "threshold: expected a number in (0, 1], got %g", threshold);
    s->average = average;
    s->beta = beta;
    s->threshold = threshold;
    return kt_metric_init(c, name);
}

static kt_status f_beta_init(kt_component *c) {
    const kt_metric_f_beta_score_args *a = kt_args_of(c);
    return f_setup(c, a->average, a->beta, a->threshold, "fbeta_score");
}

static kt_status f1_init(kt_component *c) {
    const kt_metric_f1_score_args *a = kt_args_of(c);
    return f_setup(c, a->average, 1, a->threshold, "f1_score");
}

static bool is_micro(const kt_component *c) {
    const f_state *s = kt_state_of(c);
    return s->average && !strcmp(s->average, "micro");
}

static kt_status f_build(kt_component *c, const kt_shape *t, const kt_shape *p) {
    static const char *const names[] = {
        "true_positives", "false_positives", "false_negatives", "intermediate_weights"};
    const kt_dtype dtype = kt_metric_dtype(c, KT_NO_DTYPE);
    kt_status st = kt_metric_need_2d(c, t, p);
    if (st || kt_metric_n_vars(c)) return st;
    const kt_shape shape = is_micro(c) ? (kt_shape){0, {0}} : (kt_shape){1, {p->dim[1]}};
    for (int i = 0; i < 4 && st == KT_OK; i++) st = kt_metric_add_var(c, names[i], dtype, shape);
    return st;
}

/* 1 where the prediction is positive. */
static kt_sym *f_positive(const f_state *s, kt_sym *p) {
    const kt_dtype dtype = kt_sym_dtype(p);
    if (s->threshold != KT_NONE_F)
        return kt_sym_cast(kt_op_greater(p, kt_num(s->threshold)), dtype);
    kt_sym *largest = kt_op_greater_equal(p, kt_op_max(p, -1, true));
    kt_sym *some = kt_op_greater(kt_op_abs(p), kt_num(1e-9));
    return kt_op_multiply(kt_sym_cast(largest, dtype), kt_sym_cast(some, dtype));
}

static kt_status f_update(kt_component *c, kt_sym *t, kt_sym *p, kt_sym *weight) {
    const kt_dtype dtype = kt_metric_vars(c)->var[0]->spec.dtype;
    const int64_t axis = is_micro(c) ? KT_NONE : 0;
    t = kt_sym_cast(t, dtype);
    p = f_positive(kt_state_of(c), kt_sym_cast(p, dtype));
    kt_sym *counts[4] = {
        [F_TP] = kt_op_multiply(p, t),
        [F_FP] = kt_op_multiply(p, kt_sym_from(1, t)),
        [F_FN] = kt_op_multiply(kt_sym_from(1, p), t),
        [F_WEIGHTS] = t};
    kt_status st = KT_OK;
    if (weight) {
        weight = kt_sym_cast(weight, dtype);
        if (kt_sym_shape(weight).ndim == 1) weight = kt_op_expand_dims(weight, 1);
    }
    for (int i = 0; i < 4 && st == KT_OK; i++) {
        if (weight) counts[i] = kt_op_multiply(counts[i], weight);
        st = kt_metric_add_to(c, i, kt_op_sum(counts[i], axis, false));
    }
    return st;
}

static kt_sym *share(kt_sym *part, kt_sym *rest) {
    return kt_op_divide(part, kt_sym_shift(kt_op_add(part, rest), KT_LOSS_EPSILON));
}

static kt_sym *f_result(kt_component *c) {
    const f_state *s = kt_state_of(c);
    const double b2 = s->beta * s->beta;
    kt_sym *tp = kt_metric_value(c, F_TP);
    kt_sym *precision = share(tp, kt_metric_value(c, F_FP));
    kt_sym *recall = share(tp, kt_metric_value(c, F_FN));
    kt_sym *both = kt_op_multiply(precision, recall);
    kt_sym *sum = kt_op_add(kt_sym_scale(precision, b2), recall);
    kt_sym *score = kt_op_divide(both, kt_sym_shift(sum, KT_LOSS_EPSILON));
    score = kt_sym_scale(score, 1 + b2);
    if (!s->average) return score;
    if (strcmp(s->average, "weighted") != 0) return kt_op_mean(score, KT_NONE, false);
    kt_sym *w = kt_metric_value(c, F_WEIGHTS);
    kt_sym *all = kt_sym_shift(kt_op_sum(w, KT_NONE, false), KT_LOSS_EPSILON);
    return kt_op_sum(kt_op_multiply(score, kt_op_divide(w, all)), KT_NONE, false);
}

static const kt_field f_beta_fields[] = {
    KT_F(kt_metric_f_beta_score_args, average),
    KT_F(kt_metric_f_beta_score_args, beta),
    KT_F(kt_metric_f_beta_score_args, threshold),
    KT_METRIC_FIELDS(kt_metric_f_beta_score_args)};
static const kt_metric_f_beta_score_args f_beta_defaults = {
    .size = sizeof(kt_metric_f_beta_score_args), KT_METRIC_F_BETA_SCORE_DEFAULTS};
static const kt_field f1_fields[] = {
    KT_F(kt_metric_f1_score_args, average),
    KT_F(kt_metric_f1_score_args, threshold),
    KT_METRIC_FIELDS(kt_metric_f1_score_args)};
static const kt_metric_f1_score_args f1_defaults = {
    .size = sizeof(kt_metric_f1_score_args), KT_METRIC_F1_SCORE_DEFAULTS};

const kt_metric_def kt_metric_def_f_beta_score = {
    .base =
        {.base =
             {.kind = KT_KIND_METRIC,
              .name = "FBetaScore",
              .args_size = sizeof(kt_metric_f_beta_score_args),
              .state_size = sizeof(f_state),
              .fields = f_beta_fields,
              .defaults = &f_beta_defaults,
              .init = f_beta_init,
              .destroy = kt_metric_destroy},
         .build = f_build,
         .update = f_update,
         .result = f_result},
    .direction = 1};
const kt_metric_def kt_metric_def_f1_score = {
    .base =
        {.base =
             {.kind = KT_KIND_METRIC,
              .name = "F1Score",
              .args_size = sizeof(kt_metric_f1_score_args),
              .state_size = sizeof(f_state),
              .fields = f1_fields,
              .defaults = &f1_defaults,
              .init = f1_init,
              .destroy = kt_metric_destroy},
         .build = f_build,
         .update = f_update,
         .result = f_result},
    .direction = 1};

kt_metric *kt_metric_f_beta_score_new(const kt_metric_f_beta_score_args *args) {
    return kt_component_new(&kt_metric_def_f_beta_score.base.base, args);
}
kt_metric *kt_metric_f1_score_new(const kt_metric_f1_score_args *args) {
    return kt_component_new(&kt_metric_def_f1_score.base.base, args);
}
