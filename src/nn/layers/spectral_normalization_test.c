/* SpectralNormalization: the contract, one step by hand, what is refused. Training against real
 * Keras, and files: make interop. */
#include "testing/kt_layers.h"
#include "testing/kt_models.h"

#include <math.h>

KT_TEST(spectral_normalization, keeps_the_layer_contract) {
    kt_check_layer(
        kt_spectral_normalization(kt_dense(4, .use_bias = false)),
        .input = {2, 3},
        .output = {2, 4},
        .n_trainable = 1,
        .n_other = 1,
        .n_params = 16);
    kt_check_layer(
        kt_spectral_normalization(kt_conv2d(4, 2, .use_bias = false), 3),
        .input = {2, 5, 5, 3},
        .output = {2, 4, 4, 4},
        .n_trainable = 1,
        .n_other = 1,
        .n_params = 52);
    kt_layer *l = kt_spectral_normalization(kt_dense(4, .name = "d"), .name = "s");
    kt_check_status(kt_layer_build(l, kt_dims(2, 3)), KT_OK);
    assert_int_equal(kt_layer_n_weights(l), 3);
    assert_int_equal(kt_layer_count_params(l), 20);
    assert_string_equal(kt_var_path(kt_layer_weight(l, 0)), "s/d/kernel");
    assert_string_equal(kt_var_path(kt_layer_weight(l, 1)), "s/vector_u");
    assert_string_equal(kt_var_path(kt_layer_weight(l, 2)), "s/d/bias");
    kt_free(l);
}

/* Freezing what is wrapped freezes the kernel, which the wrapper holds too. */
KT_TEST(spectral_normalization, is_trained_where_the_layer_inside_is) {
    kt_layer *inner = kt_dense(4), *l = kt_spectral_normalization(inner);
    kt_check_status(kt_layer_build(l, kt_dims(2, 3)), KT_OK);
    kt_check_status(kt_set_trainable(inner, false), KT_OK);
    kt_var_list on = {0, 0, NULL}, off = {0, 0, NULL};
    kt_check_status(kt_layer_collect(l, &on, &off, true), KT_OK);
    assert_int_equal(on.n, 0);
    assert_int_equal(off.n, 3);
    kt_vec_free(&on);
    kt_vec_free(&off);
    kt_free(l);
}

static kt_tensor *filled(kt_shape shape, float value) {
    float x[16];
    assert_true(kt_shape_size(&shape) <= 16);
    for (int i = 0; i < 16; i++) x[i] = value;
    kt_tensor *t = kt_tensor_new(KT_FLOAT32, shape, x);
    kt_check_ok(t);
    return t;
}

/* One output: the kernel becomes a vector of length 1, whatever it was; zeros stay zeros. */
KT_TEST(spectral_normalization, divides_by_the_largest_singular_value) {
    for (int zero = 0; zero < 2; zero++) {
        kt_layer *inner = kt_dense(1, .use_bias = false);
        kt_model *m = kt_sequential(kt_list(kt_input({4}), kt_spectral_normalization(inner)));
        kt_check_ok(m);
        kt_tensor *w = filled(kt_dims(4, 1), zero ? 0 : 3), *x = filled(kt_dims(2, 4), 1);
        kt_tensor *y = filled(kt_dims(2, 1), zero ? 0 : 2);
        kt_check_status(kt_var_assign(kt_layer_weight(inner, 0), w), KT_OK);
        kt_tensor *before = kt_model_predict(m, x, .verbose = 0);
        kt_check_near(kt_tensor_get(before, 0), zero ? 0 : 12, 1e-6, 0); /* not in inference */
        kt_check_status(kt_model_compile(m, "sgd", "mse"), KT_OK);
        kt_logs *logs = kt_model_train_on_batch(m, x, y);
        kt_check_ok(logs);
        kt_check_near(kt_logs_get(logs, "loss"), 0, 0, 1e-12); /* 4 times 0.5 */
        kt_tensor *after = kt_var_value(kt_layer_weight(inner, 0));
        for (int i = 0; i < 4; i++) kt_check_near(kt_tensor_get(after, i), zero ? 0 : 0.5, 1e-6, 0);
        const void *all[] = {logs, before, after, w, x, y, m};
        for (int i = 0; i < 7; i++) kt_free(all[i]);
    }
}

KT_TEST(spectral_normalization, rejects_wrong_arguments) {
    kt_check_fails(
        kt_spectral_normalization(kt_dense(1), 0),
        KT_EINVAL,
        "power_iterations: expected a positive integer, got 0");
    kt_check_fails(kt_spectral_normalization("relu"), KT_EINVAL, "layer: expected a layer");
    kt_check_fails(
        kt_call(kt_spectral_normalization(kt_lstm(3)), kt_input({4, 5})),
        KT_EINVAL,
        "LSTM has neither \"kernel\" nor \"embeddings\"");
    kt_check_fails(
        kt_call(kt_spectral_normalization(kt_dense(3, .lora_rank = 1)), kt_input({5})),
        KT_EUNSUPPORTED,
        "LoRA");
    kt_layer *l = kt_spectral_normalization(kt_dense(3));
    kt_check_ok(kt_call(l, kt_input({5})));
    kt_check_fails(kt_call(l, kt_input({6})), KT_ESHAPE, "shape mismatch");
}

KT_TEST(spectral_normalization, is_refused_twice_in_one_step) {
    kt_sym *a = kt_input({3}), *b = kt_input({3});
    kt_layer *l = kt_spectral_normalization(kt_dense(2));
    kt_sym *y = kt_call(kt_add(), kt_list(kt_call(l, a), kt_call(l, b)));
    kt_model *m = kt_functional(kt_list(a, b), y);
    kt_check_ok(m);
    kt_check_status(kt_model_compile(m, "sgd", "mse"), KT_OK);
    kt_tensor *x = filled(kt_dims(2, 3), 1), *t = filled(kt_dims(2, 2), 1);
    kt_tensor *p = kt_model_predict(m, kt_list(x, x), .verbose = 0);
    kt_check_ok(p);
    kt_check_fails(
        kt_model_train_on_batch(m, kt_list(x, x), t),
        KT_EUNSUPPORTED,
        "used a second time in one training step");
    kt_free(p);
    kt_free(m);
}
