/* The callback interface as the loops see it: a component whose class has hooks. */
#ifndef KT_MODEL_CALLBACK_H
#define KT_MODEL_CALLBACK_H

#include "model/logs.h"
#include "nn/component.h"

typedef enum kt_hook_id {
    KT_ON_EPOCH_BEGIN,
    KT_ON_EPOCH_END,
    KT_ON_TRAIN_BEGIN,
    KT_ON_TRAIN_END,
    KT_ON_TRAIN_BATCH_BEGIN,
    KT_ON_TRAIN_BATCH_END,
    KT_ON_TEST_BEGIN,
    KT_ON_TEST_END,
    KT_ON_TEST_BATCH_BEGIN,
    KT_ON_TEST_BATCH_END,
    KT_ON_PREDICT_BEGIN,
    KT_ON_PREDICT_END,
    KT_ON_PREDICT_BATCH_BEGIN,
    KT_ON_PREDICT_BATCH_END,
    KT_HOOK_COUNT
} kt_hook_id;

/** What a fit() tells its callbacks; verbose and epochs as given. */
typedef struct kt_callback_params {
    int verbose, epochs;
    int64_t steps; ///< -1 if unknown
} kt_callback_params;

typedef struct kt_callback_class {
    kt_class base;
    /** A hook was reached. `logs` may be changed by epoch-end hooks (learning_rate …), and may be
     * NULL. */
    kt_status (*on)(kt_component *c, kt_hook_id hook, kt_model *m, int64_t index, kt_logs *logs);
    /** Does it do anything at this hook? Lets the loop skip logs nobody reads. NULL: at all. */
    bool (*wants)(const kt_component *c, kt_hook_id hook);
} kt_callback_class;

/** The classes that have a name, ended by NULL (callbacks/registry.c). */
extern const kt_class *const kt_callback_registry[];

/** A checked list of callbacks for one run. */
typedef struct kt_callback_list {
    int n;
    kt_component **v; ///< adopted
    bool wants[KT_HOOK_COUNT];
} kt_callback_list;
kt_status kt_callbacks_begin(kt_callback_list *list, kt_ref callbacks);
void kt_callbacks_end(kt_callback_list *list);
kt_status kt_callbacks_run(
    kt_callback_list *list, kt_hook_id hook, kt_model *m, int64_t index, kt_logs *logs);

#endif
