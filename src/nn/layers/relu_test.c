/* ReLU: the contract, gradients, wrong arguments. Values: golden_test.c. */
#include "testing/kt_layers.h"

#include <math.h>

KT_TEST(relu_layer, keeps_the_layer_contract) {
    kt_check_layer(kt_relu(), .input = {2, 3}, .output = {2, 3});
    kt_check_layer(kt_relu(6, 0.1, 0.5), .input = {2, KT_NONE, 1}, .output = {2, KT_NONE, 1});
}

KT_TEST(relu_layer, has_the_right_gradients) {
    kt_check_gradients(kt_relu(), .input = {3, 5});
    kt_check_gradients(kt_relu(1.5), .input = {3, 5});
    kt_check_gradients(kt_relu(.negative_slope = 0.3), .input = {3, 1, 5});
    kt_check_gradients(kt_relu(1.5, 0.2, 0.4), .input = {3, 7});
    kt_check_gradients(kt_relu(1.5, 0.2, 0.4), .input = {KT_NONE, 7}, .empty_batch = true);
}

KT_TEST(relu_layer, rejects_wrong_arguments) {
    kt_check_fails(kt_relu(-1), KT_EINVAL, "max_value: expected None or a number >= 0, got -1");
    kt_check_fails(kt_relu(.negative_slope = -0.1), KT_EINVAL, "negative_slope");
    kt_check_fails(kt_relu(.threshold = -2), KT_EINVAL, "threshold");
    kt_check_fails(kt_relu(NAN), KT_EINVAL, "max_value");
    kt_check_fails(kt_relu(.negative_slope = NAN), KT_EINVAL, "negative_slope");
    kt_check_fails(kt_relu(.threshold = NAN), KT_EINVAL, "threshold");
}
