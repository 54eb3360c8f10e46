/* What the merging layers (Add, Multiply, Maximum …) share: bringing inputs to one number of axes
 * and folding them two by two. */
#ifndef KT_NN_LAYERS_MERGE_H
#define KT_NN_LAYERS_MERGE_H

#include "nn/layer.h"

/** build: do the shapes broadcast, the batch axis aside? */
kt_status kt_merge_build(kt_layer *l, const kt_shape *in);
/** out = f(f(in[0], in[1]), in[2]) … */
typedef kt_sym *kt_merge_fn(kt_sym *a, kt_sym *b);
kt_status kt_merge_fold(kt_trace *t, kt_merge_fn *f);
/** The same for the largest and the smallest, in which masked steps do not take part. */
kt_status kt_merge_extreme(kt_trace *t, kt_merge_fn *f);
/** Input i with as many axes as the one that has most. */
kt_sym *kt_merge_input(const kt_trace *t, int i);
/** Its mask, NULL: none. */
kt_sym *kt_merge_mask(const kt_trace *t, int i);
/** The mask of the output: what any mask lets through, none if an input has none. */
kt_status kt_merge_masks(kt_trace *t);

#endif
