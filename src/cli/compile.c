/* --optimizer, --loss, --metrics: given ones replace those of the file, the others stay. */
#include "cli/cli.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    void *optimizer, *loss, *metrics, *weighted_metrics;
    double loss_weights[CLI_MANY];
    int n_weights;
} parts;

/* Names whose class compile chooses by loss and shapes; what is made here could not change. */
static const char *by_shape(const char *name) {
    static const char *const names[] = {"accuracy", "acc", "crossentropy", "ce"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i])) return names[i];
    return NULL;
}

/* "accuracy,mae", several options, or one JSON text. */
static int parse_metrics(const cli_list *given, void **out) {
    const void *items[4 * CLI_MANY];
    char word[256];
    int n = 0;
    if (given->n == 1 && strchr("[{", given->v[0][0])) {
        *out = kt_deserialize("metric", given->v[0]);
        return kt_failed(*out) ? cli_bad_name(given->v[0]) : EXIT_OK;
    }
    for (int i = 0; i < given->n; i++) {
        const char *at = given->v[i];
        const bool with_arguments = strchr(at, ':') || *at == '{';
        do {
            const size_t length = with_arguments ? strlen(at) : strcspn(at, ",");
            if (n == 4 * CLI_MANY) return cli_usage(&cli_fit, "--metrics: too many");
            if (length >= sizeof word && !with_arguments)
                return cli_usage(&cli_fit, "--metrics: \"%.40s…\" is no name", at);
            snprintf(word, sizeof word, "%.*s", (int)length, at);
            const char *name = with_arguments ? NULL : by_shape(word);
            void *m = name ? NULL : kt_deserialize("metric", with_arguments ? at : word);
            if (!name && kt_failed(m)) return cli_bad_name(at);
            items[n++] = name ? (const void *)name : m;
            at += length;
        } while (*at++ == ',');
    }
    *out = kt_list_of(n, items);
    return kt_failed(*out) ? cli_fail() : EXIT_OK;
}

/* One key of the file's compile configuration as an object; NULL where it is not there or null. */
static int from_file(const json_t *config, const char *key, const char *kind, void **out) {
    const json_t *value = json_object_get(config, key);
    if (!value || json_is_null(value)) return EXIT_OK;
    char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);
    const char *source = text ? text : json_string_value(value);
    *out = source ? kt_deserialize(kind, source) : NULL;
    free(text);
    if (!*out) return cli_error(&(cli_problem){.exit = 7, .code = "KT_ENOMEM"}, "out of memory");
    return kt_failed(*out) ? cli_fail() : EXIT_OK;
}

static void take_weights(const json_t *config, const kt_model *m, parts *p) {
    const json_t *w = json_object_get(config, "loss_weights");
    for (int i = 0; i < CLI_MANY && kt_model_output(m, i); i++) {
        const json_t *one = json_is_array(w)    ? json_array_get(w, (size_t)i)
                            : json_is_object(w) ? json_object_get(w, kt_model_output_name(m, i))
                                                : NULL;
        if (!w || json_is_null(w)) return;
        p->loss_weights[p->n_weights++] = one                 ? json_number_value(one)
                                          : json_is_number(w) ? json_number_value(w)
                                                              : 1;
    }
}

static int fill_from_file(const kt_model *m, const char *path, parts *p) {
    kt_file *f = kt_file_open(cli_in(path));
    const char *text = kt_failed(f) ? NULL : kt_file_compile_config(f);
    json_t *config = text ? json_loads(text, 0, NULL) : NULL;
    int code = EXIT_OK;
    if (config) {
        const bool new_loss = p->loss != NULL;
        if (!p->loss) code = from_file(config, "loss", "loss", &p->loss);
        if (!code && !p->metrics) {
            code = from_file(config, "metrics", "metric", &p->metrics);
            if (!code) code = from_file(config, "weighted_metrics", "metric", &p->weighted_metrics);
        }
        if (!code && !new_loss) take_weights(config, m, p);
    }
    json_decref(config);
    kt_free(f);
    return code;
}

int cli_compile(
    kt_model *m,
    const char *path,
    const char *optimizer,
    const char *loss,
    const cli_list *metrics) {
    parts p = {.optimizer = NULL};
    int code = EXIT_OK;
    if (!optimizer && !loss && !metrics->n) return EXIT_OK;
    if (optimizer) {
        p.optimizer = kt_deserialize("optimizer", optimizer);
        if (kt_failed(p.optimizer)) return cli_bad_name(optimizer);
    }
    if (loss) {
        p.loss = kt_deserialize("loss", loss);
        if (kt_failed(p.loss)) return cli_bad_name(loss);
    }
    if (metrics->n) code = parse_metrics(metrics, &p.metrics);
    if (!code && kt_model_is_compiled(m)) {
        if (!optimizer) p.optimizer = (void *)(uintptr_t)kt_model_optimizer(m); /* with its state */
        code = fill_from_file(m, path, &p);
    }
    if (code) return code;
    const kt_status st = kt_model_compile(
        m,
        .optimizer = p.optimizer ? p.optimizer : "rmsprop",
        .loss = p.loss,
        .loss_weights = {p.loss_weights, p.n_weights},
        .metrics = p.metrics,
        .weighted_metrics = p.weighted_metrics);
    return st ? cli_fail() : EXIT_OK;
}
