/* Average: the mean of two or more inputs.  keras.layers.Average */
#include "nn/layers/merge.h"

#include <keratin/layers.h>

static kt_status average_call(kt_layer *l, kt_trace *t) {
    (void)l;
    const kt_status st = kt_merge_fold(t, kt_op_add);
    if (st) return st;
    t->out[0] = kt_op_divide(t->out[0], kt_num(t->n_in));
    return kt_merge_masks(t);
}

const kt_layer_class kt_class_average = {
    .name = "Average",
    .args_size = sizeof(kt_average_args),
    .build = kt_merge_build,
    .call = average_call,
    .min_inputs = 2,
    .max_inputs = KT_OP_MAX_IN,
    .supports_masking = true,
    .computes_mask = true,
};

kt_layer *kt_average_new(const kt_average_args *a) { return kt_layer_new(&kt_class_average, a); }
