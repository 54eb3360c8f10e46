/* Low-rank adaptation (LoRA) of layers with one large weight: Dense, EinsumDense, Embedding, the
 * convolutions. Their first weight W is frozen and two small ones, A and B, are trained in its
 * place; the layer computes with W + alpha / rank A B. Files hold that sum as W, and nothing of A
 * and B, which are zeros when a model is loaded, as in Keras. */
#ifndef KT_NN_LORA_H
#define KT_NN_LORA_H

#include "nn/layer.h"

/** For init: lora_rank and quantization_config. */
kt_status kt_lora_check(int64_t rank, kt_ref quantization_config);
/** The end of build: adapts if lora_rank asks for it; an alpha of KT_NONE_F is the rank. */
kt_status kt_lora_build(kt_layer *l, int64_t rank, double alpha);
/** kt_value() of A or B, in the layer's dtype; of the layer's first weight, adapted. */
kt_sym *kt_lora_part(const kt_layer *l, kt_var *part);
kt_sym *kt_lora_value(const kt_layer *l, kt_var *weight);

/** For files: is v A or B of its layer? */
bool kt_lora_is_part(const kt_layer *l, const kt_var *v);
/** The layer's first weight as files hold it, in new memory; NULL if v is no adapted weight. */
kt_status kt_lora_merged(const kt_layer *l, const kt_var *v, void **out);
/** A and B become zeros: a file was read into the layer. */
void kt_lora_clear(const kt_layer *l);

#endif
