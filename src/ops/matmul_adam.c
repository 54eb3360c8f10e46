/* matmul_adam: a matrix product that is a weight's gradient, and the step of Adam with it, in one
 * go. keras.optimizers.Adam on the kernel of a Dense layer
 *
 *   g = op(A) op(B);  m += (g - m) (1-b1);  v += (g g - v) (1-b2);  p -= m alpha / (sqrt(v) +
 *   epsilon)
 *
 * A primitive because the gradient never needs to reach memory: an engine updates a block of the
 * weights as soon as it has its gradient. The pass fuse_adam makes it; layers and optimizers do not
 * know it. Inputs p, m, v (flat), A, B, s with s = (alpha, 1-b1, 1-b2, epsilon); outputs p, m,
 * v. */
#define KT_REF_SELF "ops/matmul_adam.c"
#ifdef KT_T

static T KT_REF(product_cell)(
    const matmul_attrs *at, const kt_node *n, const T *a, const T *b, int64_t i, int64_t j) {
    const kt_shape *sa = &n->in[3]->spec.shape, *sb = &n->in[4]->spec.shape;
    const int64_t depth = sa->dim[at->ta ? 0 : 1];
    T sum = 0;
    for (int64_t k = 0; k < depth; k++)
        sum += a[at->ta ? k * sa->dim[1] + i : i * sa->dim[1] + k] *
               b[at->tb ? j * sb->dim[1] + k : k * sb->dim[1] + j];
    return sum;
}

static kt_status KT_REF(matmul_adam)(const kt_kargs *k) {
    const matmul_attrs *at = k->node->attrs;
    const kt_shape *sb = &k->node->in[4]->spec.shape;
    const int64_t n = kt_shape_size(&k->node->in[0]->spec.shape), columns = sb->dim[at->tb ? 0 : 1];
    const T *p = k->in[0], *m = k->in[1], *v = k->in[2], *s = k->in[5];
    T *new_p = k->out[0], *new_m = k->out[1], *new_v = k->out[2];
    for (int64_t i = 0; i < n; i++) {
        const T g = KT_REF(product_cell)(at, k->node, k->in[3], k->in[4], i / columns, i % columns);
        const T mi = m[i] + (g - m[i]) * s[1], vi = v[i] + (g * g - v[i]) * s[2];
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

static kt_status matmul_adam_infer(const kt_node *n, kt_spec *out) {
    const matmul_attrs *at = n->attrs;
    const kt_shape *a = &n->in[3]->spec.shape, *b = &n->in[4]->spec.shape;
    const bool ok = a->ndim == 2 && b->ndim == 2 && a->dim[!at->ta] == b->dim[at->tb];
    if (kt_shape_size(&n->in[5]->spec.shape) != 4)
        return KT_FAIL(KT_ESHAPE, "matmul_adam: expected 4 scalars");
    const int64_t size = ok ? a->dim[at->ta] * b->dim[!at->tb] : -1;
    for (int i = 0; i < 3; i++) {
        out[i] = n->in[i]->spec;
        if (!ok || out[i].dtype != n->in[3]->spec.dtype || kt_shape_size(&out[i].shape) != size)
            return KT_FAIL(KT_ESHAPE, "matmul_adam: input %d does not fit the product", i);
    }
    return KT_OK;
}

#define SQUARES                                                                                    \
    { .dim = {35}, .low = 0, .high = 1 }
#define SCALARS                                                                                    \
    { .dim = {4}, .low = 0.01, .high = 0.1 }
static const kt_sample matmul_adam_samples[] = {
    {.in = {{.dim = {35}}, {.dim = {35}}, SQUARES, {.dim = {3, 5}}, {.dim = {3, 7}}, SCALARS},
     .attrs = &(matmul_attrs){.ta = true}},
    {.in = {{.dim = {35}}, {.dim = {35}}, SQUARES, {.dim = {5, 3}}, {.dim = {7, 3}}, SCALARS},
     .attrs = &(matmul_attrs){.tb = true}},
    {.in = {{.dim = {36}}, {.dim = {35}}, SQUARES, {.dim = {3, 5}}, {.dim = {3, 7}}, SCALARS},
     .attrs = &(matmul_attrs){.ta = true},
     .want = KT_ESHAPE},
    KT_SAMPLES_END};
static const kt_field matmul_adam_fields[] = {
    KT_F(matmul_attrs, ta), KT_F(matmul_attrs, tb), KT_F_END};

const kt_opdef kt_opdef_matmul_adam = {
    .name = "matmul_adam",
    .n_in = 6,
    .n_out = 3,
    .flags = KT_OP_INPLACE,
    .attrs_size = sizeof(matmul_attrs),
    .attrs = matmul_adam_fields,
    .infer = matmul_adam_infer,
    .ref = KT_REFS(matmul_adam),
    .samples = matmul_adam_samples,
};
#endif
