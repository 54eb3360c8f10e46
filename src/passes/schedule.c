/* Order of execution: at each step the node that leaves the least memory alive, of those that are
 * ready.
 *
 * Tracing leaves forward, backward and update in a good order already, so the new order is taken
 * only where its peak is lower. Ties keep the old order, which keeps results and caches as they
 * were. */
#include "base/error.h"
#include "ir/attrs.h"
#include "ir/opdef.h"
#include "passes/passes.h"

#include <string.h>

kt_status kt_pass_schedule(kt_graph *g);

typedef struct {
    kt_graph *g;
    int *root;       /* by value id: the value whose memory it is (aliases) */
    int64_t *bytes;  /* by root */
    int *left;       /* by root: reads still to come, graph outputs count for ever */
    int *waits;      /* by node: inputs not computed yet, TAKEN when it has its place */
    int *over;       /* by root: 1 + root of the variable that it will be assigned to */
    int *users;      /* nodes that read a value, once for each operand: users[start[id]] … */
    int *start;      /* by value id */
    kt_node **order; /* the new order */
} scheduler;

static bool in_arena(const kt_node *n) { return !(n->op->flags & KT_OP_LEAF); }

static void note_values(scheduler *s) {
    for (int i = 0; i < s->g->nodes.n; i++) {
        const kt_node *n = s->g->nodes.v[i];
        for (int k = 0; k < n->n_out; k++) {
            const kt_val *v = n->out[k];
            const bool alias = n->op->flags & KT_OP_ALIAS && k == 0;
            s->root[v->id] = alias ? s->root[n->in[0]->id] : v->id;
            if (!alias && in_arena(n))
                s->bytes[v->id] = kt_shape_size(&v->spec.shape) *
                                  (int64_t)kt_dtype_size(v->spec.dtype);
        }
    }
}

static void count_reads(scheduler *s) {
    memset(s->left, 0, sizeof *s->left * (size_t)s->g->n_vals);
    for (int i = 0; i < s->g->nodes.n; i++)
        for (int k = 0; k < s->g->nodes.v[i]->n_in; k++)
            s->left[s->root[s->g->nodes.v[i]->in[k]->id]]++;
    for (int i = 0; i < s->g->outputs.n; i++) s->left[s->root[s->g->outputs.v[i]->id]]++;
}

/* What running n adds to the memory that is alive, and what it frees. */
static int64_t growth(const scheduler *s, const kt_node *n) {
    int64_t more = 0;
    for (int k = 0; k < n->n_out; k++)
        if (s->root[n->out[k]->id] == n->out[k]->id) more += s->bytes[n->out[k]->id];
    for (int k = 0; k < n->n_in; k++) {
        const int r = s->root[n->in[k]->id];
        int reads = 0; /* the same memory may be read twice by one node */
        for (int i = 0; i <= k; i++) reads += s->root[n->in[i]->id] == r;
        if (s->left[r] == reads) more -= s->bytes[r];
    }
    return more;
}

/* Would n compute a variable's next value while its old one is still to be read? Then the value
 * could not be computed right into the variable. */
static bool comes_early(const scheduler *s, const kt_node *n) {
    for (int k = 0; k < n->n_out; k++) {
        const int var = s->over[n->out[k]->id] - 1;
        if (var < 0) continue;
        int reads = 0;
        for (int i = 0; i < n->n_in; i++) reads += s->root[n->in[i]->id] == var;
        if (s->left[var] > reads) return true;
    }
    return false;
}

static void note_assignments(scheduler *s) {
    for (int i = 0; i < s->g->nodes.n; i++) {
        const kt_node *n = s->g->nodes.v[i];
        if (!(n->op->flags & KT_OP_EFFECT)) continue;
        const kt_val *var = s->g->slots.v[((const view_attrs *)n->attrs)->slot].val;
        if (var) s->over[s->root[n->in[0]->id]] = 1 + s->root[var->id];
    }
}

static void mark_read(scheduler *s, const kt_node *n) {
    for (int k = 0; k < n->n_in; k++) s->left[s->root[n->in[k]->id]]--;
}

/* Most bytes alive when the nodes run in this order, and how many values come early. */
static int64_t peak_of(scheduler *s, kt_node *const *order, int *early) {
    int64_t alive = 0, peak = 0;
    count_reads(s);
    *early = 0;
    for (int i = 0; i < s->g->nodes.n; i++) {
        int64_t made = 0;
        for (int k = 0; k < order[i]->n_out; k++)
            if (s->root[order[i]->out[k]->id] == order[i]->out[k]->id)
                made += s->bytes[order[i]->out[k]->id];
        if (alive + made > peak) peak = alive + made;
        *early += comes_early(s, order[i]);
        alive += growth(s, order[i]);
        mark_read(s, order[i]);
    }
    return peak;
}

static kt_status list_users(scheduler *s) {
    const kt_graph *g = s->g;
    const size_t n_vals = (size_t)g->n_vals + 2; /* the next value's start is where users end */
    size_t total = 1;
    s->start = kt_arena_alloc(g->arena, sizeof *s->start * n_vals);
    for (int i = 0; i < g->nodes.n; i++) total += (size_t)g->nodes.v[i]->n_in;
    s->users = kt_arena_alloc(g->arena, sizeof *s->users * total);
    if (!s->start || !s->users) return KT_ENOMEM;
    for (int i = 0; i < g->nodes.n; i++)
        for (int k = 0; k < g->nodes.v[i]->n_in; k++) s->start[g->nodes.v[i]->in[k]->id + 1]++;
    for (size_t v = 1; v < n_vals; v++) s->start[v] += s->start[v - 1];
    for (int i = g->nodes.n; i-- > 0;) /* from the ends to the starts */
        for (int k = 0; k < g->nodes.v[i]->n_in; k++)
            s->users[--s->start[g->nodes.v[i]->in[k]->id + 1]] = i;
    memmove(s->start, s->start + 1, sizeof *s->start * (n_vals - 1));
    s->start[n_vals - 1] = (int)total - 1;
    return KT_OK;
}

static void release_users(scheduler *s, const kt_node *done) {
    for (int k = 0; k < done->n_out; k++) {
        const int id = done->out[k]->id;
        for (int i = s->start[id]; i < s->start[id + 1]; i++) s->waits[s->users[i]]--;
    }
}

#define TAKEN (-1)

static void make_order(scheduler *s) {
    int from = 0; /* nodes before it are taken */
    count_reads(s);
    for (int at = 0; at < s->g->nodes.n; at++) {
        int best = -1;
        int64_t least = INT64_MAX;
        while (s->waits[from] == TAKEN) from++;
        for (int i = from; i < s->g->nodes.n; i++) {
            if (s->waits[i] != 0 || s->g->nodes.v[i]->op->flags & KT_OP_EFFECT) continue;
            int64_t more = growth(s, s->g->nodes.v[i]);
            if (comes_early(s, s->g->nodes.v[i])) more += INT64_MAX / 2;
            if (more < least) {
                least = more;
                best = i;
            }
        }
        if (best < 0) { /* assignments come last and keep their order */
            best = from;
        }
        kt_node *n = s->g->nodes.v[best];
        s->order[at] = n;
        s->waits[best] = TAKEN;
        mark_read(s, n);
        release_users(s, n);
    }
}

#define MAX_NODES 2000 /* choosing is quadratic; graphs beyond this keep their order */

kt_status kt_pass_schedule(kt_graph *g) {
    scheduler s = {.g = g};
    const size_t n_vals = (size_t)g->n_vals + 1, n = (size_t)g->nodes.n + 1;
    if (g->nodes.n > MAX_NODES) return KT_OK;
    s.root = kt_arena_alloc(g->arena, sizeof *s.root * n_vals);
    s.bytes = kt_arena_alloc(g->arena, sizeof *s.bytes * n_vals);
    s.left = kt_arena_alloc(g->arena, sizeof *s.left * n_vals);
    s.waits = kt_arena_alloc(g->arena, sizeof *s.waits * n);
    s.order = kt_arena_alloc(g->arena, sizeof(kt_node *) * n);
    s.over = kt_arena_alloc(g->arena, sizeof *s.over * n_vals);
    if (!s.over || !s.root || !s.bytes || !s.left || !s.waits || !s.order) return KT_ENOMEM;
    const kt_status st = list_users(&s);
    if (st) return st;
    note_values(&s);
    note_assignments(&s);
    int early_before, early_after;
    const int64_t before = peak_of(&s, g->nodes.v, &early_before);
    for (int i = 0; i < g->nodes.n; i++) s.waits[i] = g->nodes.v[i]->n_in;
    make_order(&s);
    if (peak_of(&s, s.order, &early_after) < before && early_after <= early_before)
        memcpy(g->nodes.v, s.order, sizeof(kt_node *) * (size_t)g->nodes.n);
    return KT_OK;
}
