/* A user's C function as a regularizer. Keras: any callable given as regularizer. */
#include "nn/regularizers/regularizer.h"

#include "nn/losses/loss.h"

typedef kt_reg_custom_args custom_args;

static kt_status custom_init(kt_component *c) {
    const custom_args *a = kt_args_of(c);
    if (!a->fn) return KT_FAIL(KT_EINVAL, "kt_reg_custom: expected a function, got NULL");
    c->name = kt_function_name(a->name ? a->name : a->text);
    return c->name ? KT_OK : KT_ENOMEM;
}

static kt_sym *custom_penalty(const kt_component *c, kt_sym *w) {
    const custom_args *a = kt_args_of(c);
    kt_sym *p = a->fn(w, a->data);
    if (kt_failed(p)) return p ? p : kt_fail_object(KT_EINVAL);
    const kt_shape s = kt_sym_shape(p);
    char text[KT_SHAPE_STR];
    if (s.ndim == 0) return p;
    KT_FAIL(KT_ESHAPE, "regularizer \"%s\": expected a scalar", c->name);
    return kt_fail_object(kt_error_got("%s", kt_shape_str(&s, text, sizeof text)));
}

static const kt_field custom_fields[] = {
    KT_F(custom_args, name), KT_F(custom_args, text), KT_F_END};

static const kt_regularizer_class custom_class = {
    .base =
        {.kind = KT_KIND_REGULARIZER,
         .name = "function",
         .args_size = sizeof(custom_args),
         .fields = custom_fields,
         .init = custom_init},
    .penalty = custom_penalty};

kt_regularizer *kt_reg_custom_new(const kt_reg_custom_args *args) {
    return kt_component_new(&custom_class.base, args);
}
