/* sparse_xent: -log softmax(x)[label] per row of x [rows, classes], label int32 [rows].
 * Outputs: the loss [rows] and the probabilities [rows, classes] that its gradient needs.
 * sparse_xent_grad: (p - onehot(label)) dloss.
 *
 * One primitive instead of log_softmax and gather: forward and backward are one pass each, and this
 * pair ends nearly every classifier. A label outside 0 … classes-1 is an error that names row and
 * value. */
#define KT_REF_SELF "ops/sparse_xent.c"
#ifdef KT_T

static kt_status KT_REF(sparse_xent)(const kt_kargs *k) {
    const kt_shape *s = &k->node->in[0]->spec.shape;
    const int64_t rows = s->dim[0], n = s->dim[1];
    const int32_t *label = k->in[1];
    for (int64_t r = 0; r < rows; r++) {
        const T *x = (const T *)k->in[0] + r * n;
        T *p = (T *)k->out[1] + r * n, max = -INFINITY, sum = 0;
        if (label[r] < 0 || label[r] >= n) return kt_label_error(r, label[r], n);
        for (int64_t i = 0; i < n; i++) max = M(fmax)(max, x[i]);
        for (int64_t i = 0; i < n; i++) sum += p[i] = M(exp)(x[i] - max);
        for (int64_t i = 0; i < n; i++) p[i] /= sum;
        ((T *)k->out[0])[r] = M(log)(sum) - (x[label[r]] - max);
    }
    return KT_OK;
}

static kt_status KT_REF(sparse_xent_grad)(const kt_kargs *k) {
    const kt_shape *s = &k->node->in[0]->spec.shape;
    const int64_t rows = s->dim[0], n = s->dim[1];
    const int32_t *label = k->in[1];
    for (int64_t r = 0; r < rows; r++) {
        const T *p = (const T *)k->in[0] + r * n, d = ((const T *)k->in[2])[r];
        T *dx = (T *)k->out[0] + r * n;
        if (label[r] < 0 || label[r] >= n) return kt_label_error(r, label[r], n);
        for (int64_t i = 0; i < n; i++) dx[i] = (p[i] - (i == label[r])) * d;
    }
    return KT_OK;
}

#else
#include "base/error.h"
#include "ops/build.h"

kt_status kt_label_error(int64_t row, int64_t label, int64_t n_classes) {
    KT_FAIL(KT_EINVAL, "a label is out of range");
    kt_error_expected("0 to %lld (the last axis of the output)", (long long)n_classes - 1);
    kt_error_got("%lld in row %lld of the batch", (long long)label, (long long)row);
    return kt_error_hint("are there as many classes as units in the last layer?");
}

#include "ir/ref_types.h"

extern const kt_opdef kt_opdef_sparse_xent_grad;

static kt_status sparse_xent_infer(const kt_node *n, kt_spec *out) {
    const kt_spec *x = &n->in[0]->spec, *label = &n->in[1]->spec;
    if (x->shape.ndim != 2 || label->shape.ndim != 1 || label->dtype != KT_INT32 ||
        label->shape.dim[0] != x->shape.dim[0])
        return KT_FAIL(KT_ESHAPE, "sparse_xent: expected [rows, classes] and int32 [rows]");
    out[0] = (kt_spec){x->dtype, {1, {x->shape.dim[0]}}};
    out[1] = *x;
    return KT_OK;
}

/* The probabilities have no gradient of their own: they exist for this rule. */
static kt_status sparse_xent_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    (void)want;
    kt_val *in[3] = {n->out[1], n->in[1], dy[0]};
    kt_node *grad = kt_graph_add(g, &kt_opdef_sparse_xent_grad, 3, in, NULL);
    dx[0] = grad ? grad->out[0] : NULL;
    return g->status;
}

static kt_status sparse_xent_grad_infer(const kt_node *n, kt_spec *out) {
    const kt_spec *p = &n->in[0]->spec, *label = &n->in[1]->spec, *d = &n->in[2]->spec;
    *out = *p;
    if (p->shape.ndim == 2 && label->shape.ndim == 1 && label->dtype == KT_INT32 &&
        label->shape.dim[0] == p->shape.dim[0] && d->dtype == p->dtype &&
        kt_shape_equal(&d->shape, &label->shape))
        return KT_OK;
    return KT_FAIL(
        KT_ESHAPE, "sparse_xent_grad: expected [rows, classes], int32 [rows] and [rows]");
}

static const kt_sample sparse_xent_samples[] = {
    {.in = {{.dim = {3, 5}}, {.dim = {3}, .dtype = KT_INT32}}},
    {.in = {{.dim = {7, 33}}, {.dim = {7}, .dtype = KT_INT32}}},
    {.in = {{.dim = {3, 5}}, {.dim = {4}, .dtype = KT_INT32}}, .want = KT_ESHAPE},
    KT_SAMPLES_END};
static const kt_sample sparse_xent_grad_samples[] = {
    {.in = {{.dim = {3, 5}}, {.dim = {3}, .dtype = KT_INT32}, {.dim = {3}}}}, KT_SAMPLES_END};

const kt_opdef kt_opdef_sparse_xent = {
    .name = "sparse_xent",
    .n_in = 2,
    .n_out = 2,
    .n_main = 1,
    .infer = sparse_xent_infer,
    .vjp = sparse_xent_vjp,
    .ref = KT_REFS(sparse_xent),
    .samples = sparse_xent_samples,
};
const kt_opdef kt_opdef_sparse_xent_grad = {
    .name = "sparse_xent_grad",
    .n_in = 3,
    .infer = sparse_xent_grad_infer,
    .ref = KT_REFS(sparse_xent_grad),
    .samples = sparse_xent_grad_samples,
};

kt_val *kt_g_sparse_xent(kt_graph *g, kt_val *logits, kt_val *labels) {
    kt_val *in[2] = {logits, labels};
    kt_node *n = kt_graph_add(g, &kt_opdef_sparse_xent, 2, in, NULL);
    return n ? n->out[0] : NULL;
}
#endif
