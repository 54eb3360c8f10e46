/* float16 and bfloat16: values of these types become float32 values that are rounded after each
 * operation, so that no op needs a kernel of its own for them.
 *
 * An op reads float32, adds up in float32, and a round_float16 or round_bfloat16 node behind it
 * makes of the result what the type can hold; these fuse with the elementwise work around them.
 * Ops that only move or choose numbers need none. Real 16-bit arrays are found at the borders of
 * the program alone: inputs, outputs and variables. The pass comes first, when gradients and update
 * are there already; a graph without such values stays as it is. */
#include "tensor/half.h"
#include "base/error.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

#include <string.h>

kt_status kt_pass_half(kt_graph *g);

#define KT_OP(name) extern const kt_opdef kt_opdef_##name;
#include "ops/ops.def"
#undef KT_OP

typedef struct {
    int n_old;
    kt_val **wide; /* id of a 16-bit value -> the same as float32, once somebody asked */
} half_pass;

static bool is_half(kt_dtype d) { return d == KT_FLOAT16 || d == KT_BFLOAT16; }

/* Results are among the operands, or simpler numbers than these. */
static bool keeps_numbers(const kt_node *n) {
    static const kt_opdef *const ops[] = {
        &kt_opdef_view,         &kt_opdef_pack,      &kt_opdef_select,    &kt_opdef_broadcast,
        &kt_opdef_reshape,      &kt_opdef_transpose, &kt_opdef_slice,     &kt_opdef_concat,
        &kt_opdef_reverse,      &kt_opdef_argsort,   &kt_opdef_gather,    &kt_opdef_one_hot,
        &kt_opdef_neg,          &kt_opdef_abs,       &kt_opdef_sign,      &kt_opdef_relu,
        &kt_opdef_maximum,      &kt_opdef_minimum,   &kt_opdef_floor,     &kt_opdef_ceil,
        &kt_opdef_round,        &kt_opdef_trunc,     &kt_opdef_relu_grad, &kt_opdef_max_pool2d,
        &kt_opdef_stop_gradient};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (n->op == ops[i]) return true;
    if (n->op == &kt_opdef_pad) return ((const pad_attrs *)n->attrs)->value == 0;
    const reduce_attrs *r = n->op == &kt_opdef_reduce ? n->attrs : NULL;
    return r && (r->kind == KT_RED_MAX || r->kind == KT_RED_MIN);
}

static kt_val *rounded(kt_graph *g, kt_val *x, kt_dtype to) {
    return to == KT_FLOAT16 ? kt_g_round_float16(g, x) : kt_g_round_bfloat16(g, x);
}

/* What an operand is as float32. Only inputs and variables are still 16-bit arrays here. */
static kt_val *widened(kt_graph *g, half_pass *p, kt_val *v) {
    if (!is_half(v->spec.dtype)) return v;
    kt_val *made = v->id < p->n_old ? p->wide[v->id] : NULL;
    if (!made) made = kt_g_cast(g, v, KT_FLOAT32);
    if (v->id < p->n_old) p->wide[v->id] = made;
    return made;
}

static kt_val *rounded_const(kt_graph *g, const kt_node *n) {
    const const_attrs *a = n->attrs;
    const kt_dtype from = (kt_dtype)a->dtype;
    kt_spec spec = {KT_FLOAT32, a->shape};
    if (!a->data)
        return kt_g_const(g, from == KT_FLOAT16 ? kt_f16(a->value) : kt_bf16(a->value), spec);
    const int64_t bytes = kt_spec_bytes(&spec);
    void *data = bytes < 0 ? NULL : kt_arena_alloc(g->arena, (size_t)bytes + 1);
    if (!data) return kt_graph_fail(g, KT_ENOMEM);
    kt_elem_convert(data, KT_FLOAT32, a->data, from, kt_shape_size(&a->shape));
    return kt_g_array(g, data, spec);
}

/* To a 16-bit type. What float32 does not hold goes there directly: rounding twice is not the
 * same. */
static kt_val *narrowed(kt_graph *g, kt_val *x, kt_dtype from, kt_dtype to) {
    if (from == KT_BOOL) return kt_g_cast(g, x, KT_FLOAT32);
    if (from == KT_FLOAT64 || from == KT_INT32 || from == KT_INT64)
        return kt_g_cast(g, kt_g_cast(g, x, to), KT_FLOAT32);
    return rounded(g, kt_g_cast(g, x, KT_FLOAT32), to);
}

/* The same op on float32, its attributes too. */
static kt_node *in_float(kt_graph *g, const kt_node *n) {
    kt_node *wide;
    char *attrs = n->op->attrs_size ? kt_arena_copy(g->arena, n->attrs, n->op->attrs_size) : NULL;
    if (n->op->attrs_size && !attrs) return kt_graph_fail(g, KT_ENOMEM);
    for (const kt_field *f = n->op->attrs; f && f->type; f++) {
        int *dtype = (int *)(void *)(attrs + f->offset);
        if (f->type == KT_FIELD_DTYPE && is_half((kt_dtype)*dtype)) *dtype = KT_FLOAT32;
    }
    wide = kt_graph_add(g, n->op, n->n_in, n->in, attrs);
    for (int i = 0; wide && i < n->n_out; i++)
        if (is_half(wide->out[i]->spec.dtype))
            return kt_graph_fail(
                g,
                KT_FAIL(
                    KT_EINTERNAL,
                    "half: %s gives %s whatever it reads",
                    n->op->name,
                    kt_dtype_name(n->out[i]->spec.dtype)));
    return wide;
}

static void replace(kt_graph *g, half_pass *p, kt_node *n, kt_val **by) {
    bool any = false;
    for (int i = 0; i < n->n_in; i++) n->in[i] = widened(g, p, n->in[i]);
    for (int i = 0; i < n->n_out; i++) any = any || is_half(n->out[i]->spec.dtype);
    const kt_node *wide = any && g->status == KT_OK ? in_float(g, n) : NULL;
    if (!wide) return;
    const bool exact = keeps_numbers(n);
    for (int i = 0; i < n->n_out; i++) {
        const kt_dtype d = n->out[i]->spec.dtype;
        const bool inner = n->op->n_main && i >= n->op->n_main; /* for the gradient rule alone */
        by[i] = is_half(d) && !exact && !inner ? rounded(g, wide->out[i], d) : wide->out[i];
    }
}

static void replace_cast(kt_graph *g, half_pass *p, kt_node *n, kt_val **by) {
    const kt_dtype to = n->out[0]->spec.dtype;
    kt_val *x = widened(g, p, n->in[0]);
    if (!x) return;
    n->in[0] = x;
    if (is_half(to))
        by[0] = narrowed(g, x, x->spec.dtype, to);
    else if (x->spec.dtype == to)
        by[0] = x;
}

static void legalize(kt_graph *g, kt_node *n, kt_val **by, void *arg) {
    half_pass *p = arg;
    if (n->op == &kt_opdef_input || n->op == &kt_opdef_var) return;
    if (n->op == &kt_opdef_view && is_half(n->in[0]->spec.dtype)) return; /* of a variable */
    if (n->op == &kt_opdef_const) {
        if (is_half(n->out[0]->spec.dtype)) by[0] = rounded_const(g, n);
    } else if (n->op == &kt_opdef_assign) {
        n->in[0] = kt_g_cast(g, n->in[0], n->out[0]->spec.dtype);
    } else if (n->op == &kt_opdef_cast) {
        replace_cast(g, p, n, by);
    } else {
        replace(g, p, n, by);
    }
}

static bool has_half(const kt_graph *g) {
    for (int i = 0; i < g->nodes.n; i++)
        for (int k = 0; k < g->nodes.v[i]->n_out; k++)
            if (is_half(g->nodes.v[i]->out[k]->spec.dtype)) return true;
    return false;
}

kt_status kt_pass_half(kt_graph *g) {
    if (!has_half(g)) return KT_OK;
    half_pass p = {.n_old = g->n_vals};
    const int n = g->outputs.n;
    p.wide = kt_arena_alloc(g->arena, sizeof(kt_val *) * (size_t)(g->n_vals + 1));
    kt_dtype *want = kt_arena_alloc(g->arena, sizeof *want * (size_t)(n + 1));
    if (!p.wide || !want) return KT_ENOMEM;
    for (int i = 0; i < n; i++) want[i] = g->outputs.v[i]->spec.dtype;
    const kt_status st = kt_rewrite(g, legalize, &p, NULL);
    for (int i = 0; st == KT_OK && i < n; i++)
        g->outputs.v[i] = kt_g_cast(g, g->outputs.v[i], want[i]);
    return st ? st : g->status;
}
