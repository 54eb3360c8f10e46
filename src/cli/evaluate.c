/* keratin evaluate: loss and metrics of a model on data. */
#include "cli/cli.h"

typedef struct {
    cli_common common;
    cli_list x, y, sample_weight, metrics;
    const char *data, *target, *loss;
    int64_t batch_size, steps;
} evaluate_options;

static void report(const kt_logs *logs) {
    cli_json j = {.out = stdout};
    if (cli.json) cli_json_open(&j, NULL, '{');
    for (int i = 0; i < kt_logs_len(logs); i++) {
        const double one = kt_logs_value(logs, i);
        kt_floats_t values = kt_logs_values(logs, kt_logs_name(logs, i));
        if (values.n < 2) values = (kt_floats_t){&one, 1};
        if (cli.json) {
            cli_json_numbers(&j, kt_logs_name(logs, i), values.v, values.n);
            continue;
        }
        cli_print_name(kt_logs_name(logs, i), 0);
        printf(":");
        for (int k = 0; k < values.n; k++) printf(" %.6g", values.v[k]);
        printf("\n");
    }
    if (cli.json) cli_json_close(&j, '}');
}

static int evaluate(const void *options) {
    const evaluate_options *o = options;
    const cli_data data = {&o->x, &o->y, &o->sample_weight, o->target, o->data};
    cli_arrays a;
    int code;
    kt_model *m = cli_load_model(o->common.args[0], true, &code);
    if (!code) code = cli_compile(m, o->common.args[0], NULL, o->loss, &o->metrics);
    if (!code && !kt_model_is_compiled(m))
        code = cli_error(
            &(cli_problem){
                .exit = EXIT_FAILED, .code = "KT_ESTATE", .hint = "give --loss and --metrics"},
            "the file does not say how to compile the model");
    if (!code) code = cli_load_data(&a, m, &data, "test");
    if (!code && !a.y) code = cli_usage(&cli_evaluate, "no labels: give --y (or --target)");
    if (!code && cli_signal()) code = EXIT_SIGNAL + cli_signal();
    if (code) return code;
    kt_logs *logs = kt_model_evaluate(
        m,
        a.x,
        a.y,
        .batch_size = o->batch_size,
        .verbose = cli.verbose,
        .sample_weight = a.sample_weight,
        .steps = o->steps,
        .callbacks = cli_interruptible());
    if (kt_check(logs) == KT_ECANCELED && cli_signal()) return EXIT_SIGNAL + cli_signal();
    if (kt_failed(logs)) return cli_fail();
    report(logs);
    kt_free(logs);
    kt_free(m);
    return EXIT_OK;
}

#define OPT(...) CLI_OPT(evaluate_options, __VA_ARGS__)
static const cli_option evaluate_table[] = {
    OPT(x, "x", "FILE", "inputs: .npy, .npz, .csv, or NAME=FILE for each"),
    OPT(y, "y", "FILE", "labels, likewise"),
    OPT(data, "data", "NAME[:split]", "a built-in data set (test part unless :train)"),
    OPT(target, "target", "COLUMN", "column of the .csv that is the label"),
    OPT(sample_weight, "sample-weight", "W.npy", "weights of rows"),
    OPT(loss, "loss", "L", "in place of the file's"),
    OPT(metrics, "metrics", "M", "in place of the file's"),
    OPT(batch_size, "batch-size", "N", "rows of a step (32, or all in --steps steps)", .min = 1),
    OPT(steps, "steps", "N", "batches (all data)", .min = 1),
    CLI_OPT_END,
};

static const evaluate_options evaluate_defaults = {.batch_size = KT_NONE, .steps = KT_NONE};

const cli_command cli_evaluate = {
    .name = "evaluate",
    .summary = "Says loss and metrics of a model on data",
    .usage = "MODEL --x X --y Y",
    .examples = "  keratin evaluate trained.keras --data mnist:test --json\n"
                "  keratin evaluate trained.keras --x x.npy --y y.npy --batch-size 128\n",
    .options = evaluate_table,
    .size = sizeof(evaluate_options),
    .defaults = &evaluate_defaults,
    .min_args = 1,
    .max_args = 1,
    .run = evaluate,
};
