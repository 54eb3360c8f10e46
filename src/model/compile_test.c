/* compile: losses and metrics by name, object, list and dict; weights of losses; compiling
 * again. */
#include "testing/kt_layers.h"
#include "testing/kt_models.h"

#include <math.h>
#include <string.h>

static kt_layer *times(const char *name, double w) {
    return kt_dense(1, .name = name, .use_bias = false, .kernel_initializer = kt_init_constant(w));
}

/* p = 2 x, q = 3 x */
static kt_model *two_outputs(void) {
    kt_sym *x = kt_input({1});
    return kt_functional(x, kt_list(kt_call(times("p", 2), x), kt_call(times("q", 3), x)));
}

static kt_tensor *column(int n, const double *v) { return kt_floats_tensor(kt_dims(n, 1), v); }

/* x = 1 2, labels 0: p errs by 2 4, q by 3 6. */
#define X2 column(2, KT_VALUES(1, 2))
#define ZERO column(2, KT_VALUES(0, 0))
static kt_logs *test(kt_model *m) { return kt_model_test_on_batch(m, X2, kt_list(ZERO, ZERO)); }

KT_TEST(compile, one_loss_serves_all_outputs) {
    kt_model *m = two_outputs();
    kt_check_status(kt_model_compile(m, "sgd", "mse"), KT_OK);
    kt_logs *l = test(m);
    kt_check_near(kt_logs_get(l, "loss"), 10 + 22.5, 1e-6, 0);
    kt_check_near(kt_logs_get(l, "p_loss"), 10, 1e-6, 0);
    kt_check_near(kt_logs_get(l, "q_loss"), 22.5, 1e-6, 0);
    kt_free(m);
}

KT_TEST(compile, losses_by_list_and_weights) {
    kt_model *m = two_outputs();
    kt_check_status(
        kt_model_compile(
            m,
            "sgd",
            kt_list("mse", kt_loss_mean_absolute_error()),
            .loss_weights = kt_floats(0.5, 10)),
        KT_OK);
    kt_logs *l = test(m);
    kt_check_near(kt_logs_get(l, "loss"), 5 + 45, 1e-6, 0);
    kt_check_near(
        kt_logs_get(l, "p_loss"), 10, 1e-6, 0); /* as Keras shows it: without its weight */
    kt_check_near(kt_logs_get(l, "q_loss"), 4.5, 1e-6, 0);
    kt_free(m);
}

KT_TEST(compile, losses_by_dict) {
    kt_model *m = two_outputs();
    kt_check_status(kt_model_compile(m, "sgd", kt_dict("q", "mae", "p", "mse")), KT_OK);
    kt_check_near(kt_logs_get(test(m), "loss"), 10 + 4.5, 1e-6, 0);
    kt_check_status(kt_model_compile(m, "sgd", kt_dict("q", "mae")), KT_OK);
    kt_check_near(kt_logs_get(test(m), "loss"), 4.5, 1e-6, 0);
    kt_check_status(kt_model_compile(m, "sgd", kt_dict("w", "mae")), KT_EINVAL);
    kt_check_message_has("no output \"w\"");
    kt_check_near(kt_logs_get(test(m), "loss"), 4.5, 1e-6, 0); /* the old compile stays in force */
    kt_free(m);
}

KT_TEST(compile, an_output_may_have_no_loss) {
    kt_model *m = two_outputs();
    kt_check_status(kt_model_compile(m, kt_opt_sgd(0.1), kt_list("mse", kt_none)), KT_OK);
    kt_check_near(kt_logs_get(test(m), "loss"), 10, 1e-6, 0);
    kt_check_ok(kt_model_train_on_batch(m, X2, kt_list(ZERO, ZERO)));
    kt_check_values(kt_var_value(kt_layer_weight(m, 1)), 0, 0, 3); /* nothing flows back */
    kt_check_values(
        kt_var_value(kt_layer_weight(m, 0)), 1e-6, 0, 2 - 0.1 * (2 * 2 + 2 * 4 * 2) / 2);
    kt_free(m);
}

KT_TEST(compile, metrics_of_several_outputs) {
    kt_model *m = two_outputs();
    kt_check_status(
        kt_model_compile(
            m,
            "sgd",
            "mse",
            .metrics = kt_list(kt_list("mae", "mse"), kt_metric_mean_absolute_error())),
        KT_OK);
    kt_logs *l = test(m);
    kt_check_near(kt_logs_get(l, "p_mae"), 3, 1e-6, 0);
    kt_check_near(kt_logs_get(l, "p_mse"), 10, 1e-6, 0);
    kt_check_near(kt_logs_get(l, "q_mean_absolute_error"), 4.5, 1e-6, 0);
    kt_check_status(
        kt_model_compile(m, "sgd", "mse", .metrics = kt_dict("q", kt_list("mae"))), KT_OK);
    l = test(m);
    kt_check_near(kt_logs_get(l, "q_mae"), 4.5, 1e-6, 0);
    assert_true(isnan(kt_logs_get(l, "p_mae")));
    kt_free(m);
}

KT_TEST(compile, accuracy_means_what_the_shapes_say) {
    const kt_blobs d = kt_make_blobs(60, 5, 3);
    kt_model *m = kt_small_model(5, 8, 3);
    const double sparse = kt_logs_get(kt_model_test_on_batch(m, d.x, d.y), "accuracy");
    kt_check_status(
        kt_model_compile(m, "sgd", "categorical_crossentropy", .metrics = "accuracy"), KT_OK);
    const double onehot = kt_logs_get(kt_model_test_on_batch(m, d.x, d.onehot), "accuracy");
    kt_check_near(sparse, onehot, 0, 0);
    kt_model *b = kt_sequential(kt_list(kt_input({1}), times("t", 1)));
    kt_check_status(
        kt_model_compile(b, "sgd", "mse", .metrics = kt_list("accuracy", "acc")), KT_OK);
    kt_logs *l = kt_model_test_on_batch(
        b, column(4, KT_VALUES(0.4, 0.6, 0.9, 0.1)), column(4, KT_VALUES(0, 1, 0, 1)));
    kt_check_near(kt_logs_get(l, "accuracy"), 0.5, 1e-6, 0);
    kt_check_near(kt_logs_get(l, "acc"), 0.5, 1e-6, 0);
    kt_free(m);
    kt_free(b);
}

KT_TEST(compile, reports_every_one_of_many_metrics) {
    enum { N = 90 };
    const void *metrics[N];
    for (int i = 0; i < N; i++) metrics[i] = kt_metric_mean_squared_error();
    kt_model *m = kt_sequential(kt_list(kt_input({1}), times("t", 2)));
    kt_check_status(kt_model_compile(m, "sgd", "mse", .metrics = kt_list_of(N, metrics)), KT_OK);
    kt_logs *l = kt_model_test_on_batch(m, X2, ZERO);
    assert_int_equal(kt_logs_len(l), N + 1);
    kt_check_near(kt_logs_get(l, "mean_squared_error_89"), 10, 1e-6, 0);
    kt_free(m);
}

KT_TEST(compile, metrics_start_anew_each_epoch) {
    const kt_blobs d = kt_make_blobs(60, 5, 3);
    kt_model *m = kt_small_model(5, 8, 3);
    kt_check_status(
        kt_model_compile(
            m, kt_opt_sgd(0.0), "sparse_categorical_crossentropy", .metrics = kt_list("accuracy")),
        KT_OK);
    kt_history *h = kt_model_fit(m, d.x, d.y, .epochs = 3, .verbose = 0);
    for (int e = 1; e < 3; e++) {
        kt_check_near(kt_history_get(h, "loss", e), kt_history_get(h, "loss", 0), 1e-6, 0);
        kt_check_near(kt_history_get(h, "accuracy", e), kt_history_get(h, "accuracy", 0), 1e-6, 0);
    }
    kt_free(m);
}

KT_TEST(compile, names_are_found_in_any_of_keras_forms) {
    kt_model *m = two_outputs();
    static const char *const optimizers[] = {"adam", "Adam", "ADAM", "sgd", "SGD", "rmsprop"};
    static const char *const losses[] = {
        "mse", "MSE", "mean_squared_error", "MeanSquaredError", "mae", "huber"};
    for (int i = 0; i < 6; i++) {
        kt_check_status(kt_model_compile(m, optimizers[i], losses[i]), KT_OK);
        kt_check_ok(test(m));
    }
    kt_free(m);
}

/* A new optimizer starts anew; the weights stay. */
KT_TEST(compile, compiling_again_keeps_the_weights) {
    const kt_blobs d = kt_make_blobs(60, 5, 3);
    kt_model *m = kt_small_model(5, 8, 3);
    kt_check_ok(kt_model_fit(m, d.x, d.y, .epochs = 2, .verbose = 0));
    kt_weights_copy w = kt_copy_weights(m);
    kt_check_status(kt_model_compile(m, kt_opt_sgd(0.0), "sparse_categorical_crossentropy"), KT_OK);
    assert_true(kt_weights_same(m, &w));
    kt_check_ok(kt_model_fit(m, d.x, d.y, .epochs = 2, .verbose = 0));
    assert_true(kt_weights_same(m, &w));
    kt_weights_copy_free(&w);
    kt_free(m);
}

/* Keras binds an optimizer to the weights it was built for; here one may serve two models in
 * turn. */
KT_TEST(compile, an_optimizer_may_be_given_to_the_same_model_again) {
    const kt_blobs d = kt_make_blobs(60, 5, 3);
    kt_model *m = kt_small_model(5, 8, 3);
    kt_optimizer *opt = kt_opt_adam(0.01);
    for (int i = 0; i < 3; i++) {
        kt_check_status(kt_model_compile(m, opt, "sparse_categorical_crossentropy"), KT_OK);
        kt_check_ok(kt_model_fit(m, d.x, d.y, .verbose = 0));
    }
    kt_free(m);
}

KT_TEST(compile, optimizer_none_and_loss_none) {
    kt_model *m = two_outputs();
    kt_check_status(kt_model_compile(m, NULL, "mse"), KT_EINVAL);
    kt_check_message_has("optimizer: expected a name or an optimizer, got None");
    kt_check_status(kt_model_compile(m), KT_OK); /* rmsprop and no loss, as in Keras */
    kt_check_fails(test(m), KT_ESTATE, "compiled without a loss");
    kt_free(m);
}

KT_TEST(compile, rejects_wrong_lists) {
    kt_model *m = two_outputs();
    kt_check_status(kt_model_compile(m, "sgd", kt_list("mse")), KT_EINVAL);
    kt_check_message_has("loss: expected 2, one for each output of the model, got 1");
    kt_check_status(kt_model_compile(m, "sgd", "mse", .loss_weights = kt_floats(1)), KT_EINVAL);
    kt_check_message_has("loss_weights: expected 2, one for each output of the model, got 1");
    kt_check_status(
        kt_model_compile(m, "sgd", "mse", .loss_weights = kt_floats(1, NAN)), KT_EINVAL);
    kt_check_status(
        kt_model_compile(m, "sgd", "mse", .metrics = kt_list("mae", "mae", "mae")), KT_EINVAL);
    kt_check_message_has("in compile of model \"functional\"");
    kt_check_status(kt_model_compile(m, "sgd", kt_list("mse", kt_opt_adam())), KT_EINVAL);
    kt_check_status(kt_model_compile(m, "sgd", kt_list(kt_list("mse"), "mse")), KT_EINVAL);
    kt_free(m);
}

KT_TEST(compile, metrics_with_several_values) {
    const kt_blobs d = kt_make_blobs(40, 4, 3);
    kt_model *m = kt_small_model(4, 8, 3);
    kt_check_status(
        kt_model_compile(m, "sgd", "categorical_crossentropy", .metrics = kt_metric_f1_score()),
        KT_OK);
    kt_history *h = kt_model_fit(m, d.x, d.onehot, .epochs = 2, .verbose = 0);
    kt_check_ok(h);
    const kt_floats_t f1 = kt_history_values(h, "f1_score", 1);
    assert_int_equal(f1.n, 3);
    kt_check_near(kt_history_get(h, "f1_score", 1), (f1.v[0] + f1.v[1] + f1.v[2]) / 3, 1e-12, 0);
    kt_free(m);
}

/* What real Keras 3.15.1 on TensorFlow evaluates for logits X, labels and weights. */
static void check_loss(
    const char *activation, kt_ref loss, bool sparse, bool weighted, double want) {
    static const float logits[] = {1, -2, 0.5f, 0, 3, -1}, rows[] = {1, 0, 0, 0, 0, 1};
    kt_sym *in = kt_input({3});
    kt_model *m = kt_functional(in, kt_call(kt_activation(activation), in));
    kt_check_status(kt_model_compile(m, "sgd", loss), KT_OK);
    kt_tensor *y = sparse ? kt_tensor_new(KT_INT32, kt_dims(2), (const int32_t[]){0, 2})
                          : kt_tensor_new(KT_FLOAT32, kt_dims(2, 3), rows);
    kt_tensor *w = kt_tensor_new(KT_FLOAT32, kt_dims(2), (const float[]){0.5f, 2});
    kt_logs *l = kt_model_evaluate(
        m,
        kt_tensor_new(KT_FLOAT32, kt_dims(2, 3), logits),
        y,
        .sample_weight = weighted ? w : NULL,
        .verbose = 0);
    kt_check_ok(l);
    kt_check_near(kt_logs_get(l, "loss"), want, 2e-6, 2e-6);
    kt_free(m);
}

KT_TEST(compile, cross_entropies_find_the_logits_of_any_sigmoid_or_softmax) {
    check_loss("softmax", "binary_crossentropy", false, false, 1.078211);
    check_loss("sigmoid", "categorical_crossentropy", false, false, 2.285240);
    check_loss("sigmoid", "sparse_categorical_crossentropy", true, false, 2.285240);
    check_loss("softmax", kt_loss_categorical_crossentropy(true), false, false, 2.285240);
    check_loss("sigmoid", kt_loss_sparse_categorical_crossentropy(true), true, false, 2.285240);
    kt_loss *ignoring = kt_loss_sparse_categorical_crossentropy(.ignore_class = 0);
    check_loss("sigmoid", ignoring, true, false, 1.856467);
    check_loss("softmax", kt_loss_binary_focal_crossentropy(), false, false, 0.687043);
}

KT_TEST(compile, losses_of_one_value_are_weighted) {
    check_loss("sigmoid", "dice", false, true, 0.768697);
    check_loss("sigmoid", kt_loss_tversky(.reduction = "sum"), false, true, 1.537395);
    kt_loss *weighted = kt_loss_dice(.reduction = "mean_with_sample_weight");
    check_loss("softmax", weighted, false, true, 0.689552);
}
