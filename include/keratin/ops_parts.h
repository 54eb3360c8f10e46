/* kt_op_*, continued: splitting, grids of coordinates, reading and replacing parts; see ops.h. */
#ifndef KERATIN_OPS_PARTS_H
#define KERATIN_OPS_PARTS_H

#include <keratin/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Several outputs: kt_item(parts, i) is part i. At most 8. */

/** An axis cut into equal parts, or before each of the indices (kt_dims(2, 5): 0-2, 2-5, 5-…).
 * array_split: the first ones may be one longer. Errors: a length that does not divide.
 *
 *     kt_item(kt_op_split(a, 2, -1), 1)
 */
KT_API kt_sym *kt_op_split(kt_sym *x, int sections, int axis);
KT_API kt_sym *kt_op_split_at(kt_sym *x, kt_shape indices, int axis);
KT_API kt_sym *kt_op_array_split(kt_sym *x, int sections, int axis);
/** The same along axis 1 (of a vector: 0), 0, 2. */
KT_API kt_sym *kt_op_hsplit(kt_sym *x, int sections);
KT_API kt_sym *kt_op_vsplit(kt_sym *x, int sections);
KT_API kt_sym *kt_op_dsplit(kt_sym *x, int sections);
/** Every index of an axis, which goes away. */
KT_API kt_sym *kt_op_unstack(kt_sym *x, int axis);
/** Flat arrays as coordinates of a grid, each along its own axis; indexing "xy" (NULL) has the
 * first two axes exchanged, "ij" not. */
KT_API kt_sym *kt_op_meshgrid(kt_ref xs, const char *indexing);
/** Flat indices as coordinates in an array of a shape. */
KT_API kt_sym *kt_op_unravel_index(kt_sym *indices, kt_shape shape);

/** `shape` elements from start_indices on; -1: to the end. Keras: keras.ops.slice (kt_op_slice() is
 * one axis of it). */
KT_API kt_sym *kt_op_slice_of(kt_sym *x, kt_shape start_indices, kt_shape shape);
/** x with `updates` in place of what stands from start_indices on. */
KT_API kt_sym *kt_op_slice_update(kt_sym *x, kt_shape start_indices, kt_sym *updates);
/** Zeros of a shape, to which slice i of the values is added at indices[i] (…, k): coordinates in
 * the first k axes. */
KT_API kt_sym *kt_op_scatter(kt_sym *indices, kt_sym *values, kt_shape shape);
/** x with slices put in there (of equal indices the last one stays), or added: reduction NULL or
 * "add". */
KT_API kt_sym *kt_op_scatter_update(
    kt_sym *x, kt_sym *indices, kt_sym *updates, const char *reduction);

#ifdef __cplusplus
}
#endif
#endif
