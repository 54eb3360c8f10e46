/* Objects as JSON and back: what the files of this folder share.
 *
 * One rule serves all classes: the field table of an argument struct says what there is, the table
 * configs.def says in which order and form Keras writes it. Names resolve to built-in classes and
 * to those that the program registered, nothing else. */
#ifndef KT_SAVING_CONFIGS_H
#define KT_SAVING_CONFIGS_H

#include "base/arena.h"
#include "base/error.h"
#include "base/vec.h"
#include "io/json.h"
#include "model/model.h"

/* How Keras writes a class (configs.c) --------------------------------------------------------- */

typedef struct kt_config_form {
    const char *module, *class_name;
    bool builds;        ///< an entry of this class has a build_config
    const char *kwargs; ///< JSON: call arguments of a plain call
    const char *config; ///< JSON: keys and default values
} kt_config_form;
/** NULL if Keras has no such class; module NULL: any. */
const kt_config_form *kt_config_form_find(const char *module, const char *class_name);
/** The form of a layer class of that name here or in files; NULL if Keras has none. */
const kt_config_form *kt_layer_form(const char *class_name);
/** Does Keras export the class? Files have a registered name for those that it does not. */
bool kt_is_exported(const kt_config_form *form);
/** Keras' module of a kind of component ("keras.losses"), and back (KT_KIND_OTHER: none). */
const char *kt_kind_module(kt_kind kind);
kt_kind kt_module_kind(const char *module);
/** The kind that a field of this name holds: "kernel_initializer"; KT_KIND_OTHER: not known. */
kt_kind kt_key_kind(const char *key);
/** The registry of a kind; NULL for kinds without one. */
const kt_class *const *kt_kind_registry(kt_kind kind);
/** The field of that name; NULL if there is none. */
const kt_field *kt_field_of_key(const kt_field *fields, const char *key);
/** Where Keras takes a number or a list under one name, ours are two: "scale" and "scales". The
 * second, NULL if there is none. */
const kt_field *kt_field_of_list(const kt_field *fields, const char *key);
/** Likewise of a number or a text: "mask_value" and "mask_value_text". */
const kt_field *kt_field_of_text(const kt_field *fields, const char *key);
/** The name of a class in files, and the layer class of such a name (NULL: none). */
const char *kt_exported_name(const char *class_name);
/** The other way: of .h5 files. */
const char *kt_own_name(const char *exported_name);
const kt_layer_class *kt_exported_layer(const char *name);
/** Is this a layer that Keras calls with several tensors rather than with a list of them? */
bool kt_takes_separate(const kt_layer *l);
/** The name under which Keras passes the second input of a layer; NULL: it has none. */
const char *kt_second_input(const kt_layer *l);

/* Registered by the program (registered.c) ----------------------------------------------------- */

const kt_layer_class *kt_registered_layer(const char *registered_name);
/** Borrowed; NULL if there is none. */
const void *kt_registered_object(const char *registered_name);
/** The name under which an object was registered, NULL. */
const char *kt_registered_name_of(const void *object);

/** Why a value is NULL: the error just set, or no memory. */
static inline kt_status kt_json_failed(void) {
    const kt_status st = kt_error_last();
    return st ? st : KT_ENOMEM;
}

/* Objects to JSON (write.c) -------------------------------------------------------------------- */

/** New values, NULL (error set) when they cannot be made. */
kt_json *kt_write_config(const void *object); ///< get_config()
kt_json *kt_write_object(const void *object); ///< module, class_name, config, …
kt_json *kt_write_shape(const kt_shape *s);
kt_json *kt_write_tensor(const kt_tensor *t);
/** {"class_name": "__numpy__", "config": …}: what JSON has no form for. The configuration is taken
 * over in every case; st: how filling it ended. NULL: failed. */
kt_json *kt_write_marked(const char *class_name, kt_json *config, kt_status st);
/** A reference in a field of that kind: names become what they stand for. */
kt_json *kt_write_ref(kt_ref ref, kt_kind kind);
/** {"module": …, "class_name": …, "config": …, "registered_name": null}; takes over config. */
kt_json *kt_write_wrapped(
    const char *module, const char *class_name, kt_json *config, const char *registered_name);
/** One field of an argument struct, in the form of Keras' own value (NULL: none). */
kt_json *kt_write_field(const kt_field *f, const void *args, const char *key, const kt_json *form);
/** Entry of a layer in a model: with build_config (and compile_config for models). */
kt_json *kt_write_layer(kt_layer *l);

/* Unknown names (unknown.c) -------------------------------------------------------------------- */

/** KT_EUNSUPPORTED, with what was probably meant as a hint. */
kt_status kt_unknown_component(kt_kind kind, const char *name);
kt_status kt_unknown_class(kt_kind kind, const char *name);
kt_status kt_unknown_layer(const char *name);
kt_status kt_unknown_argument(const char *class_name, const kt_field *fields, const char *key);

/* Shapes of built layers (built.c) ----------------------------------------------------- */

/** Adds the build_config of an entry, where Keras has one. */
kt_status kt_put_build_config(kt_json *o, kt_layer *l, const kt_config_form *form);
/** Keeps the shapes of a build_config for writing it again. */
kt_status kt_read_built_for(kt_layer *l, const kt_json *config);

/* JSON to objects (read.c) --------------------------------------------------------------------- */

/** One reading: keeps what was made alive, so that a failure leaves nothing behind. */
typedef struct kt_reader {
    KT_VEC(void *) made; ///< adopted
    kt_arena *arena;     ///< argument structs, arrays
    bool compile;        ///< compile models as they say
    int depth;
} kt_reader;
kt_status kt_reader_begin(kt_reader *r);
/** Gives up everything but `result`, which floats again; returns it, or the failed object. */
void *kt_reader_end(kt_reader *r, void *result);
/** Keeps an object until the end; returns it. */
void *kt_reader_keep(kt_reader *r, void *object);

/** A component from a name or a description; failed objects say why not. NULL for null. */
void *kt_read_component(kt_reader *r, kt_kind kind, const kt_json *v);
/** A component of this class from its config; `skip` names keys that somebody else reads. */
void *kt_read_class(
    kt_reader *r, const kt_class *cls, const kt_json *config, const char *const *skip);
/** A layer or model. */
kt_layer *kt_read_layer(kt_reader *r, const kt_json *v);
/** Fills an argument struct from a config; `skip` names keys that somebody else reads. */
kt_status kt_read_fields(
    kt_reader *r,
    const char *class_name,
    const kt_field *fields,
    void *args,
    const kt_json *config,
    const char *const *skip);
/** Lists of plain values, which live as long as the reading; null is an empty one, a single number
 * one of length 1 (read_lists.c). */
kt_status kt_read_floats(kt_reader *r, kt_floats_t *out, const kt_json *v, const char *key);
kt_status kt_read_ints(kt_reader *r, kt_ints_t *out, const kt_json *v, const char *key);
kt_status kt_read_names(kt_reader *r, kt_names_t *out, const kt_json *v, const char *key);
/** [null, 28, 28]; KT_EFORMAT names `what`. */
kt_status kt_read_shape(kt_shape *out, const kt_json *v, const char *what);
/** "expected … , got …": KT_EFORMAT. */
kt_status kt_read_type_error(const char *what, const char *expected, const kt_json *got);
/** Numbers in nested lists as a float32 array. */
kt_tensor *kt_read_tensor(const kt_json *v, kt_dtype dtype);
/** KT_EFORMAT if the value of a key has another type; null and absence are fine. */
kt_status kt_read_optional(const kt_json *v, const char *key, kt_json_type type);
/** KT_EFORMAT if the value of a key is no shape, or list or dict of shapes. */
kt_status kt_read_built(const kt_json *v, const char *key);
/** {"class_name", "config"} of a description, checked. */
kt_status kt_read_head(const kt_json *v, const char **class_name, const kt_json **config);
/** dtype of a config: a string, a policy, an object; *out lives as long as v (NULL: none). */
kt_status kt_read_dtype(const kt_json *config, const char **out);
/** The config of a QuantizedDTypePolicy: the name of the policy; and back. */
kt_status kt_read_quantized(const kt_json *config, const char **out);
kt_json *kt_write_quantized(const kt_layer *l);
/** KT_EUNSUPPORTED for a quantized layer inside another one whose configuration cannot say so, such
 * as those of MultiHeadAttention. Keras writes files of these that it cannot read. */
kt_status kt_check_quantized(kt_model *m);

/* Models (model_write.c, model_read.c) --------------------------------------------------------- */

/** A new floating model; errors of constructors are KT_EFORMAT. */
kt_model *kt_model_of_json(const kt_json *v, bool compile);
kt_json *kt_write_model_config(kt_model *m);
kt_json *kt_write_compile_config(kt_model *m);
kt_model *kt_read_sequential(kt_reader *r, const kt_json *config);
kt_model *kt_read_functional(kt_reader *r, const kt_json *config);
/** Compiles as compile_config says (nothing for null and {}). */
kt_status kt_read_compile(kt_reader *r, kt_model *m, const kt_json *compile_config);

/* Operations (operations.c) -------------------------------------------------------------------- */

/** Entry of a recorded operation: module, class_name, config, registered_name, name. */
kt_json *kt_write_operation(kt_layer *l);
/** "args" and "kwargs" of its node; tensors[i] stand for its inputs. */
kt_json *kt_write_operation_args(const kt_layer *l, kt_json *const *tensors, int n);
kt_json *kt_write_operation_kwargs(const kt_layer *l, kt_json *const *tensors, int n);
bool kt_is_operation_module(const char *module);
/** Can an operation of this class of Keras be read here? */
bool kt_is_operation_class(const char *class_name);
/** One more call: args and kwargs with symbols looked up by `find`. */
typedef kt_sym *kt_find_sym(void *data, const kt_json *keras_tensor);
kt_sym *kt_read_operation(
    kt_reader *r, const kt_json *entry, const kt_json *node, kt_find_sym *find, void *data);
/** Is this {"class_name": "__keras_tensor__"}? */
bool kt_is_keras_tensor(const kt_json *v);

#endif
