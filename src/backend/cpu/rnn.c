/* Recurrent layers over whole sequences: rows of the batch are shared among the threads, each takes
 * some through all time steps. What a row gets does not depend on who its neighbours are, so
 * neither on the number of threads. */
#include "ir/rnn.h"
#include "backend/cpu/impls.h"

#include <string.h>

#define MOST_ROWS 32 /* their state stays in the first cache */

typedef struct {
    const kt_kargs *k;
    const rnn_attrs *a;
    rnn_dims d;
    const uint8_t *mask;
    float *packed;
    int64_t rows; /* of a chunk */
} rnn_job;

static bool rnn_supports(const kt_node *n) {
    const rnn_dims d = rnn_dims_of(n);
    return is_f32(n->in[0]) && d.b > 0 && d.t > 0 && d.u > 0;
}

static rnn_job rnn_start(const kt_kargs *k, int weights, bool back) {
    rnn_job j = {k, k->node->attrs, rnn_dims_of(k->node), rnn_mask(k), k->scratch, MOST_ROWS};
    const int64_t threads = kt_pool_threads(), share = (j.d.b + threads - 1) / threads;
    if (share < j.rows) j.rows = (share + 1) / 2 * 2;
    kt_kernels_get()->rnn_pack(j.packed, (int)j.d.kind, j.d.u, k->in[weights], back);
    return j;
}

/* The time step that the loop looks at in step s. */
static int64_t time_of(const rnn_job *j, int64_t s) { return j->a->backwards ? j->d.t - 1 - s : s; }

static void copy_rows(
    float *to, int64_t ld_to, const float *from, int64_t ld, int64_t n, int64_t u) {
    for (int64_t i = 0; i < n; i++)
        memcpy(to + i * ld_to, from + i * ld, sizeof(float) * (size_t)u);
}

/* Masked rows keep their state. */
static void hold_rows(const rnn_job *j, const kt_rnn_step *s, int64_t first, int64_t t) {
    const size_t row = sizeof(float) * (size_t)j->d.u;
    for (int64_t i = 0; i < s->rows; i++) {
        if (j->mask[(first + i) * j->d.t + t]) continue;
        memcpy(s->h_new + i * s->ldh_new, s->h + i * s->ldh, row);
        if (s->c_new) memcpy(s->c_new + i * s->ldc_new, s->c + i * s->ldc, row);
    }
}

/* The output of step s from the state after it. */
static void put_rows(
    const rnn_job *j, const kt_rnn_step *a, int64_t first, int64_t s, const int64_t *seen) {
    const int64_t u = j->d.u, t = time_of(j, s);
    for (int64_t i = 0; i < a->rows; i++) {
        const int64_t b = first + i;
        float *y = (float *)j->k->out[0] + (j->a->sequences ? b * j->d.t + s : b) * u;
        const bool shown = !j->mask || (j->a->zero_masked ? j->mask[b * j->d.t + t] : s >= seen[i]);
        if (shown)
            memcpy(y, a->h_new + i * a->ldh_new, sizeof(float) * (size_t)u);
        else
            memset(y, 0, sizeof(float) * (size_t)u);
    }
}

static void rnn_rows(void *arg, int64_t chunk, int thread) {
    const rnn_job *j = arg;
    const rnn_dims *d = &j->d;
    const bool lstm = d->kind == RNN_LSTM, gru = d->kind == RNN_GRU;
    const int64_t first = chunk * j->rows, tu = d->t * d->u;
    void *const *kept = j->k->out + rnn_gates_out(d->kind);
    float *before = kept[1], *extra = d->kind == RNN_SIMPLE ? NULL : kept[2];
    kt_rnn_step s = {.units = d->u, .packed = j->packed, .ldz = d->t * d->gu, .ld_inner = tu};
    int64_t seen[MOST_ROWS];
    (void)thread;
    s.rows = d->b - first < j->rows ? d->b - first : j->rows;
    for (int64_t i = 0; i < s.rows; i++) seen[i] = rnn_first(d, j->a, j->mask, first + i);
    s.ldh = s.ldc = tu;
    s.bias = gru ? j->k->in[3] : NULL;
    const int64_t start = (first * d->t + time_of(j, 0)) * d->u;
    copy_rows(before + start, tu, (float *)j->k->in[2] + first * d->u, d->u, s.rows, d->u);
    if (lstm) copy_rows(extra + start, tu, (float *)j->k->in[3] + first * d->u, d->u, s.rows, d->u);
    for (int64_t n = 0; n < d->t; n++) {
        const int64_t at = first * d->t + time_of(j, n);
        const bool last = n == d->t - 1;
        const int64_t next = last ? first : first * d->t + time_of(j, n + 1);
        s.z = (const float *)j->k->in[0] + at * d->gu;
        s.gates = (float *)kept[0] + at * d->gu;
        s.inner = gru ? extra + at * d->u : NULL;
        s.h = before + at * d->u;
        s.h_new = (last ? (float *)j->k->out[1] : before) + next * d->u;
        s.ldh_new = s.ldc_new = last ? d->u : tu;
        if (lstm) s.c = extra + at * d->u;
        if (lstm) s.c_new = (last ? (float *)j->k->out[2] : extra) + next * d->u;
        kt_kernels_get()->rnn_step[d->kind](&s);
        if (j->mask) hold_rows(j, &s, first, time_of(j, n));
        if (last || j->a->sequences) put_rows(j, &s, first, n, seen);
    }
}

static kt_status rnn_run(const kt_kargs *k) {
    rnn_job j = rnn_start(k, 1, false);
    kt_pool_run(rnn_rows, &j, (j.d.b + j.rows - 1) / j.rows);
    return KT_OK;
}

static size_t rnn_scratch(const kt_node *n) {
    const rnn_dims d = rnn_dims_of(n);
    return sizeof(float) * (size_t)kt_kernels_get()->rnn_packed((int)d.kind, d.u, false);
}

/* The way back --------------------------------------------------------------------------------- */

static void back_row(const rnn_job *j, int64_t b, int64_t s, int64_t first) {
    const rnn_dims *d = &j->d;
    const int64_t t = time_of(j, s), at = b * d->t + t;
    const bool valid = !j->mask || j->mask[at];
    const bool shown = (j->a->sequences || s == d->t - 1) &&
                       (j->a->zero_masked ? valid : s >= first);
    const float *dy = (const float *)j->k->in[3] + (j->a->sequences ? b * d->t + s : b) * d->u;
    kt_rnn_back r = {
        .units = d->u,
        .gates = (const float *)j->k->in[0] + at * d->gu,
        .h = (const float *)j->k->in[1] + at * d->u,
        .dy = shown ? dy : NULL,
        .dz = (float *)j->k->out[0] + at * d->gu,
        .dh = (float *)j->k->out[1] + b * d->u};
    if (d->kind != RNN_SIMPLE) r.extra = (const float *)j->k->in[5] + at * d->u;
    if (d->kind == RNN_GRU) r.inner = (float *)j->k->out[2] + at * d->gu;
    if (d->kind == RNN_LSTM) r.dc = (float *)j->k->out[2] + b * d->u;
    if (valid) {
        kt_kernels_get()->rnn_back[d->kind](&r);
        return;
    }
    for (int64_t i = 0; r.dy && i < d->u; i++) r.dh[i] += r.dy[i];
    memset(r.dz, 0, sizeof(float) * (size_t)d->gu);
    if (r.inner) memset(r.inner, 0, sizeof(float) * (size_t)d->gu);
}

static void rnn_back_rows(void *arg, int64_t chunk, int thread) {
    const rnn_job *j = arg;
    const rnn_dims *d = &j->d;
    const int64_t first = chunk * j->rows, left = d->b - first;
    const int64_t rows = left < j->rows ? left : j->rows, at = first * d->u;
    float *dh = (float *)j->k->out[1] + at;
    const float *inner = j->k->out[d->kind == RNN_GRU ? 2 : 0];
    int64_t seen[MOST_ROWS];
    (void)thread;
    memcpy(dh, (const float *)j->k->in[4] + at, sizeof(float) * (size_t)(rows * d->u));
    if (d->kind == RNN_LSTM)
        memcpy(
            (float *)j->k->out[2] + at,
            (const float *)j->k->in[6] + at,
            sizeof(float) * (size_t)(rows * d->u));
    for (int64_t i = 0; i < rows; i++) seen[i] = rnn_first(d, j->a, j->mask, first + i);
    for (int64_t s = d->t; s-- > 0;) {
        for (int64_t i = 0; i < rows; i++) back_row(j, first + i, s, seen[i]);
        kt_kernels_get()->rnn_back_product(
            dh,
            d->u,
            inner + (first * d->t + time_of(j, s)) * d->gu,
            d->t * d->gu,
            rows,
            d->u,
            d->gu,
            j->packed);
    }
}

static kt_status rnn_grad_run(const kt_kargs *k) {
    rnn_job j = rnn_start(k, 2, true);
    kt_pool_run(rnn_back_rows, &j, (j.d.b + j.rows - 1) / j.rows);
    return KT_OK;
}

static size_t rnn_grad_scratch(const kt_node *n) {
    const rnn_dims d = rnn_dims_of(n);
    return sizeof(float) * (size_t)kt_kernels_get()->rnn_packed((int)d.kind, d.u, true);
}

#define IMPL(op)                                                                                   \
    const kt_impl impl_##op##_rows = {#op, "rows", rnn_supports, rnn_run, rnn_scratch, NULL};      \
    const kt_impl impl_##op##_grad_rows = {                                                        \
        #op "_grad", "rows", rnn_supports, rnn_grad_run, rnn_grad_scratch, NULL};
IMPL(simple_rnn)
IMPL(gru)
IMPL(lstm)
