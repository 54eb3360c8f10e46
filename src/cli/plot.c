/* keratin plot: a picture of a model by way of Graphviz' language, or curves of a history.
 *
 * Graphviz is run as the program `dot`, found along PATH and started without a shell; the names in
 * a model come from strangers. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* pipe2, kill under -std=c11 */
#endif
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    cli_common common;
    const char *output, *history, *rankdir;
    bool show_shapes, show_dtype, expand_nested, show_trainable, show_layer_activations;
    bool show_layer_names;
    int64_t dpi;
} plot_options;

/* Running dot ---------------------------------------------------------------------------------- */

static int dot_failed(const char *why) {
    return cli_error(
        &(cli_problem){
            .exit = 9,
            .code = "KT_EUNSUPPORTED",
            .hint = "apt-get install graphviz; a name that ends in .dot needs no Graphviz"},
        "pictures need Graphviz' program dot, which %s",
        why);
}

static pid_t start_dot(const char *format, int from, int to) {
    char option[32];
    snprintf(option, sizeof option, "-T%s", format);
    const pid_t pid = fork();
    if (pid) return pid;
    dup2(from, STDIN_FILENO);
    dup2(to, STDOUT_FILENO);
    execlp("dot", "dot", option, (char *)NULL);
    _exit(127);
}

/* Everything from the pipe; what cannot be written is noticed when the file is closed. dot itself
 * says nothing of a full disk. */
static void take_all(int from, FILE *out) {
    char block[65536];
    ssize_t n;
    while ((n = read(from, block, sizeof block)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0) fwrite(block, 1, (size_t)n, out);
    close(from);
}

/* The text goes to dot from a temporary file, so nothing can wait for anything. */
static int render(const char *text, size_t n, const char *format, FILE *out) {
    FILE *in = tmpfile();
    int picture[2];
    if (!in || fwrite(text, 1, n, in) != n || fflush(in) || fseek(in, 0, SEEK_SET) ||
        pipe2(picture, O_CLOEXEC)) {
        if (in) fclose(in);
        return cli_error(&(cli_problem){.exit = 6, .code = "KT_EIO"}, "no temporary file");
    }
    const pid_t pid = start_dot(format, fileno(in), picture[1]);
    close(picture[1]);
    take_all(picture[0], out);
    int status = 0;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    fclose(in);
    if (pid < 0) return dot_failed("cannot be started");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return EXIT_OK;
    return dot_failed(WIFEXITED(status) && WEXITSTATUS(status) == 127 ? "is not here" : "failed");
}

/* Models --------------------------------------------------------------------------------------- */

static int plot_model(const plot_options *o, const char *format) {
    int code;
    kt_model *m = cli_load_model(o->common.args[0], false, &code);
    if (!m) return code;
    kt_text *text = kt_model_to_dot(
        m,
        .show_shapes = o->show_shapes,
        .show_dtype = o->show_dtype,
        .show_layer_names = o->show_layer_names,
        .rankdir = o->rankdir,
        .expand_nested = o->expand_nested,
        .dpi = (int)o->dpi,
        .show_layer_activations = o->show_layer_activations,
        .show_trainable = o->show_trainable);
    if (kt_failed(text)) {
        code = cli_fail();
    } else {
        FILE *f = cli_text_begin();
        code = f ? EXIT_OK : cli.last_exit;
        if (f && !strcmp(format, "dot"))
            fwrite(kt_text_str(text), 1, kt_text_len(text), f);
        else if (f)
            code = render(kt_text_str(text), kt_text_len(text), format, f);
        if (f) code = code ? (cli_text_drop(f), code) : cli_text_end(o->output, f);
    }
    kt_free(text);
    kt_free(m);
    return code;
}

/* Curves --------------------------------------------------------------------------------------- */

enum { WIDTH = 640, HEIGHT = 240, LEFT = 70, TOP = 34, GAP = 60 };
static const char *const colors[] = {"#1f77b4", "#ff7f0e"}; /* training, validation */

typedef struct {
    double low, high;
    size_t epochs;
} range;

static void take_range(const json_t *values, range *r) {
    if (json_array_size(values) > r->epochs) r->epochs = json_array_size(values);
    for (size_t i = 0; i < json_array_size(values); i++) {
        const json_t *v = json_array_get(values, i);
        const double x = json_number_value(v);
        if (!json_is_number(v) || !isfinite(x)) continue;
        if (x < r->low) r->low = x;
        if (x > r->high) r->high = x;
    }
}

/* Text from a file inside XML. */
static void xml(FILE *out, const char *text) {
    for (; *text; text++) {
        const char *entity = *text == '<'   ? "&lt;"
                             : *text == '>' ? "&gt;"
                             : *text == '&' ? "&amp;"
                                            : NULL;
        if (entity)
            fputs(entity, out);
        else
            fputc((unsigned char)*text < 32 ? ' ' : *text, out);
    }
}

/* Values that are no numbers leave gaps. */
static void draw_curve(FILE *out, const json_t *values, const range *r, int y, const char *color) {
    bool pen = false;
    fprintf(out, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" d=\"", color);
    for (size_t i = 0; i < json_array_size(values); i++) {
        const json_t *v = json_array_get(values, i);
        const double value = json_number_value(v);
        const bool ok = json_is_number(v) && isfinite(value);
        const double span = r->high > r->low ? r->high - r->low : 1;
        const double at = r->epochs > 1 ? (double)i / (double)(r->epochs - 1) : 0.5;
        if (ok)
            fprintf(
                out,
                "%c%.1f %.1f ",
                pen ? 'L' : 'M',
                LEFT + at * (WIDTH - LEFT - 20),
                y + HEIGHT - (value - r->low) / span * HEIGHT);
        pen = ok;
    }
    fputs("\"/>\n", out);
}

static void draw_chart(
    FILE *out, const json_t *all, const char *name, const json_t *values, int y) {
    char other[160];
    snprintf(other, sizeof other, "val_%.150s", name);
    const json_t *val = json_object_get(all, other);
    range r = {INFINITY, -INFINITY, 0};
    take_range(values, &r);
    take_range(val, &r);
    if (!(r.low <= r.high)) r.low = r.high = 0;
    fprintf(out, "<text x=\"%d\" y=\"%d\" font-weight=\"bold\">", LEFT, y - 10);
    xml(out, name);
    fprintf(out, "</text>\n");
    fprintf(
        out,
        "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"#999\"/>\n",
        LEFT,
        y,
        WIDTH - LEFT - 20,
        HEIGHT);
    fprintf(out, "<text x=\"4\" y=\"%d\">%.4g</text>\n", y + 12, r.high);
    fprintf(out, "<text x=\"4\" y=\"%d\">%.4g</text>\n", y + HEIGHT, r.low);
    fprintf(out, "<text x=\"%d\" y=\"%d\">epoch 1</text>\n", LEFT, y + HEIGHT + 16);
    fprintf(out, "<text x=\"%d\" y=\"%d\">%zu</text>\n", WIDTH - 40, y + HEIGHT + 16, r.epochs);
    draw_curve(out, values, &r, y, colors[0]);
    if (val) {
        draw_curve(out, val, &r, y, colors[1]);
        fprintf(
            out,
            "<text x=\"%d\" y=\"%d\" fill=\"%s\">validation</text>\n",
            WIDTH - 100,
            y - 10,
            colors[1]);
    }
}

/* A chart for each metric, with its val_ twin; a val_ that has none stands alone. */
static bool is_twin(const json_t *all, const char *name) {
    return !strncmp(name, "val_", 4) && json_object_get(all, name + 4);
}

static void draw_history(FILE *out, json_t *all) {
    const char *name;
    json_t *values;
    int charts = 0, i = 0;
    json_object_foreach(all, name, values) charts += !is_twin(all, name);
    fprintf(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
        "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" "
        "fill=\"white\"/>\n",
        WIDTH,
        charts * (HEIGHT + GAP) + 10);
    json_object_foreach(all, name, values) {
        if (is_twin(all, name)) continue;
        draw_chart(out, all, name, values, TOP + i++ * (HEIGHT + GAP));
    }
    fputs("</svg>\n", out);
}

/* The first metric that is no list of numbers; metrics of several values have a list for each
 * epoch; NaN stands as null, infinity as "" (cli_json_repair). */
static bool is_point(const json_t *v) {
    return json_is_number(v) || json_is_null(v) || (json_is_string(v) && !json_string_length(v));
}

static const char *wrong_metric(json_t *all) {
    const char *name;
    json_t *values, *v, *w;
    size_t i, k;
    json_object_foreach(all, name, values) {
        if (!json_is_array(values)) return name;
        json_array_foreach(values, i, v) {
            if (!json_is_array(v) && !is_point(v)) return name;
            json_array_foreach(v, k, w) if (!is_point(w)) return name;
        }
    }
    return NULL;
}

static int plot_history(const plot_options *o) {
    json_error_t e;
    char *text = cli_read_text(o->history, 64 << 20);
    if (!text) return cli.last_exit;
    cli_json_repair(text); /* Python writes NaN and Infinity, which are no JSON */
    json_t *all = json_loads(text, JSON_REJECT_DUPLICATES, &e);
    free(text);
    json_t *inner = json_object_get(all, "history"); /* of fit --json */
    if (!json_is_object(inner)) inner = all;
    const char *wrong = json_is_object(all) ? wrong_metric(inner) : NULL;
    int code = EXIT_OK;
    if (wrong) {
        code = cli_error(
            &(cli_problem){
                .exit = 3,
                .code = "KT_EFORMAT",
                .expected = "a list of numbers, one for each epoch",
                .got = "another kind of JSON"},
            "\"%s\": the metric \"%.60s\" has no curve",
            o->history,
            wrong);
    } else if (!json_is_object(all)) {
        code = cli_error(
            &(cli_problem){
                .exit = 3,
                .code = "KT_EFORMAT",
                .expected = "Keras' History dict as JSON: {\"loss\": [1.0, …], …}",
                .got = all ? "another kind of JSON" : e.text},
            "\"%s\" holds no history",
            o->history);
    } else {
        FILE *f = cli_text_begin();
        if (f) draw_history(f, inner);
        code = f ? cli_text_end(o->output, f) : cli.last_exit;
    }
    json_decref(all);
    return code;
}

/* The command ---------------------------------------------------------------------------------- */

static const char *format_of(const char *name) {
    static const char *const formats[] = {"dot", "svg", "png", "pdf"};
    const char *ending = strrchr(name, '.');
    for (int i = 0; ending && i < 4; i++)
        if (!strcmp(ending + 1, formats[i])) return formats[i];
    return strcmp(name, "-") ? NULL : "dot";
}

static int plot(const void *options) {
    const plot_options *o = options;
    const bool curves = o->history != NULL;
    if (!o->output) return cli_usage(&cli_plot, "expected -o FILE");
    const char *format = format_of(o->output);
    if (curves == (o->common.n == 1))
        return cli_usage(&cli_plot, "expected either MODEL or --history H.json");
    if (!format || (curves && strcmp(format, "svg") != 0 && strcmp(o->output, "-") != 0))
        return cli_usage(
            &cli_plot,
            curves ? "-o: curves are written as .svg, got \"%s\""
                   : "-o: expected .dot, .svg, .png or .pdf, got \"%s\"",
            o->output);
    int code = cli_may_write(o->output, o->common.force);
    if (!code) code = curves ? plot_history(o) : plot_model(o, format);
    if (!code) cli_json_output(o->output);
    return code;
}

#define OPT(...) CLI_OPT(plot_options, __VA_ARGS__)
static const cli_option plot_table[] = {
    OPT(output, "output", "FILE", ".dot, or with Graphviz .svg, .png, .pdf"),
    OPT(history, "history", "H.json", "curves of a history instead of a model (.svg)"),
    OPT(show_shapes, "show-shapes", NULL, "shapes of inputs and outputs"),
    OPT(show_dtype, "show-dtype", NULL, "dtypes"),
    OPT(show_layer_names, "show-layer-names", NULL, "names beside the classes"),
    OPT(show_layer_activations, "show-layer-activations", NULL, "activations"),
    OPT(show_trainable, "show-trainable", NULL, "what is trained"),
    OPT(expand_nested, "expand-nested", NULL, "models inside models"),
    OPT(rankdir, "rankdir", "TB|LR", "from top to bottom, or from left to right"),
    OPT(dpi, "dpi", "N", "resolution (200)", .min = 1),
    CLI_OPT_END,
};

static const plot_options plot_defaults = {.rankdir = "TB", .dpi = 200};

const cli_command cli_plot = {
    .name = "plot",
    .summary = "Draws a model, or the curves of a history",
    .usage = "MODEL -o model.svg",
    .examples = "  keratin plot model.keras -o model.svg\n"
                "  keratin plot model.keras --show-shapes -o model.dot\n"
                "  keratin plot --history h.json -o curves.svg\n",
    .options = plot_table,
    .size = sizeof(plot_options),
    .defaults = &plot_defaults,
    .min_args = 0,
    .max_args = 1,
    .run = plot,
};
