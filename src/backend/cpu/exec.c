/* Running a planned graph: a flat list of instructions with every pointer resolved, so that a step
 * is a loop of calls and nothing else. */
#include "backend/cpu/cpu.h"

#include "backend/cpu/profile.h"
#include "base/error.h"
#include "base/fpu.h"
#include "base/pool.h"
#include "ir/attrs.h"
#include "ir/opdef.h"

#include <string.h>

typedef struct {
    const kt_node *node;
    kt_kernel *fn;
    int64_t scratch; /* arena offset, -1: none */
    void *state;     /* what the implementation prepared */
} code_step;

struct kt_cpu_code {
    kt_graph *g;
    kt_plan plan;
    char *consts;
    int n_steps;
    code_step *steps;
    int64_t *input_offset; /* of each input inside the context's block, after the arena */
    int64_t total_bytes;
    int n_uses; /* pointers into inputs, in all */
    kt_profile_program made;
};

/* A pointer into an input, which moves when the input is bound to other memory. */
typedef struct {
    void **at;
    int input;
    int64_t offset;
} input_use;

typedef struct {
    kt_kernel *fn;
    kt_kargs args;
} instr;

struct kt_cpu_run {
    const kt_cpu_code *code;
    char *mem; /* arena, then the input buffers */
    void **ptrs, **outputs;
    instr *steps;
    input_use *uses;
    int n_uses;
    kt_profile *profile; /* NULL unless KT_PROFILE is set */
};

static size_t node_scratch(const kt_node *n) {
    kt_kernel *ref;
    const kt_impl *impl = kt_cpu_impl(n, &ref);
    return impl && impl->scratch ? impl->scratch(n) : 0;
}

/* assign that could not be computed in place: one copy. */
static kt_status run_copy(const kt_kargs *k) {
    const kt_spec *s = &k->node->in[0]->spec;
    memcpy(k->out[0], k->in[0], (size_t)kt_shape_size(&s->shape) * kt_dtype_size(s->dtype));
    return KT_OK;
}

static bool runs_nothing(const kt_node *n) {
    return n->dead || n->op->flags & (KT_OP_LEAF | KT_OP_ALIAS);
}

static kt_status pick_kernel(kt_cpu_code *c, const kt_node *n, code_step *step) {
    const kt_impl *impl = kt_cpu_impl(n, &step->fn);
    if (impl) step->fn = impl->run;
    if (n->op->flags & KT_OP_EFFECT) step->fn = run_copy;
    if (impl && impl->prepare) return impl->prepare(c->g, n, &step->state);
    if (step->fn) return KT_OK;
    const kt_spec *s = n->n_in ? &n->in[0]->spec : &n->out[0]->spec;
    KT_FAIL(KT_EDTYPE, "%s does not work on %s", n->op->name, kt_dtype_name(s->dtype));
    return kt_error_context("in %s", n->scope ? n->scope : "a graph");
}

static kt_status pick_kernels(kt_cpu_code *c) {
    c->steps = kt_alloc_array(c->g->nodes.n + 1, sizeof *c->steps);
    if (!c->steps) return KT_ENOMEM;
    for (int i = 0; i < c->g->nodes.n; i++) {
        const kt_node *n = c->g->nodes.v[i];
        if (runs_nothing(n)) continue;
        code_step *step = &c->steps[c->n_steps++];
        *step = (code_step){.node = n, .scratch = c->plan.scratch[i]};
        const kt_status st = pick_kernel(c, n, step);
        if (st) return st;
    }
    return KT_OK;
}

static kt_status fill_consts(kt_cpu_code *c) {
    c->consts = kt_alloc_aligned((size_t)c->plan.const_bytes);
    if (!c->consts) return KT_ENOMEM;
    for (int i = 0; i < c->g->nodes.n; i++) {
        const kt_node *n = c->g->nodes.v[i];
        if (strcmp(n->op->name, "const")) continue;
        void *out = c->consts + c->plan.place[n->out[0]->id].offset;
        const kt_status st = n->op->ref[0](&(kt_kargs){.node = n, .out = &out});
        if (st) return st;
    }
    return KT_OK;
}

static kt_status place_inputs(kt_cpu_code *c) {
    c->input_offset = kt_alloc_array(c->g->inputs.n + 1, sizeof *c->input_offset);
    if (!c->input_offset) return KT_ENOMEM;
    c->total_bytes = c->plan.arena_bytes;
    for (int i = 0; i < c->g->inputs.n; i++) {
        const kt_spec *s = &c->g->inputs.v[i]->spec;
        c->input_offset[i] = c->total_bytes;
        c->total_bytes += (kt_shape_size(&s->shape) * (int64_t)kt_dtype_size(s->dtype) + 63) / 64 *
                          64;
    }
    return KT_OK;
}

static bool is_input(const kt_cpu_code *c, const kt_val *v) {
    return c->plan.place[v->id].kind == KT_AT_INPUT;
}

static void count_uses(kt_cpu_code *c) {
    for (int i = 0; i < c->n_steps; i++) {
        const kt_node *n = c->steps[i].node;
        for (int k = 0; k < n->n_in; k++) c->n_uses += is_input(c, n->in[k]);
    }
    for (int i = 0; i < c->g->outputs.n; i++) c->n_uses += is_input(c, c->g->outputs.v[i]);
}

kt_status kt_cpu_compile(kt_graph *g, kt_cpu_code **out) {
    kt_cpu_code *c = kt_alloc(sizeof *c);
    if (!c) return KT_ENOMEM;
    c->g = g;
    kt_status st = kt_plan_memory(g, node_scratch, &c->plan);
    if (st == KT_OK) st = pick_kernels(c);
    if (st == KT_OK) st = fill_consts(c);
    if (st == KT_OK) st = place_inputs(c);
    if (st == KT_OK) count_uses(c);
    c->made = (kt_profile_program){0, 0, c->n_steps, &c->plan};
    if (st == KT_OK)
        *out = c;
    else
        kt_cpu_code_free(c);
    return st;
}

void kt_cpu_code_free(kt_cpu_code *c) {
    if (!c) return;
    kt_mem_free(c->steps);
    kt_mem_free(c->input_offset);
    kt_mem_free_aligned(c->consts);
    kt_mem_free(c);
}

void kt_cpu_made(kt_cpu_code *c, int64_t start, int64_t end) {
    c->made.start = start;
    c->made.end = end;
}

const kt_plan *kt_cpu_plan(const kt_cpu_code *c) { return &c->plan; }

static void *own_buffer(const kt_cpu_run *r, int i) { return r->mem + r->code->input_offset[i]; }

static void *resolve(const kt_cpu_run *r, void *const *slots, const kt_val *v) {
    const kt_place *p = &r->code->plan.place[v->id];
    switch (p->kind) {
    case KT_AT_CONST:
        return r->code->consts + p->offset;
    case KT_AT_SLOT:
        return (char *)slots[p->index] + p->offset;
    case KT_AT_INPUT:
        return (char *)own_buffer(r, p->index) + p->offset;
    case KT_AT_ARENA:
        break;
    }
    return r->mem + p->offset;
}

/* Resolves what is read through *at. */
static void resolve_use(kt_cpu_run *r, void *const *slots, const kt_val *v, void **at) {
    const kt_place *p = &r->code->plan.place[v->id];
    *at = resolve(r, slots, v);
    if (p->kind == KT_AT_INPUT) r->uses[r->n_uses++] = (input_use){at, p->index, p->offset};
}

static void resolve_step(
    kt_cpu_run *r, void *const *slots, const code_step *s, void ***ptrs, instr *to) {
    const kt_node *n = s->node;
    void **in = *ptrs, **out = in + n->n_in;
    for (int i = 0; i < n->n_in; i++) resolve_use(r, slots, n->in[i], &in[i]);
    for (int i = 0; i < n->n_out; i++) out[i] = resolve(r, slots, n->out[i]);
    if (n->op->flags & KT_OP_EFFECT) {
        const view_attrs *a = n->attrs;
        out[0] = (char *)slots[a->slot] + a->offset * (int64_t)kt_dtype_size(n->in[0]->spec.dtype);
    }
    *ptrs = out + n->n_out;
    to->fn = s->fn;
    to->args = (kt_kargs){n, in, out, s->scratch < 0 ? NULL : r->mem + s->scratch, s->state};
}

kt_status kt_cpu_run_new(const kt_cpu_code *c, void *const *slots, kt_cpu_run **out) {
    kt_cpu_run *r = kt_alloc(sizeof *r);
    if (!r) return KT_ENOMEM;
    int64_t n_ptrs = 1;
    for (int i = 0; i < c->n_steps; i++) n_ptrs += c->steps[i].node->n_in + c->steps[i].node->n_out;
    r->code = c;
    r->mem = kt_alloc_aligned((size_t)c->total_bytes);
    r->ptrs = kt_alloc_array(n_ptrs, sizeof *r->ptrs);
    r->steps = kt_alloc_array(c->n_steps + 1, sizeof *r->steps);
    r->outputs = kt_alloc_array(c->g->outputs.n + 1, sizeof *r->outputs);
    r->uses = kt_alloc_array(c->n_uses + 1, sizeof *r->uses);
    if (!r->mem || !r->ptrs || !r->steps || !r->outputs || !r->uses) {
        kt_cpu_run_free(r);
        return KT_ENOMEM;
    }
    void **ptrs = r->ptrs;
    for (int i = 0; i < c->n_steps; i++) resolve_step(r, slots, &c->steps[i], &ptrs, &r->steps[i]);
    for (int i = 0; i < c->g->outputs.n; i++)
        resolve_use(r, slots, c->g->outputs.v[i], &r->outputs[i]);
    r->profile = kt_profile_new(&c->made);
    *out = r;
    return KT_OK;
}

void kt_cpu_run_free(kt_cpu_run *r) {
    if (!r) return;
    kt_mem_free_aligned(r->mem);
    kt_mem_free(r->ptrs);
    kt_mem_free(r->outputs);
    kt_mem_free(r->uses);
    kt_mem_free(r->steps);
    kt_profile_free(r->profile);
    kt_mem_free(r);
}

void kt_cpu_bind(kt_cpu_run *r, int i, const void *data) {
    for (int u = 0; u < r->n_uses; u++)
        if (r->uses[u].input == i) *r->uses[u].at = (char *)data + r->uses[u].offset;
}

void *kt_cpu_input(kt_cpu_run *r, int i) {
    kt_cpu_bind(r, i, own_buffer(r, i));
    return own_buffer(r, i);
}

const void *kt_cpu_output(const kt_cpu_run *r, int i) { return r->outputs[i]; }

static kt_status execute_profiled(kt_cpu_run *r) {
    kt_status st = KT_OK;
    for (int i = 0; i < r->code->n_steps && st == KT_OK; i++) {
        const int64_t start = kt_profile_clock();
        st = r->steps[i].fn(&r->steps[i].args);
        kt_profile_add(r->profile, r->steps[i].args.node, start, kt_profile_clock());
    }
    return st;
}

kt_status kt_cpu_execute(kt_cpu_run *r) {
    const int n = r->profile ? 0 : r->code->n_steps;
    const uint64_t saved = kt_fpu_flush_begin();
    kt_pool_hold(1);
    kt_status st = r->profile ? execute_profiled(r) : KT_OK;
    for (int i = 0; i < n && st == KT_OK; i++) st = r->steps[i].fn(&r->steps[i].args);
    kt_pool_hold(-1);
    kt_fpu_flush_end(saved);
    return st;
}
