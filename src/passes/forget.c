/* Recurrent layers keep the gates of all steps for their gradient; where none follows (predict,
 * evaluate), they need those of one step alone. */
#include "passes/passes.h"
#include "passes/rewrite.h"

#include <string.h>

kt_status kt_pass_forget(kt_graph *g);

extern const kt_opdef kt_opdef_simple_rnn, kt_opdef_gru, kt_opdef_lstm;

static bool is_rnn(const kt_node *n) {
    return n->op == &kt_opdef_simple_rnn || n->op == &kt_opdef_gru || n->op == &kt_opdef_lstm;
}

/* `read`: by id, whether anybody reads the value. */
static void rule_forget(kt_graph *g, kt_node *n, kt_val **by, void *read) {
    if (!is_rnn(n)) return;
    rnn_attrs a = *(const rnn_attrs *)n->attrs;
    for (int i = n->op->n_main; i < n->n_out; i++)
        if (((const bool *)read)[n->out[i]->id]) return;
    if (a.forget) return;
    a.forget = true;
    const kt_node *y = kt_graph_add(g, n->op, n->n_in, n->in, &a);
    for (int i = 0; y && i < n->op->n_main; i++) by[i] = y->out[i];
}

kt_status kt_pass_forget(kt_graph *g) {
    bool *read = kt_arena_alloc(g->arena, sizeof *read * (size_t)(g->n_vals + 1));
    if (!read) return KT_ENOMEM;
    memset(read, 0, sizeof *read * (size_t)(g->n_vals + 1));
    for (int i = 0; i < g->outputs.n; i++) read[g->outputs.v[i]->id] = true;
    for (int i = 0; i < g->nodes.n; i++)
        for (int k = 0; k < g->nodes.v[i]->n_in; k++) read[g->nodes.v[i]->in[k]->id] = true;
    return kt_rewrite(g, rule_forget, read, NULL);
}
