/* simple_rnn, gru, lstm: a recurrent layer over a whole sequence, and the gradients.
 * keras.layers.SimpleRNN, GRU (reset_after), LSTM with their default activations
 *
 * Inputs: x [b, t, f], kernel [f, gates u], r [u, gates u], bias [gates u], h [b, u]; gru: bias of
 * the recurrent product [gates u]; lstm: c [b, u]; last, if there is one, mask bool [b, t]. Gates
 * are in Keras' order; with z = x kernel + bias:
 *
 *     simple_rnn  h = tanh(z + h r)
 *     gru         z, r = sigmoid; n = tanh(zn + r (h rn + bias n)); h = z h + (1 - z) n
 *     lstm        i, f, o = sigmoid, g = tanh; c = f c + i g; h = o tanh(c)
 *
 * A masked step carries the state over. Its output is the output before it (0 in the beginning), or
 * 0 with zero_masked. Outputs: y, h at the end; lstm: c at the end; then what the gradient needs,
 * time first: [t, b, ...] the gates after their activation; h before the steps 0, 8, 16 … of the
 * loop (RNN_SEGMENT), [t / 8, b, u]; gru: h rn + bias n, [t, b, u]; lstm: c as h. So what a step
 * needs lies together, and the states between come from the gates once more. With `forget` (the
 * pass of that name sets it) no states are kept, and of the others the last step of the loop.
 *
 * The gradients give those of all inputs, in their order. They are primitives because nothing else
 * keeps the loop inside one kernel: state and the gradients of the gates in the caches, weights
 * packed once. */
#define KT_REF_SELF "ops/rnn.c"
#ifdef KT_T

static T KT_REF(sigmoid_of)(T x) { return 1 / (1 + M(exp)(-x)); }

/* to[j] = start[j] + h r[:, j] for all gates; start NULL: 0 */
static void KT_REF(times_r)(
    const rnn_dims *d, int64_t n, const T *h, const T *r, const T *start, T *to) {
    for (int64_t j = 0; j < d->gu; j++) {
        T s = 0;
        for (int64_t i = 0; i < n; i++) s += h[i] * r[i * d->gu + j];
        to[j] = start ? start[j] + s : s;
    }
}

/* The states after a step from its gates. */
static void KT_REF(states)(const rnn_dims *d, const T *gates, T *h, T *c) {
    const int64_t u = d->u;
    for (int64_t j = 0; j < u; j++) {
        const T i = gates[j];
        if (d->kind == RNN_SIMPLE) {
            h[j] = i;
        } else if (d->kind == RNN_GRU) {
            h[j] = i * h[j] + (1 - i) * gates[2 * u + j];
        } else {
            c[j] = gates[u + j] * c[j] + i * gates[2 * u + j];
            h[j] = gates[3 * u + j] * M(tanh)(c[j]);
        }
    }
}

/* One step of one row: `gates` holds z and becomes the gates, `sum` holds h r. */
static void KT_REF(cell)(const rnn_dims *d, T *gates, const T *sum, const T *bias, T *inner) {
    const int64_t u = d->u;
    for (int64_t j = 0; j < u; j++) {
        if (d->kind == RNN_SIMPLE) {
            gates[j] = M(tanh)(gates[j] + sum[j]);
        } else if (d->kind == RNN_GRU) {
            const T z = KT_REF(sigmoid_of)(gates[j] + (sum[j] + bias[j]));
            const T r = KT_REF(sigmoid_of)(gates[u + j] + (sum[u + j] + bias[u + j]));
            inner[j] = sum[2 * u + j] + bias[2 * u + j];
            const T n = M(tanh)(gates[2 * u + j] + r * inner[j]);
            gates[j] = z, gates[u + j] = r, gates[2 * u + j] = n;
        } else {
            const T i = KT_REF(sigmoid_of)(gates[j] + sum[j]);
            const T f = KT_REF(sigmoid_of)(gates[u + j] + sum[u + j]);
            const T g = M(tanh)(gates[2 * u + j] + sum[2 * u + j]);
            const T o = KT_REF(sigmoid_of)(gates[3 * u + j] + sum[3 * u + j]);
            gates[j] = i, gates[u + j] = f, gates[2 * u + j] = g, gates[3 * u + j] = o;
        }
    }
}

static kt_status KT_REF(rnn)(const kt_kargs *k) {
    const rnn_attrs *a = k->node->attrs;
    const rnn_dims d = rnn_dims_of(k->node);
    const uint8_t *mask = rnn_mask(k);
    const size_t row = sizeof(T) * (size_t)d.u;
    const T *x = k->in[0], *r = k->in[2], *bias = d.kind == RNN_GRU ? k->in[5] : NULL;
    const int at_gates = rnn_gates_out(d.kind);
    T *y = k->out[0], *gates = k->out[at_gates], *before = k->out[at_gates + 1], *zero = NULL;
    T *extra = d.kind == RNN_SIMPLE ? NULL : k->out[at_gates + 2];
    T *c_end = d.kind == RNN_LSTM ? k->out[2] : NULL;
    T *sum = kt_alloc_array(d.gu + 2 * d.u + 1, sizeof *sum);
    if (!sum) return KT_ENOMEM;
    zero = sum + d.gu;
    if (d.t == 0 && !a->sequences) memset(y, 0, row * (size_t)d.b);
    for (int64_t b = 0; b < d.b; b++) {
        T *h = (T *)k->out[1] + b * d.u, *c = c_end ? c_end + b * d.u : zero + d.u;
        bool seen = false;
        memcpy(h, (const T *)k->in[4] + b * d.u, row);
        if (c_end) memcpy(c, (const T *)k->in[5] + b * d.u, row);
        for (int64_t s = 0; s < d.t; s++) {
            const int64_t time = a->backwards ? d.t - 1 - s : s;
            const int64_t at = (a->forget ? 0 : time) * d.b + b;
            const bool valid = !mask || mask[b * d.t + time], kept = !a->forget;
            const int64_t keep = (s / RNN_SEGMENT * d.b + b) * d.u;
            T *in = d.kind == RNN_GRU ? extra + at * d.u : zero;
            if (kept && s % RNN_SEGMENT == 0) memcpy(before + keep, h, row);
            if (kept && s % RNN_SEGMENT == 0 && c_end) memcpy(extra + keep, c, row);
            KT_REF(times_r)
            (&d, d.f, x + (b * d.t + time) * d.f, k->in[1], k->in[3], gates + at * d.gu);
            KT_REF(times_r)(&d, d.u, h, r, NULL, sum);
            KT_REF(cell)(&d, gates + at * d.gu, sum, bias, in);
            if (valid) KT_REF(states)(&d, gates + at * d.gu, h, c);
            seen = seen || valid;
            const bool out = a->zero_masked ? valid : seen;
            T *to = y + (a->sequences ? b * d.t + s : b) * d.u;
            for (int64_t j = 0; j < d.u; j++) to[j] = out ? h[j] : 0;
        }
    }
    kt_mem_free(sum);
    return KT_OK;
}

/* One step back of one row: `dz` holds the gates and becomes their gradient; dh becomes what does
 * not go through the recurrent product, dc what goes to the step before. */
static void KT_REF(cell_grad)(
    const rnn_dims *d, T *dz, const T *h, const T *extra, T *inner, T *dh, T *dc) {
    const int64_t u = d->u;
    for (int64_t j = 0; j < u; j++) {
        if (d->kind == RNN_SIMPLE) {
            inner[j] = dz[j] = dh[j] * (1 - dz[j] * dz[j]);
            dh[j] = 0;
        } else if (d->kind == RNN_GRU) {
            const T z = dz[j], r = dz[u + j], n = dz[2 * u + j];
            const T dn = dh[j] * (1 - z) * (1 - n * n);
            inner[j] = dz[j] = dh[j] * (h[j] - n) * z * (1 - z);
            inner[u + j] = dz[u + j] = dn * extra[j] * r * (1 - r);
            dz[2 * u + j] = dn;
            inner[2 * u + j] = dn * r;
            dh[j] *= z;
        } else {
            const T i = dz[j], f = dz[u + j], g = dz[2 * u + j], o = dz[3 * u + j];
            const T tc = M(tanh)(f * extra[j] + i * g);
            const T d_c = dc[j] + dh[j] * o * (1 - tc * tc);
            inner[j] = dz[j] = d_c * g * i * (1 - i);
            inner[u + j] = dz[u + j] = d_c * extra[j] * f * (1 - f);
            inner[2 * u + j] = dz[2 * u + j] = d_c * i * (1 - g * g);
            inner[3 * u + j] = dz[3 * u + j] = dh[j] * tc * o * (1 - o);
            dc[j] = d_c * f;
            dh[j] = 0;
        }
    }
}

/* dh += dz r^T, dr += h^T dz for a matrix of n rows, dbias += dz; dh, dbias NULL: not wanted.
 * Without add dh = dz r^T, which may lie where h is. */
static void KT_REF(product_grad)(
    const rnn_dims *d,
    int64_t n,
    const T *h,
    const T *r,
    const T *dz,
    bool add,
    T *dh,
    T *dr,
    T *dbias) {
    for (int64_t i = 0; i < n; i++) {
        T s = 0;
        for (int64_t j = 0; j < d->gu; j++) {
            s += dz[j] * r[i * d->gu + j];
            dr[i * d->gu + j] += h[i] * dz[j];
        }
        if (dh) dh[i] = add ? dh[i] + s : s;
    }
    for (int64_t j = 0; dbias && j < d->gu; j++) dbias[j] += dz[j];
}

/* The states of row b before every step, h and c one after the other. */
static void KT_REF(replay)(const kt_kargs *k, const rnn_dims *d, int64_t b, T *h) {
    const rnn_attrs *a = k->node->attrs;
    const uint8_t *mask = rnn_mask(k);
    const T *kept = k->in[4], *kept_c = d->kind == RNN_LSTM ? k->in[7] : kept;
    const size_t row = sizeof(T) * (size_t)d->u;
    for (int64_t s = 0; s < d->t; s++, h += 2 * d->u) {
        const int64_t time = a->backwards ? d->t - s : s - 1; /* of the step before */
        const int64_t at = (s / RNN_SEGMENT * d->b + b) * d->u;
        if (s % RNN_SEGMENT == 0) {
            memcpy(h, kept + at, row);
            memcpy(h + d->u, kept_c + at, row);
            continue;
        }
        memcpy(h, h - 2 * d->u, 2 * row);
        if (!mask || mask[b * d->t + time])
            KT_REF(states)(d, (const T *)k->in[3] + (time * d->b + b) * d->gu, h, h + d->u);
    }
}

/* All that one row of the batch gives, the states' gradients in dh, dc; tmp: gates and states. */
static void KT_REF(row_grad)(const kt_kargs *k, int64_t b, T *dh, T *dc, T *tmp) {
    const rnn_attrs *a = k->node->attrs;
    const rnn_dims d = rnn_dims_of(k->node);
    const uint8_t *mask = rnn_mask(k);
    const size_t wide = sizeof(T) * (size_t)d.gu;
    const T *x = k->in[0], *gates = k->in[3], *dy = k->in[5];
    T *dx = a->no_dx ? NULL : k->out[0], *dz = tmp, *inner = tmp + d.gu;
    T *states = tmp + 2 * d.gu + d.u;
    const int64_t first = rnn_first(&d, a, mask, b);
    KT_REF(replay)(k, &d, b, states);
    for (int64_t s = d.t; s-- > 0;) {
        const int64_t time = a->backwards ? d.t - 1 - s : s, at = time * d.b + b;
        const bool valid = !mask || mask[b * d.t + time];
        const bool out = a->zero_masked ? valid : s >= first;
        const T *from = dy + (a->sequences ? b * d.t + s : b) * d.u;
        if (out && (a->sequences || s == d.t - 1))
            for (int64_t j = 0; j < d.u; j++) dh[j] += from[j];
        const int64_t row = (b * d.t + time) * d.f;
        T *to = dx ? dx + row : NULL;
        if (!valid && dx) memset(to, 0, sizeof(T) * (size_t)d.f);
        if (!valid) continue;
        memcpy(dz, gates + at * d.gu, wide);
        const T *h = states + s * 2 * d.u;
        const T *extra = d.kind == RNN_GRU ? (const T *)k->in[7] + at * d.u : h + d.u;
        KT_REF(cell_grad)(&d, dz, h, extra, inner, dh, dc);
        KT_REF(product_grad)
        (&d, d.u, h, k->in[2], inner, true, dh, k->out[2], d.kind == RNN_GRU ? k->out[5] : NULL);
        KT_REF(product_grad)(&d, d.f, x + row, k->in[1], dz, false, to, k->out[1], k->out[3]);
    }
}

static kt_status KT_REF(rnn_grad)(const kt_kargs *k) {
    const rnn_dims d = rnn_dims_of(k->node);
    const size_t row = sizeof(T) * (size_t)d.u;
    T *tmp = kt_alloc_array(2 * d.gu + (2 * d.t + 1) * d.u + 1, sizeof *tmp);
    if (!tmp) return KT_ENOMEM;
    for (int i = 1; i < k->node->n_out; i++)
        memset(k->out[i], 0, sizeof(T) * (size_t)kt_shape_size(&k->node->out[i]->spec.shape));
    for (int64_t b = 0; b < d.b; b++) {
        T *dh = (T *)k->out[4] + b * d.u;
        T *dc = d.kind == RNN_LSTM ? (T *)k->out[5] + b * d.u : tmp + 2 * d.gu;
        memcpy(dh, (const T *)k->in[6] + b * d.u, row);
        if (d.kind == RNN_LSTM) memcpy(dc, (const T *)k->in[8] + b * d.u, row);
        KT_REF(row_grad)(k, b, dh, dc, tmp);
    }
    kt_mem_free(tmp);
    return KT_OK;
}

#else
#include "ir/rnn.h"
#include "base/error.h"
#include "base/mem.h"
#include "ops/build.h"

#include "ir/ref_types.h"

static kt_status rnn_shape_error(const kt_node *n, int i, const char *expected) {
    char s[KT_SHAPE_STR];
    KT_FAIL(KT_ESHAPE, "%s: operand %d has another form", n->op->name, i);
    kt_error_expected("%s", expected);
    return kt_error_got("%s", kt_spec_str(&n->in[i]->spec, s, sizeof s));
}

static bool rnn_is(const kt_val *v, kt_dtype dtype, int ndim, int64_t d0, int64_t d1, int64_t d2) {
    const int64_t dim[3] = {d0, d1, d2};
    if (v->spec.dtype != dtype || v->spec.shape.ndim != ndim) return false;
    for (int i = 0; i < ndim; i++)
        if (v->spec.shape.dim[i] != dim[i]) return false;
    return true;
}

/* Operands 0 to 2, x [b, t, f], kernel [f, gates u], r [u, gates u], agree; the mask is [b, t]. */
static kt_status rnn_check(const kt_node *n, rnn_dims *d) {
    const kt_shape *x = &n->in[0]->spec.shape, *r = &n->in[2]->spec.shape;
    const kt_dtype dtype = n->in[0]->spec.dtype;
    const int gates = rnn_gates(n->op->name);
    if (x->ndim != 3) return rnn_shape_error(n, 0, "[batch, time, features]");
    if (r->ndim != 2 || r->dim[0] > INT64_C(1) << 40 || r->dim[0] * gates != r->dim[1] ||
        n->in[2]->spec.dtype != dtype)
        return rnn_shape_error(n, 2, "[units, gates x units]");
    *d = rnn_dims_of(n);
    if (!rnn_is(n->in[1], dtype, 2, d->f, d->gu, 0))
        return rnn_shape_error(n, 1, "[features, gates x units]");
    if (d->mask && !rnn_is(n->in[n->n_in - 1], KT_BOOL, 2, d->b, d->t, 0))
        return rnn_shape_error(n, n->n_in - 1, "a mask, bool [batch, time]");
    return KT_OK;
}

static kt_status rnn_infer(const kt_node *n, kt_spec *out) {
    const rnn_attrs *a = n->attrs;
    rnn_dims d;
    const kt_dtype t = n->in[0]->spec.dtype;
    const kt_status st = rnn_check(n, &d);
    if (st) return st;
    const kt_spec state = {t, {2, {d.b, d.u}}}, all = {t, {3, {d.b, d.t, d.u}}};
    const int64_t steps = a->forget && d.t > 1 ? 1 : d.t;
    const kt_spec kept = {t, {3, {a->forget ? 0 : rnn_segments(d.t), d.b, d.u}}};
    if (!rnn_is(n->in[3], t, 1, d.gu, 0, 0)) return rnn_shape_error(n, 3, "[gates x units]");
    if (!rnn_is(n->in[4], t, 2, d.b, d.u, 0)) return rnn_shape_error(n, 4, "[batch, units]");
    if (d.kind == RNN_GRU && !rnn_is(n->in[5], t, 1, d.gu, 0, 0))
        return rnn_shape_error(n, 5, "[gates x units]");
    if (d.kind == RNN_LSTM && !rnn_is(n->in[5], t, 2, d.b, d.u, 0))
        return rnn_shape_error(n, 5, "[batch, units]");
    out[0] = a->sequences ? all : state;
    out[1] = state;
    const int gates = rnn_gates_out(d.kind);
    out[2] = state;
    out[gates] = (kt_spec){t, {3, {steps, d.b, d.gu}}};
    out[gates + 1] = out[gates + 2] = kept;
    if (d.kind == RNN_GRU) out[gates + 2].shape.dim[0] = steps;
    return KT_OK;
}

static kt_status rnn_grad_infer(const kt_node *n, kt_spec *out) {
    const rnn_attrs *a = n->attrs;
    rnn_dims d;
    const kt_dtype t = n->in[0]->spec.dtype;
    const kt_status st = rnn_check(n, &d);
    if (st) return st;
    const kt_spec state = {t, {2, {d.b, d.u}}}, bias = {t, {1, {d.gu}}};
    if (!rnn_is(n->in[3], t, 3, d.t, d.b, d.gu)) return rnn_shape_error(n, 3, "gates, [t, b, g u]");
    const int64_t kept = rnn_segments(d.t);
    if (!rnn_is(n->in[4], t, 3, kept, d.b, d.u)) return rnn_shape_error(n, 4, "h, [t / 8, b, u]");
    if (!(a->sequences ? rnn_is(n->in[5], t, 3, d.b, d.t, d.u)
                       : rnn_is(n->in[5], t, 2, d.b, d.u, 0)))
        return rnn_shape_error(n, 5, "the form of y");
    if (!rnn_is(n->in[6], t, 2, d.b, d.u, 0)) return rnn_shape_error(n, 6, "[batch, units]");
    if (d.kind == RNN_GRU && !rnn_is(n->in[7], t, 3, d.t, d.b, d.u))
        return rnn_shape_error(n, 7, "[t, b, u]");
    if (d.kind == RNN_LSTM && !rnn_is(n->in[7], t, 3, kept, d.b, d.u))
        return rnn_shape_error(n, 7, "c, [t / 8, b, u]");
    if (d.kind == RNN_LSTM && !rnn_is(n->in[8], t, 2, d.b, d.u, 0))
        return rnn_shape_error(n, 8, "[batch, units]");
    out[0] = a->no_dx ? (kt_spec){t, {1, {0}}} : n->in[0]->spec;
    out[1] = n->in[1]->spec;
    out[2] = n->in[2]->spec;
    out[3] = bias;
    out[4] = state;
    if (d.kind == RNN_GRU) out[5] = bias;
    if (d.kind == RNN_LSTM) out[5] = state;
    return KT_OK;
}

/* The gradient of x comes when x was read for the last time. */
static bool rnn_grad_overwrites(const kt_node *n, int out, int in) {
    return out == 0 && in == 0 && !((const rnn_attrs *)n->attrs)->no_dx;
}

extern const kt_opdef kt_opdef_simple_rnn_grad, kt_opdef_gru_grad, kt_opdef_lstm_grad;

static kt_val *or_zeros(kt_graph *g, kt_val *d, const kt_val *like) {
    return d ? d : kt_g_const(g, 0, like->spec);
}

static kt_status rnn_vjp(
    kt_graph *g, const kt_node *n, kt_val *const *dy, kt_val **dx, const bool *want) {
    const rnn_dims d = rnn_dims_of(n);
    const kt_opdef *op = d.kind == RNN_SIMPLE ? &kt_opdef_simple_rnn_grad
                         : d.kind == RNN_GRU  ? &kt_opdef_gru_grad
                                              : &kt_opdef_lstm_grad;
    rnn_attrs a = *(const rnn_attrs *)n->attrs;
    if (a.forget) return KT_FAIL(KT_EINTERNAL, "%s: nothing was kept for gradients", n->op->name);
    kt_val *const *kept = n->out + rnn_gates_out(d.kind);
    kt_val *in[10] = {n->in[0], n->in[1], n->in[2], kept[0], kept[1]};
    int n_in = 5;
    in[n_in++] = or_zeros(g, dy[0], n->out[0]);
    in[n_in++] = or_zeros(g, dy[1], n->out[1]);
    if (d.kind != RNN_SIMPLE) in[n_in++] = kept[2];
    if (d.kind == RNN_LSTM) in[n_in++] = or_zeros(g, dy[2], n->out[2]);
    if (d.mask) in[n_in++] = n->in[n->n_in - 1];
    a.no_dx = !want[0];
    kt_node *back = kt_graph_add(g, op, n_in, in, &a);
    for (int i = 0; back && i < back->n_out; i++) dx[i] = i || !a.no_dx ? back->out[i] : NULL;
    return g->status;
}

#define SAMPLE(b, t, f, u, gates, ...)                                                             \
    {                                                                                              \
        .in = {                                                                                    \
            {.dim = {b, t, f}},                                                                    \
            {.dim = {f, (gates) * (u)}, .low = -0.3, .high = 0.3},                                 \
            {.dim = {u, (gates) * (u)}, .low = -0.06, .high = 0.06},                               \
            {.dim = {(gates) * (u)}},                                                              \
            {.dim = {b, u}},                                                                       \
            __VA_ARGS__                                                                            \
        }
#define WITH(...)                                                                                  \
    .attrs = &(const rnn_attrs) { __VA_ARGS__ }
#define MASK(b, t)                                                                                 \
    { .dim = {b, t}, .dtype = KT_BOOL }
#define RNN_SAMPLES(gates, X)                                                                      \
    SAMPLE(2, 3, 4, 5, gates, X(2, 5, gates)), WITH(.sequences = true)                             \
    }                                                                                              \
    , SAMPLE(2, 3, 1, 5, gates, X(2, 5, gates)), WITH(.backwards = true)                           \
    }                                                                                              \
    , SAMPLE(3, 5, 3, 2, gates, X(3, 2, gates) MASK(3, 5)), WITH(.sequences = true)                \
    }                                                                                              \
    , SAMPLE(3, 5, 2, 2, gates, X(3, 2, gates) MASK(3, 5)),                                        \
        WITH(.sequences = true, .backwards = true, .zero_masked = true)                            \
    }                                                                                              \
    , SAMPLE(7, 2, 2, 3, gates, X(7, 3, gates) MASK(7, 2)), WITH(.zero_masked = true)              \
    }                                                                                              \
    , SAMPLE(7, 4, 5, 3, gates, X(7, 3, gates) MASK(7, 4)), WITH(0)                                \
    }                                                                                              \
    , SAMPLE(2, 10, 2, 3, gates, X(2, 3, gates) MASK(2, 10)),                                      \
        WITH(.sequences = true, .backwards = true)                                                 \
    }                                                                                              \
    , SAMPLE(3, 2, 2, 19, gates, X(3, 19, gates)), WITH(0)                                         \
    }                                                                                              \
    , SAMPLE(9, 2, 17, 40, gates, X(9, 40, gates) MASK(9, 2)), WITH(.sequences = true),            \
        .no_grad = true                                                                            \
    }                                                                                              \
    , SAMPLE(8, 11, 2, 3, gates, X(8, 3, gates) MASK(8, 11)),                                      \
        WITH(.sequences = true, .forget = true), .no_grad = true                                   \
    }                                                                                              \
    , SAMPLE(2, 3, 2, 5, gates, X(2, 4, gates) MASK(3, 3)), WITH(0), .want = KT_ESHAPE             \
    }                                                                                              \
    , KT_SAMPLES_END
#define NO_MORE(b, u, gates)
#define ROW_BIAS(b, u, gates) {.dim = {(gates) * (u)}},
#define CARRY(b, u, gates) {.dim = {b, u}},

// clang-format off
static const kt_sample simple_rnn_samples[] = {RNN_SAMPLES(1, NO_MORE)};
static const kt_sample gru_samples[] = {RNN_SAMPLES(3, ROW_BIAS)};
static const kt_sample lstm_samples[] = {RNN_SAMPLES(4, CARRY)};
// clang-format on
#undef SAMPLE
#undef RNN_SAMPLES

/* Gates lie between 0 and 1 */
#define SAMPLE(b, t, f, u, gates, y, ...)                                                          \
    {                                                                                              \
        .in = {                                                                                    \
            {.dim = {b, t, f}},                                                                    \
            {.dim = {f, (gates) * (u)}},                                                           \
            {.dim = {u, (gates) * (u)}, .low = -0.06, .high = 0.06},                               \
            {.dim = {t, b, (gates) * (u)}, .low = 0.1, .high = 0.9},                               \
            {.dim = {((t) + 7) / 8, b, u}},                                                        \
            y,                                                                                     \
            {.dim = {b, u}},                                                                       \
            __VA_ARGS__                                                                            \
        }
#define ALL(b, t, u)                                                                               \
    {                                                                                              \
        .dim = { b, t, u }                                                                         \
    }
#define LAST(b, t, u)                                                                              \
    {                                                                                              \
        .dim = { b, u }                                                                            \
    }
#define RNN_SAMPLES(gates, X)                                                                      \
    SAMPLE(2, 3, 4, 5, gates, ALL(2, 3, 5), X(2, 3, 5)), WITH(.sequences = true)                   \
    }                                                                                              \
    , SAMPLE(3, 5, 1, 2, gates, LAST(3, 5, 2), X(3, 5, 2) MASK(3, 5)), WITH(.backwards = true)     \
    }                                                                                              \
    , SAMPLE(7, 5, 2, 3, gates, ALL(7, 5, 3), X(7, 5, 3) MASK(7, 5)),                              \
        WITH(.sequences = true, .zero_masked = true, .no_dx = true)                                \
    }                                                                                              \
    , SAMPLE(9, 2, 7, 19, gates, LAST(9, 2, 19), X(9, 2, 19)), WITH(0)                             \
    }                                                                                              \
    , SAMPLE(9, 2, 33, 80, gates, LAST(9, 2, 80), X(9, 2, 80)), WITH(0)                            \
    }                                                                                              \
    , SAMPLE(2, 19, 2, 3, gates, ALL(2, 19, 3), X(2, 19, 3) MASK(2, 19)),                          \
        WITH(.sequences = true, .backwards = true)                                                 \
    }                                                                                              \
    , SAMPLE(9, 16, 2, 3, gates, LAST(9, 16, 3), X(9, 16, 3)), WITH(0)                             \
    }                                                                                              \
    , SAMPLE(9, 2, 3, 80, gates, ALL(9, 2, 80), X(9, 2, 80)), WITH(0), .want = KT_ESHAPE           \
    }                                                                                              \
    , KT_SAMPLES_END
#define GRU_EXTRA(b, t, u) {.dim = {t, b, u}},
#define LSTM_EXTRA(b, t, u) {.dim = {((t) + 7) / 8, b, u}}, {.dim = {b, u}},

// clang-format off
#define NONE3(b, t, u)
static const kt_sample simple_rnn_grad_samples[] = {RNN_SAMPLES(1, NONE3)};
static const kt_sample gru_grad_samples[] = {RNN_SAMPLES(3, GRU_EXTRA)};
static const kt_sample lstm_grad_samples[] = {RNN_SAMPLES(4, LSTM_EXTRA)};
// clang-format on

static const kt_field rnn_fields[] = {
    KT_F(rnn_attrs, backwards),
    KT_F(rnn_attrs, zero_masked),
    KT_F(rnn_attrs, sequences),
    KT_F(rnn_attrs, no_dx),
    KT_F(rnn_attrs, forget),
    KT_F_END};

#define RNN_OP(op, inputs, outputs, grad_inputs, grad_outputs)                                     \
    const kt_opdef kt_opdef_##op = {                                                               \
        .name = #op,                                                                               \
        .n_in = inputs,                                                                            \
        .n_in_max = inputs + 1,                                                                    \
        .n_out = outputs,                                                                          \
        .n_main = outputs - 2 - (inputs > 5),                                                      \
        .attrs_size = sizeof(rnn_attrs),                                                           \
        .attrs = rnn_fields,                                                                       \
        .infer = rnn_infer,                                                                        \
        .vjp = rnn_vjp,                                                                            \
        .ref = KT_REFS(rnn),                                                                       \
        .samples = op##_samples,                                                                   \
    };                                                                                             \
    const kt_opdef kt_opdef_##op##_grad = {                                                        \
        .name = #op "_grad",                                                                       \
        .n_in = grad_inputs,                                                                       \
        .n_in_max = grad_inputs + 1,                                                               \
        .n_out = grad_outputs,                                                                     \
        .attrs_size = sizeof(rnn_attrs),                                                           \
        .attrs = rnn_fields,                                                                       \
        .infer = rnn_grad_infer,                                                                   \
        .overwrites = rnn_grad_overwrites,                                                         \
        .ref = KT_REFS(rnn_grad),                                                                  \
        .samples = op##_grad_samples,                                                              \
    };
RNN_OP(simple_rnn, 5, 4, 7, 5)
RNN_OP(gru, 6, 5, 8, 6)
RNN_OP(lstm, 6, 6, 9, 6)

kt_val *kt_g_rnn(
    kt_graph *g, rnn_kind kind, const kt_rnn_in *in, const rnn_attrs *a, kt_val **end) {
    const kt_opdef *const op[] = {&kt_opdef_simple_rnn, &kt_opdef_gru, &kt_opdef_lstm};
    kt_val *v[7] = {in->x, in->kernel, in->r, in->bias, in->state[0]};
    int n = 5;
    const kt_spec row = {in->r->spec.dtype, {1, {in->r->spec.shape.dim[1]}}};
    if (!v[3]) v[3] = kt_g_const(g, 0, row);
    if (kind == RNN_GRU) v[n++] = in->bias_r ? in->bias_r : kt_g_const(g, 0, row);
    if (kind == RNN_LSTM) v[n++] = in->state[1];
    if (in->mask) v[n++] = in->mask;
    kt_node *node = kt_graph_add(g, op[kind], n, v, a);
    end[0] = node ? node->out[1] : NULL;
    if (kind == RNN_LSTM) end[1] = node ? node->out[2] : NULL;
    return node ? node->out[0] : NULL;
}
#endif
