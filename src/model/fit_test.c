/* fit, evaluate, train_on_batch: weights of samples and classes, validation, history,
 * repeatability. Expected numbers are worked out by hand from a network of one weight: y = w x, w =
 * 2, and a learning rate of 0 where it is to stay so. */
#include "base/mem.h"
#include "testing/kt_layers.h"
#include "testing/kt_models.h"

#include <keratin/callbacks.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static kt_model *times_two(double rate) {
    kt_layer *l = kt_dense(1, .use_bias = false, .kernel_initializer = kt_init_constant(2));
    kt_model *m = kt_sequential(kt_list(kt_input({1}), l));
    kt_check_status(
        kt_model_compile(
            m, kt_opt_sgd(rate), "mse", .metrics = kt_list("mae"), .weighted_metrics = "mae"),
        KT_OK);
    return m;
}

static kt_tensor *column(int n, const double *v) { return kt_floats_tensor(kt_dims(n, 1), v); }

static double weight_of(kt_model *m) {
    kt_tensor *t = kt_var_value(kt_layer_weight(m, 0));
    const double w = kt_tensor_get(t, 0);
    kt_free(t);
    return w;
}

/* Predictions 2 4 6 8, labels 1 1 1 1: errors 1 3 5 7, squares 1 9 25 49. */
#define X4 column(4, KT_VALUES(1, 2, 3, 4))
#define Y4 column(4, KT_VALUES(1, 1, 1, 1))

KT_TEST(fit, the_loss_is_the_mean) {
    kt_model *m = times_two(0);
    kt_logs *l = kt_model_evaluate(m, X4, Y4, .verbose = 0);
    kt_check_near(kt_logs_get(l, "loss"), 84 / 4., 1e-6, 0);
    kt_check_near(kt_logs_get(l, "mae"), 16 / 4., 1e-6, 0);
    assert_true(isnan(kt_logs_get(l, "accuracy")));
    kt_free(m);
}

KT_TEST(fit, short_last_batches_count_by_their_rows) {
    kt_model *m = times_two(0);
    for (int batch = 1; batch <= 5; batch++) {
        kt_logs *l = kt_model_evaluate(m, X4, Y4, .batch_size = batch, .verbose = 0);
        kt_check_near(kt_logs_get(l, "loss"), 84 / 4., 1e-6, 0);
        kt_check_near(kt_logs_get(l, "mae"), 16 / 4., 1e-6, 0);
        kt_history *h = kt_model_fit(m, X4, Y4, .batch_size = batch, .verbose = 0);
        kt_check_near(kt_history_get(h, "loss", 0), 84 / 4., 1e-6, 0);
        kt_check_near(kt_history_get(h, "mae", 0), 16 / 4., 1e-6, 0);
    }
    kt_free(m);
}

/* Keras divides by the number of samples, not by the sum of the weights; plain metrics see no
 * weights. */
KT_TEST(fit, sample_weights_scale_the_loss) {
    kt_model *m = times_two(0);
    kt_tensor *w = kt_floats_tensor(kt_dims(4), KT_VALUES(1, 0, 2, 0.5));
    kt_logs *l = kt_model_evaluate(m, X4, Y4, .sample_weight = w, .verbose = 0);
    kt_check_near(kt_logs_get(l, "loss"), (1 + 50 + 24.5) / 4, 1e-6, 0);
    kt_check_near(kt_logs_get(l, "mae"), 16 / 4., 1e-6, 0);
    kt_check_near(kt_logs_get(l, "weighted_mae"), (1 + 10 + 3.5) / 3.5, 1e-6, 0);
    l = kt_model_test_on_batch(m, X4, Y4, .sample_weight = w);
    kt_check_near(kt_logs_get(l, "loss"), (1 + 50 + 24.5) / 4, 1e-6, 0);
    kt_history *h = kt_model_fit(
        m, X4, Y4, .sample_weight = w, .batch_size = 3, .shuffle = false, .verbose = 0);
    kt_check_near(kt_history_get(h, "loss", 0), (51 / 3. * 3 + 24.5) / 4, 1e-6, 0);
    kt_free(m);
}

KT_TEST(fit, sample_weights_steer_the_update) {
    kt_model *m = times_two(0.01);
    kt_tensor *w = kt_floats_tensor(kt_dims(4), KT_VALUES(0, 0, 0, 3));
    kt_check_ok(kt_model_train_on_batch(m, X4, Y4, .sample_weight = w));
    kt_check_near(weight_of(m), 2 - 0.01 * 3 * 2 * 7 * 4 / 4, 1e-6, 0);
    kt_free(m);
}

KT_TEST(fit, class_weights_are_weights_of_samples) {
    kt_model *m = times_two(0);
    kt_tensor *y = column(4, KT_VALUES(0, 1, 1, 3)); /* errors 2 3 5 5 */
    const kt_class_weight weights[] = {{0, 10}, {1, 2}, {-1, 0}};
    kt_logs *l = kt_model_train_on_batch(m, X4, y, .class_weight = weights);
    kt_check_near(kt_logs_get(l, "loss"), (40 + 18 + 50 + 25) / 4., 1e-6, 0);
    kt_check_near(kt_logs_get(l, "weighted_mae"), (20 + 6 + 10 + 5) / 15., 1e-6, 0);
    kt_history *h = kt_model_fit(m, X4, y, .class_weight = weights, .verbose = 0);
    kt_check_near(kt_history_get(h, "loss", 0), (40 + 18 + 50 + 25) / 4., 1e-6, 0);
    h = kt_model_fit(
        m, X4, y, .class_weight = weights, .validation_split = 0.5, .shuffle = false, .verbose = 0);
    kt_check_near(kt_history_get(h, "loss", 0), (40 + 18) / 2., 1e-6, 0);
    kt_check_near(kt_history_get(h, "val_loss", 0), (25 + 25) / 2., 1e-6, 0); /* without them */
    kt_free(m);
}

KT_TEST(fit, class_weights_read_one_hot_labels) {
    const kt_blobs d = kt_make_blobs(20, 4, 3);
    kt_model *m = kt_small_model(4, 4, 3);
    kt_check_status(kt_model_compile(m, kt_opt_sgd(0.0), "categorical_crossentropy"), KT_OK);
    const kt_class_weight twice[] = {{0, 2}, {1, 2}, {2, 2}, {-1, 0}};
    const kt_class_weight none[] = {{0, 0}, {2, 0}, {-1, 0}};
    const double plain = kt_logs_get(kt_model_test_on_batch(m, d.x, d.onehot), "loss");
    kt_logs *l = kt_model_test_on_batch(m, d.x, d.onehot, .class_weight = twice);
    kt_check_near(kt_logs_get(l, "loss"), 2 * plain, 1e-5, 0);
    l = kt_model_test_on_batch(m, d.x, d.onehot, .class_weight = none);
    assert_true(kt_logs_get(l, "loss") < plain);
    kt_free(m);
}

/* The last part, before shuffling. */
KT_TEST(fit, validation_split_takes_the_end) {
    kt_model *m = times_two(0);
    kt_history *h = kt_model_fit(m, X4, Y4, .validation_split = 0.25, .epochs = 2, .verbose = 0);
    for (int e = 0; e < 2; e++) {
        kt_check_near(kt_history_get(h, "loss", e), 35 / 3., 1e-6, 0);
        kt_check_near(kt_history_get(h, "val_loss", e), 49, 1e-6, 0);
        kt_check_near(kt_history_get(h, "val_mae", e), 7, 1e-6, 0);
    }
    kt_free(m);
}

KT_TEST(fit, validation_data_have_their_own_weights) {
    kt_model *m = times_two(0);
    kt_history *h = kt_model_fit(
        m,
        X4,
        Y4,
        .validation_x = column(2, KT_VALUES(1, 3)),
        .validation_y = column(2, KT_VALUES(1, 1)),
        .validation_sample_weight = kt_floats_tensor(kt_dims(2), KT_VALUES(3, 1)),
        .validation_split = 0.5, /* does not count beside data of its own */
        .verbose = 0);
    kt_check_ok(h);
    kt_check_near(kt_history_get(h, "loss", 0), 84 / 4., 1e-6, 0);
    kt_check_near(kt_history_get(h, "val_loss", 0), (3 + 25) / 2., 1e-6, 0);
    kt_free(m);
}

KT_TEST(fit, validation_steps_and_freq) {
    kt_model *m = times_two(0);
    kt_history *h = kt_model_fit(
        m,
        X4,
        Y4,
        .validation_x = X4,
        .validation_y = Y4,
        .validation_batch_size = 1,
        .validation_steps = 2,
        .validation_freq = 2,
        .epochs = 4,
        .verbose = 0);
    kt_check_ok(h);
    assert_true(isnan(kt_history_get(h, "val_loss", 0)));
    kt_check_near(kt_history_get(h, "val_loss", 1), (1 + 9) / 2., 1e-6, 0);
    assert_true(isnan(kt_history_get(h, "val_loss", 2)));
    kt_check_near(kt_history_get(h, "val_loss", -1), (1 + 9) / 2., 1e-6, 0);
    kt_free(m);
}

KT_TEST(fit, history_names_are_in_keras_order) {
    kt_model *m = times_two(0);
    kt_history *h = kt_model_fit(m, X4, Y4, .validation_split = 0.5, .epochs = 3, .verbose = 0);
    static const char *const names[] = {
        "loss", "mae", "val_loss", "val_mae", "val_weighted_mae", "weighted_mae"};
    assert_int_equal(kt_history_len(h), 3);
    assert_int_equal(kt_history_n_names(h), 6);
    for (int i = 0; i < 6; i++) kt_check_str(kt_history_name(h, i), names[i]);
    assert_null(kt_history_name(h, 6));
    for (int e = 0; e < 3; e++) assert_int_equal(kt_history_epoch(h, e), e);
    assert_true(isnan(kt_history_get(h, "loss", 3)));
    assert_true(isnan(kt_history_get(h, "no such", 0)));
    kt_free(m);
}

KT_TEST(fit, initial_epoch_counts_on) {
    kt_model *m = times_two(0);
    kt_history *h = kt_model_fit(m, X4, Y4, .epochs = 5, .initial_epoch = 3, .verbose = 0);
    assert_int_equal(kt_history_len(h), 2);
    assert_int_equal(kt_history_epoch(h, 0), 3);
    h = kt_model_fit(m, X4, Y4, .epochs = 2, .initial_epoch = 2, .verbose = 0);
    kt_check_ok(h);
    assert_int_equal(kt_history_len(h), 0);
    kt_free(m);
}

/* Without repeating, steps_per_epoch goes through the data across epochs, as Keras does with
 * arrays. */
KT_TEST(fit, steps_per_epoch_ends_an_epoch_early) {
    kt_model *m = times_two(0);
    kt_history *h = kt_model_fit(
        m,
        X4,
        Y4,
        .batch_size = 1,
        .steps_per_epoch = 2,
        .shuffle = false,
        .epochs = 2,
        .verbose = 0);
    kt_check_ok(h);
    kt_check_near(kt_history_get(h, "loss", 0), (1 + 9) / 2., 1e-6, 0);
    kt_check_near(kt_history_get(h, "loss", 1), (25 + 49) / 2., 1e-6, 0);
    kt_free(m);
}

/* As Keras' ArrayDataAdapter: without a batch size, the steps share the rows. */
KT_TEST(fit, steps_without_a_batch_size_share_the_rows) {
    kt_model *m = times_two(0);
    kt_history *h = kt_model_fit(
        m, X4, Y4, .steps_per_epoch = 4, .shuffle = false, .epochs = 2, .verbose = 0);
    kt_check_ok(h);
    kt_check_near(kt_history_get(h, "loss", 0), kt_history_get(h, "loss", 1), 0, 0);
    kt_logs *first = kt_model_evaluate(m, X4, Y4, .steps = 2, .verbose = 0);
    kt_check_ok(first); /* all four rows, two at a time */
    kt_check_near(kt_logs_get(first, "loss"), kt_history_get(h, "loss", 0), 1e-6, 0);
    kt_tensor *p = kt_model_predict(m, X4, .steps = 2, .verbose = 0);
    kt_check_ok(p);
    assert_int_equal(kt_tensor_size(p), 4);
    kt_tensor *one = kt_model_predict(m, X4, .steps = 2, .batch_size = 1, .verbose = 0);
    kt_check_ok(one);
    assert_int_equal(kt_tensor_size(one), 2);
    kt_free(m);
}

KT_TEST(fit, an_unshuffled_step_is_gradient_descent) {
    kt_model *m = times_two(0.01);
    kt_check_ok(kt_model_fit(m, X4, Y4, .batch_size = 2, .shuffle = false, .verbose = 0));
    double w = 2;
    for (int b = 0; b < 2; b++) {
        double g = 0;
        for (int x = 1 + 2 * b; x <= 2 + 2 * b; x++) g += 2 * (w * x - 1) * x / 2;
        w -= 0.01 * g;
    }
    kt_check_near(weight_of(m), w, 1e-6, 0);
    kt_free(m);
}

KT_TEST(fit, shuffling_sees_every_row_once_an_epoch) {
    kt_set_random_seed(5);
    kt_model *m = times_two(0);
    kt_history *h = kt_model_fit(m, X4, Y4, .batch_size = 3, .epochs = 6, .verbose = 0);
    for (int e = 0; e < 6; e++) kt_check_near(kt_history_get(h, "loss", e), 84 / 4., 1e-6, 0);
    kt_free(m);
}

KT_TEST(fit, on_batch_logs_are_of_that_batch) {
    kt_model *m = times_two(0);
    kt_check_near(kt_logs_get(kt_model_train_on_batch(m, X4, Y4), "loss"), 21, 1e-6, 0);
    kt_tensor *x = column(1, KT_VALUES(4)), *y = column(1, KT_VALUES(1));
    kt_check_near(kt_logs_get(kt_model_train_on_batch(m, x, y), "loss"), 49, 1e-6, 0);
    kt_check_near(kt_logs_get(kt_model_test_on_batch(m, x, y), "mae"), 7, 1e-6, 0);
    kt_free(m);
}

KT_TEST(fit, no_epochs_train_nothing) {
    kt_model *m = times_two(0.1);
    kt_history *h = kt_model_fit(m, X4, Y4, .epochs = 0, .verbose = 0);
    kt_check_ok(h);
    assert_int_equal(kt_history_len(h), 0);
    kt_check_near(weight_of(m), 2, 0, 0);
    kt_free(m);
}

/* Labels come with or without a last axis of 1, as any number type. */
KT_TEST(fit, labels_come_in_many_forms) {
    const kt_blobs d = kt_make_blobs(40, 5, 3);
    kt_model *m = kt_small_model(5, 8, 3);
    const kt_dtype dtypes[] = {KT_INT32, KT_INT64, KT_UINT8, KT_FLOAT32, KT_FLOAT64};
    const double want = kt_logs_get(kt_model_test_on_batch(m, d.x, d.y), "loss");
    for (int i = 0; i < 5; i++) {
        kt_tensor *y = kt_tensor_cast(d.y, dtypes[i]);
        kt_logs *flat = kt_model_test_on_batch(m, d.x, y);
        kt_logs *col = kt_model_test_on_batch(m, d.x, kt_tensor_reshape(y, kt_dims(40, 1)));
        kt_check_near(kt_logs_get(flat, "loss"), want, 1e-6, 0);
        kt_check_near(kt_logs_get(col, "loss"), want, 1e-6, 0);
        kt_check_near(kt_logs_get(col, "accuracy"), kt_logs_get(flat, "accuracy"), 0, 0);
    }
    kt_free(m);
}

KT_TEST(fit, inputs_are_cast_to_what_the_model_says) {
    kt_model *m = times_two(0);
    const kt_dtype dtypes[] = {KT_INT32, KT_INT64, KT_UINT8, KT_FLOAT64};
    for (int i = 0; i < 4; i++) {
        kt_tensor *x = kt_tensor_cast(X4, dtypes[i]);
        kt_check_values(kt_model_predict(m, x, .verbose = 0), 1e-6, 0, 2, 4, 6, 8);
        kt_check_values(
            kt_model_predict(m, kt_tensor_reshape(x, kt_dims(4)), .verbose = 0),
            1e-6,
            0,
            2,
            4,
            6,
            8);
    }
    kt_free(m);
}

/* Everything in float64, outputs and weights. */
KT_TEST(fit, float64_models_train) {
    for (int wide = 0; wide < 2; wide++) {
        kt_clear_session();
        kt_set_random_seed(3);
        kt_check_status(kt_set_dtype_policy(wide ? "float64" : "float32"), KT_OK);
        const kt_blobs b = kt_make_blobs(60, 5, 3);
        kt_model *m = kt_sequential(kt_list(
            kt_input({5}), kt_dense(8, .activation = "relu"), kt_dropout(0.1), kt_dense(3)));
        kt_check_status(
            kt_model_compile(
                m,
                "adam",
                kt_loss_sparse_categorical_crossentropy(true),
                .metrics = kt_list("accuracy")),
            KT_OK);
        kt_history *h = kt_model_fit(m, b.x, b.y, .epochs = 3, .shuffle = false, .verbose = 0);
        kt_check_ok(h);
        assert_true(isfinite(kt_history_get(h, "loss", -1)));
        kt_tensor *p = kt_model_predict(m, b.x, .verbose = 0);
        assert_int_equal(kt_tensor_dtype(p), wide ? KT_FLOAT64 : KT_FLOAT32);
        assert_int_equal(kt_tensor_dtype(kt_var_value(kt_layer_weight(m, 0))), kt_tensor_dtype(p));
        kt_free(m);
    }
    kt_set_dtype_policy("float32");
}

/* A layer of another dtype than its model's: values are cast on the way in. */
KT_TEST(fit, dtypes_may_differ_between_layers) {
    kt_model *m = kt_sequential(kt_list(
        kt_input({5}), kt_dense(4, .dtype = "float64"), kt_dense(3, .activation = "softmax")));
    const kt_blobs d = kt_make_blobs(40, 5, 3);
    kt_check_status(
        kt_model_compile(m, kt_opt_adam(0.05), "sparse_categorical_crossentropy"), KT_OK);
    kt_history *h = kt_model_fit(m, d.x, d.y, .epochs = 10, .verbose = 0);
    kt_check_ok(h);
    assert_true(kt_history_get(h, "loss", -1) < kt_history_get(h, "loss", 0));
    assert_int_equal(kt_tensor_dtype(kt_var_value(kt_layer_weight(m, 0))), KT_FLOAT64);
    assert_int_equal(kt_tensor_dtype(kt_var_value(kt_layer_weight(m, 2))), KT_FLOAT32);
    kt_free(m);
}

/* Weights of samples may come as a column, or one for each output. */
KT_TEST(fit, sample_weights_come_in_many_forms) {
    kt_model *m = times_two(0);
    kt_tensor *w = kt_floats_tensor(kt_dims(4), KT_VALUES(1, 0, 2, 0.5));
    const double want = (1 + 50 + 24.5) / 4;
    kt_tensor *forms[] = {w, kt_tensor_cast(w, KT_FLOAT64), kt_tensor_reshape(w, kt_dims(4, 1)), w};
    for (int i = 0; i < 4; i++) {
        kt_ref ref = i == 3 ? (kt_ref)kt_list(w) : forms[i];
        kt_logs *l = kt_model_test_on_batch(m, X4, Y4, .sample_weight = ref);
        kt_check_near(kt_logs_get(l, "loss"), want, 1e-6, 0);
    }
    kt_free(m);
}

typedef struct {
    char text[256];
} steps_seen;

static kt_status on_begin(kt_model *m, int64_t step, const kt_logs *logs, void *data) {
    steps_seen *s = data;
    (void)m, (void)logs;
    snprintf(s->text + strlen(s->text), 16, "<%d", (int)step);
    return KT_OK;
}

static kt_status on_end(kt_model *m, int64_t step, const kt_logs *logs, void *data) {
    steps_seen *s = data;
    (void)m, (void)logs;
    snprintf(s->text + strlen(s->text), 16, "%d>", (int)step);
    return KT_OK;
}

/* As Keras 3.15.1 with 7 batches, and with 4: the index of the last end is that of a full group. */
KT_TEST(fit, callbacks_see_every_execution) {
    kt_model *m = times_two(0);
    kt_check_status(kt_model_compile(m, kt_opt_sgd(0.0), "mse", .steps_per_execution = 3), KT_OK);
    kt_tensor *x = column(7, KT_VALUES(1, 2, 3, 4, 5, 6, 7));
    steps_seen seen = {""};
    kt_callback *cb = kt_retain(kt_cb_lambda(
            .on_train_batch_begin = on_begin,
            .on_train_batch_end = on_end,
            .on_test_batch_begin = on_begin,
            .on_test_batch_end = on_end,
            .on_predict_batch_begin = on_begin,
            .on_predict_batch_end = on_end,
            .data = &seen));
    kt_check_ok(kt_model_fit(m, x, x, .batch_size = 1, .callbacks = cb, .verbose = 0));
    assert_string_equal(seen.text, "<02><35><68>");
    seen.text[0] = 0;
    kt_check_ok(kt_model_evaluate(m, x, x, .batch_size = 1, .callbacks = cb, .verbose = 0));
    assert_string_equal(seen.text, "<02><35><68>");
    seen.text[0] = 0;
    kt_check_ok(kt_model_predict(m, x, .batch_size = 2, .callbacks = cb, .verbose = 0));
    assert_string_equal(seen.text, "<02><35>");
    kt_check_status(kt_model_compile(m, "sgd", "mse", .steps_per_execution = 0), KT_EINVAL);
    kt_release(cb);
    kt_free(m);
}

KT_TEST(fit, optimizer_and_metrics_can_be_asked_for) {
    kt_model *m = times_two(0.5);
    kt_check_near(kt_opt_learning_rate(kt_model_optimizer(m)), 0.5, 1e-7, 0);
    kt_check_fails(kt_model_get_metrics_result(m), KT_ESTATE, "seen no batch");
    kt_check_ok(kt_model_evaluate(m, X4, Y4, .verbose = 0));
    kt_logs *l = kt_model_get_metrics_result(m);
    kt_check_near(kt_logs_get(l, "mae"), 16 / 4., 1e-6, 0);
    kt_check_status(kt_model_reset_metrics(m), KT_OK);
    kt_check_near(kt_logs_get(kt_model_get_metrics_result(m), "mae"), 0, 0, 0);
    kt_free(m);
    m = kt_sequential(kt_list(kt_input({2}), kt_dense(2)));
    assert_null(kt_model_optimizer(m));
    kt_check_status(kt_model_reset_metrics(m), KT_ESTATE);
    kt_free(m);
}
