/* The backward pass of a convolution under a pool: of each window one place at most has a gradient.
 *
 * For each filter the places with a gradient become a list: its value and where the window begins
 * in the picture. The gradient of the kernel is a sum of pieces of the picture, kept in registers
 * while a list runs; the gradient of the picture is the kernel added to it at those places. Both
 * move whole vectors along the runs of the window (conv.c). A run shorter than a vector (one or
 * three channels) would waste that: there vectors go over filters, and every tap of the pool
 * counts. */
#include "backend/cpu/kernels/parts.h"
#include "backend/cpu/kernels/turn.h"

#define UNROLL _Pragma("GCC unroll 32")

static int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }

/* Lists ---------------------------------------------------------------------------------------- */

/* Appends the places of one vector (those that are not negative) to a list. */
KT_INLINE int64_t append(float *value, int32_t *place, vf v, vi at) {
#if defined(KT_AVX512)
    const __mmask16 keep = _mm512_cmpge_epi32_mask((__m512i)at, _mm512_setzero_si512());
    _mm512_storeu_ps(value, _mm512_maskz_compress_ps(keep, (__m512)v));
    _mm512_storeu_si512(place, _mm512_maskz_compress_epi32(keep, (__m512i)at));
    return __builtin_popcount(keep);
#else
    int64_t n = 0;
    for (int i = 0; i < LANES; i++) {
        value[n] = v[i];
        place[n] = at[i];
        n += at[i] >= 0;
    }
    return n;
#endif
}

/* Which place of the window each byte stands for; -1: none. */
KT_INLINE vi tap_places(const kt_sparse_lists *l, const uint8_t *at, int64_t m) {
#if defined(KT_AVX512)
    const __mmask16 some = (__mmask16)((1u << m) - 1);
    const __m512i t = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(some, at));
    const __m512i none = _mm512_set1_epi32(-1);
    if (l->taps > LANES) return (vi)_mm512_mask_i32gather_epi32(none, some, t, l->tap, 4);
    const __mmask16 in = _mm512_mask_cmplt_epi32_mask(some, t, _mm512_set1_epi32(LANES));
    return (vi)_mm512_mask_permutexvar_epi32(none, in, t, _mm512_loadu_si512(l->tap));
#else
    int32_t place[LANES];
    vi v;
    for (int64_t j = 0; j < LANES; j++) place[j] = j < m ? l->tap[at[j]] : -1;
    memcpy(&v, place, sizeof v);
    return v;
#endif
}

/* Up to LANES windows in a row, up to LANES filters. */
static void list_block(
    const kt_sparse_lists *l, int64_t cell, int64_t n, int64_t filter, int64_t m, int64_t *count) {
    vf v[LANES], at[LANES];
    for (int64_t i = 0; i < LANES; i++) {
        v[i] = vf_set(0);
        at[i] = (vf)((vi){0} - 1);
        if (i >= n) continue;
        const int64_t from = (cell + i) * l->ld + filter;
        v[i] = vf_load_n(l->dy + from, m);
        const vi tap = tap_places(l, l->at + from, m);
        const vi none = (tap < 0) | (vi)(v[i] == vf_set(0)); /* 0 adds nothing */
        at[i] = (vf)((tap + l->start[cell + i]) | none);
    }
    vf_turn(v);
    vf_turn(at);
    for (int64_t j = 0; j < m; j++)
        count[j] += append(
            l->value + (filter + j) * l->room + count[j],
            l->place + (filter + j) * l->room + count[j],
            v[j],
            (vi)at[j]);
}

void KT_FN(kt_sparse_lists)(const kt_sparse_lists *l) {
    for (int64_t f = 0; f < l->filters; f += LANES) {
        const int64_t m = min64(l->filters - f, LANES);
        int64_t count[LANES] = {0};
        for (int64_t i = 0; i < l->n; i += LANES)
            list_block(l, i, min64(l->n - i, LANES), f, m, count);
        for (int64_t j = 0; j < m; j++) l->count[f + j] = count[j];
    }
}

/* Runs ----------------------------------------------------------------------------------------- */

/* Registers for sums or weights, and how they may be shared out: rows of runs, vectors of a run */
#define MOST (LANES == 16 ? 24 : 12)
#define MOST_VECS (LANES == 16 ? 8 : 6)

KT_INLINE void kernel_runs(
    const int rows, const int vecs, float *dk, int64_t ldk, const kt_sparse *s) {
    vf sum[24];
    const float *x = s->x;
    UNROLL for (int i = 0; i < rows * vecs; i++)
        sum[i] = vf_load(dk + i / vecs * ldk + i % vecs * LANES);
    for (int64_t e = 0; e < s->n; e++) {
        const vf v = vf_set(s->value[e]);
        const float *from = x + s->place[e];
        UNROLL for (int i = 0; i < rows * vecs; i++)
            sum[i] = vf_fma(v, vf_load(from + i / vecs * s->run_step + i % vecs * LANES), sum[i]);
    }
    UNROLL for (int i = 0; i < rows * vecs; i++)
        vf_store(dk + i / vecs * ldk + i % vecs * LANES, sum[i]);
}

KT_INLINE void input_runs(
    const int rows, const int vecs, float *kernel, int64_t ldk, const kt_sparse *s) {
    vf w[24];
    UNROLL for (int i = 0; i < rows * vecs; i++)
        w[i] = vf_load(kernel + i / vecs * ldk + i % vecs * LANES);
    /* from both halves in turn: neighbours overlap, and a sum would wait for the one before */
    const int64_t half = (s->n + 1) / 2;
    for (int64_t i = 0; i < 2 * half && i / 2 + i % 2 * half < s->n; i++) {
        const int64_t e = i / 2 + i % 2 * half;
        const vf v = vf_set(s->value[e]);
        float *to = s->x + s->place[e];
        UNROLL for (int k = 0; k < rows * vecs; k++) {
            float *at = to + k / vecs * s->run_step + k % vecs * LANES;
            vf_store(at, vf_fma(v, w[k], vf_load(at)));
        }
    }
}

typedef void runs_fn(float *k, int64_t ldk, const kt_sparse *s);
#define RUNS(rows, vecs)                                                                           \
    static void kernel_runs_##rows##x##vecs(float *k, int64_t ldk, const kt_sparse *s) {           \
        kernel_runs(rows, vecs, k, ldk, s);                                                        \
    }                                                                                              \
    static void input_runs_##rows##x##vecs(float *k, int64_t ldk, const kt_sparse *s) {            \
        input_runs(rows, vecs, k, ldk, s);                                                         \
    }
#define ROWS_SMALL(R, vecs) R(1, vecs) R(2, vecs)
// clang-format off
#if LANES == 16
#define ALL(R)                                                                                     \
    ROWS_SMALL(R, 1) ROWS_SMALL(R, 2) ROWS_SMALL(R, 3) ROWS_SMALL(R, 4) ROWS_SMALL(R, 5)           \
    ROWS_SMALL(R, 6) ROWS_SMALL(R, 7) ROWS_SMALL(R, 8)                                             \
    R(3, 1) R(3, 2) R(3, 3) R(3, 4) R(3, 5) R(3, 6) R(3, 7) R(3, 8)
#else
#define ALL(R)                                                                                     \
    ROWS_SMALL(R, 1) ROWS_SMALL(R, 2) ROWS_SMALL(R, 3) ROWS_SMALL(R, 4) ROWS_SMALL(R, 5)           \
    ROWS_SMALL(R, 6) R(3, 1) R(3, 2) R(3, 3) R(3, 4)
#endif
ALL(RUNS)
#define KERNEL_RUNS(rows, vecs) [rows][vecs] = kernel_runs_##rows##x##vecs,
#define INPUT_RUNS(rows, vecs) [rows][vecs] = input_runs_##rows##x##vecs,
static runs_fn *const runs_fns[2][4][9] = {{ALL(KERNEL_RUNS)}, {ALL(INPUT_RUNS)}};
// clang-format on

/* k[runs][vecs] in blocks of registers */
static void over_runs(int which, float *k, const kt_sparse *s) {
    const int64_t vecs = (s->depth + LANES - 1) / LANES, ldk = vecs * LANES;
    for (int64_t run = 0, rows; run < s->runs; run += rows) {
        rows = s->runs - run >= 3 && s->runs - run != 4 ? 3 : min64(s->runs - run, 2);
        const int64_t most = min64(MOST / rows, MOST_VECS), blocks = (vecs + most - 1) / most;
        for (int64_t b = 0; b < blocks; b++) {
            const int64_t first = vecs * b / blocks, n = vecs * (b + 1) / blocks - first;
            kt_sparse part = *s;
            part.x = s->x + run * s->run_step + first * LANES;
            runs_fns[which][rows][n](k + run * ldk + first * LANES, ldk, &part);
        }
    }
}

void KT_FN(kt_sparse_kernel)(float *dk, const kt_sparse *s) { over_runs(0, dk, s); }

void KT_FN(kt_sparse_input)(const float *kernel, const kt_sparse *s) {
    over_runs(1, (float *)(uintptr_t)kernel, s);
}

/* Patches -------------------------------------------------------------------------------------- */

/* What the commonest of all, a 3 x 3 kernel under a pool of 2 x 2, changes in the picture is a
 * patch of 4 x 4 cells; a vector of channels of each fits into registers. So a window's results are
 * added up there, and the kernel comes from memory instead: for each tap of the pool a list of
 * filters. */
#if LANES == 16
#define PATCH_TAPS 4
#define PATCH_CELLS 9

/* [9 channels, filters] -> [channels / LANES][filters][9][LANES] */
static void patch_pack(float *to, const float *kernel, int64_t channels, int64_t filters) {
    const int64_t step = PATCH_CELLS * LANES;
    for (int64_t cell = 0; cell < PATCH_CELLS; cell++)
        for (int64_t c = 0; c < channels; c += LANES) KT_FN(kt_transpose_ld)
    (to + c / LANES * filters * step + cell * LANES,
     step,
     kernel + (cell * channels + c) * filters,
     filters,
     LANES,
     filters);
}

/* For each window four lists, one after the other; count is [n][4]. */
static void patch_lists(const kt_sparse_lists *l) {
    const __m512i first = _mm512_mullo_epi32(
        _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
        _mm512_set1_epi32(PATCH_CELLS * LANES));
    int64_t at = 0;
    for (int64_t i = 0; i < l->n * PATCH_TAPS; i++) {
        const int64_t from = i / PATCH_TAPS * l->ld, start = at;
        const __m128i tap = _mm_set1_epi8((char)(i % PATCH_TAPS));
        for (int64_t f = 0; f < l->filters; f += LANES) {
            const int64_t left = min64(l->filters - f, LANES);
            const __mmask16 some = (__mmask16)((1u << left) - 1);
            const __m512 v = _mm512_maskz_loadu_ps(some, l->dy + from + f);
            const __m128i taps = _mm_maskz_loadu_epi8(some, l->at + from + f);
            const __mmask16 here = _mm_mask_cmpeq_epi8_mask(some, taps, tap);
            const __mmask16 keep = _mm512_mask_cmp_ps_mask(
                here, v, _mm512_setzero_ps(), _CMP_NEQ_UQ);
            const __m512i filter = _mm512_add_epi32(
                first, _mm512_set1_epi32((int32_t)(f * PATCH_CELLS * LANES)));
            _mm512_storeu_ps(l->value + at, _mm512_maskz_compress_ps(keep, v));
            _mm512_storeu_si512(l->place + at, _mm512_maskz_compress_epi32(keep, filter));
            at += __builtin_popcount(keep);
        }
        l->count[i] = at - start;
    }
}

/* The list of one tap (row, col) over the patch. */
KT_INLINE void patch_tap(
    vf *sum, const int row, const int col, const float *kernel, const kt_sparse *s) {
    for (int64_t e = 0; e < s->n; e++) {
        const vf v = vf_set(s->value[e]);
        const float *k = kernel + s->place[e];
        UNROLL for (int i = 0; i < PATCH_CELLS; i++) {
            vf *to = &sum[(row + i / 3) * 4 + col + i % 3];
            *to = vf_fma(v, vf_load(k + i * LANES), *to);
        }
    }
}

/* One window, one vector of channels; step: floats from cell to cell. */
static void patch_add(
    float *x, int64_t row, int64_t step, const float *kernel, const int64_t *count, kt_sparse s) {
    vf sum[16];
    UNROLL for (int i = 0; i < 16; i++) sum[i] = vf_load(x + i / 4 * row + i % 4 * step);
    UNROLL for (int tap = 0; tap < PATCH_TAPS; tap++) {
        s.n = count[tap];
        patch_tap(sum, tap / 2, tap % 2, kernel, &s);
        s.value += s.n;
        s.place += s.n;
    }
    UNROLL for (int i = 0; i < 16; i++) vf_store(x + i / 4 * row + i % 4 * step, sum[i]);
}

static void patch_input(
    const float *kernel, float *x, int64_t row, int64_t channels, const kt_sparse_lists *l) {
    patch_lists(l);
    for (int64_t c = 0; c < channels; c += LANES, kernel += l->filters * PATCH_CELLS * LANES) {
        kt_sparse s = {.value = l->value, .place = l->place};
        for (int64_t i = 0; i < l->n; i++) {
            const int64_t *count = l->count + i * PATCH_TAPS;
            patch_add(x + l->start[i] + c, row, channels, kernel, count, s);
            const int64_t n = count[0] + count[1] + count[2] + count[3];
            s.value += n;
            s.place += n;
        }
    }
}

const kt_patch_kernels KT_FN(kt_patch) = {patch_pack, patch_input};
#else
const kt_patch_kernels KT_FN(kt_patch) = {NULL, NULL}; /* too few registers */
#endif

/* Few channels --------------------------------------------------------------------------------- */

#if LANES == 16
#define FEW_ROWS 14
#else
#define FEW_ROWS 5
#endif

/* The gradient at tap t of a window, where it is: 0 elsewhere. */
KT_INLINE vf at_tap(vf dy, vi at, int t) { return (vf)((vi)dy & (vi)(at == t)); }

/* rows x vecs of dk: what stands `cell[i]` behind the start of each window */
KT_INLINE void few_tile(
    const int rows,
    const int vecs,
    float *dk,
    const int32_t *cell,
    int64_t filter,
    const kt_few *f) {
    vf sum[FEW_ROWS * 2];
    const int64_t m = f->filters - filter - (vecs - 1) * LANES;
    UNROLL for (int i = 0; i < rows * vecs; i++)
        sum[i] = vf_load(dk + i / vecs * f->ldk + i % vecs * LANES);
    for (int64_t w = 0; w < f->n; w++) {
        vf dy[2];
        vi at[2];
        UNROLL for (int j = 0; j < vecs; j++) {
            const int64_t from = w * f->ld + filter + j * LANES;
            const int64_t left = j == vecs - 1 ? m : LANES;
            dy[j] = left < LANES ? vf_load_n(f->dy + from, left) : vf_load(f->dy + from);
            at[j] = vi_load_u8(f->at + from, min64(left, LANES));
        }
        for (int t = 0; t < f->taps; t++) {
            const float *x = f->x + f->start[w] + f->tap[t];
            vf v[2];
            UNROLL for (int j = 0; j < vecs; j++) v[j] = at_tap(dy[j], at[j], t);
            UNROLL for (int i = 0; i < rows; i++) {
                const vf u = vf_set(x[cell[i]]);
                UNROLL for (int j = 0; j < vecs; j++)
                    sum[i * vecs + j] = vf_fma(u, v[j], sum[i * vecs + j]);
            }
        }
    }
    UNROLL for (int i = 0; i < rows * vecs; i++)
        vf_store(dk + i / vecs * f->ldk + i % vecs * LANES, sum[i]);
}

typedef void few_fn(float *dk, const int32_t *cell, int64_t filter, const kt_few *f);
#define FEW(rows, vecs)                                                                            \
    static void few_##rows##x##vecs(                                                               \
        float *dk, const int32_t *cell, int64_t filter, const kt_few *f) {                         \
        few_tile(rows, vecs, dk, cell, filter, f);                                                 \
    }
#define FEW_BOTH(F, rows) F(rows, 1) F(rows, 2)
// clang-format off
#if FEW_ROWS == 14
#define FEW_ALL(F)                                                                                 \
    FEW_BOTH(F, 1) FEW_BOTH(F, 2) FEW_BOTH(F, 3) FEW_BOTH(F, 4) FEW_BOTH(F, 5) FEW_BOTH(F, 6)      \
    FEW_BOTH(F, 7) FEW_BOTH(F, 8) FEW_BOTH(F, 9) FEW_BOTH(F, 10) FEW_BOTH(F, 11) FEW_BOTH(F, 12)   \
    FEW_BOTH(F, 13) FEW_BOTH(F, 14)
#else
#define FEW_ALL(F)                                                                                 \
    FEW_BOTH(F, 1) FEW_BOTH(F, 2) FEW_BOTH(F, 3) FEW_BOTH(F, 4) FEW_BOTH(F, 5)
#endif
// clang-format on
FEW_ALL(FEW)
#define FEW_FN(rows, vecs) [rows][vecs] = few_##rows##x##vecs,
static few_fn *const few_fns[FEW_ROWS + 1][3] = {FEW_ALL(FEW_FN)};

#if LANES == 16
/* One channel, 3 x 3 cells, windows of 2 x 2: the 4 x 4 cells under a window are one vector, and
 * each lane takes from it what its tap sees. */
KT_INLINE void square_tile(const int vecs, float *dk, int64_t filter, const kt_few *f) {
    const __m512i starts = _mm512_maskz_set1_epi32(1 << 1, 1) + _mm512_maskz_set1_epi32(1 << 2, 4) +
                           _mm512_maskz_set1_epi32(1 << 3, 5);
    const int64_t row = f->cell[3], m = min64(f->filters - filter - (vecs - 1) * LANES, LANES);
    vf sum[18];
    UNROLL for (int i = 0; i < 9 * vecs; i++)
        sum[i] = vf_load(dk + i / vecs * f->ldk + i % vecs * LANES);
    for (int64_t w = 0; w < f->n; w++) {
        const float *x = f->x + f->start[w];
        __m512 cells = _mm512_castps128_ps512(_mm_loadu_ps(x));
        cells = _mm512_insertf32x4(cells, _mm_loadu_ps(x + row), 1);
        cells = _mm512_insertf32x4(cells, _mm_loadu_ps(x + 2 * row), 2);
        cells = _mm512_insertf32x4(cells, _mm_loadu_ps(x + 3 * row), 3);
        UNROLL for (int j = 0; j < vecs; j++) {
            const int64_t from = w * f->ld + filter + j * LANES, n = j == vecs - 1 ? m : LANES;
            const __m512i at = (__m512i)vi_load_u8(f->at + from, n);
            const __mmask16 alive = _mm512_cmplt_epi32_mask(at, _mm512_set1_epi32(4));
            const vf dy = (vf)_mm512_maskz_mov_ps(alive, (__m512)vf_load_n(f->dy + from, n));
            const __m512i tap = _mm512_permutexvar_epi32(at, starts);
            UNROLL for (int i = 0; i < 9; i++) {
                const __m512i cell = _mm512_add_epi32(tap, _mm512_set1_epi32(i / 3 * 4 + i % 3));
                sum[i * vecs + j] = vf_fma(
                    (vf)_mm512_permutexvar_ps(cell, cells), dy, sum[i * vecs + j]);
            }
        }
    }
    UNROLL for (int i = 0; i < 9 * vecs; i++)
        vf_store(dk + i / vecs * f->ldk + i % vecs * LANES, sum[i]);
}

static void square_kernel(float *dk, const kt_few *f) {
    for (int64_t filter = 0; filter < f->filters; filter += 2 * LANES) {
        if (f->filters - filter > LANES)
            square_tile(2, dk + filter, filter, f);
        else
            square_tile(1, dk + filter, filter, f);
    }
}

static bool is_square(const kt_few *f) {
    const int32_t row = f->cell[f->cells > 3 ? 3 : 0];
    bool fits = f->cells == 9 && f->taps == 4;
    for (int i = 0; i < 9 && fits; i++) fits = f->cell[i] == i / 3 * row + i % 3;
    for (int i = 0; i < 4 && fits; i++) fits = f->tap[i] == i / 2 * row + i % 2;
    return fits;
}
#else
static bool is_square(const kt_few *f) {
    (void)f;
    return false;
}
static void square_kernel(float *dk, const kt_few *f) { (void)dk, (void)f; }
#endif

void KT_FN(kt_few_kernel)(float *dk, const kt_few *f) {
    if (is_square(f)) {
        square_kernel(dk, f);
        return;
    }
    const int64_t blocks = (f->cells + FEW_ROWS - 1) / FEW_ROWS;
    for (int64_t filter = 0; filter < f->filters; filter += 2 * LANES) {
        const int64_t vecs = f->filters - filter > LANES ? 2 : 1;
        for (int64_t b = 0; b < blocks; b++) {
            const int64_t i = f->cells * b / blocks, rows = f->cells * (b + 1) / blocks - i;
            few_fns[rows][vecs](dk + i * f->ldk + filter, f->cell + i, filter, f);
        }
    }
}

/* dbias += dy where some tap has it */
void KT_FN(kt_few_bias)(float *dbias, const kt_few *f) {
    for (int64_t c = 0; c < f->filters; c += LANES) {
        const int64_t m = min64(f->filters - c, LANES);
        vf sum = vf_load_n(dbias + c, m);
        for (int64_t cell = 0; cell < f->n; cell++) {
            const vf dy = vf_load_n(f->dy + cell * f->ld + c, m);
            sum += (vf)((vi)dy & (vi)(vi_load_u8(f->at + cell * f->ld + c, m) < f->taps));
        }
        vf_store_n(dbias + c, sum, m);
    }
}
