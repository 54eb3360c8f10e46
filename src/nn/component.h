/* Everything that Keras lets you give by name or as an object and that is not a layer: activations,
 * initializers, regularizers, constraints, losses, metrics, optimizers, schedules, callbacks.
 *
 * One struct serves them all: a class, a copy of the arguments, a state. Each kind extends kt_class
 * with its own functions (nn/kinds.h) and keeps a registry, one .def line per class. */
#ifndef KT_NN_COMPONENT_H
#define KT_NN_COMPONENT_H

#include "base/error.h"
#include "base/field.h"
#include "base/obj.h"

typedef struct kt_component kt_component;

typedef struct kt_class {
    kt_kind kind;
    const char *name;       ///< "GlorotUniform"; its snake case is a name too
    const char *aliases[4]; ///< further names: "mse", "MSE"
    size_t args_size, state_size;
    const kt_field *fields;
    const void *defaults; ///< args struct with the defaults: what the bare name means …
    bool needs_arguments; ///< … unless the bare name means nothing
    kt_status (*init)(kt_component *c);
    void (*destroy)(kt_component *c);
} kt_class;

struct kt_component {
    kt_obj obj;
    const kt_class *cls;
    void *args, *state;
    char *name; ///< given or automatic name, NULL for kinds without names
};

/** KT_EINVAL if a number among the arguments is NaN (but for `value`, which is data). */
kt_status kt_numbers_check(const void *args, const kt_field *fields);
/** A new floating component; arguments are copied, then `init` runs. */
void *kt_component_new(const kt_class *cls, const void *args);
/** Turns a name or an object into a component of that kind: *out is a new floating one for a name,
 * the same object otherwise, NULL for None. `what` names the argument in errors ("optimizer"). */
kt_status kt_component_get(
    kt_component **out,
    kt_ref ref,
    kt_kind kind,
    const kt_class *const *registry,
    const char *what);
/** Is this a good value of the argument "kernel_initializer", "activation" …? What such an argument
 * takes follows from the end of its name; of other arguments nothing is known. Makes nothing. */
kt_status kt_component_check(const char *argument, kt_ref ref);
/** Does this name mean that class? Case matters as in Keras, except for optimizers. */
bool kt_class_has_name(const kt_class *cls, const char *name);

static inline const void *kt_args_of(const kt_component *c) { return c->args; }
static inline void *kt_state_of(const kt_component *c) { return c->state; }

#endif
