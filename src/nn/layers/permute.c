/* Permute: the axes of a sample in another order.  keras.layers.Permute */
#include "nn/layer.h"

#include <keratin/layers.h>

static kt_status permute_init(kt_layer *l) {
    const kt_permute_args *a = kt_layer_args(l);
    const kt_shape dims = kt_shape_of_field(a->dims);
    char s[KT_SHAPE_STR];
    int seen = 0;
    for (int i = 0; i < dims.ndim; i++)
        if (dims.dim[i] >= 1 && dims.dim[i] <= dims.ndim) seen |= 1 << dims.dim[i];
    kt_layer_set_spec(l, (kt_input_spec){.ndim = dims.ndim + 1});
    if (dims.ndim && dims.ndim < KT_MAX_RANK && seen == (2 << dims.ndim) - 2) return KT_OK;
    KT_FAIL(KT_EINVAL, "dims: expected each axis from 1 on once (the batch axis stays)");
    return kt_error_got("%s", kt_shape_str(&dims, s, sizeof s));
}

static kt_status permute_call(kt_layer *l, kt_trace *t) {
    const kt_permute_args *a = kt_layer_args(l);
    const kt_shape dims = kt_shape_of_field(a->dims);
    kt_shape axes = {dims.ndim + 1, {0}};
    for (int i = 0; i < dims.ndim; i++) axes.dim[i + 1] = dims.dim[i];
    t->out[0] = kt_op_transpose(t->in[0], axes);
    return kt_check(t->out[0]);
}

static const kt_field permute_fields[] = {KT_F(kt_permute_args, dims), KT_F_END};

const kt_layer_class kt_class_permute = {
    .name = "Permute",
    .args_size = sizeof(kt_permute_args),
    .fields = permute_fields,
    .init = permute_init,
    .call = permute_call,
};

kt_layer *kt_permute_new(const kt_permute_args *a) { return kt_layer_new(&kt_class_permute, a); }
