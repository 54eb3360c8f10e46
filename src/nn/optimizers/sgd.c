/* SGD: w -= rate g; with momentum m = momentum m - rate g, w += m.  keras.optimizers.SGD
 *
 * Nesterov looks one step ahead: w += momentum m - rate g, with the new m. */
#include "nn/optimizers/rule.h"

static kt_status sgd_init(kt_component *c) {
    const kt_opt_sgd_args *a = kt_args_of(c);
    const kt_status st = kt_opt_init(c);
    return st ? st : kt_opt_in_range("momentum", a->momentum, 0, 1);
}

static int sgd_slots(const kt_component *c, kt_opt_slot *out) {
    const kt_opt_sgd_args *a = kt_args_of(c);
    out[0].name = "momentum";
    return a->momentum != 0;
}

static kt_status sgd_step(const kt_component *c, kt_opt_step *s) {
    const kt_opt_sgd_args *a = kt_args_of(c);
    kt_sym *down = kt_op_multiply(s->g, s->lr);
    if (a->momentum == 0) {
        s->new_p = kt_op_subtract(s->p, down);
        return kt_check(s->new_p);
    }
    kt_sym *m = kt_op_subtract(kt_op_multiply(s->slot[0], kt_num(a->momentum)), down);
    s->new_slot[0] = m;
    if (a->nesterov) m = kt_op_subtract(kt_op_multiply(m, kt_num(a->momentum)), down);
    s->new_p = kt_op_add(s->p, m);
    return kt_check(s->new_p);
}

#define F(name) KT_F(kt_opt_sgd_args, name)
static const kt_field sgd_fields[] = {
    KT_OPT_FIELDS(kt_opt_sgd_args), F(momentum), F(nesterov), KT_F_END};
#undef F

static const kt_opt_sgd_args sgd_defaults = {KT_OPT_SGD_DEFAULTS.size = sizeof(kt_opt_sgd_args)};

const kt_optimizer_class kt_opt_sgd_class = {
    .base = KT_OPT_BASE("SGD", sgd, sgd_init),
    .slots = sgd_slots,
    .step = sgd_step,
};

kt_optimizer *kt_opt_sgd_new(const kt_opt_sgd_args *args) {
    return kt_component_new(&kt_opt_sgd_class.base, args);
}
