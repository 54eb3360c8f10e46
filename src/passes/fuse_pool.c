/* conv2d, bias, relu and max_pool2d become one conv2d_pool, if nobody else wants what is in
 * between; and the gradients of the three become conv2d_pool_grad_…, which never see the gradient
 * of the convolution's result as an array.
 *
 * Forward that is a chain. Backward it is max_pool2d_grad, relu_grad, and then whatever of these
 * there is: the sum for the bias, conv2d_grad_input, conv2d_grad_kernel. One reader too many, on
 * either side, and everything stays as it was. Reshapes in between (Conv1D) are looked through:
 * they only rename axes. */
#include "base/error.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

kt_status kt_pass_fuse_pool(kt_graph *g);

extern const kt_opdef kt_opdef_conv2d, kt_opdef_conv2d_grad_input, kt_opdef_conv2d_grad_kernel,
    kt_opdef_max_pool2d, kt_opdef_max_pool2d_grad, kt_opdef_reduce, kt_opdef_conv2d_pool,
    kt_opdef_conv2d_pool_grad_input, kt_opdef_conv2d_pool_grad_kernel;

/* One chain: its nodes before, NULL where there is none, and what it becomes. */
typedef struct {
    const kt_node *conv, *add, *relu, *pool;
    const kt_node *pool_grad, *relu_grad, *bias_grad, *input_grad, *kernel_grad;
    conv_pool_attrs attrs;
    const kt_node *fused, *fused_grad;
} chain;

typedef struct {
    kt_node **users; /* of the value `id`, also through reshapes: users[start[id]] … */
    int *start;
    chain *chains;
    int n;
} finder;

/* Who reads what ------------------------------------------------------------------------------- */

static kt_val *root_of(kt_val *v) {
    while (kt_is_op(v, &kt_opdef_reshape)) v = v->def->in[0];
    return v;
}

/* Counts the readers of each value in start[id + 1], or lists them from start[id] on. */
static void each_user(finder *f, const kt_graph *g, int *at) {
    for (int i = 0; i < g->outputs.n; i++) {
        const int id = root_of(g->outputs.v[i])->id;
        if (at)
            f->users[at[id]++] = NULL;
        else
            f->start[id + 1]++;
    }
    for (int i = 0; i < g->nodes.n; i++) {
        kt_node *n = g->nodes.v[i];
        for (int k = 0; k < n->n_in && n->op != &kt_opdef_reshape; k++) {
            const int id = root_of(n->in[k])->id;
            if (at)
                f->users[at[id]++] = n;
            else
                f->start[id + 1]++;
        }
    }
}

static kt_status list_users(finder *f, kt_graph *g) {
    f->start = kt_arena_alloc(g->arena, sizeof *f->start * (size_t)(g->n_vals + 2));
    if (!f->start) return KT_ENOMEM;
    each_user(f, g, NULL);
    for (int i = 0; i < g->n_vals; i++) f->start[i + 1] += f->start[i];
    const size_t n = (size_t)f->start[g->n_vals] + 1;
    int *at = kt_arena_copy(g->arena, f->start, sizeof *at * (size_t)(g->n_vals + 1));
    f->users = kt_arena_alloc(g->arena, sizeof(kt_node *) * n);
    if (!at || !f->users) return KT_ENOMEM;
    each_user(f, g, at);
    return KT_OK;
}

static int n_users(const finder *f, const kt_val *v) {
    return f->start[v->id + 1] - f->start[v->id];
}

/* NULL: an output of the graph */
static const kt_node *user(const finder *f, const kt_val *v, int i) {
    return f->users[f->start[v->id] + i];
}

static bool node_is(const kt_node *n, const kt_opdef *op) { return n && n->op == op; }

/* Chains --------------------------------------------------------------------------------------- */

static bool reads(const kt_node *n, int input, const kt_val *v) {
    return root_of(n->in[input]) == v;
}

static int64_t last_dim(const kt_val *v) {
    const kt_shape *s = &v->spec.shape;
    return s->ndim ? s->dim[s->ndim - 1] : 1;
}

/* Which operand of the sum is the bias? */
static kt_val *bias_of(const kt_node *add, const kt_val *conv) {
    const int i = root_of(add->in[0]) == conv ? 1 : 0;
    return kt_row_of(add->in[i], add->out[0], last_dim(conv));
}

/* From the pool back to the convolution: each value read once, but for the last one. */
static bool find_forward(const finder *f, chain *c) {
    const kt_val *v = root_of(c->pool->in[0]);
    if (kt_is_op(v, &kt_opdef_relu)) {
        c->relu = v->def;
        v = root_of(v->def->in[0]);
        if (n_users(f, v) != 1) return false;
    }
    if (kt_is_op(v, &kt_opdef_add)) {
        c->add = v->def;
        v = root_of(v->def->in[0]);
        if (!kt_is_op(v, &kt_opdef_conv2d)) v = root_of(c->add->in[1]);
        if (!bias_of(c->add, v) || n_users(f, v) != 1) return false;
    }
    if (!kt_is_op(v, &kt_opdef_conv2d)) return false;
    c->conv = v->def;
    c->attrs.conv = *(const conv_attrs *)c->conv->attrs;
    c->attrs.relu = c->relu != NULL;
    const bool plain = c->attrs.conv.groups == 1 && c->attrs.conv.dilation[1] == 1;
    return plain && !c->attrs.conv.bias && !c->attrs.conv.epilogue &&
           kt_shape_equal(&v->spec.shape, &c->pool->in[0]->spec.shape);
}

/* The readers of the pool's input: the pool, and the two that go back through pool and relu. */
static bool find_backward(const finder *f, chain *c) {
    const kt_val *v = root_of(c->pool->in[0]);
    for (int i = 0; i < n_users(f, v); i++) {
        const kt_node *n = user(f, v, i);
        if (n == c->pool) continue;
        if (node_is(n, &kt_opdef_max_pool2d_grad) && reads(n, 0, v) && !reads(n, 1, v) &&
            !c->pool_grad)
            c->pool_grad = n;
        else if (
            node_is(n, &kt_opdef_relu_grad) && reads(n, 1, v) && !reads(n, 0, v) && !c->relu_grad)
            c->relu_grad = n;
        else
            return false;
    }
    if (!c->pool_grad) return !c->relu_grad;
    if (!c->relu_grad) return !c->relu;
    return c->relu && reads(c->relu_grad, 0, c->pool_grad->out[0]) &&
           n_users(f, c->pool_grad->out[0]) == 1;
}

/* Does n add up all places, one sum for each filter? */
static bool sums_places(const kt_node *n, int64_t filters) {
    if (n->op != &kt_opdef_reduce) return false;
    const reduce_attrs *a = n->attrs;
    return a->kind == KT_RED_SUM && last_dim(n->in[0]) == filters &&
           a->axes == (1 << (n->in[0]->spec.shape.ndim - 1)) - 1;
}

/* A gradient for a picture of very few channels costs more by lists than by products. */
#define FEW_CELLS 16

/* The readers of the gradient of the convolution's result. */
static bool find_grads(const finder *f, chain *c) {
    const kt_node *last = c->relu ? c->relu_grad : c->pool_grad;
    const kt_shape *k = &c->conv->in[1]->spec.shape;
    if (!last) return true;
    const kt_val *v = last->out[0];
    for (int i = 0; i < n_users(f, v); i++) {
        const kt_node *n = user(f, v, i);
        if (node_is(n, &kt_opdef_conv2d_grad_input) && n->in[1] == c->conv->in[1] &&
            !c->input_grad && k->dim[1] * k->dim[2] >= FEW_CELLS)
            c->input_grad = n;
        else if (
            node_is(n, &kt_opdef_conv2d_grad_kernel) && n->in[0] == c->conv->in[0] &&
            reads(n, 1, v) && !c->kernel_grad)
            c->kernel_grad = n;
        else if (n && sums_places(n, k->dim[3]) && !c->bias_grad)
            c->bias_grad = n;
        else
            return false;
    }
    return c->kernel_grad || !c->bias_grad;
}

static bool pool_fits(const kt_node *pool, conv_pool_attrs *to) {
    const pool_attrs *a = pool->attrs;
    for (int i = 0; i < 2; i++) {
        if (a->stride[i] != a->window[i] || a->before[i] || a->after[i]) return false;
        to->window[i] = a->window[i];
    }
    return pool->in[0]->spec.dtype == KT_FLOAT32 &&
           (int64_t)a->window[0] * a->window[1] < KT_POOL_DEAD &&
           kt_shape_size(&pool->out[0]->spec.shape) > 0;
}

static kt_status find_chains(finder *f, kt_graph *g) {
    f->chains = kt_arena_alloc(g->arena, sizeof *f->chains * (size_t)(g->nodes.n + 1));
    if (!f->chains) return KT_ENOMEM;
    for (int i = 0; i < g->nodes.n; i++) {
        chain *c = &f->chains[f->n];
        if (g->nodes.v[i]->op != &kt_opdef_max_pool2d) continue;
        *c = (chain){.pool = g->nodes.v[i]};
        if (pool_fits(c->pool, &c->attrs) && find_forward(f, c) && find_backward(f, c) &&
            find_grads(f, c))
            f->n++;
    }
    return KT_OK;
}

/* Rewriting: the walk has brought the inputs of all earlier nodes up to date ------------------- */

static kt_val *make_forward(kt_graph *g, chain *c) {
    kt_val *in[3] = {c->conv->in[0], c->conv->in[1], NULL};
    conv_pool_attrs a = c->attrs;
    a.conv.bias = c->add != NULL;
    if (c->add) in[2] = bias_of(c->add, c->conv->out[0]);
    c->fused = kt_graph_add(g, &kt_opdef_conv2d_pool, c->add ? 3 : 2, in, &a);
    return c->fused ? c->fused->out[0] : NULL;
}

static kt_val *make_input_grad(kt_graph *g, const chain *c) {
    if (!c->fused) return NULL;
    kt_val *in[3] = {c->pool_grad->in[1], c->fused->out[1], c->input_grad->in[1]};
    conv_pool_attrs a = c->attrs;
    a.conv.shape = c->input_grad->out[0]->spec.shape;
    const kt_node *n = kt_graph_add(g, &kt_opdef_conv2d_pool_grad_input, 3, in, &a);
    return n ? n->out[0] : NULL;
}

/* Output 0 is the kernel's gradient, 1 the bias's: whoever comes first makes both. */
static kt_val *make_kernel_grad(kt_graph *g, chain *c, int output) {
    if (!c->fused) return NULL;
    kt_val *in[3] = {c->conv->in[0], c->pool_grad->in[1], c->fused->out[1]};
    conv_pool_attrs a = c->attrs;
    a.conv.shape = c->kernel_grad->out[0]->spec.shape;
    if (!c->fused_grad)
        c->fused_grad = kt_graph_add(g, &kt_opdef_conv2d_pool_grad_kernel, 3, in, &a);
    return c->fused_grad ? c->fused_grad->out[output] : NULL;
}

static void fuse(kt_graph *g, kt_node *n, kt_val **by, void *arg) {
    finder *f = arg;
    for (int i = 0; i < f->n && !by[0]; i++) {
        chain *c = &f->chains[i];
        if (n == c->pool)
            by[0] = make_forward(g, c);
        else if (n == c->input_grad)
            by[0] = make_input_grad(g, c);
        else if (n == c->kernel_grad)
            by[0] = make_kernel_grad(g, c, 0);
        else if (n == c->bias_grad)
            by[0] = kt_g_reshape(g, make_kernel_grad(g, c, 1), n->out[0]->spec.shape);
    }
}

kt_status kt_pass_fuse_pool(kt_graph *g) {
    finder f = {0};
    kt_status st = list_users(&f, g);
    if (st == KT_OK) st = find_chains(&f, g);
    return st || !f.n ? st : kt_rewrite(g, fuse, &f, NULL);
}
