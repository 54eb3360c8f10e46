/* Whole models in the old .h5 form (Keras 1 to 3). See legacy.h.
 *
 * model_config and training_config, both JSON, are translated to the form of Keras 3 and read as
 * every other model; then come the weights, then the optimizer is built and gets its state, which
 * Keras 3 itself loses. */
#include "base/log.h"
#include "model/compile.h"
#include "nn/optimizers/optimizer.h"
#include "saving/archive.h"
#include "saving/configs.h"
#include "saving/legacy.h"

/* Keras 1 wrote the code of a Lambda as text, with bytes that JSON does not allow: what is wrong
 * with such a file is the code. */
kt_status kt_legacy_see_code(const char *text, kt_status st) {
    if (st != KT_EFORMAT || !strstr(text, "\"Lambda\"") || !strstr(text, "\"function\"")) return st;
    KT_FAIL(KT_EREFUSED, "the model has a Lambda layer, which would run code from the file");
    return kt_error_hint("code in files is never run; build the model in the program instead");
}

static kt_status parse_attr(kt_json **out, const kt_hdf5_node *node, const char *name) {
    char *text;
    size_t n;
    *out = NULL;
    kt_status st = kt_hdf5_attr_text(&text, &n, node, name);
    if (!st) st = kt_legacy_see_code(text, kt_json_parse(out, text, n, NULL));
    if (st) kt_error_context("in attribute \"%s\"", name);
    kt_mem_free(text);
    return st;
}

const kt_hdf5_node *kt_legacy_weights_group(const kt_hdf5 *h) {
    const kt_hdf5_node *root = kt_hdf5_root(h), *inside = kt_hdf5_find(root, "model_weights");
    return kt_hdf5_is_group(inside) ? inside : root;
}

bool kt_legacy_is_model(const kt_hdf5 *h) {
    return kt_hdf5_has_attr(kt_hdf5_root(h), "model_config");
}

bool kt_legacy_is_weights(const kt_hdf5 *h) {
    const kt_hdf5_node *g = kt_legacy_weights_group(h);
    return kt_hdf5_has_attr(g, "layer_names") || kt_hdf5_has_attr(g, "layer_names0");
}

/* The model's description with what it was compiled with. */
static kt_status read_description(
    kt_json **out, const kt_hdf5_node *root, const kt_legacy_origin *from, bool compile) {
    kt_json *model = NULL, *training = NULL, *config = NULL;
    kt_status st = parse_attr(&model, root, "model_config");
    *out = NULL;
    if (!st) st = kt_legacy_model(out, model, from);
    if (!st && compile && kt_hdf5_has_attr(root, "training_config")) {
        st = parse_attr(&training, root, "training_config");
        if (!st) st = kt_legacy_compile(&config, training, from);
        if (!st) st = kt_json_put(*out, "compile_config", config);
    }
    kt_json_free(model);
    kt_json_free(training);
    if (!st) return KT_OK;
    kt_json_free(*out);
    *out = NULL;
    return st;
}

static kt_status read_state(
    kt_layer *m, const kt_hdf5_node *group, const kt_legacy_origin *from, const char *path) {
    kt_var_list trained = {0}, others = {0};
    kt_component *opt = kt_model_of(m)->compiled->optimizer;
    bool complete = true, unbuilt = false;
    kt_status st = kt_layer_collect(m, &trained, &others, true);
    if (!st) st = kt_optimizer_build(opt, trained.n, trained.v);
    if (!st) st = kt_legacy_read_state(opt, group, from, &complete, &unbuilt);
    if (!st) kt_model_of(m)->optimizer_unbuilt = unbuilt;
    if (!st && complete) kt_resume_steps(m);
    if (!st && !complete)
        kt_log("%s: the optimizer's state does not fit the model and is left out\n", path);
    kt_vec_free(&trained);
    kt_vec_free(&others);
    return st;
}

/* .keras files of tf.keras, and JSON of Keras 1 and 2. */
kt_model *kt_legacy_model_of_json(const kt_json *v, const kt_legacy_origin *from, bool compile) {
    kt_json *model = NULL, *config = NULL;
    const kt_json *old = kt_json_get(v, "compile_config");
    kt_status st = kt_legacy_model(&model, v, from);
    if (!st && compile && kt_json_len(old)) {
        st = kt_legacy_compile(&config, old, from);
        if (!st) st = kt_json_put(model, "compile_config", config);
    }
    kt_model *m = st ? kt_fail_object(st) : kt_model_of_json(model, compile);
    kt_json_free(model);
    return m;
}

kt_status kt_legacy_load_weights(kt_model *m, const kt_hdf5 *h, bool by_name, bool skip_mismatch) {
    const kt_hdf5_node *group = kt_legacy_weights_group(h);
    kt_legacy_weights_options o = {.by_name = by_name, .skip_mismatch = skip_mismatch};
    const kt_status st = kt_legacy_origin_read(&o.from, kt_hdf5_root(h), group);
    return st ? st : kt_legacy_read_weights(m, group, &o);
}

kt_model *kt_legacy_load_model(const kt_hdf5 *h, const char *path, bool compile) {
    kt_json *v;
    const kt_hdf5_node *root = kt_hdf5_root(h), *group = kt_legacy_weights_group(h);
    const kt_hdf5_node *state = kt_hdf5_find(root, "optimizer_weights");
    kt_legacy_weights_options o = {.whole_model = true};
    if (!kt_legacy_is_model(h))
        return kt_fail_object(KT_FAIL(
            KT_EFORMAT, "the file holds weights and no model: there is no model_config in it"));
    kt_status st = kt_legacy_origin_read(&o.from, root, group);
    if (!st) st = read_description(&v, root, &o.from, compile);
    if (st) return kt_fail_object(st);
    kt_model *m = kt_model_of_json(v, compile);
    kt_json_free(v);
    if (kt_failed(m)) return m;
    st = kt_legacy_read_weights(m, group, &o);
    if (!st && state && kt_model_of(m)->compiled) st = read_state(m, state, &o.from, path);
    if (!st) return m;
    kt_free(m);
    return kt_fail_object(st);
}
