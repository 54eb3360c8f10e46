/* Sequences of different lengths: what Python holds as a list of lists of integers (reviews as word
 * numbers), and what Keras' utilities make of them. */
#ifndef KERATIN_SEQUENCES_H
#define KERATIN_SEQUENCES_H

#include <keratin/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A list of n sequences of int32. Immutable. */
typedef struct kt_sequences kt_sequences;

/** New sequences, copied: lengths[0] ids, then lengths[1] ids …
 *
 *     // [[1], [2, 3], [4, 5, 6]]
 *     kt_sequences_new(3, (int64_t[]){1, 2, 3}, (int32_t[]){1, 2, 3, 4, 5, 6});
 */
KT_API kt_sequences *kt_sequences_new(int64_t n, const int64_t *lengths, const int32_t *ids);
/** Number of sequences; the ids of sequence i, borrowed, and how many (NULL and 0 when out of
 * range). */
KT_API int64_t kt_sequences_count(const kt_sequences *s);
KT_API const int32_t *kt_sequences_get(const kt_sequences *s, int64_t i);
KT_API int64_t kt_sequences_len(const kt_sequences *s, int64_t i);
/** A copy of sequences start … stop-1. Python: s[start:stop]. */
KT_API kt_sequences *kt_sequences_slice(const kt_sequences *s, int64_t start, int64_t stop);

/** All sequences as rows of one array (n, maxlen): short ones filled up with `value`, long ones
 * cut.
 *
 * Keras: keras.utils.pad_sequences.  KT_EINVAL for an unknown word, or if maxlen is to be found and
 * there is no sequence.
 *
 *     kt_tensor *x = kt_pad_sequences(d.x_train, 200);
 */
typedef struct kt_pad_sequences_args {
    size_t size;
    const kt_sequences *sequences;
    int64_t maxlen;         ///< length of a row; default KT_NONE: that of the longest sequence
    const char *dtype;      ///< of the result, default "int32"
    const char *padding;    ///< fill up before ("pre", the default) or after ("post") a sequence
    const char *truncating; ///< drop from the front ("pre", the default) or the end ("post")
    double value;           ///< default 0
} kt_pad_sequences_args;
#define KT_PAD_SEQUENCES_DEFAULTS                                                                  \
    .maxlen = KT_NONE, .dtype = "int32", .padding = "pre", .truncating = "pre",
#define kt_pad_sequences(...)                                                                      \
    KT_CALL(kt_pad_sequences_with, kt_pad_sequences_args, KT_PAD_SEQUENCES_DEFAULTS, __VA_ARGS__)
KT_API kt_tensor *kt_pad_sequences_with(const kt_pad_sequences_args *args);

/** One row of `num_words` numbers for each sequence: which words occur in it ("binary", multi-hot),
 * how often ("count"), or with what share ("freq").
 *
 * Keras: the vectorisation of the IMDB and Reuters examples, and Tokenizer.sequences_to_matrix. The
 * result is float32. An id that is no column is KT_EINVAL.
 *
 *     kt_tensor *x = kt_sequences_to_matrix(d.x_train, 10000);
 */
typedef struct kt_sequences_to_matrix_args {
    size_t size;
    const kt_sequences *sequences;
    int64_t num_words; ///< number of columns; default KT_NONE: the largest id + 1
    const char *mode;  ///< default "binary"
} kt_sequences_to_matrix_args;
#define KT_SEQUENCES_TO_MATRIX_DEFAULTS .num_words = KT_NONE, .mode = "binary",
#define kt_sequences_to_matrix(...)                                                                \
    KT_CALL(                                                                                       \
        kt_sequences_to_matrix_with,                                                               \
        kt_sequences_to_matrix_args,                                                               \
        KT_SEQUENCES_TO_MATRIX_DEFAULTS,                                                           \
        __VA_ARGS__)
KT_API kt_tensor *kt_sequences_to_matrix_with(const kt_sequences_to_matrix_args *args);

#ifdef __cplusplus
}
#endif
#endif
