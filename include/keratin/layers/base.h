/* What every layer has: arguments, calling, weights, names. */
#ifndef KERATIN_LAYERS_BASE_H
#define KERATIN_LAYERS_BASE_H

#include <keratin/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kt_layer kt_layer;
/** A model is a layer. */
typedef struct kt_layer kt_model;
typedef struct kt_var kt_var;

/** A shape without axes, in a field of dimensions. */
#define KT_SCALAR (INT64_MIN + 1)

/** Arguments that every layer takes; they end the struct. Keras: those of keras.layers.Layer. Where
 * a layer has activity_regularizer at a place of its own, KT_LAYER_NAME_ARGS end the struct. */
#define KT_LAYER_ARGS                                                                              \
    kt_ref activity_regularizer; /* a penalty on the outputs, added to the loss */                 \
    KT_LAYER_NAME_ARGS
#define KT_LAYER_NAME_ARGS                                                                         \
    const char *name;  /* default: the class name in snake case, numbered */                       \
    const char *dtype; /* default: the dtype policy */                                             \
    bool trainable;    /* default true */                                                          \
    bool autocast;     /* default true: floats come in the layer's dtype */
#define KT_LAYER_DEFAULTS .trainable = true, .autocast = true,

/** Calls a layer on symbolic tensors: layer(x).
 *
 * A layer that is called the first time gets its weights. Called again it shares them. `inputs` is
 * one tensor or kt_list(a, b). The result is the first output, kt_item() gives the others.
 *
 *     kt_sym *y = kt_call(kt_dense(10), x, .training = false);
 */
typedef struct kt_call_args {
    size_t size;
    kt_layer *layer;
    kt_ref inputs;
    int training; ///< KT_AUTO (default), true, false
    kt_ref mask;  ///< in place of what flows with the inputs: a mask for the first one, or a
                  ///< list with one for each (kt_none: no mask)
    kt_ref initial_state;         ///< recurrent layers: a tensor or a list
    kt_ref attention_mask;        ///< attention layers: which query sees which key, bool
    bool return_attention_scores; ///< attention layers: the scores are a second output
    bool use_causal_mask;         ///< attention layers: no position sees a later one
} kt_call_args;
#define KT_CALL_DEFAULTS .training = KT_AUTO,
#define kt_call(...) KT_CALL(kt_call_with, kt_call_args, KT_CALL_DEFAULTS, __VA_ARGS__)
KT_API kt_sym *kt_call_with(const kt_call_args *args);

/** Name ("dense_1") and class ("Dense"), borrowed. An automatic name is given when the layer joins
 * a model or is first asked for it. */
KT_API const char *kt_layer_name(kt_layer *layer);
KT_API const char *kt_layer_class_name(const kt_layer *layer);
/** Are there weights yet? Number of weights and of parameters (elements of all weights). */
KT_API bool kt_layer_built(const kt_layer *layer);
KT_API int kt_layer_n_weights(const kt_layer *layer);
KT_API int64_t kt_layer_count_params(const kt_layer *layer);
/** Weight i in the order of Keras' get_weights: a layer's own trainable ones, its own others, then
 * those of each layer inside it. */
KT_API kt_var *kt_layer_weight(const kt_layer *layer, int i);
/** Copies of all weights in that order, as a list of tensors; and back. Shapes must agree.
 *
 *     kt_list_t *w = kt_get_weights(model);
 *     kt_set_weights(other, w);
 */
KT_API kt_list_t *kt_get_weights(kt_layer *layer);
KT_API kt_status kt_set_weights(kt_layer *layer, const kt_list_t *weights);
/** Turns training of a layer and everything inside it on or off; compile again for it to take
 * effect. */
KT_API kt_status kt_set_trainable(kt_layer *layer, bool trainable);
KT_API bool kt_trainable(const kt_layer *layer);
/** Builds a layer for an input shape (batch axis first) without calling it. */
KT_API kt_status kt_layer_build(kt_layer *layer, kt_shape input_shape);

/** Low-rank adaptation (LoRA) of a layer that is built and has the argument lora_rank. Keras:
 * layer.enable_lora.
 *
 * The kernel (the table of an Embedding) is frozen. Two small matrices are trained in its place,
 * "lora_kernel_a" (its shape with `rank` in place of the last axis) and "lora_kernel_b" (rank,
 * units): the layer computes with kernel + lora_alpha / rank a b. Files hold that sum; a model
 * loaded from one has zeros for a and b. Compile again afterwards. To switch training of the layer
 * off and on again frees the kernel, as in Keras.
 * Errors: rank <= 0; a layer without LoRA, not built, with LoRA already or with a constraint on its
 * kernel.
 *
 *     kt_layer_enable_lora(layer, 4, .lora_alpha = 8);
 */
typedef struct kt_lora_args {
    size_t size;
    kt_layer *layer;
    int64_t rank;
    double lora_alpha;    ///< default KT_NONE_F: the rank
    kt_ref a_initializer; ///< default "he_uniform"
    kt_ref b_initializer; ///< default "zeros": the layer computes what it did before
} kt_lora_args;
#define KT_LORA_DEFAULTS                                                                           \
    .lora_alpha = KT_NONE_F, .a_initializer = "he_uniform", .b_initializer = "zeros",
#define kt_layer_enable_lora(...)                                                                  \
    KT_CALL(kt_layer_enable_lora_with, kt_lora_args, KT_LORA_DEFAULTS, __VA_ARGS__)
KT_API kt_status kt_layer_enable_lora_with(const kt_lora_args *args);

/** Name ("kernel") and path ("sequential/dense/kernel") of a variable; its value as a new tensor; a
 * new value (same shape, converted). */
KT_API const char *kt_var_name(const kt_var *v);
KT_API const char *kt_var_path(kt_var *v);
KT_API kt_tensor *kt_var_value(kt_var *v);
KT_API kt_status kt_var_assign(kt_var *v, const kt_tensor *value);

#ifdef __cplusplus
}
#endif
#endif
