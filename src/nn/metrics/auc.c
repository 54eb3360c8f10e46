/* auc: the area under a curve drawn through the counts at all thresholds.
 *
 *   ROC     x = FP / (FP + TN), y = recall
 *   PR      x = recall, y = precision; with "interpolation" the closed form of Davis and Goadrich
 *   PRGAIN  recall gain and precision gain (Flach and Kull)
 *
 * "interpolation" takes trapezoids, "minoring" and "majoring" the lower and upper rectangles. With
 * multi_label there is an area for each column, then their (weighted) mean. Keras: AUC. */
#include "nn/metrics/confusion.h"

#include <string.h>
#include <strings.h>

typedef kt_metric_auc_args auc_args;
typedef enum { CURVE_ROC, CURVE_PR, CURVE_PRGAIN } auc_curve;
typedef enum { AREA_TRAPEZOIDS, AREA_MINORING, AREA_MAJORING } auc_area;

typedef struct {
    kt_confusion_state counts;
    auc_curve curve;
    auc_area area;
} auc_state;

static const int all_kinds[] = {KT_TP, KT_FP, KT_TN, KT_FN, -1};

/* Index of a name, all in lower or upper case or as written, -1 if there is none such. */
static int choice(const char *name, const char *const *names) {
    for (int i = 0; name && names[i]; i++)
        if (!strcasecmp(name, names[i])) return i;
    return -1;
}

static kt_status auc_thresholds(kt_confusion *q, const auc_args *a) {
    for (int i = 0; i < a->thresholds.n; i++)
        if (!(a->thresholds.v[i] >= 0 && a->thresholds.v[i] <= 1))
            return KT_FAIL(
                KT_EINVAL, "thresholds: expected numbers in [0, 1], got %g", a->thresholds.v[i]);
    if (a->thresholds.n) return kt_confusion_between(q, a->thresholds);
    if (a->num_thresholds > 1) return kt_confusion_spread(q, a->num_thresholds, KT_LOSS_EPSILON);
    return KT_FAIL(KT_EINVAL, "num_thresholds: expected an integer > 1, got %d", a->num_thresholds);
}

static kt_status auc_init(kt_component *c) {
    static const char *const curves[] = {"ROC", "PR", "PRGAIN", NULL};
    static const char *const areas[] = {"interpolation", "minoring", "majoring", NULL};
    const auc_args *a = kt_args_of(c);
    auc_state *s = kt_state_of(c);
    const int curve = choice(a->curve, curves), area = choice(a->summation_method, areas);
    if (curve < 0) return KT_FAIL(KT_EINVAL, "curve: expected \"ROC\", \"PR\" or \"PRGAIN\"");
    if (area < 0)
        return KT_FAIL(
            KT_EINVAL,
            "summation_method: expected \"interpolation\", \"minoring\" or \"majoring\"");
    if (a->num_labels != KT_NONE && !a->multi_label)
        return KT_FAIL(KT_EINVAL, "num_labels is for multi_label only");
    s->curve = (auc_curve)curve;
    s->area = (auc_area)area;
    const kt_status st = auc_thresholds(&s->counts.how, a);
    if (st) return st;
    s->counts.how.multi_label = a->multi_label;
    s->counts.how.label_weights = a->label_weights;
    return kt_metric_init(c, NULL);
}

static kt_status auc_build(kt_component *c, const kt_shape *t, const kt_shape *p) {
    const auc_args *a = kt_args_of(c);
    (void)t;
    if (a->multi_label && p->ndim != 2)
        return KT_FAIL(
            KT_ESHAPE, "AUC: multi_label needs y_pred (batch, labels), got %d axes", p->ndim);
    if (a->multi_label && a->label_weights.n && a->label_weights.n != p->dim[1])
        return KT_FAIL(
            KT_ESHAPE,
            "AUC: expected %lld label_weights, got %d",
            (long long)p->dim[1],
            a->label_weights.n);
    if (a->num_labels != KT_NONE && a->num_labels != p->dim[1])
        return KT_FAIL(
            KT_ESHAPE,
            "AUC: expected %lld labels, got %lld",
            (long long)a->num_labels,
            (long long)p->dim[1]);
    return kt_confusion_build(c, all_kinds, a->multi_label ? p->dim[1] : 0);
}

static kt_status auc_update(kt_component *c, kt_sym *t, kt_sym *p, kt_sym *weight) {
    if (((const auc_args *)kt_args_of(c))->from_logits) p = kt_op_sigmoid(p);
    return kt_confusion_update(c, t, p, weight);
}

/* All but the last, all but the first threshold. */
static kt_sym *lower(kt_sym *x) { return kt_op_slice(x, 0, 0, -1); }

static kt_sym *upper(kt_sym *x) { return kt_op_slice(x, 0, 1, KT_NONE); }

static kt_sym *steps(kt_sym *x) { return kt_op_subtract(lower(x), upper(x)); }

/* The sum over thresholds, then the mean over labels. */
static kt_sym *sum_up(const kt_component *c, kt_sym *areas) {
    const auc_args *a = kt_args_of(c);
    kt_sym *sum = kt_op_sum(areas, 0, false);
    if (!a->multi_label) return sum;
    if (!a->label_weights.n) return kt_op_mean(sum, KT_NONE, false);
    double total = 0;
    for (int i = 0; i < a->label_weights.n; i++) total += a->label_weights.v[i];
    kt_sym *w = kt_sym_array(
        a->label_weights.v, kt_sym_dtype(sum), (kt_shape){1, {a->label_weights.n}});
    kt_sym *weighted = kt_op_sum(kt_op_multiply(sum, w), KT_NONE, false);
    return kt_sym_scale(weighted, total == 0 ? 0 : 1 / total);
}

/* Between two thresholds precision is a hyperbola in recall: TP = slope P + intercept with P = TP
 * + FP. */
static kt_sym *davis_goadrich(const kt_component *c) {
    kt_sym *tp = kt_confusion_value(c, KT_TP), *zero = kt_num(0);
    kt_sym *p = kt_op_add(tp, kt_confusion_value(c, KT_FP));
    kt_sym *dtp = steps(tp), *p0 = lower(p), *p1 = upper(p);
    kt_sym *slope = kt_divide_no_nan(dtp, kt_op_maximum(steps(p), zero));
    kt_sym *intercept = kt_op_subtract(upper(tp), kt_op_multiply(slope, p1));
    kt_sym *some = kt_op_multiply(
        kt_sym_cast(kt_op_greater(p0, zero), kt_sym_dtype(p)),
        kt_sym_cast(kt_op_greater(p1, zero), kt_sym_dtype(p)));
    kt_sym *ratio = kt_op_where(
        kt_op_greater(some, zero), kt_divide_no_nan(p0, kt_op_maximum(p1, zero)), kt_num(1));
    kt_sym *area = kt_op_multiply(
        slope, kt_op_add(dtp, kt_op_multiply(intercept, kt_op_log(ratio))));
    kt_sym *positives = kt_op_add(upper(tp), upper(kt_confusion_value(c, KT_FN)));
    return sum_up(c, kt_divide_no_nan(area, kt_op_maximum(positives, zero)));
}

static void gains(const kt_component *c, kt_sym **x, kt_sym **y) {
    kt_sym *tp = kt_confusion_value(c, KT_TP), *fp = kt_confusion_value(c, KT_FP);
    kt_sym *tn = kt_confusion_value(c, KT_TN), *fn = kt_confusion_value(c, KT_FN);
    kt_sym *scale = kt_divide_no_nan(kt_op_add(tp, fn), kt_op_add(tn, fp));
    kt_sym *none = kt_op_equal(tp, kt_num(0));
    kt_sym *recall = kt_sym_from(1, kt_op_multiply(scale, kt_divide_no_nan(fn, tp)));
    kt_sym *precision = kt_sym_from(1, kt_op_multiply(scale, kt_divide_no_nan(fp, tp)));
    *x = kt_op_maximum(kt_op_where(none, kt_num(0), recall), kt_num(0));
    *y = kt_op_where(none, kt_num(1), precision);
}

static kt_sym *auc_result(kt_component *c) {
    const auc_state *s = kt_state_of(c);
    kt_sym *x, *y;
    if (s->curve == CURVE_PR && s->area == AREA_TRAPEZOIDS) return davis_goadrich(c);
    if (s->curve == CURVE_ROC) {
        x = kt_confusion_ratio(c, KT_FP, KT_TN);
        y = kt_confusion_ratio(c, KT_TP, KT_FN);
    } else if (s->curve == CURVE_PR) {
        x = kt_confusion_ratio(c, KT_TP, KT_FN);
        y = kt_confusion_ratio(c, KT_TP, KT_FP);
    } else {
        gains(c, &x, &y);
    }
    kt_sym *height = NULL;
    if (s->area == AREA_MINORING)
        height = kt_op_minimum(lower(y), upper(y));
    else if (s->area == AREA_MAJORING)
        height = kt_op_maximum(lower(y), upper(y));
    else
        height = kt_sym_scale(kt_op_add(lower(y), upper(y)), 0.5);
    return sum_up(c, kt_op_multiply(steps(x), height));
}

static const kt_field auc_fields[] = {
    KT_F(auc_args, num_thresholds),
    KT_F(auc_args, curve),
    KT_F(auc_args, summation_method),
    KT_F(auc_args, thresholds),
    KT_F(auc_args, multi_label),
    KT_F(auc_args, num_labels),
    KT_F(auc_args, label_weights),
    KT_F(auc_args, from_logits),
    KT_METRIC_FIELDS(auc_args)};
static const auc_args auc_defaults = {.size = sizeof(auc_args), KT_METRIC_AUC_DEFAULTS};

const kt_metric_def kt_metric_def_auc = {
    .base =
        {.base =
             {.kind = KT_KIND_METRIC,
              .name = "AUC",
              .args_size = sizeof(auc_args),
              .state_size = sizeof(auc_state),
              .fields = auc_fields,
              .defaults = &auc_defaults,
              .init = auc_init,
              .destroy = kt_confusion_destroy},
         .build = auc_build,
         .update = auc_update,
         .result = auc_result},
    .direction = 1};

kt_metric *kt_metric_auc_new(const kt_metric_auc_args *args) {
    return kt_component_new(&kt_metric_def_auc.base.base, args);
}
