/* Dead code: what no output and no assignment needs goes away. Inputs stay: they are the
 * signature. */
#include "base/error.h"
#include "ir/opdef.h"
#include "passes/passes.h"

kt_status kt_pass_dce(kt_graph *g);

kt_status kt_pass_dce(kt_graph *g) {
    bool *live = kt_arena_alloc(g->arena, sizeof *live * (size_t)(g->n_vals + 1));
    if (!live) return KT_ENOMEM;
    for (int i = 0; i < g->outputs.n; i++) live[g->outputs.v[i]->id] = true;
    for (int i = 0; i < g->inputs.n; i++) live[g->inputs.v[i]->id] = true;
    for (int i = g->nodes.n; i-- > 0;) {
        kt_node *n = g->nodes.v[i];
        bool keep = n->op->flags & KT_OP_EFFECT;
        for (int k = 0; k < n->n_out; k++) keep = keep || live[n->out[k]->id];
        n->dead = !keep;
        for (int k = 0; keep && k < n->n_in; k++) live[n->in[k]->id] = true;
    }
    for (int i = 0; i < g->slots.n; i++)
        if (g->slots.v[i].val && g->slots.v[i].val->def->dead) g->slots.v[i].val = NULL;
    kt_graph_sweep(g);
    return KT_OK;
}
