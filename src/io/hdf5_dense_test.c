/* Dense storage of HDF5: files that h5py wrote with many links and attributes (tools/golden/
 * hdf5.py), and what becomes of them when any byte of it is changed and the check sum set right. */
#include "base/mem.h"
#include "io/hdf5_file.h"
#include "io/npz.h"
#include "testing/kt_test.h"

#include <stdio.h>
#include <string.h>

static kt_tensor *golden(const char *name) {
    kt_npz *npz;
    kt_check_status(kt_npz_open(&npz, "tests/golden/hdf5.npz"), KT_OK);
    kt_tensor *t = kt_npz_read(npz, name);
    kt_check_status(kt_check(t), KT_OK);
    kt_npz_close(npz);
    return t;
}

static kt_hdf5 *open_golden(const char *name) {
    kt_hdf5 *h;
    kt_tensor *t = golden(name);
    kt_check_status(kt_hdf5_open_memory(&h, kt_tensor_data(t), kt_tensor_size(t), NULL), KT_OK);
    return h;
}

static void check_links(const char *file, const char *group, int n, bool data) {
    char name[16];
    kt_hdf5 *h = open_golden(file);
    const kt_hdf5_node *g = kt_hdf5_find(kt_hdf5_root(h), group);
    assert_int_equal(kt_hdf5_count(g), n);
    for (int i = 0; i < n; i++) {
        int32_t v = -1;
        snprintf(name, sizeof name, "n%d", i);
        const kt_hdf5_node *node = kt_hdf5_find(g, name);
        assert_non_null(node);
        if (data) kt_check_status(kt_hdf5_read_into(node, &v, KT_INT32, 1), KT_OK);
        if (data) assert_int_equal(v, i);
    }
    kt_hdf5_close(h);
}

KT_TEST(hdf5_dense, reads_links) {
    check_links("good/dense_links", "g", 20, true);
    check_links("good/dense_links_made", "g", 40, true);
    check_links("good/dense_links_1300", "/", 1300, false);
}

KT_TEST(hdf5_dense, knows_the_order_of_making) {
    char name[16];
    kt_hdf5 *h = open_golden("good/dense_links_made");
    const kt_hdf5_node *g = kt_hdf5_find(kt_hdf5_root(h), "g");
    assert_true(kt_hdf5_has_order(g));
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "n%d", i * 7919 % 40);
        kt_check_str(kt_hdf5_name(kt_hdf5_child_made(g, i)), name);
    }
    kt_hdf5_close(h);
}

static void check_attributes(const char *file, int n) {
    char name[16];
    kt_hdf5 *h = open_golden(file);
    const kt_hdf5_node *root = kt_hdf5_root(h);
    assert_int_equal(kt_hdf5_attr_count(root), n);
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof name, "a%d", i);
        kt_tensor *t = kt_hdf5_attr_read(root, name);
        kt_check_status(kt_check(t), KT_OK);
        assert_true(kt_tensor_get(t, 0) == i);
    }
    kt_hdf5_close(h);
}

KT_TEST(hdf5_dense, reads_attributes) {
    check_attributes("good/dense_attributes", 20);
    check_attributes("good/dense_attributes_made", 120);
}

KT_TEST(hdf5_dense, reads_large_attributes) {
    char name[16], *text;
    size_t n;
    int64_t size = 100;
    kt_hdf5 *h = open_golden("good/dense_attributes_large");
    const kt_hdf5_node *root = kt_hdf5_root(h);
    for (int i = 0; i < 6; i++, size *= 3) {
        snprintf(name, sizeof name, "a%d", i);
        kt_tensor *t = kt_hdf5_attr_read(root, name);
        kt_check_status(kt_check(t), KT_OK);
        assert_int_equal(kt_tensor_size(t), size);
        assert_true(kt_tensor_get(t, 0) == i && kt_tensor_get(t, size - 1) == i);
    }
    kt_check_status(kt_hdf5_attr_text(&text, &n, root, "text"), KT_OK);
    assert_int_equal(n, 7000);
    kt_mem_free(text);
    kt_hdf5_close(h);
}

/* Damage --------------------------------------------------------------------------------------- */

typedef struct {
    const char *sign;
    size_t size; /* with its check sum; 0: a node of the B-tree, whose record size and n count */
} part;

static const part parts[] = {{"FRHP", 146}, {"BTHD", 38}, {"BTLF", 0}, {"BTIN", 0}, {"FHIB", 0}};

/* Where the check sum at the end of a part stands: the first place that fits. */
static size_t end_of(const unsigned char *p, size_t left, const part *of) {
    if (of->size) return of->size - 4;
    for (size_t n = 6; n + 4 <= left && n < 4096; n++)
        if (kt_h5_checksum(p, n) == kt_le32(p + n)) return n;
    return 0;
}

static bool is_outcome(kt_status st) {
    return st == KT_OK || st == KT_EFORMAT || st == KT_EREFUSED || st == KT_EUNSUPPORTED ||
           st == KT_ELIMIT;
}

static kt_status open_bytes(const unsigned char *data, size_t size) {
    kt_hdf5 *h;
    const kt_status st = kt_hdf5_open_memory(&h, data, size, NULL);
    if (!st) kt_hdf5_close(h);
    return st;
}

static void put_sum(unsigned char *p, size_t n) {
    const uint32_t sum = kt_h5_checksum(p, n);
    for (int i = 0; i < 4; i++) p[n + (size_t)i] = (unsigned char)(sum >> 8 * i);
}

/* Every byte of the part, with some other values; *opened counts what opens all the same. */
static int damage(unsigned char *data, size_t size, size_t at, size_t n, int *opened) {
    static const unsigned char flips[] = {1, 2, 0x10, 0x80, 0xFF};
    int tried = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < sizeof flips; k++, tried++) {
            data[at + i] ^= flips[k];
            put_sum(data + at, n);
            const kt_status st = open_bytes(data, size);
            if (!is_outcome(st)) fail_msg("byte %zu of %zu: %s", i, at, kt_error_message());
            *opened += !st;
            data[at + i] ^= flips[k];
            put_sum(data + at, n);
        }
    return tried;
}

KT_TEST(hdf5_dense, every_changed_byte_with_a_right_check_sum_is_survived) {
    static const char *const files[] = {
        "good/dense_links",
        "good/dense_links_made",
        "good/dense_attributes",
        "good/dense_attributes_made"};
    int tried = 0, opened = 0, found = 0;
    for (int f = 0; f < 4; f++) {
        kt_tensor *t = golden(files[f]);
        unsigned char *data = kt_tensor_data(t);
        const size_t size = (size_t)kt_tensor_size(t);
        for (size_t at = 0; at + 8 < size; at++)
            for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
                if (memcmp(data + at, parts[k].sign, 4) != 0) continue;
                const size_t n = end_of(data + at, size - at, &parts[k]);
                assert_true(n > 0);
                tried += damage(data, size, at, n, &opened);
                found++;
            }
        kt_check_status(open_bytes(data, size), KT_OK);
    }
    assert_true(found >= 12 && tried > 5000);
    assert_true(opened < tried / 2); /* free space, counts that nobody needs, hints for writers */
}

/* A field of the first part with that signature. */
static void check_field(
    const char *file, const char *sign, size_t field, int bytes, uint64_t value, kt_status want) {
    kt_tensor *t = golden(file);
    unsigned char *data = kt_tensor_data(t);
    const size_t size = (size_t)kt_tensor_size(t);
    size_t at = 0, k = 0;
    while (at + 8 < size && memcmp(data + at, sign, 4) != 0) at++;
    while (strcmp(parts[k].sign, sign) != 0) k++;
    const size_t n = end_of(data + at, size - at, &parts[k]);
    for (int i = 0; i < bytes; i++) data[at + field + (size_t)i] = (unsigned char)(value >> 8 * i);
    put_sum(data + at, n);
    const kt_status st = open_bytes(data, size);
    if (st != want) fprintf(stderr, "%s at %zu = %llu\n", sign, field, (unsigned long long)value);
    kt_check_status(st, want);
}

KT_TEST(hdf5_dense, refuses_what_it_must) {
    static const struct {
        const char *sign;
        size_t field;
        int bytes;
        uint64_t value;
        kt_status want;
    } cases[] = {
        {"FRHP", 4, 1, 1, KT_EFORMAT},                   /* version */
        {"FRHP", 5, 2, 8, KT_EFORMAT},                   /* size of identifiers */
        {"FRHP", 7, 2, 12, KT_EUNSUPPORTED},             /* filters */
        {"FRHP", 70, 8, 19, KT_EFORMAT},                 /* number of messages */
        {"FRHP", 110, 2, 3, KT_EFORMAT},                 /* width of a table */
        {"FRHP", 112, 8, 0, KT_EFORMAT},                 /* size of a block */
        {"FRHP", 112, 8, (uint64_t)1 << 63, KT_EFORMAT}, /* the same */
        {"FRHP", 120, 8, (uint64_t)1 << 40, KT_EFORMAT}, /* the largest one */
        {"FRHP", 128, 2, 64, KT_EFORMAT},                /* bits of an address */
        {"FRHP", 132, 8, 0, KT_EFORMAT},                 /* the root is the superblock */
        {"FRHP", 132, 8, KT_H5_UNDEFINED, KT_EFORMAT},   /* there is no root */
        {"FRHP", 140, 2, 1, KT_EFORMAT},                 /* the root is a table */
        {"FRHP", 140, 2, 65535, KT_EFORMAT},             /* of many rows */
        {"BTHD", 5, 1, 8, KT_EFORMAT},                   /* type */
        {"BTHD", 6, 4, 0, KT_EFORMAT},                   /* size of a node */
        {"BTHD", 6, 4, (uint64_t)1 << 31, KT_EFORMAT},   /* the same */
        {"BTHD", 10, 2, 0, KT_EFORMAT},                  /* size of a record */
        {"BTHD", 12, 2, 1, KT_EFORMAT},                  /* depth */
        {"BTHD", 12, 2, 65535, KT_EFORMAT},              /* the same */
        {"BTHD", 16, 8, 0, KT_EFORMAT},                  /* root */
        {"BTHD", 24, 2, 19, KT_EFORMAT},                 /* records of the root */
        {"BTHD", 24, 2, 65535, KT_EFORMAT},              /* the same */
        {"BTHD", 26, 8, 19, KT_EFORMAT},                 /* of all */
        {"BTHD", 26, 8, (uint64_t)1 << 60, KT_ELIMIT},   /* the same */
        {"BTLF", 6, 4, 0xFFFFFFFF, KT_EFORMAT},          /* a hash: not in order */
        {"BTLF", 6, 4, 0, KT_EFORMAT},                   /* of another name */
        {"BTLF", 10, 1, 0x10, KT_EFORMAT},               /* a large message */
        {"BTLF", 10, 1, 0x20, KT_EFORMAT},               /* a tiny one */
        {"BTLF", 11, 4, 0, KT_EFORMAT},                  /* the head of the block */
        {"BTLF", 11, 4, 0x7FFFFFFF, KT_EFORMAT},         /* outside */
        {"BTLF", 15, 2, 0, KT_EFORMAT},                  /* no bytes */
        {"BTLF", 15, 2, 65535, KT_EFORMAT},              /* too many */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_field(
            "good/dense_links",
            cases[i].sign,
            cases[i].field,
            cases[i].bytes,
            cases[i].value,
            cases[i].want);
    check_field("good/dense_attributes", "FRHP", 5, 2, 7, KT_EFORMAT);
    check_field("good/dense_attributes", "BTLF", 14, 1, 2, KT_EUNSUPPORTED); /* shared */
}

KT_TEST(hdf5_dense, out_of_memory_is_an_error) {
    static const char *const files[] = {"good/dense_links_made", "good/dense_attributes_large"};
    for (int f = 0; f < 2; f++) {
        kt_tensor *t = golden(files[f]);
        bool done = false;
        for (int n = 1; n < 400 && !done; n++) {
            kt_mem_fail_after(n);
            const kt_status st = open_bytes(kt_tensor_data(t), (size_t)kt_tensor_size(t));
            kt_mem_fail_after(0);
            done = st == KT_OK;
            if (!done) kt_check_status(st, KT_ENOMEM);
        }
        assert_true(done);
    }
}

KT_TEST(hdf5_dense, too_many_links_are_a_limit) {
    kt_tensor *t = golden("good/dense_links_1300");
    kt_hdf5 *h;
    kt_check_status(
        kt_hdf5_open_memory(
            &h,
            kt_tensor_data(t),
            (size_t)kt_tensor_size(t),
            &(kt_hdf5_limits){.objects_max = 1000}),
        KT_ELIMIT);
}
