/* The base of all layers, and the model-level view of calls. Layer files include this. */
#ifndef KT_NN_LAYER_H
#define KT_NN_LAYER_H

#include "base/error.h"
#include "base/str.h"
#include "nn/activations/activation.h"
#include "nn/tracer.h"
#include "runtime/settings.h"

/** Low-rank adaptation of the layer's first weight (lora.h). */
typedef struct kt_lora {
    kt_var *a, *b; ///< borrowed from vars; NULL: there is none
    double scale;  ///< alpha / rank
} kt_lora;

/** The layer's large weight as small integers (quantize.h). */
typedef struct kt_quant {
    bool on;        ///< the dtype policy says so
    kt_var *weight; ///< borrowed from vars, as the scale; NULL: the layer has none
    kt_var *scale;  ///< NULL: not quantized
    int n_kept;     ///< axes of the weight that have a scale of their own …
    int kept[KT_MAX_RANK];
    kt_shape shape; ///< … and how the scales lie
} kt_quant;

struct kt_layer {
    kt_obj obj;
    const kt_layer_class *cls;
    const char *class_name; ///< cls->name, or that of a recorded operation
    void *args, *state;
    char *name;              ///< NULL until it is given or asked for
    kt_layer *parent;        ///< borrowed: the layer this one is part of, for paths
    const char *attribute;   ///< what Keras calls this part of its parent; static; NULL: nothing
    kt_dtype dtype;          ///< of computation
    kt_dtype variable_dtype; ///< of weights
    bool trainable, built, was_built_by_call;
    int n_inputs;
    int n_calls;         ///< recorded so far
    int n_built;         ///< shapes that the layer was built for, for files
    int n_built_states;  ///< and those of initial states behind them
    kt_shape *built_for; ///< of its inputs then
    kt_input_spec spec;
    KT_VEC(kt_var *) vars;        ///< own variables, in creation order, adopted
    KT_VEC(kt_layer *) children;  ///< sub-layers, adopted
    KT_VEC(kt_component *) parts; ///< components that init resolved, adopted
    kt_component *activity_regularizer;
    kt_lora lora;
    kt_quant quant;
    bool no_autocast; ///< floats come in as they are (operations, models), not in the layer's dtype
    int n_random;     ///< random streams handed out so far, for their keys
    bool is_part;     ///< an operation that with others stands for one of a file, not the last …
    char *index;      ///< … and the last: the JSON of the index x[…] that they are; NULL
    bool in_use;      ///< being built, compiled or fitted
};

/** A new floating layer with the same class and arguments, under another name (NULL: automatic).
 * Layers among the arguments are copied too. `edit` (or NULL) may change the arguments first. */
typedef void kt_layer_edit(const kt_layer_class *cls, void *args);
kt_layer *kt_layer_copy(const kt_layer *l, const char *name, kt_layer_edit *edit);
/** A member of an args struct by its field name and type, NULL if there is none. */
void *kt_layer_arg(
    const kt_layer_class *cls, const void *args, const char *name, kt_field_type type);
/** KT_LAYER_NAME_ARGS end every args struct. */
typedef struct kt_layer_tail {
    const char *name, *dtype;
    bool trainable, autocast;
} kt_layer_tail;
static inline kt_layer_tail *kt_layer_tail_of(const kt_layer_class *cls, const void *args) {
    return (
        kt_layer_tail *)(uintptr_t)((const char *)args + cls->args_size - sizeof(kt_layer_tail));
}

/** The name of the layer's dtype policy, for parts that have the same. */
static inline const char *kt_layer_policy(const kt_layer *l) {
    if (l->quant.on) return l->dtype == KT_FLOAT64 ? "int8_from_float64" : "int8_from_float32";
    return kt_policy_name((kt_policy){l->dtype, l->variable_dtype});
}

/** The activity regularizer among the arguments, wherever the class has it; NULL: it has none. */
kt_ref *kt_layer_activity_of(const kt_layer_class *cls, const void *args);

/** Random numbers in [0, 1), float32 whatever the layer's dtype, within a trace; NULL: failed. */
kt_val *kt_random_floats(kt_layer *l, kt_shape shape, int64_t seed);

/** Resolves an activation and keeps it with the layer: `return kt_layer_activation(l,
 * &s->activation, a->activation);` */
kt_status kt_layer_activation(kt_layer *l, const kt_component **out, kt_ref ref);
/** Keeps a component with the layer (adopts it). */
kt_status kt_layer_keep(kt_layer *l, kt_component *c);
/** Sets the activity regularizer from a name or object; kt_layer_new() does it for the argument. */
kt_status kt_layer_activity(kt_layer *l, kt_ref ref);

/** Runs one call inside the current trace: spec check, call, masks, activity regularizer, context
 * of errors. t->in … are set by the caller. Builds nothing. */
kt_status kt_layer_trace_call(kt_layer *l, kt_trace *t);
/** Builds for these input shapes if not built yet. */
kt_status kt_layer_ensure_built(kt_layer *l, int n, const kt_shape *in);
/** Output specs for input specs with open dimensions: traces twice with different lengths for each
 * open dimension and calls what differs open. */
kt_status kt_layer_infer(
    kt_layer *l, const kt_call_node *call, const kt_spec *in, kt_spec *out, int *n_out);

/** Shape complaint of a layer: every message about inputs comes from here (input_spec.c). */
kt_status kt_input_spec_check(const kt_layer *l, const kt_spec *in);
/** Adds `in layer "dense_1" (Dense)` to the error just set. */
kt_status kt_layer_context(kt_layer *l, kt_status st);

/** A fresh automatic name for a class: "dense", "dense_1". Freed by the caller. */
char *kt_auto_name(const char *class_name);
/** Gives the layer its automatic name if it has none; only memory can stand in the way. */
kt_status kt_layer_ensure_name(kt_layer *l);
/** "model/dense" into buf: names of the layers around and this one. */
void kt_layer_path(kt_layer *l, char *buf, size_t size);
/** A variable's path as Keras has it: from the Sequential that built its layer, or from the layer
 * itself, as a functional model finds its layers built. What is made of the model later changes
 * nothing. */
kt_status kt_var_keras_path(kt_var *v, kt_str *out);
/** Walks a layer and everything inside it, parents first (children in creation order). */
typedef kt_status kt_layer_visit(kt_layer *l, void *data);
kt_status kt_layer_walk(kt_layer *l, kt_layer_visit *visit, void *data);
/** All variables in Keras' order (own trainable, own others, then each sub-layer's) into a
 * vector. */
typedef KT_VEC(kt_var *) kt_var_list;
kt_status kt_layer_collect(
    kt_layer *l, kt_var_list *trainable, kt_var_list *others, bool trainable_now);

/** Checks an object is a layer and usable; `what` names the argument. */
kt_status kt_layer_require(const kt_layer *l, const char *what);

/** Built-in layer classes: all, ended by NULL; one by Keras' name, NULL if there is none. */
const kt_layer_class *const *kt_layer_all(void);
const kt_layer_class *kt_layer_find(const char *class_name);

/** The class of input placeholders, and of recorded operations. */
extern const kt_layer_class kt_class_input_layer;
bool kt_layer_is_input(const kt_layer *l);

#endif
