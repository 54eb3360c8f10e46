/* What a kernel sees: the node (specs, attributes) and where its inputs and outputs lie. */
#ifndef KT_IR_KERNEL_H
#define KT_IR_KERNEL_H

#include "ir/graph.h"

typedef struct kt_kargs {
    const kt_node *node;
    void *const *in;
    void *const *out;
    void *scratch; ///< as many bytes as the implementation asked for
    void *state;   ///< what its prepare step made, if it has one
} kt_kargs;
typedef kt_status kt_kernel(const kt_kargs *k);

/** A lane runs along one axis: element i of lane l is at kt_lane_start(lanes, l) + i * inner. */
typedef struct kt_lanes {
    int64_t outer, len, inner;
} kt_lanes;
static inline kt_lanes kt_lanes_along(const kt_shape *s, int axis) {
    kt_lanes l = {1, s->ndim ? s->dim[axis] : 1, 1};
    for (int i = 0; i < axis; i++) l.outer *= s->dim[i];
    for (int i = axis + 1; i < s->ndim; i++) l.inner *= s->dim[i];
    return l;
}
static inline int64_t kt_lane_start(const kt_lanes *l, int64_t lane) {
    return lane / l->inner * l->len * l->inner + lane % l->inner;
}
/** The error for an index or label outside 0 … n-1: names the row of the batch and the value. */
kt_status kt_label_error(int64_t row, int64_t label, int64_t n_classes);
/** The same for element `at` of an array of row numbers of that shape. */
kt_status kt_index_error(const kt_shape *shape, int64_t at, int64_t index, int64_t n_rows);
/** Row-major strides, in elements. */
void kt_strides(const kt_shape *s, int64_t *stride);
/** Copies an array of `shape` element by element between two strided layouts; `size` bytes each. */
void kt_copy_strided(
    void *dst,
    const int64_t *dst_stride,
    const void *src,
    const int64_t *src_stride,
    const kt_shape *shape,
    size_t size);

#endif
