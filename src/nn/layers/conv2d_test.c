/* Conv2D: the contract, gradients, training, wrong arguments. Values: golden_test.c. */
#include "nn/spatial.h"
#include "testing/kt_layers.h"

KT_TEST(spatial, reads_tuples) {
    int v[3];
    kt_check_status(kt_tuple_get(3, 3, "x", v), KT_OK);
    assert_int_equal(v[0], 3);
    assert_int_equal(v[2], 3);
    kt_check_status(kt_tuple_get(kt_hw(3, 5), 2, "x", v), KT_OK);
    assert_int_equal(v[0], 3);
    assert_int_equal(v[1], 5);
    kt_check_status(kt_tuple_get(kt_dhw(1, 2, 70000), 3, "x", v), KT_OK);
    assert_int_equal(v[0], 1);
    assert_int_equal(v[1], 2);
    assert_int_equal(v[2], 70000);
}

KT_TEST(spatial, rejects_tuples) {
    static const kt_tuple wrong[] = {
        0, -1, KT_NONE, INT64_C(1) << 40, kt_hw(0, 2), kt_hw(2, 0), kt_hw(2, -1), kt_dhw(1, 2, 3)};
    int v[2];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        kt_check_status(kt_tuple_get(wrong[i], 2, "strides", v), KT_EINVAL);
        kt_check_message_has("strides: ");
    }
    kt_check_message_has("one integer or 2");
}

KT_TEST(spatial, pads_like_tensorflow) {
    static const int64_t cases[][6] = {
        /* length, size, stride, dilation, before, after */
        {5, 3, 1, 1, 1, 1},
        {5, 2, 1, 1, 0, 1},
        {5, 4, 1, 1, 1, 2},
        {6, 3, 2, 1, 0, 1},
        {5, 3, 2, 1, 1, 1},
        {5, 3, 1, 2, 2, 2},
        {5, 1, 3, 1, 0, 0},
        {1, 7, 1, 1, 3, 3},
        {7, 2, 3, 1, 0, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int64_t *c = cases[i];
        int before, after;
        kt_same_padding(c[0], (int)c[1], (int)c[2], (int)c[3], &before, &after);
        assert_int_equal(before, c[4]);
        assert_int_equal(after, c[5]);
    }
}

KT_TEST(conv2d, keeps_the_layer_contract) {
    kt_check_layer(
        kt_conv2d(4, 3),
        .input = {2, 7, 6, 3},
        .output = {2, 5, 4, 4},
        .n_trainable = 2,
        .n_params = 112);
    kt_check_layer(
        kt_conv2d(6, kt_hw(2, 3), 2, "SAME", .groups = 2, .use_bias = false),
        .input = {2, 7, 6, 4},
        .output = {2, 4, 3, 6},
        .n_trainable = 1,
        .n_params = 72);
    kt_check_layer(
        kt_conv2d(5, 3, .data_format = "channels_first", .activation = "softmax"),
        .input = {2, 3, 8, 6},
        .output = {2, 5, 6, 4},
        .n_trainable = 2);
    kt_check_layer(
        kt_conv2d(5, 3, .padding = "same"),
        .input = {2, KT_NONE, KT_NONE, 2},
        .output = {2, KT_NONE, KT_NONE, 5},
        .n_trainable = 2);
    kt_check_layer(
        kt_conv2d(1, 1), .input = {1, 1, 1, 1}, .output = {1, 1, 1, 1}, .n_trainable = 2);
}

KT_TEST(conv2d, takes_integers) {
    kt_check_layer(
        kt_conv2d(3, 2),
        .input = {2, 4, 4, 1},
        .output = {2, 3, 3, 3},
        .n_trainable = 2,
        .dtype = "uint8");
}

KT_TEST(conv2d, has_the_right_gradients) {
    kt_check_gradients(kt_conv2d(3, 2, .activation = "tanh"), .input = {2, 4, 5, 2});
    kt_check_gradients(
        kt_conv2d(4, 3, 2, "same", .groups = 2, .activation = "sigmoid"), .input = {1, 5, 4, 4});
    kt_check_gradients(
        kt_conv2d(2, 2, .dilation_rate = kt_hw(2, 1), .data_format = "channels_first"),
        .input = {2, 3, 5, 4});
    kt_check_gradients(kt_conv2d(2, 3), .input = {KT_NONE, 4, 4, 2}, .empty_batch = true);
}

KT_TEST(conv2d, regularizes_and_constrains_its_weights) {
    kt_layer *l = kt_conv2d(
        2,
        2,
        .kernel_initializer = "ones",
        .kernel_constraint = kt_con_max_norm(1, kt_dhw(0, 1, 2)));
    kt_model *m = kt_sequential(kt_list(kt_input({2, 2, 1}), l, kt_flatten()));
    kt_check_status(kt_model_compile(m, "sgd", "mse"), KT_OK);
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(1, 2, 2, 1), NULL);
    kt_tensor *y = kt_tensor_new(KT_FLOAT32, kt_dims(1, 2), NULL);
    kt_check_status(kt_check(kt_model_train_on_batch(m, x, y)), KT_OK);
    kt_check_near(kt_tensor_get(kt_var_value(kt_layer_weight(l, 0)), 0), 0.5, 1e-6, 0);

    kt_model *r = kt_sequential(kt_list(
        kt_input({2, 2, 1}),
        kt_conv2d(2, 2, .kernel_initializer = "ones", .kernel_regularizer = kt_reg_l2(0.5)),
        kt_flatten()));
    kt_check_status(kt_model_compile(r, "sgd", "mse"), KT_OK);
    kt_logs *logs = kt_model_train_on_batch(r, x, y);
    kt_check_near(kt_logs_get(logs, "loss"), 4, 1e-6, 0); /* 0.5 times eight ones */
}

KT_TEST(conv2d, rejects_wrong_arguments) {
    kt_check_fails(kt_conv2d(0, 3), KT_EINVAL, "filters: expected a positive integer, got 0");
    kt_check_message_has("in Conv2D");
    kt_check_fails(kt_conv2d(4), KT_EINVAL, "kernel_size: expected a positive integer");
    kt_check_fails(kt_conv2d(4, 3, 0), KT_EINVAL, "strides: expected a positive integer");
    kt_check_fails(kt_conv2d(4, kt_dhw(1, 2, 3)), KT_EINVAL, "kernel_size: wrong number of axes");
    kt_check_fails(kt_conv2d(4, 3, .dilation_rate = -2), KT_EINVAL, "dilation_rate: ");
    kt_check_fails(kt_conv2d(4, 3, .padding = "full"), KT_EINVAL, "unknown value \"full\"");
    kt_check_fails(kt_conv2d(4, 3, .padding = NULL), KT_EINVAL, "padding: got None");
    kt_check_fails(kt_conv2d(4, 3, .data_format = "NHWC"), KT_EINVAL, "channels_last");
    kt_check_fails(kt_conv2d(4, 3, .groups = 0), KT_EINVAL, "groups: expected");
    kt_check_fails(kt_conv2d(4, 3, .groups = 3), KT_EINVAL, "a multiple of groups (3), got 4");
    kt_check_fails(kt_conv2d(4, 3, 2, .dilation_rate = 2), KT_EINVAL, "do not go together");
    kt_check_fails(kt_conv2d(4, 3, .activation = "rulu"), KT_EINVAL, "did you mean \"relu\"?");
    kt_check_fails(kt_conv2d_new(&(kt_conv_args){.filters = 3}), KT_EINVAL, "size 0");
}

KT_TEST(conv2d, rejects_wrong_inputs) {
    kt_check_fails(
        kt_call(kt_conv2d(4, 3), kt_input({28, 28})), KT_ESHAPE, "4 axes, the batch included");
    kt_check_fails(
        kt_call(kt_conv2d(4, 3), kt_input({28, 28, KT_NONE})), KT_ESHAPE, "must be known");
    kt_check_fails(
        kt_call(kt_conv2d(4, 3, .groups = 2), kt_input({28, 28, 3})), KT_ESHAPE, "multiple of 2");
    kt_layer *l = kt_conv2d(4, kt_hw(5, 3), .name = "eye");
    kt_check_fails(kt_call(l, kt_input({4, 8, 3})), KT_ESHAPE, "larger than the input");
    kt_check_message_has("in layer \"eye\" (Conv2D)");
    kt_check_message_has("fits into 4 x 8");
    kt_check_message_has("a kernel of 5 x 3");
    kt_check_message_has("padding \"same\"");
    kt_check_status(kt_check(kt_call(l, kt_input({5, 8, 3}))), KT_OK);
    kt_check_fails(kt_call(l, kt_input({5, 8, 2})), KT_ESHAPE, "last axis 3");
}

/* A network as in every tutorial learns eight pictures by heart. */
KT_TEST(conv2d, learns) {
    uint64_t seed = 3;
    kt_set_random_seed(1);
    kt_model *m = kt_sequential(kt_list(
        kt_input({8, 8, 1}),
        kt_conv2d(8, 3, .activation = "relu"),
        kt_max_pooling2d(),
        kt_conv2d(8, 2, .padding = "same"),
        kt_batch_normalization(),
        kt_flatten(),
        kt_dense(8, .activation = "softmax")));
    kt_check_status(
        kt_model_compile(
            m, "adam", "sparse_categorical_crossentropy", .metrics = kt_list("accuracy")),
        KT_OK);
    kt_tensor *x = kt_test_tensor(KT_FLOAT32, kt_dims(8, 8, 8, 1), -1, 1, &seed);
    kt_tensor *y = kt_tensor_new(KT_INT32, kt_dims(8), (int32_t[]){0, 1, 2, 3, 4, 5, 6, 7});
    kt_check_status(kt_check(kt_model_fit(m, x, y, .epochs = 60, .verbose = 0)), KT_OK);
    kt_logs *logs = kt_model_evaluate(m, x, y, .verbose = 0);
    kt_check_near(kt_logs_get(logs, "accuracy"), 1, 0, 0.13);
}
