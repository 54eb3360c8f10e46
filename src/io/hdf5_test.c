/* Reading HDF5: files that h5py wrote (tools/golden/hdf5.py), damaged ones, the files of the
 * corpus. */
#include "io/hdf5.h"

#include "base/mem.h"
#include "io/npz.h"
#include "testing/kt_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

/* The bytes of a golden file, a tensor to be freed. */
static kt_tensor *golden(const char *name) {
    kt_npz *npz;
    kt_check_status(kt_npz_open(&npz, "tests/golden/hdf5.npz"), KT_OK);
    kt_tensor *t = kt_npz_read(npz, name);
    kt_check_status(kt_check(t), KT_OK);
    kt_npz_close(npz);
    return t;
}

static kt_hdf5 *open_golden(kt_tensor **bytes, const char *name) {
    kt_hdf5 *h;
    *bytes = golden(name);
    kt_check_status(
        kt_hdf5_open_memory(&h, kt_tensor_data(*bytes), kt_tensor_size(*bytes), NULL), KT_OK);
    return h;
}

static kt_status open_bytes(const void *data, size_t size) {
    kt_hdf5 *h;
    const kt_status st = kt_hdf5_open_memory(&h, data, size, NULL);
    if (st)
        assert_null(h);
    else
        kt_hdf5_close(h);
    return st;
}

static void check_values(const kt_hdf5_node *d) {
    static const double want[] = {1, 2, 3, 100, 0, 7};
    float as_float[6];
    kt_check_status(kt_hdf5_check(d), KT_OK);
    kt_tensor *t = kt_hdf5_read(d);
    kt_check_status(kt_hdf5_read_into(d, as_float, KT_FLOAT32, 6), KT_OK);
    for (int i = 0; i < 6; i++) {
        assert_true(kt_tensor_get(t, i) == want[i]);
        assert_true(as_float[i] == (float)want[i]);
    }
    assert_int_equal(kt_tensor_dim(t, 0), 2);
    assert_int_equal(kt_tensor_dim(t, 1), 3);
}

static void check_dtypes(const char *name) {
    static const char *const numbers[] = {
        "f/little_f2",
        "f/little_f4",
        "f/little_f8",
        "f/big_f2",
        "f/big_f4",
        "f/big_f8",
        "i/i1",
        "i/little_i2",
        "i/big_i2",
        "i/little_i4",
        "i/big_i4",
        "u/u1",
        "i/little_i8",
        "i/big_i8",
        "u/little_u2",
        "u/little_u4",
        "u/big_u4",
        "u/little_u8"};
    kt_tensor *bytes;
    kt_hdf5 *h = open_golden(&bytes, name);
    const kt_hdf5_node *root = kt_hdf5_root(h), *d = kt_hdf5_find(root, "d");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const kt_hdf5_node *data = kt_hdf5_find(root, numbers[i]);
        assert_non_null(data);
        check_values(data);
    }
    assert_int_equal(kt_hdf5_dtype(kt_hdf5_find(root, "f/little_f2")), KT_FLOAT16);
    assert_int_equal(kt_hdf5_dtype(kt_hdf5_find(root, "f/big_f8")), KT_FLOAT64);
    assert_int_equal(kt_hdf5_dtype(kt_hdf5_find(root, "u/u1")), KT_UINT8);
    assert_int_equal(kt_hdf5_dtype(kt_hdf5_find(root, "u/little_u4")), KT_INT64);
    kt_tensor *b = kt_hdf5_read(kt_hdf5_find(d, "bool"));
    assert_int_equal(kt_tensor_dtype(b), KT_BOOL);
    assert_true(kt_tensor_get(b, 0) == 1 && kt_tensor_get(b, 1) == 0 && kt_tensor_get(b, 5) == 1);
    kt_tensor *bf = kt_hdf5_read(kt_hdf5_find(d, "bfloat16"));
    assert_int_equal(kt_tensor_dtype(bf), KT_BFLOAT16);
    assert_true(kt_tensor_get(bf, 0) == 1 && kt_tensor_get(bf, 1) == -2);
    assert_true(kt_tensor_get(kt_hdf5_read(kt_hdf5_find(d, "scalar")), 0) == 2.5);
    assert_int_equal(kt_tensor_size(kt_hdf5_read(kt_hdf5_find(d, "empty"))), 0);
    assert_int_equal(kt_hdf5_shape(kt_hdf5_find(d, "rank_8")).ndim, 8);
    assert_true(kt_tensor_get(kt_hdf5_read(kt_hdf5_find(d, "compact")), 2) == 3);
    kt_hdf5_close(h);
}

KT_TEST(hdf5, reads_every_dtype) {
    check_dtypes("good/dtypes");
    check_dtypes("good/dtypes_latest"); /* superblock 3, object headers 2 */
    check_dtypes("good/dtypes_v110");
    check_dtypes("good/dtypes_v108"); /* superblock 2 */
}

static void check_tree(const char *name) {
    char path[64];
    kt_tensor *bytes;
    kt_hdf5 *h = open_golden(&bytes, name);
    const kt_hdf5_node *root = kt_hdf5_root(h);
    assert_int_equal(kt_hdf5_count(root), 2);
    kt_check_str(kt_hdf5_name(kt_hdf5_child(root, 0)), "layers");
    kt_check_str(kt_hdf5_name(kt_hdf5_child(root, 1)), "nothing");
    assert_null(kt_hdf5_child(root, 2));
    assert_null(kt_hdf5_child(root, -1));
    assert_null(kt_hdf5_parent(root));
    kt_check_str(kt_hdf5_name(root), "");
    assert_true(kt_hdf5_find(root, "") == root && kt_hdf5_find(root, "/") == root);
    const kt_hdf5_node *k = kt_hdf5_find(root, "/layers/dense//vars/0");
    kt_check_str(kt_hdf5_path(k, path, sizeof path), "/layers/dense/vars/0");
    assert_true(kt_hdf5_is_data(k) && !kt_hdf5_is_group(k));
    assert_true(kt_hdf5_find(kt_hdf5_parent(k), "0") == k);
    assert_null(kt_hdf5_find(root, "layers/den"));
    assert_null(kt_hdf5_find(root, "layers/dense/vars/0/x"));
    assert_null(kt_hdf5_find(NULL, "x"));
    assert_int_equal(kt_hdf5_count(kt_hdf5_find(root, "nothing")), 0);
    assert_int_equal(kt_hdf5_count(k), 0);
    double v[6];
    kt_check_status(kt_hdf5_read_into(k, v, KT_FLOAT64, 6), KT_OK);
    assert_true(v[0] == 0 && v[5] == 5);
    kt_check_status(kt_hdf5_read_into(k, v, KT_FLOAT64, 5), KT_ESHAPE);
    kt_check_message_has("in data set \"/layers/dense/vars/0\"");
    kt_check_message_has("shape (2, 3)");
    kt_check_status(kt_hdf5_check(kt_hdf5_find(root, "layers")), KT_EFORMAT);
    kt_check_message_has("a group stands where a data set is expected");
    kt_check_status(kt_hdf5_check(NULL), KT_ENOTFOUND);
    kt_hdf5_close(h);
}

KT_TEST(hdf5, finds_groups_and_data) {
    check_tree("good/tree");
    check_tree("good/tree_latest");
    kt_hdf5_close(NULL);
}

KT_TEST(hdf5, reads_large_groups) {
    kt_tensor *bytes;
    kt_hdf5 *h = open_golden(&bytes, "good/many_300");
    const kt_hdf5_node *g = kt_hdf5_find(kt_hdf5_root(h), "g");
    assert_int_equal(kt_hdf5_count(g), 300);
    for (int i = 0; i < 300; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        int32_t v = -1;
        kt_check_status(kt_hdf5_read_into(kt_hdf5_find(g, name), &v, KT_INT32, 1), KT_OK);
        assert_int_equal(v, i);
    }
    kt_hdf5_close(h);
}

KT_TEST(hdf5, knows_the_order_of_making) {
    kt_tensor *bytes;
    kt_hdf5 *h = open_golden(&bytes, "good/made");
    const kt_hdf5_node *root = kt_hdf5_root(h);
    assert_true(kt_hdf5_has_order(root));
    for (int i = 0; i < 4; i++) {
        const char made[] = {"zayb"[i], 0}, sorted[] = {"abyz"[i], 0};
        kt_check_str(kt_hdf5_name(kt_hdf5_child_made(root, i)), made);
        kt_check_str(kt_hdf5_name(kt_hdf5_child(root, i)), sorted);
    }
    assert_null(kt_hdf5_child_made(root, 4));
    kt_hdf5_close(h);
    h = open_golden(&bytes, "good/tree");
    assert_false(kt_hdf5_has_order(kt_hdf5_root(h)));
    kt_check_str(kt_hdf5_name(kt_hdf5_child_made(kt_hdf5_root(h), 1)), "nothing");
    kt_hdf5_close(h);
}

static void check_strings(const kt_hdf5_node *node, const char *name, int n, const char *last) {
    kt_hdf5_strings s;
    kt_check_status(kt_hdf5_attr_names(&s, node, name), KT_OK);
    assert_int_equal(s.n, n);
    if (n > 0) kt_check_str(s.v[n - 1], last);
    kt_hdf5_strings_free(&s);
}

KT_TEST(hdf5, reads_attributes) {
    kt_tensor *bytes;
    kt_hdf5 *h = open_golden(&bytes, "good/attributes");
    const kt_hdf5_node *root = kt_hdf5_root(h);
    check_strings(root, "text", 1, "h\xc3\xa9llo");
    check_strings(root, "bytes", 1, "fixed");
    check_strings(root, "empty", 1, "");
    check_strings(root, "names", 3, "bc");
    check_strings(root, "texts", 3, "zz");
    check_strings(root, "none", 0, NULL);
    check_strings(root, "split", 4, "four");
    check_strings(kt_hdf5_find(root, "g"), "name", 1, "g's");
    check_strings(kt_hdf5_find(root, "x"), "unit", 1, "m");
    char *text;
    size_t n;
    kt_check_status(kt_hdf5_attr_text(&text, &n, root, "long"), KT_OK);
    assert_int_equal(n, 10000);
    assert_int_equal(strlen(text), 10000);
    kt_mem_free(text);
    kt_check_status(kt_hdf5_attr_text(&text, &n, root, "names"), KT_EFORMAT);
    assert_true(kt_tensor_get(kt_hdf5_attr_read(root, "int"), 0) == 7);
    assert_true(kt_tensor_get(kt_hdf5_attr_read(root, "floats"), 1) == -2.5);
    assert_int_equal(kt_tensor_dtype(kt_hdf5_attr_read(root, "flag")), KT_BOOL);
    assert_true(kt_tensor_get(kt_hdf5_attr_read(root, "big"), 0) == 258);
    assert_int_equal(kt_tensor_size(kt_hdf5_attr_read(root, "none")), 0);
    assert_true(kt_hdf5_has_attr(root, "pair"));
    assert_false(kt_hdf5_has_attr(root, "pai"));
    assert_int_equal(kt_hdf5_attr_count(root), 16);
    kt_check_str(kt_hdf5_attr_name(root, 0), "big");
    assert_null(kt_hdf5_attr_name(root, 16));
    kt_hdf5_close(h);
}

KT_TEST(hdf5, says_what_an_attribute_is_not) {
    kt_tensor *bytes;
    kt_hdf5_strings s;
    kt_hdf5 *h = open_golden(&bytes, "good/attributes");
    const kt_hdf5_node *root = kt_hdf5_root(h);
    kt_check_status(kt_hdf5_attr_strings(&s, root, "int"), KT_EDTYPE);
    kt_check_message_has("numbers");
    kt_check_status(kt_hdf5_attr_strings(&s, root, "nothing"), KT_EDTYPE);
    kt_check_status(kt_hdf5_attr_strings(&s, root, "pair"), KT_EDTYPE);
    kt_check_message_has("compound elements");
    kt_check_status(kt_hdf5_attr_strings(&s, kt_hdf5_find(root, "g"), "nam"), KT_ENOTFOUND);
    kt_check_message_has("there is no attribute \"nam\" in object \"/g\"");
    kt_check_fails(kt_hdf5_attr_read(root, "text"), KT_EDTYPE, "strings");
    kt_check_fails(kt_hdf5_attr_read(root, "nothing"), KT_EDTYPE, "no value");
    kt_check_fails(kt_hdf5_attr_read(NULL, "x"), KT_ENOTFOUND, "no such object");
    kt_hdf5_close(h);
}

static kt_status status_named(const char *name) {
    for (int st = 0; st >= KT_EINTERNAL; st--) {
        const char *s = kt_status_name((kt_status)st);
        if (strncmp(name, s, strlen(s)) == 0 && name[strlen(s)] == '/') return (kt_status)st;
    }
    return KT_EINTERNAL;
}

/* Members weak/… open and say why "a" cannot be read; members bad/STATUS/… get that status. */
KT_TEST(hdf5, refuses_what_it_must) {
    kt_npz *npz;
    int n_weak = 0, n_bad = 0;
    kt_check_status(kt_npz_open(&npz, "tests/golden/hdf5.npz"), KT_OK);
    for (int i = 0; i < kt_npz_count(npz); i++) {
        const char *name = kt_npz_name(npz, i);
        kt_tensor *t = kt_npz_read(npz, name);
        kt_hdf5 *h;
        const bool weak = strncmp(name, "weak/", 5) == 0, bad = strncmp(name, "bad/", 4) == 0;
        const kt_status want = bad ? status_named(name + 4) : KT_OK;
        const kt_status got = kt_hdf5_open_memory(
            &h, kt_tensor_data(t), (size_t)kt_tensor_size(t), NULL);
        if (got != want) fail_msg("%s: %s", name, got ? kt_error_message() : "it opened");
        n_weak += weak, n_bad += bad;
        if (!got && weak)
            kt_check_fails(
                kt_hdf5_read(kt_hdf5_find(kt_hdf5_root(h), "a")),
                KT_EUNSUPPORTED,
                "in data set \"/a\"");
        if (!got) kt_hdf5_close(h);
        kt_free(t);
    }
    assert_true(n_weak >= 17 && n_bad >= 32);
    kt_npz_close(npz);
}

/* Reads all there is, as a sum in the order that tools/golden/hdf5.py has too. */
typedef struct tally {
    int n;
    uLong crc;
} tally;

static void add(tally *t, const void *data, size_t n) { t->crc = crc32(t->crc, data, (uInt)n); }

static void add_attributes(tally *t, const kt_hdf5_node *node) {
    for (int i = 0; i < kt_hdf5_attr_count(node); i++) {
        kt_hdf5_strings s;
        const char *name = kt_hdf5_attr_name(node, i);
        if (kt_hdf5_attr_strings(&s, node, name) != KT_OK || s.n == 0) continue;
        add(t, name, strlen(name) + 1);
        for (int k = 0; k < s.n; k++) add(t, s.v[k], strlen(s.v[k]) + 1);
        kt_hdf5_strings_free(&s);
    }
}

/* The path as it is: kt_hdf5_path() is for messages. */
static void add_path(tally *t, const kt_hdf5_node *node) {
    if (!kt_hdf5_parent(node)) return;
    add_path(t, kt_hdf5_parent(node));
    add(t, "/", 1);
    add(t, kt_hdf5_name(node), strlen(kt_hdf5_name(node)));
}

static void add_node(tally *t, const kt_hdf5_node *node) {
    add_path(t, node);
    add(t, "/", 2);
    add_attributes(t, node);
    if (kt_hdf5_is_data(node)) {
        kt_tensor *x = kt_hdf5_read(node);
        t->n++;
        if (!kt_failed(x)) add(t, kt_tensor_data(x), kt_tensor_bytes(x));
        kt_free(x);
    }
    for (int i = 0; i < kt_hdf5_count(node); i++) add_node(t, kt_hdf5_child(node, i));
}

static kt_status tally_file(tally *t, const char *path) {
    kt_hdf5 *h;
    kt_zip *z = NULL;
    kt_status st = KT_OK;
    *t = (tally){0};
    if (kt_hdf5_is(path)) {
        st = kt_hdf5_open(&h, path, NULL);
    } else if (!(st = kt_zip_open(&z, path, NULL))) {
        st = kt_hdf5_open_zip(&h, z, kt_zip_find(z, "model.weights.h5"), NULL);
    }
    if (!st) {
        add_node(t, kt_hdf5_root(h));
        kt_hdf5_close(h);
    }
    kt_zip_close(z);
    return st;
}

KT_TEST(hdf5, reads_the_corpus_as_h5py_does) {
    unsigned char *list;
    size_t size;
    if (access("../shared/corpus/models", R_OK) != 0) {
        printf("hdf5: no ../shared/corpus here: its files are not compared\n");
        return;
    }
    kt_check_status(kt_fs_load(&list, &size, "tests/golden/hdf5_corpus.txt", 1 << 20), KT_OK);
    int n_files = 0, n_data = 0, consumed;
    unsigned crc;
    char path[512] = "../shared/corpus/";
    for (char *p = (char *)list;
         sscanf(p, "%d %x %400s %n", &n_data, &crc, path + 17, &consumed) == 3;
         p += consumed, n_files++) {
        tally t;
        if (tally_file(&t, path) != KT_OK) fail_msg("%s", kt_error_message());
        if (t.n != n_data || t.crc != crc)
            fail_msg("%s: %d data sets, sum %08lx", path, t.n, (unsigned long)t.crc);
    }
    kt_mem_free(list);
    assert_int_equal(n_files, 56);
}

KT_TEST(hdf5, every_truncation_is_an_error) {
    static const char *const names[] = {"good/tree_latest", "good/attributes", "good/made"};
    for (int i = 0; i < 3; i++) {
        kt_tensor *t = golden(names[i]);
        const size_t size = (size_t)kt_tensor_size(t);
        for (size_t n = 0; n < size; n++) {
            void *copy = kt_alloc(n); /* ASan then sees the first byte behind it */
            if (n) memcpy(copy, kt_tensor_data(t), n);
            if (open_bytes(copy, n) != KT_EFORMAT) fail_msg("%s: %zu bytes open", names[i], n);
            kt_mem_free(copy);
        }
        kt_check_status(open_bytes(kt_tensor_data(t), size), KT_OK);
    }
}

/* No flip of a bit may do harm; what still opens is read as well. */
KT_TEST(hdf5, every_flipped_byte_is_survived) {
    static const char *const names[] = {
        "good/tree", "good/attributes", "good/tree_latest", "good/made", "weak/gzip"};
    for (int i = 0; i < 5; i++) {
        kt_tensor *t = golden(names[i]);
        unsigned char *data = kt_tensor_data(t);
        const size_t size = (size_t)kt_tensor_size(t);
        for (size_t at = 0; at < size; at++) {
            static const unsigned char flips[] = {1, 0x80, 0xFF};
            if (at > 64 && !data[at] && !data[at - 1] && at % 16) continue; /* unused space */
            for (int k = 0; k < 3; k++) {
                kt_hdf5 *h;
                data[at] ^= flips[k];
                const kt_status st = kt_hdf5_open_memory(&h, data, size, NULL);
                if (st) {
                    assert_true(
                        st == KT_EFORMAT || st == KT_EREFUSED || st == KT_EUNSUPPORTED ||
                        st == KT_ELIMIT);
                } else {
                    tally sum = {0};
                    add_node(&sum, kt_hdf5_root(h));
                    kt_hdf5_close(h);
                }
                data[at] ^= flips[k];
            }
        }
    }
}

KT_TEST(hdf5, limits_can_be_set) {
    kt_tensor *t = golden("good/tree");
    kt_hdf5 *h;
    const void *data = kt_tensor_data(t);
    const size_t size = (size_t)kt_tensor_size(t);
    kt_check_status(
        kt_hdf5_open_memory(&h, data, size, &(kt_hdf5_limits){.objects_max = 5}), KT_ELIMIT);
    kt_check_message_has("more than 5 objects");
    kt_check_status(
        kt_hdf5_open_memory(&h, data, size, &(kt_hdf5_limits){.depth_max = 3}), KT_ELIMIT);
    kt_check_status(kt_hdf5_open_memory(&h, data, size, &(kt_hdf5_limits){.depth_max = 4}), KT_OK);
    kt_hdf5_close(h);
}

KT_TEST(hdf5, reads_from_files_and_archives) {
    char path[] = "/tmp/kt_hdf5_XXXXXX";
    close(mkstemp(path));
    kt_tensor *t = golden("good/many_300");
    tally memory = {0}, file, member;
    kt_hdf5 *h;
    kt_check_status(
        kt_hdf5_open_memory(&h, kt_tensor_data(t), (size_t)kt_tensor_size(t), NULL), KT_OK);
    add_node(&memory, kt_hdf5_root(h));
    kt_hdf5_close(h);
    kt_check_status(kt_fs_save(path, kt_tensor_data(t), (size_t)kt_tensor_size(t)), KT_OK);
    assert_true(kt_hdf5_is(path));
    kt_check_status(tally_file(&file, path), KT_OK);
    kt_zip_writer w;
    kt_check_status(kt_zip_begin(&w, path), KT_OK);
    kt_check_status(kt_zip_add(&w, "config.json", (kt_zip_part[]){{"{}", 2}}, 1), KT_OK);
    kt_check_status(
        kt_zip_add(
            &w,
            "model.weights.h5",
            (kt_zip_part[]){{kt_tensor_data(t), (size_t)kt_tensor_size(t)}},
            1),
        KT_OK);
    kt_check_status(kt_zip_commit(&w), KT_OK);
    assert_false(kt_hdf5_is(path));
    kt_check_status(tally_file(&member, path), KT_OK);
    assert_true(memory.n == 300 && file.n == 300 && member.n == 300);
    assert_true(memory.crc == file.crc && memory.crc == member.crc);
    unlink(path);
    assert_false(kt_hdf5_is(path));
    kt_check_status(kt_hdf5_open(&h, path, NULL), KT_ENOTFOUND);
    kt_check_status(kt_hdf5_open(&h, NULL, NULL), KT_EINVAL);
    assert_null(h);
}

KT_TEST(hdf5, out_of_memory_is_an_error) {
    kt_tensor *t = golden("good/attributes");
    bool done = false;
    for (int n = 1; n < 200 && !done; n++) {
        kt_hdf5 *h;
        kt_hdf5_strings s;
        kt_mem_fail_after(n);
        kt_status st = kt_hdf5_open_memory(&h, kt_tensor_data(t), (size_t)kt_tensor_size(t), NULL);
        if (!st) {
            st = kt_hdf5_attr_names(&s, kt_hdf5_root(h), "split");
            if (!st) kt_hdf5_strings_free(&s);
            if (!st) st = kt_check(kt_hdf5_read(kt_hdf5_find(kt_hdf5_root(h), "x")));
            kt_hdf5_close(h);
        }
        kt_mem_fail_after(0);
        done = st == KT_OK;
        if (!done) kt_check_status(st, KT_ENOMEM);
    }
    assert_true(done);
}
