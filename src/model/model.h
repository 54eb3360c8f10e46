/* What a model is inside. Sequential and Functional share one state: a DAG of calls. */
#ifndef KT_MODEL_MODEL_H
#define KT_MODEL_MODEL_H

#include "nn/layer.h"
#include "nn/nest.h"
#include "runtime/program.h"

#include <keratin/model.h>

/** A call of the DAG, and where its inputs come from: output src_index[i] of node src_node[i]. */
typedef struct kt_model_node {
    kt_call_node *call;
    int *src_node, *src_index;
} kt_model_node;

typedef enum kt_program_kind { KT_TRAIN, KT_TEST, KT_PREDICT, KT_RESULTS } kt_program_kind;

/** A program for one set of input shapes. */
typedef struct kt_cached_program {
    kt_program_kind kind;
    int n_specs;
    kt_spec *specs; ///< inputs, targets, weights as they come in
    kt_program *program;
} kt_cached_program;

struct kt_compiled;

typedef struct kt_model_state {
    bool is_sequential;
    kt_sym *pending_input;       ///< a Sequential with kt_input() and no layers yet; adopted
    KT_VEC(kt_model_node) nodes; ///< in an order that calls can run; inputs are nodes too
    int n_in, n_out;
    kt_sym **in, **out; ///< adopted
    int *in_node, *out_node, *out_index;
    char **out_name;             ///< key in a dict of outputs, or name of the layer that makes it
    kt_nest *in_nest, *out_nest; ///< how a functional model's were given
    KT_VEC(kt_cached_program) programs;
    uint64_t layout;              ///< kt_layout_version() when they were made
    struct kt_compiled *compiled; ///< NULL before compile
    kt_var *counter;              ///< training steps so far: keys random numbers
    kt_var *draws;                ///< the same for all else that draws: from 0 downwards
    bool stop_training;
    int resume_epoch;       ///< where a callback wants fit() to begin; 0: nowhere
    char date_saved[32];    ///< of the file it was loaded from
    int64_t date_step;      ///< the counter then
    bool optimizer_unbuilt; ///< in that file: saved so again until it has made a step
} kt_model_state;

extern const kt_layer_class kt_class_sequential, kt_class_functional;
kt_status kt_model_require(const kt_model *m, const char *verb);
bool kt_is_model(const kt_layer *l);
static inline kt_model_state *kt_model_of(const kt_model *m) { return m->state; }

/** functional.c: fills nodes, inputs, outputs and the layer list (l->children) from symbols. */
kt_status kt_model_link(kt_layer *l, int n_in, kt_sym *const *in, int n_out, kt_sym *const *out);
void kt_model_unlink(kt_layer *l);
/** Which call of its layer, among those of this model, a node is. */
int kt_model_node_index(const kt_model_state *s, int node);
/** The shared `call` and `destroy` of both classes. */
kt_status kt_model_call(kt_layer *l, kt_trace *t);
void kt_model_destroy(kt_layer *l);
/** sequential.c: builds a deferred model for a batch of this spec; nothing to do for others. */
kt_status kt_model_ensure_linked(kt_layer *l, const kt_spec *batch);
/** All programs are made anew (layers, trainable flags or compile changed). */
void kt_model_forget_programs(kt_model *m, bool predict_too);

#endif
