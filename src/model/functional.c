/* Functional models: everything between some symbolic inputs and outputs, as one layer.
 * keras.Model(inputs, outputs)
 *
 * Linking walks back from the outputs and keeps the calls in an order that can run; calling replays
 * them into the graph that is being traced. Sequential models are linked the same way. A model may
 * begin at a tensor inside another one: an input of its own then stands for that tensor, and what
 * was called on the tensor is, in this model, called on the input. */
#include "model/model.h"

#include "base/mem.h"
#include "model/compile.h"

#include <keratin/layers.h>

#include <stdio.h>
#include <string.h>

bool kt_is_model(const kt_layer *l) {
    return kt_is(l, KT_KIND_LAYER) &&
           (l->cls == &kt_class_sequential || l->cls == &kt_class_functional);
}

kt_status kt_model_require(const kt_model *m, const char *verb) {
    char got[96];
    if (m && kt_is_obj(m) && kt_failed(m)) return kt_check(m);
    if (kt_is_model(m)) return KT_OK;
    return KT_FAIL(
        KT_EINVAL, "%s: expected a model, got %s", verb, kt_ref_describe(m, got, sizeof got));
}

/* Linking
 * ------------------------------------------------------------------------------------------ */

typedef struct {
    kt_call_node *call;
    int next; /* input to look at next */
} walk_frame;

typedef struct {
    KT_VEC(kt_call_node *) order; /* inputs of a call before the call */
    KT_VEC(kt_layer *) layers;    /* in the order in which they were first seen */
    KT_VEC(walk_frame) stack;
    int n_in;
    kt_sym *const *in;   ///< outputs of InputLayers
    kt_sym *const *from; ///< what they stand for; mostly the same
} walk;

/* What a tensor is in this model. */
static const kt_sym *seen_as(const walk *w, const kt_sym *s) {
    for (int i = 0; i < w->n_in; i++)
        if (w->from[i]->node == s->node && w->from[i]->index == s->index) return w->in[i];
    return s;
}

static int find_call(const walk *w, const kt_call_node *call) {
    for (int i = w->order.n; i-- > 0;)
        if (w->order.v[i] == call) return i;
    return -1;
}

static bool is_given(const walk *w, const kt_call_node *call) {
    for (int i = 0; i < w->n_in; i++)
        if (w->in[i]->node == call) return true;
    return false;
}

static kt_status walk_enter(walk *w, kt_call_node *call) {
    bool known = false;
    for (int i = 0; i < w->layers.n; i++) known = known || w->layers.v[i] == call->layer;
    if (!known && kt_vec_push(&w->layers, call->layer)) return KT_ENOMEM;
    return kt_vec_push(&w->stack, ((walk_frame){call, 0}));
}

static kt_status walk_check_input(const walk *w, const kt_call_node *call) {
    if (is_given(w, call)) return KT_OK;
    KT_FAIL(
        KT_EINVAL,
        "an output depends on input \"%s\", which is not among the inputs",
        kt_layer_name(call->layer));
    return kt_error_hint("give every kt_input() that the outputs need in `inputs`");
}

/* Keras looks at what was given by name in the order of the names: attention_mask, initial_state,
 * mask; in a call masks stand first. */
static const kt_sym *nth_input(const kt_call_node *call, int i) {
    const int late = call->n_state + call->has_attention_mask;
    const int masks = call->n_in - call->n_args - late;
    if (i < call->n_args || !masks) return call->in[i];
    return call->in[i < call->n_args + late ? i + masks : i - late];
}

/* Depth first, without recursion: models may be thousands of calls deep. */
static kt_status walk_from(walk *w, kt_call_node *from) {
    kt_status st = find_call(w, from) < 0 ? walk_enter(w, from) : KT_OK;
    while (st == KT_OK && w->stack.n) {
        walk_frame *top = &w->stack.v[w->stack.n - 1];
        kt_call_node *call = top->call;
        if (top->next < call->n_in) {
            const kt_sym *s = seen_as(w, nth_input(call, top->next++));
            if (find_call(w, s->node) < 0) st = walk_enter(w, s->node);
            continue;
        }
        if (kt_layer_is_input(call->layer)) st = walk_check_input(w, call);
        w->stack.n--;
        if (st == KT_OK && find_call(w, call) < 0) st = kt_vec_push(&w->order, call);
    }
    return st;
}

/* Keras' order of layers: by depth (longest way to an output), then as first seen. */
static kt_status order_layers(kt_layer *l, const walk *w) {
    const int n = w->order.n, n_layers = w->layers.n;
    int *node_depth = kt_alloc_array(n + 1, sizeof(int));
    int *depth = kt_alloc_array(n_layers + 1, sizeof(int));
    kt_status st = node_depth && depth ? KT_OK : KT_ENOMEM;
    int deepest = 0;
    for (int i = n; st == KT_OK && i-- > 0;) {
        const kt_call_node *call = w->order.v[i];
        int at = 0;
        while (w->layers.v[at] != call->layer) at++;
        if (depth[at] > node_depth[i]) node_depth[i] = depth[at];
        depth[at] = node_depth[i];
        if (depth[at] > deepest) deepest = depth[at];
        for (int k = 0; k < call->n_in; k++) {
            const int src = find_call(w, seen_as(w, call->in[k])->node);
            const int step = src >= 0 && !w->order.v[src]->layer->is_part;
            if (src >= 0 && node_depth[src] < node_depth[i] + step)
                node_depth[src] = node_depth[i] + step;
        }
    }
    for (int d = deepest; st == KT_OK && d >= 0; d--)
        for (int i = 0; st == KT_OK && i < n_layers; i++)
            if (depth[i] == d && kt_failed(kt_add_sublayer(l, w->layers.v[i]))) st = KT_ENOMEM;
    kt_mem_free(node_depth);
    kt_mem_free(depth);
    return st;
}

static kt_status check_names(const kt_layer *l) {
    for (int i = 0; i < l->children.n; i++)
        for (int k = i + 1; k < l->children.n; k++)
            if (!strcmp(kt_layer_name(l->children.v[i]), kt_layer_name(l->children.v[k]))) {
                KT_FAIL(KT_EINVAL, "two layers are named \"%s\"", kt_layer_name(l->children.v[i]));
                return kt_error_hint("names must be unique within a model");
            }
    return KT_OK;
}

static kt_status link_node(kt_model_state *s, const walk *w, int i) {
    kt_call_node *call = w->order.v[i];
    kt_model_node n = {call, NULL, NULL};
    n.src_node = kt_alloc_array(call->n_in + 1, sizeof(int));
    n.src_index = kt_alloc_array(call->n_in + 1, sizeof(int));
    if (!n.src_node || !n.src_index || kt_vec_push(&s->nodes, n)) {
        kt_mem_free(n.src_node);
        kt_mem_free(n.src_index);
        return KT_ENOMEM;
    }
    atomic_fetch_add(&call->refs, 1);
    for (int k = 0; k < call->n_in; k++) {
        const kt_sym *from = seen_as(w, call->in[k]);
        n.src_node[k] = find_call(w, from->node);
        n.src_index[k] = from->index;
    }
    return KT_OK;
}

static kt_status link_ends(kt_model_state *s, const walk *w, int n_out, kt_sym *const *out) {
    s->in = kt_alloc_array(w->n_in + 1, sizeof(kt_sym *));
    s->out = kt_alloc_array(n_out + 1, sizeof(kt_sym *));
    s->in_node = kt_alloc_array(w->n_in + 1, sizeof(int));
    s->out_node = kt_alloc_array(n_out + 1, sizeof(int));
    s->out_index = kt_alloc_array(n_out + 1, sizeof(int));
    s->out_name = kt_alloc_array(n_out + 1, sizeof(char *));
    if (!s->in || !s->out || !s->in_node || !s->out_node || !s->out_index || !s->out_name)
        return KT_ENOMEM;
    for (int i = 0; i < w->n_in; i++) {
        s->in[s->n_in++] = kt_adopt(w->in[i]);
        s->in_node[i] = find_call(w, w->in[i]->node);
    }
    for (int i = 0; i < n_out; i++) {
        const kt_sym *from = seen_as(w, out[i]);
        const char *key = kt_nest_key(s->out_nest, i);
        s->out[s->n_out++] = kt_adopt(from);
        s->out_node[i] = find_call(w, from->node);
        s->out_index[i] = from->index;
        s->out_name[i] = kt_strdup(key ? key : kt_layer_name(from->node->layer));
        if (!s->out_name[i]) return KT_ENOMEM;
    }
    return KT_OK;
}

static kt_status make_counter(kt_var **v, const char *name) {
    if (*v) return KT_OK;
    kt_var *made = kt_var_new(name, (kt_spec){KT_INT64, {0, {0}}}, false);
    if (kt_failed(made)) return kt_check(made);
    *v = kt_adopt(made);
    return KT_OK;
}

static kt_status link_model(
    kt_layer *l, int n_in, kt_sym *const *from, kt_sym *const *in, int n_out, kt_sym *const *out) {
    kt_model_state *s = l->state;
    walk w = {.n_in = n_in, .in = in, .from = from};
    kt_status st = KT_OK;
    for (int i = 0; st == KT_OK && i < n_out; i++) st = walk_from(&w, seen_as(&w, out[i])->node);
    for (int i = 0; st == KT_OK && i < n_in; i++) st = walk_from(&w, in[i]->node);
    for (int i = 0; st == KT_OK && i < w.order.n; i++)
        st = kt_layer_ensure_name(w.order.v[i]->layer); /* in order of data flow */
    if (st == KT_OK && !s->is_sequential) st = order_layers(l, &w);
    if (st == KT_OK) st = check_names(l);
    for (int i = 0; st == KT_OK && i < w.order.n; i++) st = link_node(s, &w, i);
    if (st == KT_OK) st = link_ends(s, &w, n_out, out);
    if (st == KT_OK) st = make_counter(&s->counter, "step");
    if (st == KT_OK) st = make_counter(&s->draws, "draws");
    kt_vec_free(&w.order);
    kt_vec_free(&w.layers);
    kt_vec_free(&w.stack);
    l->built = st == KT_OK;
    if (st) kt_model_unlink(l);
    return st;
}

kt_status kt_model_link(kt_layer *l, int n_in, kt_sym *const *in, int n_out, kt_sym *const *out) {
    return link_model(l, n_in, in, in, n_out, out);
}

/* Outputs first, so that no release sets off a chain of others. */
void kt_model_unlink(kt_layer *l) {
    kt_model_state *s = l->state;
    void (*give_back)(const void *) = l->built ? kt_release : kt_unadopt;
    for (int i = 0; i < s->n_out; i++) {
        give_back(s->out[i]);
        kt_mem_free(s->out_name[i]);
    }
    for (int i = 0; i < s->n_in; i++) give_back(s->in[i]);
    kt_nest_free(s->in_nest);
    kt_nest_free(s->out_nest);
    s->in_nest = s->out_nest = NULL;
    for (int i = s->nodes.n; i-- > 0;) {
        kt_mem_free(s->nodes.v[i].src_node);
        kt_mem_free(s->nodes.v[i].src_index);
        kt_call_node_unref(s->nodes.v[i].call);
    }
    kt_vec_free(&s->nodes);
    kt_mem_free(s->in);
    kt_mem_free(s->out);
    kt_mem_free(s->in_node);
    kt_mem_free(s->out_node);
    kt_mem_free(s->out_index);
    kt_mem_free(s->out_name);
    s->in = s->out = NULL;
    s->in_node = s->out_node = s->out_index = NULL;
    s->out_name = NULL;
    s->n_in = s->n_out = 0;
    l->built = false;
}

int kt_model_node_index(const kt_model_state *s, int node) {
    const kt_call_node *call = s->nodes.v[node].call;
    int n = 0;
    for (int i = 0; i < s->nodes.n; i++) {
        const kt_call_node *other = s->nodes.v[i].call;
        n += other->layer == call->layer && other->number < call->number;
    }
    return n;
}

/* Calling
 * ------------------------------------------------------------------------------------------ */

static kt_status check_model_input(const kt_spec *want, const kt_spec *got, const char *name) {
    bool ok = want->shape.ndim == got->shape.ndim;
    for (int i = 0; ok && i < want->shape.ndim; i++)
        ok = want->shape.dim[i] == KT_NONE || want->shape.dim[i] == got->shape.dim[i];
    if (ok) return KT_OK;
    char a[KT_SHAPE_STR], b[KT_SHAPE_STR];
    KT_FAIL(KT_ESHAPE, "shape mismatch at input \"%s\"", name);
    kt_error_expected("%s", kt_spec_str(want, a, sizeof a));
    return kt_error_got("%s", kt_spec_str(got, b, sizeof b));
}

/* Numbers come in the dtype that the input says; ids for an integer input must be integers. */
static kt_status take_model_input(const kt_model_node *n, kt_sym *x, kt_sym **out) {
    kt_graph *g = kt_tracer_current()->g;
    const kt_spec *want = &n->call->out[0];
    kt_val *v = kt_unwrap(x, NULL);
    if (!v) return g->status;
    const kt_status st = check_model_input(want, &v->spec, kt_layer_name(n->call->layer));
    if (st) return st;
    *out = v->spec.dtype == want->dtype ? x : kt_wrap(kt_g_cast(g, v, want->dtype));
    return kt_check(*out);
}

static kt_status replay_node(
    const kt_model_node *n, bool training, kt_sym *(*all)[KT_MAX_TENSORS], int i) {
    const kt_call_node *call = n->call;
    kt_sym *in[KT_OP_MAX_IN], *mask[KT_OP_MAX_IN] = {NULL};
    for (int k = 0; k < call->n_in; k++) {
        in[k] = all[n->src_node[k]][n->src_index[k]];
        mask[k] = in[k]->mask;
    }
    kt_trace t = {.training = call->training == KT_AUTO ? training : call->training != 0};
    kt_call_split(call, in, mask, &t);
    const kt_status st = kt_layer_trace_call(call->layer, &t);
    for (int k = 0; st == KT_OK && k < t.n_out; k++) all[i][k] = t.out[k];
    return st;
}

kt_status kt_model_call(kt_layer *l, kt_trace *t) {
    kt_model_state *s = l->state;
    kt_tracer *tr = kt_tracer_current();
    if (!s->nodes.n) return KT_FAIL(KT_ESTATE, "the model has not been built yet");
    if (t->n_in != s->n_in)
        return KT_FAIL(
            KT_EINVAL,
            "inputs: expected %d, one for each input of the model, got %d",
            s->n_in,
            t->n_in);
    kt_sym *(*all)[KT_MAX_TENSORS] = kt_arena_alloc(tr->g->arena, sizeof *all * (size_t)s->nodes.n);
    kt_status st = all ? KT_OK : KT_ENOMEM;
    for (int i = 0; i < s->n_in && st == KT_OK; i++) {
        const int at = s->in_node[i], index = s->in[i]->index;
        if (kt_layer_is_input(s->nodes.v[at].call->layer))
            st = take_model_input(&s->nodes.v[at], t->in[i], &all[at][index]);
        else
            all[at][index] = t->in[i];
        if (st == KT_OK && t->in_mask) all[at][index]->mask = t->in_mask[i];
    }
    for (int i = 0; i < s->nodes.n && st == KT_OK; i++)
        if (!all[i][0] && !all[i][1]) st = replay_node(&s->nodes.v[i], t->training, all, i);
    t->n_out = s->n_out;
    for (int i = 0; i < s->n_out && st == KT_OK; i++) {
        t->out[i] = all[s->out_node[i]][s->out_index[i]];
        t->out_mask[i] = t->out[i]->mask;
    }
    return st;
}

void kt_model_destroy(kt_layer *l) {
    kt_model_state *s = l->state;
    kt_model_forget_programs(l, true);
    kt_compiled_free(s->compiled);
    kt_vec_free(&s->programs);
    kt_model_unlink(l);
    kt_release(s->counter);
    kt_release(s->draws);
}

/* Public
 * ------------------------------------------------------------------------------------------- */

static const kt_field functional_fields[] = {
    KT_F(kt_functional_args, inputs), KT_F(kt_functional_args, outputs), KT_F_END};

static kt_status functional_take(
    kt_nest **nest, kt_ref ref, const char *what, int *n, kt_sym **out) {
    char got[96];
    kt_status st = kt_nest_take(nest, ref, what, KT_MAX_TENSORS, n, out);
    for (int i = 0; i < *n && st == KT_OK; i++)
        if (!out[i]->node)
            st = KT_FAIL(
                KT_EINVAL,
                "%s: expected a symbolic tensor from kt_input() or kt_call(), got %s",
                what,
                kt_ref_describe(out[i], got, sizeof got));
    return st;
}

/* An input in place of a tensor inside another model, under Keras' name for it. */
static kt_sym *stand_in(const kt_sym *s) {
    char name[64];
    char *tensor = kt_auto_name("KerasTensor");
    if (!tensor) return kt_fail_object(KT_ENOMEM);
    snprintf(name, sizeof name, "%.50sCLONE", tensor);
    kt_mem_free(tensor);
    kt_input_args a = {
        .size = sizeof a, KT_INPUT_DEFAULTS.name = name, .dtype = kt_dtype_name(s->spec.dtype)};
    if (s->spec.shape.ndim < 1)
        return kt_fail_object(KT_FAIL(KT_ESHAPE, "inputs: expected a batch axis, got a scalar"));
    a.batch_size = s->spec.shape.dim[0];
    if (s->spec.shape.ndim == 1) a.shape[0] = KT_SCALAR;
    for (int i = 1; i < s->spec.shape.ndim; i++) {
        a.shape[i - 1] = s->spec.shape.dim[i];
        if (!a.shape[i - 1])
            return kt_fail_object(KT_FAIL(KT_ESHAPE, "inputs: a tensor with a length of 0"));
    }
    return kt_input_new(&a);
}

static kt_status functional_link(
    kt_layer *l, int n_in, kt_sym *const *from, int n_out, kt_sym *const *out) {
    kt_sym *in[KT_MAX_TENSORS];
    kt_status st = KT_OK;
    int n = 0;
    for (; n < n_in && st == KT_OK; n++) {
        in[n] = kt_layer_is_input(from[n]->node->layer) ? from[n] : stand_in(from[n]);
        st = kt_check(in[n]);
    }
    if (st == KT_OK) st = link_model(l, n_in, from, in, n_out, out);
    for (int i = 0; i < n && st; i++)
        if (in[i] != from[i]) kt_drop(in[i]);
    return st;
}

static kt_status functional_init(kt_layer *l) {
    const kt_functional_args *a = kt_layer_args(l);
    kt_model_state *s = l->state;
    kt_sym *in[KT_MAX_TENSORS], *out[KT_MAX_TENSORS];
    int n_in, n_out;
    kt_status st = functional_take(&s->in_nest, a->inputs, "inputs", &n_in, in);
    if (st == KT_OK) st = functional_take(&s->out_nest, a->outputs, "outputs", &n_out, out);
    l->no_autocast = true;
    if (st == KT_OK) st = functional_link(l, n_in, in, n_out, out);
    return st ? st : kt_layer_ensure_name(l);
}

const kt_layer_class kt_class_functional = {
    .name = "Functional",
    .args_size = sizeof(kt_functional_args),
    .state_size = sizeof(kt_model_state),
    .fields = functional_fields,
    .init = functional_init,
    .call = kt_model_call,
    .destroy = kt_model_destroy,
    .min_inputs = 1,
    .max_inputs = KT_MAX_TENSORS,
    .supports_masking = true,
    .computes_mask = true,
    .ends_in_name = true,
};

kt_model *kt_functional_new(const kt_functional_args *a) {
    return kt_layer_new(&kt_class_functional, a);
}

int kt_model_n_layers(const kt_model *m) { return kt_is_model(m) ? m->children.n : 0; }

kt_layer *kt_model_layer(const kt_model *m, int i) {
    return i >= 0 && i < kt_model_n_layers(m) ? m->children.v[i] : NULL;
}

kt_layer *kt_model_get_layer(const kt_model *m, const char *name) {
    for (int i = 0; name && i < kt_model_n_layers(m); i++)
        if (!strcmp(kt_layer_name(m->children.v[i]), name)) return m->children.v[i];
    return NULL;
}

kt_sym *kt_model_input(const kt_model *m, int i) {
    const kt_model_state *s = kt_is_model(m) ? m->state : NULL;
    return s && i >= 0 && i < s->n_in ? s->in[i] : NULL;
}

kt_sym *kt_model_output(const kt_model *m, int i) {
    const kt_model_state *s = kt_is_model(m) ? m->state : NULL;
    return s && i >= 0 && i < s->n_out ? s->out[i] : NULL;
}

const char *kt_model_input_name(const kt_model *m, int i) {
    const kt_model_state *s = kt_is_model(m) ? m->state : NULL;
    if (!s || i < 0 || i >= s->n_in) return NULL;
    return s->in_node ? kt_layer_name(s->nodes.v[s->in_node[i]].call->layer) : NULL;
}

const char *kt_model_output_name(const kt_model *m, int i) {
    const kt_model_state *s = kt_is_model(m) ? m->state : NULL;
    return s && s->out_name && i >= 0 && i < s->n_out ? s->out_name[i] : NULL;
}
