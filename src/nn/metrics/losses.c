/* Losses as metrics: the mean of what the loss gives per sample, weighted. The metric owns a loss
 * with the same arguments, so each formula exists once. Keras: the metrics of these names. */
#include "nn/metrics/mean.h"

kt_sym *kt_mean_of_loss(const kt_component *c, kt_sym *y_true, kt_sym *y_pred) {
    return kt_loss_per_sample(((const kt_mean_state *)c->state)->loss, y_true, y_pred);
}

static kt_status keep_loss(kt_component *c, kt_loss *loss) {
    if (kt_failed(loss)) return kt_check(loss);
    ((kt_mean_state *)c->state)->loss = kt_adopt(loss);
    return kt_mean_init(c);
}

kt_status kt_mean_of_loss_init(kt_component *c) {
    const kt_class *loss = &kt_metric_def_of(c)->loss->base;
    return keep_loss(c, kt_component_new(loss, loss->defaults));
}

static kt_sym *minus_loss(const kt_component *c, kt_sym *y_true, kt_sym *y_pred) {
    return kt_op_negative(kt_mean_of_loss(c, y_true, y_pred));
}

static kt_status bce_init(kt_component *c) {
    const kt_metric_binary_crossentropy_args *a = kt_args_of(c);
    return keep_loss(c, kt_loss_binary_crossentropy(a->from_logits, a->label_smoothing));
}

static kt_status cce_init(kt_component *c) {
    const kt_metric_categorical_crossentropy_args *a = kt_args_of(c);
    return keep_loss(
        c, kt_loss_categorical_crossentropy(a->from_logits, a->label_smoothing, a->axis));
}

static kt_status scce_init(kt_component *c) {
    const kt_metric_sparse_categorical_crossentropy_args *a = kt_args_of(c);
    return keep_loss(
        c,
        kt_loss_sparse_categorical_crossentropy(a->from_logits, a->ignore_class, .axis = a->axis));
}

static kt_status cosine_init(kt_component *c) {
    const kt_metric_cosine_similarity_args *a = kt_args_of(c);
    return keep_loss(c, kt_loss_cosine_similarity(a->axis));
}

#define MEAN_OF_LOSS(x, camel, ...)                                                                \
    extern const kt_loss_class kt_loss_class_##x;                                                  \
    const kt_metric_def kt_metric_def_##x = {                                                      \
        .base =                                                                                    \
            {.base =                                                                               \
                 {.kind = KT_KIND_METRIC,                                                          \
                  .name = camel,                                                                   \
                  .aliases = {__VA_ARGS__},                                                        \
                  .args_size = sizeof(kt_metric_args),                                             \
                  .state_size = sizeof(kt_mean_state),                                             \
                  .fields = kt_metric_plain_fields,                                                \
                  .defaults = &kt_metric_plain_defaults,                                           \
                  .init = kt_mean_of_loss_init,                                                    \
                  .destroy = kt_mean_destroy},                                                     \
             KT_MEAN_FUNCTIONS},                                                                   \
        .direction = -1,                                                                           \
        .fn = kt_mean_of_loss,                                                                     \
        .loss = &kt_loss_class_##x};                                                               \
    kt_metric *kt_metric_##x##_new(const kt_metric_args *args) {                                   \
        return kt_component_new(&kt_metric_def_##x.base.base, args);                               \
    }

MEAN_OF_LOSS(mean_squared_error, "MeanSquaredError", "mse", "MSE")
MEAN_OF_LOSS(mean_absolute_error, "MeanAbsoluteError", "mae", "MAE")
MEAN_OF_LOSS(mean_absolute_percentage_error, "MeanAbsolutePercentageError", "mape", "MAPE")
MEAN_OF_LOSS(mean_squared_logarithmic_error, "MeanSquaredLogarithmicError", "msle", "MSLE")
MEAN_OF_LOSS(kl_divergence, "KLDivergence", NULL)
MEAN_OF_LOSS(poisson, "Poisson", NULL)
MEAN_OF_LOSS(hinge, "Hinge", NULL)
MEAN_OF_LOSS(squared_hinge, "SquaredHinge", NULL)
MEAN_OF_LOSS(categorical_hinge, "CategoricalHinge", NULL)

extern const kt_loss_class kt_loss_class_log_cosh;
const kt_metric_def kt_metric_def_log_cosh_error = {
    .base =
        {.base =
             {.kind = KT_KIND_METRIC,
              .name = "LogCoshError",
              .args_size = sizeof(kt_metric_args),
              .state_size = sizeof(kt_mean_state),
              .fields = kt_metric_plain_fields,
              .defaults = &kt_metric_plain_defaults,
              .init = kt_mean_of_loss_init,
              .destroy = kt_mean_destroy},
         KT_MEAN_FUNCTIONS},
    .direction = -1,
    .fn = kt_mean_of_loss,
    .fixed_name = "logcosh",
    .loss = &kt_loss_class_log_cosh};
kt_metric *kt_metric_log_cosh_error_new(const kt_metric_args *args) {
    return kt_component_new(&kt_metric_def_log_cosh_error.base.base, args);
}

static const kt_field bce_fields[] = {
    KT_F(kt_metric_binary_crossentropy_args, from_logits),
    KT_F(kt_metric_binary_crossentropy_args, label_smoothing),
    KT_METRIC_FIELDS(kt_metric_binary_crossentropy_args)};
static const kt_metric_binary_crossentropy_args bce_defaults = {
    .size = sizeof(kt_metric_binary_crossentropy_args)};
static const kt_field cce_fields[] = {
    KT_F(kt_metric_categorical_crossentropy_args, from_logits),
    KT_F(kt_metric_categorical_crossentropy_args, label_smoothing),
    KT_F(kt_metric_categorical_crossentropy_args, axis),
    KT_METRIC_FIELDS(kt_metric_categorical_crossentropy_args)};
static const kt_metric_categorical_crossentropy_args cce_defaults = {
    .size = sizeof(kt_metric_categorical_crossentropy_args),
    KT_METRIC_CATEGORICAL_CROSSENTROPY_DEFAULTS};
static const kt_field scce_fields[] = {
    KT_F(kt_metric_sparse_categorical_crossentropy_args, from_logits),
    KT_F(kt_metric_sparse_categorical_crossentropy_args, ignore_class),
    KT_F(kt_metric_sparse_categorical_crossentropy_args, axis),
    KT_METRIC_FIELDS(kt_metric_sparse_categorical_crossentropy_args)};
static const kt_metric_sparse_categorical_crossentropy_args scce_defaults = {
    .size = sizeof(kt_metric_sparse_categorical_crossentropy_args),
    KT_METRIC_SPARSE_CATEGORICAL_CROSSENTROPY_DEFAULTS};
static const kt_field cosine_fields[] = {
    KT_F(kt_metric_cosine_similarity_args, axis),
    KT_METRIC_FIELDS(kt_metric_cosine_similarity_args)};
static const kt_metric_cosine_similarity_args cosine_defaults = {
    .size = sizeof(kt_metric_cosine_similarity_args), KT_METRIC_COSINE_SIMILARITY_DEFAULTS};

#define MEAN_OF_LOSS_WITH(x, camel, short_, way, function, ...)                                    \
    const kt_metric_def kt_metric_def_##x = {                                                      \
        .base =                                                                                    \
            {.base =                                                                               \
                 {.kind = KT_KIND_METRIC,                                                          \
                  .name = camel,                                                                   \
                  .aliases = {__VA_ARGS__},                                                        \
                  .args_size = sizeof(kt_metric_##x##_args),                                       \
                  .state_size = sizeof(kt_mean_state),                                             \
                  .fields = short_##_fields,                                                       \
                  .defaults = &short_##_defaults,                                                  \
                  .init = short_##_init,                                                           \
                  .destroy = kt_mean_destroy},                                                     \
             KT_MEAN_FUNCTIONS},                                                                   \
        .direction = way,                                                                          \
        .fn = function};                                                                           \
    kt_metric *kt_metric_##x##_new(const kt_metric_##x##_args *args) {                             \
        return kt_component_new(&kt_metric_def_##x.base.base, args);                               \
    }

MEAN_OF_LOSS_WITH(binary_crossentropy, "BinaryCrossentropy", bce, -1, kt_mean_of_loss, "bce", "BCE")
MEAN_OF_LOSS_WITH(
    categorical_crossentropy, "CategoricalCrossentropy", cce, -1, kt_mean_of_loss, NULL)
MEAN_OF_LOSS_WITH(
    sparse_categorical_crossentropy,
    "SparseCategoricalCrossentropy",
    scce,
    -1,
    kt_mean_of_loss,
    NULL)
MEAN_OF_LOSS_WITH(cosine_similarity, "CosineSimilarity", cosine, 1, minus_loss, NULL)
