/* ELU: x, or alpha (e^x - 1) where x is negative.  keras.layers.ELU */
#include "nn/layer.h"

#include <keratin/layers.h>

typedef struct {
    const kt_component *f;
} elu;

static kt_status elu_init(kt_layer *l) {
    elu *s = kt_layer_state(l);
    const kt_elu_args *a = kt_layer_args(l);
    return kt_layer_activation(l, &s->f, kt_act_elu(a->alpha));
}

static kt_status elu_call(kt_layer *l, kt_trace *t) {
    const elu *s = kt_layer_state(l);
    t->out[0] = kt_activation_apply(s->f, t->in[0]);
    return kt_check(t->out[0]);
}

static const kt_field elu_fields[] = {KT_F(kt_elu_args, alpha), KT_F_END};

const kt_layer_class kt_class_elu = {
    .name = "ELU",
    .args_size = sizeof(kt_elu_args),
    .state_size = sizeof(elu),
    .fields = elu_fields,
    .defaults = &(const kt_elu_args){KT_ELU_DEFAULTS},
    .init = elu_init,
    .call = elu_call,
    .supports_masking = true,
};

kt_layer *kt_elu_new(const kt_elu_args *a) { return kt_layer_new(&kt_class_elu, a); }
