/* Accuracies, one 0 or 1 for each sample (or position):
 *
 *   accuracy                     y_true = y_pred
 *   binary_accuracy              y_true = (y_pred > threshold)
 *   categorical_accuracy         argmax(y_true) = argmax(y_pred)
 *   sparse_categorical_accuracy  y_true = argmax(y_pred)
 *
 * Keras: Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy. */
#include "nn/metrics/mean.h"

static kt_sym *hits(kt_sym *a, kt_sym *b) { return kt_op_cast(kt_op_equal(a, b), kt_floatx()); }

static kt_sym *accuracy_fn(const kt_component *c, kt_sym *t, kt_sym *p) {
    const kt_status st = kt_loss_operands(c, &t, &p);
    return st ? kt_fail_object(st) : hits(t, p);
}

static kt_sym *binary_fn(const kt_component *c, kt_sym *t, kt_sym *p) {
    const kt_metric_binary_accuracy_args *a = kt_args_of(c);
    const kt_status st = kt_loss_operands(c, &t, &p);
    if (st) return kt_fail_object(st);
    return hits(t, kt_sym_cast(kt_op_greater(p, kt_num(a->threshold)), kt_sym_dtype(t)));
}

static kt_sym *categorical_fn(const kt_component *c, kt_sym *t, kt_sym *p) {
    const kt_shape sp = kt_sym_shape(p);
    kt_status st = kt_one_hot_labels(c, &t, &p, "sparse_categorical_accuracy");
    if (st == KT_OK && sp.ndim < 1) st = KT_FAIL(KT_ESHAPE, "%s: y_pred has no axis", c->cls->name);
    return st ? kt_fail_object(st) : hits(kt_op_argmax(t, -1, false), kt_op_argmax(p, -1, false));
}

static kt_sym *sparse_fn(const kt_component *c, kt_sym *t, kt_sym *p) {
    const kt_status st = kt_class_labels(c, &t, kt_sym_shape(p), "categorical_accuracy");
    if (st) return kt_fail_object(st);
    kt_sym *best = kt_op_argmax(p, -1, false);
    if (kt_dtype_is_float(kt_sym_dtype(t))) return hits(t, kt_sym_cast(best, kt_sym_dtype(t)));
    return hits(kt_sym_cast(t, KT_INT32), best);
}

static const kt_field binary_fields[] = {
    KT_F(kt_metric_binary_accuracy_args, threshold),
    KT_METRIC_FIELDS(kt_metric_binary_accuracy_args)};
static const kt_metric_binary_accuracy_args binary_defaults = {
    .size = sizeof(kt_metric_binary_accuracy_args), KT_METRIC_BINARY_ACCURACY_DEFAULTS};

const kt_metric_def kt_metric_def_accuracy = {
    .base = {.base = {KT_MEAN_PLAIN("Accuracy")}, KT_MEAN_FUNCTIONS},
    .direction = 1,
    .fn = accuracy_fn};
const kt_metric_def kt_metric_def_binary_accuracy = {
    .base =
        {.base =
             {KT_MEAN_BASE("BinaryAccuracy"),
              .args_size = sizeof(kt_metric_binary_accuracy_args),
              .fields = binary_fields,
              .defaults = &binary_defaults},
         KT_MEAN_FUNCTIONS},
    .direction = 1,
    .fn = binary_fn};
const kt_metric_def kt_metric_def_categorical_accuracy = {
    .base = {.base = {KT_MEAN_PLAIN("CategoricalAccuracy")}, KT_MEAN_FUNCTIONS},
    .direction = 1,
    .fn = categorical_fn};
const kt_metric_def kt_metric_def_sparse_categorical_accuracy = {
    .base = {.base = {KT_MEAN_PLAIN("SparseCategoricalAccuracy")}, KT_MEAN_FUNCTIONS},
    .direction = 1,
    .fn = sparse_fn};

kt_metric *kt_metric_accuracy_new(const kt_metric_args *args) {
    return kt_component_new(&kt_metric_def_accuracy.base.base, args);
}
kt_metric *kt_metric_binary_accuracy_new(const kt_metric_binary_accuracy_args *args) {
    return kt_component_new(&kt_metric_def_binary_accuracy.base.base, args);
}
kt_metric *kt_metric_categorical_accuracy_new(const kt_metric_args *args) {
    return kt_component_new(&kt_metric_def_categorical_accuracy.base.base, args);
}
kt_metric *kt_metric_sparse_categorical_accuracy_new(const kt_metric_args *args) {
    return kt_component_new(&kt_metric_def_sparse_categorical_accuracy.base.base, args);
}
