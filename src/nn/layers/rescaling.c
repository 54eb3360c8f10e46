/* Rescaling: x * scale + offset, in the layer's dtype.  keras.layers.Rescaling */
#include "nn/layer.h"

#include <keratin/layers.h>

#include <math.h>

static kt_status rescaling_init(kt_layer *l) {
    const kt_rescaling_args *a = kt_layer_args(l);
    if (!isfinite(a->scale))
        return KT_FAIL(KT_EINVAL, "scale: expected a finite number, got %g", a->scale);
    if (!isfinite(a->offset))
        return KT_FAIL(KT_EINVAL, "offset: expected a finite number, got %g", a->offset);
    return KT_OK;
}

static kt_status rescaling_call(kt_layer *l, kt_trace *t) {
    const kt_rescaling_args *a = kt_layer_args(l);
    kt_sym *x = kt_op_cast(t->in[0], kt_dtype_name(kt_layer_dtype(l)));
    t->out[0] = kt_op_add(kt_op_multiply(x, kt_num(a->scale)), kt_num(a->offset));
    return kt_check(t->out[0]);
}

static const kt_field rescaling_fields[] = {
    KT_F(kt_rescaling_args, scale), KT_F(kt_rescaling_args, offset), KT_F_END};

const kt_layer_class kt_class_rescaling = {
    .name = "Rescaling",
    .args_size = sizeof(kt_rescaling_args),
    .fields = rescaling_fields,
    .init = rescaling_init,
    .call = rescaling_call,
    .supports_masking = true,
};

kt_layer *kt_rescaling_new(const kt_rescaling_args *a) {
    return kt_layer_new(&kt_class_rescaling, a);
}
