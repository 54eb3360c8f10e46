/* Curves from 0 to 1:
 *
 *   sigmoid         1 / (1 + e^-x)
 *   hard_sigmoid    min(max(x + 3, 0), 6) / 6
 *   keras2_hard_sigmoid  min(max(x / 5 + 1/2, 0), 1): what hard_sigmoid was in Keras 1 and 2; their
 *                        files mean this one (src/saving/legacy_layers.c)
 *   sparse_sigmoid  min(max(x + 1, 0), 2) / 2
 *   log_sigmoid     -softplus(-x), which does not underflow
 *
 * Keras: sigmoid, hard_sigmoid, sparse_sigmoid, log_sigmoid. sigmoid is the primitive: losses
 * recognise it and compute with the logits. The cut ones have slope 0 at both kinks, as
 * TensorFlow's. */
#include "nn/activations/activation.h"

static kt_sym *sigmoid_apply(const kt_component *c, kt_sym *x) {
    (void)c;
    return kt_op_sigmoid(x);
}

static kt_sym *hard_sigmoid_apply(const kt_component *c, kt_sym *x) {
    (void)c;
    return kt_op_divide(kt_act_cut6(kt_act_shift(x, 3)), kt_num(6));
}

static kt_sym *keras2_hard_sigmoid_apply(const kt_component *c, kt_sym *x) {
    (void)c;
    kt_sym *y = kt_act_shift(kt_act_scale(x, 0.2), 0.5);
    return kt_op_minimum(kt_num(1), kt_op_relu(y));
}

static kt_sym *sparse_sigmoid_apply(const kt_component *c, kt_sym *x) {
    (void)c;
    return kt_act_scale(kt_op_minimum(kt_num(2), kt_op_relu(kt_act_shift(x, 1))), 0.5);
}

static kt_sym *log_sigmoid_apply(const kt_component *c, kt_sym *x) {
    (void)c;
    return kt_op_negative(kt_op_softplus(kt_op_negative(x)));
}

KT_ACT_PLAIN(sigmoid, NULL, sigmoid_apply)
KT_ACT_PLAIN(hard_sigmoid, NULL, hard_sigmoid_apply)
KT_ACT_PLAIN(keras2_hard_sigmoid, NULL, keras2_hard_sigmoid_apply)
KT_ACT_PLAIN(sparse_sigmoid, NULL, sparse_sigmoid_apply)
KT_ACT_PLAIN(log_sigmoid, NULL, log_sigmoid_apply)
