/* The programs of a model: made on demand for the shapes at hand, kept by shapes. */
#ifndef KT_MODEL_PROGRAMS_H
#define KT_MODEL_PROGRAMS_H

#include "model/compile.h"

/** Shapes of one batch: model inputs, then targets, then sample weights (present where has_weight). */
typedef struct kt_batch_specs {
    int n_x, n_y;
    kt_spec x[KT_MAX_TENSORS], y[KT_MAX_TENSORS], w[KT_MAX_TENSORS];
    bool has_weight[KT_MAX_TENSORS];
} kt_batch_specs;

/** The program of that kind for these shapes; owned by the model. Inputs of the program: x, y, then the
 * weights that are there. Outputs of KT_PREDICT: the model's; of KT_RESULTS: see kt_model_results. */
kt_status
kt_model_program(kt_model *m, kt_program_kind kind, const kt_batch_specs *specs, kt_program **out);
/** Reads loss and metrics from their variables, names in alphabetical order as in Keras' logs. */
kt_status kt_model_results(kt_model *m, const char *prefix, kt_logs *logs);

#endif
