/* Products and convolutions take the bias and the activation that follow them as epilogue:
 * act(a . b + bias) becomes one node, if nobody else wants what is in between. The gradients of
 * relu, tanh and sigmoid need only their result, so the sum before them usually has no other use.
 *
 * Reshapes in between (Dense on sequences) move behind the product. */
#include "base/error.h"
#include "ops/families.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

#include <string.h>

kt_status kt_pass_fuse_epilogue(kt_graph *g);

extern const kt_opdef kt_opdef_conv2d;

typedef struct {
    int *uses; /* by id; what the pass makes inherits from what it replaces */
    int n_uses;
} fuser;

static int uses_of(const fuser *f, const kt_val *v) {
    return v->id < f->n_uses ? f->uses[v->id] : 0;
}

/* The attributes of either op, and the two of them that are ours. */
typedef union {
    matmul_attrs matmul;
    conv_attrs conv;
} product_attrs;

static product_attrs attrs_of(const kt_node *m) {
    product_attrs a;
    memcpy(&a, m->attrs, m->op->attrs_size);
    return a;
}

static bool *bias_of(const kt_node *m, product_attrs *a) {
    return m->op == &kt_opdef_matmul ? &a->matmul.bias : &a->conv.bias;
}

static int *epilogue_of(const kt_node *m, product_attrs *a) {
    return m->op == &kt_opdef_matmul ? &a->matmul.epilogue : &a->conv.epilogue;
}

/* The product behind a value, through reshapes, if that is all it is used for. */
static const kt_node *lone_product(const fuser *f, const kt_val *v) {
    while (kt_is_op(v, &kt_opdef_reshape) && uses_of(f, v) == 1) v = v->def->in[0];
    const bool product = kt_is_op(v, &kt_opdef_matmul) || kt_is_op(v, &kt_opdef_conv2d);
    return product && v->spec.dtype == KT_FLOAT32 && uses_of(f, v) == 1 ? v->def : NULL;
}

/* The product with new attributes, and inputs as they ask for, in place of n's output. */
static kt_val *remake(
    kt_graph *g,
    fuser *f,
    const kt_node *m,
    kt_val *bias,
    const product_attrs *a,
    const kt_val *old) {
    kt_val *in[3] = {m->in[0], m->in[1], bias};
    kt_node *made = kt_graph_add(g, m->op, bias ? 3 : 2, in, a);
    if (!made) return NULL;
    kt_val *v = made->out[0], *shaped = kt_g_reshape(g, v, old->spec.shape);
    if (!shaped || shaped->id >= f->n_uses) return shaped;
    f->uses[shaped->id] = uses_of(f, old);
    if (shaped != v) f->uses[v->id] = 1;
    return shaped;
}

static kt_val *add_bias(kt_graph *g, fuser *f, const kt_node *n) {
    for (int i = 0; i < 2; i++) {
        const kt_node *m = lone_product(f, n->in[i]);
        if (!m) continue;
        product_attrs a = attrs_of(m);
        if (*bias_of(m, &a) || *epilogue_of(m, &a)) continue;
        const kt_shape *s = &m->out[0]->spec.shape;
        kt_val *bias = kt_row_of(n->in[1 - i], n->out[0], s->dim[s->ndim - 1]);
        if (!bias) continue;
        *bias_of(m, &a) = true;
        return remake(g, f, m, bias, &a, n->out[0]);
    }
    return NULL;
}

static kt_val *add_epilogue(kt_graph *g, fuser *f, const kt_node *n, int row) {
    const kt_node *m = lone_product(f, n->in[0]);
    if (!m) return NULL;
    product_attrs a = attrs_of(m);
    if (*epilogue_of(m, &a)) return NULL;
    *epilogue_of(m, &a) = 1 + row;
    return remake(g, f, m, m->n_in > 2 ? m->in[2] : NULL, &a, n->out[0]);
}

static void fuse(kt_graph *g, kt_node *n, kt_val **by, void *arg) {
    if (n->n_in == 0 || n->n_out != 1 || n->out[0]->spec.dtype != KT_FLOAT32) return;
    if (n->op == &kt_opdef_add) {
        by[0] = add_bias(g, arg, n);
        return;
    }
    const int row = kt_family_row(kt_unary_ops, n->op);
    if (row >= 0) by[0] = add_epilogue(g, arg, n, row);
}

kt_status kt_pass_fuse_epilogue(kt_graph *g) {
    const int *uses = kt_graph_count_uses(g);
    fuser f = {NULL, g->n_vals + 2 * g->nodes.n}; /* each node makes two values at most */
    f.uses = kt_arena_alloc(g->arena, sizeof *f.uses * (size_t)(f.n_uses + 1));
    if (!uses || !f.uses) return KT_ENOMEM;
    for (int i = 0; i < g->n_vals; i++) f.uses[i] = uses[i];
    return kt_rewrite(g, fuse, &f, NULL);
}
