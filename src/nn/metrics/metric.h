/* Metrics: what the training program needs of them, and what the metric files share.
 *
 * A metric collects in variables of its own: the program of a step assigns them, no code of the
 * loop touches them but kt_metric_reset(). They are made once, when the shapes of a batch are
 * known, and keep their order and Keras' names ("total", "count"). */
#ifndef KT_NN_METRIC_H
#define KT_NN_METRIC_H

#include "nn/losses/loss.h"

#include <keratin/metrics.h>

/** A name or an object; NULL gives NULL. Shapes are those of labels and output (batch axis first);
 * they decide what "accuracy", "acc", "crossentropy" and "ce" are. A metric from a name is called
 * as written. */
kt_status kt_metric_get(
    kt_component **out, kt_ref ref, const kt_shape *y_true, const kt_shape *y_pred);
/** In a trace: adds a batch to the variables. `weight` may be NULL. Means of functions also take
 * the mask that y_pred carries (y_pred->mask) as a weight, as Keras does; other metrics do not
 * look at it. */
kt_status kt_metric_update(kt_component *c, kt_sym *y_true, kt_sym *y_pred, kt_sym *weight);
/** In a trace: the value so far; some metrics give one for each threshold or class. */
kt_sym *kt_metric_result(kt_component *c);
/** Writes the first values (zeros) to the variables. */
void kt_metric_reset(kt_component *c);
int kt_metric_n_vars(const kt_component *c);
kt_var *kt_metric_var(const kt_component *c, int i);
/** The given or automatic name; the latter is chosen when first asked for. */
const char *kt_metric_name(kt_component *c);
/** 1: larger is better, -1: smaller is, 0: not known (own functions). For callbacks in mode
 * "auto". */
int kt_metric_direction(const kt_component *c);

/* For the metric files */

/** A class of metrics: what every component has, what metrics add, what means of a function add. */
typedef struct kt_metric_def {
    kt_metric_class base;
    int direction;  ///< 1: larger is better, -1: smaller is
    bool of_values; ///< Mean, Sum: takes one tensor, not labels and output
    /** kt_mean_update(): values per sample; the result's mask marks what does not count. */
    kt_sym *(*fn)(const kt_component *c, kt_sym *y_true, kt_sym *y_pred);
    const char *fixed_name;    ///< kt_mean_init(): default name; NULL: the class's in snake case
    const kt_loss_class *loss; ///< kt_mean_of_loss(): whose values
} kt_metric_def;
static inline const kt_metric_def *kt_metric_def_of(const kt_component *c) {
    return (const kt_metric_def *)c->cls;
}

#define KT_METRIC_MAX_VARS 5
/** Every state of a metric starts with this. */
typedef struct kt_metric_state {
    int n;
    kt_var *var[KT_METRIC_MAX_VARS]; ///< adopted
} kt_metric_state;
static inline kt_metric_state *kt_metric_vars(const kt_component *c) { return c->state; }

#define KT_METRIC_FIELDS(T) KT_F(T, name), KT_F(T, dtype), KT_F_END
extern const kt_field kt_metric_plain_fields[];
extern const kt_metric_args kt_metric_plain_defaults;

/** Checks dtype and sets the name: the argument, else `fixed`, else (NULL) automatic, later. */
kt_status kt_metric_init(kt_component *c, const char *fixed);
/** Gives the variables back; `destroy` of every metric, or called by it. */
void kt_metric_destroy(kt_component *c);
/** dtype of the variables; `fallback` where the argument is NULL (KT_NO_DTYPE: the policy's). */
kt_dtype kt_metric_dtype(const kt_component *c, kt_dtype fallback);
/** Adds a variable of zeros. */
kt_status kt_metric_add_var(kt_component *c, const char *name, kt_dtype dtype, kt_shape shape);
/** variable i += x */
kt_status kt_metric_add_to(kt_component *c, int i, kt_sym *x);
/** The value of variable i. */
kt_sym *kt_metric_value(const kt_component *c, int i);
/** Host numbers as a constant of that dtype. */
kt_sym *kt_sym_array(const double *v, kt_dtype dtype, kt_shape shape);
/** KT_ESHAPE unless y_true and y_pred have one shape of two axes. */
kt_status kt_metric_need_2d(const kt_component *c, const kt_shape *y_true, const kt_shape *y_pred);

#endif
