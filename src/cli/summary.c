/* keratin summary: Keras' table of a model. */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    cli_common common;
    int64_t line_length;
    bool expand_nested, show_trainable;
    const char *layer_range, *positions;
} summary_options;

static void summary_json(kt_model *m) {
    cli_json j = {.out = stdout};
    cli_json_open(&j, NULL, '{');
    cli_json_string(&j, "name", kt_layer_name(m));
    cli_json_string(&j, "class_name", kt_layer_class_name(m));
    cli_json_open(&j, "layers", '[');
    for (int i = 0; i < kt_model_n_layers(m); i++) {
        kt_layer *l = kt_model_layer(m, i);
        const int64_t params = kt_layer_count_params(l);
        cli_json_open(&j, NULL, '{');
        cli_json_string(&j, "name", kt_layer_name(l));
        cli_json_string(&j, "class_name", kt_layer_class_name(l));
        cli_json_int(&j, "params", params);
        cli_json_bool(&j, "trainable", kt_trainable(l));
        cli_json_close(&j, '}');
    }
    cli_json_close(&j, ']');
    cli_json_int(&j, "total_params", kt_layer_count_params(m));
    cli_json_close(&j, '}');
}

/* "first,last", or with a colon where names have commas. */
static int parse_range(const char *text, char *buf, size_t size, const char **names) {
    const char *cut = strchr(text, ',');
    if (!cut) cut = strchr(text, ':');
    if (!cut || cut == text || !cut[1] || strlen(text) >= size)
        return cli_usage(&cli_summary, "--layer-range: expected FIRST,LAST, got \"%s\"", text);
    memcpy(buf, text, strlen(text) + 1);
    buf[cut - text] = 0;
    names[0] = buf;
    names[1] = buf + (cut - text) + 1;
    return EXIT_OK;
}

static int parse_positions(const char *text, double *out, int *n) {
    for (*n = 0; *n < 8; text++) {
        char *end;
        out[(*n)++] = strtod(text, &end);
        if (end == text || (*end && *end != ',')) break;
        if (!*end) return EXIT_OK;
        text = end;
    }
    return cli_usage(&cli_summary, "--positions: expected at most 8 numbers with commas");
}

static int summary(const void *options) {
    const summary_options *o = options;
    char range[1024];
    const char *names[2];
    double positions[8];
    int n_positions = 0, code = EXIT_OK;
    if (o->layer_range) code = parse_range(o->layer_range, range, sizeof range, names);
    if (!code && o->positions) code = parse_positions(o->positions, positions, &n_positions);
    kt_model *m = code ? NULL : cli_load_model(o->common.args[0], true, &code);
    if (code) return code;
    if (cli.json) {
        summary_json(m);
    } else {
        if (cli.no_color)
            cli_text_to(stdout);
        else
            kt_set_output(NULL, NULL); /* stdout, as wide as its terminal */
        const kt_status st = kt_model_summary(
            m,
            .line_length = (int)o->line_length,
            .positions = {positions, n_positions},
            .expand_nested = o->expand_nested,
            .show_trainable = o->show_trainable,
            .layer_range = {names, o->layer_range ? 2 : 0});
        if (st) code = cli_fail();
    }
    kt_free(m);
    return code;
}

#define OPT(...) CLI_OPT(summary_options, __VA_ARGS__)
static const cli_option summary_table[] = {
    OPT(line_length, "line-length", "N", "width of the table (the terminal's)", .min = 1),
    OPT(positions, "positions", "P,P…", "where columns end, as parts of the width"),
    OPT(expand_nested, "expand-nested", NULL, "layers inside layers too"),
    OPT(show_trainable, "show-trainable", NULL, "a column that says what is trained"),
    OPT(layer_range,
        "layer-range",
        "A,B",
        "from the first layer that begins with A to the last with B"),
    CLI_OPT_END,
};

const cli_command cli_summary = {
    .name = "summary",
    .summary = "Prints Keras' table of a model",
    .usage = "MODEL",
    .examples =
        "  keratin summary trained.keras\n"
        "  keratin summary trained.keras --line-length 100 --expand-nested --show-trainable\n",
    .options = summary_table,
    .size = sizeof(summary_options),
    .min_args = 1,
    .max_args = 1,
    .run = summary,
};
