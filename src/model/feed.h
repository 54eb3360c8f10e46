/* From the user's arrays to the input buffers of a program. */
#ifndef KT_MODEL_FEED_H
#define KT_MODEL_FEED_H

#include "model/programs.h"
#include "model/sparse.h"

/** Checked arrays of one run: every array has `n` rows. Borrowed but for what was made here. */
typedef struct kt_feed {
    int64_t first, n; ///< rows first … first+n-1 of the arrays
    int n_x, n_y;
    const kt_tensor *x[KT_MAX_TENSORS], *y[KT_MAX_TENSORS], *w[KT_MAX_TENSORS];
    kt_spec row[3 * KT_MAX_TENSORS]; ///< program inputs for a batch of 1: x, y, w
    kt_sparse_rows
        *sparse[KT_MAX_TENSORS];     ///< of x, NULL: as it is; owned by the feed that was opened
    bool is_part;                    ///< made by kt_feed_slice
    kt_tensor *made[KT_MAX_TENSORS]; ///< class weights per sample; adopted
    kt_ref
        given[3]; ///< x, y, w as they came: floating lists are dropped at the end, tensors are not
} kt_feed;

/** Checks x (and y, w unless NULL and without_y) against the model; links a deferred Sequential. */
kt_status kt_feed_open(kt_feed *f, kt_model *m, kt_ref x, kt_ref y, kt_ref w, bool without_y);
/** Inputs that are almost all zeros become sparse matrices; worth it for what runs more than once,
 * or on many rows. */
kt_status kt_feed_find_sparse(kt_feed *f);
/** Class weights become sample weights of the only output. */
kt_status kt_feed_class_weight(kt_feed *f, const kt_class_weight *weights);
void kt_feed_close(kt_feed *f);
/** Rows start … stop-1 of f as a feed that borrows from f. */
kt_feed kt_feed_slice(const kt_feed *f, int64_t start, int64_t stop);
/** Shapes of a batch of that size. */
void kt_feed_specs(const kt_feed *f, int64_t batch, kt_batch_specs *out);
/** One training or test step on such rows. */
kt_status kt_feed_step(
    const kt_feed *f,
    kt_model *m,
    kt_program_kind kind,
    const int64_t *order,
    int64_t first,
    int64_t n);
/** Fills the inputs of a run with n rows: rows order[0 … n-1], or first … first+n-1 without an
 * order. */
void kt_feed_fill(
    const kt_feed *f, kt_cpu_run *run, bool with_y, const int64_t *order, int64_t first, int64_t n);

#endif
