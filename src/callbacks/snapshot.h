/* A copy of all weights of a model, to go back to. */
#ifndef KT_CALLBACKS_SNAPSHOT_H
#define KT_CALLBACKS_SNAPSHOT_H

#include "model/model.h"

typedef struct kt_snapshot {
    char *data; ///< NULL: nothing kept
    size_t size;
} kt_snapshot;

/** Keeps the weights of now; memory is used again. */
kt_status kt_snapshot_take(kt_snapshot *s, kt_model *m);
/** Writes them back. KT_ESTATE if the model has other weights by now. */
kt_status kt_snapshot_restore(const kt_snapshot *s, kt_model *m);
void kt_snapshot_free(kt_snapshot *s);

#endif
