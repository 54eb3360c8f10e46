/* Files and configurations, in and out. Keras: keras.saving, Model.save, load_model, to_json …
 *
 * Files come from strangers: nothing of a file is ever run, names in it resolve to built-in and
 * registered classes only, nothing is unpacked to disk, and a load that fails leaves nothing
 * behind. Saves are atomic: the old file stays whole until the new one is on the disk.
 *
 * Errors of everything that reads: KT_EFORMAT (malformed), KT_EREFUSED (Lambda, code, links, unsafe
 * names), KT_ELIMIT, KT_EUNSUPPORTED (a class or feature that does not exist here; the message
 * names layer and class), KT_ENOTFOUND, KT_EPERM, KT_EIO, KT_ENOMEM. */
#ifndef KERATIN_SAVING_H
#define KERATIN_SAVING_H

#include <keratin/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Text that a function made: an object like the others (floating; kt_free). A failed text reads as
 * "". */
typedef struct kt_text kt_text;
/** The text itself, ended by 0, and its length; borrowed. */
KT_API const char *kt_text_str(const kt_text *text);
KT_API size_t kt_text_len(const kt_text *text);

/** Writes bytes as every save here is written: beside the name, flushed to the disk, renamed.
 * Whoever reads the name meanwhile, or after a crash, finds the old file or the new one. A device
 * or pipe is written to as it is. Errors: KT_EIO, KT_EPERM, KT_ENOTFOUND, KT_EREFUSED (a folder).
 *
 *     kt_text *json = kt_model_to_json(m);
 *     kt_save_bytes("arch.json", kt_text_str(json), kt_text_len(json));
 */
KT_API kt_status kt_save_bytes(const char *path, const void *data, size_t size);

/* Whole models --------------------------------------------------------------------------------- */

/** Writes architecture, weights, compile configuration and optimizer state. Keras: Model.save.
 *
 * The extension says the format: ".keras", or ".h5" and ".hdf5" (the legacy format of Keras).
 * ".weights.h5" is for kt_model_save_weights. An existing file with overwrite false is KT_ESTATE.
 *
 *     kt_model_save(m, "model.keras");
 */
typedef struct kt_save_args {
    size_t size;
    kt_model *model;
    const char *path;
    bool overwrite;         ///< default true
    bool include_optimizer; ///< default true: the optimizer's state
    const char *format;     ///< default NULL: by extension; "keras", "h5"
} kt_save_args;
#define KT_SAVE_DEFAULTS .overwrite = true, .include_optimizer = true,
#define kt_model_save(...) KT_CALL(kt_model_save_with, kt_save_args, KT_SAVE_DEFAULTS, __VA_ARGS__)
KT_API kt_status kt_model_save_with(const kt_save_args *args);

/** Reads such a file (by its bytes, not by its name); .h5 files of Keras 1 to 3 too; a .json file
 * is an architecture without weights. The result is floating. Keras: keras.saving.load_model.
 *
 * With safe_mode false nothing more is allowed: code in files is never run.
 *
 *     kt_model *trained = kt_load_model("model.keras");
 */
typedef struct kt_load_args {
    size_t size;
    const char *path;
    bool compile;   ///< default true: compile as the file says, with the optimizer's state
    bool safe_mode; ///< default true
} kt_load_args;
#define KT_LOAD_DEFAULTS .compile = true, .safe_mode = true,
#define kt_load_model(...) KT_CALL(kt_load_model_with, kt_load_args, KT_LOAD_DEFAULTS, __VA_ARGS__)
KT_API kt_model *kt_load_model_with(const kt_load_args *args);

/** Was the model compiled (by kt_model_compile, or by the file it came from)? */
KT_API bool kt_model_is_compiled(const kt_model *model);

/* Weights -------------------------------------------------------------------------------------- */

/** Writes the weights alone; the name must end in ".weights.h5" (or, beyond Keras, be a legacy
 * ".h5" without it). With max_shard_size it must end in ".weights.json": that file says which of
 * m_00000.weights.h5 … beside it holds what. Keras: Model.save_weights.
 *
 *     kt_model_save_weights(m, "model.weights.h5");
 */
typedef struct kt_save_weights_args {
    size_t size;
    kt_model *model;
    const char *path;
    bool overwrite;         ///< default true
    double max_shard_size;  ///< GiB of weights in one file; default KT_NONE_F: one file
    kt_ref objects_to_skip; ///< layers or the optimizer that stay out: one, or a kt_list
} kt_save_weights_args;
#define KT_SAVE_WEIGHTS_DEFAULTS .overwrite = true, .max_shard_size = KT_NONE_F,
#define kt_model_save_weights(...)                                                                 \
    KT_CALL(kt_model_save_weights_with, kt_save_weights_args, KT_SAVE_WEIGHTS_DEFAULTS, __VA_ARGS__)
KT_API kt_status kt_model_save_weights_with(const kt_save_weights_args *args);

/** Reads weights from .weights.h5, .weights.json (shards), .keras, .h5 or .npz into a model that is
 * built. Everything is checked before the first weight changes. Keras: Model.load_weights.
 *
 * The state of an optimizer that has begun to train is read too where the file has it, as in Keras.
 * by_name (legacy .h5 only) matches layers by their names instead of their order; skip_mismatch
 * leaves weights alone whose shape differs, and by name also layers with another number of them.
 *
 *     kt_model_load_weights(m, "model.weights.h5");
 */
typedef struct kt_load_weights_args {
    size_t size;
    kt_model *model;
    const char *path;
    bool by_name;       ///< default false
    bool skip_mismatch; ///< default false
    kt_ref
        objects_to_skip; ///< .weights.h5 and .weights.json only: layers (with all inside them) or
                         ///< the optimizer that stay as they are: one, or a kt_list
} kt_load_weights_args;
#define kt_model_load_weights(...)                                                                 \
    KT_CALL(kt_model_load_weights_with, kt_load_weights_args, , __VA_ARGS__)
KT_API kt_status kt_model_load_weights_with(const kt_load_weights_args *args);

/* Configurations ------------------------------------------------------------------------------- */

/** The architecture as JSON, as Keras writes it. Keras: Model.to_json.
 *
 *     puts(kt_text_str(kt_model_to_json(m, .indent = 2)));
 */
typedef struct kt_to_json_args {
    size_t size;
    kt_model *model;
    int64_t indent; ///< default KT_NONE: one line
} kt_to_json_args;
#define KT_TO_JSON_DEFAULTS .indent = KT_NONE,
#define kt_model_to_json(...)                                                                      \
    KT_CALL(kt_model_to_json_with, kt_to_json_args, KT_TO_JSON_DEFAULTS, __VA_ARGS__)
KT_API kt_text *kt_model_to_json_with(const kt_to_json_args *args);
/** The model such text describes: new weights, compiled if the text says how (Keras 3 texts of
 * compiled models do). Keras: keras.models.model_from_json. */
KT_API kt_model *kt_model_from_json(const char *text);
/** A model of the same layers, with weights of its own; not compiled. Keras:
 * keras.models.clone_model. */
KT_API kt_model *kt_clone_model(const kt_model *model);

/** The arguments of a layer, model, optimizer, loss … as JSON: {"units": 3, …}. Keras:
 * get_config(). */
KT_API kt_text *kt_get_config(kt_ref object);
/** The whole description: {"module": …, "class_name": …, "config": …, "registered_name": …}.
 * Keras: keras.saving.serialize_keras_object. */
KT_API kt_text *kt_serialize(kt_ref object);
/** A new floating object of a class, from get_config()'s JSON; keys that are missing have their
 * defaults. Where kinds share class names, say which: "losses.MeanSquaredError". Keras:
 * Class.from_config.
 *
 *     kt_layer *l = kt_from_config("Dense", "{\"units\": 3}");
 */
KT_API void *kt_from_config(const char *class_name, const char *config);
/** A new floating object from text, of a kind: "layer" (models too), "activation", "initializer",
 * "regularizer", "constraint", "loss", "metric", "optimizer", "schedule", "callback". The text is
 * - Keras' JSON: {"class_name": "Adam", "config": {"learning_rate": 0.01}};
 * - a name: adam, mse;
 * - a name with arguments, values in JSON or plain words: adam:learning_rate=0.01,clipnorm=1;
 * - for losses and metrics: a JSON list or dict of those, which becomes a kt_list or kt_dict.
 * Keras: keras.optimizers.get and its sisters.
 *
 *     kt_optimizer *o = kt_deserialize("optimizer", "sgd:learning_rate=0.1,momentum=0.9");
 */
KT_API void *kt_deserialize(const char *kind, const char *text);

/** Makes an object known under a name that files may use ("my_package>my_loss", or the plain name
 * of a function): kt_loss_custom(fn), kt_act_custom(fn), … The library keeps it until
 * kt_clear_session(). Names of built-in classes are refused. Layers: kt_register_layer() of
 * sys/layer.h. Keras: keras.saving.register_keras_serializable. */
KT_API kt_status kt_register_object(const char *name, kt_ref object);

/* Looking into files --------------------------------------------------------------------------- */

/** What a file holds, without building it: .keras, .h5, .weights.h5, .weights.json, .npz, .npy,
 * .json. An object (floating; kt_free closes the file). Strings are borrowed from it. */
typedef struct kt_file kt_file;
/** Opens a file by its bytes. Everything but the weights' values is read and checked here.
 *
 *     kt_file *f = kt_file_open("model.keras");
 *     for (int i = 0; i < kt_file_n_vars(f); i++) puts(kt_file_var_path(f, i));
 */
KT_API kt_file *kt_file_open(const char *path);
/** "keras", "h5" (legacy whole model), "weights.h5" (Keras 3), "legacy weights" (.h5),
 * "weights.json" (shards), "npz", "npy", "json". */
KT_API const char *kt_file_format(const kt_file *file);
/** "3.15.1"; "2025-01-31@13:05:59"; "tensorflow": "" where the file does not say. */
KT_API const char *kt_file_keras_version(const kt_file *file);
KT_API const char *kt_file_date_saved(const kt_file *file);
KT_API const char *kt_file_backend(const kt_file *file);
/** The architecture as the file has it (JSON), and what was given to compile; NULL: none. */
KT_API const char *kt_file_config(const kt_file *file);
KT_API const char *kt_file_compile_config(const kt_file *file);
/** Class ("Functional") and name of the model; "" if there is none. */
KT_API const char *kt_file_model_class(const kt_file *file);
KT_API const char *kt_file_model_name(const kt_file *file);
/** Layers of the model in the order of the file: name and class. Weights-only files list the
 * groups that hold weights, with class "". */
KT_API int kt_file_n_layers(const kt_file *file);
KT_API const char *kt_file_layer_name(const kt_file *file, int i);
KT_API const char *kt_file_layer_class(const kt_file *file, int i);
/** Variables: path inside the file ("layers/dense/vars/0", "optimizer/vars/1"), name of the layer
 * or group it belongs to ("" if unknown), shape, dtype, and the values as a new tensor. */
KT_API int kt_file_n_vars(const kt_file *file);
KT_API const char *kt_file_var_path(const kt_file *file, int i);
KT_API const char *kt_file_var_layer(const kt_file *file, int i);
KT_API kt_shape kt_file_var_shape(const kt_file *file, int i);
KT_API kt_dtype kt_file_var_dtype(const kt_file *file, int i);
KT_API kt_tensor *kt_file_var_read(kt_file *file, int i);
/** Is it the optimizer's? Index of the variable of that path; -1 if there is none. */
KT_API bool kt_file_var_is_optimizer(const kt_file *file, int i);
KT_API int kt_file_find_var(const kt_file *file, const char *path);

/** Opens a file as the loader does, builds what can be built, reads everything, and throws it away:
 * KT_OK, or what is wrong with it. `strict` also refuses weights that are NaN or infinite. */
typedef struct kt_file_check_args {
    size_t size;
    const char *path;
    bool strict; ///< default false
} kt_file_check_args;
#define kt_file_check(...) KT_CALL(kt_file_check_with, kt_file_check_args, , __VA_ARGS__)
KT_API kt_status kt_file_check_with(const kt_file_check_args *args);

#ifdef __cplusplus
}
#endif
#endif
