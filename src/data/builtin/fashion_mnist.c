/* Fashion-MNIST: 70,000 pictures of clothing, 28 x 28, ten classes.
 * keras.datasets.fashion_mnist.load_data
 *
 * Keras downloads four IDX files into $KERAS_HOME/datasets/fashion-mnist. We look there first, then
 * where Debian's package dataset-fashion-mnist puts the same files. The folder is chosen once for
 * all four: pictures of one source with labels of another would be worse than an error. */
#include "base/fs.h"
#include "data/builtin/builtin.h"
#include "io/idx.h"

#define HOME_FOLDER "datasets/fashion-mnist/"
#define SYSTEM_FOLDER "/usr/share/datasets/fashion-mnist/"

/* In the order of kt_splits. */
static const char *const files[] = {
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
};

/* The folder that holds the first file, with a slash at its end. */
static kt_status find_folder(kt_str *folder) {
    kt_str probe = {0};
    kt_status home = kt_fs_keras_path(folder, HOME_FOLDER);
    if (home == KT_OK) {
        kt_str_addf(&probe, "%s%s", folder->s, files[0]);
        home = probe.status ? probe.status : kt_fs_exists(probe.s) ? KT_OK : KT_ENOTFOUND;
    }
    kt_str_free(&probe);
    if (home != KT_ENOTFOUND) return home;
    if (kt_fs_exists(SYSTEM_FOLDER "train-images-idx3-ubyte.gz")) {
        kt_str_free(folder);
        kt_str_add(folder, SYSTEM_FOLDER);
        return folder->status;
    }
    KT_FAIL(KT_ENOTFOUND, "the Fashion-MNIST data are not on this machine");
    kt_error_expected("%s and three more files", files[0]);
    kt_error_got("nothing in \"%s\" nor in \"" SYSTEM_FOLDER "\"", folder->s ? folder->s : "");
    return kt_error_hint(
        "apt install dataset-fashion-mnist, or put the files into the first folder");
}

kt_status kt_data_fashion_mnist(kt_splits *splits) {
    if (!splits) return KT_FAIL(KT_EINVAL, "splits: expected a pointer to kt_splits, got NULL");
    *splits = (kt_splits){0};
    kt_tensor **const parts[] = {
        &splits->x_train, &splits->y_train, &splits->x_test, &splits->y_test};
    kt_str folder = {0}, path = {0};
    kt_status st = find_folder(&folder);
    for (int i = 0; i < 4 && !st; i++) {
        path.n = 0;
        kt_str_addf(&path, "%s%s", folder.s, files[i]);
        if ((st = path.status)) break;
        *parts[i] = kt_idx_read(path.s);
        st = kt_check(*parts[i]);
    }
    if (!st && (st = kt_splits_check(splits, 3))) kt_error_context("in folder \"%s\"", folder.s);
    kt_str_free(&folder);
    kt_str_free(&path);
    return st ? kt_splits_fail(splits, st) : KT_OK;
}
