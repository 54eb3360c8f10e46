/* NumPy's .npz: a zip archive of .npy members. Names are given without ".npy", as numpy.load does.
 */
#ifndef KT_IO_NPZ_H
#define KT_IO_NPZ_H

#include <keratin/sequences.h>

typedef struct kt_npz kt_npz;

/** *out is NULL when it fails. */
kt_status kt_npz_open(kt_npz **out, const char *path);
kt_status kt_npz_open_memory(kt_npz **out, const void *data, size_t size);
void kt_npz_close(kt_npz *npz);

/** Number of arrays; name of array i, borrowed. Members that are no .npy make kt_npz_open fail. */
int kt_npz_count(const kt_npz *npz);
const char *kt_npz_name(const kt_npz *npz, int i);
/** A new array; a failed object (KT_ENOTFOUND …) if it cannot be read. */
kt_tensor *kt_npz_read(kt_npz *npz, const char *name);
/** The same for an object array of lists of integers (pickle.h). */
kt_sequences *kt_npz_read_sequences(kt_npz *npz, const char *name);

/** Writes n arrays, stored as numpy.savez does. */
kt_status kt_npz_write(
    const char *path, int n, const char *const *names, const kt_tensor *const *arrays);

#endif
