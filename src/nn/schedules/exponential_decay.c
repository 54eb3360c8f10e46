/* ExponentialDecay: rate = initial decay_rate^(step / decay_steps).
 * keras.optimizers.schedules.ExponentialDecay */
#include "nn/schedules/schedule.h"

static kt_status exponential_decay_init(kt_component *c) {
    const kt_sched_exponential_decay_args *a = kt_args_of(c);
    return kt_schedule_steps("decay_steps", a->decay_steps);
}

static kt_sym *exponential_decay_call(const kt_component *c, kt_sym *step) {
    const kt_sched_exponential_decay_args *a = kt_args_of(c);
    kt_sym *p = kt_op_divide(step, kt_num(a->decay_steps));
    if (a->staircase) p = kt_op_floor(p);
    return kt_op_multiply(kt_op_power(kt_num(a->decay_rate), p), kt_num(a->initial_learning_rate));
}

#define F(name) KT_F(kt_sched_exponential_decay_args, name)
static const kt_field exponential_decay_fields[] = {
    F(initial_learning_rate), F(decay_steps), F(decay_rate), F(staircase), F(name), KT_F_END};
#undef F

static const kt_sched_exponential_decay_args exponential_decay_defaults = {
    KT_SCHED_EXPONENTIAL_DECAY_DEFAULTS.size = sizeof(kt_sched_exponential_decay_args)};

const kt_schedule_class kt_sched_exponential_decay_class = {
    .base =
        {
            .kind = KT_KIND_SCHEDULE,
            .name = "ExponentialDecay",
            .args_size = sizeof(kt_sched_exponential_decay_args),
            .fields = exponential_decay_fields,
            .defaults = &exponential_decay_defaults,
            .needs_arguments = true,
            .init = exponential_decay_init,
        },
    .call = exponential_decay_call,
};

kt_schedule *kt_sched_exponential_decay_new(const kt_sched_exponential_decay_args *args) {
    return kt_component_new(&kt_sched_exponential_decay_class.base, args);
}
