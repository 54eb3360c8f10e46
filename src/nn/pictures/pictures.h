/* What layers of pictures share: the batch as (n, h, w, c), and drawing for each picture. */
#ifndef KT_NN_PICTURES_PICTURES_H
#define KT_NN_PICTURES_PICTURES_H

#include "nn/spatial.h"

/** Where the axes were. */
typedef struct kt_pictures {
    bool first, alone; ///< channels are; there is no batch
} kt_pictures;

/** data_format and the number of axes, for `init`. */
kt_status kt_pictures_check(kt_layer *l, const char *data_format);
/** Input 0 of the call as (n, h, w, c), in the layer's dtype unless `as_is`; NULL: failed. */
kt_val *kt_pictures_in(
    kt_layer *l, const kt_trace *t, const char *data_format, bool as_is, kt_pictures *p);
/** Output 0, in the order of axes that the input had. */
kt_status kt_pictures_out(kt_trace *t, kt_val *x, const kt_pictures *p);

/** Another size by interpolation (nn/symbolic/images.c); floats, unless nearest. */
typedef struct kt_resize {
    int64_t size[2];
    const char *interpolation; ///< NULL: "bilinear"
    bool antialias, crop_to_aspect_ratio, pad_to_aspect_ratio;
    double fill_value;
} kt_resize;
kt_val *kt_g_resize_pictures(kt_graph *g, kt_val *x, const kt_resize *r);

/** Ends of the range that a factor stands for: from the list if there is one, else -v … v or (v is
 * at least `low`) low … v. One number must lie between low and high, and so must `each` of two;
 * else it does that the first is not above high and the second not below low, as Keras has it. */
kt_status kt_factor_get(
    double v,
    kt_floats_t list,
    const char *what,
    bool each,
    double low,
    double high,
    double out[2]);
/** Two numbers in order; 0 and 255 if there are none. */
kt_status kt_value_range_get(kt_floats_t list, double out[2]);
/** Rows (axis 1) or columns (axis 2) of x by their numbers: those of `index` (int32 [n]). */
kt_val *kt_g_take_cells(kt_graph *g, kt_val *x, int axis, kt_val *index);
/** Three colors as one shade of gray, in the dtype of x; what has one channel is gray. */
kt_val *kt_g_gray(kt_graph *g, kt_val *x);
/** x from one range of values to another, of a floating type. */
kt_val *kt_values_moved(kt_graph *g, kt_val *x, const double from[2], const double to[2]);
/** A number in [low, high) for each of n pictures: float32 [n, 1, …] with ndim axes. */
kt_val *kt_draw(kt_layer *l, int64_t n, int ndim, const double range[2], int64_t seed);
/** For each of n pictures whether it is changed, with a probability that is drawn from the range:
 * bool [n, 1, 1, 1]. */
kt_val *kt_draw_chance(kt_layer *l, int64_t n, const double range[2], int64_t seed);

/** The logarithm of numbers with the gamma distribution of that shape (alpha, a scalar above 0). */
kt_val *kt_draw_log_gamma(kt_layer *l, kt_shape shape, kt_val *alpha, int64_t seed);

/** What a layer does with pictures while training: it draws numbers for them, then it changes them
 * by these. This is the state of the layer; one that combines others holds several. */
#define KT_DRAWS 8
typedef struct kt_augment kt_augment;
typedef kt_status kt_augment_draw(
    const kt_augment *a, kt_graph *g, const kt_shape *shape, kt_val **d);
/** d as they were drawn; x (n, h, w, c) in the layer's dtype. NULL: failed. */
typedef kt_val *kt_augment_apply(const kt_augment *a, kt_graph *g, kt_val *x, kt_val *const *d);
struct kt_augment {
    kt_layer *layer;       ///< for random numbers
    kt_augment_draw *draw; ///< NULL: nothing is drawn
    kt_augment_apply *apply;
    bool always;        ///< not only while training
    bool as_is;         ///< integers stay integers
    bool first;         ///< the layer's data_format is "channels_first"
    bool each;          ///< both ends of the factor must lie …
    double low, high;   ///< … between these
    double range[2][2]; ///< the ends of the factors
    double values[2];   ///< value_range
    const char *fill_mode, *interpolation;
    double fill_value;
    int64_t bins; ///< of a histogram
    int64_t seed;
};

/** For `init`: `how` with the layer's arguments of the names factor, value_range, seed … */
kt_status kt_augment_init(kt_layer *l, const kt_augment *how);
/** The ends of another factor, within low and high: the arguments NAME and NAMEs of the layer. */
kt_status kt_augment_factor(
    kt_layer *l, const char *name, bool each, double low, double high, double range[2]);
/** The `call` of all layers whose state begins with a kt_augment. */
kt_status kt_augment_call(kt_layer *l, kt_trace *t);
/** Draws and changes. */
kt_val *kt_augmented(const kt_augment *a, kt_graph *g, kt_val *x);

/* Those that others are made of. */
extern const kt_augment kt_aug_rotation, kt_aug_translation, kt_aug_shear;
extern const kt_augment kt_aug_brightness, kt_aug_contrast, kt_aug_solarization;
extern const kt_augment kt_aug_posterization, kt_aug_color_degeneration, kt_aug_sharpness;
extern const kt_augment kt_aug_auto_contrast, kt_aug_equalization;

/** A class whose state (of that type) begins with a kt_augment: KT_AUGMENT_CLASS(random_contrast,
 * "RandomContrast", KT_RANDOM_CONTRAST_DEFAULTS) with random_contrast_init and …_fields. */
#define KT_AUGMENT_CLASS_OF(state, fn, keras, ...)                                                 \
    const kt_layer_class kt_class_##fn = {                                                         \
        .name = keras,                                                                             \
        .args_size = sizeof(kt_##fn##_args),                                                       \
        .state_size = sizeof(state),                                                               \
        .fields = fn##_fields,                                                                     \
        .defaults = &(const kt_##fn##_args){__VA_ARGS__},                                          \
        .init = fn##_init,                                                                         \
        .call = kt_augment_call,                                                                   \
    };                                                                                             \
    kt_layer *kt_##fn##_new(const kt_##fn##_args *a) { return kt_layer_new(&kt_class_##fn, a); }
#define KT_AUGMENT_CLASS(fn, keras, DEFAULTS) KT_AUGMENT_CLASS_OF(kt_augment, fn, keras, DEFAULTS)
/** Its init, where kt_augment_init() is all of it. */
#define KT_AUGMENT_INIT(fn, how)                                                                   \
    static kt_status fn##_init(kt_layer *l) { return kt_augment_init(l, &how); }

/** Cell (x, y) of the result is that of the picture at (m0 x + m1 y + m2, m3 x + m4 y + m5), both
 * divided by m6 x + m7 y + 1; each of m is float32 [n, 1] or, where NULL, the number in `c`. */
typedef struct kt_warp {
    kt_val *m[8];
    double c[8];
    const char *fill_mode, *interpolation; ///< NULL: "reflect", "bilinear"
    double fill_value;
} kt_warp;
kt_status kt_warp_check(const char *fill_mode, const char *interpolation);
kt_val *kt_g_warp(kt_graph *g, kt_val *x, const kt_warp *w);
/** Each cell from the place that lies `by` (float32 [n, h, w]) further down and to the right; the
 * map is not used. keras.ops.image.map_coordinates */
kt_val *kt_g_displaced(kt_graph *g, kt_val *x, kt_val *by, const kt_warp *w);

#endif
