/* Files of real Keras (tools/golden/keras_files.py): what they predict, how training goes on, and
 * the same after saving them here. Bad files. */
#include "base/fs.h"
#include "base/mem.h"
#include "io/npz.h"
#include "saving/archive.h"
#include "testing/kt_test.h"

#include <keratin/keratin.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDER "tests/golden/files/"

static kt_tensor *member(kt_npz *npz, const char *name, const char *what, int i) {
    char key[96];
    if (i < 0)
        snprintf(key, sizeof key, "%s.%s", name, what);
    else
        snprintf(key, sizeof key, "%s.%s%d", name, what, i);
    for (int k = 0; k < kt_npz_count(npz); k++)
        if (!strcmp(kt_npz_name(npz, k), key)) return kt_npz_read(npz, key);
    return NULL;
}

static void check_close(const kt_tensor *got, const kt_tensor *want, double tolerance) {
    assert_int_equal(kt_tensor_size(got), kt_tensor_size(want));
    for (int64_t i = 0; i < kt_tensor_size(want); i++)
        kt_check_near(kt_tensor_get(got, i), kt_tensor_get(want, i), tolerance, tolerance);
}

static kt_ref inputs(kt_npz *npz, const char *name) {
    kt_tensor *x0 = member(npz, name, "x", 0), *x1 = member(npz, name, "x", 1);
    return x1 ? (kt_ref)kt_list(x0, x1) : x0;
}

static void check_predictions(kt_model *m, kt_npz *npz, const char *name) {
    kt_list_t *p = kt_model_predict_list(m, inputs(npz, name), .verbose = 0);
    assert_false(kt_failed(p));
    for (int i = 0; i < kt_list_len(p); i++)
        check_close(kt_list_get(p, i), member(npz, name, "p", i), 1e-5);
}

static kt_model *load(const char *path) {
    kt_model *m = kt_load_model(path);
    if (kt_failed(m)) fprintf(stderr, "%s\n", kt_error_message());
    assert_false(kt_failed(m));
    return m;
}

static void check_training(kt_model *m, kt_npz *npz, const char *name) {
    kt_tensor *y = member(npz, name, "y", -1);
    if (!y) return;
    for (int i = 0; i < 3; i++)
        assert_false(kt_failed(kt_model_train_on_batch(m, member(npz, name, "x", 0), y)));
    kt_list_t *w = kt_get_weights(m);
    for (int i = 0; i < kt_list_len(w); i++)
        check_close(kt_list_get(w, i), member(npz, name, "w", i), 2e-5);
}

static unsigned char *bytes_of(const char *path, size_t *n) {
    unsigned char *data;
    kt_check_status(kt_fs_load(&data, n, path, 1 << 24), KT_OK);
    return data;
}

static void check_same_bytes(const char *a, const char *b) {
    size_t na, nb;
    unsigned char *da = bytes_of(a, &na), *db = bytes_of(b, &nb);
    assert_int_equal(na, nb);
    assert_memory_equal(da, db, na);
    kt_mem_free(da);
    kt_mem_free(db);
}

static void check_file(const char *name) {
    char path[96], a[96], b[96];
    kt_npz *npz;
    snprintf(path, sizeof path, FOLDER "%s.keras", name);
    snprintf(a, sizeof a, "/tmp/keratin_%d_a.keras", (int)getpid());
    snprintf(b, sizeof b, "/tmp/keratin_%d_b.keras", (int)getpid());
    kt_check_status(kt_npz_open(&npz, "tests/golden/files.npz"), KT_OK);
    kt_model *m = load(path);
    check_predictions(m, npz, name);
    kt_check_status(kt_model_save(m, a), KT_OK);
    kt_model *again = load(a);
    kt_check_status(kt_model_save(again, b), KT_OK);
    check_same_bytes(a, b);
    check_predictions(again, npz, name);
    check_training(m, npz, name);
    check_training(again, npz, name);
    kt_npz_close(npz);
    unlink(a);
    unlink(b);
}

#define FILE_OF(name)                                                                              \
    KT_TEST(files, name) { check_file(#name); }
FILE_OF(mlp)
FILE_OF(schedule)
FILE_OF(pictures)
FILE_OF(tokens)
FILE_OF(attention)
FILE_OF(two)
FILE_OF(states)

KT_TEST(files, weights_alone) {
    char path[96];
    kt_npz *npz;
    kt_check_status(kt_npz_open(&npz, "tests/golden/files.npz"), KT_OK);
    kt_model *m = kt_sequential(kt_list(kt_input({5}), kt_dense(4, "tanh"), kt_dense(2)));
    kt_check_status(kt_model_load_weights(m, FOLDER "mlp.weights.h5"), KT_OK);
    check_predictions(m, npz, "mlp");
    snprintf(path, sizeof path, "/tmp/keratin_%d.weights.h5", (int)getpid());
    kt_check_status(kt_model_save_weights(m, path), KT_OK);
    kt_model *other = kt_clone_model(m);
    kt_check_status(kt_model_load_weights(other, path), KT_OK);
    check_predictions(other, npz, "mlp");
    kt_check_status(kt_model_load_weights(other, FOLDER "mlp.keras"), KT_OK);
    check_predictions(other, npz, "mlp");
    kt_npz_close(npz);
    unlink(path);
}

KT_TEST(files, weights_that_do_not_fit_change_nothing) {
    kt_model *m = kt_sequential(kt_list(kt_input({5}), kt_dense(4, "tanh"), kt_dense(3)));
    kt_list_t *before = kt_get_weights(m);
    kt_check_status(kt_model_load_weights(m, FOLDER "mlp.weights.h5"), KT_EFORMAT);
    kt_check_message_has("(4, 3)");
    kt_check_message_has("(4, 2)");
    kt_list_t *after = kt_get_weights(m);
    for (int i = 0; i < kt_list_len(before); i++)
        check_close(kt_list_get(after, i), kt_list_get(before, i), 0);
    kt_check_status(
        kt_model_load_weights(m, FOLDER "mlp.weights.h5", .skip_mismatch = true), KT_OK);
    kt_check_status(kt_model_load_weights(m, FOLDER "mlp.weights.h5", .by_name = true), KT_EINVAL);
}

KT_TEST(files, names_say_the_format) {
    kt_model *m = kt_sequential(kt_list(kt_input({2}), kt_dense(1)));
    kt_check_status(kt_model_save(m, "/tmp/keratin_x.bin"), KT_EINVAL);
    kt_check_status(kt_model_save(m, "/tmp/keratin_x.weights.h5"), KT_EINVAL);
    kt_check_status(kt_model_save(m, NULL), KT_EINVAL);
    kt_check_status(kt_model_save(NULL, "x.keras"), KT_EINVAL);
    kt_check_status(kt_model_save(m, "/nowhere/x.keras"), KT_ENOTFOUND);
    kt_check_status(kt_model_save(m, FOLDER "mlp.keras", .overwrite = false), KT_ESTATE);
    kt_check_status(kt_model_save_weights(m, "/tmp/keratin_x.keras"), KT_EINVAL);
    kt_check_fails(kt_load_model("/nowhere.keras"), KT_ENOTFOUND, "/nowhere.keras");
    kt_check_fails(kt_load_model(NULL), KT_EINVAL, "path");
}

/* Every cut of a file is an error, quickly, and leaves nothing. */
KT_TEST(files, cut_files_are_malformed) {
    char path[96];
    size_t n;
    unsigned char *data = bytes_of(FOLDER "two.keras", &n);
    snprintf(path, sizeof path, "/tmp/keratin_%d_cut.keras", (int)getpid());
    for (size_t cut = 0; cut < n; cut += cut < 64 || n - cut < 300 ? 1 : 997) {
        kt_check_status(kt_fs_save(path, data, cut), KT_OK);
        assert_int_equal(kt_check(kt_load_model(path)), KT_EFORMAT);
    }
    kt_mem_free(data);
    unlink(path);
}

KT_TEST(files, can_be_looked_into) {
    kt_file *f = kt_file_open(FOLDER "mlp.keras");
    assert_false(kt_failed(f));
    kt_check_str(kt_file_format(f), "keras");
    kt_check_str(kt_file_keras_version(f), "3.15.1");
    kt_check_str(kt_file_model_class(f), "Sequential");
    kt_check_str(kt_file_model_name(f), "mlp");
    assert_int_equal(kt_file_n_layers(f), 3);
    kt_check_str(kt_file_layer_name(f, 1), "dense");
    kt_check_str(kt_file_layer_class(f, 1), "Dense");
    assert_int_equal(kt_file_n_vars(f), 14);
    kt_check_str(kt_file_var_path(f, 0), "layers/dense/vars/0");
    kt_check_str(kt_file_var_layer(f, 2), "dense_1");
    assert_true(kt_file_var_is_optimizer(f, 4));
    const int at = kt_file_find_var(f, "optimizer/vars/0");
    assert_int_equal(kt_file_var_dtype(f, at), KT_INT64);
    assert_true(kt_tensor_get(kt_file_var_read(f, at), 0) == 2);
    assert_non_null(strstr(kt_file_compile_config(f), "\"loss\": \"mse\""));
    assert_int_equal(kt_file_find_var(f, "no"), -1);
    kt_check_status(kt_file_check(FOLDER "mlp.keras", .strict = true), KT_OK);
    f = kt_file_open(FOLDER "mlp.weights.h5");
    kt_check_str(kt_file_format(f), "weights.h5");
    kt_check_str(kt_file_layer_name(f, 1), "dense_1");
    assert_null(kt_file_config(f));
    f = kt_file_open("tests/golden/files.npz");
    kt_check_str(kt_file_format(f), "npz");
    assert_true(kt_file_n_vars(f) > 10);
    kt_check_fails(kt_file_open("README.md"), KT_EFORMAT, "README.md");
}

/* Untrained: Keras writes the step and the rate of the optimizer, and so it stays until it trains.
 */
static int count_state(const char *path) {
    kt_file *f = kt_file_open(path);
    int n = 0;
    for (int i = 0; i < kt_file_n_vars(f); i++) n += kt_file_var_is_optimizer(f, i);
    kt_free(f);
    return n;
}

static void check_untrained(kt_optimizer *o, const char *end, int n_before, int n_after) {
    char folder[] = "/tmp/keratin_untrained_XXXXXX", a[64], b[64];
    assert_non_null(mkdtemp(folder));
    snprintf(a, sizeof a, "%s/a%s", folder, end);
    snprintf(b, sizeof b, "%s/b%s", folder, end);
    kt_model *m = kt_sequential(kt_list(kt_input({3}), kt_dense(2)));
    kt_check_status(kt_model_compile(m, o, "mse"), KT_OK);
    kt_check_status(kt_model_save(m, a), KT_OK);
    assert_int_equal(count_state(a), n_before);
    kt_model *l = load(a);
    assert_true(kt_model_is_compiled(l));
    kt_check_status(kt_model_save(l, b), KT_OK);
    check_same_bytes(a, b);
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(4, 3), NULL);
    kt_tensor *y = kt_tensor_new(KT_FLOAT32, kt_dims(4, 2), NULL);
    for (int i = 0; i < 12; i++) kt_tensor_set(x, i, i % 5);
    for (int i = 0; i < 8; i++) kt_tensor_set(y, i, i % 3);
    assert_false(kt_failed(kt_model_train_on_batch(l, x, y)));
    assert_false(kt_failed(kt_model_train_on_batch(m, x, y)));
    assert_int_equal(kt_opt_iterations(kt_model_optimizer(l)), 1);
    kt_check_status(kt_model_save(l, b), KT_OK);
    assert_int_equal(count_state(b), n_after);
    l = load(b); /* a trained one comes back with all of it */
    assert_int_equal(kt_opt_iterations(kt_model_optimizer(l)), 1);
    assert_false(kt_failed(kt_model_train_on_batch(l, x, y)));
    assert_false(kt_failed(kt_model_train_on_batch(m, x, y)));
    for (int i = 0; i < 2; i++)
        check_close(kt_var_value(kt_layer_weight(l, i)), kt_var_value(kt_layer_weight(m, i)), 0);
    unlink(a);
    unlink(b);
    rmdir(folder);
}

KT_TEST(files, untrained_optimizers) {
    check_untrained(kt_opt_adam(), ".keras", 2, 6);
    check_untrained(kt_opt_adam(), ".h5", 2, 6);
    check_untrained(kt_opt_sgd(.learning_rate = 0.1), ".keras", 2, 2);
    check_untrained(kt_opt_sgd(.learning_rate = 0.1), ".h5", 2, 2);
    check_untrained(kt_opt_nadam(), ".keras", 2, 7);
    check_untrained(kt_opt_nadam(), ".h5", 2, 7);
    check_untrained(
        kt_opt_adam(.schedule = kt_sched_exponential_decay(0.1, 5, 0.9)), ".keras", 1, 5);
    check_untrained(kt_opt_loss_scale_optimizer(kt_opt_adam()), ".keras", 4 + 2, 10 + 6);
    check_untrained(kt_opt_loss_scale_optimizer(kt_opt_adam()), ".h5", 4, 10);
}

/* Groups, data sets and their attributes, also those that hold nothing. */
static void check_same_tree(const kt_hdf5_node *a, const kt_hdf5_node *b) {
    assert_int_equal(kt_hdf5_is_data(a), kt_hdf5_is_data(b));
    assert_int_equal(kt_hdf5_count(a), kt_hdf5_count(b));
    assert_int_equal(kt_hdf5_attr_count(a), kt_hdf5_attr_count(b));
    for (int i = 0; i < kt_hdf5_attr_count(a); i++)
        kt_check_str(kt_hdf5_attr_name(a, i), kt_hdf5_attr_name(b, i));
    if (kt_hdf5_is_data(a)) assert_int_equal(kt_hdf5_dtype(a), kt_hdf5_dtype(b));
    for (int i = 0; i < kt_hdf5_count(a); i++) {
        kt_check_str(kt_hdf5_name(kt_hdf5_child(a, i)), kt_hdf5_name(kt_hdf5_child(b, i)));
        check_same_tree(kt_hdf5_child(a, i), kt_hdf5_child(b, i));
    }
}

KT_TEST(files, trees_of_weights_are_those_of_keras) {
    static const char *const names[] = {
        "attention", "mlp", "pictures", "schedule", "states", "tokens", "two"};
    char ours[] = "/tmp/keratin_tree_XXXXXX", path[64], theirs[64];
    assert_non_null(mkdtemp(ours));
    snprintf(path, sizeof path, "%s/m.keras", ours);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        kt_archive a, b;
        kt_hdf5 *x, *y;
        snprintf(theirs, sizeof theirs, FOLDER "%s.keras", names[i]);
        kt_check_status(kt_model_save(load(theirs), path), KT_OK);
        kt_check_status(kt_archive_open(&a, theirs), KT_OK);
        kt_check_status(kt_archive_open(&b, path), KT_OK);
        kt_check_status(kt_archive_weights(&a, &x, UINT64_MAX), KT_OK);
        kt_check_status(kt_archive_weights(&b, &y, UINT64_MAX), KT_OK);
        check_same_tree(kt_hdf5_root(x), kt_hdf5_root(y));
        kt_hdf5_close(x);
        kt_hdf5_close(y);
        kt_archive_close(&a);
        kt_archive_close(&b);
        unlink(path);
    }
    rmdir(ours);
}
