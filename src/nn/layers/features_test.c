/* Layers that prepare features: what they refuse, dtypes, files. Values: features_golden_test.c. */
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

/* What a call gives for an input of that shape and dtype. */
static kt_sym *called(kt_layer *l, const char *dtype, int64_t length) {
    kt_input_args a = {.size = sizeof a, .shape = {length}, .batch_size = KT_NONE, .dtype = dtype};
    return kt_call(l, kt_input_new(&a));
}

static void check_output(kt_layer *l, int64_t length, kt_dtype dtype, kt_shape want) {
    kt_sym *y = called(l, "int64", length);
    kt_check_ok(y);
    assert_int_equal(kt_sym_dtype(y), dtype);
    const kt_shape s = kt_sym_shape(y);
    assert_true(kt_shape_equal(&s, &want));
    kt_clear_session();
}

KT_TEST(features, outputs) {
    check_output(kt_category_encoding(6), 3, KT_FLOAT32, kt_dims(KT_NONE, 6));
    check_output(kt_category_encoding(6, "one_hot"), 3, KT_FLOAT32, kt_dims(KT_NONE, 3, 6));
    check_output(kt_category_encoding(6, "one_hot"), 1, KT_FLOAT32, kt_dims(KT_NONE, 6));
    check_output(
        kt_category_encoding(6, "binary", .dtype = "int64"), 3, KT_INT64, kt_dims(KT_NONE, 6));
    check_output(kt_category_encoding(6, .dtype = "float64"), 3, KT_FLOAT64, kt_dims(KT_NONE, 6));
    check_output(kt_hashing(6), 3, KT_INT64, kt_dims(KT_NONE, 3));
    check_output(kt_hashing(6, .dtype = "int32"), 3, KT_INT32, kt_dims(KT_NONE, 3));
    check_output(kt_hashing(6, .output_mode = "count"), 3, KT_FLOAT32, kt_dims(KT_NONE, 6));
    kt_set_dtype_policy("float64"); /* of computation: numbers of bins stay integers */
    check_output(kt_hashing(6), 3, KT_INT64, kt_dims(KT_NONE, 3));
    kt_set_dtype_policy("float32");
}

KT_TEST(features, arguments_that_are_wrong) {
    refused(kt_category_encoding(), KT_EINVAL, "num_tokens");
    refused(kt_category_encoding(-2), KT_EINVAL, "-2");
    refused(kt_category_encoding(3, "int"), KT_EINVAL, "output_mode");
    refused(kt_category_encoding(3, NULL), KT_EINVAL, "output_mode");
    refused(kt_category_encoding(3, .sparse = true), KT_EUNSUPPORTED, "sparse");
    refused(kt_category_encoding(3, .dtype = "int7"), KT_EINVAL, "int7");
    refused(kt_hashing(), KT_EINVAL, "num_bins");
    refused(kt_hashing(3, .output_mode = "tf_idf"), KT_EINVAL, "output_mode");
    refused(kt_hashing(3, .salt = kt_ints(1, 2, 3)), KT_EINVAL, "salt");
    refused(kt_hashing(3, 1, .mask_value_text = "1"), KT_EINVAL, "mask_value");
    refused(kt_hashing(3, .dtype = "float32"), KT_EINVAL, "int32");
    refused(kt_hashing(3, .output_mode = "count", .sparse = true), KT_EUNSUPPORTED, "sparse");
    refused(kt_hashed_crossing(0), KT_EINVAL, "num_bins");
    refused(kt_hashed_crossing(3, "count"), KT_EINVAL, "output_mode");
    refused(kt_discretization(), KT_EINVAL, "num_bins");
    refused(kt_discretization(.num_bins = -1), KT_EINVAL, "-1");
    refused(kt_discretization(.num_bins = 3, .epsilon = 0), KT_EINVAL, "epsilon");
    refused(kt_discretization(.bin_boundaries = kt_floats(1, 0)), KT_EINVAL, "ascending");
    refused(kt_discretization(.num_bins = 3, .output_mode = "tf_idf"), KT_EINVAL, "output_mode");
    refused(kt_discretization(.num_bins = 3, .sparse = true), KT_EUNSUPPORTED, "sparse");
    const kt_ints_t words = kt_ints(5, 6, 7);
    refused(kt_integer_lookup(1), KT_EINVAL, "max_tokens");
    refused(kt_integer_lookup(.num_oov_indices = -1), KT_EINVAL, "num_oov_indices");
    refused(kt_integer_lookup(.pad_to_max_tokens = true), KT_EINVAL, "max_tokens");
    refused(kt_integer_lookup(.output_mode = "words"), KT_EINVAL, "output_mode");
    refused(kt_integer_lookup(.oov_method = "md5"), KT_EINVAL, "oov_method");
    refused(kt_integer_lookup(.salt = kt_ints(1)), KT_EINVAL, "farmhash");
    refused(kt_integer_lookup(.vocabulary_dtype = "int32"), KT_EINVAL, "vocabulary_dtype");
    refused(kt_integer_lookup(.invert = true, .output_mode = "count"), KT_EINVAL, "invert");
    refused(kt_integer_lookup(.invert = true, .oov_token = KT_NONE), KT_EINVAL, "oov_token");
    refused(kt_integer_lookup(.vocabulary = kt_ints(1, 2, 1)), KT_EINVAL, "repeated");
    refused(kt_integer_lookup(.vocabulary = words, .mask_token = 6), KT_EINVAL, "mask token 6");
    refused(kt_integer_lookup(3, .vocabulary = words), KT_EINVAL, "maximum vocab size");
    refused(
        kt_integer_lookup(.vocabulary = words, .idf_weights = kt_floats(1, 2, 3)),
        KT_EINVAL,
        "tf_idf");
    refused(
        kt_integer_lookup(.vocabulary = words, .output_mode = "tf_idf"), KT_EINVAL, "same length");
    refused(kt_integer_lookup(.sparse = true, .output_mode = "count"), KT_EUNSUPPORTED, "sparse");
    refused(kt_dense(3, .dtype = "int64"), KT_EUNSUPPORTED, "int64"); /* these alone may */
}

static void call_refused(kt_sym *y, kt_status want, const char *word) {
    kt_check_status(kt_check(y), want);
    if (!strstr(kt_error_message(), word)) fail_msg("%s: %s", word, kt_error_message());
    kt_clear_session();
}

KT_TEST(features, inputs_that_are_wrong) {
    call_refused(called(kt_hashing(3), "bool", 2), KT_EDTYPE, "bool");
    kt_sym *a = kt_input({2}, .dtype = "int64"), *b = kt_input({1}, .dtype = "int64");
    call_refused(kt_call(kt_hashed_crossing(3), kt_list(a, a)), KT_ESHAPE, "batch");
    b = kt_input({1}, .dtype = "int64");
    call_refused(kt_call(kt_hashed_crossing(3), kt_list(b, kt_input({1}))), KT_EDTYPE, "float32");
    a = kt_input({2}, .dtype = "string");
    call_refused(kt_call(kt_hashing(3, 0), a), KT_EDTYPE, "mask_value");
    a = kt_input({2}, .dtype = "int64");
    call_refused(kt_call(kt_hashing(3, .mask_value_text = "a"), a), KT_EDTYPE, "int64");
    a = kt_input({2}, .dtype = "int64");
    call_refused(
        kt_call(kt_category_encoding(3), kt_list(a, kt_input({2}))), KT_EINVAL, "count_weights");
    a = kt_input({2}, .dtype = "int64");
    call_refused(
        kt_call(kt_category_encoding(3, "count"), kt_list(a, kt_input({3}))),
        KT_ESHAPE,
        "count_weights");
    a = kt_input({8}, .batch_size = 1 << 10, .dtype = "int64");
    call_refused(kt_call(kt_category_encoding(1 << 22), a), KT_ELIMIT, "too many");
}

/* Predictions before saving and after loading. */
static void check_reload(kt_model *m, kt_ref x) {
    char path[300];
    snprintf(path, sizeof path, "/tmp/keratin_%d_features.keras", (int)getpid());
    kt_check_ok(m);
    kt_retain(x);
    kt_tensor *before = kt_model_predict(m, x, .verbose = 0);
    kt_check_ok(before);
    kt_check_status(kt_model_save(m, path), KT_OK);
    kt_model *again = kt_load_model(path);
    kt_check_ok(again);
    kt_tensor *after = kt_model_predict(again, x, .verbose = 0);
    kt_check_ok(after);
    assert_int_equal(kt_tensor_dtype(before), kt_tensor_dtype(after));
    kt_check_tensors_near(after, before, 0, 0);
    remove(path);
    kt_free(x);
    kt_free(before);
    kt_free(after);
    kt_free(m);
    kt_free(again);
    kt_clear_session();
}

static kt_tensor *big_ids(void) { /* as doubles the first two are the same */
    const int64_t v[6] = {(INT64_C(1) << 53) + 1, INT64_C(1) << 53, -7, 0, INT64_MAX, INT64_MIN};
    return kt_tensor_new(KT_INT64, kt_dims(3, 2), v);
}

KT_TEST(features, files_keep_everything) {
    kt_sym *x = kt_input({2}, .dtype = "int64");
    kt_layer *l = kt_hashing(1 << 20, 0, .salt = kt_ints(INT64_C(1) << 60, 5), .dtype = "int32");
    check_reload(kt_functional(x, kt_call(l, x)), big_ids());
    x = kt_input({2}, .dtype = "int64");
    kt_sym *w = kt_input({2});
    kt_sym *y = kt_call(kt_category_encoding(4, "count"), kt_list(x, w));
    const int32_t ids[4] = {0, 1, 3, 3};
    const float weights[4] = {0.5f, 2, 0.25f, 1};
    check_reload(
        kt_functional(kt_list(x, w), y),
        kt_list(
            kt_tensor_new(KT_INT32, kt_dims(2, 2), ids),
            kt_tensor_new(KT_FLOAT32, kt_dims(2, 2), weights)));
}

static kt_tensor *numbers(void) {
    const float v[6] = {-1.5f, 1, 3.4f, 0.5f, 0, 1.3f};
    return kt_tensor_new(KT_FLOAT32, kt_dims(3, 2), v);
}

KT_TEST(features, discretization_adapts_before_it_runs) {
    kt_layer *l = kt_retain(kt_discretization(.num_bins = 3, .output_mode = "one_hot"));
    kt_sym *x = kt_input({2});
    kt_model *m = kt_functional(x, kt_call(l, x));
    kt_check_ok(m);
    kt_tensor *data = numbers(), *y = kt_model_predict(m, data, .verbose = 0);
    kt_check_status(kt_check(y), KT_ESTATE);
    assert_non_null(strstr(kt_error_message(), "boundaries"));
    kt_check_status(kt_discretization_adapt(l, data), KT_OK);
    kt_free(data);
    kt_free(l);
    check_reload(m, numbers());
}

KT_TEST(features, discretization_refuses_to_adapt) {
    kt_tensor *data = numbers(), *none = kt_tensor_new(KT_FLOAT32, kt_dims(0, 2), NULL);
    kt_layer *fixed = kt_discretization(.bin_boundaries = kt_floats(0)), *dense = kt_dense(2);
    kt_layer *l = kt_discretization(.num_bins = 3), *zero = kt_discretization(.num_bins = 0);
    kt_check_status(kt_discretization_adapt(fixed, data), KT_ESTATE);
    kt_check_status(kt_discretization_adapt(dense, data), KT_EINVAL);
    kt_check_status(kt_discretization_adapt(zero, data), KT_EINVAL);
    kt_check_status(kt_discretization_adapt(l, none), KT_EINVAL);
    kt_check_status(kt_discretization_adapt(l, NULL), KT_EINVAL);
    kt_check_status(kt_discretization_adapt(l, kt_list("mean")), KT_EINVAL);
    kt_check_status(kt_discretization_adapt(NULL, data), KT_EINVAL);
    const void *all[] = {data, none, fixed, dense, l, zero};
    for (int i = 0; i < 6; i++) kt_free(all[i]);
}

/* A model of one lookup layer that learns its vocabulary from big_ids(). */
static void check_learnt(kt_layer *given) {
    kt_layer *l = kt_retain(given);
    kt_tensor *data = big_ids();
    kt_check_status(kt_integer_lookup_adapt(l, data), KT_OK);
    kt_sym *x = kt_input({2}, .dtype = "int64");
    kt_model *m = kt_functional(x, kt_call(l, x));
    kt_free(l);
    check_reload(m, data);
}

KT_TEST(features, files_keep_a_vocabulary) {
    check_learnt(kt_integer_lookup());
    check_learnt(kt_integer_lookup(6, .mask_token = 0, .output_mode = "multi_hot"));
    check_learnt(kt_integer_lookup(.output_mode = "tf_idf"));
    check_learnt(kt_integer_lookup(20, .output_mode = "tf_idf", .pad_to_max_tokens = true));
    kt_sym *x = kt_input({2}, .dtype = "int64");
    kt_layer *l = kt_integer_lookup(
            .vocabulary = kt_ints(-7, INT64_MAX, INT64_MIN + 1),
            .num_oov_indices = 3,
            .salt = kt_ints(9),
            .oov_method = "farmhash");
    check_reload(kt_functional(x, kt_call(l, x)), big_ids());
    x = kt_input({2}, .dtype = "int64"); /* one that knows none yet: all are out of it afterwards */
    kt_model *m = kt_functional(x, kt_call(kt_integer_lookup(), x));
    kt_tensor *data = big_ids(), *y = kt_model_predict(m, data, .verbose = 0);
    kt_check_status(kt_check(y), KT_ESTATE);
    kt_free(data);
    kt_free(m);
}

KT_TEST(features, a_vocabulary_is_set_anew) {
    const int64_t words[3] = {4, 5, 6}, others[2] = {6, 5};
    kt_tensor *data = kt_tensor_new(KT_INT64, kt_dims(1, 3), words);
    kt_tensor *first = kt_tensor_new(KT_INT64, kt_dims(3), words);
    kt_tensor *second = kt_tensor_new(KT_INT64, kt_dims(2), others);
    kt_layer *l = kt_retain(kt_integer_lookup());
    kt_check_status(kt_integer_lookup_set_vocabulary(l, first, NULL), KT_OK);
    kt_check_status(kt_integer_lookup_set_vocabulary(l, first, data), KT_EINVAL);
    kt_check_status(kt_integer_lookup_set_vocabulary(l, NULL, NULL), KT_EINVAL);
    kt_sym *x = kt_input({3}, .dtype = "int64");
    kt_model *m = kt_functional(x, kt_call(l, x));
    kt_tensor *y = kt_model_predict(m, data, .verbose = 0);
    kt_check_values(y, 0, 0, 1, 2, 3);
    kt_free(y);
    kt_check_status(kt_integer_lookup_set_vocabulary(l, second, NULL), KT_OK);
    y = kt_model_predict(m, data, .verbose = 0);
    kt_check_values(y, 0, 0, 0, 2, 1);
    kt_tensor *words_now = kt_integer_lookup_vocabulary(l, false);
    kt_check_values(words_now, 0, 0, 6, 5);
    const void *all[] = {data, first, second, l, m, y, words_now};
    for (int i = 0; i < 7; i++) kt_free(all[i]);
}

KT_TEST(features, lookups_refuse_to_adapt) {
    kt_tensor *ids = big_ids(), *floats = numbers();
    kt_tensor *none = kt_tensor_new(KT_INT64, kt_dims(0, 2), NULL);
    kt_layer *fixed = kt_integer_lookup(.vocabulary = kt_ints(1)), *l = kt_integer_lookup();
    kt_layer *dense = kt_dense(1);
    kt_check_status(kt_integer_lookup_adapt(fixed, ids), KT_ESTATE);
    kt_check_status(kt_integer_lookup_adapt(l, floats), KT_EDTYPE);
    kt_check_status(kt_integer_lookup_adapt(l, none), KT_EINVAL);
    kt_check_status(kt_integer_lookup_adapt(l, NULL), KT_EINVAL);
    kt_check_status(kt_integer_lookup_adapt(dense, ids), KT_EINVAL);
    kt_check_status(kt_check(kt_integer_lookup_vocabulary(dense, true)), KT_EINVAL);
    const void *all[] = {ids, floats, none, fixed, l, dense};
    for (int i = 0; i < 6; i++) kt_free(all[i]);
}

KT_TEST(features, no_oov_index_means_no_other_token) {
    kt_sym *x = kt_input({2}, .dtype = "int64");
    kt_layer *l = kt_integer_lookup(.vocabulary = kt_ints(-7, 0), .num_oov_indices = 0);
    kt_model *m = kt_functional(x, kt_call(l, x));
    kt_tensor *ids = big_ids(), *y = kt_model_predict(m, ids, .verbose = 0);
    kt_check_status(kt_check(y), KT_EINVAL);
    assert_non_null(strstr(kt_error_message(), "num_oov_indices=0"));
    kt_free(ids);
    kt_free(m);
}

KT_TEST(features, all_bits_of_an_integer_count) {
    kt_sym *x = kt_input({2}, .dtype = "int64");
    kt_model *m = kt_functional(x, kt_call(kt_hashing(1 << 30), x));
    kt_tensor *ids = big_ids(), *y = kt_model_predict(m, ids, .verbose = 0);
    kt_check_ok(y);
    assert_true(kt_tensor_get(y, 0) != kt_tensor_get(y, 1));
    kt_free(y);
    kt_free(ids);
    kt_free(m);
}
