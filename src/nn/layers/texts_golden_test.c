/* StringLookup, TextVectorization, Hashing and HashedCrossing of texts against real Keras
 * (tests/golden/texts.npz). A case of the file that has no row here fails the last test. */
#include "io/npz.h"
#include "testing/kt_models.h"
#include "testing/kt_test.h"

#include <keratin/keratin.h>

#include <stdio.h>
#include <string.h>

#define VOCABULARY "a", "bb", "Ärger", "[UNK]x", ZZ, "日本"
#define ZZ "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
#define WORDS .vocabulary = kt_names(VOCABULARY)
#define LOOKUP_OF(X, mode)                                                                         \
    X("lookup_" mode, kt_string_lookup(WORDS, .output_mode = mode))                                \
    X("lookup_" mode "_mask",                                                                      \
      kt_string_lookup(WORDS, .output_mode = mode, .mask_token = "", .num_oov_indices = 2))        \
    X("lookup_" mode "_pad",                                                                       \
      kt_string_lookup(10, WORDS, .output_mode = mode, .pad_to_max_tokens = true))
#define LOOKUPS(X)                                                                                 \
    X("lookup_int", kt_string_lookup(WORDS))                                                       \
    X("lookup_rank_1", kt_string_lookup(WORDS))                                                    \
    X("lookup_mask", kt_string_lookup(WORDS, .mask_token = ""))                                    \
    X("lookup_oov_0", kt_string_lookup(WORDS, .num_oov_indices = 0))                               \
    X("lookup_oov_3", kt_string_lookup(WORDS, .num_oov_indices = 3))                               \
    X("lookup_oov_long", kt_string_lookup(WORDS, .num_oov_indices = 1000003))                      \
    X("lookup_oov_salt",                                                                           \
      kt_string_lookup(                                                                            \
          WORDS, .num_oov_indices = 1000003, .salt = kt_ints(133, 137), .mask_token = ""))         \
    X("lookup_special",                                                                            \
      kt_string_lookup(.vocabulary = kt_names("", "[UNK]", VOCABULARY), .mask_token = ""))         \
    X("lookup_invert", kt_string_lookup(WORDS, .invert = true))                                    \
    X("lookup_invert_mask",                                                                        \
      kt_string_lookup(                                                                            \
          WORDS, .invert = true, .mask_token = "", .oov_token = "<?>", .num_oov_indices = 2))      \
    LOOKUP_OF(X, "one_hot")                                                                        \
    LOOKUP_OF(X, "multi_hot")                                                                      \
    LOOKUP_OF(X, "count")                                                                          \
    X("lookup_tf_idf",                                                                             \
      kt_string_lookup(                                                                            \
          WORDS,                                                                                   \
          .idf_weights = kt_floats(0.25, 0.75, 0.6, 0.4, 0.5, 1.5),                                \
          .output_mode = "tf_idf"))
#define LEARNT(X)                                                                                  \
    X("lookup_adapt_int", kt_string_lookup())                                                      \
    X("lookup_adapt_max", kt_string_lookup(4, .mask_token = ""))                                   \
    X("lookup_adapt_count", kt_string_lookup(.output_mode = "count"))                              \
    X("lookup_adapt_tf_idf", kt_string_lookup(5, .output_mode = "tf_idf"))                         \
    X("lookup_adapt_pad", kt_string_lookup(20, .output_mode = "tf_idf", .pad_to_max_tokens = true))

#define X10 "xxxxxxxxxx"
#define X200 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10
#define VOCAB                                                                                      \
    .vocabulary = kt_names(                                                                        \
        "the",                                                                                     \
        "cat",                                                                                     \
        "dog",                                                                                     \
        "a",                                                                                       \
        "dont",                                                                                    \
        "stopmenow",                                                                               \
        "straße",                                                                                  \
        "Straße",                                                                                  \
        "äöü",                                                                                     \
        "日本語",                                                                                  \
        X200,                                                                                      \
        "b",                                                                                       \
        "the cat",                                                                                 \
        "a a")
#define LETTERS                                                                                    \
    .vocabulary = kt_names(                                                                        \
        "a", "b", "t", "h", "e", " ", "日", "本", "Ä", "ä", "t h", "\xef\xbf\xbd")
#define IDF                                                                                        \
    .idf_weights = kt_floats(                                                                      \
        .25, .375, .5, .625, .75, .875, 1, 1.125, 1.25, 1.375, 1.5, 1.625, 1.75, 1.875)
#define LENGTH .output_sequence_length
#define text kt_text_vectorization
#define TEXT_OF(X, mode)                                                                           \
    X("text_" mode, text(VOCAB, .output_mode = mode))                                              \
    X("text_" mode "_column", text(VOCAB, .output_mode = mode))                                    \
    X("text_" mode "_pad",                                                                         \
      text(20, VOCAB, .output_mode = mode, .pad_to_max_tokens = true, .ngrams = kt_ints(2)))
#define TEXTS(X)                                                                                   \
    X("text_int", text(VOCAB))                                                                     \
    X("text_int_column", text(VOCAB))                                                              \
    X("text_int_3d", text(VOCAB))                                                                  \
    X("text_length_3", text(VOCAB, LENGTH = 3))                                                    \
    X("text_length_9", text(VOCAB, LENGTH = 9))                                                    \
    X("text_standardize_lower", text(VOCAB, .standardize = "lower", LENGTH = 6))                   \
    X("text_standardize_strip_punctuation",                                                        \
      text(VOCAB, .standardize = "strip_punctuation", LENGTH = 6))                                 \
    X("text_standardize_None", text(VOCAB, .standardize = NULL, LENGTH = 6))                       \
    X("text_character", text(LETTERS, .split = "character"))                                       \
    X("text_character_ngrams",                                                                     \
      text(LETTERS, .split = "character", .ngrams = kt_ints(2), LENGTH = 30))                      \
    X("text_whole", text(VOCAB, .split = NULL))                                                    \
    X("text_whole_length", text(VOCAB, .split = NULL, LENGTH = 5))                                 \
    X("text_whole_short", text(VOCAB, .split = NULL, LENGTH = 2))                                  \
    X("text_whole_count", text(VOCAB, .split = NULL, .output_mode = "count"))                      \
    X("text_ngrams_2", text(VOCAB, .ngrams = kt_ints(2), LENGTH = 12))                             \
    X("text_ngrams_tuple", text(VOCAB, .ngrams = kt_ints(3, 1), LENGTH = 12))                      \
    X("text_ngrams_only_2", text(VOCAB, .ngrams = kt_ints(2, 0), .output_mode = "count"))          \
    TEXT_OF(X, "multi_hot")                                                                        \
    TEXT_OF(X, "count")                                                                            \
    X("text_tf_idf", text(VOCAB, IDF, .output_mode = "tf_idf"))                                    \
    X("text_tf_idf_pad", text(20, VOCAB, IDF, .output_mode = "tf_idf", .pad_to_max_tokens = true)) \
    X("text_bad_words", text(LETTERS, LENGTH = 4))                                                 \
    X("text_bad_letters", text(LETTERS, .split = "character", LENGTH = 6))                         \
    X("text_bad_letters_raw", text(LETTERS, .split = "character", .standardize = NULL, LENGTH = 6))
#define TEXTS_LEARNT(X)                                                                            \
    X("text_adapt_int", text(LENGTH = 8))                                                          \
    X("text_adapt_max", text(6))                                                                   \
    X("text_adapt_count", text(.output_mode = "count"))                                            \
    X("text_adapt_ngrams", text(30, .output_mode = "multi_hot", .ngrams = kt_ints(2)))             \
    X("text_adapt_letters", text(.split = "character", .standardize = NULL, LENGTH = 40))          \
    X("text_adapt_whole", text(.split = NULL))                                                     \
    X("text_adapt_tf_idf", text(12, .output_mode = "tf_idf"))                                      \
    X("text_adapt_pad", text(60, .output_mode = "tf_idf", .pad_to_max_tokens = true))

#define HASHES(X)                                                                                  \
    X("hashing", kt_hashing(INT32_MAX))                                                            \
    X("hashing_salt", kt_hashing(1000003, .salt = kt_ints(133, 137)))                              \
    X("hashing_mask", kt_hashing(7, .mask_value_text = ""))                                        \
    X("hashing_one_bin", kt_hashing(1, .mask_value_text = "a"))                                    \
    X("hashing_mask_salt", kt_hashing(7, .mask_value_text = "Ärger", .salt = kt_ints(9)))          \
    X("hashing_count", kt_hashing(5, .mask_value_text = "a", .output_mode = "count"))              \
    X("hashing_one_hot", kt_hashing(5, .output_mode = "one_hot"))
#define CROSSINGS(X)                                                                               \
    X("crossing_texts", kt_hashed_crossing(INT32_MAX))                                             \
    X("crossing_mixed", kt_hashed_crossing(1000003))                                               \
    X("crossing_numbers_first", kt_hashed_crossing(4, "one_hot"))

static kt_tensor *member(const char *name, const char *part) {
    char key[96];
    kt_npz *z;
    snprintf(key, sizeof key, "%s/%s", name, part);
    kt_check_status(kt_npz_open(&z, "tests/golden/texts.npz"), KT_OK);
    kt_tensor *t = kt_npz_read(z, key);
    if (kt_failed(t)) fail_msg("%s: %s", key, kt_error_message());
    kt_npz_close(z);
    return t;
}

static void check_texts(const char *name, const kt_tensor *got, const kt_tensor *want) {
    assert_int_equal(kt_tensor_dtype(got), KT_STRING);
    assert_int_equal(kt_tensor_size(got), kt_tensor_size(want));
    for (int64_t i = 0; i < kt_tensor_size(want); i++)
        if (strcmp(kt_tensor_text(got, i), kt_tensor_text(want, i)) != 0)
            fail_msg(
                "%s, element %d: got '%s', Keras '%s'",
                name,
                (int)i,
                kt_tensor_text(got, i),
                kt_tensor_text(want, i));
}

static kt_sym *input_like(const kt_tensor *x) {
    const kt_shape s = kt_tensor_shape(x);
    kt_input_args in = {
        .size = sizeof in, .batch_size = KT_NONE, .dtype = kt_dtype_name(kt_tensor_dtype(x))};
    for (int i = 1; i < s.ndim; i++) in.shape[i - 1] = s.dim[i];
    if (s.ndim == 1) in.shape[0] = KT_SCALAR;
    return kt_input_new(&in);
}

static kt_tensor *predicted(kt_layer *l, const kt_tensor *x) {
    kt_sym *input = input_like(x);
    kt_model *m = kt_functional(input, kt_call(l, input));
    kt_check_ok(m);
    kt_tensor *y = kt_model_predict(m, x, .batch_size = 100, .verbose = 0);
    kt_free(m);
    return y;
}

/* Where Keras gives as many indices as the longest text has, a model cannot. */
static void check(const char *name, kt_layer *given) {
    kt_layer *l = kt_retain(given);
    kt_check_ok(l);
    kt_tensor *x = member(name, "x0"), *want = member(name, "y"), *got;
    static const char *const open[] = {
        "text_int", "text_int_column", "text_int_3d", "text_character", "text_adapt_max", NULL};
    bool is_open = false;
    for (int i = 0; open[i]; i++) is_open = is_open || !strcmp(open[i], name);
    if (is_open) {
        kt_sym *s = kt_input({1}, .dtype = "string");
        kt_check_fails(kt_call(l, s), KT_EUNSUPPORTED, "output_sequence_length");
        kt_free(s);
        got = kt_text_vectorization_indices(l, x);
    } else {
        got = predicted(l, x);
    }
    if (kt_failed(got)) fail_msg("%s: %s", name, kt_error_message());
    if (kt_tensor_dtype(want) == KT_STRING) {
        check_texts(name, got, want);
    } else {
        kt_check_tensors_near(got, want, 1e-6, 0);
    }
    kt_free(x);
    kt_free(want);
    kt_free(got);
    kt_free(l);
}
#define CHECK(case_, layer) check(case_, layer);
KT_TEST(texts_golden, string_lookup){LOOKUPS(CHECK)} KT_TEST(texts_golden, text_vectorization) {
    TEXTS(CHECK)
}

/* Crossings have two inputs or three. */
static void check_crossing(const char *name, kt_layer *given) {
    const char *const parts[] = {"x0", "x1", "x2"};
    const int n = strcmp(name, "crossing_mixed") ? 2 : 3;
    kt_tensor *x[3], *want = member(name, "y");
    kt_sym *in[3];
    for (int i = 0; i < n; i++) in[i] = input_like(x[i] = member(name, parts[i]));
    kt_model *m = n == 3
                      ? kt_functional(
                            kt_list(in[0], in[1], in[2]),
                            kt_call(given, kt_list(in[0], in[1], in[2])))
                      : kt_functional(kt_list(in[0], in[1]), kt_call(given, kt_list(in[0], in[1])));
    kt_check_ok(m);
    kt_tensor *got = n == 3 ? kt_model_predict(m, kt_list(x[0], x[1], x[2]), .verbose = 0)
                            : kt_model_predict(m, kt_list(x[0], x[1]), .verbose = 0);
    kt_check_ok(got);
    kt_check_tensors_near(got, want, 0, 0);
    for (int i = 0; i < n; i++) kt_free(x[i]);
    kt_free(want);
    kt_free(got);
    kt_free(m);
}
#define CHECK_CROSSING(case_, layer) check_crossing(case_, layer);
KT_TEST(texts_golden, hashing) {
    HASHES(CHECK)
    CROSSINGS(CHECK_CROSSING)
}

typedef kt_status adapt_function(kt_layer *, const kt_tensor *);
typedef kt_tensor *vocabulary_function(const kt_layer *, bool);
static void learnt(
    const char *name, kt_layer *l, adapt_function *adapt, vocabulary_function *vocabulary) {
    kt_tensor *data = member(name, "adapt"), *want = member(name, "vocabulary");
    kt_check_status(adapt(l, data), KT_OK);
    kt_tensor *got = vocabulary(l, true);
    check_texts(name, got, want);
    kt_free(data);
    kt_free(want);
    kt_free(got);
    check(name, l);
}
KT_TEST(texts_golden, string_lookup_adapts) {
#define LOOKUP_LEARNS(case_, layer)                                                                \
    learnt(case_, layer, kt_string_lookup_adapt, kt_string_lookup_vocabulary);
    LEARNT(LOOKUP_LEARNS)
}
KT_TEST(texts_golden, text_vectorization_adapts) {
#define TEXT_LEARNS(case_, layer)                                                                  \
    learnt(case_, layer, kt_text_vectorization_adapt, kt_text_vectorization_vocabulary);
    TEXTS_LEARNT(TEXT_LEARNS)
}

#define NAME(case_, layer) case_,
static const char *const names[] = {LOOKUPS(NAME) LEARNT(NAME) TEXTS(NAME) TEXTS_LEARNT(NAME)
                                        HASHES(NAME) CROSSINGS(NAME) NULL};

KT_TEST(texts_golden, every_case_has_a_row) {
    char name[96];
    kt_npz *z;
    kt_check_status(kt_npz_open(&z, "tests/golden/texts.npz"), KT_OK);
    for (int i = 0; i < kt_npz_count(z); i++) {
        const char *key = kt_npz_name(z, i), *part = strstr(key, "/x0");
        int at = 0;
        if (!part) continue;
        snprintf(name, sizeof name, "%.*s", (int)(part - key), key);
        while (names[at] && strcmp(names[at], name) != 0) at++;
        if (names[at]) continue;
        print_error("texts.npz: case \"%s\" has no row\n", name);
        fail();
    }
    kt_npz_close(z);
}
