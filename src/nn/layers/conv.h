/* What the convolution layers share: weights that end in a bias, an activation, the order of
 * axes. */
#ifndef KT_NN_LAYERS_CONV_H
#define KT_NN_LAYERS_CONV_H

#include "nn/spatial.h"

#include <keratin/layers.h>
#include <keratin/ops_windows.h>

typedef struct kt_conv_state {
    int rank, size[3];
    bool channels_first;
    kt_var *kernel, *pointwise, *bias; /* NULL where there is none */
    const kt_component *activation;
} kt_conv_state;

/** Number of axes of the input, data_format, activation. `positive` is filters or multiplier. */
kt_status kt_conv_init(
    kt_layer *l, int positive, const char *what, const char *data_format, kt_ref activation);
/** The weight "bias" of n numbers, where `a` (the layer's arguments) asks for one. */
#define kt_conv_bias(l, n, a)                                                                      \
    ((a)->use_bias ? kt_add_weight(                                                                \
                         l,                                                                        \
                         "bias",                                                                   \
                         {n},                                                                      \
                         .initializer = (a)->bias_initializer,                                     \
                         .regularizer = (a)->bias_regularizer,                                     \
                         .constraint = (a)->bias_constraint)                                       \
                   : NULL)
/** From now on the input has that many channels. */
void kt_conv_fix_channels(kt_layer *l, int64_t channels);
/** The input as the op wants it: channels last. */
kt_sym *kt_conv_input(const kt_layer *l, kt_sym *x);
/** Adds the bias, turns back, applies the activation. */
kt_status kt_conv_finish(const kt_layer *l, kt_trace *t, kt_sym *y);

#endif
