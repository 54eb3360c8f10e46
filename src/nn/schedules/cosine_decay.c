/* CosineDecay: rate = initial ((1 - alpha) (1 + cos(pi step / decay_steps)) / 2 + alpha), after an
 * optional linear warm-up.  keras.optimizers.schedules.CosineDecay */
#include "nn/schedules/schedule.h"

static kt_status cosine_decay_init(kt_component *c) {
    const kt_sched_cosine_decay_args *a = kt_args_of(c);
    return kt_schedule_steps("decay_steps", a->decay_steps);
}

static kt_sym *decay(const kt_sched_cosine_decay_args *a, kt_sym *step, double from) {
    kt_sym *done = kt_op_divide(step, kt_num(a->decay_steps));
    kt_sym *wave = kt_op_cos(kt_op_multiply(done, kt_num(KT_PI)));
    kt_sym *half = kt_op_multiply(kt_op_add(wave, kt_num(1)), kt_num(0.5));
    kt_sym *part = kt_op_add(kt_op_multiply(half, kt_num(1 - a->alpha)), kt_num(a->alpha));
    return kt_op_multiply(part, kt_num(from));
}

static kt_sym *cosine_decay_call(const kt_component *c, kt_sym *step) {
    const kt_sched_cosine_decay_args *a = kt_args_of(c);
    const double first = a->initial_learning_rate;
    if (a->warmup_target == KT_NONE_F)
        return decay(a, kt_op_minimum(step, kt_num(a->decay_steps)), first);
    step = kt_op_minimum(step, kt_num(a->decay_steps + a->warmup_steps));
    kt_sym *late = decay(a, kt_op_subtract(step, kt_num(a->warmup_steps)), a->warmup_target);
    if (a->warmup_steps <= 0) return late;
    kt_sym *done = kt_op_divide(step, kt_num(a->warmup_steps));
    kt_sym *rise = kt_op_multiply(done, kt_num(a->warmup_target - first));
    kt_sym *warming = kt_op_less(step, kt_num(a->warmup_steps));
    return kt_op_where(warming, kt_op_add(rise, kt_num(first)), late);
}

#define F(name) KT_F(kt_sched_cosine_decay_args, name)
static const kt_field cosine_decay_fields[] = {
    F(initial_learning_rate),
    F(decay_steps),
    F(alpha),
    F(name),
    F(warmup_target),
    F(warmup_steps),
    KT_F_END};
#undef F

static const kt_sched_cosine_decay_args cosine_decay_defaults = {
    KT_SCHED_COSINE_DECAY_DEFAULTS.size = sizeof(kt_sched_cosine_decay_args)};

const kt_schedule_class kt_sched_cosine_decay_class = {
    .base =
        {
            .kind = KT_KIND_SCHEDULE,
            .name = "CosineDecay",
            .args_size = sizeof(kt_sched_cosine_decay_args),
            .fields = cosine_decay_fields,
            .defaults = &cosine_decay_defaults,
            .needs_arguments = true,
            .init = cosine_decay_init,
        },
    .call = cosine_decay_call,
};

kt_schedule *kt_sched_cosine_decay_new(const kt_sched_cosine_decay_args *args) {
    return kt_component_new(&kt_sched_cosine_decay_class.base, args);
}
