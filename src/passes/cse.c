/* Common subexpressions: nodes with the same op, inputs and attributes are computed once.
 *
 * Attributes are compared through their field tables. Ops with arrays behind pointers (pack,
 * constants with data, fused regions), random ones and assignments stay apart. */
#include "base/error.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

#include <string.h>

kt_status kt_pass_cse(kt_graph *g);

typedef struct cse_entry {
    const kt_node *node;
    struct cse_entry *next;
} cse_entry;

typedef struct {
    size_t mask;
    cse_entry **bucket;
} cse_table;

static bool may_merge(const kt_node *n) {
    double c;
    if (n->op->flags & (KT_OP_EFFECT | KT_OP_RANDOM) || !strcmp(n->op->name, "input")) return false;
    if (n->n_out == 1 && kt_is_num(n->out[0], &c)) return true;
    return !n->op->attrs_print && (!n->op->attrs_size || n->op->attrs);
}

static size_t hash_node(const kt_node *n) {
    uint64_t h = (uint64_t)(uintptr_t)n->op;
    for (int i = 0; i < n->n_in; i++) h = (h ^ (uint64_t)n->in[i]->id) * 0x9E3779B97F4A7C15u;
    return (size_t)(h ^ h >> 29);
}

static bool same_field(const void *a, const void *b, const kt_field *f) {
    const char *x = (const char *)a + f->offset, *y = (const char *)b + f->offset;
    if (f->type == KT_FIELD_DIMS) return kt_shape_equal((const kt_shape *)x, (const kt_shape *)y);
    return !memcmp(x, y, f->size);
}

static bool same_node(const kt_node *a, const kt_node *b) {
    if (a->op != b->op || a->n_in != b->n_in || a->n_out != b->n_out) return false;
    for (int i = 0; i < a->n_in; i++)
        if (a->in[i] != b->in[i]) return false;
    for (const kt_field *f = a->op->attrs; f && f->type; f++)
        if (!same_field(a->attrs, b->attrs, f)) return false;
    return true;
}

static void merge(kt_graph *g, kt_node *n, kt_val **by, void *arg) {
    const cse_table *t = arg;
    if (!may_merge(n)) return;
    cse_entry **bucket = &t->bucket[hash_node(n) & t->mask];
    for (const cse_entry *e = *bucket; e; e = e->next) {
        if (!same_node(e->node, n)) continue;
        for (int i = 0; i < n->n_out; i++) by[i] = e->node->out[i];
        return;
    }
    cse_entry *e = kt_arena_alloc(g->arena, sizeof *e);
    if (!e) {
        kt_graph_fail(g, KT_ENOMEM);
        return;
    }
    *e = (cse_entry){n, *bucket};
    *bucket = e;
}

kt_status kt_pass_cse(kt_graph *g) {
    size_t buckets = 64;
    while (buckets < (size_t)g->nodes.n) buckets *= 2;
    cse_table t = {buckets - 1, kt_arena_alloc(g->arena, sizeof(cse_entry *) * buckets)};
    return t.bucket ? kt_rewrite(g, merge, &t, NULL) : KT_ENOMEM;
}
