/* The two kinds of pickle that Keras' data sets hold, and nothing else: an object array of lists of
 * integers (imdb.npz, reuters.npz), and a dict with an array of bytes and a list of labels (the
 * batches of CIFAR).
 *
 * A pickle is a program. This reader knows its opcodes for data, and of what can be called the
 * three names that NumPy arrays need; every other opcode and name is KT_EREFUSED. Nothing is ever
 * called. */
#ifndef KT_IO_PICKLE_H
#define KT_IO_PICKLE_H

#include <keratin/sequences.h>

/** numpy.array([[1, 2], [3]], dtype=object): a failed object if it holds anything else. */
kt_sequences *kt_pickle_sequences(const void *data, size_t size);
/** {"data": uint8 array (n, m), labels: [n numbers], …}: the array, the numbers as uint8. Both
 * are failed objects if it fails. */
kt_status kt_pickle_batch(
    const void *data, size_t size, const char *labels, kt_tensor **x, kt_tensor **y);

#endif
