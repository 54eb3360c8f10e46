/* A callback made of functions.  keras.callbacks.LambdaCallback */
#include "model/callback.h"

#include <keratin/callbacks.h>

static kt_hook *lambda_hook(const kt_component *c, kt_hook_id hook) {
    const kt_cb_lambda_args *a = kt_args_of(c);
    kt_hook *const hooks[KT_HOOK_COUNT] = {
        [KT_ON_EPOCH_BEGIN] = a->on_epoch_begin,
        [KT_ON_EPOCH_END] = a->on_epoch_end,
        [KT_ON_TRAIN_BEGIN] = a->on_train_begin,
        [KT_ON_TRAIN_END] = a->on_train_end,
        [KT_ON_TRAIN_BATCH_BEGIN] = a->on_train_batch_begin,
        [KT_ON_TRAIN_BATCH_END] = a->on_train_batch_end,
        [KT_ON_TEST_BEGIN] = a->on_test_begin,
        [KT_ON_TEST_END] = a->on_test_end,
        [KT_ON_TEST_BATCH_BEGIN] = a->on_test_batch_begin,
        [KT_ON_TEST_BATCH_END] = a->on_test_batch_end,
        [KT_ON_PREDICT_BEGIN] = a->on_predict_begin,
        [KT_ON_PREDICT_END] = a->on_predict_end,
        [KT_ON_PREDICT_BATCH_BEGIN] = a->on_predict_batch_begin,
        [KT_ON_PREDICT_BATCH_END] = a->on_predict_batch_end,
    };
    return hooks[hook];
}

static bool lambda_wants(const kt_component *c, kt_hook_id hook) {
    return lambda_hook(c, hook) != NULL;
}

static kt_status lambda_on(
    kt_component *c, kt_hook_id hook, kt_model *m, int64_t index, kt_logs *logs) {
    const kt_cb_lambda_args *a = kt_args_of(c);
    return lambda_hook(c, hook)(m, index, logs, a->data);
}

static const kt_field lambda_fields[] = {KT_F_END}; /* functions have no place in a config */

static const kt_callback_class lambda_class = {
    .base =
        {
            .kind = KT_KIND_CALLBACK,
            .name = "LambdaCallback",
            .args_size = sizeof(kt_cb_lambda_args),
            .fields = lambda_fields,
        },
    .on = lambda_on,
    .wants = lambda_wants,
};

kt_callback *kt_cb_lambda_new(const kt_cb_lambda_args *a) {
    return kt_component_new(&lambda_class.base, a);
}
