/* Host arrays: values, sharing, what is refused, and that no function minds a failed array. */
#include "tensor/tensor.h"

#include "base/mem.h"
#include "testing/kt_test.h"

#include <math.h>
#include <string.h>

static const float six[] = {1, 2, 3, 4, 5, 6};

static kt_tensor *two_by_three(void) { return kt_tensor_new(KT_FLOAT32, kt_dims(2, 3), six); }

KT_TEST(tensor, copies_its_data) {
    float data[] = {1, 2, 3};
    kt_tensor *t = kt_tensor_new(KT_FLOAT32, kt_dims(3), data);
    data[0] = 9;
    assert_true(kt_tensor_get(t, 0) == 1);
    assert_int_equal(kt_tensor_dtype(t), KT_FLOAT32);
    assert_int_equal(kt_tensor_size(t), 3);
    assert_int_equal(kt_tensor_dim(t, -1), 3);
    assert_int_equal((uintptr_t)kt_tensor_data(t) % 64, 0);
}

KT_TEST(tensor, is_zero_without_data) {
    kt_tensor *t = kt_tensor_new(KT_INT64, kt_dims(100), NULL);
    for (int i = 0; i < 100; i++) assert_true(kt_tensor_get(t, i) == 0);
}

KT_TEST(tensor, wraps_without_a_copy) {
    float data[] = {1, 2, 3};
    kt_tensor *t = kt_tensor_wrap(KT_FLOAT32, kt_dims(3), data);
    assert_ptr_equal(kt_tensor_data(t), data);
    kt_check_status(kt_tensor_set(t, 1, 7), KT_OK);
    assert_true(data[1] == 7);
    kt_check_fails(kt_tensor_wrap(KT_FLOAT32, kt_dims(3), NULL), KT_EINVAL, "data: expected");
    assert_false(kt_failed(kt_tensor_wrap(KT_FLOAT32, kt_dims(3, 0), NULL)));
}

KT_TEST(tensor, refuses_impossible_shapes) {
    kt_check_fails(
        kt_tensor_new(KT_FLOAT32, kt_dims(2, -3), NULL),
        KT_ESHAPE,
        "shape: expected dimensions >= 0, got (2, -3)");
    kt_check_fails(
        kt_tensor_new(KT_FLOAT32, kt_dims(KT_NONE, 3), NULL),
        KT_ESHAPE,
        "shape: expected dimensions >= 0, got (None, 3)");
    kt_check_fails(
        kt_tensor_new(KT_FLOAT32, kt_dims(1, 1, 1, 1, 1, 1, 1, 1, 1), NULL),
        KT_ESHAPE,
        "shape: expected 0 to 8 dimensions, got 9");
    kt_check_fails(kt_tensor_new(KT_FLOAT32, kt_shape_of(-2, NULL), NULL), KT_ESHAPE, "got -1");
    kt_check_fails(
        kt_tensor_new(KT_FLOAT32, (kt_shape){.ndim = INT32_MIN}, NULL), KT_ESHAPE, "dimensions");
    kt_check_fails(
        kt_tensor_new(KT_FLOAT32, kt_dims(INT64_MAX, 2), NULL), KT_ESHAPE, "more elements");
    kt_check_fails(
        kt_tensor_new(KT_FLOAT64, kt_dims(INT64_MAX / 4), NULL), KT_ESHAPE, "more elements");
    kt_check_fails(kt_tensor_new((kt_dtype)42, kt_dims(2), NULL), KT_EDTYPE, "got 42");
    kt_check_fails(
        kt_tensor_new(KT_FLOAT32, kt_dims(INT64_MAX / 16), NULL), KT_ENOMEM, "out of memory");
}

KT_TEST(tensor, has_scalars_and_empty_arrays) {
    kt_tensor *s = kt_tensor_new(KT_INT32, (kt_shape){0}, (int32_t[]){5});
    kt_tensor *e = kt_tensor_new(KT_INT32, kt_dims(0, 3), NULL);
    assert_int_equal(kt_tensor_size(s), 1);
    assert_true(kt_tensor_get(s, 0) == 5);
    assert_int_equal(kt_tensor_size(e), 0);
    assert_int_equal(kt_tensor_size(kt_tensor_copy(e)), 0);
    assert_int_equal(kt_tensor_size(kt_tensor_cast(e, KT_BOOL)), 0);
    assert_int_equal(kt_tensor_argmax(e, 0), -1);
    kt_check_fails(kt_tensor_slice(s, 0, 1), KT_ESHAPE, "scalar");
}

KT_TEST(tensor, slices_share_memory) {
    kt_tensor *t = two_by_three(), *s = kt_tensor_slice(t, 1, 2);
    assert_int_equal(kt_tensor_dim(s, 0), 1);
    assert_int_equal(kt_tensor_dim(s, 1), 3);
    assert_true(kt_tensor_get(s, 2) == 6);
    kt_check_status(kt_tensor_set(s, 0, 40), KT_OK);
    assert_true(kt_tensor_get(t, 3) == 40);
    assert_int_equal(kt_tensor_size(kt_tensor_slice(t, 2, 2)), 0);
    kt_check_fails(kt_tensor_slice(t, 1, 3), KT_EINVAL, "<= 2, got 1 and 3");
    kt_check_fails(kt_tensor_slice(t, -1, 1), KT_EINVAL, "slice:");
    kt_check_fails(kt_tensor_slice(t, 2, 1), KT_EINVAL, "slice:");
}

KT_TEST(tensor, array_may_be_freed_before_its_slice) {
    const int64_t before = kt_obj_count();
    kt_tensor *t = two_by_three(), *s = kt_tensor_slice(t, 1, 2);
    kt_free(t);
    assert_true(kt_tensor_get(s, 0) == 4);
    kt_free(s);
    assert_int_equal(kt_obj_count(), before);
}

KT_TEST(tensor, slice_may_be_freed_before_its_array) {
    const int64_t before = kt_obj_count();
    kt_tensor *t = two_by_three();
    kt_free(kt_tensor_slice(t, 0, 1));
    assert_true(kt_tensor_get(t, 5) == 6);
    kt_free(t);
    assert_int_equal(kt_obj_count(), before);
}

KT_TEST(tensor, clear_session_frees_array_and_slices) {
    const int64_t before = kt_obj_count();
    kt_tensor *t = two_by_three();
    kt_tensor_reshape(kt_tensor_slice(kt_tensor_slice(t, 0, 2), 1, 2), kt_dims(3, 1));
    two_by_three();
    kt_clear_session();
    assert_int_equal(kt_obj_count(), before);
}

KT_TEST(tensor, adopted_slice_keeps_its_array) {
    const int64_t before = kt_obj_count();
    kt_tensor *s = kt_adopt(kt_tensor_slice(two_by_three(), 1, 2));
    kt_clear_session();
    assert_true(kt_tensor_get(s, 0) == 4);
    kt_release(s);
    assert_int_equal(kt_obj_count(), before);
}

KT_TEST(tensor, reshapes_without_a_copy) {
    kt_tensor *t = two_by_three(), *r = kt_tensor_reshape(t, kt_dims(3, 2));
    assert_ptr_equal(kt_tensor_data(r), kt_tensor_data(t));
    kt_check_fails(
        kt_tensor_reshape(t, kt_dims(4)), KT_ESHAPE, "(2, 3) and (4,) have different numbers");
    kt_check_fails(kt_tensor_reshape(t, kt_dims(-1)), KT_ESHAPE, "dimensions >= 0");
}

KT_TEST(tensor, casts_and_copies) {
    kt_tensor *t = kt_tensor_new(KT_FLOAT32, kt_dims(3), (float[]){1.7f, -2.7f, 300});
    kt_tensor *i = kt_tensor_cast(t, KT_INT32), *c = kt_tensor_copy(t);
    assert_true(
        kt_tensor_get(i, 0) == 1 && kt_tensor_get(i, 1) == -2 && kt_tensor_get(i, 2) == 300);
    kt_check_status(kt_tensor_set(c, 0, 9), KT_OK);
    assert_true(kt_tensor_get(t, 0) == (double)1.7f);
    kt_check_fails(kt_tensor_cast(t, KT_NO_DTYPE), KT_EDTYPE, "dtype:");
}

KT_TEST(tensor, get_and_set_check_their_range) {
    kt_tensor *t = two_by_three();
    assert_true(kt_tensor_get(t, 6) == 0);
    assert_true(kt_tensor_get(t, -1) == 0);
    kt_check_status(kt_tensor_set(t, 6, 1), KT_EINVAL);
    kt_check_message_has("index 6 is out of range for 6 elements");
    kt_check_status(kt_tensor_set(t, -1, 1), KT_EINVAL);
}

KT_TEST(tensor, argmax_finds_the_first) {
    kt_tensor *t = kt_tensor_new(
        KT_FLOAT32, kt_dims(3, 3), (float[]){1, 5, 5, -2, -3, -1, 0, NAN, 9});
    assert_int_equal(kt_tensor_argmax(t, 0), 1);
    assert_int_equal(kt_tensor_argmax(t, 1), 2);
    assert_int_equal(kt_tensor_argmax(t, 2), 1); /* NaN, as NumPy */
    assert_int_equal(kt_tensor_argmax(t, 3), -1);
    assert_int_equal(kt_tensor_argmax(t, -1), -1);
    kt_tensor *row = kt_tensor_reshape(t, kt_dims(9)),
              *cube = kt_tensor_reshape(t, kt_dims(1, 3, 3));
    assert_int_equal(kt_tensor_argmax(row, 0), 7);
    assert_int_equal(kt_tensor_argmax(row, 1), -1);
    assert_int_equal(kt_tensor_argmax(cube, 0), -1);
}

KT_TEST(tensor, functions_accept_failures) {
    kt_tensor *failed = kt_tensor_new(KT_FLOAT32, kt_dims(2, -3), NULL);
    kt_tensor *const wrong[] = {failed, NULL, (kt_tensor *)kt_list("a")};
    for (int i = 0; i < 3; i++) {
        kt_tensor *t = wrong[i];
        const kt_status want = i == 0 ? KT_ESHAPE : KT_EINVAL;
        assert_int_equal(kt_check(kt_tensor_slice(t, 0, 1)), want);
        assert_int_equal(kt_check(kt_tensor_copy(t)), want);
        assert_int_equal(kt_check(kt_tensor_cast(t, KT_INT32)), want);
        assert_int_equal(kt_check(kt_tensor_reshape(t, kt_dims(1))), want);
        assert_int_equal(kt_tensor_set(t, 0, 1), want);
        assert_int_equal(kt_tensor_dtype(t), KT_NO_DTYPE);
        assert_int_equal(kt_tensor_shape(t).ndim, 0);
        assert_int_equal(kt_tensor_size(t), 0);
        assert_int_equal(kt_tensor_dim(t, 0), 0);
        assert_null(kt_tensor_data(t));
        assert_true(kt_tensor_get(t, 0) == 0);
        assert_int_equal(kt_tensor_argmax(t, 0), -1);
        assert_true(kt_tensor_str(t, NULL, 0) > 0);
        kt_free(i < 2 ? t : NULL);
    }
    kt_check_message_has("expected an array, got a list");
}

KT_TEST(tensor, passing_a_failure_on_keeps_its_message) {
    kt_tensor *t = kt_tensor_copy(kt_tensor_new(KT_FLOAT32, kt_dims(2, -3), NULL));
    kt_check_fails(t, KT_ESHAPE, "shape: expected dimensions >= 0, got (2, -3)");
}

KT_TEST(tensor, out_of_memory_is_an_error) {
    const int64_t before = kt_obj_count();
    for (int n = 1; n < 10; n++) {
        kt_mem_fail_after(n);
        kt_tensor *t = two_by_three();
        kt_tensor *s = kt_tensor_slice(t, 0, 1), *c = kt_tensor_cast(t, KT_INT64);
        kt_mem_fail_after(0);
        const bool all = !kt_failed(t) && !kt_failed(s) && !kt_failed(c);
        assert_int_equal(all, n > 5);
        if (!all) assert_int_equal(kt_error_last(), KT_ENOMEM);
        kt_clear_session();
        assert_int_equal(kt_obj_count(), before);
    }
}

KT_TEST(tensor, texts) {
    char name[] = "tom";
    kt_tensor *t = kt_strings(name, "it's", "", "\n\"");
    name[0] = 'x'; /* they were copied */
    assert_int_equal(kt_tensor_dtype(t), KT_STRING);
    assert_int_equal(kt_tensor_dim(t, 0), 4);
    assert_string_equal(kt_tensor_text(t, 0), "tom");
    assert_null(kt_tensor_text(t, 4));
    kt_tensor *copy = kt_tensor_copy(t), *part = kt_tensor_slice(t, 1, 2);
    kt_free(t);
    assert_string_equal(kt_tensor_text(copy, 1), "it's");
    assert_string_equal(kt_tensor_text(part, 0), "it's");
    char shown[64];
    kt_tensor_str(copy, shown, sizeof shown);
    assert_string_equal(shown, "['tom' \"it's\" '' '\\n\"']");
    assert_int_equal(kt_tensor_set(copy, 0, 1), KT_EDTYPE);
    kt_check_fails(kt_tensor_cast(copy, KT_FLOAT32), KT_EDTYPE, "cast");
    kt_tensor *same = kt_tensor_cast(copy, KT_STRING), *square;
    square = kt_tensor_reshape(same, kt_dims(2, 2));
    assert_string_equal(kt_tensor_text(square, 3), "\n\"");
    kt_tensor *empty = kt_tensor_new(KT_STRING, kt_dims(2), NULL);
    assert_string_equal(kt_tensor_text(empty, 1), "");
    const char *holes[] = {"a", NULL};
    kt_check_fails(kt_tensor_wrap(KT_STRING, kt_dims(2), holes), KT_EINVAL, "NULL");
    const void *all[] = {copy, part, same, square, empty};
    for (int i = 0; i < 5; i++) kt_free(all[i]);
}
