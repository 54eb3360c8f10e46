/* Shapes: text, products that cannot overflow, broadcasting. */
#include "tensor/tensor.h"
#include "testing/kt_test.h"

#include <string.h>

static const char *text_of(kt_shape s) {
    static char buf[KT_SHAPE_STR];
    return kt_shape_str(&s, buf, sizeof buf);
}

static int64_t size_of(kt_shape s) { return kt_shape_size(&s); }

KT_TEST(shape, prints_as_a_tuple) {
    char spec[64], tiny[4];
    kt_check_str(text_of((kt_shape){0}), "()");
    kt_check_str(text_of(kt_dims(5)), "(5,)");
    kt_check_str(text_of(kt_dims(KT_NONE, 28, 28)), "(None, 28, 28)");
    kt_check_str(
        kt_spec_str(&(kt_spec){KT_FLOAT32, kt_dims(2, 3)}, spec, sizeof spec), "float32 (2, 3)");
    kt_check_str(kt_shape_str(&(kt_shape){.ndim = 1, .dim = {12}}, tiny, sizeof tiny), "(12");
    const int64_t m = INT64_MIN + 1;
    assert_int_equal(strlen(text_of(kt_dims(m, m, m, m, m, m, m, m))), 8 * 20 + 7 * 2 + 2);
}

KT_TEST(shape, knows_its_size) {
    assert_int_equal(size_of((kt_shape){0}), 1);
    assert_int_equal(size_of(kt_dims(2, 3, 4)), 24);
    assert_int_equal(size_of(kt_dims(2, 0, 4)), 0);
    assert_int_equal(size_of(kt_dims(KT_NONE, 4)), -1);
    assert_int_equal(size_of(kt_dims(-1)), -1);
    assert_int_equal(size_of(kt_dims(INT64_MAX, 2)), -1);
    assert_int_equal(size_of(kt_dims(0, INT64_MAX, 2)), -1);
    assert_int_equal(size_of(kt_dims(1, 1, 1, 1, 1, 1, 1, 1, 1)), -1);
    assert_int_equal(kt_spec_bytes(&(kt_spec){KT_FLOAT64, kt_dims(2, 3)}), 48);
    assert_int_equal(kt_spec_bytes(&(kt_spec){KT_FLOAT64, kt_dims(INT64_MAX / 8)}), -1);
    assert_int_equal(kt_spec_bytes(&(kt_spec){KT_NO_DTYPE, kt_dims(1)}), -1);
    const kt_shape s = kt_dims(2, 3, 4);
    assert_int_equal(kt_shape_range(&s, 1, 3), 12);
    assert_int_equal(kt_shape_range(&s, 2, 2), 1);
}

KT_TEST(shape, counts_axes_from_both_ends) {
    const kt_shape s = kt_dims(2, 3);
    assert_int_equal(kt_shape_dim(&s, 0), 2);
    assert_int_equal(kt_shape_dim(&s, -1), 3);
    assert_int_equal(kt_shape_dim(&s, 2), 0);
    assert_int_equal(kt_shape_dim(&s, -3), 0);
    assert_int_equal(kt_shape_dim(NULL, 0), 0);
    assert_int_equal(kt_axis(-1, 4), 3);
    assert_int_equal(kt_axis(4, 4), -1);
    assert_int_equal(kt_axis(0, 0), -1);
}

KT_TEST(shape, compares_and_reads_fields) {
    const kt_shape a = kt_dims(2, KT_NONE), b = kt_dims(2, KT_NONE), c = kt_dims(2);
    assert_true(kt_shape_equal(&a, &b));
    assert_false(kt_shape_equal(&a, &c));
    kt_check_str(text_of(kt_shape_of_field((int64_t[KT_MAX_RANK]){28, 28, 1})), "(28, 28, 1)");
    kt_check_str(text_of(kt_shape_of_field((int64_t[KT_MAX_RANK]){KT_NONE, 3})), "(None, 3)");
    kt_check_str(
        text_of(kt_shape_of_field((int64_t[KT_MAX_RANK]){1, 1, 1, 1, 1, 1, 1, 1})),
        "(1, 1, 1, 1, 1, 1, 1, 1)");
}

KT_TEST(shape, broadcasts_as_numpy) {
    static const struct {
        kt_shape a, b;
        const char *want; /* NULL: they do not go together */
    } cases[] = {
        {{2, {3, 4}}, {1, {4}}, "(3, 4)"},
        {{2, {3, 1}}, {2, {1, 5}}, "(3, 5)"},
        {{0}, {2, {2, 2}}, "(2, 2)"},
        {{0}, {0}, "()"},
        {{1, {0}}, {1, {1}}, "(0,)"},
        {{1, {KT_NONE}}, {1, {1}}, "(None,)"},
        {{1, {KT_NONE}}, {1, {7}}, "(7,)"},
        {{1, {KT_NONE}}, {2, {2, KT_NONE}}, "(2, None)"},
        {{1, {3}}, {1, {4}}, NULL},
        {{1, {0}}, {1, {4}}, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        kt_shape ab = {0}, ba = {0};
        const int st = kt_shape_broadcast(&cases[i].a, &cases[i].b, &ab);
        assert_int_equal(st, kt_shape_broadcast(&cases[i].b, &cases[i].a, &ba));
        assert_int_equal(st, cases[i].want ? KT_OK : KT_ESHAPE);
        if (!cases[i].want) continue;
        kt_check_str(text_of(ab), cases[i].want);
        kt_check_str(text_of(ba), cases[i].want);
    }
}
