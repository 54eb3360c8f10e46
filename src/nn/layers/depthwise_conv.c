/* DepthwiseConv1D, DepthwiseConv2D: each channel has filters of its own.
 * keras.layers.DepthwiseConv2D */
#include "nn/layers/conv.h"

static kt_status depthwise_conv_init(kt_layer *l) {
    const kt_depthwise_conv_args *a = kt_layer_args(l);
    kt_conv_state *d = kt_layer_state(l);
    kt_pad_mode mode;
    kt_status st = kt_conv_init(
        l, a->depth_multiplier, "depth_multiplier", a->data_format, a->activation);
    if (st == KT_OK) st = kt_padding_get(a->padding, false, &mode);
    return st ? st : kt_layer_windows(l, a->kernel_size, a->strides, a->dilation_rate, d->size);
}

static kt_status depthwise_conv_build(kt_layer *l, const kt_shape *in) {
    const kt_depthwise_conv_args *a = kt_layer_args(l);
    kt_conv_state *d = kt_layer_state(l);
    int64_t channels, shape[KT_MAX_RANK] = {0};
    const kt_status st = kt_layer_channels(in, d->channels_first, &channels);
    if (st) return st;
    for (int i = 0; i < d->rank; i++) shape[i] = d->size[i];
    shape[d->rank] = channels;
    shape[d->rank + 1] = a->depth_multiplier;
    d->kernel = kt_add_weight(
        l,
        "kernel",
        {shape[0], shape[1], shape[2], shape[3]},
        .initializer = a->depthwise_initializer,
        .regularizer = a->depthwise_regularizer,
        .constraint = a->depthwise_constraint);
    d->bias = kt_conv_bias(l, channels * a->depth_multiplier, a);
    kt_conv_fix_channels(l, channels);
    return kt_check(l);
}

static kt_status depthwise_conv_call(kt_layer *l, kt_trace *t) {
    const kt_depthwise_conv_args *a = kt_layer_args(l);
    const kt_conv_state *d = kt_layer_state(l);
    kt_sym *y = kt_op_depthwise_conv(
        kt_conv_input(l, t->in[0]),
        kt_value(d->kernel),
        a->strides,
        a->padding,
        .dilation_rate = a->dilation_rate);
    return kt_conv_finish(l, t, y);
}

#define F(name) KT_F(kt_depthwise_conv_args, name)
static const kt_field depthwise_conv_fields[] = {
    F(kernel_size),
    F(strides),
    F(padding),
    F(depth_multiplier),
    F(data_format),
    F(dilation_rate),
    F(activation),
    F(use_bias),
    F(depthwise_initializer),
    F(bias_initializer),
    F(depthwise_regularizer),
    F(bias_regularizer),
    F(activity_regularizer),
    F(depthwise_constraint),
    F(bias_constraint),
    KT_F_END,
};
#undef F

#define CLASS(rank)                                                                                \
    const kt_layer_class kt_class_depthwise_conv##rank##d = {                                      \
        .name = "DepthwiseConv" #rank "D",                                                         \
        .args_size = sizeof(kt_depthwise_conv_args),                                               \
        .state_size = sizeof(kt_conv_state),                                                       \
        .fields = depthwise_conv_fields,                                                           \
        .defaults = &(const kt_depthwise_conv_args){KT_DEPTHWISE_CONV_DEFAULTS},                   \
        .init = depthwise_conv_init,                                                               \
        .build = depthwise_conv_build,                                                             \
        .call = depthwise_conv_call,                                                               \
    };                                                                                             \
    kt_layer *kt_depthwise_conv##rank##d_new(const kt_depthwise_conv_args *a) {                    \
        return kt_layer_new(&kt_class_depthwise_conv##rank##d, a);                                 \
    }
CLASS(1)
CLASS(2)
