/* Tracing: layers run with symbolic tensors and leave a graph behind.
 *
 * A kt_sym is one of four things: a value of the graph being traced (val), an output of a call in a
 * model under construction (node), a plain number, a constant array. The tracer of a thread is the
 * one that kt_value(), kt_assign() and kt_op_*() work on. */
#ifndef KT_NN_TRACER_H
#define KT_NN_TRACER_H

#include "base/field.h"
#include "nn/kinds.h"
#include "ops/build.h"

typedef struct kt_tracer kt_tracer;
typedef struct kt_call_node kt_call_node;

struct kt_sym {
    kt_obj obj;
    kt_spec spec; ///< KT_NONE where open (model level only)
    /* traced */
    kt_tracer *tracer;
    kt_val *val;
    kt_sym *mask; ///< bool, without the feature axis; NULL: none
    int n_outs;   ///< of the call that this is the first output of; 0: one
    kt_sym **outs;
    /* model level */
    kt_call_node *node; ///< adopted
    int index;
    /* operands */
    bool is_num;
    double num;
    const kt_tensor *constant; ///< adopted
};

/** A call recorded between kt_input() and kt_functional(). Owned by its output symbols and by
 * models. */
struct kt_call_node {
    atomic_int refs;
    kt_layer *layer; ///< adopted
    int number;      ///< of this call among those of its layer
    int n_in, n_out;
    kt_sym **in; ///< adopted
    kt_spec *out;
    int training;            ///< KT_AUTO, 0, 1
    int noted_training;      ///< what a file said, without effect: Keras writes its default, false,
                             ///< for plain calls, and models overrule it (functional.py)
    bool said;               ///< arguments were given by name: files hold only these
    int n_args;              ///< the first n_args of `in` are the inputs
    unsigned masks;          ///< bit i: input i has an explicit mask; these stand behind the inputs
    bool has_attention_mask; ///< it stands behind the masks
    int n_state;             ///< the last n_state of `in` are initial states
    bool return_attention_scores, use_causal_mask;
    bool abandoned; ///< the call failed: what it took floats again
};

typedef struct kt_traced_var {
    kt_var *var;
    kt_val *val; ///< its value now
    bool assigned;
} kt_traced_var;

struct kt_tracer {
    kt_graph *g;
    bool training;
    bool casting;      ///< variables are read in the dtype … (Keras: AutocastScope)
    kt_dtype autocast; ///< … of this; KT_NO_DTYPE: in their own
    bool inferring;    ///< shapes are what counts: loops may run one step
    int n_calls;     ///< of layers so far, while inferring: models in models may double it 64 times
    bool drew;       ///< somebody asked for the counter
    kt_var *counter; ///< int64 scalar: calls so far, for random numbers; NULL: a constant 0
    KT_VEC(kt_traced_var) vars;
    KT_VEC(kt_val *) losses; ///< add_loss, activity regularizers
    kt_tracer *outer;
    kt_layer *layer; ///< being called
    int n_random;    ///< random streams handed out, for their keys
};

/** Makes a tracer the current one of this thread; the graph stays the caller's. */
void kt_tracer_begin(kt_tracer *t, kt_graph *g, bool training, kt_var *counter);
/** Writes what was assigned into the graph and steps out. */
kt_status kt_tracer_end(kt_tracer *t);
kt_tracer *kt_tracer_current(void);
/** Steps out of all traces (a model is linked while another one is traced), and back in. */
kt_tracer *kt_tracer_suspend(void);
void kt_tracer_resume(kt_tracer *t);

/** A value as a symbol of the current trace (arena memory; failed object for NULL). */
kt_sym *kt_wrap(kt_val *v);
/** The value of a symbol in the current trace; numbers and constants become nodes; `like` gives
 * numbers their dtype. NULL (graph status set) if it cannot be. */
kt_val *kt_unwrap(kt_sym *s, const kt_val *like);
/** Is this a symbol of a model under construction? */
bool kt_sym_is_node(const kt_sym *s);
/** The current value of a variable as a graph value. */
kt_val *kt_tracer_var(kt_tracer *t, kt_var *v);
/** The int64 scalar that keys random numbers of this program run. */
kt_val *kt_tracer_counter(kt_tracer *t);

/** Hands the symbols of a call (ordered as in the node) to a trace. masks[KT_OP_MAX_IN]: in: those
 * that flow with the inputs; out: those that the layer gets. */
void kt_call_split(const kt_call_node *call, kt_sym **in, kt_sym **masks, kt_trace *t);
/** A model-level symbol: output `index` of a call. */
kt_sym *kt_sym_of_node(kt_call_node *node, int index);
void kt_call_node_unref(kt_call_node *node);

/** Ops with attributes: inside a trace `build` runs, in a model an operation node is recorded. */
typedef struct kt_op_class {
    const char *name; ///< Keras' class of the operation, "Matmul"
    size_t attrs_size;
    kt_val *(*build)(kt_graph *g, int n, kt_val **in, const void *attrs);
    /** In its place, for ops with several outputs (kt_item() takes them apart): fills
     * out[KT_MAX_TENSORS] and returns how many there are. */
    int (*outputs)(kt_graph *g, int n, kt_val **in, const void *attrs, kt_val **out);
} kt_op_class;
enum { KT_OP_LIST = -1, KT_OP_ANY = -2 }; ///< operands in one list; any number of them
/** How files write an op: its attributes as Keras' config has them, Keras' module below
 * keras.src.ops, number of operands. `finish` works out what the attributes have beyond the fields;
 * it gets them zeroed but for those. */
typedef struct kt_op_form {
    const kt_op_class *op;
    const char *module;
    int n_in;
    const kt_field *fields;
    kt_status (*finish)(int n, kt_sym *const *in, void *attrs);
    /** Names of call()'s arguments, for classes that take more than tensors in a row: a field of
     * this name is read from there; "?": may be None, the attributes then begin with `unsigned
     * given`, bit i for argument i; behind "*" Keras hands them over by name. NULL: n_in tensors.
     */
    const char *call;
} kt_op_form;
/** The ops that files may name, by number; NULL behind the last. */
const kt_op_form *kt_op_form_at(int i);
extern const kt_op_form kt_op_forms_shape[], kt_op_forms_windows[], kt_op_forms_elementwise[],
    kt_op_forms_activations[], kt_op_forms_order[], kt_op_forms_parts[], kt_op_forms_products[],
    kt_op_forms_norms[], kt_op_forms_reductions[], kt_op_forms_creation[], kt_op_forms_images[],
    kt_op_forms_moves[], kt_op_forms_linalg[], kt_op_forms_whole[];
/** The dtype of what two dtypes make together. */
kt_dtype kt_op_promote(kt_dtype a, kt_dtype b);
kt_sym *kt_op_apply(const kt_op_class *op, int n, kt_sym *const *in, const void *attrs);
/** The second case: nn/layers/operation.c. */
kt_sym *kt_op_record(const kt_op_class *op, int n, kt_sym *const *in, const void *attrs);

#endif
