/* kt_op_*, continued: normalizations, attention, cross-entropies: what layers and losses do with
 * weights of their own, as functions of tensors. */
#include "base/error.h"
#include "nn/symbolic/symbolic.h"

#include <keratin/ops_norms.h>
#include <keratin/runtime.h>

#include <math.h>
#include <string.h>

typedef struct {
    unsigned given; ///< bit i: argument i of the call is there
    kt_tuple axis;
    double epsilon; ///< KT_NONE_F: 1e-7
    bool rms_scaling, keepdims;
} norm_attrs;

static double epsilon_of(const norm_attrs *a) {
    return a->epsilon == KT_NONE_F ? 1e-7 : a->epsilon;
}

/* Operand `i` of the call, which stands behind those that are there; NULL: None. */
static kt_val *argument(unsigned given, kt_val **in, int i) {
    if (!(given >> i & 1)) return NULL;
    return in[__builtin_popcount(given & ((1u << i) - 1))];
}

/* A weight with fewer axes than x stands along the normalized ones. */
static kt_val *widen(kt_graph *g, kt_val *w, const kt_val *x, int bits) {
    const int ndim = x->spec.shape.ndim;
    kt_shape s = {ndim, {0}};
    if (!w || w->spec.shape.ndim == ndim || bits == 1 << (ndim - 1)) return w;
    for (int i = 0; i < ndim; i++) s.dim[i] = bits >> i & 1 ? x->spec.shape.dim[i] : 1;
    return kt_g_reshape(g, w, s);
}

/* Of the last `axes` axes: the primitive, with a gamma of ones and a beta of zeros where there are
 * none. */
static kt_val *norm_last(
    kt_graph *g, kt_val *x, int axes, kt_val *gamma, kt_val *beta, double epsilon) {
    const kt_shape *s = &x->spec.shape;
    const kt_shape flat = {1, {kt_shape_range(s, s->ndim - axes, s->ndim)}};
    const kt_spec spec = {x->spec.dtype, flat};
    gamma = gamma ? kt_g_reshape(g, gamma, flat) : kt_g_const(g, 1, spec);
    beta = beta ? kt_g_reshape(g, beta, flat) : kt_g_const(g, 0, spec);
    return gamma && beta ? kt_g_layer_norm(g, x, axes, gamma, beta, epsilon) : NULL;
}

static kt_val *scaled(kt_graph *g, kt_val *x, kt_val *factor, kt_val *gamma, kt_val *beta) {
    kt_val *y = kt_g_mul(g, x, factor);
    if (gamma) y = kt_g_mul(g, y, gamma);
    return beta ? kt_g_add(g, y, beta) : y;
}

KT_OP_BUILD(layer_norm) {
    const norm_attrs *a = attrs;
    const kt_dtype own = in[0]->spec.dtype, d = kt_op_promote(own, KT_FLOAT32);
    const int bits = kt_op_axes(g, "layer_normalization", in[0], a->axis);
    int axes = 0;
    kt_val *x = kt_g_cast(g, in[0], d), *y;
    kt_val *gamma = argument(a->given, in, 1), *beta = argument(a->given, in, 2);
    (void)n;
    if (g->status) return NULL;
    if (gamma) gamma = kt_g_cast(g, gamma, d);
    if (beta) beta = kt_g_cast(g, beta, d);
    const int ndim = x->spec.shape.ndim;
    const int64_t len = kt_shape_size(&x->spec.shape);
    while (axes < ndim && bits >> (ndim - 1 - axes) & 1) axes++;
    const int64_t row = kt_shape_range(&x->spec.shape, ndim - axes, ndim);
    const bool fits = (!gamma || kt_shape_size(&gamma->spec.shape) == row) &&
                      (!beta || kt_shape_size(&beta->spec.shape) == row);
    if (!a->rms_scaling && __builtin_popcount((unsigned)bits) == axes && fits && len) {
        y = norm_last(g, x, axes, gamma, beta, epsilon_of(a));
        return kt_g_cast(g, y, own);
    }
    kt_val *off = kt_g_sub(g, x, kt_g_mean(g, x, bits, true));
    kt_val *variance = kt_g_mean(g, kt_g_square(g, off), bits, true);
    kt_val *factor = kt_g_rsqrt(g, kt_g_shift(g, variance, epsilon_of(a)));
    gamma = widen(g, gamma, x, bits);
    beta = widen(g, beta, x, bits);
    y = a->rms_scaling ? scaled(g, x, factor, gamma, NULL) : scaled(g, off, factor, gamma, beta);
    return kt_g_cast(g, y, own);
}

KT_OP_BUILD(rms_norm) {
    const norm_attrs *a = attrs;
    const kt_dtype own = in[0]->spec.dtype, d = kt_op_promote(own, KT_FLOAT32);
    const int bits = kt_op_axes(g, "rms_normalization", in[0], a->axis);
    kt_val *x = kt_g_cast(g, in[0], d), *scale = argument(a->given, in, 1);
    (void)n;
    if (g->status) return NULL;
    kt_val *power = kt_g_mean(g, kt_g_square(g, x), bits, true);
    if (scale) scale = kt_g_cast(g, scale, d);
    kt_val *y = scaled(g, x, kt_g_rsqrt(g, kt_g_shift(g, power, epsilon_of(a))), scale, NULL);
    return kt_g_cast(g, y, own);
}

KT_OP_BUILD(batch_norm) {
    const norm_attrs *a = attrs;
    kt_val *x = in[0], *w[4];
    const int axis = kt_op_axis(g, "batch_normalization", a->axis, x->spec.shape.ndim);
    (void)n;
    if (axis < 0) return NULL;
    kt_shape s = {x->spec.shape.ndim, {0}};
    for (int i = 0; i < s.ndim; i++) s.dim[i] = i == axis ? x->spec.shape.dim[i] : 1;
    for (int i = 0; i < 4; i++) { /* mean, variance, offset, scale */
        w[i] = argument(a->given, in, i + 1);
        if (w[i]) w[i] = kt_g_reshape(g, kt_g_cast(g, w[i], x->spec.dtype), s);
        if (i < 2 && !w[i]) return NULL;
    }
    kt_val *factor = kt_g_rsqrt(g, kt_g_shift(g, w[1], epsilon_of(a)));
    return scaled(g, kt_g_sub(g, x, w[0]), factor, w[3], w[2]);
}

/* Of float16: computed in float32, and brought to what the type holds. */
static kt_val *back_to(kt_graph *g, kt_val *x, kt_dtype own) {
    return kt_g_cast(g, own == KT_FLOAT16 ? kt_g_clip(g, x, -65504, 65504) : x, own);
}

static int moments_outputs(kt_graph *g, int n, kt_val **in, const void *attrs, kt_val **out) {
    const norm_attrs *a = attrs;
    kt_val *x = kt_op_floats(g, in[0]);
    const int bits = x ? kt_op_axes(g, "moments", x, a->axis) : 0;
    (void)n;
    if (g->status) return 0;
    const kt_dtype own = x->spec.dtype;
    if (own == KT_FLOAT16) x = kt_g_cast(g, x, KT_FLOAT32);
    out[0] = back_to(g, kt_g_mean(g, x, bits, a->keepdims), own);
    kt_val *off = kt_g_sub(g, x, kt_g_stop_gradient(g, kt_g_mean(g, x, bits, true)));
    out[1] = back_to(g, kt_g_mean(g, kt_g_square(g, off), bits, a->keepdims), own);
    return 2;
}

static const kt_op_class
    layer_norm_class = {"LayerNorm", sizeof(norm_attrs), layer_norm_build, NULL},
    rms_norm_class = {"RMSNorm", sizeof(norm_attrs), rms_norm_build, NULL},
    batch_norm_class = {"BatchNorm", sizeof(norm_attrs), batch_norm_build, NULL},
    moments_class = {"Moments", sizeof(norm_attrs), NULL, moments_outputs};

/* Operands that are there, in order; bit i of *given for each. */
static int present(int n, kt_sym *const *all, kt_sym **in, unsigned *given) {
    int count = 0;
    *given = 0;
    for (int i = 0; i < n; i++)
        if (all[i]) {
            *given |= 1u << i;
            in[count++] = all[i];
        }
    return count;
}
static kt_sym *norm(
    const kt_op_class *op,
    int n,
    kt_sym *const *all,
    kt_tuple axis,
    double epsilon,
    bool keepdims) {
    kt_sym *in[5];
    norm_attrs a;
    memset(&a, 0, sizeof a);
    const int count = present(n, all, in, &a.given);
    a.axis = axis;
    a.epsilon = epsilon;
    a.keepdims = keepdims;
    if (!all[0]) return kt_fail_object(KT_FAIL(KT_EINVAL, "%s: expected a tensor", op->name));
    return kt_op_apply(op, count, in, &a);
}
kt_sym *kt_op_layer_normalization(
    kt_sym *x, kt_sym *gamma, kt_sym *beta, kt_tuple axis, double epsilon) {
    return norm(&layer_norm_class, 3, (kt_sym *[]){x, gamma, beta}, axis, epsilon, false);
}
kt_sym *kt_op_rms_normalization(kt_sym *x, kt_sym *scale, kt_tuple axis, double epsilon) {
    return norm(&rms_norm_class, 2, (kt_sym *[]){x, scale}, axis, epsilon, false);
}
kt_sym *kt_op_batch_normalization(
    kt_sym *x,
    kt_sym *mean,
    kt_sym *variance,
    int axis,
    kt_sym *offset,
    kt_sym *scale,
    double epsilon) {
    kt_sym *all[5] = {x, mean, variance, offset, scale};
    if (!mean || !variance)
        return kt_fail_object(
            KT_FAIL(KT_EINVAL, "batch_normalization: expected a mean and a variance"));
    return norm(&batch_norm_class, 5, all, axis, epsilon, false);
}
kt_sym *kt_op_moments(kt_sym *x, kt_tuple axes, bool keepdims) {
    return norm(&moments_class, 1, &x, axes, 0, keepdims);
}

/* Attention ------------------------------------------------------------------------------------ */

typedef struct {
    unsigned given; ///< bias: 3, mask: 4
    double scale;   ///< KT_NONE_F: 1 / sqrt(dim)
    bool is_causal;
} dot_attention_attrs;

/* With a bias: its scores are computed. */
static kt_val *biased(
    kt_graph *g, kt_val **qkv, kt_val *bias, kt_val *mask, double scale, bool causal) {
    kt_val *s = kt_g_scale(g, kt_g_einsum(g, "btnh,bsnh->bnts", qkv[0], qkv[1]), scale);
    if (!s) return NULL;
    s = kt_g_add(g, s, kt_g_cast(g, bias, s->spec.dtype));
    if (!s) return NULL;
    const int64_t t = s->spec.shape.dim[2], len = s->spec.shape.dim[3];
    kt_val *low = kt_g_num(g, ATTENTION_MASKED, s);
    if (mask) s = kt_g_select(g, mask, s, low);
    if (causal) {
        unsigned char *seen = kt_arena_alloc(g->arena, (size_t)(t * len) + 1);
        if (!seen) return kt_graph_fail(g, KT_ENOMEM);
        for (int64_t i = 0; i < t * len; i++) seen[i] = i % len <= i / len;
        s = kt_g_select(g, kt_g_array(g, seen, (kt_spec){KT_BOOL, {2, {t, len}}}), s, low);
    }
    return kt_g_einsum(g, "bnts,bsnh->btnh", kt_g_softmax(g, s, 3), qkv[2]);
}

KT_OP_BUILD(attention) {
    const dot_attention_attrs *a = attrs;
    const kt_shape *q = &in[0]->spec.shape;
    kt_val *bias = argument(a->given, in, 3), *mask = argument(a->given, in, 4), *qkv[3];
    kt_dtype d = kt_op_promote(in[0]->spec.dtype, in[1]->spec.dtype);
    d = kt_op_promote(d, in[2]->spec.dtype);
    (void)n;
    for (int i = 0; i < 3; i++)
        if (!(qkv[i] = kt_g_cast(g, in[i], d))) return NULL;
    if (mask && !(mask = kt_op_truth(g, mask))) return NULL;
    const double dim = q->ndim && q->dim[q->ndim - 1] > 0 ? (double)q->dim[q->ndim - 1] : 1;
    const double scale = a->scale != KT_NONE_F ? a->scale : 1 / sqrt(dim);
    if (bias) return biased(g, qkv, bias, mask, scale, a->is_causal);
    return kt_g_attention(g, qkv[0], qkv[1], qkv[2], mask, scale, a->is_causal);
}
static const kt_op_class attention_class = {
    "DotProductAttention", sizeof(dot_attention_attrs), attention_build, NULL};
kt_sym *kt_op_dot_product_attention(
    kt_sym *query, kt_sym *key, kt_sym *value, kt_sym *mask, double scale, bool is_causal) {
    kt_sym *in[4] = {query, key, value, mask};
    dot_attention_attrs a;
    memset(&a, 0, sizeof a);
    a.given = mask ? 7 | 16 : 7;
    a.scale = scale;
    a.is_causal = is_causal;
    return kt_op_apply(&attention_class, mask ? 4 : 3, in, &a);
}

/* Cross-entropies ------------------------------------------------------------------------------ */

typedef struct {
    bool from_logits;
    int axis;
} entropy_attrs;

static kt_val *clipped(kt_graph *g, kt_val *p) { return kt_g_clip(g, p, 1e-7, 1 - 1e-7); }

KT_OP_BUILD(binary_crossentropy) {
    (void)n;
    if (!kt_op_pair(g, in, true)) return NULL;
    kt_val *t = in[0], *p = in[1];
    if (((const entropy_attrs *)attrs)->from_logits)
        return kt_g_sub(g, kt_g_softplus(g, p), kt_g_mul(g, p, t));
    p = clipped(g, p);
    kt_val *yes = kt_g_mul(g, t, kt_g_log(g, p));
    kt_val *not_t = kt_g_shift(g, kt_g_neg(g, t), 1), *not_p = kt_g_shift(g, kt_g_neg(g, p), 1);
    return kt_g_neg(g, kt_g_add(g, yes, kt_g_mul(g, not_t, kt_g_log(g, not_p))));
}

/* -sum t log p over the classes. */
static kt_val *entropy(
    kt_graph *g, kt_val *t, kt_val *p, const entropy_attrs *a, bool rescale, const char *op) {
    const int axis = kt_op_axis(g, op, a->axis, p->spec.shape.ndim);
    if (axis < 0) return NULL;
    if (!a->from_logits && rescale) p = kt_g_div(g, p, kt_g_sum(g, p, 1 << axis, true));
    p = a->from_logits ? kt_g_log_softmax(g, p, axis) : kt_g_log(g, clipped(g, p));
    kt_val *y = kt_g_mul(g, t, p);
    return y ? kt_g_neg(g, kt_g_sum(g, y, 1 << axis, false)) : NULL;
}
KT_OP_BUILD(categorical_crossentropy) {
    (void)n;
    if (!kt_op_pair(g, in, true)) return NULL;
    return entropy(g, in[0], in[1], attrs, true, "categorical_crossentropy");
}
KT_OP_BUILD(sparse_categorical_crossentropy) {
    kt_val *labels = in[0], *p = kt_op_floats(g, in[1]);
    (void)n;
    if (!p || p->spec.shape.ndim == 0) return NULL;
    const int ndim = p->spec.shape.ndim;
    if (labels->spec.shape.ndim == ndim && labels->spec.shape.dim[ndim - 1] == 1)
        labels = kt_g_squeeze(g, labels, -1);
    labels = kt_g_cast(g, labels, KT_INT32);
    kt_val *t = kt_g_one_hot(g, labels, p->spec.shape.dim[ndim - 1], p->spec.dtype);
    /* TensorFlow takes log(p) as logits: the softmax is what rescales */
    const entropy_attrs logits = {true, -1};
    if (!((const entropy_attrs *)attrs)->from_logits) p = kt_g_log(g, clipped(g, p));
    return t && p ? entropy(g, t, p, &logits, false, "sparse_categorical_crossentropy") : NULL;
}
#define ENTROPY(fn, camel)                                                                         \
    static const kt_op_class fn##_class = {camel, sizeof(entropy_attrs), fn##_build, NULL};        \
    kt_sym *kt_op_##fn(kt_sym *target, kt_sym *output, bool from_logits) {                         \
        kt_sym *in[2] = {target, output};                                                          \
        entropy_attrs a;                                                                           \
        memset(&a, 0, sizeof a);                                                                   \
        a.from_logits = from_logits;                                                               \
        a.axis = -1;                                                                               \
        return kt_op_apply(&fn##_class, 2, in, &a);                                                \
    }
ENTROPY(binary_crossentropy, "BinaryCrossentropy")
ENTROPY(categorical_crossentropy, "CategoricalCrossentropy")
ENTROPY(sparse_categorical_crossentropy, "SparseCategoricalCrossentropy")

typedef struct {
    int64_t axis, order;
    double epsilon;
} normalize_attrs;

/* x / max(norm, epsilon), epsilon 1e-7 (None). */
static kt_val *normalize_build(kt_graph *g, int n, kt_val **in, const void *attrs) {
    const normalize_attrs *a = attrs;
    (void)n;
    kt_val *x = kt_op_floats(g, in[0]);
    const int axis = kt_op_axis(g, "normalize", a->axis, x ? x->spec.shape.ndim : 0);
    if (axis < 0) return NULL;
    if (a->order != 1 && a->order != 2)
        return kt_graph_fail(
            g, KT_FAIL(KT_EUNSUPPORTED, "normalize: order %lld", (long long)a->order));
    const double epsilon = a->epsilon == KT_NONE_F ? 1e-7 : a->epsilon;
    const bool square = a->order == 2;
    kt_val *parts = square ? kt_g_square(g, x) : kt_g_abs(g, x);
    kt_val *sum = kt_g_sum(g, parts, 1 << axis, true);
    if (!sum) return NULL;
    sum = kt_g_maximum(g, sum, kt_g_num(g, square ? epsilon * epsilon : epsilon, sum));
    return square ? kt_g_mul(g, x, kt_g_rsqrt(g, sum)) : kt_g_div(g, x, sum);
}
static const kt_op_class normalize_class = {
    "Normalize", sizeof(normalize_attrs), normalize_build, NULL};
kt_sym *kt_op_normalize(kt_sym *x, int axis, int order, double epsilon) {
    return kt_op_apply(&normalize_class, 1, &x, &(normalize_attrs){axis, order, epsilon});
}

/* Files ---------------------------------------------------------------------------------------- */

static const kt_field layer_norm_fields[] = {
    KT_F(norm_attrs, axis), KT_F(norm_attrs, epsilon), KT_F(norm_attrs, rms_scaling), KT_F_END};
static const kt_field norm_fields[] = {KT_F(norm_attrs, axis), KT_F(norm_attrs, epsilon), KT_F_END};
static const kt_field moments_fields[] = {
    KT_F_NAMED(norm_attrs, axis, "axes", KT_FIELD_INT64), KT_F(norm_attrs, keepdims), KT_F_END};
static const kt_field attention_fields[] = {
    KT_F(dot_attention_attrs, is_causal), KT_F(dot_attention_attrs, scale), KT_F_END};
static const kt_field binary_fields[] = {KT_F(entropy_attrs, from_logits), KT_F_END};
static const kt_field entropy_fields[] = {
    KT_F(entropy_attrs, from_logits), KT_F(entropy_attrs, axis), KT_F_END};
static const kt_field normalize_fields[] = {
    KT_F(normalize_attrs, axis),
    KT_F(normalize_attrs, order),
    KT_F(normalize_attrs, epsilon),
    KT_F_END};

const kt_op_form kt_op_forms_norms[] = {
    {&normalize_class, "nn", 1, normalize_fields, NULL, NULL},
    {&layer_norm_class, "nn", 1, layer_norm_fields, NULL, "x gamma? beta?"},
    {&rms_norm_class, "nn", 1, norm_fields, NULL, "x * scale?"},
    {&batch_norm_class, "nn", 3, norm_fields, NULL, "x mean variance offset? scale?"},
    {&moments_class, "nn", 1, moments_fields, NULL, NULL},
    {&attention_class, "nn", 3, attention_fields, NULL, "query key value * bias? mask? scale"},
    {&binary_crossentropy_class, "nn", 2, binary_fields, NULL, NULL},
    {&categorical_crossentropy_class, "nn", 2, entropy_fields, NULL, NULL},
    {&sparse_categorical_crossentropy_class, "nn", 2, entropy_fields, NULL, NULL},
    {NULL, NULL, 0, NULL, NULL, NULL}};
