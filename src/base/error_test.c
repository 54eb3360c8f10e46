/* Errors: parts of the message, contexts, failed objects, the nearest name. */
#include "base/error.h"

#include "base/mem.h"
#include "base/obj.h"
#include "testing/kt_test.h"

#include <pthread.h>
#include <string.h>

KT_TEST(error, starts_empty) {
    kt_error_clear();
    assert_int_equal(kt_error_last(), KT_OK);
    kt_check_str(kt_error_message(), "");
    const kt_error e = kt_error_get();
    assert_int_equal(e.status, KT_OK);
    kt_check_str(e.text, "");
    kt_check_str(e.hint, "");
}

KT_TEST(error, has_parts_and_a_paragraph) {
    assert_int_equal(KT_FAIL(KT_ESHAPE, "shape %s", "mismatch"), KT_ESHAPE);
    kt_error_expected("%d axes", 2);
    kt_error_got("%d axes", 3);
    assert_int_equal(kt_error_hint("flatten"), KT_ESHAPE);
    kt_error_context("in layer \"%s\"", "d");
    kt_error_context("in model \"%s\"", "m");
    const kt_error e = kt_error_get();
    assert_int_equal(e.status, KT_ESHAPE);
    kt_check_str(e.text, "shape mismatch");
    kt_check_str(e.path, "in layer \"d\" in model \"m\"");
    kt_check_str(e.expected, "2 axes");
    kt_check_str(e.got, "3 axes");
    kt_check_str(e.hint, "flatten");
    kt_check_str(e.file, "base/error_test.c");
    assert_true(e.line > 0);
    const char *m = kt_error_message();
    assert_ptr_equal(strstr(m, "shape mismatch in layer \"d\" in model \"m\"\n"), m);
    kt_check_message_has("\n  expected: 2 axes\n");
    kt_check_message_has("\n  got:      3 axes\n");
    kt_check_message_has("\n  hint:     flatten\n");
    kt_check_message_has("\n  at        base/error_test.c:");
}

KT_TEST(error, a_new_failure_replaces_the_old) {
    KT_FAIL(KT_ESHAPE, "first");
    kt_error_hint("old hint");
    kt_error_context("old path");
    KT_FAIL(KT_EINVAL, "second, after \"%s\"", kt_error_get().text); /* may quote the old one */
    const kt_error e = kt_error_get();
    kt_check_str(e.text, "second, after \"first\"");
    kt_check_str(e.hint, "");
    kt_check_str(e.path, "");
}

KT_TEST(error, long_texts_are_cut) {
    char big[5000];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = 0;
    KT_FAIL(KT_EINVAL, "%s", big);
    kt_error_expected("%s", big);
    kt_error_got("%s", big);
    kt_error_hint("%s", big);
    for (int i = 0; i < 100; i++) kt_error_context("%.100s", big);
    assert_true(strlen(kt_error_message()) < 4000);
}

static void *other_thread(void *data) {
    *(kt_status *)data = kt_error_last();
    KT_FAIL(KT_EIO, "of the other thread");
    return NULL;
}

KT_TEST(error, belongs_to_its_thread) {
    kt_status seen = KT_EINTERNAL;
    pthread_t t;
    KT_FAIL(KT_EINVAL, "of this thread");
    assert_int_equal(pthread_create(&t, NULL, other_thread, &seen), 0);
    pthread_join(t, NULL);
    assert_int_equal(seen, KT_OK);
    kt_check_str(kt_error_get().text, "of this thread");
}

KT_TEST(error, every_status_has_a_name_and_a_failed_object) {
    for (int s = KT_EINTERNAL; s <= KT_OK; s++) {
        assert_ptr_equal(
            strstr(kt_status_name((kt_status)s), s ? "KT_E" : "KT_OK"),
            kt_status_name((kt_status)s));
        if (s == KT_OK) break;
        const void *o = kt_fail_object((kt_status)s);
        assert_true(kt_failed(o));
        assert_int_equal(kt_check(o), s);
        kt_free(o);
        kt_release(o);
        kt_drop(o);
        assert_ptr_equal(kt_adopt(o), o);
        assert_ptr_equal(kt_retain(o), o);
    }
    kt_check_str(kt_status_name((kt_status)-999), "KT_EINTERNAL");
    assert_int_equal(kt_check(kt_fail_object((kt_status)7)), KT_EINTERNAL);
    assert_true(kt_failed(NULL));
    assert_false(kt_failed("a name"));
}

KT_TEST(error, finds_the_nearest_name) {
    static const char *const names[] = {"adam", "adamax", "sgd", "rmsprop"};
    kt_check_str(kt_nearest("adma", names, 4), "adam");
    kt_check_str(kt_nearest("rmsprob", names, 4), "rmsprop");
    kt_check_str(kt_nearest("sgd", names, 4), "sgd");
    assert_null(kt_nearest("something else", names, 4));
    assert_null(kt_nearest("adam", names, 0));
    char big[200];
    memset(big, 'a', sizeof big - 1);
    big[sizeof big - 1] = 0;
    assert_null(kt_nearest(big, names, 4));
}

KT_TEST(error, memory_that_is_out_says_so) {
    kt_mem_fail_after(1);
    assert_null(kt_alloc(10));
    kt_check_message_has("out of memory: 10 bytes");
    assert_null(kt_alloc_array(INT64_MAX, 16));
    assert_int_equal(kt_error_last(), KT_ENOMEM);
    assert_null(kt_alloc_array(-1, 16));
    assert_null(kt_alloc_aligned(SIZE_MAX - 3));
    void *p = kt_alloc(0);
    assert_non_null(p);
    kt_mem_free(p);
}
