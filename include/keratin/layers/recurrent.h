/* Sequences: embedding, masking, and recurrent layers. See layers.h. */
#ifndef KERATIN_LAYERS_RECURRENT_H
#define KERATIN_LAYERS_RECURRENT_H

#include <keratin/layers/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Rows of a table by index: token ids become vectors.
 *
 * Keras: keras.layers.Embedding.  Shape: (batch, ...) of ids -> (batch, ..., output_dim).
 * Errors: input_dim or output_dim <= 0; while running, an id outside 0 … input_dim - 1 (the message
 * names value and position).
 *
 *     kt_embedding(20000, 32, .mask_zero = true)
 */
typedef struct kt_embedding_args {
    size_t size;
    int input_dim;                 ///< rows of the table: largest id + 1
    int output_dim;                ///< length of a vector
    kt_ref embeddings_initializer; ///< default "uniform"
    kt_ref embeddings_regularizer, embeddings_constraint;
    bool mask_zero;             ///< id 0 is padding: a mask that is false there goes on
    kt_ref weights;             ///< first values of the table: a tensor, or a list of one
    int64_t lora_rank;          ///< default KT_NONE; anything else is not supported
    double lora_alpha;          ///< default KT_NONE_F
    kt_ref quantization_config; ///< not supported
    KT_LAYER_ARGS
} kt_embedding_args;
#define KT_EMBEDDING_DEFAULTS                                                                      \
    .embeddings_initializer = "uniform", .lora_rank = KT_NONE, .lora_alpha = KT_NONE_F,            \
    KT_LAYER_DEFAULTS
#define kt_embedding(...)                                                                          \
    KT_CALL(kt_embedding_new, kt_embedding_args, KT_EMBEDDING_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_embedding_new(const kt_embedding_args *args);

/** Masks the time steps whose features all equal a value; they become zeros.
 *
 * Keras: keras.layers.Masking.  Shape: (batch, time, features), unchanged.
 *
 *     kt_masking(.mask_value = -1)
 */
typedef struct kt_masking_args {
    size_t size;
    double mask_value; ///< default 0
    KT_LAYER_ARGS
} kt_masking_args;
#define KT_MASKING_DEFAULTS KT_LAYER_DEFAULTS
#define kt_masking(...) KT_CALL(kt_masking_new, kt_masking_args, KT_MASKING_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_masking_new(const kt_masking_args *args);

#ifdef __cplusplus
}
#endif
#endif
