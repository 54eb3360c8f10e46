/* The kinds of pickle that Keras' files hold, and nothing else: an object array of lists of
 * integers (imdb.npz, reuters.npz), a dict with an array of bytes and a list of labels (the batches
 * of CIFAR), and a dict of weights (model.weights.npz).
 *
 * A pickle is a program. This reader knows its opcodes for data, and of what can be called the
 * names that NumPy arrays need; for weights those too that Keras' variables bring along under
 * TensorFlow and JAX. Every other opcode and name is KT_EREFUSED. Nothing is ever called. */
#ifndef KT_IO_PICKLE_H
#define KT_IO_PICKLE_H

#include "io/elem.h"

#include <keratin/sequences.h>

/** numpy.array([[1, 2], [3]], dtype=object): a failed object if it holds anything else. */
kt_sequences *kt_pickle_sequences(const void *data, size_t size);
/** {"data": uint8 array (n, m), labels: [n numbers], …}: the array, the numbers as uint8. Both
 * are failed objects if it fails. */
kt_status kt_pickle_batch(
    const void *data, size_t size, const char *labels, kt_tensor **x, kt_tensor **y);

/** An array of a dict of weights, as it lies in the pickle: a copy takes kt_elem_read() into an
 * array of `dtype`. */
typedef struct kt_pickle_array {
    const char *key; ///< of the dict: key_n bytes, any
    size_t key_n;
    kt_elem elem;
    kt_dtype dtype; ///< that holds the elements: kt_elem_dtype(), or bfloat16
    bool fortran;   ///< the first index runs fastest
    kt_shape shape;
    const void *data;
    size_t bytes; ///< what shape and elem say
} kt_pickle_array;
typedef kt_status (*kt_pickle_each)(void *with, const kt_pickle_array *array);

/** {"0": array or Keras variable, …}, or an object array without axes that holds it, as numpy.savez
 * writes a dict. Calls `each` in their order until it fails; together the arrays have no more bytes
 * than the pickle. */
kt_status kt_pickle_arrays(const void *data, size_t size, kt_pickle_each each, void *with);

#endif
