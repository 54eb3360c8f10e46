/* Arguments of Keras' Dense, EinsumDense and Embedding that are taken so that they can be refused:
 * low-rank adaptation and quantization. */
#ifndef KT_NN_LAYERS_LORA_H
#define KT_NN_LAYERS_LORA_H

#include "nn/layer.h"

static inline kt_status kt_lora_check(int64_t rank, kt_ref quantization_config) {
    /* lora_alpha means nothing without a rank, in Keras too */
    if (rank != KT_NONE && rank != 0)
        return KT_FAIL(KT_EUNSUPPORTED, "lora_rank, lora_alpha: LoRA is not supported");
    if (quantization_config)
        return KT_FAIL(KT_EUNSUPPORTED, "quantization_config: quantization is not supported");
    return KT_OK;
}

#endif
