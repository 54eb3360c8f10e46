/* Multiply: the product of two or more inputs.  keras.layers.Multiply
 *
 * A masked step of an input counts as 1. Where all inputs have masks, what all of them cut off is
 * 0. */
#include "nn/layers/merge.h"

#include <keratin/layers.h>

static kt_status multiply_call(kt_layer *l, kt_trace *t) {
    (void)l;
    const kt_status st = kt_merge_masks(t);
    if (st) return st;
    kt_sym *y = NULL;
    for (int i = 0; i < t->n_in; i++) {
        kt_sym *x = kt_merge_input(t, i), *mask = kt_merge_mask(t, i);
        if (mask && x == t->in[i]) x = kt_op_where(kt_op_expand_dims(mask, -1), x, kt_num(1));
        y = y ? kt_op_multiply(y, x) : x;
    }
    if (t->out_mask[0]) y = kt_op_where(kt_op_expand_dims(t->out_mask[0], -1), y, kt_num(0));
    t->out[0] = y;
    return kt_check(y);
}

const kt_layer_class kt_class_multiply = {
    .name = "Multiply",
    .args_size = sizeof(kt_multiply_args),
    .build = kt_merge_build,
    .call = multiply_call,
    .min_inputs = 2,
    .max_inputs = KT_OP_MAX_IN,
    .supports_masking = true,
    .computes_mask = true,
};

kt_layer *kt_multiply_new(const kt_multiply_args *a) { return kt_layer_new(&kt_class_multiply, a); }
