/* Printing, against what NumPy printed (tools/golden/numpy_print.py). */
#include "base/mem.h"
#include "io/npz.h"
#include "tensor/tensor.h"
#include "testing/kt_test.h"

#include <keratin/runtime.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#ifndef KT_SOURCE_DIR
#define KT_SOURCE_DIR "." /* tests run in the top folder */
#endif

static char *text_of(const kt_tensor *t) {
    const size_t n = kt_tensor_str(t, NULL, 0);
    char *text = kt_alloc(n + 1);
    assert_non_null(text);
    assert_int_equal(kt_tensor_str(t, text, n + 1), n);
    return text;
}

static int check_golden(void) {
    kt_npz *npz;
    int n = 0;
    kt_check_status(kt_npz_open(&npz, KT_SOURCE_DIR "/tests/golden/numpy_print.npz"), KT_OK);
    for (int i = 0; i < kt_npz_count(npz); i++) {
        char text_name[128];
        const char *name = kt_npz_name(npz, i), *slash = strrchr(name, '/');
        if (strcmp(slash, "/x") != 0) continue;
        snprintf(text_name, sizeof text_name, "%.*s/text", (int)(slash - name), name);
        kt_tensor *x = kt_npz_read(npz, name), *want = kt_npz_read(npz, text_name);
        kt_check_status(kt_check(x), KT_OK);
        kt_check_status(kt_check(want), KT_OK);
        char *got = text_of(x);
        if (strlen(got) != (size_t)kt_tensor_size(want) ||
            memcmp(got, kt_tensor_data(want), strlen(got)) != 0)
            fail_msg(
                "%s\ngot:\n%s\nexpected:\n%.*s",
                name,
                got,
                (int)kt_tensor_size(want),
                (const char *)kt_tensor_data(want));
        kt_mem_free(got);
        n++;
    }
    kt_npz_close(npz);
    return n;
}

KT_TEST(print, equals_numpy) { assert_in_range(check_golden(), 150, 1000); }

KT_TEST(print, does_not_depend_on_the_locale) {
    static const char *const with_comma[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};
    for (int i = 0; i < 4; i++)
        if (setlocale(LC_NUMERIC, with_comma[i])) break;
    check_golden(); /* where no such locale is installed, this says the same once more */
    setlocale(LC_NUMERIC, "C");
}

KT_TEST(print, shows_bfloat16_with_its_own_digits) {
    kt_tensor *f = kt_tensor_new(KT_FLOAT32, kt_dims(3), (float[]){0.1f, 1.5f, -3});
    char *text = text_of(kt_tensor_cast(f, KT_BFLOAT16));
    kt_check_str(text, "[ 0.1  1.5 -3. ]");
    kt_mem_free(text);
}

KT_TEST(print, cuts_to_the_buffer) {
    char buf[5] = "????";
    kt_tensor *t = kt_tensor_new(KT_INT32, kt_dims(3), (int32_t[]){1, 2, 3});
    assert_int_equal(kt_tensor_str(t, buf, sizeof buf), 7);
    kt_check_str(buf, "[1 2");
    assert_int_equal(kt_tensor_str(t, NULL, 0), 7);
}

KT_TEST(print, says_that_an_array_failed) {
    char buf[40];
    kt_tensor_str(kt_tensor_new(KT_INT32, kt_dims(-1), NULL), buf, sizeof buf);
    kt_check_str(buf, "<failed: KT_ESHAPE>");
    kt_tensor_str(NULL, buf, sizeof buf);
    kt_check_str(buf, "<failed: KT_EINVAL>");
}

KT_TEST(print, out_of_memory_gives_nothing) {
    char buf[40] = "x";
    kt_tensor *t = kt_tensor_new(KT_FLOAT32, kt_dims(30), NULL);
    for (int n = 1; n < 8; n++) {
        kt_mem_fail_after(n);
        const size_t len = kt_tensor_str(t, buf, sizeof buf);
        kt_mem_fail_after(0);
        if (len) break;
        kt_check_str(buf, "");
        assert_int_equal(kt_error_last(), KT_ENOMEM);
    }
    assert_int_equal(buf[0], '[');
}

static void collect(const char *text, size_t n, void *data) {
    snprintf(data, 32, "%.*s", (int)n, text);
}

KT_TEST(print, goes_to_the_text_output) {
    char got[32] = "";
    kt_set_output(collect, got);
    kt_tensor_print(kt_tensor_new(KT_BOOL, kt_dims(2), (uint8_t[]){1, 0}));
    kt_set_output(NULL, NULL);
    kt_check_str(got, "[ True False]\n");
}
