/* LayerScale, StochasticDepth, CustomScaleLayer: the contract, bad arguments. Numbers and files
 * against real Keras: make interop. */
#include "testing/kt_layers.h"

KT_TEST(applications, keep_the_layer_contract) {
    kt_check_layer(
        kt_layer_scale(0.5, 3),
        .input = {2, 4, 3},
        .output = {2, 4, 3},
        .n_trainable = 1,
        .n_params = 3);
    kt_check_layer(kt_stochastic_depth(0.3), .input = {2, 4, 3}, .output = {2, 4, 3});
}

KT_TEST(applications, refuse_bad_arguments) {
    kt_layer *l = kt_layer_scale(0.5, 4);
    assert_true(kt_failed(kt_layer_scale(0.5, 0)));
    kt_check_message_has("projection_dim");
    assert_true(kt_failed(kt_stochastic_depth(1.5)));
    kt_check_message_has("rate");
    kt_check_status(kt_layer_build(l, kt_dims(2, 3)), KT_ESHAPE);
    kt_check_message_has("projection_dim does not fit the input");
    kt_free(l);
}
