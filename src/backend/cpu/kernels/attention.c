/* Attention without the matrix of scores: keys are taken KEYS at a time, their scores with some
 * queries lie in the first cache and are used at once.
 *
 * Forward: scores of ROWS queries with a block of keys, a register tile at a time (gemm_tile.c);
 * exponentials around the largest score so far; what was added up before is scaled down when a
 * larger score comes; tile of exponentials times values. Keys are packed transposed, once for all
 * queries; values are read in place.
 *
 * Back: exponentials again from the two numbers that forward kept. With p the probabilities,
 *
 *   dv += p^T dy;  ds = p (dy v^T - sum dy y) scale;  dq += ds k;  dk += ds^T q
 *
 * Four products more, of the same tiles. Every sum has a fixed order. */
#include "backend/cpu/kernels/attention.h"

#include "backend/cpu/kernels/gemm_tile.h"
#include "backend/cpu/kernels/parts.h"
#include "backend/cpu/kernels/vecmath.h"

#define KEYS 128
#define ROWS (4 * TILE_ROWS)     /* queries whose scores are in the cache at once */
#define MASKED (-0x1.6666p+127f) /* ATTENTION_MASKED of ir/attrs.h */

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* c[m, n] (+)= x y: x along k (kind 0) or side by side (kind 1), y in rows of ldy */
static void product(
    int kind,
    int64_t m,
    int64_t n,
    int64_t k,
    const float *x,
    int64_t sx,
    const float *y,
    int64_t ldy,
    float *c,
    int64_t ldc,
    bool add) {
    for (int64_t j = 0; j < n;) {
        const int64_t left = n - j;
        const int vecs = left >= TILE_COLS ? TILE_VECS : 1;
        const int64_t cols = left < vecs * LANES ? left : vecs * LANES;
        const kt_tile_end end = {
            .last = cols - (vecs - 1) * LANES, .add = add, .ahead = x, .ahead_step = 0};
        for (int64_t i = 0; i < m; i += TILE_ROWS) {
            const int64_t rows = least(m - i, TILE_ROWS);
            KT_FN(kt_tiles)
            [kind][rows][vecs](
                k, x + (kind ? i : i * sx), sx, y + j, ldy, c + i * ldc + j, ldc, &end);
        }
        j += cols;
    }
}

/* rows … of an array times f as [n][KEYS], columns beyond filled with 0 up to whole vectors */
static void pack_across(
    float *to, const float *from, int64_t ld, int64_t rows, int64_t n, float f) {
    const int64_t whole = (rows + LANES - 1) & -LANES;
    if (whole != rows)
        for (int64_t i = 0; i < n; i++) vf_store(to + i * KEYS + whole - LANES, vf_set(0));
    KT_FN(kt_transpose_ld)(to, KEYS, from, ld, rows, n);
    for (int64_t i = 0; f != 1 && i < n; i++)
        for (int64_t c = 0; c < whole; c += LANES)
            vf_store(to + i * KEYS + c, vf_load(to + i * KEYS + c) * f);
}

/* ---- scores ---------------------------------------------------------------------------------- */

/* Queries i … and keys j … of the head */
typedef struct score_block {
    const kt_attention *a;
    int64_t i, rows, j, keys, whole; /* whole: keys rounded up to vectors */
    float s[ROWS * KEYS];
} score_block;

static bool is_masked(const kt_attention *a) { return a->mask || a->causal; }

/* Row r: what is left out becomes MASKED. */
static void mask_row(const score_block *b, int64_t r, float *s) {
    const kt_attention *a = b->a;
    if (a->mask) {
        const uint8_t *m = a->mask + (b->i + r) * a->mask_t + b->j * a->mask_s;
        const int64_t step = a->mask_s;
        KT_IVDEP
        for (int64_t c = 0; c < b->keys; c++) s[c] = m[c * step] ? s[c] : MASKED;
    }
    for (int64_t c = b->i + r + 1 - b->j < 0 ? 0 : b->i + r + 1 - b->j; a->causal && c < b->keys;
         c++)
        s[c] = MASKED;
}

static void make_scores(score_block *b, const float *packed_keys) {
    const kt_attention *a = b->a;
    product(
        0,
        b->rows,
        b->whole,
        a->h,
        a->q + b->i * a->ldq,
        a->ldq,
        packed_keys,
        KEYS,
        b->s,
        KEYS,
        false);
    for (int64_t r = 0; is_masked(a) && r < b->rows; r++) mask_row(b, r, b->s + r * KEYS);
}

/* s = exp(s - max) for the keys of the block, 0 beyond */
KT_INLINE void exp_scores(const score_block *b, float *s, float max) {
    KT_IVDEP
    for (int64_t c = 0; c < b->whole; c++) s[c] = vm_exp(s[c] - max);
    for (int64_t c = b->keys; c < b->whole; c++) s[c] = 0;
}

static float sum_scores(const score_block *b, const float *s) {
    vf sum = vf_set(0);
    for (int64_t c = 0; c < b->whole; c += LANES) sum += vf_load(s + c);
    return vf_sum(sum);
}

static void scale_by(float *y, int64_t n, float f) {
    int64_t c = 0;
    for (; c + LANES <= n; c += LANES) vf_store(y + c, vf_load(y + c) * f);
    if (c < n) vf_store_n(y + c, vf_load_n(y + c, n - c) * f, n - c);
}

/* ---- forward --------------------------------------------------------------------------------- */

static void forward_block(score_block *b, const float *packed_keys) {
    const kt_attention *a = b->a;
    make_scores(b, packed_keys);
    for (int64_t r = 0; r < b->rows; r++) {
        float *s = b->s + r * KEYS, *stats = a->stats + 2 * (b->i + r);
        const float now = KT_FN(kt_max)(s, b->keys);
        const float max = b->j && stats[0] > now ? stats[0] : now;
        exp_scores(b, s, max);
        float sum = sum_scores(b, s);
        if (b->j) {
            const float down = vm_exp(stats[0] - max);
            sum += stats[1] * down;
            scale_by(a->y + (b->i + r) * a->ldy, a->d, down);
        }
        stats[0] = max;
        stats[1] = sum;
    }
    product(
        0,
        b->rows,
        a->d,
        b->keys,
        b->s,
        KEYS,
        a->v + b->j * a->ldv,
        a->ldv,
        a->y + b->i * a->ldy,
        a->ldy,
        b->j > 0);
}

void KT_FN(kt_attention_forward)(const kt_attention *a) {
    float keys[KT_ATTENTION_MAX_DIM * KEYS];
    score_block b = {.a = a};
    for (b.j = 0; b.j < a->s; b.j += b.keys) {
        b.keys = least(a->s - b.j, KEYS);
        b.whole = (b.keys + LANES - 1) & -LANES;
        pack_across(keys, a->k + b.j * a->ldk, a->ldk, b.keys, a->h, a->scale);
        /* with causal order alone, queries before the block see none of it */
        b.i = a->causal && !a->mask ? b.j - b.j % ROWS : 0;
        for (; b.i < a->t; b.i += b.rows) {
            b.rows = least(a->t - b.i, ROWS);
            forward_block(&b, keys);
        }
    }
    for (int64_t i = 0; i < a->t; i++) scale_by(a->y + i * a->ldy, a->d, 1 / a->stats[2 * i + 1]);
}

/* ---- back ------------------------------------------------------------------------------------ */

static float dot(const float *x, const float *y, int64_t n) {
    vf s = vf_set(0);
    int64_t c = 0;
    for (; c + LANES <= n; c += LANES) s = vf_fma(vf_load(x + c), vf_load(y + c), s);
    if (c < n) s = vf_fma(vf_load_n(x + c, n - c), vf_load_n(y + c, n - c), s);
    return vf_sum(s);
}

/* p = probabilities (in b->s), ds = p (dp - sum dy y) scale where it counts, over dp */
static void probabilities(score_block *b, float *dp) {
    const kt_attention *a = b->a;
    for (int64_t r = 0; r < b->rows; r++) {
        const int64_t i = b->i + r;
        float *p = b->s + r * KEYS, *d = dp + r * KEYS;
        const float all = dot(a->dy + i * a->ldy, a->y + i * a->ldy, a->d);
        const float share = 1 / a->stats[2 * i + 1], max = a->stats[2 * i], scale = a->scale;
        KT_IVDEP
        for (int64_t c = 0; c < b->whole; c++) {
            p[c] = vm_exp(p[c] - max) * share;
            d[c] = p[c] * (d[c] - all) * scale;
        }
        if (!is_masked(a)) continue;
        float seen[KEYS];
        for (int64_t c = 0; c < b->keys; c++) seen[c] = 1;
        mask_row(b, r, seen);
        for (int64_t c = 0; c < b->keys; c++) d[c] = seen[c] == 1 ? d[c] : 0;
    }
}

static void back_block(score_block *b, const float *packed_keys, const float *packed_values) {
    const kt_attention *a = b->a;
    float ds[ROWS * KEYS];
    const float *q = a->q + b->i * a->ldq, *dy = a->dy + b->i * a->ldy;
    const int64_t m = b->rows, n = b->keys, w = b->whole;
    make_scores(b, packed_keys);
    product(0, m, w, a->d, dy, a->ldy, packed_values, KEYS, ds, KEYS, false);
    probabilities(b, ds);
    product(
        0,
        m,
        a->h,
        n,
        ds,
        KEYS,
        a->k + b->j * a->ldk,
        a->ldk,
        a->dq + b->i * a->ldq,
        a->ldq,
        b->j > 0);
    product(1, n, a->h, m, ds, KEYS, q, a->ldq, a->dk + b->j * a->ldk, a->ldk, true);
    product(1, n, a->d, m, b->s, KEYS, dy, a->ldy, a->dv + b->j * a->ldv, a->ldv, true);
}

static void clear_rows(float *y, int64_t ld, int64_t rows, int64_t n) {
    for (int64_t i = 0; i < rows; i++) memset(y + i * ld, 0, (size_t)n * sizeof *y);
}

void KT_FN(kt_attention_back)(const kt_attention *a) {
    float keys[KT_ATTENTION_MAX_DIM * KEYS], values[KT_ATTENTION_MAX_DIM * KEYS];
    score_block b = {.a = a};
    clear_rows(a->dk, a->ldk, a->s, a->h);
    clear_rows(a->dv, a->ldv, a->s, a->d);
    if (!a->s) clear_rows(a->dq, a->ldq, a->t, a->h);
    for (b.j = 0; b.j < a->s; b.j += b.keys) {
        b.keys = least(a->s - b.j, KEYS);
        b.whole = (b.keys + LANES - 1) & -LANES;
        pack_across(keys, a->k + b.j * a->ldk, a->ldk, b.keys, a->h, a->scale);
        pack_across(values, a->v + b.j * a->ldv, a->ldv, b.keys, a->d, 1);
        b.i = a->causal && !a->mask ? b.j - b.j % ROWS : 0;
        for (; b.i < a->t; b.i += b.rows) {
            b.rows = least(a->t - b.i, ROWS);
            back_block(&b, keys, values);
        }
    }
}
