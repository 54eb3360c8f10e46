/* A user's C function as a loss: symbolic tensors in, one value per sample out. Ranks are lined up
 * and labels cast before it is called, as Keras' LossFunctionWrapper does; shapes are its own
 * business. */
#include "nn/losses/loss.h"

#include "base/locale.h"
#include "base/mem.h"

typedef kt_loss_custom_args custom_args;

static bool is_word(char c) { return kt_is_alpha(c) || kt_is_digit(c) || c == '_'; }

char *kt_function_name(const char *text) {
    char name[64];
    size_t n = 0;
    while (text && (*text == '&' || *text == '(' || *text == ' ')) text++;
    for (; text && n + 1 < sizeof name && is_word(*text); text++) name[n++] = *text;
    name[n] = 0;
    return kt_strdup(n ? name : "custom");
}

static kt_status custom_init(kt_component *c) {
    const custom_args *a = kt_args_of(c);
    if (!a->fn) return KT_FAIL(KT_EINVAL, "kt_loss_custom: expected a function, got NULL");
    if (!a->name && !(c->name = kt_function_name(a->text))) return KT_ENOMEM;
    return kt_loss_init(c);
}

static kt_sym *custom_call(const kt_component *c, kt_sym *t, kt_sym *p) {
    const custom_args *a = kt_args_of(c);
    if (kt_failed(t) || kt_failed(p)) return kt_failed(t) ? t : p;
    if (!kt_dtype_is_float(kt_sym_dtype(p))) p = kt_sym_cast(p, kt_dtype_of(kt_floatx()));
    t = kt_sym_cast(t, kt_sym_dtype(p));
    kt_same_rank(&t, &p, true);
    return a->fn(t, p, a->data);
}

static const kt_field custom_fields[] = {KT_LOSS_FIELDS(custom_args)};

static const kt_loss_class custom_class = {
    .base =
        {.kind = KT_KIND_LOSS,
         .name = "LossFunctionWrapper",
         .args_size = sizeof(custom_args),
         .fields = custom_fields,
         .init = custom_init},
    .call = custom_call};

kt_loss *kt_loss_custom_new(const kt_loss_custom_args *args) {
    return kt_component_new(&custom_class.base, args);
}
