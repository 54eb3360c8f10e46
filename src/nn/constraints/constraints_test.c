/* Constraints against real Keras (tests/golden/constraints.npz); axes, names, arguments and their
 * errors. */
#include "nn/constraints/constraint.h"

#include "io/npz.h"
#include "nn/axes.h"
#include "testing/trace.h"

#include <math.h>
#include <stdio.h>

static kt_sym *project(kt_sym *w, const void *data) { return kt_constraint_project(data, w); }

static kt_component *get(kt_ref ref) {
    kt_component *c;
    kt_check_status(kt_constraint_get(&c, ref), KT_OK);
    return c;
}

static void check_case(kt_npz *npz, const char *name, const char *weight, kt_ref ref) {
    char path[96];
    snprintf(path, sizeof path, "%s.%s", name, weight);
    const kt_tensor *w = kt_npz_read(npz, weight);
    for (int d = KT_FLOAT32; d <= KT_FLOAT64; d++) {
        const kt_traced r = kt_trace_run(project, get(ref), kt_tensor_cast(w, (kt_dtype)d), NULL);
        kt_check_status(r.status, KT_OK);
        kt_check_tensor(r.y, kt_npz_member(npz, path, "y"), NULL, 1e-5, 0, path);
    }
}

KT_TEST(constraints, match_keras) {
    static const char *const weights[] = {"matrix", "kernel", "vector", "zeros", "small"};
    kt_npz *npz;
    kt_check_status(kt_npz_open(&npz, "tests/golden/constraints.npz"), KT_OK);
    for (int i = 0; i < 5; i++) {
        const char *w = weights[i];
        check_case(npz, "NonNeg", w, "non_neg");
        check_case(npz, "MaxNorm", w, "max_norm");
        check_case(npz, "UnitNorm", w, "UnitNorm");
        check_case(npz, "MinMaxNorm", w, "MinMaxNorm");
        check_case(npz, "MinMaxNorm_range", w, kt_con_min_max_norm(0.5, 2));
        check_case(npz, "MinMaxNorm_rate", w, kt_con_min_max_norm(1, 1.5, .rate = 0.3));
    }
    check_case(npz, "MaxNorm_axis_1", "matrix", kt_con_max_norm(0.5, 1));
    check_case(npz, "MaxNorm_conv", "kernel", kt_con_max_norm(0.7, kt_axes(0, 1, 2)));
    check_case(npz, "MaxNorm_last", "matrix", kt_con_max_norm(1, .axis = -1));
    check_case(npz, "MaxNorm_last", "kernel", kt_con_max_norm(1, .axis = kt_axes(-1)));
    check_case(npz, "UnitNorm_axis_1", "matrix", kt_con_unit_norm(1));
    check_case(npz, "UnitNorm_conv", "kernel", kt_con_unit_norm(kt_dhw(0, 1, 2)));
    check_case(
        npz, "MinMaxNorm_conv", "kernel", kt_con_min_max_norm(0.2, 0.6, .axis = kt_axes(-2, 0, 1)));
    kt_npz_close(npz);
}

KT_TEST(constraints, take_all_axes) {
    const float v[] = {3, 3, 3, 3, 3, 3};
    kt_tensor *w = kt_tensor_new(KT_FLOAT32, kt_dims(2, 3), v);
    const kt_traced r = kt_trace_run(project, kt_con_max_norm(.axis = KT_NONE), w, NULL);
    kt_check_near(kt_tensor_get(r.y, 5), 0.8164966, 1e-6, 0);
}

KT_TEST(constraints, axes_are_packed) {
    int axes[KT_MAX_RANK];
    assert_int_equal(kt_axes_list(3, axes), 1);
    assert_int_equal(axes[0], 3);
    assert_int_equal(kt_axes_list(-2, axes), 1);
    assert_int_equal(axes[0], -2);
    assert_int_equal(kt_axes_list(KT_NONE, axes), 0);
    assert_int_equal(kt_axes_list(kt_hw(1, 0), axes), 2);
    assert_true(axes[0] == 1 && axes[1] == 0);
    assert_int_equal(kt_axes_list(kt_dhw(2, 0, 1), axes), 3);
    assert_true(axes[0] == 2 && axes[1] == 0 && axes[2] == 1);
    assert_int_equal(kt_axes_list(kt_axes(0), axes), 1);
    assert_int_equal(axes[0], 0);
    assert_int_equal(kt_axes_list(kt_axes(7, -8, 0, 1, 2, 3, -1, 31), axes), 8);
    assert_true(axes[0] == 7 && axes[1] == -8 && axes[5] == 3 && axes[6] == -1 && axes[7] == 31);
}

KT_TEST(constraints, refuse_axes) {
    kt_tensor *w = kt_tensor_new(KT_FLOAT32, kt_dims(2, 3), NULL);
    kt_check_status(kt_trace_run(project, kt_con_max_norm(2, 3), w, NULL).status, KT_EINVAL);
    kt_check_message_has("axis 3 is out of range for shape (2, 3)");
    kt_check_status(kt_trace_run(project, kt_con_unit_norm(-3), w, NULL).status, KT_EINVAL);
    kt_check_status(
        kt_trace_run(project, kt_con_unit_norm(kt_axes(0, 9)), w, NULL).status, KT_EINVAL);
}

KT_TEST(constraints, refuse_arguments) {
    kt_check_fails(kt_con_max_norm(NAN), KT_EINVAL, "max_value: expected a number, got nan");
    kt_check_fails(kt_con_min_max_norm(.rate = NAN), KT_EINVAL, "rate");
    kt_check_fails(kt_con_custom(NULL), KT_EINVAL, "kt_con_custom: expected a function, got NULL");
}

KT_TEST(constraints, are_found_by_name) {
    static const char *const names[][2] = {
        {"max_norm", "MaxNorm"},
        {"MinMaxNorm", "MinMaxNorm"},
        {"non_neg", "NonNeg"},
        {"unit_norm", "UnitNorm"}};
    kt_component *c;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        kt_check_str(get(names[i][0])->cls->name, names[i][1]);
    assert_null(get(NULL));
    kt_check_status(kt_constraint_get(&c, "nonneg"), KT_EINVAL);
    kt_check_message_has("did you mean \"non_neg\"?");
}

static kt_sym *box(kt_sym *w, void *data) {
    const double limit = *(const double *)data;
    return kt_op_clip(w, -limit, limit);
}
static kt_sym *shrunk(kt_sym *w, void *data) {
    (void)data;
    return kt_op_sum(w, 0, false);
}

KT_TEST(constraints, take_functions) {
    double limit = 1.5;
    kt_tensor *w = kt_tensor_new(KT_FLOAT32, kt_dims(2), (float[]){1, -2});
    kt_constraint *own = kt_con_custom(box, .data = &limit);
    kt_check_str(own->name, "box");
    kt_check_near(kt_tensor_get(kt_trace_run(project, get(own), w, NULL).y, 1), -1.5, 0, 0);
    kt_check_status(kt_trace_run(project, kt_con_custom(shrunk), w, NULL).status, KT_ESHAPE);
    kt_check_message_has("constraint \"shrunk\": the result does not have the weight's shape");
}
