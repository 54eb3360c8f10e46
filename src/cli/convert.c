/* keratin convert: from one format to another, told by the extensions. */
#include "cli/cli.h"

#include <string.h>

typedef struct {
    cli_common common;
    const char *model;
    bool by_name, skip_mismatch, no_optimizer;
} convert_options;

typedef enum { TO_KERAS, TO_H5, TO_WEIGHTS, TO_JSON, TO_LATER, TO_UNKNOWN } target;

static target target_of(const char *name) {
    static const struct {
        const char *ending;
        target to;
    } endings[] = {
        {".weights.h5", TO_WEIGHTS},
        {".keras", TO_KERAS},
        {".h5", TO_H5},
        {".hdf5", TO_H5},
        {".json", TO_JSON},
        {".onnx", TO_LATER},
        {".c", TO_LATER},
    };
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (cli_ends(name, endings[i].ending)) return endings[i].to;
    return TO_UNKNOWN;
}

/* Does the file hold weights and no architecture? */
static bool is_weights(const char *path) {
    kt_file *f = kt_file_open(path);
    const char *format = kt_failed(f) ? "" : kt_file_format(f);
    const bool weights = strstr(format, "weights") || !strcmp(format, "npz");
    kt_free(f);
    return weights;
}

/* The model that IN holds, or the one of --model with the weights of IN. */
static kt_model *load(const convert_options *o, int *code) {
    const char *in = o->common.args[0], *path = cli_in(in);
    *code = cli.last_exit;
    if (!path) return NULL;
    if (!o->model && is_weights(path)) {
        *code = cli_usage(
            &cli_convert, "\"%s\" holds weights only: give the architecture with --model ARCH", in);
        return NULL;
    }
    kt_model *m = cli_load_model(o->model ? o->model : in, true, code);
    if (!m || !o->model) return m;
    const kt_status st = kt_model_load_weights(
        m, path, .by_name = o->by_name, .skip_mismatch = o->skip_mismatch);
    if (!st) return m;
    *code = cli_fail();
    kt_free(m);
    return NULL;
}

static int write_json(kt_model *m, const char *name) {
    kt_text *text = kt_model_to_json(m);
    FILE *f = kt_failed(text) ? NULL : cli_text_begin();
    int code = kt_failed(text) ? cli_fail() : f ? EXIT_OK : cli.last_exit;
    if (f) {
        fwrite(kt_text_str(text), 1, kt_text_len(text), f);
        code = cli_text_end(name, f);
    }
    kt_free(text);
    return code;
}

static int convert(const void *options) {
    const convert_options *o = options;
    const char *out = o->common.args[1];
    const target to = target_of(out);
    int code = EXIT_OK;
    if (to == TO_UNKNOWN)
        return cli_usage(
            &cli_convert,
            "expected OUT to end in .keras, .h5, .weights.h5 or .json, got \"%s\"",
            out);
    if (to == TO_LATER)
        return cli_error(
            &(cli_problem){.exit = 9, .code = "KT_EUNSUPPORTED"},
            "convert: \"%s\" is not there yet",
            strrchr(out, '.'));
    code = cli_may_write(out, o->common.force);
    kt_model *m = code ? NULL : load(o, &code);
    if (!m) return code;
    kt_status st = KT_OK;
    if (to == TO_JSON)
        code = write_json(m, out);
    else if (to == TO_WEIGHTS)
        st = kt_model_save_weights(m, out);
    else
        st = kt_model_save(m, out, .include_optimizer = !o->no_optimizer);
    if (st) code = cli_fail();
    kt_free(m);
    if (!code) cli_json_output(out);
    return code;
}

#define OPT(...) CLI_OPT(convert_options, __VA_ARGS__)
static const cli_option convert_table[] = {
    OPT(model, "model", "ARCH", "architecture for an IN of weights only"),
    OPT(by_name, "by-name", NULL, "with --model, old .h5: layers by their names, not their order"),
    OPT(skip_mismatch, "skip-mismatch", NULL, "with --model: leave weights alone that do not fit"),
    OPT(no_optimizer, "no-optimizer", NULL, "leave the optimizer's state out"),
    CLI_OPT_END,
};

const cli_command cli_convert = {
    .name = "convert",
    .summary = "Writes a model in another format",
    .usage = "IN OUT",
    .examples = "  keratin convert old_model.h5 new_model.keras\n"
                "  keratin convert model.keras model.weights.h5\n"
                "  keratin convert w.weights.h5 model.keras --model arch.json\n",
    .text =
        "The extension of OUT says the format: .keras, .h5 (whole model as Keras' legacy format),\n"
        ".weights.h5, .json (architecture).\n",
    .options = convert_table,
    .size = sizeof(convert_options),
    .min_args = 2,
    .max_args = 2,
    .run = convert,
};
