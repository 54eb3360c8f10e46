/* Identity: gives back what it got.  keras.layers.Identity */
#include "nn/layer.h"

#include <keratin/layers.h>

static kt_status identity_call(kt_layer *l, kt_trace *t) {
    (void)l;
    t->out[0] = t->in[0];
    return KT_OK;
}

static const kt_field identity_fields[] = {KT_F_END};

const kt_layer_class kt_class_identity = {
    .name = "Identity",
    .args_size = sizeof(kt_identity_args),
    .fields = identity_fields,
    .call = identity_call,
    .supports_masking = true,
};

kt_layer *kt_identity_new(const kt_identity_args *a) { return kt_layer_new(&kt_class_identity, a); }
