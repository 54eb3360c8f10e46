/* CSV: headers, targets, quotes, line ends, and what is no table of numbers. */
#include "io/csv.h"

#include "base/mem.h"
#include "tensor/tensor.h"
#include "testing/kt_test.h"

#include <math.h>
#include <string.h>

static kt_tensor *y;

/* The text is copied to a block of exactly its size: the sanitizer watches the end. */
static kt_tensor *parse(const char *text, const char *target) {
    const size_t n = strlen(text);
    char *copy = kt_alloc(n + 1);
    kt_tensor *x;
    assert_non_null(copy);
    memcpy(copy, text, n);
    const kt_csv_options o = {.separator = ',', .header = KT_AUTO, .target = target};
    const kt_status st = kt_csv_parse(copy, n, &o, &x, &y);
    kt_mem_free(copy);
    assert_true(st ? !x && !y : x && !y == !target);
    return x;
}

static void check(const char *text, const char *target, int64_t rows, int64_t columns, double sum) {
    kt_tensor *x = parse(text, target);
    if (!x) fail_msg("%s: %s", text, kt_error_message());
    assert_int_equal(kt_tensor_dim(x, 0), rows);
    assert_int_equal(kt_tensor_dim(x, 1), columns);
    assert_int_equal(kt_tensor_dtype(x), KT_FLOAT32);
    double s = 0;
    for (int64_t i = 0; i < kt_tensor_size(x); i++) s += kt_tensor_get(x, i);
    assert_float_equal(s, sum, 1e-6);
    kt_free(x);
}

KT_TEST(csv, reads_tables_with_and_without_names) {
    check("1,2\n3,4\n", NULL, 2, 2, 10);
    check("a,b\n1,2\n3,4", NULL, 2, 2, 10);
    check("\xEF\xBB\xBF\"a\",\"b, c\"\r\n1, 2\r\n\r\n3,4\r\n", NULL, 2, 2, 10);
    check("1,2\r3,4\r", NULL, 2, 2, 10);
    check("\"1\",\"2.5e1\"\n", NULL, 1, 2, 26);
    check("-1\n+2\n.5\n", NULL, 3, 1, 1.5);
}

KT_TEST(csv, takes_the_target_by_name_or_number) {
    static const char *const targets[] = {"label", "1", "-2"};
    for (int i = 0; i < 3; i++) {
        check("a,label,b\n1,7,2\n3,8,4\n", targets[i], 2, 2, 10);
        assert_int_equal(kt_tensor_dtype(y), KT_INT64);
        assert_float_equal(kt_tensor_get(y, 0), 7, 0);
        assert_float_equal(kt_tensor_get(y, 1), 8, 0);
        kt_free(y);
    }
    check("a,label\n1,7.5\n", "label", 1, 1, 1);
    assert_int_equal(kt_tensor_dtype(y), KT_FLOAT32);
    kt_free(y);
}

KT_TEST(csv, missing_fields_are_nan) {
    kt_tensor *x = parse("1,,NA,nan,-inf\n", NULL);
    assert_non_null(x);
    for (int i = 1; i < 4; i++) assert_true(isnan(kt_tensor_get(x, i)));
    assert_true(isinf(kt_tensor_get(x, 4)));
    kt_free(x);
}

static void check_fails(const char *text, const char *target, kt_status want, const char *word) {
    assert_null(parse(text, target));
    assert_int_equal(kt_error_last(), want);
    if (!strstr(kt_error_message(), word)) fail_msg("%s: no %s", kt_error_message(), word);
}

KT_TEST(csv, says_what_is_wrong_and_where) {
    check_fails("", NULL, KT_EFORMAT, "no rows");
    check_fails("a,b\n", NULL, KT_EFORMAT, "no rows");
    check_fails("1,2\n3\n", NULL, KT_EFORMAT, "line 2");
    check_fails("1,2\n3,x1\n", NULL, KT_EFORMAT, "line 2: column 2 is no number");
    check_fails("1,2\n0x10,1\n", NULL, KT_EFORMAT, "no number");
    check_fails("1,\"2\n", NULL, KT_EFORMAT, "quote");
    check_fails("1,\"2\"3\n", NULL, KT_EFORMAT, "quote");
    check_fails("a,b\n1,2\n", "c", KT_ENOTFOUND, "\"c\"");
    check_fails("1,2\n", "2", KT_ENOTFOUND, "\"2\"");
}

KT_TEST(csv, refuses_bytes_of_zero) {
    kt_tensor *x;
    const kt_csv_options o = {.separator = ',', .header = KT_AUTO};
    assert_int_equal(kt_csv_parse("1,\0002\n", 5, &o, &x, &y), KT_EFORMAT);
    assert_null(x);
}

static kt_tensor *texts(const char *file, const char *target) {
    kt_tensor *x;
    kt_csv_options o = {.separator = ',', .header = KT_AUTO, .target = target, .texts = true};
    const kt_status st = kt_csv_parse(file, strlen(file), &o, &x, &y);
    assert_int_equal(st != KT_OK, x == NULL);
    return x;
}

KT_TEST(csv, texts) {
    kt_tensor *x = texts("\"a \"\"b\"\", c\",2\n x y ,\n", NULL);
    assert_int_equal(kt_tensor_dim(x, 0), 2);
    assert_int_equal(kt_tensor_dim(x, 1), 2);
    const char *want[] = {"a \"b\", c", "2", "x y", ""};
    for (int i = 0; i < 4; i++) assert_string_equal(kt_tensor_text(x, i), want[i]);
    kt_free(x);
    x = texts("label,text\n1,one\n0,\"no, ne\"\n", "label");
    assert_int_equal(kt_tensor_size(x), 2);
    assert_string_equal(kt_tensor_text(x, 1), "no, ne");
    assert_true(kt_tensor_get(y, 0) == 1);
    kt_free(x);
    kt_free(y);
    x = texts("1,one\n0,two\n", "0"); /* a number above: no names */
    assert_int_equal(kt_tensor_size(x), 2);
    kt_free(x);
    kt_free(y);
    assert_null(texts("one,1\ntwo,b\n", "1"));
    kt_check_message_has("no number");
    assert_null(texts("one\n\"two\n", NULL));
    kt_check_message_has("not closed");
    assert_null(texts("one,1\n", "x"));
    kt_check_message_has("\"x\"");
}
