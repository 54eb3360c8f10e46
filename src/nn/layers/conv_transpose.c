/* Conv1DTranspose, Conv2DTranspose, Conv3DTranspose: y = activation(convolution turned round(x,
 * kernel) + bias).  keras.layers.Conv2DTranspose */
#include "nn/layers/conv.h"

#include <string.h>

#define F(name) KT_F(kt_conv_transpose_args, name)
static const kt_field conv_transpose_fields[] = {
    F(filters),
    F(kernel_size),
    F(strides),
    F(padding),
    F(output_padding),
    F(data_format),
    F(dilation_rate),
    F(activation),
    F(use_bias),
    F(kernel_initializer),
    F(bias_initializer),
    F(kernel_regularizer),
    F(bias_regularizer),
    F(activity_regularizer),
    F(kernel_constraint),
    F(bias_constraint),
    KT_F_END,
};
#undef F
#define F(name) KT_F(kt_conv3d_transpose_args, name)
static const kt_field conv3d_transpose_fields[] = {
    F(filters),
    F(kernel_size),
    F(strides),
    F(padding),
    F(data_format),
    F(output_padding),
    F(dilation_rate),
    F(activation),
    F(use_bias),
    F(kernel_initializer),
    F(bias_initializer),
    F(kernel_regularizer),
    F(bias_regularizer),
    F(activity_regularizer),
    F(kernel_constraint),
    F(bias_constraint),
    KT_F_END,
};
#undef F

/* The arguments in one form: Conv3DTranspose has two of them in another order. */
static kt_conv_transpose_args args_of(const kt_layer *l) {
    kt_conv_transpose_args a = {0};
    const char *given = kt_layer_args(l);
    for (const kt_field *to = conv_transpose_fields; to->type; to++)
        for (const kt_field *from = l->cls->fields; from->type; from++)
            if (!strcmp(to->name, from->name))
                memcpy((char *)&a + to->offset, given + from->offset, to->size);
    return a;
}

static kt_status conv_transpose_init(kt_layer *l) {
    const kt_conv_transpose_args a = args_of(l);
    kt_conv_state *d = kt_layer_state(l);
    kt_pad_mode mode;
    int stride[3], extra[3];
    kt_status st = kt_conv_init(l, a.filters, "filters", a.data_format, a.activation);
    if (st == KT_OK) st = kt_padding_get(a.padding, false, &mode);
    if (st == KT_OK) st = kt_layer_windows(l, a.kernel_size, a.strides, a.dilation_rate, d->size);
    if (st == KT_OK) st = kt_tuple_get(a.strides, d->rank, "strides", stride);
    return st ? st : kt_output_padding_get(a.output_padding, d->rank, stride, extra);
}

static kt_status conv_transpose_build(kt_layer *l, const kt_shape *in) {
    const kt_conv_transpose_args a = args_of(l);
    kt_conv_state *d = kt_layer_state(l);
    int64_t channels, shape[KT_MAX_RANK] = {0};
    const kt_status st = kt_layer_channels(in, d->channels_first, &channels);
    if (st) return st;
    for (int i = 0; i < d->rank; i++) shape[i] = d->size[i];
    shape[d->rank] = a.filters;
    shape[d->rank + 1] = channels;
    d->kernel = kt_add_weight(
        l,
        "kernel",
        {shape[0], shape[1], shape[2], shape[3], shape[4]},
        .initializer = a.kernel_initializer,
        .regularizer = a.kernel_regularizer,
        .constraint = a.kernel_constraint);
    d->bias = kt_conv_bias(l, a.filters, &a);
    kt_conv_fix_channels(l, channels);
    return kt_check(l);
}

static kt_status conv_transpose_call(kt_layer *l, kt_trace *t) {
    const kt_conv_transpose_args a = args_of(l);
    const kt_conv_state *d = kt_layer_state(l);
    kt_sym *y = kt_op_conv_transpose(
        kt_conv_input(l, t->in[0]),
        kt_value(d->kernel),
        a.strides,
        a.padding,
        a.output_padding,
        .dilation_rate = a.dilation_rate);
    return kt_conv_finish(l, t, y);
}

#define CLASS(rank, T, table)                                                                      \
    const kt_layer_class kt_class_conv##rank##d_transpose = {                                      \
        .name = "Conv" #rank "DTranspose",                                                         \
        .args_size = sizeof(T),                                                                    \
        .state_size = sizeof(kt_conv_state),                                                       \
        .fields = table,                                                                           \
        .defaults = &(const T){KT_CONV_TRANSPOSE_DEFAULTS},                                        \
        .init = conv_transpose_init,                                                               \
        .build = conv_transpose_build,                                                             \
        .call = conv_transpose_call,                                                               \
    };                                                                                             \
    kt_layer *kt_conv##rank##d_transpose_new(const T *a) {                                         \
        return kt_layer_new(&kt_class_conv##rank##d_transpose, a);                                 \
    }
CLASS(1, kt_conv_transpose_args, conv_transpose_fields)
CLASS(2, kt_conv_transpose_args, conv_transpose_fields)
CLASS(3, kt_conv3d_transpose_args, conv3d_transpose_fields)
