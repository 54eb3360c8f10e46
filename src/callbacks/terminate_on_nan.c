/* Stops a training that has come apart.  keras.callbacks.TerminateOnNaN */
#include "callbacks/message.h"
#include "model/callback.h"

#include <keratin/callbacks.h>

#include <math.h>
#include <string.h>

static kt_status terminate_on(
    kt_component *c, kt_hook_id hook, kt_model *m, int64_t index, kt_logs *logs) {
    const kt_cb_terminate_on_nan_args *a = kt_args_of(c);
    (void)hook;
    bool bad = false;
    for (int i = 0; i < kt_logs_len(logs); i++) /* a missing loss would read as NaN */
        bad = bad || (!strcmp(kt_logs_name(logs, i), "loss") && !isfinite(kt_logs_value(logs, i)));
    if (!bad) return KT_OK;
    if (a->raise_error)
        return KT_FAIL(KT_ENAN, "the loss is NaN or infinite at batch %lld", (long long)index);
    kt_message("Batch %lld: Invalid loss, terminating training\n", (long long)index);
    return kt_model_stop_training(m);
}

static bool terminate_wants(const kt_component *c, kt_hook_id hook) {
    (void)c;
    return hook == KT_ON_TRAIN_BATCH_END;
}

static const kt_field terminate_fields[] = {
    KT_F(kt_cb_terminate_on_nan_args, raise_error), KT_F_END};

static const kt_cb_terminate_on_nan_args terminate_defaults = {.size = sizeof terminate_defaults};

extern const kt_callback_class kt_callback_class_terminate_on_nan;
const kt_callback_class kt_callback_class_terminate_on_nan = {
    .base =
        {
            .kind = KT_KIND_CALLBACK,
            .name = "TerminateOnNaN",
            .aliases = {"terminate_on_nan"},
            .args_size = sizeof(kt_cb_terminate_on_nan_args),
            .fields = terminate_fields,
            .defaults = &terminate_defaults,
        },
    .on = terminate_on,
    .wants = terminate_wants,
};

kt_callback *kt_cb_terminate_on_nan_new(const kt_cb_terminate_on_nan_args *a) {
    return kt_component_new(&kt_callback_class_terminate_on_nan.base, a);
}
