/* Adadelta: G = rho G + (1 - rho) g^2, d = -sqrt(D + epsilon) / sqrt(G + epsilon) g,
 * D = rho D + (1 - rho) d^2, w += rate d.  keras.optimizers.Adadelta */
#include "nn/optimizers/rule.h"

static int adadelta_slots(const kt_component *c, kt_opt_slot *out) {
    (void)c;
    out[0] = (kt_opt_slot){.name = "accumulated_grad"};
    out[1] = (kt_opt_slot){.name = "accumulated_delta_var"};
    return 2;
}

static kt_sym *moving(double rho, kt_sym *old, kt_sym *new) {
    kt_sym *kept = kt_op_multiply(old, kt_num(rho));
    return kt_op_add(kept, kt_op_multiply(new, kt_num(1 - rho)));
}

static kt_sym *root(kt_sym *x, double epsilon) { return kt_op_sqrt(kt_op_add(x, kt_num(epsilon))); }

static kt_status adadelta_step(const kt_component *c, kt_opt_step *s) {
    const kt_opt_adadelta_args *a = kt_args_of(c);
    kt_sym *size = s->new_slot[0] = moving(a->rho, s->slot[0], kt_op_square(s->g));
    kt_sym *up = kt_op_multiply(root(s->slot[1], a->epsilon), s->g);
    kt_sym *d = kt_op_divide(up, root(size, a->epsilon));
    s->new_slot[1] = moving(a->rho, s->slot[1], kt_op_square(d));
    s->new_p = kt_op_subtract(s->p, kt_op_multiply(d, s->lr));
    return kt_check(s->new_p);
}

#define F(name) KT_F(kt_opt_adadelta_args, name)
static const kt_field adadelta_fields[] = {
    KT_OPT_FIELDS(kt_opt_adadelta_args), F(rho), F(epsilon), KT_F_END};
#undef F

static const kt_opt_adadelta_args adadelta_defaults = {
    KT_OPT_ADADELTA_DEFAULTS.size = sizeof(kt_opt_adadelta_args)};

const kt_optimizer_class kt_opt_adadelta_class = {
    .base = KT_OPT_BASE("Adadelta", adadelta, kt_opt_init),
    .slots = adadelta_slots,
    .step = adadelta_step,
};

kt_optimizer *kt_opt_adadelta_new(const kt_opt_adadelta_args *args) {
    return kt_component_new(&kt_opt_adadelta_class.base, args);
}
