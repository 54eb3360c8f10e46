/* Softmax, its logarithm, and cross-entropy with labels, row by row.
 *
 *     p = exp(x - max x) / sum exp(x - max x);   loss = log sum exp(x - max x) - (x[label] - max x)
 *
 * A long row is gone through while it is in the first cache: maximum, exponentials, sum, scale.
 * Of short rows, with which most networks end, LANES at a time are turned, so that each lane
 * has a row of its own and nothing is done across lanes. */
#include "backend/cpu/kernels/parts.h"
#include "backend/cpu/kernels/vecmath.h"

/* y = exp(x - max) over whole vectors */
KT_INLINE void exp_loop(float *y, const float *x, float max, int64_t n) {
    KT_IVDEP
    for (int64_t i = 0; i < n; i++) y[i] = vm_exp(x[i] - max);
}

/* y = exp(x - max); returns the sum. y may be x. */
static float exp_row(float *y, const float *x, float max, int64_t n) {
    const int64_t body = n & -LANES, rest = n - body;
    exp_loop(y, x, max, body);
    vf sum = vf_set(0);
    for (int64_t i = 0; i < body; i += LANES) sum += vf_load(y + i);
    if (rest) {
        float t[LANES];
        vf_store(t, vf_load_n(x + body, rest));
        exp_loop(t, t, max, LANES);
        vf_store_n(y + body, vf_load(t), rest);
        sum += vf_load_n(t, rest);
    }
    return vf_sum(sum);
}

/* sum of exp(x - max) without a place to keep the terms */
static float exp_sum(const float *x, float max, int64_t n) {
    float t[256], s = 0;
    for (int64_t i = 0; i < n; i += 256) s += exp_row(t, x + i, max, n - i < 256 ? n - i : 256);
    return s;
}

static void scale_row(float *y, const float *x, float s, int64_t n) {
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) vf_store(y + i, vf_load(x + i) * s);
    if (i < n) vf_store_n(y + i, vf_load_n(x + i, n - i) * s, n - i);
}

/* ---- short rows ------------------------------------------------------------------------------ */

#define SHORT 32 /* columns */

typedef struct short_rows {
    float t[SHORT * LANES]; /* column by column, one lane per row */
    vf max, sum;
} short_rows;

/* t = x - max; exp: t = exp(x - max). Lanes beyond `rows` hold what they like. */
static void short_load(short_rows *s, const float *x, int64_t rows, int64_t cols) {
    KT_FN(kt_transpose_ld)(s->t, LANES, x, cols, rows, cols);
    /* a NaN may be lost here; x - max is NaN all the same, and so is the sum of the row */
    s->max = vf_load(s->t);
    for (int64_t c = 1; c < cols; c++) s->max = vf_max(s->max, vf_load(s->t + c * LANES));
    for (int64_t c = 0; c < cols; c++)
        vf_store(s->t + c * LANES, vf_load(s->t + c * LANES) - s->max);
}

static void short_exp(short_rows *s, float *e, int64_t cols) {
    exp_loop(e, s->t, 0, cols * LANES);
    s->sum = vf_load(e);
    for (int64_t c = 1; c < cols; c++) s->sum += vf_load(e + c * LANES);
}

static void short_softmax(short_rows *s, float *y, int64_t rows, int64_t cols) {
    const vf scale = 1 / s->sum;
    for (int64_t c = 0; c < cols; c++)
        vf_store(s->t + c * LANES, vf_load(s->t + c * LANES) * scale);
    KT_FN(kt_transpose_ld)(y, cols, s->t, LANES, cols, rows);
}

static void short_log_sum(const short_rows *s, float *log_sum) {
    vf_store(log_sum, s->sum);
    for (int i = 0; i < LANES; i++) log_sum[i] = vm_log(log_sum[i]);
}

/* ---- the kernels ----------------------------------------------------------------------------- */

void KT_FN(kt_softmax)(float *y, const float *x, int64_t rows, int64_t cols) {
    for (int64_t r = 0, n; cols <= SHORT && r < rows; r += n) {
        short_rows s;
        n = rows - r < LANES ? rows - r : LANES;
        short_load(&s, x + r * cols, n, cols);
        short_exp(&s, s.t, cols);
        short_softmax(&s, y + r * cols, n, cols);
    }
    for (int64_t r = 0; cols > SHORT && r < rows; r++, x += cols, y += cols) {
        const float sum = exp_row(y, x, KT_FN(kt_max)(x, cols), cols);
        scale_row(y, y, 1 / sum, cols);
    }
}

void KT_FN(kt_log_softmax)(float *y, const float *x, int64_t rows, int64_t cols) {
    for (int64_t r = 0, n; cols <= SHORT && r < rows; r += n) {
        short_rows s;
        float e[SHORT * LANES], log_sum[LANES];
        n = rows - r < LANES ? rows - r : LANES;
        short_load(&s, x + r * cols, n, cols);
        short_exp(&s, e, cols);
        short_log_sum(&s, log_sum);
        for (int64_t i = 0; i < cols * LANES; i += LANES)
            vf_store(s.t + i, vf_load(s.t + i) - vf_load(log_sum));
        KT_FN(kt_transpose_ld)(y + r * cols, cols, s.t, LANES, cols, n);
    }
    for (int64_t r = 0; cols > SHORT && r < rows; r++, x += cols, y += cols) {
        const float max = KT_FN(kt_max)(x, cols);
        const float log_sum = vm_log(exp_sum(x, max, cols));
        KT_IVDEP
        for (int64_t i = 0; i < cols; i++) y[i] = (x[i] - max) - log_sum;
    }
}

static void short_xent(
    float *loss, float *p, const float *x, const int32_t *label, int64_t rows, int64_t cols) {
    short_rows s;
    float hit[LANES], log_sum[LANES];
    short_load(&s, x, rows, cols);
    for (int64_t r = 0; r < rows; r++) hit[r] = s.t[label[r] * LANES + r];
    short_exp(&s, s.t, cols);
    short_log_sum(&s, log_sum);
    for (int64_t r = 0; r < rows; r++) loss[r] = log_sum[r] - hit[r];
    short_softmax(&s, p, rows, cols);
}

void KT_FN(kt_sparse_xent)(
    float *loss, float *p, const float *x, const int32_t *label, int64_t rows, int64_t cols) {
    for (int64_t r = 0, n; cols <= SHORT && r < rows; r += n) {
        n = rows - r < LANES ? rows - r : LANES;
        short_xent(loss + r, p + r * cols, x + r * cols, label + r, n, cols);
    }
    for (int64_t r = 0; cols > SHORT && r < rows; r++, x += cols, p += cols) {
        const float max = KT_FN(kt_max)(x, cols), hit = x[label[r]] - max;
        const float s = exp_row(p, x, max, cols);
        scale_row(p, p, 1 / s, cols);
        loss[r] = vm_log(s) - hit;
    }
}

void KT_FN(kt_sparse_xent_grad)(
    float *dx,
    const float *p,
    const int32_t *label,
    const float *dloss,
    int64_t rows,
    int64_t cols) {
    for (int64_t r = 0; r < rows; r++, p += cols, dx += cols) {
        const float hit = (p[label[r]] - 1) * dloss[r];
        scale_row(dx, p, dloss[r], cols);
        dx[label[r]] = hit;
    }
}
