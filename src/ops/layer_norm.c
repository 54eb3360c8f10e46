/* layer_norm: y = gamma (x - mean) / sqrt(variance + epsilon) + beta, mean and variance over the
 * last axes of x together, and its gradient.  keras.ops.layer_normalization
 *
 * x [..., n] (n elements in the last `axes` axes), gamma [n], beta [n]. Second output, for the
 * gradient: mean and 1 / sqrt(variance + epsilon) of each row, [rows, 2].
 *
 * A primitive, although it could be composed: one pass over x instead of six, and the gradient
 * keeps x and two numbers per row. */
#define KT_REF_SELF "ops/layer_norm.c"
#ifdef KT_T

static kt_status KT_REF(layer_norm)(const kt_kargs *k) {
    const layer_norm_attrs *a = k->node->attrs;
    const int64_t n = kt_shape_size(&k->node->in[1]->spec.shape);
    const int64_t rows = k->node->out[1]->spec.shape.dim[0];
    const T *x = k->in[0], *gamma = k->in[1], *beta = k->in[2];
    T *y = k->out[0], *stats = k->out[1];
    for (int64_t r = 0; r < rows; r++, x += n, y += n, stats += 2) {
        T mean = 0, variance = 0;
        for (int64_t i = 0; i < n; i++) mean += x[i];
        mean /= (T)n;
        for (int64_t i = 0; i < n; i++) variance += (x[i] - mean) * (x[i] - mean);
        stats[0] = mean;
        stats[1] = 1 / M(sqrt)(variance / (T)n + (T)a->epsilon);
        for (int64_t i = 0; i < n; i++) y[i] = (x[i] - mean) * stats[1] * gamma[i] + beta[i];
    }
    return KT_OK;
}

/* With h = (x - mean) rstd and d = dy gamma:
 * dx = rstd (d - mean of d - h mean of (d h)), dgamma = sum of dy h, dbeta = sum of dy */
static kt_status KT_REF(layer_norm_grad)(const kt_kargs *k) {
    const int64_t n = kt_shape_size(&k->node->in[1]->spec.shape);
    const int64_t rows = k->node->in[2]->spec.shape.dim[0];
    const T *x = k->in[0], *gamma = k->in[1], *stats = k->in[2], *dy = k->in[3];
    T *dx = k->out[0], *dgamma = k->out[1], *dbeta = k->out[2];
    for (int64_t i = 0; i < n; i++) dgamma[i] = dbeta[i] = 0;
    for (int64_t r = 0; r < rows; r++, x += n, dy += n, dx += n, stats += 2) {
        T mean = 0, along = 0;
        for (int64_t i = 0; i < n; i++) {
            const T h = (x[i] - stats[0]) * stats[1];
            mean += dy[i] * gamma[i] / (T)n;
            along += dy[i] * gamma[i] * h / (T)n;
            dgamma[i] += dy[i] * h;
            dbeta[i] += dy[i];
        }
        for (int64_t i = 0; i < n; i++) {
            const T h = (x[i] - stats[0]) * stats[1];
            dx[i] = stats[1] * (dy[i] * gamma[i] - mean - h * along);
        }
    }
    return KT_OK;
}

#else
#include "base/error.h"
#include "ops/build.h"

#include "ir/ref_types.h"

static kt_status layer_norm_check(const kt_node *n) {
    const layer_norm_attrs *a = n->attrs;
    const kt_shape *x = &n->in[0]->spec.shape, *gamma = &n->in[1]->spec.shape;
    bool ok = a->axes >= 1 && a->axes <= x->ndim && gamma->ndim == 1;
    ok = ok && gamma->dim[0] == kt_shape_range(x, x->ndim - a->axes, x->ndim);
    ok = ok && n->in[0]->spec.dtype == n->in[1]->spec.dtype;
    if (ok) return KT_OK;
    char sx[KT_SHAPE_STR], sg[KT_SHAPE_STR];
    KT_FAIL(KT_ESHAPE, "layer_norm: shapes do not go together");
    return kt_error_got(
        "x %s, gamma %s, %d axes",
        kt_spec_str(&n->in[0]->spec, sx, sizeof sx),
        kt_spec_str(&n->in[1]->spec, sg, sizeof sg),
        a->axes);
}

static kt_status layer_norm_infer(const kt_node *n, kt_spec *out) {
    const kt_status st = layer_norm_check(n);
    if (st) return st;
    const kt_shape *x = &n->in[0]->spec.shape;
    if (!kt_shape_equal(&n->in[1]->spec.shape, &n->in[2]->spec.shape))
        return KT_FAIL(KT_ESHAPE, "layer_norm: gamma and beta differ");
    const int64_t rows = kt_shape_range(x, 0, x->ndim - ((const layer_norm_attrs *)n->attrs)->axes);
    out[0] = n->in[0]->spec;
    out[1] = (kt_spec){out[0].dtype, {2, {rows, 2}}};
    return KT_OK;
}

extern const kt_opdef kt_opdef_layer_norm_grad;

static kt_status layer_norm_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    (void)want;
    if (dy[1]) return KT_FAIL(KT_EINTERNAL, "layer_norm: the statistics have no gradient");
    kt_val *in[4] = {n->in[0], n->in[1], n->out[1], dy[0]};
    kt_node *d = kt_graph_add(g, &kt_opdef_layer_norm_grad, 4, in, n->attrs);
    for (int i = 0; d && i < 3; i++) dx[i] = d->out[i];
    return g->status;
}

static kt_status layer_norm_grad_infer(const kt_node *n, kt_spec *out) {
    const kt_status st = layer_norm_check(n);
    if (st) return st;
    const kt_shape *x = &n->in[0]->spec.shape, *stats = &n->in[2]->spec.shape;
    const int64_t rows = kt_shape_range(x, 0, x->ndim - ((const layer_norm_attrs *)n->attrs)->axes);
    if (!kt_shape_equal(x, &n->in[3]->spec.shape) || stats->ndim != 2 || stats->dim[0] != rows ||
        stats->dim[1] != 2)
        return KT_FAIL(KT_ESHAPE, "layer_norm_grad: statistics or dy do not go with x");
    out[0] = n->in[0]->spec;
    out[1] = out[2] = n->in[1]->spec;
    return KT_OK;
}

static const kt_sample layer_norm_samples[] = {
    {.in = {{.dim = {5, 7}}, {.dim = {7}}, {.dim = {7}}}, .attrs = &(layer_norm_attrs){1, 1e-3}},
    {.in = {{.dim = {3, 4, 18}}, {.dim = {18}}, {.dim = {18}}},
     .attrs = &(layer_norm_attrs){1, 1e-3}},
    {.in = {{.dim = {3, 4, 5}}, {.dim = {20}}, {.dim = {20}}},
     .attrs = &(layer_norm_attrs){2, 0.1}},
    {.in = {{.dim = {19, 3}}, {.dim = {3}}, {.dim = {3}}}, .attrs = &(layer_norm_attrs){1, 0.1}},
    {.in = {{.dim = {2, 131}}, {.dim = {131}}, {.dim = {131}}},
     .attrs = &(layer_norm_attrs){1, 1e-3}},
    {.in = {{.dim = {5, 7}}, {.dim = {5}}, {.dim = {5}}},
     .attrs = &(layer_norm_attrs){1, 1e-3},
     .want = KT_ESHAPE},
    KT_SAMPLES_END};
static const kt_sample layer_norm_grad_samples[] = {
    {.in =
         {{.dim = {5, 7}}, {.dim = {7}}, {.dim = {5, 2}, .low = 0.5, .high = 1.5}, {.dim = {5, 7}}},
     .attrs = &(layer_norm_attrs){1, 1e-3}},
    {.in =
         {{.dim = {3, 4, 35}},
          {.dim = {35}},
          {.dim = {12, 2}, .low = 0.5, .high = 1.5},
          {.dim = {3, 4, 35}}},
     .attrs = &(layer_norm_attrs){1, 1e-3}},
    {.in =
         {{.dim = {19, 3}},
          {.dim = {3}},
          {.dim = {19, 2}, .low = 0.5, .high = 1.5},
          {.dim = {19, 3}}},
     .attrs = &(layer_norm_attrs){1, 1e-3}},
    {.in =
         {{.dim = {2, 131}},
          {.dim = {131}},
          {.dim = {2, 2}, .low = 0.5, .high = 1.5},
          {.dim = {2, 131}}},
     .attrs = &(layer_norm_attrs){1, 1e-3}},
    KT_SAMPLES_END};
static const kt_field layer_norm_fields[] = {
    KT_F(layer_norm_attrs, axes), KT_F(layer_norm_attrs, epsilon), KT_F_END};

const kt_opdef kt_opdef_layer_norm = {
    .name = "layer_norm",
    .n_in = 3,
    .n_out = 2,
    .n_main = 1,
    .attrs_size = sizeof(layer_norm_attrs),
    .attrs = layer_norm_fields,
    .infer = layer_norm_infer,
    .vjp = layer_norm_vjp,
    .ref = KT_REFS(layer_norm),
    .samples = layer_norm_samples,
};
const kt_opdef kt_opdef_layer_norm_grad = {
    .name = "layer_norm_grad",
    .n_in = 4,
    .n_out = 3,
    .attrs_size = sizeof(layer_norm_attrs),
    .attrs = layer_norm_fields,
    .infer = layer_norm_grad_infer,
    .ref = KT_REFS(layer_norm_grad),
    .samples = layer_norm_grad_samples,
};

kt_val *kt_g_layer_norm(
    kt_graph *g, kt_val *x, int axes, kt_val *gamma, kt_val *beta, double epsilon) {
    kt_val *in[3] = {x, gamma, beta};
    kt_node *n = kt_graph_add(g, &kt_opdef_layer_norm, 3, in, &(layer_norm_attrs){axes, epsilon});
    return n ? n->out[0] : NULL;
}
#endif
