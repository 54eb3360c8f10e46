/* Intersection over union from a confusion matrix of labels (rows) and predictions (columns):
 *
 *   TP / (row + column - TP + 1e-7), the mean over the wanted classes that occur
 *
 * Samples whose label or prediction is no class, or whose label is ignore_class, do not count. The
 * matrix has whole numbers (int64) unless dtype says otherwise, so weights are truncated, as in
 * Keras; only a scatter in float32 is taken from each batch. Keras: IoU, MeanIoU, BinaryIoU,
 * OneHotIoU, OneHotMeanIoU. */
#include "nn/metrics/metric.h"

#include "base/mem.h"

typedef struct {
    kt_metric_state vars;
    int num_classes, n_targets, axis;
    int32_t *target; ///< class numbers that the mean is over
    int64_t ignore_class;
    bool sparse_y_true, sparse_y_pred, by_threshold;
    double threshold;
} iou_state;

/* Class numbers of the mean; all of them without a list. */
static kt_status iou_setup(kt_component *c, int num_classes, const kt_floats_t *targets) {
    iou_state *s = kt_state_of(c);
    if (num_classes < 1)
        return KT_FAIL(KT_EINVAL, "num_classes: expected a positive integer, got %d", num_classes);
    if (num_classes > 2048) /* the state is their square, and the number may come from a file */
        return KT_FAIL(KT_ELIMIT, "num_classes: %d, at most 2048", num_classes);
    if (targets && !targets->n)
        return KT_FAIL(KT_EINVAL, "target_class_ids: expected at least one class number");
    s->num_classes = num_classes;
    s->n_targets = targets ? targets->n : num_classes;
    s->target = kt_alloc_array(s->n_targets, sizeof *s->target);
    if (!s->target) return KT_ENOMEM;
    for (int i = 0; i < s->n_targets; i++) {
        const double id = targets ? targets->v[i] : i;
        if (!(id >= 0 && id < num_classes && id == (int)id))
            return KT_FAIL(
                KT_EINVAL,
                "target_class_ids: expected class numbers 0 to %d, got %g",
                num_classes - 1,
                id);
        s->target[i] = (int32_t)id;
    }
    return kt_metric_init(c, NULL);
}

static void iou_options(
    kt_component *c, int64_t ignore_class, bool sparse_y_true, bool sparse_y_pred, int axis) {
    iou_state *s = kt_state_of(c);
    s->ignore_class = ignore_class;
    s->sparse_y_true = sparse_y_true;
    s->sparse_y_pred = sparse_y_pred;
    s->axis = axis;
}

static kt_status io_u_init(kt_component *c) {
    const kt_metric_io_u_args *a = kt_args_of(c);
    iou_options(c, a->ignore_class, a->sparse_y_true, a->sparse_y_pred, a->axis);
    return iou_setup(c, a->num_classes, &a->target_class_ids);
}

static kt_status mean_io_u_init(kt_component *c) {
    const kt_metric_mean_io_u_args *a = kt_args_of(c);
    iou_options(c, a->ignore_class, a->sparse_y_true, a->sparse_y_pred, a->axis);
    return iou_setup(c, a->num_classes, NULL);
}

static kt_status one_hot_io_u_init(kt_component *c) {
    const kt_metric_one_hot_io_u_args *a = kt_args_of(c);
    iou_options(c, a->ignore_class, false, a->sparse_y_pred, a->axis);
    return iou_setup(c, a->num_classes, &a->target_class_ids);
}

static kt_status one_hot_mean_io_u_init(kt_component *c) {
    const kt_metric_one_hot_mean_io_u_args *a = kt_args_of(c);
    iou_options(c, a->ignore_class, false, a->sparse_y_pred, a->axis);
    return iou_setup(c, a->num_classes, NULL);
}

/* Files name both classes, as Keras does. */
static kt_status name_both(kt_floats_t *ids) {
    double *both = kt_alloc_array(2, sizeof *both);
    if (!both) return KT_ENOMEM;
    both[1] = 1;
    kt_mem_free((void *)(uintptr_t)ids->v);
    *ids = (kt_floats_t){both, 2};
    return KT_OK;
}

static kt_status binary_io_u_init(kt_component *c) {
    kt_metric_binary_io_u_args *a = c->args;
    iou_state *s = kt_state_of(c);
    if (!a->target_class_ids.n && name_both(&a->target_class_ids)) return KT_ENOMEM;
    iou_options(c, KT_NONE, true, true, -1);
    s->by_threshold = true;
    s->threshold = a->threshold;
    return iou_setup(c, 2, &a->target_class_ids);
}

static void iou_destroy(kt_component *c) {
    kt_mem_free(((iou_state *)kt_state_of(c))->target);
    kt_metric_destroy(c);
}

static kt_status iou_build(kt_component *c, const kt_shape *t, const kt_shape *p) {
    const int64_t n = ((const iou_state *)kt_state_of(c))->num_classes;
    (void)t, (void)p;
    if (kt_metric_n_vars(c)) return KT_OK;
    return kt_metric_add_var(
        c, "total_confusion_matrix", kt_metric_dtype(c, KT_INT64), (kt_shape){2, {n, n}});
}

/* A flat list of class numbers, int32. */
static kt_sym *class_numbers(kt_sym *x, bool sparse, int axis) {
    if (!sparse) x = kt_op_argmax(x, axis, false);
    return kt_op_reshape(kt_sym_cast(x, KT_INT32), (kt_shape){1, {-1}});
}

/* 1 where a class number is one of the classes, float32. */
static kt_sym *in_classes(kt_sym *x, int n) {
    kt_sym *low = kt_sym_cast(kt_op_greater_equal(x, kt_num(0)), KT_FLOAT32);
    return kt_op_multiply(low, kt_sym_cast(kt_op_less(x, kt_num(n)), KT_FLOAT32));
}

/* What each sample adds: 0, or its weight, which has gone through the matrix' dtype. */
static kt_sym *amounts(const iou_state *s, kt_sym *t, kt_sym *p, kt_sym *weight, kt_dtype dtype) {
    kt_sym *count = kt_op_multiply(in_classes(t, s->num_classes), in_classes(p, s->num_classes));
    if (s->ignore_class != KT_NONE) {
        kt_sym *kept = kt_op_not_equal(t, kt_num((double)s->ignore_class));
        count = kt_op_multiply(count, kt_sym_cast(kept, KT_FLOAT32));
    }
    if (!weight) return count;
    weight = kt_sym_cast(kt_sym_cast(weight, dtype), KT_FLOAT32);
    if (kt_sym_shape(weight).ndim > 1) weight = kt_op_reshape(weight, (kt_shape){1, {-1}});
    return kt_op_multiply(count, kt_op_broadcast_to(weight, kt_sym_shape(count)));
}

static kt_status iou_update(kt_component *c, kt_sym *t, kt_sym *p, kt_sym *weight) {
    const iou_state *s = kt_state_of(c);
    const int64_t n = s->num_classes;
    const kt_dtype dtype = kt_metric_vars(c)->var[0]->spec.dtype;
    if (s->by_threshold) {
        p = kt_sym_cast(p, KT_FLOAT32);
        p = kt_op_greater_equal(p, kt_num(s->threshold));
    }
    t = class_numbers(t, s->sparse_y_true, s->axis);
    p = class_numbers(p, s->sparse_y_pred, s->axis);
    if (kt_failed(t) || kt_failed(p)) return kt_check(kt_failed(t) ? t : p);
    if (kt_sym_shape(t).dim[0] != kt_sym_shape(p).dim[0]) {
        KT_FAIL(KT_ESHAPE, "%s: y_true and y_pred have different numbers of values", c->cls->name);
        kt_error_got(
            "%lld and %lld", (long long)kt_sym_shape(t).dim[0], (long long)kt_sym_shape(p).dim[0]);
        return kt_error_hint("are sparse_y_true and sparse_y_pred as your data are?");
    }
    kt_sym *amount = amounts(s, t, p, weight, dtype);
    t = kt_op_clip(t, 0, (double)n - 1);
    p = kt_op_clip(p, 0, (double)n - 1);
    kt_sym *cell = kt_op_add(kt_op_multiply(t, kt_num((double)n)), p);
    if (kt_failed(amount) || kt_failed(cell)) return kt_check(kt_failed(cell) ? cell : amount);
    kt_sym *matrix = kt_wrap(kt_g_scatter_add(
        kt_tracer_current()->g,
        kt_unwrap(amount, NULL),
        kt_unwrap(cell, NULL),
        (kt_shape){1, {n * n}}));
    return kt_metric_add_to(c, 0, kt_op_reshape(matrix, (kt_shape){2, {n, n}}));
}

static kt_sym *iou_result(kt_component *c) {
    const iou_state *s = kt_state_of(c);
    kt_graph *g = kt_tracer_current()->g;
    const kt_spec ids = {KT_INT32, {1, {s->n_targets}}};
    kt_sym *matrix = kt_metric_value(c, 0);
    kt_sym *target = kt_wrap(kt_g_array(g, s->target, ids));
    kt_sym *diagonal = kt_op_reshape(matrix, (kt_shape){1, {-1}});
    kt_sym *tp = kt_op_take(diagonal, kt_op_multiply(target, kt_num(s->num_classes + 1)), 0);
    kt_sym *all = kt_op_add(kt_op_sum(matrix, 0, false), kt_op_sum(matrix, 1, false));
    all = kt_sym_cast(kt_op_subtract(kt_op_take(all, target, 0), tp), KT_FLOAT32);
    kt_sym *occurs = kt_op_greater(all, kt_num(1e-9));
    kt_sym *iou = kt_op_divide(kt_sym_cast(tp, KT_FLOAT32), kt_sym_shift(all, KT_LOSS_EPSILON));
    kt_sym *sum = kt_op_sum(kt_op_where(occurs, iou, kt_num(0)), KT_NONE, false);
    kt_sym *number = kt_op_sum(kt_sym_cast(occurs, KT_FLOAT32), KT_NONE, false);
    return kt_op_divide(sum, kt_sym_shift(number, KT_LOSS_EPSILON));
}

#define IOU(x, camel, needs, ...)                                                                  \
    static const kt_field x##_fields[] = {__VA_ARGS__, KT_METRIC_FIELDS(kt_metric_##x##_args)};    \
    const kt_metric_def kt_metric_def_##x = {                                                      \
        .base =                                                                                    \
            {.base =                                                                               \
                 {.kind = KT_KIND_METRIC,                                                          \
                  .name = camel,                                                                   \
                  .args_size = sizeof(kt_metric_##x##_args),                                       \
                  .state_size = sizeof(iou_state),                                                 \
                  .fields = x##_fields,                                                            \
                  .defaults = &x##_defaults,                                                       \
                  .needs_arguments = needs,                                                        \
                  .init = x##_init,                                                                \
                  .destroy = iou_destroy},                                                         \
             .build = iou_build,                                                                   \
             .update = iou_update,                                                                 \
             .result = iou_result},                                                                \
        .direction = 1};                                                                           \
    kt_metric *kt_metric_##x##_new(const kt_metric_##x##_args *args) {                             \
        return kt_component_new(&kt_metric_def_##x.base.base, args);                               \
    }

#define DEFAULTS(x, ...)                                                                           \
    static const kt_metric_##x##_args x##_defaults = {                                             \
        .size = sizeof(kt_metric_##x##_args), __VA_ARGS__}
DEFAULTS(io_u, KT_METRIC_IO_U_DEFAULTS);
DEFAULTS(mean_io_u, KT_METRIC_IO_U_DEFAULTS);
DEFAULTS(binary_io_u, KT_METRIC_BINARY_IO_U_DEFAULTS);
DEFAULTS(one_hot_io_u, KT_METRIC_ONE_HOT_IO_U_DEFAULTS);
DEFAULTS(one_hot_mean_io_u, KT_METRIC_ONE_HOT_IO_U_DEFAULTS);

/* Only the binary one can do without arguments. */
IOU(io_u,
    "IoU",
    true,
    KT_F(kt_metric_io_u_args, num_classes),
    KT_F(kt_metric_io_u_args, target_class_ids),
    KT_F(kt_metric_io_u_args, ignore_class),
    KT_F(kt_metric_io_u_args, sparse_y_true),
    KT_F(kt_metric_io_u_args, sparse_y_pred),
    KT_F(kt_metric_io_u_args, axis))
IOU(mean_io_u,
    "MeanIoU",
    true,
    KT_F(kt_metric_mean_io_u_args, num_classes),
    KT_F(kt_metric_mean_io_u_args, ignore_class),
    KT_F(kt_metric_mean_io_u_args, sparse_y_true),
    KT_F(kt_metric_mean_io_u_args, sparse_y_pred),
    KT_F(kt_metric_mean_io_u_args, axis))
IOU(binary_io_u,
    "BinaryIoU",
    false,
    KT_F(kt_metric_binary_io_u_args, target_class_ids),
    KT_F(kt_metric_binary_io_u_args, threshold))
IOU(one_hot_io_u,
    "OneHotIoU",
    true,
    KT_F(kt_metric_one_hot_io_u_args, num_classes),
    KT_F(kt_metric_one_hot_io_u_args, target_class_ids),
    KT_F(kt_metric_one_hot_io_u_args, ignore_class),
    KT_F(kt_metric_one_hot_io_u_args, sparse_y_pred),
    KT_F(kt_metric_one_hot_io_u_args, axis))
IOU(one_hot_mean_io_u,
    "OneHotMeanIoU",
    true,
    KT_F(kt_metric_one_hot_mean_io_u_args, num_classes),
    KT_F(kt_metric_one_hot_mean_io_u_args, ignore_class),
    KT_F(kt_metric_one_hot_mean_io_u_args, sparse_y_pred),
    KT_F(kt_metric_one_hot_mean_io_u_args, axis))
