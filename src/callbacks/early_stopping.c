/* Stops a training that does not get better.  keras.callbacks.EarlyStopping */
#include "callbacks/message.h"
#include "callbacks/monitor.h"
#include "callbacks/snapshot.h"

#include <keratin/callbacks.h>

typedef struct {
    kt_monitor monitor;
    kt_snapshot weights; ///< of the best epoch, or of the first one looked at
    int wait;
    int64_t best_epoch, stopped_epoch;
} early_stopping;

static kt_status early_init(kt_component *c) {
    const kt_cb_early_stopping_args *a = kt_args_of(c);
    early_stopping *s = kt_state_of(c);
    return kt_monitor_init(&s->monitor, a->monitor, a->mode, a->min_delta);
}

static void early_destroy(kt_component *c) {
    kt_snapshot_free(&((early_stopping *)kt_state_of(c))->weights);
}

static void early_begin(early_stopping *s) {
    kt_monitor_reset(&s->monitor);
    kt_snapshot_free(&s->weights);
    s->wait = 0;
    s->best_epoch = s->stopped_epoch = 0;
}

static kt_status keep_weights(
    early_stopping *s, const kt_cb_early_stopping_args *a, kt_model *m, int64_t epoch) {
    s->best_epoch = epoch;
    return a->restore_best_weights ? kt_snapshot_take(&s->weights, m) : KT_OK;
}

static kt_status early_epoch(kt_component *c, kt_model *m, int64_t epoch, const kt_logs *logs) {
    const kt_cb_early_stopping_args *a = kt_args_of(c);
    early_stopping *s = kt_state_of(c);
    double value;
    const kt_status st = kt_monitor_resolve(&s->monitor, "EarlyStopping", m);
    if (st) return st;
    const char *what = "early stopping is conditioned on metric";
    if (!kt_monitor_value(&s->monitor, what, logs, &value) || epoch < a->start_from_epoch)
        return KT_OK;
    s->wait++;
    if (kt_monitor_improves(&s->monitor, value)) {
        if (a->baseline == KT_NONE_F || kt_monitor_is_better(&s->monitor, value, a->baseline))
            s->wait = 0;
        return keep_weights(s, a, m, epoch);
    }
    if (s->wait < a->patience || epoch == 0) return KT_OK;
    s->stopped_epoch = epoch;
    return kt_model_stop_training(m);
}

static kt_status early_end(kt_component *c, kt_model *m) {
    const kt_cb_early_stopping_args *a = kt_args_of(c);
    early_stopping *s = kt_state_of(c);
    kt_status st = KT_OK;
    if (s->stopped_epoch > 0 && a->verbose > 0)
        kt_message("Epoch %lld: early stopping\n", (long long)s->stopped_epoch + 1);
    if (s->weights.data) {
        if (a->verbose > 0)
            kt_message(
                "Restoring model weights from the end of the best epoch: %lld.\n",
                (long long)s->best_epoch + 1);
        st = kt_snapshot_restore(&s->weights, m);
    }
    kt_snapshot_free(&s->weights);
    return st;
}

static kt_status early_on(
    kt_component *c, kt_hook_id hook, kt_model *m, int64_t index, kt_logs *logs) {
    if (hook == KT_ON_EPOCH_END) return early_epoch(c, m, index, logs);
    if (hook == KT_ON_TRAIN_END) return early_end(c, m);
    early_begin(kt_state_of(c));
    return KT_OK;
}

static bool early_wants(const kt_component *c, kt_hook_id hook) {
    (void)c;
    return hook == KT_ON_TRAIN_BEGIN || hook == KT_ON_EPOCH_END || hook == KT_ON_TRAIN_END;
}

#define F(name) KT_F(kt_cb_early_stopping_args, name)
static const kt_field early_fields[] = {
    F(monitor),
    F(min_delta),
    F(patience),
    F(verbose),
    F(mode),
    F(baseline),
    F(restore_best_weights),
    F(start_from_epoch),
    KT_F_END,
};
#undef F

static const kt_cb_early_stopping_args early_defaults = {
    .size = sizeof early_defaults, KT_CB_EARLY_STOPPING_DEFAULTS};

extern const kt_callback_class kt_callback_class_early_stopping;
const kt_callback_class kt_callback_class_early_stopping = {
    .base =
        {
            .kind = KT_KIND_CALLBACK,
            .name = "EarlyStopping",
            .args_size = sizeof(kt_cb_early_stopping_args),
            .state_size = sizeof(early_stopping),
            .fields = early_fields,
            .defaults = &early_defaults,
            .init = early_init,
            .destroy = early_destroy,
        },
    .on = early_on,
    .wants = early_wants,
};

kt_callback *kt_cb_early_stopping_new(const kt_cb_early_stopping_args *a) {
    return kt_component_new(&kt_callback_class_early_stopping.base, a);
}
