/* What an op is. One file in src/ops fills one of these: shape rule, gradient, reference kernel,
 * samples. Passes, engines and tests read it and know no op by name. */
#ifndef KT_IR_OPDEF_H
#define KT_IR_OPDEF_H

#include "ir/graph.h"
#include "ir/kernel.h"

#include <keratin/sys/field.h>

#define KT_OP_MAX_IN 16 /* fixed-arity ops; variadic ones (pack, concat, fused) take any number */
#define KT_OP_MAX_OUT 16

#define KT_SAMPLE_IN 10

/** One sample of inputs: drives gradient checks, kernel comparisons, benchmarks. */
typedef struct kt_sample {
    struct {
        int64_t dim[5];   ///< ends at the first 0; {KT_SCALAR_DIM} is ()
        kt_dtype dtype;   ///< default float32
        double low, high; ///< range of the random values; default [-1, 1), ints [0, 4)
    } in[KT_SAMPLE_IN];
    const void *attrs;
    kt_status want; ///< expected failure of infer, KT_OK normally
    bool steep;     ///< the work grows with the cube of a length or faster: no very large ones
    bool no_grad;   ///< a form that only passes make, after the gradient was taken
} kt_sample;
#define KT_SCALAR_DIM (-7)
#define KT_SAMPLES_END                                                                             \
    {                                                                                              \
        .in = { {.dim = {0}} }                                                                     \
    }

enum {
    KT_OP_LEAF = 1,        ///< input, const, var: no computation
    KT_OP_EFFECT = 2,      ///< assign: never dead, never merged
    KT_OP_ELEMENTWISE = 4, ///< out[i] depends on in[*][i] only; may run in place
    KT_OP_ALIAS = 8,       ///< output 0 is the memory of input 0 (reshape, view)
    KT_OP_INPLACE = 16,    ///< output i may overwrite input i (optimizer updates)
    KT_OP_TEXTS = 64,      ///< takes or gives texts; all other ops refuse them
    KT_OP_RANDOM = 32      ///< equal attributes do not make equal values; never folded
};

struct kt_scan;
struct kt_str;
struct kt_opdef {
    const char *name;
    int n_in;     ///< -1: any number
    int n_in_max; ///< with optional inputs behind the others; 0: none
    int n_out;    ///< 0 means 1; -1: as many as infer gives a dtype
    int n_main;   ///< outputs from this one on serve the gradient rule alone; 0: all are results
    unsigned flags;
    size_t attrs_size;
    const kt_field *attrs;
    /** Fills out[0 … n_out-1]; n->out is not there yet. An error names expected and got. */
    kt_status (*infer)(const kt_node *n, kt_spec *out);
    /** dx[i] = gradient of input i, NULL where nothing flows; dy[i] is NULL for unused outputs. May
     * be NULL: nothing flows back through this op. want[i] tells which dx are needed at all. */
    kt_status (*vjp)(
        kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want);
    /** May output `out` be written over the memory of input `in` (of the same size and dtype)?
     * NULL: as the flags say. */
    bool (*overwrites)(const kt_node *n, int out, int in);
    /** What the field table cannot say (arrays behind pointers), as `, key=text` at the end; parse
     * reads one such key. Ops that have these are not merged by comparing attributes. */
    void (*attrs_print)(const kt_node *n, struct kt_str *out);
    kt_status (*attrs_parse)(
        kt_graph *g, const char *key, struct kt_scan *text, int n_in, void *attrs);
    /** Reference kernels by dtype of the first input (of the output for leaves): float32, float64,
     * any other. NULL: this dtype is refused. */
    kt_kernel *ref[3];
    const kt_sample *samples; ///< ends with an entry without inputs; NULL: none
};

/** An op by name, NULL if there is none; all of them, ended by NULL. */
const kt_opdef *kt_op_find(const char *name);
const kt_opdef *const *kt_opdef_all(void);
/** Does this op take that many inputs? */
static inline bool kt_op_arity_ok(const kt_opdef *op, int n_in) {
    if (op->n_in < 0) return n_in >= 1;
    return n_in >= op->n_in && n_in <= (op->n_in_max ? op->n_in_max : op->n_in);
}
/** The rule behind in-place results: overwrites, else the flags. */
static inline bool kt_op_overwrites(const kt_node *n, int out, int in) {
    if (n->op->overwrites) return n->op->overwrites(n, out, in);
    if (n->op->flags & KT_OP_ELEMENTWISE) return true;
    return n->op->flags & KT_OP_INPLACE && out == in;
}

#endif
