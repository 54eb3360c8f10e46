/* Models: built from layers, compiled, trained, evaluated, asked. Keras: keras.Model,
 * keras.Sequential. */
#ifndef KERATIN_MODEL_H
#define KERATIN_MODEL_H

#include <keratin/layers/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A stack of layers, each with one input and one output. Keras: keras.Sequential.
 *
 * The first item may be kt_input(); without it the model is built when it first sees data.
 *
 *     kt_model *m = kt_sequential(kt_list(kt_input({784}), kt_dense(10)));
 */
typedef struct kt_sequential_args {
    size_t size;
    kt_ref layers; ///< kt_list of layers, NULL for none yet
    KT_LAYER_NAME_ARGS
} kt_sequential_args;
#define kt_sequential(...)                                                                         \
    KT_CALL(kt_sequential_new, kt_sequential_args, KT_LAYER_DEFAULTS, __VA_ARGS__)
KT_API kt_model *kt_sequential_new(const kt_sequential_args *args);
/** Adds a layer (or kt_input() as the first) at the end; takes the last one off. */
KT_API kt_status kt_sequential_add(kt_model *model, kt_ref layer);
KT_API kt_status kt_sequential_pop(kt_model *model);

/** A model from symbolic tensors: everything between inputs and outputs. Keras: keras.Model(inputs,
 * outputs).
 *
 *     kt_sym *x = kt_input({8});
 *     kt_model *m = kt_functional(x, kt_call(kt_dense(1), x));
 *
 * Inputs and outputs may be lists and dicts of tensors, lists and dicts in these too; files keep
 * the structure. Data and predictions are flat, a dict in the order of its keys; outputs in a dict
 * at the top are named after their keys (losses, metrics). An input that is the output of a layer
 * in another model is replaced by an input of its own. Errors: KT_EINVAL what is no symbolic
 * tensor, an output that needs an input which is not given; KT_ELIMIT too many tensors. */
typedef struct kt_functional_args {
    size_t size;
    kt_ref inputs, outputs; ///< a symbolic tensor, or kt_list or kt_dict of them, also nested
    KT_LAYER_NAME_ARGS
} kt_functional_args;
#define kt_functional(...)                                                                         \
    KT_CALL(kt_functional_new, kt_functional_args, KT_LAYER_DEFAULTS, __VA_ARGS__)
KT_API kt_model *kt_functional_new(const kt_functional_args *args);

/** Layers of a model in Keras' order (borrowed); one by name, NULL if there is none. */
KT_API int kt_model_n_layers(const kt_model *model);
KT_API kt_layer *kt_model_layer(const kt_model *model, int i);
KT_API kt_layer *kt_model_get_layer(const kt_model *model, const char *name);
/** The symbolic inputs and outputs (borrowed), NULL when out of range or not built. */
KT_API kt_sym *kt_model_input(const kt_model *model, int i);
KT_API kt_sym *kt_model_output(const kt_model *model, int i);
/** What arrays for them are called: the name of the input layer, and of the layer that makes the
 * output (two outputs may share one). NULL when out of range. Keras: input_names, output_names. */
KT_API const char *kt_model_input_name(const kt_model *model, int i);
KT_API const char *kt_model_output_name(const kt_model *model, int i);

/** Names and values of one epoch or evaluation: "loss", "accuracy", "val_loss" … */
typedef struct kt_logs kt_logs;

/** What the loss of an output counts for. Keras: loss_weights={"a": 1.0, "b": 0.2}.
 *
 *     kt_model_compile(
 *         m, "adam", "mse", .loss_weights_by_name = kt_loss_weights({"a", 1.0}, {"b", 0.2}));
 */
typedef struct kt_loss_weight {
    const char *output;
    double weight;
} kt_loss_weight;
#define kt_loss_weights(...) ((const kt_loss_weight[]){__VA_ARGS__, {NULL, 0}})

/** What training is to do. Keras: Model.compile.
 *
 *     kt_model_compile(m, "adam", "mse", .metrics = kt_list("mae"));
 */
typedef struct kt_compile_args {
    size_t size;
    kt_model *model;
    kt_ref optimizer;         ///< name or object, default "rmsprop"
    kt_ref loss;              ///< name, object, kt_list (one per output) or kt_dict by output name
    kt_floats_t loss_weights; ///< one per output, default 1 (or loss_weights_by_name below)
    kt_ref metrics; ///< name, metric or loss, kt_list; with several outputs a list of lists or a
                    ///< kt_dict by output name
    kt_ref weighted_metrics; ///< metrics that see sample and class weights
    bool run_eagerly;        ///< kept for files; steps are always compiled
    int steps_per_execution; ///< callbacks and the bar see every so many steps; default 1
    int jit_compile;         ///< KT_AUTO, 0 or 1: kept for files; steps are always compiled
    bool auto_scale_loss;    ///< default true: in a model of the dtype policy "mixed_float16" the
                             ///< optimizer comes into a kt_opt_loss_scale_optimizer
    const kt_loss_weight *loss_weights_by_name; ///< one for each output with a loss
} kt_compile_args;
#define KT_COMPILE_DEFAULTS                                                                        \
    .optimizer = "rmsprop", .steps_per_execution = 1, .jit_compile = KT_AUTO,                      \
    .auto_scale_loss = true,
#define kt_model_compile(...)                                                                      \
    KT_CALL(kt_model_compile_with, kt_compile_args, KT_COMPILE_DEFAULTS, __VA_ARGS__)
KT_API kt_status kt_model_compile_with(const kt_compile_args *args);
/** The optimizer the model was compiled with (borrowed); NULL before compile. Keras:
 * Model.optimizer
 *
 *     kt_opt_set_learning_rate(kt_model_optimizer(m), 1e-4);
 */
KT_API struct kt_component *kt_model_optimizer(const kt_model *model);
/** Loss and metrics as they stand (floating), as after the last batch. Keras:
 * Model.get_metrics_result */
KT_API kt_logs *kt_model_get_metrics_result(kt_model *model);
/** Starts loss and metrics anew. Keras: Model.reset_metrics */
KT_API kt_status kt_model_reset_metrics(kt_model *model);

/** One batch: tensors, or kt_lists of them as fit takes them. Floating tensors are freed after the
 * step. */
typedef struct kt_batch {
    kt_ref x, y, sample_weight;
} kt_batch;
/** Makes the next batch. x left NULL: the data have been gone through once; the next call starts
 * anew. */
typedef kt_status kt_generator_fn(kt_batch *batch, void *data);
typedef struct kt_generator kt_generator;
/** Batches made by a function, to be given to fit or evaluate as x (y stays NULL). Keras: a
 * generator or PyDataset as x, fit_generator of Keras 2. With `length` known the progress bar has
 * an end and the function need not say it.
 *
 *     kt_model_fit(m, kt_generator_new(next_batch, &state, .length = 100), .epochs = 3);
 */
typedef struct kt_generator_args {
    size_t size;
    kt_generator_fn *fn;
    void *data;     ///< given to fn
    int64_t length; ///< batches of one pass, default KT_NONE: unknown
} kt_generator_args;
#define KT_GENERATOR_DEFAULTS .length = KT_NONE,
#define kt_generator_new(...)                                                                      \
    KT_CALL(kt_generator_new_with, kt_generator_args, KT_GENERATOR_DEFAULTS, __VA_ARGS__)
KT_API kt_generator *kt_generator_new_with(const kt_generator_args *args);

typedef struct kt_history kt_history;

/** The weight of a class. Keras: a dict {0: 1.0, 1: 5.0}; missing classes weigh 1.
 *
 *     kt_model_fit(m, x, y, .class_weight = kt_class_weights({0, 1.0}, {1, 5.0}));
 */
typedef struct kt_class_weight {
    int label;
    double weight;
} kt_class_weight;
#define kt_class_weights(...) ((const kt_class_weight[]){__VA_ARGS__, {-1, 0}})

/** Trains. Keras: Model.fit.
 *
 * x and y are a tensor, or a kt_list for models with several inputs or outputs; they are borrowed.
 * Returns the history (floating), a failed object on error; the model stays usable.
 *
 *     kt_history *h = kt_model_fit(m, x, y, .batch_size = 128, .validation_split = 0.1);
 */
typedef struct kt_fit_args {
    size_t size;
    kt_model *model;
    kt_ref x, y;             ///< or a generator as x
    int64_t batch_size;      ///< default KT_NONE: 32, or all rows in steps_per_epoch steps
    int epochs;              ///< default 1: the index of the last epoch
    int verbose;             ///< KT_AUTO (1), 0 silent, 1 progress bar, 2 one line per epoch
    kt_ref callbacks;        ///< one or a kt_list
    double validation_split; ///< share of the data, from its end, kept for validation
    kt_ref validation_x, validation_y;   ///< validation_data of Keras
    bool shuffle;                        ///< default true
    const kt_class_weight *class_weight; ///< pairs, ended by label -1; NULL: none
    kt_ref sample_weight;
    int initial_epoch;
    int64_t steps_per_epoch;       ///< default KT_NONE: all of the data
    int64_t validation_steps;      ///< default KT_NONE
    int64_t validation_batch_size; ///< default KT_NONE: batch_size
    int validation_freq;           ///< default 1: every epoch
    kt_ref validation_sample_weight;
} kt_fit_args;
#define KT_FIT_DEFAULTS                                                                            \
    .batch_size = KT_NONE, .epochs = 1, .verbose = KT_AUTO, .shuffle = true,                       \
    .steps_per_epoch = KT_NONE, .validation_steps = KT_NONE, .validation_batch_size = KT_NONE,     \
    .validation_freq = 1,
#define kt_model_fit(...) KT_CALL(kt_model_fit_with, kt_fit_args, KT_FIT_DEFAULTS, __VA_ARGS__)
KT_API kt_history *kt_model_fit_with(const kt_fit_args *args);

/* kt_logs: names and values of one epoch or evaluation, "loss", "accuracy", "val_loss" … */
/** Number of entries; name i; value by name (NaN if there is none) and by index. */
KT_API int kt_logs_len(const kt_logs *logs);
KT_API const char *kt_logs_name(const kt_logs *logs, int i);
KT_API double kt_logs_value(const kt_logs *logs, int i);
KT_API double kt_logs_get(const kt_logs *logs, const char *name);
/** All values of a metric that has several, one per class or threshold (the functions above give
 * their mean); {NULL, 0} if there is no such name. Valid as long as the logs.
 *
 *     kt_floats_t f1 = kt_logs_values(kt_model_evaluate(m, x, y), "f1_score");
 */
KT_API kt_floats_t kt_logs_values(const kt_logs *logs, const char *name);

/** Number of epochs a history holds; the epoch's index; a value: kt_history_get(h, "val_loss", -1)
 * is the last one. NaN if there is none. */
KT_API int kt_history_len(const kt_history *h);
KT_API int kt_history_epoch(const kt_history *h, int i);
KT_API int kt_history_n_names(const kt_history *h);
KT_API const char *kt_history_name(const kt_history *h, int i);
KT_API double kt_history_get(const kt_history *h, const char *name, int i);
KT_API kt_floats_t kt_history_values(const kt_history *h, const char *name, int i);

/** Loss and metrics on data. Keras: Model.evaluate. The result (floating) is read with kt_logs_get.
 *
 *     double acc = kt_logs_get(kt_model_evaluate(m, x, y), "accuracy");
 */
typedef struct kt_evaluate_args {
    size_t size;
    kt_model *model;
    kt_ref x, y;
    int64_t batch_size; ///< default KT_NONE: 32, or all rows in `steps` steps
    int verbose;        ///< KT_AUTO (1)
    kt_ref sample_weight;
    int64_t steps; ///< default KT_NONE: all of the data
    kt_ref callbacks;
} kt_evaluate_args;
#define KT_EVALUATE_DEFAULTS .batch_size = KT_NONE, .verbose = KT_AUTO, .steps = KT_NONE,
#define kt_model_evaluate(...)                                                                     \
    KT_CALL(kt_model_evaluate_with, kt_evaluate_args, KT_EVALUATE_DEFAULTS, __VA_ARGS__)
KT_API kt_logs *kt_model_evaluate_with(const kt_evaluate_args *args);

/** Outputs for inputs: arrays, or a generator as x. Keras: Model.predict. One output: a new tensor
 * (floating). Several: a kt_list of tensors, see kt_model_predict_list.
 *
 *     kt_tensor *p = kt_model_predict(m, x);
 */
typedef struct kt_predict_args {
    size_t size;
    kt_model *model;
    kt_ref x;
    int64_t batch_size; ///< default KT_NONE: 32, or all rows in `steps` steps
    int verbose;        ///< KT_AUTO (1)
    int64_t steps;      ///< default KT_NONE
    kt_ref callbacks;
} kt_predict_args;
#define KT_PREDICT_DEFAULTS .batch_size = KT_NONE, .verbose = KT_AUTO, .steps = KT_NONE,
#define kt_model_predict(...)                                                                      \
    KT_CALL(kt_model_predict_with, kt_predict_args, KT_PREDICT_DEFAULTS, __VA_ARGS__)
KT_API kt_tensor *kt_model_predict_with(const kt_predict_args *args);
#define kt_model_predict_list(...)                                                                 \
    KT_CALL(kt_model_predict_list_with, kt_predict_args, KT_PREDICT_DEFAULTS, __VA_ARGS__)
KT_API kt_list_t *kt_model_predict_list_with(const kt_predict_args *args);

/** One step on one batch; the logs of that batch (floating). Keras: Model.train_on_batch,
 * test_on_batch. */
typedef struct kt_on_batch_args {
    size_t size;
    kt_model *model;
    kt_ref x, y;
    kt_ref sample_weight;
    const kt_class_weight *class_weight;
} kt_on_batch_args;
#define kt_model_train_on_batch(...)                                                               \
    KT_CALL(kt_model_train_on_batch_with, kt_on_batch_args, , __VA_ARGS__)
KT_API kt_logs *kt_model_train_on_batch_with(const kt_on_batch_args *args);
#define kt_model_test_on_batch(...)                                                                \
    KT_CALL(kt_model_test_on_batch_with, kt_on_batch_args, , __VA_ARGS__)
KT_API kt_logs *kt_model_test_on_batch_with(const kt_on_batch_args *args);
/** Outputs of one batch, without progress bar or batching. Keras: Model.predict_on_batch */
KT_API kt_tensor *kt_model_predict_on_batch(kt_model *model, kt_ref x);

/** The same into a tensor of the output's shape and dtype: the quickest call, nothing is allocated
 * once the model has seen this batch size.
 *
 *     kt_model_predict_into(m, x, y);
 */
KT_API kt_status kt_model_predict_into(kt_model *model, const kt_tensor *x, kt_tensor *y);

/** The table of layers. Keras: Model.summary, character for character. */
typedef struct kt_summary_args {
    size_t size;
    kt_model *model;
    int line_length;                                ///< default 0: the terminal's width
    kt_floats_t positions;                          ///< relative or absolute column ends
    void (*print_fn)(const char *text, void *data); ///< gets the table instead of stdout
    bool expand_nested, show_trainable;
    kt_names_t layer_range; ///< first and last layer name
    void *data;             ///< given to print_fn
} kt_summary_args;
#define kt_model_summary(...) KT_CALL(kt_model_summary_with, kt_summary_args, , __VA_ARGS__)
KT_API kt_status kt_model_summary_with(const kt_summary_args *args);

/** For callbacks: end the training after this batch or epoch. Keras: model.stop_training = True */
KT_API kt_status kt_model_stop_training(kt_model *model);

#ifdef __cplusplus
}
#endif
#endif
