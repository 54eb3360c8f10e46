/* MNIST: 70,000 pictures of digits, 28 x 28, ten classes.  keras.datasets.mnist.load_data
 *
 * Keras downloads mnist.npz into $KERAS_HOME/datasets; we read that file and download nothing. */
#include "base/fs.h"
#include "data/builtin/builtin.h"
#include "io/npz.h"

static kt_status read_arrays(kt_splits *s, const char *path) {
    kt_npz *npz;
    kt_status st = kt_npz_open(&npz, path);
    if (st == KT_ENOTFOUND) {
        KT_FAIL(KT_ENOTFOUND, "the MNIST data are not on this machine");
        kt_error_expected("the file \"%s\"", path);
        return kt_error_hint(
            "put Keras' mnist.npz there "
            "(https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
            "mnist.npz), or set KERAS_HOME to the folder that holds datasets/mnist.npz");
    }
    if (st) return st;
    kt_tensor **const parts[] = {&s->x_train, &s->y_train, &s->x_test, &s->y_test};
    static const char *const names[] = {"x_train", "y_train", "x_test", "y_test"};
    for (int i = 0; i < 4 && !st; i++) {
        *parts[i] = kt_npz_read(npz, names[i]);
        st = kt_check(*parts[i]);
    }
    kt_npz_close(npz);
    if (!st && (st = kt_splits_check(s, 3))) kt_error_context("in file \"%s\"", path);
    return st;
}

kt_status kt_data_mnist(kt_splits *splits) {
    if (!splits) return KT_FAIL(KT_EINVAL, "splits: expected a pointer to kt_splits, got NULL");
    *splits = (kt_splits){0};
    kt_str path = {0};
    kt_status st = kt_fs_keras_path(&path, "datasets/mnist.npz");
    if (!st) st = read_arrays(splits, path.s);
    kt_str_free(&path);
    return st ? kt_splits_fail(splits, st) : KT_OK;
}
