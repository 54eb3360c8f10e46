/* RandomRotation, RandomZoom, RandomTranslation: while training, pictures through an affine map
 * with random numbers for each (warp.c).
 * keras.layers.RandomRotation, RandomZoom, RandomTranslation */
#include "base/error.h"
#include "nn/layers/pictures.h"

#include <keratin/layers.h>

#include <math.h>

#define TURN 6.283185307179586

/* What the three do alike: in, the map, out. */
typedef kt_status affine_map(kt_layer *l, kt_graph *g, const kt_shape *s, kt_warp *w);
static kt_status affine_call(
    kt_layer *l, kt_trace *t, const char *data_format, kt_warp *w, affine_map *map) {
    kt_graph *g = kt_tracer_current()->g;
    kt_pictures p;
    kt_val *x = kt_pictures_in(l, t, data_format, false, &p);
    if (!x) return g->status;
    if (t->training) {
        const kt_status st = map(l, g, &x->spec.shape, w);
        if (st) return st;
        x = kt_g_warp(g, x, w);
    }
    return kt_pictures_out(t, x, &p);
}

/* RandomRotation ------------------------------------------------------------------------------- */

static kt_status random_rotation_init(kt_layer *l) {
    const kt_random_rotation_args *a = kt_layer_args(l);
    double range[2];
    kt_status st = kt_factor_get(a->factor, a->factors, "factor", -1, 1, range);
    if (st == KT_OK) st = kt_warp_check(a->fill_mode, a->interpolation);
    return st ? st : kt_pictures_check(l, a->data_format);
}

/* Around the middle: x' = c x - s y + (1 - c) mx + s my, y' = s x + c y - s mx + (1 - c) my. */
static kt_status rotation_map(kt_layer *l, kt_graph *g, const kt_shape *shape, kt_warp *w) {
    const kt_random_rotation_args *a = kt_layer_args(l);
    const double mx = 0.5 * (double)(shape->dim[2] - 1), my = 0.5 * (double)(shape->dim[1] - 1);
    double range[2];
    const kt_status st = kt_factor_get(a->factor, a->factors, "factor", -1, 1, range);
    kt_val *angle = st ? NULL : kt_draw(l, shape->dim[0], 2, range, a->seed);
    if (!angle) return st ? st : g->status;
    angle = kt_g_scale(g, angle, TURN);
    kt_val *c = kt_g_cos(g, angle), *s = kt_g_sin(g, angle),
           *rest = kt_g_shift(g, kt_g_neg(g, c), 1);
    w->m[0] = w->m[4] = c;
    w->m[1] = kt_g_neg(g, s);
    w->m[3] = s;
    w->m[2] = kt_g_add(g, kt_g_scale(g, rest, mx), kt_g_scale(g, s, my));
    w->m[5] = kt_g_sub(g, kt_g_scale(g, rest, my), kt_g_scale(g, s, mx));
    return g->status;
}

static kt_status random_rotation_call(kt_layer *l, kt_trace *t) {
    const kt_random_rotation_args *a = kt_layer_args(l);
    kt_warp w = {{0}, {0}, a->fill_mode, a->interpolation, a->fill_value};
    return affine_call(l, t, a->data_format, &w, rotation_map);
}

/* RandomZoom ----------------------------------------------------------------------------------- */

static kt_status zoom_ranges(const kt_random_zoom_args *a, double range[2][2], bool *wide) {
    kt_status st = kt_factor_get(
        a->height_factor, a->height_factors, "height_factor", -1, 1, range[0]);
    *wide = a->width_factors.n || a->width_factor != KT_NONE_F;
    if (st == KT_OK && *wide)
        st = kt_factor_get(a->width_factor, a->width_factors, "width_factor", -1, 1, range[1]);
    if (st) return st;
    for (int i = 0; i < 1 + *wide; i++)
        if (range[i][0] <= -1)
            return KT_FAIL(
                KT_EINVAL, "%s: expected more than -1", i ? "width_factor" : "height_factor");
    return KT_OK;
}

static kt_status random_zoom_init(kt_layer *l) {
    const kt_random_zoom_args *a = kt_layer_args(l);
    double range[2][2];
    bool wide;
    kt_status st = zoom_ranges(a, range, &wide);
    if (st == KT_OK) st = kt_warp_check(a->fill_mode, a->interpolation);
    return st ? st : kt_pictures_check(l, a->data_format);
}

static kt_status zoom_map(kt_layer *l, kt_graph *g, const kt_shape *shape, kt_warp *w) {
    const kt_random_zoom_args *a = kt_layer_args(l);
    double range[2][2];
    bool wide;
    const kt_status st = zoom_ranges(a, range, &wide);
    if (st) return st;
    kt_val *zoom[2];
    zoom[0] = zoom[1] = kt_draw(l, shape->dim[0], 2, range[0], a->seed);
    if (wide) zoom[1] = kt_draw(l, shape->dim[0], 2, range[1], a->seed);
    if (!zoom[0] || !zoom[1]) return g->status;
    w->m[4] = kt_g_shift(g, zoom[0], 1);
    w->m[5] = kt_g_scale(g, zoom[0], -0.5 * (double)(shape->dim[1] - 1));
    w->m[0] = kt_g_shift(g, zoom[1], 1);
    w->m[2] = kt_g_scale(g, zoom[1], -0.5 * (double)(shape->dim[2] - 1));
    return g->status;
}

static kt_status random_zoom_call(kt_layer *l, kt_trace *t) {
    const kt_random_zoom_args *a = kt_layer_args(l);
    kt_warp w = {{0}, {0}, a->fill_mode, a->interpolation, a->fill_value};
    return affine_call(l, t, a->data_format, &w, zoom_map);
}

/* RandomTranslation ---------------------------------------------------------------------------- */

static kt_status translation_ranges(const kt_random_translation_args *a, double range[2][2]) {
    const kt_status st = kt_factor_get(
        a->height_factor, a->height_factors, "height_factor", -1, 1, range[0]);
    if (st) return st;
    return kt_factor_get(a->width_factor, a->width_factors, "width_factor", -1, 1, range[1]);
}

static kt_status random_translation_init(kt_layer *l) {
    const kt_random_translation_args *a = kt_layer_args(l);
    double range[2][2];
    kt_status st = translation_ranges(a, range);
    if (st == KT_OK) st = kt_warp_check(a->fill_mode, a->interpolation);
    return st ? st : kt_pictures_check(l, a->data_format);
}

static kt_status translation_map(kt_layer *l, kt_graph *g, const kt_shape *shape, kt_warp *w) {
    const kt_random_translation_args *a = kt_layer_args(l);
    double range[2][2];
    const kt_status st = translation_ranges(a, range);
    if (st) return st;
    kt_val *down = kt_draw(l, shape->dim[0], 2, range[0], a->seed);
    kt_val *right = down ? kt_draw(l, shape->dim[0], 2, range[1], a->seed) : NULL;
    if (!right) return g->status;
    w->c[0] = w->c[4] = 1;
    w->m[2] = kt_g_scale(g, right, -(double)shape->dim[2]);
    w->m[5] = kt_g_scale(g, down, -(double)shape->dim[1]);
    return g->status;
}

static kt_status random_translation_call(kt_layer *l, kt_trace *t) {
    const kt_random_translation_args *a = kt_layer_args(l);
    kt_warp w = {{0}, {0}, a->fill_mode, a->interpolation, a->fill_value};
    return affine_call(l, t, a->data_format, &w, translation_map);
}

/* Classes -------------------------------------------------------------------------------------- */

#define COMMON(T)                                                                                  \
    KT_F(T, fill_mode), KT_F(T, interpolation), KT_F(T, seed), KT_F(T, fill_value),                \
        KT_F(T, data_format), KT_F(T, bounding_box_format), KT_F_END
static const kt_field random_rotation_fields[] = {
    KT_F(kt_random_rotation_args, factor),
    KT_F(kt_random_rotation_args, factors),
    COMMON(kt_random_rotation_args)};
#define SIDES(T)                                                                                   \
    KT_F(T, height_factor), KT_F(T, width_factor), KT_F(T, height_factors), KT_F(T, width_factors)
static const kt_field random_zoom_fields[] = {
    SIDES(kt_random_zoom_args), COMMON(kt_random_zoom_args)};
static const kt_field random_translation_fields[] = {
    SIDES(kt_random_translation_args), COMMON(kt_random_translation_args)};

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
CLASS(random_rotation, "RandomRotation", KT_RANDOM_ROTATION_DEFAULTS)
CLASS(random_zoom, "RandomZoom", KT_RANDOM_ZOOM_DEFAULTS)
CLASS(random_translation, "RandomTranslation", KT_RANDOM_TRANSLATION_DEFAULTS)
