/* Training curves of real Keras (tests/golden/curves_slice.npz): the same weights to begin with,
 * the same batches; every loss of 50 steps and the weights after them. Models are what users build,
 * so that the whole chain counts: compile, train_on_batch, gradients, optimizers. */
#include "io/npz.h"
#include "testing/kt_models.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define STEPS 50
#define BATCH 16
#define ROWS 200
#define MUST 1e-4 /* relative; what is reached is printed */

static kt_optimizer *sgd(void) { return kt_opt_sgd(0.05); }
static kt_optimizer *sgd_momentum(void) { return kt_opt_sgd(0.05, .momentum = 0.9); }
static kt_optimizer *sgd_nesterov(void) {
    return kt_opt_sgd(0.05, .momentum = 0.9, .nesterov = true);
}
static kt_optimizer *adam(void) { return kt_opt_adam(0.01); }
static kt_optimizer *rmsprop(void) { return kt_opt_rmsprop(0.01); }

static const struct {
    const char *name;
    kt_optimizer *(*make)(void);
} optimizers[5] = {
    {"sgd", sgd},
    {"sgd_momentum", sgd_momentum},
    {"sgd_nesterov", sgd_nesterov},
    {"adam", adam},
    {"rmsprop", rmsprop}};
static const char *const losses[3] = {
    "sparse_categorical_crossentropy", "categorical_crossentropy", "mse"};

static kt_tensor *read(kt_npz *z, const char *name, const char *part) {
    char key[96];
    snprintf(key, sizeof key, "%s%s%s", name, *name && *part ? "/" : "", part);
    kt_tensor *t = kt_npz_read(z, key);
    kt_check_ok(t);
    return t;
}

static kt_list_t *read_weights(kt_npz *z, const char *prefix) {
    const void *w[6];
    char part[16];
    for (int i = 0; i < 6; i++) {
        snprintf(part, sizeof part, "w%d", i);
        w[i] = read(z, prefix, part);
    }
    return kt_list_of(6, w);
}

static kt_model *mlp(kt_npz *z) {
    kt_model *m = kt_sequential(kt_list(
        kt_input({20}),
        kt_dense(16, .activation = "relu"),
        kt_dense(8, .activation = "tanh"),
        kt_dense(5, .activation = "softmax")));
    kt_check_status(kt_set_weights(m, read_weights(z, "init")), KT_OK);
    return m;
}

static void worse(double *worst, double got, double want) {
    const double off = fabs(got - want) / fmax(fabs(want), 1e-3);
    if (!(off <= *worst)) *worst = off;
}

/* The largest difference of a weight, relative to the largest weight of its array. */
static double weights_off(kt_model *m, kt_npz *z, const char *prefix) {
    double worst = 0;
    kt_list_t *want = read_weights(z, prefix);
    for (int i = 0; i < 6; i++) {
        const kt_tensor *w = kt_list_get(want, i);
        kt_tensor *got = kt_var_value(kt_layer_weight(m, i));
        double most = 0;
        for (int64_t k = 0; k < kt_tensor_size(w); k++)
            most = fmax(most, fabs(kt_tensor_get(w, k)));
        for (int64_t k = 0; k < kt_tensor_size(w); k++)
            worst = fmax(worst, fabs(kt_tensor_get(got, k) - kt_tensor_get(w, k)) / most);
    }
    return worst;
}

/* Step s takes rows from 16 (s mod 13); the 13th batch has 8. */
static void check_curve(kt_npz *z, int optimizer, const char *loss) {
    char name[96];
    snprintf(name, sizeof name, "%s.%s", optimizers[optimizer].name, loss);
    kt_tensor *x = read(z, "x", ""), *want = read(z, name, "loss");
    kt_tensor *y = read(z, strncmp(loss, "sparse", 6) ? "y_onehot" : "y", "");
    kt_model *m = mlp(z);
    double worst = 0;
    kt_check_status(kt_model_compile(m, optimizers[optimizer].make(), loss), KT_OK);
    for (int s = 0; s < STEPS; s++) {
        const int64_t from = BATCH * (s % 13), to = from + BATCH < ROWS ? from + BATCH : ROWS;
        kt_tensor *xs = kt_tensor_slice(x, from, to), *ys = kt_tensor_slice(y, from, to);
        kt_logs *l = kt_model_train_on_batch(m, xs, ys);
        kt_check_ok(l);
        worse(&worst, kt_logs_get(l, "loss"), kt_tensor_get(want, s));
        kt_free(l);
        kt_free(xs);
        kt_free(ys);
    }
    snprintf(name, sizeof name, "%s.%s/final", optimizers[optimizer].name, loss);
    const double weights = weights_off(m, z, name);
    print_message("%-48s losses %.1e, weights %.1e\n", name, worst, weights);
    assert_true(worst <= MUST);
    assert_true(weights <= 10 * MUST);
    kt_free(m);
    kt_clear_session();
}

KT_TEST(curves, fifty_steps_follow_keras) {
    kt_npz *z;
    kt_check_status(kt_npz_open(&z, "tests/golden/curves_slice.npz"), KT_OK);
    for (int o = 0; o < 5; o++)
        for (int l = 0; l < 3; l++) check_curve(z, o, losses[l]);
    kt_npz_close(z);
}

/* fit(epochs=4, shuffle=False) with the first 40 rows for validation, and metrics. */
KT_TEST(curves, the_history_of_fit_is_that_of_keras) {
    static const char *const keys[] = {"accuracy", "loss", "val_accuracy", "val_loss"};
    kt_npz *z;
    kt_check_status(kt_npz_open(&z, "tests/golden/curves_slice.npz"), KT_OK);
    kt_tensor *x = read(z, "x", ""), *y = read(z, "y", "");
    kt_model *m = mlp(z);
    kt_check_status(
        kt_model_compile(
            m,
            kt_opt_adam(0.01),
            "sparse_categorical_crossentropy",
            .metrics = kt_list("accuracy")),
        KT_OK);
    kt_history *h = kt_model_fit(
        m,
        x,
        y,
        .batch_size = BATCH,
        .epochs = 4,
        .shuffle = false,
        .validation_x = kt_tensor_slice(x, 0, 40),
        .validation_y = kt_tensor_slice(y, 0, 40),
        .verbose = 0);
    kt_check_ok(h);
    assert_int_equal(kt_history_n_names(h), 4);
    for (int k = 0; k < 4; k++) {
        kt_tensor *want = read(z, "fit", keys[k]);
        kt_check_str(kt_history_name(h, k), keys[k]);
        for (int e = 0; e < 4; e++)
            kt_check_near(kt_history_get(h, keys[k], e), kt_tensor_get(want, e), MUST, 0);
    }
    assert_true(weights_off(m, z, "fit/final") <= 10 * MUST);
    kt_free(m);
    kt_npz_close(z);
}
