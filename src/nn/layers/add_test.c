/* Add, and with it what all merging layers share: the contract, gradients, wrong inputs. */
#include "testing/kt_layers.h"

KT_TEST(add, keeps_the_layer_contract) {
    kt_check_layer(kt_add(), .input = {2, 3}, .input1 = {2, 3}, .output = {2, 3});
    kt_check_layer(
        kt_add(),
        .input = {2, 3, 4},
        .input1 = {2, 1, 4},
        .input2 = {2, 3, 1},
        .output = {2, 3, 4});
    kt_check_layer(kt_add(), .input = {2, 3, 4}, .input1 = {2, 4}, .output = {2, 3, 4});
    kt_check_layer(
        kt_add(), .input = {2, KT_NONE, 4}, .input1 = {2, KT_NONE, 1}, .output = {2, KT_NONE, 4});
}

KT_TEST(add, has_the_right_gradients) {
    kt_check_gradients(kt_add(), .input = {2, 3}, .input1 = {2, 3}, .input2 = {2, 3});
    kt_check_gradients(kt_add(), .input = {2, 3, 4}, .input1 = {2, 1, 4});
    kt_check_gradients(kt_add(), .input = {2, 4}, .input1 = {2, 3, 4});
    kt_check_gradients(kt_add(), .input = {1, 1}, .input1 = {1, 1});
    kt_check_gradients(
        kt_add(), .input = {KT_NONE, 3}, .input1 = {KT_NONE, 3}, .empty_batch = true);
}

KT_TEST(add, rejects_wrong_inputs) {
    kt_sym *a = kt_input({3}), *b = kt_input({4});
    kt_check_fails(kt_call(kt_add(), kt_list(a, b)), KT_ESHAPE, "incompatible shapes");
    kt_check_message_has("(None, 3) and (None, 4)");
    kt_check_fails(kt_call(kt_add(), a), KT_EINVAL, "inputs, got 1");
    kt_check_fails(kt_call(kt_add(), kt_list(a)), KT_EINVAL, "inputs, got 1");
    kt_check_fails(kt_call(kt_add()), KT_EINVAL, "got None");
}
