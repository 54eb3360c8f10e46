/* RMSprop: v = rho v + (1 - rho) g^2, w -= rate g / sqrt(v + epsilon).  keras.optimizers.RMSprop
 *
 * Centered: a = rho a + (1 - rho) g, and v - a^2 in place of v. With momentum the step itself is
 * gathered: m = momentum m + step, w -= m. */
#include "nn/optimizers/rule.h"

/* Slots: velocity, then momentum, then average_gradient, as far as they are there. */
static int rmsprop_slots(const kt_component *c, kt_opt_slot *out) {
    const kt_opt_rmsprop_args *a = kt_args_of(c);
    int n = 0;
    out[n++] = (kt_opt_slot){.name = "velocity"};
    if (a->momentum > 0) out[n++] = (kt_opt_slot){.name = "momentum", .group = 1};
    if (a->centered) out[n++] = (kt_opt_slot){.name = "average_gradient", .group = 2};
    return n;
}

/* rho old + (1 - rho) new */
static kt_sym *moving(double rho, kt_sym *old, kt_sym *new) {
    kt_sym *kept = kt_op_multiply(old, kt_num(rho));
    return kt_op_add(kept, kt_op_multiply(new, kt_num(1 - rho)));
}

static kt_status rmsprop_step(const kt_component *c, kt_opt_step *s) {
    const kt_opt_rmsprop_args *a = kt_args_of(c);
    const int average = a->momentum > 0 ? 2 : 1;
    kt_sym *v = s->new_slot[0] = moving(a->rho, s->slot[0], kt_op_square(s->g));
    if (a->centered) {
        s->new_slot[average] = moving(a->rho, s->slot[average], s->g);
        v = kt_op_subtract(v, kt_op_square(s->new_slot[average]));
    }
    kt_sym *root = kt_op_sqrt(kt_op_add(v, kt_num(a->epsilon)));
    kt_sym *step = kt_op_divide(kt_op_multiply(s->g, s->lr), root);
    if (a->momentum > 0) {
        step = kt_op_add(kt_op_multiply(s->slot[1], kt_num(a->momentum)), step);
        s->new_slot[1] = step;
    }
    s->new_p = kt_op_subtract(s->p, step);
    return kt_check(s->new_p);
}

#define F(name) KT_F(kt_opt_rmsprop_args, name)
static const kt_field rmsprop_fields[] = {
    KT_OPT_FIELDS(kt_opt_rmsprop_args), F(rho), F(momentum), F(epsilon), F(centered), KT_F_END};
#undef F

static const kt_opt_rmsprop_args rmsprop_defaults = {
    KT_OPT_RMSPROP_DEFAULTS.size = sizeof(kt_opt_rmsprop_args)};

const kt_optimizer_class kt_opt_rmsprop_class = {
    .base = KT_OPT_BASE("RMSprop", rmsprop, kt_opt_init),
    .slots = rmsprop_slots,
    .step = rmsprop_step,
};

kt_optimizer *kt_opt_rmsprop_new(const kt_opt_rmsprop_args *args) {
    return kt_component_new(&kt_opt_rmsprop_class.base, args);
}
