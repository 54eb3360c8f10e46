/* InverseTimeDecay: rate = initial / (1 + decay_rate step / decay_steps).
 * keras.optimizers.schedules.InverseTimeDecay */
#include "nn/schedules/schedule.h"

static kt_status inverse_time_decay_init(kt_component *c) {
    const kt_sched_inverse_time_decay_args *a = kt_args_of(c);
    return kt_schedule_steps("decay_steps", a->decay_steps);
}

static kt_sym *inverse_time_decay_call(const kt_component *c, kt_sym *step) {
    const kt_sched_inverse_time_decay_args *a = kt_args_of(c);
    kt_sym *p = kt_op_divide(step, kt_num(a->decay_steps));
    if (a->staircase) p = kt_op_floor(p);
    kt_sym *below = kt_op_add(kt_op_multiply(p, kt_num(a->decay_rate)), kt_num(1));
    return kt_op_divide(kt_num(a->initial_learning_rate), below);
}

#define F(name) KT_F(kt_sched_inverse_time_decay_args, name)
static const kt_field inverse_time_decay_fields[] = {
    F(initial_learning_rate), F(decay_steps), F(decay_rate), F(staircase), F(name), KT_F_END};
#undef F

static const kt_sched_inverse_time_decay_args inverse_time_decay_defaults = {
    KT_SCHED_INVERSE_TIME_DECAY_DEFAULTS.size = sizeof(kt_sched_inverse_time_decay_args)};

const kt_schedule_class kt_sched_inverse_time_decay_class = {
    .base =
        {
            .kind = KT_KIND_SCHEDULE,
            .name = "InverseTimeDecay",
            .args_size = sizeof(kt_sched_inverse_time_decay_args),
            .fields = inverse_time_decay_fields,
            .defaults = &inverse_time_decay_defaults,
            .needs_arguments = true,
            .init = inverse_time_decay_init,
        },
    .call = inverse_time_decay_call,
};

kt_schedule *kt_sched_inverse_time_decay_new(const kt_sched_inverse_time_decay_args *args) {
    return kt_component_new(&kt_sched_inverse_time_decay_class.base, args);
}
