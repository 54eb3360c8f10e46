/* Reshape: the contract, gradients, wrong arguments. Values: golden_test.c. */
#include "testing/kt_layers.h"

KT_TEST(reshape, keeps_the_layer_contract) {
    kt_check_layer(kt_reshape({3, 4}), .input = {2, 12}, .output = {2, 3, 4});
    kt_check_layer(kt_reshape({-1}), .input = {2, 3, 4}, .output = {2, 12});
    kt_check_layer(kt_reshape({-1, 2, 3}), .input = {2, 3, 4}, .output = {2, 2, 2, 3});
    kt_check_layer(kt_reshape({KT_SCALAR}), .input = {2, 1, 1}, .output = {2});
    kt_check_layer(kt_reshape({1, 1}), .input = {3}, .output = {3, 1, 1});
    kt_check_layer(
        kt_reshape({-1, 2}), .input = {2, KT_NONE, 4}, .output = {2, KT_NONE, 2}, .dtype = "int32");
}

KT_TEST(reshape, has_the_right_gradients) {
    kt_check_gradients(kt_reshape({4, 3}), .input = {2, 12});
    kt_check_gradients(kt_reshape({-1, 3}), .input = {KT_NONE, 12}, .empty_batch = true);
}

KT_TEST(reshape, rejects_what_does_not_fit) {
    kt_check_fails(kt_reshape(), KT_EINVAL, "target_shape: expected at least one dimension");
    kt_check_fails(kt_reshape({-1, -1}), KT_EINVAL, "only one dimension may be -1");
    kt_check_fails(kt_reshape({3, -2}), KT_EINVAL, "got -2");
    kt_check_fails(kt_reshape({1, 1, 1, 1, 1, 1, 1, 1}), KT_ELIMIT, "at most 7 axes");
    kt_check_fails(kt_call(kt_reshape({5, 2}), kt_input({3, 4})), KT_ESHAPE, "elements");
    kt_check_message_has("target_shape (5, 2)");
    kt_check_message_has("(3, 4), without the batch axis");
    kt_check_fails(kt_call(kt_reshape({-1, 5}), kt_input({3, 4})), KT_ESHAPE, "(-1, 5)");
}
