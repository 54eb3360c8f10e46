/* MNIST: 70,000 pictures of digits, 28 x 28, ten classes.  keras.datasets.mnist.load_data
 *
 * Keras downloads mnist.npz into $KERAS_HOME/datasets; we read that file and download nothing. */
#include "base/error.h"
#include "data/builtin/builtin.h"

static kt_status read_arrays(kt_splits *s, kt_npz *npz, const char *path) {
    kt_status st = KT_OK;
    kt_tensor **const parts[] = {&s->x_train, &s->y_train, &s->x_test, &s->y_test};
    static const char *const names[] = {"x_train", "y_train", "x_test", "y_test"};
    for (int i = 0; i < 4 && !st; i++) {
        *parts[i] = kt_npz_read(npz, names[i]);
        st = kt_check(*parts[i]);
    }
    if (!st && (st = kt_splits_check(s, 3))) kt_error_context("in file \"%s\"", path);
    return st;
}

kt_status kt_data_mnist(kt_splits *splits) {
    if (!splits) return KT_FAIL(KT_EINVAL, "splits: expected a pointer to kt_splits, got NULL");
    *splits = (kt_splits){0};
    kt_str path = {0};
    kt_npz *npz = NULL;
    kt_status st = kt_builtin_open(&npz, &path, "mnist.npz", "MNIST", "mnist.npz");
    if (!st) st = read_arrays(splits, npz, path.s);
    kt_npz_close(npz);
    kt_str_free(&path);
    return st ? kt_splits_fail(splits, st) : KT_OK;
}
