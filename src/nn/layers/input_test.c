/* kt_input: shapes, dtypes, wrong arguments. */
#include "testing/kt_layers.h"

static void check_input(const kt_sym *x, kt_shape want, kt_dtype dtype) {
    kt_check_status(kt_check(x), KT_OK);
    const kt_shape got = kt_sym_shape(x);
    assert_true(kt_shape_equal(&got, &want));
    assert_int_equal(kt_sym_dtype(x), dtype);
}

KT_TEST(input, gives_the_shape_with_the_batch_axis) {
    check_input(kt_input({28, 28, 1}), kt_dims(KT_NONE, 28, 28, 1), KT_FLOAT32);
    check_input(kt_input({KT_SCALAR}), kt_dims(KT_NONE), KT_FLOAT32);
    check_input(kt_input({KT_NONE, 3}, .batch_size = 7), kt_dims(7, KT_NONE, 3), KT_FLOAT32);
    check_input(kt_input(.batch_shape = {KT_NONE, 3}), kt_dims(KT_NONE, 3), KT_FLOAT32);
    check_input(kt_input(.batch_shape = {4, KT_NONE, 2}), kt_dims(4, KT_NONE, 2), KT_FLOAT32);
    check_input(kt_input(.batch_shape = {5}), kt_dims(5), KT_FLOAT32);
    check_input(kt_input({2}, .dtype = "int32"), kt_dims(KT_NONE, 2), KT_INT32);
    check_input(kt_input({1, 2, 3, 4, 5, 6, 7}), kt_dims(KT_NONE, 1, 2, 3, 4, 5, 6, 7), KT_FLOAT32);
}

KT_TEST(input, has_floatx) {
    kt_check_status(kt_set_floatx("float64"), KT_OK);
    check_input(kt_input({2}), kt_dims(KT_NONE, 2), KT_FLOAT64);
    kt_check_status(kt_set_floatx("float32"), KT_OK);
}

KT_TEST(input, rejects_wrong_arguments) {
    kt_check_fails(kt_input(), KT_EINVAL, "shape: it is missing");
    kt_check_fails(kt_input({0}), KT_EINVAL, "shape: it is missing");
    kt_check_fails(kt_input({-3}), KT_EINVAL, "expected positive dimensions, got -3");
    kt_check_fails(kt_input({1, 2, 3, 4, 5, 6, 7, 8}), KT_ELIMIT, "at most 7 axes");
    kt_check_fails(kt_input({3}, .dtype = "flaot32"), KT_EINVAL, "unknown name \"flaot32\"");
    kt_check_fails(kt_input({3}, .sparse = true), KT_EUNSUPPORTED, "sparse");
    kt_check_fails(kt_input({3}, .ragged = true), KT_EUNSUPPORTED, "ragged");
    kt_check_fails(kt_input({3}, .optional = true), KT_EUNSUPPORTED, "optional");
    kt_check_fails(kt_input({3}, .tensor = kt_input({3})), KT_EUNSUPPORTED, "tensor");
    kt_check_fails(kt_input({3}, .batch_shape = {2, 3}), KT_EINVAL, "batch_shape: expected no");
    kt_check_fails(kt_input(.batch_shape = {-4, 3}), KT_EINVAL, "got -4");
    kt_check_fails(kt_input({3}, .batch_size = 0), KT_EINVAL, "batch_size");
    kt_check_fails(kt_input({3}, .batch_size = -2), KT_EINVAL, "batch_size");
    kt_check_fails(kt_input({3}, .name = "a/b"), KT_EINVAL, "a/b");
    kt_check_fails(kt_input_new(&(kt_input_args){.shape = {3}}), KT_EINVAL, "size 0");
}
