/* Arrays that are almost all zeros, as lists of the columns that are not: made once per fit,
 * evaluate or predict, so that a step reads a hundred numbers of a row and not ten thousand. */
#ifndef KT_MODEL_SPARSE_H
#define KT_MODEL_SPARSE_H

#include "tensor/tensor.h"

typedef struct kt_sparse_rows kt_sparse_rows;

/** *out is the sparse form of a float32 array [rows, width], or NULL if it is not worth it: too
 * small, or more than one element of sixteen is not zero. The array must stay. */
kt_status kt_sparse_rows_of(kt_sparse_rows **out, const kt_tensor *t);
void kt_sparse_rows_free(kt_sparse_rows *s);
/** Places that n rows take at most. */
int64_t kt_sparse_rows_cap(const kt_sparse_rows *s, int64_t n);
/** Rows order[0 … n-1], or first … without an order, as ops/sparse.c wants them. */
void kt_sparse_rows_fill(
    const kt_sparse_rows *s,
    float *value,
    int32_t *offset,
    int32_t *index,
    const int64_t *order,
    int64_t first,
    int64_t n);

#endif
