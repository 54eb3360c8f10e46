/* Lamb: Adam's step u, made as long as the weights of the variable: w -= rate |w| / |u| u (and rate
 * u where one of the norms is 0).  keras.optimizers.Lamb */
#include "nn/optimizers/adam_rule.h"

static int lamb_slots(const kt_component *c, kt_opt_slot *out) {
    (void)c;
    out[0] = (kt_opt_slot){.name = "momentum"};
    out[1] = (kt_opt_slot){.name = "velocity"};
    return 2;
}

static kt_status lamb_share(const kt_component *c, kt_opt_step *s) {
    const kt_opt_lamb_args *a = kt_args_of(c);
    s->shared[0] = kt_opt_correction(a->beta_1, s->t);
    s->shared[1] = kt_opt_correction(a->beta_2, s->t);
    return kt_check(s->shared[1]);
}

static kt_sym *norm(kt_sym *x) { return kt_op_sqrt(kt_op_sum(kt_op_square(x), KT_NONE, false)); }

static kt_status lamb_step(const kt_component *c, kt_opt_step *s) {
    const kt_opt_lamb_args *a = kt_args_of(c);
    kt_sym *m = s->new_slot[0] = kt_opt_toward(s->slot[0], s->g, 1 - a->beta_1);
    kt_sym *v = s->new_slot[1] = kt_opt_toward(s->slot[1], kt_op_square(s->g), 1 - a->beta_2);
    kt_sym *root = kt_op_sqrt(kt_op_divide(v, s->shared[1]));
    kt_sym *up = kt_op_divide(m, s->shared[0]);
    kt_sym *u = kt_op_divide(up, kt_op_add(root, kt_num(a->epsilon)));
    kt_sym *of_w = norm(s->p), *of_u = norm(u), *zero = kt_num(0), *one = kt_num(1);
    kt_sym *ratio = kt_op_where(kt_op_greater(of_u, zero), kt_op_divide(of_w, of_u), one);
    ratio = kt_op_where(kt_op_greater(of_w, zero), ratio, one);
    s->new_p = kt_op_subtract(s->p, kt_op_multiply(u, kt_op_multiply(ratio, s->lr)));
    return kt_check(s->new_p);
}

#define F(name) KT_F(kt_opt_lamb_args, name)
static const kt_field lamb_fields[] = {
    KT_OPT_FIELDS(kt_opt_lamb_args), F(beta_1), F(beta_2), F(epsilon), KT_F_END};
#undef F

static const kt_opt_lamb_args lamb_defaults = {
    KT_OPT_LAMB_DEFAULTS.size = sizeof(kt_opt_lamb_args)};

const kt_optimizer_class kt_opt_lamb_class = {
    .base = KT_OPT_BASE("Lamb", lamb, kt_opt_init),
    .per_variable = true,
    .slots = lamb_slots,
    .share = lamb_share,
    .step = lamb_step,
};

kt_optimizer *kt_opt_lamb_new(const kt_opt_lamb_args *args) {
    return kt_component_new(&kt_opt_lamb_class.base, args);
}
