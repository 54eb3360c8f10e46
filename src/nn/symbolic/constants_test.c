/* Constant arrays beside those of real Keras (tools/golden/ops_constants.py); wrong arguments. */
#include "io/npz.h"
#include "testing/kt_models.h"

#include <math.h>
#include <stdio.h>

/* What a model adds to zeros. */
static void check_array(kt_npz *npz, const char *name, kt_sym *c) {
    const kt_tensor *want = kt_npz_read(npz, name);
    kt_check_ok(c);
    kt_check_ok(want);
    const kt_shape s = kt_tensor_shape(want), got = kt_sym_shape(c);
    assert_int_equal(got.ndim, s.ndim);
    for (int i = 0; i < s.ndim; i++) assert_int_equal(got.dim[i], s.dim[i]);
    assert_int_equal(kt_sym_dtype(c), kt_tensor_dtype(want));
    kt_sym *x = kt_input({1});
    kt_model *m = kt_functional(
        x, kt_op_add(kt_op_multiply(kt_op_sum(x, KT_NONE, false), kt_num(0)), c));
    kt_tensor *in = kt_tensor_new(KT_FLOAT32, kt_dims(s.dim[0], 1), NULL);
    kt_tensor *y = kt_model_predict(m, in, .verbose = 0, .batch_size = 1000);
    kt_check_ok(y);
    for (int64_t i = 0; i < kt_tensor_size(want); i++)
        kt_check_near_at(
            kt_tensor_get(y, i), kt_tensor_get(want, i), 1e-6, 1e-6, name, __FILE__, __LINE__);
    kt_clear_session();
}

KT_TEST(constants, of_keras) {
    kt_npz *npz;
    kt_check_status(kt_npz_open(&npz, "tests/golden/ops_constants.npz"), KT_OK);
    check_array(npz, "eye", kt_op_eye(3, 5, 1, NULL));
    check_array(npz, "eye_back", kt_op_eye(4, KT_NONE, -2, "int32"));
    check_array(npz, "identity", kt_op_identity(3, NULL));
    check_array(npz, "tri", kt_op_tri(3, 4, 1, NULL));
    check_array(npz, "arange", kt_op_arange(0, 10, 3, NULL));
    check_array(npz, "arange_back", kt_op_arange(1.5, -1, -0.5, NULL));
    check_array(npz, "zeros", kt_op_zeros(kt_dims(2, 3), "int32"));
    check_array(npz, "ones", kt_op_ones(kt_dims(2, 2), NULL));
    static const int points[] = {1, 2, 7, 12};
    for (int i = 0; i < 4; i++) {
        char name[32];
        const int n = points[i];
        snprintf(name, sizeof name, "bartlett_%d", n);
        check_array(npz, name, kt_op_bartlett(n));
        snprintf(name, sizeof name, "blackman_%d", n);
        check_array(npz, name, kt_op_blackman(n));
        snprintf(name, sizeof name, "hamming_%d", n);
        check_array(npz, name, kt_op_hamming(n));
        snprintf(name, sizeof name, "hanning_%d", n);
        check_array(npz, name, kt_op_hanning(n));
        snprintf(name, sizeof name, "kaiser_%d", n);
        check_array(npz, name, kt_op_kaiser(n, 8.6));
    }
    kt_npz_close(npz);
}

KT_TEST(constants, wrong_arguments) {
    kt_check_fails(kt_op_eye(-1, KT_NONE, 0, NULL), KT_EINVAL, "eye: a length of -1");
    kt_check_fails(kt_op_zeros(kt_dims(2), "flaot"), KT_EINVAL, "unknown name \"flaot\"");
    kt_check_fails(kt_op_arange(0, 1, 0, NULL), KT_EINVAL, "arange");
    kt_check_fails(kt_op_arange(0, NAN, 1, NULL), KT_EINVAL, "arange");
    kt_check_fails(kt_op_hanning(-3), KT_EINVAL, "hanning");
    kt_check_fails(kt_op_kaiser(3, INFINITY), KT_EINVAL, "beta");
    assert_int_equal(kt_sym_shape(kt_op_arange(3, 0, 1, NULL)).dim[0], 0);
    kt_clear_session();
}

/* Activations by function are those of the class in files. */
KT_TEST(constants, activations_by_name) {
    kt_sym *x = kt_input({3});
    kt_tensor *in = kt_floats_tensor(kt_dims(1, 3), KT_VALUES(-2, 0.5, 7));
    kt_model *m = kt_functional(
        x,
        kt_list(
            kt_op_leaky_relu(x, 0.5),
            kt_op_relu6(x),
            kt_op_threshold(x, 1, -3),
            kt_op_absolute(x),
            kt_op_fabs(kt_op_cast(x, "int32")),
            kt_op_true_divide(x, kt_num(2)),
            kt_op_add(x, kt_op_amax(x, KT_NONE, false))));
    kt_list_t *y = kt_model_predict_list(m, in, .verbose = 0);
    kt_check_ok(y);
    static const double want[7][3] = {
        {-1, 0.5, 7},
        {0, 0.5, 6},
        {-3, -3, 7},
        {2, 0.5, 7},
        {2, 0, 7},
        {-1, 0.25, 3.5},
        {5, 7.5, 14}};
    for (int i = 0; i < 7; i++)
        for (int k = 0; k < 3; k++)
            kt_check_near(kt_tensor_get(kt_list_get(y, i), k), want[i][k], 1e-6, 0);
    assert_int_equal(kt_tensor_dtype(kt_list_get(y, 4)), KT_FLOAT32);
    kt_clear_session();
}
