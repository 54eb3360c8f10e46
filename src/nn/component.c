/* See component.h. */
#include "nn/component.h"

#include "base/mem.h"
#include "base/str.h"
#include "nn/kinds.h"

#include <string.h>
#include <strings.h>

static void component_destroy(void *self) {
    kt_component *c = self;
    if (c->cls->destroy && c->state) c->cls->destroy(c);
    if (c->args) (c->obj.status ? kt_args_return : kt_args_release)(c->args, c->cls->fields);
    kt_mem_free(c->args);
    kt_mem_free(c->state);
    kt_mem_free(c->name);
}

void *kt_component_new(const kt_class *cls, const void *args) {
    kt_component *c = kt_obj_new(sizeof *c, cls->kind, component_destroy);
    if (!c) return kt_fail_object(KT_ENOMEM);
    c->cls = cls;
    void *copy = kt_alloc(cls->args_size);
    kt_status st = copy ? kt_args_copy(copy, args, cls->args_size, cls->defaults, cls->fields)
                        : KT_ENOMEM;
    if (st) {
        kt_mem_free(copy);
        kt_free(c);
        return kt_fail_object(st);
    }
    c->args = copy;
    c->state = kt_alloc(cls->state_size);
    if (!c->state) st = KT_ENOMEM;
    if (st == KT_OK && cls->init) st = cls->init(c);
    if (st == KT_OK) st = kt_numbers_check(copy, cls->fields);
    if (st == KT_OK) return c;
    if (st == kt_error_last()) kt_error_context("in %s", cls->name);
    kt_obj_fail(c, st);
    kt_free(c);
    return kt_fail_object(st);
}

kt_status kt_numbers_check(const void *args, const kt_field *fields) {
    for (const kt_field *f = fields; f && f->type; f++) {
        if (f->type != KT_FIELD_DOUBLE || !strcmp(f->name, "value")) continue; /* Constant: data */
        const double v = *(const double *)((const char *)args + f->offset);
        if (v != v) return KT_FAIL(KT_EINVAL, "%s: expected a number, got nan", f->name);
    }
    return KT_OK;
}

bool kt_class_has_name(const kt_class *cls, const char *name) {
    char snake[64];
    kt_snake_case(cls->name, snake, sizeof snake);
    if (!strcmp(cls->name, name) || !strcmp(snake, name)) return true;
    if (cls->kind == KT_KIND_OPTIMIZER && !strcasecmp(cls->name, name)) return true;
    for (int i = 0; i < 4 && cls->aliases[i]; i++)
        if (!strcmp(cls->aliases[i], name)) return true;
    return false;
}

static kt_status unknown_name(const char *name, const kt_class *const *registry, const char *what) {
    const char *names[256];
    char snake[128][48];
    int n = 0;
    for (int i = 0; registry[i] && i < 128; i++) {
        kt_snake_case(registry[i]->name, snake[i], sizeof snake[i]);
        names[n++] = snake[i];
        if (registry[i]->aliases[0]) names[n++] = registry[i]->aliases[0];
    }
    const char *near = kt_nearest(name, names, n);
    KT_FAIL(KT_EINVAL, "%s: unknown name \"%.60s\"", what, name);
    if (near) kt_error_hint("did you mean \"%s\"?", near);
    return KT_EINVAL;
}

static kt_status wrong_object(const char *what, kt_kind kind, kt_ref ref) {
    char got[96];
    return KT_FAIL(
        KT_EINVAL,
        "%s: expected a name or %s, got %s",
        what,
        kt_kind_name(kind),
        kt_ref_describe(ref, got, sizeof got));
}

static kt_status check_name(
    const kt_class *cls, const char *name, const kt_class *const *registry, const char *what) {
    if (!cls) return unknown_name(name, registry, what);
    if (cls->defaults && !cls->needs_arguments) return KT_OK;
    return KT_FAIL(KT_EINVAL, "%s: \"%s\" needs arguments", what, name);
}

static const kt_class *find_class(const kt_class *const *registry, const char *name) {
    for (int i = 0; registry[i]; i++)
        if (kt_class_has_name(registry[i], name)) return registry[i];
    return NULL;
}

kt_status kt_component_get(
    kt_component **out,
    kt_ref ref,
    kt_kind kind,
    const kt_class *const *registry,
    const char *what) {
    *out = NULL;
    if (!ref) return KT_OK;
    if (kt_is_obj(ref)) {
        if (kt_failed(ref)) return kt_check(ref);
        if (!kt_is(ref, kind)) return wrong_object(what, kind, ref);
        *out = (kt_component *)(uintptr_t)ref;
        return KT_OK;
    }
    const kt_class *cls = find_class(registry, ref);
    const kt_status st = check_name(cls, ref, registry, what);
    if (st) return st;
    *out = kt_component_new(cls, cls->defaults);
    return kt_check(*out);
}

kt_status kt_component_check(const char *argument, kt_ref ref) {
    static const struct {
        const char *suffix;
        kt_kind kind, too; /* what it takes, and what it takes besides */
        const kt_class *const *(*registry)(void);
    } known[] = {
        {"activation", KT_KIND_ACTIVATION, KT_KIND_LAYER, kt_activation_registry},
        {"_initializer", KT_KIND_INITIALIZER, KT_KIND_TENSOR, kt_initializer_registry},
        {"_regularizer", KT_KIND_REGULARIZER, KT_KIND_REGULARIZER, kt_regularizer_registry},
        {"_constraint", KT_KIND_CONSTRAINT, KT_KIND_CONSTRAINT, kt_constraint_registry},
    };
    const size_t n = strlen(argument);
    if (!ref || kt_is(ref, KT_KIND_LIST)) return KT_OK;
    for (int i = 0; i < (int)(sizeof known / sizeof *known); i++) {
        const size_t m = strlen(known[i].suffix);
        if (n < m || strcmp(argument + n - m, known[i].suffix) != 0) continue;
        if (!kt_is_obj(ref))
            return check_name(
                find_class(known[i].registry(), ref), ref, known[i].registry(), argument);
        const bool ok = kt_is(ref, known[i].kind) || kt_is(ref, known[i].too);
        return ok ? KT_OK : wrong_object(argument, known[i].kind, ref);
    }
    return KT_OK;
}
