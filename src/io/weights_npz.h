/* The other form of weights in a .keras file: model.weights.npz.
 *
 * Keras' NpzIOStore gives numpy.savez a dict of variables for each path ("layers/dense"; the root
 * is "__root__"), which pickles them (pickle.h). What is in there is the same tree that it stores
 * as HDF5, so it is made into that, in memory, and every reader of weights reads it. That costs a
 * copy more; the form is rare. */
#ifndef KT_IO_WEIGHTS_NPZ_H
#define KT_IO_WEIGHTS_NPZ_H

#include "io/hdf5.h"

/** Member i of an archive as an HDF5 file with the groups <path>/vars. Its deflated members may
 * take `bytes_max`. KT_EREFUSED where a pickle holds anything but arrays and variables. */
kt_status kt_weights_npz_open(kt_hdf5 **out, kt_zip *z, int i, uint64_t bytes_max);

#endif
