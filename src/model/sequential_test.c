/* Sequential models: built at once or when data come, add and pop, weights in and out. */
#include "testing/kt_layers.h"
#include "testing/kt_models.h"

#include <string.h>

KT_TEST(sequential, is_built_at_once_with_an_input) {
    kt_model *m = kt_sequential(kt_list(kt_input({3}), kt_dense(4), kt_dense(2)));
    kt_check_ok(m);
    assert_true(kt_layer_built(m));
    assert_int_equal(kt_layer_n_weights(m), 4);
    assert_int_equal(kt_layer_count_params(m), 26);
    assert_int_equal(kt_model_n_layers(m), 2); /* the input is not among them, as in Keras */
    kt_check_str(kt_layer_name(m), "sequential");
    kt_check_str(kt_layer_name(kt_model_layer(m, 0)), "dense");
    kt_check_str(kt_layer_name(kt_model_layer(m, 1)), "dense_1");
    kt_check_str(kt_var_path(kt_layer_weight(m, 2)), "sequential/dense_1/kernel");
    const kt_shape in = kt_sym_shape(kt_model_input(m, 0)),
                   out = kt_sym_shape(kt_model_output(m, 0));
    const kt_shape want_in = kt_dims(KT_NONE, 3), want_out = kt_dims(KT_NONE, 2);
    assert_true(kt_shape_equal(&in, &want_in));
    assert_true(kt_shape_equal(&out, &want_out));
    kt_free(m);
}

KT_TEST(sequential, is_built_by_the_first_data) {
    kt_model *m = kt_sequential(kt_list(kt_flatten(), kt_dense(2)));
    kt_check_ok(m);
    assert_false(kt_layer_built(m));
    assert_int_equal(kt_layer_n_weights(m), 0);
    assert_null(kt_model_input(m, 0));
    kt_check_status(kt_model_compile(m, "sgd", "mse", .metrics = kt_list("mae")), KT_OK);
    uint64_t seed = 1;
    kt_tensor *x = kt_test_tensor(KT_FLOAT32, kt_dims(5, 2, 3), -1, 1, &seed);
    kt_tensor *y = kt_test_tensor(KT_FLOAT32, kt_dims(5, 2), -1, 1, &seed);
    kt_check_ok(kt_model_fit(m, x, y, .verbose = 0));
    assert_true(kt_layer_built(m));
    assert_int_equal(kt_layer_count_params(m), 14);
    kt_check_fails(kt_model_predict(m, y, .verbose = 0), KT_ESHAPE, "the data do not fit input");
    kt_free(m);
}

KT_TEST(sequential, is_built_by_predict_or_build) {
    kt_model *m = kt_sequential(kt_list(kt_dense(2, .kernel_initializer = "ones")));
    kt_check_values(
        kt_model_predict(m, kt_floats_tensor(kt_dims(1, 3), KT_VALUES(1, 2, 3)), .verbose = 0),
        1e-6,
        0,
        6,
        6);
    kt_model *n = kt_sequential(kt_list(kt_dense(2)));
    kt_check_status(kt_layer_build(n, kt_dims(KT_NONE, 7)), KT_OK);
    assert_int_equal(kt_layer_count_params(n), 16);
    kt_model *bad = kt_sequential(kt_list(kt_dense(2)));
    kt_check_status(kt_layer_build(bad, kt_dims(KT_NONE, KT_NONE)), KT_ESHAPE);
    kt_check_status(kt_layer_build(bad, kt_dims(KT_NONE, 3)), KT_OK); /* not spoiled */
    kt_free(m);
    kt_free(n);
    kt_free(bad);
}

KT_TEST(sequential, grows_by_add) {
    kt_model *m = kt_sequential();
    kt_check_ok(m);
    kt_check_status(kt_sequential_add(m, kt_input({3})), KT_OK);
    kt_check_status(kt_sequential_add(m, kt_dense(4, .kernel_initializer = "ones")), KT_OK);
    kt_tensor *x = kt_floats_tensor(kt_dims(1, 3), KT_VALUES(1, 2, 3));
    kt_check_values(kt_model_predict(m, x, .verbose = 0), 1e-6, 0, 6, 6, 6, 6);
    kt_check_status(kt_sequential_add(m, kt_dense(1, .kernel_initializer = "ones")), KT_OK);
    kt_check_values(kt_model_predict(m, x, .verbose = 0), 1e-6, 0, 24);
    kt_check_status(kt_sequential_pop(m), KT_OK);
    kt_check_values(kt_model_predict(m, x, .verbose = 0), 1e-6, 0, 6, 6, 6, 6);
    assert_int_equal(kt_layer_n_weights(m), 2);
    kt_check_status(kt_sequential_pop(m), KT_OK);
    kt_check_status(kt_sequential_pop(m), KT_ESTATE);
    kt_check_message_has("no layers to pop");
    kt_check_status(kt_sequential_add(m, kt_dense(2, .kernel_initializer = "ones")), KT_OK);
    kt_check_values(kt_model_predict(m, x, .verbose = 0), 1e-6, 0, 6, 6);
    kt_free(m);
}

KT_TEST(sequential, grows_by_add_before_it_knows_its_input) {
    kt_model *m = kt_sequential(.name = "grown");
    kt_check_status(kt_sequential_add(m, kt_dense(2, .kernel_initializer = "ones")), KT_OK);
    kt_check_status(kt_sequential_add(m, kt_dense(3, .kernel_initializer = "ones")), KT_OK);
    kt_check_status(kt_sequential_pop(m), KT_OK);
    kt_check_status(kt_sequential_add(m, kt_dense(1, .kernel_initializer = "ones")), KT_OK);
    kt_tensor *x = kt_floats_tensor(kt_dims(1, 3), KT_VALUES(1, 2, 3));
    kt_check_values(kt_model_predict(m, x, .verbose = 0), 1e-6, 0, 12);
    kt_free(m);
}

/* What is popped belongs to whoever has it, weights included. */
KT_TEST(sequential, popped_layers_can_be_used_again) {
    kt_layer *top = kt_dense(1, .kernel_initializer = "ones");
    kt_model *m = kt_sequential(kt_list(kt_input({2}), kt_dense(2), top));
    kt_check_status(kt_sequential_pop(m), KT_OK);
    kt_model *n = kt_sequential(kt_list(kt_input({2}), top));
    kt_check_ok(n);
    kt_free(m);
    kt_check_values(
        kt_model_predict(n, kt_floats_tensor(kt_dims(1, 2), KT_VALUES(1, 2)), .verbose = 0),
        1e-6,
        0,
        3);
    kt_free(n);
}

KT_TEST(sequential, trains_on_after_add) {
    const kt_blobs d = kt_make_blobs(64, 5, 3);
    kt_model *m = kt_small_model(5, 8, 3);
    kt_check_ok(kt_model_fit(m, d.x, d.y, .verbose = 0));
    kt_check_status(kt_sequential_add(m, kt_dense(3, .activation = "softmax")), KT_OK);
    kt_check_ok(kt_model_fit(m, d.x, d.y, .verbose = 0));
    kt_check_status(kt_sequential_pop(m), KT_OK);
    kt_history *h = kt_model_fit(m, d.x, d.y, .verbose = 0, .epochs = 30);
    kt_check_ok(h);
    assert_true(kt_history_get(h, "accuracy", -1) > 0.9);
    kt_free(m);
}

KT_TEST(sequential, weights_go_out_and_in) {
    kt_model *m = kt_small_model(3, 4, 2), *n = kt_small_model(3, 4, 2);
    kt_weights_copy before = kt_copy_weights(m);
    assert_false(kt_weights_same(n, &before));
    kt_list_t *w = kt_get_weights(m);
    kt_check_ok(w);
    assert_int_equal(kt_list_len(w), 4);
    kt_check_status(kt_set_weights(n, w), KT_OK);
    assert_true(kt_weights_same(n, &before));
    kt_check_status(
        kt_set_weights(m, kt_list(kt_tensor_new(KT_FLOAT32, kt_dims(3, 4), NULL))), KT_ESHAPE);
    kt_check_message_has("has 4 weights, got 1");
    kt_tensor *ok = kt_tensor_new(KT_FLOAT32, kt_dims(3, 4), NULL);
    kt_tensor *bad = kt_tensor_new(KT_FLOAT32, kt_dims(4, 3), NULL);
    kt_check_status(kt_set_weights(m, kt_list(ok, bad, bad, bad)), KT_ESHAPE);
    kt_check_message_has("variable \"sequential/dense/bias\"");
    kt_check_message_has("(4,)");
    assert_true(kt_weights_same(m, &before)); /* none was written */
    kt_check_status(kt_set_weights(m, kt_list("a", "b", "c", "d")), KT_EINVAL);
    kt_check_status(kt_set_weights(m, NULL), KT_EINVAL);
    kt_weights_copy_free(&before);
    kt_free(m);
    kt_free(n);
}

/* The same list as often as one likes: it is the user's. */
KT_TEST(sequential, weights_can_be_restored_again_and_again) {
    const kt_blobs d = kt_make_blobs(32, 5, 3);
    kt_model *m = kt_small_model(5, 8, 3);
    kt_weights_copy before = kt_copy_weights(m);
    kt_list_t *w = kt_get_weights(m);
    for (int i = 0; i < 3; i++) {
        kt_check_ok(kt_model_fit(m, d.x, d.y, .verbose = 0));
        assert_false(kt_weights_same(m, &before));
        kt_check_status(kt_set_weights(m, w), KT_OK);
        assert_true(kt_weights_same(m, &before));
    }
    kt_weights_copy_free(&before);
    kt_free(m);
}

KT_TEST(sequential, rejects_wrong_items) {
    kt_check_fails(
        kt_sequential(kt_list(kt_dense(2), kt_input({3}))), KT_EINVAL, "kt_input() first");
    kt_check_fails(kt_sequential(kt_list("dense")), KT_EINVAL, "got \"dense\"");
    kt_check_fails(kt_sequential(kt_list(kt_opt_adam())), KT_EINVAL, "got an optimizer");
    kt_check_fails(
        kt_sequential(kt_list(kt_dense(2), NULL)), KT_EINVAL, "item 1 of the list is NULL");
    kt_check_fails(kt_sequential(kt_list(kt_input({3}), kt_dense(0))), KT_EINVAL, "units");
    kt_check_fails(
        kt_sequential(kt_list(kt_dense(2, .name = "d"), kt_dense(2, .name = "d"))),
        KT_EINVAL,
        "two layers are named \"d\"");
    kt_layer *d = kt_dense(2);
    kt_check_fails(kt_sequential(kt_list(d, d)), KT_EINVAL, "two layers are named");
    kt_check_fails(
        kt_sequential(kt_list(kt_input({3}), kt_dense(2), kt_softmax(5))), KT_EINVAL, "axis 5");
    kt_check_fails(
        kt_sequential(kt_list(kt_input({3}), kt_input({3}))), KT_EINVAL, "has its input already");
    kt_sym *x = kt_input({3});
    kt_check_fails(kt_sequential(kt_list(kt_call(kt_dense(1), x))), KT_EINVAL, "kt_input() first");
}

KT_TEST(sequential, a_wrong_add_changes_nothing) {
    kt_model *m = kt_sequential(kt_list(kt_input({2}), kt_dense(2, .kernel_initializer = "ones")));
    kt_tensor *x = kt_floats_tensor(kt_dims(1, 2), KT_VALUES(1, 2));
    kt_check_status(kt_sequential_add(m, kt_softmax(4)), KT_EINVAL);
    kt_check_status(kt_sequential_add(m, "dense"), KT_EINVAL);
    kt_check_status(kt_sequential_add(m, NULL), KT_EINVAL);
    kt_check_status(kt_sequential_add(m, kt_input({2})), KT_EINVAL);
    kt_check_status(kt_sequential_add(m, kt_dense(-1)), KT_EINVAL);
    kt_check_status(kt_sequential_add(NULL, kt_dense(1)), KT_EINVAL);
    kt_check_status(kt_sequential_add(kt_dense(1), kt_dense(1)), KT_EINVAL);
    assert_int_equal(kt_model_n_layers(m), 1);
    kt_check_values(kt_model_predict(m, x, .verbose = 0), 1e-6, 0, 3, 3);
    kt_check_status(kt_sequential_add(m, kt_dense(1, .kernel_initializer = "ones")), KT_OK);
    kt_check_values(kt_model_predict(m, x, .verbose = 0), 1e-6, 0, 6);
    kt_sym *in = kt_input({2});
    kt_model *f = kt_functional(in, kt_call(kt_dense(2), in));
    kt_check_status(kt_sequential_add(f, kt_dense(1)), KT_EINVAL);
    kt_check_message_has("not a Sequential");
    kt_check_status(kt_sequential_pop(f), KT_EINVAL);
    kt_free(f);
    kt_free(m);
}

KT_TEST(sequential, an_empty_model_says_so) {
    kt_model *m = kt_sequential();
    uint64_t seed = 1;
    kt_tensor *x = kt_test_tensor(KT_FLOAT32, kt_dims(2, 3), -1, 1, &seed);
    kt_check_fails(kt_model_predict(m, x, .verbose = 0), KT_ESTATE, "no layers");
    kt_model *n = kt_sequential(kt_list(kt_input({3})));
    kt_check_ok(n);
    kt_check_fails(kt_model_predict(n, x, .verbose = 0), KT_ESTATE, "no layers");
    kt_free(m);
    kt_free(n);
}
