/* Arrays through files and back, and what is refused. */
#include "testing/kt_test.h"

#include <keratin/files.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char path[64];

static const char *file(const char *name) {
    static char dir[40];
    if (!dir[0]) {
        snprintf(dir, sizeof dir, "/tmp/kt_files_XXXXXX");
        assert_non_null(mkdtemp(dir));
    }
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static kt_tensor *some_array(void) {
    return kt_tensor_new(KT_FLOAT32, kt_dims(2, 3), (float[]){1, 2, 3, 4, 5, 6});
}

KT_TEST(files, npy_goes_out_and_in) {
    kt_tensor *x = some_array();
    assert_int_equal(kt_save_npy(file("x.npy"), x), KT_OK);
    kt_tensor *again = kt_load_npy(path);
    assert_int_equal(kt_check(again), KT_OK);
    assert_int_equal(kt_tensor_dim(again, 1), 3);
    assert_float_equal(kt_tensor_get(again, 5), 6, 0);
    kt_free(again);
    kt_free(x);
    unlink(path);
    assert_int_equal(kt_check(kt_load_npy(path)), KT_ENOTFOUND);
    assert_int_equal(kt_check(kt_load_npy(NULL)), KT_EINVAL);
}

KT_TEST(files, npz_goes_out_and_in) {
    kt_tensor *x = some_array(), *z = some_array();
    assert_int_equal(kt_save_npz(file("d.npz"), kt_dict("x", x, "y", z)), KT_OK);
    kt_list_t *d = kt_load_npz(path);
    assert_int_equal(kt_check(d), KT_OK);
    assert_int_equal(kt_list_len(d), 4);
    assert_string_equal(kt_list_get(d, 2), "y");
    assert_float_equal(kt_tensor_get(kt_list_get(d, 3), 4), 5, 0);
    kt_free(d);
    kt_free(x);
    kt_free(z);
    unlink(path);
    assert_int_equal(kt_save_npz(path, kt_list("x", "y")), KT_EINVAL);
    assert_int_equal(kt_save_npz(path, kt_dict("x", "y")), KT_EINVAL);
    assert_int_equal(kt_save_npz(path, NULL), KT_EINVAL);
    assert_int_equal(kt_check(kt_load_npz(path)), KT_ENOTFOUND);
}

KT_TEST(files, csv_gives_x_and_y) {
    FILE *f = fopen(file("t.csv"), "w");
    assert_non_null(f);
    fputs("a;b\n1;2\n3;4\n", f);
    fclose(f);
    kt_tensor *y, *x = kt_load_csv(path, .target = "b", .y = &y, .separator = ";");
    assert_int_equal(kt_check(x), KT_OK);
    assert_int_equal(kt_tensor_dim(x, 0), 2);
    assert_float_equal(kt_tensor_get(y, 1), 4, 0);
    kt_free(x);
    kt_free(y);
    assert_int_equal(kt_check(kt_load_csv(path, .target = "b")), KT_EINVAL);
    assert_int_equal(kt_check(kt_load_csv(path, .separator = "::")), KT_EINVAL);
    assert_int_equal(kt_check(kt_load_csv(path, .target = "b", .y = &y)), KT_ENOTFOUND);
    assert_int_equal(kt_check(y), KT_ENOTFOUND);
    unlink(path);
    rmdir(file(""));
}
