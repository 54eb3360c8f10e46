/* Pipeline: the same as its layers one after the other. */
#include "testing/kt_layers.h"

KT_TEST(pipeline, is_its_layers_in_a_row) {
    kt_check_layer(
        kt_pipeline(kt_list(kt_dense(4), kt_dense(3))),
        .input = {2, 5},
        .output = {2, 3},
        .n_trainable = 4);
    kt_check_layer(
        kt_pipeline(kt_list(kt_resizing(4, 3), kt_auto_contrast())),
        .input = {KT_NONE, 9, 5, 3},
        .output = {KT_NONE, 4, 3, 3});
}

KT_TEST(pipeline, passes_training_on) {
    kt_sym *in = kt_input({4, 4, 3});
    kt_layer *p = kt_pipeline(
        kt_list(kt_random_invert(.factors = kt_floats(1, 1)), kt_rescaling(2)));
    kt_model *on = kt_functional(in, kt_call(p, in, .training = true));
    kt_model *off = kt_functional(in, kt_call(p, in, .training = false));
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(1, 4, 4, 3), NULL);
    for (int i = 0; i < 48; i++) kt_tensor_set(x, i, i);
    kt_tensor *y = kt_model_predict(on, x, .verbose = 0);
    kt_tensor *z = kt_model_predict(off, x, .verbose = 0);
    for (int i = 0; i < 48; i++) {
        assert_true(kt_tensor_get(y, i) == 2 * (255 - i));
        assert_true(kt_tensor_get(z, i) == 2 * i);
    }
    kt_free(x);
    kt_free(y);
    kt_free(z);
    kt_free(on);
    kt_free(off);
}

KT_TEST(pipeline, wrong_arguments) {
    kt_check_fails(kt_pipeline(.name = "p"), KT_EINVAL, "layers: expected a list");
    kt_check_fails(kt_pipeline(kt_list("relu")), KT_EINVAL, "layers: expected a layer");
}
