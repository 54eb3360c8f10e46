/* NumPy's .npy: magic, version, a Python dict in text with dtype, order and shape, then the
 * elements. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
#ifndef KT_IO_NPY_H
#define KT_IO_NPY_H

#include "base/str.h"
#include "io/pickle.h"
#include "io/source.h"

#include <keratin/sequences.h>

/** Reads a .npy file; a failed object says why not. Big-endian and Fortran-ordered arrays are
 * converted, small integers become int32 or int64 (kt_elem_dtype), '<U' and '|S' texts. Pickled
 * objects are refused (KT_EREFUSED), other element types are KT_EUNSUPPORTED. */
kt_tensor *kt_npy_read(const char *path);
/** The same from memory, and from any source, which it must use up. */
kt_tensor *kt_npy_parse(const void *data, size_t size);
kt_tensor *kt_npy_read_source(kt_source *s);
/** An object array of lists of integers, as pickle.h reads it; anything else is KT_EFORMAT or
 * KT_EREFUSED. */
kt_sequences *kt_npy_read_sequences(kt_source *s);
/** A dict of arrays in an object array without axes; see kt_pickle_arrays. */
kt_status kt_npy_read_arrays(kt_source *s, kt_pickle_each each, void *with);
/** Takes an array whose elements lie in Fortran's order and gives a new one in C's. */
kt_tensor *kt_npy_in_c_order(kt_tensor *t);

/** Writes exactly the bytes that numpy.save writes. bfloat16, which NumPy has not, becomes float32.
 */
kt_status kt_npy_write(const char *path, const kt_tensor *t);
/** Appends the header of such a file. */
kt_status kt_npy_header(kt_str *out, const kt_tensor *t);

#endif
