/* The learning rate of a compiled model, for callbacks. */
#ifndef KT_CALLBACKS_RATE_H
#define KT_CALLBACKS_RATE_H

#include "model/compile.h"

#include <keratin/optimizers.h>

static inline kt_optimizer *kt_rate_optimizer(const kt_model *m) {
    return kt_model_of(m)->compiled->optimizer;
}

/** "learning_rate" in the logs of an epoch. */
static inline kt_status kt_rate_log(const kt_model *m, kt_logs *logs) {
    if (!logs) return KT_OK;
    return kt_logs_set(logs, "learning_rate", kt_opt_learning_rate(kt_rate_optimizer(m)));
}

#endif
