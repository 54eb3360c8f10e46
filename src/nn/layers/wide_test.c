/* Activation, normalization, noise, merging and reshaping layers: values, gradients and masks of
 * real Keras (layers_wide.npz), the contract, gradients by differences, wrong input. */
#include "io/npz.h"
#include "testing/kt_layers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MERGE(X, name, layer)                                                                      \
    X(name, layer)                                                                                 \
    X(name "_3", layer)                                                                            \
    X(name "_broadcast", layer)                                                                    \
    X(name "_ranks", layer)                                                                        \
    X(name "_masks", layer)                                                                        \
    X(name "_masks_3", layer)                                                                      \
    X(name "_mask_first", layer)                                                                   \
    X(name "_mask_second", layer)

#define WIDE(X)                                                                                    \
    X("leaky_relu", kt_leaky_relu())                                                               \
    X("leaky_relu_steep", kt_leaky_relu(1.5))                                                      \
    X("elu", kt_elu())                                                                             \
    X("elu_alpha", kt_elu(0.3))                                                                    \
    X("prelu", kt_prelu())                                                                         \
    X("prelu_shared", kt_prelu(.shared_axes = kt_axes(1, 2)))                                      \
    X("prelu_shared_1", kt_prelu(.shared_axes = 1))                                                \
    X("identity", kt_identity())                                                                   \
    X("permute", kt_permute({3, 1, 2}))                                                            \
    X("permute_2", kt_permute({2, 1}))                                                             \
    X("repeat_vector", kt_repeat_vector(3))                                                        \
    X("softmax_axes", kt_softmax(kt_axes(1, 2)))                                                   \
    X("softmax_axes_apart", kt_softmax(kt_axes(1, -1)))                                            \
    X("softmax_masked", kt_softmax())                                                              \
    X("softmax_masked_axes", kt_softmax(kt_axes(1, 2)))                                            \
    X("layer_norm", kt_layer_normalization())                                                      \
    X("layer_norm_2d", kt_layer_normalization())                                                   \
    X("layer_norm_axis_1", kt_layer_normalization(1, .epsilon = 0.1))                              \
    X("layer_norm_axes", kt_layer_normalization(kt_axes(3, 1)))                                    \
    X("layer_norm_last_two", kt_layer_normalization(kt_axes(-1, -2)))                              \
    X("layer_norm_no_center", kt_layer_normalization(.center = false))                             \
    X("layer_norm_no_scale", kt_layer_normalization(.scale = false))                               \
    X("layer_norm_plain", kt_layer_normalization(.scale = false, .center = false))                 \
    X("layer_norm_rms", kt_layer_normalization(.rms_scaling = true))                               \
    X("layer_norm_wide", kt_layer_normalization())                                                 \
    X("layer_norm_mask", kt_layer_normalization())                                                 \
    X("group_norm", kt_group_normalization(2))                                                     \
    X("group_norm_pictures", kt_group_normalization(3, .epsilon = 0.1))                            \
    X("group_norm_instance", kt_group_normalization(-1))                                           \
    X("group_norm_one", kt_group_normalization(1))                                                 \
    X("group_norm_axis_1", kt_group_normalization(2, 1))                                           \
    X("group_norm_axis_minus_2", kt_group_normalization(2, -2))                                    \
    X("group_norm_vector", kt_group_normalization(3))                                              \
    X("group_norm_no_scale", kt_group_normalization(2, .scale = false))                            \
    X("group_norm_no_center", kt_group_normalization(2, .center = false))                          \
    X("rms_norm", kt_rms_normalization())                                                          \
    X("rms_norm_axes", kt_rms_normalization(kt_axes(-1, -2), .epsilon = 0.01))                     \
    X("unit_norm", kt_unit_normalization())                                                        \
    X("unit_norm_axis_1", kt_unit_normalization(1))                                                \
    X("unit_norm_axes", kt_unit_normalization(kt_axes(1, 2)))                                      \
    MERGE(X, "add", kt_add())                                                                      \
    MERGE(X, "multiply", kt_multiply())                                                            \
    MERGE(X, "average", kt_average())                                                              \
    MERGE(X, "maximum", kt_maximum())                                                              \
    MERGE(X, "minimum", kt_minimum())                                                              \
    X("subtract", kt_subtract())                                                                   \
    X("subtract_broadcast", kt_subtract())                                                         \
    X("subtract_masks", kt_subtract())                                                             \
    X("concatenate_masks", kt_concatenate())                                                       \
    X("concatenate_masks_axis_1", kt_concatenate(1))                                               \
    X("concatenate_mask_first", kt_concatenate())                                                  \
    X("concatenate_mask_second_axis_1", kt_concatenate(-2))                                        \
    X("dot", kt_dot(1))                                                                            \
    X("dot_last", kt_dot(-1))                                                                      \
    X("dot_pair", kt_dot(kt_axes(2, 1)))                                                           \
    X("dot_axis_1", kt_dot(1))                                                                     \
    X("dot_vector", kt_dot(kt_axes(1, 2)))                                                         \
    X("dot_matrix_vector", kt_dot(kt_axes(2, 1)))                                                  \
    X("dot_4d", kt_dot(kt_axes(2, 3)))                                                             \
    X("dot_normalize", kt_dot(1, .normalize = true))                                               \
    X("dot_normalize_3d", kt_dot(kt_axes(2, 1), .normalize = true))

#define EINSUM(X)                                                                                  \
    X("einsum_dense", kt_einsum_dense("abc,cd->abd", {KT_NONE, 6}, .bias_axes = "d"))              \
    X("einsum_dense_no_bias", kt_einsum_dense("ab,bc->ac", {7}, "relu"))                           \
    X("einsum_dense_heads", kt_einsum_dense("abc,cde->abde", {KT_NONE, 2, 3}, .bias_axes = "de"))  \
    X("einsum_dense_join", kt_einsum_dense("abcd,cde->abe", {KT_NONE, 6}, .bias_axes = "e"))       \
    X("einsum_dense_left", kt_einsum_dense("...x,xy->...y", {6}, .bias_axes = "y"))                \
    X("einsum_dense_right", kt_einsum_dense("ab...,bd->ad...", {6}, .bias_axes = "d"))             \
    X("einsum_dense_batch", kt_einsum_dense("abc,bcd->adb", {6, 4}, .bias_axes = "db"))            \
    X("einsum_dense_turned", kt_einsum_dense("abc,db->acd", {KT_NONE, 7}))                         \
    X("einsum_dense_bias_middle",                                                                  \
      kt_einsum_dense("abc,cde->abde", {KT_NONE, 2, 3}, .bias_axes = "d"))

/* X(case, layer), C: with use_causal_mask, S: with return_attention_scores, CS: with both. */
#define ATTENTION_ALONE(X, C, S, name, layer)                                                      \
    X(name, layer)                                                                                 \
    X(name "_key", layer)                                                                          \
    X(name "_masks", layer)                                                                        \
    X(name "_value_mask", layer)                                                                   \
    C(name "_causal", layer)                                                                       \
    C(name "_causal_masks", layer)                                                                 \
    S(name "_scores", layer)

#define HEADS(X, C, S, CS, name, make, ...)                                                        \
    X(name "_self", make(__VA_ARGS__))                                                             \
    X(name "_cross", make(__VA_ARGS__))                                                            \
    X(name "_key", make(__VA_ARGS__))                                                              \
    X(name "_no_bias", make(__VA_ARGS__, .use_bias = false))                                       \
    X(name "_gate", make(__VA_ARGS__, .use_gate = true))                                           \
    X(name "_masks", make(__VA_ARGS__))                                                            \
    X(name "_masks_key", make(__VA_ARGS__))                                                        \
    X(name "_attention_mask", make(__VA_ARGS__))                                                   \
    C(name "_attention_mask_masks", make(__VA_ARGS__))                                             \
    C(name "_causal", make(__VA_ARGS__))                                                           \
    CS(name "_causal_scores", make(__VA_ARGS__))                                                   \
    S(name "_scores", make(__VA_ARGS__))                                                           \
    S(name "_masks_scores", make(__VA_ARGS__))                                                     \
    X(name "_window", make(__VA_ARGS__, .sliding_window = 2))                                      \
    C(name "_window_causal", make(__VA_ARGS__, .sliding_window = 2))

#define ATTENTION(X, C, S, CS)                                                                     \
    ATTENTION_ALONE(X, C, S, "attention", kt_attention())                                          \
    ATTENTION_ALONE(X, C, S, "additive", kt_additive_attention())                                  \
    X("attention_scale", kt_attention(true))                                                       \
    X("attention_concat", kt_attention(.score_mode = "concat"))                                    \
    X("attention_concat_scale", kt_attention(true, "concat"))                                      \
    X("additive_no_scale", kt_additive_attention(false))                                           \
    HEADS(X, C, S, CS, "mha", kt_multi_head_attention, 2, 3)                                       \
    HEADS(X, C, S, CS, "gqa", kt_group_query_attention, 3, 4, 2)                                   \
    X("mha_value_dim", kt_multi_head_attention(2, 3, 4))                                           \
    X("mha_output_shape", kt_multi_head_attention(2, 3, 4, .output_shape = {7}))                   \
    X("mha_output_shape_2", kt_multi_head_attention(2, 3, .output_shape = {2, 3}))                 \
    X("mha_pictures", kt_multi_head_attention(2, 3))                                               \
    X("mha_axis_2", kt_multi_head_attention(2, 3, .attention_axes = 2))                            \
    X("mha_axis_minus_2", kt_multi_head_attention(2, 3, .attention_axes = -2))                     \
    X("mha_axes", kt_multi_head_attention(2, 3, .attention_axes = kt_axes(1, 2)))                  \
    S("mha_axes_scores", kt_multi_head_attention(2, 3, .attention_axes = kt_axes(1, 2)))

#define NAME(case_, layer) case_,
static const char *const names[] = {WIDE(NAME) EINSUM(NAME) ATTENTION(NAME, NAME, NAME, NAME) NULL};
#undef NAME

static void check_all(void) {
#define X(case_, layer) kt_check_golden("layers_wide", case_, layer, .masks = true, .rtol = 2e-5);
    WIDE(X)
    EINSUM(X)
#undef X
}

static void check_attention(void) {
#define CHECK(case_, layer, ...)                                                                   \
    kt_check_golden("layers_wide", case_, layer, .masks = true, .rtol = 2e-5, __VA_ARGS__);
#define X(case_, layer) CHECK(case_, layer, .training = false)
#define C(case_, layer) CHECK(case_, layer, .use_causal_mask = true)
#define S(case_, layer) CHECK(case_, layer, .return_attention_scores = true)
#define CS(case_, layer)                                                                           \
    CHECK(case_, layer, .use_causal_mask = true, .return_attention_scores = true)
    ATTENTION(X, C, S, CS)
#undef X
#undef C
#undef S
#undef CS
#undef CHECK
}

KT_TEST(layers_wide, values_gradients_and_masks_are_those_of_keras) {
    check_all();
    check_attention();
    print_message("largest error: %.2f of the tolerance\n", kt_golden_worst());
}

/* Every CASE/y of the file has a row. */
KT_TEST(layers_wide, every_case_has_a_row) {
    kt_npz *z;
    kt_check_status(kt_npz_open(&z, "tests/golden/layers_wide.npz"), KT_OK);
    for (int i = 0; i < kt_npz_count(z); i++) {
        const char *key = kt_npz_name(z, i), *part = strstr(key, "/y");
        bool found = !part || part[2];
        for (int k = 0; names[k] && !found; k++)
            found = strlen(names[k]) == (size_t)(part - key) &&
                    !memcmp(names[k], key, (size_t)(part - key));
        if (found) continue;
        print_error("layers_wide.npz: \"%s\" has no row\n", key);
        fail();
    }
    kt_npz_close(z);
}

KT_TEST(layers_wide, keep_the_layer_contract) {
    kt_check_layer(kt_leaky_relu(), .input = {2, KT_NONE, 3}, .output = {2, KT_NONE, 3});
    kt_check_layer(kt_elu(), .input = {2, 3}, .output = {2, 3});
    kt_check_layer(kt_identity(), .input = {2, 3}, .output = {2, 3});
    kt_check_layer(
        kt_prelu(), .input = {2, 4, 3}, .output = {2, 4, 3}, .n_trainable = 1, .n_params = 12);
    kt_check_layer(
        kt_prelu(.shared_axes = 1),
        .input = {2, KT_NONE, 3},
        .output = {2, KT_NONE, 3},
        .n_trainable = 1,
        .n_params = 3);
    kt_check_layer(kt_permute({2, 1}), .input = {2, KT_NONE, 3}, .output = {2, 3, KT_NONE});
    kt_check_layer(kt_repeat_vector(4), .input = {2, 3}, .output = {2, 4, 3});
    kt_check_layer(kt_spatial_dropout1d(0.5), .input = {2, KT_NONE, 3}, .output = {2, KT_NONE, 3});
    kt_check_layer(kt_spatial_dropout2d(0.5), .input = {2, 5, 4, 3}, .output = {2, 5, 4, 3});
    kt_check_layer(kt_spatial_dropout3d(0.5), .input = {2, 2, 5, 4, 3}, .output = {2, 2, 5, 4, 3});
    kt_check_layer(kt_gaussian_noise(0.5), .input = {2, KT_NONE}, .output = {2, KT_NONE});
    kt_check_layer(kt_gaussian_dropout(0.5), .input = {2, 3}, .output = {2, 3});
    kt_check_layer(kt_alpha_dropout(0.5), .input = {2, 3}, .output = {2, 3});
    kt_check_layer(kt_activity_regularization(.l2 = 1), .input = {2, 3}, .output = {2, 3});
}

KT_TEST(layers_wide, normalizations_keep_the_layer_contract) {
    kt_check_layer(
        kt_layer_normalization(),
        .input = {2, KT_NONE, 3},
        .output = {2, KT_NONE, 3},
        .n_trainable = 2,
        .n_params = 6);
    kt_check_layer(
        kt_layer_normalization(kt_axes(1, 2)),
        .input = {2, 4, 3},
        .output = {2, 4, 3},
        .n_trainable = 2,
        .n_params = 24);
    kt_check_layer(
        kt_layer_normalization(.scale = false),
        .input = {2, 3},
        .output = {2, 3},
        .n_trainable = 1);
    kt_check_layer(
        kt_group_normalization(2),
        .input = {2, KT_NONE, 4},
        .output = {2, KT_NONE, 4},
        .n_trainable = 2,
        .n_params = 8);
    kt_check_layer(
        kt_rms_normalization(), .input = {2, 3}, .output = {2, 3}, .n_trainable = 1, .n_params = 3);
    kt_check_layer(kt_unit_normalization(), .input = {2, KT_NONE}, .output = {2, KT_NONE});
    kt_check_layer(kt_dot(1), .input = {2, 3, 4}, .input1 = {2, 3, 5}, .output = {2, 4, 5});
    kt_check_layer(
        kt_dot(kt_axes(2, 2)),
        .input = {2, KT_NONE, 4},
        .input1 = {2, KT_NONE, 4},
        .output = {2, KT_NONE, KT_NONE});
    kt_check_layer(kt_subtract(), .input = {2, 3}, .input1 = {2, 3}, .output = {2, 3});
}

KT_TEST(layers_wide, have_the_right_gradients) {
    kt_set_random_seed(3);
    kt_check_gradients(kt_layer_normalization(), .input = {3, 7});
    kt_check_gradients(kt_layer_normalization(kt_axes(1, 3)), .input = {2, 3, 2, 4});
    kt_check_gradients(kt_layer_normalization(.rms_scaling = true), .input = {3, 7});
    kt_check_gradients(kt_layer_normalization(), .input = {KT_NONE, 4}, .empty_batch = true);
    kt_check_gradients(kt_group_normalization(2), .input = {2, 3, 4});
    kt_check_gradients(kt_rms_normalization(), .input = {3, 5});
    kt_check_gradients(kt_unit_normalization(), .input = {3, 5});
    kt_check_gradients(kt_prelu(.shared_axes = 1), .input = {2, 3, 4});
    kt_check_gradients(kt_gaussian_noise(0.5), .input = {3, 5}, .training = true);
    kt_check_gradients(kt_gaussian_dropout(0.5), .input = {3, 5}, .training = true);
    kt_check_gradients(kt_alpha_dropout(0.5), .input = {3, 5}, .training = true);
    kt_check_gradients(kt_spatial_dropout1d(0.5), .input = {3, 4, 5}, .training = true);
    kt_check_gradients(kt_softmax(kt_axes(1, 2)), .input = {2, 3, 4});
    kt_check_gradients(kt_multiply(), .input = {2, 3}, .input1 = {2, 3}, .input2 = {2, 3});
    kt_check_gradients(kt_maximum(), .input = {2, 3}, .input1 = {2, 3});
    kt_check_gradients(
        kt_dot(kt_axes(2, 1), .normalize = true), .input = {2, 3, 4}, .input1 = {2, 4, 3});
}

#define ROWS 100
#define STEPS 8
#define COLS 37
#define N (ROWS * STEPS * COLS)

/* `value` everywhere through the layer while training. */
static void run_on(kt_layer *l, float value, float *y) {
    kt_layer_rig r = {.layer = l, .n_in = 1, .training = true};
    r.in[0] = (kt_spec){KT_FLOAT32, kt_dims(ROWS, STEPS, COLS)};
    kt_check_status(kt_rig_start(&r), KT_OK);
    for (int i = 0; i < N; i++) ((float *)kt_cpu_input(r.run, 0))[i] = value;
    kt_check_status(kt_cpu_execute(r.run), KT_OK);
    memcpy(y, kt_cpu_output(r.run, 0), sizeof *y * N);
    kt_rig_stop(&r);
}

static float noise[N];

/* Moments of what a layer makes of `value`; of a normal distribution also the fourth. */
static void check_moments(kt_layer *l, double value, double mean, double deviation, bool normal) {
    double m1 = 0, m2 = 0, m4 = 0;
    run_on(l, (float)value, noise);
    for (int i = 0; i < N; i++) m1 += (double)noise[i] / N;
    for (int i = 0; i < N; i++) m2 += ((double)noise[i] - m1) * ((double)noise[i] - m1) / N;
    for (int i = 0; i < N; i++) m4 += pow((double)noise[i] - m1, 4) / N;
    kt_check_near(m1, mean, 0, 0.03 * deviation);
    kt_check_near(sqrt(m2), deviation, 0.02, 0);
    if (normal) kt_check_near(m4 / (m2 * m2), 3, 0.05, 0);
}

KT_TEST(layers_wide, noise_has_the_distribution_of_keras) {
    kt_set_random_seed(5);
    check_moments(kt_gaussian_noise(0.5), 2, 2, 0.5, true);
    check_moments(kt_gaussian_dropout(0.2), 3, 3, 3 * 0.5, true);
    /* alpha dropout of one value: two values, whose mean and deviation follow from the formula */
    const double rate = 0.3, p = -1.7580993408473766, x = 1;
    const double a = 1 / sqrt((1 - rate) * (1 + rate * p * p)), b = -a * p * rate;
    check_moments(
        kt_alpha_dropout(0.3),
        x,
        a * (0.7 * x + 0.3 * p) + b,
        a * fabs(x - p) * sqrt(0.3 * 0.7),
        false);
}

KT_TEST(layers_wide, noise_repeats_with_its_seed) {
    static float again[N];
    kt_set_random_seed(5);
    run_on(kt_gaussian_noise(0.5, .name = "n"), 0, noise);
    run_on(kt_gaussian_noise(0.5, .name = "n"), 0, again);
    assert_memory_equal(noise, again, sizeof noise);
    run_on(kt_gaussian_noise(0.5, .name = "n", .seed = 1), 0, again);
    assert_memory_not_equal(noise, again, sizeof noise);
    kt_set_random_seed(6);
    run_on(kt_gaussian_noise(0.5, .name = "n", .seed = 1), 0, noise);
    assert_memory_equal(noise, again, sizeof noise);
}

KT_TEST(layers_wide, spatial_dropout_drops_whole_channels) {
    int zeros = 0;
    kt_set_random_seed(5);
    run_on(kt_spatial_dropout1d(0.25), 1, noise);
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLS; c++) {
            const float first = noise[r * STEPS * COLS + c];
            zeros += first == 0;
            if (first != 0) kt_check_near(first, 1 / 0.75, 1e-6, 0);
            for (int s = 1; s < STEPS; s++) assert_true(noise[(r * STEPS + s) * COLS + c] == first);
        }
    kt_check_near(zeros / (double)(ROWS * COLS), 0.25, 0, 0.03);
}

KT_TEST(layers_wide, activity_regularization_adds_to_the_loss) {
    kt_sym *in = kt_input({3});
    kt_model *m = kt_functional(in, kt_call(kt_activity_regularization(.l1 = 0.5, .l2 = 2), in));
    kt_check_status(kt_model_compile(m, .loss = "mse"), KT_OK);
    const float x[] = {1, -2, 3, 0, 1, -1};
    kt_tensor *t = kt_tensor_new(KT_FLOAT32, kt_dims(2, 3), x);
    kt_logs *logs = kt_model_evaluate(m, t, t, .verbose = 0);
    kt_check_status(kt_check(logs), KT_OK);
    kt_check_near(kt_logs_get(logs, "loss"), (0.5 * 8 + 2 * 16) / 2, 1e-6, 0);
    kt_free(logs);
    kt_free(t);
    kt_free(m);
}

KT_TEST(layers_wide, reject_wrong_arguments) {
    kt_check_fails(kt_leaky_relu(-0.1), KT_EINVAL, "negative_slope: expected a number >= 0");
    kt_check_fails(kt_leaky_relu(NAN), KT_EINVAL, "negative_slope");
    kt_check_fails(kt_permute({1, 3}), KT_EINVAL, "dims: expected each axis from 1 on once");
    kt_check_fails(kt_permute({1, 1}), KT_EINVAL, "dims");
    kt_check_fails(kt_permute(), KT_EINVAL, "dims");
    kt_check_fails(kt_repeat_vector(0), KT_EINVAL, "n: expected a positive integer, got 0");
    kt_check_fails(kt_gaussian_noise(2), KT_EINVAL, "stddev: expected a number between 0 and 1");
    kt_check_fails(kt_gaussian_noise(NAN), KT_EINVAL, "stddev");
    kt_check_fails(kt_gaussian_dropout(-1), KT_EINVAL, "rate: expected a number between 0 and 1");
    kt_check_fails(kt_alpha_dropout(1.1), KT_EINVAL, "rate");
    kt_check_fails(kt_spatial_dropout1d(NAN), KT_EINVAL, "rate");
    kt_check_fails(kt_spatial_dropout2d(0.1, "first"), KT_EINVAL, "data_format");
    kt_check_fails(kt_group_normalization(0), KT_EINVAL, "groups: expected a positive integer");
    kt_check_fails(kt_group_normalization(-2), KT_EINVAL, "groups: expected a positive integer");
    kt_check_fails(kt_dot(kt_axes(1, 2, 3)), KT_EINVAL, "axes: expected one number or two, got 3");
    kt_check_fails(kt_activity_regularization(NAN), KT_EINVAL, "l1");
}

KT_TEST(layers_wide, reject_wrong_inputs) {
    kt_sym *a = kt_input({4, 6}), *b = kt_input({5, 6}), *open = kt_input({KT_NONE, KT_NONE});
    kt_check_fails(kt_call(kt_permute({1}), a), KT_ESHAPE, "shape mismatch");
    kt_check_fails(kt_call(kt_repeat_vector(2), a), KT_ESHAPE, "shape mismatch");
    kt_check_fails(kt_call(kt_spatial_dropout1d(0.5), kt_input({3})), KT_ESHAPE, "shape mismatch");
    kt_check_fails(kt_call(kt_prelu(.shared_axes = 3), a), KT_EINVAL, "shared_axes: axis 3");
    kt_check_fails(kt_call(kt_prelu(.shared_axes = 0), a), KT_EINVAL, "shared_axes: axis 0");
    kt_check_fails(kt_call(kt_prelu(), open), KT_ESHAPE, "open");
    kt_check_fails(kt_call(kt_layer_normalization(3), a), KT_EINVAL, "axis 3 is out of range");
    kt_check_fails(kt_call(kt_layer_normalization(), open), KT_ESHAPE, "must be known");
    kt_check_fails(kt_call(kt_layer_normalization(kt_axes(1, -2)), a), KT_EINVAL, "named twice");
    kt_check_fails(kt_call(kt_unit_normalization(-4), a), KT_EINVAL, "axis -4 is out of range");
    kt_check_fails(kt_call(kt_rms_normalization(9), a), KT_EINVAL, "axis 9 is out of range");
    kt_check_fails(kt_call(kt_group_normalization(4), a), KT_EINVAL, "groups: expected a divisor");
    kt_check_fails(kt_call(kt_group_normalization(32), a), KT_EINVAL, "groups: expected at most");
    kt_check_fails(kt_call(kt_softmax(5), a), KT_EINVAL, "axis 5 is out of range");
    kt_check_fails(kt_call(kt_multiply(), kt_list(a, b)), KT_ESHAPE, "incompatible shapes");
    kt_check_fails(kt_call(kt_subtract(), kt_list(a, a, a)), KT_EINVAL, "expected 2 inputs, got 3");
    kt_check_fails(kt_call(kt_dot(1), kt_list(a, b)), KT_ESHAPE, "incompatible shapes");
    kt_check_fails(kt_call(kt_dot(0), kt_list(a, b)), KT_EINVAL, "axis 0 is the batch");
    kt_check_fails(kt_call(kt_dot(3), kt_list(a, b)), KT_EINVAL, "axes: out of range");
    kt_check_fails(
        kt_call(kt_gaussian_dropout(1), a, .training = true), KT_EINVAL, "deviation is infinite");
    kt_check_fails(
        kt_call(kt_identity(), a, .use_causal_mask = true), KT_EINVAL, "takes no attention_mask");
}
