/* LayerScale: x times a trained number for each channel.  keras.applications: ConvNeXt */
#include "nn/layer.h"

#include <keratin/initializers.h>
#include <keratin/layers.h>

typedef struct {
    kt_var *gamma;
} layer_scale;

static kt_status layer_scale_init(kt_layer *l) {
    const kt_layer_scale_args *a = kt_layer_args(l);
    if (a->projection_dim > 0) return KT_OK;
    return KT_FAIL(
        KT_EINVAL,
        "projection_dim: expected a positive integer, got %lld",
        (long long)a->projection_dim);
}

static kt_status layer_scale_build(kt_layer *l, const kt_shape *in) {
    const kt_layer_scale_args *a = kt_layer_args(l);
    layer_scale *d = kt_layer_state(l);
    const int64_t channels = kt_shape_dim(in, -1);
    if (a->projection_dim != 1 && channels != 1 && channels != a->projection_dim) {
        KT_FAIL(KT_ESHAPE, "projection_dim does not fit the input");
        kt_error_expected("%lld, the channels of the input", (long long)channels);
        return kt_error_got("%lld", (long long)a->projection_dim);
    }
    d->gamma = kt_add_weight(
        l, "variable", {a->projection_dim}, .initializer = kt_init_constant(a->init_values));
    return kt_check(l);
}

static kt_status layer_scale_call(kt_layer *l, kt_trace *t) {
    const layer_scale *d = kt_layer_state(l);
    t->out[0] = kt_op_multiply(t->in[0], kt_value(d->gamma));
    return kt_check(t->out[0]);
}

#define F(name) KT_F(kt_layer_scale_args, name)
static const kt_field layer_scale_fields[] = {F(init_values), F(projection_dim), KT_F_END};
#undef F

const kt_layer_class kt_class_layer_scale = {
    .name = "LayerScale",
    .args_size = sizeof(kt_layer_scale_args),
    .state_size = sizeof(layer_scale),
    .fields = layer_scale_fields,
    .init = layer_scale_init,
    .build = layer_scale_build,
    .call = layer_scale_call,
};

kt_layer *kt_layer_scale_new(const kt_layer_scale_args *a) {
    return kt_layer_new(&kt_class_layer_scale, a);
}
