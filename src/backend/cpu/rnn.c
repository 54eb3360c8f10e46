/* Recurrent layers over whole sequences: rows of the batch are shared among the threads, each takes
 * some through all time steps. What a row gets does not depend on who its neighbours are, so
 * neither on the number of threads.
 *
 * Two ways. While the weights are small, a step forward multiplies x and h at once, and on the way
 * back the gradients of the gates live for some steps only, in the second cache: those of x come
 * right after those of h, and as soon as DEPTH rows are there the gradients of the weights get
 * their share. Chunks of rows have sums of their own, added in the end; how many there are depends
 * on the batch alone. Otherwise (and with few rows) products over all steps stand before and
 * behind the loop. */
#include "ir/rnn.h"
#include "backend/cpu/impls.h"

#include <stdatomic.h>
#include <string.h>

#define MOST_ROWS 64             /* their state stays in the first cache */
#define MUCH (16 << 20)          /* bytes of gates: no cache keeps them until the way back */
#define FEW_ROWS 8               /* below, weights wait for memory: one product for all steps */
#define SMALL_BYTES (512 * 1024) /* of weights: in a second cache with what else is needed */
#define BACK_ROWS 16             /* on the way back, where more of a row is in the second cache */
#define DEPTH 64                 /* rows of gradients of gates that are kept */
#define CHUNK_ROWS 32            /* from so many on, a chunk of the way back */
#define MOST_CHUNKS 8

typedef struct {
    const kt_kargs *k;
    const rnn_attrs *a;
    rnn_dims d;
    const uint8_t *mask;
    bool joined;              /* x goes with h, and the weights' gradients with the loop */
    float *packed, *packed_x; /* recurrent weights, those of the input */
    float *z;                 /* not joined: what x gives to the gates, where they come later */
    int64_t rows;             /* of a chunk */
    float *work;              /* the way back: of the first chunk; or all gradients of gates */
    float *states;            /* those that are not kept */
    float *h;                 /* the way back with products apart: before each step */
} rnn_job;

static bool rnn_supports(const kt_node *n) {
    const rnn_dims d = rnn_dims_of(n);
    return is_f32(n->in[0]) && d.b > 0 && d.t > 0 && d.u > 0 && d.f > 0;
}

static bool is_joined(const rnn_dims *d) {
    return d->b >= FEW_ROWS && (double)(d->f + d->u) * (double)d->gu * 4 <= SMALL_BYTES;
}

static rnn_job rnn_start(const kt_kargs *k) {
    rnn_job j = {.k = k, .a = k->node->attrs, .d = rnn_dims_of(k->node), .mask = rnn_mask(k)};
    const int64_t threads = kt_pool_threads(), share = (j.d.b + threads - 1) / threads;
    j.rows = share < MOST_ROWS ? (share + 1) / 2 * 2 : MOST_ROWS;
    j.joined = is_joined(&j.d);
    j.packed = k->scratch;
    return j;
}

/* n floats that will be read or written soon. The hardware does not see by itself where the next
 * step begins, and a step is long enough to fetch it all. */
static void fetch(const float *p, int64_t n) {
    for (int64_t k = 0; k < n; k += 64 / (int64_t)sizeof *p) __builtin_prefetch(p + k, 0, 3);
}
static void fetch_for_writing(float *p, int64_t n) {
    for (int64_t k = 0; k < n; k += 64 / (int64_t)sizeof *p) __builtin_prefetch(p + k, 1, 3);
}

/* The time step that the loop looks at in step s. */
static int64_t time_of(const rnn_job *j, int64_t s) { return j->a->backwards ? j->d.t - 1 - s : s; }

/* Masked rows keep their state. */
static void hold_rows(const rnn_job *j, const kt_rnn_step *s, int64_t first, int64_t t) {
    const size_t row = sizeof(float) * (size_t)j->d.u;
    for (int64_t i = 0; i < s->rows; i++) {
        if (j->mask[(first + i) * j->d.t + t]) continue;
        memcpy(s->h_new + i * j->d.u, s->h + i * j->d.u, row);
        if (s->c_new) memcpy(s->c_new + i * j->d.u, s->c + i * j->d.u, row);
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
            memcpy(y, a->h_new + i * u, sizeof(float) * (size_t)u);
        else
            memset(y, 0, sizeof(float) * (size_t)u);
    }
}

/* What stays the same in all steps of these rows. */
static kt_rnn_step first_step(const rnn_job *j, int64_t first) {
    const rnn_dims *d = &j->d;
    kt_rnn_step s = {.units = d->u, .packed = j->packed, .packed_x = j->packed, .ldz = d->gu};
    s.rows = d->b - first < j->rows ? d->b - first : j->rows;
    s.z = j->k->in[3], s.ldx = d->t * d->f;
    if (j->joined) s.inputs = d->f, s.packed_x = j->packed_x, s.ldz = 0;
    if (d->kind == RNN_GRU) s.bias = j->k->in[5];
    const uintptr_t gates = (uintptr_t)j->k->out[rnn_gates_out(d->kind)];
    const bool much = d->t * d->b * d->gu * (int64_t)sizeof(float) >= MUCH;
    s.stream = much && j->joined && !j->a->forget && d->u % 16 == 0 && gates % 64 == 0;
    return s;
}

/* The states before step n of rows from `first` on (c: those of lstm): where they are kept, or one
 * of two places in turn. */
static float *state_at(const rnn_job *j, int c, int64_t n, int64_t first) {
    const rnn_dims *d = &j->d;
    if (n == d->t) return (float *)j->k->out[1 + c] + first * d->u;
    if (n % RNN_SEGMENT || j->a->forget) return j->states + ((2 * c + n % 2) * d->b + first) * d->u;
    float *kept = j->k->out[rnn_gates_out(d->kind) + 1 + c];
    return kept + (n / RNN_SEGMENT * d->b + first) * d->u;
}

static void rnn_rows(void *arg, int64_t chunk, int thread) {
    const rnn_job *j = arg;
    const rnn_dims *d = &j->d;
    const bool lstm = d->kind == RNN_LSTM, gru = d->kind == RNN_GRU;
    const int64_t first = chunk * j->rows;
    void *const *kept = j->k->out + rnn_gates_out(d->kind);
    kt_rnn_step s = first_step(j, first);
    int64_t seen[MOST_ROWS];
    (void)thread;
    for (int64_t i = 0; i < s.rows; i++) seen[i] = rnn_first(d, j->a, j->mask, first + i);
    const size_t state = sizeof(float) * (size_t)(s.rows * d->u);
    for (int c = 0; c <= lstm; c++)
        memcpy(state_at(j, c, 0, first), (float *)j->k->in[4 + c] + first * d->u, state);
    for (int64_t n = 0; n < d->t; n++) {
        const int64_t at = (j->a->forget ? 0 : time_of(j, n)) * d->b + first;
        const bool last = n == d->t - 1;
        s.gates = (float *)kept[0] + at * d->gu;
        if (!j->joined) s.z = j->z + (time_of(j, n) * d->b + first) * d->gu;
        s.x = (const float *)j->k->in[0] + (first * d->t + time_of(j, n)) * d->f;
        s.inner = gru ? (float *)kept[2] + at * d->u : NULL;
        s.h = state_at(j, 0, n, first);
        s.h_new = state_at(j, 0, n + 1, first);
        if (lstm) s.c = state_at(j, 1, n, first);
        if (lstm) s.c_new = state_at(j, 1, n + 1, first);
        for (int64_t i = 0; j->joined && !last && i < s.rows; i++) {
            const int64_t next = time_of(j, n + 1) * d->b + first + i;
            fetch(s.x + i * s.ldx + (j->a->backwards ? -d->f : d->f), d->f);
            if (!j->a->forget && !s.stream)
                fetch_for_writing((float *)kept[0] + next * d->gu, d->gu);
        }
        kt_kernels_get()->rnn_step[d->kind](&s);
        if (j->mask) hold_rows(j, &s, first, time_of(j, n));
        if (last || j->a->sequences) put_rows(j, &s, first, n, seen);
    }
    if (s.stream)
        atomic_thread_fence(memory_order_seq_cst); /* what streams has no order of its own */
}

/* gates = x kernel + bias, for all steps of a row or for all rows of a step: what is more. */
static kt_gemm input_product(const rnn_dims *d) {
    const bool row = d->t >= d->b;
    kt_gemm g = {.m = row ? d->t : d->b, .n = d->gu, .k = d->f, .ldb = d->gu};
    g.lda = row ? d->f : d->t * d->f;
    g.ldc = row ? d->b * d->gu : d->gu;
    g.epilogue = KT_EPI_NONE;
    return g;
}

static void input_products(const rnn_job *j, float *scratch) {
    const kt_kargs *k = j->k;
    const rnn_dims *d = &j->d;
    kt_gemm g = input_product(d);
    const bool row = d->t >= d->b;
    g.b = k->in[1];
    g.bias = k->in[3];
    for (int64_t i = 0; i < (row ? d->b : d->t); i++) {
        g.a = (const float *)k->in[0] + i * d->f * (row ? d->t : 1);
        g.c = j->z + i * d->gu * (row ? 1 : d->b);
        kt_kernels_get()->gemm(&g, scratch);
    }
}

static int64_t round_line(int64_t floats) { return (floats + 15) / 16 * 16; }

static int64_t of_all_gates(const rnn_dims *d) { return round_line(d->t * d->b * d->gu); }

static kt_status rnn_run(const kt_kargs *k) {
    const kt_kernels *kn = kt_kernels_get();
    rnn_job j = rnn_start(k);
    const rnn_dims *d = &j.d;
    j.states = j.packed + kn->rnn_packed((int)d->kind, d->u, d->u);
    j.packed_x = j.states + round_line(4 * d->b * d->u);
    kn->rnn_pack(j.packed, (int)d->kind, d->u, d->u, k->in[2]);
    j.z = j.a->forget ? j.packed_x : k->out[rnn_gates_out(d->kind)];
    if (j.joined)
        kn->rnn_pack(j.packed_x, (int)d->kind, d->u, d->f, k->in[1]);
    else
        input_products(&j, j.packed_x + (j.a->forget ? of_all_gates(d) : 0));
    kt_pool_run(rnn_rows, &j, (d->b + j.rows - 1) / j.rows);
    return KT_OK;
}

static size_t rnn_scratch(const kt_node *n) {
    const kt_kernels *kn = kt_kernels_get();
    const rnn_dims d = rnn_dims_of(n);
    const kt_gemm g = input_product(&d);
    const int64_t packed = kn->rnn_packed((int)d.kind, d.u, d.u);
    const size_t own = sizeof(float) * (size_t)(packed + round_line(4 * d.b * d.u));
    const size_t of_x = sizeof(float) * (size_t)kn->rnn_packed((int)d.kind, d.u, d.f);
    if (is_joined(&d)) return own + of_x;
    const bool forget = ((const rnn_attrs *)n->attrs)->forget;
    return own + (forget ? sizeof(float) * (size_t)of_all_gates(&d) : 0) + kn->gemm_scratch(&g);
}

/* The way back --------------------------------------------------------------------------------- */

/* Some rows. The states of a segment are [step][row][units], before each step (tanh_c: after). */
typedef struct {
    int64_t first, rows, seen[MOST_ROWS];
    float *h, *c, *tanh_c;
    float *dz, *inner; /* the step's gradients of gates, and what the recurrent product gets */
    int64_t ld;        /* from row to row of them */
} back_part;

#define STATES_BACK (3 * RNN_SEGMENT + 2) /* of a row */

/* Gradients of the states at the end, since when there are outputs, place for the states. */
static void back_begin(const rnn_job *j, back_part *p, int64_t first, int64_t rows, float *states) {
    const rnn_dims *d = &j->d;
    const int64_t at = first * d->u, n = rows * d->u, all = (RNN_SEGMENT + 1) * n;
    *p = (back_part){.first = first, .rows = rows, .h = states};
    p->c = states + all, p->tanh_c = p->c + all;
    for (int c = 0; c <= (d->kind == RNN_LSTM); c++)
        memcpy(
            (float *)j->k->out[4 + c] + at,
            (const float *)j->k->in[6 + 2 * c] + at,
            sizeof(float) * (size_t)n);
    for (int64_t i = 0; i < rows; i++) p->seen[i] = rnn_first(d, j->a, j->mask, first + i);
}

/* Makes the states of the segment that begins with step s. */
static void replay(const rnn_job *j, const back_part *p, int64_t s) {
    const rnn_dims *d = &j->d;
    const bool lstm = d->kind == RNN_LSTM;
    const int64_t u = d->u, n = d->t - s < RNN_SEGMENT ? d->t - s : RNN_SEGMENT, step = p->rows * u;
    const int64_t kept = (s / RNN_SEGMENT * d->b + p->first) * u;
    const size_t row = sizeof(float) * (size_t)u;
    memcpy(p->h, (const float *)j->k->in[4] + kept, row * (size_t)p->rows);
    if (lstm) memcpy(p->c, (const float *)j->k->in[7] + kept, row * (size_t)p->rows);
    for (int64_t i = 0; i < n - !lstm; i++) {
        const int64_t t = time_of(j, s + i), at = t * d->b + p->first;
        const float *gates = (const float *)j->k->in[3] + at * d->gu;
        kt_rnn_states a = {.rows = j->mask ? 1 : p->rows, .units = u, .gates = gates};
        if (i + 1 < n)
            fetch(gates + (time_of(j, 1) - time_of(j, 0)) * d->b * d->gu, p->rows * d->gu);
        for (int64_t r = 0; r < p->rows; r += a.rows, a.gates += a.rows * d->gu) {
            const int64_t from = i * step + r * u;
            a.h = p->h + from, a.h_new = p->h + from + step;
            a.c = p->c + from, a.c_new = p->c + from + step, a.tanh_c = p->tanh_c + from;
            if (!j->mask || j->mask[(p->first + r) * d->t + t]) {
                kt_kernels_get()->rnn_states[d->kind](&a);
                continue;
            }
            memcpy(a.h_new, a.h, row);
            if (lstm) memcpy(a.c_new, a.c, row);
        }
    }
}

static void back_row(const rnn_job *j, const back_part *p, int64_t i, int64_t s) {
    const rnn_dims *d = &j->d;
    const int64_t b = p->first + i, t = time_of(j, s), at = t * d->b + b;
    const int64_t in = (s % RNN_SEGMENT * p->rows + i) * d->u;
    const bool valid = !j->mask || j->mask[b * d->t + t];
    const bool shown = (j->a->sequences || s == d->t - 1) &&
                       (j->a->zero_masked ? valid : s >= p->seen[i]);
    const float *dy = (const float *)j->k->in[5] + (j->a->sequences ? b * d->t + s : b) * d->u;
    kt_rnn_back r = {
        .units = d->u,
        .gates = (const float *)j->k->in[3] + at * d->gu,
        .dy = shown ? dy : NULL,
        .dh = (float *)j->k->out[4] + b * d->u};
    r.h = p->h + in, r.c = p->c + in, r.tanh_c = p->tanh_c + in;
    r.dz = p->dz + i * p->ld, r.inner = p->inner + i * p->ld;
    if (d->kind == RNN_GRU) r.extra = (const float *)j->k->in[7] + at * d->u;
    if (d->kind == RNN_LSTM) r.dc = (float *)j->k->out[5] + b * d->u;
    if (valid) {
        kt_kernels_get()->rnn_back[d->kind](&r);
        return;
    }
    for (int64_t k = 0; r.dy && k < d->u; k++) r.dh[k] += r.dy[k];
    memset(r.dz, 0, sizeof(float) * (size_t)d->gu);
    memset(r.inner, 0, sizeof(float) * (size_t)d->gu);
}

/* Step s: the gates' gradients, then those of the states before it. The gates of a segment were
 * fetched with the segment behind it. */
static void back_step(const rnn_job *j, const back_part *p, int64_t s) {
    const rnn_dims *d = &j->d;
    const int64_t gates = time_of(j, s - RNN_SEGMENT) * d->b, t = time_of(j, s - 1);
    float *dh = (float *)j->k->out[4] + p->first * d->u;
    if (s == d->t - 1 || (s + 1) % RNN_SEGMENT == 0) replay(j, p, s / RNN_SEGMENT * RNN_SEGMENT);
    for (int64_t i = 0; i < p->rows; i++) {
        const int64_t b = p->first + i;
        back_row(j, p, i, s);
        if (s >= RNN_SEGMENT) fetch((const float *)j->k->in[3] + (gates + b) * d->gu, d->gu);
        if (s == 0) continue;
        if (d->kind == RNN_GRU) fetch((const float *)j->k->in[7] + (t * d->b + b) * d->u, d->u);
        if (j->joined) fetch((const float *)j->k->in[0] + (b * d->t + t) * d->f, d->f);
    }
    kt_kernels_get()->rnn_back_product(
        dh, d->u, p->inner, p->ld, p->rows, d->u, d->gu, j->packed, true);
}

/* A chunk's memory: sums [wide][gates], of the rows of kernel, bias, recurrent kernel and (GRU) its
 * bias; for DEPTH rows the gradients of gates (GRU: two) and [x, 1, h (, 1)]; states; scratch. */
typedef struct {
    int64_t wide, depth, sums, grads, left, states, all;
} back_sizes;

static kt_gemm weights_product(const rnn_dims *d, const back_sizes *z, int64_t depth) {
    kt_gemm g = {.m = z->wide, .n = d->gu, .k = depth, .ta = true, .accumulate = true};
    g.lda = z->wide;
    g.ldb = g.ldc = d->gu;
    g.epilogue = KT_EPI_NONE;
    return g;
}

static int64_t chunk_count(int64_t b) {
    const int64_t n = b < 16 ? 1 : b < 2 * CHUNK_ROWS ? 2 : b / CHUNK_ROWS;
    return n < MOST_CHUNKS ? n : MOST_CHUNKS;
}

static back_sizes sizes_of(const rnn_dims *d) {
    const bool gru = d->kind == RNN_GRU;
    back_sizes z = {.wide = d->f + 1 + d->u + gru, .depth = DEPTH};
    kt_gemm g = weights_product(d, &z, DEPTH);
    size_t scratch = kt_kernels_get()->gemm_scratch(&g);
    for (int i = 0; gru && i < 2; i++) { /* two products of some of the rows */
        g.m = 1 + (i ? d->f : d->u);
        const size_t more = kt_kernels_get()->gemm_scratch(&g);
        if (more > scratch) scratch = more;
    }
    z.sums = round_line(z.wide * d->gu);
    z.grads = round_line(DEPTH * d->gu);
    z.left = round_line(DEPTH * z.wide);
    z.states = round_line(BACK_ROWS * d->u * STATES_BACK);
    z.all = z.sums + z.grads * (gru ? 2 : 1) + z.left + z.states +
            round_line((int64_t)(scratch / sizeof(float)));
    return z;
}

/* [x, 1, h (, 1)] of one step */
static void put_left(const rnn_job *j, const back_part *p, int64_t s, float *to, int64_t wide) {
    const rnn_dims *d = &j->d;
    const kt_kernels *kn = kt_kernels_get();
    const float *h = p->h + s % RNN_SEGMENT * p->rows * d->u;
    const float *x = (const float *)j->k->in[0] + (p->first * d->t + time_of(j, s)) * d->f;
    for (int64_t i = 0; i < p->rows; i++) to[i * wide + d->f] = to[(i + 1) * wide - 1] = 1;
    kn->copy_rows(to, wide, x, d->t * d->f, p->rows, d->f);
    kn->copy_rows(to + d->f + 1, wide, h, d->u, p->rows, d->u);
}

/* The sums get what `depth` rows give. */
static void add_weights(
    const rnn_job *j, const back_sizes *z, float *work, float *left, int64_t depth) {
    const rnn_dims *d = &j->d;
    float *scratch = left + z->left + z->states;
    kt_gemm g = weights_product(d, z, depth);
    g.a = left;
    g.b = work + z->sums;
    g.c = work;
    if (d->kind == RNN_GRU) {
        g.m = d->f + 1;
        kt_kernels_get()->gemm(&g, scratch);
        g.m = d->u + 1;
        g.a += d->f + 1;
        g.b += z->grads;
        g.c += (d->f + 1) * d->gu;
    }
    kt_kernels_get()->gemm(&g, scratch);
}

/* Some rows of a chunk through all steps, weights' gradients with them. */
static void back_joined(
    const rnn_job *j, const back_sizes *z, float *work, int64_t first, int64_t rows) {
    const rnn_dims *d = &j->d;
    const bool gru = d->kind == RNN_GRU;
    float *left = work + z->sums + z->grads * (gru ? 2 : 1), *dx = j->k->out[0];
    int64_t depth = 0;
    back_part p;
    back_begin(j, &p, first, rows, left + z->left);
    p.ld = d->gu;
    for (int64_t s = d->t; s-- > 0;) {
        float *to = dx + (first * d->t + time_of(j, s)) * d->f;
        p.dz = work + z->sums + depth * d->gu;
        p.inner = gru ? p.dz + z->grads : p.dz;
        back_step(j, &p, s);
        put_left(j, &p, s, left + depth * z->wide, z->wide); /* dx may lie where x is */
        if (!j->a->no_dx)
            kt_kernels_get()->rnn_back_product(
                to, d->t * d->f, p.dz, d->gu, rows, d->f, d->gu, j->packed_x, false);
        depth += rows;
        if (depth + rows <= DEPTH && s > 0) continue;
        add_weights(j, z, work, left, depth);
        depth = 0;
    }
}

static void back_chunk(void *arg, int64_t chunk, int thread) {
    const rnn_job *j = arg;
    const rnn_dims *d = &j->d;
    const back_sizes z = sizes_of(d);
    const int64_t chunks = chunk_count(d->b);
    const int64_t from = d->b * chunk / chunks, to = d->b * (chunk + 1) / chunks;
    float *work = j->work + chunk * z.all;
    (void)thread;
    memset(work, 0, sizeof(float) * (size_t)z.sums);
    for (int64_t i = from; i < to; i += BACK_ROWS)
        back_joined(j, &z, work, i, to - i < BACK_ROWS ? to - i : BACK_ROWS);
}

/* The chunks' sums together, apart for kernel, bias, recurrent kernel and its bias. */
static void collect(const rnn_job *j) {
    const rnn_dims *d = &j->d;
    const back_sizes z = sizes_of(d);
    const int64_t chunks = chunk_count(d->b), n = z.wide * d->gu;
    for (int64_t c = 1; c < chunks; c++)
        kt_kernels_get()->binary[KT_BIN_add](j->work, j->work, j->work + c * z.all, n);
    const float *from = j->work;
    const int64_t rows[] = {d->f, 1, d->u, 1};
    const int out[] = {1, 3, 2, 5};
    for (int i = 0; i < (d->kind == RNN_GRU ? 4 : 3); i++) {
        memcpy(j->k->out[out[i]], from, sizeof(float) * (size_t)(rows[i] * d->gu));
        from += rows[i] * d->gu;
    }
}

/* Rows through all steps; the gates' gradients are kept, [b, t, gates]. */
static void back_apart(void *arg, int64_t chunk, int thread) {
    const rnn_job *j = arg;
    const rnn_dims *d = &j->d;
    const int64_t first = chunk * j->rows, left = d->b - first;
    const int64_t rows = left < j->rows ? left : j->rows, all = d->b * d->t * d->gu;
    back_part p;
    (void)thread;
    back_begin(j, &p, first, rows, j->states + first * d->u * STATES_BACK);
    p.ld = d->t * d->gu;
    for (int64_t s = d->t; s-- > 0;) {
        const int64_t at = first * d->t + time_of(j, s);
        const float *h = p.h + s % RNN_SEGMENT * rows * d->u;
        p.dz = j->work + at * d->gu;
        p.inner = d->kind == RNN_GRU ? p.dz + all : p.dz;
        back_step(j, &p, s);
        for (int64_t i = 0; i < rows; i++)
            memcpy(j->h + (at + i * d->t) * d->u, h + i * d->u, sizeof(float) * (size_t)d->u);
    }
}

enum { DX, DKERNEL, DR, N_PRODUCTS }; /* outputs; dx may lie where x is */

/* A product over all steps, without its operands */
static kt_gemm product_apart(const rnn_dims *d, int which) {
    const int64_t n = d->b * d->t, m = which == DR ? d->u : d->f;
    kt_gemm g = {.m = m, .n = d->gu, .k = n, .ta = true, .lda = m, .ldb = d->gu, .ldc = d->gu};
    if (which == DX)
        g = (kt_gemm){.m = n, .n = m, .k = d->gu, .tb = true, .lda = d->gu, .ldb = d->gu, .ldc = m};
    g.epilogue = KT_EPI_NONE;
    return g;
}

static void products_apart(const rnn_job *j, float *scratch) {
    const kt_kernels *kn = kt_kernels_get();
    const rnn_dims *d = &j->d;
    const int64_t n = d->b * d->t;
    const float *dz = j->work, *inner = d->kind == RNN_GRU ? dz + n * d->gu : dz;
    for (int i = DR; i >= (j->a->no_dx ? DKERNEL : DX); i--) {
        kt_gemm g = product_apart(d, i);
        g.a = i == DX ? dz : i == DR ? j->h : j->k->in[0];
        g.b = i == DX ? j->k->in[1] : i == DR ? inner : dz;
        g.c = j->k->out[i];
        kn->gemm(&g, scratch);
    }
    kn->sum_rows(j->k->out[3], dz, n, d->gu, d->gu);
    if (d->kind == RNN_GRU) kn->sum_rows(j->k->out[5], inner, n, d->gu, d->gu);
}

static kt_status rnn_grad_run(const kt_kargs *k) {
    const kt_kernels *kn = kt_kernels_get();
    rnn_job j = rnn_start(k);
    const rnn_dims *d = &j.d;
    kn->rnn_pack_back(j.packed, d->u, d->gu, k->in[2]);
    j.packed_x = j.packed + round_line(kn->rnn_packed_back(d->u, d->gu));
    if (j.joined) {
        kn->rnn_pack_back(j.packed_x, d->f, d->gu, k->in[1]);
        j.work = j.packed_x + round_line(kn->rnn_packed_back(d->f, d->gu));
        kt_pool_run(back_chunk, &j, chunk_count(d->b));
        collect(&j);
        return KT_OK;
    }
    j.work = j.packed_x;
    j.states = j.work + d->b * d->t * d->gu * (d->kind == RNN_GRU ? 2 : 1);
    j.h = j.states + d->b * d->u * STATES_BACK;
    kt_pool_run(back_apart, &j, (d->b + j.rows - 1) / j.rows);
    products_apart(&j, j.h + d->b * d->t * d->u);
    return KT_OK;
}

static size_t rnn_grad_scratch(const kt_node *n) {
    const kt_kernels *kn = kt_kernels_get();
    const rnn_dims d = rnn_dims_of(n);
    int64_t floats = round_line(kn->rnn_packed_back(d.u, d.gu));
    size_t most = 0;
    if (is_joined(&d)) {
        floats += round_line(kn->rnn_packed_back(d.f, d.gu)) + chunk_count(d.b) * sizes_of(&d).all;
        return sizeof(float) * (size_t)floats;
    }
    for (int i = DX; i < N_PRODUCTS; i++) {
        const kt_gemm g = product_apart(&d, i);
        const size_t bytes = kn->gemm_scratch(&g);
        if (bytes > most) most = bytes;
    }
    floats += d.b * (d.t * d.gu * (d.kind == RNN_GRU ? 2 : 1) + (d.t + STATES_BACK) * d.u);
    return sizeof(float) * (size_t)floats + most;
}

#define IMPL(op)                                                                                   \
    const kt_impl impl_##op##_rows = {#op, "rows", rnn_supports, rnn_run, rnn_scratch, NULL};      \
    const kt_impl impl_##op##_grad_rows = {                                                        \
        #op "_grad", "rows", rnn_supports, rnn_grad_run, rnn_grad_scratch, NULL};
IMPL(simple_rnn)
IMPL(gru)
IMPL(lstm)
