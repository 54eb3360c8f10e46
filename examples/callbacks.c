/* Callbacks: stop when the validation loss no longer falls, slow down before that, and a function
 * of your own after each epoch.
 *
 *     callbacks [--smoke]
 */
#include <keratin/keratin.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a Python user writes as LambdaCallback(on_epoch_end=lambda epoch, logs: …). `data` is the
 * pointer that kt_cb_lambda() was given. */
static kt_status report(kt_model *m, int64_t epoch, const kt_logs *logs, void *data) {
    double *goal = data;
    const double now = kt_logs_get(logs, "val_loss");
    if (now >= *goal) return KT_OK;
    printf("epoch %d: validation loss %.4f is below %g\n", (int)epoch + 1, now, *goal);
    *goal /= 2;
    return now < 1e-4 ? kt_model_stop_training(m) : KT_OK; /* anything negative would fail fit */
}

/* sin(x) with noise */
static void noisy_sine(int64_t n, kt_tensor **x, kt_tensor **y) {
    *x = kt_tensor_new(KT_FLOAT32, kt_dims(n, 1), NULL);
    *y = kt_tensor_new(KT_FLOAT32, kt_dims(n, 1), NULL);
    for (int64_t i = 0; i < n; i++) {
        const double at = 6 * (rand() / (double)RAND_MAX) - 3;
        kt_tensor_set(*x, i, at);
        kt_tensor_set(*y, i, sin(at) + 0.2 * (rand() / (double)RAND_MAX - 0.5));
    }
}

int main(int argc, char **argv) {
    const bool smoke = argc > 1 && !strcmp(argv[1], "--smoke");
    double goal = 0.4;
    kt_tensor *x, *y;
    srand(1);
    kt_set_random_seed(1);
    noisy_sine(smoke ? 100 : 1000, &x, &y);

    kt_model *m = kt_sequential(kt_list(
        kt_input({1}),
        kt_dense(32, .activation = "tanh"),
        kt_dense(32, .activation = "tanh"),
        kt_dense(1)));
    kt_model_compile(m, kt_opt_adam(0.01), "mse");
    kt_history *h = kt_model_fit(
        m,
        x,
        y,
        .epochs = smoke ? 2 : 200,
        .verbose = 0,
        .validation_split = 0.2,
        .callbacks = kt_list(
            kt_cb_early_stopping(
                "val_loss", .patience = 15, .restore_best_weights = true, .verbose = 1),
            kt_cb_reduce_lr_on_plateau(.factor = 0.5, .patience = 5, .verbose = 1),
            kt_cb_lambda(.on_epoch_end = report, .data = &goal)));
    const bool failed = kt_failed(h);
    if (failed)
        fprintf(stderr, "%s\n", kt_error_message()); /* the cause, wherever it was */
    else
        printf("%d epochs, last loss %.4f\n", kt_history_len(h), kt_history_get(h, "loss", -1));
    kt_free(m);
    kt_clear_session(); /* and the arrays, the history */
    return failed;
}
