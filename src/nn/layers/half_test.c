/* Policies of 16 bits, layer by layer: what comes out has the policy's dtype, in training too, and
 * nothing on the way is wider or narrower by accident. Values: tests/parity/half_test.c. */
#include "testing/kt_layers.h"

#include <keratin/saving.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    const char *what;
    kt_layer *layer;
    int64_t shape[4];
} dtype_case;

static void check_dtype(dtype_case c, const char *policy, kt_dtype want) {
    kt_input_args a = {.size = sizeof a, KT_INPUT_DEFAULTS};
    memcpy(a.shape, c.shape, sizeof c.shape);
    kt_sym *x = kt_input_new(&a);
    kt_sym *y = kt_call(c.layer, x, .training = true);
    if (kt_failed(y)) print_error("%s: %s\n", c.what, kt_error_message());
    kt_check_status(kt_check(y), KT_OK);
    if (kt_sym_dtype(y) != want)
        fail_msg("%s under %s gives %s", c.what, policy, kt_dtype_name(kt_sym_dtype(y)));
    kt_model *m = kt_functional(x, y);
    kt_check_status(kt_model_compile(m, "sgd", "mse"), KT_OK);
    uint64_t seed = 5;
    kt_shape s = {1, {4}}, out = kt_sym_shape(y);
    for (int i = 0; c.shape[i] && i < 4; i++) s.dim[s.ndim++] = c.shape[i];
    out.dim[0] = 4;
    kt_tensor *in = kt_test_tensor(KT_FLOAT32, s, -1, 1, &seed);
    kt_tensor *target = kt_test_tensor(KT_FLOAT32, out, -1, 1, &seed);
    kt_logs *l = kt_model_train_on_batch(m, in, target);
    if (kt_failed(l)) print_error("%s: %s\n", c.what, kt_error_message());
    kt_check_status(kt_check(l), KT_OK);
    kt_free(m);
}

#define CASE(layer, ...) check_dtype((dtype_case){#layer, layer, {__VA_ARGS__}}, policy, want)

static void check_all(const char *policy, kt_dtype want) {
    kt_check_status(kt_set_dtype_policy(policy), KT_OK);
    CASE(kt_dense(3, .activation = "gelu", .kernel_regularizer = "l2"), 5);
    CASE(kt_dense(3, .activity_regularizer = "l1"), 5);
    CASE(kt_conv2d(3, 2, .activation = "silu"), 5, 5, 2);
    CASE(kt_conv1d_transpose(3, 2), 5, 2);
    CASE(kt_depthwise_conv2d(2), 5, 5, 2);
    CASE(kt_separable_conv2d(3, 2), 5, 5, 2);
    CASE(kt_max_pooling2d(), 6, 6, 2);
    CASE(kt_average_pooling2d(2), 6, 6, 2);
    CASE(kt_adaptive_average_pooling2d(2), 6, 6, 2);
    CASE(kt_up_sampling2d(.interpolation = "bilinear"), 3, 3, 2);
    CASE(kt_batch_normalization(), 5, 3);
    CASE(kt_batch_normalization(.renorm = true), 5, 3);
    CASE(kt_layer_normalization(), 5, 3);
    CASE(kt_layer_normalization(.axis = 1), 5, 3);
    CASE(kt_group_normalization(2), 5, 4);
    CASE(kt_rms_normalization(), 5, 4);
    CASE(kt_unit_normalization(), 5, 4);
    CASE(kt_spectral_normalization(kt_dense(3)), 5);
    CASE(kt_dropout(0.5), 5);
    CASE(kt_dropout(0.5, .noise_shape = {KT_NONE, 1}), 5);
    CASE(kt_alpha_dropout(0.5), 5);
    CASE(kt_gaussian_dropout(0.5), 5);
    CASE(kt_gaussian_noise(0.5), 5);
    CASE(kt_spatial_dropout1d(0.5), 5, 2);
    CASE(kt_simple_rnn(3, .dropout = 0.3), 5, 2);
    CASE(kt_lstm(3, .recurrent_dropout = 0.3, .return_sequences = true), 5, 2);
    CASE(kt_gru(3, .reset_after = false), 5, 2);
    CASE(kt_rnn(kt_lstm_cell(3)), 5, 2);
    CASE(kt_conv_lstm1d(3, 2), 4, 5, 2);
    CASE(kt_bidirectional(kt_lstm(3), .merge_mode = "ave"), 5, 2);
    CASE(kt_time_distributed(kt_dense(3)), 5, 2);
    CASE(kt_embedding(7, 3), 5);
    CASE(kt_masking(), 5, 2);
    CASE(kt_prelu(), 5);
    CASE(kt_softmax(), 5);
    CASE(kt_activation("softmax"), 5);
    CASE(kt_rescaling(0.5), 5);
    CASE(kt_einsum_dense("ab,bc->ac", {3}, .bias_axes = "c"), 5);
    CASE(kt_zero_padding1d(1), 5, 2);
    kt_set_dtype_policy("float32");
}

KT_TEST(half, every_layer_gives_the_dtype_of_its_policy) {
    check_all("mixed_float16", KT_FLOAT16);
    check_all("mixed_bfloat16", KT_BFLOAT16);
    check_all("bfloat16", KT_BFLOAT16);
}

/* A policy in a file: by name, as Keras 3 writes it, as Keras 2 did. */
KT_TEST(half, policies_come_from_files) {
    static const char *const forms[] = {
        "\"mixed_float16\"",
        ("{\"module\": \"keras\", \"class_name\": \"DTypePolicy\", \"config\": {\"name\": "
         "\"mixed_float16\"}, \"registered_name\": null}"),
        "{\"class_name\": \"Policy\", \"config\": {\"name\": \"mixed_float16\"}}"};
    for (int i = 0; i < 3; i++) {
        char config[256];
        snprintf(config, sizeof config, "{\"units\": 2, \"dtype\": %s}", forms[i]);
        kt_layer *l = kt_from_config("Dense", config);
        kt_check_status(kt_check(l), KT_OK);
        assert_int_equal(kt_layer_dtype(l), KT_FLOAT16);
        assert_int_equal(kt_layer_variable_dtype(l), KT_FLOAT32);
        kt_text *text = kt_get_config(l);
        assert_non_null(strstr(kt_text_str(text), "\"config\": {\"name\": \"mixed_float16\"}"));
        kt_layer *copy = kt_layer_copy(l, NULL, NULL);
        assert_int_equal(kt_layer_variable_dtype(copy), KT_FLOAT32);
        kt_free(copy);
        kt_free(l);
    }
    kt_check_fails(
        kt_from_config(
            "Dense",
            "{\"units\": 2, \"dtype\": {\"module\": \"keras\", \"class_name\": "
            "\"DTypePolicyMap\", \"config\": {}, \"registered_name\": null}}"),
        KT_EUNSUPPORTED,
        "DTypePolicyMap");
}

KT_TEST(half, floatx_and_policy_are_two_things) {
    kt_check_str(kt_floatx(), "float32");
    kt_check_status(kt_set_dtype_policy("mixed_bfloat16"), KT_OK);
    kt_check_str(kt_dtype_policy(), "mixed_bfloat16");
    kt_check_str(kt_floatx(), "float32");
    assert_int_equal(kt_sym_dtype(kt_input({3})), KT_FLOAT32);
    kt_check_status(kt_set_dtype_policy("mixed_float64"), KT_EINVAL);
    kt_check_message_has("unknown name \"mixed_float64\"");
    kt_check_str(kt_dtype_policy(), "mixed_bfloat16");
    kt_check_status(kt_set_dtype_policy("int32"), KT_EUNSUPPORTED);
    kt_check_status(kt_set_floatx("int32"), KT_EINVAL);
    kt_check_message_has("floatx: unknown value \"int32\"");
    kt_check_status(kt_set_floatx(NULL), KT_EINVAL);
    kt_check_status(kt_set_floatx("float16"), KT_OK);
    assert_int_equal(kt_sym_dtype(kt_input({3})), KT_FLOAT16);
    kt_check_status(kt_set_floatx("float32"), KT_OK);
    kt_check_status(kt_set_dtype_policy("float32"), KT_OK);
}

/* A number just below 1, rounded up to 1, would be an infinity among normal ones. */
KT_TEST(half, noise_is_finite) {
    static const char *const policies[] = {"bfloat16", "float16", "mixed_bfloat16"};
    for (int i = 0; i < 3; i++) {
        kt_check_status(kt_set_dtype_policy(policies[i]), KT_OK);
        kt_sym *in = kt_input({1000});
        kt_model *m = kt_functional(in, kt_call(kt_gaussian_noise(1), in, .training = true));
        kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(32, 1000), NULL);
        kt_tensor *y = kt_model_predict(m, x, .verbose = 0);
        kt_check_status(kt_check(y), KT_OK);
        double squares = 0;
        for (int64_t k = 0; k < kt_tensor_size(y); k++) {
            assert_true(isfinite(kt_tensor_get(y, k)));
            squares += kt_tensor_get(y, k) * kt_tensor_get(y, k);
        }
        assert_true(fabs(squares / 32000 - 1) < 0.05);
        kt_free(x);
        kt_free(y);
        kt_free(m);
    }
    kt_check_status(kt_set_dtype_policy("float32"), KT_OK);
}
