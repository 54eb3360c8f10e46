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

#include <string.h>

#define MOST_ROWS 32 /* their state stays in the first cache */
#define FEW_ROWS 8   /* below, weights wait for memory: one product for all steps */
#define SMALL_BYTES                                                                                \
    (512 * 1024)  /* of weights: they stay in a second cache with what else is needed */
#define DEPTH 128 /* rows of gradients of gates that are kept */
#define MOST_CHUNKS 8

typedef struct {
    const kt_kargs *k;
    const rnn_attrs *a;
    rnn_dims d;
    const uint8_t *mask;
    bool joined;              /* x goes with h, and the weights' gradients with the loop */
    float *packed, *packed_x; /* recurrent weights, those of the input */
    int64_t rows;             /* of a chunk */
    float *work;              /* the way back: of the first chunk; or all gradients of gates */
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

/* What stays the same in all steps of these rows. */
static kt_rnn_step first_step(const rnn_job *j, int64_t first) {
    const rnn_dims *d = &j->d;
    return (kt_rnn_step){
        .rows = d->b - first < j->rows ? d->b - first : j->rows,
        .units = d->u,
        .packed = j->packed,
        .inputs = j->joined ? d->f : 0,
        .packed_x = j->joined ? j->packed_x : j->packed,
        .z = j->k->in[3],
        .bias = d->kind == RNN_GRU ? j->k->in[5] : NULL,
        .ldx = d->t * d->f,
        .ldz = j->joined ? 0 : d->gu,
        .ld_gates = d->gu,
        .ld_inner = d->u,
        .ldh = d->u,
        .ldc = d->u,
        .ldh_new = d->u,
        .ldc_new = d->u};
}

static void rnn_rows(void *arg, int64_t chunk, int thread) {
    const rnn_job *j = arg;
    const rnn_dims *d = &j->d;
    const bool lstm = d->kind == RNN_LSTM, gru = d->kind == RNN_GRU;
    const int64_t first = chunk * j->rows;
    void *const *kept = j->k->out + rnn_gates_out(d->kind);
    float *before = kept[1], *extra = d->kind == RNN_SIMPLE ? NULL : kept[2];
    kt_rnn_step s = first_step(j, first);
    int64_t seen[MOST_ROWS];
    (void)thread;
    for (int64_t i = 0; i < s.rows; i++) seen[i] = rnn_first(d, j->a, j->mask, first + i);
    const int64_t start = (time_of(j, 0) * d->b + first) * d->u;
    const size_t state = sizeof(float) * (size_t)(s.rows * d->u);
    memcpy(before + start, (float *)j->k->in[4] + first * d->u, state);
    if (lstm) memcpy(extra + start, (float *)j->k->in[5] + first * d->u, state);
    for (int64_t n = 0; n < d->t; n++) {
        const int64_t at = time_of(j, n) * d->b + first;
        const bool last = n == d->t - 1;
        const int64_t next = last ? first : time_of(j, n + 1) * d->b + first;
        s.gates = (float *)kept[0] + at * d->gu;
        if (!j->joined) s.z = s.gates;
        s.x = (const float *)j->k->in[0] + (first * d->t + time_of(j, n)) * d->f;
        s.inner = gru ? extra + at * d->u : NULL;
        s.h = before + at * d->u;
        s.h_new = (last ? (float *)j->k->out[1] : before) + next * d->u;
        if (lstm) s.c = extra + at * d->u;
        if (lstm) s.c_new = (last ? (float *)j->k->out[2] : extra) + next * d->u;
        for (int64_t i = 0; j->joined && !last && i < s.rows; i++) {
            fetch(s.x + i * s.ldx + (j->a->backwards ? -d->f : d->f), d->f);
            fetch_for_writing((float *)kept[0] + (next + i) * d->gu, d->gu);
        }
        kt_kernels_get()->rnn_step[d->kind](&s);
        if (j->mask) hold_rows(j, &s, first, time_of(j, n));
        if (last || j->a->sequences) put_rows(j, &s, first, n, seen);
    }
}

/* gates = x kernel + bias, for all steps of a row or for all rows of a step: what is more. */
static kt_gemm input_product(const rnn_dims *d) {
    const bool row = d->t >= d->b;
    return (kt_gemm){
        .m = row ? d->t : d->b,
        .n = d->gu,
        .k = d->f,
        .lda = row ? d->f : d->t * d->f,
        .ldb = d->gu,
        .ldc = row ? d->b * d->gu : d->gu,
        .epilogue = KT_EPI_NONE};
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
        g.c = (float *)k->out[rnn_gates_out(d->kind)] + i * d->gu * (row ? 1 : d->b);
        kt_kernels_get()->gemm(&g, scratch);
    }
}

static kt_status rnn_run(const kt_kargs *k) {
    const kt_kernels *kn = kt_kernels_get();
    rnn_job j = rnn_start(k);
    const rnn_dims *d = &j.d;
    j.packed_x = j.packed + kn->rnn_packed((int)d->kind, d->u, d->u);
    kn->rnn_pack(j.packed, (int)d->kind, d->u, d->u, k->in[2]);
    if (j.joined)
        kn->rnn_pack(j.packed_x, (int)d->kind, d->u, d->f, k->in[1]);
    else
        input_products(&j, j.packed_x);
    kt_pool_run(rnn_rows, &j, (d->b + j.rows - 1) / j.rows);
    return KT_OK;
}

static size_t rnn_scratch(const kt_node *n) {
    const kt_kernels *kn = kt_kernels_get();
    const rnn_dims d = rnn_dims_of(n);
    const kt_gemm g = input_product(&d);
    const size_t own = sizeof(float) * (size_t)kn->rnn_packed((int)d.kind, d.u, d.u);
    const size_t of_x = sizeof(float) * (size_t)kn->rnn_packed((int)d.kind, d.u, d.f);
    return own + (is_joined(&d) ? of_x : kn->gemm_scratch(&g));
}

/* The way back --------------------------------------------------------------------------------- */

/* Where the gradients of gates of some rows lie: of one step, rows ld apart. */
typedef struct {
    float *dz, *inner; /* inner: what the recurrent product gets; but for GRU the same */
    int64_t ld;
} gate_grads;

static void back_row(
    const rnn_job *j, int64_t b, int64_t s, int64_t first, float *dz, float *inner) {
    const rnn_dims *d = &j->d;
    const int64_t t = time_of(j, s), at = t * d->b + b;
    const bool valid = !j->mask || j->mask[b * d->t + t];
    const bool shown = (j->a->sequences || s == d->t - 1) &&
                       (j->a->zero_masked ? valid : s >= first);
    const float *dy = (const float *)j->k->in[5] + (j->a->sequences ? b * d->t + s : b) * d->u;
    kt_rnn_back r = {
        .units = d->u,
        .gates = (const float *)j->k->in[3] + at * d->gu,
        .h = (const float *)j->k->in[4] + at * d->u,
        .dy = shown ? dy : NULL,
        .dz = dz,
        .dh = (float *)j->k->out[4] + b * d->u};
    if (d->kind != RNN_SIMPLE) r.extra = (const float *)j->k->in[7] + at * d->u;
    if (d->kind == RNN_GRU) r.inner = inner;
    if (d->kind == RNN_LSTM) r.dc = (float *)j->k->out[5] + b * d->u;
    if (valid) {
        kt_kernels_get()->rnn_back[d->kind](&r);
        return;
    }
    for (int64_t i = 0; r.dy && i < d->u; i++) r.dh[i] += r.dy[i];
    memset(r.dz, 0, sizeof(float) * (size_t)d->gu);
    if (r.inner) memset(r.inner, 0, sizeof(float) * (size_t)d->gu);
}

/* Gradients of the states at the end, and since when there are outputs. */
static void back_begin(const rnn_job *j, int64_t first, int64_t rows, int64_t *seen) {
    const rnn_dims *d = &j->d;
    const int64_t at = first * d->u;
    const size_t bytes = sizeof(float) * (size_t)(rows * d->u);
    memcpy((float *)j->k->out[4] + at, (const float *)j->k->in[6] + at, bytes);
    if (d->kind == RNN_LSTM)
        memcpy((float *)j->k->out[5] + at, (const float *)j->k->in[8] + at, bytes);
    for (int64_t i = 0; i < rows; i++) seen[i] = rnn_first(d, j->a, j->mask, first + i);
}

/* Step s of some rows: the gates' gradients, then those of the states before it. */
static void back_step(
    const rnn_job *j,
    int64_t first,
    int64_t rows,
    int64_t s,
    const int64_t *seen,
    const gate_grads *g) {
    const rnn_dims *d = &j->d;
    const int64_t next = time_of(j, s - 1) * d->b + first;
    for (int64_t i = 0; i < rows; i++) {
        back_row(j, first + i, s, seen[i], g->dz + i * g->ld, g->inner + i * g->ld);
        if (s == 0) continue;
        fetch((const float *)j->k->in[3] + (next + i) * d->gu, d->gu);
        fetch((const float *)j->k->in[4] + (next + i) * d->u, d->u);
        if (d->kind != RNN_SIMPLE) fetch((const float *)j->k->in[7] + (next + i) * d->u, d->u);
        if (j->joined)
            fetch(
                (const float *)j->k->in[0] + ((first + i) * d->t + time_of(j, s - 1)) * d->f, d->f);
    }
    kt_kernels_get()->rnn_back_product(
        (float *)j->k->out[4] + first * d->u,
        d->u,
        g->inner,
        g->ld,
        rows,
        d->u,
        d->gu,
        j->packed,
        true);
}

/* A chunk's memory: sums [wide][gates], of the rows of kernel, bias, recurrent kernel and (GRU) its
 * bias; for DEPTH rows the gradients of gates (GRU: two) and [x, 1, h (, 1)]; scratch. */
typedef struct {
    int64_t wide, depth, sums, grads, left, all;
} back_sizes;

static kt_gemm weights_product(const rnn_dims *d, const back_sizes *z, int64_t depth) {
    return (kt_gemm){
        .m = z->wide,
        .n = d->gu,
        .k = depth,
        .ta = true,
        .lda = z->wide,
        .ldb = d->gu,
        .ldc = d->gu,
        .accumulate = true,
        .epilogue = KT_EPI_NONE};
}

static int64_t chunk_count(int64_t b) {
    const int64_t n = b < 16 ? 1 : b < 2 * MOST_ROWS ? 2 : b / MOST_ROWS;
    return n < MOST_CHUNKS ? n : MOST_CHUNKS;
}

static int64_t round_line(int64_t floats) { return (floats + 15) / 16 * 16; }

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
    z.all = z.sums + z.grads * (gru ? 2 : 1) + z.left +
            round_line((int64_t)(scratch / sizeof(float)));
    return z;
}

/* [x, 1, h (, 1)] of one step */
static void put_left(
    const rnn_job *j, const back_sizes *z, float *to, int64_t first, int64_t rows, int64_t s) {
    const rnn_dims *d = &j->d;
    for (int64_t i = 0; i < rows; i++, to += z->wide) {
        const int64_t x = (first + i) * d->t + time_of(j, s), h = time_of(j, s) * d->b + first + i;
        memcpy(to, (const float *)j->k->in[0] + x * d->f, sizeof(float) * (size_t)d->f);
        to[d->f] = to[z->wide - 1] = 1;
        memcpy(to + d->f + 1, (const float *)j->k->in[4] + h * d->u, sizeof(float) * (size_t)d->u);
    }
}

/* The sums get what `depth` rows give. */
static void add_weights(
    const rnn_job *j, const back_sizes *z, float *work, float *left, int64_t depth) {
    const rnn_dims *d = &j->d;
    kt_gemm g = weights_product(d, z, depth);
    g.a = left;
    g.b = work + z->sums;
    g.c = work;
    if (d->kind == RNN_GRU) {
        g.m = d->f + 1;
        kt_kernels_get()->gemm(&g, left + z->left);
        g.m = d->u + 1;
        g.a += d->f + 1;
        g.b += z->grads;
        g.c += (d->f + 1) * d->gu;
    }
    kt_kernels_get()->gemm(&g, left + z->left);
}

/* Some rows of a chunk through all steps, weights' gradients with them. */
static void back_joined(
    const rnn_job *j, const back_sizes *z, float *work, int64_t first, int64_t rows) {
    const rnn_dims *d = &j->d;
    const bool gru = d->kind == RNN_GRU;
    float *left = work + z->sums + z->grads * (gru ? 2 : 1);
    int64_t seen[MOST_ROWS], depth = 0;
    back_begin(j, first, rows, seen);
    for (int64_t s = d->t; s-- > 0;) {
        float *dz = work + z->sums + depth * d->gu;
        const gate_grads g = {dz, gru ? dz + z->grads : dz, d->gu};
        back_step(j, first, rows, s, seen, &g);
        if (!j->a->no_dx)
            kt_kernels_get()->rnn_back_product(
                (float *)j->k->out[0] + (first * d->t + time_of(j, s)) * d->f,
                d->t * d->f,
                dz,
                d->gu,
                rows,
                d->f,
                d->gu,
                j->packed_x,
                false);
        put_left(j, z, left + depth * z->wide, first, rows, s);
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
    for (int64_t i = from; i < to; i += MOST_ROWS)
        back_joined(j, &z, work, i, to - i < MOST_ROWS ? to - i : MOST_ROWS);
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
    int64_t seen[MOST_ROWS];
    (void)thread;
    back_begin(j, first, rows, seen);
    for (int64_t s = d->t; s-- > 0;) {
        float *dz = j->work + (first * d->t + time_of(j, s)) * d->gu;
        const gate_grads g = {dz, d->kind == RNN_GRU ? dz + all : dz, d->t * d->gu};
        back_step(j, first, rows, s, seen, &g);
    }
}

enum { DX, DKERNEL, DR, N_PRODUCTS };

/* A product over all steps, without its operands: for DR those of one row, as h lies time first. */
static kt_gemm product_apart(const rnn_dims *d, int which) {
    const int64_t n = d->b * d->t;
    kt_gemm g = {
        .m = d->f, .n = d->gu, .k = n, .ta = true, .lda = d->f, .ldb = d->gu, .ldc = d->gu};
    if (which == DX)
        g = (kt_gemm){
            .m = n, .n = d->f, .k = d->gu, .tb = true, .lda = d->gu, .ldb = d->gu, .ldc = d->f};
    if (which == DR) {
        g.m = d->u;
        g.k = d->t;
        g.lda = d->b * d->u;
    }
    g.epilogue = KT_EPI_NONE;
    return g;
}

static void products_apart(const rnn_job *j, float *scratch) {
    const kt_kernels *kn = kt_kernels_get();
    const rnn_dims *d = &j->d;
    const int64_t n = d->b * d->t;
    const float *dz = j->work, *inner = d->kind == RNN_GRU ? dz + n * d->gu : dz;
    for (int i = j->a->no_dx ? DKERNEL : DX; i < N_PRODUCTS; i++) {
        kt_gemm g = product_apart(d, i);
        g.c = j->k->out[i];
        for (int64_t b = 0; b < (i == DR ? d->b : 1); b++) {
            g.a = i == DX ? dz : i == DR ? (const float *)j->k->in[4] + b * d->u : j->k->in[0];
            g.b = i == DX ? j->k->in[1] : i == DR ? inner + b * d->t * d->gu : dz;
            g.accumulate = b > 0;
            kn->gemm(&g, scratch);
        }
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
    kt_pool_run(back_apart, &j, (d->b + j.rows - 1) / j.rows);
    products_apart(&j, j.work + d->b * d->t * d->gu * (d->kind == RNN_GRU ? 2 : 1));
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
    floats += d.b * d.t * d.gu * (d.kind == RNN_GRU ? 2 : 1);
    return sizeof(float) * (size_t)floats + most;
}

#define IMPL(op)                                                                                   \
    const kt_impl impl_##op##_rows = {#op, "rows", rnn_supports, rnn_run, rnn_scratch, NULL};      \
    const kt_impl impl_##op##_grad_rows = {                                                        \
        #op "_grad", "rows", rnn_supports, rnn_grad_run, rnn_grad_scratch, NULL};
IMPL(simple_rnn)
IMPL(gru)
IMPL(lstm)
