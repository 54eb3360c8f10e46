/* Logs of a batch or epoch, and the history of a training. */
#ifndef KT_MODEL_LOGS_H
#define KT_MODEL_LOGS_H

#include "base/obj.h"
#include "base/vec.h"

#include <keratin/model.h>

typedef struct kt_log_entry {
    char *name;
    double value;          ///< the mean where there are several
    KT_VEC(double) values; ///< of a metric with several results; empty: one
} kt_log_entry;

struct kt_logs {
    kt_obj obj;
    int n, sorted;                ///< entries; those that kt_logs_sort saw
    KT_VEC(kt_log_entry) entries; ///< those beyond n were there before kt_logs_clear
};

struct kt_history {
    kt_obj obj;
    KT_VEC(int) epochs;
    KT_VEC(kt_logs *) logs; ///< one per epoch, adopted
};

kt_logs *kt_logs_new(void);
/** Sets or adds an entry of one value, or of n. */
kt_status kt_logs_set(kt_logs *l, const char *name, double value);
kt_status kt_logs_set_values(kt_logs *l, const char *name, const float *values, int64_t n);
void kt_logs_clear(kt_logs *l);
/** By name, those of validation among the others: Keras' order of an epoch's values. */
void kt_logs_sort(kt_logs *l);
kt_history *kt_history_new(void);
kt_status kt_history_add(kt_history *h, int epoch, const kt_logs *logs);

#endif
