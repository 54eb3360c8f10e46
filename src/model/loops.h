/* Loops that other loops use. */
#ifndef KT_MODEL_LOOPS_H
#define KT_MODEL_LOOPS_H

#include "model/callback.h"
#include "model/feed.h"
#include "model/progbar.h"

/** Runs the test program over a feed; results stay in the metric variables. bar and callbacks may be NULL. */
kt_status kt_run_test(
    kt_model *m, const kt_feed *f, int64_t batch, int64_t steps, kt_progbar *bar, kt_callback_list *cb);

#endif
