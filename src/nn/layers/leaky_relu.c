/* LeakyReLU: x, or negative_slope x where x is negative.  keras.layers.LeakyReLU */
#include "nn/layer.h"

#include <keratin/layers.h>

typedef struct {
    const kt_component *f;
} leaky_relu;

static kt_status leaky_relu_init(kt_layer *l) {
    const kt_leaky_relu_args *a = kt_layer_args(l);
    if (!(a->negative_slope >= 0))
        return KT_FAIL(
            KT_EINVAL, "negative_slope: expected a number >= 0, got %g", a->negative_slope);
    leaky_relu *s = kt_layer_state(l);
    return kt_layer_activation(l, &s->f, kt_act_leaky_relu(a->negative_slope));
}

static kt_status leaky_relu_call(kt_layer *l, kt_trace *t) {
    const leaky_relu *s = kt_layer_state(l);
    t->out[0] = kt_activation_apply(s->f, t->in[0]);
    return kt_check(t->out[0]);
}

static const kt_field leaky_relu_fields[] = {KT_F(kt_leaky_relu_args, negative_slope), KT_F_END};

const kt_layer_class kt_class_leaky_relu = {
    .name = "LeakyReLU",
    .args_size = sizeof(kt_leaky_relu_args),
    .state_size = sizeof(leaky_relu),
    .fields = leaky_relu_fields,
    .defaults = &(const kt_leaky_relu_args){KT_LEAKY_RELU_DEFAULTS},
    .init = leaky_relu_init,
    .call = leaky_relu_call,
    .supports_masking = true,
};

kt_layer *kt_leaky_relu_new(const kt_leaky_relu_args *a) {
    return kt_layer_new(&kt_class_leaky_relu, a);
}
