/* Concatenate: inputs one after the other along an axis.  keras.layers.Concatenate */
#include "nn/layer.h"

#include <keratin/layers.h>

static kt_status concatenate_build(kt_layer *l, const kt_shape *in) {
    const kt_concatenate_args *a = kt_layer_args(l);
    const int axis = kt_axis(a->axis, in[0].ndim);
    char sa[KT_SHAPE_STR], sb[KT_SHAPE_STR];
    if (axis < 0)
        return KT_FAIL(
            KT_EINVAL,
            "axis %d is out of range for shape %s",
            a->axis,
            kt_shape_str(&in[0], sa, sizeof sa));
    for (int i = 1; i < kt_layer_n_inputs(l); i++) {
        bool ok = in[i].ndim == in[0].ndim;
        for (int d = 0; ok && d < in[0].ndim; d++)
            ok = d == axis || in[i].dim[d] == in[0].dim[d] || in[i].dim[d] == KT_NONE ||
                 in[0].dim[d] == KT_NONE;
        if (ok) continue;
        KT_FAIL(KT_ESHAPE, "inputs differ outside the concatenation axis");
        kt_error_expected("equal shapes but for axis %d", a->axis);
        return kt_error_got(
            "%s and %s", kt_shape_str(&in[0], sa, sizeof sa), kt_shape_str(&in[i], sb, sizeof sb));
    }
    return KT_OK;
}

static kt_status concatenate_call(kt_layer *l, kt_trace *t) {
    const kt_concatenate_args *a = kt_layer_args(l);
    const void *items[KT_OP_MAX_IN];
    for (int i = 0; i < t->n_in; i++) items[i] = t->in[i];
    t->out[0] = kt_op_concatenate(kt_list_of(t->n_in, items), a->axis);
    return kt_check(t->out[0]);
}

static const kt_field concatenate_fields[] = {KT_F(kt_concatenate_args, axis), KT_F_END};

const kt_layer_class kt_class_concatenate = {
    .name = "Concatenate",
    .args_size = sizeof(kt_concatenate_args),
    .fields = concatenate_fields,
    .defaults = &(const kt_concatenate_args){KT_CONCATENATE_DEFAULTS},
    .build = concatenate_build,
    .call = concatenate_call,
    .min_inputs = 1,
    .max_inputs = KT_OP_MAX_IN,
    .supports_masking = true,
};

kt_layer *kt_concatenate_new(const kt_concatenate_args *a) {
    return kt_layer_new(&kt_class_concatenate, a);
}
