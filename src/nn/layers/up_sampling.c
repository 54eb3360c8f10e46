/* UpSampling1D, UpSampling2D, UpSampling3D: makes the input larger, by repeating or (pictures) by
 * interpolation.  keras.layers.UpSampling2D */
#include "base/error.h"
#include "nn/spatial.h"

#include <keratin/layers.h>

typedef struct {
    int rank, factor[3];
    bool channels_first;
    kt_resize_kind kind;
} up_sampling;

static kt_status upsample_init(kt_layer *l, kt_tuple factor, const char *data_format) {
    up_sampling *d = kt_layer_state(l);
    d->rank = kt_layer_rank(l);
    kt_layer_set_spec(l, (kt_input_spec){.ndim = d->rank + 2});
    const kt_status st = kt_tuple_get(factor, d->rank, "size", d->factor);
    return st ? st : kt_data_format_get(data_format, &d->channels_first);
}

static kt_status up_sampling1d_init(kt_layer *l) {
    return upsample_init(l, ((const kt_up_sampling1d_args *)kt_layer_args(l))->factor, NULL);
}

static kt_status up_sampling2d_init(kt_layer *l) {
    const kt_up_sampling2d_args *a = kt_layer_args(l);
    up_sampling *d = kt_layer_state(l);
    const kt_status st = upsample_init(l, a->factor, a->data_format);
    return st ? st : kt_interpolation_get(a->interpolation, &d->kind);
}

static kt_status up_sampling3d_init(kt_layer *l) {
    const kt_up_sampling3d_args *a = kt_layer_args(l);
    return upsample_init(l, a->factor, a->data_format);
}

/* Interpolation works on floats; integers are cut, as in Keras on TensorFlow. */
static kt_val *interpolate(kt_graph *g, const up_sampling *d, kt_val *x) {
    const kt_dtype dtype = x->spec.dtype;
    if (kt_shape_range(&x->spec.shape, 1, 1 + d->rank) == 0)
        return kt_graph_fail(g, KT_FAIL(KT_ESHAPE, "there is nothing to interpolate between"));
    if (!kt_dtype_is_float(dtype)) x = kt_g_cast(g, x, KT_FLOAT32);
    x = kt_g_enlarge(g, x, d->factor, d->kind);
    return x ? kt_g_cast(g, x, dtype) : NULL;
}

static kt_status up_sampling_call(kt_layer *l, kt_trace *t) {
    const up_sampling *d = kt_layer_state(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_sym *in = d->channels_first ? kt_channels_last(t->in[0]) : t->in[0];
    kt_val *x = kt_unwrap(in, NULL);
    if (!x) return g->status;
    x = d->kind == KT_RESIZE_NEAREST ? kt_g_repeat_nd(g, x, d->factor) : interpolate(g, d, x);
    kt_sym *y = kt_wrap(x);
    t->out[0] = d->channels_first ? kt_channels_first(y) : y;
    return kt_check(t->out[0]);
}

/* Keras calls it size, which every struct here has already. */
#define FACTOR(T, kind)                                                                            \
    { "size", offsetof(T, factor), sizeof(((T *)0)->factor), kind }
static const kt_field up_sampling1d_fields[] = {
    FACTOR(kt_up_sampling1d_args, KT_FIELD_INT), KT_F_END};
static const kt_field up_sampling2d_fields[] = {
    FACTOR(kt_up_sampling2d_args, KT_FIELD_INT64),
    KT_F(kt_up_sampling2d_args, data_format),
    KT_F(kt_up_sampling2d_args, interpolation),
    KT_F_END};
static const kt_field up_sampling3d_fields[] = {
    FACTOR(kt_up_sampling3d_args, KT_FIELD_INT64),
    KT_F(kt_up_sampling3d_args, data_format),
    KT_F_END};

#define CLASS(rank)                                                                                \
    const kt_layer_class kt_class_up_sampling##rank##d = {                                         \
        .name = "UpSampling" #rank "D",                                                            \
        .args_size = sizeof(kt_up_sampling##rank##d_args),                                         \
        .state_size = sizeof(up_sampling),                                                         \
        .fields = up_sampling##rank##d_fields,                                                     \
        .defaults = &(const kt_up_sampling##rank##d_args){KT_UP_SAMPLING##rank##D_DEFAULTS},       \
        .init = up_sampling##rank##d_init,                                                         \
        .call = up_sampling_call,                                                                  \
    };                                                                                             \
    kt_layer *kt_up_sampling##rank##d_new(const kt_up_sampling##rank##d_args *a) {                 \
        return kt_layer_new(&kt_class_up_sampling##rank##d, a);                                    \
    }
CLASS(1)
CLASS(2)
CLASS(3)
