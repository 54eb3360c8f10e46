/* Layers that spread the values of each channel over the whole value_range.
 *
 *   AutoContrast  (x - min) 255 / (max - min) for each channel of each picture; always
 *   Equalization  x through the distribution of the values of a channel in the whole batch:
 *                 round(255 (n(x) - n(min)) / (n - n(min))), n(v) the number of values up to v's
 *                 bin; while training only
 *   ContrastLimitedAdaptiveHistogramEqualization
 *                 the same for each channel of each tile of a picture, with histograms that are cut
 *                 at a limit; between the middles of four tiles what they say is mixed; always
 *
 * Values are moved to 0 … 255 and back; a channel with a single value stays as it is.
 * keras.layers.AutoContrast, Equalization, ContrastLimitedAdaptiveHistogramEqualization */
#include "base/error.h"
#include "nn/pictures/pictures.h"

#include <keratin/layers.h>

#include <math.h>

static const double bytes[2] = {0, 255};

/* AutoContrast --------------------------------------------------------------------------------- */

/* Of "channels_first" Keras 3.15.1 takes the ends over channels and rows, and so do we. */
static kt_val *auto_contrast(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *d) {
    const int axes = a->first ? 1 << 3 | 1 << 1 : 1 << 1 | 1 << 2;
    kt_val *v = kt_values_moved(g, x, a->values, bytes);
    kt_val *low = kt_g_reduce(g, KT_RED_MIN, v, axes, true);
    kt_val *high = kt_g_reduce(g, KT_RED_MAX, v, axes, true);
    (void)d;
    if (!low || !high) return NULL;
    kt_val *range = kt_g_sub(g, high, low), *wide = kt_g_lt(g, low, high);
    range = kt_g_select(g, wide, range, kt_g_num(g, 1, low)); /* its gradient is to be a number */
    kt_val *scale = kt_g_div(g, kt_g_num(g, 255, low), range);
    kt_val *y = kt_g_add(g, kt_g_mul(g, v, scale), kt_g_mul(g, kt_g_neg(g, low), scale));
    y = kt_values_moved(g, kt_g_clip(g, y, 0, 255), bytes, a->values);
    y = kt_g_select(g, kt_g_eq(g, y, y), y, x); /* NaN: an end is infinite */
    return kt_g_select(g, wide, y, x);
}
const kt_augment kt_aug_auto_contrast = {.apply = auto_contrast, .always = true};
KT_AUGMENT_INIT(auto_contrast, kt_aug_auto_contrast)

/* Equalization --------------------------------------------------------------------------------- */

/* Numbers of bins, moved on to the table of the channel: int32 [n h w, c]. */
static kt_val *in_tables(kt_graph *g, kt_val *bin, int64_t bins, int64_t c) {
    int32_t *first = kt_arena_alloc(g->arena, sizeof *first * (size_t)(c + 1));
    if (!first) return kt_graph_fail(g, KT_ENOMEM);
    for (int64_t i = 0; i < c; i++) first[i] = (int32_t)(i * bins);
    bin = kt_g_select(g, kt_g_eq(g, bin, bin), bin, kt_g_num(g, 0, bin)); /* NaN: the first */
    bin = kt_g_cast(g, kt_g_clip(g, bin, 0, (double)(bins - 1)), KT_INT32);
    return kt_g_add(g, bin, kt_g_array(g, first, (kt_spec){KT_INT32, {1, {c}}}));
}

/* For each channel and bin what its values become: [c, bins]; NaN where the channel has one bin. */
static kt_val *equal_table(kt_graph *g, kt_val *index, int64_t bins, int64_t c) {
    const kt_shape all = index ? index->spec.shape : (kt_shape){0, {0}};
    kt_val *ones = kt_g_const(g, 1, (kt_spec){KT_FLOAT64, all});
    kt_val *n = kt_g_scatter_add(g, ones, index, kt_dims(c * bins));
    n = kt_g_reshape(g, n, kt_dims(c, bins));
    n = n ? kt_g_recurrence(g, kt_g_const(g, 1, n->spec), n, 1, false) : NULL;
    if (!n) return NULL;
    kt_val *any = kt_g_gt(g, n, kt_g_num(g, 0, n));
    kt_val *first = kt_g_select(g, any, n, kt_g_num(g, INFINITY, n));
    first = kt_g_reduce(g, KT_RED_MIN, first, 1 << 1, true);
    kt_val *rest = kt_g_sub(g, kt_g_reduce(g, KT_RED_MAX, n, 1 << 1, true), first);
    n = kt_g_div(g, kt_g_scale(g, kt_g_sub(g, n, first), 255), rest);
    n = n ? kt_g_clip(g, kt_g_round(g, n), 0, 255) : NULL;
    if (!n) return NULL;
    kt_val *several = kt_g_gt(g, rest, kt_g_num(g, 0, rest));
    return kt_g_select(g, several, n, kt_g_num(g, NAN, n));
}

static kt_val *equalize(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *d) {
    const kt_shape shape = x->spec.shape;
    const int64_t c = shape.dim[3], size = shape.dim[0] * shape.dim[1] * shape.dim[2];
    (void)d;
    if (!size || !c) return x;
    if (c > INT32_MAX / a->bins)
        return kt_graph_fail(g, KT_FAIL(KT_ELIMIT, "over 2^31 bins for all channels"));
    kt_val *v = kt_values_moved(g, x, a->values, bytes);
    kt_val *flat = kt_g_cast(g, kt_g_reshape(g, v, kt_dims(size, c)), KT_FLOAT32);
    if (!flat) return NULL;
    /* two ways to the same bin, up to rounding, as in Keras */
    const double last = (double)(a->bins - 1);
    kt_val *whole = kt_g_num(g, 255, flat);
    kt_val *counted = kt_g_div(g, kt_g_scale(g, flat, last), whole);
    kt_val *looked_up = kt_g_scale(g, kt_g_div(g, flat, whole), last);
    kt_val *table = equal_table(g, in_tables(g, counted, a->bins, c), a->bins, c);
    table = kt_g_cast(g, kt_g_reshape(g, table, kt_dims(c * a->bins)), x->spec.dtype);
    kt_val *y = kt_g_reshape(g, kt_g_gather(g, table, in_tables(g, looked_up, a->bins, c)), shape);
    if (!y) return NULL;
    y = kt_g_select(g, kt_g_eq(g, y, y), y, v);
    return kt_values_moved(g, y, bytes, a->values);
}
const kt_augment kt_aug_equalization = {.apply = equalize, .bins = 256};

static kt_status equalization_init(kt_layer *l) {
    const kt_equalization_args *a = kt_layer_args(l);
    const kt_status st = kt_augment_init(l, &kt_aug_equalization);
    if (st == KT_OK && (a->bins < 1 || a->bins > 1 << 24))
        return KT_FAIL(KT_EINVAL, "bins: expected 1 to 2^24, got %d", a->bins);
    ((kt_augment *)kt_layer_state(l))->bins = a->bins;
    return st;
}

/* ContrastLimitedAdaptiveHistogramEqualization ------------------------------------------------- */

#define BINS 256
/* The tiles [rows, columns] of a batch of pictures, with their numbers one after the other. */
typedef struct {
    kt_graph *g;
    int64_t n, c, len[2], tiles[2], size[2]; ///< size: of a tile
    double clip_limit;
} tiling;

static int64_t padded(const tiling *t, int i) { return t->tiles[i] * t->size[i]; }

/* Numbers along one axis of four. */
static kt_val *along(kt_graph *g, const void *v, kt_dtype dtype, int64_t n, int axis) {
    kt_shape shape = kt_dims(1, 1, 1, 1);
    shape.dim[axis] = n;
    return kt_g_array(g, v, (kt_spec){dtype, shape});
}

/* i * step for i of 0 … n - 1, along an axis. */
static kt_val *multiples(kt_graph *g, int64_t n, int64_t step, int axis) {
    int32_t *v = kt_arena_alloc(g->arena, sizeof *v * (size_t)(n + 1));
    if (!v) return kt_graph_fail(g, KT_ENOMEM);
    for (int64_t i = 0; i < n; i++) v[i] = (int32_t)(i * step);
    return along(g, v, KT_INT32, n, axis);
}

/* Cells beyond the end, up to whole tiles: the last ones in the opposite order. */
static kt_val *pad_side(const tiling *t, kt_val *x, int i) {
    const int64_t n = padded(t, i), len = t->len[i];
    if (n == len) return x;
    int32_t *from = kt_arena_alloc(t->g->arena, sizeof *from * (size_t)n);
    if (!from) return kt_graph_fail(t->g, KT_ENOMEM);
    for (int64_t k = 0; k < n; k++) {
        const int64_t at = k % (2 * len);
        from[k] = (int32_t)(at < len ? at : 2 * len - 1 - at);
    }
    kt_val *index = kt_g_array(t->g, from, (kt_spec){KT_INT32, {1, {n}}});
    return kt_g_take_cells(t->g, x, 1 + i, index);
}

/* For each row (column) the number of the tile that it lies in or, with `side`, of those whose
 * middles lie before (0) and behind it (1), times `step`; and how far it is on the way from the
 * first to the second. */
static kt_val *tile_of(const tiling *t, int i, int64_t step, int side, kt_val **share) {
    const int64_t n = padded(t, i);
    int32_t *tile = kt_arena_alloc(t->g->arena, sizeof *tile * (size_t)n);
    float *part = kt_arena_alloc(t->g->arena, sizeof *part * (size_t)n);
    if (!tile || !part) return kt_graph_fail(t->g, KT_ENOMEM);
    for (int64_t k = 0; k < n; k++) {
        const float at = ((float)k - (float)t->size[i] / 2) / (float)t->size[i] + 1;
        const float before = floorf(at);
        int64_t to = side < 0 ? k / t->size[i] : (int64_t)before + side - 1;
        to = to < 0 ? 0 : to < t->tiles[i] ? to : t->tiles[i] - 1;
        tile[k] = (int32_t)(to * step);
        part[k] = at - before;
    }
    if (share) *share = along(t->g, part, KT_FLOAT32, n, 1 + i);
    return along(t->g, tile, KT_INT32, n, 1 + i);
}

/* What the values 0 … 255 become in each tile: one table after the other. */
static kt_val *tile_tables(const tiling *t, kt_val *index) {
    kt_graph *g = t->g;
    const int64_t tables = t->n * t->tiles[0] * t->tiles[1] * t->c;
    const double cells = (double)(t->size[0] * t->size[1]);
    if (!index) return NULL;
    kt_val *ones = kt_g_const(g, 1, (kt_spec){KT_FLOAT32, index->spec.shape});
    kt_val *n = kt_g_scatter_add(g, ones, index, kt_dims(tables * BINS));
    n = kt_g_reshape(g, n, kt_dims(tables, BINS));
    if (n && t->clip_limit > 0) {
        kt_val *cut = kt_g_minimum(g, n, kt_g_num(g, t->clip_limit * cells / BINS, n));
        kt_val *rest = kt_g_sum(g, kt_g_sub(g, n, cut), 1 << 1, true);
        n = kt_g_add(g, cut, kt_g_scale(g, rest, 1.0 / BINS));
    }
    n = n ? kt_g_recurrence(g, kt_g_const(g, 1, n->spec), n, 1, false) : NULL;
    if (!n) return NULL;
    kt_val *first = kt_g_reduce(g, KT_RED_MIN, n, 1 << 1, true);
    kt_val *whole = kt_g_shift(g, kt_g_neg(g, first), cells);
    if (!whole) return NULL;
    whole = kt_g_select(g, kt_g_eq(g, whole, kt_g_num(g, 0, whole)), kt_g_num(g, 1, whole), whole);
    n = kt_g_div(g, kt_g_scale(g, kt_g_sub(g, n, first), 255), whole);
    return kt_g_reshape(g, kt_g_clip(g, n, 0, 255), kt_dims(tables * BINS));
}

/* share b + (1 - share) a */
static kt_val *on_the_way(kt_graph *g, kt_val *share, kt_val *a, kt_val *b) {
    kt_val *rest = kt_g_shift(g, kt_g_neg(g, share), 1);
    return kt_g_add(g, kt_g_mul(g, a, rest), kt_g_mul(g, b, share));
}

/* x (n, h, w, c) in whole tiles, of 0 … 255. */
static kt_val *equalize_tiles(const tiling *t, kt_val *x) {
    kt_graph *g = t->g;
    const int64_t column = t->c * BINS, row = t->tiles[1] * column;
    kt_val *bin = kt_g_select(g, kt_g_eq(g, x, x), x, kt_g_num(g, 0, x)); /* NaN: the first */
    bin = kt_g_cast(g, kt_g_clip(g, bin, 0, BINS - 1), KT_INT32);
    bin = kt_g_add(g, bin, multiples(g, t->n, t->tiles[0] * row, 0));
    bin = kt_g_add(g, bin, multiples(g, t->c, BINS, 3));
    kt_val *own = kt_g_add(g, bin, tile_of(t, 0, row, -1, NULL));
    kt_val *table = tile_tables(t, kt_g_add(g, own, tile_of(t, 1, column, -1, NULL)));
    kt_val *down, *right, *v[2];
    for (int i = 0; i < 2; i++) {
        kt_val *at = kt_g_add(g, bin, tile_of(t, 0, row, i, &down)), *w[2];
        for (int k = 0; k < 2; k++)
            w[k] = kt_g_gather(g, table, kt_g_add(g, at, tile_of(t, 1, column, k, &right)));
        v[i] = on_the_way(g, right, w[0], w[1]);
    }
    return on_the_way(g, down, v[0], v[1]);
}

static kt_val *equalize_locally(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *d) {
    const kt_contrast_limited_adaptive_histogram_equalization_args *args = kt_layer_args(a->layer);
    const int64_t *dim = x->spec.shape.dim;
    tiling t = {
        .g = g, .n = dim[0], .c = dim[3], .len = {dim[1], dim[2]}, .clip_limit = args->clip_limit};
    int tiles[2];
    (void)d;
    const kt_status st = kt_tuple_get(args->tile_grid_size, 2, "tile_grid_size", tiles);
    if (st) return kt_graph_fail(g, st);
    if (!kt_shape_size(&x->spec.shape)) return x;
    for (int i = 0; i < 2; i++) {
        t.tiles[i] = tiles[i];
        t.size[i] = (t.len[i] + tiles[i] - 1) / tiles[i];
    }
    const double tables = (double)t.n * tiles[0] * tiles[1] * (double)t.c;
    if (tables > INT32_MAX / BINS)
        return kt_graph_fail(g, KT_FAIL(KT_ELIMIT, "over 2^31 bins for all tiles"));
    kt_val *y = kt_values_moved(g, kt_g_cast(g, x, KT_FLOAT32), a->values, bytes);
    for (int i = 0; i < 2; i++) y = pad_side(&t, y, i);
    y = y ? equalize_tiles(&t, y) : NULL;
    for (int i = 0; i < 2; i++) y = kt_g_slice_axis(g, y, 1 + i, 0, t.len[i]);
    return kt_g_cast(g, kt_values_moved(g, y, bytes, a->values), x->spec.dtype);
}

static kt_status contrast_limited_adaptive_histogram_equalization_init(kt_layer *l) {
    static const kt_augment how = {.apply = equalize_locally, .always = true, .as_is = true};
    const kt_contrast_limited_adaptive_histogram_equalization_args *a = kt_layer_args(l);
    int tiles[2];
    const kt_status st = kt_augment_init(l, &how);
    return st ? st : kt_tuple_get(a->tile_grid_size, 2, "tile_grid_size", tiles);
}

/* Classes -------------------------------------------------------------------------------------- */

#define F(name) KT_F(kt_auto_contrast_args, name)
static const kt_field auto_contrast_fields[] = {
    F(value_range), F(data_format), F(bounding_box_format), KT_F_END};
#undef F
#define F(name) KT_F(kt_equalization_args, name)
static const kt_field equalization_fields[] = {
    F(value_range), F(bins), F(data_format), F(bounding_box_format), KT_F_END};
#undef F

#define F(name) KT_F(kt_contrast_limited_adaptive_histogram_equalization_args, name)
static const kt_field contrast_limited_adaptive_histogram_equalization_fields[] = {
    F(value_range),
    F(clip_limit),
    F(tile_grid_size),
    F(data_format),
    F(bounding_box_format),
    KT_F_END};
#undef F

KT_AUGMENT_CLASS(auto_contrast, "AutoContrast", KT_AUTO_CONTRAST_DEFAULTS)
KT_AUGMENT_CLASS(equalization, "Equalization", KT_EQUALIZATION_DEFAULTS)
KT_AUGMENT_CLASS(
    contrast_limited_adaptive_histogram_equalization,
    "ContrastLimitedAdaptiveHistogramEqualization",
    KT_CONTRAST_LIMITED_ADAPTIVE_HISTOGRAM_EQUALIZATION_DEFAULTS)
