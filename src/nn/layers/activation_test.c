/* Activation: the contract, gradients, wrong arguments. Values: golden_test.c. */
#include "testing/kt_layers.h"

static kt_sym *twice(kt_sym *x, void *data) {
    (void)data;
    return kt_op_multiply(x, kt_num(2));
}

KT_TEST(activation, keeps_the_layer_contract) {
    kt_check_layer(kt_activation("relu"), .input = {2, 3}, .output = {2, 3});
    kt_check_layer(kt_activation("softmax"), .input = {2, KT_NONE, 1}, .output = {2, KT_NONE, 1});
    kt_check_layer(kt_activation(), .input = {2, 3}, .output = {2, 3}); /* None is linear */
    kt_check_layer(kt_activation(kt_act_custom(twice)), .input = {2, 3}, .output = {2, 3});
}

KT_TEST(activation, has_the_right_gradients) {
    static const char *const names[] = {
        "relu",
        "tanh",
        "sigmoid",
        "softmax",
        "elu",
        "selu",
        "gelu",
        "silu",
        "softplus",
        "exponential",
        "linear"};
    for (int i = 0; i < (int)(sizeof names / sizeof names[0]); i++) {
        kt_check_gradients(kt_activation(names[i]), .input = {3, 5});
        kt_check_gradients(kt_activation(names[i]), .input = {1, 1});
        kt_check_gradients(kt_activation(names[i]), .input = {KT_NONE, 3}, .empty_batch = true);
    }
}

KT_TEST(activation, rejects_wrong_arguments) {
    kt_check_fails(kt_activation("sigmod"), KT_EINVAL, "did you mean \"sigmoid\"?");
    kt_check_fails(kt_activation("no such thing at all"), KT_EINVAL, "unknown name");
    kt_check_fails(kt_activation(kt_loss_mean_squared_error()), KT_EINVAL, "got a loss");
}
