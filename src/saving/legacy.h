/* Files of Keras 1 and 2, and the .h5 files of Keras 3: what they say, in the words of Keras 3.
 *
 * Configurations are translated as JSON, so that one reader serves all generations; weights are
 * found by the names and in the order in which Keras 1 to 3 wrote them, and converted where an old
 * version or backend laid them out differently. */
#ifndef KT_SAVING_LEGACY_H
#define KT_SAVING_LEGACY_H

#include "io/hdf5.h"
#include "io/json.h"
#include "nn/layer.h"

/** Who wrote a file. */
typedef struct kt_legacy_origin {
    int major, minor; ///< of Keras; 1, 0 where the file does not say (Keras 1 did not)
    char backend[16]; ///< "tensorflow", "theano", "cntk", …; "" where the file does not say
} kt_legacy_origin;
/** From "2.2.4-tf" and "tensorflow"; NULL for what the file does not say. */
kt_legacy_origin kt_legacy_origin_of(const char *keras_version, const char *backend);
/** From the attributes keras_version and backend of the first of these groups that has them. */
kt_status kt_legacy_origin_read(
    kt_legacy_origin *out, const kt_hdf5_node *root, const kt_hdf5_node *weights);

/** A model's configuration in the form of Keras 3: {"class_name": …, "config": …}; new. A file of
 * Keras 3 gives the same with modules added. KT_EUNSUPPORTED names layer and class. */
kt_status kt_legacy_model(kt_json **out, const kt_json *model, const kt_legacy_origin *from);
/** `training_config` as the compile_config of Keras 3; new. */
kt_status kt_legacy_compile(kt_json **out, const kt_json *training, const kt_legacy_origin *from);

typedef struct kt_legacy_weights_options {
    kt_legacy_origin from;
    bool by_name;       ///< layers by their names; those of one side only are left alone
    bool skip_mismatch; ///< weights of other shapes, by name other numbers of them are left alone
    bool whole_model;   ///< the file describes this model: names first, then order
} kt_legacy_weights_options;
/** Weights of a model (built) from the group that has `layer_names`. All shapes are checked before
 * the first weight changes. KT_ESHAPE where they do not fit. */
kt_status kt_legacy_read_weights(
    kt_layer *m, const kt_hdf5_node *group, const kt_legacy_weights_options *o);
/** Weights of a file into a built model: in the order of layers, or by their names. */
kt_status kt_legacy_load_weights(kt_model *m, const kt_hdf5 *h, bool by_name, bool skip_mismatch);
/** State of an optimizer (built for the model's variables) from the group `optimizer_weights`.
 * *complete is false if it does not fit: nothing was read then. *unbuilt: the file has only what an
 * optimizer of Keras 3 has before its first step. */
kt_status kt_legacy_read_state(
    kt_component *opt,
    const kt_hdf5_node *group,
    const kt_legacy_origin *from,
    bool *complete,
    bool *unbuilt);

/** Is this a whole model in the old form; does it hold weights in that form? (Files of Keras 3's
 * save_weights are neither.) */
bool kt_legacy_is_model(const kt_hdf5 *h);
bool kt_legacy_is_weights(const kt_hdf5 *h);
/** The group that has `layer_names`: /model_weights, or the root of a file of weights alone. */
const kt_hdf5_node *kt_legacy_weights_group(const kt_hdf5 *h);
/** What is wrong with JSON text that cannot be parsed: KT_EREFUSED if a Lambda's code is in it. */
kt_status kt_legacy_see_code(const char *text, kt_status st);
/** A model from a description that Keras 1 or 2 wrote as JSON or into a .keras file; floating. */
kt_model *kt_legacy_model_of_json(const kt_json *v, const kt_legacy_origin *from, bool compile);
/** A whole model, floating; compiled as the file says, with the optimizer's state. `path` is for
 * messages. */
kt_model *kt_legacy_load_model(const kt_hdf5 *h, const char *path, bool compile);

/** Writes a whole model in the old form, as Keras 3 does; KT_ESTATE if it is not built. */
kt_status kt_legacy_save(kt_model *m, const char *path, bool include_optimizer);
/** Its weights alone in the old form. */
kt_status kt_legacy_save_weights(kt_model *m, const char *path);

/* Between legacy_model.c, legacy_layers.c and legacy_compile.c --------------------------------- */

/** The description of a layer (not a model), without its nodes; new. */
kt_status kt_legacy_layer(kt_json **out, const kt_json *entry, const kt_legacy_origin *from);
/** A layer or a model: what wrappers hold. */
kt_status kt_legacy_any(kt_json **out, const kt_json *entry, const kt_legacy_origin *from);
/** Is it a function of TensorFlow (legacy_ops.c)? Its description with its nodes, as Keras 3's
 * operation; new. */
bool kt_legacy_is_op(const kt_json *entry);
kt_status kt_legacy_op(kt_json **out, const kt_json *entry);
/** A value with [layer, node, tensor] in it, at any depth, in the form of Keras 3; new. */
kt_status kt_legacy_value(kt_json **out, const kt_json *v);
/** {"module": …, "class_name": …, "config": config, "registered_name": null}; takes over config. */
kt_status kt_legacy_wrap(
    kt_json **out, const char *module, const char *class_name, kt_json *config);
/** A copy of a dict, its values shared. */
kt_status kt_legacy_copy(kt_json **out, const kt_json *dict);
/** Puts a value that belongs to somebody else. */
kt_status kt_legacy_put(kt_json *dict, const char *key, const kt_json *value);
/** Name of a class without its package: "Adam" of "Custom>Adam". */
const char *kt_legacy_plain_class(const char *class_name);

#endif
