/* CIFAR: 60,000 small colour pictures, 32 x 32, of ten or a hundred classes.
 * keras.datasets.cifar10.load_data, keras.datasets.cifar100.load_data
 *
 * Keras downloads an archive and unpacks it; what is read are the batches in the folder that this
 * leaves: pickles of Python 2 (io/pickle.h), channels first. Keras 3 unpacks into FOLDER-target,
 * Keras 2 (and whoever does it by hand) right beside the archive: either will do. */
#include "base/error.h"
#include "base/field.h"
#include "base/fs.h"
#include "base/mem.h"
#include "data/builtin/builtin.h"
#include "io/pickle.h"
#include "tensor/tensor.h"

#include <string.h>

#define SIDE 32
#define CHANNELS 3
#define PIXELS (SIDE * SIDE)
#define BATCH_BYTES_MAX ((uint64_t)256 << 20)
#define MAX_BATCHES 5

typedef struct {
    const char *title, *target, *folder, *url; /* the folder lies in the target, or beside it */
    const char *train[MAX_BATCHES + 1], *test; /* names of files; train ends with NULL */
    const char *labels;                        /* key of the labels */
    kt_dtype label_dtype;                      /* what Keras gives */
} cifar;

static kt_status absent(const cifar *c, const char *path) {
    KT_FAIL(KT_ENOTFOUND, "the %s data are not on this machine", c->title);
    kt_error_expected("the file \"%s\"", path);
    return kt_error_hint(
        "unpack %s so that it is there, or set KERAS_HOME to the folder that holds datasets/",
        c->url);
}

static kt_status path_of(kt_str *path, const char *target, const char *folder, const char *name) {
    kt_str relative = {0};
    kt_str_addf(&relative, "%s%s/%s", target, folder, name);
    const kt_status st = relative.status ? relative.status : kt_builtin_path(path, relative.s);
    kt_str_free(&relative);
    return st;
}

/* Where a batch is: as Keras 3 leaves it, or, where only that is there, as Keras 2 did. */
static kt_status find_file(kt_str *path, const cifar *c, const char *name) {
    kt_str old = {0};
    kt_status st = path_of(path, c->target, c->folder, name);
    if (st || kt_fs_exists(path->s)) return st;
    st = path_of(&old, "", c->folder, name);
    if (!st && kt_fs_exists(old.s)) {
        const kt_str absent_one = *path;
        *path = old;
        old = absent_one;
    }
    kt_str_free(&old);
    return st;
}

/* One file: x uint8 (n, 3072), channels first, and labels (n,). */
static kt_status read_batch(const cifar *c, const char *name, kt_tensor **x, kt_tensor **y) {
    kt_str path = {0};
    unsigned char *data = NULL;
    size_t size = 0;
    *x = *y = NULL;
    kt_status st = find_file(&path, c, name);
    if (!st) st = kt_fs_load(&data, &size, path.s, BATCH_BYTES_MAX);
    if (st == KT_ENOTFOUND && path.s) st = absent(c, path.s);
    if (!st) {
        st = kt_pickle_batch(data, size, c->labels, x, y);
        if (!st && kt_tensor_dim(*x, 1) != CHANNELS * PIXELS)
            st = KT_FAIL(
                KT_EFORMAT,
                "the pictures have %lld bytes each, not 3072",
                (long long)kt_tensor_dim(*x, 1));
        if (st) kt_error_context("in file \"%s\"", path.s);
    }
    kt_mem_free(data);
    kt_str_free(&path);
    return st;
}

/* (n, 3, 32, 32) behind each other -> (n, 32, 32, 3) */
static void to_channels_last(uint8_t *to, const uint8_t *from, int64_t n) {
    for (int64_t i = 0; i < n; i++, to += CHANNELS * PIXELS, from += CHANNELS * PIXELS)
        for (int p = 0; p < PIXELS; p++)
            for (int c = 0; c < CHANNELS; c++) to[p * CHANNELS + c] = from[c * PIXELS + p];
}

static kt_status join(
    const cifar *c,
    kt_tensor *const *xs,
    kt_tensor *const *ys,
    int n,
    kt_tensor **x,
    kt_tensor **y) {
    int64_t rows = 0, at = 0;
    for (int i = 0; i < n; i++) rows += kt_tensor_dim(xs[i], 0);
    *x = kt_tensor_new(KT_UINT8, kt_dims(rows, SIDE, SIDE, CHANNELS), NULL);
    *y = kt_tensor_new(c->label_dtype, kt_dims(rows, 1), NULL);
    if (kt_failed(*x) || kt_failed(*y)) return kt_failed(*x) ? kt_check(*x) : kt_check(*y);
    for (int i = 0; i < n; i++) {
        const int64_t part = kt_tensor_dim(xs[i], 0);
        to_channels_last((uint8_t *)(*x)->data + at * CHANNELS * PIXELS, xs[i]->data, part);
        for (int64_t r = 0; r < part; r++) kt_tensor_set(*y, at + r, kt_tensor_get(ys[i], r));
        at += part;
    }
    return KT_OK;
}

static kt_status read_files(
    const cifar *c, const char *const *names, int n, kt_tensor **x, kt_tensor **y) {
    kt_tensor *xs[MAX_BATCHES] = {NULL}, *ys[MAX_BATCHES] = {NULL};
    kt_status st = KT_OK;
    for (int i = 0; i < n && !st; i++) st = read_batch(c, names[i], &xs[i], &ys[i]);
    if (!st) st = join(c, xs, ys, n, x, y);
    for (int i = 0; i < n; i++) {
        kt_free(xs[i]);
        kt_free(ys[i]);
    }
    return st;
}

static kt_status load(kt_splits *s, const cifar *c) {
    int n = 0;
    while (c->train[n]) n++;
    kt_status st = read_files(c, c->train, n, &s->x_train, &s->y_train);
    if (!st) st = read_files(c, &c->test, 1, &s->x_test, &s->y_test);
    return st ? kt_splits_fail(s, st) : KT_OK;
}

kt_status kt_data_cifar10(kt_splits *splits) {
    static const cifar cifar10 = {
        "CIFAR-10",
        "cifar-10-batches-py-target/",
        "cifar-10-batches-py",
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", NULL},
        "test_batch",
        "labels",
        KT_UINT8,
    };
    if (!splits) return KT_FAIL(KT_EINVAL, "splits: expected a pointer to kt_splits, got NULL");
    *splits = (kt_splits){0};
    return load(splits, &cifar10);
}

kt_status kt_data_cifar100_with(const kt_data_cifar100_args *args) {
    static const char *const modes[] = {"fine", "coarse", NULL};
    kt_data_cifar100_args a;
    int mode = 0;
    kt_status st = kt_args_read(&a, args, sizeof a, NULL);
    if (st) return st;
    if (!a.splits) return KT_FAIL(KT_EINVAL, "splits: expected a pointer to kt_splits, got NULL");
    *a.splits = (kt_splits){0};
    st = kt_arg_word("label_mode", a.label_mode, modes, &mode);
    if (st) return kt_splits_fail(a.splits, st);
    const cifar cifar100 = {
        "CIFAR-100",
        "cifar-100-python-target/",
        "cifar-100-python",
        "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
        {"train", NULL},
        "test",
        mode ? "coarse_labels" : "fine_labels",
        KT_INT64,
    };
    return load(a.splits, &cifar100);
}
