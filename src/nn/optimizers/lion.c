/* Lion: w -= rate sign(beta_1 m + (1 - beta_1) g), then m = beta_2 m + (1 - beta_2) g.
 * keras.optimizers.Lion */
#include "nn/optimizers/adam_rule.h"

static kt_status lion_init(kt_component *c) {
    const kt_opt_lion_args *a = kt_args_of(c);
    const kt_status st = kt_opt_init(c);
    if (st || (a->beta_1 > 0 && a->beta_1 <= 1)) return st;
    KT_FAIL(KT_EINVAL, "beta_1: expected a number above 0 and at most 1, got %g", a->beta_1);
    return kt_error_hint("with 0 nothing but the sign of the gradient would be left");
}

static int lion_slots(const kt_component *c, kt_opt_slot *out) {
    (void)c;
    out[0] = (kt_opt_slot){.name = "momentum"};
    return 1;
}

static kt_sym *moving(double beta, kt_sym *old, kt_sym *new) {
    kt_sym *kept = kt_op_multiply(old, kt_num(beta));
    return kt_op_add(kept, kt_op_multiply(new, kt_num(kt_opt_rest(beta, new))));
}

static kt_status lion_step(const kt_component *c, kt_opt_step *s) {
    const kt_opt_lion_args *a = kt_args_of(c);
    kt_sym *direction = kt_op_sign(moving(a->beta_1, s->slot[0], s->g));
    s->new_p = kt_op_subtract(s->p, kt_op_multiply(direction, s->lr));
    s->new_slot[0] = moving(a->beta_2, s->slot[0], s->g);
    return kt_check(s->new_p);
}

#define F(name) KT_F(kt_opt_lion_args, name)
static const kt_field lion_fields[] = {
    KT_OPT_FIELDS(kt_opt_lion_args), F(beta_1), F(beta_2), KT_F_END};
#undef F

static const kt_opt_lion_args lion_defaults = {
    KT_OPT_LION_DEFAULTS.size = sizeof(kt_opt_lion_args)};

const kt_optimizer_class kt_opt_lion_class = {
    .base = KT_OPT_BASE("Lion", lion, lion_init),
    .slots = lion_slots,
    .step = lion_step,
};

kt_optimizer *kt_opt_lion_new(const kt_opt_lion_args *args) {
    return kt_component_new(&kt_opt_lion_class.base, args);
}
