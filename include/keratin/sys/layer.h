/* For those who write layers. Built-in layers use the same five parts (API.md, "a layer of the
 * user's own"): an args struct, a state struct, build, call, and a descriptor. */
#ifndef KERATIN_SYS_LAYER_H
#define KERATIN_SYS_LAYER_H

#include <keratin/layers/base.h>
#include <keratin/sys/field.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KT_MAX_TENSORS 16 /* outputs of one call */

/** One call of a layer while a program is traced. `call` reads the first part and fills the
 * second. */
typedef struct kt_trace {
    int n_in;
    kt_sym **in;
    kt_sym **in_mask;     ///< NULL where an input carries no mask
    unsigned masks_given; ///< bit i: in_mask[i] was given by hand, it did not come with the input
    bool training; ///< resolved: the call's argument, else the enclosing call's, else the program's
    int n_initial_state;
    kt_sym **initial_state; ///< recurrent layers
    kt_sym *attention_mask; ///< attention layers, as the two below; NULL: none
    bool return_attention_scores, use_causal_mask;

    int n_out; ///< 1 unless the layer says otherwise
    kt_sym *out[KT_MAX_TENSORS];
    kt_sym *out_mask[KT_MAX_TENSORS];
} kt_trace;

/** What a layer is. Only `name`, `args_size` and `call` are needed. */
typedef struct kt_layer_class {
    const char *name;    ///< "Dense"
    const char *package; ///< registered name is package>name; NULL: built in
    size_t args_size, state_size;
    const kt_field *fields; ///< the arguments without those of KT_LAYER_ARGS; ends with KT_F_END
    const void *defaults;   ///< an args struct with the defaults in it; NULL: zeros
    kt_status (*init)(kt_layer *l);                      ///< checks arguments
    kt_status (*build)(kt_layer *l, const kt_shape *in); ///< makes weights; in[i]: shape of input i
    kt_status (*call)(kt_layer *l, kt_trace *t);
    void (*destroy)(kt_layer *l); ///< for what init and build allocated
    int min_inputs, max_inputs;   ///< 0, 0 means exactly one
    bool supports_masking;        ///< passes the mask of input 0 on
    bool computes_mask;           ///< fills out_mask itself
    bool attends; ///< takes attention_mask, return_attention_scores, use_causal_mask
    /** Recurrent cells: the lengths of the states, each (batch, length); returns how many. A cell
     * finds them in t->initial_state and gives its output, then the new states. NULL: no cell. */
    int (*state_sizes)(const kt_layer *l, int64_t *sizes);
    bool ends_in_name; ///< KT_LAYER_NAME_ARGS end the args struct, and it has no
                       ///< activity_regularizer of its own either
    bool any_dtype;    ///< may have an integer dtype too: that of its output
    const char *(*default_dtype)(
        const void *args);         ///< its dtype if none is given; NULL: the policy
    const char *const *input_keys; ///< the layer takes several inputs as a dict: the keys, in their
                                   ///< order, ended by NULL; NULL: it takes a list
} kt_layer_class;

/** A new floating layer; arguments are copied (names, lists, objects too), then `init` runs. */
KT_API kt_layer *kt_layer_new(const kt_layer_class *cls, const void *args);
/** Makes a class known to files: its registered name is package>name. The descriptor must stay.
 * KT_EINVAL for the name of a built-in class or of another registered one. Keras:
 * keras.saving.register_keras_serializable. */
KT_API kt_status kt_register_layer(const kt_layer_class *cls);
/** The arguments (const: they describe the layer) and the state of a layer. */
KT_API const void *kt_layer_args(const kt_layer *l);
KT_API void *kt_layer_state(const kt_layer *l);
/** Number of inputs of the call that builds the layer. */
KT_API int kt_layer_n_inputs(const kt_layer *l);
/** dtype of computation, and of weights: they differ where the policy is a mixed one. Keras:
 * Layer.compute_dtype, Layer.variable_dtype. */
KT_API kt_dtype kt_layer_dtype(const kt_layer *l);
KT_API kt_dtype kt_layer_variable_dtype(const kt_layer *l);

/** What inputs a layer takes: every complaint about shapes comes from here. */
typedef struct kt_input_spec {
    int ndim, min_ndim, max_ndim; ///< 0: any
    int axis;                     ///< this axis (negative from the end) must have …
    int64_t axis_dim;             ///< … this length; 0: any
} kt_input_spec;
KT_API void kt_layer_set_spec(kt_layer *l, kt_input_spec spec);

/** Makes a weight: shape in braces. Failure marks the layer as failed and returns a failed object.
 *
 *     s->w = kt_add_weight(l, "w", {n_in, units}, .initializer = "random_normal");
 */
typedef struct kt_weight_args {
    size_t size;
    kt_layer *layer;
    const char *name;
    int64_t shape[KT_MAX_RANK]; ///< {KT_SCALAR} for ()
    kt_ref initializer;         ///< default "glorot_uniform" for floats, "zeros" for others
    kt_ref regularizer, constraint;
    const char *dtype;            ///< default: the layer's
    bool trainable;               ///< default true
    bool autocast;                ///< default true: kt_value() gives the layer's dtype
    const char *aggregation;      ///< default NULL, "none": of replicas, of which there is one
    bool overwrite_with_gradient; ///< not supported
} kt_weight_args;
#define KT_WEIGHT_DEFAULTS .trainable = true, .autocast = true,
#define kt_add_weight(...)                                                                         \
    KT_CALL(kt_add_weight_with, kt_weight_args, KT_WEIGHT_DEFAULTS, __VA_ARGS__)
KT_API kt_var *kt_add_weight_with(const kt_weight_args *args);
/** Makes a layer part of another one: its weights, name path and training switch. Adopts it. */
KT_API kt_layer *kt_add_sublayer(kt_layer *parent, kt_layer *child);
/** The same, with the name of the attribute that holds it in the Keras class: files store its
 * weights under that name. "cells/" is a list of layers. The text must stay.
 *
 *     kt_layer *cell = kt_add_sublayer_as(l, "cell", kt_lstm_cell(8));
 */
KT_API kt_layer *kt_add_sublayer_as(kt_layer *parent, const char *attribute, kt_layer *child);

/** The value of a variable inside a trace (of a floating one in the layer's dtype of computation,
 * unless autocast is false for the weight or the layer), and its next value: a later kt_value()
 * sees it, the memory changes when the program has run. */
KT_API kt_sym *kt_value(kt_var *v);
KT_API kt_status kt_assign(kt_var *v, kt_sym *value);
/** A scalar that the loss of the model gets added. Keras: Layer.add_loss */
KT_API kt_status kt_add_loss(kt_sym *loss);
/** Random numbers of a call: 0 with probability `rate`, else scaled; keyed by the layer's path. */
KT_API kt_sym *kt_random_dropout(kt_layer *l, kt_sym *x, double rate, int64_t seed);
/** Random numbers in [0, 1), and with the normal distribution (mean 0, deviation 1), in the layer's
 * dtype; keyed in the same way. */
KT_API kt_sym *kt_random_uniform(kt_layer *l, kt_shape shape, int64_t seed);
KT_API kt_sym *kt_random_normal(kt_layer *l, kt_shape shape, int64_t seed);

#ifdef __cplusplus
}
#endif
#endif
