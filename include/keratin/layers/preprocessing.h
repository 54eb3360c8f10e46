/* Layers that prepare features, whole numbers and texts: see layers.h. Texts are arrays of dtype
 * KT_STRING, kt_strings("a cat", "the dog"), and come in through kt_input(.dtype = "string").
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

/** Whole numbers or texts to one of num_bins bins, by a hash that is the same everywhere:
 * FarmHash64 of the (decimal) text, or with a salt SipHash-2-4.
 *
 * Keras: keras.layers.Hashing.  Shape: as output_mode says; dtype int64 for "int", else floatx.
 * Integers count with all their 64 bits, floats lose their fractions.
 * Errors: num_bins below 1; an unknown output_mode; another dtype than int32 and int64 with "int";
 * more than two numbers as salt; inputs of dtype bool; a mask of the other kind than the inputs;
 * sparse (KT_EUNSUPPORTED).
 *
 *     kt_hashing(1000, .mask_value = 0)
 *     kt_hashing(1000, .mask_value_text = "")
 */
typedef struct kt_hashing_args {
    size_t size;
    int num_bins;                ///< > 0; the bin of mask_value is one of them
    int64_t mask_value;          ///< default KT_NONE; goes to bin 0, which nothing else does
    kt_ints_t salt;              ///< default none; kt_ints(133) or kt_ints(133, 137)
    const char *output_mode;     ///< default "int"; "one_hot", "multi_hot", "count"
    bool sparse;                 ///< not supported
    const char *mask_value_text; ///< Keras' mask_value where inputs are texts; default NULL
    KT_LAYER_ARGS
} kt_hashing_args;
#define KT_HASHING_DEFAULTS .mask_value = KT_NONE, .output_mode = "int", KT_LAYER_DEFAULTS
#define kt_hashing(...) KT_CALL(kt_hashing_new, kt_hashing_args, KT_HASHING_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_hashing_new(const kt_hashing_args *args);

/** Crosses two or more features: hash(their numbers or texts together) modulo num_bins.
 *
 * Keras: keras.layers.HashedCrossing.  Shape: inputs (batch) or (batch, 1), all the same; the
 * output has it too, or (batch, num_bins) for "one_hot". dtype int64 for "int", else floatx.
 * Errors: num_bins below 1; an unknown output_mode; other shapes; inputs that are neither integers
 * nor texts; sparse (KT_EUNSUPPORTED).
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

/** Texts (tokens) to their place in a vocabulary, or back.
 *
 * Keras: keras.layers.StringLookup.  Shape: as output_mode says ("tf_idf" is "count" times a weight
 * for each token); dtype int64 for "int", else floatx; with invert texts. Indices begin with the
 * mask_token (with "int"), then num_oov_indices for texts out of the vocabulary (FarmHash64 of the
 * text, or SipHash-2-4 with a salt), then the vocabulary. In other modes the mask_token counts
 * nowhere. The vocabulary is given, set, read from a file or found by kt_string_lookup_adapt();
 * before that nothing can be computed.
 * Errors: those of kt_integer_lookup(); inputs that are no texts (with invert: no integers);
 * another encoding than "utf-8", sparse (KT_EUNSUPPORTED).
 *
 *     kt_string_lookup(.vocabulary = kt_names("a", "b", "c"))
 */
typedef struct kt_string_lookup_args {
    size_t size;
    int64_t max_tokens;      ///< default KT_NONE; of the vocabulary with what stands before it
    int num_oov_indices;     ///< default 1
    const char *mask_token;  ///< default NULL: none
    const char *oov_token;   ///< default "[UNK]"; what invert gives for other indices
    kt_names_t vocabulary;   ///< default none
    kt_floats_t idf_weights; ///< one for each token of `vocabulary`
    bool invert;             ///< default false; indices to texts
    const char *output_mode; ///< default "int"; "one_hot", "multi_hot", "count", "tf_idf"
    bool pad_to_max_tokens;  ///< default false; vectors have max_tokens elements
    bool sparse;             ///< not supported
    const char *encoding;    ///< "utf-8"
    kt_ints_t salt;          ///< default none; kt_ints(133) or kt_ints(133, 137): SipHash
    const char *oov_method;  ///< "floormod" or "farmhash": the same for texts
    int64_t vocabulary_size; ///< default KT_NONE; files say it where the vocabulary is apart
    KT_LAYER_ARGS
} kt_string_lookup_args;
#define KT_STRING_LOOKUP_DEFAULTS                                                                  \
    .max_tokens = KT_NONE, .num_oov_indices = 1, .oov_token = "[UNK]", .output_mode = "int",       \
    .encoding = "utf-8", .oov_method = "floormod", .vocabulary_size = KT_NONE, KT_LAYER_DEFAULTS
#define kt_string_lookup(...)                                                                      \
    KT_CALL(kt_string_lookup_new, kt_string_lookup_args, KT_STRING_LOOKUP_DEFAULTS, __VA_ARGS__)
KT_API kt_layer *kt_string_lookup_new(const kt_string_lookup_args *args);

/** Finds the vocabulary: all texts of the data, the most frequent first, of equal ones the larger;
 * at most so many as max_tokens leaves. With "tf_idf" each row is a document. Keras:
 * StringLookup.adapt.
 *
 * Errors: another layer; a layer that was given its vocabulary; data that are empty or no texts.
 *
 *     kt_layer *l = kt_string_lookup(.max_tokens = 1000);
 *     kt_tensor *names = kt_strings("tom", "ann", "tom");
 *     kt_string_lookup_adapt(l, names);
 */
KT_API kt_status kt_string_lookup_adapt(kt_layer *layer, const kt_tensor *data);
/** Sets the vocabulary (texts, with or without what stands before it) and, with "tf_idf", its
 * weights (else NULL). Keras: StringLookup.set_vocabulary. Errors: those of the arguments. */
KT_API kt_status kt_string_lookup_set_vocabulary(
    kt_layer *layer, const kt_tensor *vocabulary, const kt_tensor *idf_weights);
/** A new array of texts; include_special_tokens: the mask token and the oov tokens stand before it.
 * Keras: StringLookup.get_vocabulary. */
KT_API kt_tensor *kt_string_lookup_vocabulary(const kt_layer *layer, bool include_special_tokens);

/** Texts to indices of their tokens, or to vectors that count those.
 *
 * Keras: keras.layers.TextVectorization.  Shape: "int" gives (batch, output_sequence_length) int64,
 * filled up with 0; "multi_hot", "count" and "tf_idf" give (batch, vocabulary), floatx. Inputs are
 * (batch,) or (batch, 1); with split NULL (batch, tokens), each text one token. Index 0 is that of
 * no token, 1 that of tokens out of the vocabulary, which other modes than "int" put at 0.
 * Lower-casing and punctuation are those of ASCII, as in Keras. A model needs
 * output_sequence_length for "int"; kt_text_vectorization_indices() does without.
 * Errors: those of kt_string_lookup(); an unknown standardize or split (Keras takes functions too);
 * ngrams below 1; output_sequence_length with another mode than "int"; more than one text in a row
 * that is to be split; sparse, ragged, output_mode "one_hot", another encoding than "utf-8"
 * (KT_EUNSUPPORTED).
 *
 *     kt_tensor *texts = kt_strings("a cat", "the dog");
 *     kt_layer *l = kt_text_vectorization(.max_tokens = 20000, .output_sequence_length = 200);
 *     kt_text_vectorization_adapt(l, texts);
 */
typedef struct kt_text_vectorization_args {
    size_t size;
    int64_t max_tokens;             ///< default KT_NONE; of the vocabulary with "" and "[UNK]"
    const char *standardize;        ///< default "lower_and_strip_punctuation"; "lower",
                                    ///< "strip_punctuation", NULL
    const char *split;              ///< default "whitespace"; "character", NULL
    kt_ints_t ngrams;               ///< default none; kt_ints(2) is Keras' 2, the same as (1, 2);
                                    ///< kt_ints(2, 3) is (2, 3); kt_ints(3, 0) is (3,)
    const char *output_mode;        ///< default "int"; "multi_hot", "count", "tf_idf"
    int64_t output_sequence_length; ///< default KT_NONE
    bool pad_to_max_tokens;         ///< default false; vectors have max_tokens elements
    kt_names_t vocabulary;          ///< default none
    kt_floats_t idf_weights;        ///< one for each token of `vocabulary`
    bool sparse;                    ///< not supported
    bool ragged;                    ///< not supported
    const char *encoding;           ///< "utf-8"
    int64_t vocabulary_size;        ///< default KT_NONE; files say it where the vocabulary is apart
    KT_LAYER_ARGS
} kt_text_vectorization_args;
#define KT_TEXT_VECTORIZATION_DEFAULTS                                                             \
    .max_tokens = KT_NONE, .standardize = "lower_and_strip_punctuation", .split = "whitespace",    \
    .output_mode = "int", .output_sequence_length = KT_NONE, .encoding = "utf-8",                  \
    .vocabulary_size = KT_NONE, KT_LAYER_DEFAULTS
#define kt_text_vectorization(...)                                                                 \
    KT_CALL(                                                                                       \
        kt_text_vectorization_new,                                                                 \
        kt_text_vectorization_args,                                                                \
        KT_TEXT_VECTORIZATION_DEFAULTS,                                                            \
        __VA_ARGS__)
KT_API kt_layer *kt_text_vectorization_new(const kt_text_vectorization_args *args);

/** Finds the vocabulary: all tokens of the texts, the most frequent first, of equal ones the
 * larger; at most so many as max_tokens leaves. Keras: TextVectorization.adapt.
 *
 * Errors: another layer; a layer that was given its vocabulary; data that are empty or no texts. */
KT_API kt_status kt_text_vectorization_adapt(kt_layer *layer, const kt_tensor *data);
/** Sets the vocabulary (texts, with or without "" and "[UNK]" before it) and, with "tf_idf", its
 * weights (else NULL). Keras: TextVectorization.set_vocabulary. Errors: those of the arguments. */
KT_API kt_status kt_text_vectorization_set_vocabulary(
    kt_layer *layer, const kt_tensor *vocabulary, const kt_tensor *idf_weights);
/** A new array of texts; include_special_tokens: "" and "[UNK]" stand before it.
 * Keras: TextVectorization.get_vocabulary. */
KT_API kt_tensor *kt_text_vectorization_vocabulary(
    const kt_layer *layer, bool include_special_tokens);
/** How many tokens there are, those two included; -1 for another layer.
 * Keras: TextVectorization.vocabulary_size. */
KT_API int64_t kt_text_vectorization_vocabulary_size(const kt_layer *layer);
/** What a call of a layer with output_mode "int" gives, outside of a model: without
 * output_sequence_length the rows are as long as the longest text has tokens. A new int64 array.
 * Errors: another layer or mode; no vocabulary yet (KT_ESTATE). */
KT_API kt_tensor *kt_text_vectorization_indices(const kt_layer *layer, const kt_tensor *texts);

#ifdef __cplusplus
}
#endif
#endif
