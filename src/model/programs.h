/* The programs of a model: made on demand for the shapes at hand, kept by shapes. */
#ifndef KT_MODEL_PROGRAMS_H
#define KT_MODEL_PROGRAMS_H

#include "model/compile.h"

/** Shapes of one batch: model inputs, then targets, then sample weights (present where
 * has_weight). */
typedef struct kt_batch_specs {
    int n_x, n_y;
    kt_spec x[KT_MAX_TENSORS], y[KT_MAX_TENSORS], w[KT_MAX_TENSORS];
    bool has_weight[KT_MAX_TENSORS];
    int64_t
        sparse_cap[KT_MAX_TENSORS]; ///< x comes as a sparse matrix of so many places; 0: as it is
} kt_batch_specs;

/** A program and a context of it, for one run. */
typedef struct kt_lease {
    kt_program *program;
    kt_cpu_run *run;
} kt_lease;

/** Leases the program of that kind for these shapes, made if it is not there. Its inputs: x
 * (values, offsets and columns of a sparse one), y,
 * then the weights that are there; outputs of KT_PREDICT: the model's. Safe to call from several
 * threads. */
kt_status kt_lease_begin(
    kt_lease *l, kt_model *m, kt_program_kind kind, const kt_batch_specs *specs);
void kt_lease_end(kt_lease *l);
/** Reads loss and metrics from their variables, names in alphabetical order as in Keras' logs. */
kt_status kt_model_results(kt_model *m, const char *prefix, kt_logs *logs);

#endif
