/* The built-in data sets: the real data where they are installed, clear errors where they are not.
 */
#include "base/fs.h"
#include "base/mem.h"
#include "base/obj.h"
#include "io/npz.h"
#include "tensor/tensor.h"
#include "testing/kt_test.h"

#include <keratin/data.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef KT_SOURCE_DIR
#define KT_SOURCE_DIR "." /* tests run in the top folder */
#endif
#define SHARED_HOME KT_SOURCE_DIR "/../shared/keras-home"
#define SYSTEM_FILE "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz"

/* Sets KERAS_HOME until home_restore(). */
static char *old_home;

static void home_set(const char *path) {
    const char *now = getenv("KERAS_HOME");
    old_home = now ? kt_strdup(now) : NULL;
    setenv("KERAS_HOME", path, 1);
}

static void home_restore(void) {
    if (old_home)
        setenv("KERAS_HOME", old_home, 1);
    else
        unsetenv("KERAS_HOME");
    kt_mem_free(old_home);
}

static double sum(const kt_tensor *t) {
    double s = 0;
    for (int64_t i = 0; i < kt_tensor_size(t); i++) s += kt_tensor_get(t, i);
    return s;
}

static void check_splits(const kt_splits *d, const double *sums) {
    char text[KT_SHAPE_STR];
    const kt_tensor *const parts[] = {d->x_train, d->y_train, d->x_test, d->y_test};
    const char *const shapes[] = {"(60000, 28, 28)", "(60000,)", "(10000, 28, 28)", "(10000,)"};
    for (int i = 0; i < 4; i++) {
        const kt_shape s = kt_tensor_shape(parts[i]);
        kt_check_str(kt_shape_str(&s, text, sizeof text), shapes[i]);
        assert_int_equal(kt_tensor_dtype(parts[i]), KT_UINT8);
        assert_true(sum(parts[i]) == sums[i]);
    }
}

KT_TEST(builtin, mnist_is_what_keras_loads) {
    kt_splits d;
    if (!kt_fs_exists(SHARED_HOME "/datasets/mnist.npz")) {
        print_message("not run: no " SHARED_HOME "/datasets/mnist.npz\n");
        return;
    }
    home_set(SHARED_HOME);
    kt_check_status(kt_data_mnist(&d), KT_OK);
    home_restore();
    check_splits(&d, (double[]){1567298545, 267236, 264923200, 44434});
    assert_int_equal(kt_tensor_get(d.y_train, 0), 5);
    assert_int_equal(kt_tensor_get(d.y_test, 0), 7);
}

KT_TEST(builtin, fashion_mnist_is_what_keras_loads) {
    kt_splits d;
    if (!kt_fs_exists(SYSTEM_FILE)) {
        print_message("not run: no " SYSTEM_FILE "\n");
        return;
    }
    home_set("/nonexistent");
    kt_check_status(kt_data_fashion_mnist(&d), KT_OK);
    home_restore();
    check_splits(&d, (double[]){3431114169, 270000, 573469082, 45000});
    assert_int_equal(kt_tensor_get(d.y_train, 0), 9);
}

static void check_failed(const kt_splits *d, kt_status want) {
    assert_int_equal(kt_check(d->x_train), want);
    assert_int_equal(kt_check(d->y_train), want);
    assert_int_equal(kt_check(d->x_test), want);
    assert_int_equal(kt_check(d->y_test), want);
}

KT_TEST(builtin, absent_data_say_what_to_do) {
    kt_splits d;
    home_set("/nonexistent");
    kt_check_status(kt_data_mnist(&d), KT_ENOTFOUND);
    kt_check_message_has("\"/nonexistent/datasets/mnist.npz\"");
    kt_check_message_has("KERAS_HOME");
    check_failed(&d, KT_ENOTFOUND);
    if (!kt_fs_exists(SYSTEM_FILE)) {
        kt_check_status(kt_data_fashion_mnist(&d), KT_ENOTFOUND);
        kt_check_message_has("apt install dataset-fashion-mnist");
        check_failed(&d, KT_ENOTFOUND);
    }
    home_restore();
    kt_check_status(kt_data_mnist(NULL), KT_EINVAL);
    kt_check_status(kt_data_fashion_mnist(NULL), KT_EINVAL);
}

/* A home of our own, with the files that a test writes into it. */
static char home[64], npz_path[128], idx_folder[128];

static void home_make(void) {
    char datasets[96];
    snprintf(home, sizeof home, "/tmp/kt_home_XXXXXX");
    assert_non_null(mkdtemp(home));
    snprintf(datasets, sizeof datasets, "%s/datasets", home);
    snprintf(npz_path, sizeof npz_path, "%s/mnist.npz", datasets);
    snprintf(idx_folder, sizeof idx_folder, "%s/fashion-mnist", datasets);
    assert_int_equal(mkdir(datasets, 0700), 0);
    assert_int_equal(mkdir(idx_folder, 0700), 0);
    home_set(home);
}

static void home_remove(void) {
    char command[128];
    home_restore();
    snprintf(command, sizeof command, "rm -r '%s'", home);
    assert_int_equal(system(command), 0);
}

static void write_mnist(int n, int n_labels) {
    const char *const names[] = {"x_train", "y_train", "x_test", "y_test"};
    const kt_tensor *arrays[4];
    for (int i = 0; i < 4; i++)
        arrays[i] = i % 2 ? kt_tensor_new(KT_UINT8, kt_dims(n_labels), NULL)
                          : kt_tensor_new(KT_UINT8, kt_dims(n, 28, 28), NULL);
    kt_check_status(kt_npz_write(npz_path, 4, names, arrays), KT_OK);
}

KT_TEST(builtin, mnist_files_are_checked) {
    const int64_t before = kt_obj_count();
    kt_splits d;
    home_make();
    write_mnist(3, 3);
    kt_check_status(kt_data_mnist(&d), KT_OK);
    assert_int_equal(kt_tensor_dim(d.x_test, 0), 3);
    write_mnist(3, 2);
    kt_check_status(kt_data_mnist(&d), KT_EFORMAT);
    kt_check_message_has("x_train and y_train do not fit together in file");
    kt_check_message_has("x (3, 28, 28) and y (2,)");
    check_failed(&d, KT_EFORMAT);
    const char *const name = "x_train";
    const kt_tensor *one = kt_tensor_new(KT_UINT8, kt_dims(3, 28, 28), NULL);
    kt_check_status(kt_npz_write(npz_path, 1, &name, &one), KT_OK);
    kt_check_status(kt_data_mnist(&d), KT_ENOTFOUND);
    kt_check_message_has("there is no array \"y_train\"");
    check_failed(&d, KT_ENOTFOUND);
    kt_check_status(kt_fs_save(npz_path, "no archive", 10), KT_OK);
    kt_check_status(kt_data_mnist(&d), KT_EFORMAT);
    kt_clear_session();
    assert_int_equal(kt_obj_count(), before);
    home_remove();
}

static void write_idx(const char *name, const char *bytes, size_t n) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", idx_folder, name);
    kt_check_status(kt_fs_save(path, bytes, n), KT_OK);
}

/* The user's own files come before those of the system, and are not mixed with them. */
KT_TEST(builtin, fashion_files_in_the_home_come_first) {
    kt_splits d;
    home_make();
    write_idx("train-images-idx3-ubyte.gz", "\0\0\x08\3\0\0\0\1\0\0\0\1\0\0\0\1a", 17);
    kt_check_status(kt_data_fashion_mnist(&d), KT_ENOTFOUND);
    kt_check_message_has("train-labels-idx1-ubyte.gz");
    check_failed(&d, KT_ENOTFOUND);
    write_idx("train-labels-idx1-ubyte.gz", "\0\0\x08\1\0\0\0\1b", 9);
    write_idx("t10k-images-idx3-ubyte.gz", "\0\0\x08\3\0\0\0\1\0\0\0\1\0\0\0\1c", 17);
    write_idx("t10k-labels-idx1-ubyte.gz", "\0\0\x08\1\0\0\0\1d", 9);
    kt_check_status(kt_data_fashion_mnist(&d), KT_OK);
    assert_int_equal(kt_tensor_get(d.x_train, 0), 'a');
    assert_int_equal(kt_tensor_get(d.y_test, 0), 'd');
    write_idx("t10k-labels-idx1-ubyte.gz", "\0\0\x08\1\0\0\0\2de", 10);
    kt_check_status(kt_data_fashion_mnist(&d), KT_EFORMAT);
    kt_check_message_has("x_test and y_test do not fit together in folder");
    home_remove();
}
