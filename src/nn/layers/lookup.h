/* What files keep of a lookup layer beside its configuration. */
#ifndef KT_NN_LAYERS_LOOKUP_H
#define KT_NN_LAYERS_LOOKUP_H

#include "base/str.h"
#include "nn/layer.h"

/** Where a layer has its weights of "tf_idf". */
typedef struct kt_lookup_weights {
    bool wanted;
    int64_t *n;
    float **v;
} kt_lookup_weights;

/** What a class of such layers does for the functions below. */
typedef struct kt_lookup_files {
    const kt_layer_class *cls;
    bool (*has_asset)(const kt_layer *l);
    kt_status (*put_asset)(const kt_layer *l, kt_str *text);
    kt_status (*take_asset)(kt_layer *l, const char *text, size_t size);
    kt_lookup_weights (*weights)(kt_layer *l);
} kt_lookup_files;
extern const kt_lookup_files kt_integer_lookup_files, kt_string_lookup_files,
    kt_text_vectorization_files;

/** Is the vocabulary a file of its own, assets/…/vocabulary.txt? That of a layer that was given it
 * as an argument stands in the configuration. False for other layers. */
bool kt_lookup_has_asset(const kt_layer *l);
/** Keras' TextVectorization has a StringLookup inside, which writes and reads the same once more,
 * below this name; NULL for other layers. */
const char *kt_lookup_inside(const kt_layer *l);
/** The vocabulary with what stands before it, one token on each line. */
kt_status kt_lookup_put_asset(const kt_layer *l, kt_str *text);
kt_status kt_lookup_take_asset(kt_layer *l, const char *text, size_t size);
/** The weights of "tf_idf" with those of what stands before the vocabulary; NULL: there are none.
 * Reading takes them before the vocabulary. */
const float *kt_lookup_weights_of(const kt_layer *l, int64_t *n);
bool kt_lookup_wants_weights(const kt_layer *l);
kt_status kt_lookup_take_weights(kt_layer *l, const kt_tensor *weights);

#endif
