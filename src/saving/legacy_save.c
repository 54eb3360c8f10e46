/* Writing the old .h5 form, as Keras 3 writes it. See legacy.h.
 *
 * The same JSON as in .keras, without the modules of the layers, split into model_config and
 * training_config; weights under the names of their layers, at the paths of their variables. */
#include "base/log.h"
#include "model/compile.h"
#include "nn/layers/lookup.h"
#include "nn/optimizers/optimizer.h"
#include "saving/configs.h"
#include "saving/legacy.h"
#include "saving/weights_tree.h"

#define KERAS_VERSION "3.15.1"
#define BACKEND "tensorflow"

/* Configurations ------------------------------------------------------------------------------- */

static kt_status strip_config(kt_json **out, const kt_json *config);

/* {"class_name", "config", "name", "inbound_nodes"}: what is there of these. */
static kt_status strip_entry(kt_json **out, const kt_json *entry) {
    static const char *const keys[] = {"class_name", "config", "name", "inbound_nodes"};
    kt_json *v = *out = kt_json_new_dict();
    kt_status st = v ? KT_OK : KT_FAIL(KT_ENOMEM, "out of memory");
    for (int i = 0; i < 4 && !st; i++) {
        const kt_json *part = kt_json_get(entry, keys[i]);
        kt_json *config = NULL;
        if (!part) continue;
        if (i == 0 && kt_json_text(part)) { /* the name of the class itself */
            st = kt_json_put(v, keys[i], kt_json_new_str(kt_own_name(kt_json_text(part))));
            continue;
        }
        if (i != 1) {
            st = kt_legacy_put(v, keys[i], part);
            continue;
        }
        st = strip_config(&config, part);
        if (!st) st = kt_json_put(v, keys[i], config);
    }
    if (!st) return KT_OK;
    kt_json_free(v);
    *out = NULL;
    return st;
}

static kt_status strip_layers(kt_json **out, const kt_json *layers) {
    kt_json *list = *out = kt_json_new_list();
    kt_status st = list ? KT_OK : KT_FAIL(KT_ENOMEM, "out of memory");
    for (int i = 0; i < kt_json_len(layers) && !st; i++) {
        kt_json *entry = NULL;
        st = strip_entry(&entry, kt_json_at(layers, i));
        if (!st) st = kt_json_add(list, entry);
    }
    if (!st) return KT_OK;
    kt_json_free(list);
    *out = NULL;
    return st;
}

/* What a wrapper holds keeps its module; a model in there strips its layers all the same. */
static kt_status strip_held(kt_json *config, const char *key) {
    const kt_json *held = kt_json_get(config, key), *inner = kt_json_get(held, "config");
    kt_json *copy = NULL, *stripped = NULL;
    if (!kt_json_is(inner, KT_JSON_DICT)) return KT_OK;
    kt_status st = kt_legacy_copy(&copy, held);
    if (!st) st = strip_config(&stripped, inner);
    if (!st) st = kt_json_put(copy, "config", stripped);
    if (!st) return kt_json_put(config, key, copy);
    kt_json_free(copy);
    return st;
}

/* Models hold layers, wrappers one or two; other configs stay as they are. */
static kt_status strip_config(kt_json **out, const kt_json *config) {
    const kt_json *layers = kt_json_get(config, "layers");
    kt_json *list = NULL;
    if (!kt_json_is(config, KT_JSON_DICT)) { /* the name of a function */
        *out = kt_json_ref((kt_json *)(uintptr_t)config);
        return KT_OK;
    }
    kt_status st = kt_legacy_copy(out, config);
    if (!st) st = strip_held(*out, "layer");
    if (!st) st = strip_held(*out, "backward_layer");
    if (!st && kt_json_is(layers, KT_JSON_LIST)) {
        st = strip_layers(&list, layers);
        if (!st) st = kt_json_put(*out, "layers", list);
    }
    if (!st) return KT_OK;
    kt_json_free(*out);
    *out = NULL;
    return st;
}

/* Losses and metrics: {"class_name", "config"} of objects, in lists and dicts too. */
static kt_status strip_objects(kt_json **out, const kt_json *v) {
    kt_json *item = NULL;
    kt_status st = KT_OK;
    if (kt_json_get_text(v, "class_name")) return strip_entry(out, v);
    const bool list = kt_json_is(v, KT_JSON_LIST);
    if (!list && !kt_json_is(v, KT_JSON_DICT)) {
        *out = v ? kt_json_ref((kt_json *)(uintptr_t)v) : kt_json_new_null();
        return KT_OK;
    }
    kt_json *c = *out = list ? kt_json_new_list() : kt_json_new_dict();
    if (!c) return KT_FAIL(KT_ENOMEM, "out of memory");
    for (int i = 0; list && i < kt_json_len(v) && !st; i++) {
        st = strip_objects(&item, kt_json_at(v, i));
        if (!st) st = kt_json_add(c, item);
    }
    for (void *it = list ? NULL : kt_json_iter(v); it && !st; it = kt_json_next(v, it)) {
        st = strip_objects(&item, kt_json_iter_value(it));
        if (!st) st = kt_json_put(c, kt_json_iter_key(it), item);
    }
    if (!st) return KT_OK;
    kt_json_free(c);
    *out = NULL;
    return st;
}

/* compile_config with the optimizer at its end. */
static kt_status training_config(kt_json **out, const kt_json *compile) {
    static const char *const keys[] = {
        "loss",
        "loss_weights",
        "metrics",
        "weighted_metrics",
        "run_eagerly",
        "steps_per_execution",
        "jit_compile"};
    kt_json *v = *out = kt_json_new_dict(), *part = NULL;
    kt_status st = v ? KT_OK : KT_FAIL(KT_ENOMEM, "out of memory");
    for (size_t i = 0; i < sizeof keys / sizeof *keys && !st; i++) {
        if (!kt_json_get(compile, keys[i])) continue;
        st = strip_objects(&part, kt_json_get(compile, keys[i]));
        if (!st) st = kt_json_put(v, keys[i], part);
    }
    if (!st) st = strip_entry(&part, kt_json_get(compile, "optimizer"));
    if (!st) st = kt_json_put(v, "optimizer_config", part);
    if (!st) return KT_OK;
    kt_json_free(v);
    *out = NULL;
    return st;
}

static kt_status put_json(kt_hdf5_item *root, const char *name, const kt_json *v) {
    kt_str text = {0};
    kt_json_write(&text, v, KT_NONE);
    const kt_status st = text.status ? text.status
                                     : kt_hdf5_put_text(root, name, text.s, text.n, false);
    kt_str_free(&text);
    return st;
}

static kt_status put_configs(kt_hdf5_item *root, kt_model *m, bool include_optimizer) {
    kt_json *model = kt_write_layer(m), *config = NULL, *training = NULL;
    kt_status st = model ? strip_entry(&config, model) : kt_error_last();
    const kt_json *compile = kt_json_get(model, "compile_config");
    if (!st) st = put_json(root, "model_config", config);
    if (!st && include_optimizer && kt_model_of(m)->compiled && kt_json_get(compile, "optimizer")) {
        st = training_config(&training, compile);
        if (!st) st = put_json(root, "training_config", training);
    }
    kt_json_free(model);
    kt_json_free(config);
    kt_json_free(training);
    return st;
}

/* Weights -------------------------------------------------------------------------------------- */

static kt_status path_in_file(kt_str *out, kt_var *v, bool whole) {
    char path[512];
    if (!whole || !v->owner) return kt_var_keras_path(v, out);
    kt_layer_path(v->owner, path, sizeof path);
    kt_str_addf(out, "%s/%s", path, kt_var_name(v));
    return out->status;
}

static bool is_taken(char *const *names, int n, const char *name) {
    for (int i = 0; i < n; i++)
        if (!strcmp(names[i], name)) return true;
    return false;
}

/* Keras' paths of variables. Where two are the same, which Keras cannot save, the longer ones of
 * ours, and numbers behind those of an optimizer. */
static kt_status name_vars(char **names, kt_var *const *vars, int n, bool whole) {
    bool twice = false;
    for (int i = 0; i < n; i++) {
        kt_str path = {0};
        kt_status st = path_in_file(&path, vars[i], whole);
        const size_t length = path.n;
        for (int k = 1; !st && !vars[i]->owner && is_taken(names, i, path.s); k++) {
            path.n = length;
            kt_str_addf(&path, "_%d", k);
            st = path.status;
        }
        if (st) return kt_str_free(&path), st;
        twice = twice || is_taken(names, i, path.s);
        names[i] = path.s;
    }
    if (!twice || whole) return KT_OK;
    for (int i = 0; i < n; i++) {
        kt_mem_free(names[i]);
        names[i] = NULL;
    }
    return name_vars(names, vars, n, true);
}

static kt_status put_vars(kt_hdf5_item *group, kt_var *const *vars, int n) {
    kt_status st = KT_OK;
    char **names = kt_alloc_array(n, sizeof *names);
    if (!names) return KT_ENOMEM;
    st = name_vars(names, vars, n, false);
    for (int i = 0; i < n && !st; i++) {
        kt_var *v = vars[i];
        st = kt_var_ensure(v);
        if (!st) kt_hdf5_put_data(group, names[i], v->spec.dtype, v->spec.shape, kt_var_data(v));
    }
    if (!st) st = kt_hdf5_put_names(group, "weight_names", (const char *const *)names, n);
    for (int i = 0; i < n; i++) kt_mem_free(names[i]);
    kt_mem_free(names);
    return st;
}

static kt_status put_layer(kt_hdf5_item *group, kt_layer *l) {
    kt_var_list vars = {0}, others = {0};
    kt_status st = kt_layer_collect(l, &vars, &others, true);
    for (int i = 0; i < others.n && !st; i++) st = kt_vec_push(&vars, others.v[i]);
    kt_hdf5_item *own = st ? NULL : kt_hdf5_put_group(group, kt_layer_name(l));
    if (own) st = put_vars(own, vars.v, vars.n);
    kt_vec_free(&vars);
    kt_vec_free(&others);
    return st;
}

static kt_status put_weights(kt_hdf5_item *group, kt_model *m) {
    const int n = kt_model_n_layers(m);
    const char **names = kt_alloc_array(n, sizeof *names);
    if (!names) return KT_ENOMEM;
    kt_status st = KT_OK;
    int n_names = 0;
    for (int i = 0; i < n && !st; i++) {
        kt_layer *l = kt_model_layer(m, i);
        if (!strcmp(l->cls->name, "Operation")) continue; /* no layer in Keras */
        names[n_names++] = kt_layer_name(l);
        st = put_layer(group, l);
    }
    if (!st) st = kt_hdf5_put_names(group, "layer_names", names, n_names);
    if (!st) st = kt_hdf5_put_text(group, "backend", BACKEND, strlen(BACKEND), false);
    if (!st) st = kt_hdf5_put_text(group, "keras_version", KERAS_VERSION, 6, false);
    kt_hdf5_item *top = st ? NULL : kt_hdf5_put_group(group, "top_level_model_weights");
    if (top) st = kt_hdf5_put_names(top, "weight_names", NULL, 0);
    kt_mem_free(names);
    return st;
}

/* All of its variables; before it is built the few it has then. */
static kt_status list_state(kt_var_list *out, kt_model *m, kt_component *opt) {
    kt_status st = KT_OK;
    const bool unbuilt = kt_saves_unbuilt(m);
    for (int i = 0; !unbuilt && i < kt_optimizer_n_vars(opt) && !st; i++)
        st = kt_vec_push(out, kt_optimizer_var(opt, i));
    kt_var *own[4];
    int n = 0;
    if (!st && unbuilt) st = kt_optimizer_own_vars(opt, own, &n);
    for (int i = 0; i < n && !st; i++) st = kt_vec_push(out, own[i]);
    return st;
}

static kt_status put_state(kt_hdf5_item *root, kt_model *m) {
    kt_component *opt = kt_model_of(m)->compiled ? kt_model_of(m)->compiled->optimizer : NULL;
    kt_var_list vars = {0};
    if (!opt) return KT_OK;
    kt_status st = list_state(&vars, m, opt);
    kt_hdf5_item *group = st ? NULL : kt_hdf5_put_group(root, "optimizer_weights");
    if (!st) st = group ? put_vars(group, vars.v, vars.n) : kt_error_last();
    kt_vec_free(&vars);
    return st;
}

static kt_status require_built(const kt_model *m) {
    if (m->built && kt_model_n_layers(m)) return KT_OK;
    return KT_FAIL(KT_ESTATE, "a model without weights cannot be saved: build it first");
}

static kt_status finish(kt_hdf5_writer *w, const char *path, kt_status st) {
    if (!st) st = kt_hdf5_save(w, path);
    kt_hdf5_writer_free(w);
    return st;
}

/* The format has no room for a vocabulary that a layer learnt; Keras leaves it out silently. */
static void warn_of_vocabularies(kt_model *m) {
    for (int i = 0; i < kt_model_n_layers(m); i++) {
        kt_layer *l = kt_model_layer(m, i);
        if (kt_is_model(l)) warn_of_vocabularies(l);
        if (kt_lookup_has_asset(l))
            kt_log(
                "keratin: warning: the vocabulary of layer \"%s\" is not in the file: .h5 keeps "
                "only one that was given as an argument; save as .keras\n",
                kt_layer_name(l));
    }
}

kt_status kt_legacy_save(kt_model *m, const char *path, bool include_optimizer) {
    kt_status st = require_built(m);
    kt_hdf5_writer *w = st ? NULL : kt_hdf5_writer_new();
    if (!w) return st ? st : KT_ENOMEM;
    kt_hdf5_item *root = kt_hdf5_writer_root(w);
    st = kt_hdf5_put_text(root, "keras_version", KERAS_VERSION, 6, true);
    if (!st) st = kt_hdf5_put_text(root, "backend", BACKEND, strlen(BACKEND), true);
    if (!st) st = put_configs(root, m, include_optimizer);
    if (!st) st = put_weights(kt_hdf5_put_group(root, "model_weights"), m);
    if (!st && include_optimizer) st = put_state(root, m);
    st = finish(w, path, st);
    if (!st) warn_of_vocabularies(m);
    return st;
}

kt_status kt_legacy_save_weights(kt_model *m, const char *path) {
    kt_status st = require_built(m);
    kt_hdf5_writer *w = st ? NULL : kt_hdf5_writer_new();
    if (!w) return st ? st : KT_ENOMEM;
    st = put_weights(kt_hdf5_writer_root(w), m);
    return finish(w, path, st);
}
