/* Dense: the contract, gradients, wrong arguments. Values: golden_test.c. */
#include "tensor/half.h"

#include "testing/kt_layers.h"

KT_TEST(dense, keeps_the_layer_contract) {
    kt_check_layer(
        kt_dense(4), .input = {2, 3}, .output = {2, 4}, .n_trainable = 2, .n_params = 16);
    kt_check_layer(
        kt_dense(4, .activation = "relu", .use_bias = false),
        .input = {2, 5, 3},
        .output = {2, 5, 4},
        .n_trainable = 1,
        .n_params = 12);
    kt_check_layer(kt_dense(1), .input = {1, 1}, .output = {1, 1}, .n_trainable = 2);
    kt_check_layer(
        kt_dense(7),
        .input = {3, KT_NONE, KT_NONE, 2},
        .output = {3, KT_NONE, KT_NONE, 7},
        .n_trainable = 2);
}

KT_TEST(dense, takes_integers) {
    kt_check_layer(
        kt_dense(3), .input = {2, 4}, .output = {2, 3}, .n_trainable = 2, .dtype = "uint8");
}

KT_TEST(dense, has_the_right_gradients) {
    kt_check_gradients(kt_dense(5), .input = {3, 7});
    kt_check_gradients(kt_dense(5, .activation = "tanh"), .input = {2, 3, 4});
    kt_check_gradients(kt_dense(3, .activation = "softmax"), .input = {4, 2});
    kt_check_gradients(kt_dense(3, .activation = "gelu", .use_bias = false), .input = {2, 1, 3, 2});
}

KT_TEST(dense, has_the_right_gradients_with_an_axis_of_one) {
    kt_check_gradients(kt_dense(3, .activation = "sigmoid"), .input = {1, 4});
    kt_check_gradients(kt_dense(3, .activation = "sigmoid"), .input = {4, 1});
    kt_check_gradients(kt_dense(1, .activation = "sigmoid"), .input = {4, 3});
    kt_check_gradients(kt_dense(1), .input = {1, 1});
    kt_check_gradients(kt_dense(1, .activation = "softmax"), .input = {1, 1, 1});
}

KT_TEST(dense, takes_an_empty_batch) {
    kt_check_gradients(
        kt_dense(3, .activation = "relu"), .input = {KT_NONE, 4}, .empty_batch = true);
    kt_check_gradients(kt_dense(3), .input = {KT_NONE, 2, 4}, .empty_batch = true);
}

KT_TEST(dense, rejects_wrong_arguments) {
    kt_check_fails(kt_dense(0), KT_EINVAL, "units: expected a positive integer, got 0");
    kt_check_message_has("in Dense");
    kt_check_fails(kt_dense(-3), KT_EINVAL, "got -3");
    kt_check_fails(kt_dense(3, .activation = "rulu"), KT_EINVAL, "did you mean \"relu\"?");
    kt_check_fails(kt_dense(3, .activation = kt_loss_hinge()), KT_EINVAL, "got a loss");
    kt_check_fails(kt_dense(3, .name = ""), KT_EINVAL, "name");
    kt_check_fails(kt_dense(3, .name = "a/b"), KT_EINVAL, "a/b");
    kt_check_fails(kt_dense(3, .dtype = "float99"), KT_EINVAL, "unknown name \"float99\"");
    kt_check_fails(kt_dense(3, .dtype = "int32"), KT_EUNSUPPORTED, "int32");
    kt_check_fails(kt_dense_new(&(kt_dense_args){.units = 3}), KT_EINVAL, "size 0");
    kt_check_fails(kt_dense(3, .quantization_config = "int8"), KT_EINVAL, "got \"int8\"");
    static const char *const quantized[] = {
        "int4_from_float32",
        "int4/128_from_float32",
        "float8_from_mixed_bfloat16",
        "gptq/4/128_from_float32",
        "awq/4/128_from_float32"};
    for (int i = 0; i < 5; i++) {
        kt_check_fails(
            kt_dense(3, .dtype = quantized[i]), KT_EUNSUPPORTED, "quantization is not supported");
        kt_check_message_has(quantized[i]);
        kt_check_status(kt_set_dtype_policy(quantized[i]), KT_EUNSUPPORTED);
        kt_check_message_has("quantization is not supported");
    }
    kt_check_fails(kt_dense(3, .dtype = "int8_form_float32"), KT_EINVAL, "unknown name");
}

KT_TEST(dense, rejects_wrong_parts) {
    kt_check_fails(
        kt_dense(2, .kernel_initializer = "glorot_unifrom", .name = "head"),
        KT_EINVAL,
        "kernel_initializer: unknown name \"glorot_unifrom\" in layer \"head\" (Dense)");
    kt_check_message_has("did you mean \"glorot_uniform\"?");
    kt_check_fails(
        kt_dense(2, .kernel_regularizer = "l3"), KT_EINVAL, "kernel_regularizer: unknown name");
    kt_check_fails(
        kt_dense(2, .bias_constraint = kt_reg_l2(0.1)),
        KT_EINVAL,
        "bias_constraint: expected a name or a constraint, got a regularizer in Dense");
}

KT_TEST(dense, rejects_weights_without_end) {
    kt_check_fails(
        kt_call(kt_dense(1 << 30), kt_input({INT64_C(1) << 32})), KT_ELIMIT, "too large");
    kt_layer *huge = kt_dense(2147483647);
    if (!kt_failed(kt_call(huge, kt_input({INT64_C(1) << 30}))))
        kt_check_fails(kt_get_weights(huge), KT_ENOMEM, "out of memory");
}

KT_TEST(dense, rejects_wrong_inputs) {
    kt_layer *d = kt_dense(4, .name = "head");
    kt_check_fails(kt_call(d, kt_input({KT_SCALAR})), KT_ESHAPE, "at least 2 axes");
    kt_check_fails(kt_call(d, kt_input({3, KT_NONE})), KT_ESHAPE, "must be known");
    assert_false(kt_layer_built(d));
    assert_int_equal(kt_layer_n_weights(d), 0);
    kt_check_status(kt_check(kt_call(d, kt_input({784}))), KT_OK); /* not spoiled by the errors */
    kt_check_fails(kt_call(d, kt_input({28, 28})), KT_ESHAPE, "shape mismatch");
    kt_check_message_has("in layer \"head\" (Dense)");
    kt_check_message_has("last axis 784 (fixed when the layer was built)");
    kt_check_message_has("float32 (None, 28, 28)");
    kt_check_message_has("put kt_flatten() before it");
    kt_check_fails(
        kt_call(d, kt_list(kt_input({784}), kt_input({784}))),
        KT_EINVAL,
        "expected 1 input, got 2");
}

/* A layer as activation is a part of this one: its weights are trained, counted and named so. */
KT_TEST(dense, takes_a_layer_as_activation) {
    kt_layer *l = kt_dense(4, .activation = kt_prelu(.name = "slope"), .name = "d");
    kt_check_status(kt_check(kt_call(l, kt_input({3}))), KT_OK);
    assert_int_equal(kt_layer_n_weights(l), 3);
    assert_string_equal(kt_var_path(kt_layer_weight(l, 2)), "d/slope/alpha");
    kt_check_gradients(kt_dense(4, .activation = kt_prelu()), .input = {2, 3});
    kt_layer *mine = kt_dense(4, .activation = kt_prelu());
    kt_check_layer(mine, .input = {2, 3}, .output = {2, 4}, .n_trainable = 3, .n_params = 20);
}

/* Weights in float32, products in float16: what is read is rounded, the sum is rounded once. */
KT_TEST(dense, computes_in_the_dtype_of_its_policy) {
    static const char *const policies[] = {
        "mixed_float16", "float16", "mixed_bfloat16", "bfloat16"};
    for (int i = 0; i < 4; i++) {
        const bool mixed = i % 2 == 0, narrow = i < 2;
        const kt_dtype half = narrow ? KT_FLOAT16 : KT_BFLOAT16;
        kt_layer *l = kt_dense(1, .dtype = policies[i]);
        kt_sym *x = kt_input({2});
        kt_sym *y = kt_call(l, x);
        kt_model *m = kt_functional(x, y);
        assert_int_equal(kt_sym_dtype(y), half);
        assert_int_equal(kt_layer_dtype(l), half);
        assert_int_equal(kt_layer_variable_dtype(l), mixed ? KT_FLOAT32 : half);
        const float w[2] = {1.001f, 1}, b[1] = {0}, in[2] = {1, 0x1p-9f};
        kt_tensor *weights[2] = {
            kt_tensor_new(KT_FLOAT32, kt_dims(2, 1), w), kt_tensor_new(KT_FLOAT32, kt_dims(1), b)};
        kt_check_status(kt_set_weights(l, kt_list(weights[0], weights[1])), KT_OK);
        kt_tensor *p = kt_model_predict(
            m, kt_tensor_new(KT_FLOAT32, kt_dims(1, 2), in), .verbose = 0);
        kt_check_status(kt_check(p), KT_OK);
        assert_int_equal(kt_tensor_dtype(p), half);
        const float product = narrow ? kt_f16f(1.001f) : kt_bf16f(1.001f);
        const float want = narrow ? kt_f16f(product + in[1]) : kt_bf16f(product + in[1]);
        assert_true(kt_tensor_get(p, 0) == (double)want);
        assert_int_equal(
            kt_tensor_dtype(kt_list_get(kt_get_weights(l), 0)), mixed ? KT_FLOAT32 : half);
        kt_free(p);
        kt_free(m);
    }
    kt_check_fails(kt_dense(1, .dtype = "mixed_float64"), KT_EINVAL, "unknown name");
    kt_check_fails(kt_dense(1, .dtype = "int32"), KT_EUNSUPPORTED, "do not compute in \"int32\"");
}
