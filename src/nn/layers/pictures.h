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

#endif
