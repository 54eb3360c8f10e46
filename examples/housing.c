/* Regression: what does a house cost? Prices of California (600 rows), or of Boston, from 8 or 13
 * numbers each, brought to mean 0 and deviation 1 first.
 *
 *     housing [boston] [--smoke]
 *
 * needs california_housing.npz or boston_housing.npz, but for --smoke
 */
#include <keratin/keratin.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For --smoke: the price is the sum of the numbers. */
static void make_up(kt_splits *d) {
    d->x_train = kt_tensor_new(KT_FLOAT32, kt_dims(128, 8), NULL);
    d->y_train = kt_tensor_new(KT_FLOAT32, kt_dims(128), NULL);
    for (int i = 0; i < 128 * 8; i++) {
        kt_tensor_set(d->x_train, i, rand() / (double)RAND_MAX);
        kt_tensor_set(
            d->y_train, i / 8, kt_tensor_get(d->y_train, i / 8) + kt_tensor_get(d->x_train, i));
    }
    d->x_test = kt_tensor_slice(d->x_train, 0, 32);
    d->y_test = kt_tensor_slice(d->y_train, 0, 32);
}

/* Columns of both sets, by mean and deviation of the training set. */
static void standardize(kt_tensor *train, kt_tensor *test) {
    const int64_t rows = kt_tensor_dim(train, 0), cols = kt_tensor_dim(train, 1);
    for (int64_t c = 0; c < cols; c++) {
        double mean = 0, variance = 0;
        for (int64_t r = 0; r < rows; r++)
            mean += kt_tensor_get(train, r * cols + c) / (double)rows;
        for (int64_t r = 0; r < rows; r++)
            variance += pow(kt_tensor_get(train, r * cols + c) - mean, 2) / (double)rows;
        for (int64_t i = c; i < kt_tensor_size(train); i += cols)
            kt_tensor_set(train, i, (kt_tensor_get(train, i) - mean) / sqrt(variance));
        for (int64_t i = c; i < kt_tensor_size(test); i += cols)
            kt_tensor_set(test, i, (kt_tensor_get(test, i) - mean) / sqrt(variance));
    }
}

int main(int argc, char **argv) {
    bool smoke = false, boston = false;
    for (int i = 1; i < argc; i++) {
        smoke = smoke || !strcmp(argv[i], "--smoke");
        boston = boston || !strcmp(argv[i], "boston");
    }
    kt_set_random_seed(1);
    kt_splits d = {0};
    if (smoke)
        make_up(&d);
    else if (boston ? kt_data_boston_housing(&d) : kt_data_california_housing(&d, "small"))
        return fprintf(stderr, "%s\n", kt_error_message()), 1;
    kt_tensor *x_test = kt_tensor_copy(d.x_test);
    standardize(d.x_train, x_test);
    const double unit = smoke || boston ? 1 : 100000; /* dollars are too large to begin with */
    for (int64_t i = 0; i < kt_tensor_size(d.y_train); i++)
        kt_tensor_set(d.y_train, i, kt_tensor_get(d.y_train, i) / unit);

    kt_model *m = kt_sequential(kt_list(
        kt_input({kt_tensor_dim(d.x_train, 1)}),
        kt_dense(64, .activation = "relu"),
        kt_dense(64, .activation = "relu"),
        kt_dense(1)));
    kt_model_compile(m, "rmsprop", "mean_squared_error", .metrics = kt_list("mae"));
    kt_history *h = kt_model_fit(
        m, d.x_train, d.y_train, .batch_size = 16, .epochs = smoke ? 1 : 100, .verbose = 2 * smoke);
    kt_tensor *p = kt_model_predict(m, x_test, .verbose = 0);
    const int failed = kt_failed(h) || kt_failed(p);
    double error = 0;
    for (int64_t i = 0; i < kt_tensor_size(p); i++)
        error += fabs(kt_tensor_get(p, i) * unit - kt_tensor_get(d.y_test, i));
    if (failed)
        fprintf(stderr, "%s\n", kt_error_message()); /* the cause, wherever above it was */
    else
        printf(
            "mean error of %d test houses: %.4g %s\n",
            (int)kt_tensor_size(p),
            error / (double)kt_tensor_size(p),
            boston ? "thousand dollars" : "dollars");
    kt_free(m);
    kt_clear_session();
    return failed;
}
