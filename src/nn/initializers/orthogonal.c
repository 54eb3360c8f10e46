/* Orthogonal: a matrix with orthogonal columns (rows, if it is wide), uniform among all of them,
 * which is what the QR decomposition of a matrix of normal numbers gives once R's diagonal is made
 * positive. keras.initializers.Orthogonal
 *
 * No matrix is decomposed here. The reflections that Householder's method would find are those of
 * vectors of normal numbers, independent of each other and shorter by one each (Stewart, SIAM J.
 * Numer. Anal. 17, 1980): they are drawn and applied to the unit matrix. Eight columns at a time
 * stay in the cache while all reflections pass, and every eight are a job of their own for a
 * thread. All in double: the weights are orthogonal to the last digit of their dtype. */
#include "nn/initializers/initializer.h"

#include "base/mem.h"
#include "base/pool.h"
#include "nn/initializers/draw.h"

#include <math.h>
#include <string.h>

typedef kt_init_orthogonal_args orthogonal_args;

#define PANEL 8 /* columns at a time */

typedef struct {
    int64_t n, m;   /* n vectors of length m >= n */
    double *v;      /* [n][m]: vector k is 0 before k; the reflection is I - v vT */
    double *sign;   /* [n]: of the diagonal of R */
    double *panels; /* [threads][m][PANEL] */
    double gain;
    bool wide;
    kt_dtype dtype;
    void *out;
} reflections;

/* Makes vector k, of normal numbers x, the reflection that turns x into -sign(x[k]) |x| e[k]. */
static void reflection_init(const reflections *r, int64_t k) {
    double *v = r->v + k * r->m, sum = 0;
    for (int64_t i = 0; i < k; i++) v[i] = 0;
    for (int64_t i = k; i < r->m; i++) sum += v[i] * v[i];
    const double length = v[k] < 0 ? -sqrt(sum) : sqrt(sum);
    r->sign[k] = v[k] < 0 ? 1 : -1;
    const double scale = sqrt(2 / (2 * sum + 2 * length * v[k])); /* v.v after the next line */
    v[k] += length;
    for (int64_t i = k; i < r->m; i++) v[i] *= scale;
}

/* One pass over n rows: x -= u dot, which ends the reflection of u; then dot = v x, which begins
 * that of v. */
static void reflect(
    const double *restrict v,
    const double *restrict u,
    double *restrict x,
    int64_t n,
    double *restrict dot) {
    double sum[PANEL] = {0}, c[PANEL];
    memcpy(c, dot, sizeof c);
    for (int64_t i = 0; i < n; i++) {
        double *row = x + i * PANEL;
        for (int b = 0; b < PANEL; b++) {
            row[b] -= u[i] * c[b];
            sum[b] += v[i] * row[b];
        }
    }
    memcpy(dot, sum, sizeof sum);
}

static void panel_write(const reflections *r, const double *x, int64_t first, int count) {
    for (int64_t i = 0; i < r->m; i++)
        for (int b = 0; b < count; b++) {
            const int64_t at = r->wide ? (first + b) * r->m + i : i * r->n + first + b;
            kt_elem_set(r->out, r->dtype, at, r->gain * x[i * PANEL + b]);
        }
}

/* Columns of the unit matrix, signed, through the reflections; those that come after a column in
 * the product leave it as it is. */
static void panel_run(void *arg, int64_t chunk, int thread) {
    const reflections *r = arg;
    const int64_t first = chunk * PANEL, m = r->m;
    const int count = r->n - first < PANEL ? (int)(r->n - first) : PANEL;
    double *x = r->panels + thread * m * PANEL, dot[PANEL] = {0};
    memset(x, 0, sizeof *x * PANEL * (size_t)m);
    for (int b = 0; b < count; b++) x[(first + b) * PANEL + b] = r->sign[first + b];
    int64_t k = first + count - 1;
    const double *u = r->v + k * m;
    for (; k >= 0; k--) {
        const double *v = r->v + k * m;
        reflect(v + k, u + k, x + k * PANEL, m - k, dot);
        u = v;
    }
    reflect(u, u, x, m, dot);
    panel_write(r, x, first, count);
}

static kt_status orthogonal_fill(
    const kt_component *c, uint64_t key, const kt_spec *spec, void *data) {
    const orthogonal_args *a = kt_args_of(c);
    const int ndim = spec->shape.ndim;
    if (ndim < 2) return kt_init_shape_error(c, spec, "at least two axes");
    const int64_t rows = kt_shape_range(&spec->shape, 0, ndim - 1);
    const int64_t columns = spec->shape.dim[ndim - 1];
    const bool wide = rows < columns;
    reflections r = {.n = wide ? rows : columns, .m = wide ? columns : rows, .wide = wide};
    if (!kt_dtype_is_float(spec->dtype) || r.n == 0) /* refused; nothing to do */
        return kt_draw_fill(KT_DRAW_NORMAL, 0, 1, key, spec, data);
    r.v = kt_alloc_array(r.n * r.m, sizeof(double));
    r.sign = kt_alloc_array(r.n, sizeof(double));
    r.panels = kt_alloc_array(kt_pool_threads() * r.m * PANEL, sizeof(double));
    r.gain = a->gain;
    r.dtype = spec->dtype;
    r.out = data;
    const kt_spec normal = {KT_FLOAT64, {2, {r.n, r.m}}};
    kt_status st = r.v && r.sign && r.panels ? KT_OK : KT_ENOMEM;
    if (st == KT_OK)
        st = kt_draw_fill(KT_DRAW_NORMAL, 0, 1, kt_init_key(a->seed, key), &normal, r.v);
    for (int64_t k = 0; st == KT_OK && k < r.n; k++) reflection_init(&r, k);
    if (st == KT_OK) kt_pool_run(panel_run, &r, (r.n + PANEL - 1) / PANEL);
    kt_mem_free(r.v);
    kt_mem_free(r.sign);
    kt_mem_free(r.panels);
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
         .defaults = &orthogonal_defaults},
    .fill = orthogonal_fill};

kt_initializer *kt_init_orthogonal_new(const kt_init_orthogonal_args *args) {
    return kt_component_new(&kt_initializer_class_orthogonal.base, args);
}
