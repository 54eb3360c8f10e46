/* Layers that spread the values of each channel over the whole value_range.
 *
 *   AutoContrast  (x - min) 255 / (max - min) for each channel of each picture; always
 *   Equalization  x through the distribution of the values of a channel in the whole batch:
 *                 round(255 (n(x) - n(min)) / (n - n(min))), n(v) the number of values up to v's
 *                 bin; while training only
 *
 * Values are moved to 0 … 255 and back; a channel with a single value stays as it is.
 * keras.layers.AutoContrast, Equalization */
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
    kt_val *scale = kt_g_div(g, kt_g_num(g, 255, low), kt_g_sub(g, high, low));
    kt_val *y = kt_g_add(g, kt_g_mul(g, v, scale), kt_g_mul(g, kt_g_neg(g, low), scale));
    y = kt_values_moved(g, kt_g_clip(g, y, 0, 255), bytes, a->values);
    return kt_g_select(g, kt_g_eq(g, y, y), y, x); /* NaN: ends that are equal or no numbers */
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

/* Classes -------------------------------------------------------------------------------------- */

#define F(name) KT_F(kt_auto_contrast_args, name)
static const kt_field auto_contrast_fields[] = {
    F(value_range), F(data_format), F(bounding_box_format), KT_F_END};
#undef F
#define F(name) KT_F(kt_equalization_args, name)
static const kt_field equalization_fields[] = {
    F(value_range), F(bins), F(data_format), F(bounding_box_format), KT_F_END};
#undef F

KT_AUGMENT_CLASS(auto_contrast, "AutoContrast", KT_AUTO_CONTRAST_DEFAULTS)
KT_AUGMENT_CLASS(equalization, "Equalization", KT_EQUALIZATION_DEFAULTS)
