/* Models that share layers and are compiled apart, and trainable flags: each keeps its own
 * optimizer, and what one learns the other sees. */
#include "testing/kt_layers.h"
#include "testing/kt_models.h"

#include <string.h>

static kt_tensor *noise(kt_shape shape, uint64_t seed) {
    return kt_test_tensor(KT_FLOAT32, shape, -1, 1, &seed);
}

static kt_model *mlp(const char *name, int64_t n_in, int hidden, int n_out, const char *last) {
    return kt_sequential(
        kt_list(
            kt_input({n_in}),
            kt_dense(hidden, .activation = "tanh"),
            kt_dense(n_out, .activation = last)),
        .name = name);
}

/* The encoder predicts right after the autoencoder was trained: one memory, and programs that
 * follow it when the optimizer moved it. */
KT_TEST(sharing, an_encoder_follows_its_autoencoder) {
    kt_sym *x = kt_input({6});
    kt_sym *code = kt_call(kt_dense(2, .activation = "tanh", .name = "code"), x);
    kt_sym *y = kt_call(kt_dense(6, .name = "back"), code);
    kt_model *encoder = kt_functional(x, code), *whole = kt_functional(x, y);
    kt_tensor *data = noise(kt_dims(32, 6), 1);
    kt_tensor *before = kt_model_predict(encoder, data, .verbose = 0); /* its program is made now */
    kt_check_status(kt_model_compile(whole, kt_opt_adam(0.01), "mse"), KT_OK);
    kt_check_ok(kt_model_fit(whole, data, data, .epochs = 3, .verbose = 0));
    kt_tensor *after = kt_model_predict(encoder, data, .verbose = 0);
    assert_memory_not_equal(before->data, after->data, kt_tensor_bytes(before));
    /* by hand: tanh(x k + b) with the weights that the autoencoder has now */
    kt_tensor *k = kt_var_value(kt_layer_weight(whole, 0)),
              *b = kt_var_value(kt_layer_weight(whole, 1));
    kt_sym *in = kt_input({6});
    kt_model *check = kt_functional(
        in, kt_op_tanh(kt_op_add(kt_op_matmul(in, kt_const(k)), kt_const(b))));
    kt_check_tensors_near(after, kt_model_predict(check, data, .verbose = 0), 1e-5, 1e-6);
    kt_free(check);
    kt_free(whole);
    kt_check_tensors_near(kt_model_predict(encoder, data, .verbose = 0), after, 0, 0);
    kt_free(encoder);
}

/* GAN: the discriminator is trained by itself, and frozen inside the combined model. */
KT_TEST(sharing, a_frozen_discriminator_inside_a_gan_stays) {
    kt_model *gen = mlp("gen", 3, 8, 4, NULL), *dis = mlp("dis", 4, 8, 1, "sigmoid");
    kt_check_status(kt_model_compile(dis, kt_opt_adam(0.01), "binary_crossentropy"), KT_OK);
    kt_check_status(kt_set_trainable(dis, false), KT_OK);
    kt_sym *z = kt_input({3});
    kt_model *gan = kt_functional(z, kt_call(dis, kt_call(gen, z)));
    kt_check_status(kt_model_compile(gan, kt_opt_adam(0.01), "binary_crossentropy"), KT_OK);
    kt_check_status(kt_set_trainable(dis, true), KT_OK);
    kt_check_status(kt_model_compile(dis, kt_opt_adam(0.01), "binary_crossentropy"), KT_OK);
    kt_tensor *real = noise(kt_dims(16, 4), 1), *from = noise(kt_dims(16, 3), 2);
    kt_tensor *ones = kt_tensor_new(KT_FLOAT32, kt_dims(16, 1), NULL);
    for (int i = 0; i < 16; i++) kt_tensor_set(ones, i, 1);
    kt_check_status(kt_set_trainable(dis, false), KT_OK);
    for (int step = 0; step < 5; step++) {
        kt_weights_copy d = kt_copy_weights(dis), g = kt_copy_weights(gen);
        kt_check_ok(kt_model_train_on_batch(gan, from, ones));
        assert_true(kt_weights_same(dis, &d));
        assert_false(kt_weights_same(gen, &g));
        kt_weights_copy_free(&d);
        kt_weights_copy_free(&g);
    }
    kt_check_status(kt_set_trainable(dis, true), KT_OK);
    kt_check_status(kt_model_compile(dis, kt_opt_adam(0.01), "binary_crossentropy"), KT_OK);
    kt_weights_copy d = kt_copy_weights(dis), g = kt_copy_weights(gen);
    kt_check_ok(kt_model_train_on_batch(dis, real, ones));
    assert_false(kt_weights_same(dis, &d));
    assert_true(kt_weights_same(gen, &g));
    kt_weights_copy_free(&d);
    kt_weights_copy_free(&g);
    kt_free(gen); /* they are the GAN's: nothing of ours to give up */
    kt_free(dis);
    kt_free(gan);
}

/* Two models train one layer in turn, each with momentum of its own. */
KT_TEST(sharing, two_optimizers_on_one_layer_keep_apart) {
    kt_layer *shared = kt_dense(1, .use_bias = false, .kernel_initializer = "zeros");
    kt_sym *a = kt_input({1}), *b = kt_input({1});
    kt_model *m = kt_functional(a, kt_call(shared, a)), *n = kt_functional(b, kt_call(shared, b));
    kt_check_status(kt_model_compile(m, kt_opt_sgd(0.1, .momentum = 0.5), "mse"), KT_OK);
    kt_check_status(kt_model_compile(n, kt_opt_sgd(0.1, .momentum = 0.5), "mse"), KT_OK);
    kt_tensor *x = kt_floats_tensor(kt_dims(1, 1), KT_VALUES(1));
    kt_tensor *y = kt_floats_tensor(kt_dims(1, 1), KT_VALUES(1));
    double w = 0, v[2] = {0, 0};
    for (int step = 0; step < 6; step++) {
        const int who = step % 2;
        kt_check_ok(kt_model_train_on_batch(who ? n : m, x, y));
        v[who] = 0.5 * v[who] - 0.1 * 2 * (w - 1);
        w += v[who];
        kt_check_values(kt_var_value(kt_layer_weight(m, 0)), 1e-5, 0, w);
    }
    kt_free(m);
    kt_check_ok(kt_model_train_on_batch(n, x, y));
    kt_free(n);
}

KT_TEST(sharing, frozen_weights_do_not_move) {
    const kt_blobs d = kt_make_blobs(64, 5, 3);
    kt_model *m = kt_small_model(5, 8, 3);
    kt_layer *first = kt_model_layer(m, 0), *last = kt_model_layer(m, 1);
    kt_check_ok(kt_model_fit(m, d.x, d.y, .verbose = 0));
    kt_check_status(kt_set_trainable(first, false), KT_OK);
    assert_false(kt_trainable(first));
    kt_check_status(
        kt_model_compile(m, kt_opt_adam(0.01), "sparse_categorical_crossentropy"), KT_OK);
    kt_weights_copy a = kt_copy_weights(first), b = kt_copy_weights(last);
    kt_check_ok(kt_model_fit(m, d.x, d.y, .verbose = 0));
    assert_true(kt_weights_same(first, &a));
    assert_false(kt_weights_same(last, &b));
    kt_check_status(kt_set_trainable(m, true), KT_OK); /* and everything inside */
    assert_true(kt_trainable(first));
    kt_check_status(
        kt_model_compile(m, kt_opt_adam(0.01), "sparse_categorical_crossentropy"), KT_OK);
    kt_check_ok(kt_model_fit(m, d.x, d.y, .verbose = 0));
    assert_false(kt_weights_same(first, &a));
    kt_weights_copy_free(&a);
    kt_weights_copy_free(&b);
    kt_free(m);
}

KT_TEST(sharing, a_model_with_nothing_to_train_still_fits) {
    const kt_blobs d = kt_make_blobs(64, 5, 3);
    kt_model *m = kt_small_model(5, 8, 3);
    kt_check_status(kt_set_trainable(m, false), KT_OK);
    kt_check_status(kt_model_compile(m, "adam", "sparse_categorical_crossentropy"), KT_OK);
    kt_weights_copy a = kt_copy_weights(m);
    kt_check_ok(kt_model_fit(m, d.x, d.y, .verbose = 0));
    assert_true(kt_weights_same(m, &a));
    kt_weights_copy_free(&a);
    kt_free(m);
}

/* Order of weights: trainable ones first, whatever is frozen now; so copies fit before and
 * after. */
KT_TEST(sharing, freezing_keeps_the_order_of_weights) {
    kt_model *m = kt_small_model(5, 8, 3);
    const char *before = kt_var_path(kt_layer_weight(m, 0));
    kt_weights_copy a = kt_copy_weights(m);
    kt_check_status(kt_set_trainable(kt_model_layer(m, 0), false), KT_OK);
    kt_check_str(kt_var_path(kt_layer_weight(m, 0)), before);
    assert_true(kt_weights_same(m, &a));
    kt_weights_copy_free(&a);
    kt_free(m);
}

KT_TEST(sharing, a_layer_survives_one_of_its_models) {
    kt_layer *shared = kt_dense(2, .kernel_initializer = "ones");
    kt_model *m = kt_sequential(kt_list(kt_input({2}), shared));
    kt_model *n = kt_sequential(
        kt_list(kt_input({2}), shared, kt_dense(1, .kernel_initializer = "ones")));
    kt_tensor *x = kt_floats_tensor(kt_dims(1, 2), KT_VALUES(1, 2));
    kt_check_values(kt_model_predict(n, x, .verbose = 0), 1e-6, 0, 6);
    kt_free(m);
    kt_check_values(kt_model_predict(n, x, .verbose = 0), 1e-6, 0, 6);
    kt_free(n);
}
