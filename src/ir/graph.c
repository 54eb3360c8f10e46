/* Building and editing graphs. See graph.h for the rules. */
#include "ir/graph.h"

#include "base/error.h"
#include "ir/opdef.h"

#include <string.h>

kt_graph *kt_graph_new(void) {
    kt_graph *g = kt_alloc(sizeof *g);
    if (!g) return NULL;
    g->arena = kt_arena_new();
    if (g->arena) return g;
    kt_mem_free(g);
    return NULL;
}

void kt_graph_free(kt_graph *g) {
    if (!g) return;
    kt_vec_free(&g->nodes);
    kt_vec_free(&g->inputs);
    kt_vec_free(&g->outputs);
    kt_vec_free(&g->slots);
    kt_arena_free(g->arena);
    kt_mem_free(g);
}

void *kt_graph_fail(kt_graph *g, kt_status status) {
    if (g->status == KT_OK) g->status = status;
    return NULL;
}

/* Sizes that no memory has are stopped here, so that shape arithmetic elsewhere cannot overflow. */
static bool spec_fits(const kt_spec *s) {
    for (int i = 0; i < s->shape.ndim && i < KT_MAX_RANK; i++)
        if (s->shape.dim[i] > INT64_C(1) << 40) return false;
    const int64_t bytes = kt_spec_bytes(s);
    return bytes >= 0 && bytes <= INT64_C(1) << 48;
}

/* Memory for a node with its input, output and attribute arrays; attributes are copied. */
static kt_node *node_alloc(
    kt_graph *g, const kt_opdef *op, int n_in, kt_val *const *in, const void *attrs) {
    const int n_out = op->n_out < 0 ? KT_OP_MAX_OUT : op->n_out ? op->n_out : 1;
    kt_node *n = kt_arena_alloc(g->arena, sizeof *n);
    kt_val **vals = kt_arena_alloc(g->arena, sizeof *vals * (size_t)(n_in + n_out));
    if (!n || !vals) return NULL;
    n->op = op;
    n->scope = g->scope;
    n->n_in = n_in;
    n->in = vals;
    n->out = vals + n_in;
    if (n_in) memcpy(n->in, in, sizeof *in * (size_t)n_in);
    if (!op->attrs_size) return n;
    n->attrs = kt_arena_alloc(g->arena, op->attrs_size);
    if (!n->attrs) return NULL;
    if (attrs) memcpy(n->attrs, attrs, op->attrs_size);
    return n;
}

/* Texts only go through ops that say so: nothing else may take their addresses for numbers. */
static kt_status refuse_texts(const kt_node *n, int n_vals, const kt_spec *out) {
    bool texts = false;
    for (int i = 0; i < n->n_in && !out; i++) texts = texts || n->in[i]->spec.dtype == KT_STRING;
    for (int i = 0; i < n_vals && out; i++) texts = texts || out[i].dtype == KT_STRING;
    if (!texts || n->op->flags & KT_OP_TEXTS) return KT_OK;
    KT_FAIL(KT_EDTYPE, "%s: texts (dtype string) are nothing to compute with", n->op->name);
    return kt_error_hint("StringLookup and TextVectorization make numbers of them");
}

static kt_status node_infer(kt_graph *g, kt_node *n) {
    kt_spec specs[KT_OP_MAX_OUT] = {{0}};
    kt_status st = refuse_texts(n, 0, NULL);
    if (st == KT_OK) st = n->op->infer(n, specs);
    if (st) return st;
    int n_out = n->op->n_out ? n->op->n_out : 1;
    if (n_out < 0)
        for (n_out = 0; n_out < KT_OP_MAX_OUT && specs[n_out].dtype; n_out++) {
        }
    st = refuse_texts(n, n_out, specs);
    if (st) return st;
    for (int i = 0; i < n_out; i++)
        if (!spec_fits(&specs[i])) return KT_FAIL(KT_ELIMIT, "%s: result too large", n->op->name);
    kt_val *vals = kt_arena_alloc(g->arena, sizeof *vals * (size_t)n_out);
    if (!vals) return KT_ENOMEM;
    for (int i = 0; i < n_out; i++) {
        vals[i] = (kt_val){.def = n, .index = i, .id = g->n_vals++, .spec = specs[i]};
        n->out[i] = &vals[i];
    }
    n->n_out = n_out;
    return KT_OK;
}

kt_node *kt_graph_make(
    kt_graph *g, const kt_opdef *op, int n_in, kt_val *const *in, const void *attrs) {
    if (g->status) return NULL;
    for (int i = 0; i < n_in; i++)
        if (!in[i]) return NULL;
    if (!kt_op_arity_ok(op, n_in))
        return kt_graph_fail(g, KT_FAIL(KT_EINTERNAL, "%s: %d inputs", op->name, n_in));
    kt_node *n = node_alloc(g, op, n_in, in, attrs);
    if (!n) return kt_graph_fail(g, KT_ENOMEM);
    const kt_status st = node_infer(g, n);
    return st ? kt_graph_fail(g, st) : n;
}

kt_node *kt_graph_add(
    kt_graph *g, const kt_opdef *op, int n_in, kt_val *const *in, const void *attrs) {
    kt_node *n = kt_graph_make(g, op, n_in, in, attrs);
    if (n && kt_vec_push(&g->nodes, n)) return kt_graph_fail(g, KT_ENOMEM);
    return n;
}

int kt_graph_slot(kt_graph *g, void *key, const char *name, kt_spec spec) {
    for (int i = 0; i < g->slots.n; i++)
        if (g->slots.v[i].key == key) return i;
    if (!spec_fits(&spec)) {
        kt_graph_fail(g, KT_FAIL(KT_ELIMIT, "variable %s is too large", name ? name : ""));
        return -1;
    }
    kt_slot slot = {.key = key, .name = kt_arena_strdup(g->arena, name ? name : ""), .spec = spec};
    if (!slot.name || kt_vec_push(&g->slots, slot)) {
        kt_graph_fail(g, KT_ENOMEM);
        return -1;
    }
    return g->slots.n - 1;
}

void kt_graph_replace(kt_graph *g, const kt_val *old, kt_val *by) {
    for (int i = 0; i < g->nodes.n; i++)
        for (int k = 0; k < g->nodes.v[i]->n_in; k++)
            if (g->nodes.v[i]->in[k] == old) g->nodes.v[i]->in[k] = by;
    for (int i = 0; i < g->outputs.n; i++)
        if (g->outputs.v[i] == old) g->outputs.v[i] = by;
}

void kt_graph_sweep(kt_graph *g) {
    int kept = 0;
    for (int i = 0; i < g->nodes.n; i++)
        if (!g->nodes.v[i]->dead) g->nodes.v[kept++] = g->nodes.v[i];
    g->nodes.n = kept;
}

int *kt_graph_count_uses(kt_graph *g) {
    int *uses = kt_arena_alloc(g->arena, sizeof *uses * (size_t)(g->n_vals + 1));
    if (!uses) return kt_graph_fail(g, KT_ENOMEM);
    for (int i = 0; i < g->nodes.n; i++)
        for (int k = 0; k < g->nodes.v[i]->n_in; k++) uses[g->nodes.v[i]->in[k]->id]++;
    for (int i = 0; i < g->outputs.n; i++) uses[g->outputs.v[i]->id]++;
    return uses;
}

void kt_graph_renumber(kt_graph *g) {
    int id = 0;
    for (int i = 0; i < g->nodes.n; i++)
        for (int k = 0; k < g->nodes.v[i]->n_out; k++) g->nodes.v[i]->out[k]->id = id++;
    g->n_vals = id;
}
