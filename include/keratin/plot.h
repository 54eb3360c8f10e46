/* Pictures of models, in the language of Graphviz. Keras: keras.utils.model_to_dot. */
#ifndef KERATIN_PLOT_H
#define KERATIN_PLOT_H

#include <keratin/saving.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The layers of a model and what is connected to what, as Graphviz' program dot reads it.
 * Keras: keras.utils.model_to_dot.  The model must be built.
 *
 *     puts(kt_text_str(kt_model_to_dot(m, .show_shapes = true)));
 */
typedef struct kt_model_to_dot_args {
    size_t size;
    kt_model *model;
    bool show_shapes, show_dtype; ///< default false
    bool show_layer_names;        ///< default true
    const char *rankdir;          ///< "TB" (default): top to bottom; "LR", "BT", "RL"
    bool expand_nested;           ///< default false; true: models inside models as clusters
    int dpi;                      ///< default 200
    bool show_layer_activations, show_trainable; ///< default false
    const char *splines;                         ///< how edges are drawn, default "ortho"
} kt_model_to_dot_args;
#define KT_MODEL_TO_DOT_DEFAULTS                                                                   \
    .show_layer_names = true, .rankdir = "TB", .dpi = 200, .splines = "ortho",
#define kt_model_to_dot(...)                                                                       \
    KT_CALL(kt_model_to_dot_with, kt_model_to_dot_args, KT_MODEL_TO_DOT_DEFAULTS, __VA_ARGS__)
KT_API kt_text *kt_model_to_dot_with(const kt_model_to_dot_args *args);

#ifdef __cplusplus
}
#endif
#endif
