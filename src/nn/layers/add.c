/* Add: the sum of two or more inputs.  keras.layers.Add
 *
 * Inputs of fewer axes get axes of length 1 after the batch axis, as Keras' merging layers do. */
#include "nn/layers/merge.h"

#include <keratin/layers.h>

static kt_status add_call(kt_layer *l, kt_trace *t) {
    (void)l;
    const kt_status st = kt_merge_fold(t, kt_op_add);
    return st ? st : kt_merge_masks(t);
}

const kt_layer_class kt_class_add = {
    .name = "Add",
    .args_size = sizeof(kt_add_args),
    .build = kt_merge_build,
    .call = add_call,
    .min_inputs = 2,
    .max_inputs = KT_OP_MAX_IN,
    .supports_masking = true,
    .computes_mask = true,
};

kt_layer *kt_add_new(const kt_add_args *a) { return kt_layer_new(&kt_class_add, a); }
