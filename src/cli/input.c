/* Data arguments: --x, --y, --sample-weight, --data, --target. What they name becomes a tensor, a
 * list or a dict, as fit, evaluate and predict take them. */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What is to be told apart: from which option an array comes, and whether it is for outputs. */
typedef struct {
    const char *option;
    const kt_model *model;
    bool outputs;
    const char *target; /* CSV */
    kt_tensor **y;      /* where the target goes */
} request;

static int n_wanted(const request *r) {
    int n = 0;
    while (r->outputs ? kt_model_output(r->model, n) : kt_model_input(r->model, n)) n++;
    return n;
}

/* Files ---------------------------------------------------------------------------------------- */

static const char *default_name(int i, char *buf, size_t size) {
    snprintf(buf, size, "arr_%d", i);
    return buf;
}

/* arr_0, arr_1 …: what numpy.savez calls arrays that have no name. */
static bool is_numbered(const kt_list_t *dict) {
    char name[32];
    for (int i = 0; i < kt_list_len(dict) / 2; i++) {
        bool found = false;
        default_name(i, name, sizeof name);
        for (int k = 0; k < kt_list_len(dict); k += 2)
            found = found || !strcmp(kt_list_get(dict, k), name);
        if (!found) return false;
    }
    return true;
}

static kt_list_t *in_order(const kt_list_t *dict) {
    const void *items[CLI_MANY];
    char name[32];
    const int n = kt_list_len(dict) / 2;
    for (int i = 0; i < n && i < CLI_MANY; i++) {
        default_name(i, name, sizeof name);
        for (int k = 0; k < 2 * n; k += 2)
            if (!strcmp(kt_list_get(dict, k), name)) items[i] = kt_list_get(dict, k + 1);
    }
    return kt_list_of(n < CLI_MANY ? n : CLI_MANY, items);
}

/* keras_tensor, keras_tensor_1 …: what Keras calls the tensors of inputs that have no name. Models
 * in files know their inputs by other names, so the order of the file counts. */
static kt_ref unless_unnamed(kt_list_t *dict) {
    const void *items[CLI_MANY];
    const int n = kt_list_len(dict) / 2;
    for (int i = 0; i < n; i++) {
        if (i == CLI_MANY || strncmp(kt_list_get(dict, 2 * i), "keras_tensor", 12)) return dict;
        items[i] = kt_list_get(dict, 2 * i + 1);
    }
    return kt_list_of(n, items);
}

/* One array stands for itself whatever its name; several go by name, or by number. */
static kt_ref load_npz(const char *path) {
    kt_list_t *dict = kt_load_npz(path);
    if (kt_failed(dict)) return dict;
    if (kt_list_len(dict) == 2) return kt_list_get(dict, 1);
    return is_numbered(dict) ? in_order(dict) : unless_unnamed(dict);
}

static kt_dtype taken(const request *r) {
    const kt_sym *in = r->outputs || !r->model ? NULL : kt_model_input(r->model, 0);
    return in ? kt_sym_dtype(in) : KT_FLOAT32;
}

static bool is_integer(kt_dtype dtype) {
    return dtype == KT_INT32 || dtype == KT_INT64 || dtype == KT_UINT8 || dtype == KT_INT8;
}

/* Numbers of a table are floats; a model that takes integers (ids of words) gets integers, one that
 * takes texts gets the fields as they are. */
static kt_ref load_csv(const request *r, const char *path) {
    const kt_dtype dtype = taken(r);
    kt_tensor *x = kt_load_csv(
        path,
        .target = r->y ? r->target : NULL,
        .y = r->y,
        .dtype = dtype == KT_STRING ? "string" : "float32");
    return is_integer(dtype) && !kt_failed(x) ? kt_tensor_cast(x, KT_INT64) : x;
}

/* A file of another ending may be an .npy all the same: its first bytes tell. */
static kt_ref load_npy(const char *path) {
    kt_tensor *t = kt_load_npy(path);
    if (!kt_failed(t) || cli_ends(path, ".npy") || kt_error_last() != KT_EFORMAT) return t;
    cli_error(
        &(cli_problem){
            .exit = 3,
            .code = "KT_EFORMAT",
            .expected = "data: .npy, .npz or .csv (by the ending of the name)"},
        "\"%s\" is no array",
        path);
    return NULL;
}

static kt_ref load_file(const request *r, const char *name) {
    const char *path = cli_in(name);
    if (!path) return NULL;
    if (cli_ends(path, ".npz")) return load_npz(path);
    if (cli_ends(path, ".csv")) return load_csv(r, path);
    return load_npy(path);
}

/* Options -------------------------------------------------------------------------------------- */

/* NAME=FILE: the length of the name; 0 where a file of the whole name is there, or no "=". */
static size_t name_length(const char *text) {
    struct stat st;
    const char *equal = strchr(text, '=');
    return equal && equal != text && stat(text, &st) ? (size_t)(equal - text) : 0;
}

/* NULL: it was said why. */
static int load_failed(kt_ref ref) { return ref ? cli_fail() : cli.last_exit; }

static int load_named(const request *r, const cli_list *files, kt_ref *out) {
    const void *items[2 * CLI_MANY + 1];
    char names[CLI_MANY][128];
    for (int i = 0; i < files->n; i++) {
        const size_t n = name_length(files->v[i]);
        if (!n)
            return cli_usage(
                NULL, "--%s: expected NAME=FILE as before, got \"%s\"", r->option, files->v[i]);
        snprintf(names[i], sizeof names[i], "%.*s", (int)n, files->v[i]);
        items[2 * i] = names[i];
        items[2 * i + 1] = load_file(r, files->v[i] + n + 1);
        if (!items[2 * i + 1] || kt_failed(items[2 * i + 1])) return load_failed(items[2 * i + 1]);
    }
    items[2 * (size_t)files->n] = kt_list_end;
    *out = kt_dict_new(items);
    return kt_failed(*out) ? cli_fail() : EXIT_OK;
}

static int load_files(const request *r, const cli_list *files, kt_ref *out) {
    const void *items[CLI_MANY];
    for (int i = 0; i < files->n; i++) {
        if (name_length(files->v[i]))
            return cli_usage(
                NULL, "--%s: expected FILE as before, got \"%s\"", r->option, files->v[i]);
        items[i] = load_file(r, files->v[i]);
        if (!items[i] || kt_failed(items[i])) return load_failed(items[i]);
    }
    *out = files->n == 1 ? items[0] : kt_list_of(files->n, items);
    return kt_failed(*out) ? cli_fail() : EXIT_OK;
}

/* A list of the wrong length has a clear message here; what names are missing the library says. */
static int check_count(const request *r, kt_ref ref, const cli_list *files) {
    const int want = n_wanted(r);
    const bool weights = !strcmp(r->option, "sample-weight"); /* one array may serve all outputs */
    if (want < 2 || files->n > 1 || kt_list_len(ref) || weights) return EXIT_OK;
    char expected[320], first[64], second[64];
    const char *(*name)(const kt_model *, int) = r->outputs ? kt_model_output_name
                                                            : kt_model_input_name;
    snprintf(first, sizeof first, "%.50s", name(r->model, 0));
    snprintf(second, sizeof second, "%.50s", name(r->model, 1));
    snprintf(
        expected,
        sizeof expected,
        "%d arrays: .npz, or --%s %s=FILE --%s %s=FILE …",
        want,
        r->option,
        first,
        r->option,
        second);
    return cli_error(
        &(cli_problem){
            .exit = EXIT_USAGE, .code = "KT_EINVAL", .expected = expected, .got = "one array"},
        "--%s: the model has %d %s",
        r->option,
        want,
        r->outputs ? "outputs" : "inputs");
}

static int load_option(const request *r, const cli_list *files, kt_ref *out) {
    if (!files || !files->n) return EXIT_OK;
    const int code = name_length(files->v[0]) ? load_named(r, files, out)
                                              : load_files(r, files, out);
    return code ? code : check_count(r, *out, files);
}

/* Built-in data sets --------------------------------------------------------------------------- */

static kt_status cifar100(kt_splits *s) { return kt_data_cifar100(s); }
static kt_status boston(kt_splits *s) { return kt_data_boston_housing(s); }
static kt_status california(kt_splits *s) { return kt_data_california_housing(s); }
static kt_status imdb(kt_text_splits *s, int64_t words) {
    return kt_data_imdb(s, .num_words = words);
}
static kt_status reuters(kt_text_splits *s, int64_t words) {
    return kt_data_reuters(s, .num_words = words);
}

static const struct {
    const char *name;
    kt_status (*load)(kt_splits *splits);
    kt_status (*load_text)(kt_text_splits *splits, int64_t num_words);
} data_sets[] = {
    {"mnist", kt_data_mnist, NULL},
    {"fashion_mnist", kt_data_fashion_mnist, NULL},
    {"cifar10", kt_data_cifar10, NULL},
    {"cifar100", cifar100, NULL},
    {"boston_housing", boston, NULL},
    {"california_housing", california, NULL},
    {"imdb", NULL, imdb},
    {"reuters", NULL, reuters},
};
#define N_SETS ((int)(sizeof data_sets / sizeof *data_sets))

/* What stands behind the name: ":train" or ":test", then ",num_words=N". */
typedef struct {
    char name[64];
    bool train;
    int64_t num_words;
} set_choice;

static int parse_choice(set_choice *c, const char *text, const char *split) {
    char word[16];
    const char *rest = text + strcspn(text, ":,");
    snprintf(c->name, sizeof c->name, "%.*s", (int)(rest - text), text);
    snprintf(word, sizeof word, "%s", split);
    c->num_words = KT_NONE;
    if (*rest == ':') {
        snprintf(word, sizeof word, "%.*s", (int)strcspn(rest + 1, ","), rest + 1);
        rest += 1 + strcspn(rest + 1, ",");
    }
    c->train = !strcmp(word, "train");
    if (!c->train && strcmp(word, "test") != 0)
        return cli_usage(NULL, "--data: expected train or test behind the colon, got \"%s\"", word);
    if (!*rest) return EXIT_OK;
    char *end = NULL;
    if (!strncmp(rest, ",num_words=", 11)) c->num_words = strtoll(rest + 11, &end, 10);
    if (end && end != rest + 11 && !*end && c->num_words > 0) return EXIT_OK;
    return cli_usage(NULL, "--data: expected num_words=N behind the comma, got \"%s\"", rest + 1);
}

/* Sequences of words become rows as long as the model takes them. */
static int load_text(
    cli_arrays *out,
    const kt_model *m,
    const set_choice *c,
    kt_status (*load)(kt_text_splits *, int64_t)) {
    kt_text_splits s = {0};
    if (load(&s, c->num_words)) return cli_fail();
    const kt_sym *in = kt_model_input(m, 0);
    const kt_shape shape = in ? kt_sym_shape(in) : (kt_shape){0};
    out->x = kt_pad_sequences(
        c->train ? s.x_train : s.x_test, shape.ndim == 2 ? shape.dim[1] : KT_NONE);
    out->y = c->train ? s.y_train : s.y_test;
    return kt_failed(out->x) ? cli_fail() : EXIT_OK;
}

static int load_set(cli_arrays *out, const kt_model *m, const char *text, const char *split) {
    set_choice c;
    const char *names[N_SETS];
    kt_splits s = {0};
    const int code = parse_choice(&c, text, split);
    if (code) return code;
    for (int i = 0; i < N_SETS; i++) {
        names[i] = data_sets[i].name;
        if (strcmp(c.name, names[i]) != 0) continue;
        if (data_sets[i].load_text) return load_text(out, m, &c, data_sets[i].load_text);
        if (c.num_words != KT_NONE)
            return cli_usage(NULL, "--data: num_words goes with texts (imdb, reuters)");
        if (data_sets[i].load(&s)) return cli_fail();
        out->x = c.train ? s.x_train : s.x_test;
        out->y = c.train ? s.y_train : s.y_test;
        return EXIT_OK;
    }
    const char *near = cli_nearest(c.name, names, N_SETS);
    if (near)
        return cli_usage(NULL, "--data: no data set \"%s\"; did you mean \"%s\"?", c.name, near);
    return cli_usage(NULL, "--data: there is no data set \"%s\"", c.name);
}

int cli_load_data(cli_arrays *out, const kt_model *m, const cli_data *d, const char *split) {
    kt_tensor *target = NULL;
    request x = {.option = "x", .model = m}, y = {.option = "y", .model = m, .outputs = true};
    request w = {.option = "sample-weight", .model = m, .outputs = true};
    *out = (cli_arrays){NULL, NULL, NULL};
    const bool has_x = d->x && d->x->n, has_y = d->y && d->y->n;
    if (has_x == (d->data != NULL))
        return cli_usage(
            NULL, has_x ? "--x and --data exclude each other" : "no data: give --x or --data");
    if (d->target && (!has_x || has_y))
        return cli_usage(NULL, "--target goes with --x FILE.csv and without --y");
    if (d->target) {
        x.target = d->target;
        x.y = &target;
    }
    int code = d->data ? load_set(out, m, d->data, split) : load_option(&x, d->x, &out->x);
    if (!code && d->target && !target) code = cli_usage(NULL, "--target goes with --x FILE.csv");
    if (!code && target) out->y = target;
    if (!code) code = load_option(&y, d->y, &out->y);
    return code ? code : load_option(&w, d->sample_weight, &out->sample_weight);
}

/* Models --------------------------------------------------------------------------------------- */

kt_model *cli_load_model(const char *name, bool compile, int *code) {
    const char *path = cli_in(name);
    *code = cli.last_exit;
    if (!path) return NULL;
    kt_model *m = kt_load_model(path, .compile = compile);
    *code = kt_failed(m) ? cli_fail() : EXIT_OK;
    return *code ? NULL : m;
}
