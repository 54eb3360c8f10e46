/* Subtract: the first input minus the second.  keras.layers.Subtract */
#include "nn/layers/merge.h"

#include <keratin/layers.h>

static kt_status subtract_call(kt_layer *l, kt_trace *t) {
    (void)l;
    const kt_status st = kt_merge_fold(t, kt_op_subtract);
    return st ? st : kt_merge_masks(t);
}

const kt_layer_class kt_class_subtract = {
    .name = "Subtract",
    .args_size = sizeof(kt_subtract_args),
    .build = kt_merge_build,
    .call = subtract_call,
    .min_inputs = 2,
    .max_inputs = 2,
    .supports_masking = true,
    .computes_mask = true,
};

kt_layer *kt_subtract_new(const kt_subtract_args *a) { return kt_layer_new(&kt_class_subtract, a); }
