/* MaxPooling2D: the contract, gradients, wrong arguments. Values: golden_test.c. */
#include "testing/kt_layers.h"

KT_TEST(max_pooling2d, keeps_the_layer_contract) {
    kt_check_layer(kt_max_pooling2d(), .input = {2, 7, 6, 3}, .output = {2, 3, 3, 3});
    kt_check_layer(kt_max_pooling2d(3, 2, "same"), .input = {2, 7, 6, 3}, .output = {2, 4, 3, 3});
    kt_check_layer(
        kt_max_pooling2d(kt_hw(3, 2), 1, .data_format = "channels_first"),
        .input = {2, 3, 7, 6},
        .output = {2, 3, 5, 5});
    kt_check_layer(
        kt_max_pooling2d(.padding = "same"),
        .input = {2, KT_NONE, KT_NONE, 3},
        .output = {2, KT_NONE, KT_NONE, 3});
}

KT_TEST(max_pooling2d, has_the_right_gradients) {
    kt_check_gradients(kt_max_pooling2d(), .input = {2, 5, 4, 3});
    kt_check_gradients(kt_max_pooling2d(3, 1, "same"), .input = {1, 4, 5, 2});
    kt_check_gradients(kt_max_pooling2d(), .input = {KT_NONE, 4, 4, 2}, .empty_batch = true);
}

KT_TEST(max_pooling2d, rejects_what_does_not_fit) {
    kt_check_fails(kt_max_pooling2d(0), KT_EINVAL, "pool_size: expected a positive integer");
    kt_check_fails(kt_max_pooling2d(2, 0), KT_EINVAL, "strides: expected a positive integer");
    kt_check_fails(kt_max_pooling2d(.padding = "causal"), KT_EINVAL, "\"valid\" or \"same\"");
    kt_check_fails(kt_max_pooling2d(.data_format = "last"), KT_EINVAL, "data_format");
    kt_check_fails(kt_call(kt_max_pooling2d(), kt_input({4, 4})), KT_ESHAPE, "4 axes");
    kt_check_fails(
        kt_call(kt_max_pooling2d(kt_hw(3, 2)), kt_input({2, 8, 1})),
        KT_ESHAPE,
        "the window is larger than the input");
    kt_check_message_has("fits into 2 x 8");
    kt_check_message_has("a window of 3 x 2");
}
