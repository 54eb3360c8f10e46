/* CIFAR as Keras reads it, from small batches (tests/golden/data.npz), and what is wrong with
 * others; word indices. */
#include "base/fs.h"
#include "base/mem.h"
#include "base/obj.h"
#include "data/builtin/builtin.h"
#include "testing/kt_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#ifndef KT_SOURCE_DIR
#define KT_SOURCE_DIR "." /* tests run in the top folder */
#endif
#define TEN "cifar-10-batches-py-target/cifar-10-batches-py"
#define HUNDRED "cifar-100-python-target/cifar-100-python"

static char home[64], *old_home;
static kt_npz *golden;

static void home_make(void) {
    static const char *const folders[] = {
        "",
        "/datasets",
        "/datasets/cifar-10-batches-py-target",
        "/datasets/" TEN,
        "/datasets/cifar-100-python-target",
        "/datasets/" HUNDRED};
    char path[160];
    snprintf(home, sizeof home, "/tmp/kt_home_XXXXXX");
    assert_non_null(mkdtemp(home));
    for (int i = 1; i < 6; i++) {
        snprintf(path, sizeof path, "%s%s", home, folders[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    old_home = getenv("KERAS_HOME") ? kt_strdup(getenv("KERAS_HOME")) : NULL;
    setenv("KERAS_HOME", home, 1);
    kt_check_status(kt_npz_open(&golden, "tests/golden/data.npz"), KT_OK);
}

static void home_remove(void) {
    char command[96];
    kt_npz_close(golden);
    if (old_home)
        setenv("KERAS_HOME", old_home, 1);
    else
        unsetenv("KERAS_HOME");
    kt_mem_free(old_home);
    snprintf(command, sizeof command, "rm -r '%s'", home);
    assert_int_equal(system(command), 0);
}

static void write_file(const char *name, const void *data, size_t size) {
    char path[256];
    snprintf(path, sizeof path, "%s/datasets/%s", home, name);
    kt_check_status(kt_fs_save(path, data, size), KT_OK);
}

static void write_golden(const char *name, const char *member) {
    const kt_tensor *t = kt_npz_read(golden, member);
    write_file(name, kt_tensor_data(t), (size_t)kt_tensor_size(t));
}

static void check_equal(const kt_tensor *got, const char *mode, const char *part) {
    char member[64];
    snprintf(member, sizeof member, "cifar100_%s/%s", mode, part);
    const kt_tensor *want = kt_npz_read(golden, member);
    const kt_shape a = kt_tensor_shape(got), b = kt_tensor_shape(want);
    assert_int_equal(kt_tensor_dtype(got), kt_tensor_dtype(want));
    assert_memory_equal(&a, &b, sizeof a);
    assert_memory_equal(
        kt_tensor_data(got),
        kt_tensor_data(want),
        (size_t)kt_tensor_size(want) * kt_dtype_size(kt_tensor_dtype(want)));
}

KT_TEST(cifar, hundred_as_keras) {
    kt_splits d;
    home_make();
    kt_check_status(kt_data_cifar100(&d), KT_ENOTFOUND);
    kt_check_message_has(HUNDRED "/train\"");
    kt_check_message_has("unpack https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz");
    write_golden(HUNDRED "/train", "files/train");
    write_golden(HUNDRED "/test", "files/test");
    static const char *const modes[] = {"fine", "coarse"};
    for (int i = 0; i < 2; i++) {
        kt_check_status(kt_data_cifar100(&d, modes[i]), KT_OK);
        check_equal(d.x_train, modes[i], "x_train");
        check_equal(d.y_train, modes[i], "y_train");
        check_equal(d.x_test, modes[i], "x_test");
        check_equal(d.y_test, modes[i], "y_test");
    }
    kt_check_status(kt_data_cifar100(&d, "coarsely"), KT_EINVAL);
    kt_check_message_has("did you mean \"coarse\"?");
    assert_int_equal(kt_check(d.x_test), KT_EINVAL);
    kt_check_status(kt_data_cifar100(NULL), KT_EINVAL);
    write_file(HUNDRED "/test", "\x80\2cos\nsystem\n.", 14);
    kt_check_status(kt_data_cifar100(&d), KT_EREFUSED);
    kt_check_message_has("os.system");
    kt_check_message_has("/test\"");
    assert_int_equal(kt_check(d.x_train), KT_EREFUSED);
    home_remove();
}

/* The labels of the file are those of a hundred classes: the key differs. */
KT_TEST(cifar, ten_joins_its_batches) {
    kt_splits d;
    home_make();
    kt_tensor *t = kt_npz_read(golden, "files/train");
    char *bytes = kt_tensor_data(t), name[80];
    const size_t size = (size_t)kt_tensor_size(t);
    for (int i = 1; i <= 5; i++) {
        snprintf(name, sizeof name, TEN "/data_batch_%d", i);
        write_file(name, bytes, size);
    }
    kt_check_status(kt_data_cifar10(&d), KT_EFORMAT);
    kt_check_message_has("the list \"labels\"");
    for (size_t i = 0; i + 12 < size; i++) /* U 11 fine_labels -> U 6 labels, with a memo less */
        if (!memcmp(bytes + i, "fine_labels", 11)) {
            memmove(bytes + i, bytes + i + 5, size - i - 5);
            bytes[i - 1] = 6;
            break;
        }
    for (int i = 1; i <= 5; i++) {
        snprintf(name, sizeof name, TEN "/data_batch_%d", i);
        write_file(name, bytes, size - 5);
    }
    kt_check_status(kt_data_cifar10(&d), KT_ENOTFOUND);
    kt_check_message_has("test_batch");
    write_file(TEN "/test_batch", bytes, size - 5);
    kt_check_status(kt_data_cifar10(&d), KT_OK);
    assert_int_equal(kt_tensor_dim(d.x_train, 0), 15);
    assert_int_equal(kt_tensor_dim(d.x_train, 3), 3);
    assert_int_equal(kt_tensor_dtype(d.y_train), KT_UINT8);
    assert_int_equal(kt_tensor_get(d.y_train, 13), 99);
    assert_int_equal(kt_tensor_dim(d.y_test, 1), 1);
    kt_check_status(kt_data_cifar10(NULL), KT_EINVAL);
    home_remove();
}

/* Where Keras 2 unpacked it, and where an archive unpacks itself. */
KT_TEST(cifar, an_older_folder_will_do) {
    char path[128];
    kt_splits d;
    home_make();
    snprintf(path, sizeof path, "%s/datasets/cifar-100-python", home);
    assert_int_equal(mkdir(path, 0700), 0);
    write_golden("cifar-100-python/train", "files/train");
    kt_check_status(kt_data_cifar100(&d), KT_ENOTFOUND);
    kt_check_message_has(HUNDRED "/test\"");
    write_golden("cifar-100-python/test", "files/test");
    kt_check_status(kt_data_cifar100(&d), KT_OK);
    check_equal(d.x_train, "fine", "x_train");
    check_equal(d.y_test, "fine", "y_test");
    home_remove();
}

static void check_index(const char *text, kt_status want, const char *has) {
    write_file("imdb_word_index.json", text, strlen(text));
    kt_check_fails(kt_data_imdb_word_index(NULL), want, has);
}

KT_TEST(cifar, word_index) {
    home_make();
    kt_check_fails(kt_data_reuters_word_index(NULL), KT_ENOTFOUND, "reuters_word_index.json");
    const char text[] = "{\"the\": 1, \"fawn\": 34701, \"tsukino\": 3}";
    char path[128];
    write_file("imdb_word_index.json", text, sizeof text - 1);
    check_index(text, KT_EFORMAT, "\"fawn\" is none"); /* three words do not need such numbers */
    check_index("[1]", KT_EFORMAT, "expected a dict of words");
    check_index("{\"a\": -1}", KT_EFORMAT, "\"a\" is none");
    check_index("{\"a\": 1.5}", KT_EFORMAT, "\"a\" is none");
    check_index("{\"a\": ", KT_EFORMAT, "imdb_word_index.json");
    const char good[] = "{\"the\": 1, \"film\": 3}";
    write_file("words.json", good, sizeof good - 1);
    snprintf(path, sizeof path, "%s/datasets/words.json", home);
    kt_word_index *w = kt_data_imdb_word_index(path);
    assert_int_equal(kt_word_index_len(w), 2);
    assert_int_equal(kt_word_index_get(w, "film"), 3);
    assert_int_equal(kt_word_index_get(w, "movie"), -1);
    assert_int_equal(kt_word_index_get(w, NULL), -1);
    kt_check_str(kt_word_index_word(w, 1), "the");
    assert_null(kt_word_index_word(w, 2));
    assert_null(kt_word_index_word(w, 4));
    assert_null(kt_word_index_word(w, -1));
    assert_null(kt_word_index_word(NULL, 1));
    assert_int_equal(kt_word_index_len(kt_data_imdb_word_index("nothing")), 0);
    home_remove();
}

/* The words of the film reviews, where they are. */
KT_TEST(cifar, real_words) {
    char *path = realpath(
        KT_SOURCE_DIR "/../shared/keras-home/datasets/imdb_word_index.json", NULL);
    if (!path) {
        print_message("not run: no ../shared/keras-home\n");
        return;
    }
    kt_word_index *w = kt_data_imdb_word_index(path);
    assert_int_equal(kt_word_index_len(w), 88584);
    kt_check_str(kt_word_index_word(w, 1), "the");
    assert_int_equal(kt_word_index_get(w, "fawn"), 34701);
    free(path);
}
