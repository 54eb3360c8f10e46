/* What passes share: rewriting a graph node by node, and looking at what a value is. */
#ifndef KT_PASSES_REWRITE_H
#define KT_PASSES_REWRITE_H

#include "ops/build.h"

/** Looks at one node, whose inputs are rewritten already, and stores in by[i] what takes the place
 * of its output i (NULL: it stays). Nodes that the rule adds with kt_g_* stand where n stood. */
typedef void kt_rule(kt_graph *g, kt_node *n, kt_val **by, void *arg);
/** Applies the rule to every node in order; *changed (may be NULL) says whether anything was
 * replaced. Nodes that lost their users stay for dce. */
kt_status kt_rewrite(kt_graph *g, kt_rule *rule, void *arg, bool *changed);

static inline bool kt_is_op(const kt_val *v, const kt_opdef *op) { return v->def->op == op; }
/** Is every element the same number, known now? */
bool kt_is_num(const kt_val *v, double *value);
/** Is it a constant array? */
static inline bool kt_is_const(const kt_val *v);
/** A constant of the form of v. */
kt_val *kt_num_like(kt_graph *g, double value, const kt_val *v);
/** Where v has the form of `out` and is one row of `columns` again and again: the row, else
 * NULL. */
kt_val *kt_row_of(kt_val *v, const kt_val *out, int64_t columns);

extern const kt_opdef kt_opdef_const, kt_opdef_reshape, kt_opdef_broadcast, kt_opdef_transpose,
    kt_opdef_view, kt_opdef_cast, kt_opdef_matmul, kt_opdef_select, kt_opdef_stop_gradient;

static inline bool kt_is_const(const kt_val *v) { return kt_is_op(v, &kt_opdef_const); }

#endif
