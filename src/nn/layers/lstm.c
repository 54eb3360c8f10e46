/* LSTM: long short-term memory.  keras.layers.LSTM
 *
 * RNN with a cell of its own, named as in Keras, for the weights' paths. */
#include "nn/layers/rnn.h"

static kt_status lstm_init(kt_layer *l) {
    const kt_lstm_args *a = kt_layer_args(l);
    RNN_OPTIONS((rnn_layer *)kt_layer_state(l), a);
    kt_layer *cell = kt_lstm_cell(
        a->units,
        .recurrent_activation = a->recurrent_activation,
        .unit_forget_bias = a->unit_forget_bias,
        .name = "lstm_cell",
        RNN_CELL_OF(l, a));
    return rnn_init_own(l, cell, a->use_cudnn);
}

#define F(name) KT_F(kt_lstm_args, name)
static const kt_field lstm_fields[] = {
    F(return_sequences),
    F(return_state),
    F(go_backwards),
    F(stateful),
    F(unroll),
    F(zero_output_for_mask),
    F(units),
    F(activation),
    F(recurrent_activation),
    F(use_bias),
    F(kernel_initializer),
    F(recurrent_initializer),
    F(bias_initializer),
    F(unit_forget_bias),
    F(kernel_regularizer),
    F(recurrent_regularizer),
    F(bias_regularizer),
    F(activity_regularizer),
    F(kernel_constraint),
    F(recurrent_constraint),
    F(bias_constraint),
    F(dropout),
    F(recurrent_dropout),
    F(seed),
    F(use_cudnn),
    KT_F_END,
};
#undef F

const kt_layer_class kt_class_lstm = {
    .name = "LSTM",
    .args_size = sizeof(kt_lstm_args),
    .state_size = sizeof(rnn_layer),
    .fields = lstm_fields,
    .defaults = &(const kt_lstm_args){KT_LSTM_DEFAULTS},
    .init = lstm_init,
    .build = rnn_build,
    .call = rnn_call,
    .destroy = rnn_destroy,
    .supports_masking = true,
    .computes_mask = true,
};

kt_layer *kt_lstm_new(const kt_lstm_args *a) { return kt_layer_new(&kt_class_lstm, a); }
