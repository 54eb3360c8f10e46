/* UnitNormalization: x / sqrt(sum of x^2) along some axes.  keras.layers.UnitNormalization */
#include "nn/layers/normalize.h"

#include <keratin/layers.h>

#define LARGEST 1e12 /* of 1 / length, as in Keras */

static kt_status unit_norm_call(kt_layer *l, kt_trace *t) {
    const kt_unit_normalization_args *a = kt_layer_args(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_val *x = kt_g_cast(g, kt_unwrap(t->in[0], NULL), l->dtype);
    int bits;
    if (!x) return g->status;
    const kt_status st = kt_norm_axes(a->axis, &x->spec.shape, &bits);
    if (st) return st;
    kt_val *inverse = kt_g_rsqrt(g, kt_g_sum(g, kt_g_square(g, x), bits, true));
    inverse = kt_g_minimum(g, inverse, kt_g_num(g, LARGEST, x));
    t->out[0] = kt_wrap(kt_g_mul(g, x, inverse));
    return kt_check(t->out[0]);
}

static const kt_field unit_norm_fields[] = {KT_F(kt_unit_normalization_args, axis), KT_F_END};

const kt_layer_class kt_class_unit_normalization = {
    .name = "UnitNormalization",
    .args_size = sizeof(kt_unit_normalization_args),
    .fields = unit_norm_fields,
    .defaults = &(const kt_unit_normalization_args){KT_UNIT_NORMALIZATION_DEFAULTS},
    .call = unit_norm_call,
    .supports_masking = true,
};

kt_layer *kt_unit_normalization_new(const kt_unit_normalization_args *a) {
    return kt_layer_new(&kt_class_unit_normalization, a);
}
