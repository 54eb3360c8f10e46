/* Models from JSON: Sequential, Functional (Keras 3's form), compile.
 *
 * The calls of a functional model are made in any order that works: a call that still waits for a
 * tensor goes on the list of the layer it waits for and is looked at again when that one has been
 * called, so the work is linear in the file's size and cycles come out as calls never made. */
#include "base/error.h"
#include "base/mem.h"
#include "io/source.h"
#include "nn/layers/operation.h"
#include "saving/configs.h"
#include "tensor/tensor.h"

#include <keratin/layers.h>

#include <stdlib.h>
#include <string.h>

/* Inputs --------------------------------------------------------------------------------------- */

static kt_sym *read_input(kt_reader *r, const kt_json *config) {
    kt_shape s;
    const kt_json *shape = kt_json_get(config, "batch_shape");
    if (!shape) shape = kt_json_get(config, "batch_input_shape");
    kt_input_args a = {.size = sizeof a, .name = kt_json_get_text(config, "name")};
    kt_status st = kt_read_shape(&s, shape, "batch_shape");
    if (st == KT_OK) st = kt_read_optional(config, "name", KT_JSON_STR);
    if (st == KT_OK) st = kt_read_optional(config, "sparse", KT_JSON_BOOL);
    if (st == KT_OK) st = kt_read_optional(config, "ragged", KT_JSON_BOOL);
    if (st == KT_OK) st = kt_read_optional(config, "optional", KT_JSON_BOOL);
    if (st == KT_OK) st = kt_read_dtype(config, &a.dtype);
    if (st == KT_OK && s.ndim < 1) st = KT_FAIL(KT_EFORMAT, "batch_shape: there is no batch axis");
    if (st) return kt_fail_object(st);
    if (a.name && (!*a.name || strchr(a.name, '/')))
        return kt_fail_object(KT_FAIL(KT_EFORMAT, "name: expected a text without \"/\""));
    a.batch_size = s.dim[0];
    a.sparse = kt_json_bool(kt_json_get(config, "sparse"));
    for (int i = 1; i < s.ndim; i++) a.shape[i - 1] = s.dim[i];
    if (s.ndim == 1) a.shape[0] = KT_SCALAR;
    for (int i = 1; i < s.ndim; i++)
        if (s.dim[i] == 0) return kt_fail_object(KT_FAIL(KT_EFORMAT, "batch_shape: a length of 0"));
    return kt_reader_keep(r, kt_input_new(&a));
}

static bool is_input(const kt_json *entry) {
    const char *name = kt_json_get_text(entry, "class_name");
    return name && !strcmp(name, "InputLayer");
}

/* Sequential ----------------------------------------------------------------------------------- */

static kt_status read_trainable(const kt_json *config) {
    const kt_json *v = kt_json_get(config, "trainable");
    if (!v || kt_json_is(v, KT_JSON_BOOL)) return KT_OK;
    return kt_read_type_error("trainable", "true or false", v);
}

static kt_model *make_sequential(
    kt_reader *r, const kt_json *config, kt_layer *const *layers, int n, kt_sym *in) {
    const kt_json *trainable = kt_json_get(config, "trainable");
    kt_sequential_args a = {.size = sizeof a, .trainable = true};
    const void **items = kt_arena_alloc(r->arena, sizeof *items * (size_t)(n + 2));
    int at = 0;
    if (!items) return kt_fail_object(KT_ENOMEM);
    if (in) items[at++] = in;
    for (int i = 0; i < n; i++) items[at++] = layers[i];
    a.name = kt_json_get_text(config, "name");
    a.trainable = !trainable || kt_json_bool(trainable);
    const kt_status st = kt_read_dtype(config, &a.dtype);
    if (st) return kt_fail_object(st);
    kt_list_t *list = kt_reader_keep(r, kt_list_of(at, items));
    if (kt_failed(list)) return kt_fail_object(kt_check(list));
    a.layers = at ? list : NULL;
    return kt_reader_keep(r, kt_sequential_new(&a));
}

kt_model *kt_read_sequential(kt_reader *r, const kt_json *config) {
    const kt_json *list = kt_json_get(config, "layers");
    const int n = kt_json_len(list);
    kt_sym *in = NULL;
    int at = 0;
    if (!kt_json_is(list, KT_JSON_LIST))
        return kt_fail_object(kt_read_type_error("layers", "a list", list));
    kt_status st = kt_read_optional(config, "name", KT_JSON_STR);
    if (st == KT_OK) st = read_trainable(config);
    if (st == KT_OK) st = kt_read_built(config, "build_input_shape");
    if (st) return kt_fail_object(st);
    kt_layer **layers = kt_arena_alloc(r->arena, sizeof *layers * (size_t)(n + 1));
    if (!layers) return kt_fail_object(KT_ENOMEM);
    for (int i = 0; i < n; i++) {
        const kt_json *entry = kt_json_at(list, i), *inner = kt_json_get(entry, "config");
        if (is_input(entry) && i == 0) {
            const char *class_name;
            st = kt_read_head(entry, &class_name, &inner);
            in = st ? kt_fail_object(st) : read_input(r, inner);
            if (kt_failed(in)) {
                kt_error_context("in InputLayer");
                return kt_fail_object(kt_check(in));
            }
            continue;
        }
        if (i == 0 && kt_json_get(inner, "batch_input_shape")) {
            in = kt_reader_keep(r, kt_input(.batch_size = KT_NONE));
            in = read_input(r, inner);
        }
        layers[at] = kt_read_layer(r, entry);
        if (kt_failed(layers[at++])) return kt_fail_object(kt_check(layers[at - 1]));
    }
    /* A model that was built on data has its shape beside the layers. */
    const kt_json *shape = kt_json_get(config, "build_input_shape");
    if (!in && shape && kt_json_is(shape, KT_JSON_LIST) && at) {
        kt_shape s;
        kt_input_args a = {.size = sizeof a};
        st = kt_read_shape(&s, shape, "build_input_shape");
        if (st) return kt_fail_object(st);
        a.batch_size = s.ndim ? s.dim[0] : KT_NONE;
        for (int i = 1; i < s.ndim; i++) a.shape[i - 1] = s.dim[i];
        if (s.ndim == 1) a.shape[0] = KT_SCALAR;
        in = kt_reader_keep(r, kt_input_new(&a));
        if (kt_failed(in)) return kt_fail_object(kt_check(in));
    }
    return make_sequential(r, config, layers, at, in);
}

/* Functional ----------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    const kt_json *entry, *nodes;
    kt_layer *layer; ///< NULL for operations
    int first;       ///< of its calls
    int n_nodes;
    int from[2];            ///< of models: what the first call is called in calls, and at the ends
    unsigned char *seen[2]; ///< of models: which calls (and one more) are named there
} entry;

typedef struct {
    int entry, index;
    kt_sym *out;      ///< NULL until called
    int waiting;      ///< first call that waits for this one, -1
    int next_waiting; ///< of those that wait for the same
} call;

typedef struct {
    kt_reader *r;
    int n, n_calls;
    entry *v;
    int *by_name; ///< entries sorted by name
    call *calls;
    int *queue, head, queued; ///< a ring: a call waits, or stands here, once
    int missing;              ///< the call that `find` did not have
    bool old;                 ///< tensors have no dtype: rewritten from Keras 1 or 2
} graph;

static void enqueue(graph *g, int at) { g->queue[(g->head + g->queued++) % g->n_calls] = at; }

static int compare_names(const void *a, const void *b, void *data) {
    const graph *g = data;
    return strcmp(g->v[*(const int *)a].name, g->v[*(const int *)b].name);
}

static int find_entry(const graph *g, const char *name) {
    int low = 0, high = g->n - 1;
    while (low <= high) {
        const int mid = (low + high) / 2, c = strcmp(g->v[g->by_name[mid]].name, name);
        if (!c) return g->by_name[mid];
        if (c < 0)
            low = mid + 1;
        else
            high = mid - 1;
    }
    return -1;
}

enum { IN_CALLS, AT_ENDS };

/* [layer name, call, output] */
static kt_status read_history(const graph *g, const kt_json *h, int where, int *at, int *index) {
    const char *name = kt_json_text(kt_json_at(h, 0));
    const kt_json *node = kt_json_at(h, 1), *tensor = kt_json_at(h, 2);
    char text[KT_QUOTE_SIZE];
    if (!name || !kt_json_is(node, KT_JSON_INT) || !kt_json_is(tensor, KT_JSON_INT))
        return kt_read_type_error("keras_history", "[layer name, call, output]", h);
    const int e = find_entry(g, name);
    if (e < 0)
        return KT_FAIL(
            KT_EFORMAT,
            "there is no layer \"%s\"",
            kt_quote(name, strlen(name), text, sizeof text));
    const int64_t k = kt_json_int(node) - g->v[e].from[where];
    *index = (int)kt_json_int(tensor);
    if (k < 0 || k >= g->v[e].n_nodes)
        return KT_FAIL(
            KT_EFORMAT,
            "layer \"%s\" has no call %lld",
            kt_quote(name, strlen(name), text, sizeof text),
            (long long)kt_json_int(node));
    if (kt_json_int(tensor) < 0 || kt_json_int(tensor) >= KT_MAX_TENSORS)
        return KT_FAIL(KT_EFORMAT, "output %lld of a call", (long long)kt_json_int(tensor));
    *at = g->v[e].first + (int)k;
    return KT_OK;
}

static kt_sym *output_of(const graph *g, int at, int index) {
    kt_sym *y = g->calls[at].out;
    const int n = y->node ? y->node->n_out : 1;
    if (index >= n)
        return kt_fail_object(KT_FAIL(
            KT_EFORMAT, "layer \"%.60s\" has %d outputs", g->v[g->calls[at].entry].name, n));
    if (index == y->index || !y->node) return y;
    return kt_reader_keep(g->r, kt_item(y, index));
}

/* For calls: all their tensors are there, the wait is over. */
static kt_sym *find_tensor(void *data, const kt_json *v) {
    graph *g = data;
    int at, index;
    const kt_json *h = kt_json_get(kt_json_get(v, "config"), "keras_history");
    const kt_status st = read_history(g, h, IN_CALLS, &at, &index);
    if (st) return kt_fail_object(st);
    if (!g->calls[at].out)
        return kt_fail_object(KT_FAIL(KT_EFORMAT, "a tensor is used before it is made"));
    return output_of(g, at, index);
}

/* The first tensor below v that is not there yet into g->missing. Depth is that of the JSON. */
static kt_status look_for(graph *g, const kt_json *v) {
    kt_status st = KT_OK;
    if (g->missing >= 0) return KT_OK;
    if (kt_is_keras_tensor(v)) {
        int at, index;
        const kt_json *h = kt_json_get(kt_json_get(v, "config"), "keras_history");
        st = read_history(g, h, IN_CALLS, &at, &index);
        if (st == KT_OK && !g->calls[at].out) g->missing = at;
        return st;
    }
    if (kt_json_is(v, KT_JSON_LIST))
        for (int i = 0; i < kt_json_len(v) && st == KT_OK; i++) st = look_for(g, kt_json_at(v, i));
    if (kt_json_is(v, KT_JSON_DICT))
        for (void *it = kt_json_iter(v); it && st == KT_OK; it = kt_json_next(v, it))
            st = look_for(g, kt_json_iter_value(it));
    return st;
}

/* Calls of layers ------------------------------------------------------------------------------ */

typedef struct {
    int n;
    const void *v[KT_OP_MAX_IN];
} tensors;

typedef kt_status on_leaf(graph *g, void *data, const kt_json *leaf);
static kt_status each_leaf(graph *g, const kt_json *v, on_leaf *f, void *data);

/* What dicts hold comes in the order of their keys, as Keras flattens them. */
static kt_status each_of_dict(graph *g, const kt_json *v, on_leaf *f, void *data) {
    kt_status st = KT_OK;
    const char *last = NULL;
    if (kt_json_len(v) > 8 * KT_OP_MAX_IN) /* sorting them is quadratic */
        return KT_FAIL(KT_ELIMIT, "a dict of %d tensors", kt_json_len(v));
    for (int k = 0; k < kt_json_len(v) && st == KT_OK; k++) {
        const char *next = NULL;
        for (void *it = kt_json_iter(v); it; it = kt_json_next(v, it)) {
            const char *key = kt_json_iter_key(it);
            if (last && strcmp(key, last) <= 0) continue;
            if (!next || strcmp(key, next) < 0) next = key;
        }
        st = each_leaf(g, kt_json_get(v, next), f, data);
        last = next;
    }
    return st;
}

/* What stands in lists and dicts, at any depth of the JSON. */
static kt_status each_leaf(graph *g, const kt_json *v, on_leaf *f, void *data) {
    kt_status st = KT_OK;
    if (kt_json_is(v, KT_JSON_DICT) && !kt_json_get(v, "class_name"))
        return each_of_dict(g, v, f, data);
    if (!kt_json_is(v, KT_JSON_LIST)) return f(g, data, v);
    for (int i = 0; i < kt_json_len(v) && st == KT_OK; i++)
        st = each_leaf(g, kt_json_at(v, i), f, data);
    return st;
}

typedef struct {
    tensors *t;
    const char *what;
} target;

static kt_status take_tensor(graph *g, void *data, const kt_json *v) {
    const target *to = data;
    if (kt_json_kind(v) == KT_JSON_NULL) return KT_OK;
    if (!kt_is_keras_tensor(v)) return kt_read_type_error(to->what, "tensors", v);
    if (to->t->n == KT_OP_MAX_IN) return KT_FAIL(KT_ELIMIT, "more than %d tensors", KT_OP_MAX_IN);
    kt_sym *s = find_tensor(g, v);
    if (kt_failed(s)) return kt_check(s);
    to->t->v[to->t->n++] = s;
    return KT_OK;
}

static kt_status take_tensors(graph *g, tensors *t, const kt_json *v, const char *what) {
    return each_leaf(g, v, take_tensor, &(target){t, what});
}

static kt_list_t *list_of(graph *g, const tensors *t) {
    return kt_reader_keep(g->r, kt_list_of(t->n, t->v));
}

typedef struct {
    tensors in, mask, attention, state;
    int noted_training;
    bool scores, causal;
} call_arguments;

/* One mask, or null (kt_none) where an input has none. */
static kt_status take_mask(graph *g, void *data, const kt_json *v) {
    tensors *mask = data;
    if (kt_json_kind(v) != KT_JSON_NULL) return take_tensors(g, mask, v, "mask");
    if (mask->n == KT_OP_MAX_IN) return KT_FAIL(KT_ELIMIT, "too many masks");
    mask->v[mask->n++] = kt_none;
    return KT_OK;
}

/* In the structure of the inputs; without any tensor in it nothing is said. */
static kt_status take_masks(graph *g, call_arguments *c, const kt_json *v) {
    const kt_status st = each_leaf(g, v, take_mask, &c->mask);
    for (int i = 0; i < c->mask.n && st == KT_OK; i++)
        if (c->mask.v[i] != (const void *)kt_none) return KT_OK;
    c->mask.n = 0;
    return st;
}

static kt_status take_switch(bool *out, const kt_json *v, const char *key) {
    if (!kt_json_is(v, KT_JSON_BOOL)) return kt_read_type_error(key, "true or false", v);
    *out = kt_json_bool(v);
    return KT_OK;
}

/* query_mask, value_mask, key_mask of attention: in that order. */
static kt_status take_named_mask(graph *g, call_arguments *c, int at, const kt_json *v) {
    while (c->mask.n <= at) c->mask.v[c->mask.n++] = kt_none;
    tensors one = {0};
    const kt_status st = take_tensors(g, &one, v, "mask");
    if (st == KT_OK && one.n == 1) c->mask.v[at] = one.v[0];
    return st;
}

static kt_status take_kwarg(graph *g, call_arguments *c, const char *key, const kt_json *v) {
    static const char *const inputs[] = {
        "inputs", "sequence", "sequences", "x", "query", "value", "key", NULL};
    static const char *const masks[] = {"query_mask", "value_mask", "key_mask"};
    if (kt_json_kind(v) == KT_JSON_NULL) return KT_OK;
    if (!strcmp(key, "training")) {
        bool on = false;
        const kt_status st = take_switch(&on, v, key);
        c->noted_training = on;
        return st;
    }
    if (!strcmp(key, "use_causal_mask")) return take_switch(&c->causal, v, key);
    if (!strcmp(key, "return_attention_scores")) return take_switch(&c->scores, v, key);
    if (!strcmp(key, "mask")) return take_masks(g, c, v);
    if (!strcmp(key, "count_weights")) return take_tensors(g, &c->in, v, key); /* a second input */
    if (!strcmp(key, "attention_mask")) return take_tensors(g, &c->attention, v, key);
    if (!strcmp(key, "initial_state")) return take_tensors(g, &c->state, v, key);
    for (int i = 0; i < 3; i++)
        if (!strcmp(masks[i], key)) return take_named_mask(g, c, i, v);
    for (int i = 0; inputs[i]; i++)
        if (!strcmp(inputs[i], key)) return take_tensors(g, &c->in, v, key);
    if (kt_json_is(v, KT_JSON_BOOL) && !kt_json_bool(v)) return KT_OK;
    return KT_FAIL(KT_EUNSUPPORTED, "argument \"%.40s\" of a call is not supported", key);
}

/* The tensors of a dict under their names, for layers that take one. */
static kt_ref dict_of(graph *g, const kt_json *v) {
    const void *items[2 * KT_OP_MAX_IN + 1];
    int n = 0;
    for (void *it = kt_json_iter(v); it; it = kt_json_next(v, it)) {
        const kt_json *leaf = kt_json_iter_value(it);
        if (!kt_is_keras_tensor(leaf))
            return kt_fail_object(kt_read_type_error(kt_json_iter_key(it), "a tensor", leaf));
        if (n == 2 * KT_OP_MAX_IN)
            return kt_fail_object(KT_FAIL(KT_ELIMIT, "more than %d tensors", KT_OP_MAX_IN));
        kt_sym *s = find_tensor(g, leaf);
        if (kt_failed(s)) return s;
        items[n++] = kt_json_iter_key(it);
        items[n++] = s;
    }
    items[n] = kt_list_end;
    return kt_reader_keep(g->r, kt_dict_new(items));
}

static kt_sym *call_layer(graph *g, const entry *e, const kt_json *node) {
    const kt_json *kwargs = kt_json_get(node, "kwargs");
    call_arguments c = {.noted_training = KT_AUTO};
    kt_status st = take_tensors(g, &c.in, kt_json_get(node, "args"), "args");
    for (void *it = kt_json_iter(kwargs); it && st == KT_OK; it = kt_json_next(kwargs, it))
        st = take_kwarg(g, &c, kt_json_iter_key(it), kt_json_iter_value(it));
    if (st == KT_OK && !c.in.n) st = KT_FAIL(KT_EFORMAT, "a call without tensors");
    if (st) return kt_fail_object(st);
    kt_call_args a = {
        .size = sizeof a,
        .layer = e->layer,
        .inputs = c.in.v[0],
        .training = KT_AUTO,
        .use_causal_mask = c.causal,
        .return_attention_scores = c.scores};
    if (c.in.n > 1) a.inputs = list_of(g, &c.in);
    const kt_json *first = kt_json_at(kt_json_get(node, "args"), 0);
    if (e->layer->cls->input_keys && kt_json_is(first, KT_JSON_DICT) && !kt_is_keras_tensor(first))
        a.inputs = dict_of(g, first);
    if (kt_failed(a.inputs)) return kt_fail_object(kt_check(a.inputs));
    if (c.mask.n) a.mask = c.mask.n > 1 ? list_of(g, &c.mask) : c.mask.v[0];
    if (c.attention.n) a.attention_mask = c.attention.v[0];
    if (c.state.n) a.initial_state = list_of(g, &c.state);
    kt_sym *y = kt_reader_keep(g->r, kt_call_with(&a));
    if (kt_failed(y) || !y->node) return y;
    y->node->noted_training = c.noted_training;
    const bool more = c.noted_training != KT_AUTO || c.causal || c.scores || c.attention.n ||
                      c.state.n; /* null says nothing */
    y->node->said = c.mask.n || (more && !kt_json_get(kwargs, "mask"));
    return y;
}

/* The graph ------------------------------------------------------------------------------------ */

static kt_status entry_error(const entry *e, kt_status st) {
    char a[KT_QUOTE_SIZE], b[KT_QUOTE_SIZE];
    const char *class_name = kt_json_get_text(e->entry, "class_name");
    if (!class_name) class_name = "?";
    kt_error_context(
        "in layer \"%s\" (%s)",
        kt_quote(e->name, strlen(e->name), a, sizeof a),
        kt_quote(class_name, strlen(class_name), b, sizeof b));
    return st;
}

static kt_status make_call(graph *g, int at) {
    call *c = &g->calls[at];
    const entry *e = &g->v[c->entry];
    const kt_json *node = kt_json_at(e->nodes, c->index);
    g->missing = c->index && !g->calls[at - 1].out ? at - 1 : -1; /* calls come in their order */
    kt_status st = look_for(g, kt_json_get(node, "args"));
    if (st == KT_OK) st = look_for(g, kt_json_get(node, "kwargs"));
    if (st) return entry_error(e, st);
    if (g->missing >= 0) {
        c->next_waiting = g->calls[g->missing].waiting;
        g->calls[g->missing].waiting = at;
        return KT_OK;
    }
    c->out = e->layer ? call_layer(g, e, node)
                      : kt_read_operation(g->r, e->entry, node, find_tensor, g);
    if (kt_failed(c->out)) {
        st = kt_check(c->out);
        c->out = NULL;
        return e->layer && kt_error_last() == st ? st : entry_error(e, st);
    }
    for (int w = c->waiting, next; w >= 0; w = next) {
        next = g->calls[w].next_waiting;
        enqueue(g, w);
    }
    c->waiting = -1;
    return KT_OK;
}

/* A call is looked at once for each tensor that it waits for: there must not be many. */
static int count_tensors(const kt_json *v, int most) {
    int n = kt_is_keras_tensor(v);
    if (n) return n;
    if (kt_json_is(v, KT_JSON_LIST))
        for (int i = 0; i < kt_json_len(v) && n <= most; i++)
            n += count_tensors(kt_json_at(v, i), most - n);
    if (kt_json_is(v, KT_JSON_DICT))
        for (void *it = kt_json_iter(v); it && n <= most; it = kt_json_next(v, it))
            n += count_tensors(kt_json_iter_value(it), most - n);
    return n;
}

static kt_status check_nodes(const entry *e) {
    const int most = 8 * KT_OP_MAX_IN;
    for (int i = 0; i < kt_json_len(e->nodes); i++)
        if (count_tensors(kt_json_at(e->nodes, i), most) > most)
            return KT_FAIL(KT_ELIMIT, "a call of more than %d tensors", most);
    return KT_OK;
}

static kt_status add_entry(graph *g, const kt_json *v) {
    entry *e = &g->v[g->n];
    const kt_json *config = kt_json_get(v, "config");
    const char *module = kt_json_get_text(v, "module");
    *e = (entry){.entry = v, .nodes = kt_json_get(v, "inbound_nodes"), .first = g->n_calls};
    e->name = kt_json_get_text(v, "name");
    if (!e->name) e->name = kt_json_get_text(config, "name");
    if (!kt_json_is(v, KT_JSON_DICT)) return kt_read_type_error("layers", "descriptions", v);
    if (!e->name) return kt_read_type_error("name", "a string", kt_json_get(v, "name"));
    g->n++;
    if (e->nodes && !kt_json_is(e->nodes, KT_JSON_LIST))
        return entry_error(e, kt_read_type_error("inbound_nodes", "a list", e->nodes));
    if (is_input(v)) {
        const char *class_name;
        const kt_status st = kt_read_head(v, &class_name, &config);
        kt_sym *in = st ? kt_fail_object(st) : read_input(g->r, config);
        if (kt_failed(in)) return entry_error(e, kt_check(in));
        e->n_nodes = 1;
        g->calls[g->n_calls++] = (call){.entry = g->n - 1, .out = in, .waiting = -1};
        e->layer = in->node->layer;
        if (strcmp(kt_layer_name(e->layer), e->name) != 0)
            return entry_error(e, KT_FAIL(KT_EFORMAT, "the config has another name"));
        return KT_OK;
    }
    if (!module || !kt_is_operation_module(module)) {
        e->layer = kt_read_layer(g->r, v);
        if (kt_failed(e->layer)) return kt_check(e->layer);
        if (strcmp(kt_layer_name(e->layer), e->name) != 0)
            return entry_error(e, KT_FAIL(KT_EFORMAT, "the config has another name"));
    } else if (!kt_json_get_text(v, "class_name")) {
        return entry_error(e, kt_read_type_error("class_name", "a string", NULL));
    }
    e->n_nodes = kt_json_len(e->nodes);
    const kt_status st = check_nodes(e);
    if (st) return entry_error(e, st);
    if (!e->layer && e->n_nodes > 1)
        return entry_error(e, KT_FAIL(KT_EUNSUPPORTED, "an operation that is called twice"));
    for (int i = 0; i < e->n_nodes; i++)
        g->calls[g->n_calls++] = (call){.entry = g->n - 1, .index = i, .waiting = -1};
    return KT_OK;
}

static kt_status open_graph(graph *g, const kt_json *layers) {
    const int n = kt_json_len(layers);
    int64_t calls = 0;
    for (int i = 0; i < n; i++)
        calls += 1 + kt_json_len(kt_json_get(kt_json_at(layers, i), "inbound_nodes"));
    if (n > 100000 || calls > 1000000)
        return KT_FAIL(KT_ELIMIT, "%d layers with %lld calls", n, (long long)calls);
    kt_arena *a = g->r->arena;
    g->v = kt_arena_alloc(a, sizeof *g->v * (size_t)(n + 1));
    g->by_name = kt_arena_alloc(a, sizeof(int) * (size_t)(n + 1));
    g->calls = kt_arena_alloc(a, sizeof *g->calls * (size_t)(calls + 1));
    g->queue = kt_arena_alloc(a, sizeof(int) * (size_t)(calls + 1));
    kt_status st = g->v && g->by_name && g->calls && g->queue ? KT_OK : KT_ENOMEM;
    for (int i = 0; i < n && st == KT_OK; i++) st = add_entry(g, kt_json_at(layers, i));
    for (int i = 0; i < g->n; i++) g->by_name[i] = i;
    if (st == KT_OK) qsort_r(g->by_name, (size_t)g->n, sizeof(int), compare_names, g);
    for (int i = 1; i < g->n && st == KT_OK; i++)
        if (!strcmp(g->v[g->by_name[i]].name, g->v[g->by_name[i - 1]].name))
            st = entry_error(
                &g->v[g->by_name[i]], KT_FAIL(KT_EFORMAT, "two layers have this name"));
    return st;
}

/* Numbers of calls ----------------------------------------------------------------------------- */

/* Which call a number means depends on who wrote it. A functional model had a call of its own, from
 * its inputs to its outputs, before anybody called it. Keras 1 and 2 count that one, and for some
 * Sequential models as well; Keras 3 counts it at the ends of a model, not in calls. Every call is
 * named somewhere, or it would not be in the file: that tells. */

static bool is_history(const kt_json *v) {
    return kt_json_is(v, KT_JSON_LIST) && kt_json_len(v) == 3 && kt_json_text(kt_json_at(v, 0));
}

static void note_call(graph *g, const kt_json *h, int where) {
    const kt_json *node = kt_json_at(h, 1);
    const int e = is_history(h) ? find_entry(g, kt_json_text(kt_json_at(h, 0))) : -1;
    if (e < 0 || !g->v[e].seen[where] || !kt_json_is(node, KT_JSON_INT)) return;
    const int64_t k = kt_json_int(node);
    if (k >= 0 && k <= g->v[e].n_nodes) g->v[e].seen[where][k] = 1;
}

/* Depth is that of the JSON. */
static void note_calls(graph *g, const kt_json *v, int where) {
    const kt_json *h = where == AT_ENDS ? v
                                        : kt_json_get(kt_json_get(v, "config"), "keras_history");
    if (where == AT_ENDS ? is_history(v) : kt_is_keras_tensor(v)) {
        g->old = g->old || (where == IN_CALLS && !kt_json_get(kt_json_get(v, "config"), "dtype"));
        note_call(g, h, where);
    } else if (kt_json_is(v, KT_JSON_LIST)) {
        for (int i = 0; i < kt_json_len(v); i++) note_calls(g, kt_json_at(v, i), where);
    } else if (kt_json_is(v, KT_JSON_DICT)) {
        for (void *it = kt_json_iter(v); it; it = kt_json_next(v, it))
            note_calls(g, kt_json_iter_value(it), where);
    }
}

static bool names_every_call(const entry *e, int in_calls, int at_ends) {
    for (int k = 0; k < e->n_nodes; k++)
        if (!e->seen[IN_CALLS][k + in_calls] && !e->seen[AT_ENDS][k + at_ends]) return false;
    return !(in_calls && e->seen[IN_CALLS][0]) && !(at_ends && e->seen[AT_ENDS][0]);
}

static kt_status number_calls(graph *g, const kt_json *config) {
    int models = 0;
    for (int i = 0; i < g->n; i++) {
        entry *e = &g->v[i];
        if (!e->layer || !kt_is_model(e->layer)) continue;
        models++;
        for (int k = 0; k < 2; k++) {
            e->seen[k] = kt_arena_alloc(g->r->arena, (size_t)e->n_nodes + 1);
            if (!e->seen[k]) return KT_ENOMEM;
            memset(e->seen[k], 0, (size_t)e->n_nodes + 1);
        }
    }
    for (int i = 0; models && i < g->n; i++) note_calls(g, g->v[i].nodes, IN_CALLS);
    if (models) note_calls(g, kt_json_get(config, "output_layers"), AT_ENDS);
    for (int i = 0; i < g->n; i++) {
        entry *e = &g->v[i];
        if (!e->seen[0]) continue;
        const bool functional = !kt_model_of(e->layer)->is_sequential;
        const bool ends = functional && !g->old && names_every_call(e, 0, 1);
        const bool both = !ends && (g->old || !names_every_call(e, 0, 0)) &&
                          names_every_call(e, 1, 1);
        e->from[IN_CALLS] = both;
        e->from[AT_ENDS] = ends || both;
    }
    return KT_OK;
}

static kt_status run_graph(graph *g) {
    kt_status st = KT_OK;
    for (int i = 0; i < g->n_calls; i++)
        if (!g->calls[i].out) enqueue(g, i);
    while (g->queued && st == KT_OK) {
        const int at = g->queue[g->head];
        g->head = (g->head + 1) % g->n_calls;
        g->queued--;
        st = make_call(g, at);
    }
    for (int i = 0; i < g->n_calls && st == KT_OK; i++)
        if (!g->calls[i].out)
            st = entry_error(
                &g->v[g->calls[i].entry],
                KT_FAIL(KT_EFORMAT, "a call waits for itself: the layers form a circle"));
    return st;
}

/* Ends ----------------------------------------------------------------------------------------- */

static kt_status take_end(graph *g, const kt_json *h, bool inputs, const void **out) {
    int at, index;
    kt_status st = read_history(g, h, AT_ENDS, &at, &index);
    if (st) return st;
    const entry *from = &g->v[g->calls[at].entry];
    if (inputs && !is_input(from->entry))
        return entry_error(from, KT_FAIL(KT_EFORMAT, "an input that is no InputLayer"));
    *out = g->calls[at].out ? output_of(g, at, index) : NULL;
    return *out ? kt_check(*out) : KT_FAIL(KT_EFORMAT, "a tensor that is never made");
}

/* [layer, call, output], or a list or dict of what may be any of these. */
static kt_status read_ends(graph *g, const kt_json *v, bool inputs, int depth, const void **out) {
    const bool dict = kt_json_is(v, KT_JSON_DICT);
    const int n = kt_json_len(v);
    kt_status st = KT_OK;
    if (is_history(v) || (!dict && !kt_json_is(v, KT_JSON_LIST)))
        return take_end(g, v, inputs, out);
    if (n > KT_MAX_TENSORS || depth > 32)
        return KT_FAIL(KT_ELIMIT, "more than %d tensors", KT_MAX_TENSORS);
    const void **items = kt_arena_alloc(g->r->arena, sizeof *items * (size_t)(2 * n + 1));
    if (!items) return KT_ENOMEM;
    void *it = dict ? kt_json_iter(v) : NULL;
    int at = 0;
    for (int i = 0; i < n && st == KT_OK; i++) {
        const kt_json *item = dict ? kt_json_iter_value(it) : kt_json_at(v, i);
        if (dict) items[at++] = kt_json_iter_key(it);
        st = read_ends(g, item, inputs, depth + 1, &items[at++]);
        if (dict) it = kt_json_next(v, it);
    }
    if (st) return st;
    items[at] = kt_list_end;
    *out = kt_reader_keep(g->r, dict ? kt_dict_new(items) : kt_list_of(at, items));
    return kt_check(*out);
}

static kt_model *close_graph(graph *g, const kt_json *config) {
    static const char *const keys[] = {"input_layers", "output_layers"};
    const kt_json *trainable = kt_json_get(config, "trainable");
    kt_functional_args a = {.size = sizeof a, .trainable = true};
    kt_ref *to[] = {&a.inputs, &a.outputs};
    for (int i = 0; i < 2; i++) {
        const kt_status st = read_ends(g, kt_json_get(config, keys[i]), i == 0, 0, to[i]);
        if (st) {
            kt_error_context("in %s", keys[i]);
            return kt_fail_object(st);
        }
    }
    a.name = kt_json_get_text(config, "name");
    a.trainable = !trainable || kt_json_bool(trainable);
    return kt_reader_keep(g->r, kt_functional_new(&a));
}

kt_model *kt_read_functional(kt_reader *r, const kt_json *config) {
    const kt_json *layers = kt_json_get(config, "layers");
    graph g = {.r = r};
    if (!kt_json_is(layers, KT_JSON_LIST)) {
        KT_FAIL(KT_EUNSUPPORTED, "a model of a class of its own (not Sequential, not Functional)");
        return kt_fail_object(
            kt_error_hint("its weights can be read with kt_model_load_weights()"));
    }
    kt_status st = kt_read_optional(config, "name", KT_JSON_STR);
    if (st == KT_OK) st = read_trainable(config);
    if (st == KT_OK) st = open_graph(&g, layers);
    if (st == KT_OK) st = number_calls(&g, config);
    if (st == KT_OK) st = run_graph(&g);
    return st ? kt_fail_object(st) : close_graph(&g, config);
}

/* Compile -------------------------------------------------------------------------------------- */

/* A name, an object, a list or dict of those (or of lists) for compile. */
static kt_ref read_items(kt_reader *r, kt_kind kind, const kt_json *v) {
    const bool dict = kt_json_is(v, KT_JSON_DICT) && !kt_json_get(v, "class_name");
    const int n = kt_json_len(v);
    if (kt_json_kind(v) == KT_JSON_NULL) return NULL;
    if (kt_json_is(v, KT_JSON_STR) && !kt_registered_object(kt_json_text(v))) {
        kt_ref known = kt_read_component(r, kind, v); /* compile makes it again, by shapes */
        return kt_failed(known) ? known : kt_json_text(v);
    }
    if (!dict && !kt_json_is(v, KT_JSON_LIST)) return kt_read_component(r, kind, v);
    const void **items = kt_arena_alloc(r->arena, sizeof *items * (size_t)(2 * n + 2));
    if (!items) return kt_fail_object(KT_ENOMEM);
    void *it = dict ? kt_json_iter(v) : NULL;
    int at = 0;
    for (int i = 0; i < n; i++) {
        if (dict) items[at++] = kt_json_iter_key(it);
        kt_ref item = read_items(r, kind, dict ? kt_json_iter_value(it) : kt_json_at(v, i));
        if (item && kt_is_obj(item) && kt_failed(item)) return item;
        items[at++] = item ? item : kt_none;
        if (dict) it = kt_json_next(v, it);
    }
    items[at] = kt_list_end;
    return kt_reader_keep(r, dict ? kt_dict_new(items) : kt_list_of(at, items));
}

static kt_status read_loss_weights(kt_reader *r, kt_compile_args *out, const kt_json *v) {
    const kt_field fields[] = {KT_F(kt_compile_args, loss_weights), KT_F_END};
    const int n = kt_json_len(v);
    if (!kt_json_is(v, KT_JSON_DICT)) {
        kt_json *one = kt_json_new_dict();
        kt_status st = v ? kt_json_put(one, "loss_weights", kt_json_ref((kt_json *)(uintptr_t)v))
                         : KT_OK;
        if (st == KT_OK) st = kt_read_fields(r, "compile", fields, out, one, NULL);
        kt_json_free(one);
        return st;
    }
    kt_loss_weight *w = kt_arena_alloc(r->arena, sizeof *w * (size_t)(n + 1));
    if (!w) return KT_ENOMEM;
    out->loss_weights_by_name = n ? w : NULL;
    w[n] = (kt_loss_weight){NULL, 0};
    for (void *it = kt_json_iter(v); it; it = kt_json_next(v, it)) {
        const kt_json *x = kt_json_iter_value(it);
        if (!kt_json_is_number(x)) return kt_read_type_error("loss_weights", "numbers", x);
        *w++ = (kt_loss_weight){kt_json_iter_key(it), kt_json_number(x)};
    }
    return KT_OK;
}

/* What has no influence here must be well-formed as well. */
static kt_status check_switches(const kt_json *config) {
    const kt_json *jit = kt_json_get(config, "jit_compile");
    kt_status st = kt_read_optional(config, "run_eagerly", KT_JSON_BOOL);
    if (st == KT_OK) st = kt_read_optional(config, "auto_scale_loss", KT_JSON_BOOL);
    if (st == KT_OK) st = kt_read_optional(config, "steps_per_execution", KT_JSON_INT);
    if (st || kt_json_is(jit, KT_JSON_STR)) return st; /* "auto" */
    return kt_read_optional(config, "jit_compile", KT_JSON_BOOL);
}

kt_status kt_read_compile(kt_reader *r, kt_model *m, const kt_json *config) {
    if (!kt_json_len(config)) return KT_OK;
    const kt_status bad = check_switches(config);
    if (bad) return kt_error_context("in compile_config"), bad;
    const kt_json *steps = kt_json_get(config, "steps_per_execution");
    kt_compile_args a = {.size = sizeof a, KT_COMPILE_DEFAULTS.model = m};
    a.optimizer = kt_read_component(r, KT_KIND_OPTIMIZER, kt_json_get(config, "optimizer"));
    kt_status st = a.optimizer && kt_is_obj(a.optimizer) ? kt_check(a.optimizer) : KT_OK;
    if (!a.optimizer) a.optimizer = "rmsprop";
    struct {
        kt_ref *to;
        const char *key;
        kt_kind kind;
    } items[] = {
        {&a.loss, "loss", KT_KIND_LOSS},
        {&a.metrics, "metrics", KT_KIND_METRIC},
        {&a.weighted_metrics, "weighted_metrics", KT_KIND_METRIC},
    };
    for (int i = 0; i < 3 && st == KT_OK; i++) {
        *items[i].to = read_items(r, items[i].kind, kt_json_get(config, items[i].key));
        if (kt_is_obj(*items[i].to)) st = kt_check(*items[i].to);
    }
    if (st == KT_OK) st = read_loss_weights(r, &a, kt_json_get(config, "loss_weights"));
    a.run_eagerly = kt_json_bool(kt_json_get(config, "run_eagerly"));
    if (kt_json_is(steps, KT_JSON_INT) && kt_json_int(steps) > 0 && kt_json_int(steps) < 1 << 30)
        a.steps_per_execution = (int)kt_json_int(steps);
    if (kt_json_is(kt_json_get(config, "jit_compile"), KT_JSON_BOOL))
        a.jit_compile = kt_json_bool(kt_json_get(config, "jit_compile"));
    if (st == KT_OK) st = kt_model_compile_with(&a);
    if (st) kt_error_context("in compile_config");
    return st;
}
