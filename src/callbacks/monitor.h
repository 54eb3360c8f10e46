/* What callbacks that watch a value have in common: which direction is better, and how much better
 * counts. Keras: MonitorCallback. */
#ifndef KT_CALLBACKS_MONITOR_H
#define KT_CALLBACKS_MONITOR_H

#include "model/callback.h"

typedef struct kt_monitor {
    const char *name, *mode; ///< the callback's arguments, borrowed
    double min_delta;
    int sign;      ///< 1: greater is better; -1: less is; 0: not known before the first epoch ends
    bool has_best; ///< since kt_monitor_reset
    bool warned;
    double best;
} kt_monitor;

/** Checks the mode. */
kt_status kt_monitor_init(kt_monitor *m, const char *name, const char *mode, double min_delta);
/** A new training begins: no best value yet. */
void kt_monitor_reset(kt_monitor *m);
/** With mode "auto" asks the model which direction is better; KT_EINVAL if it does not know. */
kt_status kt_monitor_resolve(kt_monitor *m, const char *class_name, const kt_model *model);
/** The value, if the logs have one. Otherwise warns, once per training: `what`, the name, and which
 * names there are. */
bool kt_monitor_value(kt_monitor *m, const char *what, const kt_logs *logs, double *value);
/** Is a value better than that one, by more than min_delta? Compared in float32, as Keras does. */
bool kt_monitor_is_better(const kt_monitor *m, double value, double than);
/** The same against the best so far, which the first value becomes in any case; keeps a better
 * one. */
bool kt_monitor_improves(kt_monitor *m, double value);

#endif
