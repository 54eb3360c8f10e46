/* What Dropout and its relatives share. */
#ifndef KT_NN_LAYERS_NOISE_H
#define KT_NN_LAYERS_NOISE_H

#include "nn/layer.h"

/** A share: 0 to 1. */
kt_status kt_rate_check(double rate);
/** noise_shape for an input of shape `full`: KT_NONE takes the input's length. */
kt_status kt_noise_shape(const int64_t *field, const kt_shape *full, kt_shape *out);
/** Dropout while training with one draw for all elements that differ only along axes where noise
 * has length 1. */
kt_sym *kt_dropout_shared(kt_layer *l, kt_sym *x, kt_shape noise, double rate, int64_t seed);

#endif
