/* Adam: m += (g - m)(1 - beta_1), v += (g^2 - v)(1 - beta_2), w -= alpha m / (sqrt(v) + epsilon)
 * with alpha = rate sqrt(1 - beta_2^t) / (1 - beta_1^t).  keras.optimizers.Adam
 *
 * Without amsgrad the three lines are the primitive `adam` (ops/adam.c), one pass over memory; its
 * four numbers are made once for all pieces. */
#include "nn/optimizers/adam_rule.h"

int kt_adam_slots(bool amsgrad, kt_opt_slot *out) {
    out[0] = (kt_opt_slot){.name = "momentum"};
    out[1] = (kt_opt_slot){.name = "velocity"};
    out[2] = (kt_opt_slot){.name = "velocity_hat", .group = 1};
    return amsgrad ? 3 : 2;
}

kt_sym *kt_opt_toward(kt_sym *old, kt_sym *new, double part) {
    return kt_op_add(old, kt_op_multiply(kt_op_subtract(new, old), kt_num(part)));
}

double kt_opt_rest(double beta, const kt_sym *like) {
    if (kt_sym_dtype(like) != KT_FLOAT32) return 1 - beta;
    const float b = (float)beta;
    return (double)(1 - b);
}

kt_sym *kt_opt_correction(double beta, kt_sym *t) {
    return kt_op_subtract(kt_num(1), kt_op_power(kt_num(beta), t));
}

/* (alpha, 1 - beta_1, 1 - beta_2, epsilon) as one array, which is how the primitive takes them. */
static kt_sym *pack_numbers(const kt_adam_rule *r, kt_sym *alpha) {
    kt_val *a = kt_unwrap(alpha, NULL);
    if (!a) return kt_wrap(NULL);
    const double rest[3] = {1 - r->beta_1, 1 - r->beta_2, r->epsilon};
    const int64_t at[2] = {0, 1};
    double data[3]; /* room for either dtype */
    for (int i = 0; i < 3; i++) kt_elem_set(data, a->spec.dtype, i, rest[i]);
    kt_graph *g = kt_tracer_current()->g;
    kt_val *in[2] = {a, kt_g_array(g, data, (kt_spec){a->spec.dtype, {1, {3}}})};
    return kt_wrap(kt_g_pack(g, 2, in, at, 4));
}

kt_status kt_adam_share(const kt_adam_rule *r, kt_opt_step *s) {
    kt_sym *lr = r->rate == 1 ? s->lr : kt_op_multiply(s->lr, kt_num(r->rate));
    kt_sym *up = kt_op_multiply(lr, kt_op_sqrt(kt_opt_correction(r->beta_2, s->t)));
    kt_sym *alpha = kt_op_divide(up, kt_opt_correction(r->beta_1, s->t));
    s->shared[0] = r->amsgrad ? alpha : pack_numbers(r, alpha);
    return kt_check(s->shared[0]);
}

static kt_status step_amsgrad(const kt_adam_rule *r, kt_opt_step *s) {
    kt_sym *m = s->new_slot[0] = kt_opt_toward(s->slot[0], s->g, 1 - r->beta_1);
    kt_sym *v = s->new_slot[1] = kt_opt_toward(s->slot[1], kt_op_square(s->g), 1 - r->beta_2);
    kt_sym *top = s->new_slot[2] = kt_op_maximum(s->slot[2], v);
    kt_sym *root = kt_op_add(kt_op_sqrt(top), kt_num(r->epsilon));
    s->new_p = kt_op_subtract(s->p, kt_op_divide(kt_op_multiply(m, s->shared[0]), root));
    return kt_check(s->new_p);
}

kt_status kt_adam_step(const kt_adam_rule *r, kt_opt_step *s) {
    if (r->amsgrad) return step_amsgrad(r, s);
    kt_graph *g = kt_tracer_current()->g;
    kt_val *p = kt_unwrap(s->p, NULL), *m = kt_unwrap(s->slot[0], NULL);
    kt_val *v = kt_unwrap(s->slot[1], NULL), *grad = kt_unwrap(s->g, NULL), *out[3];
    if (!kt_g_adam(g, p, m, v, grad, kt_unwrap(s->shared[0], NULL), out)) return g->status;
    s->new_p = kt_wrap(out[0]);
    s->new_slot[0] = kt_wrap(out[1]);
    s->new_slot[1] = kt_wrap(out[2]);
    return KT_OK;
}

static kt_adam_rule adam_rule(const kt_component *c) {
    const kt_opt_adam_args *a = kt_args_of(c);
    return (kt_adam_rule){a->beta_1, a->beta_2, a->epsilon, a->amsgrad, 1};
}

static int adam_slots(const kt_component *c, kt_opt_slot *out) {
    return kt_adam_slots(adam_rule(c).amsgrad, out);
}

static kt_status adam_share(const kt_component *c, kt_opt_step *s) {
    const kt_adam_rule r = adam_rule(c);
    return kt_adam_share(&r, s);
}

static kt_status adam_step(const kt_component *c, kt_opt_step *s) {
    const kt_adam_rule r = adam_rule(c);
    return kt_adam_step(&r, s);
}

#define F(name) KT_F(kt_opt_adam_args, name)
static const kt_field adam_fields[] = {
    KT_OPT_FIELDS(kt_opt_adam_args), F(beta_1), F(beta_2), F(epsilon), F(amsgrad), KT_F_END};
#undef F

static const kt_opt_adam_args adam_defaults = {
    KT_OPT_ADAM_DEFAULTS.size = sizeof(kt_opt_adam_args)};

const kt_optimizer_class kt_opt_adam_class = {
    .base = KT_OPT_BASE("Adam", adam, kt_opt_init),
    .slots = adam_slots,
    .share = adam_share,
    .step = adam_step,
};

kt_optimizer *kt_opt_adam_new(const kt_opt_adam_args *args) {
    return kt_component_new(&kt_opt_adam_class.base, args);
}
