/* tanh; hard_tanh: x cut to -1 … 1 (slope 1 at the kinks); tanh_shrink: x - tanh(x).
 * Keras: tanh, hard_tanh, tanh_shrink. */
#include "nn/activations/activation.h"

static kt_sym *tanh_apply(const kt_component *c, kt_sym *x) {
    (void)c;
    return kt_op_tanh(x);
}

static kt_sym *hard_tanh_apply(const kt_component *c, kt_sym *x) {
    (void)c;
    return kt_op_clip(x, -1, 1);
}

static kt_sym *tanh_shrink_apply(const kt_component *c, kt_sym *x) {
    (void)c;
    return kt_op_subtract(x, kt_op_tanh(x));
}

KT_ACT_PLAIN(tanh, NULL, tanh_apply)
KT_ACT_PLAIN(hard_tanh, NULL, hard_tanh_apply)
KT_ACT_PLAIN(tanh_shrink, NULL, tanh_shrink_apply)
