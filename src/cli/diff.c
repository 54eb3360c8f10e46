/* keratin diff: variables of two files that differ.
 *
 * Files that name variables alike are compared path by path, the optimizer's variables included.
 * The others are loaded as models, whose weights stand in one order. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* open_memstream under -std=c11 */
#endif
#include "cli/cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    cli_common common;
    double atol, rtol;
} diff_options;

typedef struct {
    double absolute, relative; /* the largest */
    bool over;                 /* some element is over the tolerance */
} difference;

typedef struct {
    const diff_options *o;
    cli_json j;
    int compared, over;
} diff_run;

static difference compare(const diff_options *o, const kt_tensor *a, const kt_tensor *b) {
    difference d = {0, 0, false};
    const int64_t n = kt_tensor_size(a);
    for (int64_t i = 0; i < n; i++) {
        const double x = kt_tensor_get(a, i), y = kt_tensor_get(b, i);
        if (x == y || (isnan(x) && isnan(y))) continue;
        const double absolute = fabs(x - y), relative = absolute / fabs(y);
        if (!(absolute <= d.absolute)) d.absolute = absolute; /* NaN counts as larger */
        if (!(relative <= d.relative)) d.relative = relative;
        d.over = d.over || !(absolute <= o->atol + o->rtol * fabs(y));
    }
    return d;
}

static bool same_shape(const kt_tensor *a, const kt_tensor *b) {
    const kt_shape s = kt_tensor_shape(a), t = kt_tensor_shape(b);
    return s.ndim == t.ndim && !memcmp(s.dim, t.dim, (size_t)s.ndim * sizeof *s.dim);
}

/* `what` says why two cannot be compared, NULL if they were. */
static void report(diff_run *r, const char *path, const char *what, difference d) {
    r->compared++;
    if (what || d.over) r->over++;
    if (!what && !(d.absolute > 0) && !isnan(d.absolute)) return;
    if (!cli.json) {
        cli_print_name(path, 44);
        if (what)
            printf(" %s\n", what);
        else
            printf(" absolute %-12.6g relative %.6g\n", d.absolute, d.relative);
        return;
    }
    cli_json_open(&r->j, NULL, '{');
    cli_json_string(&r->j, "path", path);
    if (what) {
        cli_json_string(&r->j, "problem", what);
    } else {
        cli_json_number(&r->j, "absolute", d.absolute);
        cli_json_number(&r->j, "relative", d.relative);
        cli_json_bool(&r->j, "over", d.over);
    }
    cli_json_close(&r->j, '}');
}

static size_t shape_text(char *buf, size_t size, const kt_tensor *t) {
    const kt_shape s = kt_tensor_shape(t);
    size_t at = (size_t)snprintf(buf, size, "(");
    for (int i = 0; i < s.ndim && at < size; i++)
        at += (size_t)snprintf(buf + at, size - at, "%s%lld", i ? ", " : "", (long long)s.dim[i]);
    if (at < size) at += (size_t)snprintf(buf + at, size - at, s.ndim == 1 ? ",)" : ")");
    return at;
}

static void compare_tensors(diff_run *r, const char *path, const kt_tensor *a, const kt_tensor *b) {
    const difference none = {0, 0, false};
    char text[512] = "shapes differ: ";
    if (same_shape(a, b)) {
        report(r, path, NULL, compare(r->o, a, b));
        return;
    }
    size_t at = strlen(text);
    at += shape_text(text + at, 200, a);
    at += (size_t)snprintf(text + at, 8, " and ");
    shape_text(text + at, 200, b);
    report(r, path, text, none);
}

/* Path by path. */
static kt_status compare_files(diff_run *r, kt_file *a, kt_file *b) {
    const difference none = {0, 0, false};
    for (int i = 0; i < kt_file_n_vars(a); i++) {
        const char *path = kt_file_var_path(a, i);
        const int k = kt_file_find_var(b, path);
        if (k < 0) {
            report(r, path, "only in the first file", none);
            continue;
        }
        kt_tensor *x = kt_file_var_read(a, i), *y = kt_file_var_read(b, k);
        const kt_status st = kt_check(x) ? kt_check(x) : kt_check(y);
        if (!st) compare_tensors(r, path, x, y);
        kt_free(x);
        kt_free(y);
        if (st) return st;
    }
    for (int i = 0; i < kt_file_n_vars(b); i++)
        if (kt_file_find_var(a, kt_file_var_path(b, i)) < 0)
            report(r, kt_file_var_path(b, i), "only in the second file", none);
    return KT_OK;
}

static kt_status compare_models(diff_run *r, kt_model *a, kt_model *b) {
    const difference none = {0, 0, false};
    const int n = kt_layer_n_weights(a), m = kt_layer_n_weights(b);
    for (int i = 0; i < n || i < m; i++) {
        kt_var *v = i < n ? kt_layer_weight(a, i) : NULL, *w = i < m ? kt_layer_weight(b, i) : NULL;
        if (!v || !w) {
            report(
                r,
                kt_var_path(v ? v : w),
                v ? "only in the first file" : "only in the second file",
                none);
            continue;
        }
        kt_tensor *x = kt_var_value(v), *y = kt_var_value(w);
        const kt_status st = kt_check(x) ? kt_check(x) : kt_check(y);
        if (!st) compare_tensors(r, kt_var_path(v), x, y);
        kt_free(x);
        kt_free(y);
        if (st) return st;
    }
    return KT_OK;
}

/* Do the files name variables alike? Those of Keras 3 do, those of older versions often not. */
static bool alike(const kt_file *a, const kt_file *b) {
    for (int i = 0; i < kt_file_n_vars(a); i++)
        if (!kt_file_var_is_optimizer(a, i) && kt_file_find_var(b, kt_file_var_path(a, i)) >= 0)
            return true;
    const bool models = kt_file_config(a) || kt_file_config(b);
    if (!kt_file_n_vars(a) || !kt_file_n_vars(b)) return true; /* architectures */
    return !models && !strcmp(kt_file_format(a), kt_file_format(b));
}

/* The model of one file; where it holds weights only they go into the model of the other. */
static kt_model *load_model(const char *path, const char *other, bool weights) {
    kt_model *m = kt_load_model(weights ? other : path, .compile = false);
    const kt_status st = kt_failed(m) || !weights ? kt_check(m) : kt_model_load_weights(m, path);
    if (!st) return m;
    kt_free(m);
    return NULL;
}

static kt_status compare_any(diff_run *r, const char *const *path) {
    bool weights[2] = {false, false}, same = false;
    kt_file *a = kt_file_open(path[0]);
    kt_file *b = kt_failed(a) ? NULL : kt_file_open(path[1]);
    kt_status st = kt_failed(a) ? kt_check(a) : kt_check(b);
    if (!st) {
        same = alike(a, b);
        weights[0] = !kt_file_config(a);
        weights[1] = !kt_file_config(b);
        if (same) st = compare_files(r, a, b);
    }
    kt_free(a);
    kt_free(b);
    if (st || same) return st;
    kt_model *m = load_model(path[0], path[1], weights[0] && !weights[1]);
    kt_model *n = m ? load_model(path[1], path[0], weights[1] && !weights[0]) : NULL;
    st = m && n ? compare_models(r, m, n) : kt_error_last();
    kt_free(m);
    kt_free(n);
    return st;
}

static int diff(const void *options) {
    diff_run r = {.o = options, .j = {.out = stdout}};
    const char *path[2];
    for (int i = 0; i < 2; i++)
        if (!(path[i] = cli_in(r.o->common.args[i]))) return cli.last_exit;
    char *text = NULL;
    size_t size = 0;
    if (cli.json) { /* in memory first: an error is one document, too */
        r.j.out = open_memstream(&text, &size);
        if (!r.j.out) return 7;
        cli_json_open(&r.j, NULL, '{');
        cli_json_open(&r.j, "variables", '[');
    }
    const kt_status st = compare_any(&r, path);
    if (cli.json) {
        cli_json_close(&r.j, ']');
        cli_json_int(&r.j, "compared", r.compared);
        cli_json_int(&r.j, "over", r.over);
        cli_json_close(&r.j, '}');
        fclose(r.j.out);
        if (!st) fwrite(text, 1, size, stdout);
        free(text);
    } else if (!st) {
        printf("%d variables, %d differ by more than allowed\n", r.compared, r.over);
    }
    return st ? cli_fail() : r.over ? EXIT_FAILED : EXIT_OK;
}

#define OPT(...) CLI_OPT(diff_options, __VA_ARGS__)
static const cli_option diff_table[] = {
    OPT(atol, "atol", "D", "absolute difference that is allowed (0)"),
    OPT(rtol, "rtol", "D", "difference that is allowed, as a part of B's value (0)"),
    CLI_OPT_END,
};

const cli_command cli_diff = {
    .name = "diff",
    .summary = "Says which variables of two files differ, and by how much",
    .usage = "A B",
    .examples = "  keratin diff old_model.h5 new_model.keras\n"
                "  keratin diff a.keras b.keras --atol 1e-6 --rtol 1e-5\n",
    .text =
        "Exit code 1 if a difference is over --atol + --rtol * |B|, or if a variable is in one "
        "file\n"
        "only. Files that name variables alike are compared with their optimizers' variables.\n",
    .options = diff_table,
    .size = sizeof(diff_options),
    .min_args = 2,
    .max_args = 2,
    .run = diff,
};
