/* A user's C function as an activation. Keras: any callable given as activation. */
#include "nn/activations/activation.h"

#include "nn/losses/loss.h"

typedef kt_act_custom_args custom_args;

static kt_status custom_init(kt_component *c) {
    const custom_args *a = kt_args_of(c);
    if (!a->fn) return KT_FAIL(KT_EINVAL, "kt_act_custom: expected a function, got NULL");
    c->name = kt_function_name(a->name ? a->name : a->text);
    return c->name ? KT_OK : KT_ENOMEM;
}

static kt_sym *custom_apply(const kt_component *c, kt_sym *x) {
    const custom_args *a = kt_args_of(c);
    return a->fn(x, a->data);
}

static const kt_field custom_fields[] = {
    KT_F(custom_args, name), KT_F(custom_args, text), KT_F_END};

static const kt_activation_class custom_class = {
    .base =
        {.kind = KT_KIND_ACTIVATION,
         .name = "function",
         .args_size = sizeof(custom_args),
         .fields = custom_fields,
         .init = custom_init},
    .apply = custom_apply};

kt_activation_fn *kt_act_custom_new(const kt_act_custom_args *args) {
    return kt_component_new(&custom_class.base, args);
}
