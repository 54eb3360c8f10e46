/* Layers that mix each cell with those around it while training, or move it.
 *
 *   RandomSharpness         s + 2 f (x - s), s smoothed by [[1 1 1] [1 5 1] [1 1 1]] / 13
 *   RandomGaussianBlur      by a kernel exp(-x^2 / (2 sigma^2)) in both directions, with a
 *                           probability; the sigmas are drawn once for the batch
 *   RandomElasticTransform  each cell from a place that lies as far away as noise blurred in this
 *                           way says, with a probability
 *
 * Outside of the picture is 0 for the kernels.
 * keras.layers.RandomSharpness, RandomGaussianBlur, RandomElasticTransform */
#include "base/error.h"
#include "nn/pictures/pictures.h"

#include <keratin/layers.h>

/* Each channel with a kernel [kh, kw]. */
static kt_val *smoothed(kt_graph *g, kt_val *x, kt_val *kernel) {
    static const int apart[] = {0, 3, 1, 2}, back[] = {0, 2, 3, 1};
    const kt_conv_nd how = {.stride = {1, 1}, .dilation = {1, 1}, .padding = KT_PAD_SAME};
    if (!x || !kernel) return NULL;
    const int64_t *dim = x->spec.shape.dim, *size = kernel->spec.shape.dim;
    const kt_shape one = kt_dims(dim[0] * dim[3], dim[1], dim[2], 1),
                   all = kt_dims(dim[0], dim[3], dim[1], dim[2]);
    kernel = kt_g_reshape(g, kernel, kt_dims(size[0], size[1], 1, 1));
    kt_val *y = kt_g_reshape(g, kt_g_transpose(g, x, apart), one);
    if (!y || !kernel) return NULL;
    y = kt_g_conv_nd(g, y, kt_g_cast(g, kernel, x->spec.dtype), &how);
    return kt_g_transpose(g, kt_g_reshape(g, y, all), back);
}

/* RandomSharpness ------------------------------------------------------------------------------ */

static kt_status draw_sharpness(
    const kt_augment *a, kt_graph *g, const kt_shape *shape, kt_val **d) {
    d[0] = kt_draw(a->layer, shape->dim[0], 4, a->range[0], a->seed);
    return g->status;
}
static kt_val *sharpen(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *d) {
    static const double side = 1.0 / 13,
                        kernel[] = {side, side, side, side, 5 * side, side, side, side, side};
    kt_val *s = smoothed(g, x, kt_g_array(g, kernel, (kt_spec){KT_FLOAT64, {2, {3, 3}}}));
    kt_val *share = kt_g_shift(g, kt_g_neg(g, kt_g_scale(g, d[0], 2)), 1);
    kt_val *more = kt_g_mul(g, kt_g_cast(g, share, x->spec.dtype), kt_g_sub(g, s, x));
    return kt_g_clip(g, kt_g_add(g, x, more), a->values[0], a->values[1]);
}
const kt_augment kt_aug_sharpness = {.draw = draw_sharpness, .apply = sharpen, .low = 0, .high = 1};
KT_AUGMENT_INIT(random_sharpness, kt_aug_sharpness)

/* RandomGaussianBlur --------------------------------------------------------------------------- */

static kt_status draw_blur(const kt_augment *a, kt_graph *g, const kt_shape *shape, kt_val **d) {
    d[0] = kt_draw_chance(a->layer, shape->dim[0], a->range[0], a->seed);
    for (int i = 1; i <= 2; i++)
        d[i] = kt_g_shift(g, kt_draw(a->layer, 1, 1, a->range[1], a->seed), 1e-6);
    return g->status;
}

/* The weights of n cells around the middle one; sigma [1]. reach: of those only that are no further
 * away than this [1]. */
static kt_val *bell(kt_graph *g, int64_t n, kt_val *sigma, kt_val *reach) {
    float *at = kt_arena_alloc(g->arena, sizeof *at * (size_t)n);
    if (!at) return kt_graph_fail(g, KT_ENOMEM);
    for (int64_t i = 0; i < n; i++) at[i] = (float)i - (float)(n - 1) / 2;
    kt_val *from_middle = kt_g_array(g, at, (kt_spec){KT_FLOAT32, {1, {n}}});
    kt_val *x = kt_g_div(g, from_middle, sigma);
    x = kt_g_exp(g, kt_g_scale(g, kt_g_square(g, x), -0.5));
    if (x && reach)
        x = kt_g_select(g, kt_g_le(g, kt_g_abs(g, from_middle), reach), x, kt_g_num(g, 0, x));
    return x ? kt_g_div(g, x, kt_g_sum(g, x, 1, true)) : NULL;
}

/* The first size and sigma are those of the width; with two sizes Keras reads the kernel's rows as
 * if they had the length of its columns, and so do we. */
static kt_val *blur(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *d) {
    const kt_random_gaussian_blur_args *args = kt_layer_args(a->layer);
    int size[2];
    const kt_status st = kt_tuple_get(args->kernel_size, 2, "kernel_size", size);
    if (st) return kt_graph_fail(g, st);
    kt_val *across = bell(g, size[0], d[1], NULL), *down = bell(g, size[1], d[2], NULL);
    if (!across || !down) return NULL;
    kt_val *y = NULL;
    if (size[0] == size[1]) {
        y = smoothed(g, x, kt_g_expand_dims(g, across, 0));
        y = smoothed(g, y, kt_g_expand_dims(g, down, 1));
    } else {
        kt_val *kernel = kt_g_mul(g, kt_g_expand_dims(g, down, 1), across);
        y = smoothed(g, x, kt_g_reshape(g, kernel, kt_dims(size[0], size[1])));
    }
    return kt_g_clip(g, kt_g_select(g, d[0], y, x), a->values[0], a->values[1]);
}

static kt_status random_gaussian_blur_init(kt_layer *l) {
    static const kt_augment how = {.draw = draw_blur, .apply = blur, .low = 0, .high = 1};
    const kt_random_gaussian_blur_args *a = kt_layer_args(l);
    int size[2];
    kt_status st = kt_augment_init(l, &how);
    if (st == KT_OK)
        st = kt_augment_factor(
            l, "sigma", false, 0, 1, ((kt_augment *)kt_layer_state(l))->range[1]);
    if (st == KT_OK) st = kt_tuple_get(a->kernel_size, 2, "kernel_size", size);
    if (st == KT_OK && (size[0] % 2 == 0 || size[1] % 2 == 0))
        st = KT_FAIL(KT_EINVAL, "kernel_size: expected odd numbers, got %d, %d", size[0], size[1]);
    return st;
}

/* RandomElasticTransform ----------------------------------------------------------------------- */

/* Whether, how strongly (once for the batch), and noise for each cell. */
static kt_status draw_elastic(const kt_augment *a, kt_graph *g, const kt_shape *shape, kt_val **d) {
    const kt_shape cells = kt_dims(shape->dim[0], shape->dim[1], shape->dim[2], 1);
    d[0] = kt_draw_chance(a->layer, shape->dim[0], a->range[0], a->seed);
    d[1] = kt_draw(a->layer, 1, 1, a->range[1], a->seed);
    d[2] = kt_unwrap(kt_random_normal(a->layer, cells, a->seed), NULL);
    return g->status;
}

/* Keras draws both directions with the same seed: cells move along the diagonal. The kernel has six
 * whole sigmas and one cell, of the largest sigma here, with zeros at its ends. */
static kt_val *distort(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *d) {
    const int64_t *dim = x->spec.shape.dim;
    const double longer = (double)(dim[1] > dim[2] ? dim[1] : dim[2]),
                 shorter = (double)(dim[1] > dim[2] ? dim[2] : dim[1]);
    const double most = 0.05 * shorter * a->range[1][1];
    if (a->range[1][1] == 0 || a->range[0][1] == 0) return x;
    if (!(most <= 4096))
        return kt_graph_fail(g, KT_FAIL(KT_ELIMIT, "a blur of more than 4096 cells"));
    const int64_t whole = (int64_t)most;
    kt_val *sigma = kt_g_scale(g, d[1], 0.05 * shorter), *alpha = kt_g_scale(g, d[1], 0.1 * longer);
    if (!sigma || !d[2]) return NULL;
    kt_val *reach = kt_g_scale(g, kt_g_floor(g, sigma), 3);
    kt_val *divisor = kt_g_maximum(g, sigma, kt_g_num(g, 1e-6, sigma));
    kt_val *kernel = bell(g, 6 * whole + 1, divisor, reach);
    kt_val *by = kt_g_mul(g, kt_g_cast(g, d[2], KT_FLOAT32), sigma);
    by = smoothed(g, by, kt_g_expand_dims(g, kernel, 0));
    by = kt_g_mul(g, smoothed(g, by, kt_g_expand_dims(g, kernel, 1)), alpha);
    if (!by) return NULL;
    const kt_warp w = {{0}, {0}, a->fill_mode, a->interpolation, a->fill_value};
    kt_val *y = kt_g_displaced(g, x, kt_g_squeeze(g, by, 3), &w);
    return kt_g_clip(g, kt_g_select(g, d[0], y, x), a->values[0], a->values[1]);
}

static kt_status random_elastic_transform_init(kt_layer *l) {
    static const kt_augment how = {.draw = draw_elastic, .apply = distort, .low = 0, .high = 1};
    const kt_status st = kt_augment_init(l, &how);
    if (st) return st;
    return kt_augment_factor(l, "scale", false, 0, 1, ((kt_augment *)kt_layer_state(l))->range[1]);
}

/* Classes -------------------------------------------------------------------------------------- */

#define COMMON(T)                                                                                  \
    KT_F(T, factor), KT_F(T, factors), KT_F(T, value_range), KT_F(T, data_format), KT_F(T, seed),  \
        KT_F(T, bounding_box_format), KT_F_END
static const kt_field random_sharpness_fields[] = {COMMON(kt_random_sharpness_args)};
static const kt_field random_gaussian_blur_fields[] = {
    KT_F(kt_random_gaussian_blur_args, kernel_size),
    KT_F(kt_random_gaussian_blur_args, sigma),
    KT_F(kt_random_gaussian_blur_args, sigmas),
    COMMON(kt_random_gaussian_blur_args)};

#define F(name) KT_F(kt_random_elastic_transform_args, name)
static const kt_field random_elastic_transform_fields[] = {
    F(scale),
    F(scales),
    F(interpolation),
    F(fill_mode),
    F(fill_value),
    COMMON(kt_random_elastic_transform_args)};
#undef F

KT_AUGMENT_CLASS(random_sharpness, "RandomSharpness", KT_RANDOM_SHARPNESS_DEFAULTS)
KT_AUGMENT_CLASS(random_gaussian_blur, "RandomGaussianBlur", KT_RANDOM_GAUSSIAN_BLUR_DEFAULTS)
KT_AUGMENT_CLASS(
    random_elastic_transform, "RandomElasticTransform", KT_RANDOM_ELASTIC_TRANSFORM_DEFAULTS)
