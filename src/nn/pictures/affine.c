/* RandomRotation, RandomZoom, RandomTranslation, RandomShear, RandomPerspective: while training,
 * pictures through a map with random numbers for each (warp.c).
 * keras.layers.RandomRotation, RandomZoom, RandomTranslation, RandomShear, RandomPerspective */
#include "base/error.h"
#include "nn/pictures/pictures.h"

#include <keratin/layers.h>

#define TURN 6.283185307179586

static kt_warp warp_of(const kt_augment *a) {
    return (kt_warp){{0}, {0}, a->fill_mode, a->interpolation, a->fill_value};
}

/* Two numbers for each picture, from the two ranges. */
static kt_status draw_two(const kt_augment *a, kt_graph *g, const kt_shape *shape, kt_val **d) {
    d[0] = kt_draw(a->layer, shape->dim[0], 2, a->range[0], a->seed);
    d[1] = kt_draw(a->layer, shape->dim[0], 2, a->range[1], a->seed);
    return g->status;
}

/* RandomRotation ------------------------------------------------------------------------------- */

static kt_status draw_angle(const kt_augment *a, kt_graph *g, const kt_shape *shape, kt_val **d) {
    d[0] = kt_draw(a->layer, shape->dim[0], 2, a->range[0], a->seed);
    return g->status;
}

/* Around the middle: x' = c x - s y + (1 - c) mx + s my, y' = s x + c y - s mx + (1 - c) my. */
static kt_val *rotate(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *d) {
    const int64_t *dim = x->spec.shape.dim;
    const double mx = 0.5 * (double)(dim[2] - 1), my = 0.5 * (double)(dim[1] - 1);
    kt_warp w = warp_of(a);
    kt_val *angle = kt_g_scale(g, d[0], TURN);
    kt_val *c = kt_g_cos(g, angle), *s = kt_g_sin(g, angle),
           *rest = kt_g_shift(g, kt_g_neg(g, c), 1);
    w.m[0] = w.m[4] = c;
    w.m[1] = kt_g_neg(g, s);
    w.m[3] = s;
    w.m[2] = kt_g_add(g, kt_g_scale(g, rest, mx), kt_g_scale(g, s, my));
    w.m[5] = kt_g_sub(g, kt_g_scale(g, rest, my), kt_g_scale(g, s, mx));
    return kt_g_warp(g, x, &w);
}

const kt_augment kt_aug_rotation = {.draw = draw_angle, .apply = rotate, .low = -1, .high = 1};
KT_AUGMENT_INIT(random_rotation, kt_aug_rotation)

/* RandomZoom ----------------------------------------------------------------------------------- */

/* One number for both sides unless the width has a range of its own, which then has a length. */
static kt_status draw_zoom(const kt_augment *a, kt_graph *g, const kt_shape *shape, kt_val **d) {
    const kt_random_zoom_args *args = kt_layer_args(a->layer);
    const bool wide = args->width_factors.n || args->width_factor != KT_NONE_F;
    if (wide) return draw_two(a, g, shape, d);
    d[0] = d[1] = kt_draw(a->layer, shape->dim[0], 2, a->range[0], a->seed);
    return g->status;
}

static kt_val *zoom(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *d) {
    const int64_t *dim = x->spec.shape.dim;
    kt_warp w = warp_of(a);
    w.m[4] = kt_g_shift(g, d[0], 1);
    w.m[5] = kt_g_scale(g, d[0], -0.5 * (double)(dim[1] - 1));
    w.m[0] = kt_g_shift(g, d[1], 1);
    w.m[2] = kt_g_scale(g, d[1], -0.5 * (double)(dim[2] - 1));
    return kt_g_warp(g, x, &w);
}

static kt_status random_zoom_init(kt_layer *l) {
    static const char *const names[] = {"height_factor", "width_factor"};
    static const kt_augment how = {.draw = draw_zoom, .apply = zoom};
    const kt_random_zoom_args *a = kt_layer_args(l);
    kt_augment *s = kt_layer_state(l);
    const int n = a->width_factors.n || a->width_factor != KT_NONE_F ? 2 : 1;
    kt_status st = kt_augment_init(l, &how);
    for (int i = 0; i < n && st == KT_OK; i++) {
        st = kt_augment_factor(l, names[i], true, -1, 1, s->range[i]);
        const kt_floats_t two = i ? a->width_factors : a->height_factors;
        const double least = two.n ? s->range[i][0] : i ? a->width_factor : a->height_factor;
        if (st == KT_OK && least <= -1)
            st = KT_FAIL(KT_EINVAL, "%s: expected more than -1", names[i]);
    }
    return st;
}

/* RandomTranslation ---------------------------------------------------------------------------- */

static kt_val *translate(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *d) {
    kt_warp w = warp_of(a);
    w.c[0] = w.c[4] = 1;
    w.m[2] = kt_g_scale(g, d[1], -(double)x->spec.shape.dim[2]);
    w.m[5] = kt_g_scale(g, d[0], -(double)x->spec.shape.dim[1]);
    return kt_g_warp(g, x, &w);
}

const kt_augment kt_aug_translation = {.draw = draw_two, .apply = translate};

static kt_status random_translation_init(kt_layer *l) {
    kt_augment *s = kt_layer_state(l);
    kt_status st = kt_augment_init(l, &kt_aug_translation);
    if (st == KT_OK) st = kt_augment_factor(l, "height_factor", true, -1, 1, s->range[0]);
    return st ? st : kt_augment_factor(l, "width_factor", true, -1, 1, s->range[1]);
}

/* RandomShear ---------------------------------------------------------------------------------- */

/* Both to one side or both to the other. */
static kt_status draw_shear(const kt_augment *a, kt_graph *g, const kt_shape *shape, kt_val **d) {
    kt_val *side = kt_draw(a->layer, shape->dim[0], 2, (const double[]){0, 1}, a->seed);
    if (!side || draw_two(a, g, shape, d)) return g->status;
    side = kt_g_gt(g, side, kt_g_num(g, 0.5, side));
    for (int i = 0; i < 2; i++) d[i] = kt_g_select(g, side, kt_g_neg(g, d[i]), d[i]);
    return g->status;
}

static kt_val *shear(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *d) {
    kt_warp w = warp_of(a);
    w.c[0] = w.c[4] = 1;
    w.m[1] = d[0];
    w.m[3] = d[1];
    return kt_g_warp(g, x, &w);
}

const kt_augment kt_aug_shear = {.draw = draw_shear, .apply = shear};

/* One number stands for -v … v, although no two may lie below 0. Keras writes it as that pair,
 * which it then refuses to read; here it is read. */
static kt_status shear_factor(const char *name, double one, kt_floats_t two, double range[2]) {
    const bool pair = two.n == 2 && two.v[0] == -two.v[1];
    const kt_status st = pair ? kt_factor_get(two.v[1], (kt_floats_t){0}, name, true, 0, 1, range)
                              : kt_factor_get(one, two, name, true, 0, 1, range);
    if (pair || !two.n) range[0] = -range[1];
    return st;
}

static kt_status random_shear_init(kt_layer *l) {
    const kt_random_shear_args *a = kt_layer_args(l);
    kt_augment *s = kt_layer_state(l);
    kt_status st = kt_augment_init(l, &kt_aug_shear);
    if (st == KT_OK) st = shear_factor("x_factor", a->x_factor, a->x_factors, s->range[0]);
    return st ? st : shear_factor("y_factor", a->y_factor, a->y_factors, s->range[1]);
}

/* RandomPerspective ---------------------------------------------------------------------------- */

/* How far, in lengths, the corners move: the upper right one along the upper side, the lower left
 * one along the left side, the lower right one in both directions. The upper left one stays. */
static kt_status draw_corners(const kt_augment *a, kt_graph *g, const kt_shape *shape, kt_val **d) {
    const kt_random_perspective_args *args = kt_layer_args(a->layer);
    const double range[2] = {-0.5 * args->scale, 0.5 * args->scale};
    d[0] = kt_draw_chance(a->layer, shape->dim[0], a->range[0], a->seed);
    for (int i = 1; i <= 4; i++) d[i] = kt_draw(a->layer, shape->dim[0], 2, range, a->seed);
    return g->status;
}

/* With the corners (x1, 0), (0, y2), (x3, y3) and q = (x1 - x3) (y2 - y3) - x3 y3,
 * u = x1 (y3 - y2) / q and v = y2 (x3 - x1) / q, a cell comes from ((w - 1) x / a,
 * (h - 1) y / e) / k, where a = x1 (1 + u), e = y2 (1 + v) and k = 1 - u x / a - v y / e. */
static kt_val *project(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *d) {
    const double w = (double)(x->spec.shape.dim[2] - 1), h = (double)(x->spec.shape.dim[1] - 1);
    if (w < 1 || h < 1)
        return kt_graph_fail(g, KT_FAIL(KT_ESHAPE, "expected pictures of 2 by 2 cells or more"));
    kt_val *x1 = kt_g_scale(g, kt_g_shift(g, d[1], 1), w);
    kt_val *y2 = kt_g_scale(g, kt_g_shift(g, d[2], 1), h);
    kt_val *x3 = kt_g_scale(g, kt_g_shift(g, d[3], 1), w);
    kt_val *y3 = kt_g_scale(g, kt_g_shift(g, d[4], 1), h);
    kt_val *q = kt_g_mul(g, kt_g_sub(g, x1, x3), kt_g_sub(g, y2, y3));
    q = kt_g_sub(g, q, kt_g_mul(g, x3, y3));
    kt_val *u = kt_g_mul(g, x1, kt_g_div(g, kt_g_sub(g, y3, y2), q));
    kt_val *v = kt_g_mul(g, y2, kt_g_div(g, kt_g_sub(g, x3, x1), q));
    kt_val *along = kt_g_mul(g, x1, kt_g_shift(g, u, 1));
    kt_val *down = kt_g_mul(g, y2, kt_g_shift(g, v, 1));
    kt_warp map = {{0}, {0}, "constant", a->interpolation, a->fill_value};
    map.m[0] = kt_g_div(g, kt_g_num(g, w, along), along);
    map.m[4] = kt_g_div(g, kt_g_num(g, h, down), down);
    map.m[6] = kt_g_neg(g, kt_g_div(g, u, along));
    map.m[7] = kt_g_neg(g, kt_g_div(g, v, down));
    return map.m[7] ? kt_g_select(g, d[0], kt_g_warp(g, x, &map), x) : NULL;
}

static kt_status random_perspective_init(kt_layer *l) {
    static const kt_augment how = {.draw = draw_corners, .apply = project, .low = 0, .high = 1};
    const kt_random_perspective_args *a = kt_layer_args(l);
    if (!(a->scale >= 0 && a->scale <= 1))
        return KT_FAIL(KT_EINVAL, "scale: expected a number from 0 to 1, got %g", a->scale);
    return kt_augment_init(l, &how);
}

/* Classes -------------------------------------------------------------------------------------- */

#define COMMON(T)                                                                                  \
    KT_F(T, fill_mode), KT_F(T, interpolation), KT_F(T, seed), KT_F(T, fill_value),                \
        KT_F(T, data_format), KT_F(T, bounding_box_format), KT_F_END
static const kt_field random_rotation_fields[] = {
    KT_F(kt_random_rotation_args, factor),
    KT_F(kt_random_rotation_args, factors),
    COMMON(kt_random_rotation_args)};
#define SIDES(T, a, b)                                                                             \
    KT_F(T, a##_factor), KT_F(T, b##_factor), KT_F(T, a##_factors), KT_F(T, b##_factors)
static const kt_field random_zoom_fields[] = {
    SIDES(kt_random_zoom_args, height, width), COMMON(kt_random_zoom_args)};
static const kt_field random_translation_fields[] = {
    SIDES(kt_random_translation_args, height, width), COMMON(kt_random_translation_args)};
static const kt_field random_shear_fields[] = {
    SIDES(kt_random_shear_args, x, y), COMMON(kt_random_shear_args)};
#define F(name) KT_F(kt_random_perspective_args, name)
static const kt_field random_perspective_fields[] = {
    F(factor),
    F(factors),
    F(scale),
    F(interpolation),
    F(fill_value),
    F(seed),
    F(data_format),
    F(bounding_box_format),
    KT_F_END};
#undef F

KT_AUGMENT_CLASS(random_rotation, "RandomRotation", KT_RANDOM_ROTATION_DEFAULTS)
KT_AUGMENT_CLASS(random_zoom, "RandomZoom", KT_RANDOM_ZOOM_DEFAULTS)
KT_AUGMENT_CLASS(random_translation, "RandomTranslation", KT_RANDOM_TRANSLATION_DEFAULTS)
KT_AUGMENT_CLASS(random_shear, "RandomShear", KT_RANDOM_SHEAR_DEFAULTS)
KT_AUGMENT_CLASS(random_perspective, "RandomPerspective", KT_RANDOM_PERSPECTIVE_DEFAULTS)
