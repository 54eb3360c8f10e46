/* A .weights.h5 file of real Keras (tools/golden/weights.py) read, written, damaged. */
#include "io/npz.h"
#include "saving/weights_h5.h"
#include "testing/kt_models.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The model of tools/golden/weights.py, under other names. */
static kt_model *golden_model(void) {
    kt_sym *in = kt_input({5, 4});
    kt_sym *x = kt_call(kt_lstm(3, .return_sequences = true), in);
    x = kt_call(kt_multi_head_attention(2, 3), kt_list(x, x));
    x = kt_call(kt_rnn(kt_list(kt_lstm_cell(2), kt_gru_cell(3))), x);
    x = kt_call(kt_batch_normalization(), x);
    kt_layer *shared = kt_dense(3, .activation = "tanh");
    x = kt_call(shared, kt_call(shared, x));
    kt_model *inner = kt_sequential(kt_list(kt_input({3}), kt_dense(4), kt_dense(2)));
    x = kt_op_multiply(kt_call(inner, x), kt_num(2));
    kt_model *m = kt_functional(in, kt_call(kt_dense(1), x));
    kt_check_ok(m);
    return m;
}

typedef struct {
    kt_npz *npz;
    kt_tensor *h5, *x, *y;
} golden;

static golden open_golden(void) {
    golden g = {NULL, NULL, NULL, NULL};
    assert_int_equal(kt_npz_open(&g.npz, "tests/golden/weights.npz"), KT_OK);
    g.h5 = kt_npz_read(g.npz, "h5");
    g.x = kt_npz_read(g.npz, "x");
    g.y = kt_npz_read(g.npz, "y");
    return g;
}

static kt_status get(kt_model *m, const void *bytes, size_t size, bool skip) {
    kt_hdf5 *h;
    kt_weight_tree t;
    kt_status st = kt_hdf5_open_memory(&h, bytes, size, NULL);
    if (st) return st;
    st = kt_weight_tree_make(&t, m, true);
    if (st == KT_OK) st = kt_weights_h5_get(h, &t, skip);
    kt_weight_tree_free(&t);
    kt_hdf5_close(h);
    return st;
}

/* The file of a model, as one block. */
static kt_tensor *put(kt_model *m) {
    kt_hdf5_writer *w = kt_hdf5_writer_new();
    kt_weight_tree t;
    const kt_zip_part *parts;
    int n;
    size_t size = 0;
    kt_check_status(kt_weight_tree_make(&t, m, true), KT_OK);
    kt_check_status(kt_weights_h5_put(w, &t), KT_OK);
    kt_check_status(kt_hdf5_layout(w, &parts, &n), KT_OK);
    for (int i = 0; i < n; i++) size += parts[i].size;
    kt_tensor *file = kt_tensor_new(KT_UINT8, kt_dims((int64_t)size), NULL);
    unsigned char *to = kt_tensor_data(file);
    for (int i = 0; i < n; to += parts[i++].size) memcpy(to, parts[i].data, parts[i].size);
    kt_weight_tree_free(&t);
    kt_hdf5_writer_free(w);
    return file;
}

static size_t bytes_of(const kt_tensor *t) { return (size_t)kt_tensor_size(t); }

/* Two Dense layers; written without one, or with both and read into another without one. */
KT_TEST(weights_h5, some_objects_can_be_left_out) {
    char path[96];
    snprintf(path, sizeof path, "/tmp/keratin_%d_skip.weights.h5", (int)getpid());
    kt_model *m = kt_sequential(kt_list(kt_input({3}), kt_dense(4), kt_dense(2)));
    kt_model *other = kt_sequential(kt_list(kt_input({3}), kt_dense(4), kt_dense(5)));
    kt_model *twin = kt_sequential(kt_list(kt_input({3}), kt_dense(4), kt_dense(2)));
    kt_check_status(kt_model_save_weights(m, path), KT_OK);
    kt_check_status(kt_model_load_weights(other, path), KT_EFORMAT);
    kt_check_status(
        kt_model_load_weights(other, path, .objects_to_skip = kt_model_layer(other, 1)), KT_OK);
    kt_list_t *a = kt_get_weights(m), *b = kt_get_weights(other);
    assert_memory_equal(
        kt_tensor_data((kt_tensor *)(uintptr_t)kt_list_get(a, 0)),
        kt_tensor_data((kt_tensor *)(uintptr_t)kt_list_get(b, 0)),
        12 * sizeof(float));
    kt_list_t *both = kt_list(kt_model_layer(twin, 0), kt_model_layer(twin, 1));
    kt_list_t *before = kt_get_weights(twin);
    kt_check_status(kt_model_load_weights(twin, path, .objects_to_skip = both), KT_OK);
    kt_list_t *after = kt_get_weights(twin);
    assert_memory_equal(
        kt_tensor_data((kt_tensor *)(uintptr_t)kt_list_get(before, 2)),
        kt_tensor_data((kt_tensor *)(uintptr_t)kt_list_get(after, 2)),
        8 * sizeof(float));
    kt_check_status(
        kt_model_load_weights(twin, path, .objects_to_skip = kt_init_zeros()), KT_EINVAL);
    kt_check_message_has("objects_to_skip: expected layers");
    kt_check_status(kt_model_save_weights(m, path, .objects_to_skip = kt_model_layer(m, 1)), KT_OK);
    kt_check_status(kt_model_load_weights(twin, path), KT_EFORMAT);
    kt_check_status(kt_model_load_weights(twin, path, .skip_mismatch = true), KT_OK);
    unlink(path);
    kt_check_status(
        kt_model_load_weights(
            m, "tests/golden/files/mlp.keras", .objects_to_skip = kt_model_layer(m, 0)),
        KT_EINVAL);
    kt_check_message_has("objects_to_skip is for .weights.h5");
}

KT_TEST(weights_h5, of_keras_give_its_predictions) {
    const golden g = open_golden();
    kt_model *m = golden_model();
    kt_check_status(kt_model_compile(m, "adam", "mse"), KT_OK);
    kt_check_ok(kt_model_train_on_batch(m, g.x, g.y)); /* now the optimizer has a state */
    kt_check_status(get(m, kt_tensor_data(g.h5), bytes_of(g.h5), false), KT_OK);
    kt_check_tensors_near(kt_model_predict(m, g.x, .verbose = 0), g.y, 1e-4, 1e-5);
    assert_int_equal(kt_opt_iterations(kt_model_optimizer(m)), 2);
    kt_npz_close(g.npz);
    kt_free(m);
}

static void check_same(const kt_hdf5_node *theirs, const kt_hdf5_node *ours, int *n) {
    if (kt_hdf5_is_data(theirs)) {
        assert_non_null(ours);
        kt_check_tensors_near(kt_hdf5_read(ours), kt_hdf5_read(theirs), 0, 0);
        assert_int_equal(kt_hdf5_dtype(ours), kt_hdf5_dtype(theirs));
        ++*n;
    }
    for (int i = 0; i < kt_hdf5_count(theirs); i++) {
        const kt_hdf5_node *c = kt_hdf5_child(theirs, i);
        check_same(c, ours ? kt_hdf5_find(ours, kt_hdf5_name(c)) : NULL, n);
    }
}

KT_TEST(weights_h5, are_written_as_keras_writes_them) {
    const golden g = open_golden();
    kt_model *m = golden_model();
    kt_check_status(kt_model_compile(m, "adam", "mse"), KT_OK);
    kt_check_ok(kt_model_train_on_batch(m, g.x, g.y));
    kt_check_status(get(m, kt_tensor_data(g.h5), bytes_of(g.h5), false), KT_OK);
    kt_tensor *file = put(m);
    kt_hdf5 *theirs, *ours;
    int n = 0;
    kt_check_status(
        kt_hdf5_open_memory(&theirs, kt_tensor_data(g.h5), bytes_of(g.h5), NULL), KT_OK);
    kt_check_status(kt_hdf5_open_memory(&ours, kt_tensor_data(file), bytes_of(file), NULL), KT_OK);
    check_same(kt_hdf5_root(theirs), kt_hdf5_root(ours), &n);
    assert_int_equal(n, 29 + 2 + 2 * 27);
    kt_hdf5_close(ours);
    kt_hdf5_close(theirs);
    kt_model *again = golden_model();
    kt_check_status(get(again, kt_tensor_data(file), bytes_of(file), false), KT_OK);
    kt_check_tensors_near(kt_model_predict(again, g.x, .verbose = 0), g.y, 1e-4, 1e-5);
    kt_free(again);
    kt_npz_close(g.npz);
    kt_free(m);
}

KT_TEST(weights_h5, that_do_not_fit_change_nothing) {
    kt_model *a = kt_sequential(kt_list(kt_input({3}), kt_dense(4), kt_dense(2)));
    kt_model *b = kt_sequential(kt_list(kt_input({3}), kt_dense(4), kt_dense(5, .name = "last")));
    kt_model *c = kt_sequential(kt_list(kt_input({3}), kt_dense(4), kt_dense(2), kt_dense(1)));
    kt_tensor *file = put(a);
    kt_weights_copy before = kt_copy_weights(b);
    kt_check_status(get(b, kt_tensor_data(file), bytes_of(file), false), KT_ESHAPE);
    assert_non_null(strstr(kt_error_message(), "kernel"));
    assert_non_null(strstr(kt_error_message(), "last"));
    assert_true(kt_weights_same(b, &before));
    kt_check_status(get(b, kt_tensor_data(file), bytes_of(file), true), KT_OK);
    assert_false(kt_weights_same(b, &before)); /* the first layer fits */
    kt_check_status(get(c, kt_tensor_data(file), bytes_of(file), false), KT_ESHAPE);
    assert_non_null(strstr(kt_error_message(), "layers/dense_2/vars"));
    kt_weights_copy_free(&before);
    kt_free(a);
    kt_free(b);
    kt_free(c);
}

/* Names that tf.keras 2.13 and 2.14 gave: layers listed twice; backslashes under Windows. */
static void check_old_names(const char *const *paths) {
    kt_model *m = kt_sequential(
        kt_list(kt_input({3}), kt_dense(2), kt_dense(2), kt_dense(2), kt_dense(1)));
    kt_model *other = kt_clone_model(m);
    kt_hdf5_writer *w = kt_hdf5_writer_new();
    const kt_zip_part *parts;
    kt_weight_tree t;
    int n;
    size_t size = 0;
    kt_check_status(kt_weight_tree_make(&t, m, false), KT_OK);
    for (int i = 0, layer = 0; i < t.groups.n; i++) {
        const kt_weight_group *g = &t.groups.v[i];
        if (!g->n) continue;
        kt_hdf5_item *at = kt_hdf5_put_group(kt_hdf5_writer_root(w), paths[layer++]);
        at = kt_hdf5_put_group(at, "vars");
        for (int k = 0; k < 2; k++) {
            kt_var *v = t.vars.v[g->first + k];
            kt_check_status(kt_var_ensure(v), KT_OK);
            kt_hdf5_put_data(at, k ? "1" : "0", KT_FLOAT32, v->spec.shape, kt_var_data(v));
        }
    }
    kt_check_status(kt_hdf5_layout(w, &parts, &n), KT_OK);
    for (int i = 0; i < n; i++) size += parts[i].size;
    char *bytes = kt_alloc(size), *to = bytes;
    for (int i = 0; i < n; to += parts[i++].size) memcpy(to, parts[i].data, parts[i].size);
    kt_check_status(get(other, bytes, size, false), KT_OK);
    kt_list_t *a = kt_get_weights(m), *b = kt_get_weights(other);
    for (int i = 0; i < kt_list_len(a); i++)
        kt_check_tensors_near(kt_list_get(b, i), kt_list_get(a, i), 0, 0);
    kt_mem_free(bytes);
    kt_weight_tree_free(&t);
    kt_hdf5_writer_free(w);
}
#define OLD "_layer_checkpoint_dependencies"
KT_TEST(weights_h5, layers_listed_twice_by_tf_keras_2_13) {
    check_old_names(
        (const char *const[]){OLD "/dense", OLD "/dense_2", OLD "/dense_4", OLD "/dense_6"});
    check_old_names(
        (const char *const[]){OLD "/dense", OLD "/dense_1", OLD "/dense_2", OLD "/dense_3"});
}
KT_TEST(weights_h5, backslashes_of_windows) {
    check_old_names(
        (const char *const[]){OLD "\\dense", OLD "\\dense_1", OLD "\\dense_2", OLD "\\dense_3"});
    check_old_names((const char *const[]){
        "layers\\dense", "layers\\dense_1", "layers\\dense_2", "layers\\dense_3"});
}
