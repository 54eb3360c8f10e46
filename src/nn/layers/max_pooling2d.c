/* MaxPooling2D: the largest value of each window.  keras.layers.MaxPooling2D */
#include "nn/layers/spatial.h"

#include <keratin/layers.h>

typedef struct {
    pool_attrs window; /* without padding */
    bool same, channels_first;
} max_pooling2d;

static kt_status max_pooling2d_init(kt_layer *l) {
    const kt_max_pooling2d_args *a = kt_layer_args(l);
    max_pooling2d *d = kt_layer_state(l);
    const kt_tuple strides = a->strides == KT_NONE ? a->pool_size : a->strides;
    kt_layer_set_spec(l, (kt_input_spec){.ndim = 4});
    kt_status st = kt_tuple_get(a->pool_size, 2, "pool_size", d->window.window);
    if (st == KT_OK) st = kt_tuple_get(strides, 2, "strides", d->window.stride);
    if (st == KT_OK) st = kt_padding_get(a->padding, &d->same);
    return st ? st : kt_data_format_get(a->data_format, &d->channels_first);
}

static kt_status max_pooling2d_call(kt_layer *l, kt_trace *t) {
    const max_pooling2d *d = kt_layer_state(l);
    kt_sym *x = d->channels_first ? kt_channels_last(t->in[0]) : t->in[0];
    const kt_shape shape = kt_sym_shape(x);
    pool_attrs a = d->window;
    for (int i = 0; d->same && i < 2; i++)
        kt_same_padding(shape.dim[1 + i], a.window[i], a.stride[i], 1, &a.before[i], &a.after[i]);
    kt_sym *y = kt_wrap(kt_g_max_pool2d(kt_tracer_current()->g, kt_unwrap(x, NULL), &a));
    t->out[0] = d->channels_first ? kt_channels_first(y) : y;
    return kt_check(t->out[0]);
}

#define F(name) KT_F(kt_max_pooling2d_args, name)
static const kt_field max_pooling2d_fields[] = {
    F(pool_size), F(strides), F(padding), F(data_format), KT_F_END};
#undef F

const kt_layer_class kt_class_max_pooling2d = {
    .name = "MaxPooling2D",
    .args_size = sizeof(kt_max_pooling2d_args),
    .state_size = sizeof(max_pooling2d),
    .fields = max_pooling2d_fields,
    .defaults = &(const kt_max_pooling2d_args){KT_MAX_POOLING2D_DEFAULTS},
    .init = max_pooling2d_init,
    .call = max_pooling2d_call,
};

kt_layer *kt_max_pooling2d_new(const kt_max_pooling2d_args *a) {
    return kt_layer_new(&kt_class_max_pooling2d, a);
}
