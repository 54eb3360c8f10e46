/* AdaptiveAveragePooling and AdaptiveMaxPooling of one to three axes: as many windows as results
 * are asked for. Window i of n over a length goes from floor(i length / n) to ceil((i + 1) length /
 * n).  keras.layers.AdaptiveAveragePooling2D
 *
 * One axis after the other, a slice and its mean or maximum for each result: results are few. */
#include "nn/spatial.h"

#include <keratin/layers.h>

#define MOST 4096 /* results along one axis */

typedef struct {
    int rank, size[3];
    bool channels_first;
} adaptive_pooling;

static kt_status adaptive_pooling_init(kt_layer *l) {
    const kt_adaptive_pooling_args *a = kt_layer_args(l);
    adaptive_pooling *d = kt_layer_state(l);
    d->rank = kt_layer_rank(l);
    kt_layer_set_spec(l, (kt_input_spec){.ndim = d->rank + 2});
    const kt_status st = kt_tuple_get(a->output_size, d->rank, "output_size", d->size);
    if (st) return st;
    for (int i = 0; i < d->rank; i++)
        if (d->size[i] > MOST)
            return KT_FAIL(KT_ELIMIT, "output_size: at most %d, got %d", MOST, d->size[i]);
    return kt_data_format_get(a->data_format, &d->channels_first);
}

static kt_val *pool_axis(kt_graph *g, kt_val *x, int axis, int n, bool average) {
    kt_val *part[MOST];
    if (!x) return NULL;
    const int64_t length = x->spec.shape.dim[axis];
    if (length < 1)
        return kt_graph_fail(g, KT_FAIL(KT_ESHAPE, "axis %d of the input is empty", axis));
    for (int i = 0; i < n; i++) {
        const int64_t from = i * length / n, to = ((i + 1) * length + n - 1) / n;
        kt_val *window = kt_g_slice_axis(g, x, axis, from, to);
        part[i] = average ? kt_g_mean(g, window, 1 << axis, true)
                          : kt_g_reduce(g, KT_RED_MAX, window, 1 << axis, true);
        if (!part[i]) return NULL;
    }
    return kt_g_concat(g, n, part, axis);
}

static kt_status adaptive_pool(kt_layer *l, kt_trace *t, bool average) {
    const adaptive_pooling *d = kt_layer_state(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_val *x = kt_unwrap(t->in[0], NULL);
    if (x && average && !kt_dtype_is_float(x->spec.dtype)) x = kt_g_cast(g, x, kt_layer_dtype(l));
    for (int i = 0; i < d->rank; i++)
        x = pool_axis(g, x, i + (d->channels_first ? 2 : 1), d->size[i], average);
    t->out[0] = kt_wrap(x);
    return kt_check(t->out[0]);
}

static kt_status adaptive_average_pooling_call(kt_layer *l, kt_trace *t) {
    return adaptive_pool(l, t, true);
}
static kt_status adaptive_max_pooling_call(kt_layer *l, kt_trace *t) {
    return adaptive_pool(l, t, false);
}

#define F(name) KT_F(kt_adaptive_pooling_args, name)
static const kt_field adaptive_pooling_fields[] = {F(output_size), F(data_format), KT_F_END};
#undef F

#define CLASS(Kind, kind, rank)                                                                    \
    const kt_layer_class kt_class_adaptive_##kind##_pooling##rank##d = {                           \
        .name = "Adaptive" #Kind "Pooling" #rank "D",                                              \
        .args_size = sizeof(kt_adaptive_pooling_args),                                             \
        .state_size = sizeof(adaptive_pooling),                                                    \
        .fields = adaptive_pooling_fields,                                                         \
        .defaults = &(const kt_adaptive_pooling_args){KT_ADAPTIVE_POOLING_DEFAULTS},               \
        .init = adaptive_pooling_init,                                                             \
        .call = adaptive_##kind##_pooling_call,                                                    \
    };                                                                                             \
    kt_layer *kt_adaptive_##kind##_pooling##rank##d_new(const kt_adaptive_pooling_args *a) {       \
        return kt_layer_new(&kt_class_adaptive_##kind##_pooling##rank##d, a);                      \
    }
CLASS(Average, average, 1)
CLASS(Average, average, 2)
CLASS(Average, average, 3)
CLASS(Max, max, 1)
CLASS(Max, max, 2)
CLASS(Max, max, 3)
