/* What the built-in data sets share: finding files, NumPy's shuffle, all or nothing. */
#include "data/builtin/builtin.h"

#include "base/error.h"
#include "base/fs.h"
#include "base/mem.h"
#include "tensor/tensor.h"

#include <stdio.h>
#include <string.h>

kt_status kt_splits_fail(kt_splits *splits, kt_status status) {
    kt_tensor **const parts[] = {
        &splits->x_train, &splits->y_train, &splits->x_test, &splits->y_test};
    for (int i = 0; i < 4; i++) {
        kt_free(*parts[i]);
        *parts[i] = kt_fail_object(status);
    }
    return status;
}

static kt_status pair_check(const char *name, const kt_tensor *x, const kt_tensor *y, int x_ndim) {
    char xs[KT_SHAPE_STR], ys[KT_SHAPE_STR];
    const kt_shape a = kt_tensor_shape(x), b = kt_tensor_shape(y);
    if (a.ndim == x_ndim && b.ndim >= 1 && a.dim[0] == b.dim[0]) return KT_OK;
    KT_FAIL(KT_EFORMAT, "x_%s and y_%s do not fit together", name, name);
    kt_error_expected("x of %d dimensions and as many labels", x_ndim);
    return kt_error_got(
        "x %s and y %s", kt_shape_str(&a, xs, sizeof xs), kt_shape_str(&b, ys, sizeof ys));
}

kt_status kt_splits_check(const kt_splits *splits, int x_ndim) {
    const kt_status st = pair_check("train", splits->x_train, splits->y_train, x_ndim);
    return st ? st : pair_check("test", splits->x_test, splits->y_test, x_ndim);
}

kt_status kt_builtin_path(kt_str *out, const char *path) {
    kt_str relative = {0};
    if (!path || !*path) return KT_FAIL(KT_EINVAL, "path: expected the name of a file");
    if (*path == '/') {
        kt_str_add(out, path);
        return out->status;
    }
    kt_str_addf(&relative, "datasets/%s", path);
    const kt_status st = relative.status ? relative.status : kt_fs_keras_path(out, relative.s);
    kt_str_free(&relative);
    return st;
}

kt_status kt_builtin_absent(const char *title, const char *path, const char *url) {
    KT_FAIL(KT_ENOTFOUND, "the %s data are not on this machine", title);
    kt_error_expected("the file \"%s\"", path);
    return kt_error_hint(
        "put Keras' file there (%s), or set KERAS_HOME to the folder that holds datasets/", url);
}

kt_status kt_builtin_open(
    kt_npz **npz, kt_str *path, const char *name, const char *title, const char *file) {
    char url[160];
    kt_status st = kt_builtin_path(path, name);
    if (st == KT_OK) st = kt_npz_open(npz, path->s);
    if (st != KT_ENOTFOUND || !path->s) return st;
    snprintf(url, sizeof url, KT_BUILTIN_URL "%s", file);
    return kt_builtin_absent(title, path->s, url);
}

kt_status kt_builtin_rng(kt_mt19937 *mt, int64_t seed) {
    if (seed < 0 || seed > UINT32_MAX) {
        char got[32] = "None";
        if (seed != KT_NONE) snprintf(got, sizeof got, "%lld", (long long)seed);
        return KT_FAIL(KT_EINVAL, "seed: expected a number from 0 to 4294967295, got %s", got);
    }
    kt_mt_seed(mt, (uint32_t)seed);
    return KT_OK;
}

int64_t *kt_builtin_order(kt_mt19937 *mt, int64_t n) {
    int64_t *order = kt_alloc_array(n, sizeof *order);
    if (!order) return NULL;
    for (int64_t i = 0; i < n; i++) order[i] = i;
    kt_mt_shuffle(mt, order, n);
    return order;
}

kt_tensor *kt_builtin_rows(const kt_tensor *t, const int64_t *rows, int64_t n) {
    kt_shape shape = kt_tensor_shape(t);
    shape.dim[0] = n;
    kt_tensor *out = kt_tensor_new(kt_tensor_dtype(t), shape, NULL);
    const size_t row = (size_t)kt_shape_range(&shape, 1, shape.ndim) *
                       kt_dtype_size(kt_tensor_dtype(t));
    const char *from = kt_tensor_data(t);
    for (int64_t i = 0; row > 0 && i < n && !kt_failed(out); i++)
        memcpy((char *)out->data + (size_t)i * row, from + (size_t)rows[i] * row, row);
    return out;
}

int64_t kt_builtin_n_train(int64_t n, double test_split) {
    return (int64_t)((double)n * (1 - test_split));
}
