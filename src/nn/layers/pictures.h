/* What layers of pictures share: the batch as (n, h, w, c), and drawing for each picture. */
#ifndef KT_NN_LAYERS_PICTURES_H
#define KT_NN_LAYERS_PICTURES_H

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
 * at least `low`) low … v. Numbers must lie between low and high. */
kt_status kt_factor_get(
    double v, kt_floats_t list, const char *what, double low, double high, double out[2]);
/** Two numbers in order; 0 and 255 if there are none. */
kt_status kt_value_range_get(kt_floats_t list, double out[2]);
/** A number in [low, high) for each of n pictures: [n, 1, …] with ndim axes. */
kt_val *kt_draw(kt_layer *l, int64_t n, int ndim, const double range[2], int64_t seed);

/** Cell (x, y) of the result is that of the picture at (m0 x + m1 y + m2, m3 x + m4 y + m5); each
 * of m is float32 [n, 1] or, where NULL, the number in `c`. */
typedef struct kt_warp {
    kt_val *m[6];
    double c[6];
    const char *fill_mode, *interpolation; ///< NULL: "reflect", "bilinear"
    double fill_value;
} kt_warp;
kt_status kt_warp_check(const char *fill_mode, const char *interpolation);
kt_val *kt_g_warp(kt_graph *g, kt_val *x, const kt_warp *w);

#endif
