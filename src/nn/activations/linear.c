/* linear: x.  exponential: e^x.  Keras: linear, exponential. */
#include "nn/activations/activation.h"

static kt_sym *linear_apply(const kt_component *c, kt_sym *x) {
    (void)c;
    return x;
}

static kt_sym *exponential_apply(const kt_component *c, kt_sym *x) {
    (void)c;
    return kt_op_exp(x);
}

KT_ACT_PLAIN(linear, NULL, linear_apply)
KT_ACT_PLAIN(exponential, NULL, exponential_apply)
