/* Minimum: the smallest of two or more inputs; masked steps do not take part.
 * keras.layers.Minimum */
#include "nn/layers/merge.h"

#include <keratin/layers.h>

static kt_status minimum_call(kt_layer *l, kt_trace *t) {
    (void)l;
    return kt_merge_extreme(t, kt_op_minimum);
}

const kt_layer_class kt_class_minimum = {
    .name = "Minimum",
    .args_size = sizeof(kt_minimum_args),
    .build = kt_merge_build,
    .call = minimum_call,
    .min_inputs = 2,
    .max_inputs = KT_OP_MAX_IN,
    .supports_masking = true,
    .computes_mask = true,
};

kt_layer *kt_minimum_new(const kt_minimum_args *a) { return kt_layer_new(&kt_class_minimum, a); }
