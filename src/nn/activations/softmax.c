/* softmax: e^x / sum(e^x) along an axis; log_softmax: its logarithm.  Keras: softmax, log_softmax.
 *
 * Both are primitives: kernels subtract the maximum first, and the cross-entropy losses recognise
 * softmax and compute with what it was applied to. */
#include "nn/activations/activation.h"

typedef kt_act_axis_args axis_args;

static kt_sym *softmax_apply(const kt_component *c, kt_sym *x) {
    return kt_op_softmax(x, ((const axis_args *)kt_args_of(c))->axis);
}

static kt_sym *log_softmax_apply(const kt_component *c, kt_sym *x) {
    return kt_op_log_softmax(x, ((const axis_args *)kt_args_of(c))->axis);
}

static const kt_field axis_fields[] = {KT_F(axis_args, axis), KT_F_END};
static const axis_args axis_defaults = {.size = sizeof(axis_args), KT_ACT_AXIS_DEFAULTS};

KT_ACT(softmax, axis_args, axis_fields, &axis_defaults, softmax_apply)
KT_ACT(log_softmax, axis_args, axis_fields, &axis_defaults, log_softmax_apply)
