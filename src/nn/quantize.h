/* Layers that compute with int8 weights: Dense, EinsumDense, Embedding; those with an argument
 * quantization_config. Keras: Layer.quantize(), QuantizedDTypePolicy.
 *
 * The layer's large weight keeps its variable, which becomes int8 and is trained no more; a
 * variable "<weight>_scale" is added behind the others. Files hold a layer's variables in this
 * order. */
#ifndef KT_NN_QUANTIZE_H
#define KT_NN_QUANTIZE_H

#include "nn/layer.h"

#include <keratin/quantizers.h>

/** What KT_KIND_QUANTIZER stands for: AbsMaxQuantizer, Int8QuantizationConfig. */
const kt_class *const *kt_quantizer_registry(void);
/** For init, of the argument quantization_config: None or a config for int8. */
kt_status kt_quant_check(kt_ref quantization_config);

/** For build, once the weight is there: `kept` are the axes of the weight that have a scale of
 * their own, in the order that the scale has them, `scale` its shape. Quantizes if the policy says
 * so. */
kt_status kt_quant_built(
    kt_layer *l, kt_var *weight, int n_kept, const int *kept, const kt_shape *scale);
/** einsum(equation, x, weight) as the quantized layer computes it, with what LoRA adds. */
kt_sym *kt_quant_product(const kt_layer *l, const char *equation, kt_sym *x);

/** The dtype of such a policy if it is one for int8, else KT_NO_DTYPE. */
kt_dtype kt_quant_policy(const char *name);

/** For files: the weight or the scale of a quantized layer with LoRA in it, in new memory. */
kt_status kt_quant_merged(const kt_layer *l, const kt_var *v, void **out);

#endif
