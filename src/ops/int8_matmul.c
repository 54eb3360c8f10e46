/* int8_matmul: the product of x with integer weights, whose columns stand for w / scale:
 *
 *     s = high / (max |x| + epsilon)  of each row of x        q = clip(round(x s), low, high)
 *     y = sum(q w) / (scale s)
 *
 * What Keras' layers compute once they are quantized ("int8"): AbsMaxQuantizer on the rows, a
 * product of integers, division. A primitive, because the rounding has no gradient: as in Keras,
 * what flows back to x is that of a product with w / scale. The sums are exact, and so equal for
 * any number of threads and any instruction set; they wrap around at 2^31, as int32 does (k >
 * 130,000). */
#define KT_REF_SELF "ops/int8_matmul.c"
#ifdef KT_T

static int KT_REF(int8_of)(T x, T scale, T low, T high) {
    const T v = M(rint)(x * scale);
    if (v != v) return 0;
    return (int)(v < low ? low : v > high ? high : v);
}

/* One row: the sums are built in the place of the results, which are no smaller. */
static void KT_REF(int8_row)(
    T *y, const T *x, const int8_t *w, const T *scale, const int8_dims *d, const T *range) {
    uint32_t *sum = (void *)y;
    T most = 0;
    for (int64_t i = 0; i < d->k; i++) {
        const T a = M(fabs)(x[i]);
        if (a > most || a != a) most = a;
    }
    const T s = range[1] / (most + range[2]);
    memset(y, 0, sizeof(T) * (size_t)d->n);
    for (int64_t i = 0; i < d->k; i++) {
        const int q = KT_REF(int8_of)(x[i], s, range[0], range[1]);
        const int8_t *row = w + i * d->n;
        for (int64_t j = 0; q && j < d->n; j++) sum[j] += (uint32_t)(q * row[j]);
    }
    for (int64_t j = d->n; j-- > 0;) y[j] = (T)(int32_t)sum[j] / (scale[j] * s);
}

static kt_status KT_REF(int8_matmul)(const kt_kargs *k) {
    const int8_matmul_attrs *at = k->node->attrs;
    const int8_dims d = int8_sizes(k->node);
    const T range[3] = {(T)at->low, (T)at->high, (T)at->epsilon};
    const T *x = k->in[0];
    T *y = k->out[0];
    for (int64_t i = 0; i < d.batch * d.m; i++) {
        const int64_t p = i / d.m;
        const int8_t *w = (const int8_t *)k->in[1] + p * d.k * d.n;
        const T *scale = (const T *)k->in[2] + p * d.n;
        KT_REF(int8_row)(y + i * d.n, x + i * d.k, w, scale, &d, range);
    }
    return KT_OK;
}

#else
#include "base/error.h"
#include "ops/build.h"

typedef struct {
    int64_t batch, m, n, k;
} int8_dims;

static int8_dims int8_sizes(const kt_node *n) {
    const kt_shape *x = &n->in[0]->spec.shape, *w = &n->in[1]->spec.shape;
    const int r = x->ndim;
    return (int8_dims){r == 3 ? x->dim[0] : 1, x->dim[r - 2], w->dim[r - 1], x->dim[r - 1]};
}

#include "ir/ref_types.h"

static kt_status int8_matmul_infer(const kt_node *n, kt_spec *out) {
    const int8_matmul_attrs *at = n->attrs;
    const kt_spec *x = &n->in[0]->spec, *w = &n->in[1]->spec, *s = &n->in[2]->spec;
    const int r = x->shape.ndim;
    *out = *x;
    if (w->dtype != KT_INT8 || s->dtype != x->dtype)
        return KT_FAIL(KT_EDTYPE, "int8_matmul: expected int8 weights and scales as x");
    if (!(at->low >= -128 && at->low <= at->high && at->high <= 127))
        return KT_FAIL(KT_EINVAL, "int8_matmul: expected a range within -128 to 127");
    bool ok = (r == 2 || r == 3) && w->shape.ndim == r && s->shape.ndim == r - 1;
    ok = ok && x->shape.dim[r - 1] == w->shape.dim[r - 2];
    ok = ok && s->shape.dim[r - 2] == w->shape.dim[r - 1];
    if (ok && r == 3) ok = w->shape.dim[0] == x->shape.dim[0] && s->shape.dim[0] == x->shape.dim[0];
    if (ok) {
        out->shape.dim[r - 1] = w->shape.dim[r - 1];
        return KT_OK;
    }
    char a[KT_SHAPE_STR], b[KT_SHAPE_STR], c[KT_SHAPE_STR];
    KT_FAIL(KT_ESHAPE, "int8_matmul: shapes do not go together");
    return kt_error_got(
        "%s, %s and %s",
        kt_spec_str(x, a, sizeof a),
        kt_spec_str(w, b, sizeof b),
        kt_spec_str(s, c, sizeof c));
}

static kt_status int8_matmul_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    if (!want[0]) return KT_OK;
    kt_val *scale = n->in[2];
    if (scale->spec.shape.ndim == 2) scale = kt_g_expand_dims(g, scale, 1);
    kt_val *w = kt_g_div(g, kt_g_cast(g, n->in[1], scale->spec.dtype), scale);
    dx[0] = w ? kt_g_matmul(g, dy[0], w, false, true) : NULL;
    return g->status;
}

/* clang-format off */
#define WEIGHTS(...) {.dim = {__VA_ARGS__}, .dtype = KT_INT8, .low = -127, .high = 128}
#define SCALES(...) {.dim = {__VA_ARGS__}, .low = 20, .high = 200}
/* clang-format on */
#define RANGE                                                                                      \
    &(int8_matmul_attrs) { -127, 127, 1e-7 }
static const kt_sample int8_matmul_samples[] = {
    {.in = {{.dim = {3, 5}}, WEIGHTS(5, 4), SCALES(4)}, .attrs = RANGE, .no_grad = true},
    {.in = {{.dim = {17, 33}}, WEIGHTS(33, 19), SCALES(19)}, .attrs = RANGE, .no_grad = true},
    {.in = {{.dim = {1, 7}}, WEIGHTS(7, 1), SCALES(1)}, .attrs = RANGE, .no_grad = true},
    {.in = {{.dim = {5, 130}}, WEIGHTS(130, 70), SCALES(70)}, .attrs = RANGE, .no_grad = true},
    {.in = {{.dim = {2, 3, 5}}, WEIGHTS(2, 5, 4), SCALES(2, 4)},
     .attrs = &(int8_matmul_attrs){-128, 100, 1e-3},
     .no_grad = true},
    {.in = {{.dim = {3, 5}}, WEIGHTS(4, 5), SCALES(5)}, .attrs = RANGE, .want = KT_ESHAPE},
    {.in = {{.dim = {3, 5}}, {.dim = {5, 4}}, SCALES(4)}, .attrs = RANGE, .want = KT_EDTYPE},
    KT_SAMPLES_END};
static const kt_field int8_matmul_fields[] = {
    KT_F(int8_matmul_attrs, low),
    KT_F(int8_matmul_attrs, high),
    KT_F(int8_matmul_attrs, epsilon),
    KT_F_END};

const kt_opdef kt_opdef_int8_matmul = {
    .name = "int8_matmul",
    .n_in = 3,
    .attrs_size = sizeof(int8_matmul_attrs),
    .attrs = int8_matmul_fields,
    .infer = int8_matmul_infer,
    .vjp = int8_matmul_vjp,
    .ref = KT_REFS(int8_matmul),
    .samples = int8_matmul_samples,
};

kt_val *kt_g_int8_matmul(
    kt_graph *g, kt_val *x, kt_val *w, kt_val *scale, const int8_matmul_attrs *a) {
    kt_val *in[3] = {x, w, scale};
    kt_node *n = kt_graph_add(g, &kt_opdef_int8_matmul, 3, in, a);
    return n ? n->out[0] : NULL;
}
#endif
