/* Models that other people trained land on the counts that they reach in Keras. The files are those
 * of ../shared/corpus (../shared/DATA.md has the counts), the data those of KERAS_HOME. */
#include "testing/kt_test.h"

#include <keratin/keratin.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CORPUS "../shared/corpus/models/"

/* Rows whose label is the largest output; a single output lies on its side of a half. */
static int count_right(const kt_tensor *p, const kt_tensor *labels) {
    int right = 0;
    for (int64_t i = 0; i < kt_tensor_dim(p, 0); i++) {
        const bool one = kt_tensor_dim(p, 1) == 1;
        const int64_t best = one ? kt_tensor_get(p, i) > 0.5 : kt_tensor_argmax(p, i);
        right += best == (int64_t)kt_tensor_get(labels, i);
    }
    return right;
}

/* A near tie may fall on either side. */
static void lands_on(const char *file, const kt_tensor *x, const kt_tensor *labels, int expected) {
    char path[256];
    snprintf(path, sizeof path, CORPUS "%s", file);
    kt_model *m = kt_load_model(path);
    kt_check_status(kt_check(m), KT_OK);
    kt_tensor *p = kt_model_predict(m, x, .verbose = 0);
    kt_check_status(kt_check(p), KT_OK);
    const int right = count_right(p, labels);
    print_message("%s: %d right (Keras: %d)\n", file, right, expected);
    assert_true(abs(right - expected) <= 1);
    kt_free(p);
    kt_free(m);
}

/* The first 2000 pictures as numbers from 0 to 1, (2000, 28, 28, 1). */
static kt_tensor *pictures(const kt_tensor *all) {
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(2000, 28, 28, 1), NULL);
    for (int64_t i = 0; i < kt_tensor_size(x); i++)
        kt_tensor_set(x, i, kt_tensor_get(all, i) / 255);
    return x;
}

static bool is_missing(bool data, const char *what) {
    if (data && access(CORPUS, R_OK) == 0) return false;
    print_message("not run: ../shared/corpus or %s is not here\n", what);
    return true;
}

static void classifies(const kt_splits *d, const char *file, int expected) {
    kt_tensor *x = pictures(d->x_test);
    lands_on(file, x, d->y_test, expected);
    kt_free(x);
}

KT_TEST(corpus, digits) {
    kt_splits d = {0};
    if (is_missing(!kt_data_mnist(&d), "MNIST")) return;
    classifies(&d, "gosolna-commits__mnist-cnn__mnist_cnn.keras", 1977);
}

KT_TEST(corpus, clothes) {
    kt_splits d = {0};
    if (is_missing(!kt_data_fashion_mnist(&d), "Fashion-MNIST")) return;
    classifies(&d, "Aman-21k__cnn-fashion-mnist-classifier__model.keras", 1817);
}

KT_TEST(corpus, reviews) {
    kt_text_splits d = {0};
    if (is_missing(!kt_data_imdb(&d, .num_words = 10000), "IMDB")) return;
    kt_sequences *first = kt_sequences_slice(d.x_test, 0, 1000);
    kt_tensor *x = kt_pad_sequences(first, 500);
    lands_on("beingzy__learn_keras__lstm_rnn_imdb.h5", x, d.y_test, 867);
    lands_on("beingzy__learn_keras__simple_rnn_imdb.h5", x, d.y_test, 835);
    kt_free(x);
    kt_free(first);
}
