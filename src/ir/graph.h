/* The graph IR: values and nodes at concrete shapes, in an arena, in execution order.
 *
 * Building never fails halfway: a builder that cannot make its value returns NULL, records why in
 * `g->status`, and whatever is built from NULL is NULL too. */
#ifndef KT_IR_GRAPH_H
#define KT_IR_GRAPH_H

#include "base/arena.h"
#include "base/vec.h"
#include "tensor/tensor.h"

typedef struct kt_opdef kt_opdef;
typedef struct kt_node kt_node;
typedef struct kt_val kt_val;
typedef struct kt_graph kt_graph;

/** A value: one output of one node. */
struct kt_val {
    kt_node *def;
    int index; ///< which output of def
    int id;    ///< number in the printed form
    kt_spec spec;
};

struct kt_node {
    const kt_opdef *op;
    int n_in, n_out;
    kt_val **in, **out;
    void *attrs;       ///< op->attrs_size bytes, never changed after the node was made
    const char *scope; ///< path of the layer that asked for it, for profiles and messages
    bool dead;         ///< taken out by a pass; kt_graph_sweep removes it
};

/** Memory outside the arena that a graph reads and assigns: weights, optimizer slots, counters. */
typedef struct kt_slot {
    void *key; ///< whose memory: the runtime's business
    const char *name;
    kt_spec spec;
    kt_val *val; ///< the `var` node's output (its value at the start of the program)
} kt_slot;

struct kt_graph {
    kt_arena *arena;
    kt_status status;
    const char *scope;
    int n_vals;
    KT_VEC(kt_node *) nodes; ///< in execution order
    KT_VEC(kt_val *) inputs;
    KT_VEC(kt_val *) outputs;
    KT_VEC(kt_slot) slots;
};

kt_graph *kt_graph_new(void);
void kt_graph_free(kt_graph *g);

/** Adds a node: infers its outputs; NULL (and g->status) if an input is NULL or a rule is broken.
 * attrs are copied. */
kt_node *kt_graph_add(
    kt_graph *g, const kt_opdef *op, int n_in, kt_val *const *in, const void *attrs);
/** The same without appending, for passes that rebuild the node list. */
kt_node *kt_graph_make(
    kt_graph *g, const kt_opdef *op, int n_in, kt_val *const *in, const void *attrs);
/** Records a failure that has happened (the first one stays); returns NULL for `return
 * kt_graph_fail(…)`. */
void *kt_graph_fail(kt_graph *g, kt_status status);

/** The slot of a key, added if new. Returns its index, -1 on failure. */
int kt_graph_slot(kt_graph *g, void *key, const char *name, kt_spec spec);
/** Replaces every use of `old` (outputs of the graph too) by `by`. */
void kt_graph_replace(kt_graph *g, const kt_val *old, kt_val *by);
/** Drops nodes marked dead. */
void kt_graph_sweep(kt_graph *g);
/** Number of uses of each value, indexed by id (graph outputs count as one); arena memory, NULL if
 * none. */
int *kt_graph_count_uses(kt_graph *g);
/** Numbers values anew in node order, so that printed graphs do not depend on what passes
 * removed. */
void kt_graph_renumber(kt_graph *g);

/** Is the graph legal: order, specs as inferred, outputs defined? KT_EINTERNAL names the node. */
kt_status kt_graph_verify(const kt_graph *g);
/** Stable text form; parse reads it back (tests of passes, fuzzers). */
struct kt_str;
kt_status kt_graph_print(const kt_graph *g, struct kt_str *out);
kt_graph *kt_graph_parse(const char *text);

#endif
