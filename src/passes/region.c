/* Regions: sets of elementwise nodes with the same number of elements that can run as one node. A
 * set must be convex: no path may leave it and come back, or the region would wait for itself.
 *
 * Nodes start as regions of their own; then, from the last node to the first, each is joined with
 * the regions of its operands where that is legal. Backwards, because what the backward pass
 * computes from forward values alone (1 - y) belongs to its user there: joined forwards it would be
 * computed early and kept. Numbers (regions of one element) are joined even if nothing connects
 * them: what counts there is how many nodes remain.
 *
 * Ancestors are bit sets over a window of the node list, which bounds the work for long graphs. */
#include "passes/region.h"

#include "base/error.h"
#include "ops/families.h"

#include <string.h>

#define WINDOW 1024
#define MAX_TRIES 8 /* regions of one element that a new one is offered to */

/* Sources -------------------------------------------------------------------------------------- */

static kt_val *through_reshapes(kt_val *v) {
    while (kt_is_op(v, &kt_opdef_reshape)) v = v->def->in[0];
    return v;
}

/* Blocks are worth it from this length on: strips end where they do. */
#define LEAST_BLOCK 512

/* A broadcast as div and mod: trailing axes that repeat each element, then axes that are there,
 * then axes that repeat all of it; or as a block, where axes that are there, without any behind
 * them, repeat, and others that are there come before. False if they are mixed otherwise. */
static bool broadcast_read(const kt_node *n, kt_micro_input *read) {
    const kt_shape *from = &n->in[0]->spec.shape, *to = &n->out[0]->spec.shape;
    int phase = 0; /* 0: trailing repeats, 1: there, 2: repeats, 3: there again */
    int64_t inner = 1;
    *read = (kt_micro_input){1, 1, 0};
    for (int i = 1; i <= to->ndim; i++) {
        const int64_t t = to->dim[to->ndim - i],
                      f = i <= from->ndim ? from->dim[from->ndim - i] : 1;
        if (t == 1) continue;
        if (f == 1 && phase == 0)
            read->div *= t;
        else if (f == 1 && phase == 3)
            return false;
        else if (f == 1)
            phase = 2;
        else if (phase < 2) {
            phase = 1;
            read->mod *= t;
        } else if (phase == 2) {
            if (read->div > 1 || inner < LEAST_BLOCK) return false;
            phase = 3;
            read->block = inner;
        }
        inner *= t;
    }
    if (read->mod == 1) read->div = 1;
    return true;
}

kt_source kt_source_of(kt_val *v) {
    const int64_t size = kt_shape_size(&v->spec.shape);
    kt_source s = {through_reshapes(v), 0, {1, size, 0}};
    kt_micro_input read;
    if (kt_is_op(s.v, &kt_opdef_broadcast) && broadcast_read(s.v->def, &read)) {
        s.v = through_reshapes(s.v->def->in[0]);
        s.read = read;
    }
    if (kt_is_num(s.v, &s.num)) s.v = NULL;
    return s;
}

bool kt_source_is_whole(const kt_source *s, int64_t size) {
    return s->v && s->read.div == 1 && s->read.mod == size;
}

static bool readable(kt_dtype d) {
    return d == KT_FLOAT32 || d == KT_INT32 || d == KT_INT64 || d == KT_UINT8 || d == KT_BOOL;
}

bool kt_fusable(const kt_node *n) {
    if (n->n_in == 0 || n->n_out != 1 || kt_shape_size(&n->out[0]->spec.shape) == 0) return false;
    const kt_dtype from = n->in[0]->spec.dtype, to = n->out[0]->spec.dtype;
    if (n->op == &kt_opdef_cast)
        return (to == KT_FLOAT32 && from != to && readable(from)) ||
               (from == KT_FLOAT32 && to == KT_BOOL);
    if (n->op == &kt_opdef_select) return to == KT_FLOAT32;
    if (from != KT_FLOAT32) return false;
    return kt_family_row(kt_unary_ops, n->op) >= 0 || kt_family_row(kt_binary_ops, n->op) >= 0 ||
           kt_family_row(kt_compare_ops, n->op) >= 0;
}

/* Sets ----------------------------------------------------------------------------------------- */

typedef uint64_t word;
#define WORD_BITS 64

typedef struct {
    kt_graph *g;
    const int *def;
    int first, n, words; /* the window: nodes first … first+n-1 */
    word *anc, *set; /* n sets each: ancestors; members of the region that the node stands for */
    int *region;     /* node of the window -> node that stands for its region; -1: not fusable */
    int *users, *n_users; /* nodes that read node i as a source or an input: users[start[i] …] */
    int *start;
    word *both, *reach; /* scratch */
    int low, high;      /* the words of `both` that are not all zeros: low … high-1 */
} window;

static bool has(const word *s, int i) { return s[i / WORD_BITS] >> (i % WORD_BITS) & 1; }
static void put(word *s, int i) { s[i / WORD_BITS] |= (word)1 << (i % WORD_BITS); }

static void unite(word *to, const word *from, int words) {
    for (int i = 0; i < words; i++) to[i] |= from[i];
}

/* Does a set have a member in `both`? That set is small, and this asked of every node. */
static bool meets_both(const window *w, const word *a) {
    word any = 0;
    for (int i = w->low; i < w->high; i++) any |= a[i] & w->both[i];
    return any != 0;
}

static word *anc_of(const window *w, int i) { return w->anc + (size_t)i * (size_t)w->words; }
static word *set_of(const window *w, int i) { return w->set + (size_t)i * (size_t)w->words; }
static kt_node *node_at(const window *w, int i) { return w->g->nodes.v[w->first + i]; }

/* The node of the window that operand k of node i comes from, -1: from outside. */
static int operand_node(const window *w, int i, int k, kt_source *s) {
    kt_val *v = node_at(w, i)->in[k];
    *s = (kt_source){v, 0, {1, 1, 0}};
    if (w->region[i] >= 0) *s = kt_source_of(v);
    if (!s->v) return -1;
    const int at = w->def[s->v->id] - w->first;
    return at >= 0 && at < i ? at : -1;
}

static void count_users(window *w, bool fill) {
    kt_source s;
    for (int i = 0; i < w->n; i++) {
        for (int k = 0; k < node_at(w, i)->n_in; k++) {
            const int from = operand_node(w, i, k, &s);
            if (from < 0) continue;
            if (fill) w->users[w->start[from] + w->n_users[from]] = i;
            w->n_users[from]++;
        }
    }
}

static kt_status list_users(window *w) {
    int total = 0;
    count_users(w, false);
    for (int i = 0; i < w->n; i++) {
        w->start[i] = total;
        total += w->n_users[i];
    }
    w->users = kt_arena_alloc(w->g->arena, sizeof *w->users * (size_t)(total + 1));
    if (!w->users) return KT_ENOMEM;
    memset(w->n_users, 0, sizeof *w->n_users * (size_t)w->n);
    count_users(w, true);
    return KT_OK;
}

static void find_ancestors(window *w) {
    kt_source s;
    for (int i = 0; i < w->n; i++) {
        for (int k = 0; k < node_at(w, i)->n_in; k++) {
            const int from = operand_node(w, i, k, &s);
            if (from < 0) continue;
            unite(anc_of(w, i), anc_of(w, from), w->words);
            put(anc_of(w, i), from);
        }
    }
}

/* Limits --------------------------------------------------------------------------------------- */

/* Is the result of node i wanted outside the set? */
static bool is_output(const window *w, const word *set, int i) {
    const kt_val *v = node_at(w, i)->out[0];
    for (int k = 0; k < w->n_users[i]; k++)
        if (!has(set, w->users[w->start[i] + k])) return true;
    for (int k = 0; k < w->g->outputs.n; k++)
        if (w->g->outputs.v[k] == v) return true;
    return w->first + w->n < w->g->nodes.n && w->n_users[i] == 0; /* by a later window */
}

/* Do inputs, steps and outputs of `both` fit a region? Numbers count as steps, inputs are counted
 * without looking for equal ones first when that is enough. */
static bool fits(const window *w) {
    const word *set = w->both;
    const int end = w->high * WORD_BITS < w->n ? w->high * WORD_BITS : w->n;
    kt_source in[KT_FUSED_MAX_IN + 1];
    int n_in = 0, n_steps = 0, n_out = 0;
    for (int i = w->low * WORD_BITS; i < end; i++) {
        if (!has(set, i)) continue;
        n_steps++;
        n_out += is_output(w, set, i);
        for (int k = 0; k < node_at(w, i)->n_in; k++) {
            kt_source s;
            const int from = operand_node(w, i, k, &s);
            if (from >= 0 && has(set, from)) continue;
            int at = 0;
            if (!s.v) n_steps++;
            while (s.v && at < n_in &&
                   (in[at].v != s.v || memcmp(&in[at].read, &s.read, sizeof s.read)))
                at++;
            if (!s.v || at < n_in) continue;
            if (n_in == KT_FUSED_MAX_IN) return false;
            in[n_in++] = s;
        }
    }
    return n_in + n_steps <= KT_FUSED_MAX_REGS && n_out <= KT_OP_MAX_OUT;
}

/* Joining -------------------------------------------------------------------------------------- */

/* Does no path leave `both` and come back? It would go through a node outside that has an ancestor
 * in it and is one. */
static bool is_convex(const window *w) {
    for (int k = 0; k < w->words; k++) {
        for (word left = w->reach[k] & ~w->both[k]; left; left &= left - 1)
            if (meets_both(w, anc_of(w, k * WORD_BITS + __builtin_ctzll(left)))) return false;
    }
    return true;
}

static void try_join(window *w, int p, int q) {
    const size_t bytes = sizeof(word) * (size_t)w->words;
    p = w->region[p];
    q = w->region[q];
    if (p == q) return;
    memcpy(w->both, set_of(w, p), bytes);
    unite(w->both, set_of(w, q), w->words);
    memcpy(w->reach, anc_of(w, p), bytes);
    unite(w->reach, anc_of(w, q), w->words);
    for (w->low = 0; !w->both[w->low]; w->low++) continue; /* never empty */
    for (w->high = w->words; !w->both[w->high - 1]; w->high--) continue;
    if (!is_convex(w) || !fits(w)) return;
    const int stands = p > q ? p : q;
    memcpy(set_of(w, stands), w->both, bytes);
    unite(w->reach, w->both, w->words); /* from now on whoever needs one member needs all */
    for (int i = 0; i < w->n; i++) {
        if (has(w->both, i)) w->region[i] = stands;
        if (has(w->both, i) || meets_both(w, anc_of(w, i))) unite(anc_of(w, i), w->reach, w->words);
    }
}

static int64_t size_at(const window *w, int i) {
    return kt_shape_size(&node_at(w, i)->out[0]->spec.shape);
}

static void join_operands(window *w, int i) {
    for (int k = 0; k < node_at(w, i)->n_in; k++) {
        kt_source s;
        const int from = operand_node(w, i, k, &s);
        if (from < 0 || w->region[from] < 0 || !kt_source_is_whole(&s, size_at(w, i))) continue;
        if (size_at(w, from) == size_at(w, i)) try_join(w, i, from);
    }
}

static void join_numbers(window *w) {
    int recent[MAX_TRIES], n = 0;
    for (int i = w->n; i-- > 0;) {
        if (w->region[i] != i || size_at(w, i) != 1) continue;
        for (int k = 0; k < n && k < MAX_TRIES && w->region[i] == i; k++) try_join(w, i, recent[k]);
        if (w->region[i] == i) recent[n++ % MAX_TRIES] = i;
    }
}

static kt_status window_alloc(window *w) {
    kt_arena *a = w->g->arena;
    const size_t n = (size_t)w->n, words = (size_t)w->words;
    w->anc = kt_arena_alloc(a, sizeof(word) * n * words);
    w->set = kt_arena_alloc(a, sizeof(word) * n * words);
    w->both = kt_arena_alloc(a, sizeof(word) * words);
    w->reach = kt_arena_alloc(a, sizeof(word) * words);
    w->region = kt_arena_alloc(a, sizeof(int) * n);
    w->n_users = kt_arena_alloc(a, sizeof(int) * n);
    w->start = kt_arena_alloc(a, sizeof(int) * n);
    const bool ok = w->anc && w->set && w->both && w->reach && w->region && w->n_users && w->start;
    return ok ? KT_OK : KT_ENOMEM;
}

static kt_status find_in_window(window *w, int *region_of) {
    kt_status st = window_alloc(w);
    if (st) return st;
    for (int i = 0; i < w->n; i++) {
        w->region[i] = kt_fusable(node_at(w, i)) ? i : -1;
        put(set_of(w, i), i);
    }
    if ((st = list_users(w))) return st;
    find_ancestors(w);
    for (int i = w->n; i-- > 0;)
        if (w->region[i] >= 0) join_operands(w, i);
    join_numbers(w);
    for (int i = 0; i < w->n; i++)
        region_of[w->first + i] = w->region[i] < 0 ? -1 : w->first + w->region[i];
    return KT_OK;
}

kt_status kt_find_regions(kt_graph *g, const int *def, int *region_of) {
    kt_status st = KT_OK;
    for (int first = 0; first < g->nodes.n && st == KT_OK; first += WINDOW) {
        const int left = g->nodes.n - first, n = left < WINDOW ? left : WINDOW;
        window w = {
            .g = g, .def = def, .first = first, .n = n, .words = (n + WORD_BITS - 1) / WORD_BITS};
        st = find_in_window(&w, region_of);
    }
    return st;
}
