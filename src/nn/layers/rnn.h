/* What recurrent layers share: the loop over time steps (rnn.c) and the making of cells
 * (rnn_cell.c). */
#ifndef KT_NN_LAYERS_RNN_H
#define KT_NN_LAYERS_RNN_H

#include "nn/layer.h"

#include <keratin/layers.h>

#define RNN_MAX_STATES (KT_MAX_TENSORS - 1)

/** State of RNN, SimpleRNN, GRU, LSTM. */
typedef struct rnn_layer {
    kt_layer *cell; ///< a sub-layer
    bool return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask;
    int n_states;
    int64_t size[RNN_MAX_STATES];
    kt_var *state[RNN_MAX_STATES]; ///< stateful only; not among the weights, as in Keras
    /** Shape of every state for inputs of that shape; NULL: (batch, size). */
    kt_status (*state_shape)(const kt_layer *cell, const kt_shape *in, kt_shape *out);
} rnn_layer;

/** Takes the arguments that all of them have from an args struct. */
#define RNN_OPTIONS(r, a)                                                                          \
    do {                                                                                           \
        (r)->return_sequences = (a)->return_sequences;                                             \
        (r)->return_state = (a)->return_state;                                                     \
        (r)->go_backwards = (a)->go_backwards;                                                     \
        (r)->stateful = (a)->stateful;                                                             \
        (r)->unroll = (a)->unroll;                                                                 \
        (r)->zero_output_for_mask = (a)->zero_output_for_mask;                                     \
    } while (0)

/** The end of init: adopts the cell. */
kt_status rnn_init(kt_layer *l, kt_layer *cell);
kt_status rnn_build(kt_layer *l, const kt_shape *in);
kt_status rnn_call(kt_layer *l, kt_trace *t);
void rnn_destroy(kt_layer *l);
/** The same for the layers that make their cell themselves: three axes, activity regularizer. */
kt_status rnn_init_own(kt_layer *l, kt_layer *cell, int use_cudnn);
/** The state of a recurrent layer, NULL if it is none. */
rnn_layer *rnn_of(const kt_layer *l);

/** State of SimpleRNNCell, GRUCell, LSTMCell. */
typedef struct rnn_cell {
    kt_var *kernel, *recurrent, *bias; ///< bias is NULL when use_bias is false
    const kt_component *activation, *recurrent_activation;
    int units;
    double dropout, recurrent_dropout;
    int64_t seed;
    bool looping;       ///< one mask serves all steps
    kt_sym *drop[2][4]; ///< masks of the input and of the state, made so far
} rnn_cell;

typedef struct rnn_cell_args {
    int units, gates;
    int64_t bias[2]; ///< its shape
    bool use_bias;
    kt_ref activation, recurrent_activation;
    kt_ref kernel_initializer, recurrent_initializer, bias_initializer;
    kt_ref kernel_regularizer, recurrent_regularizer, bias_regularizer;
    kt_ref kernel_constraint, recurrent_constraint, bias_constraint;
    double dropout, recurrent_dropout;
    int64_t seed;
} rnn_cell_args;
#define RNN_CELL_ARGS(a)                                                                           \
    .units = (a)->units, .use_bias = (a)->use_bias, .activation = (a)->activation,                 \
    .kernel_initializer = (a)->kernel_initializer,                                                 \
    .recurrent_initializer = (a)->recurrent_initializer,                                           \
    .bias_initializer = (a)->bias_initializer, .kernel_regularizer = (a)->kernel_regularizer,      \
    .recurrent_regularizer = (a)->recurrent_regularizer,                                           \
    .bias_regularizer = (a)->bias_regularizer, .kernel_constraint = (a)->kernel_constraint,        \
    .recurrent_constraint = (a)->recurrent_constraint, .bias_constraint = (a)->bias_constraint,    \
    .dropout = (a)->dropout, .recurrent_dropout = (a)->recurrent_dropout, .seed = (a)->seed
/** The same as the arguments of a cell that a layer makes, after `units`. */
#define RNN_CELL_OF(l, a)                                                                          \
    .activation = (a)->activation, .use_bias = (a)->use_bias,                                      \
    .kernel_initializer = (a)->kernel_initializer,                                                 \
    .recurrent_initializer = (a)->recurrent_initializer,                                           \
    .bias_initializer = (a)->bias_initializer, .kernel_regularizer = (a)->kernel_regularizer,      \
    .recurrent_regularizer = (a)->recurrent_regularizer,                                           \
    .bias_regularizer = (a)->bias_regularizer, .kernel_constraint = (a)->kernel_constraint,        \
    .recurrent_constraint = (a)->recurrent_constraint, .bias_constraint = (a)->bias_constraint,    \
    .dropout = (a)->dropout, .recurrent_dropout = (a)->recurrent_dropout, .seed = (a)->seed,       \
    .dtype = kt_layer_policy(l), .trainable = (l)->trainable, .autocast = true

kt_status rnn_cell_init(kt_layer *l, const rnn_cell_args *a);
kt_status rnn_cell_build(kt_layer *l, const kt_shape *in, const rnn_cell_args *a);
/** Checks a call of a cell: how many states. */
kt_status rnn_cell_check(const kt_layer *l, const kt_trace *t);
/** x with dropout: of the input (which 0) or the state (1), mask i of those that the gates have;
 * x itself if there is nothing to drop. */
kt_sym *rnn_cell_drop(kt_layer *l, int which, int i, kt_sym *x, bool training);
/** [time, batch, …] with dropout of the input, mask i for all steps. */
kt_sym *rnn_cell_drop_all(kt_layer *l, int i, kt_sym *x);
/** Is this a function of that name? */
bool rnn_activation_is(const kt_component *c, const char *name);
/** First values of a bias of four gates: ones for the forget gate. */
kt_status rnn_forget_fill(kt_var *v);
/** What the input gives to the gates of a convolution cell, for all steps: [time, batch, …]. Calls
 * of the cell get a step of it as their input. */
kt_sym *rnn_conv_project(kt_layer *cell, kt_sym *x, bool training);
bool rnn_is_conv_cell(const kt_layer_class *c);
/** Columns i u … of x. */
kt_sym *rnn_gate(kt_sym *x, int i, int units);

/** A whole sequence at once: runs the op of this kind with the weights of the cell. */
typedef struct rnn_sequence {
    kt_sym *x, **state; ///< state: in and out
    kt_val *mask;
    rnn_attrs attrs;
    bool training;
    kt_sym *y; ///< result
} rnn_sequence;
void rnn_run_sequence(kt_layer *l, rnn_kind kind, kt_sym *bias, kt_sym *bias_r, rnn_sequence *s);
/** False: this cell, as it is set up, needs the loop. */
typedef bool rnn_sequence_fn(kt_layer *cell, rnn_sequence *s);
rnn_sequence_fn rnn_simple_sequence, rnn_gru_sequence, rnn_lstm_sequence;

extern const kt_layer_class kt_class_simple_rnn_cell, kt_class_gru_cell, kt_class_lstm_cell,
    kt_class_stacked_rnn_cells;

#endif
