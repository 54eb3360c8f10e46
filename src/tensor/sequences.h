/* Ragged integer lists as the rest of the library sees them. */
#ifndef KT_TENSOR_SEQUENCES_H
#define KT_TENSOR_SEQUENCES_H

#include "base/obj.h"

#include <keratin/sequences.h>

struct kt_sequences {
    kt_obj obj;
    int64_t n;
    int64_t *offset; /* n + 1 of them: sequence i is ids[offset[i]] … ids[offset[i + 1] - 1] */
    int32_t *ids;
};

/** Room for n sequences with `n_ids` ids together; offsets and ids are 0 and for the caller to fill
 * in. */
kt_sequences *kt_sequences_make(int64_t n, int64_t n_ids);
/** KT_OK, or the status to return for an argument that holds no sequences. */
kt_status kt_sequences_check(const kt_sequences *s);

#endif
