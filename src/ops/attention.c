/* attention: y = softmax(mask, scale q k^T) v in each head, and its gradient.
 * keras.ops.dot_product_attention
 *
 * q [b, t, n, h], k [b, s, n, h], v [b, s, n, d]; mask (optional): bool, four axes that are 1 or
 * those of [b, n, t, s]. What a mask or causal order leaves out gets the score MASKED, so a query
 * that sees no key takes the mean of all values, as in Keras on JAX. Second output, for the
 * gradient: the largest score of each query and the sum of its exponentials, [b, n, t, 2].
 *
 * A primitive because nothing else keeps the scores [b, n, t, s] out of memory: the gradient
 * computes them again from the two numbers. */
#define KT_REF_SELF "ops/attention.c"
#ifdef KT_T

/* The score of query i and key j; false in *seen: it is left out. */
static T KT_REF(score)(const attention_place *p, const T *q, const T *k, bool *seen) {
    T s = 0;
    *seen = attention_sees(p);
    for (int64_t c = 0; c < p->d->h; c++) s += q[c] * k[c];
    return *seen ? s * (T)p->d->scale : (T)ATTENTION_MASKED;
}

static kt_status KT_REF(attention)(const kt_kargs *kargs) {
    const attention_dims d = attention_dims_of(kargs->node, kargs->node->n_in > 3 ? 3 : -1);
    const T *q = kargs->in[0], *k = kargs->in[1], *v = kargs->in[2];
    attention_place p = {.d = &d, .mask = d.masked ? kargs->in[3] : NULL};
    for (attention_start(&p); p.row < d.b * d.n * d.t; attention_next(&p)) {
        T *y = (T *)kargs->out[0] + p.q_row * d.d, *stats = (T *)kargs->out[1] + 2 * p.row;
        T max = -INFINITY, sum = 0;
        bool seen;
        for (p.j = 0; p.j < d.s; p.j++)
            max = M(fmax)(
                max, KT_REF(score)(&p, q + p.q_row * d.h, k + attention_k_row(&p) * d.h, &seen));
        for (int64_t c = 0; c < d.d; c++) y[c] = 0;
        for (p.j = 0; p.j < d.s; p.j++) {
            const int64_t at = attention_k_row(&p);
            const T e = M(exp)(KT_REF(score)(&p, q + p.q_row * d.h, k + at * d.h, &seen) - max);
            sum += e;
            for (int64_t c = 0; c < d.d; c++) y[c] += e * v[at * d.d + c];
        }
        for (int64_t c = 0; c < d.d; c++) y[c] /= sum;
        stats[0] = max;
        stats[1] = sum;
    }
    return KT_OK;
}

/* With p = exp(score - max) / sum and a = sum over c of dy y:
 * dv += p dy;  ds = p (dy . v - a) scale;  dq += ds k;  dk += ds q */
static kt_status KT_REF(attention_grad)(const kt_kargs *kargs) {
    const attention_dims d = attention_dims_of(kargs->node, kargs->node->n_in > 6 ? 6 : -1);
    const T *q = kargs->in[0], *k = kargs->in[1], *v = kargs->in[2];
    T *dq = kargs->out[0], *dk = kargs->out[1], *dv = kargs->out[2];
    attention_place p = {.d = &d, .mask = d.masked ? kargs->in[6] : NULL};
    memset(dq, 0, sizeof(T) * (size_t)(d.b * d.t * d.n * d.h));
    memset(dk, 0, sizeof(T) * (size_t)(d.b * d.s * d.n * d.h));
    memset(dv, 0, sizeof(T) * (size_t)(d.b * d.s * d.n * d.d));
    for (attention_start(&p); p.row < d.b * d.n * d.t; attention_next(&p)) {
        const T *y = (const T *)kargs->in[3] + p.q_row * d.d;
        const T *stats = (const T *)kargs->in[4] + 2 * p.row;
        const T *dy = (const T *)kargs->in[5] + p.q_row * d.d;
        T a = 0;
        for (int64_t c = 0; c < d.d; c++) a += dy[c] * y[c];
        for (p.j = 0; p.j < d.s; p.j++) {
            const int64_t at = attention_k_row(&p), hq = p.q_row * d.h, hk = at * d.h;
            bool seen;
            const T e = M(exp)(KT_REF(score)(&p, q + hq, k + hk, &seen) - stats[0]) / stats[1];
            T de = -a;
            for (int64_t c = 0; c < d.d; c++) de += dy[c] * v[at * d.d + c];
            for (int64_t c = 0; c < d.d; c++) dv[at * d.d + c] += e * dy[c];
            const T ds = seen ? e * de * (T)d.scale : 0;
            for (int64_t c = 0; c < d.h; c++) dq[hq + c] += ds * k[hk + c];
            for (int64_t c = 0; c < d.h; c++) dk[hk + c] += ds * q[hq + c];
        }
    }
    return KT_OK;
}

#else
#include "base/error.h"
#include "ops/build.h"

typedef struct {
    int64_t b, t, s, n, h, d;
    double scale;
    bool causal, masked;
    int64_t mask_stride[4];
} attention_dims;

/* A query of a head, and a key: rows are counted b, n, t (of the statistics). */
typedef struct {
    const attention_dims *d;
    const uint8_t *mask;
    int64_t row, ib, in, i, j;
    int64_t q_row; /* of q as [b t n, h] */
} attention_place;

static attention_dims attention_dims_of(const kt_node *node, int mask) {
    const attention_attrs *a = node->attrs;
    const int64_t *q = node->in[0]->spec.shape.dim, *v = node->in[2]->spec.shape.dim;
    attention_dims d = {q[0], q[1], v[1], q[2], q[3], v[3], a->scale, a->causal, mask >= 0, {0}};
    int64_t step = 1;
    for (int i = 3; i >= 0 && mask >= 0; i--) {
        const int64_t n = node->in[mask]->spec.shape.dim[i];
        d.mask_stride[i] = n == 1 ? 0 : step;
        step *= n;
    }
    return d;
}

static void attention_start(attention_place *p) {
    p->row = p->ib = p->in = p->i = p->j = p->q_row = 0;
}

static void attention_next(attention_place *p) {
    const attention_dims *d = p->d;
    p->row++;
    p->i = p->row % d->t;
    p->in = p->row / d->t % d->n;
    p->ib = p->row / d->t / d->n;
    p->q_row = (p->ib * d->t + p->i) * d->n + p->in;
}

static int64_t attention_k_row(const attention_place *p) {
    return (p->ib * p->d->s + p->j) * p->d->n + p->in;
}

static bool attention_sees(const attention_place *p) {
    const int64_t *m = p->d->mask_stride;
    if (p->d->causal && p->j > p->i) return false;
    return !p->mask || p->mask[p->ib * m[0] + p->in * m[1] + p->i * m[2] + p->j * m[3]];
}

#include "ir/ref_types.h"

static kt_status attention_misfit(const kt_node *n) {
    char q[KT_SHAPE_STR], k[KT_SHAPE_STR], v[KT_SHAPE_STR];
    KT_FAIL(KT_ESHAPE, "attention: shapes do not go together");
    kt_error_expected("(batch, steps, heads, dim) for query, key and value");
    return kt_error_got(
        "%s, %s and %s",
        kt_spec_str(&n->in[0]->spec, q, sizeof q),
        kt_spec_str(&n->in[1]->spec, k, sizeof k),
        kt_spec_str(&n->in[2]->spec, v, sizeof v));
}

static kt_status attention_check(const kt_node *n, int mask) {
    const kt_spec *q = &n->in[0]->spec, *k = &n->in[1]->spec, *v = &n->in[2]->spec;
    const int64_t *a = q->shape.dim, *b = k->shape.dim, *c = v->shape.dim;
    bool ok = q->shape.ndim == 4 && k->shape.ndim == 4 && v->shape.ndim == 4;
    ok = ok && q->dtype == k->dtype && q->dtype == v->dtype;
    ok = ok && a[0] == b[0] && b[0] == c[0] && b[1] == c[1] && a[2] == b[2] && b[2] == c[2] &&
         a[3] == b[3];
    if (!ok) return attention_misfit(n);
    if (n->n_in <= mask) return KT_OK;
    const kt_spec *m = &n->in[mask]->spec;
    const int64_t full[4] = {a[0], a[2], a[1], b[1]};
    ok = m->dtype == KT_BOOL && m->shape.ndim == 4;
    for (int i = 0; ok && i < 4; i++) ok = m->shape.dim[i] == 1 || m->shape.dim[i] == full[i];
    if (ok) return KT_OK;
    char s[KT_SHAPE_STR];
    KT_FAIL(KT_ESHAPE, "attention: the mask does not go with the scores");
    return kt_error_got("%s", kt_spec_str(m, s, sizeof s));
}

static kt_status attention_infer(const kt_node *n, kt_spec *out) {
    const kt_status st = attention_check(n, 3);
    if (st) return st;
    const int64_t *q = n->in[0]->spec.shape.dim;
    out[0] = n->in[0]->spec;
    out[0].shape.dim[3] = n->in[2]->spec.shape.dim[3];
    out[1] = (kt_spec){out[0].dtype, {4, {q[0], q[2], q[1], 2}}};
    return KT_OK;
}

extern const kt_opdef kt_opdef_attention_grad;

static kt_status attention_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    (void)want;
    if (dy[1]) return KT_FAIL(KT_EINTERNAL, "attention: the statistics have no gradient");
    kt_val *in[7] = {n->in[0], n->in[1], n->in[2], n->out[0], n->out[1], dy[0], NULL};
    if (n->n_in > 3) in[6] = n->in[3];
    kt_node *d = kt_graph_add(g, &kt_opdef_attention_grad, n->n_in + 3, in, n->attrs);
    for (int i = 0; d && i < 3; i++) dx[i] = d->out[i];
    return g->status;
}

static kt_status attention_grad_infer(const kt_node *n, kt_spec *out) {
    const kt_status st = attention_check(n, 6);
    if (st) return st;
    const int64_t *q = n->in[0]->spec.shape.dim;
    const kt_shape y = {4, {q[0], q[1], q[2], n->in[2]->spec.shape.dim[3]}},
                   stats = {4, {q[0], q[2], q[1], 2}};
    if (!kt_shape_equal(&n->in[3]->spec.shape, &y) || !kt_shape_equal(&n->in[5]->spec.shape, &y) ||
        !kt_shape_equal(&n->in[4]->spec.shape, &stats))
        return KT_FAIL(KT_ESHAPE, "attention_grad: y, statistics or dy do not go with q, k, v");
    for (int i = 0; i < 3; i++) out[i] = n->in[i]->spec;
    return KT_OK;
}

/* clang-format off */
#define QKV(b, t, s, n, h, d) {.dim = {b, t, n, h}}, {.dim = {b, s, n, h}}, {.dim = {b, s, n, d}}
#define BOOLS(...) {.dim = {__VA_ARGS__}, .dtype = KT_BOOL, .low = 0, .high = 2}
/* clang-format on */
/* Lengths that differ: tests replace one at a time by a large one. */
static const kt_sample attention_samples[] = {
    {.in = {QKV(2, 3, 4, 7, 5, 6)}, .attrs = &(attention_attrs){0.5, false}},
    {.in = {QKV(2, 5, 4, 3, 8, 16)}, .attrs = &(attention_attrs){0.4, true}},
    {.in = {QKV(2, 3, 4, 5, 6, 7), BOOLS(2, 1, 3, 4)}, .attrs = &(attention_attrs){0.5, false}},
    {.in = {QKV(2, 5, 4, 3, 6, 7), BOOLS(1, 3, 1, 4)}, .attrs = &(attention_attrs){0.5, true}},
    {.in = {QKV(2, 3, 4, 5, 6, 7), BOOLS(2, 5, 3, 1)}, .attrs = &(attention_attrs){0.5, false}},
    {.in = {QKV(1, 2, 3, 2, 3, 2), BOOLS(2, 1, 2, 3)},
     .attrs = &(attention_attrs){1, false},
     .want = KT_ESHAPE},
    {.in = {{.dim = {2, 3, 4}}, {.dim = {2, 3, 4}}, {.dim = {2, 3, 4}}},
     .attrs = &(attention_attrs){1, false},
     .want = KT_ESHAPE},
    KT_SAMPLES_END};
/* Statistics that no forward pass gave: any will do, as long as nothing overflows. */
#define GRAD(b, t, s, n, h, d)                                                                     \
    QKV(b, t, s, n, h, d), {.dim = {b, t, n, d}}, {.dim = {b, n, t, 2}, .low = 20, .high = 21}, {  \
        .dim = { b, t, n, d }                                                                      \
    }
static const kt_sample attention_grad_samples[] = {
    {.in = {GRAD(3, 7, 4, 9, 5, 6)}, .attrs = &(attention_attrs){0.5, false}},
    {.in = {GRAD(3, 7, 4, 5, 8, 16)}, .attrs = &(attention_attrs){0.2, true}},
    {.in = {GRAD(3, 7, 4, 5, 6, 9), BOOLS(3, 1, 7, 4)}, .attrs = &(attention_attrs){0.2, false}},
    {.in = {GRAD(3, 7, 4, 5, 6, 9), BOOLS(1, 1, 1, 4)}, .attrs = &(attention_attrs){0.2, true}},
    KT_SAMPLES_END};
static const kt_field attention_fields[] = {
    KT_F(attention_attrs, scale), KT_F(attention_attrs, causal), KT_F_END};

const kt_opdef kt_opdef_attention = {
    .name = "attention",
    .n_in = 3,
    .n_in_max = 4,
    .n_out = 2,
    .n_main = 1,
    .attrs_size = sizeof(attention_attrs),
    .attrs = attention_fields,
    .infer = attention_infer,
    .vjp = attention_vjp,
    .ref = KT_REFS(attention),
    .samples = attention_samples,
};
const kt_opdef kt_opdef_attention_grad = {
    .name = "attention_grad",
    .n_in = 6,
    .n_in_max = 7,
    .n_out = 3,
    .attrs_size = sizeof(attention_attrs),
    .attrs = attention_fields,
    .infer = attention_grad_infer,
    .ref = KT_REFS(attention_grad),
    .samples = attention_grad_samples,
};

/* A mask of fewer axes gets new ones in front. */
static kt_val *mask_of_four(kt_graph *g, kt_val *mask) {
    kt_shape s = {4, {1, 1, 1, 1}};
    const int n = mask->spec.shape.ndim;
    if (n >= 4) return mask;
    for (int i = 0; i < n; i++) s.dim[4 - n + i] = mask->spec.shape.dim[i];
    return kt_g_reshape(g, mask, s);
}

kt_val *kt_g_attention(
    kt_graph *g, kt_val *q, kt_val *k, kt_val *v, kt_val *mask, double scale, bool causal) {
    if (!q || !k || !v) return NULL;
    kt_val *in[4] = {q, k, v, mask ? mask_of_four(g, mask) : NULL};
    kt_node *n = kt_graph_add(
        g, &kt_opdef_attention, mask ? 4 : 3, in, &(attention_attrs){scale, causal});
    return n ? n->out[0] : NULL;
}
#endif
