/* SpatialDropout1D, 2D, 3D: Dropout of whole channels, one draw for all positions of a sample.
 * keras.layers.SpatialDropout1D, SpatialDropout2D, SpatialDropout3D */
#include "nn/layers/noise.h"
#include "nn/spatial.h"

#include <keratin/layers.h>

/* Both structs begin with size and rate. */
static kt_status channels_dropped(
    kt_layer *l, kt_trace *t, double rate, bool channels_first, int64_t seed) {
    kt_shape noise = kt_sym_shape(t->in[0]);
    const int channels = channels_first ? 1 : noise.ndim - 1;
    for (int i = 1; i < noise.ndim; i++)
        if (i != channels) noise.dim[i] = 1;
    t->out[0] = t->in[0];
    if (t->training && rate > 0) t->out[0] = kt_dropout_shared(l, t->in[0], noise, rate, seed);
    return kt_check(t->out[0]);
}

static kt_status spatial_dropout1d_init(kt_layer *l) {
    const kt_spatial_dropout1d_args *a = kt_layer_args(l);
    kt_layer_set_spec(l, (kt_input_spec){.ndim = 3});
    return kt_rate_check(a->rate);
}

static kt_status spatial_dropout1d_call(kt_layer *l, kt_trace *t) {
    const kt_spatial_dropout1d_args *a = kt_layer_args(l);
    return channels_dropped(l, t, a->rate, false, a->seed);
}

static const kt_field spatial_dropout1d_fields[] = {
    KT_F(kt_spatial_dropout1d_args, rate), KT_F(kt_spatial_dropout1d_args, seed), KT_F_END};

const kt_layer_class kt_class_spatial_dropout1d = {
    .name = "SpatialDropout1D",
    .args_size = sizeof(kt_spatial_dropout1d_args),
    .fields = spatial_dropout1d_fields,
    .defaults = &(const kt_spatial_dropout1d_args){KT_SPATIAL_DROPOUT_DEFAULTS},
    .init = spatial_dropout1d_init,
    .call = spatial_dropout1d_call,
    .supports_masking = true,
};

kt_layer *kt_spatial_dropout1d_new(const kt_spatial_dropout1d_args *a) {
    return kt_layer_new(&kt_class_spatial_dropout1d, a);
}

static kt_status spatial_dropout_init(kt_layer *l, int ndim) {
    const kt_spatial_dropout_args *a = kt_layer_args(l);
    bool channels_first;
    kt_layer_set_spec(l, (kt_input_spec){.ndim = ndim});
    const kt_status st = kt_rate_check(a->rate);
    return st ? st : kt_data_format_get(a->data_format, &channels_first);
}

static kt_status spatial_dropout2d_init(kt_layer *l) { return spatial_dropout_init(l, 4); }
static kt_status spatial_dropout3d_init(kt_layer *l) { return spatial_dropout_init(l, 5); }

static kt_status spatial_dropout_call(kt_layer *l, kt_trace *t) {
    const kt_spatial_dropout_args *a = kt_layer_args(l);
    bool channels_first = false;
    const kt_status st = kt_data_format_get(a->data_format, &channels_first);
    return st ? st : channels_dropped(l, t, a->rate, channels_first, a->seed);
}

#define F(name) KT_F(kt_spatial_dropout_args, name)
static const kt_field spatial_dropout_fields[] = {F(rate), F(data_format), F(seed), KT_F_END};
#undef F

#define SPATIAL_DROPOUT(fn, keras)                                                                 \
    const kt_layer_class kt_class_##fn = {                                                         \
        .name = keras,                                                                             \
        .args_size = sizeof(kt_spatial_dropout_args),                                              \
        .fields = spatial_dropout_fields,                                                          \
        .defaults = &(const kt_spatial_dropout_args){KT_SPATIAL_DROPOUT_DEFAULTS},                 \
        .init = fn##_init,                                                                         \
        .call = spatial_dropout_call,                                                              \
        .supports_masking = true,                                                                  \
    };                                                                                             \
    kt_layer *kt_##fn##_new(const kt_spatial_dropout_args *a) {                                    \
        return kt_layer_new(&kt_class_##fn, a);                                                    \
    }
SPATIAL_DROPOUT(spatial_dropout2d, "SpatialDropout2D")
SPATIAL_DROPOUT(spatial_dropout3d, "SpatialDropout3D")
