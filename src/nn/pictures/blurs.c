/* Layers that mix each cell with those around it while training.
 *
 *   RandomSharpness     s + 2 f (x - s), s smoothed by [[1 1 1] [1 5 1] [1 1 1]] / 13
 *   RandomGaussianBlur  by a kernel exp(-x^2 / (2 sigma^2)) in both directions, with a probability;
 *                       the sigmas are drawn once for the batch
 *
 * Outside of the picture is 0.  keras.layers.RandomSharpness, RandomGaussianBlur */
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

/* The weights of n cells around the middle one; sigma [1]. */
static kt_val *bell(kt_graph *g, int n, kt_val *sigma) {
    float *at = kt_arena_alloc(g->arena, sizeof *at * (size_t)n);
    if (!at) return kt_graph_fail(g, KT_ENOMEM);
    for (int i = 0; i < n; i++) at[i] = (float)i - (float)(n - 1) / 2;
    kt_val *x = kt_g_div(g, kt_g_array(g, at, (kt_spec){KT_FLOAT32, {1, {n}}}), sigma);
    x = kt_g_exp(g, kt_g_scale(g, kt_g_square(g, x), -0.5));
    return x ? kt_g_div(g, x, kt_g_sum(g, x, 1, true)) : NULL;
}

/* The first size and sigma are those of the width; with two sizes Keras reads the kernel's rows as
 * if they had the length of its columns, and so do we. */
static kt_val *blur(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *d) {
    const kt_random_gaussian_blur_args *args = kt_layer_args(a->layer);
    int size[2];
    const kt_status st = kt_tuple_get(args->kernel_size, 2, "kernel_size", size);
    if (st) return kt_graph_fail(g, st);
    kt_val *across = bell(g, size[0], d[1]), *down = bell(g, size[1], d[2]);
    if (!across || !down) return NULL;
    kt_val *kernel = kt_g_mul(g, kt_g_expand_dims(g, down, 1), across);
    kt_val *y = smoothed(g, x, kt_g_reshape(g, kernel, kt_dims(size[0], size[1])));
    return kt_g_clip(g, kt_g_select(g, d[0], y, x), a->values[0], a->values[1]);
}

static kt_status random_gaussian_blur_init(kt_layer *l) {
    static const kt_augment how = {.draw = draw_blur, .apply = blur, .low = 0, .high = 1};
    const kt_random_gaussian_blur_args *a = kt_layer_args(l);
    int size[2];
    kt_status st = kt_augment_init(l, &how);
    if (st == KT_OK)
        st = kt_augment_factor(l, "sigma", 0, 1, ((kt_augment *)kt_layer_state(l))->range[1]);
    if (st == KT_OK) st = kt_tuple_get(a->kernel_size, 2, "kernel_size", size);
    if (st == KT_OK && (size[0] % 2 == 0 || size[1] % 2 == 0))
        st = KT_FAIL(KT_EINVAL, "kernel_size: expected odd numbers, got %d, %d", size[0], size[1]);
    return st;
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

KT_AUGMENT_CLASS(random_sharpness, "RandomSharpness", KT_RANDOM_SHARPNESS_DEFAULTS)
KT_AUGMENT_CLASS(random_gaussian_blur, "RandomGaussianBlur", KT_RANDOM_GAUSSIAN_BLUR_DEFAULTS)
