/* Maximum: the largest of two or more inputs; masked steps do not take part.
 * keras.layers.Maximum */
#include "nn/layers/merge.h"

#include <keratin/layers.h>

static kt_status maximum_call(kt_layer *l, kt_trace *t) {
    (void)l;
    return kt_merge_extreme(t, kt_op_maximum);
}

const kt_layer_class kt_class_maximum = {
    .name = "Maximum",
    .args_size = sizeof(kt_maximum_args),
    .build = kt_merge_build,
    .call = maximum_call,
    .min_inputs = 2,
    .max_inputs = KT_OP_MAX_IN,
    .supports_masking = true,
    .computes_mask = true,
};

kt_layer *kt_maximum_new(const kt_maximum_args *a) { return kt_layer_new(&kt_class_maximum, a); }
