/* `make demo`: trains a network on 60,000 pictures of clothing (Fashion-MNIST) or digits (MNIST),
 * says how many of 10,000 new ones it gets right, and shows a few.
 *
 *     demo [mnist|fashion_mnist] [--smoke]
 */
#include <keratin/keratin.h>
#include <stdio.h>
#include <string.h>

static const char *const clothes[] = {
    "T-shirt",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot"};
static const char *const digits[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

/* A picture as text: every second row, darker letters for more ink. */
static void show(const unsigned char *pixel) {
    for (int row = 0; row < 28; row += 2) {
        fputs("    ", stdout);
        for (int col = 0; col < 28; col++) putchar(" .:-=+*#%@"[pixel[row * 28 + col] * 9 / 255]);
        putchar('\n');
    }
}

static void show_predictions(kt_model *m, const kt_splits *d, const char *const *names, int n) {
    kt_tensor *some = kt_tensor_slice(d->x_test, 0, n);
    kt_tensor *p = kt_model_predict(m, some, .verbose = 0);
    for (int i = 0; i < n && !kt_failed(p); i++) {
        const int64_t guess = kt_tensor_argmax(p, i);
        show((const unsigned char *)kt_tensor_data(some) + i * 28 * 28);
        printf(
            "    predicted %s (%.0f %%), label %s\n\n",
            names[guess],
            100 * kt_tensor_get(p, i * 10 + guess),
            names[(int)kt_tensor_get(d->y_test, i)]);
    }
}

static kt_model *network(void) {
    kt_model *m = kt_sequential(kt_list(
        kt_input({28, 28}),
        kt_rescaling(1.0 / 255),
        kt_flatten(),
        kt_dense(256, .activation = "relu"),
        kt_dropout(0.2),
        kt_dense(10, .activation = "softmax")));
    kt_model_compile(m, "adam", "sparse_categorical_crossentropy", .metrics = kt_list("accuracy"));
    return m;
}

int main(int argc, char **argv) {
    bool smoke = false, mnist = false;
    for (int i = 1; i < argc; i++) {
        smoke = smoke || !strcmp(argv[i], "--smoke");
        mnist = mnist || !strcmp(argv[i], "mnist");
    }
    kt_set_random_seed(42);
    kt_splits d = {0};
    if ((mnist ? kt_data_mnist : kt_data_fashion_mnist)(&d)) {
        fprintf(stderr, "%s\n", kt_error_message());
        return 1;
    }
    if (smoke) {
        d.x_train = kt_tensor_slice(d.x_train, 0, 6000);
        d.y_train = kt_tensor_slice(d.y_train, 0, 6000);
    }
    kt_model *m = network();
    kt_model_summary(m);
    kt_history *h = kt_model_fit(
        m,
        d.x_train,
        d.y_train,
        .batch_size = 128,
        .epochs = smoke   ? 1
                  : mnist ? 5
                          : 10,
        .validation_split = 0.1);
    kt_logs *result = kt_model_evaluate(m, d.x_test, d.y_test);
    const bool failed = kt_failed(h) || kt_failed(result);
    if (failed) {
        fprintf(stderr, "%s\n", kt_error_message()); /* the cause, wherever above it was */
    } else {
        printf("\ntest accuracy %.4f\n\n", kt_logs_get(result, "accuracy"));
        show_predictions(m, &d, mnist ? digits : clothes, 3);
    }
    kt_free(m);         /* and everything only m was using */
    kt_clear_session(); /* and whatever nobody adopted: the history, the data */
    return failed;
}
