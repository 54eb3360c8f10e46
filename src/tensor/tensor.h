/* Host arrays, dtypes and shapes as the rest of the library sees them. */
#ifndef KT_TENSOR_TENSOR_H
#define KT_TENSOR_TENSOR_H

#include "base/obj.h"

#include <keratin/tensor.h>

struct kt_tensor {
    kt_obj obj;
    kt_dtype dtype;
    kt_shape shape;
    void *data;
    const kt_tensor *base;  /* holder of the memory when this shares it (kt_obj_share) */
    bool owned;             /* data is ours to free */
    struct kt_texts *texts; /* what the elements of KT_STRING point to; NULL: somebody else's */
};

/** Makes elements first … first+n-1 of an array of texts copies of those. NULL is "". */
kt_status kt_tensor_put_texts(kt_tensor *t, int64_t first, const char *const *from, int64_t n);

/** dtype and shape: what a value in a graph is known by. */
typedef struct kt_spec {
    kt_dtype dtype;
    kt_shape shape;
} kt_spec;

static inline bool kt_dtype_is_float(kt_dtype d) {
    return d == KT_FLOAT32 || d == KT_FLOAT64 || d == KT_FLOAT16 || d == KT_BFLOAT16;
}
static inline bool kt_dtype_is_int(kt_dtype d) {
    return d == KT_INT32 || d == KT_INT64 || d == KT_UINT8 || d == KT_INT8;
}

/** Product of all dimensions (1 for a scalar); -1 if one is None or the product overflows. */
int64_t kt_shape_size(const kt_shape *s);
/** Bytes of an array; -1 if one dimension is None, the dtype is none, or the product overflows. The
 * one such product of the code base: readers ask it before they allocate. */
int64_t kt_spec_bytes(const kt_spec *s);
/** Bytes of the elements; 0 for failed objects. */
size_t kt_tensor_bytes(const kt_tensor *t);
/** Product of dimensions from … to-1. */
int64_t kt_shape_range(const kt_shape *s, int from, int to);
bool kt_shape_equal(const kt_shape *a, const kt_shape *b);
/** Brings a negative axis into 0 … ndim-1; -1 if it is out of range. */
int kt_axis(int axis, int ndim);
/** Python's text of a shape: "(None, 28, 28)", "(5,)", "()". Returns buf. */
const char *kt_shape_str(const kt_shape *s, char *buf, size_t size);
#define KT_SHAPE_STR 192
/** "float32 (2, 3)" */
const char *kt_spec_str(const kt_spec *s, char *buf, size_t size);
/** NumPy's broadcasting; KT_ESHAPE (without a message) if the shapes do not go together. */
kt_status kt_shape_broadcast(const kt_shape *a, const kt_shape *b, kt_shape *out);
/** Reads a `shape[KT_MAX_RANK]` field of an args struct: ends at the first 0. */
kt_shape kt_shape_of_field(const int64_t *field);

/** Element i of a raw array as a double, and back (rounded, truncated, clipped as C casts do; bool
 * is value != 0). float16 and bfloat16 round to nearest even. */
double kt_elem_get(const void *data, kt_dtype dtype, int64_t i);
void kt_elem_set(void *data, kt_dtype dtype, int64_t i, double value);
/** Converts n elements; same dtypes copy bytes. */
void kt_elem_convert(void *dst, kt_dtype to, const void *src, kt_dtype from, int64_t n);

#endif
