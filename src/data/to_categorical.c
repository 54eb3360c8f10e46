/* Class numbers as one-hot rows.  keras.utils.to_categorical
 *
 * Keras lets NumPy count -1 from the end, so that a missing label becomes the last class; here it
 * is an error. */
#include "base/error.h"
#include "base/field.h"
#include "tensor/tensor.h"

#include <keratin/utils.h>

#include <math.h>

static kt_status bad_class(double v, int64_t i, int64_t n) {
    KT_FAIL(KT_EINVAL, "x: %.17g at position %lld is no class number", v, (long long)i);
    return kt_error_expected("0 <= number < num_classes = %lld", (long long)n);
}

/* The largest class + 1. */
static kt_status find_classes(const kt_tensor *x, int64_t *n) {
    double largest = -1;
    if (kt_tensor_size(x) == 0)
        return KT_FAIL(KT_EINVAL, "num_classes: there is no label to find it from");
    for (int64_t i = 0; i < kt_tensor_size(x); i++) {
        const double v = kt_tensor_get(x, i);
        if (!(v <= 1e15)) return KT_FAIL(KT_EINVAL, "x: %.17g is no class number", v);
        if (v > largest) largest = v;
    }
    *n = largest < 0 ? 0 : (int64_t)largest + 1;
    return KT_OK;
}

kt_tensor *kt_to_categorical_with(const kt_to_categorical_args *args) {
    kt_to_categorical_args a;
    const kt_status st = kt_args_read(&a, args, sizeof a, NULL);
    if (st) return kt_fail_object(st);
    const kt_tensor *x = a.x;
    if (!kt_is(x, KT_KIND_TENSOR))
        return kt_fail_object(
            x && kt_failed(x) ? kt_check(x) : KT_FAIL(KT_EINVAL, "x: expected an array"));
    int64_t n = a.num_classes;
    if (n == KT_NONE || n == 0) {
        const kt_status found = find_classes(x, &n);
        if (found) return kt_fail_object(found);
    }
    kt_shape shape = x->shape;
    if (shape.ndim > 1 && shape.dim[shape.ndim - 1] == 1) shape.ndim--;
    if (shape.ndim == KT_MAX_RANK)
        return kt_fail_object(KT_FAIL(KT_ELIMIT, "x: already has %d dimensions", KT_MAX_RANK));
    shape.dim[shape.ndim++] = n;
    kt_tensor *t = kt_tensor_new(KT_FLOAT32, shape, NULL);
    for (int64_t i = 0; i < kt_tensor_size(x) && !kt_failed(t); i++) {
        const double v = trunc(kt_tensor_get(x, i));
        if (!(v >= 0 && v < (double)n)) {
            kt_free(t);
            return kt_fail_object(bad_class(kt_tensor_get(x, i), i, n));
        }
        ((float *)t->data)[i * n + (int64_t)v] = 1;
    }
    return t;
}
