/* Layers that change hue h and saturation s of pictures while training, and RandomColorJitter.
 *
 *   RandomSaturation   s f / (1 - f), within value_range
 *   RandomHue          h + f / 2 or h - f / 2, as a part of the circle
 *   RandomColorJitter  RandomBrightness, RandomContrast, RandomSaturation, RandomHue one after the
 *                      other, as far as they have a factor
 *
 * keras.layers.RandomSaturation, RandomHue, RandomColorJitter */
#include "base/error.h"
#include "nn/pictures/pictures.h"

#include <keratin/layers.h>

#include <string.h>

/* Hue, saturation and value -------------------------------------------------------------------- */

/* Hue and saturation of 0 to 1, value as the largest color; each [n, h, w, 1]. */
static kt_status to_hsv(kt_graph *g, kt_val *x, kt_val *hsv[3]) {
    if (x->spec.shape.dim[3] != 3)
        return KT_FAIL(KT_ESHAPE, "expected 3 channels, got %lld", (long long)x->spec.shape.dim[3]);
    kt_val *c[3];
    for (int i = 0; i < 3; i++) c[i] = kt_g_slice_axis(g, x, 3, i, i + 1);
    kt_val *v = kt_g_reduce(g, KT_RED_MAX, x, 1 << 3, true);
    kt_val *range = kt_g_sub(g, v, kt_g_reduce(g, KT_RED_MIN, x, 1 << 3, true));
    kt_val *zero = kt_g_num(g, 0, x), *one = kt_g_num(g, 1, x);
    kt_val *has_hue = kt_g_gt(g, range, zero), *has_value = kt_g_gt(g, v, zero);
    /* ones where there is none: gradients are to be numbers */
    kt_val *part = kt_g_reciprocal(g, kt_g_select(g, has_hue, range, one));
    part = kt_g_scale(g, part, 1.0 / 6);
    kt_val *h[3];
    for (int i = 0; i < 3; i++) {
        h[i] = kt_g_mul(g, part, kt_g_sub(g, c[(i + 1) % 3], c[(i + 2) % 3]));
        if (i) h[i] = kt_g_shift(g, h[i], i / 3.0);
    }
    kt_val *hue = kt_g_select(g, kt_g_eq(g, c[1], v), h[1], h[2]);
    hue = kt_g_select(g, kt_g_eq(g, c[0], v), h[0], hue);
    hue = kt_g_select(g, has_hue, hue, zero);
    hsv[0] = kt_g_select(g, kt_g_lt(g, hue, zero), kt_g_shift(g, hue, 1), hue);
    hsv[1] = kt_g_div(g, range, kt_g_select(g, has_value, v, one));
    hsv[1] = kt_g_select(g, has_value, hsv[1], zero);
    hsv[2] = v;
    return g->status;
}

/* v ((1 - s) + s d), d how much of the hue is red, green, blue. */
static kt_val *to_rgb(kt_graph *g, kt_val *const *hsv) {
    static const double middle[] = {3, 2, 4};
    kt_val *at = kt_g_scale(g, hsv[0], 6), *rest = kt_g_shift(g, kt_g_neg(g, hsv[1]), 1), *rgb[3];
    for (int i = 0; i < 3; i++) {
        kt_val *d = kt_g_abs(g, kt_g_shift(g, at, -middle[i]));
        d = i ? kt_g_shift(g, kt_g_neg(g, d), 2) : kt_g_shift(g, d, -1);
        d = kt_g_clip(g, d, 0, 1);
        rgb[i] = kt_g_mul(g, kt_g_add(g, rest, kt_g_mul(g, hsv[1], d)), hsv[2]);
        if (!rgb[i]) return NULL;
    }
    return kt_g_concat(g, 3, rgb, 3);
}

/* RandomSaturation ----------------------------------------------------------------------------- */

static kt_status draw_saturation(
    const kt_augment *a, kt_graph *g, const kt_shape *shape, kt_val **d) {
    kt_val *f = kt_draw(a->layer, shape->dim[0], 4, a->range[0], a->seed);
    d[0] = kt_g_div(g, f, kt_g_shift(g, kt_g_shift(g, kt_g_neg(g, f), 1), 1e-7));
    return g->status;
}
static kt_val *saturate(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *d) {
    kt_val *hsv[3];
    const kt_status st = to_hsv(g, x, hsv);
    if (st) return kt_graph_fail(g, st);
    hsv[1] = kt_g_mul(g, hsv[1], kt_g_cast(g, d[0], x->spec.dtype));
    hsv[1] = kt_g_clip(g, hsv[1], a->values[0], a->values[1]);
    return to_rgb(g, hsv);
}
static const kt_augment saturating = {
    .draw = draw_saturation, .apply = saturate, .low = -1, .high = 1};
KT_AUGMENT_INIT(random_saturation, saturating)

/* RandomHue ------------------------------------------------------------------------------------ */

static kt_status draw_hue(const kt_augment *a, kt_graph *g, const kt_shape *shape, kt_val **d) {
    kt_val *side = kt_draw(a->layer, shape->dim[0], 4, (const double[]){0, 1}, a->seed);
    kt_val *f = kt_g_scale(g, kt_draw(a->layer, shape->dim[0], 4, a->range[0], a->seed), 0.5);
    d[0] = kt_g_select(g, kt_g_gt(g, side, kt_g_num(g, 0.5, side)), kt_g_neg(g, f), f);
    return g->status;
}
static kt_val *turn_hue(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *d) {
    static const double ones[2] = {0, 1};
    kt_val *hsv[3];
    x = kt_values_moved(g, x, a->values, ones);
    const kt_status st = x ? to_hsv(g, x, hsv) : g->status;
    if (st) return kt_graph_fail(g, st);
    kt_val *h = kt_g_add(g, hsv[0], kt_g_cast(g, d[0], x->spec.dtype));
    h = kt_g_select(g, kt_g_gt(g, h, kt_g_num(g, 1, h)), kt_g_shift(g, h, -1), h);
    hsv[0] = kt_g_select(g, kt_g_lt(g, h, kt_g_num(g, 0, h)), kt_g_shift(g, h, 1), h);
    return kt_values_moved(g, kt_g_clip(g, to_rgb(g, hsv), 0, 1), ones, a->values);
}
static const kt_augment turning = {.draw = draw_hue, .apply = turn_hue, .low = 0, .high = 1};
KT_AUGMENT_INIT(random_hue, turning)

/* RandomColorJitter ---------------------------------------------------------------------------- */

typedef struct {
    kt_augment self;
    kt_augment part[4];
    int n;
} jitter;

static kt_val *jitter_all(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *none) {
    const jitter *j = (const jitter *)a;
    (void)none;
    for (int i = 0; i < j->n; i++) x = kt_augmented(&j->part[i], g, x);
    return x;
}

static kt_status random_color_jitter_init(kt_layer *l) {
    static const kt_augment how = {.apply = jitter_all};
    const kt_random_color_jitter_args *a = kt_layer_args(l);
    const struct {
        const char *name;
        const kt_augment *how;
        bool on;
    } parts[] = {
        {"brightness_factor",
         &kt_aug_brightness,
         a->brightness_factor != KT_NONE_F || a->brightness_factors.n},
        {"contrast_factor",
         &kt_aug_contrast,
         a->contrast_factor != KT_NONE_F || a->contrast_factors.n},
        {"saturation_factor",
         &saturating,
         a->saturation_factor != KT_NONE_F || a->saturation_factors.n},
        {"hue_factor", &turning, a->hue_factor != KT_NONE_F || a->hue_factors.n}};
    jitter *j = kt_layer_state(l);
    kt_status st = kt_augment_init(l, &how);
    for (int i = 0; i < 4 && st == KT_OK; i++) {
        if (!parts[i].on) continue;
        kt_augment *p = &j->part[j->n++];
        *p = *parts[i].how;
        p->layer = l;
        p->seed = j->self.seed;
        memcpy(p->values, j->self.values, sizeof p->values);
        st = kt_augment_factor(l, parts[i].name, p->each, p->low, p->high, p->range[0]);
    }
    return st;
}

/* Classes -------------------------------------------------------------------------------------- */

#define COMMON(T)                                                                                  \
    KT_F(T, value_range), KT_F(T, seed), KT_F(T, data_format), KT_F(T, bounding_box_format),       \
        KT_F_END
#define FACTOR(T, name) KT_F(T, name##_factor), KT_F(T, name##_factors)
static const kt_field random_saturation_fields[] = {
    KT_F(kt_random_saturation_args, factor),
    KT_F(kt_random_saturation_args, factors),
    COMMON(kt_random_saturation_args)};
static const kt_field random_hue_fields[] = {
    KT_F(kt_random_hue_args, factor),
    KT_F(kt_random_hue_args, factors),
    COMMON(kt_random_hue_args)};
static const kt_field random_color_jitter_fields[] = {
    FACTOR(kt_random_color_jitter_args, brightness),
    FACTOR(kt_random_color_jitter_args, contrast),
    FACTOR(kt_random_color_jitter_args, saturation),
    FACTOR(kt_random_color_jitter_args, hue),
    COMMON(kt_random_color_jitter_args)};

KT_AUGMENT_CLASS(random_saturation, "RandomSaturation", KT_RANDOM_SATURATION_DEFAULTS)
KT_AUGMENT_CLASS(random_hue, "RandomHue", KT_RANDOM_HUE_DEFAULTS)
KT_AUGMENT_CLASS_OF(
    jitter, random_color_jitter, "RandomColorJitter", KT_RANDOM_COLOR_JITTER_DEFAULTS)
