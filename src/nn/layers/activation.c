/* Activation: any activation function as a layer.  keras.layers.Activation */
#include "nn/layer.h"

#include <keratin/layers.h>

typedef struct {
    const kt_component *activation;
} activation;

static kt_status activation_init(kt_layer *l) {
    const kt_activation_args *a = kt_layer_args(l);
    activation *s = kt_layer_state(l);
    return kt_layer_activation(l, &s->activation, a->activation);
}

static kt_status activation_call(kt_layer *l, kt_trace *t) {
    const activation *s = kt_layer_state(l);
    t->out[0] = kt_activation_apply(s->activation, t->in[0]);
    return kt_check(t->out[0]);
}

static const kt_field activation_fields[] = {KT_F(kt_activation_args, activation), KT_F_END};

const kt_layer_class kt_class_activation = {
    .name = "Activation",
    .args_size = sizeof(kt_activation_args),
    .state_size = sizeof(activation),
    .fields = activation_fields,
    .defaults = &(const kt_activation_args){KT_ACTIVATION_DEFAULTS},
    .init = activation_init,
    .call = activation_call,
    .supports_masking = true,
};

kt_layer *kt_activation_new(const kt_activation_args *a) {
    return kt_layer_new(&kt_class_activation, a);
}
