/* CosineDecayRestarts: stretches of cosine decay, each t_mul times as long and m_mul times as high
 * as the one before. keras.optimizers.schedules.CosineDecayRestarts
 *
 * Stretch i starts at (1 - t_mul^i) / (1 - t_mul) first lengths; solved for i, that is
 * floor(log(1 - done (1 - t_mul)) / log(t_mul)), in the precision that Keras has it in. */
#include "nn/schedules/schedule.h"

static kt_status cosine_decay_restarts_init(kt_component *c) {
    const kt_sched_cosine_decay_restarts_args *a = kt_args_of(c);
    return kt_schedule_steps("first_decay_steps", a->first_decay_steps);
}

/* Number of the stretch; *done becomes the part of it that is over. */
static kt_sym *find_stretch(double t_mul, kt_sym **done) {
    if (t_mul == 1) {
        kt_sym *i = kt_op_floor(*done);
        *done = kt_op_subtract(*done, i);
        return i;
    }
    kt_sym *inside = kt_op_subtract(kt_num(1), kt_op_multiply(*done, kt_num(1 - t_mul)));
    kt_sym *base = kt_op_log(kt_op_add(kt_op_multiply(*done, kt_num(0)), kt_num(t_mul)));
    kt_sym *i = kt_op_floor(kt_op_divide(kt_op_log(inside), base));
    kt_sym *length = kt_op_power(kt_num(t_mul), i);
    kt_sym *start = kt_op_divide(kt_op_subtract(kt_num(1), length), kt_num(1 - t_mul));
    *done = kt_op_divide(kt_op_subtract(*done, start), length);
    return i;
}

static kt_sym *cosine_decay_restarts_call(const kt_component *c, kt_sym *step) {
    const kt_sched_cosine_decay_restarts_args *a = kt_args_of(c);
    kt_sym *done = kt_op_divide(step, kt_num(a->first_decay_steps));
    kt_sym *i = find_stretch(a->t_mul, &done);
    kt_sym *height = kt_op_multiply(kt_op_power(kt_num(a->m_mul), i), kt_num(0.5));
    kt_sym *wave = kt_op_cos(kt_op_multiply(done, kt_num(KT_PI)));
    kt_sym *cosine = kt_op_multiply(height, kt_op_add(wave, kt_num(1)));
    kt_sym *part = kt_op_add(kt_op_multiply(cosine, kt_num(1 - a->alpha)), kt_num(a->alpha));
    return kt_op_multiply(part, kt_num(a->initial_learning_rate));
}

#define F(name) KT_F(kt_sched_cosine_decay_restarts_args, name)
static const kt_field cosine_decay_restarts_fields[] = {
    F(initial_learning_rate),
    F(first_decay_steps),
    F(t_mul),
    F(m_mul),
    F(alpha),
    F(name),
    KT_F_END};
#undef F

static const kt_sched_cosine_decay_restarts_args cosine_decay_restarts_defaults = {
    KT_SCHED_COSINE_DECAY_RESTARTS_DEFAULTS.size = sizeof(kt_sched_cosine_decay_restarts_args)};

const kt_schedule_class kt_sched_cosine_decay_restarts_class = {
    .base =
        {
            .kind = KT_KIND_SCHEDULE,
            .name = "CosineDecayRestarts",
            .args_size = sizeof(kt_sched_cosine_decay_restarts_args),
            .fields = cosine_decay_restarts_fields,
            .defaults = &cosine_decay_restarts_defaults,
            .needs_arguments = true,
            .init = cosine_decay_restarts_init,
        },
    .call = cosine_decay_restarts_call,
};

kt_schedule *kt_sched_cosine_decay_restarts_new(const kt_sched_cosine_decay_restarts_args *args) {
    return kt_component_new(&kt_sched_cosine_decay_restarts_class.base, args);
}
