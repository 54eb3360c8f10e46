/* Which keys, names and modules belong to which class. See configs.h. */
#include "saving/configs.h"

#include "model/callback.h"
#include "nn/quantize.h"

#include <string.h>

static const kt_config_form forms[] = {
#define KT_CONFIG(module, class_name, builds, kwargs, config)                                      \
    {module, class_name, builds, kwargs, config},
#include "saving/configs.def"
#undef KT_CONFIG
};

const kt_config_form *kt_config_form_find(const char *module, const char *class_name) {
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (!strcmp(forms[i].class_name, class_name) &&
            (!module || !strcmp(forms[i].module, module)))
            return &forms[i];
    return NULL;
}

#define APPLICATIONS "keras.src.applications."

const kt_config_form *kt_layer_form(const char *class_name) {
    const char *name = kt_exported_name(class_name);
    const kt_config_form *exported = kt_config_form_find("keras.layers", name);
    if (exported) return exported;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (!kt_is_exported(&forms[i]) && !strcmp(forms[i].class_name, name)) return &forms[i];
    return NULL;
}

bool kt_is_exported(const kt_config_form *form) {
    return strncmp(form->module, APPLICATIONS, strlen(APPLICATIONS)) != 0;
}

static const struct {
    kt_kind kind;
    const char *module, *suffix;
} kinds[] = {
    {KT_KIND_ACTIVATION, "keras.activations", "activation"},
    {KT_KIND_INITIALIZER, "keras.initializers", "initializer"},
    {KT_KIND_REGULARIZER, "keras.regularizers", "regularizer"},
    {KT_KIND_CONSTRAINT, "keras.constraints", "constraint"},
    {KT_KIND_LOSS, "keras.losses", "loss"},
    {KT_KIND_METRIC, "keras.metrics", "metric"},
    {KT_KIND_OPTIMIZER, "keras.optimizers", "optimizer"},
    {KT_KIND_SCHEDULE, "keras.optimizers.schedules", "schedule"},
    {KT_KIND_CALLBACK, "keras.callbacks", "callback"},
    {KT_KIND_QUANTIZER, "keras.quantizers", "quantizer"},
    {KT_KIND_LAYER, "keras.layers", "layer"},
};
#define N_KINDS ((int)(sizeof kinds / sizeof *kinds))

const char *kt_kind_module(kt_kind kind) {
    for (int i = 0; i < N_KINDS; i++)
        if (kinds[i].kind == kind) return kinds[i].module;
    return NULL;
}

kt_kind kt_module_kind(const char *module) {
    for (int i = 0; i < N_KINDS; i++)
        if (!strcmp(kinds[i].module, module)) return kinds[i].kind;
    return KT_KIND_OTHER;
}

kt_kind kt_key_kind(const char *key) {
    const size_t n = strlen(key);
    for (int i = 0; i < N_KINDS; i++) {
        const size_t k = strlen(kinds[i].suffix);
        if (n >= k && !strcmp(key + n - k, kinds[i].suffix)) return kinds[i].kind;
    }
    if (!strcmp(key, "cell")) return KT_KIND_LAYER;
    return KT_KIND_OTHER;
}

const kt_class *const *kt_kind_registry(kt_kind kind) {
    switch (kind) {
    case KT_KIND_ACTIVATION:
        return kt_activation_registry();
    case KT_KIND_INITIALIZER:
        return kt_initializer_registry();
    case KT_KIND_REGULARIZER:
        return kt_regularizer_registry();
    case KT_KIND_CONSTRAINT:
        return kt_constraint_registry();
    case KT_KIND_LOSS:
        return kt_loss_registry();
    case KT_KIND_METRIC:
        return kt_metric_registry();
    case KT_KIND_OPTIMIZER:
        return kt_optimizer_registry();
    case KT_KIND_CALLBACK:
        return kt_callback_registry;
    case KT_KIND_SCHEDULE:
        return kt_schedule_registry();
    case KT_KIND_QUANTIZER:
        return kt_quantizer_registry();
    default:
        return NULL;
    }
}

const kt_field *kt_field_of_key(const kt_field *fields, const char *key) {
    for (const kt_field *f = fields; f && f->type; f++)
        if (!strcmp(f->name, key)) return f;
    return NULL;
}

const kt_field *kt_field_of_list(const kt_field *fields, const char *key) {
    const size_t n = strlen(key);
    for (const kt_field *f = fields; f && f->type; f++)
        if (f->type == KT_FIELD_FLOATS && !strncmp(f->name, key, n) && !strcmp(f->name + n, "s"))
            return f;
    return NULL;
}

const kt_field *kt_field_of_text(const kt_field *fields, const char *key) {
    const size_t n = strlen(key);
    for (const kt_field *f = fields; f && f->type; f++)
        if (f->type == KT_FIELD_STR && !strncmp(f->name, key, n) && !strcmp(f->name + n, "_text"))
            return f;
    return NULL;
}

/* Classes that Keras exports under another name than their own, which summary shows. */
static const char *const exported[][2] = {{"GroupedQueryAttention", "GroupQueryAttention"}};

const char *kt_exported_name(const char *class_name) {
    for (size_t i = 0; i < sizeof exported / sizeof *exported; i++)
        if (!strcmp(exported[i][0], class_name)) return exported[i][1];
    return class_name;
}

const char *kt_own_name(const char *exported_name) {
    for (size_t i = 0; i < sizeof exported / sizeof *exported; i++)
        if (!strcmp(exported[i][1], exported_name)) return exported[i][0];
    return exported_name;
}

const kt_layer_class *kt_exported_layer(const char *name) {
    return kt_layer_find(kt_own_name(name));
}

bool kt_takes_separate(const kt_layer *l) {
    return !strcmp(l->class_name, "MultiHeadAttention") ||
           !strcmp(l->class_name, "GroupedQueryAttention");
}

const char *kt_second_input(const kt_layer *l) {
    return strcmp(l->class_name, "CategoryEncoding") ? NULL : "count_weights";
}
