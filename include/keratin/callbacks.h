/* Callbacks: code that runs between batches and epochs. Keras: keras.callbacks. */
#ifndef KERATIN_CALLBACKS_H
#define KERATIN_CALLBACKS_H

#include <keratin/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kt_component kt_callback;

/** A hook: negative results stop the call that invoked it and are returned by it. `index` is the epoch or
 * the batch; logs may be NULL. */
typedef kt_status kt_hook(kt_model *model, int64_t index, const kt_logs *logs, void *data);

/** Hooks of your own. Keras: keras.callbacks.LambdaCallback, and subclasses of Callback.
 *
 *     kt_cb_lambda(.on_epoch_end = stop_at_99)
 */
typedef struct kt_cb_lambda_args {
    size_t size;
    kt_hook *on_epoch_begin, *on_epoch_end, *on_train_begin, *on_train_end;
    kt_hook *on_train_batch_begin, *on_train_batch_end;
    kt_hook *on_test_begin, *on_test_end, *on_test_batch_begin, *on_test_batch_end;
    kt_hook *on_predict_begin, *on_predict_end, *on_predict_batch_begin, *on_predict_batch_end;
    void *data; ///< given to every hook
} kt_cb_lambda_args;
#define kt_cb_lambda(...) KT_CALL(kt_cb_lambda_new, kt_cb_lambda_args, , __VA_ARGS__)
KT_API kt_callback *kt_cb_lambda_new(const kt_cb_lambda_args *args);

/** Stops when a value has not improved for `patience` epochs. Keras: keras.callbacks.EarlyStopping.
 *
 *     kt_cb_early_stopping("val_loss", .patience = 3, .restore_best_weights = true)
 */
typedef struct kt_cb_early_stopping_args {
    size_t size;
    const char *monitor; ///< default "val_loss"
    double min_delta;
    int patience;
    int verbose;
    const char *mode;    ///< "auto" (default), "min", "max"
    double baseline;     ///< default KT_NONE_F
    bool restore_best_weights;
    int start_from_epoch;
} kt_cb_early_stopping_args;
#define KT_CB_EARLY_STOPPING_DEFAULTS .monitor = "val_loss", .mode = "auto", .baseline = KT_NONE_F,
#define kt_cb_early_stopping(...)                                                                   \
    KT_CALL(                                                                                        \
        kt_cb_early_stopping_new,                                                                   \
        kt_cb_early_stopping_args,                                                                  \
        KT_CB_EARLY_STOPPING_DEFAULTS,                                                              \
        __VA_ARGS__)
KT_API kt_callback *kt_cb_early_stopping_new(const kt_cb_early_stopping_args *args);

#ifdef __cplusplus
}
#endif
#endif
