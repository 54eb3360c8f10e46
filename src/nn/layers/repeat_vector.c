/* RepeatVector: n times the same row: (batch, features) to (batch, n, features).
 * keras.layers.RepeatVector */
#include "nn/layer.h"

#include <keratin/layers.h>

static kt_status repeat_vector_init(kt_layer *l) {
    const kt_repeat_vector_args *a = kt_layer_args(l);
    kt_layer_set_spec(l, (kt_input_spec){.ndim = 2});
    if (a->n > 0) return KT_OK;
    return KT_FAIL(KT_EINVAL, "n: expected a positive integer, got %d", a->n);
}

static kt_status repeat_vector_call(kt_layer *l, kt_trace *t) {
    const kt_repeat_vector_args *a = kt_layer_args(l);
    const kt_shape s = kt_sym_shape(t->in[0]);
    kt_sym *row = kt_op_expand_dims(t->in[0], 1);
    t->out[0] = kt_op_broadcast_to(row, kt_dims(s.dim[0], a->n, s.dim[1]));
    return kt_check(t->out[0]);
}

static const kt_field repeat_vector_fields[] = {KT_F(kt_repeat_vector_args, n), KT_F_END};

const kt_layer_class kt_class_repeat_vector = {
    .name = "RepeatVector",
    .args_size = sizeof(kt_repeat_vector_args),
    .fields = repeat_vector_fields,
    .init = repeat_vector_init,
    .call = repeat_vector_call,
};

kt_layer *kt_repeat_vector_new(const kt_repeat_vector_args *a) {
    return kt_layer_new(&kt_class_repeat_vector, a);
}
