/* StringLookup, TextVectorization, Hashing of texts: what they refuse, files, texts inside of
 * models. Values: texts_golden_test.c. */
#include "base/str.h"
#include "nn/layers/lookup.h"
#include "testing/kt_layers.h"
#include "testing/kt_models.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void refused(kt_layer *l, kt_status want, const char *word) {
    kt_check_status(kt_check(l), want);
    if (!strstr(kt_error_message(), word)) fail_msg("%s: %s", word, kt_error_message());
    kt_free(l);
}

KT_TEST(texts, arguments_that_are_wrong) {
    const kt_names_t words = kt_names("a", "b");
    refused(kt_string_lookup(1), KT_EINVAL, "max_tokens");
    refused(kt_string_lookup(.num_oov_indices = -1), KT_EINVAL, "num_oov_indices");
    refused(kt_string_lookup(.vocabulary = kt_names("a", "b", "a")), KT_EINVAL, "repeated");
    refused(kt_string_lookup(.vocabulary = words, .mask_token = "b"), KT_EINVAL, "mask token");
    refused(kt_string_lookup(2, .vocabulary = words), KT_EINVAL, "maximum vocab size");
    refused(kt_string_lookup(.invert = true, .oov_token = NULL), KT_EINVAL, "oov_token");
    refused(kt_string_lookup(.encoding = "latin-1"), KT_EUNSUPPORTED, "encoding");
    refused(kt_string_lookup(.sparse = true, .output_mode = "count"), KT_EUNSUPPORTED, "sparse");
    refused(kt_string_lookup(.oov_method = "md5"), KT_EINVAL, "oov_method");
    refused(
        kt_string_lookup(.vocabulary = words, .output_mode = "tf_idf"), KT_EINVAL, "same length");
    refused(kt_text_vectorization(.standardize = "upper"), KT_EINVAL, "standardize");
    refused(kt_text_vectorization(.split = "words"), KT_EINVAL, "split");
    refused(kt_text_vectorization(.ngrams = kt_ints(0)), KT_EINVAL, "ngrams");
    refused(kt_text_vectorization(.ngrams = kt_ints(2, -1)), KT_EINVAL, "ngrams");
    refused(kt_text_vectorization(.ngrams = kt_ints(INT64_MAX)), KT_ELIMIT, "ngrams");
    refused(kt_text_vectorization(.ragged = true), KT_EUNSUPPORTED, "ragged");
    refused(kt_text_vectorization(.sparse = true), KT_EUNSUPPORTED, "sparse");
    refused(kt_text_vectorization(.output_mode = "one_hot"), KT_EUNSUPPORTED, "one_hot");
    refused(
        kt_text_vectorization(.output_mode = "count", .output_sequence_length = 3),
        KT_EINVAL,
        "output_sequence_length");
}

/* The same predictions from a file, and the same file from that. */
static void check_reload(kt_model *m, kt_tensor *x) {
    char path[64];
    snprintf(path, sizeof path, "/tmp/keratin_texts_%d.keras", (int)getpid());
    kt_check_ok(m);
    kt_tensor *y = kt_model_predict(m, x, .verbose = 0);
    kt_check_ok(y);
    kt_check_status(kt_model_save(m, path), KT_OK);
    kt_model *back = kt_load_model(path);
    if (kt_failed(back)) fail_msg("%s", kt_error_message());
    kt_tensor *again = kt_model_predict(back, x, .verbose = 0);
    kt_check_tensors_near(again, y, 0, 0);
    kt_text *a = kt_model_to_json(m), *b = kt_model_to_json(back);
    assert_string_equal(kt_text_str(a), kt_text_str(b));
    unlink(path);
    const void *all[] = {m, x, y, back, again, a, b};
    for (int i = 0; i < 7; i++) kt_free(all[i]);
}

static kt_tensor *sentences(void) {
    return kt_strings("The cat, the Ärger", "a dog; a cat.", "", "cat");
}

static void check_learnt(kt_layer *given) {
    kt_layer *l = kt_retain(given);
    kt_tensor *data = sentences();
    kt_check_status(kt_text_vectorization_adapt(l, data), KT_OK);
    kt_sym *x = kt_input({1}, .dtype = "string");
    kt_model *m = kt_functional(x, kt_call(l, x));
    kt_free(l);
    check_reload(m, data);
}

KT_TEST(texts, files_keep_a_vocabulary) {
    check_learnt(kt_text_vectorization(.output_sequence_length = 4));
    check_learnt(kt_text_vectorization(.output_sequence_length = 4, .standardize = NULL));
    check_learnt(kt_text_vectorization(.output_mode = "count", .ngrams = kt_ints(2)));
    check_learnt(kt_text_vectorization(.output_mode = "multi_hot", .ngrams = kt_ints(2, 0)));
    check_learnt(kt_text_vectorization(.output_mode = "count", .ngrams = kt_ints(2, 1)));
    check_learnt(kt_text_vectorization(.output_mode = "tf_idf", .split = "character"));
    check_learnt(kt_text_vectorization(40, .output_mode = "tf_idf", .pad_to_max_tokens = true));
    kt_sym *x = kt_input({1}, .dtype = "string");
    kt_layer *l = kt_string_lookup(
            .vocabulary = kt_names("a", "", "cat"), .num_oov_indices = 3, .salt = kt_ints(9));
    check_reload(kt_functional(x, kt_call(l, x)), sentences());
    l = kt_retain(kt_string_lookup(.mask_token = ""));
    kt_tensor *words = sentences();
    kt_check_status(kt_string_lookup_adapt(l, words), KT_OK);
    x = kt_input({1}, .dtype = "string");
    check_reload(kt_functional(x, kt_call(l, x)), words);
    kt_free(l);
    x = kt_input({1}, .dtype = "string");
    l = kt_hashing(9, .mask_value_text = "", .salt = kt_ints(9));
    check_reload(kt_functional(x, kt_call(l, x)), sentences());
}

KT_TEST(texts, nothing_is_computed_without_a_vocabulary) {
    kt_sym *x = kt_input({1}, .dtype = "string");
    kt_layer *l = kt_retain(kt_text_vectorization(.output_sequence_length = 2));
    kt_model *m = kt_functional(x, kt_call(l, x));
    kt_tensor *data = sentences(), *words = kt_strings("cat", "dog");
    kt_check_fails(kt_model_predict(m, data, .verbose = 0), KT_ESTATE, "vocabulary");
    kt_check_fails(kt_text_vectorization_indices(l, data), KT_ESTATE, "vocabulary");
    assert_int_equal(kt_text_vectorization_vocabulary_size(l), 2);
    kt_check_status(kt_text_vectorization_set_vocabulary(l, words, NULL), KT_OK);
    assert_int_equal(kt_text_vectorization_vocabulary_size(l), 4);
    kt_tensor *y = kt_model_predict(m, data, .verbose = 0);
    kt_check_values(y, 0, 0, 1, 2, 1, 3, 0, 0, 2, 0);
    const void *all[] = {l, m, data, words, y};
    for (int i = 0; i < 5; i++) kt_free(all[i]);
}

/* A stack without an input takes what it is first given. */
KT_TEST(texts, a_stack_without_an_input) {
    kt_layer *l = kt_text_vectorization(.vocabulary = kt_names("cat"), .output_sequence_length = 2);
    kt_model *m = kt_sequential(kt_list(l));
    kt_tensor *data = sentences(), *y = kt_model_predict(m, data, .verbose = 0);
    kt_check_values(y, 0, 0, 1, 2, 1, 1, 0, 0, 2, 0);
    const void *all[] = {m, data, y};
    for (int i = 0; i < 3; i++) kt_free(all[i]);
}

/* Texts come out of models too, in several batches, and go through what only moves them. */
KT_TEST(texts, outputs) {
    kt_sym *x = kt_input({2}, .dtype = "string");
    kt_layer *there = kt_string_lookup(.vocabulary = kt_names("b", "a"));
    kt_layer *back = kt_string_lookup(.vocabulary = kt_names("b", "a"), .invert = true);
    kt_sym *y = kt_call(back, kt_call(there, kt_op_reshape(x, kt_dims(-1, 1))));
    kt_model *m = kt_functional(x, y);
    kt_tensor *data = kt_tensor_new(
        KT_STRING, kt_dims(3, 2), (const char *[]){"a", "b", "c", "a", "b", "b"});
    kt_tensor *out = kt_model_predict(m, data, .batch_size = 2, .verbose = 0);
    kt_check_ok(out);
    kt_free(m);
    const char *want[] = {"a", "b", "[UNK]", "a", "b", "b"};
    for (int i = 0; i < 6; i++) assert_string_equal(kt_tensor_text(out, i), want[i]);
    kt_free(data);
    kt_free(out);
}

KT_TEST(texts, nothing_else_takes_them) {
    kt_sym *x = kt_input({2}, .dtype = "string"), *n = kt_input({2});
    kt_check_fails(kt_call(kt_dense(2), x), KT_EDTYPE, "texts");
    kt_check_fails(kt_op_add(x, x), KT_EDTYPE, "texts");
    kt_check_fails(kt_op_cast(x, "float32"), KT_EDTYPE, "cast: texts");
    kt_check_fails(kt_op_cast(n, "string"), KT_EDTYPE, "cast: texts");
    kt_check_fails(kt_call(kt_string_lookup(), n), KT_EDTYPE, "float32");
    kt_check_fails(kt_call(kt_text_vectorization(.output_mode = "count"), n), KT_EDTYPE, "float32");
    kt_check_fails(
        kt_call(kt_text_vectorization(.vocabulary = kt_names("a")), x), KT_ESHAPE, "rank");
    refused(kt_dense(2, .dtype = "string"), KT_EUNSUPPORTED, "string");
    kt_model *m = kt_functional(n, kt_call(kt_dense(1), n));
    kt_tensor *texts = kt_tensor_new(KT_STRING, kt_dims(2, 2), NULL);
    kt_tensor *numbers = kt_tensor_new(KT_FLOAT32, kt_dims(2, 2), NULL);
    kt_check_fails(kt_model_predict(m, texts, .verbose = 0), KT_EDTYPE, "float32");
    kt_check_status(kt_model_compile(m, "sgd", "mse"), KT_OK);
    kt_check_fails(kt_model_fit(m, numbers, texts, .verbose = 0), KT_EDTYPE, "texts");
    kt_free(m);
    kt_sym *y = kt_input({2}, .dtype = "string");
    m = kt_functional(y, kt_call(kt_string_lookup(.vocabulary = kt_names("a")), y));
    kt_check_fails(kt_model_predict(m, numbers, .verbose = 0), KT_EDTYPE, "string");
    const void *all[] = {m, texts, numbers};
    for (int i = 0; i < 3; i++) kt_free(all[i]);
    kt_clear_session();
}

static void take(const char *text, size_t n, kt_status want, const char *word) {
    kt_layer *l = kt_string_lookup(.mask_token = "", .max_tokens = 5);
    kt_check_status(kt_lookup_take_asset(l, text, n), want);
    if (want && !strstr(kt_error_message(), word)) fail_msg("%s: %s", word, kt_error_message());
    kt_free(l);
}

KT_TEST(texts, vocabulary_files) {
    take(
        "\n[UNK]\na\r\nb\x1c"
        "c\n\n",
        14,
        KT_OK,
        "");
    take("a\nb\na", 5, KT_EINVAL, "repeated");
    take("a\n\nb", 4, KT_EINVAL, "mask token");
    take("a\0b", 3, KT_EFORMAT, "UTF-8");
    take("a\xff", 2, KT_EFORMAT, "UTF-8");
    take("\xed\xa0\x80", 3, KT_EFORMAT, "UTF-8");
    take("a\nb\nc\nd", 7, KT_EINVAL, "maximum vocab size");
    take("", 0, KT_OK, "");
    kt_layer *l = kt_string_lookup(.vocabulary = kt_names("a\nb"));
    kt_str text = {0};
    kt_check_status(kt_lookup_put_asset(l, &text), KT_EUNSUPPORTED);
    kt_free(l);
    l = kt_string_lookup(.vocabulary = kt_names("a", ""));
    kt_check_status(kt_lookup_put_asset(l, &text), KT_EUNSUPPORTED);
    kt_str_free(&text);
    kt_free(l);
}

KT_TEST(texts, adapting_what_is_none) {
    kt_tensor *numbers = kt_tensor_new(KT_FLOAT32, kt_dims(2), NULL), *blank = kt_strings(" ", "!");
    kt_tensor *none = kt_tensor_new(KT_STRING, kt_dims(0), NULL), *texts = sentences();
    kt_layer *l = kt_text_vectorization(), *fixed = kt_string_lookup(.vocabulary = kt_names("a"));
    kt_check_status(kt_text_vectorization_adapt(l, numbers), KT_EDTYPE);
    kt_check_status(kt_text_vectorization_adapt(l, none), KT_EINVAL);
    kt_check_status(kt_text_vectorization_adapt(l, NULL), KT_EINVAL);
    kt_check_status(kt_text_vectorization_adapt(l, blank), KT_EINVAL);
    kt_check_status(kt_text_vectorization_adapt(fixed, texts), KT_EINVAL);
    kt_check_status(kt_string_lookup_adapt(fixed, texts), KT_ESTATE);
    kt_check_status(kt_string_lookup_set_vocabulary(fixed, numbers, NULL), KT_EDTYPE);
    assert_int_equal(kt_text_vectorization_vocabulary_size(fixed), -1);
    const void *all[] = {numbers, blank, none, texts, l, fixed};
    for (int i = 0; i < 6; i++) kt_free(all[i]);
}
