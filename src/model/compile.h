/* What compile() decided: optimizer, losses, metrics, and the variables that collect results. */
#ifndef KT_MODEL_COMPILE_H
#define KT_MODEL_COMPILE_H

#include "model/logs.h"
#include "model/model.h"

/** A metric of one output. Names such as "accuracy" are resolved when the first batch shows its
 * shapes. */
typedef struct kt_metric_entry {
    int output;
    kt_ref ref; ///< name or object, borrowed from the args below
    bool weighted;
    kt_component *metric; ///< adopted; NULL until resolved
    char *name;           ///< in the logs
} kt_metric_entry;

typedef struct kt_mean_vars {
    kt_var *total, *count; ///< adopted
    char *name;
} kt_mean_vars;

typedef struct kt_compiled {
    kt_compile_args args;    ///< references adopted
    kt_component *optimizer; ///< adopted
    bool scales_loss;        ///< it is a LossScaleOptimizer around the one that was given
    int n_out;
    kt_component **loss; ///< per output, adopted; NULL: none
    double *loss_weight;
    int n_named;           ///< weights that came by name
    kt_loss_weight *named; ///< as they came, for files; names owned
    kt_mean_vars total_loss;
    kt_mean_vars *out_loss; ///< per output, for models with several losses; no name: none
    KT_VEC(kt_metric_entry) metrics;
    bool resolved; ///< metrics are components with variables
} kt_compiled;

void kt_compiled_free(kt_compiled *c);
/** Metrics by shapes, with their variables. */
kt_status kt_compiled_resolve(
    kt_model *m, int n_out, const kt_shape *y_true, const kt_shape *y_pred);
/** Sets every collecting variable back. */
void kt_compiled_reset(kt_compiled *c);

#endif
