/* Concatenate: the contract, gradients, wrong arguments. Values: golden_test.c. */
#include "testing/kt_layers.h"

KT_TEST(concatenate, keeps_the_layer_contract) {
    kt_check_layer(kt_concatenate(), .input = {2, 3}, .input1 = {2, 4}, .output = {2, 7});
    kt_check_layer(
        kt_concatenate(1),
        .input = {2, 3, 4},
        .input1 = {2, 1, 4},
        .input2 = {2, 5, 4},
        .output = {2, 9, 4});
    kt_check_layer(
        kt_concatenate(),
        .input = {2, KT_NONE, 4},
        .input1 = {2, KT_NONE, 1},
        .output = {2, KT_NONE, 5});
    kt_check_layer(
        kt_concatenate(1),
        .input = {2, KT_NONE, 4},
        .input1 = {2, 3, 4},
        .output = {2, KT_NONE, 4});
    kt_check_layer(kt_concatenate(), .input = {2, 3}, .output = {2, 3});
}

KT_TEST(concatenate, has_the_right_gradients) {
    kt_check_gradients(kt_concatenate(), .input = {2, 3}, .input1 = {2, 1}, .input2 = {2, 5});
    kt_check_gradients(kt_concatenate(1), .input = {2, 3, 4}, .input1 = {2, 1, 4});
    kt_check_gradients(kt_concatenate(0), .input = {2, 3}, .input1 = {1, 3});
    kt_check_gradients(
        kt_concatenate(), .input = {KT_NONE, 3}, .input1 = {KT_NONE, 2}, .empty_batch = true);
}

KT_TEST(concatenate, rejects_wrong_arguments) {
    kt_sym *a = kt_input({2, 3}), *b = kt_input({2, 4}), *c = kt_input({3, 3}), *d = kt_input({3});
    kt_check_fails(kt_call(kt_concatenate(3), kt_list(a, b)), KT_EINVAL, "axis 3 is out of range");
    kt_check_fails(kt_call(kt_concatenate(-4), kt_list(a, b)), KT_EINVAL, "axis -4");
    kt_check_fails(
        kt_call(kt_concatenate(), kt_list(a, c)),
        KT_ESHAPE,
        "differ outside the concatenation axis");
    kt_check_message_has("(None, 2, 3) and (None, 3, 3)");
    kt_check_fails(
        kt_call(kt_concatenate(), kt_list(a, d)), KT_ESHAPE, "equal shapes but for axis -1");
}
