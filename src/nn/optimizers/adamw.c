/* AdamW: Adam whose weight decay is on unless told otherwise.  keras.optimizers.AdamW */
#include "nn/optimizers/adam_rule.h"

static kt_status adamw_init(kt_component *c) {
    const kt_opt_adamw_args *a = kt_args_of(c);
    if (a->weight_decay != KT_NONE_F) return kt_opt_init(c);
    return KT_FAIL(KT_EINVAL, "weight_decay: expected a number, got None");
}

static kt_adam_rule adamw_rule(const kt_component *c) {
    const kt_opt_adamw_args *a = kt_args_of(c);
    return (kt_adam_rule){a->beta_1, a->beta_2, a->epsilon, a->amsgrad, 1};
}

static int adamw_slots(const kt_component *c, kt_opt_slot *out) {
    return kt_adam_slots(adamw_rule(c).amsgrad, out);
}

static kt_status adamw_share(const kt_component *c, kt_opt_step *s) {
    const kt_adam_rule r = adamw_rule(c);
    return kt_adam_share(&r, s);
}

static kt_status adamw_step(const kt_component *c, kt_opt_step *s) {
    const kt_adam_rule r = adamw_rule(c);
    return kt_adam_step(&r, s);
}

#define F(name) KT_F(kt_opt_adamw_args, name)
static const kt_field adamw_fields[] = {
    KT_OPT_FIELDS(kt_opt_adamw_args), F(beta_1), F(beta_2), F(epsilon), F(amsgrad), KT_F_END};
#undef F

static const kt_opt_adamw_args adamw_defaults = {
    KT_OPT_ADAMW_DEFAULTS.size = sizeof(kt_opt_adamw_args)};

const kt_optimizer_class kt_opt_adamw_class = {
    .base = KT_OPT_BASE("AdamW", adamw, adamw_init),
    .slots = adamw_slots,
    .share = adamw_share,
    .step = adamw_step,
};

kt_optimizer *kt_opt_adamw_new(const kt_opt_adamw_args *args) {
    return kt_component_new(&kt_opt_adamw_class.base, args);
}
