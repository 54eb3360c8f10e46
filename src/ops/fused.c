/* fused: a region of elementwise float32 work as one node, made by the fuse pass.
 *
 * Its attributes are a small program: inputs are read whole, as a number, a row or a column of the
 * region (and converted from integers and bools), steps are rows of the elementwise families,
 * several registers may be outputs. Engines run it strip by strip in cache; the kernel here
 * interprets it element by element. */
#include "base/error.h"
#include "base/str.h"
#include "ir/scan.h"
#include "ops/build.h"
#include "ops/families.h"
#include "tensor/half.h"

#include <math.h>
#include <string.h>

static bool fused_dtype_ok(kt_dtype d) {
    return d == KT_FLOAT32 || d == KT_INT32 || d == KT_INT64 || d == KT_UINT8 || d == KT_BOOL;
}

/* Number of operands, and whether fn is a row of the family. */
static int micro_operands(const kt_micro *m) {
    static const int operands[] = {1, 2, 2, 3, 0};
    return m->kind < KT_MICRO_UNARY || m->kind > KT_MICRO_CONST ? -1 : operands[m->kind];
}

static int family_size(const kt_opdef *const *family) {
    int n = 0;
    while (family[n]) n++;
    return n;
}

static bool micro_ok(const kt_micro *m, int n_defined) {
    const int n = micro_operands(m);
    const short operand[] = {m->a, m->b, m->c};
    int rows = 1;
    if (m->kind == KT_MICRO_UNARY) rows = family_size(kt_unary_ops);
    if (m->kind == KT_MICRO_BINARY) rows = family_size(kt_binary_ops);
    if (m->kind == KT_MICRO_COMPARE) rows = family_size(kt_compare_ops);
    for (int i = 0; i < n; i++)
        if (operand[i] < 0 || operand[i] >= n_defined) return false;
    return n >= 0 && m->fn >= 0 && m->fn < rows;
}

/* Is every element that is read there? Blocks hold whole rounds, which engines count on. */
static bool read_ok(const kt_micro_input *r, int64_t size, int64_t have) {
    if (r->div < 1 || r->mod < 0 || r->block < 0) return false;
    if (!size) return true;
    if (r->mod < 1 || r->mod > have) return false;
    if (!r->block) return true;
    return r->block % r->div == 0 && r->block / r->div % r->mod == 0 &&
           (size - 1) / r->block < have / r->mod;
}

static kt_status fused_check_inputs(const kt_node *n) {
    const fused_attrs *a = n->attrs;
    for (int i = 0; i < n->n_in; i++) {
        const kt_micro_input *r = &a->inputs[i];
        if (!fused_dtype_ok(n->in[i]->spec.dtype))
            return KT_FAIL(
                KT_EDTYPE, "fused: input %d has dtype %s", i, kt_dtype_name(n->in[i]->spec.dtype));
        const int64_t have = kt_shape_size(&n->in[i]->spec.shape);
        if (!read_ok(r, a->size, have))
            return KT_FAIL(KT_ESHAPE, "fused: input %d is read past its end", i);
    }
    return KT_OK;
}

static kt_status fused_infer(const kt_node *n, kt_spec *out) {
    const fused_attrs *a = n->attrs;
    if (a->n_in != n->n_in || a->n_in > KT_FUSED_MAX_IN || a->n_steps < 0 || a->n_out < 1 ||
        a->n_out > KT_OP_MAX_OUT || a->n_in + a->n_steps > KT_FUSED_MAX_REGS || a->size < 0)
        return KT_FAIL(KT_EINTERNAL, "fused: sizes of the program are wrong");
    for (int i = 0; i < a->n_steps; i++)
        if (!micro_ok(&a->steps[i], a->n_in + i))
            return KT_FAIL(KT_EINTERNAL, "fused: step %d is wrong", i);
    for (int i = 0; i < a->n_out; i++) {
        const kt_spec *s = &a->specs[i];
        if (a->outs[i] < 0 || a->outs[i] >= a->n_in + a->n_steps ||
            kt_shape_size(&s->shape) != a->size || (s->dtype != KT_FLOAT32 && s->dtype != KT_BOOL))
            return KT_FAIL(KT_EINTERNAL, "fused: output %d is wrong", i);
        out[i] = *s;
    }
    return fused_check_inputs(n);
}

/* An input that is read whole may be overwritten: each strip is read before it is written. Not if
 * an input goes straight to an output: then it would be read after others were written. */
static bool fused_overwrites(const kt_node *n, int out, int in) {
    const fused_attrs *a = n->attrs;
    (void)out;
    for (int i = 0; i < a->n_out; i++)
        if (a->outs[i] < a->n_in) return false;
    return a->inputs[in].div == 1 && a->inputs[in].mod == a->size;
}

/* The interpreter ------------------------------------------------------------------------------ */

#define T float
#define M(fn) fn##f
enum {
#define KT_UNARY(name, value, grad) MICRO_##name,
#include "ir/unary.def"
#undef KT_UNARY
    MICRO_UNARY_COUNT
};
enum {
#define KT_BINARY(name, value, da, db) MICRO_##name,
#include "ir/binary.def"
#undef KT_BINARY
    MICRO_BINARY_COUNT
};
enum {
#define KT_COMPARE(name, value) MICRO_##name,
#include "ir/compare.def"
#undef KT_COMPARE
    MICRO_COMPARE_COUNT
};

static float micro_unary(int fn, float x) {
    switch (fn) {
#define KT_UNARY(name, value, grad)                                                                \
    case MICRO_##name:                                                                             \
        return (float)(value);
#include "ir/unary.def"
#undef KT_UNARY
    default:
        return x;
    }
}

static float micro_binary(int fn, float a, float b) {
    switch (fn) {
#define KT_BINARY(name, value, da, db)                                                             \
    case MICRO_##name:                                                                             \
        return (float)(value);
#include "ir/binary.def"
#undef KT_BINARY
    default:
        return a;
    }
}

static float micro_compare(int fn, float a, float b) {
    switch (fn) {
#define KT_COMPARE(name, value)                                                                    \
    case MICRO_##name:                                                                             \
        return (float)(value);
#include "ir/compare.def"
#undef KT_COMPARE
    default:
        return 0;
    }
}
#undef T
#undef M

static float micro_step(const kt_micro *m, const float *reg) {
    switch ((kt_micro_kind)m->kind) {
    case KT_MICRO_UNARY:
        return micro_unary(m->fn, reg[m->a]);
    case KT_MICRO_BINARY:
        return micro_binary(m->fn, reg[m->a], reg[m->b]);
    case KT_MICRO_COMPARE:
        return micro_compare(m->fn, reg[m->a], reg[m->b]);
    case KT_MICRO_SELECT:
        return reg[m->a] != 0 ? reg[m->b] : reg[m->c];
    case KT_MICRO_CONST:
        return m->value;
    }
    return 0;
}

static kt_status fused_ref(const kt_kargs *k) {
    const fused_attrs *a = k->node->attrs;
    float reg[KT_FUSED_MAX_REGS];
    for (int64_t i = 0; i < a->size; i++) {
        for (int r = 0; r < a->n_in; r++) {
            const kt_micro_input *in = &a->inputs[r];
            const int64_t part = in->block ? i / in->block * in->mod : 0;
            const int64_t at = part + i / in->div % in->mod;
            reg[r] = (float)kt_elem_get(k->in[r], k->node->in[r]->spec.dtype, at);
        }
        for (int s = 0; s < a->n_steps; s++) reg[a->n_in + s] = micro_step(&a->steps[s], reg);
        for (int o = 0; o < a->n_out; o++)
            kt_elem_set(k->out[o], a->specs[o].dtype, i, (double)reg[a->outs[o]]);
    }
    return KT_OK;
}

/* Text: `, read=[1 6, 1 3], code=[add 0 1, relu 2], out=[3 float32 (2, 3)]` -------------------- */
/* A read is div, mod and, where there is one, the block. */

static const char *micro_name(const kt_micro *m) {
    switch ((kt_micro_kind)m->kind) {
    case KT_MICRO_UNARY:
        return kt_unary_ops[m->fn]->name;
    case KT_MICRO_BINARY:
        return kt_binary_ops[m->fn]->name;
    case KT_MICRO_COMPARE:
        return kt_compare_ops[m->fn]->name;
    case KT_MICRO_SELECT:
        return "select";
    case KT_MICRO_CONST:
        break;
    }
    return "const";
}

static void micro_print(const kt_micro *m, kt_str *out) {
    const short operand[] = {m->a, m->b, m->c};
    kt_str_add(out, micro_name(m));
    for (int i = 0; i < micro_operands(m); i++) kt_str_addf(out, " %d", operand[i]);
    if (m->kind != KT_MICRO_CONST) return;
    kt_str_add(out, " ");
    kt_str_double(out, (double)m->value);
}

static void fused_print(const kt_node *n, kt_str *out) {
    const fused_attrs *a = n->attrs;
    char spec[KT_SHAPE_STR];
    for (int i = 0; i < a->n_in; i++) {
        const kt_micro_input *r = &a->inputs[i];
        const char *before = i ? ", " : ", read=[";
        kt_str_addf(out, "%s%lld %lld", before, (long long)r->div, (long long)r->mod);
        if (r->block) kt_str_addf(out, " %lld", (long long)r->block);
    }
    kt_str_add(out, "], code=[");
    for (int i = 0; i < a->n_steps; i++) {
        if (i) kt_str_add(out, ", ");
        micro_print(&a->steps[i], out);
    }
    for (int i = 0; i < a->n_out; i++)
        kt_str_addf(
            out,
            "%s%d %s",
            i ? ", " : "], out=[",
            a->outs[i],
            kt_spec_str(&a->specs[i], spec, sizeof spec));
    kt_str_add(out, "]");
}

static bool micro_parse(kt_scan *text, kt_micro *m) {
    char word[KT_SCAN_WORD];
    double value;
    int64_t operand[3] = {0};
    if (!kt_scan_word(text, word)) return false;
    const kt_opdef *op = kt_op_find(word);
    const int un = kt_family_row(kt_unary_ops, op), bin = kt_family_row(kt_binary_ops, op),
              cmp = kt_family_row(kt_compare_ops, op);
    *m = (kt_micro){.kind = -1, .fn = (short)(un >= 0 ? un : bin >= 0 ? bin : cmp >= 0 ? cmp : 0)};
    if (un >= 0) m->kind = KT_MICRO_UNARY;
    if (bin >= 0) m->kind = KT_MICRO_BINARY;
    if (cmp >= 0) m->kind = KT_MICRO_COMPARE;
    if (!strcmp(word, "select")) m->kind = KT_MICRO_SELECT;
    if (!strcmp(word, "const")) m->kind = KT_MICRO_CONST;
    for (int i = 0; i < micro_operands(m); i++)
        if (!kt_scan_int(text, &operand[i]) || operand[i] < 0 || operand[i] >= KT_FUSED_MAX_REGS)
            return false;
    m->a = (short)operand[0];
    m->b = (short)operand[1];
    m->c = (short)operand[2];
    if (m->kind != KT_MICRO_CONST) return m->kind >= 0;
    if (!kt_scan_double(text, &value)) return false;
    m->value = (float)value;
    return true;
}

static bool read_parse(kt_scan *text, kt_micro_input *r) {
    if (!kt_scan_int(text, &r->div) || !kt_scan_int(text, &r->mod)) return false;
    if (!kt_scan_int(text, &r->block)) r->block = 0;
    return true;
}

static bool out_parse(kt_scan *text, short *reg, kt_spec *spec) {
    int64_t r;
    if (!kt_scan_int(text, &r) || r < 0 || r >= KT_FUSED_MAX_REGS) return false;
    *reg = (short)r;
    return kt_scan_spec(text, spec);
}

typedef struct {
    kt_micro_input inputs[KT_FUSED_MAX_IN];
    kt_micro steps[KT_FUSED_MAX_REGS];
    short outs[KT_OP_MAX_OUT];
    kt_spec specs[KT_OP_MAX_OUT];
} fused_arrays;

/* A bracketed list of at most `most` items of one of the three kinds. */
static kt_status list_parse(kt_scan *text, const char *key, fused_arrays *to, int most, int *n) {
    if (!kt_scan_char(text, '[')) return kt_scan_fail(text, "'['");
    for (*n = 0; !kt_scan_char(text, ']'); (*n)++) {
        if (*n && !kt_scan_char(text, ',')) return kt_scan_fail(text, "',' or ']'");
        if (*n == most) return kt_scan_fail(text, "fewer items");
        const bool ok = *key == 'r'   ? read_parse(text, &to->inputs[*n])
                        : *key == 'c' ? micro_parse(text, &to->steps[*n])
                                      : out_parse(text, &to->outs[*n], &to->specs[*n]);
        if (!ok) return kt_scan_fail(text, "an input, step or output of a fused region");
    }
    return KT_OK;
}

static kt_status fused_parse(kt_graph *g, const char *key, kt_scan *text, int n_in, void *attrs) {
    fused_attrs *a = attrs;
    if (!a->inputs) { /* the arrays of all keys at once; only the lengths say how much is there */
        fused_arrays *to = kt_arena_alloc(g->arena, sizeof *to);
        if (!to) return KT_ENOMEM;
        a->inputs = to->inputs;
        a->steps = to->steps;
        a->outs = to->outs;
        a->specs = to->specs;
    }
    fused_arrays *to = (fused_arrays *)(uintptr_t)a->inputs;
    (void)n_in;
    if (!strcmp(key, "read")) return list_parse(text, key, to, KT_FUSED_MAX_IN, &a->n_in);
    if (!strcmp(key, "code")) return list_parse(text, key, to, KT_FUSED_MAX_REGS, &a->n_steps);
    if (!strcmp(key, "out")) return list_parse(text, key, to, KT_OP_MAX_OUT, &a->n_out);
    return kt_scan_fail(text, "read, code or out");
}

static const kt_field fused_fields[] = {KT_F(fused_attrs, size), KT_F_END};

/* relu(x * 0.5 + row) and whether it is above a column: every way of reading, two outputs. */
static const fused_attrs sample_region = {
    .size = 12,
    .n_in = 3,
    .n_steps = 5,
    .n_out = 2,
    .inputs = (const kt_micro_input[]){{1, 12, 0}, {1, 4, 0}, {4, 3, 0}},
    .steps =
        (const kt_micro[]){
            {.kind = KT_MICRO_CONST, .value = 0.5f},
            {.kind = KT_MICRO_BINARY, .fn = MICRO_mul, .a = 0, .b = 3},
            {.kind = KT_MICRO_BINARY, .fn = MICRO_add, .a = 4, .b = 1},
            {.kind = KT_MICRO_UNARY, .fn = MICRO_relu, .a = 5},
            {.kind = KT_MICRO_COMPARE, .fn = MICRO_gt, .a = 6, .b = 2}},
    .outs = (const short[]){6, 7},
    .specs = (const kt_spec[]){{KT_FLOAT32, {2, {3, 4}}}, {KT_BOOL, {2, {3, 4}}}},
};
/* A row for each of two blocks. */
static const fused_attrs sample_blocks = {
    .size = 12,
    .n_in = 2,
    .n_steps = 1,
    .n_out = 1,
    .inputs = (const kt_micro_input[]){{1, 12, 0}, {1, 2, 6}},
    .steps = (const kt_micro[]){{.kind = KT_MICRO_BINARY, .fn = MICRO_mul, .a = 0, .b = 1}},
    .outs = (const short[]){2},
    .specs = (const kt_spec[]){{KT_FLOAT32, {3, {2, 3, 2}}}},
};
static const kt_sample fused_samples[] = {
    {.in = {{.dim = {2, 3, 2}}, {.dim = {2, 1, 2}}}, .attrs = &sample_blocks, .no_grad = true},
    {.in = {{.dim = {2, 3, 2}}, {.dim = {3}}}, .attrs = &sample_blocks, .want = KT_ESHAPE},
    {.in = {{.dim = {3, 4}}, {.dim = {4}}, {.dim = {3, 1}}},
     .attrs = &sample_region,
     .no_grad = true},
    {.in =
         {{.dim = {3, 4}, .dtype = KT_UINT8},
          {.dim = {4}, .dtype = KT_INT32},
          {.dim = {3}, .dtype = KT_INT64}},
     .attrs = &sample_region,
     .no_grad = true},
    {.in = {{.dim = {3, 4}}, {.dim = {2}}, {.dim = {3, 1}}},
     .attrs = &sample_region,
     .want = KT_ESHAPE},
    {.in = {{.dim = {3, 4}}}, .attrs = &sample_region, .want = KT_EINTERNAL},
    KT_SAMPLES_END};

const kt_opdef kt_opdef_fused = {
    .name = "fused",
    .n_in = -1,
    .n_out = -1,
    .attrs_size = sizeof(fused_attrs),
    .attrs = fused_fields,
    .infer = fused_infer,
    .overwrites = fused_overwrites,
    .attrs_print = fused_print,
    .attrs_parse = fused_parse,
    .ref = {fused_ref, fused_ref, fused_ref},
    .samples = fused_samples,
};
