/* GroupNormalization: mean 0 and variance 1 for groups of channels of a sample, over all positions;
 * then gamma and beta per channel.  keras.layers.GroupNormalization
 *
 * The channel axis is split into (groups, channels of a group). */
#include "nn/layers/normalize.h"

#include <keratin/layers.h>

typedef struct {
    kt_var *gamma, *beta; /* NULL without scale, without center */
    int64_t groups;
} group_norm;

static kt_status group_norm_init(kt_layer *l) {
    const kt_group_normalization_args *a = kt_layer_args(l);
    l->no_autocast = true; /* computed in float32 at least, from what comes in */
    if (a->groups > 0 || a->groups == -1) return KT_OK;
    KT_FAIL(KT_EINVAL, "groups: expected a positive integer, got %d", a->groups);
    return kt_error_hint("-1 is one group for each channel (instance normalization)");
}

static kt_status group_norm_groups(
    const kt_group_normalization_args *a, int64_t channels, int64_t *out) {
    *out = a->groups == -1 ? channels : a->groups;
    if (*out > channels)
        return KT_FAIL(
            KT_EINVAL,
            "groups: expected at most the number of channels (%lld), got %d",
            (long long)channels,
            a->groups);
    if (channels % *out == 0) return KT_OK;
    return KT_FAIL(
        KT_EINVAL,
        "groups: expected a divisor of the number of channels (%lld), got %d",
        (long long)channels,
        a->groups);
}

static kt_status group_norm_build(kt_layer *l, const kt_shape *in) {
    const kt_group_normalization_args *a = kt_layer_args(l);
    group_norm *d = kt_layer_state(l);
    int64_t channels[KT_MAX_RANK] = {0};
    kt_status st = kt_norm_weight_shape(a->axis, in, channels);
    if (!st && kt_axis(a->axis, in->ndim) == 0)
        st = KT_FAIL(
            KT_EINVAL, "axis: expected one behind the batch, got %lld", (long long)a->axis);
    if (st == KT_OK && in->ndim == KT_MAX_RANK)
        st = KT_FAIL(KT_ELIMIT, "at most %d axes", KT_MAX_RANK - 1);
    if (st == KT_OK) st = group_norm_groups(a, channels[0], &d->groups);
    if (st) return st;
    if (a->scale)
        d->gamma = kt_add_weight(
            l,
            "gamma",
            {channels[0]},
            .initializer = a->gamma_initializer,
            .autocast = false,
            .regularizer = a->gamma_regularizer,
            .constraint = a->gamma_constraint);
    if (a->center)
        d->beta = kt_add_weight(
            l,
            "beta",
            {channels[0]},
            .initializer = a->beta_initializer,
            .autocast = false,
            .regularizer = a->beta_regularizer,
            .constraint = a->beta_constraint);
    kt_layer_set_spec(
        l, (kt_input_spec){.ndim = in->ndim, .axis = a->axis, .axis_dim = channels[0]});
    return kt_check(l);
}

/* A weight as (1, …, groups, channels of a group, …, 1). */
static kt_val *widen_groups(kt_graph *g, kt_var *weight, kt_shape wide, kt_dtype dtype) {
    kt_val *w = weight ? kt_unwrap(kt_value(weight), NULL) : NULL;
    return w ? kt_g_reshape(g, kt_g_cast(g, w, dtype), wide) : NULL;
}

static kt_status group_norm_call(kt_layer *l, kt_trace *t) {
    const kt_group_normalization_args *a = kt_layer_args(l);
    const group_norm *d = kt_layer_state(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_val *x = kt_norm_float(g, kt_unwrap(t->in[0], NULL));
    if (!x) return g->status;
    const kt_dtype own = x->spec.dtype;
    const kt_shape s = x->spec.shape;
    const int axis = kt_axis(a->axis, s.ndim);
    kt_shape split = {s.ndim + 1, {0}}, wide = {s.ndim + 1, {0}};
    for (int i = 0; i < s.ndim; i++) split.dim[i + (i > axis)] = s.dim[i];
    split.dim[axis] = d->groups;
    split.dim[axis + 1] = s.dim[axis] / d->groups;
    for (int i = 0; i <= s.ndim; i++) wide.dim[i] = i == axis || i == axis + 1 ? split.dim[i] : 1;
    const int bits = ((2 << s.ndim) - 1) & ~1 & ~(1 << axis); /* all but the batch and the group */
    kt_val *gamma = widen_groups(g, d->gamma, wide, own);
    kt_val *beta = widen_groups(g, d->beta, wide, own);
    kt_val *y = kt_normalize(g, kt_g_reshape(g, x, split), bits, a->epsilon, gamma, beta);
    t->out[0] = kt_wrap(kt_g_cast(g, kt_g_reshape(g, y, s), l->dtype));
    return kt_check(t->out[0]);
}

#define F(name) KT_F(kt_group_normalization_args, name)
static const kt_field group_norm_fields[] = {
    F(groups),
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
    KT_F_END,
};
#undef F

const kt_layer_class kt_class_group_normalization = {
    .name = "GroupNormalization",
    .args_size = sizeof(kt_group_normalization_args),
    .state_size = sizeof(group_norm),
    .fields = group_norm_fields,
    .defaults = &(const kt_group_normalization_args){KT_GROUP_NORMALIZATION_DEFAULTS},
    .init = group_norm_init,
    .build = group_norm_build,
    .call = group_norm_call,
    .supports_masking = true,
};

kt_layer *kt_group_normalization_new(const kt_group_normalization_args *a) {
    return kt_layer_new(&kt_class_group_normalization, a);
}
