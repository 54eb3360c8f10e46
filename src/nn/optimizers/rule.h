/* What an update rule is, and what the common part keeps for it. A rule file fills a
 * kt_optimizer_class (nn/kinds.h) with its arguments, its slots and `step`; everything else happens
 * in optimizer.c (arguments), layout.c (memory) and apply.c (the nodes of a training step). */
#ifndef KT_NN_OPTIMIZERS_RULE_H
#define KT_NN_OPTIMIZERS_RULE_H

#include "base/error.h"
#include "nn/optimizers/optimizer.h"

#define KT_OPT_SLOTS 8  /* of a rule, with average and accumulator */
#define KT_OPT_SHARED 4 /* values that all pieces share */

/** One array like the weights that a rule keeps. */
typedef struct kt_opt_slot {
    const char *name; ///< "momentum"; "": named like the weight
    double initial;
    int group; ///< Keras lists group after group; those of one group variable by variable
    bool copy; ///< starts as the weights
} kt_opt_slot;

/** One piece of memory being updated: all arrays have one shape (flat [n] over many variables, or
 * one variable's own shape where the rule or an option needs that). `step` fills the new_ ones. */
typedef struct kt_opt_step {
    kt_var *var;                   ///< the variable, when the piece is one in its own shape
    kt_sym *p, *g;                 ///< weights and their gradient
    kt_sym *slot[KT_OPT_SLOTS];    ///< what is kept, in the order of the class's slots
    kt_sym *lr, *t;                ///< learning rate; step number from 1, in the weights' dtype
    kt_sym *shared[KT_OPT_SHARED]; ///< what the class's `share` made
    kt_sym *scalar;                ///< the class's scalar (its next value, once `share` has run)
    kt_sym *new_p, *new_slot[KT_OPT_SLOTS], *new_scalar;
} kt_opt_step;

/** Arguments that all have, wherever they stand in the struct of a class. */
typedef struct kt_opt_common {
    double learning_rate;
    KT_OPT_ARGS
} kt_opt_common;

/** Their fields, in the order of Keras' config; a class adds its own after them. */
#define KT_OPT_FIELDS(T)                                                                           \
    KT_F(T, name), KT_F(T, learning_rate), KT_F(T, weight_decay), KT_F(T, clipnorm),               \
        KT_F(T, global_clipnorm), KT_F(T, clipvalue), KT_F(T, use_ema), KT_F(T, ema_momentum),     \
        KT_F(T, ema_overwrite_frequency), KT_F(T, loss_scale_factor),                              \
        KT_F(T, gradient_accumulation_steps), KT_F(T, schedule)

/** One variable and what is kept for it. */
typedef struct kt_opt_entry {
    kt_var *var;           ///< adopted
    const kt_store *store; ///< where it was when the layout was made
    int64_t offset;
    int rank;     ///< place in Keras' order
    int segment;  ///< entries of one segment lie side by side, and so do their slots
    double decay; ///< weight decay, 0: none
    kt_var *slot[KT_OPT_SLOTS];
} kt_opt_entry;

typedef struct kt_opt_layout {
    int n, n_slots;           ///< slots of the rule come first
    int average, accumulator; ///< index of these slots, -1: none
    kt_opt_slot slots[KT_OPT_SLOTS];
    kt_opt_entry *entry; ///< by memory
    int *by_rank;
    kt_var *scalar;
    KT_VEC(kt_var *) listed; ///< as Keras lists them
} kt_opt_layout;

/** State of every optimizer. */
typedef struct kt_opt_state {
    kt_opt_common a; ///< strings and objects are those of the arguments
    kt_component *schedule;
    kt_var *iteration, *lr;  ///< batches so far; NULL with a schedule
    KT_VEC(char *) excluded; ///< patterns of exclude_from_weight_decay
    kt_opt_layout layout;
    /* LossScaleOptimizer only */
    kt_component *inner;                  ///< what updates; the arguments hold it
    kt_var *step_counter, *dynamic_scale; ///< good steps since the scale changed
    int64_t growth_steps;
    const char *scope; ///< of the one inside, while it is built: the name of the one around it
} kt_opt_state;

/** The kt_class part of a class: X_fields and X_defaults describe kt_opt_X_args. */
#define KT_OPT_BASE(class_name, x, init_function)                                                  \
    {                                                                                              \
        .kind = KT_KIND_OPTIMIZER, .name = class_name, .args_size = sizeof(kt_opt_##x##_args),     \
        .state_size = sizeof(kt_opt_state), .fields = x##_fields, .defaults = &x##_defaults,       \
        .init = init_function, .destroy = kt_opt_destroy,                                          \
    }
/** Every class has these two; one with checks of its own calls kt_opt_init first. */
kt_status kt_opt_init(kt_component *c);
/** The same where the common arguments are not in the struct of the class. */
kt_status kt_opt_init_with(kt_component *c, const kt_opt_common *common);
/** A variable of the optimizer. */
kt_status kt_opt_scalar(kt_var **out, const char *name, kt_dtype dtype, double value);
void kt_opt_destroy(kt_component *c);
/** KT_EINVAL unless low <= value <= high; `name` is the argument's. */
kt_status kt_opt_in_range(const char *name, double value, double low, double high);
/** Is this a regular expression? Is it found in the text? */
kt_status kt_opt_pattern_check(const char *name, const char *pattern);
bool kt_opt_pattern_found(const char *pattern, const char *text);

kt_status kt_opt_layout_make(kt_component *opt, int n, kt_var *const *vars, kt_opt_layout *out);
void kt_opt_layout_free(kt_opt_layout *l);
/** Gives a variable of the optimizer itself its path: "adam/iteration". */
kt_status kt_opt_name_scalar(kt_component *opt, kt_var *v);

#endif
