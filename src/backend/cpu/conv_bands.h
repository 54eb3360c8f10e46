/* What convolutions over bands of pictures share (conv_rows.c, conv_back.c): the geometry, bands
 * and parts of the work.
 *
 * Where a window reaches over the edge of the picture, or vectors would, a band is copied into
 * scratch with zeros around it; else the picture is used where it lies. Work is cut into at most
 * KT_CONV_PARTS parts by shapes alone, each with scratch of its own (a lane), so results do not
 * depend on the number of threads. */
#ifndef KT_CPU_CONV_BANDS_H
#define KT_CPU_CONV_BANDS_H

#include "backend/cpu/impls.h"
#include "ir/window.h"

#define KT_CONV_PARTS 8
#define LANES_MOST 16

static inline int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t max64(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static inline int64_t round_up(int64_t n, int64_t to) { return ceil_div(n, to) * to; }
static inline size_t floats(int64_t n) { return (size_t)round_up(n, 16) * sizeof(float); }

typedef struct {
    kt_window w;
    int64_t pool[2], places[2];    /* windows of the pool */
    int taps;                      /* cells of one */
    bool relu;                     /* before the pool */
    int epilogue;                  /* without a pool: KT_UN_…, KT_EPI_NONE */
    int64_t depth, runs, cells;    /* of the kernel: floats in a run, runs, all of them */
    bool copy;                     /* bands of x are copied */
    int64_t need;                  /* cells of a copied row */
    int64_t row, x_step, run_step; /* floats of x, or of its copy */
    int64_t band, bands;           /* pooled rows of a band, bands of a picture */
    int64_t band_floats;
    int64_t parts, filter_parts; /* parts in all; of them side by side over the filters */
    int64_t run_floats;          /* of a run filled up to whole vectors */
    bool few;                    /* vectors go over filters */
    bool patch;                  /* see kt_patch_kernels */
    bool packed;
    size_t shared_bytes, lane_bytes; /* of scratch: before the lanes, of each */
    size_t packed_bytes;             /* of shared_bytes: the packed kernel */
    float *x, *kernel, *y, *bias;    /* or their gradients */
    uint8_t *at;                     /* NULL: no pool */
    int32_t *start, *cell, tap[256]; /* see kt_sparse_lists and kt_few */
    char *scratch;
} kt_conv_job;

/** Pooled rows of one picture. */
typedef struct {
    int64_t picture, first, n;
} kt_band;

kt_band kt_band_at(const kt_conv_job *j, int64_t i);
/** Rows of the picture that so many pooled rows see. */
int64_t kt_band_rows(const kt_conv_job *j, int64_t pooled);
/** The picture at the first window of a band; only where nothing is copied. */
float *kt_band_in_place(const kt_conv_job *j, float *x, const kt_band *b);
/** Moves the rows of a band between x and its copy: into the copy with zeros around, or added to
 * x. */
void kt_band_move(const kt_conv_job *j, float *x, float *copy, const kt_band *b, bool add);

char *kt_conv_lane(const kt_conv_job *j, int64_t part);
/** Takes n floats from a lane. */
float *kt_conv_take(char **from, int64_t n);
void kt_conv_run_parts(kt_conv_job *j, kt_pool_fn *fn, double flops);
double kt_conv_flops(const kt_conv_job *j);

/** Everything but bands and parts. `vector`: runs are filled up to so many floats. */
kt_conv_job kt_conv_geometry(const kt_window *w, const int *window, int64_t vector);
/** Bands of at most `most` pooled rows, and not much longer than a cache if they are copied. */
void kt_conv_plan_bands(kt_conv_job *j, int64_t most);
size_t kt_conv_scratch(const kt_conv_job *j);
/** The job for every run of the node, with its tables. */
kt_status kt_conv_keep(kt_graph *g, kt_conv_job j, void **state);
bool kt_conv_fits(const kt_val *first, const kt_shape *x, const conv_attrs *a);

#endif
