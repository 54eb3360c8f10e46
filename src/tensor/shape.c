/* Shapes: products that cannot overflow, axes counted from the end, broadcasting, Python's text.
 *
 * A shape with too many dimensions cannot be stored; kt_shape_of() turns it into a negative ndim,
 * so that loops over its dimensions do nothing, and whoever needs a valid shape says so. */
#include "tensor/tensor.h"

#include <stdio.h>
#include <string.h>

kt_shape kt_shape_of(int ndim, const int64_t *dims) {
    kt_shape s = {.ndim = ndim > KT_MAX_RANK ? -ndim : ndim < 0 ? -1 : ndim};
    for (int i = 0; i < s.ndim && dims; i++) s.dim[i] = dims[i];
    return s;
}

int64_t kt_shape_dim(const kt_shape *shape, int i) {
    const int axis = shape ? kt_axis(i, shape->ndim) : -1;
    return axis < 0 ? 0 : shape->dim[axis];
}

int kt_axis(int axis, int ndim) {
    if (axis < 0) axis += ndim;
    return axis >= 0 && axis < ndim ? axis : -1;
}

/* Dimensions of 0 do not hide an overflow of the others: (0, 2^40, 2^40) is refused as NumPy does,
 * because strides and reshapes multiply the rest. */
int64_t kt_shape_size(const kt_shape *s) {
    int64_t product = 1;
    bool empty = false;
    if (s->ndim < 0 || s->ndim > KT_MAX_RANK) return -1;
    for (int i = 0; i < s->ndim; i++) {
        const int64_t d = s->dim[i];
        if (d < 0 || (d > 0 && product > INT64_MAX / d)) return -1;
        if (d > 0) product *= d;
        empty = empty || d == 0;
    }
    return empty ? 0 : product;
}

int64_t kt_spec_bytes(const kt_spec *s) {
    const int64_t n = kt_shape_size(&s->shape), size = (int64_t)kt_dtype_size(s->dtype);
    return n < 0 || size == 0 || n > INT64_MAX / 2 / size ? -1 : n * size;
}

int64_t kt_shape_range(const kt_shape *s, int from, int to) {
    int64_t product = 1;
    for (int i = from < 0 ? 0 : from; i < to && i < s->ndim; i++) product *= s->dim[i];
    return product;
}

bool kt_shape_equal(const kt_shape *a, const kt_shape *b) {
    if (a->ndim != b->ndim) return false;
    for (int i = 0; i < a->ndim; i++)
        if (a->dim[i] != b->dim[i]) return false;
    return true;
}

const char *kt_shape_str(const kt_shape *s, char *buf, size_t size) {
    char text[KT_MAX_RANK * 24 + 8] = "(";
    size_t at = 1;
    for (int i = 0; i < s->ndim && i < KT_MAX_RANK; i++) {
        char dim[24] = "None";
        if (s->dim[i] != KT_NONE) snprintf(dim, sizeof dim, "%lld", (long long)s->dim[i]);
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", i ? ", " : "", dim);
    }
    snprintf(text + at, sizeof text - at, s->ndim == 1 ? ",)" : ")");
    if (size) snprintf(buf, size, "%s", text);
    return buf;
}

const char *kt_spec_str(const kt_spec *s, char *buf, size_t size) {
    char shape[KT_SHAPE_STR];
    kt_shape_str(&s->shape, shape, sizeof shape);
    if (size) snprintf(buf, size, "%s %s", kt_dtype_name(s->dtype), shape);
    return buf;
}

/* An unknown dimension meets 1 or itself as unknown; beside a known one above 1 it must become
 * that. */
static kt_status dim_broadcast(int64_t a, int64_t b, int64_t *out) {
    if (a == b || b == 1)
        *out = a;
    else if (a == 1 || a == KT_NONE)
        *out = b;
    else if (b == KT_NONE)
        *out = a;
    else
        return KT_ESHAPE;
    return KT_OK;
}

kt_status kt_shape_broadcast(const kt_shape *a, const kt_shape *b, kt_shape *out) {
    kt_shape r = {.ndim = a->ndim > b->ndim ? a->ndim : b->ndim};
    for (int i = 1; i <= r.ndim; i++) { /* aligned at the end */
        const int64_t da = i <= a->ndim ? a->dim[a->ndim - i] : 1;
        const int64_t db = i <= b->ndim ? b->dim[b->ndim - i] : 1;
        const kt_status st = dim_broadcast(da, db, &r.dim[r.ndim - i]);
        if (st) return st;
    }
    *out = r;
    return KT_OK;
}

kt_shape kt_shape_of_field(const int64_t *field) {
    kt_shape s = {0};
    while (s.ndim < KT_MAX_RANK && field[s.ndim] != 0) {
        s.dim[s.ndim] = field[s.ndim];
        s.ndim++;
    }
    return s;
}
