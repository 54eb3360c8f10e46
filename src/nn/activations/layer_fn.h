/* A layer where an activation is expected: Dense(8, activation=LeakyReLU(0.1)), which Keras takes
 * because a layer can be called like a function. */
#ifndef KT_NN_ACTIVATIONS_LAYER_FN_H
#define KT_NN_ACTIVATIONS_LAYER_FN_H

#include "nn/component.h"

/** An activation that calls the layer. The layer is kept alive by it; who wants its weights
 * trained and saved makes it a sub-layer (kt_add_sublayer). */
kt_component *kt_activation_of_layer(const void *layer);

#endif
