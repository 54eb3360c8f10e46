/* The learning rate as a function of the epoch.  keras.callbacks.LearningRateScheduler */
#include "callbacks/message.h"
#include "callbacks/rate.h"
#include "model/callback.h"

#include <keratin/callbacks.h>

static kt_status scheduler_init(kt_component *c) {
    const kt_cb_learning_rate_scheduler_args *a = kt_args_of(c);
    char got[96];
    if (!a->schedule == !a->epoch_schedule)
        return KT_FAIL(
            KT_EINVAL,
            "schedule: expected a function or a schedule, got %s",
            a->schedule ? "both" : "None");
    if (a->schedule || kt_is(a->epoch_schedule, KT_KIND_SCHEDULE)) return KT_OK;
    return KT_FAIL(
        KT_EINVAL,
        "schedule: expected a schedule, got %s",
        kt_ref_describe(a->epoch_schedule, got, sizeof got));
}

static kt_status set_rate(const kt_component *c, kt_model *m, int64_t epoch) {
    const kt_cb_learning_rate_scheduler_args *a = kt_args_of(c);
    kt_optimizer *opt = kt_rate_optimizer(m);
    const double rate = a->schedule ? a->schedule((int)epoch, kt_opt_learning_rate(opt), a->data)
                                    : kt_sched_value((const kt_schedule *)a->epoch_schedule, epoch);
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
    {"schedule",
     offsetof(kt_cb_learning_rate_scheduler_args, epoch_schedule),
     sizeof(kt_ref),
     KT_FIELD_REF}, /* functions have no place in a config, schedules have */
    KT_F(kt_cb_learning_rate_scheduler_args, verbose),
    KT_F_END,
};

static const kt_cb_learning_rate_scheduler_args scheduler_defaults = {
    .size = sizeof scheduler_defaults};

extern const kt_callback_class kt_callback_class_learning_rate_scheduler;
const kt_callback_class kt_callback_class_learning_rate_scheduler = {
    .base =
        {
            .kind = KT_KIND_CALLBACK,
            .name = "LearningRateScheduler",
            .args_size = sizeof(kt_cb_learning_rate_scheduler_args),
            .fields = scheduler_fields,
            .defaults = &scheduler_defaults,
            .init = scheduler_init,
        },
    .on = scheduler_on,
    .wants = scheduler_wants,
};

kt_callback *kt_cb_learning_rate_scheduler_new(const kt_cb_learning_rate_scheduler_args *a) {
    return kt_component_new(&kt_callback_class_learning_rate_scheduler.base, a);
}
