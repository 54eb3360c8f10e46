/* Arrays of texts in .npy files, for npy.c and npz.c. */
#ifndef KT_IO_NPY_TEXT_H
#define KT_IO_NPY_TEXT_H

#include "base/str.h"
#include "io/elem.h"

/** Elements of kind 'U' or 'S' as an array of texts. A NUL inside is refused. */
kt_tensor *kt_npy_read_texts(kt_source *s, const kt_elem *e, kt_shape shape);
/** Code points of the longest text, at least 1. */
int64_t kt_npy_text_width(const kt_tensor *t);
/** All texts as code points in this machine's byte order; kt_mem_free() it. */
kt_status kt_npy_text_data(const kt_tensor *t, void **data, size_t *size);

#endif
