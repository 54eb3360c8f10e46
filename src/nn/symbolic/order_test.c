/* kt_op_* that sort, split, update and look up: the C functions by themselves (their numbers beside
 * real Keras are in saving/operations_test.c), several outputs, ties and NaN, wrong arguments. */
#include "testing/kt_models.h"

#include <math.h>

static const float values[] = {3, -1, 4, 1, 5, -9, 2, 6};

static kt_tensor *row(void) { return kt_tensor_new(KT_FLOAT32, kt_dims(1, 8), values); }

/* What y makes of the row, all outputs one behind the other. */
static void check_row(kt_sym *x, kt_ref y, int n, const double *want) {
    kt_model *m = kt_functional(x, y);
    kt_check_ok(m);
    kt_list_t *out = kt_model_predict_list(m, row(), .verbose = 0);
    kt_check_ok(out);
    int at = 0;
    for (int i = 0; i < kt_list_len(out); i++) {
        const kt_tensor *t = kt_list_get(out, i);
        for (int64_t k = 0; k < kt_tensor_size(t); k++, at++) {
            assert_true(at < n);
            kt_check_near(kt_tensor_get(t, k), want[at], 1e-6, 1e-6);
        }
    }
    assert_int_equal(at, n);
}
#define CHECK(x, y, ...)                                                                           \
    check_row(                                                                                     \
        x, y, (int)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)), (double[]){__VA_ARGS__})

KT_TEST(symbolic_wide, sorting) {
    kt_sym *x = kt_input({8});
    CHECK(x, kt_op_sort(x, -1), -9, -1, 1, 2, 3, 4, 5, 6);
    CHECK(x, kt_op_argsort(x, 1), 5, 1, 3, 6, 0, 2, 4, 7);
    kt_sym *best = kt_op_top_k(x, 3);
    CHECK(x, kt_list(best, kt_item(best, 1)), 6, 5, 4, 7, 4, 2);
    CHECK(x, kt_item(kt_op_top_k(x, 1), 1), 7);
    /* ties keep their order, NaN comes last */
    CHECK(x, kt_op_argsort(kt_op_sign(x), -1), 1, 5, 0, 2, 3, 4, 6, 7);
    CHECK(x, kt_op_argsort(kt_op_log(x), -1), 3, 6, 0, 2, 4, 7, 1, 5);
}

KT_TEST(symbolic_wide, running) {
    kt_sym *x = kt_input({8});
    CHECK(x, kt_op_cumsum(x, 1, NULL), 3, 2, 6, 7, 12, 3, 5, 11);
    CHECK(x, kt_op_cumprod(x, -1, NULL), 3, -3, -12, -12, -60, 540, 1080, 6480);
    CHECK(x, kt_op_cumsum(kt_op_cast(x, "int32"), KT_NONE, "float32"), 3, 2, 6, 7, 12, 3, 5, 11);
}

KT_TEST(symbolic_wide, quantiles) {
    static const struct {
        const char *method;
        double want;
    } of[] = {{NULL, 2.1}, {"lower", 2}, {"higher", 3}, {"nearest", 2}, {"midpoint", 2.5}};
    for (int i = 0; i < 5; i++) {
        kt_sym *x = kt_input({8});
        CHECK(x, kt_op_quantile(x, kt_num(3.1 / 7), -1, of[i].method, false), of[i].want);
    }
    kt_sym *x = kt_input({8});
    CHECK(x, kt_op_quantile(kt_op_cast(x, "int32"), kt_num(0.5), -1, NULL, true), 2.5);
    CHECK(x, kt_op_median(x, -1, false), 2.5);
    CHECK(x, kt_op_median(kt_op_sqrt(x), -1, false), NAN);
}

KT_TEST(symbolic_wide, parts) {
    kt_sym *x = kt_input({8}), *half = kt_op_split(x, 2, -1),
           *at = kt_op_split_at(x, kt_dims(1, -2), 1);
    CHECK(x, kt_item(half, 1), 5, -9, 2, 6);
    CHECK(x, kt_list(kt_item(at, 2), at), 2, 6, 3);
    CHECK(x, kt_item(kt_op_array_split(x, 3, -1), 2), 2, 6);
    CHECK(x, kt_item(kt_op_unstack(x, 1), 5), -9);
    CHECK(x, kt_op_slice_of(x, kt_dims(0, 6), kt_dims(1, -1)), 2, 6);
    CHECK(x, kt_op_slice_update(x, kt_dims(0, 5), kt_item(at, 0)), 3, -1, 4, 1, 5, 3, 2, 6);
    CHECK(x, kt_op_take(x, kt_num(-2), 1), 2);
    kt_tensor *index = kt_tensor_new(KT_INT32, kt_dims(2, 2), (int32_t[]){0, 1, 0, 1});
    kt_tensor *put = kt_tensor_new(KT_FLOAT32, kt_dims(2), (float[]){7, 8});
    kt_sym *i = kt_const(index), *u = kt_const(put);
    CHECK(x, kt_op_scatter_update(x, i, u, NULL), 3, 8, 4, 1, 5, -9, 2, 6);
    CHECK(x, kt_op_scatter_update(x, i, u, "add"), 3, 14, 4, 1, 5, -9, 2, 6);
}

KT_TEST(symbolic_wide, wrong_arguments) {
    kt_sym *x = kt_input({8});
    kt_check_fails(kt_op_sort(x, 2), KT_EINVAL, "sort: axis 2 is out of range");
    kt_check_fails(kt_op_top_k(x, 9), KT_EINVAL, "top_k");
    kt_check_fails(kt_op_cumsum(x, -3, NULL), KT_EINVAL, "cumsum: axis -3");
    kt_check_fails(kt_op_cumsum(x, 1, "flaot"), KT_EINVAL, "flaot");
    kt_check_fails(kt_op_quantile(x, kt_num(0.5), 1, "mode", false), KT_EINVAL, "mode");
    kt_check_fails(kt_op_median(x, kt_axes(1, 1), false), KT_EINVAL, "median: axis 1 stands");
    kt_check_fails(kt_op_split(x, 3, -1), KT_EINVAL, "expected: a number that divides it");
    kt_check_fails(kt_op_split(x, 8, 5), KT_EINVAL, "split: axis 5");
    kt_check_fails(kt_op_split_at(x, kt_dims(5, 2), 1), KT_EINVAL, "not in order");
    kt_check_fails(kt_item(kt_op_split(x, 2, 1), 2), KT_EINVAL, "no output 2");
    kt_check_fails(
        kt_op_slice_of(x, kt_dims(0, 5), kt_dims(1, 4)), KT_EINVAL, "4 elements of axis 1");
    kt_check_fails(kt_op_slice_update(x, kt_dims(0), x), KT_ESHAPE, "slice_update");
    kt_check_fails(kt_op_scatter_update(x, x, x, "max"), KT_EUNSUPPORTED, "max");
    kt_check_fails(kt_op_tensordot(x, kt_input({7}), 1), KT_ESHAPE, "tensordot");
    kt_check_fails(kt_op_diagonal(x, 0, 1, 1), KT_EINVAL, "diagonal: axis1 and axis2");
    kt_check_fails(kt_op_norm(x, 3, kt_axes(0, 1), false), KT_EINVAL, "norm");
    kt_check_fails(kt_op_cross(x, x, -1), KT_ESHAPE, "cross");
    kt_check_fails(
        kt_op_pad_mode(x, kt_dims(0, 8), kt_dims(0, 0), "reflect"),
        KT_EINVAL,
        "pad: a border of 8");
    kt_check_fails(
        kt_op_pad_mode(x, kt_dims(0, 1), kt_dims(0, 0), "wrap"), KT_EUNSUPPORTED, "wrap");
    kt_check_fails(kt_op_expand_dims(x, kt_axes(0, 0)), KT_EINVAL, "expand_dims");
    kt_check_fails(kt_op_searchsorted(x, x, NULL), KT_ESHAPE, "searchsorted");
    kt_check_fails(
        kt_op_layer_normalization(x, NULL, NULL, 2, 0), KT_EINVAL, "layer_normalization");
}

/* An index outside stops the program, it never reads another row. */
KT_TEST(symbolic_wide, indices_are_checked) {
    kt_sym *x = kt_input({8}), *i = kt_input({1}, .dtype = "int32");
    kt_model *m = kt_functional(kt_list(x, i), kt_op_take_along_axis(x, i, 1));
    kt_check_ok(m);
    for (int v = -9; v < 9; v++) {
        kt_tensor *at = kt_tensor_new(KT_INT32, kt_dims(1, 1), &(int32_t){v});
        kt_tensor *y = kt_model_predict(m, kt_list(row(), at), .verbose = 0);
        if (v < -8 || v > 7)
            kt_check_fails(y, KT_EINVAL, "index is out of range");
        else
            kt_check_near(kt_tensor_get(y, 0), values[(v + 8) % 8], 0, 0);
    }
}

KT_TEST(symbolic_wide, wrong_pictures) {
    kt_sym *x = kt_input({4, 6, 3}), *flat = kt_input({8});
    kt_check_fails(kt_op_image_resize(x, 0, 3, NULL, false), KT_EINVAL, "resize: expected a size");
    kt_check_fails(kt_op_image_resize(x, 2, 3, "gaussian", false), KT_EUNSUPPORTED, "gaussian");
    kt_check_fails(kt_op_image_resize(flat, 2, 3, NULL, false), KT_ESHAPE, "resize: expected 3");
    kt_check_fails(kt_op_image_pad_images(x, -1, 0, 0, 0), KT_EINVAL, "pad_images");
    kt_check_fails(kt_op_image_crop_images(x, 3, 0, 2, 0), KT_EINVAL, "crop_images");
    kt_check_fails(kt_op_depth_to_space(x, 2), KT_EINVAL, "depth_to_space");
    kt_check_fails(kt_op_space_to_depth(x, 5), KT_EINVAL, "space_to_depth");
    kt_check_fails(kt_op_image_rgb_to_grayscale(kt_input({4, 4, 2})), KT_ESHAPE, "3 channels");
    kt_check_fails(kt_op_image_extract_patches(x, 0, KT_NONE, 1, NULL), KT_EINVAL, "size");
    kt_check_fails(kt_op_rot90(flat, 1, kt_axes(1, 1)), KT_EINVAL, "rot90");
    kt_check_fails(kt_op_extract_sequences(flat, 0, 1), KT_EINVAL, "extract_sequences");
    kt_check_fails(kt_op_segment_sum(flat, flat, KT_NONE), KT_EUNSUPPORTED, "num_segments");
    CHECK(
        flat,
        kt_op_select(kt_op_greater(flat, kt_num(2)), flat, kt_num(0)),
        3,
        0,
        4,
        0,
        5,
        0,
        0,
        6);
}
