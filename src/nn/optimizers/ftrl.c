/* Ftrl: follow the regularized leader.  keras.optimizers.Ftrl
 *
 * n' = n + g^2, z += g + 2 shrinkage w - (n'^p - n^p) / rate w with p = -learning_rate_power;
 * w = (clip(z, -l1, l1) - z) / (n'^p / rate + 2 l2 + beta / rate). */
#include "nn/optimizers/rule.h"

#include <math.h>

static kt_status ftrl_init(kt_component *c) {
    const kt_opt_ftrl_args *a = kt_args_of(c);
    const struct {
        const char *name;
        double value;
    } not_negative[] = {
        {"initial_accumulator_value", a->initial_accumulator_value},
        {"l1_regularization_strength", a->l1_regularization_strength},
        {"l2_regularization_strength", a->l2_regularization_strength},
        {"l2_shrinkage_regularization_strength", a->l2_shrinkage_regularization_strength},
    };
    kt_status st = kt_opt_init(c);
    for (int i = 0; i < 4 && st == KT_OK; i++)
        st = kt_opt_in_range(not_negative[i].name, not_negative[i].value, 0, INFINITY);
    return st ? st : kt_opt_in_range("learning_rate_power", a->learning_rate_power, -INFINITY, 0);
}

static int ftrl_slots(const kt_component *c, kt_opt_slot *out) {
    const kt_opt_ftrl_args *a = kt_args_of(c);
    out[0] = (kt_opt_slot){.name = "accumulator", .initial = a->initial_accumulator_value};
    out[1] = (kt_opt_slot){.name = "linear"};
    return 2;
}

/* 2 l2 + beta / rate */
static kt_status ftrl_share(const kt_component *c, kt_opt_step *s) {
    const kt_opt_ftrl_args *a = kt_args_of(c);
    kt_sym *beta = kt_op_divide(kt_num(a->beta), s->lr);
    s->shared[0] = kt_op_add(beta, kt_num(2 * a->l2_regularization_strength));
    return kt_check(s->shared[0]);
}

static kt_sym *power(kt_sym *x, double p) {
    return p == 0.5 ? kt_op_sqrt(x) : kt_op_power(x, kt_num(p));
}

static kt_status ftrl_step(const kt_component *c, kt_opt_step *s) {
    const kt_opt_ftrl_args *a = kt_args_of(c);
    const double p = -a->learning_rate_power, l1 = a->l1_regularization_strength;
    const double shrinkage = 2 * a->l2_shrinkage_regularization_strength;
    kt_sym *before = power(s->slot[0], p); /* read before it is overwritten */
    kt_sym *n = s->new_slot[0] = kt_op_add(s->slot[0], kt_op_square(s->g));
    kt_sym *after = power(n, p);
    kt_sym *pull = kt_op_divide(kt_op_subtract(after, before), s->lr);
    if (shrinkage != 0) pull = kt_op_subtract(pull, kt_num(shrinkage));
    kt_sym *more = kt_op_subtract(s->g, kt_op_multiply(pull, s->p));
    kt_sym *z = s->new_slot[1] = kt_op_add(s->slot[1], more);
    kt_sym *up = kt_op_subtract(kt_op_clip(z, -l1, l1), z);
    kt_sym *below = kt_op_add(kt_op_divide(after, s->lr), s->shared[0]);
    s->new_p = kt_op_divide(up, below);
    return kt_check(s->new_p);
}

#define F(name) KT_F(kt_opt_ftrl_args, name)
static const kt_field ftrl_fields[] = {
    KT_OPT_FIELDS(kt_opt_ftrl_args),
    F(learning_rate_power),
    F(initial_accumulator_value),
    F(l1_regularization_strength),
    F(l2_regularization_strength),
    F(l2_shrinkage_regularization_strength),
    F(beta),
    KT_F_END};
#undef F

static const kt_opt_ftrl_args ftrl_defaults = {
    KT_OPT_FTRL_DEFAULTS.size = sizeof(kt_opt_ftrl_args)};

const kt_optimizer_class kt_opt_ftrl_class = {
    .base = KT_OPT_BASE("Ftrl", ftrl, ftrl_init),
    .slots = ftrl_slots,
    .share = ftrl_share,
    .step = ftrl_step,
};

kt_optimizer *kt_opt_ftrl_new(const kt_opt_ftrl_args *args) {
    return kt_component_new(&kt_opt_ftrl_class.base, args);
}
