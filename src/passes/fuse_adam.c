/* Gradients that are matrix products go right into Adam: one matmul_adam per such weight in place
 * of the product, its part of the pack and its part of the flat update. The rest of the segment
 * keeps one flat adam per run of neighbours.
 *
 * Only where nobody else wants the gradients (no clipping, no accumulation) or the updated
 * values. */
#include "base/error.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

kt_status kt_pass_fuse_adam(kt_graph *g);

extern const kt_opdef kt_opdef_adam, kt_opdef_pack, kt_opdef_assign, kt_opdef_matmul_adam;

#define WORTH 2048 /* elements: below this the flat update is as good */

/* One Adam over a packed gradient, and where its results go. */
typedef struct {
    kt_graph *g;
    const int *uses;
    kt_node *adam;
    const kt_node *pack;
    const pack_attrs *packed;
    kt_node *assign[3];
} site;

/* The product behind input i of the pack, through reshapes, if the pack is its only user. */
static const kt_node *product_of(const site *s, int i) {
    const kt_val *v = s->pack->in[i];
    while (kt_is_op(v, &kt_opdef_reshape) && s->uses[v->id] == 1) v = v->def->in[0];
    if (!kt_is_op(v, &kt_opdef_matmul) || s->uses[v->id] != 1 || v->spec.dtype != KT_FLOAT32)
        return NULL;
    const matmul_attrs *a = v->def->attrs;
    const bool plain = v->spec.shape.ndim == 2 && !a->bias && !a->epilogue;
    return plain && kt_shape_size(&v->spec.shape) >= WORTH ? v->def : NULL;
}

static bool find_assigns(site *s) {
    for (int k = 0; k < 3; k++) {
        s->assign[k] = NULL;
        if (s->uses[s->adam->out[k]->id] != 1) return false;
        for (int i = 0; i < s->g->nodes.n; i++) {
            kt_node *n = s->g->nodes.v[i];
            if (n->op == &kt_opdef_assign && n->in[0] == s->adam->out[k]) s->assign[k] = n;
        }
        if (!s->assign[k]) return false;
    }
    return true;
}

static bool find_site(site *s, kt_node *n) {
    s->adam = n;
    if (n->dead || n->op != &kt_opdef_adam || !kt_is_op(n->in[3], &kt_opdef_pack)) return false;
    s->pack = n->in[3]->def;
    s->packed = s->pack->attrs;
    if (s->uses[n->in[3]->id] != 1 || !find_assigns(s)) return false;
    bool any = false;
    for (int i = 0; i < s->pack->n_in; i++) any = any || product_of(s, i);
    return any;
}

/* Elements at … at+size-1 of p, m and v as inputs, and their results assigned to the same range. */
static void add_update(
    const site *s,
    const kt_opdef *op,
    int n_in,
    kt_val **in,
    const void *attrs,
    int64_t at,
    int64_t size) {
    for (int k = 0; k < 3; k++) in[k] = kt_g_view(s->g, s->adam->in[k], at, (kt_shape){1, {size}});
    const kt_node *n = kt_graph_add(s->g, op, n_in, in, attrs);
    for (int k = 0; n && k < 3; k++) {
        const view_attrs *to = s->assign[k]->attrs;
        kt_g_assign(s->g, to->slot, to->offset + at, n->out[k]);
    }
}

/* Inputs first … stop-1 of the pack in one flat update. */
static void add_rest(const site *s, int first, int stop) {
    const int64_t at = s->packed->offsets[first];
    int64_t *offsets = kt_arena_alloc(s->g->arena, sizeof *offsets * (size_t)(stop - first));
    if (!offsets) {
        kt_graph_fail(s->g, KT_ENOMEM);
        return;
    }
    const int64_t end = stop < s->pack->n_in ? s->packed->offsets[stop] : s->packed->size;
    const int64_t size = end - at; /* with the gaps, as before */
    for (int i = first; i < stop; i++) offsets[i - first] = s->packed->offsets[i] - at;
    kt_val *grad = kt_g_pack(s->g, stop - first, s->pack->in + first, offsets, size);
    kt_val *in[5] = {NULL, NULL, NULL, grad, s->adam->in[4]};
    add_update(s, &kt_opdef_adam, 5, in, NULL, at, size);
}

static void split(const site *s) {
    int rest = 0;
    s->g->scope = s->adam->scope;
    for (int i = 0; i <= s->pack->n_in; i++) {
        const kt_node *m = i < s->pack->n_in ? product_of(s, i) : NULL;
        if (i < s->pack->n_in && !m) continue;
        if (rest < i) add_rest(s, rest, i);
        rest = i + 1;
        if (!m) continue;
        kt_val *in[6] = {NULL, NULL, NULL, m->in[0], m->in[1], s->adam->in[4]};
        const int64_t size = kt_shape_size(&m->out[0]->spec.shape);
        add_update(s, &kt_opdef_matmul_adam, 6, in, m->attrs, s->packed->offsets[i], size);
    }
    s->g->scope = NULL;
    s->adam->dead = true;
    for (int k = 0; k < 3; k++) s->assign[k]->dead = true;
}

kt_status kt_pass_fuse_adam(kt_graph *g) {
    const int n = g->nodes.n; /* what is added comes after */
    site s = {.g = g, .uses = kt_graph_count_uses(g)};
    if (!s.uses) return g->status;
    for (int i = 0; i < n && g->status == KT_OK; i++)
        if (find_site(&s, g->nodes.v[i])) split(&s);
    kt_graph_sweep(g);
    return g->status;
}
