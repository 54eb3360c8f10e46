/* What the attention layers share: masks, and attention between projected queries, keys, values. */
#ifndef KT_NN_LAYERS_ATTEND_H
#define KT_NN_LAYERS_ATTEND_H

#include "nn/layer.h"

#include <keratin/layers.h>

/** Where query i may see key j, bool (1, queries, keys): j <= i; and |i - j| < window. */
kt_sym *kt_causal_mask(int64_t queries, int64_t keys);
kt_sym *kt_window_mask(int64_t queries, int64_t keys, int window);
/** Both, if there are two. */
kt_sym *kt_both_masks(kt_sym *a, kt_sym *b);

/** softmax along the axes `bits`; what the mask (NULL: none) leaves out is 0. */
kt_val *kt_softmax_masked(kt_graph *g, kt_val *x, int bits, kt_val *mask);

/** How a layer attends. */
typedef struct {
    double scale, dropout;
    int64_t seed;
    int sliding_window;            ///< 0: none
    bool flash;                    ///< asked for
    int n_axes, axes[KT_MAX_RANK]; ///< of the queries that are attended over, ascending
} kt_attend_how;

/** State of a multi-head layer: its projections, and how it attends. */
typedef struct {
    kt_layer *query, *key, *value, *gate, *output; ///< gate is NULL without use_gate
    kt_attend_how how;
} kt_attend_state;

/** q (batch, …, heads, key_dim), k, v (batch, …, heads, value_dim) to *out like q, and *scores
 * (batch, …, heads, queries, keys), NULL unless the call asks for them. Masks come from the call:
 * those of its inputs query, value and key, attention_mask, use_causal_mask. */
kt_status kt_attend(
    const kt_attend_how *how,
    kt_layer *l,
    const kt_trace *t,
    kt_sym *const qkv[3],
    kt_sym **out,
    kt_sym **scores);

/** What every projection takes over from the arguments of its layer. */
#define KT_PROJECTION_ARGS(a)                                                                      \
    .size = sizeof(kt_einsum_dense_args), .kernel_initializer = (a)->kernel_initializer,           \
    .bias_initializer = (a)->bias_initializer, .kernel_regularizer = (a)->kernel_regularizer,      \
    .bias_regularizer = (a)->bias_regularizer, .activity_regularizer = (a)->activity_regularizer,  \
    .kernel_constraint = (a)->kernel_constraint, .bias_constraint = (a)->bias_constraint,          \
    .lora_rank = KT_NONE, .lora_alpha = KT_NONE_F, .gptq_unpacked_column_size = KT_NONE,           \
    .autocast = true
/** A projection of l, built for `in`: an EinsumDense with l's dtype and trainable. Never NULL. */
kt_layer *kt_attend_projection(
    kt_layer *l, const char *attribute, kt_einsum_dense_args e, const kt_shape *in);
/** The first error among the projections. */
kt_status kt_attend_built(const kt_layer *l);
/** Attends with the projected queries, keys and values, then gate and output projection. */
kt_status kt_attend_call(kt_layer *l, kt_trace *t, kt_sym *const qkv[3]);

/** What both multi-head layers ask of their arguments. */
kt_status kt_attend_check(int sliding_window, int flash_attention, double dropout);
/** Inputs query, value and (if there are three) key: lengths of values and keys must agree. */
kt_status kt_attend_shapes(const kt_layer *l, const kt_shape *in);

#endif
