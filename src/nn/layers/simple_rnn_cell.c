/* SimpleRNNCell: h = activation(x . kernel + bias + h . recurrent_kernel).
 * keras.layers.SimpleRNNCell */
#include "nn/layers/rnn.h"

static rnn_cell_args simple_args(const kt_layer *l) {
    const kt_simple_rnn_cell_args *a = kt_layer_args(l);
    return (rnn_cell_args){.gates = 1, .bias = {a->units}, RNN_CELL_ARGS(a)};
}

static kt_status simple_init(kt_layer *l) {
    const rnn_cell_args a = simple_args(l);
    return rnn_cell_init(l, &a);
}

static kt_status simple_build(kt_layer *l, const kt_shape *in) {
    const rnn_cell_args a = simple_args(l);
    return rnn_cell_build(l, in, &a);
}

static int simple_states(const kt_layer *l, int64_t *size) {
    size[0] = ((const kt_simple_rnn_cell_args *)kt_layer_args(l))->units;
    return 1;
}

static kt_status simple_call(kt_layer *l, kt_trace *t) {
    const rnn_cell *c = kt_layer_state(l);
    const kt_status st = rnn_cell_check(l, t);
    if (st) return st;
    kt_sym *x = rnn_cell_drop(l, 0, 0, t->in[0], t->training);
    kt_sym *h = rnn_cell_drop(l, 1, 0, t->initial_state[0], t->training);
    kt_sym *z = kt_op_matmul(x, kt_value(c->kernel));
    if (c->bias) z = kt_op_add(z, kt_value(c->bias));
    z = kt_op_add(z, kt_op_matmul(h, kt_value(c->recurrent)));
    t->n_out = 2;
    t->out[0] = t->out[1] = kt_activation_apply(c->activation, z);
    return kt_check(t->out[0]);
}

bool rnn_simple_sequence(kt_layer *l, rnn_sequence *s) {
    const rnn_cell *c = kt_layer_state(l);
    if (!rnn_activation_is(c->activation, "tanh")) return false;
    if (s->training && c->recurrent_dropout > 0) return false;
    rnn_run_sequence(l, RNN_SIMPLE, c->bias ? kt_value(c->bias) : NULL, NULL, s);
    return true;
}

#define F(name) KT_F(kt_simple_rnn_cell_args, name)
static const kt_field simple_fields[] = {
    F(units),
    F(activation),
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
    F(seed),
    KT_F_END,
};
#undef F

const kt_layer_class kt_class_simple_rnn_cell = {
    .name = "SimpleRNNCell",
    .args_size = sizeof(kt_simple_rnn_cell_args),
    .state_size = sizeof(rnn_cell),
    .fields = simple_fields,
    .defaults = &(const kt_simple_rnn_cell_args){KT_SIMPLE_RNN_CELL_DEFAULTS},
    .init = simple_init,
    .build = simple_build,
    .call = simple_call,
    .state_sizes = simple_states,
};

kt_layer *kt_simple_rnn_cell_new(const kt_simple_rnn_cell_args *a) {
    return kt_layer_new(&kt_class_simple_rnn_cell, a);
}
