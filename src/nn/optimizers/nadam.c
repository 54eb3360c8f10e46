/* Nadam: Adam with Nesterov momentum.  keras.optimizers.Nadam
 *
 * u(t) = beta_1 (1 - 0.96^t / 2) is a momentum that warms up, U the product of all so far;
 * m' = u(t+1) m / (1 - U u(t+1)) + (1 - u(t)) g / (1 - U), v' = v / (1 - beta_2^t),
 * w -= rate m' / (sqrt(v') + epsilon). U is one number for all weights; Keras calls it
 * "variable". */
#include "nn/optimizers/adam_rule.h"

static int nadam_slots(const kt_component *c, kt_opt_slot *out) {
    (void)c;
    out[0] = (kt_opt_slot){.name = "momentum"};
    out[1] = (kt_opt_slot){.name = "velocity"};
    return 2;
}

/* beta_1 (1 - 0.96^t / 2) */
static kt_sym *warm(double beta_1, kt_sym *t) {
    kt_sym *half = kt_op_multiply(kt_op_power(kt_num(0.96), t), kt_num(0.5));
    return kt_op_multiply(kt_op_subtract(kt_num(1), half), kt_num(beta_1));
}

/* The factors of m and of g, times the rate, and the one of v. */
static kt_status nadam_share(const kt_component *c, kt_opt_step *s) {
    const kt_opt_nadam_args *a = kt_args_of(c);
    kt_sym *u = warm(a->beta_1, s->t), *one = kt_num(1);
    kt_sym *next = warm(a->beta_1, kt_op_add(s->t, one));
    kt_sym *all = s->new_scalar = kt_op_multiply(s->scalar, u);
    kt_sym *of_m = kt_op_divide(next, kt_op_subtract(one, kt_op_multiply(all, next)));
    kt_sym *of_g = kt_op_divide(kt_op_subtract(one, u), kt_op_subtract(one, all));
    s->shared[0] = kt_op_multiply(of_m, s->lr);
    s->shared[1] = kt_op_multiply(of_g, s->lr);
    s->shared[2] = kt_opt_correction(a->beta_2, s->t);
    return kt_check(s->shared[0]);
}

static kt_status nadam_step(const kt_component *c, kt_opt_step *s) {
    const kt_opt_nadam_args *a = kt_args_of(c);
    kt_sym *m = s->new_slot[0] = kt_opt_toward(s->slot[0], s->g, kt_opt_rest(a->beta_1, s->g));
    kt_sym *v = s->new_slot[1] = kt_opt_toward(
        s->slot[1], kt_op_square(s->g), kt_opt_rest(a->beta_2, s->g));
    kt_sym *up = kt_op_multiply(m, s->shared[0]);
    up = kt_op_add(up, kt_op_multiply(s->g, s->shared[1]));
    kt_sym *root = kt_op_sqrt(kt_op_divide(v, s->shared[2]));
    s->new_p = kt_op_subtract(s->p, kt_op_divide(up, kt_op_add(root, kt_num(a->epsilon))));
    return kt_check(s->new_p);
}

#define F(name) KT_F(kt_opt_nadam_args, name)
static const kt_field nadam_fields[] = {
    KT_OPT_FIELDS(kt_opt_nadam_args), F(beta_1), F(beta_2), F(epsilon), KT_F_END};
#undef F

static const kt_opt_nadam_args nadam_defaults = {
    KT_OPT_NADAM_DEFAULTS.size = sizeof(kt_opt_nadam_args)};

const kt_optimizer_class kt_opt_nadam_class = {
    .base = KT_OPT_BASE("Nadam", nadam, kt_opt_init),
    .slots = nadam_slots,
    .scalar = "variable",
    .scalar_initial = 1,
    .share = nadam_share,
    .step = nadam_step,
};

kt_optimizer *kt_opt_nadam_new(const kt_opt_nadam_args *args) {
    return kt_component_new(&kt_opt_nadam_class.base, args);
}
