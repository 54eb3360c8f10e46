/* Muon: momentum made orthogonal, for matrices; AdamW for every other variable.
 * keras.optimizers.Muon
 *
 * m += g + (momentum - 1) m; x = m, or g + momentum m; x /= |x|, then ns_steps times
 * x = a x + (b A + c A A) x with A = x x' (a Newton-Schulz iteration that pushes all singular
 * values toward 1; tall matrices are turned over for it); w -= rate sqrt(longer side) rms_rate
 * x. */
#include "nn/optimizers/adam_rule.h"

#include <math.h>
#include <strings.h>

static kt_status muon_init(kt_component *c) {
    const kt_opt_muon_args *a = kt_args_of(c);
    kt_status st = kt_opt_init(c);
    for (int i = 0; i < a->exclude_layers.n && st == KT_OK; i++)
        st = kt_opt_pattern_check("exclude_layers", a->exclude_layers.v[i]);
    return st;
}

static bool is_embedding(const char *path) {
    for (; *path; path++)
        if (!strncasecmp(path, "embedding", 9)) return true;
    return false;
}

static bool by_adam(const kt_component *c, kt_var *v) {
    const kt_opt_muon_args *a = kt_args_of(c);
    const char *path = kt_var_path(v);
    if (v->spec.shape.ndim != 2 || (a->exclude_embeddings && is_embedding(path))) return true;
    for (int i = 0; i < a->exclude_layers.n; i++)
        if (kt_opt_pattern_found(a->exclude_layers.v[i], path)) return true;
    return false;
}

static bool muon_slot_spec(const kt_component *c, int i, kt_var *v, kt_spec *spec) {
    (void)spec;
    return i != 1 || by_adam(c, v);
}

static double muon_weight_decay(const kt_component *c, kt_var *v) {
    const kt_opt_muon_args *a = kt_args_of(c);
    return by_adam(c, v) ? a->adam_weight_decay : a->weight_decay;
}

static kt_adam_rule muon_adam(const kt_component *c) {
    const kt_opt_muon_args *a = kt_args_of(c);
    return (kt_adam_rule){a->adam_beta_1, a->adam_beta_2, a->epsilon, .rate = a->adam_lr_ratio};
}

static int muon_slots(const kt_component *c, kt_opt_slot *out) {
    (void)c;
    return kt_adam_slots(false, out);
}

static kt_status muon_share(const kt_component *c, kt_opt_step *s) {
    const kt_adam_rule r = muon_adam(c);
    return kt_adam_share(&r, s);
}

static kt_sym *turned(kt_sym *x) { return kt_op_transpose(x, (kt_shape){0, {0}}); }

static kt_sym *orthogonal(const kt_opt_muon_args *a, kt_sym *x) {
    const kt_shape shape = kt_sym_shape(x);
    const bool tall = shape.dim[0] > shape.dim[1];
    if (tall) x = turned(x);
    kt_sym *norm = kt_op_sqrt(kt_op_sum(kt_op_square(x), KT_NONE, false));
    x = kt_op_divide(x, kt_op_add(norm, kt_num(1e-7)));
    for (int i = 0; i < a->ns_steps; i++) {
        kt_sym *square = kt_op_matmul(x, turned(x));
        kt_sym *fourth = kt_op_matmul(kt_op_multiply(square, kt_num(a->muon_c)), square);
        kt_sym *sum = kt_op_add(kt_op_multiply(square, kt_num(a->muon_b)), fourth);
        kt_sym *bent = kt_op_matmul(sum, x);
        x = kt_op_add(kt_op_multiply(x, kt_num(a->muon_a)), bent);
    }
    return tall ? turned(x) : x;
}

static kt_status muon_step(const kt_component *c, kt_opt_step *s) {
    const kt_opt_muon_args *a = kt_args_of(c);
    const kt_adam_rule r = muon_adam(c);
    if (s->slot[1]) return kt_adam_step(&r, s);
    const kt_shape shape = kt_sym_shape(s->p);
    const double longer = (double)(shape.dim[0] > shape.dim[1] ? shape.dim[0] : shape.dim[1]);
    const double scale = a->rms_rate == KT_NONE_F ? 1 : sqrt(longer) * a->rms_rate;
    kt_sym *more = kt_op_add(s->g, kt_op_multiply(s->slot[0], kt_num(a->momentum - 1)));
    kt_sym *m = s->new_slot[0] = kt_op_add(s->slot[0], more);
    if (a->nesterov) m = kt_op_add(s->g, kt_op_multiply(m, kt_num(a->momentum)));
    kt_sym *rate = kt_op_multiply(s->lr, kt_num(scale));
    s->new_p = kt_op_subtract(s->p, kt_op_multiply(orthogonal(a, m), rate));
    return kt_check(s->new_p);
}

#define F(name) KT_F(kt_opt_muon_args, name)
static const kt_field muon_fields[] = {
    KT_OPT_FIELDS(kt_opt_muon_args),
    F(adam_beta_1),
    F(adam_beta_2),
    F(epsilon),
    F(exclude_layers),
    F(muon_a),
    F(muon_b),
    F(muon_c),
    F(adam_lr_ratio),
    F(momentum),
    F(ns_steps),
    F(nesterov),
    F(exclude_embeddings),
    F(adam_weight_decay),
    F(rms_rate),
    KT_F_END};
#undef F

static const kt_opt_muon_args muon_defaults = {
    KT_OPT_MUON_DEFAULTS.size = sizeof(kt_opt_muon_args)};

const kt_optimizer_class kt_opt_muon_class = {
    .base = KT_OPT_BASE("Muon", muon, muon_init),
    .per_variable = true,
    .slots = muon_slots,
    .slot_spec = muon_slot_spec,
    .weight_decay = muon_weight_decay,
    .share = muon_share,
    .step = muon_step,
};

kt_optimizer *kt_opt_muon_new(const kt_opt_muon_args *args) {
    return kt_component_new(&kt_opt_muon_class.base, args);
}
