/* Calling layers: inside a trace they run, in a model under construction the call is recorded. */
#include "nn/layer.h"
#include "nn/nest.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

kt_status kt_layer_context(kt_layer *l, kt_status st) {
    if (!st || st != kt_error_last()) return st;
    if (l->name)
        kt_error_context("in layer \"%s\" (%s)", l->name, l->class_name);
    else
        kt_error_context("in layer %s", l->class_name);
    return st;
}

/* Building
 * ----------------------------------------------------------------------------------------- */

static kt_status check_count(const kt_layer *l, int n) {
    const int low = l->cls->min_inputs ? l->cls->min_inputs : 1;
    const int high = l->cls->max_inputs   ? l->cls->max_inputs
                     : l->cls->min_inputs ? KT_OP_MAX_IN
                                          : 1;
    if (n >= low && n <= high) return KT_OK;
    if (low == high)
        return KT_FAIL(KT_EINVAL, "expected %d input%s, got %d", low, low == 1 ? "" : "s", n);
    return KT_FAIL(KT_EINVAL, "expected %d to %d inputs, got %d", low, high, n);
}

static kt_shape reopen_shape(kt_shape s);

/* What a file says stays: another call than the first may build the layer when it is read. */
static kt_status keep_shapes(kt_layer *l, int n, const kt_shape *in) {
    if (l->n_built) return KT_OK;
    kt_mem_free(l->built_for);
    l->built_for = kt_alloc_array(n, sizeof *l->built_for);
    if (!l->built_for) return KT_ENOMEM;
    for (int i = 0; i < n; i++) l->built_for[i] = reopen_shape(in[i]);
    l->n_built = n;
    return KT_OK;
}

kt_status kt_layer_ensure_built(kt_layer *l, int n, const kt_shape *in) {
    if (l->built) return KT_OK;
    const kt_input_spec spec = l->spec;
    const int n_children = l->children.n;
    l->n_inputs = n;
    kt_status st = KT_OK;
    for (int i = 0; i < n && st == KT_OK; i++)
        st = kt_input_spec_check(l, &(kt_spec){l->dtype, in[i]});
    if (st == KT_OK && l->cls->build) st = l->cls->build(l, in);
    if (st == KT_OK) st = keep_shapes(l, n, in);
    if (st == KT_OK) l->built = true;
    if (st == KT_OK) return st;
    for (int i = 0; i < l->vars.n; i++) kt_release(l->vars.v[i]); /* nothing half-built */
    l->vars.n = 0;
    l->lora = (kt_lora){NULL, NULL, 0};
    l->quant = (kt_quant){.on = l->quant.on};
    while (l->children.n > n_children) kt_release(l->children.v[--l->children.n]);
    l->spec = spec;
    l->obj.status = KT_OK;
    return st;
}

kt_status kt_layer_build(kt_layer *l, kt_shape input_shape) {
    const int n = input_shape.ndim;
    kt_status st = kt_layer_require(l, "kt_layer_build");
    bool ok = n >= 0 && n <= KT_MAX_RANK;
    for (int i = 0; ok && i < n; i++) ok = input_shape.dim[i] >= 0 || input_shape.dim[i] == KT_NONE;
    if (st == KT_OK && !ok)
        st = KT_FAIL(KT_EINVAL, "input_shape: expected 0 to %d sizes >= 0 or None", KT_MAX_RANK);
    return st ? st : kt_layer_context(l, kt_layer_ensure_built(l, 1, &input_shape));
}

/* Inside a trace
 * ----------------------------------------------------------------------------------- */

/* Floats come in the layer's dtype, as Keras' autocast does; integers stay. */
static kt_status cast_inputs(const kt_layer *l, kt_trace *t) {
    kt_tracer *tr = kt_tracer_current();
    for (int i = 0; i < t->n_in; i++) {
        kt_val *v = kt_unwrap(t->in[i], NULL);
        if (!v) return tr->g->status;
        const kt_status st = kt_input_spec_check(l, &v->spec);
        if (st) return st;
        if (!l->no_autocast && kt_dtype_is_float(v->spec.dtype) && v->spec.dtype != l->dtype)
            t->in[i] = kt_wrap(kt_g_cast(tr->g, v, l->dtype));
    }
    return KT_OK;
}

/* What variables are read as, from here on. Keras: the AutocastScope in Layer.__call__ */
static void set_autocast(const kt_layer *l, kt_tracer *tr) {
    if (!tr->casting && l->dtype == l->variable_dtype) return;
    tr->autocast = l->no_autocast ? KT_NO_DTYPE : l->dtype;
    tr->casting = true;
}

static kt_status add_activity(kt_layer *l, kt_sym *out) {
    const kt_regularizer_class *cls = (const kt_regularizer_class *)l->activity_regularizer->cls;
    kt_sym *penalty = cls->penalty(l->activity_regularizer, out);
    const kt_shape s = kt_sym_shape(out);
    const double batch = s.ndim && s.dim[0] > 0 ? (double)s.dim[0] : 1;
    return kt_add_loss(kt_op_divide(penalty, kt_num(batch)));
}

static kt_status finish_outputs(kt_layer *l, kt_trace *t) {
    for (int i = 0; i < t->n_out; i++) {
        if (!t->out[i]) return KT_FAIL(KT_EINVAL, "the call left output %d empty", i);
        if (kt_failed(t->out[i])) return kt_check(t->out[i]);
        kt_val *v = kt_unwrap(t->out[i], NULL);
        if (!v) return kt_tracer_current()->g->status;
        if (l->cls->supports_masking && !l->cls->computes_mask && t->n_in)
            t->out_mask[i] = t->in_mask ? t->in_mask[0] : NULL;
        t->out[i] = kt_wrap(v); /* a symbol of its own: masks must not leak to the inputs */
        if (kt_failed(t->out[i])) return kt_check(t->out[i]);
        t->out[i]->mask = t->out_mask[i];
    }
    kt_status st = KT_OK;
    for (int i = 0; l->activity_regularizer && i < t->n_out && st == KT_OK; i++)
        st = add_activity(l, t->out[i]);
    return st;
}

#define CALLS_MAX 32768 /* inside one call, those of models inside counted each time */

kt_status kt_layer_trace_call(kt_layer *l, kt_trace *t) {
    kt_tracer *tr = kt_tracer_current();
    if (tr->inferring && ++tr->n_calls > CALLS_MAX)
        return KT_FAIL(KT_ELIMIT, "more than %d calls of layers inside one", CALLS_MAX);
    char path[512];
    const char *outer_scope = tr->g->scope;
    kt_layer *outer_layer = tr->layer;
    const bool outer_training = tr->training, outer_casting = tr->casting;
    const kt_dtype outer_autocast = tr->autocast;
    if (l->name)
        kt_layer_path(l, path, sizeof path);
    else
        snprintf(path, sizeof path, "%s", l->class_name);
    tr->g->scope = kt_arena_strdup(tr->g->arena, path);
    tr->layer = l;
    tr->training = t->training;
    if (!t->n_out) t->n_out = 1;
    kt_status st = check_count(l, t->n_in);
    if (st == KT_OK) st = cast_inputs(l, t);
    set_autocast(l, tr);
    if (st == KT_OK) st = l->cls->call(l, t);
    if (st == KT_OK) st = tr->g->status;
    if (st == KT_OK) st = finish_outputs(l, t);
    tr->training = outer_training;
    tr->casting = outer_casting;
    tr->autocast = outer_autocast;
    tr->layer = outer_layer;
    tr->g->scope = outer_scope;
    return kt_layer_context(l, st);
}

/* Inferring shapes
 * --------------------------------------------------------------------------------- */

/* Lengths that stand for open dimensions: one per axis, so that equal axes of several inputs agree;
 * two sets, so that what depends on them shows. Primes that hardly a network has; the more
 * dimensions are open the smaller, so that the arrays of a wide network stay within what a graph
 * takes. */
#define SCALES 3 /* up to two open dimensions, three, more */
static const int64_t open_length[SCALES][2][KT_MAX_RANK] = {
    {{7919, 7907, 7901, 7883, 7879, 7877, 7873, 7867},
     {6869, 6871, 6883, 6899, 6907, 6911, 6917, 6947}},
    {{1913, 1907, 1901, 1889, 1879, 1877, 1873, 1871},
     {1597, 1601, 1607, 1609, 1613, 1619, 1621, 1627}},
    {{563, 557, 547, 541, 523, 521, 509, 503}, {487, 479, 467, 463, 461, 457, 449, 443}}};

static int scale_of(int n, const kt_spec *in) {
    int most = 0;
    for (int i = 0; i < n; i++) {
        int open = 0;
        for (int d = 0; d < in[i].shape.ndim; d++) open += in[i].shape.dim[d] == KT_NONE;
        most = open > most ? open : most;
    }
    return most <= 2 ? 0 : most == 3 ? 1 : 2;
}

static kt_shape close_shape(kt_shape s, const int64_t *lengths) {
    for (int i = 0; i < s.ndim; i++)
        if (s.dim[i] == KT_NONE) s.dim[i] = lengths[i];
    return s;
}

/* The other way round: for a sub-layer that is built inside such a trace. */
static kt_shape reopen_shape(kt_shape s) {
    for (int i = 0; i < s.ndim; i++)
        for (int set = 0; set < 2 * SCALES; set++)
            if (s.dim[i] == open_length[set / 2][set % 2][i]) s.dim[i] = KT_NONE;
    return s;
}

static kt_status infer_once(
    kt_layer *l, const kt_call_node *call, const kt_spec *in, int set, kt_spec *out, int *n_out) {
    const int64_t *lengths = open_length[scale_of(call->n_in, in)][set];
    kt_graph *g = kt_graph_new();
    if (!g) return KT_ENOMEM;
    kt_tracer tr;
    kt_sym *syms[KT_OP_MAX_IN], *masks[KT_OP_MAX_IN] = {NULL};
    kt_trace t = {.training = call->training == 1};
    kt_tracer_begin(&tr, g, call->training == 1, NULL);
    tr.inferring = true;
    for (int i = 0; i < call->n_in; i++)
        syms[i] = kt_wrap(kt_g_input(g, (kt_spec){in[i].dtype, close_shape(in[i].shape, lengths)}));
    kt_call_split(call, syms, masks, &t);
    kt_status st = g->status;
    if (st == KT_OK) st = kt_layer_trace_call(l, &t);
    for (int i = 0; i < t.n_out && st == KT_OK; i++) out[i] = t.out[i]->spec;
    *n_out = t.n_out;
    kt_tracer_end(&tr);
    if (st == KT_OK) st = g->status;
    kt_graph_free(g);
    for (int i = 0; st && i < KT_MAX_RANK; i++) kt_error_rename_number(lengths[i], "None");
    return st;
}

kt_status kt_layer_infer(
    kt_layer *l, const kt_call_node *call, const kt_spec *in, kt_spec *out, int *n_out) {
    kt_spec other[KT_MAX_TENSORS];
    kt_status st = infer_once(l, call, in, 0, out, n_out);
    if (st == KT_OK) st = infer_once(l, call, in, 1, other, n_out);
    for (int i = 0; st == KT_OK && i < *n_out; i++)
        for (int d = 0; d < out[i].shape.ndim; d++)
            if (out[i].shape.dim[d] != other[i].shape.dim[d]) out[i].shape.dim[d] = KT_NONE;
    return st;
}

/* kt_call
 * ------------------------------------------------------------------------------------------ */

void kt_call_split(const kt_call_node *call, kt_sym **in, kt_sym **masks, kt_trace *t) {
    int at = call->n_args;
    for (int i = 0; call->masks && i < KT_OP_MAX_IN; i++)
        masks[i] = call->masks >> i & 1 ? in[at++] : NULL;
    t->n_in = call->n_args;
    t->in = in;
    t->in_mask = masks;
    t->masks_given = call->masks;
    if (call->has_attention_mask) t->attention_mask = in[at++];
    t->return_attention_scores = call->return_attention_scores;
    t->use_causal_mask = call->use_causal_mask;
    t->n_initial_state = call->n_state;
    t->initial_state = in + at;
}

typedef struct {
    int n;
    kt_sym *in[KT_OP_MAX_IN];
    kt_call_node how; ///< what the symbols are; without the symbols
} call_inputs;

/* given: bit i is set for item i, which must be a tensor, or may be None if `none_ok`. */
static kt_status take_ref(
    call_inputs *c, kt_ref ref, const char *what, int *count, bool none_ok, unsigned *given) {
    char got[96];
    const bool list = kt_is(ref, KT_KIND_LIST);
    const int n = list ? kt_list_len(ref) : ref ? 1 : 0;
    if (ref && kt_failed(ref)) return kt_check(ref);
    for (int i = 0; i < n; i++) {
        const void *item = list ? kt_list_get(ref, i) : ref;
        if (none_ok && item == (const void *)kt_none) continue;
        if (kt_is_obj(item) && kt_failed(item)) return kt_check(item);
        if (!kt_is(item, KT_KIND_SYM)) {
            KT_FAIL(
                KT_EINVAL,
                "%s: expected a symbolic tensor, got %s",
                what,
                kt_ref_describe(item, got, sizeof got));
            if (!kt_is(item, KT_KIND_TENSOR)) return KT_EINVAL;
            return kt_error_hint("data go through a model: kt_model_predict()");
        }
        if (c->n == KT_OP_MAX_IN)
            return KT_FAIL(KT_ELIMIT, "%s: more than %d tensors", what, KT_OP_MAX_IN);
        c->in[c->n++] = (kt_sym *)(uintptr_t)item;
        *given |= 1u << i;
    }
    *count = n;
    return KT_OK;
}

static kt_status take_masks(call_inputs *c, const kt_call_args *a) {
    int n = 0;
    const kt_status st = take_ref(c, a->mask, "mask", &n, true, &c->how.masks);
    if (st || n <= c->how.n_args) return st;
    return KT_FAIL(KT_EINVAL, "mask: expected at most %d, one per input, got %d", c->how.n_args, n);
}

/* Of a dict that has a name for each input: exactly these, from the first on. */
static kt_status check_keys(const kt_layer *l, const kt_nest *nest, int n) {
    const char *const *want = l->cls->input_keys;
    for (int i = 0; nest && nest->key && i < n; i++) {
        const char *key = kt_nest_key(nest, i);
        int known = 0;
        while (known < i && want[known]) known++;
        if (key && want[known] && !strcmp(key, want[known])) continue;
        KT_FAIL(KT_EUNSUPPORTED, "input \"%.40s\"", key ? key : "");
        return kt_error_expected("\"%s\" at this place", want[known] ? want[known] : "none");
    }
    return KT_OK;
}

static kt_status take_tensors(call_inputs *c, const kt_call_args *a) {
    kt_nest *nest = NULL;
    kt_nest **keys = a->layer->cls->input_keys ? &nest : NULL;
    kt_status st = kt_nest_take(keys, a->inputs, "inputs", KT_OP_MAX_IN, &c->n, c->in);
    if (st == KT_OK) st = check_keys(a->layer, nest, c->n);
    kt_nest_free(nest);
    return st;
}

static kt_status take_inputs(call_inputs *c, const kt_call_args *a) {
    unsigned given = 0;
    int n = 0;
    if (!a->inputs) return KT_FAIL(KT_EINVAL, "inputs: expected a symbolic tensor, got None");
    kt_status st = take_tensors(c, a);
    c->how.n_args = c->n;
    if (st == KT_OK) st = take_masks(c, a);
    if (st == KT_OK) st = take_ref(c, a->attention_mask, "attention_mask", &n, false, &given);
    if (st == KT_OK && n > 1) st = KT_FAIL(KT_EINVAL, "attention_mask: expected one, got %d", n);
    if (st == KT_OK)
        st = take_ref(c, a->initial_state, "initial_state", &c->how.n_state, false, &given);
    c->how.has_attention_mask = n > 0;
    if (st == KT_OK && !a->layer->cls->attends &&
        (n || a->return_attention_scores || a->use_causal_mask))
        st = KT_FAIL(
            KT_EINVAL,
            "%s: this layer takes no attention_mask, return_attention_scores, use_causal_mask",
            a->layer->class_name);
    c->how.training = a->training;
    c->how.noted_training = KT_AUTO;
    c->how.said = a->training != KT_AUTO || c->n > c->how.n_args;
    c->how.return_attention_scores = a->return_attention_scores;
    c->how.use_causal_mask = a->use_causal_mask;
    return st ? st : check_count(a->layer, c->how.n_args);
}

static kt_sym *call_traced(const kt_call_args *a, call_inputs *c) {
    kt_tracer *tr = kt_tracer_current();
    kt_sym *masks[KT_OP_MAX_IN] = {NULL};
    kt_shape shapes[KT_OP_MAX_IN];
    for (int i = 0; i < c->how.n_args; i++) {
        masks[i] = c->in[i]->mask;
        shapes[i] = reopen_shape(c->in[i]->spec.shape);
    }
    kt_trace t = {.training = a->training == KT_AUTO ? tr->training : a->training != 0};
    kt_call_split(&c->how, c->in, masks, &t);
    kt_status st = kt_layer_ensure_built(a->layer, c->how.n_args, shapes);
    if (st == KT_OK)
        st = kt_layer_trace_call(a->layer, &t);
    else
        kt_layer_context(a->layer, st);
    if (st == KT_OK && t.n_out > 1) { /* for kt_item() */
        t.out[0]->n_outs = t.n_out;
        t.out[0]->outs = kt_arena_copy(tr->g->arena, t.out, sizeof *t.out * (size_t)t.n_out);
        if (!t.out[0]->outs) st = KT_ENOMEM;
    }
    return st ? kt_fail_object(st) : t.out[0];
}

/* `in layer "dense_1" (Dense), called on "flatten"` */
static kt_status recorded_context(const call_inputs *c, kt_status st) {
    if (!st || st != kt_error_last() || !c->how.n_args) return st;
    const char *source = c->in[0]->node ? c->in[0]->node->layer->name : NULL;
    if (source) kt_error_context(", called on \"%s\"", source);
    return st;
}

/* The shapes of initial states too, when this call has built the layer. */
static kt_status keep_states(kt_layer *l, const call_inputs *c, const kt_shape *shapes) {
    const int n = l->n_built, states = c->how.n_state;
    kt_shape *all = kt_alloc_array(n + states, sizeof *all);
    if (!all) return KT_ENOMEM;
    memcpy(all, l->built_for, sizeof *all * (size_t)n);
    for (int i = 0; i < states; i++) all[n + i] = reopen_shape(shapes[c->n - states + i]);
    kt_mem_free(l->built_for);
    l->built_for = all;
    l->n_built_states = states;
    return KT_OK;
}

static kt_status fill_node(kt_call_node *node, const kt_call_args *a, const call_inputs *c) {
    kt_spec in[KT_OP_MAX_IN], out[KT_MAX_TENSORS];
    kt_shape shapes[KT_OP_MAX_IN];
    node->in = kt_alloc_array(c->n + 1, sizeof(kt_sym *));
    if (!node->in) return KT_ENOMEM;
    for (int i = 0; i < c->n; i++) {
        in[i] = c->in[i]->spec;
        shapes[i] = in[i].shape;
        node->in[node->n_in++] = kt_adopt(c->in[i]);
    }
    const bool fresh = !a->layer->n_built;
    kt_status st = kt_layer_ensure_built(a->layer, c->how.n_args, shapes);
    if (st) return recorded_context(c, kt_layer_context(a->layer, st));
    if (fresh && a->layer->n_built && c->how.n_state) st = keep_states(a->layer, c, shapes);
    if (st) return st;
    st = kt_layer_infer(a->layer, node, in, out, &node->n_out);
    if (st) return recorded_context(c, st);
    node->out = kt_alloc_array(node->n_out, sizeof *node->out);
    if (!node->out) return KT_ENOMEM;
    memcpy(node->out, out, sizeof *out * (size_t)node->n_out);
    return KT_OK;
}

static kt_sym *call_recorded(const kt_call_args *a, const call_inputs *c) {
    for (int i = 0; i < c->n; i++)
        if (!c->in[i]->node)
            return kt_fail_object(KT_FAIL(KT_EINVAL, "input %d is not a tensor of a model", i));
    kt_call_node *node = kt_alloc(sizeof *node);
    if (!node) return kt_fail_object(KT_ENOMEM);
    *node = c->how;
    atomic_store(&node->refs, 1);
    node->layer = kt_adopt(a->layer);
    node->number = a->layer->n_calls++;
    const kt_status st = fill_node(node, a, c);
    kt_sym *y = st ? kt_fail_object(st) : kt_sym_of_node(node, 0);
    node->abandoned = kt_failed(y);
    kt_call_node_unref(node);
    return y;
}

/* Lists are temporaries; a symbol belongs to the user, also when the call failed. */
static void drop_list(kt_ref ref) {
    if (kt_is(ref, KT_KIND_LIST)) kt_drop(ref);
}

kt_sym *kt_call_with(const kt_call_args *given) {
    static const kt_call_args defaults = {KT_CALL_DEFAULTS};
    kt_call_args args, *a = &args;
    call_inputs c = {0};
    kt_status st = kt_args_read(a, given, sizeof args, &defaults);
    if (st) return kt_fail_object(st);
    st = kt_layer_require(a->layer, "layer");
    if (st == KT_OK) st = kt_layer_context(a->layer, take_inputs(&c, a));
    kt_sym *y = st                    ? kt_fail_object(st)
                : kt_tracer_current() ? call_traced(a, &c)
                                      : call_recorded(a, &c);
    drop_list(a->inputs);
    drop_list(a->mask);
    drop_list(a->attention_mask);
    drop_list(a->initial_state);
    return y;
}
