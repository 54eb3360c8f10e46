/* Compiles a fused region: which function each step calls, with which operands as arrays and which
 * as numbers, and where its result goes.
 *
 * Results go straight to an output where that is safe. The planner may have put an output over an
 * input, so an output is written only when no later call reads an input array; before that, the
 * result waits in a register and is copied at the end of the strip. */
#include "backend/cpu/fused.h"

#include "base/error.h"

#include <string.h>

#define NONE (-1)

typedef struct {
    const fused_attrs *a;
    fused_prog *p;
    const kt_kernels *k;
    int uses[KT_FUSED_MAX_REGS];     /* by steps and outputs */
    bool number[KT_FUSED_MAX_REGS];  /* has one value for a whole strip */
    bool array[KT_FUSED_MAX_REGS];   /* such a number is needed as an array too */
    bool skipped[KT_FUSED_MAX_REGS]; /* a product that became part of a muladd */
    short place[KT_FUSED_MAX_REGS];  /* where the array is; NONE: not made yet */
    int last[KT_FUSED_MAX_REGS];     /* last step that reads it; n_steps: the end of the strip */
    bool busy[KT_FUSED_MAX_REGS];    /* physical registers */
    int last_input;                  /* last step that reads an array of an input */
} compiler;

static bool is_step(const compiler *c, int r) { return r >= c->a->n_in; }

static const kt_micro *step_of(const compiler *c, int r) { return &c->a->steps[r - c->a->n_in]; }

/* Inputs --------------------------------------------------------------------------------------- */

static fused_access access_of(const kt_micro_input *r, int64_t size) {
    if (r->div == 1 && r->mod == size) return FUSED_ARRAY;
    if (!r->block && (r->mod == 1 || r->div >= size)) return FUSED_NUMBER;
    if (r->div == 1) return r->mod >= FUSED_LONG ? FUSED_ROW : FUSED_TILE;
    return r->div >= FUSED_LONG ? FUSED_COLUMN : FUSED_SPREAD;
}

static void classify_inputs(compiler *c, const kt_node *n) {
    for (int i = 0; i < c->a->n_in; i++) {
        const kt_micro_input *r = &c->a->inputs[i];
        fused_in *in = &c->p->in[i];
        *in = (fused_in){
            access_of(r, c->a->size), n->in[i]->spec.dtype, r->div, r->mod, r->block, NONE};
        c->number[i] = in->access == FUSED_NUMBER || in->access == FUSED_COLUMN;
    }
}

/* Steps ---------------------------------------------------------------------------------------- */

/* Operands of step s as registers; for a muladd those of its product first. Returns how many. */
static int operands(const compiler *c, int s, short *r) {
    static const int count[] = {1, 2, 2, 3, 0};
    const kt_micro *m = &c->a->steps[s];
    r[0] = m->a;
    r[1] = m->b;
    r[2] = m->c;
    if (m->kind != KT_MICRO_BINARY || m->fn != KT_BIN_add) return count[m->kind];
    for (int i = 0; i < 2; i++) {
        const short product = r[i], other = r[1 - i];
        if (!is_step(c, product) || !c->skipped[product]) continue;
        r[0] = step_of(c, product)->a;
        r[1] = step_of(c, product)->b;
        r[2] = other;
        return 3;
    }
    return 2;
}

static void count_uses(compiler *c) {
    short r[3];
    for (int s = 0; s < c->a->n_steps; s++)
        for (int i = operands(c, s, r); i-- > 0;) c->uses[r[i]]++;
    for (int i = 0; i < c->a->n_out; i++) c->uses[c->a->outs[i]]++;
}

static bool is_product(const compiler *c, int r) {
    return is_step(c, r) && c->uses[r] == 1 && step_of(c, r)->kind == KT_MICRO_BINARY &&
           step_of(c, r)->fn == KT_BIN_mul;
}

/* a * b + c in one call, where nobody else wants the product. */
static void find_muladds(compiler *c) {
    for (int s = 0; s < c->a->n_steps; s++) {
        const kt_micro *m = &c->a->steps[s];
        if (m->kind != KT_MICRO_BINARY || m->fn != KT_BIN_add || m->a == m->b) continue;
        if (is_product(c, m->a))
            c->skipped[m->a] = true;
        else if (is_product(c, m->b))
            c->skipped[m->b] = true;
    }
}

/* Which numbers must be there as arrays, because no function takes them as numbers. */
static void mark_arrays(compiler *c) {
    short r[3];
    for (int s = 0; s < c->a->n_steps; s++) {
        const kt_micro *m = &c->a->steps[s];
        const int n = operands(c, s, r);
        if (m->kind == KT_MICRO_CONST) c->number[c->a->n_in + s] = true;
        if (c->skipped[c->a->n_in + s]) continue;
        const bool both = n == 2 && c->number[r[0]] && c->number[r[1]];
        for (int i = 0; i < n; i++)
            if (n != 2 || (both && i == 0)) c->array[r[i]] = c->number[r[i]];
    }
    for (int i = 0; i < c->a->n_out; i++) c->array[c->a->outs[i]] = c->number[c->a->outs[i]];
}

static void find_last_reads(compiler *c) {
    short r[3];
    c->last_input = NONE;
    for (int s = 0; s < c->a->n_steps; s++) {
        if (c->skipped[c->a->n_in + s]) continue;
        for (int i = operands(c, s, r); i-- > 0;) {
            c->last[r[i]] = s;
            if (is_step(c, r[i])) continue;
            if (c->p->in[r[i]].access == FUSED_ARRAY && c->p->in[r[i]].reg < 0) c->last_input = s;
        }
    }
    for (int i = 0; i < c->a->n_out; i++) c->last[c->a->outs[i]] = c->a->n_steps;
}

/* Places --------------------------------------------------------------------------------------- */

static short new_reg(compiler *c) {
    int i = 0;
    while (c->busy[i]) i++; /* there are as many as the region has registers */
    c->busy[i] = true;
    if (i >= c->p->n_regs) c->p->n_regs = i + 1;
    return (short)i;
}

static short reg_place(const compiler *c, int reg) {
    return (short)(c->p->n_in + c->p->n_out + reg);
}

/* Inputs and numbers that live in registers get them for good. */
static void place_inputs(compiler *c) {
    for (int i = 0; i < c->a->n_in; i++) {
        fused_in *in = &c->p->in[i];
        const bool direct = in->access == FUSED_ARRAY || in->access == FUSED_ROW;
        c->place[i] = (short)i;
        if (in->access == FUSED_COLUMN && c->array[i]) {
            in->access = FUSED_SPREAD;
            c->number[i] = false;
        }
        if (c->number[i] || (direct && in->dtype == KT_FLOAT32)) continue;
        in->reg = new_reg(c);
    }
    for (int r = 0; r < c->a->n_in + c->a->n_steps; r++) {
        if (is_step(c, r) && step_of(c, r)->kind == KT_MICRO_CONST)
            c->p->num[r] = step_of(c, r)->value;
        if (!c->number[r] || !c->array[r]) continue;
        const short reg = new_reg(c);
        c->p->splats[c->p->n_splats].num = (short)r;
        c->p->splats[c->p->n_splats++].reg = reg;
        c->place[r] = reg_place(c, reg);
    }
}

/* The output that step s may write itself: float32, and no input is read after it. */
static int direct_output(const compiler *c, int s) {
    if (s < c->last_input) return NONE;
    for (int i = 0; i < c->a->n_out; i++)
        if (c->a->outs[i] == c->a->n_in + s && c->a->specs[i].dtype == KT_FLOAT32) return i;
    return NONE;
}

static void release(compiler *c, int r, int s) {
    const int reg = c->place[r] - c->p->n_in - c->p->n_out;
    if (is_step(c, r) && !c->number[r] && c->last[r] == s && reg >= 0) c->busy[reg] = false;
}

static short result_place(compiler *c, int s) {
    const int out = direct_output(c, s);
    return out >= 0 ? (short)(c->p->n_in + out) : reg_place(c, new_reg(c));
}

/* Calls ---------------------------------------------------------------------------------------- */

static int mirrored(int fn) {
    switch (fn) {
    case KT_CMP_lt:
        return KT_CMP_gt;
    case KT_CMP_le:
        return KT_CMP_ge;
    case KT_CMP_gt:
        return KT_CMP_lt;
    case KT_CMP_ge:
        return KT_CMP_le;
    default:
        return fn; /* eq, ne */
    }
}

/* Is this operand passed as a number? One of two at most: mark_arrays saw to that. */
static bool as_number(const compiler *c, int r) { return c->number[r] && !c->array[r]; }

static void two_operands(const compiler *c, const kt_micro *m, fused_call *call) {
    const bool num_a = as_number(c, m->a),
               num_b = as_number(c, m->b) || (c->number[m->b] && !num_a);
    const bool compare = m->kind == KT_MICRO_COMPARE;
    call->a = num_a ? m->a : c->place[m->a];
    call->b = num_b ? m->b : c->place[m->b];
    if (compare && num_a) {
        call->kind = FUSED_CMP_VS;
        call->a = c->place[m->b];
        call->b = m->a;
        call->fn.vs = c->k->compare_vs[mirrored(m->fn)];
    } else if (compare) {
        call->kind = num_b ? FUSED_CMP_VS : FUSED_CMP;
        if (num_b)
            call->fn.vs = c->k->compare_vs[m->fn];
        else
            call->fn.bin = c->k->compare[m->fn];
    } else if (num_a) {
        call->kind = FUSED_BIN_SV;
        call->fn.sv = c->k->binary_sv[m->fn];
    } else {
        call->kind = num_b ? FUSED_BIN_VS : FUSED_BIN;
        if (num_b)
            call->fn.vs = c->k->binary_vs[m->fn];
        else
            call->fn.bin = c->k->binary[m->fn];
    }
}

static void emit_step(compiler *c, int s) {
    const kt_micro *m = &c->a->steps[s];
    fused_call *call = &c->p->calls[c->p->n_calls++];
    short r[3];
    const int n = operands(c, s, r);
    if (n == 2) {
        two_operands(c, m, call);
    } else {
        call->a = c->place[r[0]];
        if (n == 3) call->b = c->place[r[1]], call->c = c->place[r[2]];
        call->kind = n == 1 ? FUSED_UN : m->kind == KT_MICRO_SELECT ? FUSED_SELECT : FUSED_MULADD;
        if (n == 1) call->fn.un = c->k->unary[m->fn];
    }
    for (int i = 0; i < n; i++)
        release(c, r[i], s); /* a strip function may write over its operand */
    c->place[c->a->n_in + s] = call->to = result_place(c, s);
}

static void emit_outputs(compiler *c) {
    for (int i = 0; i < c->a->n_out; i++) {
        const short from = c->place[c->a->outs[i]], to = (short)(c->p->n_in + i);
        if (c->a->specs[i].dtype == KT_BOOL) {
            c->p->bools[c->p->n_bools].out = (short)i;
            c->p->bools[c->p->n_bools++].from = from;
        } else if (from != to) {
            c->p->calls[c->p->n_calls++] = (fused_call){.kind = FUSED_COPY, .to = to, .a = from};
        }
    }
}

/* Strips --------------------------------------------------------------------------------------- */

/* Nanoseconds an element, roughly, with data in cache: decides only when threads are worth it. */
static double micro_cost(const kt_micro *m) {
    if (m->kind == KT_MICRO_CONST) return 0;
    if (m->kind == KT_MICRO_BINARY)
        return m->fn == KT_BIN_pow || m->fn == KT_BIN_atan2 ? 1.5
               : m->fn == KT_BIN_div                        ? 0.15
                                                            : 0.06;
    if (m->kind != KT_MICRO_UNARY) return 0.06;
    static const short cheap[] = {
        KT_UN_neg,
        KT_UN_abs,
        KT_UN_sign,
        KT_UN_square,
        KT_UN_relu,
        KT_UN_floor,
        KT_UN_ceil,
        KT_UN_round,
        KT_UN_trunc};
    for (size_t i = 0; i < sizeof cheap / sizeof *cheap; i++)
        if (cheap[i] == m->fn) return 0.06;
    return 0.5;
}

static void choose_strip(compiler *c) {
    fused_prog *p = c->p;
    int64_t strip = FUSED_FLOATS / (p->n_regs + 1) / 64 * 64, row = 0;
    if (strip > FUSED_STRIP) strip = FUSED_STRIP;
    for (int i = 0; i < p->n_in; i++) {
        p->cost_ns += 0.05;
        if (p->in[i].access == FUSED_TILE && p->in[i].mod > row) row = p->in[i].mod;
    }
    p->stride = strip;
    if (row && row < strip) strip = strip / row * row; /* so that the tile need not be made again */
    for (int s = 0; s < c->a->n_steps; s++) p->cost_ns += micro_cost(&c->a->steps[s]);
    p->strip = strip;
    p->piece = strip * (1 + 8191 / strip);
}

kt_status fused_prepare(kt_graph *g, const kt_node *n, void **state) {
    compiler c = {.a = n->attrs, .k = kt_kernels_get()};
    fused_prog *p = c.p = kt_arena_alloc(g->arena, sizeof *c.p);
    if (!p) return KT_ENOMEM;
    p->size = c.a->size;
    p->n_in = c.a->n_in;
    p->n_out = c.a->n_out;
    for (int i = 0; i < KT_FUSED_MAX_REGS; i++) c.place[i] = NONE;
    classify_inputs(&c, n);
    count_uses(&c);
    find_muladds(&c);
    mark_arrays(&c);
    place_inputs(&c);
    find_last_reads(&c);
    for (int s = 0; s < c.a->n_steps; s++)
        if (c.a->steps[s].kind != KT_MICRO_CONST && !c.skipped[p->n_in + s]) emit_step(&c, s);
    emit_outputs(&c);
    choose_strip(&c);
    *state = p;
    return KT_OK;
}
