/* keratin fit: trains a model and writes it with its optimizer's state.
 *
 * A signal ends the run between two batches; what was asked to be saved is saved, and the history
 * has the epochs that were complete. */
#include "cli/cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    cli_common common;
    cli_list x, y, sample_weight, validation_x, validation_y, callback, metrics;
    const char *output, *data, *target, *history;
    const char *optimizer, *loss, *class_weight;
    int64_t epochs, batch_size, initial_epoch, steps_per_epoch, validation_steps, validation_freq;
    double validation_split;
    bool no_shuffle;
} fit_options;

/* History: metric -> values, as Keras' History has it --- */

#define MAX_METRICS 256

typedef struct {
    char *name;
    double *v;
    int n, room, width; /* width: values of one epoch; 1 for most */
} series;

typedef struct {
    series s[MAX_METRICS];
    int n, epochs;
} history;

static series *series_of(history *h, const char *name) {
    for (int i = 0; i < h->n; i++)
        if (!strcmp(h->s[i].name, name)) return &h->s[i];
    if (h->n == MAX_METRICS) return NULL;
    const size_t size = strlen(name) + 1;
    series *s = &h->s[h->n];
    s->name = malloc(size);
    if (!s->name) return NULL;
    memcpy(s->name, name, size);
    h->n++;
    return s;
}

static kt_status series_add(series *s, const kt_floats_t *values) {
    if (!s->width) s->width = values->n;
    if (s->width != values->n) return KT_OK;
    if ((s->n + 1) * s->width > s->room) {
        const int room = 2 * s->room + 16 * s->width;
        double *v = realloc(s->v, (size_t)room * sizeof *v);
        if (!v) return KT_ENOMEM;
        s->v = v;
        s->room = room;
    }
    memcpy(s->v + s->n++ * s->width, values->v, (size_t)s->width * sizeof *s->v);
    return KT_OK;
}

static kt_status remember_epoch(kt_model *m, int64_t epoch, const kt_logs *logs, void *data) {
    (void)m, (void)epoch;
    history *h = data;
    kt_status st = KT_OK;
    h->epochs++;
    for (int i = 0; i < kt_logs_len(logs) && !st; i++) {
        const double one = kt_logs_value(logs, i);
        kt_floats_t values = kt_logs_values(logs, kt_logs_name(logs, i));
        if (values.n < 2) values = (kt_floats_t){&one, 1};
        series *s = series_of(h, kt_logs_name(logs, i));
        if (s) st = series_add(s, &values);
    }
    return st;
}

static void history_free(history *h) {
    for (int i = 0; i < h->n; i++) {
        free(h->s[i].name);
        free(h->s[i].v);
    }
}

static void history_json(const history *h, cli_json *j, const char *key) {
    cli_json_open(j, key, '{');
    for (int i = 0; i < h->n; i++) {
        cli_json_open(j, h->s[i].name, '[');
        for (int k = 0; k < h->s[i].n; k++)
            cli_json_numbers(j, NULL, h->s[i].v + k * h->s[i].width, h->s[i].width);
        cli_json_close(j, ']');
    }
    cli_json_close(j, '}');
}

static int save_history(const history *h, const char *name) {
    FILE *f = cli_text_begin();
    if (!f) return cli.last_exit;
    cli_json j = {.out = f};
    history_json(h, &j, NULL);
    return cli_text_end(name, f);
}

/* What to train with --------------------------------------------------------------------------- */

/* "0:1,1:5" -> pairs, ended by label -1; free() it. */
static int parse_class_weight(const char *text, kt_class_weight **out) {
    size_t n = 2;
    for (const char *c = text; *c; c++) n += *c == ',';
    kt_class_weight *w = *out = malloc(n * sizeof *w);
    if (!w) return cli_error(&(cli_problem){.exit = 7, .code = "KT_ENOMEM"}, "out of memory");
    const char *at = text;
    for (bool more = true; more; w++) {
        char *end;
        const long label = strtol(at, &end, 10);
        bool ok = end != at && *end == ':' && label >= 0 && label < INT32_MAX;
        at = ok ? end + 1 : at;
        w->label = (int)label;
        w->weight = strtod(at, &end);
        ok = ok && end != at && (*end == ',' || !*end);
        for (const kt_class_weight *before = *out; ok && before < w; before++)
            if (before->label == w->label)
                return cli_usage(&cli_fit, "--class-weight: class %d stands twice", w->label);
        if (!ok)
            return cli_usage(&cli_fit, "--class-weight: expected CLASS:WEIGHT,…, got \"%s\"", text);
        more = *end == ',';
        at = end + 1;
    }
    *w = (kt_class_weight){.label = -1, .weight = 0};
    return EXIT_OK;
}

typedef struct {
    void *callbacks;
    bool stops_at_nan;
} callback_set;

static int make_callbacks(const fit_options *o, history *h, callback_set *out) {
    const void *items[CLI_MANY + 2];
    int n = 0;
    for (int i = 0; i < o->callback.n; i++) {
        const char *text = o->callback.v[i];
        void *c = kt_deserialize("callback", text);
        if (kt_failed(c)) return cli_bad_name(text);
        if (!strncmp(text, "terminate_on_nan", 16) || strstr(text, "TerminateOnNaN"))
            out->stops_at_nan = true;
        items[n++] = c;
    }
    items[n++] = cli_interruptible();
    items[n++] = kt_cb_lambda(.on_epoch_end = remember_epoch, .data = h);
    out->callbacks = kt_list_of(n, items);
    return kt_failed(out->callbacks) ? cli_fail() : EXIT_OK;
}

/* The run -------------------------------------------------------------------------------------- */

typedef struct {
    const fit_options *o;
    kt_model *m;
    cli_arrays train, val;
    kt_class_weight *class_weight;
    callback_set cb;
    history h;
} fit_run;

static int fit_load(fit_run *r) {
    const fit_options *o = r->o;
    int code;
    r->m = cli_load_model(o->common.args[0], true, &code);
    if (!code) code = cli_compile(r->m, o->common.args[0], o->optimizer, o->loss, &o->metrics);
    if (!code && !kt_model_is_compiled(r->m))
        code = cli_error(
            &(cli_problem){
                .exit = EXIT_FAILED,
                .code = "KT_ESTATE",
                .hint = "say how to train it: --loss, and --optimizer and --metrics if wanted"},
            "the file does not say how to compile the model");
    const cli_data train = {&o->x, &o->y, &o->sample_weight, o->target, o->data};
    const cli_data val = {&o->validation_x, &o->validation_y, NULL, o->target, NULL};
    if (!code) code = cli_load_data(&r->train, r->m, &train, "train");
    if (!code && !r->train.y) code = cli_usage(&cli_fit, "no labels: give --y (or --target)");
    if (!code && o->validation_x.n) code = cli_load_data(&r->val, r->m, &val, "test");
    if (!code && o->validation_x.n && !r->val.y)
        code = cli_usage(&cli_fit, "--validation-x goes with --validation-y (or --target)");
    if (!code && o->class_weight) code = parse_class_weight(o->class_weight, &r->class_weight);
    return code ? code : make_callbacks(o, &r->h, &r->cb);
}

static kt_status fit_model(fit_run *r) {
    const fit_options *o = r->o;
    kt_history *h = kt_model_fit(
        r->m,
        r->train.x,
        r->train.y,
        .batch_size = o->batch_size,
        .epochs = (int)o->epochs,
        .verbose = cli.verbose,
        .callbacks = r->cb.callbacks,
        .validation_split = o->validation_split,
        .validation_x = r->val.x,
        .validation_y = r->val.y,
        .shuffle = !o->no_shuffle,
        .class_weight = r->class_weight,
        .sample_weight = r->train.sample_weight,
        .initial_epoch = (int)o->initial_epoch,
        .steps_per_epoch = o->steps_per_epoch,
        .validation_steps = o->validation_steps,
        .validation_freq = (int)o->validation_freq);
    const kt_status st = kt_check(h);
    kt_free(h);
    return st;
}

static bool ended_with_nan(fit_run *r) {
    const series *loss = r->h.epochs ? series_of(&r->h, "loss") : NULL;
    return r->cb.stops_at_nan && loss && loss->n && !isfinite(loss->v[loss->n - 1]);
}

static int fit_save(const fit_run *r) {
    const fit_options *o = r->o;
    int code = EXIT_OK;
    if (o->output) {
        const char *path = cli_out(o->output, ".keras");
        if (!path) return cli.last_exit;
        if (kt_model_save(r->m, path)) return cli_fail();
        code = cli_out_done(o->output, path);
    }
    return !code && o->history ? save_history(&r->h, o->history) : code;
}

static bool is_stdout(const char *name) { return name && !strcmp(name, "-"); }

static void fit_report(const fit_run *r) {
    if (cli.json) {
        cli_json j = {.out = stdout};
        cli_json_open(&j, NULL, '{');
        history_json(&r->h, &j, "history");
        cli_json_int(&j, "epochs", r->h.epochs);
        cli_json_bool(&j, "interrupted", cli_signal() != 0);
        cli_json_string(&j, "output", r->o->output);
        cli_json_close(&j, '}');
        return;
    }
    if (is_stdout(r->o->output) || is_stdout(r->o->history)) return;
    for (int i = 0; i < r->h.n; i++) {
        const series *s = &r->h.s[i];
        if (s->n) cli_print_name(s->name, 0), printf(":");
        for (int k = 0; s->n && k < s->width; k++)
            printf(" %.6g%s", s->v[(s->n - 1) * s->width + k], k + 1 < s->width ? "" : "\n");
    }
}

static int fit_finish(fit_run *r, kt_status st) {
    if (st && st != KT_ECANCELED) return cli_fail();
    if (st == KT_ECANCELED && !cli_signal()) return cli_fail();
    if (!st && ended_with_nan(r)) {
        if (r->o->history) save_history(&r->h, r->o->history);
        return cli_error(
            &(cli_problem){
                .exit = 8,
                .code = "KT_ENAN",
                .hint = "look at the data, or lower the learning rate; no model was written"},
            "training was stopped: invalid loss (NaN or infinite)");
    }
    const int code = fit_save(r);
    if (code) return code;
    if (cli_signal())
        cli_note(
            "keratin: ended by signal %d after %d complete epochs%s%s\n",
            cli_signal(),
            r->h.epochs,
            r->o->output ? "; saved " : "",
            r->o->output ? r->o->output : "");
    fit_report(r);
    return cli_signal() ? EXIT_SIGNAL + cli_signal() : EXIT_OK;
}

/* Options that do not go together, before anything is read. */
static int fit_check(const fit_options *o) {
    if (o->output && !cli_ends(o->output, ".keras") && !cli_ends(o->output, ".h5") &&
        !cli_ends(o->output, ".hdf5") && strcmp(o->output, "-") != 0)
        return cli_usage(
            &cli_fit, "-o: expected a name that ends in .keras or .h5, got \"%s\"", o->output);
    if (o->output && cli_ends(o->output, ".weights.h5"))
        return cli_usage(&cli_fit, "-o: .weights.h5 has no place for a whole model; use convert");
    if (is_stdout(o->output) + is_stdout(o->history) + cli.json > 1)
        return cli_usage(&cli_fit, "stdout can take one of -o -, --history - and --json");
    if (!(o->validation_split < 1))
        return cli_usage(
            &cli_fit, "--validation-split: expected a number below 1, got %g", o->validation_split);
    if (o->validation_y.n && !o->validation_x.n)
        return cli_usage(&cli_fit, "--validation-y goes with --validation-x");
    if (o->class_weight && o->sample_weight.n)
        return cli_usage(&cli_fit, "--class-weight and --sample-weight exclude each other");
    return EXIT_OK;
}

static int fit(const void *options) {
    const fit_options *o = options;
    int code = fit_check(o);
    if (!code) code = cli_may_write(o->output, o->common.force);
    if (!code) code = cli_may_write(o->history, o->common.force);
    fit_run *r = code ? NULL : calloc(1, sizeof *r);
    if (!r) return code ? code : 7;
    r->o = o;
    code = fit_load(r);
    if (!code && cli_signal()) code = EXIT_SIGNAL + cli_signal();
    if (!code) code = fit_finish(r, fit_model(r));
    history_free(&r->h);
    free(r->class_weight);
    kt_free(r->m);
    free(r);
    return code;
}

#define OPT(...) CLI_OPT(fit_options, __VA_ARGS__)
static const cli_option fit_table[] = {
    OPT(x, "x", "FILE", "inputs: .npy, .npz, .csv, or NAME=FILE for each"),
    OPT(y, "y", "FILE", "labels, likewise"),
    OPT(data, "data", "NAME[:split]", "a built-in data set in place of --x and --y"),
    OPT(target, "target", "COLUMN", "column of the .csv that is the label"),
    OPT(output, "output", "OUT", "where the trained model goes: .keras or .h5"),
    OPT(history, "history", "H.json", "where Keras' History dict goes"),
    OPT(optimizer, "optimizer", "O", "name, name:argument=value,… or Keras' JSON"),
    OPT(loss, "loss", "L", "likewise; a JSON list or dict for several outputs"),
    OPT(metrics, "metrics", "M", "likewise; names with commas, repeatable"),
    OPT(epochs, "epochs", "N", "up to which epoch (1)", .min = 0),
    OPT(batch_size,
        "batch-size",
        "N",
        "rows of a step (32, or all in --steps-per-epoch steps)",
        .min = 1),
    OPT(initial_epoch, "initial-epoch", "N", "epoch to begin with (0)", .min = 0),
    OPT(steps_per_epoch, "steps-per-epoch", "N", "steps of an epoch (all data)", .min = 1),
    OPT(no_shuffle, "no-shuffle", NULL, "keep the order of the rows"),
    OPT(validation_split, "validation-split", "F", "share kept for validation"),
    OPT(validation_x, "validation-x", "FILE", "data for validation"),
    OPT(validation_y, "validation-y", "FILE", "their labels"),
    OPT(validation_steps, "validation-steps", "N", "batches of a validation", .min = 1),
    OPT(validation_freq, "validation-freq", "N", "validate every so many epochs (1)", .min = 1),
    OPT(class_weight, "class-weight", "C:W,…", "weights of classes, as 0:1,1:5"),
    OPT(sample_weight, "sample-weight", "W.npy", "weights of rows"),
    OPT(callback, "callback", "NAME:key=value,…", "a callback, values in JSON; repeatable"),
    CLI_OPT_END,
};

static const fit_options fit_defaults = {
    .epochs = 1,
    .batch_size = KT_NONE,
    .steps_per_epoch = KT_NONE,
    .validation_steps = KT_NONE,
    .validation_freq = 1};

const cli_command cli_fit = {
    .name = "fit",
    .summary = "Trains a model",
    .usage = "MODEL --x X --y Y [-o OUT]",
    .examples =
        "  keratin fit mnist_mlp.keras --data mnist --epochs 5 --batch-size 128 \\\n"
        "      --validation-split 0.1 --history h.json -o trained.keras\n"
        "  keratin fit m.keras --x x.npz --y y.npz --callback early_stopping:patience=3 -o "
        "t.keras\n"
        "  keratin fit m.json --x t.csv --target price --optimizer adam --loss mse -o t.keras\n",
    .text =
        "MODEL is a .keras or .h5 file or an architecture in .json. What is not given (optimizer,\n"
        "loss, metrics) is taken from the file, and training goes on with the optimizer's state\n"
        "that is in it. Callbacks: early_stopping, model_checkpoint, backup_and_restore,\n"
        "csv_logger, reduce_lr_on_plateau, learning_rate_scheduler, terminate_on_nan. A schedule "
        "is\n"
        "JSON or text: 'learning_rate_scheduler:schedule=\"exponential_decay:decay_steps=9,…\"'.\n",
    .options = fit_table,
    .size = sizeof(fit_options),
    .defaults = &fit_defaults,
    .min_args = 1,
    .max_args = 1,
    .run = fit,
};
