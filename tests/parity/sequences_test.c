/* Networks on sequences against real Keras (tests/golden/sequences.npz): predictions, three
 * training steps with their losses and metrics, and the weights after them. Masks reach losses and
 * metrics. */
#include "io/npz.h"
#include "testing/kt_models.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define STEPS 3

static kt_npz *file;

static kt_tensor *read(const char *name, const char *part, int i) {
    char key[96];
    if (i < 0)
        snprintf(key, sizeof key, "%s/%s", name, part);
    else
        snprintf(key, sizeof key, "%s/%s%d", name, part, i);
    for (int k = 0; k < kt_npz_count(file); k++)
        if (!strcmp(kt_npz_name(file, k), key)) return kt_npz_read(file, key);
    return NULL;
}

static void load_weights(kt_model *m, const char *name) {
    const int n = kt_layer_n_weights(m);
    for (int i = 0; i < n; i++) {
        kt_tensor *w = read(name, "w", i);
        assert_non_null(w);
        kt_check_status(kt_var_assign(kt_layer_weight(m, i), w), KT_OK);
        kt_free(w);
    }
    assert_null(read(name, "w", n));
}

/* Weights after the steps: within `tol` of the largest element of their array. */
static void check_weights(kt_model *m, const char *name, double tol) {
    for (int i = 0; i < kt_layer_n_weights(m); i++) {
        kt_tensor *want = read(name, "v", i), *got = kt_var_value(kt_layer_weight(m, i));
        double most = 0;
        for (int64_t k = 0; k < kt_tensor_size(want); k++)
            most = fmax(most, fabs(kt_tensor_get(want, k)));
        for (int64_t k = 0; k < kt_tensor_size(want); k++)
            kt_check_near(kt_tensor_get(got, k), kt_tensor_get(want, k), 0, tol * most);
        kt_free(want);
        kt_free(got);
    }
}

/* One case: the model is compiled already. */
static void check_model(const char *name, kt_model *m, double tol) {
    static const char *const keys[] = {
        "loss", "accuracy", "weighted_accuracy", "mae", "weighted_mae", "mse", NULL};
    print_message("%s\n", name);
    kt_check_ok(m);
    load_weights(m, name);
    kt_tensor *x = read(name, "x", -1), *t = read(name, "t", -1), *p = read(name, "p", -1);
    kt_tensor *got = kt_model_predict(m, x, .verbose = 0);
    kt_check_ok(got);
    kt_check_tensors_near(got, p, tol, tol);
    for (int step = 0; step < STEPS; step++) {
        kt_logs *l = kt_model_train_on_batch(m, x, t);
        kt_check_ok(l);
        for (int k = 0; keys[k]; k++) {
            kt_tensor *want = read(name, keys[k], -1);
            assert_true(want != NULL || k > 0);
            if (want) kt_check_near(kt_logs_get(l, keys[k]), kt_tensor_get(want, step), tol, 1e-6);
            kt_free(want);
        }
    }
    check_weights(m, name, tol);
    kt_free(x);
    kt_free(t);
    kt_free(p);
    kt_free(m);
}

static kt_model *compiled(
    kt_model *m, kt_optimizer *o, const char *loss, const char *metric, bool weighted) {
    kt_check_status(
        kt_model_compile(
            m,
            o,
            loss,
            .metrics = metric ? kt_list(metric) : NULL,
            .weighted_metrics = weighted ? kt_list(metric) : NULL),
        KT_OK);
    return m;
}

#define XENT "sparse_categorical_crossentropy"

static void open_file(void) {
    kt_check_status(kt_npz_open(&file, "tests/golden/sequences.npz"), KT_OK);
}

KT_TEST(sequences, masks_reach_losses_and_metrics) {
    open_file();
    kt_model *m = kt_sequential(kt_list(
        kt_input({4}, .dtype = "int32"),
        kt_embedding(6, 3, .mask_zero = true),
        kt_dense(4, .activation = "tanh"),
        kt_dense(3, .activation = "softmax")));
    check_model("tags", compiled(m, kt_opt_sgd(0.1), XENT, "accuracy", true), 1e-5);
    m = kt_sequential(kt_list(
        kt_input({4}, .dtype = "int32"), kt_embedding(6, 3), kt_dense(3, .activation = "softmax")));
    check_model("tags_none", compiled(m, kt_opt_sgd(0.1), XENT, "accuracy", false), 1e-5);
    m = kt_sequential(kt_list(kt_input({4, 2}), kt_masking(), kt_dense(2)));
    check_model("masked_mse", compiled(m, kt_opt_sgd(0.1), "mse", "mae", true), 1e-5);
    m = kt_sequential(
        kt_list(kt_input({4, 2}), kt_masking(), kt_activation("tanh"), kt_dropout(0), kt_dense(2)));
    check_model("masked_adam", compiled(m, kt_opt_adam(0.01), "mae", "mse", false), 1e-5);
    kt_npz_close(file);
}

/* The same network nested and functional: the mask goes in and out of the inner model. */
KT_TEST(sequences, masks_flow_through_nested_models) {
    open_file();
    kt_sym *x = kt_input({4}, .dtype = "int32"), *h = kt_input({4, 3});
    kt_model *inner = kt_functional(h, kt_call(kt_dense(4, .activation = "tanh"), h));
    kt_sym *e = kt_call(kt_embedding(6, 3, .mask_zero = true), x);
    kt_sym *y = kt_call(kt_dense(3, .activation = "softmax"), kt_call(inner, e));
    kt_model *m = kt_functional(x, y);
    check_model("tags", compiled(m, kt_opt_sgd(0.1), XENT, "accuracy", true), 1e-5);
    kt_npz_close(file);
}

KT_TEST(sequences, recurrent_networks_train_as_in_keras) {
    open_file();
    kt_model *m = kt_sequential(kt_list(
        kt_input({5}, .dtype = "int32"),
        kt_embedding(6, 3, .mask_zero = true),
        kt_lstm(4),
        kt_dense(1, .activation = "sigmoid")));
    check_model(
        "text_lstm", compiled(m, kt_opt_sgd(0.1), "binary_crossentropy", "accuracy", false), 2e-5);
    m = kt_sequential(kt_list(
        kt_input({5}, .dtype = "int32"),
        kt_embedding(6, 3, .mask_zero = true),
        kt_gru(4, .return_sequences = true),
        kt_simple_rnn(3),
        kt_dense(1, .activation = "sigmoid")));
    check_model(
        "text_gru", compiled(m, kt_opt_sgd(0.1), "binary_crossentropy", "accuracy", false), 2e-5);
    m = kt_sequential(kt_list(
        kt_input({4}, .dtype = "int32"),
        kt_embedding(6, 3, .mask_zero = true),
        kt_lstm(4, .return_sequences = true),
        kt_dense(3, .activation = "softmax")));
    check_model("tagger", compiled(m, kt_opt_sgd(0.1), XENT, "accuracy", true), 2e-5);
    m = kt_sequential(kt_list(
        kt_input({KT_NONE, 2}), kt_lstm(4, .return_sequences = true), kt_lstm(3), kt_dense(1)));
    check_model("stacked_lstm", compiled(m, kt_opt_adam(0.01), "mse", "mae", false), 2e-5);
    kt_npz_close(file);
}
