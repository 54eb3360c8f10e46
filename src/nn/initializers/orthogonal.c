/* Orthogonal: the Q of a matrix of normal numbers, made unique by a positive diagonal of R, which
 * makes it uniform among all orthogonal matrices.  keras.initializers.Orthogonal
 *
 * Gram and Schmidt's method gives just that Q. Run twice it is as exact as Householder's (Giraud
 * and others, Numerische Mathematik 101, 2005), and it works in blocks: eight vectors at a time
 * are freed of all earlier ones, which is two matrix products, shared among threads; then of each
 * other. All in double: the weights are orthogonal to the last digit of their dtype. */
#include "nn/initializers/initializer.h"

#include "base/mem.h"
#include "base/pool.h"
#include "nn/initializers/draw.h"

#include <math.h>
#include <string.h>

typedef kt_init_orthogonal_args orthogonal_args;

#define BLOCK 8      /* vectors at a time */
#define DOT_ROWS 16  /* earlier vectors for one thread at a time */
#define SUB_ROWS 512 /* elements of the block for one thread at a time */

typedef struct {
    int64_t n, m;    /* n vectors of length m >= n */
    double *q;       /* [n][m]: finished ones, then random ones */
    double *block;   /* [m][BLOCK]: the vectors at work, side by side */
    double *overlap; /* [n][BLOCK]: their products with the finished ones */
    int64_t done;
} gram_schmidt;

/* overlap = q . block */
static void overlap_chunk(void *arg, int64_t chunk, int thread) {
    const gram_schmidt *g = arg;
    (void)thread;
    const int64_t from = chunk * DOT_ROWS;
    const int64_t to = from + DOT_ROWS < g->done ? from + DOT_ROWS : g->done;
    for (int64_t k = from; k < to; k++) {
        const double *q = g->q + k * g->m;
        double sum[BLOCK] = {0};
        for (int64_t i = 0; i < g->m; i++)
            for (int b = 0; b < BLOCK; b++) sum[b] += q[i] * g->block[i * BLOCK + b];
        memcpy(g->overlap + k * BLOCK, sum, sizeof sum);
    }
}

/* block -= transposed q . overlap */
static void subtract_chunk(void *arg, int64_t chunk, int thread) {
    const gram_schmidt *g = arg;
    (void)thread;
    const int64_t from = chunk * SUB_ROWS, to = from + SUB_ROWS < g->m ? from + SUB_ROWS : g->m;
    for (int64_t k = 0; k < g->done; k++) {
        const double *q = g->q + k * g->m;
        double c[BLOCK];
        memcpy(c, g->overlap + k * BLOCK, sizeof c);
        for (int64_t i = from; i < to; i++)
            for (int b = 0; b < BLOCK; b++) g->block[i * BLOCK + b] -= q[i] * c[b];
    }
}

/* Vector b of the block: free of those before it in the block, and of length 1. */
static void finish_vector(const gram_schmidt *g, int b) {
    double *x = g->block;
    double norm = 0;
    for (int twice = 0; twice < 2; twice++) {
        for (int e = 0; e < b; e++) {
            double dot = 0;
            for (int64_t i = 0; i < g->m; i++) dot += x[i * BLOCK + e] * x[i * BLOCK + b];
            for (int64_t i = 0; i < g->m; i++) x[i * BLOCK + b] -= dot * x[i * BLOCK + e];
        }
    }
    for (int64_t i = 0; i < g->m; i++) norm += x[i * BLOCK + b] * x[i * BLOCK + b];
    const double scale = norm > 0 ? 1 / sqrt(norm) : 0;
    for (int64_t i = 0; i < g->m; i++) x[i * BLOCK + b] *= scale;
}

static void orthonormalize(gram_schmidt *g) {
    for (g->done = 0; g->done < g->n; g->done += BLOCK) {
        const int count = g->n - g->done < BLOCK ? (int)(g->n - g->done) : BLOCK;
        double *rows = g->q + g->done * g->m;
        memset(g->block, 0, sizeof(double) * BLOCK * (size_t)g->m);
        for (int b = 0; b < count; b++)
            for (int64_t i = 0; i < g->m; i++) g->block[i * BLOCK + b] = rows[b * g->m + i];
        for (int twice = 0; twice < 2; twice++) {
            kt_pool_run(overlap_chunk, g, (g->done + DOT_ROWS - 1) / DOT_ROWS);
            kt_pool_run(subtract_chunk, g, (g->m + SUB_ROWS - 1) / SUB_ROWS);
        }
        for (int b = 0; b < count; b++) finish_vector(g, b);
        for (int b = 0; b < count; b++)
            for (int64_t i = 0; i < g->m; i++) rows[b * g->m + i] = g->block[i * BLOCK + b];
    }
}

/* Tall weights take the vectors as columns, wide ones as rows. */
static void write_weight(
    const gram_schmidt *g, double gain, bool wide, const kt_spec *s, void *data) {
    for (int64_t k = 0; k < g->n; k++)
        for (int64_t i = 0; i < g->m; i++)
            kt_elem_set(
                data, s->dtype, wide ? k * g->m + i : i * g->n + k, gain * g->q[k * g->m + i]);
}

static kt_status orthogonal_fill(
    const kt_component *c, uint64_t key, const kt_spec *spec, void *data) {
    const orthogonal_args *a = kt_args_of(c);
    const int ndim = spec->shape.ndim;
    if (ndim < 2) return kt_init_shape_error(c, spec, "at least two axes");
    const int64_t rows = kt_shape_range(&spec->shape, 0, ndim - 1);
    const int64_t columns = spec->shape.dim[ndim - 1];
    const bool wide = rows < columns;
    gram_schmidt g = {.n = wide ? rows : columns, .m = wide ? columns : rows};
    if (!kt_dtype_is_float(spec->dtype) || g.n == 0)
        return kt_draw_fill(
            KT_DRAW_NORMAL, 0, 1, key, spec, data); /* refuses, or has nothing to do */
    g.q = kt_alloc_array(g.n * g.m, sizeof(double));
    g.block = kt_alloc_array(g.m * BLOCK, sizeof(double));
    g.overlap = kt_alloc_array(g.n * BLOCK, sizeof(double));
    const kt_spec normal = {KT_FLOAT64, {2, {g.n, g.m}}};
    kt_status st = g.q && g.block && g.overlap ? KT_OK : KT_ENOMEM;
    if (st == KT_OK)
        st = kt_draw_fill(KT_DRAW_NORMAL, 0, 1, kt_init_key(a->seed, key), &normal, g.q);
    if (st == KT_OK) {
        orthonormalize(&g);
        write_weight(&g, a->gain, wide, spec, data);
    }
    kt_mem_free(g.q);
    kt_mem_free(g.block);
    kt_mem_free(g.overlap);
    return st;
}

static const kt_field orthogonal_fields[] = {
    KT_F(orthogonal_args, gain), KT_F(orthogonal_args, seed), KT_F_END};
static const orthogonal_args orthogonal_defaults = {
    .size = sizeof(orthogonal_args), KT_INIT_ORTHOGONAL_DEFAULTS};

const kt_initializer_class kt_initializer_class_orthogonal = {
    .base =
        {.kind = KT_KIND_INITIALIZER,
         .name = "Orthogonal",
         .aliases = {"OrthogonalInitializer"},
         .args_size = sizeof(orthogonal_args),
         .fields = orthogonal_fields,
         .defaults = &orthogonal_defaults,
         .init = kt_arg_numbers},
    .fill = orthogonal_fill};

kt_initializer *kt_init_orthogonal_new(const kt_init_orthogonal_args *args) {
    return kt_component_new(&kt_initializer_class_orthogonal.base, args);
}
