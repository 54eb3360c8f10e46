/* Logs of a batch or epoch, and the history of a training. */
#ifndef KT_MODEL_LOGS_H
#define KT_MODEL_LOGS_H

#include "base/obj.h"
#include "base/vec.h"

#include <keratin/model.h>

struct kt_logs {
    kt_obj obj;
    int n, cap;
    int n_names; ///< names kept from before kt_logs_clear, for those that come again
    char **names;
    double *values;
};

struct kt_history {
    kt_obj obj;
    KT_VEC(int) epochs;
    KT_VEC(kt_logs *) logs; ///< one per epoch, adopted
};

kt_logs *kt_logs_new(void);
/** Sets or adds an entry. */
kt_status kt_logs_set(kt_logs *l, const char *name, double value);
void kt_logs_clear(kt_logs *l);
kt_history *kt_history_new(void);
kt_status kt_history_add(kt_history *h, int epoch, const kt_logs *logs);

#endif
