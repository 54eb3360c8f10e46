/* Geometry and bands of convolutions. See conv_bands.h. */
#include "backend/cpu/conv_bands.h"

#include <string.h>

#define BAND_FLOATS 32768     /* of a copied band */
#define PARALLEL_FLOPS 300000 /* below, other threads cost more than they bring */
#define ALIAS 512             /* rows so many floats apart get into each other's way in a cache */

kt_band kt_band_at(const kt_conv_job *j, int64_t i) {
    const int64_t k = i % j->bands;
    const int64_t first = j->places[0] * k / j->bands;
    return (kt_band){i / j->bands, first, j->places[0] * (k + 1) / j->bands - first};
}

int64_t kt_band_rows(const kt_conv_job *j, int64_t pooled) {
    return (pooled * j->pool[0] - 1) * j->w.stride[0] + (j->runs - 1) * j->w.dilation[0] + 1;
}

/* The picture at the first window of a band; only where nothing is copied. */
float *kt_band_in_place(const kt_conv_job *j, float *x, const kt_band *b) {
    const int64_t y = b->first * j->pool[0] * j->w.stride[0];
    return x + (b->picture * j->w.in[0] + y) * j->row;
}

/* Moves the rows of a band between x and its copy: into the copy with zeros around, or added to
 * x. */
void kt_band_move(const kt_conv_job *j, float *x, float *copy, const kt_band *b, bool add) {
    const kt_window *w = &j->w;
    const int64_t c = w->channels, rows = kt_band_rows(j, b->n);
    const int64_t low = w->before[1] * c, n = min64(w->in[1], j->need - w->before[1]) * c;
    const int64_t y0 = b->first * j->pool[0] * w->stride[0] - w->before[0];
    for (int64_t i = 0; i < rows; i++, copy += j->row) {
        const int64_t y = y0 + i;
        float *line = x + (b->picture * w->in[0] + y) * w->in[1] * c;
        const bool inside = y >= 0 && y < w->in[0];
        if (add && inside) {
            kt_kernels_get()->binary[KT_BIN_add](line, line, copy + low, n);
        } else if (!add) {
            memset(copy, 0, (size_t)j->row * sizeof *copy);
            if (inside) memcpy(copy + low, line, (size_t)n * sizeof *copy);
        }
    }
}

char *kt_conv_lane(const kt_conv_job *j, int64_t part) {
    const size_t at = j->shared_bytes + j->lane_bytes * (size_t)part;
    return j->scratch ? j->scratch + at : NULL;
}

/* Takes n floats from a lane. */
float *kt_conv_take(char **from, int64_t n) {
    float *p = (float *)(void *)*from;
    if (n) *from += floats(n);
    return p;
}

void kt_conv_run_parts(kt_conv_job *j, kt_pool_fn *fn, double flops) {
    if (flops < PARALLEL_FLOPS)
        for (int64_t part = 0; part < j->parts; part++) fn(j, part, 0);
    else
        kt_pool_run(fn, j, j->parts);
}

double kt_conv_flops(const kt_conv_job *j) {
    const double places = (double)(j->w.n * j->places[0] * j->places[1] * j->taps);
    return 2.0 * places * (double)j->cells * (double)j->w.filters;
}

kt_conv_job kt_conv_geometry(const kt_window *w, const int *window, int64_t vector) {
    kt_conv_job j = {.w = *w, .filter_parts = 1, .epilogue = KT_EPI_NONE};
    int64_t need[2];
    for (int i = 0; i < 2; i++) {
        j.pool[i] = window[i];
        j.places[i] = w->out[i] / window[i];
        const int64_t places = j.places[i] * j.pool[i];
        need[i] = (places - 1) * w->stride[i] + (w->size[i] - 1) * w->dilation[i] + 1;
        j.copy = j.copy || w->before[i] || need[i] > w->in[i];
    }
    j.taps = window[0] * window[1];
    j.depth = w->size[1] * w->channels;
    j.runs = w->size[0];
    j.cells = j.runs * j.depth;
    j.run_floats = round_up(j.depth, vector);
    j.copy = j.copy || j.run_floats != j.depth;
    j.need = need[1];
    j.row = (j.copy ? need[1] : w->in[1]) * w->channels;
    if (j.copy && j.row % ALIAS == 0) j.row += LANES_MOST;
    j.x_step = w->stride[1] * w->channels;
    j.run_step = w->dilation[0] * j.row;
    return j;
}

/* Bands of at most `most` pooled rows and not much more than BAND_FLOATS, if they are copied. */
void kt_conv_plan_bands(kt_conv_job *j, int64_t most) {
    const int64_t pooled = j->pool[0] * j->w.stride[0] * j->row;
    if (j->copy) most = min64(most, BAND_FLOATS / pooled);
    j->bands = ceil_div(j->places[0], min64(max64(most, 1), j->places[0]));
    j->band = ceil_div(j->places[0], j->bands);
    j->band_floats = kt_band_rows(j, j->band) * j->row + 2 * LANES_MOST;
}

/* Lists of a band, and what they reach, stay in a cache. */
size_t kt_conv_scratch(const kt_conv_job *j) {
    return j->shared_bytes + j->lane_bytes * (size_t)j->parts;
}

/* The job for every run of the node, with its tables. */
kt_status kt_conv_keep(kt_graph *g, kt_conv_job j, void **state) {
    const int64_t windows = j.band * j.places[1];
    j.start = kt_arena_alloc(g->arena, sizeof *j.start * (size_t)windows);
    j.cell = kt_arena_alloc(g->arena, sizeof *j.cell * (size_t)j.cells);
    if (!j.start || !j.cell) return KT_ENOMEM;
    const int64_t down = j.w.stride[0] * j.row, right = j.x_step; /* a place further */
    for (int64_t i = 0; i < windows; i++) {
        const int64_t y = i / j.places[1] * j.pool[0], x = i % j.places[1] * j.pool[1];
        j.start[i] = (int32_t)(y * down + x * right);
    }
    for (int64_t i = 0; i < j.cells; i++)
        j.cell[i] = (int32_t)(i / j.depth * j.run_step + i % j.depth);
    for (int i = 0; i < 256; i++) {
        const int64_t tap = i / j.pool[1] * down + i % j.pool[1] * right;
        j.tap[i] = i < j.taps ? (int32_t)tap : -1;
    }
    *state = kt_arena_copy(g->arena, &j, sizeof j);
    return *state ? KT_OK : KT_ENOMEM;
}

bool kt_conv_fits(const kt_val *first, const kt_shape *x, const conv_attrs *a) {
    const double high = (double)x->dim[1] + a->before[0] + a->after[0];
    const double wide = (double)x->dim[2] + a->before[1] + a->after[1];
    return is_f32(first) && kt_shape_size(x) > 0 && a->groups == 1 && a->dilation[1] == 1 &&
           high * wide * (double)x->dim[3] < 1e9;
}
