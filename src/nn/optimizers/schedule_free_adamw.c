/* ScheduleFreeAdamW: an average of iterates in place of a schedule.
 * keras.optimizers.ScheduleFreeAdamW
 *
 * z -= rate g / (sqrt(v') + epsilon) with Adam's v'; x is the average of all z. The weights of the
 * model are y = (1 - beta_1) z + beta_1 x, where the gradient is taken, so x is worked out from y
 * and z: x = (y - (1 - beta_1) z) / beta_1, then x = (1 - 1/t) x + z/t with the new z. Keras keeps
 * z in a slot that it calls momentum. */
#include "nn/optimizers/adam_rule.h"

static int schedule_free_adamw_slots(const kt_component *c, kt_opt_slot *out) {
    (void)c;
    out[0] = (kt_opt_slot){.name = "momentum", .copy = true};
    out[1] = (kt_opt_slot){.name = "velocity"};
    return 2;
}

/* 1 - beta_2^t, 1/t, 1 - 1/t, and the rate as far as it has warmed up */
static kt_status schedule_free_adamw_share(const kt_component *c, kt_opt_step *s) {
    const kt_opt_schedule_free_adamw_args *a = kt_args_of(c);
    s->shared[0] = kt_opt_correction(a->beta_2, s->t);
    s->shared[1] = kt_op_reciprocal(s->t);
    s->shared[2] = kt_op_subtract(kt_num(1), s->shared[1]);
    s->shared[3] = s->lr;
    if (a->warmup_steps > 0) {
        kt_sym *part = kt_op_divide(s->t, kt_num((double)a->warmup_steps));
        s->shared[3] = kt_op_multiply(s->lr, kt_op_minimum(part, kt_num(1)));
    }
    return kt_check(s->shared[3]);
}

static kt_status schedule_free_adamw_step(const kt_component *c, kt_opt_step *s) {
    const kt_opt_schedule_free_adamw_args *a = kt_args_of(c);
    const double rest = kt_opt_rest(a->beta_1, s->g);
    kt_sym *v = s->new_slot[1] = kt_opt_toward(
        s->slot[1], kt_op_square(s->g), kt_opt_rest(a->beta_2, s->g));
    kt_sym *root = kt_op_sqrt(kt_op_divide(v, s->shared[0]));
    kt_sym *up = kt_op_multiply(s->g, s->shared[3]);
    kt_sym *down = kt_op_divide(up, kt_op_add(root, kt_num(a->epsilon)));
    kt_sym *without = kt_op_subtract(s->p, kt_op_multiply(s->slot[0], kt_num(rest)));
    kt_sym *x = kt_op_multiply(kt_op_divide(without, kt_num(a->beta_1)), s->shared[2]);
    kt_sym *z = s->new_slot[0] = kt_op_subtract(s->slot[0], down);
    x = kt_op_add(x, kt_op_multiply(z, s->shared[1]));
    kt_sym *of_z = kt_op_multiply(z, kt_num(rest));
    s->new_p = kt_op_add(of_z, kt_op_multiply(x, kt_num(a->beta_1)));
    return kt_check(s->new_p);
}

#define F(name) KT_F(kt_opt_schedule_free_adamw_args, name)
static const kt_field schedule_free_adamw_fields[] = {
    KT_OPT_FIELDS(kt_opt_schedule_free_adamw_args),
    F(beta_1),
    F(beta_2),
    F(epsilon),
    F(warmup_steps),
    KT_F_END};
#undef F

static const kt_opt_schedule_free_adamw_args schedule_free_adamw_defaults = {
    KT_OPT_SCHEDULE_FREE_ADAMW_DEFAULTS.size = sizeof(kt_opt_schedule_free_adamw_args)};

const kt_optimizer_class kt_opt_schedule_free_adamw_class = {
    .base = KT_OPT_BASE("ScheduleFreeAdamW", schedule_free_adamw, kt_opt_init),
    .slots = schedule_free_adamw_slots,
    .share = schedule_free_adamw_share,
    .step = schedule_free_adamw_step,
};

kt_optimizer *kt_opt_schedule_free_adamw_new(const kt_opt_schedule_free_adamw_args *args) {
    return kt_component_new(&kt_opt_schedule_free_adamw_class.base, args);
}
