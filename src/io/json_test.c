/* JSON in and out, compared with what Python's json does. */
#include "base/mem.h"
#include "io/json.h"
#include "testing/kt_test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static kt_status parse(kt_json **v, const char *text) {
    return kt_json_parse(v, text, strlen(text), NULL);
}

/* Text in, text out. */
static void check_round(const char *text, const char *want) {
    kt_json *v;
    kt_str s = {0};
    kt_check_status(parse(&v, text), KT_OK);
    kt_json_write(&s, v, KT_NONE);
    kt_check_str(s.s, want);
    kt_str_free(&s);
    kt_json_free(v);
}

KT_TEST(json, writes_as_python) {
    check_round(
        "{\"b\":1,\"a\":[1.0,1e-7,-0.0,1e22,0.1]}",
        "{\"b\": 1, \"a\": [1.0, 1e-07, -0.0, 1e+22, 0.1]}");
    check_round("[NaN,Infinity,-Infinity,\"NaN\"]", "[NaN, Infinity, -Infinity, \"NaN\"]");
    check_round(
        "\"\\u00e9\\ud83d\\ude00\\n\\\"\\u0001/\\u007f\"",
        "\"\\u00e9\\ud83d\\ude00\\n\\\"\\u0001/\\u007f\"");
    check_round("[]", "[]");
    check_round(" {} ", "{}");
    check_round("[true, null, -9223372036854775808]", "[true, null, -9223372036854775808]");
    check_round("{\"k\\\\\": NaN}", "{\"k\\\\\": NaN}");
}

KT_TEST(json, indents_as_python) {
    kt_json *v;
    kt_str s = {0};
    kt_check_status(parse(&v, "{\"a\": [1, {}], \"b\": []}"), KT_OK);
    kt_json_write(&s, v, 2);
    kt_check_str(s.s, "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}");
    kt_str_free(&s);
    kt_json_free(v);
}

KT_TEST(json, values_are_read_by_type) {
    kt_json *v;
    kt_check_status(
        parse(&v, "{\"i\": 3, \"r\": 2.5, \"n\": NaN, \"s\": \"x\", \"l\": [1, 2]}"), KT_OK);
    assert_int_equal(kt_json_int(kt_json_get(v, "i")), 3);
    assert_true(kt_json_number(kt_json_get(v, "i")) == 3);
    assert_true(kt_json_number(kt_json_get(v, "r")) == 2.5);
    assert_true(isnan(kt_json_number(kt_json_get(v, "n"))));
    assert_int_equal(kt_json_kind(kt_json_get(v, "n")), KT_JSON_REAL);
    kt_check_str(kt_json_get_text(v, "s"), "x");
    assert_null(kt_json_get_text(v, "i"));
    assert_null(kt_json_get(v, "none"));
    assert_int_equal(kt_json_len(kt_json_get(v, "l")), 2);
    assert_null(kt_json_at(kt_json_get(v, "l"), 2));
    kt_json_free(v);
}

KT_TEST(json, refuses_what_is_not_json) {
    static const char *const bad[] = {
        "",
        "{",
        "[1,]",
        "{\"a\":1,\"a\":2}",
        "[1] x",
        "nan",
        "[01]",
        "[0x1]",
        "[1e999]",
        "[9223372036854775808]",
        "\"\\ud800\"",
        "\"\xff\"",
        "\"\\u0000\"",
        "\"\n\"",
        "[+1]",
        "\xef\xbb\xbf[]",
        "{1: 2}",
        "[-NaN]",
        "NaNNaN",
        "[--Infinity]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        kt_json *v;
        kt_check_status(parse(&v, bad[i]), KT_EFORMAT);
        assert_null(v);
    }
}

KT_TEST(json, limits_hold_before_anything_is_built) {
    kt_json *v;
    kt_str s = {0};
    kt_str_repeat(&s, "[", 128);
    kt_str_repeat(&s, "]", 128);
    kt_check_status(parse(&v, s.s), KT_OK);
    kt_json_free(v);
    kt_str_add(&s, "]");
    s.s[0] = '[';
    kt_str_free(&s);
    kt_str_repeat(&s, "[", 129);
    kt_check_status(parse(&v, s.s), KT_ELIMIT);
    kt_str_free(&s);
    kt_check_status(kt_json_parse(&v, "[1,2,3]", 7, &(kt_json_limits){.values_max = 2}), KT_ELIMIT);
    kt_check_status(kt_json_parse(&v, "[1,2,3]", 7, &(kt_json_limits){.bytes_max = 6}), KT_ELIMIT);
}
