/* Bidirectional: a recurrent layer and a second one that goes the other way.
 * keras.layers.Bidirectional
 *
 * The layer that was given serves as a pattern and is not touched: both are copies of it, as in
 * Keras, and stand in its place among the arguments, so that a saved config has their names. */
#include "nn/layers/rnn.h"

#include <stdio.h>
#include <string.h>

typedef enum { MERGE_NONE, MERGE_CONCAT, MERGE_SUM, MERGE_MUL, MERGE_AVE } merge_kind;

typedef struct {
    kt_layer *forward, *backward;
    merge_kind merge;
} bidirectional;

static kt_status merge_get(const char *name, merge_kind *out) {
    static const char *const names[] = {"concat", "sum", "mul", "ave"};
    *out = MERGE_NONE;
    for (int i = 0; name && i < 4; i++)
        if (!strcmp(name, names[i])) *out = (merge_kind)(MERGE_CONCAT + i);
    if (!name || *out != MERGE_NONE) return KT_OK;
    KT_FAIL(KT_EINVAL, "merge_mode: unknown name \"%.60s\"", name);
    return kt_error_expected("\"concat\", \"sum\", \"mul\", \"ave\" or None");
}

static bool *flag(const kt_layer_class *cls, void *args, const char *name) {
    return kt_layer_arg(cls, args, name, KT_FIELD_BOOL);
}

/* Masked steps of sequences give zeros. */
static void edit_forward(const kt_layer_class *cls, void *args) {
    bool *zero = flag(cls, args, "zero_output_for_mask");
    if (zero) *zero = *flag(cls, args, "return_sequences");
}
static void edit_backward(const kt_layer_class *cls, void *args) {
    edit_forward(cls, args);
    *flag(cls, args, "go_backwards") = true;
}

/* PREFIXNAME, unless the name begins with that already */
static kt_layer *copy_as(kt_layer *l, const char *prefix, kt_layer_edit *edit) {
    char name[160];
    const char *own = kt_layer_name(l);
    if (!strncmp(own, prefix, strlen(prefix))) own += strlen(prefix);
    snprintf(name, sizeof name, "%s%.120s", prefix, own);
    return kt_layer_copy(l, name, edit);
}

static kt_status check_pair(const bidirectional *d) {
    const rnn_layer *f = rnn_of(d->forward), *b = rnn_of(d->backward);
    if (f->go_backwards == b->go_backwards)
        return KT_FAIL(
            KT_EINVAL,
            "the two layers go the same way: both have go_backwards = %s",
            f->go_backwards ? "true" : "false");
    const char *differs = f->stateful != b->stateful                   ? "stateful"
                          : f->return_sequences != b->return_sequences ? "return_sequences"
                          : f->return_state != b->return_state         ? "return_state"
                                                                       : NULL;
    if (differs) return KT_FAIL(KT_EINVAL, "the two layers have different values of %s", differs);
    if (1 + f->n_states + b->n_states + (d->merge == MERGE_NONE) > KT_MAX_TENSORS)
        return KT_FAIL(KT_ELIMIT, "more than %d outputs", KT_MAX_TENSORS);
    return KT_OK;
}

static kt_status require_recurrent(kt_ref ref, const char *what) {
    char got[96];
    if (ref && kt_is_obj(ref) && kt_failed(ref)) return kt_check(ref);
    if (rnn_of(ref)) return KT_OK;
    KT_FAIL(KT_EINVAL, "%s: expected a recurrent layer", what);
    return kt_error_got("%s", kt_ref_describe(ref, got, sizeof got));
}

/* Puts `own` in the place of an argument; what the user gave floats again. */
static void replace(kt_ref *at, kt_layer *own) {
    const kt_ref old = *at;
    if (old == own) return;
    *at = kt_adopt(own);
    kt_unadopt(old);
}

static kt_status bidirectional_init(kt_layer *l) {
    kt_bidirectional_args *a = l->args;
    bidirectional *d = kt_layer_state(l);
    kt_status st = require_recurrent(a->layer, "layer");
    if (st == KT_OK && a->backward_layer)
        st = require_recurrent(a->backward_layer, "backward_layer");
    if (st == KT_OK) st = merge_get(a->merge_mode, &d->merge);
    if (st) return st;
    kt_layer *pattern = (kt_layer *)(uintptr_t)a->layer;
    kt_layer *back = (kt_layer *)(uintptr_t)a->backward_layer;
    if (!back) back = copy_as(pattern, "backward_", edit_backward);
    if (kt_failed(back)) return kt_check(back);
    kt_layer *front = copy_as(pattern, "forward_", edit_forward);
    if (kt_failed(front)) {
        if (back != a->backward_layer) kt_drop(back);
        return kt_check(front);
    }
    d->forward = kt_add_sublayer_as(l, "forward_layer", front);
    d->backward = kt_add_sublayer_as(l, "backward_layer", back);
    if (kt_failed(d->forward) || kt_failed(d->backward)) return KT_ENOMEM;
    st = check_pair(d);
    if (st) return st;
    rnn_of(back)->zero_output_for_mask = rnn_of(back)->return_sequences;
    l->spec = pattern->spec;
    replace(&a->layer, front);
    replace(&a->backward_layer, back);
    return KT_OK;
}

static kt_status bidirectional_build(kt_layer *l, const kt_shape *in) {
    const kt_bidirectional_args *a = kt_layer_args(l);
    bidirectional *d = kt_layer_state(l);
    kt_status st = kt_layer_ensure_built(d->forward, 1, in);
    if (st == KT_OK) st = kt_layer_ensure_built(d->backward, 1, in);
    return st || !a->weights ? st : kt_set_weights(l, a->weights);
}

/* Calls one of the two with its half of the states. */
static kt_status call_half(kt_layer *half, const kt_trace *t, int which, kt_trace *c, kt_sym **x) {
    const int n = t->n_initial_state / 2;
    *x = t->in[0];
    *c = (kt_trace){
        .n_in = 1,
        .in = x,
        .in_mask = t->in_mask,
        .masks_given = t->masks_given,
        .training = t->training,
        .n_initial_state = n,
        .initial_state = t->initial_state + which * n};
    return kt_layer_trace_call(half, c);
}

static kt_sym *merge(merge_kind how, kt_sym *a, kt_sym *b) {
    kt_sym *sum = how == MERGE_SUM || how == MERGE_AVE ? kt_op_add(a, b) : NULL;
    if (how == MERGE_CONCAT) return kt_op_concatenate(kt_list(a, b), -1);
    if (how == MERGE_MUL) return kt_op_multiply(a, b);
    return how == MERGE_SUM ? sum : kt_op_divide(sum, kt_num(2));
}

static kt_status bidirectional_call(kt_layer *l, kt_trace *t) {
    const bidirectional *d = kt_layer_state(l);
    const bool sequences = rnn_of(d->forward)->return_sequences;
    kt_trace f, b;
    kt_sym *x[2];
    if (t->n_initial_state % 2)
        return KT_FAIL(
            KT_EINVAL,
            "initial_state: expected as many tensors for each way, got %d",
            t->n_initial_state);
    kt_status st = call_half(d->forward, t, 0, &f, &x[0]);
    if (st == KT_OK) st = call_half(d->backward, t, 1, &b, &x[1]);
    if (st) return st;
    kt_sym *y = f.out[0], *back = b.out[0];
    if (sequences) back = kt_wrap(kt_g_reverse(kt_tracer_current()->g, kt_unwrap(back, NULL), 1));
    int n = 0;
    t->out[n++] = d->merge == MERGE_NONE ? y : merge(d->merge, y, back);
    if (d->merge == MERGE_NONE) t->out[n++] = back;
    for (int i = 0; sequences && t->in_mask && i < n; i++) t->out_mask[i] = t->in_mask[0];
    for (int i = 1; i < f.n_out; i++) t->out[n++] = f.out[i];
    for (int i = 1; i < b.n_out; i++) t->out[n++] = b.out[i];
    t->n_out = n;
    return kt_check(t->out[0]);
}

#define F(name) KT_F(kt_bidirectional_args, name)
static const kt_field bidirectional_fields[] = {
    F(merge_mode),
    F(layer),
    F(weights),
    F(backward_layer),
    KT_F_END,
};
#undef F

const kt_layer_class kt_class_bidirectional = {
    .name = "Bidirectional",
    .args_size = sizeof(kt_bidirectional_args),
    .state_size = sizeof(bidirectional),
    .fields = bidirectional_fields,
    .defaults = &(const kt_bidirectional_args){KT_BIDIRECTIONAL_DEFAULTS},
    .init = bidirectional_init,
    .build = bidirectional_build,
    .call = bidirectional_call,
    .supports_masking = true,
    .computes_mask = true,
};

kt_layer *kt_bidirectional_new(const kt_bidirectional_args *a) {
    return kt_layer_new(&kt_class_bidirectional, a);
}
