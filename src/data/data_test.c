/* The utilities on host arrays and sequences against real Keras (tests/golden/data.npz), and what
 * they say to bad arguments. */
#include "base/error.h"
#include "io/npz.h"
#include "tensor/sequences.h"
#include "testing/kt_test.h"

#include <keratin/sequences.h>
#include <keratin/utils.h>

#include <math.h>
#include <string.h>

static kt_npz *golden;

static void golden_open(void) {
    kt_check_status(kt_npz_open(&golden, "tests/golden/data.npz"), KT_OK);
}

static void check_equal(const kt_tensor *got, const char *member, double rtol) {
    const kt_tensor *want = kt_npz_read(golden, member);
    if (kt_failed(got)) fail_msg("%s: %s", member, kt_error_message());
    kt_check_status(kt_check(want), KT_OK);
    const kt_shape a = kt_tensor_shape(got), b = kt_tensor_shape(want);
    if (a.ndim != b.ndim || memcmp(a.dim, b.dim, sizeof a.dim) != 0) fail_msg("%s: shapes", member);
    assert_int_equal(kt_tensor_dtype(got), kt_tensor_dtype(want));
    for (int64_t i = 0; i < kt_tensor_size(want); i++)
        kt_check_near(kt_tensor_get(got, i), kt_tensor_get(want, i), rtol, 0);
}

/* [[1], [], [2, 3], [4, 5, 6, 7, 8]] */
static kt_sequences *some(void) {
    return kt_sequences_new(4, (int64_t[]){1, 0, 2, 5}, (int32_t[]){1, 2, 3, 4, 5, 6, 7, 8});
}

KT_TEST(data, pad_sequences_as_keras) {
    golden_open();
    kt_sequences *s = some();
    check_equal(kt_pad_sequences(s), "pad/plain", 0);
    check_equal(kt_pad_sequences(s, 3), "pad/short", 0);
    check_equal(kt_pad_sequences(s, 4, .padding = "post"), "pad/post", 0);
    check_equal(kt_pad_sequences(s, 2, .truncating = "post"), "pad/cut_post", 0);
    check_equal(kt_pad_sequences(s, .dtype = "float32", .value = -1.5), "pad/float", 0);
    check_equal(kt_pad_sequences(s, 3, "int32", "post", "post", 9), "pad/both_post", 0);
    assert_int_equal(kt_tensor_dim(kt_pad_sequences(s, 0), 1), 0);
    kt_npz_close(golden);
}

KT_TEST(data, pad_sequences_rejects) {
    kt_sequences *s = some();
    kt_check_fails(kt_pad_sequences(s, -1), KT_EINVAL, "maxlen: expected a length >= 0, got -1");
    kt_check_fails(kt_pad_sequences(s, .padding = "pos"), KT_EINVAL, "did you mean \"post\"?");
    kt_check_fails(kt_pad_sequences(s, .truncating = NULL), KT_EINVAL, "truncating: unknown name");
    kt_check_fails(kt_pad_sequences(s, .dtype = "int16"), KT_EINVAL, "dtype: unknown name");
    kt_check_fails(kt_pad_sequences(NULL), KT_EINVAL, "sequences: expected sequences, got None");
    kt_check_fails(kt_pad_sequences(kt_fail_object(KT_EIO)), KT_EIO, "");
    kt_check_fails(
        kt_pad_sequences(kt_sequences_new(0, NULL, NULL)), KT_EINVAL, "there is no sequence");
    kt_check_fails(kt_pad_sequences(s, INT64_MAX / 2), KT_ESHAPE, "than memory can hold");
    assert_int_equal(kt_tensor_size(kt_pad_sequences(kt_sequences_new(0, NULL, NULL), 7)), 0);
}

KT_TEST(data, sequences_hold_lists) {
    kt_sequences *s = some();
    assert_int_equal(kt_sequences_count(s), 4);
    assert_int_equal(kt_sequences_len(s, 1), 0);
    assert_int_equal(kt_sequences_get(s, 3)[4], 8);
    assert_null(kt_sequences_get(s, 4));
    assert_null(kt_sequences_get(s, -1));
    assert_int_equal(kt_sequences_len(s, 4), 0);
    kt_sequences *part = kt_sequences_slice(s, 1, 3);
    assert_int_equal(kt_sequences_count(part), 2);
    assert_int_equal(kt_sequences_get(part, 1)[1], 3);
    kt_check_fails(kt_sequences_slice(s, 3, 5), KT_EINVAL, "stop <= 4, got 3 and 5");
    kt_check_fails(kt_sequences_new(-1, NULL, NULL), KT_EINVAL, "count >= 0");
    kt_check_fails(kt_sequences_new(1, NULL, NULL), KT_EINVAL, "as many lengths");
    kt_check_fails(kt_sequences_new(1, (int64_t[]){-2}, NULL), KT_EINVAL, "got -2 at position 0");
    kt_check_fails(kt_sequences_new(1, (int64_t[]){2}, NULL), KT_EINVAL, "the ids, got NULL");
    kt_check_fails(
        kt_sequences_new(2, (int64_t[]){INT64_MAX, 1}, NULL), KT_EINVAL, "at position 1");
    assert_int_equal(kt_sequences_count(NULL), 0);
}

KT_TEST(data, sequences_to_matrix_counts_words) {
    kt_sequences *s = kt_sequences_new(3, (int64_t[]){3, 0, 1}, (int32_t[]){2, 0, 2, 1});
    const float binary[] = {1, 0, 1, 0, 0, 0, 0, 1, 0}, count[] = {1, 0, 2, 0, 0, 0, 0, 1, 0};
    kt_tensor *x = kt_sequences_to_matrix(s), *n = kt_sequences_to_matrix(s, .mode = "count");
    kt_tensor *f = kt_sequences_to_matrix(s, 4, "freq");
    assert_memory_equal(kt_tensor_data(x), binary, sizeof binary);
    assert_memory_equal(kt_tensor_data(n), count, sizeof count);
    kt_check_near(kt_tensor_get(f, 2), 2.0 / 3, 1e-7, 0);
    assert_int_equal(kt_tensor_dim(f, 1), 4);
    kt_check_fails(kt_sequences_to_matrix(s, 2), KT_EINVAL, "id 2 at position 0 of sequence 0");
    kt_check_fails(kt_sequences_to_matrix(s, -2), KT_EINVAL, "num_words");
    kt_check_fails(kt_sequences_to_matrix(s, .mode = "tfidf"), KT_EINVAL, "mode: unknown name");
    kt_check_fails(kt_sequences_to_matrix(NULL), KT_EINVAL, "expected sequences");
    s = kt_sequences_new(1, (int64_t[]){1}, (int32_t[]){-1});
    kt_check_fails(kt_sequences_to_matrix(s, 5), KT_EINVAL, "id -1 at position 0 of sequence 0");
}

KT_TEST(data, to_categorical_as_keras) {
    golden_open();
    kt_tensor *row = kt_tensor_new(KT_INT64, kt_dims(3), (int64_t[]){0, 2, 1});
    kt_tensor *column = kt_tensor_new(KT_UINT8, kt_dims(2, 1), (uint8_t[]){3, 0});
    kt_tensor *table = kt_tensor_new(KT_FLOAT32, kt_dims(2, 2), (float[]){1, 0, 2.7f, 1});
    check_equal(kt_to_categorical(row), "categorical/row", 0);
    check_equal(kt_to_categorical(row, 6), "categorical/row_6", 0);
    check_equal(kt_to_categorical(column), "categorical/column", 0);
    check_equal(kt_to_categorical(column, 6), "categorical/column_6", 0);
    check_equal(kt_to_categorical(table), "categorical/table", 0);
    check_equal(kt_to_categorical(table, 6), "categorical/table_6", 0);
    kt_npz_close(golden);
}

KT_TEST(data, to_categorical_rejects) {
    kt_tensor *t = kt_tensor_new(KT_FLOAT32, kt_dims(3), (float[]){0, 2, -1});
    kt_check_fails(kt_to_categorical(t), KT_EINVAL, "x: -1 at position 2 is no class number");
    kt_check_fails(kt_to_categorical(t, 2), KT_EINVAL, "x: 2 at position 1 is no class number");
    kt_check_fails(kt_to_categorical(t, -3), KT_ESHAPE, "dimensions >= 0");
    kt_tensor_set(t, 0, NAN);
    kt_check_fails(kt_to_categorical(t), KT_EINVAL, "nan is no class number");
    kt_check_fails(kt_to_categorical(t, 3), KT_EINVAL, "nan at position 0");
    kt_check_fails(kt_to_categorical(NULL), KT_EINVAL, "expected an array");
    t = kt_tensor_new(KT_FLOAT32, kt_dims(0), NULL);
    kt_check_fails(kt_to_categorical(t), KT_EINVAL, "there is no label");
    assert_int_equal(kt_tensor_size(kt_to_categorical(t, 3)), 0);
    t = kt_tensor_new(KT_UINT8, kt_dims(1, 1, 1, 1, 1, 1, 1, 2), NULL);
    kt_check_fails(kt_to_categorical(t), KT_ELIMIT, "already has 8 dimensions");
}

KT_TEST(data, normalize_as_keras) {
    golden_open();
    kt_tensor *x = kt_npz_read(golden, "normalize/x");
    check_equal(kt_normalize(x), "normalize/2", 1e-6);
    check_equal(kt_normalize(x, .order = 0), "normalize/0", 1e-6);
    check_equal(kt_normalize(x, .order = 1), "normalize/1", 1e-6);
    check_equal(kt_normalize(x, .order = 3), "normalize/3", 1e-6);
    check_equal(kt_normalize(x, .order = INFINITY), "normalize/inf", 1e-6);
    check_equal(kt_normalize(x, -1, -INFINITY), "normalize/-inf", 1e-6);
    check_equal(kt_normalize(kt_tensor_reshape(x, kt_dims(3, 2, 2)), 1), "normalize/middle", 1e-6);
    kt_npz_close(golden);
    kt_tensor *i = kt_tensor_new(KT_INT32, kt_dims(2, 1), (int32_t[]){3, 4});
    kt_check_near(kt_tensor_get(kt_normalize(i, 0), 1), 0.8, 1e-15, 0);
    assert_int_equal(kt_tensor_dtype(kt_normalize(i)), KT_FLOAT64);
    kt_check_fails(kt_normalize(i, 2), KT_EINVAL, "an array of 2 dimensions has no axis 2");
    kt_check_fails(kt_normalize(i, .order = NAN), KT_EINVAL, "order: got nan");
    kt_check_fails(kt_normalize(NULL), KT_EINVAL, "expected an array");
    assert_int_equal(
        kt_tensor_size(kt_normalize(kt_tensor_new(KT_INT32, kt_dims(0, 3), NULL), 0)), 0);
}
