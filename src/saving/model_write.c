/* Models as JSON: Sequential, Functional, and what was given to compile. */
#include "base/error.h"
#include "base/mem.h"
#include "model/compile.h"
#include "nn/layers/operation.h"
#include "nn/optimizers/optimizer.h"
#include "saving/configs.h"
#include "tensor/tensor.h"

#include <keratin/saving.h>

#include <stdlib.h>
#include <string.h>

/* Inputs --------------------------------------------------------------------------------------- */

static kt_json *input_config(kt_layer *l, const kt_spec *spec) {
    kt_json *o = kt_json_new_dict();
    kt_status st = kt_json_put(o, "batch_shape", kt_write_shape(&spec->shape));
    if (st == KT_OK) st = kt_json_put(o, "dtype", kt_json_new_str(kt_dtype_name(spec->dtype)));
    if (st == KT_OK) st = kt_json_put(o, "sparse", kt_json_new_bool(false));
    if (st == KT_OK) st = kt_json_put(o, "ragged", kt_json_new_bool(false));
    if (st == KT_OK) st = kt_json_put(o, "name", kt_json_new_str(kt_layer_name(l)));
    if (st == KT_OK) st = kt_json_put(o, "optional", kt_json_new_bool(false));
    if (st == KT_OK) return o;
    kt_json_free(o);
    return NULL;
}

static kt_json *input_entry(kt_sym *in) {
    kt_json *config = input_config(in->node->layer, &in->spec);
    return kt_write_wrapped("keras.layers", "InputLayer", config, NULL);
}

/* A structure with v[i] (NULL: null) in place of tensor i. Its depth is limited. */
static kt_json *nested(const kt_nest *nest, kt_json *const *v) {
    if (nest->leaf >= 0)
        return v && v[nest->leaf] ? kt_json_ref(v[nest->leaf]) : kt_json_new_null();
    kt_json *o = nest->key ? kt_json_new_dict() : kt_json_new_list();
    for (int i = 0; i < nest->n; i++) {
        kt_json *item = nested(&nest->item[i], v);
        if (nest->key ? kt_json_put(o, nest->key[i], item) : kt_json_add(o, item))
            return kt_json_free(o), NULL;
    }
    return o;
}

/* Sequential ----------------------------------------------------------------------------------- */

static kt_status sequential_layers(kt_json *list, kt_model *m) {
    const kt_model_state *s = m->state;
    kt_sym *in = s->n_in ? s->in[0] : s->pending_input;
    kt_status st = KT_OK;
    if (in) {
        kt_json *v = input_entry(in);
        st = v ? kt_json_add(list, v) : kt_json_failed();
    }
    for (int i = 0; i < m->children.n && st == KT_OK; i++) {
        kt_json *v = kt_write_layer(m->children.v[i]);
        st = v ? kt_json_add(list, v) : kt_json_failed();
    }
    return st;
}

static kt_json *dtype_policy(const char *name) {
    kt_json *config = kt_json_new_dict();
    if (kt_json_put(config, "name", kt_json_new_str(name))) return kt_json_free(config), NULL;
    return kt_write_wrapped("keras", "DTypePolicy", config, NULL);
}

static kt_json *sequential_config(kt_model *m) {
    const kt_model_state *s = m->state;
    kt_json *o = kt_json_new_dict(), *layers = kt_json_new_list();
    kt_status st = kt_json_put(o, "name", kt_json_new_str(kt_layer_name(m)));
    if (st == KT_OK) st = kt_json_put(o, "trainable", kt_json_new_bool(m->trainable));
    if (st == KT_OK) st = kt_json_put(o, "dtype", dtype_policy(kt_layer_policy(m)));
    if (st == KT_OK) st = sequential_layers(layers, m);
    if (st == KT_OK)
        st = kt_json_put(o, "layers", layers);
    else
        kt_json_free(layers);
    if (st == KT_OK && s->n_in)
        st = kt_json_put(o, "build_input_shape", kt_write_shape(&s->in[0]->spec.shape));
    if (st == KT_OK) return o;
    kt_json_free(o);
    return NULL;
}

/* Functional ----------------------------------------------------------------------------------- */

static kt_json *history(const kt_model_state *s, int node, int index, int from) {
    kt_json *list = kt_json_new_list();
    kt_layer *l = s->nodes.v[node].call->layer;
    kt_status st = kt_json_add(list, kt_json_new_str(kt_layer_name(l)));
    if (st == KT_OK) st = kt_json_add(list, kt_json_new_int(from + kt_model_node_index(s, node)));
    if (st == KT_OK) st = kt_json_add(list, kt_json_new_int(index));
    if (st == KT_OK) return list;
    kt_json_free(list);
    return NULL;
}

static kt_json *keras_tensor(const kt_model_state *s, int node, int index) {
    const kt_spec *spec = &s->nodes.v[node].call->out[index];
    kt_json *config = kt_json_new_dict();
    kt_status st = kt_json_put(config, "shape", kt_write_shape(&spec->shape));
    if (st == KT_OK) st = kt_json_put(config, "dtype", kt_json_new_str(kt_dtype_name(spec->dtype)));
    if (st == KT_OK) st = kt_json_put(config, "keras_history", history(s, node, index, 0));
    return kt_write_marked("__keras_tensor__", config, st);
}

/* Of a functional model the structure that it takes; NULL: another layer. */
static const kt_nest *nest_of(const kt_layer *l) {
    return kt_is_model(l) ? kt_model_of(l)->in_nest : NULL;
}

static kt_json *layer_args(const kt_layer *l, kt_json *const *t, int n) {
    kt_json *args = kt_json_new_list(), *to = args;
    kt_status st = args ? KT_OK : KT_ENOMEM;
    if (nest_of(l)) {
        st = kt_json_add(args, nested(nest_of(l), t));
        n = 0;
    } else if (l->cls->input_keys) {
        to = n > 1 ? kt_json_new_dict() : NULL;
        if (to) st = kt_json_add(args, to);
        for (int i = 0; i < n && st == KT_OK; i++)
            st = to ? kt_json_put(to, l->cls->input_keys[i], kt_json_ref(t[i]))
                    : kt_json_add(args, kt_json_ref(t[i]));
        n = 0;
    } else if (kt_second_input(l)) { /* it stands among the named ones */
        n = 1;
    } else if (l->cls->max_inputs != 0 && l->cls->max_inputs != 1 && !kt_takes_separate(l)) {
        to = kt_json_new_list();
        st = kt_json_add(args, to);
    }
    for (int i = 0; i < n && st == KT_OK; i++) st = kt_json_add(to, kt_json_ref(t[i]));
    if (st == KT_OK) return args;
    kt_json_free(args);
    return NULL;
}

static kt_status put_list(kt_json *o, const char *key, kt_json *const *t, int n) {
    kt_json *list = kt_json_new_list();
    for (int i = 0; i < n; i++)
        if (kt_json_add(list, kt_json_ref(t[i]))) return kt_json_free(list), KT_ENOMEM;
    return kt_json_put(o, key, list);
}

/* Masks that were given: one, or a list with null where there was none; attention names them. */
static kt_status put_masks(kt_json *o, const kt_call_node *call, kt_json *const *t) {
    static const char *const names[] = {"query_mask", "value_mask", "key_mask"};
    int at = call->n_args;
    kt_status st = KT_OK;
    if (nest_of(call->layer)) {
        kt_json *masks[KT_OP_MAX_IN] = {NULL};
        for (int i = 0; i < call->n_args; i++)
            if (call->masks >> i & 1) masks[i] = t[at++];
        return kt_json_put(o, "mask", nested(nest_of(call->layer), masks));
    }
    if (!call->masks) return KT_OK;
    if (call->n_args == 1) return kt_json_put(o, "mask", kt_json_ref(t[at]));
    kt_json *list = kt_json_new_list();
    for (int i = 0; i < call->n_args && st == KT_OK; i++) {
        const bool given = call->masks >> i & 1;
        if (!kt_takes_separate(call->layer))
            st = kt_json_add(list, given ? kt_json_ref(t[at]) : kt_json_new_null());
        else if (given && i < 3)
            st = kt_json_put(o, names[i], kt_json_ref(t[at]));
        at += given;
    }
    if (st == KT_OK && !kt_takes_separate(call->layer)) return kt_json_put(o, "mask", list);
    kt_json_free(list);
    return st;
}

/* What the plain call of this class has. */
static kt_json *standard_kwargs(const kt_call_node *call) {
    const kt_layer *l = call->layer;
    const kt_config_form *form = kt_layer_form(l->class_name);
    const char *text = kt_is_model(l)        ? "{\"mask\": null}"
                       : form && !call->said ? form->kwargs
                                             : "{}";
    kt_json *o = NULL;
    return kt_json_parse(&o, text, strlen(text), NULL) ? NULL : o;
}

static kt_json *call_kwargs(const kt_call_node *call, kt_json *const *t) {
    kt_json *o = standard_kwargs(call);
    kt_status st = o ? KT_OK : kt_json_failed();
    const int after = call->n_in - call->n_state;
    if (st == KT_OK && call->n_state == 1)
        st = kt_json_put(o, "initial_state", kt_json_ref(t[after]));
    if (st == KT_OK && call->n_state > 1)
        st = put_list(o, "initial_state", t + after, call->n_state);
    const int training = call->training != KT_AUTO ? call->training : call->noted_training;
    if (st == KT_OK && training != KT_AUTO)
        st = kt_json_put(o, "training", kt_json_new_bool(training != 0));
    if (st == KT_OK) st = put_masks(o, call, t);
    if (st == KT_OK && call->has_attention_mask)
        st = kt_json_put(o, "attention_mask", kt_json_ref(t[after - 1]));
    if (st == KT_OK && kt_second_input(call->layer) && call->n_args > 1)
        st = kt_json_put(o, kt_second_input(call->layer), kt_json_ref(t[1]));
    if (st == KT_OK && call->use_causal_mask)
        st = kt_json_put(o, "use_causal_mask", kt_json_new_bool(true));
    if (st == KT_OK && call->return_attention_scores)
        st = kt_json_put(o, "return_attention_scores", kt_json_new_bool(true));
    if (st == KT_OK) return o;
    kt_json_free(o);
    return NULL;
}

/* x[index], for which several operations stand: the tensor before the first of them. */
static kt_json *index_node(const kt_model_state *s, int at, const char *index) {
    const kt_model_node *n = &s->nodes.v[at];
    while (s->nodes.v[n->src_node[0]].call->layer->is_part) n = &s->nodes.v[n->src_node[0]];
    kt_json *o = kt_json_new_dict(), *args = kt_json_new_list(), *v = NULL;
    kt_status st = kt_json_add(args, keras_tensor(s, n->src_node[0], n->src_index[0]));
    if (st == KT_OK) st = kt_json_parse(&v, index, strlen(index), NULL);
    if (st == KT_OK) st = kt_json_add(args, v);
    if (st == KT_OK)
        st = kt_json_put(o, "args", args);
    else
        kt_json_free(args);
    if (st == KT_OK) st = kt_json_put(o, "kwargs", kt_json_new_dict());
    if (st == KT_OK) return o;
    kt_json_free(o);
    return NULL;
}

static kt_json *node_entry(const kt_model_state *s, int at) {
    const kt_model_node *n = &s->nodes.v[at];
    const kt_call_node *call = n->call;
    kt_json *t[KT_OP_MAX_IN] = {NULL}, *o = kt_json_new_dict();
    kt_status st = KT_OK;
    for (int i = 0; i < call->n_in && st == KT_OK; i++)
        st = (t[i] = keras_tensor(s, n->src_node[i], n->src_index[i])) ? KT_OK : KT_ENOMEM;
    const int n_args = call->n_args;
    const bool op = kt_layer_is_operation(call->layer);
    if (st == KT_OK)
        st = kt_json_put(
            o,
            "args",
            op ? kt_write_operation_args(call->layer, t, n_args)
               : layer_args(call->layer, t, n_args));
    if (st == KT_OK)
        st = kt_json_put(
            o,
            "kwargs",
            op ? kt_write_operation_kwargs(call->layer, t, n_args) : call_kwargs(call, t));
    for (int i = 0; i < call->n_in; i++) kt_json_free(t[i]);
    if (st == KT_OK) return o;
    kt_json_free(o);
    return NULL;
}

static int by_number(const void *a, const void *b, void *data) {
    const kt_model_state *s = data;
    const int na = s->nodes.v[*(const int *)a].call->number;
    const int nb = s->nodes.v[*(const int *)b].call->number;
    return (na > nb) - (na < nb);
}

/* The calls of a layer, in the order in which they were made. */
static kt_json *inbound_nodes(kt_model_state *s, const kt_layer *l) {
    kt_json *nodes = kt_json_new_list();
    int n = 0, *at = kt_alloc_array(s->nodes.n + 1, sizeof *at);
    kt_status st = nodes && at ? KT_OK : KT_ENOMEM;
    for (int i = 0; i < s->nodes.n && at; i++)
        if (s->nodes.v[i].call->layer == l && !kt_layer_is_input(l)) at[n++] = i;
    if (n) qsort_r(at, (size_t)n, sizeof *at, by_number, s);
    for (int i = 0; i < n && st == KT_OK; i++) {
        kt_json *v = l->index ? index_node(s, at[i], l->index) : node_entry(s, at[i]);
        st = v ? kt_json_add(nodes, v) : kt_json_failed();
    }
    kt_mem_free(at);
    if (st == KT_OK) return nodes;
    kt_json_free(nodes);
    return NULL;
}

static kt_json *index_entry(kt_layer *l) {
    kt_json *config = kt_json_new_dict();
    if (kt_json_put(config, "name", kt_json_new_str(kt_layer_name(l))))
        return kt_json_free(config), NULL;
    return kt_write_wrapped("keras.src.ops.numpy", "GetItem", config, "GetItem");
}

static kt_json *layer_entry(kt_model_state *s, kt_layer *l) {
    kt_json *o = NULL;
    if (kt_layer_is_input(l)) {
        for (int i = 0; i < s->n_in; i++)
            if (s->in[i]->node->layer == l) o = input_entry(s->in[i]);
    } else {
        o = l->index                   ? index_entry(l)
            : kt_layer_is_operation(l) ? kt_write_operation(l)
                                       : kt_write_layer(l);
    }
    kt_status st = o ? kt_json_put(o, "name", kt_json_new_str(kt_layer_name(l))) : kt_json_failed();
    kt_json *nodes = st ? NULL : inbound_nodes(s, l);
    if (st == KT_OK) st = nodes ? kt_json_put(o, "inbound_nodes", nodes) : kt_json_failed();
    if (st == KT_OK) return o;
    kt_json_free(o);
    return NULL;
}

/* Where the tensors come from, in the structure in which the model was given them. */
static kt_json *ends(
    const kt_model_state *s, const kt_nest *nest, int n, const int *node, const int *index) {
    kt_json *v[KT_MAX_TENSORS] = {NULL}, *o = NULL;
    bool ok = true;
    for (int i = 0; i < n && ok; i++) {
        const kt_layer *l = s->nodes.v[node[i]].call->layer;
        const int from = kt_is_model(l) &&
                         !kt_model_of(l)->is_sequential; /* as Keras counts here */
        ok = (v[i] = history(s, node[i], index ? index[i] : 0, from)) != NULL;
    }
    if (ok) o = nested(nest, v);
    for (int i = 0; i < n; i++) kt_json_free(v[i]);
    return o;
}

static kt_json *functional_config(kt_model *m) {
    kt_model_state *s = m->state;
    kt_json *o = kt_json_new_dict(), *layers = kt_json_new_list();
    kt_status st = kt_json_put(o, "name", kt_json_new_str(kt_layer_name(m)));
    if (st == KT_OK) st = kt_json_put(o, "trainable", kt_json_new_bool(m->trainable));
    for (int i = 0; i < m->children.n && st == KT_OK; i++) {
        if (m->children.v[i]->is_part) continue;
        kt_json *v = layer_entry(s, m->children.v[i]);
        st = v ? kt_json_add(layers, v) : kt_json_failed();
    }
    if (st == KT_OK)
        st = kt_json_put(o, "layers", layers);
    else
        kt_json_free(layers);
    if (st == KT_OK)
        st = kt_json_put(o, "input_layers", ends(s, s->in_nest, s->n_in, s->in_node, NULL));
    if (st == KT_OK)
        st = kt_json_put(
            o, "output_layers", ends(s, s->out_nest, s->n_out, s->out_node, s->out_index));
    if (st == KT_OK) return o;
    kt_json_free(o);
    return NULL;
}

kt_json *kt_write_model_config(kt_model *m) {
    return kt_model_of(m)->is_sequential ? sequential_config(m) : functional_config(m);
}

/* Compile -------------------------------------------------------------------------------------- */

static kt_json *loss_weights(const kt_compiled *c) {
    const kt_floats_t *w = &c->args.loss_weights;
    kt_json *dict = c->n_named ? kt_json_new_dict() : NULL;
    for (int i = 0; i < c->n_named; i++)
        if (kt_json_put(dict, c->named[i].output, kt_json_new_real(c->named[i].weight)))
            return kt_json_free(dict), NULL;
    if (c->n_named) return dict;
    if (!w->n) return kt_json_new_null();
    kt_json *list = kt_json_new_list();
    for (int i = 0; i < w->n; i++)
        if (kt_json_add(list, kt_json_new_real(w->v[i]))) return kt_json_free(list), NULL;
    return list;
}

kt_json *kt_write_compile_config(kt_model *m) {
    const kt_compiled *c = kt_model_of(m)->compiled;
    kt_json *o = kt_json_new_dict();
    if (!c) return o;
    const kt_compile_args *a = &c->args;
    kt_json *optimizer = kt_write_object(
        c->scales_loss ? kt_optimizer_inner(c->optimizer) : c->optimizer);
    kt_json *loss = kt_write_ref(a->loss, KT_KIND_LOSS);
    kt_json *metrics = kt_write_ref(a->metrics, KT_KIND_METRIC);
    kt_json *weighted = kt_write_ref(a->weighted_metrics, KT_KIND_METRIC);
    kt_status st = optimizer && loss && metrics && weighted ? KT_OK : kt_json_failed();
    if (st == KT_OK) st = kt_json_put(o, "optimizer", kt_json_ref(optimizer));
    if (st == KT_OK) st = kt_json_put(o, "loss", kt_json_ref(loss));
    if (st == KT_OK) st = kt_json_put(o, "loss_weights", loss_weights(c));
    if (st == KT_OK) st = kt_json_put(o, "metrics", kt_json_ref(metrics));
    if (st == KT_OK) st = kt_json_put(o, "weighted_metrics", kt_json_ref(weighted));
    if (st == KT_OK) st = kt_json_put(o, "run_eagerly", kt_json_new_bool(a->run_eagerly));
    if (st == KT_OK)
        st = kt_json_put(o, "steps_per_execution", kt_json_new_int(a->steps_per_execution));
    if (st == KT_OK) st = kt_json_put(o, "jit_compile", kt_json_new_bool(a->jit_compile == 1));
    kt_json_free(optimizer);
    kt_json_free(loss);
    kt_json_free(metrics);
    kt_json_free(weighted);
    if (st == KT_OK) return o;
    kt_json_free(o);
    return NULL;
}
