/* Adagrad: sum += g^2, w -= rate g / sqrt(sum + epsilon).  keras.optimizers.Adagrad */
#include "nn/optimizers/rule.h"

static int adagrad_slots(const kt_component *c, kt_opt_slot *out) {
    const kt_opt_adagrad_args *a = kt_args_of(c);
    out[0] = (kt_opt_slot){.name = "accumulator", .initial = a->initial_accumulator_value};
    return 1;
}

static kt_status adagrad_step(const kt_component *c, kt_opt_step *s) {
    const kt_opt_adagrad_args *a = kt_args_of(c);
    kt_sym *sum = s->new_slot[0] = kt_op_add(s->slot[0], kt_op_square(s->g));
    kt_sym *root = kt_op_sqrt(kt_op_add(sum, kt_num(a->epsilon)));
    s->new_p = kt_op_subtract(s->p, kt_op_divide(kt_op_multiply(s->g, s->lr), root));
    return kt_check(s->new_p);
}

#define F(name) KT_F(kt_opt_adagrad_args, name)
static const kt_field adagrad_fields[] = {
    KT_OPT_FIELDS(kt_opt_adagrad_args), F(initial_accumulator_value), F(epsilon), KT_F_END};
#undef F

static const kt_opt_adagrad_args adagrad_defaults = {
    KT_OPT_ADAGRAD_DEFAULTS.size = sizeof(kt_opt_adagrad_args)};

const kt_optimizer_class kt_opt_adagrad_class = {
    .base = KT_OPT_BASE("Adagrad", adagrad, kt_opt_init),
    .slots = adagrad_slots,
    .step = adagrad_step,
};

kt_optimizer *kt_opt_adagrad_new(const kt_opt_adagrad_args *args) {
    return kt_component_new(&kt_opt_adagrad_class.base, args);
}
