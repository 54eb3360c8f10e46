/* What the files of kt_op_* share: operands in one dtype, axes that are checked, lists, texts. */
#include "base/error.h"
#include "nn/axes.h"
#include "nn/symbolic/symbolic.h"

#include <keratin/runtime.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

kt_val *kt_op_floats(kt_graph *g, kt_val *x) {
    if (!x || kt_dtype_is_float(x->spec.dtype)) return x;
    return kt_g_cast(g, x, kt_dtype_of(kt_floatx()));
}

int kt_op_axis(kt_graph *g, const char *op, int64_t axis, int ndim) {
    const int at = axis < -KT_MAX_RANK || axis > KT_MAX_RANK ? -1 : kt_axis((int)axis, ndim);
    if (at >= 0) return at;
    KT_FAIL(KT_EINVAL, "%s: axis %lld is out of range", op, (long long)axis);
    kt_error_expected("%d to %d", -ndim, ndim - 1);
    kt_graph_fail(g, KT_EINVAL);
    return -1;
}

int kt_op_axes(kt_graph *g, const char *op, const kt_val *x, kt_tuple axis) {
    char shape[KT_SHAPE_STR];
    int list[KT_MAX_RANK], mask = 0;
    const int n = kt_axes_list(axis, list), ndim = x->spec.shape.ndim;
    if (axis == KT_NONE) return kt_axes_all(x);
    for (int i = 0; i < n; i++) {
        const int at = kt_axis(list[i], ndim);
        if (at < 0) {
            kt_shape_str(&x->spec.shape, shape, sizeof shape);
            kt_graph_fail(
                g,
                KT_FAIL(KT_EINVAL, "%s: axis %d is out of range for shape %s", op, list[i], shape));
            return 0;
        }
        if (mask >> at & 1)
            kt_graph_fail(g, KT_FAIL(KT_EINVAL, "%s: axis %d stands there twice", op, list[i]));
        mask |= 1 << at;
    }
    return mask;
}

bool kt_op_pair(kt_graph *g, kt_val **in, bool real) {
    const kt_dtype d = kt_op_promote(in[0]->spec.dtype, in[1]->spec.dtype);
    for (int i = 0; i < 2; i++) {
        in[i] = kt_g_cast(g, in[i], d);
        if (real) in[i] = kt_op_floats(g, in[i]);
    }
    return in[0] && in[1];
}

kt_status kt_op_text(char *to, size_t size, const char *text, const char *op) {
    if (strlen(text) >= size) return KT_FAIL(KT_EINVAL, "%s: unknown \"%.40s\"", op, text);
    memcpy(to, text, strlen(text) + 1);
    return KT_OK;
}

int kt_op_numbers(const char *text, int max, int64_t *out) {
    int n = 0;
    while (*text) {
        char *end = NULL;
        const long long v = strtoll(text, &end, 10);
        if (end == text) {
            text++;
            continue;
        }
        if (n < max) out[n] = v;
        n++;
        text = end;
    }
    return n;
}

void kt_op_numbers_text(char *text, size_t size, int n, const int64_t *v) {
    size_t at = 0;
    for (int i = 0; i < n && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, "%s%lld", i ? ", " : "[", (long long)v[i]);
    if (at < size) snprintf(text + at, size - at, n ? "]" : "[]");
}

kt_sym *kt_op_of_list(const kt_op_class *op, kt_ref xs, const void *attrs) {
    kt_sym *in[KT_OP_MAX_IN];
    const int n = kt_is(xs, KT_KIND_LIST) ? kt_list_len(xs) : 1;
    if (kt_failed(xs)) return kt_fail_object(kt_check(xs));
    if (n < 1 || n > KT_OP_MAX_IN)
        return kt_fail_object(
            KT_FAIL(KT_ELIMIT, "%s: expected 1 to %d tensors", op->name, KT_OP_MAX_IN));
    for (int i = 0; i < n; i++)
        in[i] = (kt_sym *)(uintptr_t)(kt_is(xs, KT_KIND_LIST) ? kt_list_get(xs, i) : xs);
    kt_sym *y = kt_op_apply(op, n, in, attrs);
    if (kt_is(xs, KT_KIND_LIST)) kt_drop(xs);
    return y;
}
