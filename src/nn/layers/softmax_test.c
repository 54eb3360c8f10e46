/* Softmax: the contract, gradients, wrong arguments. Values: golden_test.c. */
#include "testing/kt_layers.h"

KT_TEST(softmax_layer, keeps_the_layer_contract) {
    kt_check_layer(kt_softmax(), .input = {2, 3}, .output = {2, 3});
    kt_check_layer(kt_softmax(1), .input = {2, KT_NONE, 4}, .output = {2, KT_NONE, 4});
    kt_check_layer(kt_softmax(), .input = {2, 1}, .output = {2, 1});
}

KT_TEST(softmax_layer, has_the_right_gradients) {
    kt_check_gradients(kt_softmax(), .input = {3, 5});
    kt_check_gradients(kt_softmax(1), .input = {2, 3, 4});
    kt_check_gradients(kt_softmax(-3), .input = {2, 3, 4});
    kt_check_gradients(kt_softmax(1), .input = {2, 1, 4});
    kt_check_gradients(kt_softmax(), .input = {KT_NONE, 4}, .empty_batch = true);
    kt_check_gradients(kt_softmax(0), .input = {KT_NONE, 4}, .empty_batch = true);
}

KT_TEST(softmax_layer, rejects_wrong_axes) {
    kt_check_fails(kt_call(kt_softmax(2), kt_input({3})), KT_EINVAL, "axis 2 is out of range");
    kt_check_message_has("in layer Softmax");
    kt_check_message_has("(None, 3)");
    kt_check_fails(kt_call(kt_softmax(-3), kt_input({3})), KT_EINVAL, "axis -3 is out of range");
}
