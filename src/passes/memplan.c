/* Memory plan: lifetimes over the whole program (forward, backward and update as one), then offsets
 * (place.c).
 *
 * Values that may share memory are joined first: aliases (reshape, view), inputs of a pack
 * (computed right into the flat result), values computed right into the slot they are assigned to,
 * and results that overwrite a dying operand. A joined group is one block with one lifetime.
 *
 * Slots keep their old content until everybody has read it: assignments stand at the end, in order.
 * What an assignment or an output reads from a slot that is assigned as well (the swap of two
 * variables) is copied away first. */
#include "base/error.h"
#include "ir/attrs.h"
#include "ir/opdef.h"
#include "ir/plan.h"
#include "passes/place.h"

#include <string.h>

#define ALIGN 64

typedef struct {
    int root;       /* value this one lies in (itself: owns its block) */
    int64_t offset; /* bytes inside the root; of a slot's value: inside the slot */
    int64_t bytes;
    int start, end; /* roots: first and last node index that touches the block */
    kt_place_kind kind;
    int index;   /* slot, input */
    int claimed; /* 1 + index of the node whose result overwrites this block */
    bool fixed;  /* not the planner's memory: input, slot, const */
} mem;

/* Bytes from … to-1 of a slot; slot -1: somewhere else. */
typedef struct {
    int slot;
    int64_t from, to;
} slot_range;

typedef struct {
    kt_graph *g;
    mem *m;
    kt_val **val;      /* by id */
    slot_range *write; /* of each assignment */
    int n_writes;
} planner;

static bool op_is(const kt_node *n, const char *name) { return !strcmp(n->op->name, name); }

static int64_t val_bytes(const kt_val *v) {
    return kt_shape_size(&v->spec.shape) * (int64_t)kt_dtype_size(v->spec.dtype);
}

static int64_t view_bytes(const kt_val *v, const view_attrs *a) {
    return a->offset * (int64_t)kt_dtype_size(v->spec.dtype);
}

static bool overlap(const slot_range *a, const slot_range *b) {
    return a->slot >= 0 && a->slot == b->slot && a->from < b->to && b->from < a->to;
}

/* Assignments last ----------------------------------------------------------------------------- */

static slot_range written_range(const kt_node *n) {
    const view_attrs *a = n->attrs;
    const int64_t from = view_bytes(n->in[0], a);
    return (slot_range){a->slot, from, from + val_bytes(n->in[0])};
}

/* Which part of a slot a value is, seen through aliases. */
static slot_range leaf_range(const kt_val *v) {
    const int64_t size = val_bytes(v);
    int64_t at = 0;
    for (; v->def->op->flags & KT_OP_ALIAS; v = v->def->in[0])
        if (op_is(v->def, "view")) at += view_bytes(v, v->def->attrs);
    if (!op_is(v->def, "var")) return (slot_range){-1, 0, 0};
    return (slot_range){((const leaf_attrs *)v->def->attrs)->index, at, at + size};
}

static kt_status collect_writes(planner *p) {
    p->write = kt_arena_alloc(p->g->arena, sizeof *p->write * (size_t)(p->g->nodes.n + 1));
    if (!p->write) return KT_ENOMEM;
    for (int i = 0; i < p->g->nodes.n; i++)
        if (op_is(p->g->nodes.v[i], "assign"))
            p->write[p->n_writes++] = written_range(p->g->nodes.v[i]);
    return KT_OK;
}

static int writes_over(const planner *p, const slot_range *r) {
    int n = 0;
    for (int i = 0; i < p->n_writes; i++) n += overlap(&p->write[i], r);
    return n;
}

/* A copy of v, made before the first assignment, if v lies where something is assigned. */
static kt_val *safe_copy(planner *p, kt_val *v, kt_node **order, int *n) {
    const slot_range r = leaf_range(v);
    if (!writes_over(p, &r)) return v;
    const cast_attrs a = {v->spec.dtype};
    kt_node *copy = kt_graph_make(p->g, kt_op_find("cast"), 1, &v, &a);
    if (!copy) return v; /* g->status says why */
    order[(*n)++] = copy;
    return copy->out[0];
}

static kt_status assigns_last(planner *p) {
    kt_graph *g = p->g;
    const size_t most = (size_t)(2 * g->nodes.n + g->outputs.n + 1);
    kt_node **order = kt_arena_alloc(g->arena, sizeof(kt_node *) * most);
    kt_node **late = kt_arena_alloc(g->arena, sizeof(kt_node *) * (size_t)(g->nodes.n + 1));
    if (!order || !late) return KT_ENOMEM;
    int n = 0, n_late = 0;
    for (int i = 0; i < g->nodes.n; i++) {
        if (op_is(g->nodes.v[i], "assign"))
            late[n_late++] = g->nodes.v[i];
        else
            order[n++] = g->nodes.v[i];
    }
    for (int i = 0; i < n_late; i++) {
        const slot_range from = leaf_range(late[i]->in[0]), to = written_range(late[i]);
        const bool itself = from.slot == to.slot && from.from == to.from;
        late[i]->dead = itself && writes_over(p, &to) == 1; /* assigned what it is */
        if (!late[i]->dead) late[i]->in[0] = safe_copy(p, late[i]->in[0], order, &n);
    }
    for (int i = 0; i < g->outputs.n; i++)
        g->outputs.v[i] = safe_copy(p, g->outputs.v[i], order, &n);
    if (n_late) memcpy(order + n, late, sizeof(kt_node *) * (size_t)n_late);
    g->nodes.n = 0;
    for (int i = 0; i < n + n_late; i++)
        if (kt_vec_push(&g->nodes, order[i])) return KT_ENOMEM;
    return g->status;
}

/* Blocks and lifetimes ------------------------------------------------------------------------- */

/* Follows a value to the block it lies in; *at becomes the place inside. */
static int find_root(const planner *p, int id, int64_t *at) {
    for (*at = 0; p->m[id].root != id; id = p->m[id].root) *at += p->m[id].offset;
    return id;
}

static int root_of(const planner *p, const kt_val *v) {
    int64_t at;
    return find_root(p, v->id, &at);
}

static void touch(planner *p, const kt_val *v, int node) {
    mem *r = &p->m[root_of(p, v)];
    if (node < r->start) r->start = node;
    if (node > r->end) r->end = node;
}

static void place_leaf(const kt_node *n, mem *m) {
    const leaf_attrs *leaf = n->attrs;
    m->fixed = true;
    if (op_is(n, "const"))
        m->kind = KT_AT_CONST;
    else
        m->kind = op_is(n, "var") ? KT_AT_SLOT : KT_AT_INPUT;
    m->index = m->kind == KT_AT_CONST ? 0 : leaf->index;
}

/* Every value with its own block; leaves are fixed; aliases (and what an assignment gives, which
 * nobody reads) lie in their input. */
static void init_values(planner *p) {
    for (int i = 0; i < p->g->nodes.n; i++) {
        const kt_node *n = p->g->nodes.v[i];
        for (int k = 0; k < n->n_out; k++) {
            mem *m = &p->m[n->out[k]->id];
            *m = (mem){n->out[k]->id, 0, val_bytes(n->out[k]), i, i, KT_AT_ARENA, 0, 0, false};
            p->val[n->out[k]->id] = n->out[k];
            if (n->op->flags & KT_OP_LEAF) place_leaf(n, m);
        }
        if (!(n->op->flags & (KT_OP_ALIAS | KT_OP_EFFECT))) continue;
        mem *m = &p->m[n->out[0]->id];
        m->root = n->in[0]->id;
        if (op_is(n, "view")) m->offset = view_bytes(n->out[0], n->attrs);
    }
}

static void init_lifetimes(planner *p) {
    for (int i = 0; i < p->g->nodes.n; i++) {
        const kt_node *n = p->g->nodes.v[i];
        for (int k = 0; k < n->n_in; k++) touch(p, n->in[k], i);
        for (int k = 0; k < n->n_out; k++) touch(p, n->out[k], i);
    }
    for (int i = 0; i < p->g->outputs.n; i++) touch(p, p->g->outputs.v[i], p->g->nodes.n);
}

/* Joined blocks -------------------------------------------------------------------------------- */

/* Joins block `from` into block `to` at an offset. */
static void join(planner *p, int from, int to, int64_t offset) {
    mem *f = &p->m[from], *t = &p->m[to];
    f->root = to;
    f->offset = offset;
    if (f->start < t->start) t->start = f->start;
    if (f->end > t->end) t->end = f->end;
}

static void join_pack(planner *p, const kt_node *n) {
    const pack_attrs *a = n->attrs;
    const int64_t e = (int64_t)kt_dtype_size(n->out[0]->spec.dtype);
    for (int i = 0; i < n->n_in; i++) {
        int64_t at;
        const int root = find_root(p, n->in[i]->id, &at), to = root_of(p, n->out[0]);
        if (p->m[root].fixed || root == to || at || p->m[root].bytes != val_bytes(n->in[i]))
            continue;
        join(p, root, to, a->offsets[i] * e);
    }
}

/* Which part of a slot a value lies in, now. */
static slot_range range_of(const planner *p, const kt_val *v) {
    int64_t at;
    const mem *r = &p->m[find_root(p, v->id, &at)];
    if (r->kind != KT_AT_SLOT) return (slot_range){-1, 0, 0};
    return (slot_range){r->index, r->offset + at, r->offset + at + val_bytes(v)};
}

/* May node n, which makes v right in `r`, read input k? Only element by element what it
 * overwrites. */
static bool reads_in_place(
    const kt_node *n, int k, const kt_val *v, const slot_range *in, const slot_range *r) {
    return n == v->def && in->from == r->from && in->to == r->to &&
           n->in[k]->spec.dtype == v->spec.dtype && kt_op_overwrites(n, v->index, k);
}

/* Does a node from `first` on read this part of a slot, when v is made there instead of its old
 * content? */
static bool range_is_read(const planner *p, const slot_range *r, int first, const kt_val *v) {
    for (int i = first; i < p->g->nodes.n; i++) {
        const kt_node *n = p->g->nodes.v[i];
        if (n->dead || n->op->flags & (KT_OP_ALIAS | KT_OP_LEAF)) continue;
        for (int k = 0; k < n->n_in; k++) {
            const slot_range in = range_of(p, n->in[k]);
            if (overlap(&in, r) && !(i == first && reads_in_place(n, k, v, &in, r))) return true;
        }
    }
    return false;
}

/* Computes an assigned value right into its slot where nobody reads the old content any more. */
static void join_assign(planner *p, kt_node *n) {
    int64_t at;
    const int root = find_root(p, n->in[0]->id, &at);
    mem *m = &p->m[root];
    const slot_range to = written_range(n);
    if (n->dead || m->fixed || at || m->bytes != to.to - to.from) return;
    if (writes_over(p, &to) > 1 || range_is_read(p, &to, m->start, p->val[root])) return;
    m->fixed = true;
    m->kind = KT_AT_SLOT;
    m->index = to.slot;
    m->offset = to.from;
    n->dead = true;
}

/* Would writing output o over block `root` change another input before it is read? */
static bool others_read(const planner *p, const kt_node *n, int o, int root) {
    for (int k = 0; k < n->n_in; k++) {
        int64_t at;
        if (find_root(p, n->in[k]->id, &at) != root) continue;
        if (at || val_bytes(n->in[k]) != val_bytes(n->out[o]) || !kt_op_overwrites(n, o, k) ||
            n->in[k]->spec.dtype != n->out[o]->spec.dtype)
            return true;
    }
    return false;
}

/* A result takes the place of an operand that dies here, if the op can do that. */
static void join_inplace(planner *p, const kt_node *n, int index) {
    for (int o = 0; o < n->n_out; o++) {
        const int out = n->out[o]->id;
        if (p->m[out].root != out || p->m[out].fixed) continue;
        for (int i = 0; i < n->n_in; i++) {
            if (!kt_op_overwrites(n, o, i)) continue;
            const int in = root_of(p, n->in[i]);
            mem *m = &p->m[in];
            if (m->fixed || in == out || m->end != index || m->bytes != p->m[out].bytes) continue;
            if (m->claimed == index + 1 || others_read(p, n, o, in)) continue;
            m->claimed = index + 1;
            join(p, out, in, 0);
            break;
        }
    }
}

static void join_all(planner *p) {
    for (int i = 0; i < p->g->nodes.n; i++)
        if (op_is(p->g->nodes.v[i], "pack")) join_pack(p, p->g->nodes.v[i]);
    for (int i = 0; i < p->g->nodes.n; i++)
        if (op_is(p->g->nodes.v[i], "assign")) join_assign(p, p->g->nodes.v[i]);
    for (int i = 0; i < p->g->nodes.n; i++) join_inplace(p, p->g->nodes.v[i], i);
}

/* Places --------------------------------------------------------------------------------------- */

static int64_t rounded(int64_t bytes) { return (bytes + ALIGN - 1) / ALIGN * ALIGN; }

static int collect_blocks(const planner *p, kt_scratch_fn *scratch, kt_block *b) {
    int n = 0;
    for (int id = 0; id < p->g->n_vals; id++) {
        const mem *m = &p->m[id];
        if (!p->val[id] || m->root != id || m->fixed) continue;
        b[n++] = (kt_block){rounded(m->bytes), 0, m->start, m->end, id};
    }
    for (int i = 0; i < p->g->nodes.n; i++) {
        const kt_node *node = p->g->nodes.v[i];
        const int64_t bytes = node->dead || !scratch ? 0 : (int64_t)scratch(node);
        if (bytes) b[n++] = (kt_block){rounded(bytes), 0, i, i, -1 - i};
    }
    return n;
}

static kt_status place_blocks(planner *p, kt_scratch_fn *scratch, kt_plan *plan) {
    const int n_nodes = p->g->nodes.n;
    kt_block *b = kt_arena_alloc(p->g->arena, sizeof *b * (size_t)(p->g->n_vals + n_nodes + 1));
    if (!b) return KT_ENOMEM;
    const int n = collect_blocks(p, scratch, b);
    const kt_status st = kt_place_blocks(
        p->g->arena, b, n, n_nodes, &plan->arena_bytes, &plan->lower_bound);
    for (int i = 0; st == KT_OK && i < n; i++) {
        if (b[i].id >= 0)
            p->m[b[i].id].offset = b[i].offset;
        else
            plan->scratch[-1 - b[i].id] = b[i].offset;
    }
    return st;
}

static void place_consts(planner *p, kt_plan *plan) {
    for (int id = 0; id < p->g->n_vals; id++) {
        mem *m = &p->m[id];
        if (!p->val[id] || m->root != id || m->kind != KT_AT_CONST) continue;
        m->offset = plan->const_bytes;
        plan->const_bytes += rounded(m->bytes);
    }
}

static kt_status planner_init(planner *p, kt_plan *plan) {
    kt_graph *g = p->g;
    kt_status st = collect_writes(p);
    if (st == KT_OK) st = assigns_last(p);
    if (st) return st;
    const size_t n = (size_t)g->n_vals + 1;
    p->m = kt_arena_alloc(g->arena, sizeof *p->m * n);
    p->val = kt_arena_alloc(g->arena, sizeof(kt_val *) * n);
    plan->place = kt_arena_alloc(g->arena, sizeof *plan->place * n);
    plan->scratch = kt_arena_alloc(g->arena, sizeof *plan->scratch * ((size_t)g->nodes.n + 1));
    if (!p->m || !p->val || !plan->place || !plan->scratch) return KT_ENOMEM;
    for (int i = 0; i < g->nodes.n; i++) plan->scratch[i] = -1;
    return KT_OK;
}

kt_status kt_plan_memory(kt_graph *g, kt_scratch_fn *scratch, kt_plan *plan) {
    planner p = {.g = g};
    *plan = (kt_plan){0};
    kt_status st = planner_init(&p, plan);
    if (st) return st;
    init_values(&p);
    init_lifetimes(&p);
    join_all(&p);
    st = place_blocks(&p, scratch, plan);
    if (st) return st;
    place_consts(&p, plan);
    for (int id = 0; id < g->n_vals; id++) {
        if (!p.val[id]) continue;
        int64_t at;
        const mem *r = &p.m[find_root(&p, id, &at)];
        plan->place[id] = (kt_place){r->kind, r->index, r->offset + at};
    }
    return KT_OK;
}
