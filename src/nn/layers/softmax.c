/* Softmax: exp(x) / sum(exp(x)) along an axis.  keras.layers.Softmax */
#include "nn/layer.h"

#include <keratin/layers.h>

static kt_status softmax_call(kt_layer *l, kt_trace *t) {
    const kt_softmax_args *a = kt_layer_args(l);
    t->out[0] = kt_op_softmax(t->in[0], a->axis);
    return kt_check(t->out[0]);
}

static const kt_field softmax_fields[] = {KT_F(kt_softmax_args, axis), KT_F_END};

const kt_layer_class kt_class_softmax = {
    .name = "Softmax",
    .args_size = sizeof(kt_softmax_args),
    .fields = softmax_fields,
    .defaults = &(const kt_softmax_args){KT_SOFTMAX_DEFAULTS},
    .call = softmax_call,
    .supports_masking = true,
};

kt_layer *kt_softmax_new(const kt_softmax_args *a) { return kt_layer_new(&kt_class_softmax, a); }
