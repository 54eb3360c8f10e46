/* ctc: connectionist temporal classification, -log of the probability that a row of outputs reads
 * as a row of labels when repetitions and blanks are taken out. (Graves et al., ICML 2006)
 *
 * Inputs: logp [b, t, classes], labels int32 [b, n], how many of the labels and of the time steps
 * count, int32 [b] each. Outputs: the loss [b]; its gradient by logp [b, t, classes], which the
 * same recursion gives; room for that [b, t + 2, 2 n + 1].
 *
 * A primitive because it is a recursion over states that no other op has. The states of a row are
 * blank, label 0, blank, label 1, …, blank. Labels that do not fit into the time steps have
 * probability 0: the loss is infinite and the gradient 0. */
#define KT_REF_SELF "ops/ctc.c"
#ifdef KT_T

static T KT_REF(ctc_add)(T a, T b) { /* log(e^a + e^b) */
    const T high = a > b ? a : b, low = a > b ? b : a;
    return high == -INFINITY ? high : high + M(log1p)(M(exp)(low - high));
}

/* alpha[t][s]: probability of all ways to state s at step t, what they said included. */
static T KT_REF(ctc_forward)(const ctc_row *r, const T *logp, T *alpha) {
    const int64_t states = 2 * r->n_labels + 1, w = r->width;
    if (r->n_steps == 0) return r->n_labels ? -INFINITY : 0;
    for (int64_t t = 0; t < r->n_steps; t++) {
        T *now = alpha + t * w;
        const T *before = now - w;
        for (int64_t s = 0; s < states; s++) {
            T sum = t ? before[s] : s < 2 ? 0 : -INFINITY;
            if (t && s > 0) sum = KT_REF(ctc_add)(sum, before[s - 1]);
            if (t && ctc_may_skip(r, s)) sum = KT_REF(ctc_add)(sum, before[s - 2]);
            now[s] = sum + logp[t * r->classes + ctc_symbol(r, s)];
        }
    }
    const T *last = alpha + (r->n_steps - 1) * w;
    return states > 1 ? KT_REF(ctc_add)(last[states - 1], last[states - 2]) : last[0];
}

/* beta[s]: probability of all ways on from state s, what it says itself not included. Each state
 * takes its share from the gradient. */
static void KT_REF(ctc_backward)(
    const ctc_row *r, const T *logp, const T *alpha, T total, T *beta, T *grad) {
    const int64_t states = 2 * r->n_labels + 1, w = r->width;
    for (int64_t t = r->n_steps; t-- > 0;) {
        T *now = beta + t % 2 * w;
        const T *after = beta + (t + 1) % 2 * w, *say = logp + (t + 1) * r->classes;
        for (int64_t s = 0; s < states; s++) {
            const bool end = t == r->n_steps - 1;
            T sum = end ? (s >= states - 2 ? 0 : -INFINITY) : after[s] + say[ctc_symbol(r, s)];
            if (!end && s + 1 < states)
                sum = KT_REF(ctc_add)(sum, after[s + 1] + say[ctc_symbol(r, s + 1)]);
            if (!end && s + 2 < states && ctc_may_skip(r, s + 2))
                sum = KT_REF(ctc_add)(sum, after[s + 2] + say[ctc_symbol(r, s + 2)]);
            now[s] = sum;
            grad[t * r->classes + ctc_symbol(r, s)] -= M(exp)(alpha[t * w + s] + sum - total);
        }
    }
}

static kt_status KT_REF(ctc)(const kt_kargs *k) {
    const kt_shape *x = &k->node->in[0]->spec.shape;
    const int64_t each = x->dim[1] * x->dim[2];
    memset(k->out[1], 0, sizeof(T) * (size_t)(x->dim[0] * each));
    for (int64_t b = 0; b < x->dim[0]; b++) {
        const ctc_row r = ctc_row_of(k, b);
        const T *logp = (const T *)k->in[0] + b * each;
        T *alpha = (T *)k->out[2] + b * (x->dim[1] + 2) * r.width;
        for (int64_t i = 0; i < r.n_labels; i++)
            if (r.label[i] < 0 || r.label[i] >= r.classes)
                return kt_label_error(b, r.label[i], r.classes);
        const T total = KT_REF(ctc_forward)(&r, logp, alpha);
        ((T *)k->out[0])[b] = -total;
        if (total == -INFINITY) continue;
        T *beta = alpha + x->dim[1] * r.width;
        KT_REF(ctc_backward)(&r, logp, alpha, total, beta, (T *)k->out[1] + b * each);
    }
    return KT_OK;
}

#else
#include "base/error.h"
#include "ops/build.h"

typedef struct {
    int64_t classes, n_labels, n_steps, width; /* width: states that a row has room for */
    const int32_t *label;
    int32_t blank;
} ctc_row;

static int64_t ctc_clip(int64_t v, int64_t most) { return v < 0 ? 0 : v > most ? most : v; }

static ctc_row ctc_row_of(const kt_kargs *k, int64_t b) {
    const kt_shape *x = &k->node->in[0]->spec.shape;
    const int64_t n = k->node->in[1]->spec.shape.dim[1];
    return (ctc_row){
        x->dim[2],
        ctc_clip(((const int32_t *)k->in[2])[b], n),
        ctc_clip(((const int32_t *)k->in[3])[b], x->dim[1]),
        2 * n + 1,
        (const int32_t *)k->in[1] + b * n,
        ((const ctc_attrs *)k->node->attrs)->blank};
}

static int64_t ctc_symbol(const ctc_row *r, int64_t s) {
    return s % 2 ? r->label[s / 2] : r->blank;
}

/* From one label to the next without the blank between them, unless they are the same. */
static bool ctc_may_skip(const ctc_row *r, int64_t s) {
    return s >= 2 && s % 2 && r->label[s / 2] != r->label[s / 2 - 1];
}

#include "ir/ref_types.h"

static kt_status ctc_infer(const kt_node *n, kt_spec *out) {
    const kt_spec *x = &n->in[0]->spec, *label = &n->in[1]->spec;
    const int blank = ((const ctc_attrs *)n->attrs)->blank;
    bool ok = x->shape.ndim == 3 && label->shape.ndim == 2 &&
              label->shape.dim[0] == x->shape.dim[0] && label->dtype == KT_INT32 && blank >= 0 &&
              blank < x->shape.dim[2];
    for (int i = 2; ok && i < 4; i++) {
        const kt_spec *length = &n->in[i]->spec;
        ok = length->dtype == KT_INT32 && length->shape.ndim == 1 &&
             length->shape.dim[0] == x->shape.dim[0];
    }
    if (!ok)
        return KT_FAIL(KT_ESHAPE, "ctc: expected [b, t, classes], and int32 [b, n], [b] and [b]");
    out[0] = (kt_spec){x->dtype, {1, {x->shape.dim[0]}}};
    out[1] = *x;
    out[2] = (kt_spec){
        x->dtype, {3, {x->shape.dim[0], x->shape.dim[1] + 2, 2 * label->shape.dim[1] + 1}}};
    return KT_OK;
}

static kt_status ctc_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    if (!want[0] || !dy[0]) return g->status;
    const kt_shape each = {3, {n->in[0]->spec.shape.dim[0], 1, 1}};
    dx[0] = kt_g_mul(g, n->out[1], kt_g_reshape(g, dy[0], each));
    return g->status;
}

#define LABELS(b, n)                                                                               \
    { .dim = {b, n}, .dtype = KT_INT32, .low = 1, .high = 4 }
#define LENGTHS(b, most)                                                                           \
    { .dim = {b}, .dtype = KT_INT32, .low = 0, .high = most }
static const kt_sample ctc_samples[] = {
    {.in =
         {{.dim = {3, 6, 4}},
          LABELS(3, 2),
          LENGTHS(3, 3),
          {.dim = {3}, .dtype = KT_INT32, .low = 5, .high = 7}},
     .attrs = &(ctc_attrs){0}},
    {.in =
         {{.dim = {1, 9, 5}},
          LABELS(1, 4),
          LENGTHS(1, 5),
          {.dim = {1}, .dtype = KT_INT32, .low = 9, .high = 10}},
     .attrs = &(ctc_attrs){.blank = 4}},
    {.in = {{.dim = {2, 6, 4}}, LABELS(3, 2), LENGTHS(2, 3), LENGTHS(2, 3)},
     .attrs = &(ctc_attrs){0},
     .want = KT_ESHAPE},
    {.in = {{.dim = {2, 6, 4}}, LABELS(2, 2), LENGTHS(2, 3), LENGTHS(2, 3)},
     .attrs = &(ctc_attrs){.blank = 4},
     .want = KT_ESHAPE},
    KT_SAMPLES_END};
static const kt_field ctc_fields[] = {KT_F(ctc_attrs, blank), KT_F_END};

const kt_opdef kt_opdef_ctc = {
    .name = "ctc",
    .n_in = 4,
    .n_out = 3,
    .n_main = 1,
    .attrs_size = sizeof(ctc_attrs),
    .attrs = ctc_fields,
    .infer = ctc_infer,
    .vjp = ctc_vjp,
    .ref = KT_REFS(ctc),
    .samples = ctc_samples,
};

kt_val *kt_g_ctc(
    kt_graph *g, kt_val *logp, kt_val *labels, kt_val *n_labels, kt_val *n_steps, int blank) {
    kt_val *in[4] = {logp, labels, n_labels, n_steps};
    kt_node *n = kt_graph_add(g, &kt_opdef_ctc, 4, in, &(ctc_attrs){blank});
    return n ? n->out[0] : NULL;
}
#endif
