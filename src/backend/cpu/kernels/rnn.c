/* One time step of a recurrent layer, forward and back. ops/rnn.c has the formulas.
 *
 * The recurrent product of some rows stays in registers until its gates are finished: weights are
 * packed so that one panel holds all gates of LANES units side by side, and one load of each feeds
 * all rows of the tile. SimpleRNN, which has one gate, takes GROUP vectors of units at a time, as
 * the product of the way back does. A row gets the same bits in a tile of any height. */
#include "backend/cpu/kernels/parts.h"
#include "backend/cpu/kernels/vecmath.h"

#define UNROLL _Pragma("GCC unroll 16")
#define GROUP 4 /* vectors of a panel: most gates, and the width of plain products */
#if LANES == 16
#define ROWS 6 /* 24 of 32 registers hold sums */
#else
#define ROWS 2 /* 8 of 16 */
#endif

typedef vf sums[ROWS][GROUP];

KT_INLINE int64_t panel_units(int kind, bool back) {
    return back || kind == KT_RNN_SIMPLE ? GROUP * LANES : LANES;
}

static int gates_of(int kind) { return kind == KT_RNN_SIMPLE ? 1 : kind == KT_RNN_GRU ? 3 : 4; }

/* Panels, each [k][vectors][LANES]: forward k runs over units, back over gates x units. */
int64_t KT_FN(kt_rnn_packed)(int kind, int64_t units, bool back) {
    const int64_t gates = gates_of(kind), wide = panel_units(kind, back);
    const int64_t panels = (units + wide - 1) / wide;
    return panels * wide * units * gates;
}

static void pack_forward(float *to, int kind, int64_t units, const float *r) {
    const int64_t gates = gates_of(kind), wide = panel_units(kind, false);
    for (int64_t p = 0; p < units; p += wide)
        for (int64_t k = 0; k < units; k++)
            for (int64_t g = 0; g < gates; g++)
                for (int64_t j = 0; j < wide; j++)
                    *to++ = p + j < units ? r[(k * gates + g) * units + p + j] : 0;
}

static void pack_back(float *to, int kind, int64_t units, const float *r) {
    const int64_t gu = gates_of(kind) * units, wide = panel_units(kind, true);
    for (int64_t p = 0; p < units; p += wide)
        for (int64_t k = 0; k < gu; k++)
            for (int64_t j = 0; j < wide; j++) *to++ = p + j < units ? r[(p + j) * gu + k] : 0;
}

void KT_FN(kt_rnn_pack)(float *to, int kind, int64_t units, const float *r, bool back) {
    (back ? pack_back : pack_forward)(to, kind, units, r);
}

/* s = x[rows, k] panel[k, vecs] */
KT_INLINE void product(
    const int rows,
    const int vecs,
    int64_t k,
    const float *x,
    int64_t ldx,
    const float *p,
    sums s) {
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int v = 0; v < vecs; v++) s[i][v] = vf_set(0);
    }
    for (; k > 0; k--, x++, p += vecs * LANES) {
        vf w[GROUP];
        UNROLL for (int v = 0; v < vecs; v++) w[v] = vf_load(p + v * LANES);
        UNROLL for (int i = 0; i < rows; i++) {
            const vf a = vf_set(x[i * ldx]);
            UNROLL for (int v = 0; v < vecs; v++) s[i][v] = vf_fma(a, w[v], s[i][v]);
        }
    }
}

KT_INLINE vf load_n(const float *p, int64_t n) {
    return n >= LANES ? vf_load(p) : n > 0 ? vf_load_n(p, n) : vf_set(0);
}
KT_INLINE void store_n(float *p, const float *from, int64_t n) {
    if (n >= LANES)
        vf_store(p, vf_load(from));
    else if (n > 0)
        vf_store_n(p, vf_load(from), n);
}

KT_INLINE float sigmoid_of(float x) { return 1 / (1 + vm_exp(-x)); }

/* The tile's sums and what the input gives, in memory: loops over LANES become vector code. */
typedef struct {
    float g[GROUP][LANES], h[LANES], c[LANES];
} __attribute__((aligned(64))) cell;

KT_INLINE void cell_simple(cell *t) {
    float *g = t->g[0];
    KT_IVDEP
    for (int j = 0; j < GROUP * LANES; j++) g[j] = vm_tanh(g[j]);
}

/* g: z, r, what n gets from the input, what it gets from h. */
KT_INLINE void cell_gru(cell *t) {
    KT_IVDEP
    for (int j = 0; j < LANES; j++) t->g[0][j] = sigmoid_of(t->g[0][j]);
    KT_IVDEP
    for (int j = 0; j < LANES; j++) t->g[1][j] = sigmoid_of(t->g[1][j]);
    KT_IVDEP
    for (int j = 0; j < LANES; j++) {
        const float n = vm_tanh(t->g[2][j] + t->g[1][j] * t->g[3][j]);
        t->g[2][j] = n;
        t->h[j] = t->g[0][j] * t->h[j] + (1 - t->g[0][j]) * n;
    }
}

KT_INLINE void cell_lstm(cell *t) {
    KT_IVDEP
    for (int j = 0; j < LANES; j++) t->g[0][j] = sigmoid_of(t->g[0][j]);
    KT_IVDEP
    for (int j = 0; j < LANES; j++) t->g[1][j] = sigmoid_of(t->g[1][j]);
    KT_IVDEP
    for (int j = 0; j < LANES; j++) t->g[2][j] = vm_tanh(t->g[2][j]);
    KT_IVDEP
    for (int j = 0; j < LANES; j++) t->g[3][j] = sigmoid_of(t->g[3][j]);
    KT_IVDEP
    for (int j = 0; j < LANES; j++) {
        t->c[j] = t->g[1][j] * t->c[j] + t->g[0][j] * t->g[2][j];
        t->h[j] = t->g[3][j] * vm_tanh(t->c[j]);
    }
}

/* Units p … p+n-1 of one row: `s` is the recurrent product. */
KT_INLINE void finish_simple(const kt_rnn_step *a, int64_t i, int64_t p, int64_t n, const vf *s) {
    cell t;
    UNROLL for (int v = 0; v < GROUP; v++)
        vf_store(t.g[v], load_n(a->z + i * a->ldz + p + v * LANES, n - v * LANES) + s[v]);
    cell_simple(&t);
    for (int v = 0; v < GROUP; v++) {
        const int64_t at = p + v * LANES, left = n - v * LANES;
        if (a->gates) store_n(a->gates + i * a->ldz + at, t.g[v], left);
        store_n(a->h_new + i * a->ldh_new + at, t.g[v], left);
    }
}

KT_INLINE void finish_gru(const kt_rnn_step *a, int64_t i, int64_t p, int64_t n, const vf *s) {
    cell t;
    const float *z = a->z + i * a->ldz + p;
    UNROLL for (int v = 0; v < 2; v++) vf_store(
        t.g[v], load_n(z + v * a->units, n) + (s[v] + load_n(a->bias + v * a->units + p, n)));
    vf_store(t.g[2], load_n(z + 2 * a->units, n));
    vf_store(t.g[3], s[2] + load_n(a->bias + 2 * a->units + p, n));
    vf_store(t.h, load_n(a->h + i * a->ldh + p, n));
    cell_gru(&t);
    UNROLL for (int v = 0; v < 3; v++) {
        if (a->gates) store_n(a->gates + i * a->ldz + v * a->units + p, t.g[v], n);
    }
    if (a->inner) store_n(a->inner + i * a->ld_inner + p, t.g[3], n);
    store_n(a->h_new + i * a->ldh_new + p, t.h, n);
}

KT_INLINE void finish_lstm(const kt_rnn_step *a, int64_t i, int64_t p, int64_t n, const vf *s) {
    cell t;
    UNROLL for (int v = 0; v < 4; v++)
        vf_store(t.g[v], load_n(a->z + i * a->ldz + v * a->units + p, n) + s[v]);
    vf_store(t.c, load_n(a->c + i * a->ldc + p, n));
    cell_lstm(&t);
    UNROLL for (int v = 0; v < 4; v++) {
        if (a->gates) store_n(a->gates + i * a->ldz + v * a->units + p, t.g[v], n);
    }
    store_n(a->c_new + i * a->ldc_new + p, t.c, n);
    store_n(a->h_new + i * a->ldh_new + p, t.h, n);
}

/* Panels outside, rows inside: a panel stays in the first cache while the rows go by. */
#define STEP(kind, KIND, vecs)                                                                     \
    KT_INLINE void tile_##kind(                                                                    \
        const int rows, const kt_rnn_step *a, int64_t i, int64_t p, int64_t n, const float *w) {   \
        sums s;                                                                                    \
        product(rows, vecs, a->units, a->h + i * a->ldh, a->ldh, w, s);                            \
        for (int r = 0; r < rows; r++) finish_##kind(a, i + r, p, n, s[r]);                        \
    }                                                                                              \
    void KT_FN(kt_rnn_step_##kind)(const kt_rnn_step *a) {                                         \
        const int64_t wide = panel_units(KIND, false);                                             \
        const float *w = a->packed;                                                                \
        for (int64_t p = 0; p < a->units; p += wide, w += a->units * (vecs)*LANES) {               \
            const int64_t n = a->units - p < wide ? a->units - p : wide;                           \
            int64_t i = 0;                                                                         \
            for (; i + ROWS <= a->rows; i += ROWS) tile_##kind(ROWS, a, i, p, n, w);               \
            for (; ROWS > 4 && i + 4 <= a->rows; i += 4) tile_##kind(4, a, i, p, n, w);            \
            for (; ROWS > 2 && i + 2 <= a->rows; i += 2) tile_##kind(2, a, i, p, n, w);            \
            for (; i < a->rows; i++) tile_##kind(1, a, i, p, n, w);                                \
        }                                                                                          \
    }
STEP(simple, KT_RNN_SIMPLE, GROUP)
STEP(gru, KT_RNN_GRU, 3)
STEP(lstm, KT_RNN_LSTM, 4)

/* The way back --------------------------------------------------------------------------------- */

KT_INLINE void back_tile(
    const int rows,
    float *dh,
    int64_t ldh,
    const float *dz,
    int64_t ldz,
    int64_t k,
    int64_t n,
    const float *w) {
    sums s;
    product(rows, GROUP, k, dz, ldz, w, s);
    for (int i = 0; i < rows; i++) {
        for (int v = 0; v < GROUP; v++) {
            float t[LANES], *to = dh + i * ldh + v * LANES;
            const int64_t left = n - v * LANES;
            vf_store(t, load_n(to, left) + s[i][v]);
            store_n(to, t, left);
        }
    }
}

void KT_FN(kt_rnn_back_product)(
    float *dh,
    int64_t ldh,
    const float *dz,
    int64_t ldz,
    int64_t rows,
    int64_t units,
    int64_t gates,
    const float *packed) {
    for (int64_t p = 0; p < units; p += GROUP * LANES, packed += gates * GROUP * LANES) {
        const int64_t n = units - p < GROUP * LANES ? units - p : GROUP * LANES;
        int64_t i = 0;
#define TILE(height) back_tile(height, dh + i * ldh + p, ldh, dz + i * ldz, ldz, gates, n, packed)
        for (; i + ROWS <= rows; i += ROWS) TILE(ROWS);
        for (; ROWS > 4 && i + 4 <= rows; i += 4) TILE(4);
        for (; ROWS > 2 && i + 2 <= rows; i += 2) TILE(2);
        for (; i < rows; i++) TILE(1);
#undef TILE
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
    float *dz = b->dz, *dh = b->dh, *dc = b->dc;
    const float *gate = b->gates, *c = b->extra;
    add_dy(b);
    KT_IVDEP
    for (int64_t j = 0; j < u; j++) {
        const float i = gate[j], f = gate[u + j], g = gate[2 * u + j], o = gate[3 * u + j];
        const float tc = vm_tanh(f * c[j] + i * g), d = dh[j];
        const float d_c = dc[j] + d * o * (1 - tc * tc);
        dz[j] = d_c * g * i * (1 - i);
        dz[u + j] = d_c * c[j] * f * (1 - f);
        dz[2 * u + j] = d_c * i * (1 - g * g);
        dz[3 * u + j] = d * tc * o * (1 - o);
        dc[j] = d_c * f;
        dh[j] = 0;
    }
}
