/* Optimizers: what the training program needs of them. Formulas live in one file each (see rule.h);
 * this is the common part: learning rate, iterations, slots over flat memory, weight decay,
 * clipping, moving averages, accumulation, constraints. */
#ifndef KT_NN_OPTIMIZER_H
#define KT_NN_OPTIMIZER_H

#include "nn/tracer.h"

#include <keratin/optimizers.h>

kt_status kt_optimizer_get(kt_component **out, kt_ref ref);
/** Makes slots for these variables (moving them into flat extents first). Building again for the
 * same variables, or some of them, keeps the state; with a new one among them it starts anew. */
kt_status kt_optimizer_build(kt_component *opt, int n, kt_var *const *vars);
/** Inside a trace, as the last thing in it: adds the update of every variable, the new slots and
 * the iteration count. A gradient that is NULL leaves its variable alone. */
kt_status kt_optimizer_apply(kt_component *opt, int n, kt_var *const *vars, kt_val *const *grads);
/** Inside a trace: the loss that gradients are to be taken of; normally the loss itself. */
kt_sym *kt_optimizer_scale_loss(const kt_component *opt, kt_sym *loss);
/** The optimizer inside a LossScaleOptimizer; NULL for others. */
kt_component *kt_optimizer_inner(const kt_component *opt);
/** At the end of fit: the averages of use_ema become the weights. */
void kt_optimizer_finalize(kt_component *opt);
/** iteration, learning_rate, then the slots as Keras lists them: for summary and files. */
int kt_optimizer_n_vars(const kt_component *opt);
kt_var *kt_optimizer_var(const kt_component *opt, int i);
/** What it has before it is built, in Keras' order: iteration, learning_rate (none with a
 * schedule), then those of the optimizer inside. `out` has room for 4. */
kt_status kt_optimizer_own_vars(kt_component *opt, kt_var **out, int *n);
/** The variables it was built for, in that order, and the average of one (NULL without use_ema). */
int kt_optimizer_n_weights(const kt_component *opt);
kt_var *kt_optimizer_weight(const kt_component *opt, int i);
kt_var *kt_optimizer_average(const kt_component *opt, int i);
/** The learning rate variable (callbacks set it); NULL when there is a schedule. */
kt_var *kt_optimizer_lr(const kt_component *opt);

#endif
