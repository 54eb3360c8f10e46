/* Writing HDF5: what our own reader finds again. That h5py and Keras read it too is shown by
 * tools/interop_hdf5.py, which runs the test writes_a_file_for_h5py. */
#include "io/hdf5.h"

#include "base/mem.h"
#include "testing/kt_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void make_path(char *path) { close(mkstemp(path)); }

/* The pieces as one block, and opened again. */
static kt_hdf5 *reopen(kt_hdf5_writer *w, unsigned char **bytes, size_t *size) {
    const kt_zip_part *parts;
    int n;
    kt_hdf5 *h;
    kt_check_status(kt_hdf5_layout(w, &parts, &n), KT_OK);
    *size = 0;
    for (int i = 0; i < n; i++) *size += parts[i].size;
    unsigned char *to = *bytes = kt_alloc(*size);
    for (int i = 0; i < n; to += parts[i++].size) memcpy(to, parts[i].data, parts[i].size);
    kt_check_status(kt_hdf5_open_memory(&h, *bytes, *size, NULL), KT_OK);
    return h;
}

KT_TEST(hdf5_write, every_dtype_comes_back) {
    kt_hdf5_writer *w = kt_hdf5_writer_new();
    kt_hdf5_item *g = kt_hdf5_put_group(kt_hdf5_writer_root(w), "a/b");
    kt_tensor *wide = kt_tensor_new(KT_FLOAT64, kt_dims(2, 3), (double[]){1, 0, 1, 2, 100, 7});
    kt_tensor *arrays[KT_DTYPE_COUNT] = {0};
    for (int d = KT_FLOAT32; d <= KT_INT8; d++) { /* all numbers */
        arrays[d] = kt_tensor_cast(wide, (kt_dtype)d);
        kt_hdf5_put_data(
            g, kt_dtype_name((kt_dtype)d), (kt_dtype)d, kt_dims(2, 3), kt_tensor_data(arrays[d]));
    }
    kt_hdf5_put_copy(g, "scalar", KT_INT64, (kt_shape){0}, &(int64_t){-5});
    kt_hdf5_put_data(g, "empty", KT_FLOAT32, kt_dims(0, 4), NULL);
    unsigned char *bytes;
    size_t size;
    kt_hdf5 *h = reopen(w, &bytes, &size);
    const kt_hdf5_node *found = kt_hdf5_find(kt_hdf5_root(h), "a/b");
    assert_int_equal(kt_hdf5_count(found), KT_INT8 + 2);
    for (int d = KT_FLOAT32; d <= KT_INT8; d++) { /* all numbers */
        kt_tensor *t = kt_hdf5_read(kt_hdf5_find(found, kt_dtype_name((kt_dtype)d)));
        assert_int_equal(kt_tensor_dtype(t), d);
        assert_memory_equal(kt_tensor_data(t), kt_tensor_data(arrays[d]), kt_tensor_bytes(t));
        assert_int_equal(kt_tensor_dim(t, 1), 3);
    }
    assert_true(kt_tensor_get(kt_hdf5_read(kt_hdf5_find(found, "scalar")), 0) == -5);
    assert_int_equal(kt_tensor_dim(kt_hdf5_read(kt_hdf5_find(found, "empty")), 1), 4);
    kt_hdf5_close(h);
    kt_mem_free(bytes);
    kt_hdf5_writer_free(w);
}

KT_TEST(hdf5_write, attributes_come_back) {
    static const char *const names[] = {"a", "long name", ""};
    kt_hdf5_writer *w = kt_hdf5_writer_new();
    kt_hdf5_item *root = kt_hdf5_writer_root(w);
    kt_hdf5_item *d = kt_hdf5_put_data(root, "d", KT_FLOAT32, (kt_shape){0}, &(float){1});
    const size_t n_long = 1 << 20;
    char *large = kt_alloc(n_long);
    memset(large, 'x', n_long);
    kt_hdf5_put_text(root, "utf8", "h\xc3\xa9", 3, true);
    kt_hdf5_put_text(root, "none", "", 0, false);
    kt_hdf5_put_text(root, "large", large, n_long, false);
    kt_hdf5_put_text(d, "unit", "m", 1, true);
    kt_hdf5_put_names(root, "names", names, 3);
    kt_hdf5_put_names(root, "no_names", NULL, 0);
    kt_hdf5_put_attr(root, "n", KT_INT32, (kt_shape){0}, &(int32_t){7});
    kt_hdf5_put_attr(root, "flags", KT_BOOL, kt_dims(2), (bool[]){true, false});
    unsigned char *bytes;
    size_t size, n;
    char *text;
    kt_hdf5_strings s;
    kt_hdf5 *h = reopen(w, &bytes, &size);
    const kt_hdf5_node *r = kt_hdf5_root(h);
    kt_check_status(kt_hdf5_attr_text(&text, &n, r, "utf8"), KT_OK);
    kt_check_str(text, "h\xc3\xa9");
    kt_mem_free(text);
    kt_check_status(kt_hdf5_attr_text(&text, &n, r, "none"), KT_OK);
    kt_check_str(text, "");
    kt_mem_free(text);
    kt_check_status(kt_hdf5_attr_text(&text, &n, r, "large"), KT_OK);
    assert_int_equal(n, n_long);
    assert_memory_equal(text, large, n);
    kt_mem_free(text);
    kt_check_status(kt_hdf5_attr_text(&text, &n, kt_hdf5_find(r, "d"), "unit"), KT_OK);
    kt_check_str(text, "m");
    kt_mem_free(text);
    kt_check_status(kt_hdf5_attr_names(&s, r, "names"), KT_OK);
    assert_int_equal(s.n, 3);
    for (int i = 0; i < 3; i++) kt_check_str(s.v[i], names[i]);
    kt_hdf5_strings_free(&s);
    kt_check_status(kt_hdf5_attr_names(&s, r, "no_names"), KT_OK);
    assert_int_equal(s.n, 0);
    assert_true(kt_tensor_get(kt_hdf5_attr_read(r, "n"), 0) == 7);
    assert_true(kt_tensor_get(kt_hdf5_attr_read(r, "flags"), 0) == 1);
    kt_hdf5_close(h);
    kt_mem_free(large);
    kt_mem_free(bytes);
    kt_hdf5_writer_free(w);
}

/* n names of 40 bytes: 64,512 bytes hold 1,612 of them. */
static void check_split(int n, int attributes) {
    char **names = kt_alloc_array(n, sizeof *names);
    for (int i = 0; i < n; i++) {
        names[i] = kt_alloc(41);
        snprintf(names[i], 41, "%040d", i * 7);
    }
    kt_hdf5_writer *w = kt_hdf5_writer_new();
    kt_hdf5_put_names(kt_hdf5_writer_root(w), "weight_names", (const char *const *)names, n);
    unsigned char *bytes;
    size_t size;
    kt_hdf5_strings s;
    kt_hdf5 *h = reopen(w, &bytes, &size);
    assert_int_equal(kt_hdf5_attr_count(kt_hdf5_root(h)), attributes);
    kt_check_status(kt_hdf5_attr_names(&s, kt_hdf5_root(h), "weight_names"), KT_OK);
    assert_int_equal(s.n, n);
    for (int i = 0; i < n; i++) {
        kt_check_str(s.v[i], names[i]);
        kt_mem_free(names[i]);
    }
    kt_hdf5_strings_free(&s);
    kt_mem_free(names);
    kt_hdf5_close(h);
    kt_mem_free(bytes);
    kt_hdf5_writer_free(w);
}

KT_TEST(hdf5_write, long_lists_of_names_are_split) {
    check_split(1612, 1);
    check_split(1613, 2);
    check_split(5000, 4);
}

/* 8 names fill a leaf, 256 a tree of one node, 8,192 one of two levels. */
KT_TEST(hdf5_write, groups_of_every_size) {
    static const int sizes[] = {0, 1, 8, 9, 255, 256, 257, 8192, 8193, 10000};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        kt_hdf5_writer *w = kt_hdf5_writer_new();
        kt_hdf5_item *g = kt_hdf5_put_group(kt_hdf5_writer_root(w), "g");
        for (int i = 0; i < sizes[k]; i++) {
            char name[32];
            const int v = (int)((int64_t)i * 7919 % sizes[k]);
            snprintf(name, sizeof name, "n%d", v);
            kt_hdf5_put_copy(g, name, KT_INT32, (kt_shape){0}, &v);
        }
        unsigned char *bytes;
        size_t size;
        kt_hdf5 *h = reopen(w, &bytes, &size);
        const kt_hdf5_node *found = kt_hdf5_find(kt_hdf5_root(h), "g");
        assert_int_equal(kt_hdf5_count(found), sizes[k]);
        for (int i = 0; i < sizes[k]; i++) {
            int32_t v = -1;
            const kt_hdf5_node *d = kt_hdf5_child(found, i);
            kt_check_status(kt_hdf5_read_into(d, &v, KT_INT32, 1), KT_OK);
            assert_int_equal(v, atoi(kt_hdf5_name(d) + 1));
        }
        kt_hdf5_close(h);
        kt_mem_free(bytes);
        kt_hdf5_writer_free(w);
    }
}

static const float three[] = {1, 2, 3};

static void fill(kt_hdf5_writer *w, bool backwards) {
    kt_hdf5_item *root = kt_hdf5_writer_root(w);
    for (int i = 0; i < 20; i++) {
        char path[32];
        snprintf(path, sizeof path, "layers/dense_%d/vars/0", backwards ? 19 - i : i);
        kt_hdf5_put_data(root, path, KT_FLOAT32, kt_dims(3), three);
    }
    kt_hdf5_put_text(root, "keras_version", "3.15.1", 6, true);
}

KT_TEST(hdf5_write, equal_contents_are_equal_bytes) {
    unsigned char *a, *b;
    size_t n_a, n_b;
    kt_hdf5_writer *w = kt_hdf5_writer_new(), *v = kt_hdf5_writer_new();
    fill(w, false);
    fill(v, false);
    kt_hdf5_close(reopen(w, &a, &n_a));
    kt_hdf5_close(reopen(v, &b, &n_b));
    assert_int_equal(n_a, n_b);
    assert_memory_equal(a, b, n_a);
    kt_mem_free(a);
    kt_mem_free(b);
    kt_hdf5_writer_free(w);
    kt_hdf5_writer_free(v);
}

KT_TEST(hdf5_write, refuses_what_cannot_be_written) {
    static const struct {
        const char *path, *text;
    } cases[] = {
        {"a", "there is something of that name"},
        {"a/b", "a data set cannot hold something"},
        {"g/./b", "\".\" is no name"},
        {"", "a data set needs a name"},
        {"/", "a data set needs a name"},
        {"g", "there is something of that name"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const kt_zip_part *parts;
        int n;
        kt_hdf5_writer *w = kt_hdf5_writer_new();
        kt_hdf5_item *root = kt_hdf5_writer_root(w);
        assert_non_null(kt_hdf5_put_data(root, "a", KT_FLOAT32, kt_dims(3), three));
        assert_non_null(kt_hdf5_put_group(root, "g/h"));
        assert_non_null(kt_hdf5_put_group(root, "g"));
        assert_null(kt_hdf5_put_data(root, cases[i].path, KT_FLOAT32, kt_dims(3), three));
        kt_check_message_has(cases[i].text);
        kt_check_status(kt_hdf5_layout(w, &parts, &n), KT_EINVAL);
        kt_check_status(kt_hdf5_save(w, "/tmp/kt_hdf5_never"), KT_EINVAL);
        kt_hdf5_writer_free(w);
    }
    kt_hdf5_writer *w = kt_hdf5_writer_new();
    kt_hdf5_item *root = kt_hdf5_writer_root(w);
    static const double numbers[8192];
    kt_check_status(kt_hdf5_put_text(root, "x", "1", 1, true), KT_OK);
    kt_check_status(kt_hdf5_put_text(root, "x", "1", 1, true), KT_EINVAL);
    kt_check_status(kt_hdf5_put_attr(root, "y", KT_FLOAT64, kt_dims(8192), numbers), KT_ELIMIT);
    kt_check_message_has("attribute \"y\" has more than 64 KiB");
    assert_null(kt_hdf5_put_data(root, "a", KT_FLOAT32, kt_dims(-1), three));
    kt_hdf5_writer_free(w);
    kt_hdf5_writer_free(NULL);
    assert_null(kt_hdf5_put_group(NULL, "a"));
}

KT_TEST(hdf5_write, failing_calls_leave_the_old_file) {
    char path[] = "/tmp/kt_hdf5_XXXXXX";
    make_path(path);
    kt_check_status(kt_fs_save(path, "old", 3), KT_OK);
    bool done = false;
    for (int n = 1; n < 200 && !done; n++) {
        kt_hdf5_writer *w = kt_hdf5_writer_new();
        fill(w, false);
        kt_fs_fail_after(n);
        const kt_status st = kt_hdf5_save(w, path);
        kt_fs_fail_after(0);
        kt_hdf5_writer_free(w);
        done = st == KT_OK;
        if (!done) kt_check_status(st, KT_EIO);
    }
    assert_true(done);
    assert_true(kt_hdf5_is(path));
    unlink(path);
}

KT_TEST(hdf5_write, out_of_memory_is_an_error) {
    bool done = false;
    for (int n = 1; n < 2000 && !done; n++) {
        const kt_zip_part *parts;
        int n_parts;
        kt_mem_fail_after(n);
        kt_hdf5_writer *w = kt_hdf5_writer_new();
        if (w) fill(w, false);
        const kt_status st = kt_hdf5_layout(w, &parts, &n_parts);
        kt_mem_fail_after(0);
        kt_hdf5_writer_free(w);
        done = st == KT_OK;
        if (!done) kt_check_status(st, KT_ENOMEM);
    }
    assert_true(done);
}

/* Everything there is, in a file that tools/interop_hdf5.py looks at with h5py. */
KT_TEST(hdf5_write, writes_a_file_for_h5py) {
    static const char *const names[] = {"a", "long name", "bc"};
    char temp[] = "/tmp/kt_hdf5_XXXXXX";
    const char *path = getenv("KT_HDF5_OUT");
    if (!path) make_path(temp);
    kt_hdf5_writer *w = kt_hdf5_writer_new();
    kt_hdf5_item *root = kt_hdf5_writer_root(w), *g = kt_hdf5_put_group(root, "dtypes");
    kt_tensor *wide = kt_tensor_new(KT_FLOAT64, kt_dims(2, 3), (double[]){1, 0, 1, 2, 100, 7});
    for (int d = KT_FLOAT32; d <= KT_INT8; d++) { /* all numbers */
        kt_tensor *t = kt_tensor_cast(wide, (kt_dtype)d);
        kt_hdf5_put_data(
            g, kt_dtype_name((kt_dtype)d), (kt_dtype)d, kt_dims(2, 3), kt_tensor_data(t));
    }
    kt_hdf5_put_copy(g, "scalar", KT_INT64, (kt_shape){0}, &(int64_t){-5});
    kt_hdf5_put_data(g, "none", KT_FLOAT32, kt_dims(0, 4), NULL);
    kt_hdf5_put_text(root, "str", "h\xc3\xa9", 3, true);
    kt_hdf5_put_text(root, "bytes", "abc", 3, false);
    kt_hdf5_put_text(root, "empty", "", 0, true);
    kt_hdf5_put_names(g, "names", names, 3);
    kt_hdf5_put_names(g, "no_names", NULL, 0);
    kt_hdf5_put_attr(g, "floats", KT_FLOAT64, kt_dims(2), (double[]){1.5, -2});
    kt_hdf5_put_attr(g, "flag", KT_BOOL, (kt_shape){0}, &(bool){true});
    kt_hdf5_put_group(root, "nothing");
    for (int i = 0; i < 10000; i++) {
        char name[32];
        snprintf(name, sizeof name, "many/n%d", i);
        kt_hdf5_put_copy(root, name, KT_INT32, (kt_shape){0}, &i);
    }
    kt_check_status(kt_hdf5_save(w, path ? path : temp), KT_OK);
    kt_hdf5_writer_free(w);
    assert_true(kt_hdf5_is(path ? path : temp));
    if (!path) unlink(temp);
}
