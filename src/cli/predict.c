/* keratin predict: what a model makes of data, into .npy or .npz, or as text. */
#include "cli/cli.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LABELS (16 << 20) /* bytes of the file */

typedef struct {
    cli_common common;
    cli_list x;
    const char *data, *target, *output, *labels;
    int64_t batch_size, top;
} predict_options;

/* Labels: a line each, a JSON list, or Keras' {"0": ["n01440764", "tench"], …} --- */

typedef struct {
    char *text;
    json_t *json;
    const char **v;
    int n;
} labels;

static void labels_free(labels *l) {
    json_decref(l->json);
    free(l->text);
    free(l->v);
}

static const char *label(const labels *l, int64_t i) { return i < l->n ? l->v[i] : NULL; }

static int labels_room(labels *l, size_t n) {
    l->v = calloc(n + 1, sizeof *l->v);
    if (l->v) return EXIT_OK;
    return cli_error(&(cli_problem){.exit = 7, .code = "KT_ENOMEM"}, "out of memory");
}

static int json_labels(labels *l, const char *name) {
    json_error_t e;
    l->json = json_loads(l->text, JSON_REJECT_DUPLICATES, &e);
    const size_t n = json_is_array(l->json) ? json_array_size(l->json) : json_object_size(l->json);
    if (!l->json)
        return cli_error(
            &(cli_problem){.exit = 3, .code = "KT_EFORMAT", .got = e.text},
            "labels: \"%s\" is not JSON (line %d)",
            name,
            e.line);
    if (labels_room(l, n)) return 7;
    for (size_t i = 0; i < n; i++) {
        char key[24];
        snprintf(key, sizeof key, "%zu", i);
        const json_t *item = json_is_array(l->json) ? json_array_get(l->json, i)
                                                    : json_object_get(l->json, key);
        if (json_is_array(item)) item = json_array_get(item, json_array_size(item) - 1);
        l->v[i] = json_string_value(item);
    }
    l->n = (int)n;
    return EXIT_OK;
}

static int read_labels(labels *l, const char *name) {
    if (!name) return EXIT_OK;
    l->text = cli_read_text(name, MAX_LABELS);
    if (!l->text) return cli.last_exit;
    if (strchr("[{", *l->text) && *l->text) return json_labels(l, name);
    size_t n = 1;
    for (const char *c = l->text; *c; c++) n += *c == '\n';
    if (labels_room(l, n)) return 7;
    for (char *at = l->text; *at;) {
        l->v[l->n++] = at;
        at += strcspn(at, "\n");
        if (*at) *at++ = 0;
        char *end = (char *)(uintptr_t)l->v[l->n - 1] + strlen(l->v[l->n - 1]);
        if (end > l->v[l->n - 1] && end[-1] == '\r') end[-1] = 0;
    }
    return EXIT_OK;
}

/* Text ----------------------------------------------------------------------------------------- */

/* The next best class of a row below `bound` (value, then index). NaN is never among the best. */
static int64_t next_best(const kt_tensor *t, int64_t row, int64_t n, int64_t last) {
    int64_t best = -1;
    for (int64_t i = 0; i < n; i++) {
        const double v = kt_tensor_get(t, row * n + i);
        const double limit = last < 0 ? 0 : kt_tensor_get(t, row * n + last);
        if (last >= 0 && (v > limit || (v == limit && i <= last))) continue;
        if (v == v && (best < 0 || v > kt_tensor_get(t, row * n + best))) best = i;
    }
    return best;
}

static void print_class(cli_json *j, const labels *l, int64_t i, double value) {
    const char *name = label(l, i);
    if (!cli.json) {
        printf("  %10.6f  ", value);
        if (name)
            cli_print_name(name, 0);
        else
            printf("%lld", (long long)i);
        printf("\n");
        return;
    }
    cli_json_open(j, NULL, '{');
    cli_json_int(j, "index", i);
    if (name) cli_json_string(j, "label", name);
    cli_json_number(j, "value", value);
    cli_json_close(j, '}');
}

static int print_top(const kt_tensor *t, int64_t top, const labels *l) {
    const kt_shape shape = kt_tensor_shape(t);
    const int64_t n = kt_shape_dim(&shape, -1);
    if (shape.ndim != 2)
        return cli_error(
            &(cli_problem){.exit = EXIT_FAILED, .code = "KT_ESHAPE", .expected = "(rows, classes)"},
            "--top: the output has %d dimensions",
            shape.ndim);
    cli_json j = {.out = stdout};
    if (cli.json) {
        cli_json_open(&j, NULL, '{');
        cli_json_open(&j, "top", '[');
    }
    for (int64_t row = 0; row < shape.dim[0]; row++) {
        if (cli.json)
            cli_json_open(&j, NULL, '[');
        else
            printf("%lld:\n", (long long)row);
        int64_t last = -1;
        for (int64_t k = 0; k < top && k < n; k++) {
            last = next_best(t, row, n, last);
            if (last < 0) break;
            print_class(&j, l, last, kt_tensor_get(t, row * n + last));
        }
        if (cli.json) cli_json_close(&j, ']');
    }
    if (cli.json) {
        cli_json_close(&j, ']');
        cli_json_close(&j, '}');
    }
    return EXIT_OK;
}

/* Outputs -------------------------------------------------------------------------------------- */

typedef struct {
    const kt_model *model;
    const kt_tensor *v[CLI_MANY];
    char name[CLI_MANY][160];
    int n;
} outputs;

static bool is_taken(const outputs *o, int n, const char *name) {
    for (int i = 0; i < n; i++)
        if (!strcmp(o->name[i], name)) return true;
    for (int i = n + 1; i < o->n; i++) /* what is to keep its name */
        if (!strcmp(kt_model_output_name(o->model, i), name)) return true;
    return false;
}

/* Names of members: those of the outputs; what repeats one gets _1, _2 …, unless another output has
 * that name. */
static void name_outputs(outputs *o) {
    for (int i = 0; i < o->n; i++) {
        const char *name = kt_model_output_name(o->model, i);
        int number = 0;
        bool again = false;
        snprintf(o->name[i], sizeof o->name[i], "%.150s", name);
        for (int k = 0; k < i && !again; k++) again = !strcmp(o->name[k], o->name[i]);
        while (again) {
            snprintf(o->name[i], sizeof o->name[i], "%.130s_%d", name, ++number);
            again = is_taken(o, i, o->name[i]);
        }
    }
}

static int print_outputs(const outputs *o) {
    cli_json j = {.out = stdout};
    if (cli.json) {
        cli_json_open(&j, NULL, '{');
        cli_json_open(&j, "outputs", '{');
    }
    cli_text_to(stdout);
    for (int i = 0; i < o->n; i++) {
        if (cli.json) {
            cli_json_tensor(&j, o->name[i], o->v[i]);
        } else {
            if (o->n > 1) cli_print_name(o->name[i], 0), printf(":\n");
            kt_tensor_print(o->v[i]);
        }
    }
    cli_text_to(stderr);
    if (cli.json) {
        cli_json_close(&j, '}');
        cli_json_close(&j, '}');
    }
    return EXIT_OK;
}

static int save_outputs(const outputs *o, const char *name) {
    const bool npz = cli_ends(name, ".npz") || o->n > 1;
    const char *path = cli_out(name, npz ? ".npz" : ".npy");
    if (!path) return cli.last_exit;
    const void *items[2 * CLI_MANY + 1];
    for (int i = 0; i < o->n; i++) {
        items[2 * i] = o->name[i];
        items[2 * i + 1] = o->v[i];
    }
    items[2 * (size_t)o->n] = kt_list_end;
    const kt_status st = npz ? kt_save_npz(path, kt_dict_new(items)) : kt_save_npy(path, o->v[0]);
    return st ? cli_fail() : cli_out_done(name, path);
}

static int check_output(const predict_options *o, const kt_model *m) {
    const char *name = o->output;
    const bool npy = name && cli_ends(name, ".npy"), npz = name && cli_ends(name, ".npz");
    if (name && !npy && !npz && strcmp(name, "-") != 0)
        return cli_usage(
            &cli_predict, "-o: expected a name that ends in .npy or .npz, got \"%s\"", name);
    if (npy && m && kt_model_output(m, 1))
        return cli_usage(
            &cli_predict, "-o: the model has several outputs, which need .npz, got \"%s\"", name);
    return EXIT_OK;
}

static int finish(const predict_options *o, kt_model *m, const kt_list_t *list, const labels *l) {
    outputs out = {.model = m, .n = kt_list_len(list)};
    if (out.n > CLI_MANY) out.n = CLI_MANY;
    for (int i = 0; i < out.n; i++) out.v[i] = kt_list_get(list, i);
    name_outputs(&out);
    int code = o->output ? save_outputs(&out, o->output) : EXIT_OK;
    if (!code && o->top) return print_top(out.v[0], o->top, l);
    if (!code && !o->output) return print_outputs(&out);
    if (!code) cli_json_output(o->output);
    return code;
}

static int predict(const void *options) {
    const predict_options *o = options;
    const cli_data data = {&o->x, NULL, NULL, o->target, o->data};
    labels l = {.text = NULL};
    cli_arrays a;
    kt_model *m = NULL;
    int code = check_output(o, NULL);
    if (!code && o->labels && !o->top) code = cli_usage(&cli_predict, "--labels goes with --top N");
    if (!code) code = cli_may_write(o->output, o->common.force);
    if (!code) code = read_labels(&l, o->labels);
    if (!code) m = cli_load_model(o->common.args[0], false, &code);
    if (!code) code = check_output(o, m);
    if (!code) code = cli_load_data(&a, m, &data, "test");
    if (!code && cli_signal()) code = EXIT_SIGNAL + cli_signal();
    if (!code) {
        kt_list_t *list = kt_model_predict_list(
            m,
            a.x,
            .batch_size = o->batch_size,
            .verbose = cli.verbose,
            .callbacks = cli_interruptible());
        if (kt_check(list) == KT_ECANCELED && cli_signal())
            code = EXIT_SIGNAL + cli_signal();
        else
            code = kt_failed(list) ? cli_fail() : finish(o, m, list, &l);
        kt_free(list);
    }
    labels_free(&l);
    kt_free(m);
    return code;
}

#define OPT(...) CLI_OPT(predict_options, __VA_ARGS__)
static const cli_option predict_table[] = {
    OPT(x, "x", "FILE", "inputs: .npy, .npz, .csv, or NAME=FILE for each"),
    OPT(data, "data", "NAME[:split]", "a built-in data set (test part unless :train)"),
    OPT(target, "target", "COLUMN", "column of the .csv that is no input"),
    OPT(output, "output", "OUT", "where the outputs go: .npy, or .npz for several"),
    OPT(top, "top", "N", "print the N best classes of each row", .min = 1),
    OPT(labels, "labels", "FILE", "names of classes: a line each, or JSON"),
    OPT(batch_size, "batch-size", "N", "rows of a step (32)", .min = 1),
    CLI_OPT_END,
};

static const predict_options predict_defaults = {.batch_size = 32};

const cli_command cli_predict = {
    .name = "predict",
    .summary = "Computes the outputs of a model",
    .usage = "MODEL --x X -o OUT.npy",
    .examples = "  keratin predict two_inputs.keras --x title=t.npy --x body=b.npy -o out.npz\n"
                "  keratin predict m.keras --x x.npy -o -  > out.npy\n"
                "  keratin predict m.keras --data fashion_mnist --top 3 --labels names.txt\n",
    .text =
        "Without -o the outputs are printed. A .npz has a member for each output, by its name;\n"
        "names that repeat get _1, _2.\n",
    .options = predict_table,
    .size = sizeof(predict_options),
    .defaults = &predict_defaults,
    .min_args = 1,
    .max_args = 1,
    .run = predict,
};
