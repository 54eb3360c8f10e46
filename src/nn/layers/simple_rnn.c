/* SimpleRNN: h = activation(x . kernel + bias + h . recurrent_kernel).  keras.layers.SimpleRNN
 *
 * RNN with a cell of its own, named as in Keras, for the weights' paths. */
#include "nn/layers/rnn.h"

static kt_status simple_rnn_init(kt_layer *l) {
    const kt_simple_rnn_args *a = kt_layer_args(l);
    RNN_OPTIONS((rnn_layer *)kt_layer_state(l), a);
    kt_layer *cell = kt_simple_rnn_cell(a->units, .name = "simple_rnn_cell", RNN_CELL_OF(l, a));
    return rnn_init_own(l, cell, KT_AUTO);
}

#define F(name) KT_F(kt_simple_rnn_args, name)
static const kt_field simple_rnn_fields[] = {
    F(return_sequences),
    F(return_state),
    F(go_backwards),
    F(stateful),
    F(unroll),
    F(zero_output_for_mask),
    F(units),
    F(activation),
    F(use_bias),
    F(kernel_initializer),
    F(recurrent_initializer),
    F(bias_initializer),
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
    KT_F_END,
};
#undef F

const kt_layer_class kt_class_simple_rnn = {
    .name = "SimpleRNN",
    .args_size = sizeof(kt_simple_rnn_args),
    .state_size = sizeof(rnn_layer),
    .fields = simple_rnn_fields,
    .defaults = &(const kt_simple_rnn_args){KT_SIMPLE_RNN_DEFAULTS},
    .init = simple_rnn_init,
    .build = rnn_build,
    .call = rnn_call,
    .destroy = rnn_destroy,
    .supports_masking = true,
    .computes_mask = true,
};

kt_layer *kt_simple_rnn_new(const kt_simple_rnn_args *a) {
    return kt_layer_new(&kt_class_simple_rnn, a);
}
