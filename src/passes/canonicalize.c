/* Canonical form: what layers and gradient rules leave behind because they are written without
 * looking around. x * 1, x + 0, a reshape of a reshape, a transpose in front of a product, a
 * broadcast of a number.
 *
 * Results stay the same up to the sign of zero and one rounding; nothing here assumes that there is
 * no NaN or infinity. Each rule looks at one op and gives the value that takes its place, or
 * NULL. */
#include "passes/passes.h"
#include "passes/rewrite.h"

#include <math.h>
#include <string.h>

#define MAX_ROUNDS 4 /* a rule may make room for another one */

kt_status kt_pass_canonicalize(kt_graph *g);

extern const kt_opdef kt_opdef_reduce, kt_opdef_concat, kt_opdef_slice, kt_opdef_pad,
    kt_opdef_dropout, kt_opdef_pack, kt_opdef_argmax, kt_opdef_softmax, kt_opdef_log_softmax;

static bool is_num(const kt_val *v, double want) {
    double c;
    return kt_is_num(v, &c) && c == want;
}

static bool is_real(const kt_val *v) { return kt_dtype_is_float(v->spec.dtype); }

/* The other operand of a commutative op if one is this number. */
static kt_val *beside(const kt_node *n, double want) {
    if (is_num(n->in[1], want)) return n->in[0];
    return is_num(n->in[0], want) ? n->in[1] : NULL;
}

/* Arithmetic ----------------------------------------------------------------------------------- */

static kt_val *rule_add(kt_graph *g, const kt_node *n) {
    kt_val *a = n->in[0], *b = n->in[1], *x = beside(n, 0);
    if (x) return x;
    if (kt_is_op(b, &kt_opdef_neg)) return kt_g_sub(g, a, b->def->in[0]);
    return kt_is_op(a, &kt_opdef_neg) ? kt_g_sub(g, b, a->def->in[0]) : NULL;
}

static kt_val *rule_sub(kt_graph *g, const kt_node *n) {
    if (is_num(n->in[1], 0)) return n->in[0];
    if (is_num(n->in[0], 0) && n->out[0]->spec.dtype != KT_BOOL) return kt_g_neg(g, n->in[1]);
    return kt_is_op(n->in[1], &kt_opdef_neg) ? kt_g_add(g, n->in[0], n->in[1]->def->in[0]) : NULL;
}

/* x * c, and the number; x may be either operand. */
static kt_val *scaled(const kt_val *v, double *c) {
    if (!kt_is_op(v, &kt_opdef_mul)) return NULL;
    if (kt_is_num(v->def->in[1], c)) return v->def->in[0];
    return kt_is_num(v->def->in[0], c) ? v->def->in[1] : NULL;
}

/* (x * c) * d = x * (c d), unless the product of the numbers leaves the range that float32 has. */
static kt_val *rule_mul_mul(kt_graph *g, const kt_node *n) {
    double c, d;
    kt_val *inner = scaled(n->out[0], &c), *x = inner ? scaled(inner, &d) : NULL;
    const double both = x ? c * d : 0;
    if (!x || !is_real(x) || fabs(both) < 1e-30 || !(fabs(both) < 1e30)) return NULL;
    return kt_g_mul(g, x, kt_num_like(g, both, x));
}

static kt_val *rule_mul(kt_graph *g, const kt_node *n) {
    kt_val *x = beside(n, 1);
    if (x) return x;
    x = beside(n, -1);
    return x && x->spec.dtype != KT_BOOL ? kt_g_neg(g, x) : rule_mul_mul(g, n);
}

/* A division by a power of two is a product, exactly. */
static kt_val *rule_div(kt_graph *g, const kt_node *n) {
    double c;
    int exponent;
    if (!kt_is_num(n->in[1], &c)) return NULL;
    if (c == 1) return n->in[0];
    if (!is_real(n->in[0]) || !isfinite(c) || fabs(frexp(c, &exponent)) != 0.5) return NULL;
    if (exponent < -100 || exponent > 100) return NULL;
    return kt_g_mul(g, n->in[0], kt_num_like(g, 1 / c, n->in[0]));
}

static kt_val *rule_neg(kt_graph *g, const kt_node *n) {
    const kt_node *d = n->in[0]->def;
    double c;
    if (d->op == &kt_opdef_neg) return d->in[0];
    if (d->op == &kt_opdef_sub) return kt_g_sub(g, d->in[1], d->in[0]);
    kt_val *x = scaled(n->in[0], &c);
    return x && is_real(x) ? kt_g_mul(g, x, kt_num_like(g, -c, x)) : NULL;
}

static kt_val *rule_pow(kt_graph *g, const kt_node *n) {
    kt_val *x = n->in[0];
    if (is_num(n->in[1], 1)) return x;
    if (is_num(n->in[1], 2) && x->spec.dtype != KT_BOOL) return kt_g_square(g, x);
    if (is_num(n->in[1], 0)) return kt_num_like(g, 1, x);
    return is_num(n->in[1], -1) && is_real(x) ? kt_g_reciprocal(g, x) : NULL;
}

static kt_val *rule_maximum(kt_graph *g, const kt_node *n) {
    kt_val *x = beside(n, 0);
    return x && is_real(x) ? kt_g_relu(g, x) : NULL;
}

static kt_val *rule_select(kt_graph *g, const kt_node *n) {
    double c;
    (void)g;
    if (n->in[1] == n->in[2]) return n->in[1];
    return kt_is_num(n->in[0], &c) ? n->in[c != 0 ? 1 : 2] : NULL;
}

static kt_val *rule_cast(kt_graph *g, const kt_node *n) {
    (void)g;
    return n->in[0]->spec.dtype == n->out[0]->spec.dtype ? n->in[0] : NULL;
}

static kt_val *rule_dropout(kt_graph *g, const kt_node *n) {
    (void)g;
    return ((const random_attrs *)n->attrs)->rate == 0 ? n->in[0] : NULL;
}

static kt_val *rule_first(kt_graph *g, const kt_node *n) {
    (void)g;
    return n->in[0];
}

/* Shapes --------------------------------------------------------------------------------------- */

static bool same_shape(const kt_val *a, const kt_val *b) {
    return kt_shape_equal(&a->spec.shape, &b->spec.shape);
}

/* What only moves elements leaves a number what it is. */
static kt_val *still_num(kt_graph *g, const kt_node *n) {
    double c;
    return kt_is_num(n->in[0], &c) ? kt_num_like(g, c, n->out[0]) : NULL;
}

static kt_val *rule_reshape(kt_graph *g, const kt_node *n) {
    kt_val *x = n->in[0];
    if (same_shape(x, n->out[0])) return x;
    if (kt_is_op(x, &kt_opdef_reshape))
        return kt_g_reshape(g, x->def->in[0], n->out[0]->spec.shape);
    return still_num(g, n);
}

static kt_val *rule_broadcast(kt_graph *g, const kt_node *n) {
    kt_val *x = n->in[0];
    const kt_shape *to = &n->out[0]->spec.shape;
    if (same_shape(x, n->out[0])) return x;
    if (kt_shape_size(&x->spec.shape) == kt_shape_size(to)) return kt_g_reshape(g, x, *to);
    if (kt_is_op(x, &kt_opdef_broadcast)) return kt_g_broadcast(g, x->def->in[0], *to);
    return still_num(g, n);
}

static kt_val *rule_view(kt_graph *g, const kt_node *n) {
    kt_val *x = n->in[0];
    const view_attrs *a = n->attrs;
    if (kt_shape_size(&a->shape) == kt_shape_size(&x->spec.shape))
        return kt_g_reshape(g, x, a->shape);
    if (kt_is_op(x, &kt_opdef_reshape)) return kt_g_view(g, x->def->in[0], a->offset, a->shape);
    if (!kt_is_op(x, &kt_opdef_view)) return still_num(g, n);
    return kt_g_view(
        g, x->def->in[0], a->offset + ((const view_attrs *)x->def->attrs)->offset, a->shape);
}

/* Do the axes longer than 1 keep their order? Then a transpose only renames. */
static bool keeps_order(const kt_node *n) {
    const int *perm = ((const transpose_attrs *)n->attrs)->perm;
    int last = -1;
    for (int i = 0; i < n->out[0]->spec.shape.ndim; i++) {
        if (n->out[0]->spec.shape.dim[i] == 1) continue;
        if (perm[i] < last) return false;
        last = perm[i];
    }
    return true;
}

static kt_val *rule_transpose(kt_graph *g, const kt_node *n) {
    kt_val *x = n->in[0];
    const int *perm = ((const transpose_attrs *)n->attrs)->perm;
    if (keeps_order(n)) return kt_g_reshape(g, x, n->out[0]->spec.shape);
    if (!kt_is_op(x, &kt_opdef_transpose)) return still_num(g, n);
    const int *first = ((const transpose_attrs *)x->def->attrs)->perm;
    int both[KT_MAX_RANK] = {0};
    for (int i = 0; i < x->spec.shape.ndim; i++) both[i] = first[perm[i]];
    return kt_g_transpose(g, x->def->in[0], both);
}

/* Does a transpose swap the last two axes and nothing else? */
static bool swaps_last(const kt_val *v) {
    if (!kt_is_op(v, &kt_opdef_transpose)) return false;
    const int *perm = ((const transpose_attrs *)v->def->attrs)->perm, r = v->spec.shape.ndim;
    for (int i = 0; i < r - 2; i++)
        if (perm[i] != i) return false;
    return r >= 2 && perm[r - 2] == r - 1;
}

static kt_val *rule_matmul(kt_graph *g, const kt_node *n) {
    matmul_attrs a = *(const matmul_attrs *)n->attrs;
    kt_val *in[3] = {n->in[0], n->in[1], n->n_in > 2 ? n->in[2] : NULL};
    const bool swap_a = swaps_last(in[0]), swap_b = swaps_last(in[1]);
    if (!swap_a && !swap_b) return NULL;
    if (swap_a) in[0] = in[0]->def->in[0];
    if (swap_b) in[1] = in[1]->def->in[0];
    a.ta = a.ta != swap_a;
    a.tb = a.tb != swap_b;
    kt_node *m = kt_graph_add(g, n->op, n->n_in, in, &a);
    return m ? m->out[0] : NULL;
}

/* Axes that lie apart: over the first ones, whose elements are the longest pieces of memory, then
 * over the others. The kernels take neighbouring axes only. */
static kt_val *reduce_in_turn(kt_graph *g, const kt_node *n) {
    const reduce_attrs *a = n->attrs;
    const kt_shape *s = &n->in[0]->spec.shape;
    int first = 0, from = 0, to;
    while (from < s->ndim && (s->dim[from] == 1 || !(a->axes >> from & 1))) from++;
    for (to = from; to < s->ndim && (s->dim[to] == 1 || a->axes >> to & 1); to++)
        first |= a->axes & 1 << to;
    for (from = to; from < s->ndim && (s->dim[from] == 1 || !(a->axes >> from & 1));) from++;
    if (from == s->ndim || kt_shape_size(s) == 0) return NULL;
    kt_val *part = kt_g_reduce(g, a->kind, n->in[0], first, true);
    return kt_g_reduce(g, a->kind, part, a->axes, a->keepdims);
}

/* Over axes of length 1 nothing is added up; over a number the result is one too. */
static kt_val *rule_reduce(kt_graph *g, const kt_node *n) {
    const reduce_attrs *a = n->attrs;
    const int64_t from = kt_shape_size(&n->in[0]->spec.shape),
                  to = kt_shape_size(&n->out[0]->spec.shape);
    double c;
    if (from == to && from > 0) return kt_g_reshape(g, n->in[0], n->out[0]->spec.shape);
    if (!kt_is_num(n->in[0], &c) || from == 0 || !is_real(n->in[0]) || a->kind == KT_RED_PROD)
        return reduce_in_turn(g, n);
    if (a->kind == KT_RED_SUM) c *= (double)from / (double)to;
    return kt_num_like(g, c, n->out[0]);
}

/* The largest probability belongs to the largest logit. */
static kt_val *rule_argmax(kt_graph *g, const kt_node *n) {
    const kt_node *d = n->in[0]->def;
    const int axis = ((const axis_attrs *)n->attrs)->axis;
    if (d->op != &kt_opdef_softmax && d->op != &kt_opdef_log_softmax) return NULL;
    return ((const axis_attrs *)d->attrs)->axis == axis ? kt_g_argmax(g, d->in[0], axis) : NULL;
}

static kt_val *rule_same_shape(kt_graph *g, const kt_node *n) {
    (void)g;
    return same_shape(n->in[0], n->out[0]) ? n->in[0] : NULL;
}

static kt_val *rule_pack(kt_graph *g, const kt_node *n) {
    const pack_attrs *a = n->attrs;
    if (n->n_in > 1 || a->size != kt_shape_size(&n->in[0]->spec.shape)) return NULL;
    return kt_g_reshape(g, n->in[0], n->out[0]->spec.shape);
}

static const struct {
    const kt_opdef *op;
    kt_val *(*rule)(kt_graph *g, const kt_node *n);
} rules[] = {
    {&kt_opdef_add, rule_add},
    {&kt_opdef_sub, rule_sub},
    {&kt_opdef_mul, rule_mul},
    {&kt_opdef_div, rule_div},
    {&kt_opdef_neg, rule_neg},
    {&kt_opdef_pow, rule_pow},
    {&kt_opdef_maximum, rule_maximum},
    {&kt_opdef_select, rule_select},
    {&kt_opdef_cast, rule_cast},
    {&kt_opdef_dropout, rule_dropout},
    {&kt_opdef_stop_gradient, rule_first}, /* gradients were taken before passes run */
    {&kt_opdef_reshape, rule_reshape},
    {&kt_opdef_broadcast, rule_broadcast},
    {&kt_opdef_view, rule_view},
    {&kt_opdef_transpose, rule_transpose},
    {&kt_opdef_matmul, rule_matmul},
    {&kt_opdef_reduce, rule_reduce},
    {&kt_opdef_argmax, rule_argmax},
    {&kt_opdef_concat, rule_same_shape}, /* of one array, or of others that are empty */
    {&kt_opdef_slice, rule_same_shape},
    {&kt_opdef_pad, rule_same_shape},
    {&kt_opdef_pack, rule_pack},
};

static void apply_rules(kt_graph *g, kt_node *n, kt_val **by, void *arg) {
    (void)arg;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (rules[i].op != n->op) continue;
        by[0] = rules[i].rule(g, n);
        return;
    }
}

kt_status kt_pass_canonicalize(kt_graph *g) {
    kt_status st = KT_OK;
    bool changed = true;
    for (int i = 0; i < MAX_ROUNDS && changed && st == KT_OK; i++)
        st = kt_rewrite(g, apply_rules, NULL, &changed);
    return st;
}
