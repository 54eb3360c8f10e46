/* Adafactor: squares of gradients as the product of a row and a column.  keras.optimizers.Adafactor
 *
 * b = 1 - t^beta_2_decay moves the means of g^2 + epsilon_1 over the last axis (r) and the one
 * before it (c); v = (r / mean r) c. Variables of fewer than two axes keep v itself, and a 0 for r
 * and c, which is how Keras counts its variables. u = g / sqrt(v), no longer than clip_threshold as
 * a root mean square; w -= max(epsilon_2, rms w) min(rate, 1 / sqrt t) u. The minimum makes
 * relative_step a formality: it stands in the formula either way, in Keras too. */
#include "nn/optimizers/rule.h"

enum { ROW, COLUMN, VELOCITY };

static int adafactor_slots(const kt_component *c, kt_opt_slot *out) {
    (void)c;
    out[ROW] = (kt_opt_slot){.name = ""};
    out[COLUMN] = (kt_opt_slot){.name = ""};
    out[VELOCITY] = (kt_opt_slot){.name = "velocity"};
    return 3;
}

static bool adafactor_slot_spec(const kt_component *c, int i, kt_var *v, kt_spec *spec) {
    const int n = v->spec.shape.ndim;
    (void)c;
    if (i != ROW && i != COLUMN) return true;
    if (n < 2) {
        *spec = (kt_spec){KT_INT32, {0, {0}}};
        return true;
    }
    spec->shape.ndim = n - 1;
    if (i == COLUMN) spec->shape.dim[n - 2] = v->spec.shape.dim[n - 1];
    return true;
}

/* min(rate, 1 / sqrt t), and b with 1 - b */
static kt_status adafactor_share(const kt_component *c, kt_opt_step *s) {
    const kt_opt_adafactor_args *a = kt_args_of(c);
    kt_sym *left = kt_op_power(s->t, kt_num(a->beta_2_decay));
    s->shared[0] = kt_op_minimum(s->lr, kt_op_reciprocal(kt_op_sqrt(s->t)));
    s->shared[1] = kt_op_subtract(kt_num(1), left);
    s->shared[2] = kt_op_subtract(kt_num(1), s->shared[1]);
    return kt_check(s->shared[2]);
}

static kt_sym *rms(kt_sym *x) { return kt_op_sqrt(kt_op_mean(kt_op_square(x), KT_NONE, false)); }

static kt_sym *moving(const kt_opt_step *s, kt_sym *old, kt_sym *new) {
    kt_sym *kept = kt_op_multiply(old, s->shared[1]);
    return kt_op_add(kept, kt_op_multiply(new, s->shared[2]));
}

static kt_sym *factored(kt_opt_step *s, kt_sym *square) {
    kt_sym *r = moving(s, s->slot[ROW], kt_op_mean(square, -1, false));
    kt_sym *col = moving(s, s->slot[COLUMN], kt_op_mean(square, -2, false));
    s->new_slot[ROW] = r;
    s->new_slot[COLUMN] = col;
    kt_sym *part = kt_op_divide(r, kt_op_mean(r, -1, true));
    return kt_op_multiply(kt_op_expand_dims(part, -1), kt_op_expand_dims(col, -2));
}

static kt_status adafactor_step(const kt_component *c, kt_opt_step *s) {
    const kt_opt_adafactor_args *a = kt_args_of(c);
    kt_sym *square = kt_op_add(kt_op_square(s->g), kt_num(a->epsilon_1));
    const bool matrix = kt_sym_shape(s->p).ndim >= 2;
    kt_sym *v = matrix ? factored(s, square) : moving(s, s->slot[VELOCITY], square);
    s->new_slot[VELOCITY] = v;
    kt_sym *u = kt_op_divide(s->g, kt_op_sqrt(v));
    kt_sym *length = kt_op_divide(rms(u), kt_num(a->clip_threshold));
    u = kt_op_divide(u, kt_op_maximum(length, kt_num(1)));
    kt_sym *rate = kt_op_multiply(kt_op_maximum(rms(s->p), kt_num(a->epsilon_2)), s->shared[0]);
    s->new_p = kt_op_subtract(s->p, kt_op_multiply(u, rate));
    return kt_check(s->new_p);
}

#define F(name) KT_F(kt_opt_adafactor_args, name)
static const kt_field adafactor_fields[] = {
    KT_OPT_FIELDS(kt_opt_adafactor_args),
    F(beta_2_decay),
    F(epsilon_1),
    F(epsilon_2),
    F(clip_threshold),
    F(relative_step),
    KT_F_END};
#undef F

static const kt_opt_adafactor_args adafactor_defaults = {
    KT_OPT_ADAFACTOR_DEFAULTS.size = sizeof(kt_opt_adafactor_args)};

const kt_optimizer_class kt_opt_adafactor_class = {
    .base = KT_OPT_BASE("Adafactor", adafactor, kt_opt_init),
    .per_variable = true,
    .slots = adafactor_slots,
    .slot_spec = adafactor_slot_spec,
    .share = adafactor_share,
    .step = adafactor_step,
};

kt_optimizer *kt_opt_adafactor_new(const kt_opt_adafactor_args *args) {
    return kt_component_new(&kt_opt_adafactor_class.base, args);
}
