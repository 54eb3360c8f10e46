/* Generators inside the loops. */
#ifndef KT_MODEL_GENERATOR_H
#define KT_MODEL_GENERATOR_H

#include "model/feed.h"

/** A batch that a generator made, checked against the model. */
typedef struct kt_gen_batch {
    kt_batch batch;
    kt_feed feed;
    bool end; ///< the generator has gone through its data once
} kt_gen_batch;

static inline const kt_generator *kt_as_generator(kt_ref ref) {
    return kt_is(ref, KT_KIND_GENERATOR) ? ref : NULL;
}
/** Batches of one pass, -1 if unknown. */
int64_t kt_generator_length(const kt_generator *g);
/** The next batch (x alone when it predicts); give it back with kt_generator_done, which frees its
 * floating tensors. */
kt_status kt_generator_next(const kt_generator *g, kt_model *m, bool predicts, kt_gen_batch *b);
void kt_generator_done(kt_gen_batch *b);

#endif
