/* x / ||x|| along an axis.  keras.utils.normalize
 *
 * Keras 3.15.1 says `axis = axis or -1`, so that axis=0 divides by norms along the wrong axis or
 * fails; here it does what it says. */
#include "base/error.h"
#include "base/field.h"
#include "tensor/tensor.h"

#include <keratin/utils.h>

#include <math.h>

/* numpy.linalg.norm of n numbers, `stride` apart. */
static double norm_of(const kt_tensor *x, int64_t at, int64_t n, int64_t stride, double order) {
    double s = order == -INFINITY ? INFINITY : 0;
    for (int64_t k = 0; k < n; k++) {
        const double v = fabs(kt_elem_get(x->data, x->dtype, at + k * stride));
        if (v != v) return v;
        if (isinf(order))
            s = order > 0 ? fmax(s, v) : fmin(s, v);
        else if (order == 0)
            s += v != 0;
        else
            s += order == 1 ? v : order == 2 ? v * v : pow(v, order);
    }
    if (isinf(order) || order == 0 || order == 1) return s;
    return order == 2 ? sqrt(s) : pow(s, 1 / order);
}

kt_tensor *kt_normalize_with(const kt_normalize_args *args) {
    kt_normalize_args a;
    const kt_status st = kt_args_read(&a, args, sizeof a, NULL);
    if (st) return kt_fail_object(st);
    const kt_tensor *x = a.x;
    if (!kt_is(x, KT_KIND_TENSOR))
        return kt_fail_object(
            x && kt_failed(x) ? kt_check(x) : KT_FAIL(KT_EINVAL, "x: expected an array"));
    const int axis = kt_axis(a.axis, x->shape.ndim);
    if (axis < 0)
        return kt_fail_object(KT_FAIL(
            KT_EINVAL, "axis: an array of %d dimensions has no axis %d", x->shape.ndim, a.axis));
    if (a.order != a.order) return kt_fail_object(KT_FAIL(KT_EINVAL, "order: got nan"));
    const kt_dtype dtype = x->dtype == KT_FLOAT32 ? KT_FLOAT32 : KT_FLOAT64;
    kt_tensor *t = kt_tensor_new(dtype, x->shape, NULL);
    if (kt_failed(t)) return t;
    const int64_t n = x->shape.dim[axis], outer = kt_shape_range(&x->shape, 0, axis);
    const int64_t stride = kt_shape_range(&x->shape, axis + 1, x->shape.ndim);
    for (int64_t i = 0; i < (n ? outer : 0); i++)
        for (int64_t j = 0; j < stride; j++) {
            const int64_t at = i * n * stride + j;
            double norm = norm_of(x, at, n, stride, a.order);
            if (norm == 0) norm = 1;
            for (int64_t k = at; k < at + n * stride; k += stride)
                kt_elem_set(t->data, dtype, k, kt_elem_get(x->data, x->dtype, k) / norm);
        }
    return t;
}
