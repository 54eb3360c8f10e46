/* Layers that prepare features, whole numbers above all: see layers.h. Keras' layers of this kind
 * for texts (StringLookup, TextVectorization) are not there: there are no arrays of strings.
 *
 * Many have an output_mode:
 *
 *   "int"        the index itself; the shape stays
 *   "one_hot"    a vector with a 1 at the index, in place of a last axis of length 1, else behind
 *                the others
 *   "multi_hot"  (batch, samples) -> (batch, n): 1 where an index appears among the samples
 *   "count"      the same with how often it does
 *
 * Where there are more than two axes, the samples of "multi_hot" and "count" lie along axis 1. */
#ifndef KERATIN_LAYERS_PREPROCESSING_H
#define KERATIN_LAYERS_PREPROCESSING_H

#include <keratin/layers/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Whole numbers 0 … num_tokens-1 as one-hot, multi-hot or counting vectors.
 *
 * Keras: keras.layers.CategoryEncoding.  Shape: as output_mode says. A number outside counts
 * nowhere. With "count" a second input (Keras: the argument count_weights) of the same shape has
 * weights that are added up in place of ones: kt_call(layer, kt_list(x, weights)).
 * Errors: num_tokens missing or below 1; an unknown output_mode; weights with another mode or
 * shape; sparse (KT_EUNSUPPORTED).
 *
 *     kt_category_encoding(10, .output_mode = "one_hot")
 */
typedef struct kt_category_encoding_args {
    size_t size;
    int num_tokens;          ///< > 0
    const char *output_mode; ///< default "multi_hot"; "one_hot", "count"
    bool sparse;             ///< not supported
    KT_LAYER_ARGS
} kt_category_encoding_args;
#define KT_CATEGORY_ENCODING_DEFAULTS .output_mode = "multi_hot", KT_LAYER_DEFAULTS
#define kt_category_encoding(...)                                                                  \
    KT_CALL(                                                                                       \
        kt_category_encoding_new,                                                                  \
        kt_category_encoding_args,                                                                 \
        KT_CATEGORY_ENCODING_DEFAULTS,                                                             \
        __VA_ARGS__)
KT_API kt_layer *kt_category_encoding_new(const kt_category_encoding_args *args);

/** Whole numbers to one of num_bins bins, by a hash that is the same everywhere: FarmHash64 of the
 * decimal text, or with a salt SipHash-2-4.
 *
 * Keras: keras.layers.Hashing.  Shape: as output_mode says; dtype int64 for "int", else floatx.
 * Integers count with all their 64 bits, floats lose their fractions.
 * Errors: num_bins below 1; an unknown output_mode; another dtype than int32 and int64 with "int";
 * more than two numbers as salt; inputs of dtype bool; sparse (KT_EUNSUPPORTED).
 *
 *     kt_hashing(1000, .mask_value = 0)
 */
typedef struct kt_hashing_args {
    size_t size;
    int num_bins;            ///< > 0; the bin of mask_value is one of them
    int64_t mask_value;      ///< default KT_NONE; goes to bin 0, which nothing else does
    kt_ints_t salt;          ///< default none; kt_ints(133) or kt_ints(133, 137)
    const char *output_mode; ///< default "int"; "one_hot", "multi_hot", "count"
    bool sparse;             ///< not supported
    KT_LAYER_ARGS
} kt_hashing_args;
#define KT_HASHING_DEFAULTS .mask_value = KT_NONE, .output_mode = "int", KT_LAYER_DEFAULTS
#define kt_hashing(...) KT_CALL(kt_hashing_new, kt_hashing_args, KT_HASHING_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_hashing_new(const kt_hashing_args *args);

/** Crosses two or more features: hash(their numbers together) modulo num_bins.
 *
 * Keras: keras.layers.HashedCrossing.  Shape: inputs (batch) or (batch, 1), all the same; the
 * output has it too, or (batch, num_bins) for "one_hot". dtype int64 for "int", else floatx.
 * Errors: num_bins below 1; an unknown output_mode; other shapes; inputs that are not integers;
 * sparse (KT_EUNSUPPORTED).
 *
 *     kt_hashed_crossing(5)
 */
typedef struct kt_hashed_crossing_args {
    size_t size;
    int num_bins;            ///< > 0
    const char *output_mode; ///< default "int"; "one_hot"
    bool sparse;             ///< not supported
    KT_LAYER_ARGS
} kt_hashed_crossing_args;
#define KT_HASHED_CROSSING_DEFAULTS .output_mode = "int", KT_LAYER_DEFAULTS
#define kt_hashed_crossing(...)                                                                    \
    KT_CALL(                                                                                       \
        kt_hashed_crossing_new, kt_hashed_crossing_args, KT_HASHED_CROSSING_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_hashed_crossing_new(const kt_hashed_crossing_args *args);

/** Numbers to the bin in which they lie: how many boundaries are not larger.
 *
 * Keras: keras.layers.Discretization.  Shape: as output_mode says; dtype int32 for "int", else the
 * layer's. bin_boundaries (0, 1) make the bins (-inf, 0), [0, 1), [1, inf). Without them
 * kt_discretization_adapt() finds num_bins - 1 boundaries that share the data out evenly; until
 * then nothing can be computed. Both together are what files have of a layer that has adapted: then
 * the boundaries count.
 * Errors: neither of them; boundaries that are not in ascending order; num_bins below 0; epsilon
 * not above 0; an unknown output_mode; sparse (KT_EUNSUPPORTED).
 *
 *     kt_discretization(.bin_boundaries = kt_floats(0, 1, 2))
 */
typedef struct kt_discretization_args {
    size_t size;
    kt_floats_t bin_boundaries; ///< rounded to float32
    int64_t num_bins;           ///< default KT_NONE; how many adapting shall find
    double epsilon;             ///< default 0.01: how exact, as a share of the data
    const char *output_mode;    ///< default "int"; "one_hot", "multi_hot", "count"
    bool sparse;                ///< not supported
    KT_LAYER_ARGS
} kt_discretization_args;
#define KT_DISCRETIZATION_DEFAULTS                                                                 \
    .num_bins = KT_NONE, .epsilon = 0.01, .output_mode = "int", KT_LAYER_DEFAULTS
#define kt_discretization(...)                                                                     \
    KT_CALL(kt_discretization_new, kt_discretization_args, KT_DISCRETIZATION_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_discretization_new(const kt_discretization_args *args);

/** Finds bin boundaries: estimated quantiles of all numbers in the data, which are forgotten
 * afterwards. Keras: Discretization.adapt.
 *
 * `data` is an array or a kt_list() of arrays, batches that are summarized one after the other.
 * Errors: another layer; a layer without num_bins; empty data.
 *
 *     kt_layer *l = kt_discretization(.num_bins = 4);
 *     kt_discretization_adapt(l, x);
 */
KT_API kt_status kt_discretization_adapt(kt_layer *layer, kt_ref data);

/** Whole numbers (tokens) to their place in a vocabulary, or back.
 *
 * Keras: keras.layers.IntegerLookup.  Shape: as output_mode says ("tf_idf" is "count" times a
 * weight for each token); dtype int64 for "int", else floatx. Indices begin with the mask_token
 * (with "int"), then num_oov_indices for tokens out of the vocabulary, then the vocabulary. In
 * other modes the mask_token counts nowhere. The vocabulary is given, set, read from a file or
 * found by kt_integer_lookup_adapt(); before that nothing can be computed.
 * Errors: max_tokens below 2; num_oov_indices below 0; an unknown output_mode or oov_method; salt
 * without oov_method "farmhash"; pad_to_max_tokens without max_tokens; invert with another mode
 * than "int" or without oov_token; idf_weights without "tf_idf", or of another length than the
 * vocabulary; a vocabulary with a token twice, the mask_token inside, or more than max_tokens;
 * sparse (KT_EUNSUPPORTED). When it runs: a token out of the vocabulary with num_oov_indices 0.
 *
 *     kt_integer_lookup(.vocabulary = kt_ints(12, 36, 1138, 42))
 */
typedef struct kt_integer_lookup_args {
    size_t size;
    int64_t max_tokens;           ///< default KT_NONE; of the vocabulary with what stands before it
    int num_oov_indices;          ///< default 1
    int64_t mask_token;           ///< default KT_NONE
    int64_t oov_token;            ///< default -1; what invert gives for other indices
    kt_ints_t vocabulary;         ///< default none
    const char *vocabulary_dtype; ///< "int64"
    kt_floats_t idf_weights;      ///< one for each token of `vocabulary`
    bool invert;                  ///< default false; indices to tokens
    const char *output_mode;      ///< default "int"; "one_hot", "multi_hot", "count", "tf_idf"
    bool sparse;                  ///< not supported
    bool pad_to_max_tokens;       ///< default false; vectors have max_tokens elements
    const char *oov_method;       ///< default "floormod"; "farmhash": how tokens share several oov
                                  ///< indices
    kt_ints_t salt;               ///< default none; kt_ints(133) or kt_ints(133, 137): SipHash
    int64_t vocabulary_size;      ///< default KT_NONE; files say it where the vocabulary is apart
    KT_LAYER_ARGS
} kt_integer_lookup_args;
#define KT_INTEGER_LOOKUP_DEFAULTS                                                                 \
    .max_tokens = KT_NONE, .num_oov_indices = 1, .mask_token = KT_NONE, .oov_token = -1,           \
    .vocabulary_dtype = "int64", .output_mode = "int", .oov_method = "floormod",                   \
    .vocabulary_size = KT_NONE, KT_LAYER_DEFAULTS
#define kt_integer_lookup(...)                                                                     \
    KT_CALL(kt_integer_lookup_new, kt_integer_lookup_args, KT_INTEGER_LOOKUP_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_integer_lookup_new(const kt_integer_lookup_args *args);

/** Finds the vocabulary: all tokens of the data, the most frequent first, of equal ones the larger;
 * at most so many as max_tokens leaves. With "tf_idf" each row is a document. Keras:
 * IntegerLookup.adapt.
 *
 * Errors: another layer; a layer that was given its vocabulary; data that are empty or not
 * integers.
 *
 *     kt_layer *l = kt_integer_lookup(.max_tokens = 1000);
 *     kt_integer_lookup_adapt(l, x);
 */
KT_API kt_status kt_integer_lookup_adapt(kt_layer *layer, const kt_tensor *data);
/** Sets the vocabulary (int64, with or without what stands before it) and, with "tf_idf", its
 * weights (else NULL). Keras: IntegerLookup.set_vocabulary. Errors: those of the arguments. */
KT_API kt_status kt_integer_lookup_set_vocabulary(
    kt_layer *layer, const kt_tensor *vocabulary, const kt_tensor *idf_weights);
/** A new int64 array; include_special_tokens: the mask token and the oov tokens stand before it.
 * Keras: IntegerLookup.get_vocabulary. */
KT_API kt_tensor *kt_integer_lookup_vocabulary(const kt_layer *layer, bool include_special_tokens);

/** Layers one after the other, as one layer.
 *
 * Keras: keras.layers.Pipeline.  Errors: no list, no layers.
 *
 *     kt_pipeline(kt_list(kt_auto_contrast(), kt_random_zoom(0.2)))
 */
typedef struct kt_pipeline_args {
    size_t size;
    kt_ref layers; ///< a list of layers
    KT_LAYER_ARGS
} kt_pipeline_args;
#define KT_PIPELINE_DEFAULTS KT_LAYER_DEFAULTS
#define kt_pipeline(...)                                                                           \
    KT_CALL(kt_pipeline_new, kt_pipeline_args, KT_PIPELINE_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_pipeline_new(const kt_pipeline_args *args);

#ifdef __cplusplus
}
#endif
#endif
