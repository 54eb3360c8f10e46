/* adam: one step of Adam over a flat array, in place.  keras.optimizers.Adam; Kingma & Ba 2014
 *
 *   m += (g - m) (1-b1);  v += (g g - v) (1-b2);  p -= m alpha / (sqrt(v) + epsilon)
 *
 * A primitive, although three fused regions could do it: it is the one pass over all weights that
 * every step pays, and a kernel of its own reads and writes each array once. Inputs p, m, v, g, s
 * with s = (alpha, 1-b1, 1-b2, epsilon); outputs p, m, v. */
#define KT_REF_SELF "ops/adam.c"
#ifdef KT_T

static kt_status KT_REF(adam)(const kt_kargs *k) {
    const int64_t n = kt_shape_size(&k->node->in[0]->spec.shape);
    const T *p = k->in[0], *m = k->in[1], *v = k->in[2], *g = k->in[3], *s = k->in[4];
    T *new_p = k->out[0], *new_m = k->out[1], *new_v = k->out[2];
    for (int64_t i = 0; i < n; i++) {
        const T mi = m[i] + (g[i] - m[i]) * s[1], vi = v[i] + (g[i] * g[i] - v[i]) * s[2];
        new_p[i] = p[i] - mi * s[0] / (M(sqrt)(vi) + s[3]);
        new_m[i] = mi;
        new_v[i] = vi;
    }
    return KT_OK;
}

#else
#include "base/error.h"
#include "ops/build.h"

#include "ir/ref_types.h"

static kt_status adam_infer(const kt_node *n, kt_spec *out) {
    for (int i = 0; i < 3; i++) out[i] = n->in[0]->spec;
    for (int i = 1; i < 4; i++)
        if (n->in[i]->spec.dtype != out->dtype ||
            !kt_shape_equal(&n->in[i]->spec.shape, &out->shape))
            return KT_FAIL(KT_ESHAPE, "adam: input %d differs from the weights", i);
    if (n->in[4]->spec.dtype != out->dtype || kt_shape_size(&n->in[4]->spec.shape) != 4)
        return KT_FAIL(KT_ESHAPE, "adam: expected four scalars as input 4");
    return KT_OK;
}

static const kt_sample adam_samples[] = {
    {.in =
         {{.dim = {37}},
          {.dim = {37}},
          {.dim = {37}, .low = 0, .high = 1},
          {.dim = {37}},
          {.dim = {4}, .low = 0.01, .high = 0.1}}},
    KT_SAMPLES_END};

const kt_opdef kt_opdef_adam = {
    .name = "adam",
    .n_in = 5,
    .n_out = 3,
    .flags = KT_OP_INPLACE,
    .infer = adam_infer,
    .ref = KT_REFS(adam),
    .samples = adam_samples,
};

bool kt_g_adam(
    kt_graph *g, kt_val *p, kt_val *m, kt_val *v, kt_val *grad, kt_val *s, kt_val *out[3]) {
    kt_val *in[5] = {p, m, v, grad, s};
    kt_node *n = kt_graph_add(g, &kt_opdef_adam, 5, in, NULL);
    for (int i = 0; i < 3; i++) out[i] = n ? n->out[i] : NULL;
    return n != NULL;
}
#endif
