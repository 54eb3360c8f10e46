/* Convolutions, pools, padding, cropping, up-sampling of one to three axes: the contract,
 * gradients, wrong arguments and inputs. Values: windows_golden_test.c; Conv2D: conv2d_test.c. */
#include "nn/spatial.h"
#include "testing/kt_layers.h"

#include <string.h>

#define N KT_NONE

KT_TEST(windows, reads_pairs) {
    int v[3][2];
    kt_check_status(kt_pairs_get(3, 2, "padding", v), KT_OK);
    assert_true(v[0][0] == 3 && v[0][1] == 3 && v[1][0] == 3 && v[1][1] == 3);
    kt_check_status(kt_pairs_get(kt_hw(1, 2), 2, "padding", v), KT_OK);
    assert_true(v[0][0] == 1 && v[0][1] == 1 && v[1][0] == 2 && v[1][1] == 2);
    kt_check_status(kt_pairs_get(kt_pairs(1, 2), 1, "padding", v), KT_OK);
    assert_true(v[0][0] == 1 && v[0][1] == 2);
    kt_check_status(kt_pairs_get(kt_pairs(1, 20000, 0, 32767), 2, "padding", v), KT_OK);
    assert_true(v[0][0] == 1 && v[0][1] == 20000 && v[1][0] == 0 && v[1][1] == 32767);
    kt_check_status(kt_pairs_get(kt_pairs(1, 2, 3, 4, 5, 1023), 3, "padding", v), KT_OK);
    assert_true(v[0][0] == 1 && v[0][1] == 2 && v[1][0] == 3 && v[1][1] == 4);
    assert_true(v[2][0] == 5 && v[2][1] == 1023);
    kt_check_status(kt_pairs_get(kt_dhw(0, 1, 2), 3, "padding", v), KT_OK);
    assert_true(v[0][1] == 0 && v[1][0] == 1 && v[2][1] == 2);
}

KT_TEST(windows, rejects_pairs) {
    static const struct {
        kt_tuple t;
        int n;
    } wrong[] = {
        {-1, 1},
        {KT_NONE, 2},
        {kt_hw(1, 2), 3},
        {kt_dhw(1, 2, 3), 1},
        {kt_dhw(1, 2, 3), 2},
        {kt_pairs(1, 2, 3, 4), 1},
        {kt_pairs(1, 2, 3, 4), 3},
        {kt_pairs(1, 2, 3, 4, 5, 6), 2},
    };
    int v[3][2];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        kt_check_status(kt_pairs_get(wrong[i].t, wrong[i].n, "cropping", v), KT_EINVAL);
        kt_check_message_has("cropping: ");
    }
    kt_check_message_has("2 pairs");
    kt_check_status(kt_tuple_get(kt_pairs(1, 2, 3, 4), 2, "strides", v[0]), KT_EINVAL);
}

#define OK(new, in, out, n) kt_check_layer(new, .input = in, .output = out, .n_trainable = n)
#define S(...)                                                                                     \
    { __VA_ARGS__ }

KT_TEST(windows, keep_the_layer_contract) {
    OK(kt_conv1d(4, 3), S(2, 9, 2), S(2, 7, 4), 2);
    OK(kt_conv1d(4, 3, .padding = "causal", .dilation_rate = 3), S(2, N, 2), S(2, N, 4), 2);
    OK(kt_conv1d(4, 3, 2, "CAUSAL"), S(2, 9, 2), S(2, 5, 4), 2);
    OK(kt_conv1d(4, 3, .data_format = "channels_first"), S(2, 2, N), S(2, 4, N), 2);
    OK(kt_conv3d(4, 3, 2, "same", .use_bias = false), S(2, 5, 4, 3, 2), S(2, 3, 2, 2, 4), 1);
    OK(kt_conv3d(4, 2), S(2, N, N, N, 2), S(2, N, N, N, 4), 2);
    OK(kt_conv2d(512, 3), S(1, N, N, 512), S(1, N, N, 512), 2);
    OK(kt_conv1d_transpose(3, 3, 2), S(2, N, 2), S(2, N, 3), 2);
    OK(kt_conv2d_transpose(3, 3, 2, "same"), S(2, 4, N, 2), S(2, 8, N, 3), 2);
    OK(kt_conv3d_transpose(3, 2, 2, "valid"), S(1, N, 2, 3, 2), S(1, N, 4, 6, 3), 2);
    OK(kt_depthwise_conv1d(3, .depth_multiplier = 2), S(2, 7, 3), S(2, 5, 6), 2);
    OK(kt_depthwise_conv2d(3, .padding = "same"), S(2, N, N, 3), S(2, N, N, 3), 2);
    OK(kt_separable_conv1d(5, 3), S(2, N, 3), S(2, N, 5), 3);
    OK(kt_separable_conv2d(5, 3, 2, .use_bias = false), S(2, 7, 7, 3), S(2, 3, 3, 5), 2);
    OK(kt_max_pooling1d(), S(2, 7, 3), S(2, 3, 3), 0);
    OK(kt_max_pooling3d(), S(2, N, N, N, 3), S(2, N, N, N, 3), 0);
    OK(kt_average_pooling1d(3, 1, "same"), S(2, N, 3), S(2, N, 3), 0);
    OK(kt_average_pooling2d(2), S(2, 5, 4, 3), S(2, 2, 2, 3), 0);
    OK(kt_average_pooling3d(2), S(2, 4, 4, 4, 3), S(2, 2, 2, 2, 3), 0);
    OK(kt_global_max_pooling1d(), S(2, N, 3), S(2, 3), 0);
    OK(kt_global_average_pooling2d(.keepdims = true), S(2, N, N, 3), S(2, 1, 1, 3), 0);
    OK(kt_global_average_pooling3d("channels_first"), S(2, 3, N, N, N), S(2, 3), 0);
    OK(kt_adaptive_average_pooling1d(4), S(2, N, 3), S(2, 4, 3), 0);
    OK(kt_adaptive_max_pooling2d(3, "channels_first"), S(2, 3, N, 7), S(2, 3, 3, 3), 0);
    OK(kt_zero_padding1d(), S(2, N, 3), S(2, N, 3), 0);
    OK(kt_zero_padding2d(kt_pairs(1, 0, 0, 2)), S(2, 3, 4, 2), S(2, 4, 6, 2), 0);
    OK(kt_zero_padding3d(0), S(2, 3, 4, 2, 2), S(2, 3, 4, 2, 2), 0);
    OK(kt_cropping1d(), S(2, N, 3), S(2, N, 3), 0);
    OK(kt_cropping2d(kt_hw(1, 0)), S(2, 3, 4, 2), S(2, 1, 4, 2), 0);
    OK(kt_cropping3d(), S(2, 3, N, 4, 2), S(2, 1, N, 2, 2), 0);
    OK(kt_up_sampling1d(3), S(2, N, 3), S(2, N, 3), 0);
    OK(kt_up_sampling2d(.interpolation = "bicubic"), S(2, N, 4, 2), S(2, N, 8, 2), 0);
    OK(kt_up_sampling3d(kt_dhw(1, 2, 3)), S(1, 2, N, 2, 2), S(1, 2, N, 6, 2), 0);
}

KT_TEST(windows, take_integers) {
#define INTS(new, in, out, n)                                                                      \
    kt_check_layer(new, .input = in, .output = out, .n_trainable = n, .dtype = "uint8")
    INTS(kt_conv1d(3, 2), S(2, 4, 1), S(2, 3, 3), 2);
    INTS(kt_depthwise_conv2d(2), S(2, 4, 4, 1), S(2, 3, 3, 1), 2);
    INTS(kt_conv2d_transpose(3, 2), S(2, 4, 4, 1), S(2, 5, 5, 3), 2);
    INTS(kt_global_average_pooling1d(), S(2, 4, 1), S(2, 1), 0);
    INTS(kt_global_max_pooling1d(), S(2, 4, 1), S(2, 1), 0);
    INTS(kt_zero_padding1d(), S(2, 4, 1), S(2, 6, 1), 0);
    INTS(kt_up_sampling2d(.interpolation = "bilinear"), S(2, 4, 4, 1), S(2, 8, 8, 1), 0);
}

#define GRAD(new, ...) kt_check_gradients(new, .input = {__VA_ARGS__})

KT_TEST(windows, have_the_right_gradients) {
    GRAD(kt_conv1d(3, 2, .padding = "causal", .activation = "tanh"), 2, 5, 2);
    GRAD(kt_conv1d(4, 3, 2, "same", .groups = 2), 2, 6, 4);
    GRAD(kt_conv3d(2, 2, 2, "same", .activation = "sigmoid"), 1, 3, 4, 3, 2);
    GRAD(kt_conv3d(2, kt_dhw(2, 1, 2), .dilation_rate = kt_dhw(2, 1, 1)), 1, 4, 2, 3, 1);
    GRAD(kt_conv1d_transpose(2, 3, 2, "same", .activation = "tanh"), 2, 4, 2);
    GRAD(kt_conv2d_transpose(2, 3, 2, .output_padding = 1), 1, 3, 2, 2);
    GRAD(kt_conv3d_transpose(2, 2, kt_dhw(2, 1, 3)), 1, 2, 2, 2, 2);
    GRAD(kt_depthwise_conv2d(2, .depth_multiplier = 2, .dilation_rate = 2), 1, 4, 4, 3);
    GRAD(kt_separable_conv1d(3, 3, .padding = "same"), 1, 5, 2);
    GRAD(kt_average_pooling1d(3, 2, "same"), 2, 6, 2);
    GRAD(kt_average_pooling3d(2, .padding = "same"), 1, 3, 3, 4, 2);
    GRAD(kt_max_pooling1d(3, 2, "same"), 2, 6, 2);
    GRAD(kt_max_pooling3d(2, 1, "same"), 1, 3, 3, 4, 2);
    GRAD(kt_global_average_pooling3d(), 2, 2, 3, 2, 2);
    GRAD(kt_global_max_pooling2d(.data_format = "channels_first"), 2, 2, 3, 2);
    GRAD(kt_adaptive_average_pooling2d(kt_hw(3, 2)), 2, 4, 5, 2);
    GRAD(kt_adaptive_max_pooling1d(3), 2, 4, 2);
    GRAD(kt_zero_padding3d(kt_pairs(1, 0, 0, 2, 1, 1)), 1, 2, 1, 2, 2);
    GRAD(kt_cropping2d(kt_pairs(1, 0, 0, 2), "channels_first"), 1, 2, 3, 4);
    GRAD(kt_up_sampling3d(), 1, 2, 1, 2, 2);
    GRAD(kt_up_sampling2d(kt_hw(3, 2), .interpolation = "lanczos3"), 1, 3, 2, 2);
    GRAD(kt_up_sampling2d(kt_hw(2, 3), .interpolation = "bilinear"), 1, 2, 3, 17);
}

/* The result for pictures of h x w cells and c channels, where cell i of channel k is i * i + k. */
static kt_tensor *enlarged(int64_t h, int64_t w, int64_t c) {
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(1, h, w, c), NULL);
    float *v = kt_tensor_data(x);
    for (int64_t i = 0; i < h * w * c; i++) v[i] = (float)((i / c) * (i / c) + i % c);
    kt_model *m = kt_sequential(
        kt_list(kt_input({h, w, c}), kt_up_sampling2d(kt_hw(3, 4), .interpolation = "bilinear")));
    kt_tensor *y = kt_model_predict(m, x, .verbose = 0);
    kt_check_status(kt_check(y), KT_OK);
    kt_free(x);
    kt_free(m);
    return y;
}

/* Many channels take both axes at once, few (those of the golden cases) one after the other. */
KT_TEST(windows, enlarge_many_channels_as_few) {
    static const int64_t sizes[][2] = {{4, 5}, {1, 3}, {2, 1}, {1, 1}};
    for (int k = 0; k < 4; k++) {
        kt_tensor *few = enlarged(sizes[k][0], sizes[k][1], 2),
                  *many = enlarged(sizes[k][0], sizes[k][1], 19);
        const float *a = kt_tensor_data(few), *b = kt_tensor_data(many);
        assert_int_equal(kt_tensor_size(few) / 2, kt_tensor_size(many) / 19);
        for (int64_t i = 0; i < kt_tensor_size(many); i++)
            assert_float_equal(b[i], a[i / 19 * 2] + (float)(i % 19), 1e-4);
        kt_free(few);
        kt_free(many);
    }
}

/* By a factor that leaves one cell of the result to each tap of the kernel: a line between two
 * cells, along each axis. The time must go with the result, not with its square. */
KT_TEST(windows, enlarge_by_large_factors) {
    const int f = 30000;
    for (int axis = 0; axis < 2; axis++) {
        kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(1, 2 - axis, 1 + axis, 2), NULL);
        kt_model *m = kt_sequential(kt_list(
            kt_input({2 - axis, 1 + axis, 2}),
            kt_up_sampling2d(axis ? kt_hw(1, f) : kt_hw(f, 1), .interpolation = "bilinear")));
        float *v = kt_tensor_data(x);
        for (int i = 0; i < 4; i++) v[i] = (float)i; /* cells (0, 1) and (2, 3) */
        kt_tensor *y = kt_model_predict(m, x, .verbose = 0);
        kt_check_status(kt_check(y), KT_OK);
        assert_int_equal(kt_tensor_size(y), 4 * f);
        const float *got = kt_tensor_data(y);
        for (int i = 0; i < 4 * f; i++) {
            const double at = (i / 2 + 0.5) / f - 0.5, in = at < 0 ? 0 : at > 1 ? 1 : at;
            assert_float_equal(got[i], (float)(i % 2 + 2 * in), 1e-5);
        }
        kt_free(y);
        kt_free(x);
        kt_free(m);
    }
}

#define EMPTY(new, ...) kt_check_gradients(new, .input = {N, __VA_ARGS__}, .empty_batch = true)

KT_TEST(windows, take_an_empty_batch) {
    EMPTY(kt_conv1d(2, 3), 4, 2);
    EMPTY(kt_conv3d(2, 2), 3, 3, 3, 2);
    EMPTY(kt_conv2d_transpose(2, 3, 2), 3, 3, 2);
    EMPTY(kt_conv3d_transpose(2, 3, 2), 2, 2, 2, 2);
    EMPTY(kt_separable_conv2d(2, 3), 4, 4, 2);
    EMPTY(kt_max_pooling3d(), 4, 4, 4, 2);
    EMPTY(kt_average_pooling1d(2), 4, 2);
    EMPTY(kt_global_average_pooling2d(), 4, 4, 2);
    EMPTY(kt_adaptive_average_pooling2d(3), 4, 4, 2);
    EMPTY(kt_global_max_pooling1d(), 4, 2);
    EMPTY(kt_zero_padding2d(), 4, 4, 2);
    EMPTY(kt_cropping1d(), 4, 2);
    EMPTY(kt_up_sampling2d(), 4, 4, 2);
    EMPTY(kt_up_sampling2d(.interpolation = "bilinear"), 4, 4, 2);
}

KT_TEST(windows, reject_wrong_arguments) {
    kt_check_fails(kt_conv1d(0, 3), KT_EINVAL, "filters: expected a positive integer, got 0");
    kt_check_message_has("in Conv1D");
    kt_check_fails(kt_conv1d(4, kt_hw(3, 3)), KT_EINVAL, "kernel_size: wrong number of axes");
    kt_check_message_has("expected: one integer");
    kt_check_fails(kt_conv2d(4, 3, .padding = "causal"), KT_EINVAL, "unknown value \"causal\"");
    kt_check_fails(kt_conv3d(4, kt_hw(3, 3)), KT_EINVAL, "one integer or 3");
    kt_check_fails(kt_conv3d(4, 3, 2, .dilation_rate = 2), KT_EINVAL, "do not go together");
    kt_check_fails(
        kt_conv2d_transpose(4, 3, 2, .output_padding = 2), KT_EINVAL, "less than strides");
    kt_check_message_has("less than 2");
    kt_check_message_has("2 at axis 0");
    kt_check_fails(kt_conv2d_transpose(4, 3, .output_padding = -1), KT_EINVAL, "output_padding: ");
    kt_check_fails(kt_conv3d_transpose(4, 3, .padding = "causal"), KT_EINVAL, "causal");
    kt_check_fails(kt_conv1d_transpose(-4, 3), KT_EINVAL, "filters: ");
    kt_check_fails(
        kt_depthwise_conv2d(3, .depth_multiplier = 0), KT_EINVAL, "depth_multiplier: expected");
    kt_check_fails(
        kt_separable_conv2d(3, 3, .depth_multiplier = 0), KT_EINVAL, "depth_multiplier: expected");
    kt_check_fails(kt_separable_conv1d(0, 3), KT_EINVAL, "filters: expected");
    kt_check_fails(kt_average_pooling2d(), KT_EINVAL, "pool_size: expected a positive integer");
    kt_check_fails(kt_adaptive_max_pooling2d(), KT_EINVAL, "output_size: expected a positive");
    kt_check_fails(kt_adaptive_max_pooling1d(5000), KT_ELIMIT, "output_size: at most 4096");
    kt_check_fails(kt_max_pooling1d(2, 0), KT_EINVAL, "strides: ");
    kt_check_fails(kt_max_pooling3d(.padding = "full"), KT_EINVAL, "unknown value \"full\"");
    kt_check_fails(kt_global_max_pooling1d("last"), KT_EINVAL, "data_format: unknown value");
    kt_check_fails(kt_zero_padding2d(-1), KT_EINVAL, "padding: expected an integer >= 0");
    kt_check_fails(kt_zero_padding1d(kt_dhw(1, 2, 3)), KT_EINVAL, "padding: ");
    kt_check_fails(kt_cropping2d(kt_dhw(1, 2, 3)), KT_EINVAL, "cropping: ");
    kt_check_fails(kt_up_sampling2d(.size = 2), KT_EINVAL, "has size 2");
    kt_check_fails(kt_up_sampling1d(0), KT_EINVAL, "size: expected a positive integer");
    kt_check_fails(kt_up_sampling2d(.interpolation = "cubic"), KT_EINVAL, "interpolation: unknown");
    kt_check_message_has("\"lanczos3\" or \"lanczos5\"");
}

#define FAILS(new, message, ...)                                                                   \
    kt_check_fails(kt_call(new, kt_input({__VA_ARGS__})), KT_ESHAPE, message)

KT_TEST(windows, reject_wrong_inputs) {
    FAILS(kt_conv1d(4, 3), "3 axes, the batch included", 28, 28, 1);
    FAILS(kt_conv1d(4, 3), "must be known", 28, N);
    FAILS(kt_conv1d(4, 5), "larger than the input", 4, 2);
    kt_check_message_has("fits into 4");
    kt_check_message_has("a kernel of 5");
    FAILS(kt_conv1d(4, 3, .dilation_rate = 4), "larger than the input", 8, 2);
    kt_check_message_has("a kernel of 9");
    FAILS(kt_conv3d(4, 3), "larger than the input", 4, 2, 4, 1);
    kt_check_message_has("3 x 3 x 3");
    FAILS(kt_conv3d(4, 3, .groups = 2), "multiple of 2 channels", 4, 4, 4, 3);
    FAILS(kt_conv2d_transpose(4, 3), "must be known", 4, 4, N);
    FAILS(kt_conv2d_transpose(4, 4, 2, "same", .output_padding = 0), "would be empty", 1, 4, 2);
    FAILS(kt_depthwise_conv2d(5), "larger than the input", 4, 4, 2);
    FAILS(kt_max_pooling1d(3), "the window is larger than the input", 2, 2);
    FAILS(kt_average_pooling3d(3), "fits into 4 x 2 x 4", 4, 2, 4, 2);
    FAILS(kt_cropping1d(kt_pairs(2, 3)), "cropping must be smaller than the input", 5, 2);
    kt_check_message_has("less than 5 on axis 1");
    FAILS(kt_cropping2d(kt_hw(0, 2)), "cropping must be smaller", 5, 4, 2);
    FAILS(kt_global_max_pooling3d(), "5 axes", 5, 4, 2);
    kt_layer *l = kt_conv1d(4, 3);
    kt_check_status(kt_check(kt_call(l, kt_input({5, 2}))), KT_OK);
    kt_check_fails(kt_call(l, kt_input({5, 3})), KT_ESHAPE, "last axis 2");
}

/* The same functions, as operations of a model and on what is no tensor of a model. */
KT_TEST(windows, are_operations_too) {
    uint64_t seed = 5;
    kt_sym *x = kt_input({6, 6, 2});
    kt_tensor *k = kt_test_tensor(KT_FLOAT32, kt_dims(3, 3, 2, 4), -1, 1, &seed);
    kt_sym *y = kt_op_conv(x, kt_const(k), 2, "same");
    y = kt_op_max_pool(kt_op_pad(y, kt_dims(0, 1, 0, 0), kt_dims(0, 0, 2, 0), 1.5), 2);
    y = kt_op_average_pool(kt_op_repeat(y, 3, 1), kt_hw(2, 1), 1, "same");
    kt_model *m = kt_functional(x, y);
    kt_check_status(kt_check(m), KT_OK);
    kt_tensor *in = kt_test_tensor(KT_FLOAT32, kt_dims(2, 6, 6, 2), -1, 1, &seed);
    kt_tensor *out = kt_model_predict(m, in, .verbose = 0);
    kt_check_status(kt_check(out), KT_OK);
    const kt_shape s = kt_tensor_shape(out), want = kt_dims(2, 6, 2, 4);
    assert_true(kt_shape_equal(&s, &want));
    kt_check_fails(kt_op_conv(x, x), KT_ESHAPE, "");
    kt_check_fails(kt_op_max_pool(NULL, 2), KT_EINVAL, "max_pool: expected a symbolic tensor");
    kt_check_fails(kt_op_depthwise_conv(kt_input({4, 4, 4, 1}), x), KT_ESHAPE, "3 to 4 axes");
    kt_check_fails(kt_op_repeat(x, -1, 1), KT_EINVAL, "repeats >= 0");
    kt_check_fails(kt_op_pad(x, kt_dims(1), kt_dims(1), 0), KT_EINVAL, "each of 4 axes");
}

KT_TEST(windows, are_found_under_all_their_names) {
    assert_string_equal(kt_layer_find("Convolution2D")->name, "Conv2D");
    assert_string_equal(kt_layer_find("MaxPool1D")->name, "MaxPooling1D");
    assert_string_equal(kt_layer_find("GlobalAvgPool3D")->name, "GlobalAveragePooling3D");
    assert_string_equal(kt_layer_find("SeparableConvolution1D")->name, "SeparableConv1D");
    assert_null(kt_layer_find("Convolution4D"));
}

/* What a config says about sizes: always one number for each axis, whatever was given. */
static void check_config(kt_layer *l, const char *want) {
    kt_text *config = kt_get_config(l);
    kt_check_status(kt_check(config), KT_OK);
    kt_layer *again = kt_from_config(kt_layer_class_name(l), kt_text_str(config));
    kt_check_status(kt_check(again), KT_OK);
    kt_text *second = kt_get_config(again);
    assert_string_equal(kt_text_str(config), kt_text_str(second));
    if (!strstr(kt_text_str(config), want)) print_error("%s\n", kt_text_str(config));
    assert_non_null(strstr(kt_text_str(config), want));
    kt_free(second);
    kt_free(config);
    kt_free(again);
    kt_free(l);
}

KT_TEST(windows, write_their_configs) {
    check_config(kt_conv1d(4, 3), "\"kernel_size\": [3], \"strides\": [1]");
    check_config(kt_conv3d(4, kt_dhw(1, 2, 3)), "\"kernel_size\": [1, 2, 3]");
    check_config(kt_conv2d_transpose(4, 3, 2, .output_padding = 1), "\"output_padding\": [1, 1]");
    check_config(kt_conv3d_transpose(4, 3), "\"output_padding\": null");
    check_config(kt_max_pooling1d(), "\"strides\": [2]");
    check_config(kt_up_sampling1d(3), "\"size\": 3");
    check_config(kt_up_sampling2d(kt_hw(3, 1)), "\"size\": [3, 1]");
    check_config(kt_up_sampling3d(3), "\"size\": [3, 3, 3]");
    check_config(kt_zero_padding1d(kt_pairs(2, 0)), "\"padding\": [2, 0]");
    check_config(kt_zero_padding2d(kt_pairs(1, 2, 3, 400)), "\"padding\": [[1, 2], [3, 400]]");
    check_config(kt_cropping2d(kt_hw(1, 2)), "\"cropping\": [[1, 1], [2, 2]]");
    check_config(
        kt_cropping3d(kt_pairs(1, 2, 3, 4, 5, 6)), "\"cropping\": [[1, 2], [3, 4], [5, 6]]");
    check_config(kt_adaptive_max_pooling2d(3), "\"output_size\": [3, 3]");
}
