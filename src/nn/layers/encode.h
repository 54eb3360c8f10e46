/* Indices as vectors, as the layers of preprocessing.h give them: output_mode and what it does. */
#ifndef KT_NN_LAYERS_ENCODE_H
#define KT_NN_LAYERS_ENCODE_H

#include "nn/layer.h"

typedef enum {
    KT_ENCODE_INT,
    KT_ENCODE_ONE_HOT,
    KT_ENCODE_MULTI_HOT,
    KT_ENCODE_COUNT,
    KT_ENCODE_TF_IDF,
    KT_ENCODE_MODES
} kt_encode_mode;

/** The mode of that name, among those whose bits are set; KT_EINVAL lists them. */
kt_status kt_encode_mode_of(kt_encode_mode *out, const char *name, unsigned allowed);
/** KT_EUNSUPPORTED for sparse = true: there are no sparse tensors. */
kt_status kt_encode_refuse_sparse(bool sparse);
/** One number as salt stands for two of it, as files have it; KT_EINVAL for more than two. The list
 * is one that a layer keeps of its arguments. */
kt_status kt_encode_salt(kt_ints_t *salt);
/** Indices of any dtype to `dtype`: themselves, a one-hot vector each (in place of a last axis of
 * length 1), or for each sample which of 0 … depth-1 there are, or how many. Samples lie along axis
 * 1, where there is only one axis along that. An index outside 0 … depth-1 counts nowhere. With
 * KT_ENCODE_COUNT weights (of the indices' shape) may stand for the ones; else NULL. */
kt_val *kt_encode(
    kt_graph *g,
    kt_val *index,
    kt_encode_mode mode,
    int64_t depth,
    kt_dtype dtype,
    kt_val *weights);

#endif
