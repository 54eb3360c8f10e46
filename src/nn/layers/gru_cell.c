/* GRUCell: z, r = recurrent_activation, n = activation; h = z h + (1 - z) n.  keras.layers.GRUCell
 *
 * With reset_after r scales what the recurrent product gives to n (bias row 1 included), without it
 * r scales the h that goes into the product. */
#include "nn/layers/rnn.h"

static bool gru_after(const kt_layer *l) {
    return ((const kt_gru_cell_args *)kt_layer_args(l))->reset_after;
}

static rnn_cell_args gru_args(const kt_layer *l) {
    const kt_gru_cell_args *a = kt_layer_args(l);
    const int64_t wide = 3 * (int64_t)a->units;
    return (rnn_cell_args){
        .gates = 3,
        .bias = {a->reset_after ? 2 : wide, a->reset_after ? wide : 0},
        .recurrent_activation = a->recurrent_activation,
        RNN_CELL_ARGS(a)};
}

static kt_status gru_init(kt_layer *l) {
    const rnn_cell_args a = gru_args(l);
    return rnn_cell_init(l, &a);
}

static kt_status gru_build(kt_layer *l, const kt_shape *in) {
    const rnn_cell_args a = gru_args(l);
    return rnn_cell_build(l, in, &a);
}

static int gru_states(const kt_layer *l, int64_t *size) {
    size[0] = ((const kt_gru_cell_args *)kt_layer_args(l))->units;
    return 1;
}

/* The bias of the input (row 0) or of the recurrent product (row 1), NULL: none. */
static kt_sym *gru_bias(const kt_layer *l, int row) {
    const rnn_cell *c = ((kt_layer *)(uintptr_t)l)->state;
    if (!c->bias || (row && !gru_after(l))) return NULL;
    if (!gru_after(l)) return kt_value(c->bias);
    return kt_op_squeeze(kt_op_slice(kt_value(c->bias), 0, row, row + 1), 0);
}

static kt_sym *plus(kt_sym *x, kt_sym *bias) { return bias ? kt_op_add(x, bias) : x; }

/* What the input gives to gate i, and what the state gives. With recurrent dropout every gate has
 * masks of its own. */
static kt_sym *gru_input(kt_layer *l, kt_trace *t, int i) {
    const rnn_cell *c = kt_layer_state(l);
    const bool apart = t->training && c->recurrent_dropout > 0;
    kt_sym *x = rnn_cell_drop(l, 0, apart ? i : 0, t->in[0], t->training), *b = gru_bias(l, 0);
    kt_sym *z = kt_op_matmul(x, rnn_gate(kt_value(c->kernel), i, c->units));
    return plus(z, b ? rnn_gate(b, i, c->units) : NULL);
}

static kt_sym *gru_inner(kt_layer *l, kt_trace *t, int i, kt_sym *h) {
    const rnn_cell *c = kt_layer_state(l);
    kt_sym *b = gru_bias(l, 1);
    (void)t;
    return plus(
        kt_op_matmul(h, rnn_gate(kt_value(c->recurrent), i, c->units)),
        b ? rnn_gate(b, i, c->units) : NULL);
}

static kt_status gru_call(kt_layer *l, kt_trace *t) {
    const rnn_cell *c = kt_layer_state(l);
    const kt_status st = rnn_cell_check(l, t);
    if (st) return st;
    kt_sym *h = t->initial_state[0], *drop[3], *n;
    for (int i = 0; i < 3; i++) drop[i] = rnn_cell_drop(l, 1, i, h, t->training);
    kt_sym *z = kt_activation_apply(
        c->recurrent_activation, kt_op_add(gru_input(l, t, 0), gru_inner(l, t, 0, drop[0])));
    kt_sym *r = kt_activation_apply(
        c->recurrent_activation, kt_op_add(gru_input(l, t, 1), gru_inner(l, t, 1, drop[1])));
    if (gru_after(l))
        n = kt_op_multiply(r, gru_inner(l, t, 2, drop[2]));
    else
        n = gru_inner(l, t, 2, kt_op_multiply(r, drop[2]));
    n = kt_activation_apply(c->activation, kt_op_add(gru_input(l, t, 2), n));
    t->n_out = 2;
    t->out[0] = t->out[1] = kt_op_add(
        kt_op_multiply(z, h), kt_op_multiply(kt_op_subtract(kt_num(1), z), n));
    return kt_check(t->out[0]);
}

bool rnn_gru_sequence(kt_layer *l, rnn_sequence *s) {
    const rnn_cell *c = kt_layer_state(l);
    if (!gru_after(l) || !rnn_activation_is(c->activation, "tanh")) return false;
    if (!rnn_activation_is(c->recurrent_activation, "sigmoid")) return false;
    if (s->training && c->recurrent_dropout > 0) return false;
    rnn_run_sequence(l, RNN_GRU, gru_bias(l, 0), gru_bias(l, 1), s);
    return true;
}

#define F(name) KT_F(kt_gru_cell_args, name)
static const kt_field gru_fields[] = {
    F(units),
    F(activation),
    F(recurrent_activation),
    F(use_bias),
    F(kernel_initializer),
    F(recurrent_initializer),
    F(bias_initializer),
    F(kernel_regularizer),
    F(recurrent_regularizer),
    F(bias_regularizer),
    F(kernel_constraint),
    F(recurrent_constraint),
    F(bias_constraint),
    F(dropout),
    F(recurrent_dropout),
    F(reset_after),
    F(seed),
    KT_F_END,
};
#undef F

const kt_layer_class kt_class_gru_cell = {
    .name = "GRUCell",
    .args_size = sizeof(kt_gru_cell_args),
    .state_size = sizeof(rnn_cell),
    .fields = gru_fields,
    .defaults = &(const kt_gru_cell_args){KT_GRU_CELL_DEFAULTS},
    .init = gru_init,
    .build = gru_build,
    .call = gru_call,
    .state_sizes = gru_states,
};

kt_layer *kt_gru_cell_new(const kt_gru_cell_args *a) { return kt_layer_new(&kt_class_gru_cell, a); }
