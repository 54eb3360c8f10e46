/* Sequences: embedding, masking, and recurrent layers. See layers.h. */
#ifndef KERATIN_LAYERS_RECURRENT_H
#define KERATIN_LAYERS_RECURRENT_H

#include <keratin/layers/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Rows of a table by index: token ids become vectors.
 *
 * Keras: keras.layers.Embedding.  Shape: (batch, ...) of ids -> (batch, ..., output_dim).
 * Errors: input_dim or output_dim <= 0; while running, an id outside 0 … input_dim - 1 (the message
 * names value and position).
 *
 *     kt_embedding(20000, 32, .mask_zero = true)
 */
typedef struct kt_embedding_args {
    size_t size;
    int input_dim;                 ///< rows of the table: largest id + 1
    int output_dim;                ///< length of a vector
    kt_ref embeddings_initializer; ///< default "uniform"
    kt_ref embeddings_regularizer, embeddings_constraint;
    bool mask_zero;    ///< id 0 is padding: a mask that is false there goes on
    kt_ref weights;    ///< first values of the table: a tensor, or a list of one
    int64_t lora_rank; ///< default KT_NONE; else as kt_layer_enable_lora() when it is built
    double lora_alpha; ///< default KT_NONE_F; Keras 3.15.1 takes the rank whatever it is
    kt_ref quantization_config; ///< for the dtype "int8_from_float32", see quantizers.h
    KT_LAYER_ARGS
} kt_embedding_args;
#define KT_EMBEDDING_DEFAULTS                                                                      \
    .embeddings_initializer = "uniform", .lora_rank = KT_NONE, .lora_alpha = KT_NONE_F,            \
    KT_LAYER_DEFAULTS
#define kt_embedding(...)                                                                          \
    KT_CALL(kt_embedding_new, kt_embedding_args, KT_EMBEDDING_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_embedding_new(const kt_embedding_args *args);

/** Masks the time steps whose features all equal a value; they become zeros.
 *
 * Keras: keras.layers.Masking.  Shape: (batch, time, features), unchanged.
 *
 *     kt_masking(.mask_value = -1)
 */
typedef struct kt_masking_args {
    size_t size;
    double mask_value; ///< default 0
    KT_LAYER_ARGS
} kt_masking_args;
#define KT_MASKING_DEFAULTS KT_LAYER_DEFAULTS
#define kt_masking(...) KT_CALL(kt_masking_new, kt_masking_args, KT_MASKING_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_masking_new(const kt_masking_args *args);

/** Long short-term memory.
 *
 * Keras: keras.layers.LSTM.  Shape: (batch, time, features) -> (batch, units), or (batch, time,
 * units) with return_sequences; with return_state also h and c, each (batch, units). Weights:
 * kernel, recurrent_kernel, bias, gates in the order i, f, c, o. A mask is used, and goes on with
 * sequences. States to begin with: kt_call(l, x, .initial_state = kt_list(h, c)). Errors: units <=
 * 0; stateful with an open batch axis, or with another batch size than the first.
 *
 *     kt_lstm(64, .return_sequences = true)
 */
typedef struct kt_lstm_args {
    size_t size;
    int units;                    ///< length of output and state, > 0
    kt_ref activation;            ///< default "tanh"; NULL: linear
    kt_ref recurrent_activation;  ///< of the gates, default "sigmoid"
    bool use_bias;                ///< default true
    kt_ref kernel_initializer;    ///< default "glorot_uniform"
    kt_ref recurrent_initializer; ///< default "orthogonal"
    kt_ref bias_initializer;      ///< default "zeros"
    bool unit_forget_bias;        ///< default true: the forget gate starts with bias 1
    kt_ref kernel_regularizer, recurrent_regularizer, bias_regularizer, activity_regularizer;
    kt_ref kernel_constraint, recurrent_constraint, bias_constraint;
    double dropout;           ///< of the input, 0 to 1; one mask for all time steps
    double recurrent_dropout; ///< of the state
    int64_t seed;             ///< default KT_NONE: from the seed of the session
    bool return_sequences;    ///< every step's output, not the last one only
    bool return_state;        ///< the states at the end as further outputs: kt_item(y, 1) …
    bool go_backwards;        ///< from the last step to the first; sequences come out in that order
    bool stateful;            ///< a batch goes on from the states of the one before it
    bool unroll;              ///< no difference here
    int use_cudnn;            ///< KT_AUTO (default) or false; true fails: there is none on a CPU
    bool zero_output_for_mask; ///< a masked step gives 0, not the output before it
    KT_LAYER_NAME_ARGS
} kt_lstm_args;
#define KT_LSTM_DEFAULTS                                                                           \
    .activation = "tanh", .recurrent_activation = "sigmoid", .use_bias = true,                     \
    .kernel_initializer = "glorot_uniform", .recurrent_initializer = "orthogonal",                 \
    .bias_initializer = "zeros", .unit_forget_bias = true, .seed = KT_NONE, .use_cudnn = KT_AUTO,  \
    KT_LAYER_DEFAULTS
#define kt_lstm(...) KT_CALL(kt_lstm_new, kt_lstm_args, KT_LSTM_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_lstm_new(const kt_lstm_args *args);

/** Gated recurrent unit.
 *
 * Keras: keras.layers.GRU.  Shape: (batch, time, features) ->
 * (batch, units), or (batch, time, units) with return_sequences; with return_state also h
 * (batch, units). Weights: kernel, recurrent_kernel, bias (2, 3 units), with reset_after = false
 * (3 units); gates in the order z, r, h.
 *
 *     kt_gru(64)
 */
typedef struct kt_gru_args {
    size_t size;
    int units;                    ///< length of output and state, > 0
    kt_ref activation;            ///< default "tanh"; NULL: linear
    kt_ref recurrent_activation;  ///< of the gates, default "sigmoid"
    bool use_bias;                ///< default true
    kt_ref kernel_initializer;    ///< default "glorot_uniform"
    kt_ref recurrent_initializer; ///< default "orthogonal"
    kt_ref bias_initializer;      ///< default "zeros"
    kt_ref kernel_regularizer, recurrent_regularizer, bias_regularizer, activity_regularizer;
    kt_ref kernel_constraint, recurrent_constraint, bias_constraint;
    double dropout;           ///< of the input, 0 to 1; one mask for all time steps
    double recurrent_dropout; ///< of the state
    int64_t seed;             ///< default KT_NONE: from the seed of the session
    bool return_sequences;    ///< every step's output, not the last one only
    bool return_state;        ///< the states at the end as further outputs: kt_item(y, 1) …
    bool go_backwards;        ///< from the last step to the first; sequences come out in that order
    bool stateful;            ///< a batch goes on from the states of the one before it
    bool unroll;              ///< no difference here
    bool reset_after; ///< default true: the reset gate scales the product, not what goes into it
    int use_cudnn;    ///< KT_AUTO (default) or false; true fails: there is none on a CPU
    bool zero_output_for_mask; ///< a masked step gives 0, not the output before it
    KT_LAYER_NAME_ARGS
} kt_gru_args;
#define KT_GRU_DEFAULTS                                                                            \
    .activation = "tanh", .recurrent_activation = "sigmoid", .use_bias = true,                     \
    .kernel_initializer = "glorot_uniform", .recurrent_initializer = "orthogonal",                 \
    .bias_initializer = "zeros", .seed = KT_NONE, .reset_after = true, .use_cudnn = KT_AUTO,       \
    KT_LAYER_DEFAULTS
#define kt_gru(...) KT_CALL(kt_gru_new, kt_gru_args, KT_GRU_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_gru_new(const kt_gru_args *args);

/** h = activation(x . kernel + bias + h . recurrent_kernel).
 *
 * Keras: keras.layers.SimpleRNN.  Shape: (batch, time, features) ->
 * (batch, units), or (batch, time, units) with return_sequences; with return_state also h
 * (batch, units).
 *
 *     kt_simple_rnn(32)
 */
typedef struct kt_simple_rnn_args {
    size_t size;
    int units;                    ///< length of output and state, > 0
    kt_ref activation;            ///< default "tanh"; NULL: linear
    bool use_bias;                ///< default true
    kt_ref kernel_initializer;    ///< default "glorot_uniform"
    kt_ref recurrent_initializer; ///< default "orthogonal"
    kt_ref bias_initializer;      ///< default "zeros"
    kt_ref kernel_regularizer, recurrent_regularizer, bias_regularizer, activity_regularizer;
    kt_ref kernel_constraint, recurrent_constraint, bias_constraint;
    double dropout;           ///< of the input, 0 to 1; one mask for all time steps
    double recurrent_dropout; ///< of the state
    bool return_sequences;    ///< every step's output, not the last one only
    bool return_state;        ///< the states at the end as further outputs: kt_item(y, 1) …
    bool go_backwards;        ///< from the last step to the first; sequences come out in that order
    bool stateful;            ///< a batch goes on from the states of the one before it
    bool unroll;              ///< no difference here
    int64_t seed;             ///< default KT_NONE: from the seed of the session
    bool zero_output_for_mask; ///< a masked step gives 0, not the output before it
    KT_LAYER_NAME_ARGS
} kt_simple_rnn_args;
#define KT_SIMPLE_RNN_DEFAULTS                                                                     \
    .activation = "tanh", .use_bias = true, .kernel_initializer = "glorot_uniform",                \
    .recurrent_initializer = "orthogonal", .bias_initializer = "zeros", .seed = KT_NONE,           \
    KT_LAYER_DEFAULTS
#define kt_simple_rnn(...)                                                                         \
    KT_CALL(kt_simple_rnn_new, kt_simple_rnn_args, KT_SIMPLE_RNN_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_simple_rnn_new(const kt_simple_rnn_args *args);

/** An LSTM whose products are convolutions, for sequences of pictures (or of rows, or volumes).
 *
 * Keras: keras.layers.ConvLSTM1D, ConvLSTM2D, ConvLSTM3D.  Shape: (batch, time, length ...,
 * channels) -> (batch, length' ..., filters), or (batch, time, length' ..., filters) with
 * return_sequences; with return_state also h and c, each (batch, length' ..., filters). With
 * data_format "channels_first" channels and filters stand before the lengths. length' is that of
 * kt_conv2d(); the convolution of the state has padding "same", no strides and no dilation.
 * Weights: kernel (kernel_size ..., channels, 4 filters), recurrent_kernel (kernel_size ...,
 * filters, 4 filters), bias (4 filters), gates in the order i, f, c, o.
 * Errors: as kt_conv2d() and kt_lstm(); lengths that are not known.
 *
 *     kt_conv_lstm2d(16, 3, .padding = "same", .return_sequences = true)
 */
typedef struct kt_conv_lstm_args {
    size_t size;
    int filters;                  ///< channels of output and states, > 0
    kt_tuple kernel_size;         ///< 3 or kt_hw(3, 5): size of the window
    kt_tuple strides;             ///< default 1
    const char *padding;          ///< "valid" (default) or "same"
    const char *data_format;      ///< "channels_last" (default) or "channels_first"
    kt_tuple dilation_rate;       ///< default 1: no gaps in the window
    kt_ref activation;            ///< default "tanh"; NULL: linear
    kt_ref recurrent_activation;  ///< of the gates, default "sigmoid"
    bool use_bias;                ///< default true
    kt_ref kernel_initializer;    ///< default "glorot_uniform"
    kt_ref recurrent_initializer; ///< default "orthogonal"
    kt_ref bias_initializer;      ///< default "zeros"
    bool unit_forget_bias;        ///< default true: the forget gate starts with bias 1
    kt_ref kernel_regularizer, recurrent_regularizer, bias_regularizer, activity_regularizer;
    kt_ref kernel_constraint, recurrent_constraint, bias_constraint;
    double dropout;           ///< of the input, 0 to 1; one mask per gate for all time steps
    double recurrent_dropout; ///< of the state
    int64_t seed;             ///< default KT_NONE: from the seed of the session
    bool return_sequences;    ///< every step's output, not the last one only
    bool return_state;        ///< the states at the end as further outputs: kt_item(y, 1) …
    bool go_backwards;        ///< from the last step to the first; sequences come out in that order
    bool stateful;            ///< a batch goes on from the states of the one before it
    bool unroll;              ///< no difference here
    bool zero_output_for_mask; ///< a masked step gives 0, not the output before it
    KT_LAYER_NAME_ARGS
} kt_conv_lstm_args;
#define KT_CONV_LSTM_DEFAULTS                                                                      \
    .strides = 1, .padding = "valid", .dilation_rate = 1, .activation = "tanh",                    \
    .recurrent_activation = "sigmoid", .use_bias = true, .kernel_initializer = "glorot_uniform",   \
    .recurrent_initializer = "orthogonal", .bias_initializer = "zeros", .unit_forget_bias = true,  \
    .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_conv_lstm1d(...)                                                                        \
    KT_CALL(kt_conv_lstm1d_new, kt_conv_lstm_args, KT_CONV_LSTM_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_conv_lstm1d_new(const kt_conv_lstm_args *args);
#define kt_conv_lstm2d(...)                                                                        \
    KT_CALL(kt_conv_lstm2d_new, kt_conv_lstm_args, KT_CONV_LSTM_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_conv_lstm2d_new(const kt_conv_lstm_args *args);
#define kt_conv_lstm3d(...)                                                                        \
    KT_CALL(kt_conv_lstm3d_new, kt_conv_lstm_args, KT_CONV_LSTM_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_conv_lstm3d_new(const kt_conv_lstm_args *args);

/** One step of an LSTM, for kt_rnn().
 *
 * Keras: keras.layers.LSTMCell.  Called on (batch, features) with .initial_state = its states h
 * and c; outputs: h, then the new h and c.
 *
 *     kt_rnn(kt_lstm_cell(64))
 */
typedef struct kt_lstm_cell_args {
    size_t size;
    int units;                    ///< length of output and state, > 0
    kt_ref activation;            ///< default "tanh"; NULL: linear
    kt_ref recurrent_activation;  ///< of the gates, default "sigmoid"
    bool use_bias;                ///< default true
    kt_ref kernel_initializer;    ///< default "glorot_uniform"
    kt_ref recurrent_initializer; ///< default "orthogonal"
    kt_ref bias_initializer;      ///< default "zeros"
    bool unit_forget_bias;        ///< default true: the forget gate starts with bias 1
    kt_ref kernel_regularizer, recurrent_regularizer, bias_regularizer;
    kt_ref kernel_constraint, recurrent_constraint, bias_constraint;
    double dropout;           ///< of the input, 0 to 1; one mask for all time steps
    double recurrent_dropout; ///< of the state
    int64_t seed;             ///< default KT_NONE: from the seed of the session
    KT_LAYER_ARGS
} kt_lstm_cell_args;
#define KT_LSTM_CELL_DEFAULTS                                                                      \
    .activation = "tanh", .recurrent_activation = "sigmoid", .use_bias = true,                     \
    .kernel_initializer = "glorot_uniform", .recurrent_initializer = "orthogonal",                 \
    .bias_initializer = "zeros", .unit_forget_bias = true, .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_lstm_cell(...)                                                                          \
    KT_CALL(kt_lstm_cell_new, kt_lstm_cell_args, KT_LSTM_CELL_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_lstm_cell_new(const kt_lstm_cell_args *args);

/** One step of a GRU, for kt_rnn().
 *
 * Keras: keras.layers.GRUCell.  Called on (batch, features) with .initial_state = its state h;
 * outputs: h, twice.
 *
 *     kt_rnn(kt_gru_cell(64))
 */
typedef struct kt_gru_cell_args {
    size_t size;
    int units;                    ///< length of output and state, > 0
    kt_ref activation;            ///< default "tanh"; NULL: linear
    kt_ref recurrent_activation;  ///< of the gates, default "sigmoid"
    bool use_bias;                ///< default true
    kt_ref kernel_initializer;    ///< default "glorot_uniform"
    kt_ref recurrent_initializer; ///< default "orthogonal"
    kt_ref bias_initializer;      ///< default "zeros"
    kt_ref kernel_regularizer, recurrent_regularizer, bias_regularizer;
    kt_ref kernel_constraint, recurrent_constraint, bias_constraint;
    double dropout;           ///< of the input, 0 to 1; one mask for all time steps
    double recurrent_dropout; ///< of the state
    bool reset_after;         ///< default true
    int64_t seed;             ///< default KT_NONE: from the seed of the session
    KT_LAYER_ARGS
} kt_gru_cell_args;
#define KT_GRU_CELL_DEFAULTS                                                                       \
    .activation = "tanh", .recurrent_activation = "sigmoid", .use_bias = true,                     \
    .kernel_initializer = "glorot_uniform", .recurrent_initializer = "orthogonal",                 \
    .bias_initializer = "zeros", .reset_after = true, .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_gru_cell(...)                                                                           \
    KT_CALL(kt_gru_cell_new, kt_gru_cell_args, KT_GRU_CELL_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_gru_cell_new(const kt_gru_cell_args *args);

/** One step of a SimpleRNN, for kt_rnn().
 *
 * Keras: keras.layers.SimpleRNNCell.  Called on (batch, features) with .initial_state = its state
 * h; outputs: h, twice.
 *
 *     kt_rnn(kt_simple_rnn_cell(64))
 */
typedef struct kt_simple_rnn_cell_args {
    size_t size;
    int units;                    ///< length of output and state, > 0
    kt_ref activation;            ///< default "tanh"; NULL: linear
    bool use_bias;                ///< default true
    kt_ref kernel_initializer;    ///< default "glorot_uniform"
    kt_ref recurrent_initializer; ///< default "orthogonal"
    kt_ref bias_initializer;      ///< default "zeros"
    kt_ref kernel_regularizer, recurrent_regularizer, bias_regularizer;
    kt_ref kernel_constraint, recurrent_constraint, bias_constraint;
    double dropout;           ///< of the input, 0 to 1; one mask for all time steps
    double recurrent_dropout; ///< of the state
    int64_t seed;             ///< default KT_NONE: from the seed of the session
    KT_LAYER_ARGS
} kt_simple_rnn_cell_args;
#define KT_SIMPLE_RNN_CELL_DEFAULTS                                                                \
    .activation = "tanh", .use_bias = true, .kernel_initializer = "glorot_uniform",                \
    .recurrent_initializer = "orthogonal", .bias_initializer = "zeros", .seed = KT_NONE,           \
    KT_LAYER_DEFAULTS
#define kt_simple_rnn_cell(...)                                                                    \
    KT_CALL(                                                                                       \
        kt_simple_rnn_cell_new, kt_simple_rnn_cell_args, KT_SIMPLE_RNN_CELL_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_simple_rnn_cell_new(const kt_simple_rnn_cell_args *args);

/** Runs a cell over the time steps of a sequence.
 *
 * Keras: keras.layers.RNN.  The cell is a layer whose class has `state_sizes`: it is called on one
 * step (batch, ...) with its states as initial_state, and its outputs are the step's output and the
 * new states. A list of cells means kt_stacked_rnn_cells().
 * Errors: no cell; a state that does not have the size that the cell says.
 *
 *     kt_rnn(kt_lstm_cell(32), .return_sequences = true)
 */
typedef struct kt_rnn_args {
    size_t size;
    kt_ref cell;           ///< a cell or a list of cells
    bool return_sequences; ///< every step's output, not the last one only
    bool return_state;     ///< the states at the end as further outputs: kt_item(y, 1) …
    bool go_backwards;     ///< from the last step to the first; sequences come out in that order
    bool stateful;         ///< a batch goes on from the states of the one before it
    bool unroll;           ///< no difference here
    bool zero_output_for_mask; ///< a masked step gives 0, not the output before it
    KT_LAYER_ARGS
} kt_rnn_args;
#define KT_RNN_DEFAULTS KT_LAYER_DEFAULTS
#define kt_rnn(...) KT_CALL(kt_rnn_new, kt_rnn_args, KT_RNN_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_rnn_new(const kt_rnn_args *args);

/** Several cells as one: each gets the output of the one before it.
 *
 * Keras: keras.layers.StackedRNNCells.  At most 7 states in all.
 *
 *     kt_rnn(kt_stacked_rnn_cells(kt_list(kt_gru_cell(32), kt_gru_cell(16))))
 */
typedef struct kt_stacked_rnn_cells_args {
    size_t size;
    kt_ref cells; ///< list of cells
    KT_LAYER_ARGS
} kt_stacked_rnn_cells_args;
#define KT_STACKED_RNN_CELLS_DEFAULTS KT_LAYER_DEFAULTS
#define kt_stacked_rnn_cells(...)                                                                  \
    KT_CALL(                                                                                       \
        kt_stacked_rnn_cells_new,                                                                  \
        kt_stacked_rnn_cells_args,                                                                 \
        KT_STACKED_RNN_CELLS_DEFAULTS,                                                             \
        __VA_ARGS__)
KT_API kt_layer *kt_stacked_rnn_cells_new(const kt_stacked_rnn_cells_args *args);

/** A recurrent layer and a second one that goes the other way.
 *
 * Keras: keras.layers.Bidirectional.  `layer` is copied twice (forward_NAME, backward_NAME).
 * merge_mode says what becomes of the two outputs: "concat", "sum", "mul", "ave"; NULL (None):
 * both, as two outputs. Sequences of the second one are turned to the order of time; masked steps
 * give 0 in sequences. States, with return_state: those of the first one, then of the second one.
 * Errors: no recurrent layer; two that go the same way, or give different things.
 *
 *     kt_bidirectional(kt_lstm(64, .return_sequences = true))
 */
typedef struct kt_bidirectional_args {
    size_t size;
    kt_ref layer;
    const char *merge_mode; ///< default "concat"
    kt_ref weights;         ///< first values, a list: those of the first one, then of the second
    kt_ref backward_layer;  ///< default: like `layer`, backwards
    KT_LAYER_ARGS
} kt_bidirectional_args;
#define KT_BIDIRECTIONAL_DEFAULTS .merge_mode = "concat", KT_LAYER_DEFAULTS
#define kt_bidirectional(...)                                                                      \
    KT_CALL(kt_bidirectional_new, kt_bidirectional_args, KT_BIDIRECTIONAL_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_bidirectional_new(const kt_bidirectional_args *args);

/** A layer on every time step of a sequence.
 *
 * Keras: keras.layers.TimeDistributed.  Shape: (batch, time, ...) -> (batch, time, ...) of what the
 * layer makes of (batch, ...).
 * Errors: fewer than three axes; a mask that does not begin with (batch, time).
 *
 *     kt_time_distributed(kt_conv2d(8, 3))
 */
typedef struct kt_time_distributed_args {
    size_t size;
    kt_ref layer;
    KT_LAYER_ARGS
} kt_time_distributed_args;
#define KT_TIME_DISTRIBUTED_DEFAULTS KT_LAYER_DEFAULTS
#define kt_time_distributed(...)                                                                   \
    KT_CALL(                                                                                       \
        kt_time_distributed_new,                                                                   \
        kt_time_distributed_args,                                                                  \
        KT_TIME_DISTRIBUTED_DEFAULTS,                                                              \
        __VA_ARGS__)
KT_API kt_layer *kt_time_distributed_new(const kt_time_distributed_args *args);

/** Sets the states of a stateful layer, and of all inside a model, back to 0.
 * Keras: layer.reset_states() */
KT_API kt_status kt_reset_states(kt_layer *layer);

#ifdef __cplusplus
}
#endif
#endif
