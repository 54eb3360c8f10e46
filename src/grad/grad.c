/* Reverse sweep: d loss / d value for the values asked for, as nodes of the same graph.
 *
 * Only nodes on a path from a wanted value to the loss are visited, so frozen weights, integer
 * inputs and stop_gradient cost nothing. Gradients that meet are added; the sums fuse later. */
#include "base/error.h"
#include "ops/build.h"

#include <string.h>

extern const kt_opdef kt_opdef_pack, kt_opdef_reshape;

typedef struct {
    kt_graph *g;
    bool *reaches; /* value id -> a wanted value flows into it */
    kt_val **grad; /* value id -> gradient so far */
    int n_vals;    /* values that existed before the sweep */
} sweep;

static const kt_node *pack_of(const kt_val *v) {
    while (v->def->op == &kt_opdef_reshape) v = v->def->in[0];
    return v->def->op == &kt_opdef_pack ? v->def : NULL;
}

/* Parts of one array, as the gradients of views are: put together instead of added up, or the
 * steps of an unrolled loop would cost the whole sequence each. NULL: they are no such parts. */
static kt_val *join_parts(kt_graph *g, const kt_val *a, const kt_val *b) {
    const kt_node *pa = pack_of(a), *pb = pack_of(b);
    if (!pa || !pb) return NULL;
    const pack_attrs *at_a = pa->attrs, *at_b = pb->attrs;
    const int n = pa->n_in + pb->n_in;
    kt_val **in = kt_arena_alloc(g->arena, sizeof *in * (size_t)n);
    int64_t *at = kt_arena_alloc(g->arena, sizeof *at * (size_t)n), end = 0;
    if (!in || !at) return kt_graph_fail(g, KT_ENOMEM);
    for (int i = 0, x = 0, y = 0; i < n; i++) { /* by place */
        const bool first = y == pb->n_in || (x < pa->n_in && at_a->offsets[x] < at_b->offsets[y]);
        in[i] = first ? pa->in[x] : pb->in[y];
        at[i] = first ? at_a->offsets[x++] : at_b->offsets[y++];
        if (at[i] < end) return NULL;
        end = at[i] + kt_shape_size(&in[i]->spec.shape);
    }
    return kt_g_reshape(g, kt_g_pack(g, n, in, at, at_a->size), a->spec.shape);
}

static void accumulate(sweep *s, const kt_val *v, kt_val *d) {
    if (!d) return;
    kt_val **have = &s->grad[v->id];
    kt_val *joined = *have ? join_parts(s->g, *have, d) : d;
    *have = joined ? joined : kt_g_add(s->g, *have, d);
}

/* Marks forward from the wanted values what depends on them. */
static void mark(sweep *s, int n_nodes) {
    for (int i = 0; i < n_nodes; i++) {
        const kt_node *n = s->g->nodes.v[i];
        bool any = false;
        for (int k = 0; k < n->n_in; k++)
            any = any || (s->reaches[n->in[k]->id] && kt_dtype_is_float(n->in[k]->spec.dtype));
        for (int k = 0; any && n->op->vjp && k < n->n_out; k++) s->reaches[n->out[k]->id] = true;
    }
}

static kt_status back_through(sweep *s, const kt_node *n) {
    kt_val *small_dx[KT_OP_MAX_IN] = {NULL}, *dy[KT_OP_MAX_OUT] = {NULL}, **dx = small_dx;
    bool small_want[KT_OP_MAX_IN] = {false}, *want = small_want, any = false;
    if (n->n_in > KT_OP_MAX_IN) {
        dx = kt_arena_alloc(s->g->arena, sizeof *dx * (size_t)n->n_in);
        want = kt_arena_alloc(s->g->arena, sizeof *want * (size_t)n->n_in);
        if (!dx || !want) return KT_ENOMEM;
    }
    for (int i = 0; i < n->n_out; i++) {
        dy[i] = s->grad[n->out[i]->id];
        any = any || dy[i];
    }
    if (!any || !n->op->vjp) return KT_OK;
    any = false;
    for (int i = 0; i < n->n_in; i++) any |= want[i] = s->reaches[n->in[i]->id];
    if (!any) return KT_OK;
    s->g->scope = n->scope; /* backward nodes belong to the layer of their forward node */
    const kt_status st = n->op->vjp(s->g, n, dy, dx, want);
    for (int i = 0; st == KT_OK && i < n->n_in; i++)
        if (want[i]) accumulate(s, n->in[i], dx[i]);
    return st ? st : s->g->status;
}

kt_status kt_grad(kt_graph *g, kt_val *loss, int n, kt_val *const *wrt, kt_val **dx) {
    if (g->status) return g->status;
    if (loss->spec.shape.ndim != 0)
        return KT_FAIL(KT_EINTERNAL, "gradient of something not a scalar");
    const int n_nodes = g->nodes.n;
    const char *scope = g->scope;
    sweep s = {.g = g, .n_vals = g->n_vals};
    s.reaches = kt_arena_alloc(g->arena, sizeof *s.reaches * (size_t)g->n_vals);
    s.grad = kt_arena_alloc(g->arena, sizeof(kt_val *) * (size_t)g->n_vals);
    if (!s.reaches || !s.grad) return KT_ENOMEM;
    for (int i = 0; i < n; i++) s.reaches[wrt[i]->id] = true;
    mark(&s, n_nodes);
    s.grad[loss->id] = kt_g_num(g, 1, loss);
    kt_status st = g->status;
    for (int i = n_nodes; st == KT_OK && i-- > 0;) st = back_through(&s, g->nodes.v[i]);
    g->scope = scope;
    for (int i = 0; st == KT_OK && i < n; i++) {
        dx[i] = s.grad[wrt[i]->id];
        if (!dx[i]) dx[i] = kt_g_const(g, 0, wrt[i]->spec);
    }
    return st ? st : g->status;
}
