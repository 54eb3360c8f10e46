/* .npz: arrays by name, and what an archive of arrays must not be. */
#include "io/npz.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/obj.h"
#include "io/zip.h"
#include "testing/kt_test.h"

#include <stdlib.h>
#include <unistd.h>

static const char *const names[] = {"x_train", "W", "w"};

static void make_path(char *path) { close(mkstemp(path)); }

static kt_status write_three(const char *path) {
    const kt_tensor *arrays[] = {
        kt_tensor_new(KT_FLOAT32, kt_dims(2, 2), (float[]){1, 2, 3, 4}),
        kt_tensor_new(KT_INT32, kt_dims(1), (int32_t[]){7}),
        kt_tensor_cast(kt_tensor_new(KT_FLOAT32, kt_dims(1), (float[]){0.5f}), KT_BFLOAT16),
    };
    return kt_npz_write(path, 3, names, arrays);
}

KT_TEST(npz, writes_what_it_reads) {
    char path[] = "/tmp/kt_npz_XXXXXX";
    make_path(path);
    kt_npz *npz;
    kt_check_status(write_three(path), KT_OK);
    kt_check_status(kt_npz_open(&npz, path), KT_OK);
    assert_int_equal(kt_npz_count(npz), 3);
    for (int i = 0; i < 3; i++) kt_check_str(kt_npz_name(npz, i), names[i]);
    assert_null(kt_npz_name(npz, 3));
    kt_tensor *x = kt_npz_read(npz, "x_train"), *upper = kt_npz_read(npz, "W");
    kt_tensor *lower = kt_npz_read(npz, "w");
    assert_true(kt_tensor_get(x, 3) == 4 && kt_tensor_dim(x, 1) == 2);
    assert_int_equal(kt_tensor_dtype(upper), KT_INT32);
    assert_true(kt_tensor_get(lower, 0) == 0.5);
    kt_check_fails(kt_npz_read(npz, "x_trian"), KT_ENOTFOUND, "there is no array \"x_trian\"");
    kt_check_message_has("did you mean \"x_train\"?");
    kt_check_fails(kt_npz_read(npz, "\x1b[2J"), KT_ENOTFOUND, "\\x1b[2J");
    kt_npz_close(npz);
    kt_npz_close(NULL);
    unlink(path);
}

KT_TEST(npz, refuses_what_cannot_be_written) {
    kt_tensor *t = kt_tensor_new(KT_INT32, kt_dims(1), NULL);
    kt_tensor *failed = kt_tensor_new(KT_INT32, kt_dims(-1), NULL);
    const char *const same[] = {"a", "a"}, *const dots[] = {"../a"};
    char path[] = "/tmp/kt_npz_XXXXXX";
    make_path(path);
    kt_check_status(kt_fs_save(path, "old", 3), KT_OK);
    kt_check_status(kt_npz_write(path, 2, same, (const kt_tensor *[]){t, t}), KT_EINVAL);
    kt_check_status(kt_npz_write(path, 2, names, (const kt_tensor *[]){t, NULL}), KT_EINVAL);
    kt_check_status(kt_npz_write(path, 2, names, (const kt_tensor *[]){t, failed}), KT_ESHAPE);
    kt_check_status(kt_npz_write(path, 1, dots, (const kt_tensor *[]){t}), KT_EREFUSED);
    unsigned char *data;
    size_t size;
    kt_check_status(kt_fs_load(&data, &size, path, 10), KT_OK);
    kt_check_str((char *)data, "old");
    kt_mem_free(data);
    unlink(path);
}

static kt_status open_member(const char *path, const char *name, const char *data, size_t n) {
    kt_zip_writer w;
    kt_npz *npz;
    kt_check_status(kt_zip_begin(&w, path), KT_OK);
    kt_check_status(kt_zip_add(&w, name, (kt_zip_part[]){{data, n}}, 1), KT_OK);
    kt_check_status(kt_zip_commit(&w), KT_OK);
    const kt_status st = kt_npz_open(&npz, path);
    if (st) return st;
    kt_tensor *t = kt_npz_read(npz, kt_npz_name(npz, 0));
    const kt_status read = kt_check(t);
    kt_npz_close(npz);
    return read;
}

KT_TEST(npz, refuses_members_that_are_no_arrays) {
    char path[] = "/tmp/kt_npz_XXXXXX";
    make_path(path);
    kt_check_status(open_member(path, "x.txt", "hello", 5), KT_EFORMAT);
    kt_check_message_has("member \"x.txt\" is no .npy array in file \"/tmp/kt_npz_");
    kt_check_status(open_member(path, "x.npy", "hello hello", 11), KT_EFORMAT);
    kt_check_message_has("not a .npy file in array \"x\" in file");
    static const char object[] =
        "\x93NUMPY\1\0\x40\0{'descr': '|O', 'fortran_order': False, 'shape': (0,), }       \n";
    kt_check_status(open_member(path, "x.npy", object, 10 + 64), KT_EREFUSED);
    static const char more[] =
        "\x93NUMPY\1\0\x40\0{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }      \nab";
    kt_check_status(open_member(path, "x.npy", more, 10 + 64 + 2), KT_EFORMAT);
    kt_check_message_has("2 bytes of data");
    kt_check_status(open_member(path, "x.npy", more, 10 + 64 + 1), KT_OK);
    unlink(path);
    kt_npz *npz;
    kt_check_status(kt_npz_open(&npz, path), KT_ENOTFOUND);
    assert_null(npz);
    kt_check_status(kt_npz_open(&npz, NULL), KT_EINVAL);
}

KT_TEST(npz, reads_on_after_an_error) {
    char path[] = "/tmp/kt_npz_XXXXXX";
    make_path(path);
    kt_check_status(write_three(path), KT_OK);
    unsigned char *data;
    size_t size;
    kt_check_status(kt_fs_load(&data, &size, path, 1 << 20), KT_OK);
    data[30 + 11 + 128] ^= 1; /* the first element of x_train: its check sum fails */
    kt_npz *npz;
    kt_check_status(kt_npz_open_memory(&npz, data, size), KT_OK);
    kt_check_fails(kt_npz_read(npz, "x_train"), KT_EFORMAT, "in array \"x_train\"");
    assert_true(kt_tensor_get(kt_npz_read(npz, "W"), 0) == 7);
    kt_npz_close(npz);
    kt_mem_free(data);
    unlink(path);
}

KT_TEST(npz, out_of_memory_is_an_error) {
    char path[] = "/tmp/kt_npz_XXXXXX";
    make_path(path);
    const int64_t before = kt_obj_count();
    bool done = false;
    for (int n = 1; n < 120 && !done; n++) {
        kt_npz *npz;
        kt_mem_fail_after(n);
        kt_status st = write_three(path);
        if (!st) st = kt_npz_open(&npz, path);
        if (!st) {
            st = kt_check(kt_npz_read(npz, "W"));
            kt_npz_close(npz);
        }
        kt_mem_fail_after(0);
        done = st == KT_OK;
        if (!done) kt_check_status(st, KT_ENOMEM);
        kt_clear_session();
        assert_int_equal(kt_obj_count(), before);
    }
    assert_true(done);
    unlink(path);
}

KT_TEST(npz, failing_calls_are_errors) {
    char path[] = "/tmp/kt_npz_XXXXXX";
    make_path(path);
    bool done = false;
    for (int n = 1; n < 60 && !done; n++) {
        kt_npz *npz;
        kt_fs_fail_after(n);
        kt_status st = write_three(path);
        if (!st) st = kt_npz_open(&npz, path);
        if (!st) {
            st = kt_check(kt_npz_read(npz, "W"));
            kt_npz_close(npz);
        }
        kt_fs_fail_after(0);
        done = st == KT_OK;
        if (!done) kt_check_status(st, KT_EIO);
    }
    assert_true(done);
    unlink(path);
}
