/* LSTMCell: i, f, o = recurrent_activation, g = activation of x . kernel + bias + h . recurrent;
 * c = f c + i g; h = o activation(c).  keras.layers.LSTMCell */
#include "nn/layers/rnn.h"

#include "base/rng.h"
#include "nn/initializers/initializer.h"
#include "runtime/settings.h"

#include <string.h>

static rnn_cell_args lstm_args(const kt_layer *l) {
    const kt_lstm_cell_args *a = kt_layer_args(l);
    return (rnn_cell_args){
        .gates = 4,
        .bias = {4 * (int64_t)a->units},
        .recurrent_activation = a->recurrent_activation,
        RNN_CELL_ARGS(a)};
}

static kt_status lstm_init(kt_layer *l) {
    const rnn_cell_args a = lstm_args(l);
    return rnn_cell_init(l, &a);
}

/* The bias starts with ones for the forget gate: the initializer fills what is before and after. */
kt_status rnn_forget_fill(kt_var *v) {
    const kt_component *c = v->initializer;
    const kt_initializer_class *cls = (const kt_initializer_class *)c->cls;
    const uint64_t key = kt_rng_key(kt_seed(), kt_var_path(v));
    const int64_t u = v->spec.shape.dim[0] / 4;
    const size_t e = kt_dtype_size(v->spec.dtype);
    char *data = kt_var_data(v);
    const kt_spec one = {v->spec.dtype, {1, {u}}}, two = {v->spec.dtype, {1, {2 * u}}};
    for (int64_t i = u; i < 2 * u; i++) kt_elem_set(data, v->spec.dtype, i, 1);
    const kt_status st = cls->fill(c, key, &one, data);
    return st ? st : cls->fill(c, kt_rng_key(key, "behind"), &two, data + 2 * (size_t)u * e);
}

static kt_status lstm_build(kt_layer *l, const kt_shape *in) {
    const rnn_cell_args a = lstm_args(l);
    const kt_status st = rnn_cell_build(l, in, &a);
    rnn_cell *c = kt_layer_state(l);
    if (st == KT_OK && c->bias && ((const kt_lstm_cell_args *)kt_layer_args(l))->unit_forget_bias)
        c->bias->fill = rnn_forget_fill;
    return st;
}

static int lstm_states(const kt_layer *l, int64_t *size) {
    size[0] = size[1] = ((const kt_lstm_cell_args *)kt_layer_args(l))->units;
    return 2;
}

/* With recurrent dropout every gate has masks of its own. */
static kt_sym *lstm_gate(kt_layer *l, kt_trace *t, int i) {
    const rnn_cell *c = kt_layer_state(l);
    kt_sym *x = rnn_cell_drop(l, 0, i, t->in[0], t->training);
    kt_sym *h = rnn_cell_drop(l, 1, i, t->initial_state[0], t->training);
    kt_sym *z = kt_op_matmul(x, rnn_gate(kt_value(c->kernel), i, c->units));
    if (c->bias) z = kt_op_add(z, rnn_gate(kt_value(c->bias), i, c->units));
    return kt_op_add(z, kt_op_matmul(h, rnn_gate(kt_value(c->recurrent), i, c->units)));
}

static void lstm_gates(kt_layer *l, kt_trace *t, kt_sym **gate) {
    const rnn_cell *c = kt_layer_state(l);
    if (t->training && c->recurrent_dropout > 0) {
        for (int i = 0; i < 4; i++) gate[i] = lstm_gate(l, t, i);
        return;
    }
    kt_sym *x = rnn_cell_drop(l, 0, 0, t->in[0], t->training);
    kt_sym *z = kt_op_matmul(x, kt_value(c->kernel));
    z = kt_op_add(z, kt_op_matmul(t->initial_state[0], kt_value(c->recurrent)));
    if (c->bias) z = kt_op_add(z, kt_value(c->bias));
    for (int i = 0; i < 4; i++) gate[i] = rnn_gate(z, i, c->units);
}

static kt_status lstm_call(kt_layer *l, kt_trace *t) {
    const rnn_cell *c = kt_layer_state(l);
    const kt_status st = rnn_cell_check(l, t);
    if (st) return st;
    kt_sym *z[4];
    lstm_gates(l, t, z);
    kt_sym *i = kt_activation_apply(c->recurrent_activation, z[0]);
    kt_sym *f = kt_activation_apply(c->recurrent_activation, z[1]);
    kt_sym *g = kt_activation_apply(c->activation, z[2]);
    kt_sym *o = kt_activation_apply(c->recurrent_activation, z[3]);
    t->n_out = 3;
    t->out[2] = kt_op_add(kt_op_multiply(f, t->initial_state[1]), kt_op_multiply(i, g));
    t->out[0] = t->out[1] = kt_op_multiply(o, kt_activation_apply(c->activation, t->out[2]));
    return kt_check(t->out[0]);
}

bool rnn_lstm_sequence(kt_layer *l, rnn_sequence *s) {
    const rnn_cell *c = kt_layer_state(l);
    if (!rnn_activation_is(c->activation, "tanh")) return false;
    if (!rnn_activation_is(c->recurrent_activation, "sigmoid")) return false;
    if (s->training && c->recurrent_dropout > 0) return false;
    rnn_run_sequence(l, RNN_LSTM, c->bias ? kt_value(c->bias) : NULL, NULL, s);
    return true;
}

#define F(name) KT_F(kt_lstm_cell_args, name)
static const kt_field lstm_fields[] = {
    F(units),
    F(activation),
    F(recurrent_activation),
    F(use_bias),
    F(unit_forget_bias),
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
    F(seed),
    KT_F_END,
};
#undef F

const kt_layer_class kt_class_lstm_cell = {
    .name = "LSTMCell",
    .args_size = sizeof(kt_lstm_cell_args),
    .state_size = sizeof(rnn_cell),
    .fields = lstm_fields,
    .defaults = &(const kt_lstm_cell_args){KT_LSTM_CELL_DEFAULTS},
    .init = lstm_init,
    .build = lstm_build,
    .call = lstm_call,
    .state_sizes = lstm_states,
};

kt_layer *kt_lstm_cell_new(const kt_lstm_cell_args *a) {
    return kt_layer_new(&kt_class_lstm_cell, a);
}
