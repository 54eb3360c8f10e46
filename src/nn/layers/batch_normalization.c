/* BatchNormalization: gamma (x - mean) / sqrt(variance + epsilon) + beta.
 * keras.layers.BatchNormalization
 *
 * Mean and variance are those of the batch while training, else moving averages. Per element it is
 * one subtraction and one multiply-add: y = (x - mean) scale + shift, with scale = gamma
 * rsqrt(variance + epsilon) and shift = beta, one number per channel each.
 *
 * The mean in (x - mean) is a constant for the gradient, and the shift has the term (mean as a
 * constant - mean) scale in it, which is 0 but has the gradient of the mean. So the gradient of the
 * mean is -scale sum(dy), which beta needs anyway; without that it would take one more sum over all
 * elements. The variance needs no such term: sum(x - mean) is 0. */
#include "nn/layer.h"

#include <keratin/layers.h>

#define MASK_EPSILON 1e-7 /* keras.config.epsilon() */

typedef struct {
    kt_var *gamma, *beta; /* NULL without scale, without center */
    kt_var *moving_mean, *moving_variance;
} batch_norm;

static kt_status batch_norm_init(kt_layer *l) {
    const kt_batch_normalization_args *a = kt_layer_args(l);
    kt_layer_set_spec(l, (kt_input_spec){.min_ndim = 2});
    if (!a->synchronized) return KT_OK;
    return KT_FAIL(KT_EUNSUPPORTED, "synchronized: there is only one replica");
}

static kt_status batch_norm_build(kt_layer *l, const kt_shape *in) {
    const kt_batch_normalization_args *a = kt_layer_args(l);
    batch_norm *d = kt_layer_state(l);
    const int axis = kt_axis(a->axis, in->ndim);
    char s[KT_SHAPE_STR];
    if (axis < 0)
        return KT_FAIL(
            KT_EINVAL,
            "axis %d is out of range for shape %s",
            a->axis,
            kt_shape_str(in, s, sizeof s));
    const int64_t n = in->dim[axis];
    if (n <= 0) {
        KT_FAIL(KT_ESHAPE, "the length of axis %d must be known when the layer is built", a->axis);
        return kt_error_got("%s", kt_shape_str(in, s, sizeof s));
    }
    if (a->scale)
        d->gamma = kt_add_weight(
            l,
            "gamma",
            {n},
            .initializer = a->gamma_initializer,
            .regularizer = a->gamma_regularizer,
            .constraint = a->gamma_constraint);
    if (a->center)
        d->beta = kt_add_weight(
            l,
            "beta",
            {n},
            .initializer = a->beta_initializer,
            .regularizer = a->beta_regularizer,
            .constraint = a->beta_constraint);
    d->moving_mean = kt_add_weight(
        l, "moving_mean", {n}, .initializer = a->moving_mean_initializer, .trainable = false);
    d->moving_variance = kt_add_weight(
        l,
        "moving_variance",
        {n},
        .initializer = a->moving_variance_initializer,
        .trainable = false);
    kt_layer_set_spec(l, (kt_input_spec){.ndim = in->ndim, .axis = a->axis, .axis_dim = n});
    return kt_check(l);
}

/* The operands of one call. */
typedef struct {
    kt_graph *g;
    kt_val *x;
    kt_val *weight; /* 1 where an element counts, NULL: all do */
    int axes;       /* those that are averaged over */
    kt_shape wide;  /* of one number per channel, next to x */
} normed;

static kt_val *widen(const normed *n, kt_val *channels) {
    return kt_g_reshape(n->g, channels, n->wide);
}

/* Keras divides by the number of elements that count, plus a little. */
static kt_val *moment(const normed *n, kt_val *x) {
    if (!n->weight) return kt_g_mean(n->g, x, n->axes, false);
    kt_val *count = kt_g_sum(n->g, n->weight, n->axes, false);
    kt_val *sum = kt_g_sum(n->g, kt_g_mul(n->g, n->weight, x), n->axes, false);
    return kt_g_div(n->g, sum, kt_g_shift(n->g, count, MASK_EPSILON));
}

static kt_status take_mask(normed *n, kt_sym *mask) {
    kt_val *m = kt_unwrap(mask, NULL);
    if (!m) return n->g->status;
    char sm[KT_SHAPE_STR], sx[KT_SHAPE_STR];
    kt_shape s = m->spec.shape;
    bool fits = s.ndim == n->x->spec.shape.ndim - 1;
    for (int i = 0; fits && i < s.ndim; i++) fits = s.dim[i] == n->x->spec.shape.dim[i];
    if (!fits)
        return KT_FAIL(
            KT_ESHAPE,
            "mask %s does not go with input %s",
            kt_shape_str(&s, sm, sizeof sm),
            kt_shape_str(&n->x->spec.shape, sx, sizeof sx));
    m = kt_g_expand_dims(n->g, kt_g_cast(n->g, m, n->x->spec.dtype), -1);
    n->weight = kt_g_broadcast(n->g, m, n->x->spec.shape);
    return n->g->status;
}

/* moving = moving momentum + batch (1 - momentum) */
static kt_status move_average(const normed *n, kt_var *moving, kt_val *batch, double momentum) {
    kt_val *old = kt_unwrap(kt_value(moving), NULL);
    kt_val *sum = kt_g_add(
        n->g, kt_g_scale(n->g, old, momentum), kt_g_scale(n->g, batch, 1 - momentum));
    return kt_assign(moving, kt_wrap(sum));
}

/* (x - mean) scale + shift. zero: what the gradient of the mean hangs on, NULL: it has none. */
static kt_val *normalize(
    const normed *n, const kt_layer *l, kt_val *centered, kt_val *variance, kt_val *zero) {
    const kt_batch_normalization_args *a = kt_layer_args(l);
    const batch_norm *d = ((kt_layer *)(uintptr_t)l)->state;
    kt_val *scale = kt_g_rsqrt(n->g, kt_g_shift(n->g, variance, a->epsilon)), *shift = NULL;
    if (d->gamma) scale = kt_g_mul(n->g, scale, kt_unwrap(kt_value(d->gamma), NULL));
    if (zero) shift = kt_g_mul(n->g, zero, scale);
    if (d->beta) {
        kt_val *beta = kt_unwrap(kt_value(d->beta), NULL);
        shift = shift ? kt_g_add(n->g, beta, shift) : beta;
    }
    kt_val *y = kt_g_mul(n->g, centered, widen(n, scale));
    return shift ? kt_g_add(n->g, y, widen(n, shift)) : y;
}

static kt_status batch_norm_train(normed *n, kt_layer *l, kt_trace *t) {
    const kt_batch_normalization_args *a = kt_layer_args(l);
    const batch_norm *d = kt_layer_state(l);
    if (t->in_mask && t->in_mask[0]) {
        const kt_status st = take_mask(n, t->in_mask[0]);
        if (st) return st;
    }
    kt_val *mean = moment(n, n->x), *fixed = kt_g_stop_gradient(n->g, mean);
    kt_val *centered = kt_g_sub(n->g, n->x, widen(n, fixed));
    kt_val *variance = moment(n, kt_g_square(n->g, centered));
    kt_status st = move_average(n, d->moving_mean, mean, a->momentum);
    if (st == KT_OK) st = move_average(n, d->moving_variance, variance, a->momentum);
    if (st) return st;
    kt_val *zero = kt_g_sub(n->g, fixed, mean);
    t->out[0] = kt_wrap(normalize(n, l, centered, variance, zero));
    return kt_check(t->out[0]);
}

static kt_status batch_norm_call(kt_layer *l, kt_trace *t) {
    const kt_batch_normalization_args *a = kt_layer_args(l);
    const batch_norm *d = kt_layer_state(l);
    normed n = {.g = kt_tracer_current()->g};
    n.x = kt_g_cast(n.g, kt_unwrap(t->in[0], NULL), kt_layer_dtype(l)); /* integers too */
    if (!n.x) return n.g->status;
    const int ndim = n.x->spec.shape.ndim, axis = kt_axis(a->axis, ndim);
    n.axes = ((1 << ndim) - 1) & ~(1 << axis);
    n.wide.ndim = ndim;
    for (int i = 0; i < ndim; i++) n.wide.dim[i] = i == axis ? n.x->spec.shape.dim[i] : 1;
    if (t->training && l->trainable) return batch_norm_train(&n, l, t);
    kt_val *mean = kt_unwrap(kt_value(d->moving_mean), NULL);
    kt_val *variance = kt_unwrap(kt_value(d->moving_variance), NULL);
    t->out[0] = kt_wrap(normalize(&n, l, kt_g_sub(n.g, n.x, widen(&n, mean)), variance, NULL));
    return kt_check(t->out[0]);
}

#define F(name) KT_F(kt_batch_normalization_args, name)
static const kt_field batch_norm_fields[] = {
    F(axis),
    F(momentum),
    F(epsilon),
    F(center),
    F(scale),
    F(beta_initializer),
    F(gamma_initializer),
    F(moving_mean_initializer),
    F(moving_variance_initializer),
    F(beta_regularizer),
    F(gamma_regularizer),
    F(beta_constraint),
    F(gamma_constraint),
    F(synchronized),
    KT_F_END,
};
#undef F

const kt_layer_class kt_class_batch_normalization = {
    .name = "BatchNormalization",
    .args_size = sizeof(kt_batch_normalization_args),
    .state_size = sizeof(batch_norm),
    .fields = batch_norm_fields,
    .defaults = &(const kt_batch_normalization_args){KT_BATCH_NORMALIZATION_DEFAULTS},
    .init = batch_norm_init,
    .build = batch_norm_build,
    .call = batch_norm_call,
    .supports_masking = true,
};

kt_layer *kt_batch_normalization_new(const kt_batch_normalization_args *a) {
    return kt_layer_new(&kt_class_batch_normalization, a);
}
