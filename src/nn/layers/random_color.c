/* RandomContrast, RandomBrightness, Solarization: while training, the values of pictures change by
 * a random number for each picture.
 *
 *   contrast    (x - m) f + m, m the mean of the channel, f from 1 - factor[0] to 1 + factor[1]
 *   brightness  x + f (high - low)
 *   solarization, in values from 0 to 255: y = x + addition; y below the threshold, else 255 - y
 *
 * keras.layers.RandomContrast, RandomBrightness, Solarization */
#include "base/error.h"
#include "nn/layers/pictures.h"

#include <keratin/layers.h>

/* RandomContrast ------------------------------------------------------------------------------- */

static kt_status random_contrast_init(kt_layer *l) {
    const kt_random_contrast_args *a = kt_layer_args(l);
    double range[2];
    kt_status st = kt_factor_get(a->factor, a->factors, "factor", 0, 1, range);
    if (st == KT_OK) st = kt_value_range_get(a->value_range, range);
    return st ? st : kt_pictures_check(l, a->data_format);
}

static kt_status random_contrast_call(kt_layer *l, kt_trace *t) {
    const kt_random_contrast_args *a = kt_layer_args(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_pictures p;
    double f[2], values[2];
    kt_status st = kt_factor_get(a->factor, a->factors, "factor", 0, 1, f);
    if (st == KT_OK) st = kt_value_range_get(a->value_range, values);
    kt_val *x = st ? NULL : kt_pictures_in(l, t, a->data_format, false, &p);
    if (!x) return st ? st : g->status;
    if (t->training) {
        const double range[2] = {1 - f[0], 1 + f[1]};
        kt_val *u = kt_draw(l, x->spec.shape.dim[0], 4, range, a->seed);
        kt_val *mean = kt_g_mean(g, x, 1 << 1 | 1 << 2, true);
        if (!u || !mean) return g->status;
        x = kt_g_mul(g, kt_g_sub(g, x, mean), kt_g_cast(g, u, x->spec.dtype));
        x = kt_g_clip(g, kt_g_add(g, x, mean), values[0], values[1]);
    }
    return kt_pictures_out(t, x, &p);
}

/* RandomBrightness ----------------------------------------------------------------------------- */

static kt_status random_brightness_init(kt_layer *l) {
    const kt_random_brightness_args *a = kt_layer_args(l);
    double range[2];
    kt_status st = kt_factor_get(a->factor, a->factors, "factor", -1, 1, range);
    if (st == KT_OK) st = kt_value_range_get(a->value_range, range);
    return st ? st : kt_pictures_check(l, a->data_format);
}

static kt_status random_brightness_call(kt_layer *l, kt_trace *t) {
    const kt_random_brightness_args *a = kt_layer_args(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_pictures p;
    double f[2], values[2];
    kt_status st = kt_factor_get(a->factor, a->factors, "factor", -1, 1, f);
    if (st == KT_OK) st = kt_value_range_get(a->value_range, values);
    kt_val *x = st ? NULL : kt_pictures_in(l, t, a->data_format, false, &p);
    if (!x) return st ? st : g->status;
    if (t->training) {
        kt_val *u = kt_draw(l, x->spec.shape.dim[0], 4, f, a->seed);
        if (!u) return g->status;
        u = kt_g_scale(g, u, values[1] - values[0]);
        x = kt_g_add(g, x, kt_g_cast(g, u, x->spec.dtype));
        x = kt_g_clip(g, x, values[0], values[1]);
    }
    return kt_pictures_out(t, x, &p);
}

/* Solarization --------------------------------------------------------------------------------- */

/* The lower ends are not in units of 255 in Keras either. */
static kt_status solarization_ranges(
    const kt_solarization_args *a, double addition[2], double threshold[2], double values[2]) {
    kt_status st = kt_factor_get(
        a->addition_factor, a->addition_factors, "addition_factor", 0, 1, addition);
    if (st == KT_OK)
        st = kt_factor_get(
            a->threshold_factor, a->threshold_factors, "threshold_factor", 0, 1, threshold);
    addition[1] *= 255;
    threshold[1] *= 255;
    return st ? st : kt_value_range_get(a->value_range, values);
}

static kt_status solarization_init(kt_layer *l) {
    const kt_solarization_args *a = kt_layer_args(l);
    double addition[2], threshold[2], values[2];
    const kt_status st = solarization_ranges(a, addition, threshold, values);
    return st ? st : kt_pictures_check(l, a->data_format);
}

/* From one range of values to another: (x - from) / length (other length) + other from. */
static kt_val *moved(kt_graph *g, kt_val *x, const double from[2], const double to[2]) {
    if (from[0] == to[0] && from[1] == to[1]) return x;
    kt_val *length = kt_g_num(g, from[1] - from[0], x);
    x = kt_g_div(g, kt_g_shift(g, x, -from[0]), length);
    return kt_g_shift(g, kt_g_scale(g, x, to[1] - to[0]), to[0]);
}

static kt_status solarization_call(kt_layer *l, kt_trace *t) {
    static const double bytes[2] = {0, 255};
    const kt_solarization_args *a = kt_layer_args(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_pictures p;
    double addition[2], threshold[2], values[2];
    const kt_status st = solarization_ranges(a, addition, threshold, values);
    kt_val *x = st ? NULL : kt_pictures_in(l, t, a->data_format, false, &p);
    if (!x) return st ? st : g->status;
    if (t->training) {
        const int64_t n = x->spec.shape.dim[0];
        kt_val *more = kt_draw(l, n, 4, addition, a->seed);
        kt_val *limit = more ? kt_draw(l, n, 4, threshold, a->seed) : NULL;
        if (!limit) return g->status;
        more = kt_g_cast(g, more, x->spec.dtype);
        limit = kt_g_cast(g, limit, x->spec.dtype);
        kt_val *y = kt_g_clip(g, kt_g_add(g, moved(g, x, values, bytes), more), 0, 255);
        kt_val *other = kt_g_shift(g, kt_g_neg(g, y), 255);
        x = moved(g, kt_g_select(g, kt_g_lt(g, y, limit), y, other), bytes, values);
    }
    return kt_pictures_out(t, x, &p);
}

/* Classes -------------------------------------------------------------------------------------- */

#define COMMON(T)                                                                                  \
    KT_F(T, value_range), KT_F(T, seed), KT_F(T, data_format), KT_F(T, bounding_box_format),       \
        KT_F_END
static const kt_field random_contrast_fields[] = {
    KT_F(kt_random_contrast_args, factor),
    KT_F(kt_random_contrast_args, factors),
    COMMON(kt_random_contrast_args)};
static const kt_field random_brightness_fields[] = {
    KT_F(kt_random_brightness_args, factor),
    KT_F(kt_random_brightness_args, factors),
    COMMON(kt_random_brightness_args)};
static const kt_field solarization_fields[] = {
    KT_F(kt_solarization_args, addition_factor),
    KT_F(kt_solarization_args, threshold_factor),
    KT_F(kt_solarization_args, addition_factors),
    KT_F(kt_solarization_args, threshold_factors),
    COMMON(kt_solarization_args)};

#define CLASS(fn, keras, DEFAULTS)                                                                 \
    const kt_layer_class kt_class_##fn = {                                                         \
        .name = keras,                                                                             \
        .args_size = sizeof(kt_##fn##_args),                                                       \
        .fields = fn##_fields,                                                                     \
        .defaults = &(const kt_##fn##_args){DEFAULTS},                                             \
        .init = fn##_init,                                                                         \
        .call = fn##_call,                                                                         \
    };                                                                                             \
    kt_layer *kt_##fn##_new(const kt_##fn##_args *a) { return kt_layer_new(&kt_class_##fn, a); }
CLASS(random_contrast, "RandomContrast", KT_RANDOM_CONTRAST_DEFAULTS)
CLASS(random_brightness, "RandomBrightness", KT_RANDOM_BRIGHTNESS_DEFAULTS)
CLASS(solarization, "Solarization", KT_SOLARIZATION_DEFAULTS)
