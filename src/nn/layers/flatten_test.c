/* Flatten: the contract, gradients, wrong arguments. Values: golden_test.c. */
#include "testing/kt_layers.h"

KT_TEST(flatten, keeps_the_layer_contract) {
    kt_check_layer(kt_flatten(), .input = {2, 3, 4}, .output = {2, 12});
    kt_check_layer(kt_flatten(), .input = {3, 5}, .output = {3, 5});
    kt_check_layer(kt_flatten(), .input = {2, 1, 1, 1}, .output = {2, 1});
    kt_check_layer(kt_flatten("channels_first"), .input = {2, 3, 4, 5}, .output = {2, 60});
    kt_check_layer(kt_flatten(), .input = {2, 3}, .output = {2, 3}, .dtype = "int32");
}

KT_TEST(flatten, leaves_open_axes_open) {
    kt_check_layer(kt_flatten(), .input = {2, KT_NONE, 4}, .output = {2, KT_NONE});
    kt_check_layer(kt_flatten("channels_last"), .input = {2, KT_NONE}, .output = {2, KT_NONE});
}

KT_TEST(flatten, has_the_right_gradients) {
    kt_check_gradients(kt_flatten(), .input = {2, 3, 2});
    kt_check_gradients(kt_flatten("channels_first"), .input = {2, 3, 1, 4});
    kt_check_gradients(kt_flatten(), .input = {3});
    kt_check_gradients(kt_flatten(), .input = {KT_NONE, 3, 2}, .empty_batch = true);
}

KT_TEST(flatten, rejects_wrong_arguments) {
    kt_check_fails(kt_flatten("channel_last"), KT_EINVAL, "data_format");
    kt_check_message_has("\"channels_last\" or \"channels_first\"");
}
