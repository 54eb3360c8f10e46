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
 * elements. The variance needs no such term: sum(x - mean) is 0.
 *
 * With renorm (batch renormalization, Ioffe 2017) what is normalized is brought to slowly moving
 * averages: gamma (y r + d) + beta, r = deviation / moving deviation, d = (mean - moving mean) /
 * moving deviation, both constants for the gradient. */
#include "nn/initializers/initializer.h"
#include "nn/layers/normalize.h"

#include <keratin/layers.h>

#include <math.h>

#define MASK_EPSILON 1e-7 /* keras.config.epsilon() */

typedef struct {
    kt_var *gamma, *beta; /* NULL without scale, without center */
    kt_var *moving_mean, *moving_variance;
    kt_var *moving_stddev, *renorm_mean, *renorm_stddev; /* NULL without renorm */
} batch_norm;

/* renorm_clipping = kt_floats(rmax, rmin, dmax); KT_NONE_F: no limit. */
enum { RMAX, RMIN, DMAX };
static double limit(const kt_batch_normalization_args *a, int i) {
    return a->renorm_clipping.n ? a->renorm_clipping.v[i] : KT_NONE_F;
}

static kt_status check_renorm(const kt_batch_normalization_args *a) {
    const int n = a->renorm_clipping.n;
    if (n != 0 && n != 3)
        return KT_FAIL(KT_EINVAL, "renorm_clipping: expected rmax, rmin, dmax, got %d numbers", n);
    const double most = limit(a, RMAX), least = limit(a, RMIN), d = limit(a, DMAX);
    if (most != KT_NONE_F && least != KT_NONE_F && !(most >= least))
        return KT_FAIL(
            KT_EINVAL, "renorm_clipping: expected rmax >= rmin, got %g and %g", most, least);
    if (d != KT_NONE_F && !(d >= 0))
        return KT_FAIL(KT_EINVAL, "renorm_clipping: expected dmax >= 0, got %g", d);
    return KT_OK;
}

static kt_status batch_norm_init(kt_layer *l) {
    const kt_batch_normalization_args *a = kt_layer_args(l);
    kt_layer_set_spec(l, (kt_input_spec){.min_ndim = 2});
    if (a->synchronized) return KT_FAIL(KT_EUNSUPPORTED, "synchronized: there is only one replica");
    return a->renorm ? check_renorm(a) : KT_OK;
}

/* The roots of what another initializer gives: a deviation that begins where the variance does. */
typedef struct {
    size_t size;
    kt_ref of;
} root_args;

static kt_status root_fill(const kt_component *c, uint64_t key, const kt_spec *spec, void *data) {
    const kt_component *of = ((const root_args *)kt_args_of(c))->of;
    const kt_initializer_class *cls = (const kt_initializer_class *)of->cls;
    const kt_status st = cls->fill(of, key, spec, data);
    for (int64_t i = 0; st == KT_OK && i < kt_shape_size(&spec->shape); i++)
        kt_elem_set(data, spec->dtype, i, sqrt(kt_elem_get(data, spec->dtype, i)));
    return st;
}

static const kt_field root_fields[] = {KT_F(root_args, of), KT_F_END};
static const kt_initializer_class root_class = {
    .base =
        {.kind = KT_KIND_INITIALIZER,
         .name = "root",
         .args_size = sizeof(root_args),
         .fields = root_fields},
    .fill = root_fill};

static kt_status renorm_build(kt_layer *l, int64_t n) {
    const kt_batch_normalization_args *a = kt_layer_args(l);
    batch_norm *d = kt_layer_state(l);
    kt_component *variance;
    kt_status st = kt_initializer_get(
        &variance, a->moving_variance_initializer ? a->moving_variance_initializer : "ones");
    if (st) return st;
    kt_component *root = kt_component_new(
        &root_class.base, &(root_args){sizeof(root_args), variance});
    if (kt_failed(root)) {
        kt_drop(variance);
        return kt_check(root);
    }
    kt_adopt(root);
    d->moving_stddev = kt_add_weight(
        l, "moving_stddev", {n}, .initializer = root, .trainable = false);
    d->renorm_mean = kt_add_weight(
        l, "renorm_mean", {n}, .initializer = a->moving_mean_initializer, .trainable = false);
    d->renorm_stddev = kt_add_weight(
        l, "renorm_stddev", {n}, .initializer = root, .trainable = false);
    kt_release(root);
    return kt_check(l);
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
    if (a->renorm && kt_check(l) == KT_OK) {
        const kt_status st = renorm_build(l, n);
        if (st) return st;
    }
    for (int i = 0; i < l->vars.n; i++) l->vars.v[i]->no_autocast = true;
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

/* A weight in the dtype of the computation, which is float32 at least. */
static kt_val *value_of(const normed *n, kt_var *v) {
    return v ? kt_g_cast(n->g, kt_unwrap(kt_value(v), NULL), n->x->spec.dtype) : NULL;
}

/* moving = moving momentum + batch (1 - momentum) */
static kt_status move_average(const normed *n, kt_var *moving, kt_val *batch, double momentum) {
    kt_val *old = value_of(n, moving);
    kt_val *sum = kt_g_add(
        n->g, kt_g_scale(n->g, old, momentum), kt_g_scale(n->g, batch, 1 - momentum));
    return kt_assign(moving, kt_wrap(sum));
}

/* What is learned, as values; NULL: there is none. */
typedef struct {
    kt_val *gamma, *beta;
} learned;

static learned learned_of(const normed *n, const batch_norm *d) {
    return (learned){value_of(n, d->gamma), value_of(n, d->beta)};
}

/* (x - mean) scale + shift. zero: what the gradient of the mean hangs on, NULL: it has none. */
static kt_val *normalize(
    const normed *n,
    const kt_batch_normalization_args *a,
    learned by,
    kt_val *centered,
    kt_val *variance,
    kt_val *zero) {
    kt_val *scale = kt_g_rsqrt(n->g, kt_g_shift(n->g, variance, a->epsilon)), *shift = NULL;
    if (by.gamma) scale = kt_g_mul(n->g, scale, by.gamma);
    if (zero) shift = kt_g_mul(n->g, zero, scale);
    if (by.beta) shift = shift ? kt_g_add(n->g, by.beta, shift) : by.beta;
    kt_val *y = kt_g_mul(n->g, centered, widen(n, scale));
    return shift ? kt_g_add(n->g, y, widen(n, shift)) : y;
}

/* r gamma and beta + d gamma in place of gamma and beta. */
static learned renormed(const normed *n, kt_layer *l, learned by, kt_val *mean, kt_val *deviation) {
    const kt_batch_normalization_args *a = kt_layer_args(l);
    const batch_norm *s = kt_layer_state(l);
    kt_val *slow = value_of(n, s->renorm_stddev);
    kt_val *slow_mean = value_of(n, s->renorm_mean);
    slow = kt_g_maximum(n->g, slow, kt_g_num(n->g, sqrt(a->epsilon), slow));
    kt_val *r = kt_g_div(n->g, deviation, slow);
    kt_val *d = kt_g_div(n->g, kt_g_sub(n->g, mean, slow_mean), slow);
    const double most = limit(a, RMAX), least = limit(a, RMIN), dmax = limit(a, DMAX);
    if (least != KT_NONE_F) r = kt_g_maximum(n->g, r, kt_g_num(n->g, least, r));
    if (most != KT_NONE_F) r = kt_g_minimum(n->g, r, kt_g_num(n->g, most, r));
    if (dmax != KT_NONE_F) d = kt_g_clip(n->g, d, -dmax, dmax);
    r = kt_g_stop_gradient(n->g, r);
    d = kt_g_stop_gradient(n->g, d);
    learned out = {r, d};
    if (by.gamma) out = (learned){kt_g_mul(n->g, r, by.gamma), kt_g_mul(n->g, d, by.gamma)};
    if (by.beta) out.beta = kt_g_add(n->g, out.beta, by.beta);
    return out;
}

/* All averages of this step. Keras: _update_renorm_statistics */
static kt_status move_averages(
    const normed *n, kt_layer *l, kt_val *mean, kt_val *variance, kt_val *deviation) {
    const kt_batch_normalization_args *a = kt_layer_args(l);
    const batch_norm *d = kt_layer_state(l);
    kt_status st = move_average(n, d->moving_mean, mean, a->momentum);
    if (st || !a->renorm)
        return st ? st : move_average(n, d->moving_variance, variance, a->momentum);
    st = move_average(n, d->renorm_mean, mean, a->renorm_momentum);
    if (st == KT_OK) st = move_average(n, d->renorm_stddev, deviation, a->renorm_momentum);
    if (st == KT_OK) st = move_average(n, d->moving_stddev, deviation, a->momentum);
    if (st) return st;
    kt_val *moved = kt_g_square(n->g, value_of(n, d->moving_stddev));
    kt_val *zero = kt_g_num(n->g, 0, moved);
    moved = kt_g_maximum(n->g, kt_g_shift(n->g, moved, -a->epsilon), zero);
    return kt_assign(d->moving_variance, kt_wrap(moved));
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
    kt_val *zero = kt_g_sub(n->g, fixed, mean), *deviation = NULL;
    learned by = learned_of(n, d);
    if (a->renorm) {
        deviation = kt_g_sqrt(n->g, kt_g_shift(n->g, variance, a->epsilon));
        by = renormed(n, l, by, mean, deviation);
    }
    const kt_status st = move_averages(n, l, mean, variance, deviation);
    if (st) return st;
    t->out[0] = kt_wrap(kt_g_cast(n->g, normalize(n, a, by, centered, variance, zero), l->dtype));
    return kt_check(t->out[0]);
}

static kt_status batch_norm_call(kt_layer *l, kt_trace *t) {
    const kt_batch_normalization_args *a = kt_layer_args(l);
    const batch_norm *d = kt_layer_state(l);
    normed n = {.g = kt_tracer_current()->g};
    n.x = kt_norm_float(n.g, kt_unwrap(t->in[0], NULL)); /* integers too */
    if (!n.x) return n.g->status;
    const int ndim = n.x->spec.shape.ndim, axis = kt_axis(a->axis, ndim);
    n.axes = ((1 << ndim) - 1) & ~(1 << axis);
    n.wide.ndim = ndim;
    for (int i = 0; i < ndim; i++) n.wide.dim[i] = i == axis ? n.x->spec.shape.dim[i] : 1;
    if (t->training && l->trainable) return batch_norm_train(&n, l, t);
    kt_val *mean = value_of(&n, d->moving_mean);
    kt_val *variance = value_of(&n, d->moving_variance);
    kt_val *centered = kt_g_sub(n.g, n.x, widen(&n, mean));
    kt_val *y = normalize(&n, a, learned_of(&n, d), centered, variance, NULL);
    t->out[0] = kt_wrap(kt_g_cast(n.g, y, l->dtype));
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
    F(renorm),
    F(renorm_clipping),
    F(renorm_momentum),
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
