/* A user's C function as an initializer. Keras: any callable given as initializer. */
#include "nn/initializers/initializer.h"

#include "nn/losses/loss.h"

#include <string.h>

typedef kt_init_custom_args custom_args;

static kt_status custom_init(kt_component *c) {
    const custom_args *a = kt_args_of(c);
    if (!a->fn) return KT_FAIL(KT_EINVAL, "kt_init_custom: expected a function, got NULL");
    c->name = kt_function_name(a->name ? a->name : a->text);
    return c->name ? KT_OK : KT_ENOMEM;
}

static kt_status custom_fill(const kt_component *c, uint64_t key, const kt_spec *spec, void *data) {
    const custom_args *a = kt_args_of(c);
    memset(data, 0, (size_t)kt_spec_bytes(spec));
    kt_tensor *w = kt_tensor_wrap(spec->dtype, spec->shape, data);
    if (kt_failed(w)) return kt_check(w);
    const kt_status st = a->fn(w, key, a->data);
    kt_free(w);
    return st;
}

static const kt_field custom_fields[] = {
    KT_F(custom_args, name), KT_F(custom_args, text), KT_F_END};

static const kt_initializer_class custom_class = {
    .base =
        {.kind = KT_KIND_INITIALIZER,
         .name = "function",
         .args_size = sizeof(custom_args),
         .fields = custom_fields,
         .init = custom_init},
    .fill = custom_fill};

kt_initializer *kt_init_custom_new(const kt_init_custom_args *args) {
    return kt_component_new(&custom_class.base, args);
}
