/* Adamax: m as Adam has it, u = max(beta_2 u, |g|), w -= rate m / ((1 - beta_1^t) (u + epsilon)).
 * keras.optimizers.Adamax */
#include "nn/optimizers/adam_rule.h"

static int adamax_slots(const kt_component *c, kt_opt_slot *out) {
    (void)c;
    out[0] = (kt_opt_slot){.name = "momentum"};
    out[1] = (kt_opt_slot){.name = "norm"};
    return 2;
}

/* rate / (1 - beta_1^t) */
static kt_status adamax_share(const kt_component *c, kt_opt_step *s) {
    const kt_opt_adamax_args *a = kt_args_of(c);
    s->shared[0] = kt_op_divide(s->lr, kt_opt_correction(a->beta_1, s->t));
    return kt_check(s->shared[0]);
}

static kt_status adamax_step(const kt_component *c, kt_opt_step *s) {
    const kt_opt_adamax_args *a = kt_args_of(c);
    kt_sym *m = s->new_slot[0] = kt_opt_toward(s->slot[0], s->g, 1 - a->beta_1);
    kt_sym *old = kt_op_multiply(s->slot[1], kt_num(a->beta_2));
    kt_sym *u = s->new_slot[1] = kt_op_maximum(old, kt_op_abs(s->g));
    kt_sym *up = kt_op_multiply(m, s->shared[0]);
    s->new_p = kt_op_subtract(s->p, kt_op_divide(up, kt_op_add(u, kt_num(a->epsilon))));
    return kt_check(s->new_p);
}

#define F(name) KT_F(kt_opt_adamax_args, name)
static const kt_field adamax_fields[] = {
    KT_OPT_FIELDS(kt_opt_adamax_args), F(beta_1), F(beta_2), F(epsilon), KT_F_END};
#undef F

static const kt_opt_adamax_args adamax_defaults = {
    KT_OPT_ADAMAX_DEFAULTS.size = sizeof(kt_opt_adamax_args)};

const kt_optimizer_class kt_opt_adamax_class = {
    .base = KT_OPT_BASE("Adamax", adamax, kt_opt_init),
    .slots = adamax_slots,
    .share = adamax_share,
    .step = adamax_step,
};

kt_optimizer *kt_opt_adamax_new(const kt_opt_adamax_args *args) {
    return kt_component_new(&kt_opt_adamax_class.base, args);
}
