/* Layers that change the colors of pictures while training, by a random number for each picture.
 *
 *   contrast      (x - m) f + m, m the mean of the channel, f from 1 - factor[0] to 1 + factor[1]
 *   brightness    x + f (high - low)
 *   invert        high - x, with a probability
 *   grayscale     g = 0.2989 red + 0.587 green + 0.114 blue in all channels, with a probability
 *   degeneration  x + f (g - x)
 *   in values from 0 to 255:
 *   solarization  y = x + addition; y below the threshold, else 255 - y
 *   posterization the highest f bits of x
 *
 * keras.layers.RandomContrast, RandomBrightness, RandomInvert, RandomGrayscale,
 * RandomColorDegeneration, Solarization, RandomPosterization */
#include "base/error.h"
#include "nn/pictures/pictures.h"

#include <keratin/layers.h>

static const double bytes[2] = {0, 255};

/* One number for each picture. */
static kt_status draw_factor(const kt_augment *a, kt_graph *g, const kt_shape *shape, kt_val **d) {
    d[0] = kt_draw(a->layer, shape->dim[0], 4, a->range[0], a->seed);
    return g->status;
}
static kt_status draw_chance(const kt_augment *a, kt_graph *g, const kt_shape *shape, kt_val **d) {
    d[0] = kt_draw_chance(a->layer, shape->dim[0], a->range[0], a->seed);
    return g->status;
}

static kt_val *cut(const kt_augment *a, kt_graph *g, kt_val *x) {
    return kt_g_clip(g, x, a->values[0], a->values[1]);
}

/* Contrast, brightness, invert ----------------------------------------------------------------- */

static kt_status draw_contrast(
    const kt_augment *a, kt_graph *g, const kt_shape *shape, kt_val **d) {
    const double range[2] = {1 - a->range[0][0], 1 + a->range[0][1]};
    d[0] = kt_draw(a->layer, shape->dim[0], 4, range, a->seed);
    return g->status;
}
static kt_val *contrast(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *d) {
    kt_val *mean = kt_g_mean(g, x, 1 << 1 | 1 << 2, true);
    kt_val *y = kt_g_mul(g, kt_g_sub(g, x, mean), kt_g_cast(g, d[0], x->spec.dtype));
    return cut(a, g, kt_g_add(g, y, mean));
}
const kt_augment kt_aug_contrast = {.draw = draw_contrast, .apply = contrast, .low = 0, .high = 1};
KT_AUGMENT_INIT(random_contrast, kt_aug_contrast)

static kt_val *brightness(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *d) {
    kt_val *more = kt_g_scale(g, d[0], a->values[1] - a->values[0]);
    return cut(a, g, kt_g_add(g, x, kt_g_cast(g, more, x->spec.dtype)));
}
const kt_augment kt_aug_brightness = {
    .draw = draw_factor, .apply = brightness, .low = -1, .high = 1};
KT_AUGMENT_INIT(random_brightness, kt_aug_brightness)

static kt_val *invert(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *d) {
    return kt_g_select(g, d[0], kt_g_shift(g, kt_g_neg(g, x), a->values[1]), x);
}
static const kt_augment inverting = {.draw = draw_chance, .apply = invert, .low = 0, .high = 1};
KT_AUGMENT_INIT(random_invert, inverting)

/* Grayscale, color degeneration ---------------------------------------------------------------- */

/* The probability is one number, not a range. */
static kt_status draw_gray(const kt_augment *a, kt_graph *g, const kt_shape *shape, kt_val **d) {
    const double range[2] = {a->range[0][1], a->range[0][1]};
    d[0] = kt_draw_chance(a->layer, shape->dim[0], range, a->seed);
    return g->status;
}
static kt_val *grayscale(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *d) {
    (void)a;
    return kt_g_select(g, d[0], kt_g_gray(g, x), x);
}
static const kt_augment graying = {
    .draw = draw_gray, .apply = grayscale, .as_is = true, .low = 0, .high = 1};
KT_AUGMENT_INIT(random_grayscale, graying)

static kt_val *degenerate(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *d) {
    kt_val *to_gray = kt_g_sub(g, kt_g_gray(g, x), x);
    return cut(a, g, kt_g_add(g, x, kt_g_mul(g, kt_g_cast(g, d[0], x->spec.dtype), to_gray)));
}
const kt_augment kt_aug_color_degeneration = {
    .draw = draw_factor, .apply = degenerate, .low = -1, .high = 1};
KT_AUGMENT_INIT(random_color_degeneration, kt_aug_color_degeneration)

/* Solarization --------------------------------------------------------------------------------- */

/* The lower ends are not in units of 255 in Keras either. */
static kt_status draw_solar(const kt_augment *a, kt_graph *g, const kt_shape *shape, kt_val **d) {
    for (int i = 0; i < 2; i++) {
        const double range[2] = {a->range[i][0], 255 * a->range[i][1]};
        d[i] = kt_draw(a->layer, shape->dim[0], 4, range, a->seed);
    }
    return g->status;
}
static kt_val *solarize(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *d) {
    kt_val *more = kt_g_cast(g, d[0], x->spec.dtype), *limit = kt_g_cast(g, d[1], x->spec.dtype);
    kt_val *y = kt_g_add(g, kt_values_moved(g, x, a->values, bytes), more);
    y = kt_g_clip(g, y, 0, 255);
    kt_val *other = kt_g_shift(g, kt_g_neg(g, y), 255);
    y = kt_g_select(g, kt_g_lt(g, y, limit), y, other);
    return kt_values_moved(g, y, bytes, a->values);
}
const kt_augment kt_aug_solarization = {.draw = draw_solar, .apply = solarize};

static kt_status solarization_init(kt_layer *l) {
    kt_augment *s = kt_layer_state(l);
    kt_status st = kt_augment_init(l, &kt_aug_solarization);
    if (st == KT_OK) st = kt_augment_factor(l, "addition_factor", true, 0, 1, s->range[0]);
    return st ? st : kt_augment_factor(l, "threshold_factor", true, 0, 1, s->range[1]);
}

/* Posterization -------------------------------------------------------------------------------- */

/* The value of the lowest bit that is kept, of bits from the lower end to below the upper one. */
static kt_status draw_bits(const kt_augment *a, kt_graph *g, const kt_shape *shape, kt_val **d) {
    static const float lowest[] = {256, 128, 64, 32, 16, 8, 4, 2, 1};
    const double low = a->range[0][0], high = a->range[0][1];
    kt_val *bits = kt_draw(a->layer, shape->dim[0], 1, a->range[0], a->seed);
    bits = kt_g_clip(g, kt_g_floor(g, bits), low, high > low ? high - 1 : high);
    bits = kt_g_clip(g, bits, 0, 8);
    kt_val *table = kt_g_array(g, lowest, (kt_spec){KT_FLOAT32, {1, {9}}});
    kt_val *step = kt_g_gather(g, table, kt_g_cast(g, bits, KT_INT32));
    d[0] = kt_g_reshape(g, step, kt_dims(shape->dim[0], 1, 1, 1));
    return g->status;
}
static kt_val *posterize(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *d) {
    kt_val *step = kt_g_cast(g, d[0], x->spec.dtype);
    kt_val *y = kt_g_trunc(g, kt_g_clip(g, kt_values_moved(g, x, a->values, bytes), 0, 255));
    y = kt_g_mul(g, kt_g_floor(g, kt_g_div(g, y, step)), step);
    return kt_values_moved(g, y, bytes, a->values);
}
const kt_augment kt_aug_posterization = {
    .draw = draw_bits, .apply = posterize, .low = 1, .high = 8};
KT_AUGMENT_INIT(random_posterization, kt_aug_posterization)

/* Classes -------------------------------------------------------------------------------------- */

#define COMMON(T)                                                                                  \
    KT_F(T, value_range), KT_F(T, seed), KT_F(T, data_format), KT_F(T, bounding_box_format),       \
        KT_F_END
#define FACTOR(fn)                                                                                 \
    static const kt_field fn##_fields[] = {                                                        \
        KT_F(kt_##fn##_args, factor), KT_F(kt_##fn##_args, factors), COMMON(kt_##fn##_args)};
FACTOR(random_contrast)
FACTOR(random_brightness)
FACTOR(random_invert)
FACTOR(random_color_degeneration)
FACTOR(random_posterization)
static const kt_field random_grayscale_fields[] = {
    KT_F(kt_random_grayscale_args, factor),
    KT_F(kt_random_grayscale_args, seed),
    KT_F(kt_random_grayscale_args, data_format),
    KT_F(kt_random_grayscale_args, bounding_box_format),
    KT_F_END};
static const kt_field solarization_fields[] = {
    KT_F(kt_solarization_args, addition_factor),
    KT_F(kt_solarization_args, threshold_factor),
    KT_F(kt_solarization_args, addition_factors),
    KT_F(kt_solarization_args, threshold_factors),
    COMMON(kt_solarization_args)};

KT_AUGMENT_CLASS(random_contrast, "RandomContrast", KT_RANDOM_CONTRAST_DEFAULTS)
KT_AUGMENT_CLASS(random_brightness, "RandomBrightness", KT_RANDOM_BRIGHTNESS_DEFAULTS)
KT_AUGMENT_CLASS(random_invert, "RandomInvert", KT_RANDOM_INVERT_DEFAULTS)
KT_AUGMENT_CLASS(random_grayscale, "RandomGrayscale", KT_RANDOM_GRAYSCALE_DEFAULTS)
KT_AUGMENT_CLASS(
    random_color_degeneration, "RandomColorDegeneration", KT_RANDOM_COLOR_DEGENERATION_DEFAULTS)
KT_AUGMENT_CLASS(solarization, "Solarization", KT_SOLARIZATION_DEFAULTS)
KT_AUGMENT_CLASS(random_posterization, "RandomPosterization", KT_RANDOM_POSTERIZATION_DEFAULTS)
