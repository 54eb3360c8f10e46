/* PiecewiseConstantDecay: values[i] where step <= boundaries[i], the last value after that.
 * keras.optimizers.schedules.PiecewiseConstantDecay */
#include "nn/schedules/schedule.h"

static kt_status piecewise_constant_decay_init(kt_component *c) {
    const kt_sched_piecewise_constant_decay_args *a = kt_args_of(c);
    if (a->values.n == a->boundaries.n + 1) return KT_OK;
    return KT_FAIL(
        KT_EINVAL,
        "values: expected one more than boundaries, got %d and %d",
        a->values.n,
        a->boundaries.n);
}

static kt_sym *piecewise_constant_decay_call(const kt_component *c, kt_sym *step) {
    const kt_sched_piecewise_constant_decay_args *a = kt_args_of(c);
    int i = a->boundaries.n;
    kt_sym *rate = kt_op_add(kt_op_multiply(step, kt_num(0)), kt_num(a->values.v[i]));
    while (i-- > 0) {
        kt_sym *here = kt_op_less_equal(step, kt_num(a->boundaries.v[i]));
        rate = kt_op_where(here, kt_num(a->values.v[i]), rate);
    }
    return rate;
}

#define F(name) KT_F(kt_sched_piecewise_constant_decay_args, name)
static const kt_field piecewise_constant_decay_fields[] = {
    F(boundaries), F(values), F(name), KT_F_END};
#undef F

static const kt_sched_piecewise_constant_decay_args piecewise_constant_decay_defaults = {
    KT_SCHED_PIECEWISE_CONSTANT_DECAY_DEFAULTS.size = sizeof(
        kt_sched_piecewise_constant_decay_args)};

const kt_schedule_class kt_sched_piecewise_constant_decay_class = {
    .base =
        {
            .kind = KT_KIND_SCHEDULE,
            .name = "PiecewiseConstantDecay",
            .args_size = sizeof(kt_sched_piecewise_constant_decay_args),
            .fields = piecewise_constant_decay_fields,
            .defaults = &piecewise_constant_decay_defaults,
            .needs_arguments = true,
            .init = piecewise_constant_decay_init,
        },
    .call = piecewise_constant_decay_call,
};

kt_schedule *kt_sched_piecewise_constant_decay_new(
    const kt_sched_piecewise_constant_decay_args *args) {
    return kt_component_new(&kt_sched_piecewise_constant_decay_class.base, args);
}
