/* What the built-in data sets share: all or nothing, and a check that pictures and labels fit. */
#include "data/builtin/builtin.h"

#include "base/error.h"
#include "tensor/tensor.h"

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
