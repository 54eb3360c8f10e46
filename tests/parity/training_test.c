/* What compile, fit and evaluate make of their arguments, against real Keras
 * (tests/golden/training.npz): penalties on activities, several outputs. */
#include "base/mem.h"
#include "base/str.h"
#include "io/json.h"
#include "io/npz.h"
#include "testing/kt_models.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static kt_npz *open_golden(void) {
    kt_npz *z;
    kt_check_status(kt_npz_open(&z, "tests/golden/training.npz"), KT_OK);
    return z;
}

static kt_tensor *read(kt_npz *z, const char *name, const char *part) {
    char key[96];
    snprintf(key, sizeof key, "%s/%s", name, part);
    kt_tensor *t = kt_npz_read(z, key);
    kt_check_ok(t);
    return t;
}

/* A text; free with kt_mem_free. */
static char *read_text(kt_npz *z, const char *name, const char *part) {
    kt_tensor *t = read(z, name, part);
    const size_t n = (size_t)kt_tensor_size(t);
    char *text = kt_alloc(n + 1);
    memcpy(text, kt_tensor_data(t), n);
    return text;
}

static kt_model *read_model(kt_npz *z, const char *name) {
    char *text = read_text(z, name, "json");
    kt_model *m = kt_model_from_json(text);
    kt_check_ok(m);
    kt_check_str(kt_text_str(kt_model_to_json(m)), text);
    kt_mem_free(text);
    return m;
}

static kt_list_t *read_weights(kt_npz *z, const char *name, const char *prefix, int n) {
    const void *items[32];
    for (int i = 0; i < n; i++) {
        char part[24];
        snprintf(part, sizeof part, "%s%d", prefix, i);
        items[i] = read(z, name, part);
    }
    return kt_list_of(n, items);
}

KT_TEST(training, activity_regularizers_of_every_layer_come_from_files_and_go_there) {
    kt_npz *z = open_golden();
    kt_free(read_model(z, "activity"));
    kt_free(read_model(z, "activity_wide"));
    kt_npz_close(z);
}

KT_TEST(training, activity_regularizers_count_in_fit_and_evaluate) {
    kt_npz *z = open_golden();
    kt_model *m = read_model(z, "activity");
    kt_tensor *x = read(z, "activity", "x"), *y = read(z, "activity", "y");
    const int n = kt_layer_n_weights(m);
    kt_check_status(kt_set_weights(m, read_weights(z, "activity", "w", n)), KT_OK);
    kt_check_status(kt_model_compile(m, kt_opt_sgd(0.05), "mse"), KT_OK);
    kt_history *h = kt_model_fit(
        m,
        x,
        y,
        .batch_size = 4,
        .epochs = 2,
        .shuffle = false,
        .verbose = 0,
        .validation_x = kt_tensor_slice(x, 0, 7),
        .validation_y = kt_tensor_slice(y, 0, 7),
        .validation_batch_size = 4);
    kt_check_ok(h);
    kt_tensor *loss = read(z, "activity", "history"), *val = read(z, "activity", "val");
    for (int e = 0; e < 2; e++) {
        kt_check_near(kt_history_get(h, "loss", e), kt_tensor_get(loss, e), 1e-5, 0);
        kt_check_near(kt_history_get(h, "val_loss", e), kt_tensor_get(val, e), 1e-5, 0);
    }
    kt_logs *l = kt_model_evaluate(m, x, y, .batch_size = 3, .verbose = 0);
    kt_check_near(
        kt_logs_get(l, "loss"), kt_tensor_get(read(z, "activity", "evaluate"), 0), 1e-5, 0);
    kt_list_t *final = read_weights(z, "activity", "final", n);
    for (int i = 0; i < n; i++)
        kt_check_tensors_near(
            kt_var_value(kt_layer_weight(m, i)), kt_list_get(final, i), 1e-4, 1e-6);
    kt_free(m);
    kt_npz_close(z);
}

/* The penalties of one call, which are all there is without a loss. */
static void check_penalty(kt_npz *z, const char *name, kt_layer *l, int n_in) {
    char path[64];
    snprintf(path, sizeof path, "penalty/%s", name);
    kt_sym *in[2];
    kt_tensor *x[2];
    for (int i = 0; i < n_in; i++) {
        kt_input_args a = {.size = sizeof a, KT_INPUT_DEFAULTS};
        x[i] = read(z, path, i ? "x1" : "x0");
        const kt_shape s = kt_tensor_shape(x[i]);
        for (int d = 1; d < s.ndim; d++) a.shape[d - 1] = s.dim[d];
        in[i] = kt_input_new(&a);
    }
    kt_sym *y = kt_call(l, n_in == 2 ? kt_list(in[0], in[1]) : (kt_ref)in[0]);
    kt_model *m = kt_functional(n_in == 2 ? kt_list(in[0], in[1]) : (kt_ref)in[0], y);
    kt_check_ok(m);
    kt_check_status(kt_set_weights(m, read_weights(z, path, "w", kt_layer_n_weights(m))), KT_OK);
    kt_check_status(kt_model_compile(m, "sgd"), KT_OK);
    kt_tensor *losses = read(z, path, "losses");
    double want = 0;
    for (int64_t i = 0; i < kt_tensor_size(losses); i++) want += kt_tensor_get(losses, i);
    kt_ref given = n_in == 2 ? kt_list(x[0], x[1]) : (kt_ref)x[0];
    kt_tensor *none = kt_floats_tensor(kt_dims(kt_tensor_shape(x[0]).dim[0]), KT_VALUES(0, 0, 0));
    kt_check_near(kt_logs_get(kt_model_test_on_batch(m, given, none), "loss"), want, 1e-5, 0);
    kt_free(m);
}

KT_TEST(training, what_an_activity_regularizer_sees) {
    kt_npz *z = open_golden();
    check_penalty(z, "flatten", kt_flatten(.activity_regularizer = kt_reg_l1(0.1)), 1);
    check_penalty(
        z, "mha", kt_multi_head_attention(2, 3, .activity_regularizer = kt_reg_l2(0.1)), 2);
    check_penalty(
        z, "gqa", kt_group_query_attention(2, 4, 2, .activity_regularizer = kt_reg_l2(0.1)), 2);
    check_penalty(
        z,
        "lstm",
        kt_lstm(
            3,
            .return_sequences = true,
            .return_state = true,
            .activity_regularizer = kt_reg_l2(0.1)),
        1);
    check_penalty(
        z,
        "bidirectional",
        kt_bidirectional(
            kt_gru(2, .activity_regularizer = kt_reg_l1(0.2)),
            .activity_regularizer = kt_reg_l2(0.1)),
        1);
    check_penalty(z, "conv", kt_conv2d(2, 2, .activity_regularizer = kt_reg_l2(0.1)), 1);
    kt_npz_close(z);
}

/* Several outputs
 * ----------------------------------------------------------------------------------- */

static kt_model *heads(kt_npz *z) {
    kt_sym *x = kt_input({3}, .name = "i");
    kt_sym *d = kt_call(kt_dense(5, .activation = "tanh", .name = "d"), x);
    kt_sym *p = kt_call(kt_dense(4, .activation = "softmax", .name = "p"), d);
    kt_sym *q = kt_call(kt_dense(1, .name = "q"), d);
    kt_model *m = kt_functional(x, kt_list(p, q));
    kt_check_status(kt_set_weights(m, read_weights(z, "heads", "w", 6)), KT_OK);
    return m;
}

/* The value of a key of the compile configuration, also inside of a model; free with
 * kt_mem_free. */
static char *json_value(const char *text, const char *key) {
    kt_json *all = NULL;
    kt_str out = {0};
    kt_check_status(kt_json_parse(&all, text, strlen(text), NULL), KT_OK);
    const kt_json *compiled = kt_json_get(all, "compile_config");
    kt_json_write(&out, kt_json_get(compiled ? compiled : all, key), KT_NONE);
    kt_json_free(all);
    return out.s;
}

/* Names and values of an epoch, and what a saved model says of losses, weights and metrics. */
static void check_heads(kt_npz *z, const char *name, kt_model *m, kt_history *h) {
    static const char *const keys[] = {"loss", "loss_weights", "metrics", "weighted_metrics"};
    char path[64];
    snprintf(path, sizeof path, "heads/%s", name);
    char *names = read_text(z, path, "names"), *config = read_text(z, path, "config");
    /* one loss: TensorFlow agrees with JAX */
    kt_tensor *values = read(z, path, strcmp(name, "one_loss") ? "jax_values" : "values");
    kt_check_ok(h);
    int i = 0;
    for (char *at = strtok(names, "\n"); at; at = strtok(NULL, "\n"), i++) {
        if (i < kt_history_n_names(h)) kt_check_str(kt_history_name(h, i), at);
        kt_check_near(kt_history_get(h, at, 0), kt_tensor_get(values, i), 1e-5, 0);
    }
    assert_int_equal(kt_history_n_names(h), i);
    kt_text *own = kt_model_to_json(m);
    kt_model *again = kt_model_from_json(kt_text_str(own));
    kt_check_ok(again);
    kt_check_str(kt_text_str(kt_model_to_json(again)), kt_text_str(own));
    kt_free(again);
    for (int k = 0; k < 4; k++) {
        char *want = json_value(config, keys[k]);
        char *got = json_value(kt_text_str(own), keys[k]);
        kt_check_str(got, want);
        kt_mem_free(want);
        kt_mem_free(got);
    }
    kt_mem_free(names);
    kt_mem_free(config);
    kt_free(m);
}

#define SCCE "sparse_categorical_crossentropy"
#define FIT(y_, ...)                                                                               \
    kt_model_fit(m, x, y_, .batch_size = 4, .shuffle = false, .verbose = 0, __VA_ARGS__)
#define BOTH kt_list(y_p, y_q)

KT_TEST(training, several_outputs_by_list_and_by_dict) {
    kt_npz *z = open_golden();
    kt_tensor *x = read(z, "heads", "x"), *y_p = read(z, "heads", "y_p"),
              *y_q = read(z, "heads", "y_q");
    kt_model *m = heads(z);
    kt_check_status(
        kt_model_compile(
            m,
            kt_opt_sgd(0.1),
            kt_list(SCCE, "mse"),
            .loss_weights = kt_floats(0.5, 2),
            .metrics = kt_list(kt_list("accuracy"), kt_list("mae", "mse"))),
        KT_OK);
    check_heads(z, "lists", m, FIT(BOTH, .epochs = 1));
    m = heads(z);
    kt_check_status(
        kt_model_compile(
            m,
            kt_opt_sgd(0.1),
            kt_dict("q", "mse", "p", SCCE),
            .loss_weights_by_name = kt_loss_weights({"q", 2}, {"p", 0.5}),
            .metrics = kt_dict("q", kt_list("mae"), "p", "accuracy")),
        KT_OK);
    check_heads(z, "dicts", m, FIT(kt_dict("q", y_q, "p", y_p), .epochs = 1));
    m = heads(z);
    kt_check_status(
        kt_model_compile(
            m, kt_opt_sgd(0.1), kt_list(kt_none, "mae"), .metrics = kt_dict("q", kt_list("mse"))),
        KT_OK);
    check_heads(z, "one_loss", m, FIT(BOTH, .epochs = 1));
    m = heads(z);
    kt_check_status(
        kt_model_compile(
            m,
            kt_opt_sgd(0.1),
            kt_list(SCCE, "mse"),
            .metrics = kt_list(kt_list("accuracy"), kt_list("mae"))),
        KT_OK);
    check_heads(z, "validation", m, FIT(BOTH, .validation_split = 0.3, .validation_batch_size = 2));
    kt_npz_close(z);
}

KT_TEST(training, sample_weights_of_several_outputs) {
    kt_npz *z = open_golden();
    kt_tensor *x = read(z, "heads", "x"), *y_p = read(z, "heads", "y_p"),
              *y_q = read(z, "heads", "y_q"), *w = read(z, "heads", "w"),
              *inverse = kt_tensor_copy(w);
    for (int i = 0; i < 10; i++) kt_tensor_set(inverse, i, 1 / kt_tensor_get(w, i));
    kt_model *m = heads(z);
    kt_check_status(
        kt_model_compile(
            m,
            kt_opt_sgd(0.1),
            kt_list(SCCE, "mse"),
            .metrics = kt_list(kt_list("accuracy"), kt_list("mae")),
            .weighted_metrics = kt_list(kt_list("accuracy"), kt_list("mae"))),
        KT_OK);
    check_heads(z, "sample_weight_list", m, FIT(BOTH, .sample_weight = kt_list(w, inverse)));
    m = heads(z);
    kt_check_status(
        kt_model_compile(
            m,
            kt_opt_sgd(0.1),
            kt_dict("p", SCCE, "q", "mse"),
            .weighted_metrics = kt_dict("q", kt_list("mae"))),
        KT_OK);
    check_heads(
        z,
        "sample_weight_dict",
        m,
        FIT(kt_dict("p", y_p, "q", y_q), .sample_weight = kt_dict("q", inverse, "p", w)));
    kt_npz_close(z);
}

KT_TEST(training, loss_weights_that_do_not_fit) {
    kt_npz *z = open_golden();
    kt_model *m = heads(z);
    kt_check_status(
        kt_model_compile(m, "sgd", "mse", .loss_weights_by_name = kt_loss_weights({"r", 1})),
        KT_EINVAL);
    kt_check_message_has("loss_weights: the model has no output \"r\"");
    kt_check_status(
        kt_model_compile(m, "sgd", "mse", .loss_weights_by_name = kt_loss_weights({"q", 1})),
        KT_EINVAL);
    kt_check_message_has("loss_weights: none for output \"p\"");
    kt_check_status(
        kt_model_compile(
            m,
            "sgd",
            "mse",
            .loss_weights = kt_floats(1, 1),
            .loss_weights_by_name = kt_loss_weights({"q", 1}, {"p", 1})),
        KT_EINVAL);
    kt_check_message_has("got both");
    kt_check_status(
        kt_model_compile(
            m, "sgd", "mse", .loss_weights_by_name = kt_loss_weights({"q", 1}, {"p", INFINITY})),
        KT_EINVAL);
    kt_check_message_has("finite");
    kt_check_status(
        kt_model_compile(
            m, "sgd", kt_list("mse", kt_none), .loss_weights_by_name = kt_loss_weights({"p", 3})),
        KT_OK);
    kt_free(m);
    m = kt_sequential(kt_list(kt_dense(1, .name = "d"))); /* its output has no name yet */
    kt_check_status(
        kt_model_compile(m, "sgd", "mse", .loss_weights_by_name = kt_loss_weights({"d", 1})),
        KT_ESTATE);
    kt_check_message_has("begin the model with kt_input()");
    kt_free(m);
    kt_npz_close(z);
}

KT_TEST(training, renorm_comes_from_files_and_goes_there) {
    static const char *const cases[] = {"plain", "clipped", "bare"};
    kt_npz *z = open_golden();
    for (int i = 0; i < 3; i++) {
        char path[64];
        snprintf(path, sizeof path, "renorm/%s", cases[i]);
        char *config = read_text(z, path, "config");
        kt_layer *l = kt_from_config("BatchNormalization", config);
        kt_check_ok(l);
        kt_check_str(kt_text_str(kt_get_config(l)), config);
        kt_mem_free(config);
    }
    kt_npz_close(z);
    kt_check_fails(
        kt_from_config("BatchNormalization", "{\"renorm_clipping\": {\"max\": 1}}"),
        KT_EFORMAT,
        "rmax, rmin, dmax");
}
