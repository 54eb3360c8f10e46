/* Conv2D: y = activation(convolution(x, kernel) + bias).  keras.layers.Conv2D
 *
 * The op works on channels_last; for channels_first the pictures are turned before and after, and
 * the activation comes last, because some (softmax) care which axis is the last one. */
#include "nn/layers/spatial.h"

#include <keratin/layers.h>

typedef struct {
    kt_var *kernel, *bias; /* bias is NULL when use_bias is false */
    const kt_component *activation;
    int size[2];
    conv_attrs window; /* without padding */
    bool same, channels_first;
} conv2d;

static kt_status conv2d_init_window(const kt_conv2d_args *a, conv2d *d) {
    conv_attrs *w = &d->window;
    w->groups = a->groups;
    kt_status st = kt_tuple_get(a->kernel_size, 2, "kernel_size", d->size);
    if (st == KT_OK) st = kt_tuple_get(a->strides, 2, "strides", w->stride);
    if (st == KT_OK) st = kt_tuple_get(a->dilation_rate, 2, "dilation_rate", w->dilation);
    if (st == KT_OK) st = kt_padding_get(a->padding, &d->same);
    if (st == KT_OK) st = kt_data_format_get(a->data_format, &d->channels_first);
    if (st || (w->stride[0] == 1 && w->stride[1] == 1) ||
        (w->dilation[0] == 1 && w->dilation[1] == 1))
        return st;
    return KT_FAIL(KT_EINVAL, "strides > 1 do not go together with dilation_rate > 1");
}

static kt_status conv2d_init(kt_layer *l) {
    const kt_conv2d_args *a = kt_layer_args(l);
    conv2d *d = kt_layer_state(l);
    if (a->filters <= 0)
        return KT_FAIL(KT_EINVAL, "filters: expected a positive integer, got %d", a->filters);
    if (a->groups <= 0)
        return KT_FAIL(KT_EINVAL, "groups: expected a positive integer, got %d", a->groups);
    if (a->filters % a->groups)
        return KT_FAIL(
            KT_EINVAL,
            "filters: expected a multiple of groups (%d), got %d",
            a->groups,
            a->filters);
    kt_layer_set_spec(l, (kt_input_spec){.ndim = 4});
    kt_status st = conv2d_init_window(a, d);
    if (st == KT_OK) st = kt_layer_activity(l, a->activity_regularizer);
    return st ? st : kt_layer_activation(l, &d->activation, a->activation);
}

static kt_status conv2d_check_channels(const kt_conv2d_args *a, int axis, int64_t channels) {
    if (channels == KT_NONE) {
        KT_FAIL(KT_ESHAPE, "the number of channels must be known when the layer is built");
        return kt_error_hint("axis %d of the input is open", axis);
    }
    if (channels > 0 && channels % a->groups == 0) return KT_OK;
    KT_FAIL(KT_ESHAPE, "groups do not divide the channels of the input");
    kt_error_expected("a multiple of %d channels", a->groups);
    return kt_error_got("%lld", (long long)channels);
}

static kt_status conv2d_build(kt_layer *l, const kt_shape *in) {
    const kt_conv2d_args *a = kt_layer_args(l);
    conv2d *d = kt_layer_state(l);
    const int axis = d->channels_first ? 1 : -1;
    const int64_t channels = kt_shape_dim(in, axis);
    const kt_status st = conv2d_check_channels(a, axis, channels);
    if (st) return st;
    d->kernel = kt_add_weight(
        l,
        "kernel",
        {d->size[0], d->size[1], channels / a->groups, a->filters},
        .initializer = a->kernel_initializer,
        .regularizer = a->kernel_regularizer,
        .constraint = a->kernel_constraint);
    if (a->use_bias)
        d->bias = kt_add_weight(
            l,
            "bias",
            {a->filters},
            .initializer = a->bias_initializer,
            .regularizer = a->bias_regularizer,
            .constraint = a->bias_constraint);
    kt_layer_set_spec(l, (kt_input_spec){.ndim = 4, .axis = axis, .axis_dim = channels});
    return kt_check(l);
}

static kt_status conv2d_call(kt_layer *l, kt_trace *t) {
    const conv2d *d = kt_layer_state(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_sym *x = kt_op_cast(t->in[0], kt_dtype_name(kt_layer_dtype(l))); /* integers too */
    if (d->channels_first) x = kt_channels_last(x);
    const kt_shape shape = kt_sym_shape(x);
    conv_attrs a = d->window;
    for (int i = 0; d->same && i < 2; i++)
        kt_same_padding(
            shape.dim[1 + i], d->size[i], a.stride[i], a.dilation[i], &a.before[i], &a.after[i]);
    kt_val *kernel = kt_unwrap(kt_value(d->kernel), NULL);
    kt_sym *y = kt_wrap(kt_g_conv2d(g, kt_unwrap(x, NULL), kernel, &a));
    if (d->bias) y = kt_op_add(y, kt_value(d->bias));
    if (d->channels_first) y = kt_channels_first(y);
    t->out[0] = kt_activation_apply(d->activation, y);
    return kt_check(t->out[0]);
}

#define F(name) KT_F(kt_conv2d_args, name)
static const kt_field conv2d_fields[] = {
    F(filters),
    F(kernel_size),
    F(strides),
    F(padding),
    F(data_format),
    F(dilation_rate),
    F(groups),
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

const kt_layer_class kt_class_conv2d = {
    .name = "Conv2D",
    .args_size = sizeof(kt_conv2d_args),
    .state_size = sizeof(conv2d),
    .fields = conv2d_fields,
    .defaults = &(const kt_conv2d_args){KT_CONV2D_DEFAULTS},
    .init = conv2d_init,
    .build = conv2d_build,
    .call = conv2d_call,
};

kt_layer *kt_conv2d_new(const kt_conv2d_args *a) { return kt_layer_new(&kt_class_conv2d, a); }
