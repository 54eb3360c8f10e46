/* What compile, fit and evaluate make of their arguments, against real Keras
 * (tests/golden/training.npz): penalties on activities, several outputs. */
#include "base/mem.h"
#include "io/npz.h"
#include "testing/kt_models.h"

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
