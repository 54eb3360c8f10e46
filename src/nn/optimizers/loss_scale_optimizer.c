/* LossScaleOptimizer: another optimizer, under a loss that is scaled up.
 * keras.optimizers.LossScaleOptimizer
 *
 * The loss is multiplied by a scale before gradients are taken, and they are divided by it before
 * the other optimizer sees them, so that small ones survive float16. Where one is not finite, the
 * step is left out and the scale halved; after dynamic_growth_steps good ones it doubles. The
 * common part knows of the optimizer inside (kt_opt_state.inner): this file has the arguments. */
#include "nn/optimizers/rule.h"

#include <math.h>
#include <string.h>

static kt_status take_inner(kt_opt_state *s, kt_ref ref) {
    char got[96];
    if (ref && kt_is_obj(ref) && kt_failed(ref)) return kt_check(ref);
    if (!kt_is(ref, KT_KIND_OPTIMIZER))
        return KT_FAIL(
            KT_EINVAL,
            "inner_optimizer: expected an optimizer, got %s",
            kt_ref_describe(ref, got, sizeof got));
    kt_component *inner = (kt_component *)(uintptr_t)ref;
    kt_opt_state *i = kt_state_of(inner);
    if (i->inner)
        return KT_FAIL(KT_EINVAL, "inner_optimizer: a LossScaleOptimizer inside another one");
    s->inner = inner;
    return KT_OK;
}

/* The optimizer inside scales no loss of its own any more. */
static void stop_scaling(kt_component *inner) {
    kt_opt_state *s = kt_state_of(inner);
    s->a.loss_scale_factor = KT_NONE_F;
    for (const kt_field *f = inner->cls->fields; f->type; f++)
        if (!strcmp(f->name, "loss_scale_factor"))
            *(double *)(void *)((char *)inner->args + f->offset) = KT_NONE_F;
}

static kt_status loss_scale_init(kt_component *c) {
    const kt_opt_loss_scale_optimizer_args *a = kt_args_of(c);
    kt_opt_state *s = kt_state_of(c);
    if (!isfinite(a->initial_scale) || a->initial_scale <= 0)
        return KT_FAIL(KT_EINVAL, "initial_scale: expected a number > 0, got %g", a->initial_scale);
    if (a->dynamic_growth_steps < 1)
        return KT_FAIL(
            KT_EINVAL,
            "dynamic_growth_steps: expected an integer >= 1, got %lld",
            (long long)a->dynamic_growth_steps);
    kt_status st = take_inner(s, a->inner_optimizer);
    if (st == KT_OK) st = kt_opt_init_with(c, &(kt_opt_common){KT_OPT_DEFAULTS.name = a->name});
    if (st == KT_OK) st = kt_opt_scalar(&s->step_counter, "step_counter", KT_INT64, 0);
    if (st == KT_OK)
        st = kt_opt_scalar(&s->dynamic_scale, "dynamic_scale", KT_FLOAT32, a->initial_scale);
    if (st) return st;
    s->growth_steps = a->dynamic_growth_steps;
    stop_scaling(s->inner);
    return KT_OK;
}

#define F(name) KT_F(kt_opt_loss_scale_optimizer_args, name)
static const kt_field loss_scale_optimizer_fields[] = {
    F(name), F(inner_optimizer), F(initial_scale), F(dynamic_growth_steps), KT_F_END};
#undef F

static const kt_opt_loss_scale_optimizer_args loss_scale_optimizer_defaults = {
    KT_OPT_LOSS_SCALE_OPTIMIZER_DEFAULTS.size = sizeof(kt_opt_loss_scale_optimizer_args)};

const kt_optimizer_class kt_opt_loss_scale_optimizer_class = {
    .base = KT_OPT_BASE("LossScaleOptimizer", loss_scale_optimizer, loss_scale_init),
};

kt_optimizer *kt_opt_loss_scale_optimizer_new(const kt_opt_loss_scale_optimizer_args *args) {
    return kt_component_new(&kt_opt_loss_scale_optimizer_class.base, args);
}
