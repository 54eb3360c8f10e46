/* A user's C function as a constraint. Keras: any callable given as constraint. */
#include "nn/constraints/constraint.h"

#include "nn/losses/loss.h"

typedef kt_con_custom_args custom_args;

static kt_status custom_init(kt_component *c) {
    const custom_args *a = kt_args_of(c);
    if (!a->fn) return KT_FAIL(KT_EINVAL, "kt_con_custom: expected a function, got NULL");
    c->name = kt_function_name(a->name ? a->name : a->text);
    return c->name ? KT_OK : KT_ENOMEM;
}

static kt_sym *custom_project(const kt_component *c, kt_sym *w) {
    const custom_args *a = kt_args_of(c);
    kt_sym *y = a->fn(w, a->data);
    if (kt_failed(y)) return y ? y : kt_fail_object(KT_EINVAL);
    const kt_shape want = kt_sym_shape(w), got = kt_sym_shape(y);
    char a_text[KT_SHAPE_STR], b_text[KT_SHAPE_STR];
    if (kt_shape_equal(&want, &got)) return y;
    KT_FAIL(KT_ESHAPE, "constraint \"%s\": the result does not have the weight's shape", c->name);
    kt_error_expected("%s", kt_shape_str(&want, a_text, sizeof a_text));
    return kt_fail_object(kt_error_got("%s", kt_shape_str(&got, b_text, sizeof b_text)));
}

static const kt_field custom_fields[] = {
    KT_F(custom_args, name), KT_F(custom_args, text), KT_F_END};

static const kt_constraint_class custom_class = {
    .base =
        {.kind = KT_KIND_CONSTRAINT,
         .name = "function",
         .args_size = sizeof(custom_args),
         .fields = custom_fields,
         .init = custom_init},
    .project = custom_project};

kt_constraint *kt_con_custom_new(const kt_con_custom_args *args) {
    return kt_component_new(&custom_class.base, args);
}
