/* RMSNormalization: x scale / sqrt(mean of x^2 + epsilon) along some axes.
 * keras.layers.RMSNormalization
 *
 * The scale is broadcast from the right, as in Keras: for one axis that is not the last it must be
 * as long as the last one, or 1. */
#include "nn/layers/normalize.h"

#include <keratin/layers.h>

typedef struct {
    kt_var *scale;
} rms_norm;

static kt_status rms_norm_build(kt_layer *l, const kt_shape *in) {
    const kt_rms_normalization_args *a = kt_layer_args(l);
    rms_norm *d = kt_layer_state(l);
    kt_weight_args scale = {
        .size = sizeof scale,
        .layer = l,
        .name = "scale",
        .initializer = "ones",
        .trainable = true,
        .autocast = true};
    const kt_status st = kt_norm_weight_shape(a->axis, in, scale.shape);
    if (st) return st;
    d->scale = kt_add_weight_with(&scale);
    return kt_check(l);
}

static kt_status rms_norm_call(kt_layer *l, kt_trace *t) {
    const kt_rms_normalization_args *a = kt_layer_args(l);
    const rms_norm *d = kt_layer_state(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_val *x = kt_norm_float(g, kt_unwrap(t->in[0], NULL));
    int bits;
    if (!x) return g->status;
    const kt_status st = kt_norm_axes(a->axis, &x->spec.shape, &bits);
    if (st) return st;
    kt_val *mean = kt_g_mean(g, kt_g_square(g, x), bits, true);
    kt_val *y = kt_g_mul(g, x, kt_g_rsqrt(g, kt_g_shift(g, mean, a->epsilon)));
    y = kt_unwrap(kt_op_multiply(kt_wrap(y), kt_value(d->scale)), NULL);
    t->out[0] = kt_wrap(kt_g_cast(g, y, l->dtype));
    return kt_check(t->out[0]);
}

#define F(name) KT_F(kt_rms_normalization_args, name)
static const kt_field rms_norm_fields[] = {F(axis), F(epsilon), KT_F_END};
#undef F

const kt_layer_class kt_class_rms_normalization = {
    .name = "RMSNormalization",
    .args_size = sizeof(kt_rms_normalization_args),
    .state_size = sizeof(rms_norm),
    .fields = rms_norm_fields,
    .defaults = &(const kt_rms_normalization_args){KT_RMS_NORMALIZATION_DEFAULTS},
    .build = rms_norm_build,
    .call = rms_norm_call,
};

kt_layer *kt_rms_normalization_new(const kt_rms_normalization_args *a) {
    return kt_layer_new(&kt_class_rms_normalization, a);
}
