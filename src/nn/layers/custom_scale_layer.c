/* CustomScaleLayer: x + scale y.  keras.applications: InceptionResNetV2 */
#include "nn/layer.h"

#include <keratin/layers.h>

static kt_status custom_scale_layer_call(kt_layer *l, kt_trace *t) {
    const kt_custom_scale_layer_args *a = kt_layer_args(l);
    t->out[0] = kt_op_add(t->in[0], kt_op_multiply(t->in[1], kt_num(a->scale)));
    return kt_check(t->out[0]);
}

static const kt_field custom_scale_layer_fields[] = {
    KT_F(kt_custom_scale_layer_args, scale), KT_F_END};

const kt_layer_class kt_class_custom_scale_layer = {
    .name = "CustomScaleLayer",
    .args_size = sizeof(kt_custom_scale_layer_args),
    .fields = custom_scale_layer_fields,
    .call = custom_scale_layer_call,
    .min_inputs = 2,
    .max_inputs = 2,
};

kt_layer *kt_custom_scale_layer_new(const kt_custom_scale_layer_args *a) {
    return kt_layer_new(&kt_class_custom_scale_layer, a);
}
