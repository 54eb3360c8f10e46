/* Host arrays: own, wrap, share.
 *
 * There is one layout (C order) and no strides, so a slice is possible along axis 0 only and
 * everything else copies. A slice or reshape shares (kt_obj_share) the array that holds the memory,
 * *without* taking the user's floating reference away: the user may free the array and the slice in
 * either order. */
#include "tensor/tensor.h"

#include "base/error.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

/* Texts are kept in blocks, one for each time that some were put in. */
struct kt_texts {
    struct kt_texts *next;
    char bytes[];
};

static void kt_texts_free(struct kt_texts *t) {
    while (t) {
        struct kt_texts *next = t->next;
        kt_mem_free(t);
        t = next;
    }
}

kt_status kt_tensor_put_texts(kt_tensor *t, int64_t first, const char *const *from, int64_t n) {
    size_t bytes = 0;
    for (int64_t i = 0; i < n; i++) bytes += (from && from[i] ? strlen(from[i]) : 0) + 1;
    struct kt_texts *block = kt_alloc(sizeof *block + bytes);
    if (!block) return KT_ENOMEM;
    block->next = t->texts;
    t->texts = block;
    const char **to = (const char **)t->data + first;
    char *p = block->bytes;
    for (int64_t i = 0; i < n; i++) {
        const char *text = from && from[i] ? from[i] : "";
        const size_t size = strlen(text) + 1;
        to[i] = memcpy(p, text, size);
        p += size;
    }
    return KT_OK;
}

static void tensor_destroy(void *self) {
    kt_tensor *t = self;
    if (t->owned) kt_mem_free_aligned(t->data);
    kt_texts_free(t->texts);
    kt_obj_unshare(t->base);
}

/* The tensor itself, or NULL when there is none to read: failed, NULL, or another kind of object.
 */
static const kt_tensor *tensor_of(const kt_tensor *t) {
    return kt_is(t, KT_KIND_TENSOR) && t->obj.status == KT_OK ? t : NULL;
}

/* What a function returns whose input is no tensor; a failed input passes its status on. */
static kt_status not_a_tensor(const kt_tensor *t) {
    char got[80];
    if (t && kt_failed(t)) return kt_check(t);
    kt_ref_describe(t, got, sizeof got);
    return KT_FAIL(KT_EINVAL, "tensor: expected an array, got %s", got);
}

static kt_status spec_check(const kt_spec *s) {
    char text[KT_SHAPE_STR];
    if (kt_dtype_size(s->dtype) == 0)
        return KT_FAIL(
            KT_EDTYPE, "dtype: expected a dtype such as KT_FLOAT32, got %d", (int)s->dtype);
    const int ndim = s->shape.ndim;
    if (ndim < 0 || ndim > KT_MAX_RANK)
        return KT_FAIL(
            KT_ESHAPE,
            "shape: expected 0 to %d dimensions, got %lld",
            KT_MAX_RANK,
            ndim < -KT_MAX_RANK ? -(long long)ndim : ndim); /* kt_shape_of() stores 9 as -9 */
    kt_shape_str(&s->shape, text, sizeof text);
    for (int i = 0; i < ndim; i++)
        if (s->shape.dim[i] < 0)
            return KT_FAIL(KT_ESHAPE, "shape: expected dimensions >= 0, got %s", text);
    if (kt_spec_bytes(s) < 0)
        return KT_FAIL(KT_ESHAPE, "shape: %s has more elements than memory can hold", text);
    return KT_OK;
}

/* A tensor without data. */
static kt_tensor *tensor_make(kt_dtype dtype, const kt_shape *shape) {
    const kt_status st = spec_check(&(kt_spec){dtype, *shape});
    if (st) return kt_fail_object(st);
    kt_tensor *t = kt_obj_new(sizeof *t, KT_KIND_TENSOR, tensor_destroy);
    if (!t) return kt_fail_object(KT_ENOMEM);
    t->dtype = dtype;
    t->shape = kt_shape_of(shape->ndim, shape->dim); /* unused dimensions are 0 */
    return t;
}

kt_tensor *kt_tensor_new(kt_dtype dtype, kt_shape shape, const void *data) {
    kt_tensor *t = tensor_make(dtype, &shape);
    if (kt_failed(t)) return t;
    const size_t bytes = kt_tensor_bytes(t);
    t->data = kt_alloc_aligned(bytes);
    if (!t->data) {
        kt_free(t);
        return kt_fail_object(KT_ENOMEM);
    }
    t->owned = true;
    if (dtype == KT_STRING) {
        const kt_status st = kt_tensor_put_texts(t, 0, data, kt_tensor_size(t));
        if (st == KT_OK) return t;
        kt_free(t);
        return kt_fail_object(st);
    }
    if (data && bytes) memcpy(t->data, data, bytes);
    return t;
}

kt_tensor *kt_tensor_wrap(kt_dtype dtype, kt_shape shape, void *data) {
    kt_tensor *t = tensor_make(dtype, &shape);
    if (kt_failed(t)) return t;
    t->data = data;
    int64_t missing = data || kt_tensor_bytes(t) == 0 ? -1 : 0;
    for (int64_t i = 0; dtype == KT_STRING && data && i < kt_tensor_size(t); i++)
        if (!((const char **)data)[i]) missing = i;
    if (missing < 0) return t;
    kt_free(t);
    if (data)
        return kt_fail_object(KT_FAIL(KT_EINVAL, "data: text %lld is NULL", (long long)missing));
    return kt_fail_object(KT_FAIL(KT_EINVAL, "data: expected a pointer to the elements, got NULL"));
}

/* Another tensor over the memory of t, `offset` elements in. */
static kt_tensor *tensor_share(const kt_tensor *t, const kt_shape *shape, int64_t offset) {
    kt_tensor *s = tensor_make(t->dtype, shape);
    if (kt_failed(s)) return s;
    s->data = t->data ? (char *)t->data + (size_t)offset * kt_dtype_size(t->dtype) : NULL;
    s->base = kt_obj_share(t->base ? t->base : t); /* always the holder itself: no chains */
    return s;
}

kt_tensor *kt_tensor_slice(const kt_tensor *t, int64_t start, int64_t stop) {
    if (!tensor_of(t)) return kt_fail_object(not_a_tensor(t));
    if (t->shape.ndim == 0)
        return kt_fail_object(
            KT_FAIL(KT_ESHAPE, "slice: expected an array with rows, got a scalar"));
    const int64_t rows = t->shape.dim[0];
    if (start < 0 || start > stop || stop > rows)
        return kt_fail_object(KT_FAIL(
            KT_EINVAL,
            "slice: expected 0 <= start <= stop <= %lld, got %lld and %lld",
            (long long)rows,
            (long long)start,
            (long long)stop));
    kt_shape shape = t->shape;
    shape.dim[0] = stop - start;
    return tensor_share(t, &shape, start * kt_shape_range(&t->shape, 1, t->shape.ndim));
}

kt_tensor *kt_tensor_copy(const kt_tensor *t) {
    if (!tensor_of(t)) return kt_fail_object(not_a_tensor(t));
    return kt_tensor_new(t->dtype, t->shape, t->data);
}

kt_tensor *kt_tensor_cast(const kt_tensor *t, kt_dtype dtype) {
    if (!tensor_of(t)) return kt_fail_object(not_a_tensor(t));
    if ((dtype == KT_STRING) != (t->dtype == KT_STRING))
        return kt_fail_object(KT_FAIL(
            KT_EDTYPE,
            "cast: %s does not become %s",
            kt_dtype_name(t->dtype),
            kt_dtype_name(dtype)));
    if (dtype == KT_STRING) return kt_tensor_copy(t);
    kt_tensor *r = kt_tensor_new(dtype, t->shape, NULL);
    if (!kt_failed(r)) kt_elem_convert(r->data, dtype, t->data, t->dtype, kt_tensor_size(t));
    return r;
}

kt_tensor *kt_tensor_reshape(const kt_tensor *t, kt_shape shape) {
    char from[KT_SHAPE_STR], to[KT_SHAPE_STR];
    if (!tensor_of(t)) return kt_fail_object(not_a_tensor(t));
    if (kt_shape_size(&shape) == kt_tensor_size(t)) return tensor_share(t, &shape, 0);
    const kt_status st = spec_check(&(kt_spec){t->dtype, shape});
    if (st) return kt_fail_object(st);
    return kt_fail_object(KT_FAIL(
        KT_ESHAPE,
        "reshape: %s and %s have different numbers of elements",
        kt_shape_str(&t->shape, from, sizeof from),
        kt_shape_str(&shape, to, sizeof to)));
}

kt_dtype kt_tensor_dtype(const kt_tensor *t) { return tensor_of(t) ? t->dtype : KT_NO_DTYPE; }

kt_shape kt_tensor_shape(const kt_tensor *t) { return tensor_of(t) ? t->shape : (kt_shape){0}; }

int64_t kt_tensor_size(const kt_tensor *t) { return tensor_of(t) ? kt_shape_size(&t->shape) : 0; }

size_t kt_tensor_bytes(const kt_tensor *t) {
    return (size_t)kt_tensor_size(t) * kt_dtype_size(kt_tensor_dtype(t));
}

int64_t kt_tensor_dim(const kt_tensor *t, int i) {
    return tensor_of(t) ? kt_shape_dim(&t->shape, i) : 0;
}

void *kt_tensor_data(const kt_tensor *t) { return tensor_of(t) ? t->data : NULL; }

double kt_tensor_get(const kt_tensor *t, int64_t i) {
    return i >= 0 && i < kt_tensor_size(t) ? kt_elem_get(t->data, t->dtype, i) : 0;
}

kt_status kt_tensor_set(kt_tensor *t, int64_t i, double value) {
    if (!tensor_of(t)) return not_a_tensor(t);
    const int64_t n = kt_tensor_size(t);
    if (i < 0 || i >= n)
        return KT_FAIL(
            KT_EINVAL, "index %lld is out of range for %lld elements", (long long)i, (long long)n);
    if (t->dtype == KT_STRING) return KT_FAIL(KT_EDTYPE, "an element that is a text is no number");
    kt_elem_set(t->data, t->dtype, i, value);
    return KT_OK;
}

const char *kt_tensor_text(const kt_tensor *t, int64_t i) {
    const bool there = tensor_of(t) && t->dtype == KT_STRING && i >= 0 && i < kt_tensor_size(t);
    return there ? ((const char *const *)t->data)[i] : NULL;
}

/* The first of equals, and the first NaN before everything, as numpy.argmax. */
int64_t kt_tensor_argmax(const kt_tensor *t, int64_t row) {
    const int ndim = tensor_of(t) ? t->shape.ndim : 0;
    const int64_t n = ndim == 1 || ndim == 2 ? t->shape.dim[ndim - 1] : 0;
    const int64_t rows = ndim == 2 ? t->shape.dim[0] : 1;
    if (n == 0 || row < 0 || row >= rows) return -1;
    int64_t best = 0;
    for (int64_t i = 0; i < n; i++) {
        const double v = kt_elem_get(t->data, t->dtype, row * n + i);
        if (isnan(v)) return i;
        if (v > kt_elem_get(t->data, t->dtype, row * n + best)) best = i;
    }
    return best;
}
