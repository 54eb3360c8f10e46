/* MaxPooling and AveragePooling of one to three axes: the largest value, the mean of each window.
 * keras.layers.MaxPooling2D */
#include "nn/spatial.h"

#include <keratin/layers.h>
#include <keratin/ops_windows.h>

static kt_status pooling_init(kt_layer *l) {
    const kt_pooling_args *a = kt_layer_args(l);
    const kt_tuple strides = a->strides == KT_NONE ? a->pool_size : a->strides;
    const int rank = kt_layer_rank(l);
    kt_pad_mode mode;
    int n[3];
    bool first;
    kt_layer_set_spec(l, (kt_input_spec){.ndim = rank + 2});
    kt_status st = kt_tuple_get(a->pool_size, rank, "pool_size", n);
    if (st == KT_OK) st = kt_tuple_get(strides, rank, "strides", n);
    if (st == KT_OK) st = kt_padding_get(a->padding, false, &mode);
    return st ? st : kt_data_format_get(a->data_format, &first);
}

static kt_status max_pooling_call(kt_layer *l, kt_trace *t) {
    const kt_pooling_args *a = kt_layer_args(l);
    t->out[0] = kt_op_max_pool(t->in[0], a->pool_size, a->strides, a->padding, a->data_format);
    return kt_check(t->out[0]);
}

static kt_status average_pooling_call(kt_layer *l, kt_trace *t) {
    const kt_pooling_args *a = kt_layer_args(l);
    t->out[0] = kt_op_average_pool(t->in[0], a->pool_size, a->strides, a->padding, a->data_format);
    return kt_check(t->out[0]);
}

#define F(name) KT_F(kt_pooling_args, name)
static const kt_field pooling_fields[] = {
    F(pool_size), F(strides), F(padding), F(data_format), KT_F_END};
#undef F

#define CLASS(Kind, kind, KIND, rank)                                                              \
    const kt_layer_class kt_class_##kind##_pooling##rank##d = {                                    \
        .name = #Kind "Pooling" #rank "D",                                                         \
        .args_size = sizeof(kt_pooling_args),                                                      \
        .fields = pooling_fields,                                                                  \
        .defaults = &(const kt_pooling_args){KT_##KIND##_POOLING_DEFAULTS},                        \
        .init = pooling_init,                                                                      \
        .call = kind##_pooling_call,                                                               \
    };                                                                                             \
    kt_layer *kt_##kind##_pooling##rank##d_new(const kt_pooling_args *a) {                         \
        return kt_layer_new(&kt_class_##kind##_pooling##rank##d, a);                               \
    }
CLASS(Max, max, MAX, 1)
CLASS(Max, max, MAX, 2)
CLASS(Max, max, MAX, 3)
CLASS(Average, average, AVERAGE, 1)
CLASS(Average, average, AVERAGE, 2)
CLASS(Average, average, AVERAGE, 3)
