/* Names of classes and arguments that are not there, in files and on the command line: the error,
 * and "did you mean …?". A name that Keras knows and that is merely missing here gets none: what
 * resembles it is another thing. */
#include "base/locale.h"
#include "base/str.h"
#include "io/source.h"
#include "model/callback.h"
#include "saving/configs.h"

#include <stdio.h>
#include <string.h>

#define MAX_NAMES 512

static kt_status hint(const char *name, const char *const *names, int n) {
    const char *near = kt_nearest(name, names, n);
    return near ? kt_error_hint("did you mean \"%s\"?", near) : KT_EUNSUPPORTED;
}

/* There are few. */
static kt_status name_callbacks(void) {
    kt_str list = {0};
    for (int i = 0; kt_callback_registry[i]; i++) {
        const kt_class *cls = kt_callback_registry[i];
        char snake[48];
        kt_snake_case(cls->name, snake, sizeof snake);
        kt_str_addf(&list, "%s%s", i ? ", " : "", cls->aliases[0] ? cls->aliases[0] : snake);
    }
    if (list.s) kt_error_expected("one of %s", list.s);
    kt_str_free(&list);
    return KT_EUNSUPPORTED;
}

static kt_status name_all(const char *const *names, int n) {
    kt_str list = {0};
    for (int i = 0; i < n; i++) kt_str_addf(&list, "%s%s", i ? ", " : "", names[i]);
    if (n && !list.status) kt_error_expected("one of %s", list.s);
    kt_str_free(&list);
    return KT_EUNSUPPORTED;
}

/* In the style of the word: EarlyStopping, or early_stopping and short names. */
static kt_status hint_class(kt_kind kind, const char *name) {
    const kt_class *const *all = kt_kind_registry(kind);
    const bool camel = kt_is_upper(name[0]);
    const char *names[MAX_NAMES];
    char snake[MAX_NAMES / 5][48];
    int n = 0;
    if (kt_config_form_find(kt_kind_module(kind), name)) return KT_EUNSUPPORTED;
    for (int i = 0; all && all[i] && i < MAX_NAMES / 5; i++) {
        kt_snake_case(all[i]->name, snake[i], sizeof snake[i]);
        names[n++] = camel ? all[i]->name : snake[i];
        for (int k = 0; k < 4 && all[i]->aliases[k]; k++) names[n++] = all[i]->aliases[k];
    }
    if (kind == KT_KIND_CALLBACK && !kt_nearest(name, names, n)) return name_callbacks();
    return hint(name, names, n);
}

kt_status kt_unknown_component(kt_kind kind, const char *name) {
    char text[KT_QUOTE_SIZE];
    const char *what = kt_kind_name(kind); /* "a loss", "an optimizer" */
    KT_FAIL(
        KT_EUNSUPPORTED,
        "there is no %s \"%s\"",
        strchr(what, ' ') + 1,
        kt_quote(name, strlen(name), text, sizeof text));
    return hint_class(kind, name);
}

kt_status kt_unknown_class(kt_kind kind, const char *name) {
    char text[KT_QUOTE_SIZE];
    KT_FAIL(
        KT_EUNSUPPORTED,
        "class %s does not exist here",
        kt_quote(name, strlen(name), text, sizeof text));
    return hint_class(kind, name);
}

kt_status kt_unknown_layer(const char *name) {
    const kt_layer_class *const *all = kt_layer_all();
    const char *names[MAX_NAMES] = {"Sequential", "Functional"};
    char text[KT_QUOTE_SIZE];
    int n = 2;
    KT_FAIL(
        KT_EUNSUPPORTED,
        "layer class %s does not exist here",
        kt_quote(name, strlen(name), text, sizeof text));
    if (kt_config_form_find("keras.layers", name)) return KT_EUNSUPPORTED;
    for (int i = 0; all[i] && n < MAX_NAMES; i++) names[n++] = kt_exported_name(all[i]->name);
    return hint(name, names, n);
}

kt_status kt_unknown_argument(const char *class_name, const kt_field *fields, const char *key) {
    const kt_config_form *form = kt_config_form_find(NULL, class_name);
    const char *names[MAX_NAMES];
    char text[KT_QUOTE_SIZE], quoted[80];
    int n = 0;
    KT_FAIL(
        KT_EUNSUPPORTED,
        "%s has no argument \"%s\" here",
        class_name,
        kt_quote(key, strlen(key), text, sizeof text));
    snprintf(quoted, sizeof quoted, "\"%.70s\"", key);
    if (form && strstr(form->config, quoted)) return KT_EUNSUPPORTED; /* Keras has it */
    for (; fields && fields[n].type && n < MAX_NAMES; n++) names[n] = fields[n].name;
    return kt_nearest(key, names, n) ? hint(key, names, n) : name_all(names, n);
}
