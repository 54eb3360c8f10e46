/* PolynomialDecay: rate = (initial - end) (1 - step / decay_steps)^power + end; beyond decay_steps
 * the end, or with cycle a longer and longer stretch from the start.
 * keras.optimizers.schedules.PolynomialDecay */
#include "nn/schedules/schedule.h"

static kt_status polynomial_decay_init(kt_component *c) {
    const kt_sched_polynomial_decay_args *a = kt_args_of(c);
    return kt_schedule_steps("decay_steps", a->decay_steps);
}

/* decay_steps, times the number of the stretch that the step lies in. */
static kt_sym *stretch(const kt_sched_polynomial_decay_args *a, kt_sym *step) {
    kt_sym *number = kt_op_ceil(kt_op_divide(step, kt_num(a->decay_steps)));
    return kt_op_multiply(kt_op_maximum(number, kt_num(1)), kt_num(a->decay_steps));
}

static kt_sym *polynomial_decay_call(const kt_component *c, kt_sym *step) {
    const kt_sched_polynomial_decay_args *a = kt_args_of(c);
    kt_sym *done;
    if (a->cycle)
        done = kt_op_divide(step, stretch(a, step));
    else
        done = kt_op_divide(kt_op_minimum(step, kt_num(a->decay_steps)), kt_num(a->decay_steps));
    kt_sym *left = kt_op_power(kt_op_subtract(kt_num(1), done), kt_num(a->power));
    const double range = a->initial_learning_rate - a->end_learning_rate;
    return kt_op_add(kt_op_multiply(left, kt_num(range)), kt_num(a->end_learning_rate));
}

#define F(name) KT_F(kt_sched_polynomial_decay_args, name)
static const kt_field polynomial_decay_fields[] = {
    F(initial_learning_rate),
    F(decay_steps),
    F(end_learning_rate),
    F(power),
    F(cycle),
    F(name),
    KT_F_END};
#undef F

static const kt_sched_polynomial_decay_args polynomial_decay_defaults = {
    KT_SCHED_POLYNOMIAL_DECAY_DEFAULTS.size = sizeof(kt_sched_polynomial_decay_args)};

const kt_schedule_class kt_sched_polynomial_decay_class = {
    .base =
        {
            .kind = KT_KIND_SCHEDULE,
            .name = "PolynomialDecay",
            .args_size = sizeof(kt_sched_polynomial_decay_args),
            .fields = polynomial_decay_fields,
            .defaults = &polynomial_decay_defaults,
            .needs_arguments = true,
            .init = polynomial_decay_init,
        },
    .call = polynomial_decay_call,
};

kt_schedule *kt_sched_polynomial_decay_new(const kt_sched_polynomial_decay_args *args) {
    return kt_component_new(&kt_sched_polynomial_decay_class.base, args);
}
