/* The loaders against Keras' own: small files with every argument (tests/golden/data.npz), and the
 * real reviews where they are. */
#include "base/fs.h"
#include "base/mem.h"
#include "base/obj.h"
#include "data/builtin/text.h"
#include "testing/kt_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef KT_SOURCE_DIR
#define KT_SOURCE_DIR "." /* tests run in the top folder */
#endif
#define SHARED KT_SOURCE_DIR "/../shared/"

static kt_npz *golden;

/* The path of a data set's file, written out of the golden file. */
static const char *file_of(const char *name) {
    static char path[64];
    char member[64];
    snprintf(member, sizeof member, "files/%s", name);
    snprintf(path, sizeof path, "/tmp/kt_data_XXXXXX");
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    if (!golden) kt_check_status(kt_npz_open(&golden, "tests/golden/data.npz"), KT_OK);
    const kt_tensor *bytes = kt_npz_read(golden, member);
    kt_check_status(kt_fs_save(path, kt_tensor_data(bytes), (size_t)kt_tensor_size(bytes)), KT_OK);
    return path;
}

static void done(const char *path) {
    remove(path);
    kt_npz_close(golden);
    golden = NULL;
}

static kt_tensor *member_of(const char *name, const char *part) {
    char member[64];
    snprintf(member, sizeof member, "%s/%s", name, part);
    kt_tensor *t = kt_npz_read(golden, member);
    if (kt_failed(t)) fail_msg("%s: %s", member, kt_error_message());
    return t;
}

static void check_tensor(const kt_tensor *got, const char *name, const char *part) {
    const kt_tensor *want = member_of(name, part);
    assert_int_equal(kt_tensor_dtype(got), kt_tensor_dtype(want));
    assert_int_equal(kt_tensor_size(got), kt_tensor_size(want));
    for (int64_t i = 0; i < kt_tensor_size(want); i++)
        assert_true(kt_tensor_get(got, i) == kt_tensor_get(want, i));
}

static void check_sequences(const kt_sequences *got, const char *name, const char *part) {
    char member[32];
    snprintf(member, sizeof member, "%s/lengths", part);
    const kt_tensor *lengths = member_of(name, member);
    snprintf(member, sizeof member, "%s/ids", part);
    const kt_tensor *ids = member_of(name, member);
    assert_int_equal(kt_sequences_count(got), kt_tensor_size(lengths));
    int64_t at = 0;
    for (int64_t i = 0; i < kt_tensor_size(lengths); i++) {
        assert_int_equal(kt_sequences_len(got, i), kt_tensor_get(lengths, i));
        for (int64_t k = 0; k < kt_sequences_len(got, i); k++)
            assert_int_equal(kt_sequences_get(got, i)[k], kt_tensor_get(ids, at++));
    }
}

static void check_texts(const kt_text_splits *d, const char *name) {
    if (kt_failed(d->x_test)) fail_msg("%s: %s", name, kt_error_message());
    check_sequences(d->x_train, name, "x_train");
    check_sequences(d->x_test, name, "x_test");
    check_tensor(d->y_train, name, "y_train");
    check_tensor(d->y_test, name, "y_test");
}

KT_TEST(text, imdb_as_keras) {
    kt_text_splits d;
    const char *py2 = file_of("imdb_py2.npz");
    kt_data_imdb(&d, py2);
    check_texts(&d, "imdb_plain");
    kt_data_imdb(&d, py2, .num_words = 30, .skip_top = 5, .oov_char = KT_NONE, .seed = 7);
    check_texts(&d, "imdb_drop");
    kt_data_imdb(&d, py2, .start_char = KT_NONE, .index_from = 10, .oov_char = 4, .num_words = 40);
    check_texts(&d, "imdb_moved");
    remove(py2);
    const char *py3 = file_of("imdb_py3.npz");
    kt_data_imdb(&d, py3, 30, 5);
    check_texts(&d, "imdb_words");
    kt_data_imdb(&d, py3, .start_char = KT_NONE, .index_from = 0, .maxlen = 8, .num_words = 50);
    check_texts(&d, "imdb_raw");
    done(py3);
}

KT_TEST(text, reuters_as_keras) {
    kt_text_splits d;
    const char *path = file_of("reuters.npz");
    kt_data_reuters(&d, path);
    check_texts(&d, "reuters_plain");
    kt_data_reuters(&d, path, .test_split = 0.35, .num_words = 40, .maxlen = 15, .seed = 3);
    check_texts(&d, "reuters_split");
    done(path);
    assert_int_equal(kt_data_reuters_label_names().n, 46);
    kt_check_str(kt_data_reuters_label_names().v[45], "lead");
}

static void check_splits(const kt_splits *d, const char *name) {
    if (kt_failed(d->x_test)) fail_msg("%s: %s", name, kt_error_message());
    check_tensor(d->x_train, name, "x_train");
    check_tensor(d->y_train, name, "y_train");
    check_tensor(d->x_test, name, "x_test");
    check_tensor(d->y_test, name, "y_test");
}

KT_TEST(text, housing_as_keras) {
    kt_splits d;
    const char *path = file_of("boston_housing.npz");
    kt_data_boston_housing(&d, path);
    check_splits(&d, "boston_plain");
    kt_data_boston_housing(&d, path, 0.3, 42);
    check_splits(&d, "boston_split");
    kt_check_status(kt_data_boston_housing(&d, path, 1.0), KT_EINVAL);
    kt_check_message_has("test_split: expected 0 <= test_split < 1, got 1");
    remove(path);
    path = file_of("california_housing.npz");
    kt_data_california_housing(&d, .path = path);
    check_splits(&d, "california_large");
    kt_data_california_housing(&d, "small", path, 0.25);
    check_splits(&d, "california_small");
    kt_check_status(kt_data_california_housing(&d, "tiny"), KT_EINVAL);
    kt_check_message_has("version: unknown name \"tiny\"");
    assert_int_equal(kt_check(d.x_test), KT_EINVAL);
    done(path);
}

static void check_text_failure(
    kt_status got, const kt_text_splits *d, kt_status want, const char *has) {
    kt_check_status(got, want);
    kt_check_message_has(has);
    assert_int_equal(kt_check(d->x_train), want);
    assert_int_equal(kt_check(d->y_test), want);
}

KT_TEST(text, bad_arguments) {
    kt_text_splits d;
    const char *path = file_of("imdb_py3.npz");
    check_text_failure(
        kt_data_imdb(&d, path, .seed = -1), &d, KT_EINVAL, "seed: expected a number");
    check_text_failure(kt_data_imdb(&d, path, .seed = KT_NONE), &d, KT_EINVAL, "got None");
    check_text_failure(kt_data_imdb(&d, path, .maxlen = 1), &d, KT_EINVAL, "shorter than 1");
    check_text_failure(
        kt_data_imdb(&d, path, .index_from = INT64_C(1) << 40), &d, KT_EINVAL, "index_from");
    check_text_failure(
        kt_data_imdb(&d, path, .index_from = INT32_MAX), &d, KT_EINVAL, "would not fit");
    check_text_failure(kt_data_imdb(&d, .path = NULL), &d, KT_EINVAL, "path");
    check_text_failure(kt_data_imdb(&d, "/nonexistent/x"), &d, KT_ENOTFOUND, "IMDB");
    check_text_failure(kt_data_reuters(&d, path), &d, KT_ENOTFOUND, "there is no array \"x\"");
    check_text_failure(kt_data_reuters(&d, path, .test_split = 2), &d, KT_EINVAL, "test_split");
    kt_check_status(kt_data_imdb(NULL), KT_EINVAL);
    kt_check_status(kt_data_reuters(NULL), KT_EINVAL);
    kt_check_status(kt_data_boston_housing(NULL), KT_EINVAL);
    kt_check_status(kt_data_california_housing(NULL, "tiny"), KT_EINVAL);
    done(path);
}

/* The first rows of imdb.load_data(num_words=500), saved from real Keras by somebody else. */
KT_TEST(text, real_reviews_come_in_keras_order) {
    kt_npz *head;
    kt_text_splits d;
    if (kt_npz_open(&head, SHARED "corpus/datasets/imdb_keras_head_nw500_5000_1000.npz")) {
        print_message("not run: no " SHARED "corpus\n");
        return;
    }
    const int64_t before = kt_obj_count();
    char *path = realpath(SHARED "keras-home/datasets/imdb.npz", NULL);
    assert_non_null(path);
    kt_check_status(kt_data_imdb(&d, path, .num_words = 500), KT_OK);
    free(path);
    const kt_sequences *parts[] = {d.x_train, d.x_test};
    const char *const names[] = {"arr_0", "arr_2"};
    for (int p = 0; p < 2; p++) {
        const kt_sequences *want = kt_npz_read_sequences(head, names[p]);
        assert_int_equal(kt_sequences_count(want), p ? 1000 : 5000);
        for (int64_t i = 0; i < kt_sequences_count(want); i++) {
            const int64_t n = kt_sequences_len(want, i);
            assert_int_equal(kt_sequences_len(parts[p], i), n);
            assert_memory_equal(
                kt_sequences_get(parts[p], i), kt_sequences_get(want, i), (size_t)n * 4);
        }
    }
    const kt_tensor *y = kt_npz_read(head, "arr_1");
    for (int64_t i = 0; i < 5000; i++)
        assert_true(kt_tensor_get(y, i) == kt_tensor_get(d.y_train, i));
    kt_npz_close(head);
    kt_clear_session();
    assert_int_equal(kt_obj_count(), before);
}
