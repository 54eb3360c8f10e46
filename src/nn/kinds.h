/* The kinds of components and what each adds to kt_class. All functions work on symbolic tensors
 * through kt_op_*, the same door that users have. */
#ifndef KT_NN_KINDS_H
#define KT_NN_KINDS_H

#include "nn/component.h"
#include "runtime/var.h"
#include "tensor/tensor.h"

#include <keratin/runtime.h>
#include <keratin/sys/layer.h>

/** y = f(x). `name` of the class is Keras' function name ("relu"). */
typedef struct kt_activation_class {
    kt_class base;
    kt_sym *(*apply)(const kt_component *c, kt_sym *x);
} kt_activation_class;

/** Fills the array of a new weight. `key` seeds it: use kt_rng_* of base/rng.h. */
typedef struct kt_initializer_class {
    kt_class base;
    kt_status (*fill)(const kt_component *c, uint64_t key, const kt_spec *spec, void *data);
} kt_initializer_class;

/** A scalar penalty of a weight (or, as activity regularizer, of an output). */
typedef struct kt_regularizer_class {
    kt_class base;
    kt_sym *(*penalty)(const kt_component *c, kt_sym *w);
} kt_regularizer_class;

/** The weight, brought back to what is allowed; applied after each update. */
typedef struct kt_constraint_class {
    kt_class base;
    kt_sym *(*project)(const kt_component *c, kt_sym *w);
} kt_constraint_class;

/** One value per sample and position: shape of y_true/y_pred without the last axis, as Keras' loss
 * functions return. Reduction, masks and weights are added by nn/losses/loss.c. */
typedef struct kt_loss_class {
    kt_class base;
    kt_sym *(*call)(const kt_component *c, kt_sym *y_true, kt_sym *y_pred);
} kt_loss_class;

/** State variables are made in `build` (first update); update assigns them, result reads them. */
typedef struct kt_metric_class {
    kt_class base;
    kt_status (*build)(kt_component *c, const kt_shape *y_true, const kt_shape *y_pred);
    kt_status (*update)(kt_component *c, kt_sym *y_true, kt_sym *y_pred, kt_sym *weight);
    kt_sym *(*result)(kt_component *c);
} kt_metric_class;

/** An update rule over pieces of memory; see nn/optimizers/rule.h. Only `step` is needed. */
struct kt_opt_step;
struct kt_opt_slot;
typedef struct kt_optimizer_class {
    kt_class base;
    bool per_variable; ///< wants each variable in its own shape, never many as one array
    /** What is kept per weight with these arguments: fills `out`, returns how many. */
    int (*slots)(const kt_component *c, struct kt_opt_slot *out);
    /** Another shape or dtype for slot i of a variable (per_variable only); false: it has none. */
    bool (*slot_spec)(const kt_component *c, int i, kt_var *v, kt_spec *spec);
    /** Weight decay of a variable in place of the common argument; KT_NONE_F: none. */
    double (*weight_decay)(const kt_component *c, kt_var *v);
    const char *scalar; ///< a number kept for all weights together (s->scalar); NULL: none
    double scalar_initial;
    /** Numbers that all pieces of a dtype share, into s->shared (and s->new_scalar); NULL: none. */
    kt_status (*share)(const kt_component *c, struct kt_opt_step *s);
    kt_status (*step)(const kt_component *c, struct kt_opt_step *s);
} kt_optimizer_class;

/** Learning rate as a function of the step (a float scalar). */
typedef struct kt_schedule_class {
    kt_class base;
    kt_sym *(*call)(const kt_component *c, kt_sym *step);
} kt_schedule_class;

const kt_class *const *kt_activation_registry(void);
const kt_class *const *kt_initializer_registry(void);
const kt_class *const *kt_regularizer_registry(void);
const kt_class *const *kt_constraint_registry(void);
const kt_class *const *kt_loss_registry(void);
const kt_class *const *kt_metric_registry(void);
const kt_class *const *kt_optimizer_registry(void);
const kt_class *const *kt_schedule_registry(void);

#endif
