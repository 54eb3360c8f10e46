/* matmul: op(A) op(B) over the last two axes; leading axes are equal batches. keras.ops.matmul
 *
 * ta and tb transpose the last two axes on the way in, so no gradient ever copies a transpose.
 * Fusion may add a bias per column (input 2) and an elementwise function at the end. */
#define KT_REF_SELF "ops/matmul.c"
#ifdef KT_T

static T KT_REF(matmul_cell)(const T *a, int64_t sa, const T *b, int64_t sb, int64_t k) {
    T sum = 0;
    for (int64_t i = 0; i < k; i++) sum += a[i * sa] * b[i * sb];
    return sum;
}

static T KT_REF(matmul_epilogue)(int which, T x) {
    switch (which - 1) {
#define KT_UNARY(name, value, grad)                                                                \
    case MATMUL_EPI_##name:                                                                        \
        return (T)(value);
#include "ir/unary.def"
#undef KT_UNARY
    default:
        return x;
    }
}

static kt_status KT_REF(matmul)(const kt_kargs *k) {
    const matmul_attrs *at = k->node->attrs;
    const matmul_dims d = matmul_sizes(k->node);
    const T *bias = at->bias ? k->in[2] : NULL;
    for (int64_t p = 0; p < d.batch; p++) {
        const T *a = (const T *)k->in[0] + p * d.m * d.k, *b = (const T *)k->in[1] + p * d.k * d.n;
        T *c = (T *)k->out[0] + p * d.m * d.n;
        for (int64_t i = 0; i < d.m; i++) {
            for (int64_t j = 0; j < d.n; j++) {
                const T *ai = at->ta ? a + i : a + i * d.k, *bj = at->tb ? b + j * d.k : b + j;
                const T sum = KT_REF(matmul_cell)(ai, at->ta ? d.m : 1, bj, at->tb ? 1 : d.n, d.k);
                c[i * d.n + j] = KT_REF(matmul_epilogue)(at->epilogue, bias ? sum + bias[j] : sum);
            }
        }
    }
    return KT_OK;
}

#else
#include "base/error.h"
#include "ops/build.h"
#include "tensor/half.h"

enum {
#define KT_UNARY(name, value, grad) MATMUL_EPI_##name,
#include "ir/unary.def"
#undef KT_UNARY
    MATMUL_EPI_COUNT
};

typedef struct {
    int64_t batch, m, n, k;
} matmul_dims;

static matmul_dims matmul_sizes(const kt_node *n) {
    const matmul_attrs *a = n->attrs;
    const kt_shape *x = &n->in[0]->spec.shape, *y = &n->out[0]->spec.shape;
    return (matmul_dims){
        kt_shape_range(x, 0, x->ndim - 2),
        y->dim[y->ndim - 2],
        y->dim[y->ndim - 1],
        x->dim[a->ta ? x->ndim - 2 : x->ndim - 1]};
}

#include "ir/ref_types.h"

/* What fusion added: a bias with one element per column, a function of the unary family. */
static kt_status matmul_check_fused(const kt_node *n, const kt_spec *out) {
    const matmul_attrs *at = n->attrs;
    const int64_t columns = out->shape.dim[out->shape.ndim - 1];
    if (at->epilogue < 0 || at->epilogue > MATMUL_EPI_COUNT)
        return KT_FAIL(KT_EINTERNAL, "matmul: no such epilogue: %d", at->epilogue);
    if (n->n_in != 2 + at->bias) return KT_FAIL(KT_EINTERNAL, "matmul: %d inputs", n->n_in);
    if (!at->bias) return KT_OK;
    if (n->in[2]->spec.dtype == out->dtype && kt_shape_size(&n->in[2]->spec.shape) == columns)
        return KT_OK;
    return KT_FAIL(
        KT_ESHAPE, "matmul: expected one bias for each of %lld columns", (long long)columns);
}

static kt_status matmul_infer(const kt_node *n, kt_spec *out) {
    const matmul_attrs *at = n->attrs;
    const kt_shape *a = &n->in[0]->spec.shape, *b = &n->in[1]->spec.shape;
    const int r = a->ndim;
    *out = n->in[0]->spec;
    bool ok = r >= 2 && b->ndim == r && n->in[0]->spec.dtype == n->in[1]->spec.dtype;
    for (int i = 0; ok && i < r - 2; i++) ok = a->dim[i] == b->dim[i];
    ok = ok && a->dim[at->ta ? r - 2 : r - 1] == b->dim[at->tb ? r - 1 : r - 2];
    if (!ok) {
        char sa[KT_SHAPE_STR], sb[KT_SHAPE_STR];
        KT_FAIL(KT_ESHAPE, "matmul: shapes do not go together");
        return kt_error_got(
            "%s and %s",
            kt_spec_str(&n->in[0]->spec, sa, sizeof sa),
            kt_spec_str(&n->in[1]->spec, sb, sizeof sb));
    }
    out->shape.dim[r - 2] = a->dim[at->ta ? r - 1 : r - 2];
    out->shape.dim[r - 1] = b->dim[at->tb ? r - 2 : r - 1];
    return matmul_check_fused(n, out);
}

/* C = op(A) op(B): dA and dB are products again, with the flags turned so that nothing is
 * copied. */
static kt_status matmul_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    const matmul_attrs *at = n->attrs;
    kt_val *a = n->in[0], *b = n->in[1], *d = dy[0];
    if (at->bias || at->epilogue)
        return KT_FAIL(KT_EINTERNAL, "matmul: gradient taken after fusion");
    if (want[0])
        dx[0] = at->ta ? kt_g_matmul(g, b, d, at->tb, true) : kt_g_matmul(g, d, b, false, !at->tb);
    if (want[1])
        dx[1] = at->tb ? kt_g_matmul(g, d, a, true, at->ta) : kt_g_matmul(g, a, d, !at->ta, false);
    return g->status;
}

static const kt_sample matmul_samples[] = {
    {.in = {{.dim = {3, 5}}, {.dim = {5, 4}}}, .attrs = &(matmul_attrs){0}},
    {.in = {{.dim = {5, 3}}, {.dim = {5, 4}}}, .attrs = &(matmul_attrs){.ta = true}},
    {.in = {{.dim = {3, 5}}, {.dim = {4, 5}}}, .attrs = &(matmul_attrs){.tb = true}},
    {.in = {{.dim = {5, 3}}, {.dim = {4, 5}}}, .attrs = &(matmul_attrs){.ta = true, .tb = true}},
    {.in = {{.dim = {2, 3, 5}}, {.dim = {2, 5, 4}}}, .attrs = &(matmul_attrs){0}},
    {.in = {{.dim = {17, 33}}, {.dim = {33, 19}}}, .attrs = &(matmul_attrs){0}},
    {.in = {{.dim = {1, 7}}, {.dim = {7, 1}}}, .attrs = &(matmul_attrs){0}},
    {.in = {{.dim = {7, 9}}, {.dim = {9, 35}}, {.dim = {35}}},
     .attrs = &(matmul_attrs){.bias = true, .epilogue = 1 + MATMUL_EPI_relu},
     .no_grad = true},
    {.in = {{.dim = {2, 6, 9}}, {.dim = {2, 5, 9}}, {.dim = {5}}},
     .attrs = &(matmul_attrs){.tb = true, .bias = true, .epilogue = 1 + MATMUL_EPI_tanh},
     .no_grad = true},
    {.in = {{.dim = {6, 9}}, {.dim = {9, 20}}},
     .attrs = &(matmul_attrs){.epilogue = 1 + MATMUL_EPI_sigmoid},
     .no_grad = true},
    {.in = {{.dim = {6, 9}}, {.dim = {9, 20}}, {.dim = {9}}},
     .attrs = &(matmul_attrs){.bias = true},
     .want = KT_ESHAPE},
    {.in = {{.dim = {3, 5}}, {.dim = {4, 5}}}, .attrs = &(matmul_attrs){0}, .want = KT_ESHAPE},
    KT_SAMPLES_END};
static const kt_field matmul_fields[] = {
    KT_F(matmul_attrs, ta),
    KT_F(matmul_attrs, tb),
    KT_F(matmul_attrs, bias),
    KT_F(matmul_attrs, epilogue),
    KT_F_END};

const kt_opdef kt_opdef_matmul = {
    .name = "matmul",
    .n_in = 2,
    .n_in_max = 3,
    .attrs_size = sizeof(matmul_attrs),
    .attrs = matmul_fields,
    .infer = matmul_infer,
    .vjp = matmul_vjp,
    .ref = KT_REFS(matmul),
    .samples = matmul_samples,
};

kt_val *kt_g_matmul(kt_graph *g, kt_val *a, kt_val *b, bool ta, bool tb) {
    kt_val *in[2] = {a, b};
    kt_node *n = kt_graph_add(g, &kt_opdef_matmul, 2, in, &(matmul_attrs){.ta = ta, .tb = tb});
    return n ? n->out[0] : NULL;
}
#endif
