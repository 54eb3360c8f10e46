/* Conv1D, Conv2D, Conv3D: y = activation(convolution(x, kernel) + bias).  keras.layers.Conv2D
 *
 * The op works on channels_last; for channels_first the input is turned before and after, and the
 * activation comes last, because some (softmax) care which axis is the last one. */
#include "nn/layers/conv.h"
#include "nn/lora.h"

/* What all convolutions share ------------------------------------------------------------------ */

kt_status kt_conv_init(
    kt_layer *l, int positive, const char *what, const char *data_format, kt_ref activation) {
    kt_conv_state *d = kt_layer_state(l);
    d->rank = kt_layer_rank(l);
    if (positive <= 0)
        return KT_FAIL(KT_EINVAL, "%s: expected a positive integer, got %d", what, positive);
    kt_layer_set_spec(l, (kt_input_spec){.ndim = d->rank + 2});
    const kt_status st = kt_data_format_get(data_format, &d->channels_first);
    return st ? st : kt_layer_activation(l, &d->activation, activation);
}

void kt_conv_fix_channels(kt_layer *l, int64_t channels) {
    const kt_conv_state *d = kt_layer_state(l);
    const int axis = d->channels_first ? 1 : -1;
    kt_layer_set_spec(l, (kt_input_spec){.ndim = d->rank + 2, .axis = axis, .axis_dim = channels});
}

kt_sym *kt_conv_input(const kt_layer *l, kt_sym *x) {
    const kt_conv_state *d = kt_layer_state(l);
    x = kt_op_cast(x, kt_dtype_name(kt_layer_dtype(l))); /* integers too */
    return d->channels_first ? kt_channels_last(x) : x;
}

kt_status kt_conv_finish(const kt_layer *l, kt_trace *t, kt_sym *y) {
    const kt_conv_state *d = kt_layer_state(l);
    if (d->bias) y = kt_op_add(y, kt_value(d->bias));
    if (d->channels_first) y = kt_channels_first(y);
    t->out[0] = kt_activation_apply(d->activation, y);
    return kt_check(t->out[0]);
}

/* Conv1D, Conv2D, Conv3D ----------------------------------------------------------------------- */

static kt_status conv_init(kt_layer *l) {
    const kt_conv_args *a = kt_layer_args(l);
    kt_conv_state *d = kt_layer_state(l);
    kt_pad_mode mode;
    if (a->groups <= 0)
        return KT_FAIL(KT_EINVAL, "groups: expected a positive integer, got %d", a->groups);
    if (a->filters % a->groups)
        return KT_FAIL(
            KT_EINVAL,
            "filters: expected a multiple of groups (%d), got %d",
            a->groups,
            a->filters);
    kt_status st = kt_conv_init(l, a->filters, "filters", a->data_format, a->activation);
    if (st == KT_OK) st = kt_padding_get(a->padding, d->rank == 1, &mode);
    if (st == KT_OK) st = kt_lora_check(a->lora_rank, NULL);
    return st ? st : kt_layer_windows(l, a->kernel_size, a->strides, a->dilation_rate, d->size);
}

static kt_status conv_build(kt_layer *l, const kt_shape *in) {
    const kt_conv_args *a = kt_layer_args(l);
    kt_conv_state *d = kt_layer_state(l);
    int64_t channels, shape[KT_MAX_RANK] = {0};
    kt_status st = kt_layer_channels(in, d->channels_first, &channels);
    if (st) return st;
    if (channels % a->groups) {
        KT_FAIL(KT_ESHAPE, "groups do not divide the channels of the input");
        kt_error_expected("a multiple of %d channels", a->groups);
        return kt_error_got("%lld", (long long)channels);
    }
    for (int i = 0; i < d->rank; i++) shape[i] = d->size[i];
    shape[d->rank] = channels / a->groups;
    shape[d->rank + 1] = a->filters;
    d->kernel = kt_add_weight(
        l,
        "kernel",
        {shape[0], shape[1], shape[2], shape[3], shape[4]},
        .initializer = a->kernel_initializer,
        .regularizer = a->kernel_regularizer,
        .constraint = a->kernel_constraint);
    d->bias = kt_conv_bias(l, a->filters, a);
    kt_conv_fix_channels(l, channels);
    return kt_lora_build(l, a->lora_rank, a->lora_alpha);
}

static kt_status conv_call(kt_layer *l, kt_trace *t) {
    const kt_conv_args *a = kt_layer_args(l);
    const kt_conv_state *d = kt_layer_state(l);
    kt_sym *y = kt_op_conv(
        kt_conv_input(l, t->in[0]),
        kt_lora_value(l, d->kernel),
        a->strides,
        a->padding,
        .dilation_rate = a->dilation_rate);
    return kt_conv_finish(l, t, y);
}

#define F(name) KT_F(kt_conv_args, name)
static const kt_field conv_fields[] = {
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
    F(lora_rank),
    F(lora_alpha),
    KT_F_END,
};
#undef F

#define CLASS(rank)                                                                                \
    const kt_layer_class kt_class_conv##rank##d = {                                                \
        .name = "Conv" #rank "D",                                                                  \
        .args_size = sizeof(kt_conv_args),                                                         \
        .state_size = sizeof(kt_conv_state),                                                       \
        .fields = conv_fields,                                                                     \
        .defaults = &(const kt_conv_args){KT_CONV_DEFAULTS},                                       \
        .init = conv_init,                                                                         \
        .build = conv_build,                                                                       \
        .call = conv_call,                                                                         \
    };                                                                                             \
    kt_layer *kt_conv##rank##d_new(const kt_conv_args *a) {                                        \
        return kt_layer_new(&kt_class_conv##rank##d, a);                                           \
    }
CLASS(1)
CLASS(2)
CLASS(3)
