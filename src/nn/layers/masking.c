/* Masking: a time step whose features all equal mask_value is masked, and becomes zeros.
 * keras.layers.Masking */
#include "nn/layer.h"

#include <keratin/layers.h>

static kt_status masking_init(kt_layer *l) {
    kt_layer_set_spec(l, (kt_input_spec){.min_ndim = 2});
    return KT_OK;
}

static kt_status masking_call(kt_layer *l, kt_trace *t) {
    const kt_masking_args *a = kt_layer_args(l);
    kt_graph *g = kt_tracer_current()->g;
    kt_val *x = kt_g_cast(g, kt_unwrap(t->in[0], NULL), kt_layer_dtype(l)); /* integers too */
    kt_val *differs = kt_g_ne(g, x, x ? kt_g_num(g, a->mask_value, x) : NULL);
    kt_val *count = x ? kt_g_sum(g, kt_g_cast(g, differs, KT_INT32), kt_axis_bit(g, x, -1), true)
                      : NULL;
    kt_val *valid = count ? kt_g_ne(g, count, kt_g_num(g, 0, count)) : NULL;
    t->out[0] = kt_wrap(valid ? kt_g_select(g, valid, x, kt_g_num(g, 0, x)) : NULL);
    if (valid) t->out_mask[0] = kt_wrap(kt_g_squeeze(g, valid, -1));
    return kt_check(t->out[0]);
}

static const kt_field masking_fields[] = {KT_F(kt_masking_args, mask_value), KT_F_END};

const kt_layer_class kt_class_masking = {
    .name = "Masking",
    .args_size = sizeof(kt_masking_args),
    .fields = masking_fields,
    .defaults = &(const kt_masking_args){KT_MASKING_DEFAULTS},
    .init = masking_init,
    .call = masking_call,
    .supports_masking = true,
    .computes_mask = true,
};

kt_layer *kt_masking_new(const kt_masking_args *a) { return kt_layer_new(&kt_class_masking, a); }
