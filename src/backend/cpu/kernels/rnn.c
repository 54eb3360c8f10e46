/* One time step of a recurrent layer, forward and back. ops/rnn.c has the formulas.
 *
 * What state and input give to the gates of some rows stays in registers until the gates are
 * finished: weights are packed so that one panel holds all gates of LANES units side by side, and
 * one load of each feeds all rows of the tile. SimpleRNN, which has one gate, takes GROUP vectors
 * of units at a time, as the products of the way back do. GRU's last gate has two sums, because the
 * reset gate scales what the state gives. A row gets the same bits in a tile of any height. */
#include "backend/cpu/kernels/parts.h"

#define UNROLL _Pragma("GCC unroll 16")
#define GROUP 4 /* vectors of a panel: most gates, and the width of plain products */
#if LANES == 16
#define ROWS 6 /* 24 of 32 registers hold sums */
#else
#define ROWS 2 /* 8 of 16 */
#endif

typedef vf sums[ROWS][GROUP];

KT_INLINE int64_t panel_units(int kind) { return kind == KT_RNN_SIMPLE ? GROUP * LANES : LANES; }

static int gates_of(int kind) { return kind == KT_RNN_SIMPLE ? 1 : kind == KT_RNN_GRU ? 3 : 4; }

/* Panels, each [depth][gates][units of a panel] */
int64_t KT_FN(kt_rnn_packed)(int kind, int64_t units, int64_t depth) {
    const int64_t wide = panel_units(kind), panels = (units + wide - 1) / wide;
    return panels * wide * depth * gates_of(kind);
}

void KT_FN(kt_rnn_pack)(float *to, int kind, int64_t units, int64_t depth, const float *w) {
    const int64_t gates = gates_of(kind), wide = panel_units(kind);
    for (int64_t p = 0; p < units; p += wide)
        for (int64_t k = 0; k < depth; k++)
            for (int64_t g = 0; g < gates; g++)
                for (int64_t j = 0; j < wide; j++)
                    *to++ = p + j < units ? w[(k * gates + g) * units + p + j] : 0;
}

/* Panels of GROUP vectors, the last one of as many as it needs: each [gates][vectors][LANES] */
int64_t KT_FN(kt_rnn_packed_back)(int64_t n, int64_t gates) {
    return (n + LANES - 1) / LANES * LANES * gates;
}

static int back_vecs(int64_t left) {
    return left >= GROUP * LANES ? GROUP : (int)((left + LANES - 1) / LANES);
}

void KT_FN(kt_rnn_pack_back)(float *to, int64_t n, int64_t gates, const float *w) {
    for (int64_t p = 0; p < n; p += GROUP * LANES) {
        const int64_t wide = back_vecs(n - p) * LANES;
        for (int64_t k = 0; k < gates; k++)
            for (int64_t j = 0; j < wide; j++) *to++ = p + j < n ? w[(p + j) * gates + k] : 0;
    }
}

KT_INLINE void clear(const int rows, const int vecs, sums s) {
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int v = 0; v < vecs; v++) s[i][v] = vf_set(0);
    }
}

/* s += x[rows, k] panel[k, vecs]; the last vector's sums are those of `last`. */
KT_INLINE void product(
    const int rows,
    const int vecs,
    const int last,
    int64_t k,
    const float *x,
    int64_t ldx,
    const float *p,
    sums s) {
    for (; k > 0; k--, x++, p += vecs * LANES) {
        vf w[GROUP];
        UNROLL for (int v = 0; v < vecs; v++) w[v] = vf_load(p + v * LANES);
        UNROLL for (int i = 0; i < rows; i++) {
            const vf a = vf_set(x[i * ldx]);
            UNROLL for (int v = 0; v < vecs - 1; v++) s[i][v] = vf_fma(a, w[v], s[i][v]);
            s[i][last] = vf_fma(a, w[vecs - 1], s[i][last]);
        }
    }
}

KT_INLINE vf load_n(const float *p, int64_t n) {
    return n >= LANES ? vf_load(p) : n > 0 ? vf_load_n(p, n) : vf_set(0);
}
KT_INLINE void put_n(float *p, vf v, int64_t n) {
    if (n >= LANES)
        vf_store(p, v);
    else if (n > 0)
        vf_store_n(p, v, n);
}

/* a / b. The reciprocal's estimate, one step of Newton, and the remainder: a third of the time. */
KT_INLINE vf quotient(vf a, vf b) {
#if defined(KT_AVX512)
    vf r = (vf)_mm512_rcp14_ps((__m512)b);
    r = vf_fma(r, vf_fma(-b, r, vf_set(1)), r);
    const vf y = a * r;
    return vf_fma(vf_fma(-b, y, a), r, y);
#else
    return a / b;
#endif
}

/* x p(x^2) / q(x^2), fitted to tanh up to where it is 1 (relative error 7e-9 before rounding, 3e-7
 * with it). Operands of max and min stand so that a NaN stays one. */
KT_INLINE vf tanh_of(vf x0) {
    const vf x = vf_min(vf_set(9.02f), vf_max(vf_set(-9.02f), x0)), s = x * x;
    vf p = vf_fma(vf_set(-0x1.7bedaep-44f), s, vf_set(0x1.ce7b4ap-35f));
    p = vf_fma(p, s, vf_set(-0x1.5ac256p-26f));
    p = vf_fma(p, s, vf_set(0x1.75f09ap-17f));
    p = vf_fma(p, s, vf_set(0x1.96b786p-9f));
    p = vf_fma(p, s, vf_set(0x1.0bf16ep-3f));
    p = vf_fma(p, s, vf_set(1));
    vf q = vf_fma(vf_set(0x1.0ad63ap-12f), s, vf_set(0x1.914456p-6f));
    q = vf_fma(q, s, vf_set(0x1.db4e08p-2f));
    q = vf_fma(q, s, vf_set(1));
    return vf_min(vf_set(1), vf_max(vf_set(-1), quotient(x * p, q)));
}

/* 1 / (1 + 2^t), t = -x log2 e = n + f, |f| <= 1/2; wrong by 1e-7 at most. */
KT_INLINE vf sigmoid_of(vf x) {
    const vf t = vf_min(vf_set(126), vf_max(vf_set(-126), x * vf_set(-0x1.715476p+0f)));
#if defined(KT_AVX512)
    const vf n = (vf)_mm512_roundscale_ps((__m512)t, 0), f = t - n;
#else
    const vf pushed = t + vf_set(0x1.8p23f), f = t - (pushed - vf_set(0x1.8p23f));
#endif
    vf p = vf_fma(vf_set(0x1.5c08e2p-10f), f, vf_set(0x1.3d0c52p-7f));
    p = vf_fma(p, f, vf_set(0x1.c6b6e4p-5f));
    p = vf_fma(p, f, vf_set(0x1.ebf918p-3f));
    p = vf_fma(p, f, vf_set(0x1.62e428p-1f));
    p = vf_fma(p, f, vf_set(1));
#if defined(KT_AVX512)
    const vf d = vf_set(1) + (vf)_mm512_scalef_ps((__m512)p, (__m512)n);
    const vf r = (vf)_mm512_rcp14_ps((__m512)d);
    return vf_fma(r, vf_fma(-d, r, vf_set(1)), r);
#else
    const vi bits = ((vi)pushed << 23) + 0x3f800000; /* of 2^n */
    return vf_set(1) / (vf_set(1) + p * (vf)bits);
#endif
}

/* Units p … p+n-1 of some rows: `s` are the recurrent products. Functions of their own: inside the
 * tile they take registers from the product (a quarter slower, gcc 12). One loop over the rows for
 * each function that waits for another one, so that rows overlap in the processor. */
#define FINISH static __attribute__((noinline)) void
FINISH finish_simple(
    const kt_rnn_step *a, int64_t first, int rows, int64_t p, int64_t n, const sums s) {
    for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < GROUP; v++) {
            const int64_t i = first + r, left = n - v * LANES, at = i * a->units + p + v * LANES;
            const vf z = load_n(a->z + i * a->ldz + p + v * LANES, left);
            const vf h = tanh_of(z + s[r][v]);
            put_n(a->gates + at, h, left);
            put_n(a->h_new + at, h, left);
        }
}

FINISH finish_gru(
    const kt_rnn_step *a, int64_t first, int rows, int64_t p, int64_t n, const sums s) {
    const int64_t u = a->units;
    const float *bias = a->bias + p;
    for (int64_t i = first; i < first + rows; i++) {
        const vf *sum = s[i - first];
        const float *in = a->z + i * a->ldz + p;
        float *to = a->gates + i * 3 * u + p;
        put_n(to, sigmoid_of(load_n(in, n) + (sum[0] + load_n(bias, n))), n);
        put_n(to + u, sigmoid_of(load_n(in + u, n) + (sum[1] + load_n(bias + u, n))), n);
    }
    for (int64_t i = first; i < first + rows; i++) {
        const vf *sum = s[i - first];
        float *to = a->gates + i * 3 * u + p;
        const vf in = load_n(a->z + i * a->ldz + p + 2 * u, n);
        const vf inner = sum[2] + load_n(bias + 2 * u, n);
        const vf c = tanh_of(vf_fma(load_n(to + u, n), inner, in + sum[3]));
        const vf h = vf_fma(load_n(to, n), load_n(a->h + i * u + p, n) - c, c);
        put_n(to + 2 * u, c, n);
        put_n(a->inner + i * u + p, inner, n);
        put_n(a->h_new + i * u + p, h, n);
    }
}

/* A gate, where the way back will read it. */
KT_INLINE void keep(const kt_rnn_step *a, float *to, vf gate, int64_t n) {
#if defined(KT_AVX512)
    if (a->stream) {
        _mm512_stream_ps(to, (__m512)gate);
        return;
    }
#elif defined(KT_AVX2)
    if (a->stream) {
        _mm256_stream_ps(to, (__m256)gate);
        return;
    }
#else
    (void)a;
#endif
    put_n(to, gate, n);
}

FINISH finish_lstm(
    const kt_rnn_step *a, int64_t first, int rows, int64_t p, int64_t n, const sums s) {
    const int64_t u = a->units;
    vf o[ROWS];
    for (int64_t at = first; at < first + rows; at++) {
        const vf *sum = s[at - first];
        const float *in = a->z + at * a->ldz + p;
        float *to = a->gates + at * 4 * u + p;
        const vf i = sigmoid_of(load_n(in, n) + sum[0]), f = sigmoid_of(load_n(in + u, n) + sum[1]);
        const vf g = tanh_of(load_n(in + 2 * u, n) + sum[2]);
        o[at - first] = sigmoid_of(load_n(in + 3 * u, n) + sum[3]);
        keep(a, to, i, n);
        keep(a, to + u, f, n);
        keep(a, to + 2 * u, g, n);
        keep(a, to + 3 * u, o[at - first], n);
        put_n(a->c_new + at * u + p, vf_fma(f, load_n(a->c + at * u + p, n), i * g), n);
    }
    for (int64_t at = first; at < first + rows; at++) {
        const vf c = load_n(a->c_new + at * u + p, n);
        put_n(a->h_new + at * u + p, o[at - first] * tanh_of(c), n);
    }
}

/* Panels outside, rows inside: a panel stays in the first cache while the rows go by. */
#define STEP(kind, KIND, vecs, x_last)                                                             \
    KT_INLINE void tile_##kind(                                                                    \
        const int rows,                                                                            \
        const kt_rnn_step *a,                                                                      \
        int64_t i,                                                                                 \
        int64_t p,                                                                                 \
        int64_t n,                                                                                 \
        const float *w,                                                                            \
        const float *wx) {                                                                         \
        sums s;                                                                                    \
        clear(rows, GROUP, s);                                                                     \
        product(rows, vecs, x_last, a->inputs, a->x + i * a->ldx, a->ldx, wx, s);                  \
        product(rows, vecs, (vecs)-1, a->units, a->h + i * a->units, a->units, w, s);              \
        finish_##kind(a, i, rows, p, n, s);                                                        \
    }                                                                                              \
    void KT_FN(kt_rnn_step_##kind)(const kt_rnn_step *a) {                                         \
        const int64_t wide = panel_units(KIND);                                                    \
        const float *w = a->packed, *wx = a->packed_x;                                             \
        for (int64_t p = 0; p < a->units; p += wide) {                                             \
            const int64_t n = a->units - p < wide ? a->units - p : wide;                           \
            int64_t i = 0;                                                                         \
            for (; i + ROWS <= a->rows; i += ROWS) tile_##kind(ROWS, a, i, p, n, w, wx);           \
            for (; ROWS > 4 && i + 4 <= a->rows; i += 4) tile_##kind(4, a, i, p, n, w, wx);        \
            for (; ROWS > 2 && i + 2 <= a->rows; i += 2) tile_##kind(2, a, i, p, n, w, wx);        \
            for (; i < a->rows; i++) tile_##kind(1, a, i, p, n, w, wx);                            \
            w += a->units * (vecs)*LANES;                                                          \
            wx += a->inputs * (vecs)*LANES;                                                        \
        }                                                                                          \
    }
STEP(simple, KT_RNN_SIMPLE, GROUP, GROUP - 1)
STEP(gru, KT_RNN_GRU, 3, 3)
STEP(lstm, KT_RNN_LSTM, 4, 3)

/* The way back --------------------------------------------------------------------------------- */

void KT_FN(kt_rnn_states_simple)(const kt_rnn_states *a) {
    memcpy(a->h_new, a->gates, sizeof(float) * (size_t)(a->rows * a->units));
}

void KT_FN(kt_rnn_states_gru)(const kt_rnn_states *a) {
    const int64_t u = a->units, n = a->rows * u;
    const float *gate = a->gates;
    for (int64_t at = 0; at < n; at += u, gate += 3 * u)
        for (int64_t j = 0; j < u; j += LANES) {
            const vf z = load_n(gate + j, u - j), c = load_n(gate + 2 * u + j, u - j);
            const vf h = load_n(a->h + at + j, u - j);
            put_n(a->h_new + at + j, vf_fma(z, h - c, c), u - j);
        }
}

void KT_FN(kt_rnn_states_lstm)(const kt_rnn_states *a) {
    const int64_t u = a->units, n = a->rows * u;
    const float *gate = a->gates;
    for (int64_t at = 0; at < n; at += u, gate += 4 * u)
        for (int64_t j = 0; j < u; j += LANES) {
            const int64_t left = u - j;
            const vf i = load_n(gate + j, left), f = load_n(gate + u + j, left);
            const vf g = load_n(gate + 2 * u + j, left), o = load_n(gate + 3 * u + j, left);
            const vf c = vf_fma(f, load_n(a->c + at + j, left), i * g), tc = tanh_of(c);
            put_n(a->c_new + at + j, c, left);
            put_n(a->tanh_c + at + j, tc, left);
            put_n(a->h_new + at + j, o * tc, left);
        }
}

typedef struct {
    float *d;
    const float *dz, *w;
    int64_t ldd, ldz, gates, n; /* n: columns of this panel */
    bool add;
} back_panel;

KT_INLINE void back_tile(const int rows, const int vecs, const back_panel *b, int64_t i) {
    sums s;
    clear(rows, vecs, s);
    product(rows, vecs, vecs - 1, b->gates, b->dz + i * b->ldz, b->ldz, b->w, s);
    for (int r = 0; r < rows; r++) {
        for (int v = 0; v < vecs; v++) {
            float *to = b->d + (i + r) * b->ldd + v * LANES;
            const int64_t left = b->n - v * LANES;
            put_n(to, b->add ? load_n(to, left) + s[r][v] : s[r][v], left);
        }
    }
}

#define BACK_PANEL(vecs)                                                                           \
    static void back_panel_##vecs(const back_panel *b, int64_t rows) {                             \
        int64_t i = 0;                                                                             \
        for (; i + ROWS <= rows; i += ROWS) back_tile(ROWS, vecs, b, i);                           \
        for (; ROWS > 4 && i + 4 <= rows; i += 4) back_tile(4, vecs, b, i);                        \
        for (; ROWS > 2 && i + 2 <= rows; i += 2) back_tile(2, vecs, b, i);                        \
        for (; i < rows; i++) back_tile(1, vecs, b, i);                                            \
    }
BACK_PANEL(1)
BACK_PANEL(2)
BACK_PANEL(3)
BACK_PANEL(4)

void KT_FN(kt_rnn_back_product)(
    float *d,
    int64_t ldd,
    const float *dz,
    int64_t ldz,
    int64_t rows,
    int64_t n,
    int64_t gates,
    const float *packed,
    bool add) {
    static void (*const run[])(const back_panel *, int64_t) = {
        NULL, back_panel_1, back_panel_2, back_panel_3, back_panel_4};
    back_panel b = {d, dz, packed, ldd, ldz, gates, n, add};
    for (; b.n > 0; b.n -= GROUP * LANES) {
        const int vecs = back_vecs(b.n);
        run[vecs](&b, rows);
        b.d += GROUP * LANES;
        b.w += gates * vecs * LANES;
    }
}

static void add_dy(const kt_rnn_back *b) {
    if (!b->dy) return;
    KT_IVDEP
    for (int64_t j = 0; j < b->units; j++) b->dh[j] += b->dy[j];
}

void KT_FN(kt_rnn_back_simple)(const kt_rnn_back *b) {
    float *dz = b->dz, *dh = b->dh;
    const float *y = b->gates;
    add_dy(b);
    KT_IVDEP
    for (int64_t j = 0; j < b->units; j++) {
        dz[j] = dh[j] * (1 - y[j] * y[j]);
        dh[j] = 0;
    }
}

void KT_FN(kt_rnn_back_gru)(const kt_rnn_back *b) {
    const int64_t u = b->units;
    float *dz = b->dz, *inner = b->inner, *dh = b->dh;
    const float *gate = b->gates, *h = b->h, *extra = b->extra;
    add_dy(b);
    KT_IVDEP
    for (int64_t j = 0; j < u; j++) {
        const float z = gate[j], r = gate[u + j], n = gate[2 * u + j], d = dh[j];
        const float dn = d * (1 - z) * (1 - n * n);
        const float d_z = d * (h[j] - n) * z * (1 - z), d_r = dn * extra[j] * r * (1 - r);
        inner[j] = dz[j] = d_z;
        inner[u + j] = dz[u + j] = d_r;
        dz[2 * u + j] = dn;
        inner[2 * u + j] = dn * r;
        dh[j] = d * z;
    }
}

void KT_FN(kt_rnn_back_lstm)(const kt_rnn_back *b) {
    const int64_t u = b->units;
    const vf one = vf_set(1);
    for (int64_t j = 0; j < u; j += LANES) {
        const int64_t n = u - j;
        const float *gate = b->gates + j;
        const vf i = load_n(gate, n), f = load_n(gate + u, n);
        const vf g = load_n(gate + 2 * u, n), o = load_n(gate + 3 * u, n);
        const vf c = load_n(b->c + j, n), tc = load_n(b->tanh_c + j, n);
        vf d = load_n(b->dh + j, n);
        if (b->dy) d += load_n(b->dy + j, n);
        const vf dc = vf_fma(d * o, one - tc * tc, load_n(b->dc + j, n));
        float *dz = b->dz + j;
        put_n(dz, dc * g * i * (one - i), n);
        put_n(dz + u, dc * c * f * (one - f), n);
        put_n(dz + 2 * u, dc * i * (one - g * g), n);
        put_n(dz + 3 * u, d * tc * o * (one - o), n);
        put_n(b->dc + j, dc * f, n);
        put_n(b->dh + j, vf_set(0), n);
    }
}
