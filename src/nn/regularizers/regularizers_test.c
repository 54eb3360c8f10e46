/* Regularizers against real Keras (tests/golden/regularizers.npz), value and gradient; names,
 * arguments and their errors. */
#include "nn/regularizers/regularizer.h"

#include "io/npz.h"
#include "testing/trace.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static kt_sym *penalty(kt_sym *w, const void *data) { return kt_regularizer_penalty(data, w); }

static kt_component *get(kt_ref ref) {
    kt_component *c;
    kt_check_status(kt_regularizer_get(&c, ref), KT_OK);
    return c;
}

static void check_case(kt_npz *npz, const char *name, const char *weight, kt_ref ref) {
    char path[96], what[112];
    snprintf(path, sizeof path, "%s.%s", name, weight);
    const kt_tensor *w = kt_npz_read(npz, weight);
    for (int d = KT_FLOAT32; d <= KT_FLOAT64; d++) {
        const kt_traced r = kt_trace_run(penalty, get(ref), kt_tensor_cast(w, (kt_dtype)d), NULL);
        kt_check_status(r.status, KT_OK);
        assert_int_equal(kt_tensor_dtype(r.y), d);
        snprintf(what, sizeof what, "%s/y", path);
        kt_check_tensor(r.y, kt_npz_member(npz, path, "y"), NULL, 1e-5, 0, what);
        snprintf(what, sizeof what, "%s/dx", path);
        kt_check_tensor(r.dx, kt_npz_member(npz, path, "dx"), NULL, 1e-5, 1e-8, what);
    }
}

KT_TEST(regularizers, match_keras) {
    static const char *const weights[] = {"matrix", "kernel", "vector", "zeros"};
    kt_npz *npz;
    kt_check_status(kt_npz_open(&npz, "tests/golden/regularizers.npz"), KT_OK);
    for (int i = 0; i < 4; i++) {
        check_case(npz, "L1", weights[i], "l1");
        check_case(npz, "L1_0.3", weights[i], kt_reg_l1(0.3));
        check_case(npz, "L2", weights[i], "L2");
        check_case(npz, "L2_0.3", weights[i], kt_reg_l2(.l2 = 0.3));
        check_case(npz, "L1L2", weights[i], "l1_l2");
        check_case(npz, "L1L2_both", weights[i], kt_reg_l1_l2(0.1, 0.2));
    }
    check_case(npz, "OrthogonalRegularizer", "matrix", "orthogonal_regularizer");
    check_case(
        npz,
        "OrthogonalRegularizer_columns",
        "matrix",
        kt_reg_orthogonal_regularizer(0.5, "columns"));
    check_case(
        npz, "OrthogonalRegularizer_rows", "matrix", kt_reg_orthogonal_regularizer(.factor = 0.5));
    kt_npz_close(npz);
}

/* A row of zeros, and a single row: penalties and gradients are numbers. */
KT_TEST(regularizers, orthogonal_stays_finite) {
    const float v[] = {1, 2, 0, 0, 3, 1};
    for (int rows = 1; rows <= 3; rows++) {
        kt_tensor *w = kt_tensor_new(KT_FLOAT32, kt_dims(rows, 2), v);
        const kt_traced r = kt_trace_run(penalty, get("OrthogonalRegularizer"), w, NULL);
        kt_check_status(r.status, KT_OK);
        assert_true(isfinite(kt_tensor_get(r.y, 0)));
        for (int i = 0; i < 2 * rows; i++) assert_true(isfinite(kt_tensor_get(r.dx, i)));
    }
}

KT_TEST(regularizers, refuse_shapes) {
    kt_tensor *w = kt_tensor_new(KT_FLOAT32, kt_dims(2, 2, 2), NULL);
    kt_component *c = get(kt_reg_orthogonal_regularizer());
    kt_check_status(kt_trace_run(penalty, c, w, NULL).status, KT_ESHAPE);
    kt_check_message_has("OrthogonalRegularizer: expected a weight with two axes");
    kt_check_message_has("(2, 2, 2)");
}

KT_TEST(regularizers, refuse_arguments) {
    kt_check_fails(kt_reg_l1(-1), KT_EINVAL, "l1: expected a finite number >= 0, got -1");
    kt_check_fails(kt_reg_l1(NAN), KT_EINVAL, "l1: expected a finite number >= 0, got nan");
    kt_check_fails(kt_reg_l2(-1e-9), KT_EINVAL, "l2: expected a finite number >= 0, got -1e-09");
    kt_check_fails(kt_reg_l2(INFINITY), KT_EINVAL, "l2: expected a finite number >= 0, got inf");
    kt_check_fails(kt_reg_l1_l2(0.1, -0.1), KT_EINVAL, "l2");
    kt_check_fails(kt_reg_l1_l2(.l1 = -0.1), KT_EINVAL, "l1");
    kt_check_fails(kt_reg_orthogonal_regularizer(-1), KT_EINVAL, "factor");
    kt_check_fails(
        kt_reg_orthogonal_regularizer(.mode = "cols"), KT_EINVAL, "mode: unknown name \"cols\"");
    kt_check_fails(kt_reg_orthogonal_regularizer(.mode = NULL), KT_EINVAL, "mode");
    kt_check_fails(kt_reg_custom(NULL), KT_EINVAL, "kt_reg_custom: expected a function, got NULL");
}

KT_TEST(regularizers, are_found_by_name) {
    static const char *const names[][2] = {
        {"l1", "L1"},
        {"L1", "L1"},
        {"l2", "L2"},
        {"l1l2", "L1L2"},
        {"l1_l2", "L1L2"},
        {"OrthogonalRegularizer", "OrthogonalRegularizer"},
        {"L1L2", "L1L2"},
        {"orthogonal_regularizer", "OrthogonalRegularizer"}};
    kt_component *c;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        kt_check_str(get(names[i][0])->cls->name, names[i][1]);
    assert_null(get(NULL));
    kt_check_status(kt_regularizer_get(&c, "l3"), KT_EINVAL);
    kt_check_message_has("regularizer: unknown name \"l3\"");
    kt_check_status(kt_regularizer_get(&c, kt_reg_l2(-1)), KT_EINVAL);
    kt_check_message_has("l2: expected");
}

static kt_sym *cubes(kt_sym *w, void *data) {
    kt_sym *third = kt_op_power(w, kt_num(3));
    return kt_op_multiply(kt_op_sum(third, KT_NONE, false), kt_num(*(const double *)data));
}
static kt_sym *no_scalar(kt_sym *w, void *data) {
    (void)data;
    return w;
}

KT_TEST(regularizers, take_functions) {
    double factor = 2;
    kt_tensor *w = kt_tensor_new(KT_FLOAT32, kt_dims(2), (float[]){1, 2});
    kt_regularizer *own = kt_reg_custom(cubes, .data = &factor);
    const kt_traced r = kt_trace_run(penalty, get(own), w, NULL);
    kt_check_str(own->name, "cubes");
    kt_check_near(kt_tensor_get(r.y, 0), 18, 1e-6, 0);
    kt_check_near(kt_tensor_get(r.dx, 1), 24, 1e-6, 0);
    kt_check_status(kt_trace_run(penalty, kt_reg_custom(no_scalar), w, NULL).status, KT_ESHAPE);
    kt_check_message_has("regularizer \"no_scalar\": expected a scalar");
}
