/* IDX: element types, plain and gzipped, and headers that lie. */
#include "io/idx.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/obj.h"
#include "testing/kt_test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static size_t gzip(const void *data, size_t n, unsigned char *to, size_t room) {
    z_stream z = {0};
    deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
    z.next_in = (Bytef *)(uintptr_t)data;
    z.avail_in = (uInt)n;
    z.next_out = to;
    z.avail_out = (uInt)room;
    deflate(&z, Z_FINISH);
    deflateEnd(&z);
    return room - z.avail_out;
}

/* Both forms of the same file. */
static kt_tensor *parse(const void *data, size_t n, bool packed) {
    unsigned char room[4096];
    return packed ? kt_idx_parse(room, gzip(data, n, room, sizeof room)) : kt_idx_parse(data, n);
}

#define PARSE(literal, packed) parse(literal, sizeof(literal) - 1, packed)

KT_TEST(idx, reads_every_element_type) {
    static const struct {
        const char *data;
        size_t n;
        kt_dtype dtype;
    } cases[] = {
        {"\0\0\x08\1\0\0\0\2\1\2", 10, KT_UINT8},
        {"\0\0\x09\1\0\0\0\2\1\2", 10, KT_INT8},
        {"\0\0\x0B\1\0\0\0\2\0\1\0\2", 12, KT_INT32},
        {"\0\0\x0C\1\0\0\0\2\0\0\0\1\0\0\0\2", 16, KT_INT32},
        {"\0\0\x0D\1\0\0\0\2\x3F\x80\0\0\x40\0\0\0", 16, KT_FLOAT32},
        {"\0\0\x0E\1\0\0\0\2\x3F\xF0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0", 24, KT_FLOAT64},
    };
    for (int i = 0; i < 12; i++) {
        kt_tensor *t = parse(cases[i / 2].data, cases[i / 2].n, i % 2);
        kt_check_status(kt_check(t), KT_OK);
        assert_int_equal(kt_tensor_dtype(t), cases[i / 2].dtype);
        assert_true(kt_tensor_get(t, 0) == 1 && kt_tensor_get(t, 1) == 2);
    }
}

KT_TEST(idx, reads_shapes) {
    for (int packed = 0; packed < 2; packed++) {
        kt_tensor *t = PARSE("\0\0\x08\2\0\0\0\2\0\0\0\3abcdef", packed);
        assert_int_equal(kt_tensor_dim(t, 0), 2);
        assert_int_equal(kt_tensor_dim(t, 1), 3);
        assert_true(kt_tensor_get(t, 5) == 'f');
        assert_int_equal(kt_tensor_size(PARSE("\0\0\x08\0a", packed)), 1);
        assert_int_equal(kt_tensor_size(PARSE("\0\0\x08\2\0\0\0\0\0\0\0\3", packed)), 0);
    }
}

KT_TEST(idx, refuses_other_files) {
    for (int packed = 0; packed < 2; packed++) {
        kt_check_fails(PARSE("", packed), KT_EFORMAT, "end too early");
        kt_check_fails(PARSE("\1\0\x08\1\0\0\0\1a", packed), KT_EFORMAT, "not an IDX file");
        kt_check_fails(PARSE("\0\0\x0A\1\0\0\0\1a", packed), KT_EFORMAT, "bytes 0 0 10 1");
        kt_check_fails(PARSE("\0\0\x08\x09\0\0\0\1a", packed), KT_EFORMAT, "not an IDX file");
    }
}

KT_TEST(idx, refuses_wrong_lengths) {
    static const char good[] = "\0\0\x08\2\0\0\0\2\0\0\0\3abcdef";
    for (int packed = 0; packed < 2; packed++) {
        for (size_t n = 0; n < sizeof good - 1; n++)
            assert_int_equal(kt_check(parse(good, n, packed)), KT_EFORMAT);
        kt_check_status(kt_check(parse(good, sizeof good, packed)), KT_EFORMAT); /* one too many */
        kt_check_fails(
            PARSE(
                "\0\0\x08\1\x7F\xFF\xFF\xFF"
                "abc",
                packed),
            KT_EFORMAT,
            "claims more data than the file can hold");
        kt_check_fails(
            PARSE("\0\0\x0E\3\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", packed),
            KT_EFORMAT,
            "claims more data");
    }
}

KT_TEST(idx, refuses_damaged_streams) {
    unsigned char room[4096];
    static const char good[] = "\0\0\x08\2\0\0\0\2\0\0\0\3abcdef";
    const size_t n = gzip(good, sizeof good - 1, room, sizeof room);
    for (size_t cut = 0; cut < n; cut++) {
        unsigned char *part = kt_alloc(cut);
        memcpy(part, room, cut);
        assert_int_equal(kt_check(kt_idx_parse(part, cut)), KT_EFORMAT);
        kt_mem_free(part);
    }
    kt_check_fails(kt_idx_parse(room, n + 1), KT_EFORMAT, "1 bytes follow the compressed data");
    for (size_t i = n - 8; i < n; i++) { /* check sum and length */
        room[i] ^= 1;
        kt_check_fails(kt_idx_parse(room, n), KT_EFORMAT, "damaged");
        room[i] ^= 1;
    }
    for (size_t i = 0; i < n; i++) {
        room[i] ^= 0x40;
        kt_tensor *t = kt_idx_parse(room, n);
        if (!kt_failed(t)) assert_true(kt_tensor_get(t, 5) == 'f');
        room[i] ^= 0x40;
    }
}

KT_TEST(idx, files_say_where) {
    char path[] = "/tmp/kt_idx_XXXXXX";
    close(mkstemp(path));
    kt_check_status(kt_fs_save(path, "\0\0\x08\1\0\0\0\2ab", 10), KT_OK);
    assert_true(kt_tensor_get(kt_idx_read(path), 1) == 'b');
    kt_check_status(kt_fs_save(path, "hello", 5), KT_OK);
    kt_check_fails(kt_idx_read(path), KT_EFORMAT, "not an IDX file in file \"/tmp/kt_idx_");
    unlink(path);
    kt_check_fails(kt_idx_read(path), KT_ENOTFOUND, "no such file");
    kt_check_fails(kt_idx_read(NULL), KT_EINVAL, "path");
}

KT_TEST(idx, out_of_memory_is_an_error) {
    const int64_t before = kt_obj_count();
    bool done = false;
    for (int n = 1; n < 12 && !done; n++) {
        kt_mem_fail_after(n);
        kt_tensor *t = PARSE("\0\0\x09\1\0\0\0\2ab", true);
        kt_mem_fail_after(0);
        done = !kt_failed(t);
        if (!done) kt_check_status(kt_check(t), KT_ENOMEM);
        kt_free(t);
        assert_int_equal(kt_obj_count(), before);
    }
    assert_true(done);
}
