/* LayerNormalization: gamma (x - mean) / sqrt(variance + epsilon) + beta, with mean and variance of
 * every sample along some axes.  keras.layers.LayerNormalization
 *
 * rms_scaling, which Keras keeps for old models, leaves the mean in: x gamma / sqrt(variance +
 * epsilon), variance being that around the mean. */
#include "nn/layers/normalize.h"

#include <keratin/layers.h>

typedef struct {
    kt_var *gamma, *beta; /* NULL without scale, without center */
} layer_norm;

/* Computed in float32 at least, from what comes in. */
static kt_status layer_norm_init(kt_layer *l) {
    l->no_autocast = true;
    return KT_OK;
}

static kt_status layer_norm_build(kt_layer *l, const kt_shape *in) {
    const kt_layer_normalization_args *a = kt_layer_args(l);
    layer_norm *d = kt_layer_state(l);
    kt_weight_args gamma = {
        .size = sizeof gamma,
        .layer = l,
        .name = "gamma",
        .initializer = a->gamma_initializer,
        .regularizer = a->gamma_regularizer,
        .constraint = a->gamma_constraint,
        .trainable = true,
    };
    const kt_status st = kt_norm_weight_shape(a->axis, in, gamma.shape);
    if (st) return st;
    kt_weight_args beta = gamma;
    beta.name = "beta";
    beta.initializer = a->beta_initializer;
    beta.regularizer = a->beta_regularizer;
    beta.constraint = a->beta_constraint;
    if (a->scale || a->rms_scaling) d->gamma = kt_add_weight_with(&gamma);
    if (a->center && !a->rms_scaling) d->beta = kt_add_weight_with(&beta);
    return kt_check(l);
}

/* The last axes: one primitive, with a gamma of ones and a beta of zeros where there are none. */
static kt_val *norm_last(kt_graph *g, const layer_norm *d, kt_val *x, int axes, double epsilon) {
    const kt_shape *s = &x->spec.shape;
    const kt_shape flat = {1, {kt_shape_range(s, s->ndim - axes, s->ndim)}};
    const kt_spec spec = {x->spec.dtype, flat};
    const int bits = ((1 << axes) - 1) << (s->ndim - axes);
    kt_val *gamma = d->gamma ? kt_norm_widen(g, d->gamma, x, bits) : kt_g_const(g, 1, spec);
    kt_val *beta = d->beta ? kt_norm_widen(g, d->beta, x, bits) : kt_g_const(g, 0, spec);
    gamma = kt_g_reshape(g, gamma, flat);
    beta = kt_g_reshape(g, beta, flat);
    return gamma && beta ? kt_g_layer_norm(g, x, axes, gamma, beta, epsilon) : NULL;
}

static kt_val *rms_scaled(kt_graph *g, kt_val *x, int bits, double epsilon, kt_val *gamma) {
    kt_val *centered = kt_g_sub(g, x, kt_g_mean(g, x, bits, true));
    kt_val *variance = kt_g_mean(g, kt_g_square(g, centered), bits, true);
    kt_val *y = kt_g_mul(g, x, kt_g_rsqrt(g, kt_g_shift(g, variance, epsilon)));
    return gamma ? kt_g_mul(g, y, gamma) : y;
}

static kt_status layer_norm_call(kt_layer *l, kt_trace *t) {
    const kt_layer_normalization_args *a = kt_layer_args(l);
    const layer_norm *d = kt_layer_state(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_val *x = kt_norm_float(g, kt_unwrap(t->in[0], NULL)), *y;
    int bits;
    if (!x) return g->status;
    const kt_status st = kt_norm_axes(a->axis, &x->spec.shape, &bits);
    if (st) return st;
    int axes = 0;
    while (axes < x->spec.shape.ndim && bits >> (x->spec.shape.ndim - 1 - axes) & 1) axes++;
    if (!a->rms_scaling && __builtin_popcount((unsigned)bits) == axes) {
        y = norm_last(g, d, x, axes, a->epsilon);
        t->out[0] = kt_wrap(kt_g_cast(g, y, l->dtype));
        return kt_check(t->out[0]);
    }
    kt_val *gamma = kt_norm_widen(g, d->gamma, x, bits), *beta = kt_norm_widen(g, d->beta, x, bits);
    y = a->rms_scaling ? rms_scaled(g, x, bits, a->epsilon, gamma)
                       : kt_normalize(g, x, bits, a->epsilon, gamma, beta);
    t->out[0] = kt_wrap(kt_g_cast(g, y, l->dtype));
    return kt_check(t->out[0]);
}

#define F(name) KT_F(kt_layer_normalization_args, name)
static const kt_field layer_norm_fields[] = {
    F(axis),
    F(epsilon),
    F(center),
    F(scale),
    F(beta_initializer),
    F(gamma_initializer),
    F(beta_regularizer),
    F(gamma_regularizer),
    F(beta_constraint),
    F(gamma_constraint),
    F(rms_scaling),
    KT_F_END,
};
#undef F

const kt_layer_class kt_class_layer_normalization = {
    .name = "LayerNormalization",
    .args_size = sizeof(kt_layer_normalization_args),
    .state_size = sizeof(layer_norm),
    .fields = layer_norm_fields,
    .defaults = &(const kt_layer_normalization_args){KT_LAYER_NORMALIZATION_DEFAULTS},
    .init = layer_norm_init,
    .build = layer_norm_build,
    .call = layer_norm_call,
    .supports_masking = true,
};

kt_layer *kt_layer_normalization_new(const kt_layer_normalization_args *a) {
    return kt_layer_new(&kt_class_layer_normalization, a);
}
