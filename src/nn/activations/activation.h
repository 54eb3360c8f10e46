/* Activation functions: what layers need of them, and what the files of this folder share. A
 * function is a component whose class name is Keras' function name; its formula is made of
 * kt_op_*, so that the gradient comes from the ops. Which side of a kink the gradient belongs to
 * is written down where it matters: max(a, b) and min(a, b) give it to a when a equals b. */
#ifndef KT_NN_ACTIVATION_H
#define KT_NN_ACTIVATION_H

#include "nn/kinds.h"

#include <keratin/activations.h>

/** A name, an activation object or a layer; NULL and nothing else gives NULL, which means linear.
 */
kt_status kt_activation_get(kt_component **out, kt_ref ref);
/** f(x); x itself if a is NULL. Inside a trace. */
kt_sym *kt_activation_apply(const kt_component *a, kt_sym *x);

/* For the files of this folder. */

typedef struct kt_act_plain_args {
    size_t size;
} kt_act_plain_args;
extern const kt_act_plain_args kt_act_plain_defaults;
extern const kt_field kt_act_plain_fields[];

/** c x and x + c with a plain number. */
kt_sym *kt_act_scale(kt_sym *x, double c);
kt_sym *kt_act_shift(kt_sym *x, double c);
/** min(max(x, 0), 6) with slope 0 at both kinks: relu6, hard_sigmoid, hard_silu. */
kt_sym *kt_act_cut6(kt_sym *x);

/** The class of a function without arguments, and its constructor. alias: a further name, or NULL.
 */
#define KT_ACT_PLAIN(fn, alias, apply_)                                                            \
    const kt_activation_class kt_activation_class_##fn = {                                         \
        .base =                                                                                    \
            {.kind = KT_KIND_ACTIVATION,                                                           \
             .name = #fn,                                                                          \
             .aliases = {alias},                                                                   \
             .args_size = sizeof(kt_act_plain_args),                                               \
             .fields = kt_act_plain_fields,                                                        \
             .defaults = &kt_act_plain_defaults},                                                  \
        .apply = apply_};                                                                          \
    kt_activation_fn *kt_act_##fn(void) {                                                          \
        return kt_component_new(&kt_activation_class_##fn.base, &kt_act_plain_defaults);           \
    }

/** The same with arguments: fields_ and defaults_ are a table and an args struct of type args_. */
#define KT_ACT(fn, args_, fields_, defaults_, apply_)                                              \
    const kt_activation_class kt_activation_class_##fn = {                                         \
        .base =                                                                                    \
            {.kind = KT_KIND_ACTIVATION,                                                           \
             .name = #fn,                                                                          \
             .args_size = sizeof(args_),                                                           \
             .fields = fields_,                                                                    \
             .defaults = defaults_},                                                               \
        .apply = apply_};                                                                          \
    kt_activation_fn *kt_act_##fn##_new(const args_ *args) {                                       \
        return kt_component_new(&kt_activation_class_##fn.base, args);                             \
    }

#define KT_ACTIVATION(fn) extern const kt_activation_class kt_activation_class_##fn;
#include "nn/activations/activations.def"
#undef KT_ACTIVATION

#endif
