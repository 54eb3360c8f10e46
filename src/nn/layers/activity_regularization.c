/* ActivityRegularization: gives back what it got, and adds l1 sum |x| + l2 sum x^2, divided by the
 * batch size, to the loss.  keras.layers.ActivityRegularization */
#include "nn/layer.h"

#include <keratin/layers.h>
#include <keratin/regularizers.h>

static kt_status activity_regularization_init(kt_layer *l) {
    const kt_activity_regularization_args *a = kt_layer_args(l);
    return kt_layer_activity(l, kt_reg_l1_l2(.l1 = a->l1, .l2 = a->l2));
}

static kt_status activity_regularization_call(kt_layer *l, kt_trace *t) {
    (void)l;
    t->out[0] = t->in[0];
    return KT_OK;
}

#define F(name) KT_F(kt_activity_regularization_args, name)
static const kt_field activity_regularization_fields[] = {F(l1), F(l2), KT_F_END};
#undef F

const kt_layer_class kt_class_activity_regularization = {
    .name = "ActivityRegularization",
    .args_size = sizeof(kt_activity_regularization_args),
    .fields = activity_regularization_fields,
    .init = activity_regularization_init,
    .call = activity_regularization_call,
    .supports_masking = true,
    .ends_in_name = true, /* l1 and l2 say what it is */
};

kt_layer *kt_activity_regularization_new(const kt_activity_regularization_args *a) {
    return kt_layer_new(&kt_class_activity_regularization, a);
}
