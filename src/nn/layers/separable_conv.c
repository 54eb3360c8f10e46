/* SeparableConv1D, SeparableConv2D: a depthwise convolution, then one of size 1.
 * keras.layers.SeparableConv2D */
#include "nn/layers/conv.h"

static kt_status separable_conv_init(kt_layer *l) {
    const kt_separable_conv_args *a = kt_layer_args(l);
    kt_conv_state *d = kt_layer_state(l);
    kt_pad_mode mode;
    if (a->depth_multiplier <= 0)
        return KT_FAIL(
            KT_EINVAL,
            "depth_multiplier: expected a positive integer, got %d",
            a->depth_multiplier);
    kt_status st = kt_conv_init(l, a->filters, "filters", a->data_format, a->activation);
    if (st == KT_OK) st = kt_padding_get(a->padding, false, &mode);
    return st ? st : kt_layer_windows(l, a->kernel_size, a->strides, a->dilation_rate, d->size);
}

static kt_status separable_conv_build(kt_layer *l, const kt_shape *in) {
    const kt_separable_conv_args *a = kt_layer_args(l);
    kt_conv_state *d = kt_layer_state(l);
    int64_t channels, deep[KT_MAX_RANK] = {0}, point[KT_MAX_RANK] = {0};
    const kt_status st = kt_layer_channels(in, d->channels_first, &channels);
    if (st) return st;
    for (int i = 0; i < d->rank; i++) deep[i] = d->size[i], point[i] = 1;
    deep[d->rank] = channels;
    deep[d->rank + 1] = a->depth_multiplier;
    point[d->rank] = channels * a->depth_multiplier;
    point[d->rank + 1] = a->filters;
    d->kernel = kt_add_weight(
        l,
        "depthwise_kernel",
        {deep[0], deep[1], deep[2], deep[3]},
        .initializer = a->depthwise_initializer,
        .regularizer = a->depthwise_regularizer,
        .constraint = a->depthwise_constraint);
    d->pointwise = kt_add_weight(
        l,
        "pointwise_kernel",
        {point[0], point[1], point[2], point[3]},
        .initializer = a->pointwise_initializer,
        .regularizer = a->pointwise_regularizer,
        .constraint = a->pointwise_constraint);
    d->bias = kt_conv_bias(l, a->filters, a);
    kt_conv_fix_channels(l, channels);
    return kt_check(l);
}

static kt_status separable_conv_call(kt_layer *l, kt_trace *t) {
    const kt_separable_conv_args *a = kt_layer_args(l);
    const kt_conv_state *d = kt_layer_state(l);
    kt_sym *y = kt_op_separable_conv(
        kt_conv_input(l, t->in[0]),
        kt_value(d->kernel),
        kt_value(d->pointwise),
        a->strides,
        a->padding,
        .dilation_rate = a->dilation_rate);
    return kt_conv_finish(l, t, y);
}

#define F(name) KT_F(kt_separable_conv_args, name)
static const kt_field separable_conv_fields[] = {
    F(filters),
    F(kernel_size),
    F(strides),
    F(padding),
    F(data_format),
    F(dilation_rate),
    F(depth_multiplier),
    F(activation),
    F(use_bias),
    F(depthwise_initializer),
    F(pointwise_initializer),
    F(bias_initializer),
    F(depthwise_regularizer),
    F(pointwise_regularizer),
    F(bias_regularizer),
    F(activity_regularizer),
    F(depthwise_constraint),
    F(pointwise_constraint),
    F(bias_constraint),
    KT_F_END,
};
#undef F

#define CLASS(rank)                                                                                \
    const kt_layer_class kt_class_separable_conv##rank##d = {                                      \
        .name = "SeparableConv" #rank "D",                                                         \
        .args_size = sizeof(kt_separable_conv_args),                                               \
        .state_size = sizeof(kt_conv_state),                                                       \
        .fields = separable_conv_fields,                                                           \
        .defaults = &(const kt_separable_conv_args){KT_SEPARABLE_CONV_DEFAULTS},                   \
        .init = separable_conv_init,                                                               \
        .build = separable_conv_build,                                                             \
        .call = separable_conv_call,                                                               \
    };                                                                                             \
    kt_layer *kt_separable_conv##rank##d_new(const kt_separable_conv_args *a) {                    \
        return kt_layer_new(&kt_class_separable_conv##rank##d, a);                                 \
    }
CLASS(1)
CLASS(2)
