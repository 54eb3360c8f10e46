/* Constant folding: what depends on constants alone is computed now, by the reference kernels.
 *
 * Elementwise results of numbers stay numbers whatever their size; other results are kept only if
 * they are small, so that folding never blows a program up. What fails (an index out of range) is
 * left for the run. */
#include "base/error.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

#include <string.h>

#define MAX_BYTES 4096

kt_status kt_pass_fold(kt_graph *g);

static kt_kernel *ref_of(const kt_node *n) {
    const kt_dtype d = n->in[0]->spec.dtype;
    return n->op->ref[d == KT_FLOAT32 ? 0 : d == KT_FLOAT64 ? 1 : 2];
}

/* Memory for a value, filled if it is a constant. */
static void *value_data(kt_graph *g, const kt_val *v) {
    void *p = kt_arena_alloc(g->arena, (size_t)kt_spec_bytes(&v->spec));
    if (!p || !kt_is_const(v)) return p;
    const kt_kargs k = {.node = v->def, .out = &p};
    return v->def->op->ref[0](&k) ? NULL : p;
}

/* Does a double hold what was read into it? */
static bool is_exact(double c, kt_dtype dtype) {
    return dtype != KT_INT64 || (c > -9e15 && c < 9e15);
}

/* A constant node for an array: a number if all elements are the same and a double holds it. */
static kt_val *const_of(kt_graph *g, const void *data, const kt_spec *spec) {
    const size_t size = kt_dtype_size(spec->dtype);
    const int64_t n = kt_shape_size(&spec->shape);
    const double first = n ? kt_elem_get(data, spec->dtype, 0) : 0;
    bool uniform = n > 0 && is_exact(first, spec->dtype);
    for (int64_t i = 1; i < n && uniform; i++)
        uniform = !memcmp(data, (const char *)data + (size_t)i * size, size);
    return uniform ? kt_g_const(g, first, *spec) : kt_g_array(g, data, *spec);
}

/* Runs the reference kernel on constant inputs; results go to out[], which it allocates. */
static bool evaluate(kt_graph *g, const kt_node *n, void **out) {
    void *in[KT_OP_MAX_IN];
    kt_kernel *run = ref_of(n);
    if (!run || n->n_in > KT_OP_MAX_IN) return false;
    for (int i = 0; i < n->n_in; i++)
        if (kt_spec_bytes(&n->in[i]->spec) > MAX_BYTES || !(in[i] = value_data(g, n->in[i])))
            return false;
    for (int i = 0; i < n->n_out; i++)
        if (n->out[i]->spec.dtype == KT_STRING || /* what it points to would not stay */
            kt_spec_bytes(&n->out[i]->spec) > MAX_BYTES || !(out[i] = value_data(g, n->out[i])))
            return false;
    return run(&(kt_kargs){.node = n, .in = in, .out = out}) == KT_OK;
}

static void fold_small(kt_graph *g, const kt_node *n, kt_val **by) {
    void *out[KT_OP_MAX_OUT];
    if (!evaluate(g, n, out)) return;
    for (int i = 0; i < n->n_out; i++) by[i] = const_of(g, out[i], &n->out[i]->spec);
}

/* The same for numbers of any size: computed once, on scalars. */
static void fold_numbers(kt_graph *g, const kt_node *n, kt_val **by) {
    kt_val *in[KT_OP_MAX_IN];
    void *out[KT_OP_MAX_OUT];
    double c;
    for (int i = 0; i < n->n_in; i++) {
        const const_attrs a = {
            .dtype = n->in[i]->spec.dtype, .value = kt_is_num(n->in[i], &c) ? c : 0};
        const kt_node *scalar = kt_graph_make(g, &kt_opdef_const, 0, NULL, &a);
        if (!scalar) return;
        in[i] = scalar->out[0];
    }
    const kt_node *small = kt_graph_make(g, n->op, n->n_in, in, n->attrs);
    if (!small || !evaluate(g, small, out)) return;
    for (int i = 0; i < n->n_out; i++) {
        c = kt_elem_get(out[i], n->out[i]->spec.dtype, 0);
        if (is_exact(c, n->out[i]->spec.dtype)) by[i] = kt_num_like(g, c, n->out[i]);
    }
}

/* Aliases of constant arrays: the same data under another shape. */
static kt_val *fold_alias(kt_graph *g, const kt_node *n) {
    const_attrs a = *(const const_attrs *)n->in[0]->def->attrs;
    if (!a.data) return NULL; /* canonicalisation does numbers */
    a.shape = n->out[0]->spec.shape;
    if (n->op == &kt_opdef_view) {
        const int64_t offset = ((const view_attrs *)n->attrs)->offset;
        a.data = (const char *)a.data + (size_t)offset * kt_dtype_size((kt_dtype)a.dtype);
    }
    kt_node *c = kt_graph_add(g, &kt_opdef_const, 0, NULL, &a);
    return c ? c->out[0] : NULL;
}

static void fold(kt_graph *g, kt_node *n, kt_val **by, void *arg) {
    double c;
    bool numbers = n->n_in <= KT_OP_MAX_IN;
    (void)arg;
    if (n->op->flags & (KT_OP_LEAF | KT_OP_EFFECT | KT_OP_RANDOM)) return;
    for (int i = 0; i < n->n_in; i++) {
        if (!kt_is_const(n->in[i])) return;
        numbers = numbers && kt_is_num(n->in[i], &c);
    }
    if (n->op->flags & KT_OP_ALIAS)
        by[0] = fold_alias(g, n);
    else if (numbers && n->op->flags & KT_OP_ELEMENTWISE)
        fold_numbers(g, n, by);
    else
        fold_small(g, n, by);
}

kt_status kt_pass_fold(kt_graph *g) { return kt_rewrite(g, fold, NULL, NULL); }
