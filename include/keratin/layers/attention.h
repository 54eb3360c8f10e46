/* Attention layers: see layers.h. */
#ifndef KERATIN_LAYERS_ATTENTION_H
#define KERATIN_LAYERS_ATTENTION_H

#include <keratin/axes.h>
#include <keratin/layers/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* All take a list of tensors, query and value, and key where it is not value again:
 *
 *     kt_sym *y = kt_call(kt_attention(), kt_list(a, b), .use_causal_mask = true);
 *
 * Masks of the inputs say which steps of query and value (and key) count; the output has the
 * query's mask. With .return_attention_scores = true the scores are output 1: kt_item(y, 1). */

/** Attention with learned projections of query, key and value, in several heads.
 *
 * Keras: keras.layers.MultiHeadAttention.  Shape: query (batch, steps, dim), value and key (batch,
 * source steps, dim) -> (batch, steps, query's dim or output_shape). Inputs may have more axes:
 * attention_axes says which ones are attended over.
 * Weights: query, key, value, attention_output (and gate), each with kernel and bias, as
 * EinsumDense layers inside. The call takes attention_mask (batch, steps, source steps) too.
 * Errors: sizes below 1; flash attention with dropout; value and key of different lengths.
 *
 *     kt_sym *y = kt_call(kt_multi_head_attention(4, 16), kt_list(x, x));
 */
typedef struct kt_multi_head_attention_args {
    size_t size;
    int num_heads;                     ///< > 0
    int key_dim;                       ///< of each head, > 0
    int value_dim;                     ///< of each head; default 0 (None): key_dim
    double dropout;                    ///< of the scores; default 0
    bool use_bias;                     ///< default true
    int64_t output_shape[KT_MAX_RANK]; ///< default {0} (None): the last axis of the query
    kt_tuple attention_axes;           ///< default KT_NONE: all but the first and the last
    int sliding_window;  ///< default 0 (None); else a query sees keys less than so many steps away
    int flash_attention; ///< default KT_AUTO; true: neither dropout nor scores may be asked for
    kt_ref kernel_initializer;                                         ///< default "glorot_uniform"
    kt_ref bias_initializer;                                           ///< default "zeros"
    kt_ref kernel_regularizer, bias_regularizer, activity_regularizer; ///< of the projections
    kt_ref kernel_constraint, bias_constraint;
    bool use_gate; ///< default false: a gate, sigmoid of a projection of the query, on the heads
    int64_t seed;  ///< default KT_NONE: from the seed of the session
    KT_LAYER_NAME_ARGS
} kt_multi_head_attention_args;
#define KT_MULTI_HEAD_ATTENTION_DEFAULTS                                                           \
    .use_bias = true, .attention_axes = KT_NONE, .flash_attention = KT_AUTO,                       \
    .kernel_initializer = "glorot_uniform", .bias_initializer = "zeros", .seed = KT_NONE,          \
    KT_LAYER_DEFAULTS
#define kt_multi_head_attention(...)                                                               \
    KT_CALL(                                                                                       \
        kt_multi_head_attention_new,                                                               \
        kt_multi_head_attention_args,                                                              \
        KT_MULTI_HEAD_ATTENTION_DEFAULTS,                                                          \
        __VA_ARGS__)
KT_API kt_layer *kt_multi_head_attention_new(const kt_multi_head_attention_args *args);

/** Multi-head attention in which several heads of queries share a head of keys and values.
 *
 * Keras: keras.layers.GroupQueryAttention.  Shape: query (batch, steps, dim), value and key (batch,
 * source steps, dim) -> (batch, steps, dim). The call takes attention_mask too.
 * Errors: sizes below 1; num_query_heads that num_key_value_heads does not divide.
 *
 *     kt_sym *y = kt_call(kt_group_query_attention(16, 8, 2), kt_list(x, x));
 */
typedef struct kt_group_query_attention_args {
    size_t size;
    int head_dim;            ///< > 0
    int num_query_heads;     ///< > 0
    int num_key_value_heads; ///< > 0, divides num_query_heads
    double dropout;          ///< of the scores; default 0
    bool use_bias;           ///< default true
    int sliding_window;  ///< default 0 (None); else a query sees keys less than so many steps away
    int flash_attention; ///< default KT_AUTO; true: neither dropout nor scores may be asked for
    kt_ref kernel_initializer;                                         ///< default "glorot_uniform"
    kt_ref bias_initializer;                                           ///< default "zeros"
    kt_ref kernel_regularizer, bias_regularizer, activity_regularizer; ///< of the projections
    kt_ref kernel_constraint, bias_constraint;
    bool use_gate; ///< default false: a gate, sigmoid of a projection of the query, on the heads
    int64_t seed;  ///< default KT_NONE: from the seed of the session
    KT_LAYER_NAME_ARGS
} kt_group_query_attention_args;
#define KT_GROUP_QUERY_ATTENTION_DEFAULTS                                                          \
    .use_bias = true, .flash_attention = KT_AUTO, .kernel_initializer = "glorot_uniform",          \
    .bias_initializer = "zeros", .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_group_query_attention(...)                                                              \
    KT_CALL(                                                                                       \
        kt_group_query_attention_new,                                                              \
        kt_group_query_attention_args,                                                             \
        KT_GROUP_QUERY_ATTENTION_DEFAULTS,                                                         \
        __VA_ARGS__)
KT_API kt_layer *kt_group_query_attention_new(const kt_group_query_attention_args *args);

/** Dot-product attention without projections (Luong).
 *
 * Keras: keras.layers.Attention.  Shape: query (batch, steps, dim), value (batch, source steps,
 * value dim) -> (batch, steps, value dim). Masked steps of the query give 0.
 * Weights: scale () with use_scale, concat_score_weight () with "concat".
 * Errors: an unknown score_mode.
 *
 *     kt_sym *y = kt_call(kt_attention(), kt_list(a, b));
 */
typedef struct kt_attention_args {
    size_t size;
    bool use_scale;         ///< default false: a learned number on the scores
    const char *score_mode; ///< "dot" (default) or "concat"
    double dropout;         ///< of the scores; default 0
    int64_t seed;           ///< default KT_NONE: from the seed of the session
    KT_LAYER_ARGS
} kt_attention_args;
#define KT_ATTENTION_DEFAULTS .score_mode = "dot", .seed = KT_NONE, KT_LAYER_DEFAULTS
#define kt_attention(...)                                                                          \
    KT_CALL(kt_attention_new, kt_attention_args, KT_ATTENTION_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_attention_new(const kt_attention_args *args);

/** Additive attention (Bahdanau): scores are the sum of scale tanh(query + key).
 *
 * Keras: keras.layers.AdditiveAttention.  Shape as of Attention; query and key have the same dim.
 * Weight: scale (dim) with use_scale.
 *
 *     kt_sym *y = kt_call(kt_additive_attention(), kt_list(a, b));
 */
typedef struct kt_additive_attention_args {
    size_t size;
    bool use_scale; ///< default true
    double dropout; ///< of the scores; default 0
    KT_LAYER_ARGS
} kt_additive_attention_args;
#define KT_ADDITIVE_ATTENTION_DEFAULTS .use_scale = true, KT_LAYER_DEFAULTS
#define kt_additive_attention(...)                                                                 \
    KT_CALL(                                                                                       \
        kt_additive_attention_new,                                                                 \
        kt_additive_attention_args,                                                                \
        KT_ADDITIVE_ATTENTION_DEFAULTS,                                                            \
        __VA_ARGS__)
KT_API kt_layer *kt_additive_attention_new(const kt_additive_attention_args *args);

#ifdef __cplusplus
}
#endif
#endif
