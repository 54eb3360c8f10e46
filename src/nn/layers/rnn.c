/* RNN: a cell over the time steps of a sequence.  keras.layers.RNN
 *
 * SimpleRNN, GRU and LSTM are this with a cell of their own. A cell that the ops of ops/rnn.c can
 * do runs as one of them; any other is called once for each time step while the program is traced,
 * so it may be made of whatever layers are made of, and its gradient comes from the ops. */
#include "nn/layers/rnn.h"

#include "base/mem.h"

kt_status rnn_init(kt_layer *l, kt_layer *cell) {
    rnn_layer *r = kt_layer_state(l);
    kt_status st = kt_layer_require(cell, "cell");
    if (st) return st;
    if (!cell->cls->state_sizes) {
        KT_FAIL(KT_EINVAL, "cell: %s is no recurrent cell", cell->class_name);
        return kt_error_hint("the class of a cell says its states in state_sizes");
    }
    r->n_states = cell->cls->state_sizes(cell, r->size);
    if (r->n_states < 1 || r->n_states > RNN_MAX_STATES)
        return KT_FAIL(KT_ELIMIT, "cell: expected 1 to %d states", RNN_MAX_STATES);
    kt_layer_set_spec(l, (kt_input_spec){.min_ndim = 3});
    r->cell = kt_add_sublayer_as(l, "cell", cell);
    return kt_failed(r->cell) ? kt_check(r->cell) : KT_OK;
}

kt_status rnn_init_own(kt_layer *l, kt_layer *cell, int use_cudnn) {
    kt_status st = rnn_init(l, cell);
    if (st) {
        kt_drop(cell);
        return st;
    }
    kt_layer_set_spec(l, (kt_input_spec){.ndim = 3});
    if (use_cudnn == 1)
        return KT_FAIL(KT_EUNSUPPORTED, "use_cudnn: cuDNN is not supported, leave it at KT_AUTO");
    return KT_OK;
}

/* Building
 * ----------------------------------------------------------------------------------------- */

/* State i for inputs (batch, time, …). */
static kt_status state_spec(const kt_layer *l, const kt_shape *in, int i, kt_spec *out) {
    const rnn_layer *r = l->state;
    *out = (kt_spec){l->dtype, {2, {in->dim[0], r->size[i]}}};
    return r->state_shape ? r->state_shape(r->cell, in, &out->shape) : KT_OK;
}

static kt_status make_states(kt_layer *l, const kt_shape *in) {
    rnn_layer *r = kt_layer_state(l);
    if (in->dim[0] == KT_NONE) {
        KT_FAIL(KT_ESHAPE, "a stateful layer needs to know the batch size");
        return kt_error_hint("give it: kt_input({…}, .batch_size = 32)");
    }
    for (int i = 0; i < r->n_states; i++) {
        kt_spec spec;
        kt_status st = state_spec(l, in, i, &spec);
        if (st) return st;
        spec.dtype = l->variable_dtype;
        kt_var *v = kt_var_new("rnn_state", spec, false);
        st = kt_failed(v) ? kt_check(v) : kt_var_ensure(v);
        if (st) {
            kt_drop(v);
            return st;
        }
        r->state[i] = kt_adopt(v);
    }
    return KT_OK;
}

kt_status rnn_build(kt_layer *l, const kt_shape *in) {
    rnn_layer *r = kt_layer_state(l);
    kt_shape step = in[0];
    if (r->unroll && in[0].dim[1] == KT_NONE) {
        KT_FAIL(KT_ESHAPE, "unroll: the number of time steps must be known");
        return kt_error_hint("give it in kt_input()");
    }
    for (int i = 1; i + 1 < step.ndim; i++) step.dim[i] = step.dim[i + 1];
    step.ndim--;
    const kt_status st = kt_layer_ensure_built(r->cell, 1, &step);
    if (st || !r->stateful || r->state[0]) return st;
    return make_states(l, in);
}

void rnn_destroy(kt_layer *l) {
    rnn_layer *r = kt_layer_state(l);
    for (int i = 0; i < r->n_states; i++) kt_release(r->state[i]);
}

/* Calling
 * ------------------------------------------------------------------------------------------ */

/* The mask as bool [batch, time]. Keras fills in the argument `mask` by itself only where the
 * inputs are the only tensors of the call: beside initial states a mask that came with the input
 * goes on to the output, but skips no step. */
static kt_status take_mask(const kt_trace *t, kt_val **out) {
    kt_graph *g = kt_tracer_current()->g;
    *out = NULL;
    if (!t->in_mask || !t->in_mask[0]) return KT_OK;
    if (t->n_initial_state && !(t->masks_given & 1)) return KT_OK;
    const kt_shape *x = &t->in[0]->spec.shape;
    kt_val *m = kt_unwrap(t->in_mask[0], NULL);
    if (m && m->spec.shape.ndim == 3 && m->spec.shape.dim[2] == 1) m = kt_g_squeeze(g, m, 2);
    if (!m) return g->status;
    const kt_shape *s = &m->spec.shape;
    if (s->ndim != 2 || s->dim[0] != x->dim[0] || s->dim[1] != x->dim[1]) {
        char got[KT_SHAPE_STR];
        KT_FAIL(KT_ESHAPE, "the mask does not go with the input");
        kt_error_expected("(%lld, %lld)", (long long)x->dim[0], (long long)x->dim[1]);
        return kt_error_got("%s", kt_shape_str(s, got, sizeof got));
    }
    *out = m->spec.dtype == KT_BOOL ? m : kt_g_ne(g, m, kt_g_num(g, 0, m));
    return g->status;
}

static kt_status check_batch(const rnn_layer *r, int64_t batch) {
    const int64_t want = r->state[0]->spec.shape.dim[0];
    if (batch == want) return KT_OK;
    KT_FAIL(
        KT_ESHAPE,
        "a stateful layer takes batches of one size, that of its states, and never a shorter last "
        "one");
    kt_error_expected("%lld rows", (long long)want);
    return kt_error_got("%lld", (long long)batch);
}

/* The states to begin with: given, kept from the last batch, or zeros. */
static kt_status take_states(kt_layer *l, const kt_trace *t, kt_sym **state) {
    const rnn_layer *r = kt_layer_state(l);
    kt_graph *g = kt_tracer_current()->g;
    const kt_shape *in = &t->in[0]->spec.shape;
    if (r->stateful) {
        const kt_status st = check_batch(r, in->dim[0]);
        if (st) return st;
    }
    if (t->n_initial_state && t->n_initial_state != r->n_states) {
        KT_FAIL(KT_EINVAL, "initial_state: expected %d tensors", r->n_states);
        return kt_error_got("%d", t->n_initial_state);
    }
    for (int i = 0; i < r->n_states; i++) {
        kt_spec spec;
        const kt_status st = state_spec(l, in, i, &spec);
        if (st) return st;
        if (t->n_initial_state)
            state[i] = kt_op_cast(t->initial_state[i], kt_dtype_name(l->dtype));
        else
            state[i] = r->stateful ? kt_value(r->state[i]) : kt_wrap(kt_g_const(g, 0, spec));
        if (kt_failed(state[i])) return kt_check(state[i]);
        if (kt_shape_equal(&state[i]->spec.shape, &spec.shape)) continue;
        char want[KT_SHAPE_STR], got[KT_SHAPE_STR];
        KT_FAIL(KT_ESHAPE, "initial_state: tensor %d has another shape", i);
        kt_error_expected("%s", kt_shape_str(&spec.shape, want, sizeof want));
        return kt_error_got("%s", kt_shape_str(&state[i]->spec.shape, got, sizeof got));
    }
    return KT_OK;
}

/* The loop over any cell
 * --------------------------------------------------------------------------- */

/* One mask of dropout for all steps, in all cells inside. */
static kt_status set_looping(kt_layer *l, void *data) {
    const kt_layer_class *c = l->cls;
    if (c != &kt_class_simple_rnn_cell && c != &kt_class_gru_cell && c != &kt_class_lstm_cell &&
        !rnn_is_conv_cell(c))
        return KT_OK;
    rnn_cell *cell = kt_layer_state(l);
    cell->looping = *(const bool *)data;
    for (int i = 0; i < 8; i++) cell->drop[i / 4][i % 4] = NULL;
    return KT_OK;
}

typedef struct {
    rnn_layer *r;
    kt_graph *g;
    bool training, projected;
    kt_val *x, *mask;    /* time first; x: what it gives to the gates, if it is projected */
    kt_sym **state;      /* so far */
    kt_val *prev, **all; /* outputs: the last one, each one */
} loop;

/* Time step t of an array whose first axis is time. */
static kt_val *step_of(kt_graph *g, kt_val *x, int64_t t) {
    kt_shape s = {x->spec.shape.ndim - 1, {0}};
    for (int i = 0; i < s.ndim; i++) s.dim[i] = x->spec.shape.dim[i + 1];
    return kt_g_view(g, x, t * kt_shape_size(&s), s);
}

static kt_val *choose(const loop *p, kt_val *mask, kt_val *a, kt_val *b) {
    kt_shape s = mask->spec.shape;
    while (a && s.ndim < a->spec.shape.ndim) s.dim[s.ndim++] = 1;
    return kt_g_select(p->g, kt_g_reshape(p->g, mask, s), a, b);
}

static kt_status loop_step(loop *p, int64_t t) {
    const rnn_layer *r = p->r;
    kt_sym *x = kt_wrap(step_of(p->g, p->x, t)), *none = NULL;
    kt_val *mask = p->mask ? step_of(p->g, p->mask, t) : NULL;
    kt_trace c = {
        .n_in = 1,
        .in = &x,
        .in_mask = &none,
        .training = p->training,
        .n_initial_state = r->n_states,
        .initial_state = p->state};
    kt_status st = kt_check(x);
    if (st == KT_OK) st = (p->projected ? r->cell->cls->call : kt_layer_trace_call)(r->cell, &c);
    if (st) return st;
    if (c.n_out != 1 + r->n_states)
        return KT_FAIL(
            KT_EINVAL,
            "the cell gives %d outputs: expected its output and %d new states",
            c.n_out,
            r->n_states);
    kt_val *y = kt_unwrap(c.out[0], NULL);
    kt_val *hold = p->prev && !r->zero_output_for_mask ? p->prev
                   : y                                 ? kt_g_const(p->g, 0, y->spec)
                                                       : NULL;
    p->prev = mask ? choose(p, mask, y, hold) : y;
    for (int i = 0; i < r->n_states; i++) {
        kt_val *s = kt_unwrap(c.out[1 + i], NULL), *old = kt_unwrap(p->state[i], NULL);
        p->state[i] = kt_wrap(mask ? choose(p, mask, s, old) : s);
    }
    return p->g->status;
}

static kt_val *time_first(kt_graph *g, kt_val *x) {
    int perm[KT_MAX_RANK] = {1, 0};
    for (int i = 2; i < KT_MAX_RANK; i++) perm[i] = i;
    return x ? kt_g_transpose(g, x, perm) : NULL;
}

/* [batch, time, …] of the outputs; while only shapes count, all are the first one. */
static kt_val *stack_outputs(const loop *p, int64_t steps, int64_t done) {
    kt_shape s = p->prev->spec.shape;
    const int64_t size = kt_shape_size(&s);
    int64_t *at = kt_arena_alloc(p->g->arena, sizeof *at * (size_t)(done + 1));
    if (!at) return kt_graph_fail(p->g, KT_ENOMEM);
    for (int i = s.ndim; i-- > 0;) s.dim[i + 1] = s.dim[i];
    s.ndim++;
    s.dim[0] = steps;
    if (done < steps) return time_first(p->g, kt_g_broadcast(p->g, p->prev, s));
    for (int64_t i = 0; i < done; i++) at[i] = i * size;
    kt_val *flat = kt_g_pack(p->g, (int)done, p->all, at, done * size);
    return time_first(p->g, kt_g_reshape(p->g, flat, s));
}

static kt_status run_loop(kt_layer *l, kt_trace *t, kt_sym **state, kt_val *mask, kt_sym **y) {
    rnn_layer *r = kt_layer_state(l);
    kt_tracer *tr = kt_tracer_current();
    loop p = {.r = r, .g = tr->g, .training = t->training, .state = state};
    const int64_t steps = t->in[0]->spec.shape.dim[1],
                  done = tr->inferring && steps > 1 ? 1 : steps;
    if (steps < 1) return KT_FAIL(KT_ESHAPE, "expected at least one time step");
    if (steps > INT32_MAX) return KT_FAIL(KT_ELIMIT, "too many time steps");
    p.x = time_first(p.g, kt_unwrap(t->in[0], NULL));
    p.mask = time_first(p.g, mask);
    p.all = kt_arena_alloc(p.g->arena, sizeof *p.all * (size_t)done);
    if (!p.x || !p.all) return p.g->status ? p.g->status : KT_ENOMEM;
    bool looping = true;
    kt_layer_walk(r->cell, set_looping, &looping);
    if (rnn_is_conv_cell(r->cell->cls)) {
        p.projected = true;
        p.x = kt_unwrap(rnn_conv_project(r->cell, kt_wrap(p.x), t->training), NULL);
    }
    kt_status st = p.x ? KT_OK : p.g->status;
    for (int64_t s = 0; s < done && st == KT_OK; s++) {
        st = loop_step(&p, r->go_backwards ? steps - 1 - s : s);
        p.all[s] = p.prev;
    }
    looping = false;
    kt_layer_walk(r->cell, set_looping, &looping);
    if (st) return st;
    *y = kt_wrap(r->return_sequences ? stack_outputs(&p, steps, done) : p.prev);
    return kt_check(*y);
}

/* ---------------------------------------------------------------------------------------------- */

/* The whole sequence as one op, if the cell has one; state: in and out. */
static bool run_sequence(kt_layer *l, kt_trace *t, kt_sym **state, kt_val *mask, kt_sym **y) {
    const rnn_layer *r = kt_layer_state(l);
    const kt_layer_class *c = r->cell->cls;
    rnn_sequence_fn *run = c == &kt_class_simple_rnn_cell ? rnn_simple_sequence
                           : c == &kt_class_gru_cell      ? rnn_gru_sequence
                           : c == &kt_class_lstm_cell     ? rnn_lstm_sequence
                                                          : NULL;
    const kt_shape *x = &t->in[0]->spec.shape;
    if (!run || x->ndim != 3 || x->dim[1] < 1 || l->dtype != r->cell->dtype) return false;
    if (r->cell->activity_regularizer) return false; /* it wants to see each step */
    rnn_sequence s = {
        .x = t->in[0],
        .state = state,
        .mask = mask,
        .training = t->training,
        .attrs = {
            .backwards = r->go_backwards,
            .zero_masked = r->zero_output_for_mask,
            .sequences = r->return_sequences}};
    if (!run(r->cell, &s)) return false;
    *y = s.y;
    return true;
}

kt_status rnn_call(kt_layer *l, kt_trace *t) {
    rnn_layer *r = kt_layer_state(l);
    kt_sym *state[RNN_MAX_STATES];
    kt_val *mask;
    t->in[0] = kt_op_cast(t->in[0], kt_dtype_name(l->dtype)); /* integers too */
    kt_status st = kt_check(t->in[0]);
    if (st == KT_OK) st = take_mask(t, &mask);
    if (st == KT_OK) st = take_states(l, t, state);
    if (st == KT_OK && !run_sequence(l, t, state, mask, &t->out[0]))
        st = run_loop(l, t, state, mask, &t->out[0]);
    if (st == KT_OK) st = kt_check(t->out[0]);
    for (int i = 0; r->stateful && i < r->n_states && st == KT_OK; i++)
        st = kt_assign(r->state[i], state[i]);
    for (int i = 0; r->return_state && i < r->n_states; i++) t->out[1 + i] = state[i];
    t->n_out = r->return_state ? 1 + r->n_states : 1;
    if (r->return_sequences && t->in_mask) t->out_mask[0] = t->in_mask[0];
    return st;
}

static kt_status rnn_init_cell(kt_layer *l) {
    const kt_rnn_args *a = kt_layer_args(l);
    rnn_layer *r = kt_layer_state(l);
    char got[96];
    RNN_OPTIONS(r, a);
    kt_layer *cell = (kt_layer *)(uintptr_t)a->cell;
    if (kt_is(a->cell, KT_KIND_LIST)) cell = kt_stacked_rnn_cells(a->cell);
    if (!cell || (!kt_is(cell, KT_KIND_LAYER) && !kt_failed(cell))) {
        KT_FAIL(KT_EINVAL, "cell: expected a cell or a list of cells");
        return kt_error_got("%s", kt_ref_describe(a->cell, got, sizeof got));
    }
    return rnn_init(l, cell);
}

#define F(name) KT_F(kt_rnn_args, name)
static const kt_field rnn_fields[] = {
    F(return_sequences),
    F(return_state),
    F(go_backwards),
    F(stateful),
    F(unroll),
    F(zero_output_for_mask),
    F(cell),
    KT_F_END,
};
#undef F

const kt_layer_class kt_class_rnn = {
    .name = "RNN",
    .args_size = sizeof(kt_rnn_args),
    .state_size = sizeof(rnn_layer),
    .fields = rnn_fields,
    .defaults = &(const kt_rnn_args){KT_RNN_DEFAULTS},
    .init = rnn_init_cell,
    .build = rnn_build,
    .call = rnn_call,
    .destroy = rnn_destroy,
    .supports_masking = true,
    .computes_mask = true,
};

kt_layer *kt_rnn_new(const kt_rnn_args *a) { return kt_layer_new(&kt_class_rnn, a); }

rnn_layer *rnn_of(const kt_layer *l) {
    return kt_is(l, KT_KIND_LAYER) && l->cls->call == rnn_call ? l->state : NULL;
}

static kt_status reset_visit(kt_layer *l, void *data) {
    const rnn_layer *r = rnn_of(l);
    (void)data;
    for (int i = 0; r && i < r->n_states; i++) {
        kt_var *v = r->state[i];
        const kt_status st = v ? kt_var_ensure(v) : KT_OK;
        if (st) return st;
        for (int64_t k = 0; v && k < kt_shape_size(&v->spec.shape); k++)
            kt_elem_set(kt_var_data(v), v->spec.dtype, k, 0);
    }
    return KT_OK;
}

kt_status kt_reset_states(kt_layer *l) {
    const kt_status st = kt_layer_require(l, "kt_reset_states");
    return st ? st : kt_layer_walk(l, reset_visit, NULL);
}
