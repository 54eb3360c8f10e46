/* dropout: x / (1 - rate) where the element's random number is >= rate, else 0.
 * keras.layers.Dropout uniform: random numbers in [0, 1).
 *
 * Both take an int64 scalar counter that differs from call to call. The gradient of dropout is
 * dropout of dy with the same counter: the mask is computed again instead of kept. */
#define KT_REF_SELF "ops/random.c"
#ifdef KT_T

static kt_status KT_REF(dropout)(const kt_kargs *k) {
    const random_attrs *a = k->node->attrs;
    const int64_t n = kt_shape_size(&k->node->in[0]->spec.shape);
    const uint64_t call = (uint64_t) * (const int64_t *)k->in[1];
    const T scale = (T)(1 / (1 - a->rate)), *x = k->in[0];
    const float rate = (float)a->rate;
    T *y = k->out[0];
    for (int64_t i = 0; i < n; i++)
        y[i] = kt_rng_float((uint64_t)a->key, call, (uint64_t)i) >= rate ? x[i] * scale : 0;
    return KT_OK;
}

#else
#include "base/error.h"
#include "base/rng.h"
#include "ops/build.h"

#include "ir/ref_types.h"

static kt_status counter_check(const kt_node *n, int at) {
    const kt_spec *s = &n->in[at]->spec;
    if (s->dtype == KT_INT64 && s->shape.ndim == 0) return KT_OK;
    return KT_FAIL(KT_EDTYPE, "%s: expected an int64 scalar as counter", n->op->name);
}

static kt_status dropout_infer(const kt_node *n, kt_spec *out) {
    const random_attrs *a = n->attrs;
    *out = n->in[0]->spec;
    if (!(a->rate >= 0 && a->rate < 1))
        return KT_FAIL(KT_EINVAL, "dropout: expected a rate in [0, 1), got %g", a->rate);
    return counter_check(n, 1);
}

static kt_status dropout_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    (void)want;
    const random_attrs *a = n->attrs;
    dx[0] = kt_g_dropout(g, dy[0], n->in[1], a->rate, a->key);
    return g->status;
}

static kt_status uniform_infer(const kt_node *n, kt_spec *out) {
    *out = (kt_spec){KT_FLOAT32, ((const random_attrs *)n->attrs)->shape};
    return counter_check(n, 0);
}

static kt_status uniform_ref(const kt_kargs *k) {
    const random_attrs *a = k->node->attrs;
    const int64_t n = kt_shape_size(&a->shape);
    const uint64_t call = (uint64_t) * (const int64_t *)k->in[0];
    for (int64_t i = 0; i < n; i++)
        ((float *)k->out[0])[i] = kt_rng_float((uint64_t)a->key, call, (uint64_t)i);
    return KT_OK;
}

static const kt_sample dropout_samples[] = {
    {.in = {{.dim = {5, 7}}, {.dim = {KT_SCALAR_DIM}, .dtype = KT_INT64}},
     .attrs = &(random_attrs){0.3, 42, {0}}},
    {.in = {{.dim = {3}}, {.dim = {KT_SCALAR_DIM}, .dtype = KT_INT64}},
     .attrs = &(random_attrs){1.5, 42, {0}},
     .want = KT_EINVAL},
    KT_SAMPLES_END};
static const kt_sample uniform_samples[] = {
    {.in = {{.dim = {KT_SCALAR_DIM}, .dtype = KT_INT64}},
     .attrs = &(random_attrs){0, 7, {2, {3, 5}}}},
    KT_SAMPLES_END};
static const kt_field random_fields[] = {
    KT_F(random_attrs, rate), KT_F(random_attrs, key), KT_F(random_attrs, shape), KT_F_END};

const kt_opdef kt_opdef_dropout = {
    .name = "dropout",
    .n_in = 2,
    .flags = KT_OP_RANDOM | KT_OP_INPLACE,
    .attrs_size = sizeof(random_attrs),
    .attrs = random_fields,
    .infer = dropout_infer,
    .vjp = dropout_vjp,
    .ref = KT_REFS(dropout),
    .samples = dropout_samples,
};
const kt_opdef kt_opdef_uniform = {
    .name = "uniform",
    .n_in = 1,
    .flags = KT_OP_RANDOM,
    .attrs_size = sizeof(random_attrs),
    .attrs = random_fields,
    .infer = uniform_infer,
    .ref = {uniform_ref, uniform_ref, uniform_ref},
    .samples = uniform_samples,
};

kt_val *kt_g_dropout(kt_graph *g, kt_val *x, kt_val *counter, double rate, int64_t key) {
    if (!x || rate == 0) return x;
    kt_val *in[2] = {x, counter};
    kt_node *n = kt_graph_add(g, &kt_opdef_dropout, 2, in, &(random_attrs){rate, key, {0}});
    return n ? n->out[0] : NULL;
}

kt_val *kt_g_uniform(kt_graph *g, kt_val *counter, int64_t key, kt_spec spec) {
    kt_node *n = kt_graph_add(
        g, &kt_opdef_uniform, 1, &counter, &(random_attrs){0, key, spec.shape});
    return n ? kt_g_cast(g, n->out[0], spec.dtype) : NULL;
}
#endif
