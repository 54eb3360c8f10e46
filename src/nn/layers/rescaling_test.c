/* Rescaling: the contract and gradients. Values: golden_test.c. */
#include "testing/kt_layers.h"

#include <math.h>

KT_TEST(rescaling, keeps_the_layer_contract) {
    kt_check_layer(kt_rescaling(0.5), .input = {2, 3}, .output = {2, 3});
    kt_check_layer(
        kt_rescaling(1.0 / 255, -1),
        .input = {2, KT_NONE, 1},
        .output = {2, KT_NONE, 1},
        .dtype = "uint8");
}

KT_TEST(rescaling, has_the_right_gradients) {
    kt_check_gradients(kt_rescaling(0.5, 3), .input = {3, 5});
    kt_check_gradients(kt_rescaling(-2), .input = {1, 1, 1});
    kt_check_gradients(kt_rescaling(-2), .input = {KT_NONE, 3}, .empty_batch = true);
}

KT_TEST(rescaling, turns_integers_into_floats) {
    kt_sym *y = kt_call(kt_rescaling(2), kt_input({3}, .dtype = "uint8"));
    assert_int_equal(kt_sym_dtype(y), KT_FLOAT32);
}

KT_TEST(rescaling, takes_a_number_for_each_channel) {
    kt_check_gradients(kt_rescaling(.scales = kt_floats(2, -1, 0.5), .offset = 1), .input = {2, 3});
    kt_check_fails(
        kt_call(kt_rescaling(.scales = kt_floats(2, 3)), kt_input({3})),
        KT_ESHAPE,
        "scales do not fit the input");
    kt_check_fails(
        kt_rescaling(.offsets = kt_floats(2, INFINITY)), KT_EINVAL, "offset: expected finite");
    kt_clear_session();
}
