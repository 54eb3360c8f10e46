/* keratin bench: times the standard workloads, one JSON line each, in the shape that the scripts
 * beside the project print for other frameworks. */
#include "cli/cli.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    kt_model *model;
    kt_tensor *x, *y, *out;
} bench_case;

/* What a workload runs on: a model, the form of one row of x, the number of classes. */
typedef struct {
    kt_model *(*make)(void);
    kt_shape row;
    int classes;
    int vocabulary;        /* rows are token ids below this; 0: numbers in [0, 1) */
    double density;        /* not 0: this share of the numbers is 1, the others 0 */
    const char *optimizer; /* NULL: adam */
} subject;

typedef struct {
    const char *name;
    const subject *on;
    int batch; /* rows of x */
    bool compiled, trains;
    kt_status (*run)(bench_case *c); /* one repetition */
    double scale;                    /* the time of a repetition is multiplied by this */
    int min_reps;
} workload;

static double now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds since the kernel started this process. */
static double since_process_start(void) {
    char text[1024];
    FILE *f = fopen("/proc/self/stat", "r");
    const size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f) fclose(f);
    text[n] = 0;
    char *field = strrchr(text, ')');
    for (int i = 0; field && i < 20; i++) field = strchr(field + 1, ' ');
    if (!field) return 0;
    return now(CLOCK_BOOTTIME) - (double)strtoull(field, NULL, 10) / (double)sysconf(_SC_CLK_TCK);
}

static double peak_rss_mb(void) {
    char line[256];
    double kb = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, "VmHWM:", 6)) kb = strtod(line + 6, NULL);
    if (f) fclose(f);
    return kb / 1024;
}

static kt_status step_run(bench_case *c) {
    kt_logs *logs = kt_model_train_on_batch(c->model, c->x, c->y);
    const kt_status st = kt_check(logs);
    kt_free(logs);
    return st;
}

static kt_status fit_run(bench_case *c) {
    kt_history *h = kt_model_fit(c->model, c->x, c->y, .batch_size = 128, .verbose = 0);
    const kt_status st = kt_check(h);
    kt_free(h);
    return st;
}

static kt_status fit32_run(bench_case *c) {
    kt_history *h = kt_model_fit(c->model, c->x, c->y, .batch_size = 32, .verbose = 0);
    const kt_status st = kt_check(h);
    kt_free(h);
    return st;
}

static kt_status fit512_run(bench_case *c) {
    kt_history *h = kt_model_fit(c->model, c->x, c->y, .batch_size = 512, .verbose = 0);
    const kt_status st = kt_check(h);
    kt_free(h);
    return st;
}

static kt_status predict_run(bench_case *c) {
    kt_tensor *p = kt_model_predict(c->model, c->x, .verbose = 0);
    const kt_status st = kt_check(p);
    kt_free(p);
    return st;
}

static kt_status call_run(bench_case *c) { return kt_model_predict_into(c->model, c->x, c->out); }

static kt_model *make_mlp(void) {
    return kt_sequential(kt_list(
        kt_input({784}),
        kt_dense(128, .activation = "relu"),
        kt_dense(10, .activation = "softmax")));
}

static kt_model *make_cnn(void) {
    return kt_sequential(kt_list(
        kt_input({28, 28, 1}),
        kt_conv2d(32, 3, .activation = "relu"),
        kt_max_pooling2d(2),
        kt_conv2d(64, 3, .activation = "relu"),
        kt_max_pooling2d(2),
        kt_flatten(),
        kt_dropout(0.5),
        kt_dense(10, .activation = "softmax")));
}

/* The densest gradient a pool can leave: every unit alive, nothing dropped. */
static kt_model *make_dense_cnn(void) {
    return kt_sequential(kt_list(
        kt_input({28, 28, 1}),
        kt_conv2d(32, 3, .activation = "relu", .bias_initializer = kt_init_constant(3)),
        kt_max_pooling2d(2),
        kt_conv2d(64, 3, .activation = "relu", .bias_initializer = kt_init_constant(20)),
        kt_max_pooling2d(2),
        kt_flatten(),
        kt_dense(10, .activation = "softmax")));
}

#define VOCABULARY 20000

static kt_model *reviews(kt_layer *recurrent) {
    return kt_sequential(kt_list(
        kt_input({200}, .dtype = "int32"),
        kt_embedding(VOCABULARY, 32),
        recurrent,
        kt_dense(1, .activation = "sigmoid")));
}

static kt_model *make_attn(void) {
    kt_sym *in = kt_input({128}, .dtype = "int32"), *x = kt_call(kt_embedding(VOCABULARY, 64), in);
    kt_sym *heads = kt_call(kt_multi_head_attention(4, 16), kt_list(x, x));
    x = kt_call(kt_layer_normalization(), kt_op_add(x, heads));
    kt_sym *wide = kt_call(kt_dense(128, .activation = "relu"), x);
    x = kt_call(kt_layer_normalization(), kt_op_add(x, kt_call(kt_dense(64), wide)));
    x = kt_call(kt_global_average_pooling1d(), x);
    return kt_functional(in, kt_call(kt_dense(2, .activation = "softmax"), x));
}

static kt_model *make_lstm(void) { return reviews(kt_lstm(64)); }
static kt_model *make_gru(void) { return reviews(kt_gru(64)); }

/* Two layers of hidden units over multi-hot texts. */
static kt_model *multi_hot(int units, int classes) {
    return kt_sequential(kt_list(
        kt_input({10000}),
        kt_dense(units, .activation = "relu"),
        kt_dense(units, .activation = "relu"),
        kt_dense(classes, .activation = classes == 1 ? "sigmoid" : "softmax")));
}

static kt_model *make_imdb(void) { return multi_hot(16, 1); }
static kt_model *make_reuters(void) { return multi_hot(64, 46); }

#define DENSITY 0.015

static const subject mlp = {.make = make_mlp, .row = {1, {784}}, .classes = 10};
static const subject cnn = {.make = make_cnn, .row = {3, {28, 28, 1}}, .classes = 10};
static const subject dense_cnn = {.make = make_dense_cnn, .row = {3, {28, 28, 1}}, .classes = 10};
static const subject lstm = {make_lstm, {1, {200}}, 1, VOCABULARY, 0, NULL};
static const subject gru = {make_gru, {1, {200}}, 1, VOCABULARY, 0, NULL};
static const subject attn = {make_attn, {1, {128}}, 2, VOCABULARY, 0, NULL};
static const subject imdb = {make_imdb, {1, {10000}}, 1, 0, DENSITY, "rmsprop"};
static const subject reuters = {make_reuters, {1, {10000}}, 46, 0, DENSITY, NULL};

static const workload workloads[] = {
    {"mlp32", &mlp, 32, true, true, step_run, 1, 5},
    {"mlp128", &mlp, 128, true, true, step_run, 1, 5},
    {"mlp32-fit", &mlp, 32 * 200, true, true, fit32_run, 1.0 / 200, 5},
    {"mlp128-fit", &mlp, 128 * 200, true, true, fit_run, 1.0 / 200, 5},
    {"fit-mnist", &mlp, 60000, true, true, fit_run, 1, 3},
    {"mlp-predict1", &mlp, 1, false, false, predict_run, 1, 5},
    {"mlp-call1", &mlp, 1, false, false, call_run, 1, 5},
    {"cnn32", &cnn, 32, true, true, step_run, 1, 5},
    {"cnn32-dense", &dense_cnn, 32, true, true, step_run, 1, 5},
    {"cnn128", &cnn, 128, true, true, step_run, 1, 5},
    {"cnn128-fit", &cnn, 128 * 200, true, true, fit_run, 1.0 / 200, 5},
    {"cnn-infer1", &cnn, 1, false, false, call_run, 1, 5},
    {"cnn-infer32", &cnn, 32, false, false, call_run, 1, 5},
    {"lstm32", &lstm, 32, true, true, step_run, 1, 5},
    {"lstm128", &lstm, 128, true, true, step_run, 1, 5},
    {"lstm32-fit", &lstm, 32 * 200, true, true, fit32_run, 1.0 / 200, 3},
    {"lstm-infer1", &lstm, 1, false, false, call_run, 1, 5},
    {"attn32", &attn, 32, true, true, step_run, 1, 5},
    {"gru32", &gru, 32, true, true, step_run, 1, 5},
    {"imdb512", &imdb, 512, true, true, step_run, 1, 5},
    {"reuters512", &reuters, 512, true, true, step_run, 1, 5},
    {"imdb512-fit", &imdb, 512 * 30, true, true, fit512_run, 1.0 / 30, 5},
    {"reuters512-fit", &reuters, 512 * 30, true, true, fit512_run, 1.0 / 30, 5},
    {"startup", &mlp, 1, false, false, predict_run, 1, 1},
};
#define N_WORKLOADS ((int)(sizeof workloads / sizeof workloads[0]))

/* Any numbers will do. */
static void fill_rows(kt_tensor *x, int vocabulary, double density) {
    uint32_t state = 1;
    const int64_t n = kt_tensor_size(x);
    for (int64_t i = 0; i < n; i++) {
        state ^= state << 13, state ^= state >> 17, state ^= state << 5;
        if (vocabulary)
            ((int32_t *)kt_tensor_data(x))[i] = (int32_t)(state % (uint32_t)vocabulary);
        else
            ((float *)kt_tensor_data(x))[i] = density > 0 ? (state >> 8) * 0x1p-24 < density
                                                          : (float)(state >> 8) * 0x1p-24f;
    }
}

/* Class numbers, or with one class zeros and ones for a sigmoid. */
static void fill_labels(kt_tensor *y, int classes) {
    for (int64_t i = 0; i < kt_tensor_size(y); i++) {
        const int32_t label = (int32_t)((uint32_t)i * 2654435761u >> 16);
        if (classes == 1)
            ((float *)kt_tensor_data(y))[i] = (float)(label % 2);
        else
            ((int32_t *)kt_tensor_data(y))[i] = label % classes;
    }
}

static kt_status make_case(const workload *w, bench_case *c) {
    const bool binary = w->on->classes == 1;
    kt_shape shape = {w->on->row.ndim + 1, {w->batch}};
    for (int i = 1; i < shape.ndim; i++) shape.dim[i] = w->on->row.dim[i - 1];
    c->model = w->on->make();
    if (w->compiled)
        kt_model_compile(
            c->model,
            w->on->optimizer ? w->on->optimizer : "adam",
            binary ? "binary_crossentropy" : "sparse_categorical_crossentropy");
    c->x = kt_tensor_new(w->on->vocabulary ? KT_INT32 : KT_FLOAT32, shape, NULL);
    c->y = binary ? kt_tensor_new(KT_FLOAT32, kt_dims(w->batch, 1), NULL)
                  : kt_tensor_new(KT_INT32, kt_dims(w->batch), NULL);
    c->out = kt_tensor_new(KT_FLOAT32, kt_dims(w->batch, w->on->classes), NULL);
    if (kt_failed(c->model) || kt_failed(c->x) || kt_failed(c->y) || kt_failed(c->out))
        return kt_error_last();
    fill_rows(c->x, w->on->vocabulary, w->on->density);
    fill_labels(c->y, w->on->classes);
    return KT_OK;
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

#define MAX_REPS 200000

/* Warms up for a quarter of the time, then repeats until `seconds` are full. */
static int measure(const workload *w, bench_case *c, double seconds, double *times) {
    const double warm_end = now(CLOCK_MONOTONIC) + seconds / 4;
    for (int i = 0; i < 50 && now(CLOCK_MONOTONIC) < warm_end; i++)
        if (w->run(c)) return -1;
    double total = 0;
    int n = 0;
    while (n < MAX_REPS && (n < w->min_reps || total < seconds)) {
        const double start = now(CLOCK_MONOTONIC);
        if (w->run(c)) return -1;
        const double t = now(CLOCK_MONOTONIC) - start;
        times[n++] = t * w->scale * 1e3;
        total += t;
    }
    qsort(times, (size_t)n, sizeof *times, by_value);
    return n;
}

static int run_workload(const workload *w, int threads, double seconds, bool json) {
    bench_case c = {0};
    const bool is_startup = !strcmp(w->name, "startup");
    double *times = malloc(sizeof *times * MAX_REPS);
    if (!times || make_case(w, &c) || (is_startup && w->run(&c))) {
        free(times);
        return cli_fail();
    }
    double startup = since_process_start();
    int n = 1;
    if (is_startup)
        times[0] = startup * 1e3;
    else
        n = measure(w, &c, seconds, times);
    if (n > 0) {
        const double median = times[n / 2], p90 = times[n * 9 / 10 < n ? n * 9 / 10 : n - 1];
        printf(
            json ? "{\"peer\": \"keratin\", \"workload\": \"%s\", \"threads\": %d, \"median_ms\": "
                   "%.6g, "
                   "\"min_ms\": %.6g, \"p90_ms\": %.6g, \"reps\": %d, \"peak_rss_mb\": %.1f, "
                   "\"startup_s\": %.4f}\n"
                 : "%-14s %d threads  median %.6g ms  min %.6g  p90 %.6g  (%d times, %.1f MB, "
                   "start %.4f s)\n",
            w->name,
            threads,
            median,
            times[0],
            p90,
            n,
            peak_rss_mb(),
            startup);
    }
    const int code = n > 0 ? EXIT_OK : cli_fail();
    free(times);
    kt_free(c.model);
    kt_clear_session();
    return code ? code : cli_report_nodes(); /* the trace is whole once the model is gone */
}

/* As many processors as threads, as the peers are bound. */
static void bind_processors(int n) {
    cpu_set_t have, use;
    CPU_ZERO(&use);
    if (sched_getaffinity(0, sizeof have, &have)) return;
    for (int i = CPU_SETSIZE - 1; i >= 0 && n > 0; i--) {
        if (!CPU_ISSET(i, &have)) continue;
        CPU_SET(i, &use);
        n--;
    }
    sched_setaffinity(0, sizeof use, &use);
}

typedef struct {
    cli_common common;
    const char *workload;
    double seconds;
} bench_options;

static int run_named(const char *name, int threads, double seconds) {
    const char *names[N_WORKLOADS];
    for (int i = 0; i < N_WORKLOADS; i++) {
        if (!strcmp(workloads[i].name, name))
            return run_workload(&workloads[i], threads, seconds, cli.json);
        names[i] = workloads[i].name;
    }
    const char *near = cli_nearest(name, names, N_WORKLOADS);
    if (near)
        return cli_usage(&cli_bench, "unknown workload \"%s\"; did you mean \"%s\"?", name, near);
    return cli_usage(&cli_bench, "unknown workload \"%s\"", name);
}

static int bench(const void *options) {
    const bench_options *o = options;
    const int threads = o->common.threads == KT_NONE ? 1 : (int)o->common.threads;
    char all[512];
    snprintf(all, sizeof all, "%s", o->workload);
    bind_processors(threads);
    kt_set_num_threads(threads);
    int code = o->common.verbose == 2 ? cli_trace_nodes(true) : EXIT_OK;
    if (code) return code;
    for (char *save = NULL, *w = strtok_r(all, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
        const int one = run_named(w, threads, o->seconds);
        if (one) code = one;
        if (cli_signal()) return EXIT_SIGNAL + cli_signal();
    }
    return code;
}

static const cli_option bench_table[] = {
    CLI_OPT(bench_options, workload, "workload", "W,…", "which (mlp32,mlp128,fit-mnist, …)"),
    CLI_OPT(bench_options, seconds, "seconds", "S", "time for each (2)"),
    CLI_OPT_END,
};

static const bench_options bench_defaults = {
    .workload = "mlp32,mlp128,fit-mnist,mlp-predict1,mlp-call1", .seconds = 2};

const cli_command cli_bench = {
    .name = "bench",
    .summary = "Times the standard workloads, one line each",
    .usage = "--workload W",
    .examples = "  keratin bench --workload mlp32 --threads 2 --json\n",
    .text =
        "Workloads: mlp32 mlp128 mlp32-fit mlp128-fit fit-mnist mlp-predict1 mlp-call1 startup\n"
        "cnn32 cnn32-dense cnn128 cnn128-fit cnn-infer1 cnn-infer32 lstm32 lstm128 lstm32-fit "
        "lstm-infer1 gru32 attn32 imdb512 reuters512 imdb512-fit reuters512-fit.\n"
        "Without --threads one thread is used, and the process is bound to as many processors.\n"
        "--verbose 2 adds on stderr what each program took to make and the size of its plan, and a "
        "table of nodes: time of one run, share, bytes moved.\n",
    .options = bench_table,
    .size = sizeof(bench_options),
    .defaults = &bench_defaults,
    .run = bench,
};
