/* The learning rate as a function of the epoch.  keras.callbacks.LearningRateScheduler */
#include "callbacks/message.h"
#include "callbacks/rate.h"
#include "model/callback.h"

#include <keratin/callbacks.h>

static kt_status scheduler_init(kt_component *c) {
    const kt_cb_learning_rate_scheduler_args *a = kt_args_of(c);
    return a->schedule ? KT_OK : KT_FAIL(KT_EINVAL, "schedule: expected a function, got None");
}

static kt_status set_rate(const kt_component *c, kt_model *m, int64_t epoch) {
    const kt_cb_learning_rate_scheduler_args *a = kt_args_of(c);
    kt_optimizer *opt = kt_rate_optimizer(m);
    const double rate = a->schedule((int)epoch, kt_opt_learning_rate(opt), a->data);
    const kt_status st = kt_opt_set_learning_rate(opt, rate);
    if (st == KT_OK && a->verbose > 0)
        kt_message_rate("LearningRateScheduler", "setting", epoch, rate);
    return st;
}

static kt_status scheduler_on(
    kt_component *c, kt_hook_id hook, kt_model *m, int64_t index, kt_logs *logs) {
    return hook == KT_ON_EPOCH_BEGIN ? set_rate(c, m, index) : kt_rate_log(m, logs);
}

static bool scheduler_wants(const kt_component *c, kt_hook_id hook) {
    (void)c;
    return hook == KT_ON_EPOCH_BEGIN || hook == KT_ON_EPOCH_END;
}

static const kt_field scheduler_fields[] = {
    KT_F(kt_cb_learning_rate_scheduler_args, verbose), KT_F_END};

static const kt_callback_class scheduler_class = {
    .base =
        {
            .kind = KT_KIND_CALLBACK,
            .name = "LearningRateScheduler",
            .args_size = sizeof(kt_cb_learning_rate_scheduler_args),
            .fields = scheduler_fields,
            .init = scheduler_init,
        },
    .on = scheduler_on,
    .wants = scheduler_wants,
};

kt_callback *kt_cb_learning_rate_scheduler_new(const kt_cb_learning_rate_scheduler_args *a) {
    return kt_component_new(&scheduler_class.base, a);
}
