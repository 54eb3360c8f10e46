/* Keras' progress bar, character for character (keras.utils.Progbar as ProgbarLogger drives it).
 * Text goes through base/log.h. */
#ifndef KT_MODEL_PROGBAR_H
#define KT_MODEL_PROGBAR_H

#include <keratin/model.h>

typedef struct kt_progbar {
    int64_t target, seen; ///< target -1: unknown
    int verbose;
    double start, last_update, time_after_first_step;
    int total_width; ///< visible characters of the last drawing
    bool ascii;      ///< '=' for the bar: the locale has no U+2501
} kt_progbar;

/** `Epoch 1/5` goes out here when epochs > 1; `epoch` counts from 1. */
void kt_progbar_begin(kt_progbar *p, int64_t target, int verbose, int epoch, int epochs);
/** Is it time to draw? Cheap; asked after every step, so that logs are read only when they are
 * shown. `current` is the number of steps done. */
bool kt_progbar_due(const kt_progbar *p, int64_t current);
/** Draws if it is due or the last time (finalize). logs may be NULL. Does not allocate. */
void kt_progbar_update(kt_progbar *p, int64_t current, const kt_logs *logs, bool finalize);
/** The target became known (a generator ended). */
void kt_progbar_set_target(kt_progbar *p, int64_t target);
/** For tests: another clock, in seconds; NULL is the real one again. */
void kt_progbar_set_clock(double (*now)(void));

#endif
