/* Loops that other loops use. */
#ifndef KT_MODEL_LOOPS_H
#define KT_MODEL_LOOPS_H

#include "model/callback.h"
#include "model/generator.h"
#include "model/progbar.h"

/** Batches that n rows make, the last one maybe short. */
static inline int64_t kt_batches(int64_t n, int64_t batch) { return n / batch + (n % batch != 0); }

/** Rows of a step where no batch size was given: Keras' 32, or what makes that many steps of all
 * rows. */
static inline int64_t kt_batch_size(int64_t given, int64_t rows, int64_t steps) {
    if (given != KT_NONE) return given;
    return rows > 0 && steps > 0 ? kt_batches(rows, steps) : 32;
}

/** Of every `every` steps, the first tells callbacks that it begins and the last that it ended; as
 * in Keras the index it gives is that of a full group, also when the data end before. */
static inline bool kt_step_begins(int64_t step, int64_t every) { return step % every == 0; }
static inline bool kt_step_ends(int64_t step, int64_t every, bool is_last) {
    return is_last || (step + 1) % every == 0;
}

static inline int64_t kt_step_index(int64_t step, int64_t every) {
    return step - step % every + every - 1;
}

/** What a test runs over: a generator, or the rows of a feed in batches. */
typedef struct kt_test_data {
    const kt_generator *gen;
    kt_feed feed;
    int64_t batch;
    int64_t steps; ///< at most so many batches; KT_NONE: all
} kt_test_data;

/** Runs the test program; results stay in the metric variables. bar and cb may be NULL. */
kt_status kt_run_test(kt_model *m, const kt_test_data *d, kt_progbar *bar, kt_callback_list *cb);
/** Batches that it will run, -1 if unknown. */
int64_t kt_test_steps(const kt_test_data *d);

#endif
