/* Architectures of old files: Sequential as a list, models with nodes as lists. See legacy.h.
 *
 * What changed from Keras 1 to 3: a Sequential was a list of layers, of which the first says the
 * shape of the input; a node of a functional model was [[layer, node, tensor, kwargs], …], one list
 * per call. Recursion goes as deep as the JSON, whose depth is limited. */
#include "saving/legacy.h"

#include "io/source.h"
#include "saving/configs.h"

#include <stdio.h>
#include <stdlib.h>

kt_legacy_origin kt_legacy_origin_of(const char *keras_version, const char *backend) {
    kt_legacy_origin o = {.major = 1};
    if (keras_version) {
        char *end;
        const long major = strtol(keras_version, &end, 10);
        o.major = major > 0 && major < 100 ? (int)major : 1;
        const long minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
        o.minor = minor > 0 && minor < 1000 ? (int)minor : 0;
    }
    if (backend) snprintf(o.backend, sizeof o.backend, "%s", backend);
    return o;
}

static kt_status read_text(char **out, const char *name, const kt_hdf5_node *const *nodes) {
    size_t n;
    *out = NULL;
    for (int i = 0; i < 2; i++)
        if (nodes[i] && kt_hdf5_has_attr(nodes[i], name))
            return kt_hdf5_attr_text(out, &n, nodes[i], name);
    return KT_OK;
}

kt_status kt_legacy_origin_read(
    kt_legacy_origin *out, const kt_hdf5_node *root, const kt_hdf5_node *weights) {
    const kt_hdf5_node *const nodes[] = {root, weights};
    char *version, *backend = NULL;
    kt_status st = read_text(&version, "keras_version", nodes);
    if (!st) st = read_text(&backend, "backend", nodes);
    *out = kt_legacy_origin_of(version, backend);
    kt_mem_free(version);
    kt_mem_free(backend);
    return st;
}

/* JSON ----------------------------------------------------------------------------------------- */

kt_status kt_legacy_put(kt_json *dict, const char *key, const kt_json *value) {
    kt_json *v = (kt_json *)(uintptr_t)value; /* the count is not part of the value */
    return kt_json_put(dict, key, v ? kt_json_ref(v) : kt_json_new_null());
}

kt_status kt_legacy_copy(kt_json **out, const kt_json *dict) {
    kt_status st = (*out = kt_json_new_dict()) ? KT_OK : KT_FAIL(KT_ENOMEM, "out of memory");
    for (void *it = kt_json_iter(dict); it && !st; it = kt_json_next(dict, it))
        st = kt_legacy_put(*out, kt_json_iter_key(it), kt_json_iter_value(it));
    if (!st) return KT_OK;
    kt_json_free(*out);
    *out = NULL;
    return st;
}

kt_status kt_legacy_wrap(
    kt_json **out, const char *module, const char *class_name, kt_json *config) {
    kt_json *v = *out = kt_json_new_dict();
    kt_status st = v ? KT_OK : KT_FAIL(KT_ENOMEM, "out of memory");
    if (!st) st = kt_json_put(v, "module", module ? kt_json_new_str(module) : kt_json_new_null());
    if (!st) st = kt_json_put(v, "class_name", kt_json_new_str(class_name));
    if (!st)
        st = kt_json_put(v, "config", config); /* takes it over in every case */
    else
        kt_json_free(config);
    if (!st)
        st = kt_json_put(
            v, "registered_name", module ? kt_json_new_null() : kt_json_new_str(class_name));
    if (!st) return KT_OK;
    kt_json_free(v);
    *out = NULL;
    return st;
}

const char *kt_legacy_plain_class(const char *class_name) {
    const char *sign = strrchr(class_name, '>');
    return sign ? sign + 1 : class_name;
}

static kt_status malformed(const char *what) {
    return KT_FAIL(KT_EFORMAT, "the model's configuration: %s", what);
}

/* The entry's class; its config may be a list (Sequential). */
static const char *class_of(const kt_json *entry) {
    const char *name = kt_json_get_text(entry, "class_name");
    return name ? name : "";
}

static bool is_sequential(const char *c) { return !strcmp(c, "Sequential"); }
static bool is_functional(const char *c, const kt_json *config) {
    return !strcmp(c, "Functional") || !strcmp(c, "Model") ||
           (kt_json_is(kt_json_get(config, "layers"), KT_JSON_LIST) &&
            kt_json_get(config, "output_layers"));
}

/* Sequential ----------------------------------------------------------------------------------- */

static const kt_json *layers_of(const kt_json *config) {
    return kt_json_is(config, KT_JSON_LIST) ? config : kt_json_get(config, "layers");
}

/* [null, 28, 28] of the layer that comes first, in whatever wraps it; NULL if nobody says. */
static const kt_json *first_shape(const kt_json *entry, const kt_json **dtype) {
    for (int depth = 0; depth < 64 && entry; depth++) {
        const kt_json *config = kt_json_get(entry, "config");
        const kt_json *shape = kt_json_get(config, "batch_input_shape");
        if (!kt_json_is(shape, KT_JSON_LIST)) shape = kt_json_get(config, "batch_shape");
        *dtype = kt_json_get(config, "dtype");
        if (kt_json_is(shape, KT_JSON_LIST)) return shape;
        const kt_json *inside = kt_json_get(config, "layer");
        entry = inside ? inside : kt_json_at(layers_of(config), 0);
    }
    return NULL;
}

static kt_status add_input(kt_json *layers, const kt_json *first) {
    char name[512];
    const kt_json *dtype = NULL, *shape = first_shape(first, &dtype);
    const char *own = kt_json_get_text(kt_json_get(first, "config"), "name");
    const char *type = kt_json_text(dtype);
    if (!shape || !strcmp(class_of(first), "InputLayer")) return KT_OK;
    kt_json *entry = NULL, *config = kt_json_new_dict();
    snprintf(name, sizeof name, "%.480s_input", own ? own : "layer");
    kt_status st = kt_legacy_put(config, "batch_shape", shape);
    if (!st)
        st = kt_json_put(
            config, "dtype", kt_json_new_str(type && kt_dtype_of(type) ? type : "float32"));
    if (!st) st = kt_json_put(config, "name", kt_json_new_str(name));
    if (st)
        kt_json_free(config);
    else
        st = kt_legacy_wrap(&entry, "keras.layers", "InputLayer", config);
    return st ? st : kt_json_add(layers, entry);
}

static kt_status add_layer(kt_json *layers, const kt_json *entry, const kt_legacy_origin *from) {
    kt_json *layer = NULL;
    const kt_status st = kt_legacy_any(&layer, entry, from);
    return st ? st : kt_json_add(layers, layer);
}

static kt_status fill_sequential(
    kt_json *out, const kt_json *config, const kt_json *old, const kt_legacy_origin *from) {
    kt_json *layers = kt_json_new_list();
    const int n = kt_json_len(old);
    kt_status st = layers ? KT_OK : KT_FAIL(KT_ENOMEM, "out of memory");
    if (!st && from->major < 3 && n) st = add_input(layers, kt_json_at(old, 0));
    for (int i = 0; i < n && !st; i++) st = add_layer(layers, kt_json_at(old, i), from);
    if (st) return kt_json_free(layers), st;
    const kt_json *name = kt_json_get(config, "name"),
                  *trainable = kt_json_get(config, "trainable");
    if (name) st = kt_legacy_put(out, "name", name);
    if (!st && trainable) st = kt_legacy_put(out, "trainable", trainable);
    if (!st && kt_json_get(config, "dtype"))
        st = kt_legacy_put(out, "dtype", kt_json_get(config, "dtype"));
    if (st)
        kt_json_free(layers);
    else
        st = kt_json_put(out, "layers", layers);
    if (!st && kt_json_get(config, "build_input_shape"))
        st = kt_legacy_put(out, "build_input_shape", kt_json_get(config, "build_input_shape"));
    return st;
}

/* A list gets a name, which Keras gave when it was read. */
static kt_status sequential(kt_json **out, const kt_json *entry, const kt_legacy_origin *from) {
    const kt_json *config = kt_json_get(entry, "config"), *old = layers_of(config);
    if (!kt_json_is(old, KT_JSON_LIST)) return malformed("a Sequential without a list of layers");
    if (kt_json_len(old) && !strcmp(class_of(kt_json_at(old, 0)), "Merge"))
        return KT_FAIL(
            KT_EUNSUPPORTED,
            "a Sequential model of Keras 1 that begins with Merge is not supported");
    kt_json *new_config = kt_json_new_dict();
    if (!new_config) return KT_FAIL(KT_ENOMEM, "out of memory");
    const kt_status st = fill_sequential(new_config, config, old, from);
    if (st) return kt_json_free(new_config), st;
    return kt_legacy_wrap(out, "keras", "Sequential", new_config);
}

/* Nodes ---------------------------------------------------------------------------------------- */

/* [name, node, tensor] or [name, node, tensor, kwargs] */
static bool is_tensor(const kt_json *v) {
    const int n = kt_json_len(v);
    return kt_json_is(v, KT_JSON_LIST) && (n == 3 || n == 4) && kt_json_text(kt_json_at(v, 0)) &&
           kt_json_is(kt_json_at(v, 1), KT_JSON_INT) && kt_json_is(kt_json_at(v, 2), KT_JSON_INT);
}

/* {"class_name": "__keras_tensor__", "config": {"keras_history": […]}} */
static kt_status tensor(kt_json **out, const kt_json *v) {
    kt_json *history = kt_json_new_list(), *config = kt_json_new_dict();
    kt_json *t = *out = kt_json_new_dict();
    kt_status st = history && config && t ? KT_OK : KT_FAIL(KT_ENOMEM, "out of memory");
    for (int i = 0; i < 3 && !st; i++) st = kt_json_add(history, kt_json_ref(kt_json_at(v, i)));
    if (!st) {
        st = kt_json_put(config, "keras_history", history);
        history = NULL;
    }
    if (!st) st = kt_json_put(t, "class_name", kt_json_new_str("__keras_tensor__"));
    if (!st) {
        st = kt_json_put(t, "config", config);
        config = NULL;
    }
    if (!st) return KT_OK;
    kt_json_free(history);
    kt_json_free(config);
    kt_json_free(t);
    *out = NULL;
    return st;
}

/* A value with tensors in it, at any depth: initial_state=[["h", 0, 0], ["c", 0, 0]] */
kt_status kt_legacy_value(kt_json **out, const kt_json *v) {
    if (is_tensor(v)) return tensor(out, v);
    if (!kt_json_is(v, KT_JSON_LIST)) {
        *out = kt_json_ref((kt_json *)(uintptr_t)v);
        return KT_OK;
    }
    kt_json *list = *out = kt_json_new_list();
    kt_status st = list ? KT_OK : KT_FAIL(KT_ENOMEM, "out of memory");
    for (int i = 0; i < kt_json_len(v) && !st; i++) {
        kt_json *item = NULL;
        st = kt_legacy_value(&item, kt_json_at(v, i));
        if (!st) st = kt_json_add(list, item);
    }
    if (!st) return KT_OK;
    kt_json_free(list);
    *out = NULL;
    return st;
}

/* What is not None stays; tensors among it become tensors. */
static kt_status add_kwargs(kt_json *kwargs, const kt_json *old) {
    kt_status st = KT_OK;
    for (void *it = kt_json_iter(old); it && !st; it = kt_json_next(old, it)) {
        kt_json *v = NULL;
        if (kt_json_is(kt_json_iter_value(it), KT_JSON_NULL)) continue;
        st = kt_legacy_value(&v, kt_json_iter_value(it));
        if (!st) st = kt_json_put(kwargs, kt_json_iter_key(it), v);
    }
    return st;
}

/* Recurrent layers were called with [x, state, …], which were then inputs like any other. */
static bool takes_states(const char *c) {
    static const char *const names[] = {
        "LSTM", "GRU", "SimpleRNN", "RNN", "CuDNNLSTM", "CuDNNGRU", "ConvLSTM2D", "Bidirectional"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(kt_legacy_plain_class(c), names[i])) return true;
    return false;
}

/* The tensors of a call, from the k-th on, as one tensor or a list. */
static kt_status tensors(kt_json **out, const kt_json *call, int from, bool as_list) {
    const int n = kt_json_len(call);
    if (!as_list) return tensor(out, kt_json_at(call, from));
    kt_json *list = *out = kt_json_new_list();
    kt_status st = list ? KT_OK : KT_FAIL(KT_ENOMEM, "out of memory");
    for (int i = from; i < n && !st; i++) {
        kt_json *t = NULL;
        st = tensor(&t, kt_json_at(call, i));
        if (!st) st = kt_json_add(list, t);
    }
    if (!st) return KT_OK;
    kt_json_free(list);
    *out = NULL;
    return st;
}

static kt_status fill_call(kt_json *node, const char *class_name, const kt_json *call) {
    const int n = kt_json_len(call);
    const bool states = n > 1 && takes_states(class_name);
    kt_json *args = kt_json_new_list(), *kwargs = kt_json_new_dict(), *x = NULL;
    kt_status st = args && kwargs ? KT_OK : KT_FAIL(KT_ENOMEM, "out of memory");
    if (!st) st = tensors(&x, call, 0, n > 1 && !states);
    if (!st) st = kt_json_add(args, x);
    for (int i = 0; i < n && !st; i++) st = add_kwargs(kwargs, kt_json_at(kt_json_at(call, i), 3));
    if (!st && states) {
        st = tensors(&x, call, 1, true);
        if (!st) st = kt_json_put(kwargs, "initial_state", x);
    }
    if (!st) {
        st = kt_json_put(node, "args", args);
        args = NULL;
    }
    if (!st) {
        st = kt_json_put(node, "kwargs", kwargs);
        kwargs = NULL;
    }
    kt_json_free(args);
    kt_json_free(kwargs);
    return st;
}

/* One call: [[name, node, tensor, kwargs], …], or a single one of these (tf.keras from 2.4 on). */
static kt_status add_call(kt_json *nodes, const char *class_name, const kt_json *call) {
    if (kt_json_is(call, KT_JSON_DICT)) /* Keras 3 */
        return kt_json_add(nodes, kt_json_ref((kt_json *)(uintptr_t)call));
    const int n = kt_json_len(call);
    bool good = kt_json_is(call, KT_JSON_LIST) && n > 0;
    for (int i = 0; i < n && good; i++) good = is_tensor(kt_json_at(call, i));
    if (!good)
        return KT_FAIL(
            KT_EUNSUPPORTED, "a call of class %.80s in a form that is not known", class_name);
    kt_json *node = kt_json_new_dict();
    kt_status st = node ? fill_call(node, class_name, call) : KT_FAIL(KT_ENOMEM, "out of memory");
    if (!st) return kt_json_add(nodes, node);
    kt_json_free(node);
    return st;
}

static kt_status add_nodes(kt_json *layer, const kt_json *entry) {
    const kt_json *old = kt_json_get(entry, "inbound_nodes");
    kt_json *nodes = kt_json_new_list();
    kt_status st = nodes ? KT_OK : KT_FAIL(KT_ENOMEM, "out of memory");
    if (!st && old && !kt_json_is(old, KT_JSON_LIST)) st = malformed("inbound_nodes is no list");
    for (int i = 0; i < kt_json_len(old) && !st; i++)
        st = add_call(nodes, class_of(entry), kt_json_at(old, i));
    if (!st) return kt_json_put(layer, "inbound_nodes", nodes);
    kt_json_free(nodes);
    return st;
}

/* Functional ----------------------------------------------------------------------------------- */

/* Keras 3 leaves out the module here too, so that Add may be the layer or the operation; what tells
 * them apart is that every layer says whether it is trainable. (Keras itself takes all for layers
 * and fails.) */
static bool is_operation(const kt_json *entry, const kt_legacy_origin *from) {
    const kt_json *config = kt_json_get(entry, "config");
    return from->major >= 3 && !kt_json_get(entry, "module") && kt_json_is(config, KT_JSON_DICT) &&
           !kt_json_get(config, "trainable") &&
           kt_json_is(kt_json_at(kt_json_get(entry, "inbound_nodes"), 0), KT_JSON_DICT) &&
           kt_is_operation_class(class_of(entry)) && !kt_registered_layer(class_of(entry));
}

static kt_status operation(kt_json **out, const kt_json *entry) {
    kt_json *config = (kt_json *)(uintptr_t)kt_json_get(entry, "config"); /* shared, not changed */
    return kt_legacy_wrap(out, "keras.ops", class_of(entry), kt_json_ref(config));
}

static kt_status add_functional_layer(
    kt_json *layers, const kt_json *entry, const kt_legacy_origin *from) {
    kt_json *layer = NULL;
    const kt_json *name = kt_json_get(entry, "name");
    const bool op = kt_legacy_is_op(entry);
    kt_status st = op                          ? kt_legacy_op(&layer, entry)
                   : is_operation(entry, from) ? operation(&layer, entry)
                                               : kt_legacy_any(&layer, entry, from);
    if (!st && name) st = kt_legacy_put(layer, "name", name);
    if (!st && !op) st = add_nodes(layer, entry);
    if (!st) return kt_json_add(layers, layer);
    char quoted[KT_QUOTE_SIZE];
    const char *text = kt_json_text(name);
    if (text)
        kt_error_context("in layer \"%s\"", kt_quote(text, strlen(text), quoted, sizeof quoted));
    kt_json_free(layer);
    return st;
}

static kt_status functional(kt_json **out, const kt_json *entry, const kt_legacy_origin *from) {
    static const char *const keep[] = {"name", "trainable", "dtype"};
    static const char *const ends[] = {"input_layers", "output_layers"};
    const kt_json *config = kt_json_get(entry, "config"), *old = kt_json_get(config, "layers");
    if (!kt_json_is(old, KT_JSON_LIST)) return malformed("a model without a list of layers");
    kt_json *c = kt_json_new_dict(), *layers = kt_json_new_list();
    kt_status st = c && layers ? KT_OK : KT_FAIL(KT_ENOMEM, "out of memory");
    for (int i = 0; i < 3 && !st; i++)
        if (kt_json_get(config, keep[i]))
            st = kt_legacy_put(c, keep[i], kt_json_get(config, keep[i]));
    for (int i = 0; i < kt_json_len(old) && !st; i++)
        st = add_functional_layer(layers, kt_json_at(old, i), from);
    if (!st) {
        st = kt_json_put(c, "layers", layers);
        layers = NULL;
    }
    for (int i = 0; i < 2 && !st; i++) st = kt_legacy_put(c, ends[i], kt_json_get(config, ends[i]));
    if (!st) return kt_legacy_wrap(out, "keras.src.models.functional", "Functional", c);
    kt_json_free(layers);
    kt_json_free(c);
    return st;
}

kt_status kt_legacy_any(kt_json **out, const kt_json *entry, const kt_legacy_origin *from) {
    const char *c = class_of(entry);
    *out = NULL;
    if (!kt_json_is(entry, KT_JSON_DICT) || !*c) return malformed("a layer without a class_name");
    if (is_sequential(c)) return sequential(out, entry, from);
    if (is_functional(c, kt_json_get(entry, "config"))) return functional(out, entry, from);
    return kt_legacy_layer(out, entry, from);
}

kt_status kt_legacy_model(kt_json **out, const kt_json *model, const kt_legacy_origin *from) {
    return kt_legacy_any(out, model, from);
}
