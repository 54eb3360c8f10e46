/* Element types as files write them: kind, size and byte order, brought to the dtypes of the
 * library. */
#ifndef KT_IO_ELEM_H
#define KT_IO_ELEM_H

#include "io/source.h"
#include "tensor/tensor.h"

typedef struct kt_elem {
    char kind; /* 'f' float, 'i' signed, 'u' unsigned, 'b' bool */
    int size;  /* bytes */
    bool big;  /* big-endian */
} kt_elem;

/** The dtype that holds such elements without loss: int8, int16 and uint16 become int32; uint32 and
 * uint64 become int64 (values above 2^63-1 are refused on reading). KT_NO_DTYPE if there is none.
 */
kt_dtype kt_elem_dtype(const kt_elem *e);
/** Reads n elements into `data`, an array of kt_elem_dtype(e). */
kt_status kt_elem_read(kt_source *s, const kt_elem *e, void *data, int64_t n);
/** Does this machine store the highest byte first? */
bool kt_machine_is_big(void);

#endif
