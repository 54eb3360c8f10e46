/* Flatten: all axes but the batch axis become one.  keras.layers.Flatten */
#include "nn/layer.h"

#include <keratin/layers.h>

#include <string.h>

static kt_status flatten_init(kt_layer *l) {
    const kt_flatten_args *a = kt_layer_args(l);
    kt_layer_set_spec(l, (kt_input_spec){.min_ndim = 1});
    if (!a->data_format || !strcmp(a->data_format, "channels_last") ||
        !strcmp(a->data_format, "channels_first"))
        return KT_OK;
    KT_FAIL(KT_EINVAL, "data_format: unknown value \"%.60s\"", a->data_format);
    return kt_error_expected("\"channels_last\" or \"channels_first\"");
}

/* channels_first: the channel axis goes last before flattening, so that weights of a following
 * Dense fit whichever way the pictures lie. */
static kt_status flatten_call(kt_layer *l, kt_trace *t) {
    const kt_flatten_args *a = kt_layer_args(l);
    kt_sym *x = t->in[0];
    const int nd = kt_sym_shape(x).ndim;
    if (a->data_format && !strcmp(a->data_format, "channels_first") && nd > 2) {
        kt_shape axes = {nd, {0}};
        for (int i = 1; i + 1 < nd; i++) axes.dim[i] = i + 1;
        axes.dim[nd - 1] = 1;
        x = kt_op_transpose(x, axes);
    }
    const int64_t batch = kt_sym_shape(x).dim[0];
    int64_t rest = 1; /* not -1: an empty batch would leave it open */
    for (int i = 1; i < nd; i++) rest *= kt_sym_shape(x).dim[i];
    t->out[0] = kt_op_reshape(x, kt_dims(batch, rest));
    return kt_check(t->out[0]);
}

static const kt_field flatten_fields[] = {KT_F(kt_flatten_args, data_format), KT_F_END};

const kt_layer_class kt_class_flatten = {
    .name = "Flatten",
    .args_size = sizeof(kt_flatten_args),
    .fields = flatten_fields,
    .defaults = &(const kt_flatten_args){KT_FLATTEN_DEFAULTS},
    .init = flatten_init,
    .call = flatten_call,
};

kt_layer *kt_flatten_new(const kt_flatten_args *a) { return kt_layer_new(&kt_class_flatten, a); }
