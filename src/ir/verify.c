/* Is a graph legal? Run after every pass under KT_VERIFY=1 and in tests; a pass that breaks a rule
 * is found where it happens instead of as a wrong number later. */
#include "base/error.h"
#include "ir/attrs.h"
#include "ir/opdef.h"

#include <string.h>

typedef struct {
    const kt_graph *g;
    const kt_val **defined; /* by id */
} verifier;

static kt_status broken(const kt_node *n, const char *what) {
    KT_FAIL(KT_EINTERNAL, "illegal graph: %s", what);
    const int id = n->n_out > 0 ? n->out[0]->id : -1;
    return kt_error_context(
        "at node %%%d = %s in %s", id, n->op->name, n->scope ? n->scope : "a graph");
}

static bool is_defined(const verifier *v, const kt_val *x) {
    return x && x->id >= 0 && x->id < v->g->n_vals && v->defined[x->id] == x;
}

static bool spec_equal(const kt_spec *a, const kt_spec *b) {
    return a->dtype == b->dtype && kt_shape_equal(&a->shape, &b->shape);
}

/* What infer says about this node must be what its outputs are. */
static kt_status check_specs(const kt_node *n) {
    kt_spec specs[KT_OP_MAX_OUT] = {{0}};
    if (n->op->infer(n, specs)) return broken(n, "its op refuses its inputs");
    const int want = n->op->n_out < 0 ? n->n_out : n->op->n_out ? n->op->n_out : 1;
    if (n->n_out != want || n->n_out > KT_OP_MAX_OUT) return broken(n, "number of outputs");
    if (n->n_out < KT_OP_MAX_OUT && n->op->n_out < 0 && specs[n->n_out].dtype)
        return broken(n, "number of outputs");
    for (int i = 0; i < n->n_out; i++)
        if (!spec_equal(&specs[i], &n->out[i]->spec))
            return broken(n, "a result is not what infer says");
    return KT_OK;
}

static kt_status check_slot(const verifier *v, const kt_node *n) {
    if (!strcmp(n->op->name, "var")) {
        const leaf_attrs *a = n->attrs;
        if (a->index < 0 || a->index >= v->g->slots.n) return broken(n, "no such slot");
        if (!spec_equal(&n->out[0]->spec, &v->g->slots.v[a->index].spec))
            return broken(n, "the slot looks different");
    }
    if (!strcmp(n->op->name, "assign")) {
        const view_attrs *a = n->attrs;
        const kt_spec *x = &n->in[0]->spec;
        if (a->slot < 0 || a->slot >= v->g->slots.n) return broken(n, "no such slot");
        const kt_spec *s = &v->g->slots.v[a->slot].spec;
        if (s->dtype != x->dtype || !kt_shape_equal(&x->shape, &a->shape))
            return broken(n, "the value does not fit its slot");
        const int64_t size = kt_shape_size(&x->shape), room = kt_shape_size(&s->shape);
        if (a->offset < 0 || size > room || a->offset > room - size)
            return broken(n, "past the end of a slot");
    }
    if (!strcmp(n->op->name, "input")) {
        const int i = ((const leaf_attrs *)n->attrs)->index;
        if (i < 0 || i >= v->g->inputs.n || v->g->inputs.v[i] != n->out[0])
            return broken(n, "not the input that it says");
    }
    return KT_OK;
}

static kt_status check_node(const verifier *v, const kt_node *n) {
    if (!kt_op_arity_ok(n->op, n->n_in)) return broken(n, "number of inputs");
    for (int i = 0; i < n->n_in; i++)
        if (!is_defined(v, n->in[i])) return broken(n, "an input is not defined before it");
    const kt_status st = check_specs(n);
    if (st) return st;
    for (int i = 0; i < n->n_out; i++) {
        const kt_val *x = n->out[i];
        if (x->def != n || x->index != i) return broken(n, "an output belongs to another node");
        if (x->id < 0 || x->id >= v->g->n_vals || v->defined[x->id])
            return broken(n, "value number used twice");
        v->defined[x->id] = x;
    }
    return check_slot(v, n);
}

static kt_status check_ends(const verifier *v) {
    for (int i = 0; i < v->g->outputs.n; i++)
        if (!is_defined(v, v->g->outputs.v[i]))
            return KT_FAIL(KT_EINTERNAL, "illegal graph: output %d is not defined", i);
    for (int i = 0; i < v->g->inputs.n; i++)
        if (!is_defined(v, v->g->inputs.v[i]) || strcmp(v->g->inputs.v[i]->def->op->name, "input"))
            return KT_FAIL(KT_EINTERNAL, "illegal graph: input %d is not an input", i);
    for (int i = 0; i < v->g->slots.n; i++)
        if (v->g->slots.v[i].val && !is_defined(v, v->g->slots.v[i].val))
            return KT_FAIL(KT_EINTERNAL, "illegal graph: the value of slot %d is not defined", i);
    return KT_OK;
}

kt_status kt_graph_verify(const kt_graph *g) {
    if (g->status) return g->status;
    verifier v = {g, kt_alloc_array(g->n_vals + 1, sizeof *v.defined)};
    if (!v.defined) return KT_ENOMEM;
    kt_status st = KT_OK;
    for (int i = 0; i < g->nodes.n && st == KT_OK; i++) st = check_node(&v, g->nodes.v[i]);
    if (st == KT_OK) st = check_ends(&v);
    kt_mem_free(v.defined);
    return st;
}
