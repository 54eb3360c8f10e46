/* What the normalization layers share: axes, moments, and bringing weights next to the input. */
#ifndef KT_NN_LAYERS_NORMALIZE_H
#define KT_NN_LAYERS_NORMALIZE_H

#include "nn/layer.h"

/** Bit i of *bits: axis i of an input of shape s is one of `axis`. Errors: out of range. */
kt_status kt_norm_axes(kt_tuple axis, const kt_shape *s, int *bits);
/** The lengths along these axes, ordered as Keras orders them, into a field of dimensions. Errors:
 * also an open length. */
kt_status kt_norm_weight_shape(kt_tuple axis, const kt_shape *s, int64_t *field);
/** x in float32 or what is wider: 16 bits do not hold sums and squares. */
kt_val *kt_norm_float(kt_graph *g, kt_val *x);
/** A weight of those lengths with as many axes and the dtype of x; NULL stays NULL. */
kt_val *kt_norm_widen(kt_graph *g, kt_var *weight, const kt_val *x, int bits);
/** gamma (x - mean) / sqrt(variance + epsilon) + beta, with the moments along the axes `bits`;
 * gamma and beta can be broadcast to x, or are NULL. */
kt_val *kt_normalize(kt_graph *g, kt_val *x, int bits, double epsilon, kt_val *gamma, kt_val *beta);

#endif
