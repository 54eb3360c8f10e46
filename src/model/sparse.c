/* Columns of what is not zero, row by row. See sparse.h.
 *
 * Only the columns are kept: if every value is 1 (multi-hot) there is nothing else to know, and if
 * not, the values are read from the array itself when a batch needs them. What the conversion costs
 * is reading the whole array once, so a look at some rows comes first, and the rest is made not to
 * matter: two bytes a column, in large pieces of memory (page faults took longer than the search),
 * one after the other for each thread. */
#include "model/sparse.h"

#include "backend/cpu/kernels/kernels.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/pool.h"

#include <stdatomic.h>

#define ROWS 64                  /* that a thread takes at a time */
#define LEAST_WIDTH 512          /* narrower arrays are cheap as they are */
#define MOST_WIDTH 65536         /* columns are kept as uint16 */
#define LEAST_ELEMENTS (1 << 20) /* small arrays are cheap too */
#define DENSITY 16               /* at most one of so many elements is not zero */
#define SAMPLE 4                 /* rows that are looked at first */
#define PIECE ((size_t)2 << 20)  /* bytes: a huge page */
#define NONZEROS_SPILL 16        /* places that the search may write behind its last one */

typedef struct {
    const uint16_t *column;
    int64_t n;
} row;

/* Memory of one thread: pieces, the last of which is being filled. */
typedef struct piece {
    struct piece *next;
    size_t used;
    uint16_t column[];
} piece;

struct kt_sparse_rows {
    const float *data;
    int64_t n_rows, width, longest;
    bool ones;
    row *rows;
    piece **pieces; /* of each thread */
    int n_threads;
};

static uint16_t *reserve(kt_sparse_rows *s, int thread) {
    const size_t most = (size_t)s->width + NONZEROS_SPILL;
    const size_t size = (PIECE - sizeof(piece)) / sizeof(uint16_t); /* more than MOST_WIDTH rows */
    piece *p = s->pieces[thread];
    if (!p || size - p->used < most) {
        p = kt_alloc_aligned(PIECE);
        if (!p) return NULL;
        p->next = s->pieces[thread];
        s->pieces[thread] = p;
    }
    return p->column + p->used;
}

typedef struct {
    kt_sparse_rows *s;
    atomic_bool other, dense, no_memory; /* a value that is not 1 */
} search;

static void search_rows(void *arg, int64_t chunk, int thread) {
    search *f = arg;
    kt_sparse_rows *s = f->s;
    const int64_t first = chunk * ROWS;
    const int64_t stop = first + ROWS < s->n_rows ? first + ROWS : s->n_rows;
    int64_t found = 0;
    bool ones = true;
    if (atomic_load(&f->dense) || atomic_load(&f->no_memory)) return;
    for (int64_t r = first; r < stop; r++) {
        uint16_t *to = reserve(s, thread);
        if (!to) {
            atomic_store(&f->no_memory, true);
            return;
        }
        const int64_t n = kt_kernels_get()->nonzeros(s->data + r * s->width, s->width, to, &ones);
        s->rows[r] = (row){to, n};
        s->pieces[thread]->used += (size_t)n;
        found += n;
    }
    if (found > (stop - first) * s->width / DENSITY) atomic_store(&f->dense, true);
    if (!ones) atomic_store(&f->other, true);
}

/* Some rows, evenly apart: most arrays are seen to be dense here. */
static bool looks_sparse(const float *data, int64_t rows, int64_t width) {
    int found = 0;
    for (int64_t i = 0; i < SAMPLE; i++) {
        const float *x = data + (rows - 1) * i / (SAMPLE - 1) * width;
        for (int64_t c = 0; c < width; c++) found += x[c] != 0;
    }
    return found <= SAMPLE * width / DENSITY;
}

/* The pool may get other threads at any time, but not while this runs. */
static kt_status search_all(kt_sparse_rows *s, bool *dense) {
    search f = {.s = s};
    s->n_threads = kt_pool_threads();
    s->rows = kt_alloc_array(s->n_rows, sizeof *s->rows);
    s->pieces = kt_alloc_array(s->n_threads, sizeof *s->pieces);
    if (!s->rows || !s->pieces) return KT_ENOMEM;
    kt_pool_run(search_rows, &f, (s->n_rows + ROWS - 1) / ROWS);
    if (atomic_load(&f.no_memory))
        return KT_FAIL(KT_ENOMEM, "out of memory for the columns of x that are not 0");
    *dense = atomic_load(&f.dense);
    s->ones = !atomic_load(&f.other);
    for (int64_t r = 0; r < s->n_rows && !*dense; r++)
        if (s->rows[r].n > s->longest) s->longest = s->rows[r].n;
    return KT_OK;
}

kt_status kt_sparse_rows_of(kt_sparse_rows **out, const kt_tensor *t) {
    *out = NULL;
    if (t->dtype != KT_FLOAT32 || t->shape.ndim != 2) return KT_OK;
    const int64_t rows = t->shape.dim[0], width = t->shape.dim[1];
    if (width < LEAST_WIDTH || width > MOST_WIDTH || rows < SAMPLE ||
        rows * width < LEAST_ELEMENTS || !looks_sparse(t->data, rows, width))
        return KT_OK;
    kt_sparse_rows *s = kt_alloc(sizeof *s);
    if (!s) return KT_ENOMEM;
    *s = (kt_sparse_rows){.data = t->data, .n_rows = rows, .width = width};
    bool dense = false;
    const kt_status st = search_all(s, &dense);
    if (st == KT_OK && !dense)
        *out = s;
    else
        kt_sparse_rows_free(s);
    return st;
}

void kt_sparse_rows_free(kt_sparse_rows *s) {
    if (!s) return;
    for (int i = 0; s->pieces && i < s->n_threads; i++) {
        for (piece *p = s->pieces[i], *next; p; p = next) {
            next = p->next;
            kt_mem_free_aligned(p);
        }
    }
    kt_mem_free(s->pieces);
    kt_mem_free(s->rows);
    kt_mem_free(s);
}

/* Rounded up, so that data of about the same density share a program. */
int64_t kt_sparse_rows_cap(const kt_sparse_rows *s, int64_t n) {
    int64_t each = 64;
    while (each < s->longest) each *= 2;
    return n * each;
}

typedef struct {
    const kt_sparse_rows *s;
    float *value;
    const int32_t *offset;
    int32_t *index;
    const int64_t *order;
    int64_t first, n;
} batch;

static const row *row_of(const kt_sparse_rows *s, const int64_t *order, int64_t first, int64_t i) {
    return &s->rows[order ? order[i] : first + i];
}

static void copy_rows(void *arg, int64_t chunk, int thread) {
    const batch *b = arg;
    const kt_sparse_rows *s = b->s;
    (void)thread;
    for (int64_t i = chunk * ROWS; i < b->n && i < (chunk + 1) * ROWS; i++) {
        const row *from = row_of(s, b->order, b->first, i);
        const float *data = s->data + (from - s->rows) * s->width;
        float *value = b->value + b->offset[i];
        kt_kernels_get()->from_u16(b->index + b->offset[i], from->column, from->n);
        if (s->ones)
            kt_kernels_get()->fill(value, 1, from->n);
        else
            for (int64_t k = 0; k < from->n; k++) value[k] = data[from->column[k]];
    }
}

void kt_sparse_rows_fill(
    const kt_sparse_rows *s,
    float *value,
    int32_t *offset,
    int32_t *index,
    const int64_t *order,
    int64_t first,
    int64_t n) {
    batch b = {s, value, offset, index, order, first, n};
    offset[0] = 0;
    for (int64_t i = 0; i < n; i++)
        offset[i + 1] = offset[i] + (int32_t)row_of(s, order, first, i)->n;
    kt_pool_run(copy_rows, &b, (n + ROWS - 1) / ROWS);
}
