/* Smaller steps when a training does not get better.  keras.callbacks.ReduceLROnPlateau */
#include "callbacks/message.h"
#include "callbacks/monitor.h"
#include "callbacks/rate.h"

#include <keratin/callbacks.h>

typedef struct {
    kt_monitor monitor;
    int wait, cooldown; ///< epochs without improvement; epochs left to wait
} plateau;

static kt_status plateau_init(kt_component *c) {
    const kt_cb_reduce_lr_on_plateau_args *a = kt_args_of(c);
    plateau *s = kt_state_of(c);
    if (!(a->factor < 1))
        return KT_FAIL(KT_EINVAL, "factor: expected a number below 1, got %g", a->factor);
    return kt_monitor_init(&s->monitor, a->monitor, a->mode, a->min_delta);
}

static kt_status reduce(const kt_component *c, plateau *s, kt_model *m, int64_t epoch) {
    const kt_cb_reduce_lr_on_plateau_args *a = kt_args_of(c);
    const double old = kt_opt_learning_rate(kt_rate_optimizer(m));
    if (!(old > (double)(float)a->min_lr)) return KT_OK; /* as little as a float32 can say */
    const double rate = old * a->factor > a->min_lr ? old * a->factor : a->min_lr;
    const kt_status st = kt_opt_set_learning_rate(kt_rate_optimizer(m), rate);
    if (st) return st;
    if (a->verbose > 0) kt_message_rate("ReduceLROnPlateau", "reducing", epoch, rate);
    s->cooldown = a->cooldown;
    s->wait = 0;
    return KT_OK;
}

static kt_status plateau_epoch(kt_component *c, kt_model *m, int64_t epoch, kt_logs *logs) {
    const kt_cb_reduce_lr_on_plateau_args *a = kt_args_of(c);
    plateau *s = kt_state_of(c);
    double value;
    kt_status st = kt_monitor_resolve(&s->monitor, "ReduceLROnPlateau", m);
    if (st == KT_OK) st = kt_rate_log(m, logs);
    if (st) return st;
    const char *what = "learning rate reduction is conditioned on metric";
    if (!kt_monitor_value(&s->monitor, what, logs, &value)) return KT_OK;
    if (s->cooldown > 0) {
        s->cooldown--;
        s->wait = 0;
    }
    if (kt_monitor_improves(&s->monitor, value))
        s->wait = 0;
    else if (s->cooldown <= 0 && ++s->wait >= a->patience)
        st = reduce(c, s, m, epoch);
    return st;
}

static kt_status plateau_on(
    kt_component *c, kt_hook_id hook, kt_model *m, int64_t index, kt_logs *logs) {
    plateau *s = kt_state_of(c);
    if (hook == KT_ON_EPOCH_END) return plateau_epoch(c, m, index, logs);
    kt_monitor_reset(&s->monitor);
    s->wait = s->cooldown = 0;
    return KT_OK;
}

static bool plateau_wants(const kt_component *c, kt_hook_id hook) {
    (void)c;
    return hook == KT_ON_TRAIN_BEGIN || hook == KT_ON_EPOCH_END;
}

#define F(name) KT_F(kt_cb_reduce_lr_on_plateau_args, name)
static const kt_field plateau_fields[] = {
    F(monitor),
    F(factor),
    F(patience),
    F(verbose),
    F(mode),
    F(min_delta),
    F(cooldown),
    F(min_lr),
    KT_F_END,
};
#undef F

static const kt_cb_reduce_lr_on_plateau_args plateau_defaults = {
    .size = sizeof plateau_defaults, KT_CB_REDUCE_LR_ON_PLATEAU_DEFAULTS};

extern const kt_callback_class kt_callback_class_reduce_lr_on_plateau;
const kt_callback_class kt_callback_class_reduce_lr_on_plateau = {
    .base =
        {
            .kind = KT_KIND_CALLBACK,
            .name = "ReduceLROnPlateau",
            .args_size = sizeof(kt_cb_reduce_lr_on_plateau_args),
            .state_size = sizeof(plateau),
            .fields = plateau_fields,
            .defaults = &plateau_defaults,
            .init = plateau_init,
        },
    .on = plateau_on,
    .wants = plateau_wants,
};

kt_callback *kt_cb_reduce_lr_on_plateau_new(const kt_cb_reduce_lr_on_plateau_args *a) {
    return kt_component_new(&kt_callback_class_reduce_lr_on_plateau.base, a);
}
