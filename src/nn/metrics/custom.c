/* The mean of a user's C function. Ranks are lined up before it is called, dtypes are its own
 * business (kt_op_* promote). A loss among the metrics is the mean of what it gives per sample.
 * Keras: a function or a loss among the metrics, MeanMetricWrapper. */
#include "base/mem.h"
#include "nn/metrics/mean.h"

typedef kt_metric_custom_args custom_args;

static kt_status custom_init(kt_component *c) {
    const custom_args *a = kt_args_of(c);
    if (!a->fn) return KT_FAIL(KT_EINVAL, "kt_metric_custom: expected a function, got NULL");
    char *name = kt_function_name(a->text);
    const kt_status st = name ? kt_metric_init(c, name) : KT_ENOMEM;
    kt_mem_free(name);
    return st;
}

static kt_sym *custom_fn(const kt_component *c, kt_sym *t, kt_sym *p) {
    const custom_args *a = kt_args_of(c);
    kt_same_rank(&t, &p, true);
    if (kt_failed(t) || kt_failed(p)) return kt_failed(t) ? t : p;
    kt_sym *y = a->fn(t, p, a->data);
    return y ? y : kt_fail_object(KT_FAIL(KT_EINVAL, "metric \"%s\" returned NULL", c->name));
}

static const kt_field custom_fields[] = {KT_METRIC_FIELDS(custom_args)};

static const kt_metric_def custom_def = {
    .base =
        {.base =
             {.kind = KT_KIND_METRIC,
              .name = "MeanMetricWrapper",
              .args_size = sizeof(custom_args),
              .state_size = sizeof(kt_mean_state),
              .fields = custom_fields,
              .init = custom_init,
              .destroy = kt_mean_destroy},
         KT_MEAN_FUNCTIONS},
    .fn = custom_fn};

kt_metric *kt_metric_custom_new(const kt_metric_custom_args *args) {
    return kt_component_new(&custom_def.base.base, args);
}

/* The mean of a loss: kt_mean_of_loss() finds it in the state. */
static const kt_metric_def of_loss_def = {
    .base = {.base = {KT_MEAN_PLAIN("MeanMetricWrapper")}, KT_MEAN_FUNCTIONS},
    .direction = -1,
    .fn = kt_mean_of_loss};

kt_metric *kt_metric_of_loss(const kt_component *loss) {
    kt_metric *m = kt_component_new(
        &of_loss_def.base.base,
        &(kt_metric_args){.size = sizeof(kt_metric_args), .name = kt_loss_name(loss)});
    if (!kt_failed(m)) ((kt_mean_state *)m->state)->loss = kt_adopt(loss);
    return m;
}
