/* keratin info: what a file holds, without building it. */
#include "cli/cli.h"

#include <math.h>
#include <string.h>

typedef struct {
    double mean, spread; /* NaN for no elements */
    int64_t bytes;
} statistics;

static int measure(kt_file *f, int i, statistics *s) {
    kt_tensor *t = kt_file_var_read(f, i);
    if (kt_failed(t)) return cli_fail();
    const int64_t n = kt_tensor_size(t);
    double mean = 0, squares = 0;
    for (int64_t k = 0; k < n; k++) { /* Welford: no cancellation */
        const double v = kt_tensor_get(t, k), d = v - mean;
        mean += d / (double)(k + 1);
        squares += d * (v - mean);
    }
    *s = (statistics){
        n ? mean : NAN,
        n ? sqrt(squares / (double)n) : NAN,
        n * (int64_t)kt_dtype_size(kt_file_var_dtype(f, i))};
    kt_free(t);
    return EXIT_OK;
}

static const char *shape_text(kt_shape s, char *buf, size_t size) {
    size_t at = (size_t)snprintf(buf, size, "(");
    for (int i = 0; i < s.ndim && at < size; i++)
        at += (size_t)snprintf(buf + at, size - at, "%s%lld", i ? ", " : "", (long long)s.dim[i]);
    if (at < size) snprintf(buf + at, size - at, s.ndim == 1 ? ",)" : ")");
    return buf;
}

static void print_head(kt_file *f, const char *path) {
    const struct {
        const char *label, *value;
    } rows[] = {
        {"file", path},
        {"format", kt_file_format(f)},
        {"keras", kt_file_keras_version(f)},
        {"saved", kt_file_date_saved(f)},
        {"backend", kt_file_backend(f)},
        {"class", kt_file_model_class(f)},
        {"name", kt_file_model_name(f)},
        {"compiled", kt_file_config(f) ? (kt_file_compile_config(f) ? "yes" : "no") : ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!rows[i].value || !*rows[i].value) continue;
        printf("%-10s", rows[i].label);
        cli_print_name(rows[i].value, 0);
        putchar('\n');
    }
}

static int info_text(kt_file *f, const char *path) {
    char shape[256];
    int64_t bytes = 0;
    int code = EXIT_OK;
    print_head(f, path);
    if (kt_file_n_layers(f)) printf("\nlayers\n");
    for (int i = 0; i < kt_file_n_layers(f); i++) {
        printf("  ");
        cli_print_name(kt_file_layer_name(f, i), 32);
        printf(" ");
        cli_print_name(kt_file_layer_class(f, i), 0);
        putchar('\n');
    }
    if (kt_file_n_vars(f))
        printf(
            "\nvariables %35s%-18s%-9s%12s%14s%14s\n",
            "",
            "shape",
            "dtype",
            "bytes",
            "mean",
            "spread");
    for (int i = 0; i < kt_file_n_vars(f) && !code; i++) {
        statistics s;
        code = measure(f, i, &s);
        if (code) break;
        bytes += s.bytes;
        printf("  ");
        cli_print_name(kt_file_var_path(f, i), 42);
        printf(
            " %-17s %-8s %12lld %13.6g %13.6g\n",
            shape_text(kt_file_var_shape(f, i), shape, sizeof shape),
            kt_dtype_name(kt_file_var_dtype(f, i)),
            (long long)s.bytes,
            s.mean,
            s.spread);
    }
    if (!code) printf("\n%d variables, %lld bytes\n", kt_file_n_vars(f), (long long)bytes);
    return code;
}

static int var_json(cli_json *j, kt_file *f, int i) {
    statistics s;
    const kt_shape shape = kt_file_var_shape(f, i);
    const int code = measure(f, i, &s);
    if (code) return code;
    cli_json_open(j, NULL, '{');
    cli_json_string(j, "path", kt_file_var_path(f, i));
    cli_json_string(j, "layer", kt_file_var_layer(f, i));
    cli_json_open(j, "shape", '[');
    for (int d = 0; d < shape.ndim; d++) cli_json_int(j, NULL, shape.dim[d]);
    cli_json_close(j, ']');
    cli_json_string(j, "dtype", kt_dtype_name(kt_file_var_dtype(f, i)));
    cli_json_int(j, "bytes", s.bytes);
    cli_json_number(j, "mean", s.mean);
    cli_json_number(j, "spread", s.spread);
    cli_json_bool(j, "optimizer", kt_file_var_is_optimizer(f, i));
    cli_json_close(j, '}');
    return EXIT_OK;
}

/* Everything is read before the first byte goes out: an error is one document, too. */
static int info_json(kt_file *f, const char *path) {
    cli_json j = {.out = stdout};
    statistics s;
    int code = EXIT_OK;
    for (int i = 0; i < kt_file_n_vars(f) && !code; i++) code = measure(f, i, &s);
    if (code) return code;
    cli_json_open(&j, NULL, '{');
    cli_json_string(&j, "file", path);
    cli_json_string(&j, "format", kt_file_format(f));
    cli_json_string(&j, "keras_version", kt_file_keras_version(f));
    cli_json_string(&j, "date_saved", kt_file_date_saved(f));
    cli_json_string(&j, "backend", kt_file_backend(f));
    cli_json_string(&j, "class_name", kt_file_model_class(f));
    cli_json_string(&j, "name", kt_file_model_name(f));
    cli_json_bool(&j, "compiled", kt_file_compile_config(f) != NULL);
    cli_json_open(&j, "layers", '[');
    for (int i = 0; i < kt_file_n_layers(f); i++) {
        cli_json_open(&j, NULL, '{');
        cli_json_string(&j, "name", kt_file_layer_name(f, i));
        cli_json_string(&j, "class_name", kt_file_layer_class(f, i));
        cli_json_close(&j, '}');
    }
    cli_json_close(&j, ']');
    cli_json_open(&j, "variables", '[');
    for (int i = 0; i < kt_file_n_vars(f) && !code; i++) code = var_json(&j, f, i);
    cli_json_close(&j, ']');
    cli_json_close(&j, '}');
    return code;
}

static int info(const void *options) {
    const cli_common *o = options;
    const char *path = cli_in(o->args[0]);
    if (!path) return cli.last_exit;
    kt_file *f = kt_file_open(path);
    const int code = kt_failed(f) ? cli_fail() : (cli.json ? info_json : info_text)(f, o->args[0]);
    kt_free(f);
    return code;
}

const cli_command cli_info = {
    .name = "info",
    .summary = "Says what a file holds, without building it",
    .usage = "FILE",
    .examples = "  keratin info model.keras\n  keratin info model.weights.h5 --json\n",
    .text = "FILE is .keras, .h5, .weights.h5, .npz, .npy or .json.\n",
    .size = sizeof(cli_common),
    .min_args = 1,
    .max_args = 1,
    .run = info,
};
