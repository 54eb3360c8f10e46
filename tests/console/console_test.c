/* What fit, evaluate and predict write, byte for byte as Keras does: the runs of
 * tools/golden/console.py with the same data, weights and clock. */
#include "io/npz.h"
#include "model/progbar.h"
#include "testing/capture.h"
#include "testing/kt_test.h"

#include <keratin/keratin.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The clock: a callback moves it at the end of each batch, nothing else takes time. */
static double now, step_seconds;
static double scripted(void) { return now; }

static kt_status tick(kt_model *m, int64_t index, const kt_logs *logs, void *data) {
    (void)m;
    (void)index;
    (void)logs;
    (void)data;
    now += step_seconds;
    return KT_OK;
}

static kt_callback *ticking(void) {
    return kt_cb_lambda(
            .on_train_batch_end = tick, .on_test_batch_end = tick, .on_predict_batch_end = tick);
}

static kt_npz *data;
static kt_tensor *x, *y, *x_val, *y_val;

static void close_data(void) {
    kt_npz_close(data);
    data = NULL;
}

static void read_data(void) {
    if (!data) {
        kt_check_status(kt_npz_open(&data, "tests/golden/console.npz"), KT_OK);
        atexit(close_data);
    }
    x = kt_npz_read(data, "x");
    y = kt_npz_read(data, "y");
    x_val = kt_npz_read(data, "x_val");
    y_val = kt_npz_read(data, "y_val");
}

static void set_weight(kt_model *m, int i, const char *name) {
    kt_check_status(kt_var_assign(kt_layer_weight(m, i), kt_npz_read(data, name)), KT_OK);
}

static kt_model *model(void) {
    kt_model *m = kt_sequential(kt_list(kt_input({4}), kt_dense(3, .activation = "softmax")));
    set_weight(m, 0, "w0");
    set_weight(m, 1, "w1");
    kt_check_status(
        kt_model_compile(
            m, kt_opt_sgd(0.1), "sparse_categorical_crossentropy", .metrics = kt_list("accuracy")),
        KT_OK);
    return m;
}

static kt_model *two_outputs(void) {
    kt_sym *i = kt_input({4});
    kt_sym *a = kt_call(kt_dense(3, .activation = "softmax", .name = "kind"), i);
    kt_sym *b = kt_call(kt_dense(2, .name = "size"), i);
    kt_model *m = kt_functional(i, kt_list(a, b));
    set_weight(m, 0, "w0");
    set_weight(m, 1, "w1");
    set_weight(m, 2, "v0");
    set_weight(m, 3, "v1");
    kt_list_t *accuracy = kt_list("accuracy"), *mae = kt_list("mae");
    kt_check_status(
        kt_model_compile(
            m,
            kt_opt_sgd(0.1),
            kt_list("sparse_categorical_crossentropy", "mse"),
            .metrics = kt_list(accuracy, mae)),
        KT_OK);
    return m;
}

/* The targets of the second output: x[:, :2]. */
static kt_tensor *first_two(void) {
    float values[48 * 2];
    for (int64_t i = 0; i < 96; i++) values[i] = (float)kt_tensor_get(x, i / 2 * 4 + i % 2);
    return kt_tensor_new(KT_FLOAT32, kt_dims(48, 2), values);
}

static kt_model *begin(double seconds) {
    kt_clear_session();
    read_data();
    now = 1000;
    step_seconds = seconds;
    kt_progbar_set_clock(scripted);
    kt_model *m = model();
    kt_capture_begin();
    return m;
}

static void check(const char *name) {
    char path[128];
    const char *text = kt_capture_end();
    kt_progbar_set_clock(NULL);
    snprintf(path, sizeof path, "tests/golden/console/%s.txt", name);
    kt_check_golden_text(text, path);
}

/* fit ------------------------------------------------------------------------------------------ */

typedef struct {
    const char *name;
    double seconds; ///< per batch, default 0.06
    kt_fit_args args;
    bool validated;
} fit_case;

#define FIT(...)                                                                                   \
    { KT_FIT_DEFAULTS.size = sizeof(kt_fit_args), .shuffle = false, __VA_ARGS__ }

static void check_fit(const char *name, double seconds, kt_fit_args a, bool validated) {
    a.model = begin(seconds);
    a.x = x;
    a.y = y;
    a.callbacks = ticking();
    if (validated) {
        a.validation_x = x_val;
        a.validation_y = y_val;
    }
    kt_check_status(kt_check(kt_model_fit_with(&a)), KT_OK);
    check(name);
}

#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Woverride-init"
#endif

// clang-format off
static const fit_case fit_cases[] = {
    {"fit", 0.06, FIT(.batch_size = 16, .epochs = 2), false},
    {"fit_verbose_2", 0.06, FIT(.batch_size = 16, .epochs = 2, .verbose = 2), false},
    {"fit_verbose_0", 0.06, FIT(.batch_size = 16, .epochs = 2, .verbose = 0), false},
    {"fit_one_epoch", 0.06, FIT(.batch_size = 16), false},
    {"fit_one_epoch_verbose_2", 0.06, FIT(.batch_size = 16, .verbose = 2), false},
    {"fit_val", 0.06, FIT(.batch_size = 16, .epochs = 2), true},
    {"fit_val_verbose_2", 0.06, FIT(.batch_size = 16, .epochs = 2, .verbose = 2), true},
    {"fit_validation_freq", 0.06, FIT(.batch_size = 16, .epochs = 2, .validation_freq = 2), true},
    {"fit_validation_split", 0.06, FIT(.batch_size = 16, .validation_split = 0.25), false},
    {"fit_initial_epoch", 0.06, FIT(.batch_size = 16, .epochs = 4, .initial_epoch = 2), false},
    {"fit_steps_per_epoch", 0.06, FIT(.batch_size = 16, .epochs = 3, .steps_per_epoch = 1), false},
    {"fit_out_of_data", 0.06, FIT(.batch_size = 16, .epochs = 3, .steps_per_epoch = 2), false},
    {"fit_ten_epochs", 0.06, FIT(.batch_size = 16, .epochs = 10), false},
    {"fit_one_step", 0.06, FIT(.batch_size = 48, .epochs = 2), false},
    {"fit_throttled", 0.0041, FIT(.batch_size = 1), false},
    {"fit_microseconds", 0.000123, FIT(.batch_size = 1), false},
    {"fit_no_time", 0.0, FIT(.batch_size = 1), false},
    {"fit_seconds", 2.5, FIT(.batch_size = 16), false},
    {"fit_minutes", 45.0, FIT(.batch_size = 4), false},
    {"fit_hours", 900.0, FIT(.batch_size = 4), false},
};
// clang-format on

KT_TEST(console, of_fit_is_that_of_keras) {
    for (size_t i = 0; i < sizeof fit_cases / sizeof *fit_cases; i++) {
        const fit_case *c = &fit_cases[i];
        check_fit(c->name, c->seconds, c->args, c->validated);
    }
}

KT_TEST(console, of_fit_without_unicode) {
    setenv("LC_ALL", "en_US.ISO-8859-1", 1);
    check_fit("fit_ascii", 0.06, (kt_fit_args)FIT(.batch_size = 16, .epochs = 2), false);
    unsetenv("LC_ALL");
}

KT_TEST(console, of_two_outputs) {
    begin(0.06);
    kt_list_t *targets = kt_list(y, first_two());
    kt_check_status(
        kt_check(
            kt_model_fit(two_outputs(), x, targets, 16, .shuffle = false, .callbacks = ticking())),
        KT_OK);
    check("fit_two_outputs");
    begin(0.06);
    targets = kt_list(y, first_two());
    kt_logs *logs = kt_model_evaluate(two_outputs(), x, targets, 16, .callbacks = ticking());
    kt_check_status(kt_check(logs), KT_OK);
    check("evaluate_two_outputs");
}

/* Generators ----------------------------------------------------------------------------------- */

typedef struct {
    kt_tensor **x, **y;
    int64_t at, batch;
} rows;

static kt_status next_rows(kt_batch *b, void *state) {
    rows *r = state;
    if (r->at >= kt_tensor_dim(*r->x, 0)) {
        r->at = 0;
        return KT_OK;
    }
    b->x = kt_tensor_slice(*r->x, r->at, r->at + r->batch);
    b->y = kt_tensor_slice(*r->y, r->at, r->at + r->batch);
    r->at += r->batch;
    return KT_OK;
}

KT_TEST(console, of_fit_with_an_unknown_length) {
    rows train = {&x, &y, 0, 16}, val = {&x_val, &y_val, 0, 8};
    kt_model *m = begin(0.06);
    kt_generator *g = kt_generator_new(next_rows, &train);
    kt_check_status(kt_check(kt_model_fit(m, g, .epochs = 2, .callbacks = ticking())), KT_OK);
    check("fit_unknown");
    m = begin(0.06);
    g = kt_generator_new(next_rows, &train);
    kt_check_status(
        kt_check(kt_model_fit(m, g, .epochs = 2, .verbose = 2, .callbacks = ticking())), KT_OK);
    check("fit_unknown_verbose_2");
    m = begin(0.06);
    g = kt_generator_new(next_rows, &train);
    kt_generator *h = kt_generator_new(next_rows, &val);
    kt_history *history = kt_model_fit(
        m, g, .epochs = 2, .validation_x = h, .callbacks = ticking());
    kt_check_status(kt_check(history), KT_OK);
    check("fit_unknown_val");
}

KT_TEST(console, of_evaluate_with_an_unknown_length) {
    rows train = {&x, &y, 0, 16};
    kt_model *m = begin(0.06);
    kt_generator *g = kt_generator_new(next_rows, &train);
    kt_check_status(kt_check(kt_model_evaluate(m, g, .callbacks = ticking())), KT_OK);
    check("evaluate_unknown");
}

/* evaluate, predict ---------------------------------------------------------------------------- */

KT_TEST(console, of_evaluate_is_that_of_keras) {
    kt_model *m = begin(0.06);
    kt_check_status(kt_check(kt_model_evaluate(m, x, y, 16, .callbacks = ticking())), KT_OK);
    check("evaluate");
    m = begin(0.06);
    kt_check_status(
        kt_check(kt_model_evaluate(m, x, y, 16, .verbose = 2, .callbacks = ticking())), KT_OK);
    check("evaluate_verbose_2");
}

KT_TEST(console, of_predict_is_that_of_keras) {
    kt_model *m = begin(0.06);
    kt_check_status(kt_check(kt_model_predict(m, x, 16, .callbacks = ticking())), KT_OK);
    check("predict");
    m = begin(0.06);
    kt_check_status(
        kt_check(kt_model_predict(m, x, 16, .verbose = 2, .callbacks = ticking())), KT_OK);
    check("predict_verbose_2");
    m = begin(0.0123);
    kt_tensor *one = kt_tensor_slice(x, 0, 1);
    kt_check_status(kt_check(kt_model_predict(m, one, .callbacks = ticking())), KT_OK);
    check("predict_one_step");
}

KT_TEST(console, of_one_after_the_other) {
    kt_model *m = begin(0.06);
    kt_check_status(
        kt_check(kt_model_fit(m, x, y, 16, .shuffle = false, .callbacks = ticking())), KT_OK);
    kt_check_status(kt_check(kt_model_evaluate(m, x, y, 16, .callbacks = ticking())), KT_OK);
    kt_check_status(kt_check(kt_model_predict(m, x, 16, .callbacks = ticking())), KT_OK);
    check("fit_evaluate_predict");
}

/* Callbacks ------------------------------------------------------------------------------------ */

static double halve(int epoch, double lr, void *unused) {
    (void)epoch;
    (void)unused;
    return lr * 0.5;
}

static void check_callback(
    const char *name, int epochs, bool validated, kt_callback *(*make)(void)) {
    kt_model *m = begin(0.06);
    kt_fit_args a = FIT(.model = m, .x = x, .y = y, .batch_size = 16, .epochs = epochs);
    if (validated) {
        a.validation_x = x_val;
        a.validation_y = y_val;
    }
    kt_callback *clock = ticking();
    a.callbacks = kt_list(clock, make());
    kt_check_status(kt_check(kt_model_fit_with(&a)), KT_OK);
    check(name);
}

static kt_callback *scheduler(void) { return kt_cb_learning_rate_scheduler(halve, 1); }

static kt_callback *plateau(void) {
    return kt_cb_reduce_lr_on_plateau(
        "loss", .patience = 1, .min_delta = 10, .cooldown = 1, .verbose = 1);
}

static kt_callback *stopper(void) {
    return kt_cb_early_stopping(
        "val_loss", .patience = 1, .min_delta = 10, .restore_best_weights = true, .verbose = 1);
}

KT_TEST(console, of_callbacks_is_that_of_keras) {
    check_callback("callback_learning_rate", 2, false, scheduler);
    check_callback("callback_reduce_lr", 5, false, plateau);
    check_callback("callback_early_stopping", 5, true, stopper);
}

KT_TEST(console, of_a_training_that_comes_apart) {
    kt_model *m = begin(0.06);
    float values[48 * 4];
    for (int i = 0; i < 48 * 4; i++) values[i] = NAN;
    kt_tensor *bad = kt_tensor_new(KT_FLOAT32, kt_dims(48, 4), values);
    kt_callback *clock = ticking();
    kt_history *h = kt_model_fit(
        m, bad, y, 16, 2, .shuffle = false, .callbacks = kt_list(clock, kt_cb_terminate_on_nan()));
    kt_check_status(kt_check(h), KT_OK);
    check("callback_terminate_on_nan");
}
