/* Dropout: the contract, the share of zeros, repeatability, gradients, wrong arguments. */
#include "testing/kt_layers.h"

#include <math.h>
#include <string.h>

KT_TEST(dropout, keeps_the_layer_contract) {
    kt_check_layer(kt_dropout(0.5), .input = {2, 3}, .output = {2, 3});
    kt_check_layer(kt_dropout(1), .input = {2, KT_NONE, 1}, .output = {2, KT_NONE, 1});
}

/* The mask is a function of seed, path and call: finite differences see the same one each time. */
KT_TEST(dropout, has_the_right_gradients) {
    kt_set_random_seed(3);
    kt_check_gradients(kt_dropout(0.4), .input = {4, 7}, .training = true);
    kt_check_gradients(kt_dropout(0.4), .input = {4, 7});
    kt_check_gradients(kt_dropout(1), .input = {4, 7}, .training = true);
    kt_check_gradients(kt_dropout(0), .input = {4, 7}, .training = true);
    kt_check_gradients(kt_dropout(0.4, {KT_NONE, 1}), .input = {4, 7}, .training = true);
    kt_check_gradients(
        kt_dropout(0.4), .input = {KT_NONE, 3}, .training = true, .empty_batch = true);
}

#define ROWS 100
#define COLS 37

/* Ones through the layer while training: y, rows times columns. */
static void run_on_ones(kt_layer *l, float *y) {
    kt_layer_rig r = {.layer = l, .n_in = 1, .training = true};
    r.in[0] = (kt_spec){KT_FLOAT32, kt_dims(ROWS, COLS)};
    kt_check_status(kt_rig_start(&r), KT_OK);
    for (int i = 0; i < ROWS * COLS; i++) ((float *)kt_cpu_input(r.run, 0))[i] = 1;
    kt_check_status(kt_cpu_execute(r.run), KT_OK);
    memcpy(y, kt_cpu_output(r.run, 0), sizeof *y * ROWS * COLS);
    kt_rig_stop(&r);
}

static int count_zeros(const float *y, int n, float other) {
    int zeros = 0;
    for (int i = 0; i < n; i++) {
        if (y[i] == 0)
            zeros++;
        else
            kt_check_near(y[i], other, 1e-6, 0);
    }
    return zeros;
}

KT_TEST(dropout, drops_the_share_it_says_and_scales_the_rest) {
    float y[ROWS * COLS];
    kt_set_random_seed(1);
    run_on_ones(kt_dropout(0.25), y);
    kt_check_near(count_zeros(y, ROWS * COLS, 1 / 0.75f) / (double)(ROWS * COLS), 0.25, 0, 0.03);
    run_on_ones(kt_dropout(1), y);
    assert_int_equal(count_zeros(y, ROWS * COLS, 1), ROWS * COLS);
    run_on_ones(kt_dropout(0), y);
    assert_int_equal(count_zeros(y, ROWS * COLS, 1), 0);
}

KT_TEST(dropout, shares_a_draw_along_noise_shape) {
    float y[ROWS * COLS];
    kt_set_random_seed(1);
    run_on_ones(kt_dropout(0.5, {KT_NONE, 1}), y);
    int whole = 0;
    for (int r = 0; r < ROWS; r++) {
        const int zeros = count_zeros(y + r * COLS, COLS, 2);
        assert_true(zeros == 0 || zeros == COLS);
        whole += zeros == COLS;
    }
    assert_in_range(whole, 30, 70);
}

KT_TEST(dropout, repeats_with_its_seed) {
    float a[ROWS * COLS], b[ROWS * COLS], c[ROWS * COLS], d[ROWS * COLS];
    kt_set_random_seed(1);
    run_on_ones(kt_dropout(0.5, .name = "d"), a);
    run_on_ones(kt_dropout(0.5, .name = "d"), b);
    run_on_ones(kt_dropout(0.5, .name = "other"), c);
    kt_set_random_seed(2);
    run_on_ones(kt_dropout(0.5, .name = "d"), d);
    assert_memory_equal(a, b, sizeof a);
    assert_memory_not_equal(a, c, sizeof a);
    assert_memory_not_equal(a, d, sizeof a);
    kt_set_random_seed(1);
    run_on_ones(kt_dropout(0.5, .name = "d", .seed = 9), a);
    kt_set_random_seed(2);
    run_on_ones(kt_dropout(0.5, .name = "d", .seed = 9), b); /* its own seed, not the session's */
    assert_memory_equal(a, b, sizeof a);
}

KT_TEST(dropout, rejects_wrong_arguments) {
    kt_check_fails(kt_dropout(1.5), KT_EINVAL, "rate: expected a number between 0 and 1, got 1.5");
    kt_check_message_has("share of inputs that is dropped");
    kt_check_fails(kt_dropout(-0.1), KT_EINVAL, "got -0.1");
    kt_check_fails(kt_dropout(NAN), KT_EINVAL, "rate");
    kt_check_fails(
        kt_call(kt_dropout(0.5, {KT_NONE, 1, 1}), kt_input({3}), .training = true),
        KT_ESHAPE,
        "noise_shape: expected 2 axes, got 3");
}
