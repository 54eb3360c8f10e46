/* IDX, the format of the MNIST files: big-endian magic 0 0 TYPE NDIM, NDIM sizes of 32 bits, data.
 * Usually gzipped. http://yann.lecun.com/exdb/mnist/ */
#ifndef KT_IO_IDX_H
#define KT_IO_IDX_H

#include <keratin/tensor.h>

/** Reads a .idx or .idx.gz file; a failed object (KT_EFORMAT, KT_ENOTFOUND, KT_ELIMIT …) says
 * where. */
kt_tensor *kt_idx_read(const char *path);
/** The same from the bytes of such a file. */
kt_tensor *kt_idx_parse(const void *data, size_t size);

#endif
