/* GRU: gated recurrent unit.  keras.layers.GRU
 *
 * RNN with a cell of its own, named as in Keras, for the weights' paths. */
#include "nn/layers/rnn.h"

static kt_status gru_init(kt_layer *l) {
    const kt_gru_args *a = kt_layer_args(l);
    RNN_OPTIONS((rnn_layer *)kt_layer_state(l), a);
    kt_layer *cell = kt_gru_cell(
        a->units,
        .recurrent_activation = a->recurrent_activation,
        .reset_after = a->reset_after,
        .name = "gru_cell",
        RNN_CELL_OF(l, a));
    return rnn_init_own(l, cell, a->use_cudnn);
}

#define F(name) KT_F(kt_gru_args, name)
static const kt_field gru_fields[] = {
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
    F(kernel_regularizer),
    F(recurrent_regularizer),
    F(bias_regularizer),
    F(activity_regularizer),
    F(kernel_constraint),
    F(recurrent_constraint),
    F(bias_constraint),
    F(dropout),
    F(recurrent_dropout),
    F(reset_after),
    F(seed),
    F(use_cudnn),
    KT_F_END,
};
#undef F

const kt_layer_class kt_class_gru = {
    .name = "GRU",
    .args_size = sizeof(kt_gru_args),
    .state_size = sizeof(rnn_layer),
    .fields = gru_fields,
    .defaults = &(const kt_gru_args){KT_GRU_DEFAULTS},
    .init = gru_init,
    .build = rnn_build,
    .call = rnn_call,
    .destroy = rnn_destroy,
    .supports_masking = true,
    .computes_mask = true,
};

kt_layer *kt_gru_new(const kt_gru_args *a) { return kt_layer_new(&kt_class_gru, a); }
