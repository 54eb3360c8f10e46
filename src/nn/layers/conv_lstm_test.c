/* ConvLSTM1D to 3D against real Keras (tests/golden/conv_lstm.npz): outputs, states, gradients,
 * masks, training. Then what needs no numbers of Keras. */
#include "io/npz.h"
#include "testing/kt_models.h"
#include "testing/kt_recurrent.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SEQ .return_sequences = true
#define BOTH SEQ, .return_state = true

static void check(const char *name, kt_layer *l, const char *x, const char *mask) {
    kt_check_recurrent("conv_lstm", name, l, x, mask, NULL, 0);
}

static void check_states(
    const char *name, kt_layer *l, const char *x, const char *mask, const char *state) {
    kt_check_recurrent("conv_lstm", name, l, x, mask, state, 2);
}

KT_TEST(conv_lstm, is_that_of_keras) {
    check("plain", kt_conv_lstm2d(3, kt_hw(3, 2)), "pictures", NULL);
    check("seq", kt_conv_lstm2d(3, 3, .padding = "same", SEQ), "pictures", NULL);
    check_states("states", kt_conv_lstm2d(3, kt_hw(3, 2), BOTH), "pictures", NULL, "state2");
    check("strides", kt_conv_lstm2d(3, 2, kt_hw(2, 1), "same", BOTH), "pictures", NULL);
    check("dilation", kt_conv_lstm2d(3, 2, .dilation_rate = 2, BOTH), "pictures", NULL);
    check("no_bias", kt_conv_lstm2d(3, 2, .use_bias = false, .unroll = true), "pictures", NULL);
    check(
        "hard",
        kt_conv_lstm2d(3, 2, .activation = "relu", .recurrent_activation = "hard_sigmoid", BOTH),
        "pictures",
        NULL);
    check(
        "channels_first",
        kt_conv_lstm2d(3, kt_hw(3, 2), .data_format = "channels_first", BOTH),
        "first",
        "holes");
}

KT_TEST(conv_lstm, goes_through_time_as_keras_does) {
    check(
        "backwards", kt_conv_lstm2d(3, kt_hw(3, 2), .go_backwards = true, BOTH), "pictures", NULL);
    check_states("holes", kt_conv_lstm2d(3, kt_hw(3, 2), BOTH), "pictures", "holes", "state2");
    check("right", kt_conv_lstm2d(3, kt_hw(3, 2), .return_state = true), "pictures", "right");
    check(
        "zero",
        kt_conv_lstm2d(3, kt_hw(3, 2), .zero_output_for_mask = true, BOTH),
        "pictures",
        "holes");
    check("stateful", kt_conv_lstm2d(3, 2, .stateful = true, SEQ), "pictures", "holes");
    check(
        "stateful_plain",
        kt_conv_lstm2d(3, 2, .padding = "same", .stateful = true),
        "pictures",
        NULL);
}

KT_TEST(conv_lstm, has_one_to_three_axes) {
    check("rows", kt_conv_lstm1d(3, 3), "rows", NULL);
    check_states(
        "rows_all", kt_conv_lstm1d(3, 3, .padding = "same", BOTH), "rows", "holes", "state1");
    check("volumes", kt_conv_lstm3d(2, kt_dhw(2, 3, 2), BOTH), "volumes", NULL);
    check(
        "volumes_same",
        kt_conv_lstm3d(2, 2, .padding = "same", .go_backwards = true),
        "volumes",
        NULL);
    check(
        "both_ways", kt_bidirectional(kt_conv_lstm1d(3, 3, .padding = "same", SEQ)), "rows", NULL);
}

/* Three steps of training. */
static void check_training(const char *name, kt_optimizer *o) {
    kt_npz *z;
    char key[64];
    kt_model *m = kt_sequential(kt_list(
        kt_input({3, 6, 5, 1}),
        kt_conv_lstm2d(3, 3, .padding = "same", SEQ),
        kt_conv_lstm2d(2, 3),
        kt_flatten(),
        kt_dense(2)));
    kt_check_status(kt_model_compile(m, o, "mse"), KT_OK);
    kt_check_status(kt_npz_open(&z, "tests/golden/conv_lstm.npz"), KT_OK);
#define MEMBER(...) (snprintf(key, sizeof key, __VA_ARGS__), kt_npz_read(z, key))
    const int n = kt_layer_n_weights(m);
    assert_int_equal(n, 8);
    for (int i = 0; i < n; i++)
        kt_check_status(kt_var_assign(kt_layer_weight(m, i), MEMBER("%s/w%d", name, i)), KT_OK);
    kt_tensor *x = MEMBER("%s/x", name), *t = MEMBER("%s/t", name), *loss = MEMBER("%s/loss", name);
    kt_tensor *p = kt_model_predict(m, x, .verbose = 0);
    kt_check_tensors_near(p, MEMBER("%s/p", name), 1e-5, 1e-5);
    for (int step = 0; step < 3; step++) {
        kt_logs *l = kt_model_train_on_batch(m, x, t);
        kt_check_ok(l);
        kt_check_near(kt_logs_get(l, "loss"), kt_tensor_get(loss, step), 1e-5, 1e-6);
        kt_free(l);
    }
    for (int i = 0; i < n; i++)
        kt_check_tensors_near(
            kt_var_value(kt_layer_weight(m, i)), MEMBER("%s/v%d", name, i), 1e-4, 1e-5);
#undef MEMBER
    kt_npz_close(z);
    kt_free(m);
}

KT_TEST(conv_lstm, trains_as_keras_does) {
    check_training("train_sgd", kt_opt_sgd(0.1));
    check_training("train_adam", kt_opt_adam(0.01));
}

/* What needs no numbers of Keras --------------------------------------------------------------- */

KT_TEST(conv_lstm, keeps_the_layer_contract) {
    kt_check_layer(
        kt_conv_lstm2d(4, 3, SEQ),
        .input = {2, KT_NONE, 6, 5, 3},
        .output = {2, KT_NONE, 4, 3, 4},
        .n_trainable = 3,
        .n_params = 9 * 3 * 16 + 9 * 4 * 16 + 16);
    kt_check_layer(
        kt_conv_lstm1d(4, 3, 2, "same", .use_bias = false),
        .input = {2, 4, 7, 3},
        .output = {2, 4, 4},
        .n_trainable = 2);
    kt_check_layer(
        kt_conv_lstm2d(4, 3, .data_format = "channels_first"),
        .input = {2, 3, 1, 6, 5},
        .output = {2, 4, 4, 3},
        .n_trainable = 3);
    kt_layer *l = kt_conv_lstm2d(1, 1, .name = "frames");
    kt_check_status(kt_layer_build(l, kt_dims(1, 2, 3, 3, 1)), KT_OK);
    kt_check_str(kt_var_path(kt_layer_weight(l, 0)), "frames/conv_lstm_cell/kernel");
    kt_check_values(kt_var_value(kt_layer_weight(l, 2)), 0, 0, 0, 1, 0, 0);
    kt_free(l);
}

KT_TEST(conv_lstm, gradients_with_dropout) {
    kt_check_gradients(
        kt_conv_lstm1d(2, 2, .dropout = 0.4), .input = {2, 3, 4, 2}, .training = true);
    kt_check_gradients(
        kt_conv_lstm2d(2, 2, .dropout = 0.3, .recurrent_dropout = 0.4, SEQ),
        .input = {2, 2, 3, 3, 2},
        .training = true);
    kt_check_gradients(
        kt_conv_lstm2d(2, 2, .recurrent_dropout = 0.4, .data_format = "channels_first"),
        .input = {2, 2, 2, 3, 3},
        .training = true);
}

/* Rates of 0.5 in training: some numbers differ from those without; rate 1 drops nothing. */
KT_TEST(conv_lstm, dropout_works_in_training_alone) {
    kt_layer *const layers[] = {
        kt_conv_lstm1d(4, 2, .dropout = 0.5),
        kt_conv_lstm1d(4, 2, .recurrent_dropout = 0.5),
        kt_conv_lstm1d(4, 2, .dropout = 1, .recurrent_dropout = 1)};
    for (int i = 0; i < 3; i++) {
        float y[2][12];
        kt_adopt(layers[i]);
        for (int k = 0; k < 2; k++) {
            kt_recurrent_call c = {
                .layer = layers[i], .training = k > 0, .x = {KT_FLOAT32, {4, {1, 3, 4, 2}}}};
            kt_recurrent_start(&c);
            for (int j = 0; j < 24; j++) ((float *)kt_cpu_input(c.run, 0))[j] = (float)(j - 9) / 8;
            kt_check_status(kt_cpu_execute(c.run), KT_OK);
            memcpy(y[k], kt_cpu_output(c.run, 0), sizeof y[k]);
            kt_recurrent_stop(&c);
        }
        assert_true((memcmp(y[0], y[1], sizeof y[0]) == 0) == (i == 2));
        kt_release(layers[i]);
    }
}

KT_TEST(conv_lstm, rejects_what_does_not_fit) {
    kt_sym *x = kt_input({3, 6, 5, 2});
    kt_check_fails(kt_conv_lstm2d(0, 3), KT_EINVAL, "filters: expected a positive integer");
    kt_check_fails(kt_conv_lstm2d(2, 0), KT_EINVAL, "kernel_size");
    kt_check_fails(kt_conv_lstm2d(2, 3, .padding = "causal"), KT_EINVAL, "padding: unknown");
    kt_check_fails(kt_conv_lstm2d(2, 3, .strides = 2, .dilation_rate = 2), KT_EINVAL, "dilation");
    kt_check_fails(kt_conv_lstm2d(2, 3, .data_format = "first"), KT_EINVAL, "data_format");
    kt_check_fails(kt_conv_lstm2d(2, 3, .activation = "tanhh"), KT_EINVAL, "tanhh");
    kt_check_fails(kt_conv_lstm2d(2, 3, .dropout = NAN), KT_EINVAL, "dropout");
    kt_check_fails(kt_call(kt_conv_lstm1d(2, 3), x), KT_ESHAPE, "4 axes");
    kt_check_fails(kt_call(kt_conv_lstm2d(2, 7), x), KT_ESHAPE, "larger than axis 2");
    kt_check_fails(
        kt_call(kt_conv_lstm2d(2, 3), kt_input({3, KT_NONE, 5, 2})), KT_ESHAPE, "must be known");
    kt_check_fails(
        kt_call(kt_conv_lstm2d(2, 3), kt_input({3, 6, 5, KT_NONE})), KT_ESHAPE, "channels");
    kt_check_fails(kt_call(kt_conv_lstm2d(2, 3, .stateful = true), x), KT_ESHAPE, "batch size");
    kt_check_fails(
        kt_call(kt_conv_lstm2d(2, 3), x, .initial_state = kt_list(x, x)),
        KT_ESHAPE,
        "another shape");
    kt_layer *l = kt_adopt(kt_conv_lstm2d(2, 3));
    kt_check_ok(kt_call(l, x));
    kt_check_fails(kt_call(l, kt_input({3, 7, 5, 2})), KT_ESHAPE, "axis 2 of length 6");
    kt_release(l);
}
