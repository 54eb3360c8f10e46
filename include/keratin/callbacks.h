/* Callbacks: code that runs between batches and epochs. Keras: keras.callbacks. */
#ifndef KERATIN_CALLBACKS_H
#define KERATIN_CALLBACKS_H

#include <keratin/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kt_component kt_callback;

/** A hook: negative results stop the call that invoked it and are returned by it. `index` is the
 * epoch or the batch, from 0; logs may be NULL. */
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
 * An improvement is a change by more than min_delta; with a baseline the patience starts anew only
 * at values better than it. With mode "auto" losses and errors are to fall, accuracies and scores
 * to rise; a value of which neither is known is an error of fit. A value that is not in the logs
 * gives a warning on stderr. Weights are restored when the training ends, also if it was not
 * stopped.
 *
 *     kt_cb_early_stopping("val_loss", .patience = 3, .restore_best_weights = true)
 */
typedef struct kt_cb_early_stopping_args {
    size_t size;
    const char *monitor;       ///< default "val_loss"
    double min_delta;          ///< default 0
    int patience;              ///< default 0
    int verbose;               ///< 1: say when it stops
    const char *mode;          ///< "auto" (default), "min", "max"
    double baseline;           ///< default KT_NONE_F
    bool restore_best_weights; ///< default false
    int start_from_epoch;      ///< default 0: epochs before it are not looked at
} kt_cb_early_stopping_args;
#define KT_CB_EARLY_STOPPING_DEFAULTS .monitor = "val_loss", .mode = "auto", .baseline = KT_NONE_F,
#define kt_cb_early_stopping(...)                                                                  \
    KT_CALL(                                                                                       \
        kt_cb_early_stopping_new,                                                                  \
        kt_cb_early_stopping_args,                                                                 \
        KT_CB_EARLY_STOPPING_DEFAULTS,                                                             \
        __VA_ARGS__)
KT_API kt_callback *kt_cb_early_stopping_new(const kt_cb_early_stopping_args *args);

/** Multiplies the learning rate with `factor` when a value has not improved for `patience` epochs,
 * and adds "learning_rate" to the logs. Keras: keras.callbacks.ReduceLROnPlateau.
 *
 * Errors: factor >= 1; an optimizer whose rate comes from a schedule (when it is to be reduced).
 *
 *     kt_cb_reduce_lr_on_plateau(.factor = 0.5, .patience = 2)
 */
typedef struct kt_cb_reduce_lr_on_plateau_args {
    size_t size;
    const char *monitor; ///< default "val_loss"
    double factor;       ///< default 0.1
    int patience;        ///< default 10
    int verbose;         ///< 1: say when it reduces
    const char *mode;    ///< "auto" (default), "min", "max"
    double min_delta;    ///< default 1e-4
    int cooldown;        ///< default 0: epochs to wait after a reduction
    double min_lr;       ///< default 0
} kt_cb_reduce_lr_on_plateau_args;
#define KT_CB_REDUCE_LR_ON_PLATEAU_DEFAULTS                                                        \
    .monitor = "val_loss", .factor = 0.1, .patience = 10, .mode = "auto", .min_delta = 1e-4,
#define kt_cb_reduce_lr_on_plateau(...)                                                            \
    KT_CALL(                                                                                       \
        kt_cb_reduce_lr_on_plateau_new,                                                            \
        kt_cb_reduce_lr_on_plateau_args,                                                           \
        KT_CB_REDUCE_LR_ON_PLATEAU_DEFAULTS,                                                       \
        __VA_ARGS__)
KT_API kt_callback *kt_cb_reduce_lr_on_plateau_new(const kt_cb_reduce_lr_on_plateau_args *args);

/** The learning rate of an epoch (from 0), given the rate so far. A negative result or NaN is an
 * error of fit. */
typedef double kt_lr_function(int epoch, double learning_rate, void *data);

/** Sets the learning rate before each epoch, and adds "learning_rate" to the logs.
 * Keras: keras.callbacks.LearningRateScheduler.
 *
 *     kt_cb_learning_rate_scheduler(halve_every_ten)
 */
typedef struct kt_cb_learning_rate_scheduler_args {
    size_t size;
    kt_lr_function *schedule;
    int verbose;           ///< 1: say what it sets
    void *data;            ///< given to the function
    kt_ref epoch_schedule; ///< in place of the function: a kt_sched_…, asked with the epoch
} kt_cb_learning_rate_scheduler_args;
#define kt_cb_learning_rate_scheduler(...)                                                         \
    KT_CALL(kt_cb_learning_rate_scheduler_new, kt_cb_learning_rate_scheduler_args, , __VA_ARGS__)
KT_API kt_callback *kt_cb_learning_rate_scheduler_new(
    const kt_cb_learning_rate_scheduler_args *args);

/** Stops when the loss of a batch is NaN or infinite. Keras: keras.callbacks.TerminateOnNaN.
 *
 * With raise_error fit fails with KT_ENAN; otherwise the training ends as after its last epoch.
 *
 *     kt_cb_terminate_on_nan()
 */
typedef struct kt_cb_terminate_on_nan_args {
    size_t size;
    bool raise_error; ///< default false
} kt_cb_terminate_on_nan_args;
#define kt_cb_terminate_on_nan(...)                                                                \
    KT_CALL(kt_cb_terminate_on_nan_new, kt_cb_terminate_on_nan_args, , __VA_ARGS__)
KT_API kt_callback *kt_cb_terminate_on_nan_new(const kt_cb_terminate_on_nan_args *args);

/** Saves the model, or its weights, after epochs or every so many batches.
 * Keras: keras.callbacks.ModelCheckpoint.
 *
 * The name may hold {epoch} (from 1), {batch} and values of the logs, with Python's formats:
 * "{epoch:02d}-{val_loss:.2f}.keras". Folders are made. With save_best_only only a better value of
 * `monitor` is saved. Errors: a name that ends in neither .keras nor .h5 (.weights.h5 for weights).
 *
 *     kt_cb_model_checkpoint("best.keras", .save_best_only = true)
 */
typedef struct kt_cb_model_checkpoint_args {
    size_t size;
    const char *filepath;
    const char *monitor;    ///< default "val_loss"
    int verbose;            ///< 1: say what is saved
    bool save_best_only;    ///< default false
    bool save_weights_only; ///< default false
    const char *mode;       ///< "auto" (default), "min", "max"
    int64_t save_freq;      ///< default KT_NONE ("epoch"): at each epoch's end; else batches
    double initial_value_threshold; ///< default KT_NONE_F; only what is better is saved
} kt_cb_model_checkpoint_args;
#define KT_CB_MODEL_CHECKPOINT_DEFAULTS                                                            \
    .monitor = "val_loss", .mode = "auto", .save_freq = KT_NONE,                                   \
    .initial_value_threshold = KT_NONE_F,
#define kt_cb_model_checkpoint(...)                                                                \
    KT_CALL(                                                                                       \
        kt_cb_model_checkpoint_new,                                                                \
        kt_cb_model_checkpoint_args,                                                               \
        KT_CB_MODEL_CHECKPOINT_DEFAULTS,                                                           \
        __VA_ARGS__)
KT_API kt_callback *kt_cb_model_checkpoint_new(const kt_cb_model_checkpoint_args *args);

/** Writes the logs of each epoch into a CSV file: epoch (from 0), then the names in order; "NA"
 * where an epoch has no value. Keras: keras.callbacks.CSVLogger.
 *
 *     kt_cb_csv_logger("training.csv", .append = true)
 */
typedef struct kt_cb_csv_logger_args {
    size_t size;
    const char *filename;
    const char *separator; ///< one character, default ","
    bool append;           ///< default false: an old file is overwritten
} kt_cb_csv_logger_args;
#define KT_CB_CSV_LOGGER_DEFAULTS .separator = ",",
#define kt_cb_csv_logger(...)                                                                      \
    KT_CALL(kt_cb_csv_logger_new, kt_cb_csv_logger_args, KT_CB_CSV_LOGGER_DEFAULTS, __VA_ARGS__)
KT_API kt_callback *kt_cb_csv_logger_new(const kt_cb_csv_logger_args *args);

/** Training that goes on where it was cut off: weights, the optimizer's state and the epoch are
 * kept in a folder, and read at the beginning of the next kt_model_fit() with the same arguments.
 * Keras: keras.callbacks.BackupAndRestore; the files are the same (latest.weights.h5,
 * training_metadata.json).
 *
 * They go when training ends; a fit that fails, is stopped by a signal or killed leaves them. A run
 * that goes on has the same results as one that was never stopped, where epochs are not cut in two
 * (save_freq). Errors of the fit: files that cannot be read or written, weights of another model.
 *
 *     kt_cb_backup_and_restore("backup", .double_checkpoint = true)
 */
typedef struct kt_cb_backup_and_restore_args {
    size_t size;
    const char *backup_dir;
    int64_t save_freq;      ///< default KT_NONE ("epoch"): at each epoch's end; else batches
    bool double_checkpoint; ///< default false; keep the state before, for when this one is damaged
    bool delete_checkpoint; ///< default true
} kt_cb_backup_and_restore_args;
#define KT_CB_BACKUP_AND_RESTORE_DEFAULTS .save_freq = KT_NONE, .delete_checkpoint = true,
#define kt_cb_backup_and_restore(...)                                                              \
    KT_CALL(                                                                                       \
        kt_cb_backup_and_restore_new,                                                              \
        kt_cb_backup_and_restore_args,                                                             \
        KT_CB_BACKUP_AND_RESTORE_DEFAULTS,                                                         \
        __VA_ARGS__)
KT_API kt_callback *kt_cb_backup_and_restore_new(const kt_cb_backup_and_restore_args *args);

#ifdef __cplusplus
}
#endif
#endif
