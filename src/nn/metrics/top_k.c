/* Is the label among the k largest predictions? It is if fewer than k are strictly larger, so ties
 * count, as TensorFlow's in_top_k says. Labels outside the classes are never among them.
 *
 * Keras: TopKCategoricalAccuracy (one-hot), SparseTopKCategoricalAccuracy (class numbers). */
#include "nn/metrics/mean.h"

#include <math.h>

typedef kt_metric_top_k_categorical_accuracy_args top_k_args;
typedef kt_metric_sparse_top_k_categorical_accuracy_args sparse_top_k_args;

static kt_status check_k(int k) {
    return k > 0 ? KT_OK : KT_FAIL(KT_EINVAL, "k: expected a positive integer, got %d", k);
}

static kt_status top_k_init(kt_component *c) {
    const kt_status st = check_k(((const top_k_args *)kt_args_of(c))->k);
    return st ? st : kt_mean_init(c);
}

static kt_status sparse_top_k_init(kt_component *c) {
    const kt_status st = check_k(((const sparse_top_k_args *)kt_args_of(c))->k);
    return st ? st : kt_mean_init(c);
}

static kt_sym *in_top_k(kt_sym *label, kt_sym *p, int k) {
    if (!kt_dtype_is_float(kt_sym_dtype(p))) p = kt_op_cast(p, kt_floatx());
    const kt_shape s = kt_sym_shape(p);
    const kt_dtype dtype = kt_sym_dtype(p);
    const int64_t classes = kt_shape_dim(&s, -1);
    kt_sym *mine = kt_op_greater(
        kt_op_one_hot(kt_sym_cast(label, KT_INT32), classes, -1, NULL), kt_num(0));
    kt_sym *right = kt_op_max(kt_op_where(mine, p, kt_num(-INFINITY)), -1, true);
    if (k > classes) /* all of them, but for labels that are none */
        return kt_sym_cast(kt_op_squeeze(kt_op_greater(right, kt_num(-INFINITY)), -1), dtype);
    kt_sym *above = kt_op_sum(kt_sym_cast(kt_op_greater(p, right), dtype), -1, false);
    return kt_sym_cast(kt_op_less(above, kt_num(k)), dtype);
}

static kt_sym *top_k_fn(const kt_component *c, kt_sym *t, kt_sym *p) {
    const kt_status st = kt_one_hot_labels(c, &t, &p, "sparse_top_k_categorical_accuracy");
    if (st) return kt_fail_object(st);
    return in_top_k(kt_op_argmax(t, -1, false), p, ((const top_k_args *)kt_args_of(c))->k);
}

static kt_sym *sparse_top_k_fn(const kt_component *c, kt_sym *t, kt_sym *p) {
    const sparse_top_k_args *a = kt_args_of(c);
    const kt_status st = kt_class_labels(c, &t, kt_sym_shape(p), "top_k_categorical_accuracy");
    if (st) return kt_fail_object(st);
    if (!a->from_sorted_ids) return in_top_k(t, p, a->k);
    const kt_shape s = kt_sym_shape(p);
    const int64_t n = kt_shape_dim(&s, -1);
    p = kt_sym_cast(kt_op_slice(p, -1, 0, a->k < n ? a->k : n), KT_INT32);
    kt_sym *equal = kt_op_equal(kt_op_expand_dims(kt_sym_cast(t, KT_INT32), -1), p);
    return kt_op_max(kt_op_cast(equal, kt_floatx()), -1, false);
}

static const kt_field top_k_fields[] = {KT_F(top_k_args, k), KT_METRIC_FIELDS(top_k_args)};
static const top_k_args top_k_defaults = {
    .size = sizeof(top_k_args), KT_METRIC_TOP_K_CATEGORICAL_ACCURACY_DEFAULTS};
static const kt_field sparse_top_k_fields[] = {
    KT_F(sparse_top_k_args, k),
    KT_F(sparse_top_k_args, from_sorted_ids),
    KT_METRIC_FIELDS(sparse_top_k_args)};
static const sparse_top_k_args sparse_top_k_defaults = {
    .size = sizeof(sparse_top_k_args), KT_METRIC_SPARSE_TOP_K_CATEGORICAL_ACCURACY_DEFAULTS};

const kt_metric_def kt_metric_def_top_k_categorical_accuracy = {
    .base =
        {.base =
             {.kind = KT_KIND_METRIC,
              .name = "TopKCategoricalAccuracy",
              .args_size = sizeof(top_k_args),
              .state_size = sizeof(kt_mean_state),
              .fields = top_k_fields,
              .defaults = &top_k_defaults,
              .init = top_k_init,
              .destroy = kt_mean_destroy},
         KT_MEAN_FUNCTIONS},
    .direction = 1,
    .fn = top_k_fn};
const kt_metric_def kt_metric_def_sparse_top_k_categorical_accuracy = {
    .base =
        {.base =
             {.kind = KT_KIND_METRIC,
              .name = "SparseTopKCategoricalAccuracy",
              .args_size = sizeof(sparse_top_k_args),
              .state_size = sizeof(kt_mean_state),
              .fields = sparse_top_k_fields,
              .defaults = &sparse_top_k_defaults,
              .init = sparse_top_k_init,
              .destroy = kt_mean_destroy},
         KT_MEAN_FUNCTIONS},
    .direction = 1,
    .fn = sparse_top_k_fn};

kt_metric *kt_metric_top_k_categorical_accuracy_new(
    const kt_metric_top_k_categorical_accuracy_args *args) {
    return kt_component_new(&kt_metric_def_top_k_categorical_accuracy.base.base, args);
}
kt_metric *kt_metric_sparse_top_k_categorical_accuracy_new(
    const kt_metric_sparse_top_k_categorical_accuracy_args *args) {
    return kt_component_new(&kt_metric_def_sparse_top_k_categorical_accuracy.base.base, args);
}
