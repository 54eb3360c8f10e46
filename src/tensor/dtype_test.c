/* Conversions: defined for every value, rounded as IEEE 754 says. */
#include "tensor/half.h"
#include "tensor/tensor.h"
#include "testing/kt_test.h"

#include <math.h>

KT_TEST(dtype, names_go_both_ways) {
    for (int d = 1; d < KT_DTYPE_COUNT; d++)
        assert_int_equal(kt_dtype_of(kt_dtype_name((kt_dtype)d)), d);
    assert_int_equal(kt_dtype_of("float128"), KT_NO_DTYPE);
    assert_int_equal(kt_dtype_of(NULL), KT_NO_DTYPE);
    assert_int_equal(kt_dtype_size(KT_FLOAT16), 2);
    assert_int_equal(kt_dtype_size((kt_dtype)99), 0);
    assert_int_equal(kt_dtype_size((kt_dtype)-5), 0);
    kt_check_str(kt_dtype_name((kt_dtype)99), "none");
}

KT_TEST(dtype, every_half_survives_a_round_trip) {
    for (unsigned h = 0; h < 65536; h++) {
        const float f = kt_half_to_float((uint16_t)h), b = kt_bfloat_to_float((uint16_t)h);
        if (isnan(f))
            assert_true(isnan(kt_half_to_float(kt_half_of_float(f))));
        else
            assert_int_equal(kt_half_of_float(f), h);
        if (isnan(b))
            assert_true(isnan(kt_bfloat_to_float(kt_bfloat_of_float(b))));
        else
            assert_int_equal(kt_bfloat_of_float(b), h);
    }
}

/* Between two neighbours: below the middle down, above it up, on it to the even one. */
KT_TEST(dtype, halves_round_to_nearest_even) {
    for (unsigned h = 0; h < 0x7BFF; h++) {
        const double low = kt_half_to_float((uint16_t)h),
                     high = kt_half_to_float((uint16_t)(h + 1));
        const double middle = (low + high) / 2;
        uint16_t out;
        kt_elem_set(&out, KT_FLOAT16, 0, middle);
        assert_int_equal(out, h % 2 ? h + 1 : h);
        kt_elem_set(&out, KT_FLOAT16, 0, nextafter(middle, 0));
        assert_int_equal(out, h);
        kt_elem_set(&out, KT_FLOAT16, 0, nextafter(middle, 1e9));
        assert_int_equal(out, h + 1);
    }
    assert_int_equal(kt_half_of_float(65519.9f), 0x7BFF);
    assert_int_equal(kt_half_of_float(65520.0f), 0x7C00);
    assert_int_equal(kt_half_of_float(-1e30f), 0xFC00);
    assert_int_equal(kt_half_of_float(2e-8f), 0);
    assert_int_equal(kt_half_of_float(-0.0f), 0x8000);
}

KT_TEST(dtype, bfloats_round_to_nearest_even) {
    uint16_t out;
    kt_elem_set(&out, KT_BFLOAT16, 0, 1.00390625); /* the middle of 1 and 1.0078125 */
    assert_int_equal(out, 0x3F80);
    kt_elem_set(
        &out, KT_BFLOAT16, 0, 1.00390625 + 1e-12); /* a float cannot tell it from the middle */
    assert_int_equal(out, 0x3F81);
    kt_elem_set(&out, KT_BFLOAT16, 0, 1e300);
    assert_int_equal(out, 0x7F80);
}

KT_TEST(dtype, floats_are_clipped_to_integers) {
    static const struct {
        double v;
        int32_t i32;
        uint8_t u8;
        bool b;
    } cases[] = {
        {1.9, 1, 1, true},
        {-1.9, -1, 0, true},
        {0.5, 0, 0, true},
        {0, 0, 0, false},
        {1e10, INT32_MAX, 255, true},
        {-1e10, INT32_MIN, 0, true},
        {INFINITY, INT32_MAX, 255, true},
        {NAN, 0, 0, true},
        {255.9, 255, 255, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int32_t i32;
        uint8_t u8, b;
        kt_elem_set(&i32, KT_INT32, 0, cases[i].v);
        kt_elem_set(&u8, KT_UINT8, 0, cases[i].v);
        kt_elem_set(&b, KT_BOOL, 0, cases[i].v);
        assert_int_equal(i32, cases[i].i32);
        assert_int_equal(u8, cases[i].u8);
        assert_int_equal(b, cases[i].b);
    }
    int64_t i64;
    kt_elem_set(&i64, KT_INT64, 0, 1e19);
    assert_true(i64 == INT64_MAX);
    kt_elem_set(&i64, KT_INT64, 0, -1e19);
    assert_true(i64 == INT64_MIN);
}

KT_TEST(dtype, integers_wrap) {
    const int64_t from[] = {-1, 256, 4294967296 + 5, INT64_MAX};
    uint8_t u8[4];
    int32_t i32[4];
    kt_elem_convert(u8, KT_UINT8, from, KT_INT64, 4);
    kt_elem_convert(i32, KT_INT32, from, KT_INT64, 4);
    assert_memory_equal(u8, ((uint8_t[]){255, 0, 5, 255}), 4);
    assert_memory_equal(i32, ((int32_t[]){-1, 256, 5, -1}), 16);
}

/* Every pair of dtypes of numbers, against element by element; small values that all hold. */
KT_TEST(dtype, all_pairs_convert) {
    for (int from = 1; from <= KT_INT8; from++)
        for (int to = 1; to <= KT_INT8; to++) {
            char a[8 * 4], b[8 * 4];
            for (int i = 0; i < 4; i++) kt_elem_set(a, (kt_dtype)from, i, i);
            kt_elem_convert(b, (kt_dtype)to, a, (kt_dtype)from, 4);
            for (int i = 0; i < 4; i++) {
                const bool is_bool = from == KT_BOOL || to == KT_BOOL;
                assert_true(kt_elem_get(b, (kt_dtype)to, i) == (is_bool ? i > 0 : i));
            }
        }
    kt_elem_convert(NULL, KT_INT32, NULL, KT_INT64, 0);
}
