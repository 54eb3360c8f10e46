/* The driver under the peephole passes. The old node list is taken away and built again, so that
 * the builders of ops/build.h can be used in the middle of a graph. One walk, whatever the number
 * of replacements: uses are redirected through a table, not by searching for them. */
#include "passes/rewrite.h"

#include "base/error.h"

#include <string.h>

static kt_val *replaced(kt_val **by, int n_old, kt_val *v) {
    return v && v->id < n_old && by[v->id] ? by[v->id] : v;
}

static kt_status rewrite_node(
    kt_graph *g, kt_node *n, kt_rule *rule, void *arg, kt_val **by, bool *changed) {
    kt_val *now[KT_OP_MAX_OUT] = {NULL};
    g->scope = n->scope;
    rule(g, n, now, arg);
    if (g->status) return g->status;
    bool all = true;
    for (int k = 0; k < n->n_out; k++) {
        all = all && now[k];
        if (now[k]) by[n->out[k]->id] = now[k];
        *changed = *changed || now[k];
    }
    return all ? KT_OK : kt_vec_push(&g->nodes, n);
}

kt_status kt_rewrite(kt_graph *g, kt_rule *rule, void *arg, bool *changed) {
    const int n_nodes = g->nodes.n, n_old = g->n_vals;
    const char *scope = g->scope;
    bool any = false;
    kt_node **old = kt_arena_copy(g->arena, g->nodes.v, sizeof(kt_node *) * (size_t)n_nodes);
    kt_val **by = kt_arena_alloc(g->arena, sizeof(kt_val *) * (size_t)(n_old + 1));
    if (!old || !by) return KT_ENOMEM;
    g->nodes.n = 0;
    kt_status st = KT_OK;
    for (int i = 0; i < n_nodes && st == KT_OK; i++) {
        for (int k = 0; k < old[i]->n_in; k++) old[i]->in[k] = replaced(by, n_old, old[i]->in[k]);
        st = rewrite_node(g, old[i], rule, arg, by, &any);
    }
    for (int i = 0; i < g->outputs.n; i++) g->outputs.v[i] = replaced(by, n_old, g->outputs.v[i]);
    for (int i = 0; i < g->slots.n; i++) g->slots.v[i].val = replaced(by, n_old, g->slots.v[i].val);
    g->scope = scope;
    if (changed) *changed = any;
    return st;
}

bool kt_is_num(const kt_val *v, double *value) {
    if (!kt_is_const(v)) return false;
    const const_attrs *a = v->def->attrs;
    *value = a->value;
    return !a->data;
}

kt_val *kt_num_like(kt_graph *g, double value, const kt_val *v) {
    return kt_g_const(g, value, v->spec);
}

kt_val *kt_row_of(kt_val *v, const kt_val *out, int64_t columns) {
    const kt_shape *s = &out->spec.shape;
    if (s->ndim < 1 || s->dim[s->ndim - 1] != columns) return NULL;
    if (kt_is_op(v, &kt_opdef_broadcast)) v = v->def->in[0];
    const kt_shape *row = &v->spec.shape;
    const bool last = row->ndim > 0 && row->dim[row->ndim - 1] == columns;
    return last && kt_shape_size(row) == columns ? v : NULL;
}
