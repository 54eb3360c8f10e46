/* Whole trainings on real data, through public headers only: the networks of the manual reach the
 * accuracy that they reach with Keras.
 *
 * Fashion-MNIST comes from a package (or KERAS_HOME), MNIST from KERAS_HOME alone; a test whose
 * data are not there says so in one line. */
#include "testing/kt_test.h"

#include <keratin/keratin.h>
#include <stdio.h>

/* The 784-128-10 network of every introduction. */
static kt_model *mlp(void) {
    kt_model *m = kt_sequential(kt_list(
        kt_input({28, 28}),
        kt_rescaling(1.0 / 255),
        kt_flatten(),
        kt_dense(128, .activation = "relu"),
        kt_dense(10, .activation = "softmax")));
    kt_model_compile(m, "adam", "sparse_categorical_crossentropy", .metrics = kt_list("accuracy"));
    return m;
}

static double train(const kt_splits *d, int batch_size, int epochs) {
    kt_set_random_seed(1);
    kt_model *m = mlp();
    kt_history *h = kt_model_fit(
        m, d->x_train, d->y_train, .batch_size = batch_size, .epochs = epochs, .verbose = 0);
    kt_check_status(kt_check(h), KT_OK);
    assert_true(kt_history_get(h, "loss", -1) < kt_history_get(h, "loss", 0));
    kt_logs *l = kt_model_evaluate(m, d->x_test, d->y_test, .batch_size = 1000, .verbose = 0);
    kt_check_status(kt_check(l), KT_OK);
    const double accuracy = kt_logs_get(l, "accuracy");
    kt_free(m);
    return accuracy;
}

KT_TEST(e2e, fashion_mnist_reaches_087) {
    kt_splits d = {0};
    if (kt_data_fashion_mnist(&d)) {
        print_message("skipped: no Fashion-MNIST here (apt install dataset-fashion-mnist)\n");
        return;
    }
    const double accuracy = train(&d, 64, 7);
    print_message("Fashion-MNIST: test accuracy %.4f\n", accuracy);
    assert_true(accuracy >= 0.87);
}

KT_TEST(e2e, mnist_reaches_0975) {
    kt_splits d = {0};
    if (kt_data_mnist(&d)) {
        print_message("skipped: no MNIST here (set KERAS_HOME)\n");
        return;
    }
    const double accuracy = train(&d, 32, 5);
    print_message("MNIST: test accuracy %.4f\n", accuracy);
    assert_true(accuracy >= 0.975);
}

/* A functional network with two inputs and two outputs on the same data: upper and lower half of
 * the picture in, the class and whether it is a shoe out. */
KT_TEST(e2e, two_inputs_and_two_outputs_learn) {
    kt_splits d = {0};
    if (kt_data_fashion_mnist(&d)) {
        print_message("skipped: no Fashion-MNIST here (apt install dataset-fashion-mnist)\n");
        return;
    }
    enum { ROWS = 6000, HALF = 14 * 28 };
    kt_tensor *upper = kt_tensor_new(KT_UINT8, kt_dims(ROWS, HALF), NULL);
    kt_tensor *lower = kt_tensor_new(KT_UINT8, kt_dims(ROWS, HALF), NULL);
    kt_tensor *label = kt_tensor_slice(d.y_train, 0, ROWS);
    kt_tensor *shoe = kt_tensor_new(KT_FLOAT32, kt_dims(ROWS, 1), NULL);
    const unsigned char *pixels = kt_tensor_data(d.x_train);
    for (int64_t i = 0; i < ROWS; i++) {
        const int y = (int)kt_tensor_get(label, i);
        kt_tensor_set(shoe, i, y == 5 || y == 7 || y == 9);
        for (int k = 0; k < HALF; k++) {
            ((unsigned char *)kt_tensor_data(upper))[i * HALF + k] = pixels[i * 2 * HALF + k];
            ((unsigned char *)kt_tensor_data(
                lower))[i * HALF + k] = pixels[i * 2 * HALF + HALF + k];
        }
    }
    kt_set_random_seed(2);
    kt_sym *a = kt_input({HALF}, .name = "upper"), *b = kt_input({HALF}, .name = "lower");
    kt_layer *eye = kt_dense(64, .activation = "relu"); /* one for both halves */
    kt_sym *x = kt_call(
        kt_concatenate(),
        kt_list(
            kt_call(eye, kt_op_divide(a, kt_num(255))),
            kt_call(eye, kt_op_divide(b, kt_num(255)))));
    kt_sym *which = kt_call(kt_dense(10, .name = "which"), x);
    kt_sym *is_shoe = kt_call(kt_dense(1, .activation = "sigmoid", .name = "shoe"), x);
    kt_model *m = kt_functional(kt_list(a, b), kt_list(which, is_shoe));
    kt_model_compile(
        m,
        kt_opt_adam(),
        kt_list(
            kt_loss_sparse_categorical_crossentropy(.from_logits = true), "binary_crossentropy"),
        .metrics = kt_list("accuracy", "accuracy"),
        .loss_weights = kt_floats(1, 0.5));
    kt_history *h = kt_model_fit(
        m,
        kt_list(upper, lower),
        kt_list(label, shoe),
        .batch_size = 64,
        .epochs = 5,
        .verbose = 0);
    kt_check_status(kt_check(h), KT_OK);
    print_message(
        "class %.3f, shoe %.3f\n",
        kt_history_get(h, "which_accuracy", -1),
        kt_history_get(h, "shoe_accuracy", -1));
    assert_true(kt_history_get(h, "which_accuracy", -1) > 0.8);
    assert_true(kt_history_get(h, "shoe_accuracy", -1) > 0.97);
    kt_free(m);
}
