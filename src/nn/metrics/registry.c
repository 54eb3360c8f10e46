/* The list of metrics: names in compile(), documentation, files. */
#include "nn/metrics/metric.h"

#define KT_METRIC(name) extern const kt_metric_def kt_metric_def_##name;
#include "nn/metrics/metrics.def"
#undef KT_METRIC

#define KT_METRIC(name) &kt_metric_def_##name.base.base,
static const kt_class *const metrics[] = {
#include "nn/metrics/metrics.def"
    NULL};

const kt_class *const *kt_metric_registry(void) { return metrics; }
