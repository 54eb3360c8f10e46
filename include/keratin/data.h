/* Data sets. Files come from $KERAS_HOME/datasets (default ~/.keras/datasets) or from packages of
 * the operating system; nothing is downloaded. */
#ifndef KERATIN_DATA_H
#define KERATIN_DATA_H

#include <keratin/sequences.h>

#ifdef __cplusplus
extern "C" {
#endif

/** (x_train, y_train), (x_test, y_test): what Keras' load_data() returns. The arrays float: adopt,
 * free or let kt_clear_session() free them. */
typedef struct kt_splits {
    kt_tensor *x_train, *y_train, *x_test, *y_test;
} kt_splits;

/** MNIST digits: uint8 (60000, 28, 28), labels uint8 (60000,), 10000 for test.
 * Keras: keras.datasets.mnist.load_data.  Reads mnist.npz. On failure all four are failed objects.
 *
 *     kt_splits d = {0};
 *     if (kt_data_mnist(&d)) fputs(kt_error_message(), stderr);
 */
KT_API kt_status kt_data_mnist(kt_splits *splits);

/** Fashion-MNIST: clothing, same shapes as MNIST. Keras: keras.datasets.fashion_mnist.load_data.
 * Reads $KERAS_HOME/datasets/fashion-mnist/ (*.gz), else the files of Debian's package
 * dataset-fashion-mnist. */
KT_API kt_status kt_data_fashion_mnist(kt_splits *splits);

/** CIFAR-10: colour pictures of ten classes (airplane, automobile, bird, cat, deer, dog, frog,
 * horse, ship, truck): uint8 (50000, 32, 32, 3), labels uint8 (50000, 1), 10000 for test.
 * Keras: keras.datasets.cifar10.load_data.  Reads the six batches in
 * $KERAS_HOME/datasets/cifar-10-batches-py-target/cifar-10-batches-py/, where Keras 3 unpacks them,
 * or in $KERAS_HOME/datasets/cifar-10-batches-py/, where Keras 2 did. */
KT_API kt_status kt_data_cifar10(kt_splits *splits);

/** CIFAR-100: the same of a hundred classes in twenty groups, labels int64.
 * Keras: keras.datasets.cifar100.load_data.  Reads `train` and `test` in
 * $KERAS_HOME/datasets/cifar-100-python-target/cifar-100-python/, or in cifar-100-python/ itself.
 *
 *     kt_data_cifar100(&d, "coarse");
 */
typedef struct kt_data_cifar100_args {
    size_t size;
    kt_splits *splits;
    const char *label_mode; ///< "fine" (default): classes; "coarse": groups
} kt_data_cifar100_args;
#define KT_DATA_CIFAR100_DEFAULTS .label_mode = "fine",
#define kt_data_cifar100(...)                                                                      \
    KT_CALL(kt_data_cifar100_with, kt_data_cifar100_args, KT_DATA_CIFAR100_DEFAULTS, __VA_ARGS__)
KT_API kt_status kt_data_cifar100_with(const kt_data_cifar100_args *args);

/** Boston housing prices (1978): float64 (404, 13) and prices (404,), 102 for test.
 * Keras: keras.datasets.boston_housing.load_data.  The data set has an ethical problem, which Keras
 * names: its variable "B". The California prices are the better example.
 *
 *     kt_data_boston_housing(&d);
 */
typedef struct kt_data_boston_housing_args {
    size_t size;
    kt_splits *splits;
    const char *path;  ///< below $KERAS_HOME/datasets, or absolute; default "boston_housing.npz"
    double test_split; ///< share of the rows kept for test, default 0.2
    int64_t seed;      ///< of the shuffle, which is NumPy's; default 113
} kt_data_boston_housing_args;
#define KT_DATA_BOSTON_HOUSING_DEFAULTS                                                            \
    .path = "boston_housing.npz", .test_split = 0.2, .seed = 113,
#define kt_data_boston_housing(...)                                                                \
    KT_CALL(                                                                                       \
        kt_data_boston_housing_with,                                                               \
        kt_data_boston_housing_args,                                                               \
        KT_DATA_BOSTON_HOUSING_DEFAULTS,                                                           \
        __VA_ARGS__)
KT_API kt_status kt_data_boston_housing_with(const kt_data_boston_housing_args *args);

/** California housing prices (1990): float32 (16512, 8) and prices in dollars, 4128 for test.
 * Keras: keras.datasets.california_housing.load_data.
 *
 *     kt_data_california_housing(&d, "small");
 */
typedef struct kt_data_california_housing_args {
    size_t size;
    kt_splits *splits;
    const char *version; ///< "large" (default): all 20,640 rows; "small": 600
    const char *path;    ///< default "california_housing.npz"
    double test_split;   ///< default 0.2
    int64_t seed;        ///< default 113
} kt_data_california_housing_args;
#define KT_DATA_CALIFORNIA_HOUSING_DEFAULTS                                                        \
    .version = "large", .path = "california_housing.npz", .test_split = 0.2, .seed = 113,
#define kt_data_california_housing(...)                                                            \
    KT_CALL(                                                                                       \
        kt_data_california_housing_with,                                                           \
        kt_data_california_housing_args,                                                           \
        KT_DATA_CALIFORNIA_HOUSING_DEFAULTS,                                                       \
        __VA_ARGS__)
KT_API kt_status kt_data_california_housing_with(const kt_data_california_housing_args *args);

/** The same for texts: sequences of word numbers, and labels int64. */
typedef struct kt_text_splits {
    kt_sequences *x_train;
    kt_tensor *y_train;
    kt_sequences *x_test;
    kt_tensor *y_test;
} kt_text_splits;

/** 25,000 + 25,000 film reviews as word numbers (1 is the most frequent word, and so on), labels 1
 * (liked it) and 0. Keras: keras.datasets.imdb.load_data, the same reviews in the same order.
 *
 *     kt_text_splits d = {0};
 *     kt_data_imdb(&d, .num_words = 10000);
 *     kt_tensor *x = kt_pad_sequences(d.x_train, 200);
 */
typedef struct kt_data_imdb_args {
    size_t size;
    kt_text_splits *splits;
    const char *path;   ///< below $KERAS_HOME/datasets, or absolute; default "imdb.npz"
    int64_t num_words;  ///< words >= num_words become oov_char; default KT_NONE: as in Keras, all
                        ///< but the rarest stay
    int64_t skip_top;   ///< words < skip_top do as well; default 0
    int64_t maxlen;     ///< only reviews shorter than this; default KT_NONE: all
    int64_t seed;       ///< of the shuffle, which is NumPy's; default 113
    int64_t start_char; ///< comes before each review; default 1, KT_NONE: nothing does
    int64_t oov_char;   ///< stands for a word that is left out; default 2, KT_NONE: it is dropped
    int64_t index_from; ///< is added to every word; default 3
} kt_data_imdb_args;
#define KT_DATA_IMDB_DEFAULTS                                                                      \
    .path = "imdb.npz", .num_words = KT_NONE, .maxlen = KT_NONE, .seed = 113, .start_char = 1,     \
    .oov_char = 2, .index_from = 3,
#define kt_data_imdb(...)                                                                          \
    KT_CALL(kt_data_imdb_with, kt_data_imdb_args, KT_DATA_IMDB_DEFAULTS, __VA_ARGS__)
KT_API kt_status kt_data_imdb_with(const kt_data_imdb_args *args);

/** 11,228 newswires of 46 topics. Keras: keras.datasets.reuters.load_data. */
typedef struct kt_data_reuters_args {
    size_t size;
    kt_text_splits *splits;
    const char *path; ///< default "reuters.npz"
    int64_t num_words, skip_top, maxlen;
    double test_split;                              ///< default 0.2
    int64_t seed, start_char, oov_char, index_from; ///< as of kt_data_imdb
} kt_data_reuters_args;
#define KT_DATA_REUTERS_DEFAULTS                                                                   \
    .path = "reuters.npz", .num_words = KT_NONE, .maxlen = KT_NONE, .test_split = 0.2,             \
    .seed = 113, .start_char = 1, .oov_char = 2, .index_from = 3,
#define kt_data_reuters(...)                                                                       \
    KT_CALL(kt_data_reuters_with, kt_data_reuters_args, KT_DATA_REUTERS_DEFAULTS, __VA_ARGS__)
KT_API kt_status kt_data_reuters_with(const kt_data_reuters_args *args);
/** The 46 topics, borrowed. Keras: keras.datasets.reuters.get_label_names */
KT_API kt_names_t kt_data_reuters_label_names(void);

/** Words and their numbers. */
typedef struct kt_word_index kt_word_index;

/** The words of IMDB or Reuters; path NULL means the usual file, which is
 * $KERAS_HOME/datasets/imdb_word_index.json (reuters_word_index.json). Word i of the index is
 * number i + index_from in the data.
 * Keras: keras.datasets.imdb.get_word_index, keras.datasets.reuters.get_word_index
 *
 *     kt_word_index *words = kt_data_imdb_word_index(NULL);
 *     printf("%s\n", kt_word_index_word(words, 17 - 3));
 */
KT_API kt_word_index *kt_data_imdb_word_index(const char *path);
KT_API kt_word_index *kt_data_reuters_word_index(const char *path);
/** How many words there are; the number of a word, -1 if it is not there; and the word of a number,
 * borrowed, NULL if there is none. */
KT_API int64_t kt_word_index_len(const kt_word_index *index);
KT_API int64_t kt_word_index_get(const kt_word_index *index, const char *word);
KT_API const char *kt_word_index_word(const kt_word_index *index, int64_t i);

#ifdef __cplusplus
}
#endif
#endif
