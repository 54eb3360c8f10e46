/* Configurations for users: to_json, get_config, from_config. See keratin/saving.h. */
#include "base/error.h"
#include "base/fs.h"
#include "base/mem.h"
#include "io/source.h"
#include "saving/configs.h"
#include "saving/legacy.h"
#include "saving/text.h"

#include <keratin/saving.h>

#include <stdio.h>
#include <string.h>

static kt_text *text_of(kt_json *v, int64_t indent) {
    kt_str s = {0};
    if (!v) return kt_fail_object(kt_json_failed());
    kt_json_write(&s, v, indent);
    kt_json_free(v);
    return kt_text_take(&s);
}

kt_text *kt_model_to_json_with(const kt_to_json_args *given) {
    static const kt_to_json_args defaults = {KT_TO_JSON_DEFAULTS.model = NULL};
    kt_to_json_args a;
    kt_status st = kt_args_read(&a, given, sizeof a, &defaults);
    if (st == KT_OK) st = kt_model_require(a.model, "kt_model_to_json");
    return st ? kt_fail_object(st) : text_of(kt_write_layer(a.model), a.indent);
}

static kt_status require_object(kt_ref object, const char *verb) {
    char got[96];
    if (kt_is_obj(object) && kt_failed(object)) return kt_check(object);
    if (kt_is_obj(object) && kt_kind_module((kt_kind)((const kt_obj *)object)->kind)) return KT_OK;
    return KT_FAIL(
        KT_EINVAL,
        "%s: expected a layer, model, optimizer …, got %s",
        verb,
        kt_ref_describe(object, got, sizeof got));
}

kt_text *kt_get_config(kt_ref object) {
    const kt_status st = require_object(object, "kt_get_config");
    return st ? kt_fail_object(st) : text_of(kt_write_config(object), KT_NONE);
}

kt_text *kt_serialize(kt_ref object) {
    const kt_status st = require_object(object, "kt_serialize");
    return st ? kt_fail_object(st) : text_of(kt_write_object(object), KT_NONE);
}

/* What a constructor complains about is the text's fault. */
static void *of_text(void *object) {
    const kt_status st = object ? kt_check(object) : KT_EINVAL;
    const bool argument = st == KT_EINVAL || st == KT_ESHAPE || st == KT_EDTYPE || st == KT_ESTATE;
    return argument ? kt_fail_object(kt_error_restate(KT_EFORMAT)) : object;
}

kt_model *kt_model_of_json(const kt_json *v, bool compile) {
    kt_reader r;
    kt_status st = kt_reader_begin(&r);
    if (st) return kt_fail_object(st);
    r.compile = compile;
    kt_layer *l = kt_read_layer(&r, v);
    if (!kt_failed(l) && !kt_is_model(l)) {
        KT_FAIL(KT_EFORMAT, "the text describes a layer, %s", kt_layer_class_name(l));
        l = kt_fail_object(kt_error_expected("a model"));
    }
    return of_text(kt_reader_end(&r, l));
}

/* Keras 1 and 2 wrote their version into the text. */
static kt_model *model_of_any(const kt_json *v) {
    const char *version = kt_json_get_text(v, "keras_version");
    const kt_legacy_origin from = kt_legacy_origin_of(version, NULL);
    return version && from.major < 3 ? kt_legacy_model_of_json(v, &from, true)
                                     : kt_model_of_json(v, true);
}

kt_model *kt_model_from_json(const char *text) {
    kt_json *v;
    const kt_status st = text ? kt_json_parse(&v, text, strlen(text), NULL)
                              : KT_FAIL(KT_EINVAL, "kt_model_from_json: no text");
    if (st) return kt_fail_object(st);
    kt_model *m = model_of_any(v);
    kt_json_free(v);
    return m;
}

kt_model *kt_clone_model(const kt_model *model) {
    kt_status st = kt_model_require(model, "kt_clone_model");
    kt_json *v = st ? NULL : kt_write_layer((kt_model *)(uintptr_t)model);
    if (!v) return kt_fail_object(st ? st : kt_json_failed());
    kt_model *m = kt_model_of_json(v, false);
    kt_json_free(v);
    return m;
}

/* Names of kinds ------------------------------------------------------------------------------- */

static kt_kind kind_named(const char *name) {
    static const struct {
        const char *name;
        kt_kind kind;
    } names[] = {
        {"layer", KT_KIND_LAYER},
        {"model", KT_KIND_LAYER},
        {"activation", KT_KIND_ACTIVATION},
        {"initializer", KT_KIND_INITIALIZER},
        {"regularizer", KT_KIND_REGULARIZER},
        {"constraint", KT_KIND_CONSTRAINT},
        {"loss", KT_KIND_LOSS},
        {"metric", KT_KIND_METRIC},
        {"optimizer", KT_KIND_OPTIMIZER},
        {"schedule", KT_KIND_SCHEDULE},
        {"callback", KT_KIND_CALLBACK},
        {"quantizer", KT_KIND_QUANTIZER},
    };
    for (size_t i = 0; name && i < sizeof names / sizeof *names; i++)
        if (!strcmp(names[i].name, name)) return names[i].kind;
    return KT_KIND_OTHER;
}

/* The kind of a class, from "losses.Huber", "keras.losses.Huber", or from what has that name. */
static kt_kind kind_of_class(const char *path, const char **class_name) {
    char module[64];
    const char *dot = strrchr(path, '.');
    *class_name = dot ? dot + 1 : path;
    if (dot) {
        const bool full = !strncmp(path, "keras.", 6);
        snprintf(module, sizeof module, "%s%.*s", full ? "" : "keras.", (int)(dot - path), path);
        return kt_module_kind(module);
    }
    if (kt_exported_layer(path) || kt_registered_layer(path)) return KT_KIND_LAYER;
    for (int k = 0; k < KT_KIND_COUNT; k++) {
        const kt_class *const *all = kt_kind_registry((kt_kind)k);
        for (int i = 0; all && all[i]; i++)
            if (!strcmp(all[i]->name, path)) return (kt_kind)k;
    }
    return KT_KIND_OTHER;
}

static kt_json *description(const char *class_name, kt_json *config) {
    kt_json *v = kt_json_new_dict();
    kt_status st = kt_json_put(v, "class_name", kt_json_new_str(class_name));
    if (st == KT_OK && strchr(class_name, '>'))
        st = kt_json_put(v, "registered_name", kt_json_new_str(class_name));
    if (st == KT_OK)
        st = kt_json_put(v, "config", config);
    else
        kt_json_free(config);
    if (st == KT_OK) return v;
    kt_json_free(v);
    return NULL;
}

static void *read_object(kt_kind kind, const kt_json *v) {
    kt_reader r;
    const kt_status st = kt_reader_begin(&r);
    if (st) return kt_fail_object(st);
    r.compile = true;
    void *o = kind == KT_KIND_LAYER ? (void *)kt_read_layer(&r, v) : kt_read_component(&r, kind, v);
    return of_text(kt_reader_end(&r, o));
}

void *kt_from_config(const char *class_name, const char *config) {
    kt_json *v = NULL;
    const char *name;
    if (!class_name || !config)
        return kt_fail_object(KT_FAIL(KT_EINVAL, "kt_from_config: class or config is missing"));
    const kt_kind kind = kind_of_class(class_name, &name);
    if (kind == KT_KIND_OTHER && !strchr(class_name, '>') && strcmp(class_name, "Sequential") &&
        strcmp(class_name, "Functional"))
        return kt_fail_object(
            KT_FAIL(KT_EUNSUPPORTED, "class %.60s does not exist here", class_name));
    const kt_status st = kt_json_parse(&v, config, strlen(config), NULL);
    if (st) return kt_fail_object(st);
    v = description(name, v);
    if (!v) return kt_fail_object(kt_json_failed());
    void *o = read_object(kind == KT_KIND_OTHER ? KT_KIND_LAYER : kind, v);
    kt_json_free(v);
    return o;
}

kt_status kt_save_bytes(const char *path, const void *data, size_t size) {
    if (!data && size) return KT_FAIL(KT_EINVAL, "kt_save_bytes: the data are missing");
    return kt_fs_save(path, data, size);
}

/* name:key=value,… */

/* The end of a value: a comma outside of brackets and strings. */
static const char *value_end(const char *p) {
    int depth = 0;
    bool quoted = false;
    for (; *p; p++) {
        if (quoted) {
            if (*p == '\\' && p[1]) p++;
            if (*p == '"') quoted = false;
        } else if (*p == '"') {
            quoted = true;
        } else if (*p == '[' || *p == '{' || *p == '(') {
            depth++;
        } else if (*p == ']' || *p == '}' || *p == ')') {
            depth--;
        } else if (*p == ',' && depth <= 0) {
            break;
        }
    }
    return p;
}

/* JSON, Python's words, or a plain word. */
static kt_json *word(const char *text, size_t n) {
    static const char *const words[][2] = {{"True", "true"}, {"False", "false"}, {"None", "null"}};
    kt_json *v = NULL;
    for (int i = 0; i < 3; i++)
        if (n == strlen(words[i][0]) && !memcmp(text, words[i][0], n)) {
            text = words[i][1];
            n = strlen(text);
        }
    kt_error before = kt_error_get();
    if (kt_json_parse(&v, text, n, NULL) == KT_OK) return v;
    if (before.status == KT_OK) kt_error_clear();
    kt_str s = {0};
    kt_str_addn(&s, text, n);
    v = s.status ? NULL : kt_json_new_str(s.s);
    kt_str_free(&s);
    return v;
}

static kt_json *short_form(kt_kind kind, const char *text);

/* A schedule may stand as "exponential_decay:decay_steps=100,…" where a callback or an optimizer
 * takes one; any other text stays one. */
static kt_json *argument(const char *key, kt_json *v) {
    const char *text = kt_json_text(v);
    const bool rate = text && !strcmp(key, "learning_rate") && strchr(text, ':');
    if (!text || (!rate && strcmp(key, "schedule") != 0)) return v;
    kt_json *schedule = short_form(KT_KIND_SCHEDULE, text);
    kt_json_free(v);
    return schedule;
}

static kt_status add_argument(kt_json *config, const char *p, const char *end) {
    const char *eq = memchr(p, '=', (size_t)(end - p));
    kt_str key = {0};
    if (!eq || eq == p)
        return KT_FAIL(KT_EFORMAT, "expected name=value, got \"%.*s\"", (int)(end - p), p);
    kt_str_addn(&key, p, (size_t)(eq - p));
    kt_status st = key.status;
    if (st == KT_OK && kt_json_get(config, key.s))
        st = KT_FAIL(KT_EFORMAT, "%.60s is given twice", key.s);
    if (st == KT_OK)
        st = kt_json_put(config, key.s, argument(key.s, word(eq + 1, (size_t)(end - eq - 1))));
    kt_str_free(&key);
    return st;
}

/* Callbacks and schedules have no other name than their class; without arguments they may still
 * lack one. */
static kt_json *short_form(kt_kind kind, const char *text) {
    const char *colon = strchr(text, ':');
    if (!colon && kind != KT_KIND_CALLBACK && kind != KT_KIND_SCHEDULE)
        return kt_json_new_str(text);
    if (!colon) colon = text + strlen(text);
    kt_json *config = kt_json_new_dict();
    kt_status st = config ? KT_OK : KT_ENOMEM;
    for (const char *p = *colon ? colon + 1 : colon; *p && st == KT_OK;) {
        const char *end = value_end(p);
        st = add_argument(config, p, end);
        p = *end ? end + 1 : end;
    }
    kt_str name = {0};
    kt_str_addn(&name, text, (size_t)(colon - text));
    kt_json *v = st || name.status ? NULL : description(name.s, kt_json_ref(config));
    kt_str_free(&name);
    kt_json_free(config);
    return v;
}

static void *read_any(kt_kind kind, const kt_json *v);

/* Compile chooses the class of these by loss and shapes. */
static const char *name_by_shape(kt_kind kind, const kt_json *v) {
    static const char *const names[] = {"accuracy", "acc", "crossentropy", "ce"};
    const char *name = kind == KT_KIND_METRIC ? kt_json_text(v) : NULL;
    for (int i = 0; name && i < 4; i++)
        if (!strcmp(name, names[i])) return names[i];
    return NULL;
}

/* A list or a dict of losses or metrics. */
static void *read_several(kt_kind kind, const kt_json *v) {
    const bool dict = kt_json_is(v, KT_JSON_DICT);
    const int n = kt_json_len(v);
    const void **items = kt_alloc_array(2 * n + 1, sizeof *items);
    kt_status st = items ? KT_OK : KT_ENOMEM;
    void *it = dict ? kt_json_iter(v) : NULL;
    int at = 0;
    for (int i = 0; i < n && st == KT_OK; i++) {
        const kt_json *item = dict ? kt_json_iter_value(it) : kt_json_at(v, i);
        if (dict) items[at++] = kt_json_iter_key(it);
        const void *o = name_by_shape(kind, item);
        if (!o)
            o = kt_json_kind(item) == KT_JSON_NULL ? (const void *)kt_none : read_any(kind, item);
        if (kt_is_obj(o)) st = kt_check(o);
        if (st == KT_OK) items[at++] = o;
        if (dict) it = kt_json_next(v, it);
    }
    if (items) items[at] = kt_list_end;
    void *list = st ? kt_fail_object(st) : dict ? kt_dict_new(items) : kt_list_new(items);
    for (int i = 0; st && i < at; i++)
        if (kt_is_obj(items[i])) kt_drop(items[i]);
    kt_mem_free(items);
    return list;
}

static void *read_any(kt_kind kind, const kt_json *v) {
    const bool several = kt_json_is(v, KT_JSON_LIST) ||
                         (kt_json_is(v, KT_JSON_DICT) && !kt_json_get(v, "class_name"));
    if (several && (kind == KT_KIND_LOSS || kind == KT_KIND_METRIC)) return read_several(kind, v);
    return read_object(kind, v);
}

void *kt_deserialize(const char *kind_name, const char *text) {
    const kt_kind kind = kind_named(kind_name);
    kt_json *v = NULL;
    if (kind == KT_KIND_OTHER)
        return kt_fail_object(KT_FAIL(
            KT_EINVAL, "kt_deserialize: unknown kind \"%.60s\"", kind_name ? kind_name : "None"));
    if (!text || !*text)
        return kt_fail_object(KT_FAIL(KT_EINVAL, "%s: the text is empty", kind_name));
    const char *start = text + strspn(text, " \t\r\n");
    if (strchr("{[\"", *start)) {
        const kt_status st = kt_json_parse(&v, text, strlen(text), NULL);
        if (st) return kt_fail_object(st);
    } else {
        v = short_form(kind, text);
    }
    if (!v) return kt_fail_object(kt_json_failed());
    void *o = read_any(kind, v);
    kt_json_free(v);
    return o ? o : kt_fail_object(KT_FAIL(KT_EFORMAT, "kt_deserialize: null"));
}
