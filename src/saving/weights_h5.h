/* Weights in the HDF5 layout of Keras 3 (.weights.h5, model.weights.h5 of a .keras file). */
#ifndef KT_SAVING_WEIGHTS_H5_H
#define KT_SAVING_WEIGHTS_H5_H

#include "io/hdf5.h"
#include "saving/weights_tree.h"

/** Adds all variables to a file that is being written; they are borrowed until it is. */
kt_status kt_weights_h5_put(kt_hdf5_writer *w, const kt_weight_tree *t);
/** Adds variables `from` … `to`-1 of one group. */
kt_status kt_weights_h5_put_group(
    kt_hdf5_writer *w, const kt_weight_tree *t, const kt_weight_group *g, int from, int to);

/** A whole file; with `training` (or NULL) as the attribute "training_metadata" of its root, which
 * Keras overlooks. */
kt_status kt_weights_h5_save(const kt_weight_tree *t, const char *path, const char *training);

/** Reads all variables from a file. Number, shapes and kinds of everything are compared before the
 * first weight changes: KT_ESHAPE names layer, variable, expected and got. With skip_mismatch,
 * layers that do not fit are left alone from the first weight on that does not (as in Keras), each
 * with a line in the log. The state of an optimizer
 * that does not fit is left alone in the same way, as Keras does. Files of tf.keras 2.12 to 2.15
 * are read too (no optimizer/learning_rate, _layer_checkpoint_dependencies instead of layers). */
kt_status kt_weights_h5_get(kt_hdf5 *h, const kt_weight_tree *t, bool skip_mismatch);

/** The same from several files: each variable stands in one of them. */
typedef struct kt_weight_files {
    int n;
    kt_hdf5 **h;
} kt_weight_files;
kt_status kt_weights_h5_get_all(
    const kt_weight_files *f, const kt_weight_tree *t, bool skip_mismatch);

#endif
