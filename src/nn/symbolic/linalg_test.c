/* Linear algebra by the C functions: factors put together again, wrong shapes, matrices that have
 * no inverse. The numbers beside real Keras are in saving/operations_test.c, the gradients in the
 * samples of the factorizations. */
#include "testing/kt_layers.h"
#include "testing/kt_models.h"

#include <math.h>

static kt_tensor *batch(int rows, int columns) {
    uint64_t seed = 11;
    return kt_test_tensor(KT_FLOAT32, kt_dims(3, rows, columns), -2, 2, &seed);
}

/* y is x. */
static void check_same(kt_sym *x, kt_sym *y, int rows, int columns) {
    kt_tensor *in = batch(rows, columns);
    kt_tensor *out = kt_model_predict(kt_functional(x, y), in, .verbose = 0);
    kt_check_ok(out);
    assert_int_equal(kt_tensor_size(out), kt_tensor_size(in));
    for (int64_t i = 0; i < kt_tensor_size(in); i++)
        kt_check_near(kt_tensor_get(out, i), kt_tensor_get(in, i), 1e-5, 1e-5);
}

static kt_sym *turned(kt_sym *x) { return kt_op_swapaxes(x, -1, -2); }

static void check_factors(int rows, int columns) {
    kt_sym *x = kt_input({rows, columns});
    kt_sym *qr = kt_op_qr(x, "complete"), *lu = kt_op_lu_factor(x);
    check_same(x, kt_op_matmul(qr, kt_item(qr, 1)), rows, columns);
    const int k = rows < columns ? rows : columns;
    kt_sym *s = kt_op_svd(x, true, true);
    kt_sym *u = kt_op_multiply(kt_op_slice(s, 2, 0, k), kt_op_expand_dims(kt_item(s, 1), 1));
    check_same(x, kt_op_matmul(u, kt_op_slice(kt_item(s, 2), 1, 0, k)), rows, columns);
    check_same(x, kt_op_matmul(kt_op_matmul(x, kt_op_pinv(x, KT_NONE_F)), x), rows, columns);
    kt_sym *l = kt_op_add(kt_op_slice(kt_op_tril(lu, -1), 2, 0, k), kt_op_eye(rows, k, 0, NULL));
    kt_sym *y = kt_op_matmul(l, kt_op_slice(kt_op_triu(lu, 0), 1, 0, k));
    kt_sym *place = kt_op_expand_dims(kt_item(lu, 1), -1);
    check_same(x, kt_op_take_along_axis(y, place, 1), rows, columns);
    kt_clear_session();
}

KT_TEST(linalg, factors_give_the_matrix) {
    check_factors(4, 4);
    check_factors(5, 3);
    check_factors(3, 6);
    check_factors(1, 1);
}

KT_TEST(linalg, vectors_are_orthogonal) {
    kt_sym *x = kt_input({4, 4}), *ones = kt_op_ones(kt_dims(2, 4), NULL);
    kt_sym *low = kt_op_matmul(kt_op_slice(x, 2, 0, 2), ones);
    kt_sym *s = kt_op_svd(low, true, true), *e = kt_item(kt_op_eigh(x), 1); /* low: of rank 1 */
    kt_sym *q = kt_op_qr(low, "reduced");
    check_same(x, kt_op_matmul(kt_op_matmul(s, turned(s)), x), 4, 4);
    check_same(x, kt_op_matmul(kt_op_matmul(turned(kt_item(s, 2)), kt_item(s, 2)), x), 4, 4);
    check_same(x, kt_op_matmul(kt_op_matmul(e, turned(e)), x), 4, 4);
    check_same(x, kt_op_matmul(kt_op_matmul(q, turned(q)), x), 4, 4);
    kt_clear_session();
}

/* Numbers of real Keras; with the axes turned and kept, where it fails, of NumPy. */
static void check_norm(double ord, kt_tuple axis, bool keepdims, double first, double second) {
    const double v[] = {1, 2, 0, 0, 1, -1, 2, 0, 0, 0, 0.5, 1};
    kt_tensor *in = kt_floats_tensor(kt_dims(2, 2, 3), v);
    kt_sym *x = kt_input({2, 3});
    kt_model *m = kt_functional(x, kt_op_norm(x, ord, axis, keepdims));
    kt_tensor *y = kt_model_predict(m, in, .verbose = 0);
    kt_check_ok(y);
    const kt_shape s = kt_tensor_shape(y);
    assert_int_equal(s.ndim, keepdims ? 3 : 1);
    assert_int_equal(s.dim[0], 2);
    kt_check_near(kt_tensor_get(y, 0), first, 1e-5, 0);
    kt_check_near(kt_tensor_get(y, 1), second, 1e-5, 0);
    kt_clear_session();
}
KT_TEST(linalg, norms_of_singular_values) {
    check_norm(2, kt_axes(1, 2), false, 2.4494898319244385, 2);
    check_norm(-2, kt_axes(1, 2), false, 1, 1.1180340051651);
    check_norm(KT_NUCLEAR, kt_axes(1, 2), false, 3.4494900703430176, 3.1180338859558105);
    check_norm(KT_NUCLEAR, kt_axes(1, 2), true, 3.4494900703430176, 3.1180338859558105);
    check_norm(2, kt_axes(-1, -2), true, 2.4494898319244385, 2);
    kt_sym *x = kt_input({2, 3});
    kt_check_fails(kt_op_norm(x, KT_NUCLEAR, -1, false), KT_EUNSUPPORTED, "nuc");
    kt_clear_session();
}

KT_TEST(linalg, wrong_matrices) {
    kt_sym *x = kt_input({3, 4}), *s = kt_input({3, 3}), *v = kt_input({KT_SCALAR});
    kt_check_fails(kt_op_inv(x), KT_ESHAPE, "inv: the shape of the matrices");
    kt_check_message_has("square");
    kt_check_message_has("(None, 3, 4)");
    kt_check_fails(kt_op_cholesky(x, false), KT_ESHAPE, "cholesky");
    kt_check_fails(kt_op_det(x), KT_ESHAPE, "det");
    kt_check_fails(kt_op_svd(v, true, true), KT_ESHAPE, "svd");
    kt_check_fails(kt_op_solve(s, kt_input({4, 2})), KT_ESHAPE, "3 rows");
    kt_check_fails(kt_op_solve_triangular(s, kt_input({4, 2}), true), KT_ESHAPE, "solve");
    kt_check_fails(kt_op_qr(s, "full"), KT_EINVAL, "qr: mode");
    kt_check_fails(kt_op_lstsq(s, s, KT_NONE_F), KT_ESHAPE, "lstsq");
    kt_clear_session();
}

/* Found when the numbers are there. */
KT_TEST(linalg, matrices_without_an_inverse) {
    kt_sym *x = kt_input({2, 2});
    kt_tensor *in = kt_floats_tensor(kt_dims(1, 2, 2), KT_VALUES(1, 2, 2, 4));
    kt_model *inv = kt_functional(x, kt_op_inv(x)), *l = kt_functional(x, kt_op_cholesky(x, false));
    kt_check_fails(kt_model_predict(inv, in, .verbose = 0), KT_EINVAL, "not invertible");
    kt_check_fails(kt_model_predict(l, in, .verbose = 0), KT_EINVAL, "not positive definite");
    kt_sym *sign = kt_op_slogdet(x);
    kt_list_t *y = kt_model_predict_list(
        kt_functional(
            x, kt_list(kt_op_det(x), sign, kt_item(sign, 1), kt_op_matrix_rank(x, KT_NONE_F))),
        in,
        .verbose = 0);
    kt_check_ok(y);
    assert_true(kt_tensor_get(kt_list_get(y, 0), 0) == 0);
    assert_true(kt_tensor_get(kt_list_get(y, 1), 0) == 0);
    assert_true(kt_tensor_get(kt_list_get(y, 2), 0) == -INFINITY);
    assert_true(kt_tensor_get(kt_list_get(y, 3), 0) == 1);
    kt_clear_session();
}

KT_TEST(linalg, eigh_of_what_is_not_finite) {
    kt_sym *x = kt_input({2, 2}), *e = kt_op_eigh(x);
    kt_tensor *in = kt_floats_tensor(kt_dims(2, 2, 2), KT_VALUES(5, 0, 0, NAN, 2, 0, 0, 1));
    kt_tensor *w = kt_model_predict(kt_functional(x, e), in, .verbose = 0);
    kt_check_ok(w);
    for (int i = 0; i < 2; i++) {
        assert_true(isnan(kt_tensor_get(w, i)));
        kt_check_near(kt_tensor_get(w, 2 + i), i + 1, 0, 0); /* the other matrix of the batch */
    }
    kt_clear_session();
}
