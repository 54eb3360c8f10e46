/* Elementwise regions become one `fused` node each: a chain of functions over an array costs one
 * pass over memory instead of one per function, and the thirty scalar nodes around a loss become a
 * few. region.c says which nodes go together; this half writes the programs and puts the node list
 * in order again.
 *
 * Constants become numbers in the program, rows and columns are read through their broadcasts, so
 * those nodes lose their users. */
#include "base/error.h"
#include "ops/families.h"
#include "passes/passes.h"
#include "passes/region.h"

#include <string.h>

#define NONE (-1)

kt_status kt_pass_fuse(kt_graph *g);

extern const kt_opdef kt_opdef_fused;

typedef struct {
    kt_graph *g;
    kt_node **old; /* the nodes before; their inputs change only when all is done */
    int n, n_vals;
    int *def;    /* value id -> node */
    int *region; /* node -> last node of its region; NONE: a node of its own */
    bool *live;  /* value id -> somebody outside its region needs it */
    kt_val **by; /* value id -> what stands for it now */
    char *state; /* item (of a region: its last node) -> 0 to do, 1 waits for operands, 2 done */
    int *stack;
} fuser;

/* A program under construction. */
typedef struct {
    fuser *f;
    int last; /* stands for the region */
    kt_source in[KT_FUSED_MAX_IN];
    kt_val *vals[KT_FUSED_MAX_IN];
    kt_micro_input inputs[KT_FUSED_MAX_IN];
    kt_micro steps[KT_FUSED_MAX_REGS];
    short outs[KT_OP_MAX_OUT];
    kt_spec specs[KT_OP_MAX_OUT];
    kt_val *out_vals[KT_OP_MAX_OUT];
    const kt_val *made[KT_FUSED_MAX_REGS]; /* value that a member gives, and its register */
    short made_reg[KT_FUSED_MAX_REGS];
    int n_in, n_steps, n_out, n_made;
} program;

static bool is_member(const fuser *f, int node, int last) { return f->region[node] == last; }

/* What is worth it ----------------------------------------------------------------------------- */

/* A single node gains if it need not read a constant array or a broadcast, or has no fast
 * kernel. */
static bool single_is_worth(const kt_node *n) {
    const int64_t size = kt_shape_size(&n->out[0]->spec.shape);
    if (size == 1) return false;
    if (kt_family_row(kt_unary_ops, n->op) < 0 && kt_family_row(kt_binary_ops, n->op) < 0)
        return true;
    for (int k = 0; k < n->n_in; k++) {
        const kt_source s = kt_source_of(n->in[k]);
        if (!kt_source_is_whole(&s, size)) return true;
    }
    return false;
}

static void drop_poor_regions(fuser *f) {
    for (int i = 0; i < f->n; i++) {
        if (f->region[i] != i) continue;
        int members = 0;
        for (int k = i; k >= 0 && members < 2; k--) members += is_member(f, k, i);
        if (members == 1 && !single_is_worth(f->old[i])) f->region[i] = NONE;
    }
}

/* Which values are needed outside of their region; broadcasts that everybody reads through are
 * not. */
static void find_live(fuser *f) {
    for (int i = 0; i < f->g->outputs.n; i++) f->live[f->g->outputs.v[i]->id] = true;
    for (int i = 0; i < f->g->inputs.n; i++) f->live[f->g->inputs.v[i]->id] = true;
    for (int i = f->n; i-- > 0;) {
        const kt_node *n = f->old[i];
        bool live = n->op->flags & KT_OP_EFFECT || f->region[i] != NONE;
        for (int k = 0; k < n->n_out; k++) live = live || f->live[n->out[k]->id];
        for (int k = 0; live && k < n->n_in; k++) {
            if (f->region[i] == NONE) {
                f->live[n->in[k]->id] = true;
                continue;
            }
            const kt_source s = kt_source_of(n->in[k]);
            if (s.v && !is_member(f, f->def[s.v->id], f->region[i])) f->live[s.v->id] = true;
        }
    }
}

/* Programs ------------------------------------------------------------------------------------- */

static int add_step(program *p, kt_micro step) {
    if (p->n_in + p->n_steps == KT_FUSED_MAX_REGS) return NONE;
    p->steps[p->n_steps++] = step;
    return p->n_in + p->n_steps - 1;
}

static int number(program *p, double value) {
    for (int i = 0; i < p->n_steps; i++) {
        const float have = p->steps[i].value, want = (float)value;
        if (p->steps[i].kind == KT_MICRO_CONST && !memcmp(&have, &want, sizeof have))
            return p->n_in + i;
    }
    return add_step(p, (kt_micro){.kind = KT_MICRO_CONST, .value = (float)value});
}

/* The register of an operand: made by a member, a number, or an input collected before. */
static int operand(program *p, kt_val *v) {
    const kt_source s = kt_source_of(v);
    if (!s.v) return number(p, s.num);
    for (int i = 0; i < p->n_made; i++)
        if (p->made[i] == s.v) return p->made_reg[i];
    for (int i = 0; i < p->n_in; i++)
        if (p->in[i].v == s.v && !memcmp(&p->in[i].read, &s.read, sizeof s.read)) return i;
    return NONE;
}

/* Inputs come first, so that registers of steps can be counted from there. */
static bool collect_inputs(program *p) {
    const fuser *f = p->f;
    for (int i = 0; i <= p->last; i++) {
        if (!is_member(f, i, p->last)) continue;
        for (int k = 0; k < f->old[i]->n_in; k++) {
            const kt_source s = kt_source_of(f->old[i]->in[k]);
            if (!s.v || is_member(f, f->def[s.v->id], p->last)) continue;
            int at = 0;
            while (at < p->n_in &&
                   (p->in[at].v != s.v || memcmp(&p->in[at].read, &s.read, sizeof s.read)))
                at++;
            if (at < p->n_in) continue;
            if (p->n_in == KT_FUSED_MAX_IN) return false;
            p->inputs[p->n_in] = s.read;
            p->in[p->n_in++] = s;
        }
    }
    return true;
}

static int member_step(program *p, const kt_node *n) {
    int r[3] = {0};
    for (int k = 0; k < n->n_in; k++)
        if ((r[k] = operand(p, n->in[k])) == NONE) return NONE;
    kt_micro m = {.a = (short)r[0], .b = (short)r[1], .c = (short)r[2]};
    if (n->op == &kt_opdef_cast && n->out[0]->spec.dtype == KT_FLOAT32)
        return r[0]; /* it is float already */
    if (n->op == &kt_opdef_cast) {
        const int zero = number(p, 0);
        if (zero == NONE) return NONE;
        m.kind = KT_MICRO_COMPARE;
        m.b = (short)zero;
        m.fn = (short)kt_family_row(kt_compare_ops, &kt_opdef_ne);
        return add_step(p, m);
    }
    const int un = kt_family_row(kt_unary_ops, n->op), bin = kt_family_row(kt_binary_ops, n->op);
    m.kind = n->op == &kt_opdef_select ? KT_MICRO_SELECT
             : un >= 0                 ? KT_MICRO_UNARY
             : bin >= 0                ? KT_MICRO_BINARY
                                       : KT_MICRO_COMPARE;
    if (m.kind == KT_MICRO_COMPARE)
        m.fn = (short)kt_family_row(kt_compare_ops, n->op);
    else if (m.kind != KT_MICRO_SELECT)
        m.fn = (short)(un >= 0 ? un : bin);
    return add_step(p, m);
}

static bool add_member(program *p, const kt_node *n) {
    kt_val *v = n->out[0];
    const int reg = member_step(p, n);
    if (reg == NONE || p->n_made == KT_FUSED_MAX_REGS) return false;
    p->made[p->n_made] = v;
    p->made_reg[p->n_made++] = (short)reg;
    if (!p->f->live[v->id]) return true;
    if (p->n_out == KT_OP_MAX_OUT) return false;
    p->outs[p->n_out] = (short)reg;
    p->specs[p->n_out] = v->spec;
    p->out_vals[p->n_out++] = v;
    return true;
}

static bool write_program(program *p) {
    if (!collect_inputs(p)) return false;
    for (int i = 0; i <= p->last; i++)
        if (is_member(p->f, i, p->last) && !add_member(p, p->f->old[i])) return false;
    return p->n_in > 0 && p->n_out > 0;
}

/* Regions that do not fit after all stay single nodes. (Programs are written twice: before the
 * order of nodes is decided, and again when their inputs have their final values.) */
static kt_status drop_misfits(fuser *f, program *p) {
    bool again = true;
    while (again) { /* a dropped region needs its broadcasts, which others may have to provide */
        again = false;
        memset(f->live, 0, (size_t)f->n_vals);
        find_live(f);
        for (int i = 0; i < f->n; i++) {
            if (f->region[i] != i) continue;
            *p = (program){.f = f, .last = i};
            if (write_program(p)) continue;
            for (int k = 0; k <= i; k++)
                if (f->region[k] == i) f->region[k] = NONE;
            again = true;
        }
    }
    return KT_OK;
}

/* Order ---------------------------------------------------------------------------------------- */

static kt_val *now(const fuser *f, kt_val *v) {
    return v->id < f->n_vals && f->by[v->id] ? f->by[v->id] : v;
}

static kt_status emit_region(fuser *f, program *p, int last) {
    kt_graph *g = f->g;
    *p = (program){.f = f, .last = last};
    if (!write_program(p)) return KT_FAIL(KT_EINTERNAL, "fuse: a region changed");
    for (int i = 0; i < p->n_in; i++) p->vals[i] = now(f, p->in[i].v);
    const fused_attrs a = {
        .size = kt_shape_size(&f->old[last]->out[0]->spec.shape),
        .n_in = p->n_in,
        .n_steps = p->n_steps,
        .n_out = p->n_out,
        .steps = kt_arena_copy(g->arena, p->steps, sizeof *p->steps * (size_t)(p->n_steps + 1)),
        .inputs = kt_arena_copy(g->arena, p->inputs, sizeof *p->inputs * (size_t)p->n_in),
        .outs = kt_arena_copy(g->arena, p->outs, sizeof *p->outs * (size_t)p->n_out),
        .specs = kt_arena_copy(g->arena, p->specs, sizeof *p->specs * (size_t)p->n_out)};
    if (!a.steps || !a.inputs || !a.outs || !a.specs) return KT_ENOMEM;
    g->scope = f->old[last]->scope;
    const kt_node *n = kt_graph_add(g, &kt_opdef_fused, p->n_in, p->vals, &a);
    for (int i = 0; n && i < p->n_out; i++) f->by[p->out_vals[i]->id] = n->out[i];
    return g->status;
}

static kt_status emit_node(fuser *f, int i) {
    kt_node *n = f->old[i];
    bool live = n->op->flags & KT_OP_EFFECT;
    for (int k = 0; k < n->n_out; k++) live = live || f->live[n->out[k]->id];
    return live ? kt_vec_push(&f->g->nodes, n) : KT_OK;
}

/* Everybody reads what regions made. */
static void redirect(fuser *f) {
    kt_graph *g = f->g;
    for (int i = 0; i < g->nodes.n; i++)
        for (int k = 0; k < g->nodes.v[i]->n_in; k++)
            g->nodes.v[i]->in[k] = now(f, g->nodes.v[i]->in[k]);
    for (int i = 0; i < g->outputs.n; i++) g->outputs.v[i] = now(f, g->outputs.v[i]);
    for (int i = 0; i < g->slots.n; i++)
        if (g->slots.v[i].val && !f->live[g->slots.v[i].val->id]) g->slots.v[i].val = NULL;
}

/* Pushes what an item needs and does not have yet. */
static kt_status push_needs(fuser *f, int item, int *n_stack) {
    const bool region = f->region[item] == item;
    for (int i = region ? 0 : item; i <= item; i++) {
        if (region && !is_member(f, i, item)) continue;
        for (int k = 0; k < f->old[i]->n_in; k++) {
            kt_val *v = region ? kt_source_of(f->old[i]->in[k]).v : f->old[i]->in[k];
            if (!v || (region && is_member(f, f->def[v->id], item))) continue;
            const int from = f->def[v->id], need = f->region[from] == NONE ? from : f->region[from];
            if (f->state[need] == 1) return KT_FAIL(KT_EINTERNAL, "fuse: a region needs itself");
            if (f->state[need] == 0) f->stack[(*n_stack)++] = need;
        }
    }
    return KT_OK;
}

/* Emits an item after everything that it needs: a walk in depth with a stack of its own. */
static kt_status emit(fuser *f, program *p, int item) {
    int n_stack = 0;
    kt_status st = KT_OK;
    f->stack[n_stack++] = item;
    while (n_stack && st == KT_OK) {
        const int top = f->stack[n_stack - 1];
        if (f->state[top] == 0) {
            f->state[top] = 1;
            st = push_needs(f, top, &n_stack);
            continue;
        }
        n_stack--;
        if (f->state[top] == 2) continue;
        f->state[top] = 2;
        st = f->region[top] == top ? emit_region(f, p, top) : emit_node(f, top);
    }
    return st;
}

static kt_status fuser_init(fuser *f) {
    kt_graph *g = f->g;
    size_t edges = 1;
    f->n = g->nodes.n;
    f->n_vals = g->n_vals;
    for (int i = 0; i < f->n; i++) edges += (size_t)g->nodes.v[i]->n_in + 1;
    f->old = kt_arena_copy(g->arena, g->nodes.v, sizeof(kt_node *) * (size_t)f->n);
    f->def = kt_arena_alloc(g->arena, sizeof *f->def * (size_t)(g->n_vals + 1));
    f->region = kt_arena_alloc(g->arena, sizeof *f->region * (size_t)(f->n + 1));
    f->live = kt_arena_alloc(g->arena, (size_t)g->n_vals + 1);
    f->by = kt_arena_alloc(g->arena, sizeof(kt_val *) * (size_t)(g->n_vals + 1));
    f->state = kt_arena_alloc(g->arena, (size_t)f->n + 1);
    f->stack = kt_arena_alloc(g->arena, sizeof *f->stack * edges);
    if (!f->old || !f->def || !f->region || !f->live || !f->by || !f->state || !f->stack)
        return KT_ENOMEM;
    for (int i = 0; i < f->n; i++)
        for (int k = 0; k < f->old[i]->n_out; k++) f->def[f->old[i]->out[k]->id] = i;
    return KT_OK;
}

kt_status kt_pass_fuse(kt_graph *g) {
    fuser f = {.g = g};
    const char *scope = g->scope;
    program *p = kt_arena_alloc(g->arena, sizeof *p);
    kt_status st = p ? fuser_init(&f) : KT_ENOMEM;
    if (st == KT_OK) st = kt_find_regions(g, f.def, f.region);
    if (st) return st;
    drop_poor_regions(&f);
    st = drop_misfits(&f, p);
    g->nodes.n = 0;
    for (int i = 0; i < f.n && st == KT_OK; i++)
        if (f.region[i] == NONE || f.region[i] == i) st = emit(&f, p, i);
    redirect(&f);
    g->scope = scope;
    return st;
}
