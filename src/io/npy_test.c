/* .npy: every element type, every way to lie in a header, and NumPy's bytes on writing. */
#include "io/npy.h"

#include "base/mem.h"
#include "base/obj.h"
#include "testing/kt_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A version 1.0 file of this dict and these bytes; *size says how long it is. */
static unsigned char *file_of(const char *dict, const void *data, size_t n, size_t *size) {
    const size_t text = strlen(dict) + 1;
    *size = 10 + text + n;
    unsigned char *f = kt_alloc(*size); /* exactly so long: the sanitizer watches the end */
    assert_non_null(f);
    memcpy(f, "\x93NUMPY\1\0", 8);
    f[8] = (unsigned char)(text & 255);
    f[9] = (unsigned char)(text >> 8);
    memcpy(f + 10, dict, text - 1);
    f[10 + text - 1] = '\n';
    if (n) memcpy(f + 10 + text, data, n);
    return f;
}

static kt_tensor *parse(const char *dict, const void *data, size_t n) {
    size_t size;
    unsigned char *f = file_of(dict, data, n, &size);
    kt_tensor *t = kt_npy_parse(f, size);
    kt_mem_free(f);
    return t;
}

static kt_tensor *parse_descr(const char *descr, const void *data, size_t n, int count) {
    char dict[128];
    snprintf(
        dict,
        sizeof dict,
        "{'descr': '%s', 'fortran_order': False, 'shape': (%d,), }",
        descr,
        count);
    return parse(dict, data, n);
}

KT_TEST(npy, reads_every_element_type) {
    static const struct {
        const char *descr;
        unsigned char data[16];
        size_t n;
        kt_dtype dtype;
        double want[2];
    } cases[] = {
        {"<f4", {0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0}, 8, KT_FLOAT32, {1, -2}},
        {">f4", {0x3F, 0x80, 0, 0, 0xC0, 0, 0, 0}, 8, KT_FLOAT32, {1, -2}},
        {"<f8", {0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0, 0, 0, 0, 0, 0, 0, 0xC0}, 16, KT_FLOAT64, {1, -2}},
        {">f2", {0x3C, 0, 0xC0, 0}, 4, KT_FLOAT16, {1, -2}},
        {"|u1", {7, 255}, 2, KT_UINT8, {7, 255}},
        {"|i1", {7, 255}, 2, KT_INT8, {7, -1}},
        {"<i2", {7, 0, 0xFE, 0xFF}, 4, KT_INT32, {7, -2}},
        {">i2", {0, 7, 0xFF, 0xFE}, 4, KT_INT32, {7, -2}},
        {"<u2", {7, 0, 0xFE, 0xFF}, 4, KT_INT32, {7, 65534}},
        {">u4", {0, 0, 0, 7, 0xFF, 0xFF, 0xFF, 0xFE}, 8, KT_INT64, {7, 4294967294.0}},
        {"<i4", {7, 0, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF}, 8, KT_INT32, {7, -2}},
        {">i8",
         {0, 0, 0, 0, 0, 0, 0, 7, 255, 255, 255, 255, 255, 255, 255, 254},
         16,
         KT_INT64,
         {7, -2}},
        {"<u8", {7, 0, 0, 0, 0, 0, 0, 0, 9}, 16, KT_INT64, {7, 9}},
        {"|b1", {1, 0}, 2, KT_BOOL, {1, 0}},
        {"|b1", {77, 0}, 2, KT_BOOL, {1, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        kt_tensor *t = parse_descr(cases[i].descr, cases[i].data, cases[i].n, 2);
        if (kt_failed(t)) fail_msg("%s: %s", cases[i].descr, kt_error_message());
        assert_int_equal(kt_tensor_dtype(t), cases[i].dtype);
        assert_true(kt_tensor_get(t, 0) == cases[i].want[0]);
        assert_true(kt_tensor_get(t, 1) == cases[i].want[1]);
    }
    kt_tensor *b = parse_descr("|b1", "\x4D", 1, 1);
    assert_int_equal(*(unsigned char *)kt_tensor_data(b), 1);
}

KT_TEST(npy, refuses_what_it_cannot_hold) {
    kt_check_fails(parse_descr("|O", "", 0, 0), KT_EREFUSED, "pickled Python objects");
    kt_check_fails(parse_descr("<O8", "", 0, 0), KT_EREFUSED, "pickled Python objects");
    const char *const unsupported[] = {
        "<c16", "|V0", "<c8", "<M8[ns]", "|V2", "<f16", "f4x", "", "<f0"};
    for (int i = 0; i < 9; i++)
        kt_check_fails(parse_descr(unsupported[i], "", 0, 0), KT_EUNSUPPORTED, "this type");
    kt_check_fails(
        parse("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (0,), }", "", 0),
        KT_EUNSUPPORTED,
        "named fields");
    kt_check_fails(
        parse_descr("<u8", "\xff\xff\xff\xff\xff\xff\xff\xff", 8, 1), KT_EUNSUPPORTED, "too large");
    kt_check_fails(
        parse("{'descr': '|u1', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1), }", "x", 1),
        KT_ELIMIT,
        "more than 8 dimensions");
}

KT_TEST(npy, reads_every_way_to_write_the_dict) {
    const char *const dicts[] = {
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }",
        "{\"descr\": \"|u1\", \"fortran_order\": False, \"shape\": (2, 3)}",
        "{'shape':(2L,3L),'fortran_order':False,'descr':'|u1'}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2,3,), }            ",
        "  {'descr': '=u1', 'fortran_order': False, 'shape': ( 2 , 3 ) , }",
    };
    for (int i = 0; i < 5; i++) {
        kt_tensor *t = parse(dicts[i], "abcdef", 6);
        if (kt_failed(t)) fail_msg("%s: %s", dicts[i], kt_error_message());
        assert_int_equal(kt_tensor_dim(t, 0), 2);
        assert_int_equal(kt_tensor_dim(t, 1), 3);
        assert_true(kt_tensor_get(t, 5) == 'f');
    }
    kt_tensor *s = parse("{'descr': '|u1', 'fortran_order': False, 'shape': (), }", "a", 1);
    assert_int_equal(kt_tensor_shape(s).ndim, 0);
    assert_true(kt_tensor_get(s, 0) == 'a');
}

KT_TEST(npy, refuses_malformed_dicts) {
    const char *const dicts[] = {
        "",
        "{",
        "{}",
        "[1]",
        "{'descr': '|u1', 'fortran_order': False}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (6)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': 6}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (6,}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (6,)",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2 3)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (-6,)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (,)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (06,)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (6.0,)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "{'descr': '|u1', 'fortran_order': 0, 'shape': (6,)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (6,), 'x': 1}",
        "{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (6,)}",
        "{'descr': '|u1' 'fortran_order': False, 'shape': (6,)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (6,)} or exit()",
        "{'descr': '|u\\x31', 'fortran_order': False, 'shape': (6,)}",
        "{'descr': '|u1................................', 'fortran_order': False, 'shape': (6,)}",
    };
    for (size_t i = 0; i < sizeof dicts / sizeof *dicts; i++) {
        const kt_status st = kt_check(parse(dicts[i], "abcdef", 6));
        if (st != KT_EFORMAT) fail_msg("%s: %s", dicts[i], kt_status_name(st));
    }
}

KT_TEST(npy, refuses_wrong_lengths) {
    const char *const dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }";
    kt_check_fails(parse(dict, "abcdefg", 7), KT_EFORMAT, "another length");
    kt_check_message_has("shape (1, 2) of 4 bytes each");
    kt_check_fails(parse(dict, "abcdefghi", 9), KT_EFORMAT, "another length");
    kt_check_fails(parse(dict, "", 0), KT_EFORMAT, "got:      0 bytes");
    kt_check_fails(/* a shape bomb: no memory is asked for */
                   parse(
                       "{'descr': '<f4', 'fortran_order': False, 'shape': (4000000000, "
                       "1000000000), }",
                       "",
                       0),
                   KT_EFORMAT,
                   "another length");
    kt_check_fails(
        parse(
            "{'descr': '<f4', 'fortran_order': False, 'shape': (9000000000000000000, 9), }", "", 0),
        KT_EFORMAT,
        "another length");
    kt_check_fails(
        parse(
            "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 9000000000000000000, 9)}",
            "",
            0),
        KT_EFORMAT,
        "another length");
}

KT_TEST(npy, refuses_what_is_no_npy) {
    size_t size;
    unsigned char *f = file_of(
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", "ab", 2, &size);
    kt_check_status(kt_check(kt_npy_parse(f, size)), KT_OK);
    for (size_t n = 0; n < size; n++) {
        unsigned char *cut = kt_alloc(n);
        memcpy(cut, f, n);
        assert_int_equal(kt_check(kt_npy_parse(cut, n)), KT_EFORMAT);
        kt_mem_free(cut);
    }
    f[6] = 4;
    kt_check_fails(kt_npy_parse(f, size), KT_EUNSUPPORTED, "version 4.0");
    f[6] = 1;
    f[0] = 'x';
    kt_check_fails(kt_npy_parse(f, size), KT_EFORMAT, "not a .npy file");
    kt_mem_free(f);
    kt_check_fails(kt_npy_parse(NULL, 0), KT_EFORMAT, "too short");
}

KT_TEST(npy, reads_versions_2_and_3) {
    static const char dict[] = "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }";
    char f[12 + 64 + 2 + 1] = "\x93NUMPY\2\0\x40\0\0\0";
    snprintf(f + 12, sizeof f - 12, "%-63s\nab", dict);
    for (char version = 2; version <= 3; version++) {
        f[6] = version;
        kt_tensor *t = kt_npy_parse(f, 12 + 64 + 2);
        kt_check_status(kt_check(t), KT_OK);
        assert_true(kt_tensor_get(t, 1) == 'b');
    }
    f[10] = 1; /* a header of 65,600 bytes */
    kt_check_fails(kt_npy_parse(f, 78), KT_EFORMAT, "longer than the file");
    const size_t large = 12 + 65600;
    char *big = kt_alloc(large);
    memcpy(big, f, 78);
    kt_check_fails(kt_npy_parse(big, large), KT_ELIMIT, "65600 bytes");
    kt_mem_free(big);
}

KT_TEST(npy, turns_fortran_order_around) {
    /* x[i, j, k] = 100 i + 10 j + k of shape (2, 3, 2), the first index fastest */
    unsigned char data[12];
    for (int i = 0, at = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 2; k++, at++)
                data[i + 2 * j + 6 * k] = (unsigned char)(100 * i + 10 * j + k);
    kt_tensor *t = parse("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 2), }", data, 12);
    kt_check_status(kt_check(t), KT_OK);
    for (int at = 0; at < 12; at++)
        assert_true(kt_tensor_get(t, at) == 100 * (at / 6) + 10 * (at / 2 % 3) + at % 2);
    t = parse("{'descr': '|u1', 'fortran_order': True, 'shape': (3,), }", "abc", 3);
    assert_true(kt_tensor_get(t, 2) == 'c');
    t = parse("{'descr': '|u1', 'fortran_order': True, 'shape': (0, 3), }", "", 0);
    assert_int_equal(kt_tensor_dim(t, 1), 3);
}

static void check_header(kt_tensor *t, const char *want, size_t size) {
    kt_str b = {0};
    kt_check_status(kt_npy_header(&b, t), KT_OK);
    assert_int_equal(b.n, size);
    assert_memory_equal(b.s, "\x93NUMPY\1\0", 8);
    assert_int_equal(kt_le16((unsigned char *)b.s + 8), size - 10);
    assert_int_equal(strncmp(b.s + 10, want, strlen(want)), 0);
    for (size_t i = 10 + strlen(want); i < b.n - 1; i++) assert_int_equal(b.s[i], ' ');
    assert_int_equal(b.s[b.n - 1], '\n');
    kt_str_free(&b);
}

KT_TEST(npy, writes_the_header_of_numpy) {
    check_header(
        kt_tensor_new(KT_FLOAT32, kt_dims(2, 3), NULL),
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }",
        128);
    check_header(
        kt_tensor_new(KT_BOOL, (kt_shape){0}, NULL),
        "{'descr': '|b1', 'fortran_order': False, 'shape': (), }",
        128);
    check_header(
        kt_tensor_new(KT_INT64, kt_dims(5), NULL),
        "{'descr': '<i8', 'fortran_order': False, 'shape': (5,), }",
        128);
}

KT_TEST(npy, writes_what_it_reads) {
    char path[] = "/tmp/kt_npy_XXXXXX";
    close(mkstemp(path));
    kt_tensor *f = kt_tensor_new(KT_FLOAT32, kt_dims(2, 2), (float[]){1, -2, 0, 3});
    for (int d = 1; d < KT_DTYPE_COUNT; d++) {
        kt_tensor *t = d == KT_STRING
                           ? kt_tensor_new(
                                 KT_STRING, kt_dims(2, 2), (const char *[]){"a", "", "日本", "é"})
                           : kt_tensor_cast(f, (kt_dtype)d);
        kt_check_status(kt_npy_write(path, t), KT_OK);
        kt_tensor *r = kt_npy_read(path);
        assert_int_equal(kt_tensor_dtype(r), d == KT_BFLOAT16 ? KT_FLOAT32 : d);
        for (int i = 0; i < 4; i++) assert_true(kt_tensor_get(t, i) == kt_tensor_get(r, i));
        for (int i = 0; i < 4 && d == KT_STRING; i++)
            assert_string_equal(kt_tensor_text(t, i), kt_tensor_text(r, i));
    }
    kt_tensor *failed = kt_tensor_new(KT_FLOAT32, kt_dims(-1), NULL);
    kt_check_status(kt_npy_write(path, failed), KT_ESHAPE);
    kt_check_status(kt_npy_write(path, NULL), KT_EINVAL);
    unlink(path);
    kt_check_status(kt_npy_write("/nonexistent/x.npy", f), KT_ENOTFOUND);
    kt_check_fails(kt_npy_read(path), KT_ENOTFOUND, "no such file");
    kt_check_status(kt_fs_save(path, "\x93NUMPX\1\0..", 10), KT_OK);
    kt_check_fails(kt_npy_read(path), KT_EFORMAT, "not a .npy file in file \"/tmp/kt_npy_");
    unlink(path);
}

KT_TEST(npy, out_of_memory_is_an_error) {
    const int64_t before = kt_obj_count();
    bool done = false;
    for (int n = 2; n < 12 && !done; n++) {
        size_t size;
        unsigned char *f = file_of(
            "{'descr': '<i2', 'fortran_order': True, 'shape': (1, 2), }", "abcd", 4, &size);
        kt_mem_fail_after(n - 1);
        kt_tensor *t = kt_npy_parse(f, size);
        kt_mem_fail_after(0);
        kt_mem_free(f);
        done = !kt_failed(t);
        if (!done) kt_check_status(kt_check(t), KT_ENOMEM);
        kt_free(t);
        assert_int_equal(kt_obj_count(), before);
    }
    assert_true(done);
}

KT_TEST(npy, texts) {
    kt_tensor *s = parse_descr("|S3", "ab\0c\0\0\0\0\0", 9, 3);
    assert_string_equal(kt_tensor_text(s, 0), "ab");
    assert_string_equal(kt_tensor_text(s, 2), "");
    const unsigned char wide[] = {'a', 0, 0, 0, 0xe5, 0x65, 0, 0, 0x00, 0xf6, 0x01, 0, 0, 0, 0, 0};
    kt_tensor *u = parse_descr("<U2", wide, sizeof wide, 2);
    assert_string_equal(kt_tensor_text(u, 0), "a日");
    assert_string_equal(kt_tensor_text(u, 1), "\xf0\x9f\x98\x80");
    kt_check_fails(parse_descr("|S3", "a\0c", 3, 1), KT_EUNSUPPORTED, "NUL");
    kt_check_fails(parse_descr("<U1", "\0\xd8\0\0", 4, 1), KT_EFORMAT, "0xd800");
    kt_check_fails(parse_descr("<U1", "\0\0\x11\0", 4, 1), KT_EFORMAT, "0x110000");
    kt_check_fails(parse_descr("<U99999999999", "", 0, 0), KT_EUNSUPPORTED, "length");
    kt_tensor *f = parse("{'descr': '|S1', 'fortran_order': True, 'shape': (2, 3), }", "adbecf", 6);
    for (int i = 0; i < 6; i++) assert_int_equal(kt_tensor_text(f, i)[0], 'a' + i);
    const void *all[] = {s, u, f};
    for (int i = 0; i < 3; i++) kt_free(all[i]);
}
