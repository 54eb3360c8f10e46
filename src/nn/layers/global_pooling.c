/* GlobalMaxPooling and GlobalAveragePooling of one to three axes.
 * keras.layers.GlobalAveragePooling2D */
#include "base/error.h"
#include "nn/spatial.h"

#include <keratin/layers.h>

typedef struct {
    int rank;
    bool channels_first;
} global_pooling;

static kt_status global_pooling_init(kt_layer *l) {
    const kt_global_pooling_args *a = kt_layer_args(l);
    global_pooling *d = kt_layer_state(l);
    d->rank = kt_layer_rank(l);
    kt_layer_set_spec(l, (kt_input_spec){.ndim = d->rank + 2});
    return kt_data_format_get(a->data_format, &d->channels_first);
}

static kt_status global_reduce(kt_layer *l, kt_trace *t, bool average) {
    const kt_global_pooling_args *a = kt_layer_args(l);
    const global_pooling *d = kt_layer_state(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_val *x = kt_unwrap(t->in[0], NULL);
    const int first = d->channels_first ? 2 : 1, axes = ((1 << d->rank) - 1) << first;
    if (!x) return g->status;
    if (!average && kt_shape_range(&x->spec.shape, first, first + d->rank) == 0)
        return KT_FAIL(KT_ESHAPE, "there is no cell that could be the largest");
    if (average && !kt_dtype_is_float(x->spec.dtype)) x = kt_g_cast(g, x, kt_layer_dtype(l));
    kt_val *y = average ? kt_g_mean(g, x, axes, a->keepdims)
                        : kt_g_reduce(g, KT_RED_MAX, x, axes, a->keepdims);
    t->out[0] = kt_wrap(y);
    return kt_check(t->out[0]);
}

static kt_status global_max_pooling_call(kt_layer *l, kt_trace *t) {
    return global_reduce(l, t, false);
}

/* The mean over the steps that the mask names; without any it is 0 / 0, as in Keras. */
static kt_status masked_mean(kt_layer *l, kt_trace *t) {
    const kt_global_pooling_args *a = kt_layer_args(l);
    const global_pooling *d = kt_layer_state(l);
    const int axis = d->channels_first ? 2 : 1;
    kt_sym *mask = kt_op_expand_dims(t->in_mask[0], d->channels_first ? 1 : 2);
    kt_sym *x = kt_op_where(mask, t->in[0], kt_num(0));
    kt_sym *count = kt_op_sum(kt_op_cast(mask, kt_dtype_name(kt_sym_dtype(x))), axis, a->keepdims);
    t->out[0] = kt_op_divide(kt_op_sum(x, axis, a->keepdims), count);
    return kt_check(t->out[0]);
}

static kt_status global_average_pooling_call(kt_layer *l, kt_trace *t) {
    const global_pooling *d = kt_layer_state(l);
    const bool masked = d->rank == 1 && t->in_mask && t->in_mask[0];
    return masked ? masked_mean(l, t) : global_reduce(l, t, true);
}

#define F(name) KT_F(kt_global_pooling_args, name)
static const kt_field global_pooling_fields[] = {F(data_format), F(keepdims), KT_F_END};
#undef F

/* GlobalAveragePooling1D uses a mask, and none comes out of it. */
#define CLASS(Kind, kind, rank, masks)                                                             \
    const kt_layer_class kt_class_global_##kind##_pooling##rank##d = {                             \
        .name = "Global" #Kind "Pooling" #rank "D",                                                \
        .args_size = sizeof(kt_global_pooling_args),                                               \
        .state_size = sizeof(global_pooling),                                                      \
        .fields = global_pooling_fields,                                                           \
        .defaults = &(const kt_global_pooling_args){KT_GLOBAL_POOLING_DEFAULTS},                   \
        .init = global_pooling_init,                                                               \
        .call = global_##kind##_pooling_call,                                                      \
        .supports_masking = masks,                                                                 \
        .computes_mask = masks,                                                                    \
    };                                                                                             \
    kt_layer *kt_global_##kind##_pooling##rank##d_new(const kt_global_pooling_args *a) {           \
        return kt_layer_new(&kt_class_global_##kind##_pooling##rank##d, a);                        \
    }
CLASS(Max, max, 1, false)
CLASS(Max, max, 2, false)
CLASS(Max, max, 3, false)
CLASS(Average, average, 1, true)
CLASS(Average, average, 2, false)
CLASS(Average, average, 3, false)
