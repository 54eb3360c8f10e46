/* Recurrent layers against real Keras (tests/golden/sequences.npz): outputs, states, gradients,
 * masks of every kind, stateful calls. What needs no numbers of Keras comes after. */
#include "testing/kt_models.h"
#include "testing/kt_recurrent.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(
    const char *name, kt_layer *l, const char *x_name, const char *mask_name, int n_state) {
    kt_check_recurrent("sequences", name, l, x_name, mask_name, "state", n_state);
}

#define SEQ .return_sequences = true
#define STATE .return_state = true
#define BOTH SEQ, STATE
#define ALL(name, n, layer, ...)                                                                   \
    check(name, layer(4, __VA_ARGS__), "seq", NULL, 0);                                            \
    check(name "_seq", layer(4, __VA_ARGS__, SEQ), "seq", NULL, 0);                                \
    check(name "_state", layer(4, __VA_ARGS__, BOTH), "seq", NULL, n);                             \
    check(name "_backwards", layer(4, __VA_ARGS__, BOTH, .go_backwards = true), "seq", NULL, 0);   \
    check(                                                                                         \
        name "_no_bias",                                                                           \
        layer(4, __VA_ARGS__, .use_bias = false, .unroll = true),                                  \
        "seq",                                                                                     \
        NULL,                                                                                      \
        0);                                                                                        \
    check(name "_right", layer(4, __VA_ARGS__, BOTH), "seq", "right", 0);                          \
    check(name "_left", layer(4, __VA_ARGS__, BOTH), "seq", "left", 0);                            \
    check(name "_holes", layer(4, __VA_ARGS__, BOTH), "seq", "holes", n);                          \
    check(name "_holes_last", layer(4, __VA_ARGS__, STATE), "seq", "holes", n);                    \
    check(                                                                                         \
        name "_holes_back", layer(4, __VA_ARGS__, BOTH, .go_backwards = true), "seq", "holes", 0); \
    check(                                                                                         \
        name "_zero",                                                                              \
        layer(4, __VA_ARGS__, BOTH, .zero_output_for_mask = true),                                 \
        "seq",                                                                                     \
        "holes",                                                                                   \
        n);                                                                                        \
    check(                                                                                         \
        name "_zero_last",                                                                         \
        layer(4, __VA_ARGS__, .zero_output_for_mask = true),                                       \
        "seq",                                                                                     \
        "right",                                                                                   \
        0);                                                                                        \
    check(name "_stateful", layer(4, __VA_ARGS__, SEQ, .stateful = true), "seq", "holes", 0);      \
    check(name "_stateful_plain", layer(4, __VA_ARGS__, .stateful = true), "seq", NULL, 0)
#define HARD .activation = "relu", .recurrent_activation = "hard_sigmoid"

KT_TEST(rnn, simple_rnn_is_that_of_keras) {
    ALL("simple_rnn", 1, kt_simple_rnn, .activation = "tanh");
    check("simple_rnn_relu", kt_simple_rnn(4, "relu", SEQ), "seq", "holes", 0);
    check("simple_rnn_linear", kt_simple_rnn(4, .activation = NULL), "seq", NULL, 0);
}

KT_TEST(rnn, gru_is_that_of_keras) {
    ALL("gru", 1, kt_gru, .activation = "tanh");
    check("gru_wide", kt_gru(19, SEQ), "wide", NULL, 0);
}

KT_TEST(rnn, gru_with_reset_before_is_that_of_keras) {
    ALL("gru_before", 1, kt_gru, .reset_after = false);
}

KT_TEST(rnn, lstm_is_that_of_keras) {
    ALL("lstm", 2, kt_lstm, .activation = "tanh");
    check("lstm_wide", kt_lstm(19, SEQ), "wide", NULL, 0);
    check("lstm_one_step", kt_lstm(4), "short", NULL, 0);
    check("lstm_no_forget", kt_lstm(4, .unit_forget_bias = false), "seq", NULL, 0);
}

KT_TEST(rnn, other_activations_are_those_of_keras) {
    ALL("lstm_hard", 2, kt_lstm, HARD);
    ALL("gru_hard", 1, kt_gru, HARD);
}

KT_TEST(rnn, cells_are_those_of_keras) {
    check("rnn_lstm_cell", kt_rnn(kt_lstm_cell(4), BOTH), "seq", "holes", 0);
    check(
        "rnn_gru_cell",
        kt_rnn(kt_gru_cell(4, .reset_after = false), .go_backwards = true),
        "seq",
        NULL,
        0);
    check(
        "rnn_simple_cell",
        kt_rnn(kt_simple_rnn_cell(4), SEQ, .zero_output_for_mask = true),
        "seq",
        "left",
        0);
    check("rnn_stacked", kt_rnn(kt_list(kt_lstm_cell(4), kt_gru_cell(3)), SEQ), "seq", "holes", 0);
    check(
        "rnn_stacked_simple",
        kt_rnn(kt_stacked_rnn_cells(kt_list(kt_simple_rnn_cell(3), kt_simple_rnn_cell(2)))),
        "seq",
        NULL,
        0);
}

KT_TEST(rnn, both_ways_are_those_of_keras) {
    static const char *const modes[] = {"concat", "sum", "mul", "ave", NULL};
    char name[64];
    for (int i = 0; i < 5; i++) {
        const char *mode = modes[i] ? modes[i] : "None";
        snprintf(name, sizeof name, "bidirectional_%s", mode);
        check(name, kt_bidirectional(kt_lstm(4, BOTH), modes[i]), "seq", "holes", 0);
        snprintf(name, sizeof name, "bidirectional_%s_last", mode);
        check(name, kt_bidirectional(kt_gru(4), modes[i]), "seq", NULL, 0);
    }
    check("bidirectional_right", kt_bidirectional(kt_lstm(4, SEQ)), "seq", "right", 0);
    check("bidirectional_state", kt_bidirectional(kt_lstm(4, BOTH)), "seq", NULL, 4);
    check("bidirectional_gru", kt_bidirectional(kt_gru(4, BOTH)), "seq", NULL, 2);
    kt_layer *back = kt_gru(4, .go_backwards = true, .reset_after = false, SEQ);
    check(
        "bidirectional_backward",
        kt_bidirectional(kt_lstm(4, SEQ), .backward_layer = back),
        "seq",
        "left",
        0);
    check(
        "bidirectional_rnn", kt_bidirectional(kt_rnn(kt_simple_rnn_cell(4), SEQ)), "seq", NULL, 0);
    check(
        "bidirectional_stateful",
        kt_bidirectional(kt_gru(4, .stateful = true, SEQ)),
        "seq",
        NULL,
        0);
}

KT_TEST(rnn, time_distributed_is_that_of_keras) {
    check("time_distributed", kt_time_distributed(kt_dense(4, "tanh")), "seq", NULL, 0);
}

/* What needs no numbers of Keras --------------------------------------------------------------- */

KT_TEST(rnn, keeps_the_layer_contract) {
    kt_check_layer(
        kt_lstm(4), .input = {2, KT_NONE, 3}, .output = {2, 4}, .n_trainable = 3, .n_params = 128);
    kt_check_layer(
        kt_lstm(4, SEQ, .use_bias = false),
        .input = {2, KT_NONE, 3},
        .output = {2, KT_NONE, 4},
        .n_trainable = 2);
    kt_check_layer(kt_gru(4, SEQ), .input = {2, 6, 3}, .output = {2, 6, 4}, .n_trainable = 3);
    kt_check_layer(kt_simple_rnn(4), .input = {2, 6, 3}, .output = {2, 4}, .n_trainable = 3);
    kt_check_layer(
        kt_rnn(kt_gru_cell(4, "relu"), SEQ),
        .input = {2, KT_NONE, 3},
        .output = {2, KT_NONE, 4},
        .n_trainable = 3);
    kt_check_layer(
        kt_rnn(kt_list(kt_lstm_cell(4), kt_lstm_cell(5))),
        .input = {2, 6, 3},
        .output = {2, 5},
        .n_trainable = 6);
}

KT_TEST(rnn, gradients) {
    kt_check_gradients(kt_lstm(3, SEQ), .input = {2, 4, 3});
    kt_check_gradients(kt_gru(3, .go_backwards = true), .input = {2, 4, 3});
    kt_check_gradients(kt_simple_rnn(3), .input = {2, 4, 3});
    kt_check_gradients(kt_gru(3, .reset_after = false, SEQ), .input = {2, 3, 2});
    kt_check_gradients(kt_lstm(3, .dropout = 0.5), .input = {2, 4, 3}, .training = true);
    kt_check_gradients(kt_gru(3, .recurrent_dropout = 0.5), .input = {2, 4, 3}, .training = true);
    kt_check_gradients(
        kt_lstm(2, .dropout = 0.3, .recurrent_dropout = 0.5), .input = {3, 4, 2}, .training = true);
    kt_check_gradients(
        kt_simple_rnn(2, .dropout = 0.3, .recurrent_dropout = 0.5),
        .input = {3, 4, 2},
        .training = true);
}

KT_TEST(rnn, weights_have_the_paths_and_first_values_of_keras) {
    kt_model *m = kt_sequential(kt_list(kt_input({5, 3}), kt_lstm(2), kt_dense(1)));
    kt_check_ok(m);
    kt_check_str(kt_var_path(kt_layer_weight(m, 0)), "sequential/lstm/lstm_cell/kernel");
    kt_check_str(kt_var_path(kt_layer_weight(m, 1)), "sequential/lstm/lstm_cell/recurrent_kernel");
    kt_check_str(kt_var_path(kt_layer_weight(m, 2)), "sequential/lstm/lstm_cell/bias");
    kt_check_values(kt_var_value(kt_layer_weight(m, 2)), 0, 0, 0, 0, 1, 1, 0, 0, 0, 0);
    kt_free(m);
    kt_layer *l = kt_lstm(1, .unit_forget_bias = false, .bias_initializer = kt_init_constant(2));
    kt_check_status(kt_layer_build(l, kt_dims(1, 2, 1)), KT_OK);
    kt_check_values(kt_var_value(kt_layer_weight(l, 2)), 0, 0, 2, 2, 2, 2);
    kt_free(l);
    l = kt_gru(2);
    kt_check_status(kt_layer_build(l, kt_dims(1, 2, 1)), KT_OK);
    const kt_shape bias = kt_tensor_shape(kt_var_value(kt_layer_weight(l, 2)));
    assert_true(bias.ndim == 2 && bias.dim[0] == 2 && bias.dim[1] == 6);
    kt_free(l);
}

static kt_tensor *noise(int64_t n, int64_t t, int64_t f) {
    uint64_t seed = 3;
    return kt_test_tensor(KT_FLOAT32, kt_dims(n, t, f), -1, 1, &seed);
}

/* Two calls of a stateful layer on halves of a sequence are one call on the whole. */
KT_TEST(rnn, states_stay_until_they_are_reset) {
    kt_model *m = kt_sequential(
        kt_list(kt_input({2, 3}, .batch_size = 2), kt_gru(4, .stateful = true), kt_dense(1)));
    kt_model *whole = kt_sequential(kt_list(kt_input({4, 3}), kt_gru(4), kt_dense(1)));
    assert_int_equal(kt_layer_n_weights(m), 5); /* states are no weights, as in Keras */
    kt_check_status(kt_set_weights(whole, kt_get_weights(m)), KT_OK);
    kt_tensor *x = noise(2, 4, 3), *half[2];
    for (int h = 0; h < 2; h++) {
        half[h] = kt_tensor_new(KT_FLOAT32, kt_dims(2, 2, 3), NULL);
        for (int r = 0; r < 2; r++)
            memcpy(
                (float *)half[h]->data + r * 6,
                (float *)x->data + r * 12 + h * 6,
                6 * sizeof(float));
    }
    kt_tensor *want = kt_model_predict(whole, x, .verbose = 0);
    for (int again = 0; again < 2; again++) {
        kt_tensor *first = kt_model_predict(m, half[0], .batch_size = 2, .verbose = 0);
        kt_tensor *second = kt_model_predict(m, half[1], .batch_size = 2, .verbose = 0);
        kt_check_ok(first);
        kt_check_tensors_near(second, want, 1e-6, 1e-6);
        assert_true(fabs(kt_tensor_get(first, 0) - kt_tensor_get(want, 0)) > 1e-6);
        kt_check_status(kt_reset_states(m), KT_OK);
    }
    kt_check_fails(kt_model_predict(m, x, .verbose = 0), KT_ESHAPE, "do not fit input");
    kt_free(m);
    kt_free(whole);
}

/* The states of an encoder start a decoder. */
KT_TEST(rnn, states_go_from_layer_to_layer) {
    kt_sym *a = kt_input({KT_NONE, 3}), *b = kt_input({KT_NONE, 2});
    kt_sym *e = kt_call(kt_lstm(4, .return_state = true), a);
    kt_sym *d = kt_call(
        kt_lstm(4, .return_sequences = true),
        b,
        .initial_state = kt_list(kt_item(e, 1), kt_item(e, 2)));
    kt_model *m = kt_functional(kt_list(a, b), kt_call(kt_dense(2), d));
    kt_check_ok(m);
    kt_check_status(kt_model_compile(m, kt_opt_adam(0.02), "mse"), KT_OK);
    kt_tensor *y = noise(8, 5, 2);
    kt_history *h = kt_model_fit(
        m, kt_list(noise(8, 4, 3), y), y, .epochs = 40, .batch_size = 8, .verbose = 0);
    kt_check_ok(h);
    assert_true(kt_history_get(h, "loss", 39) < 0.5 * kt_history_get(h, "loss", 0));
    kt_free(m);
}

KT_TEST(rnn, dropout_works_in_training_alone) {
    kt_layer *const layers[] = {
        kt_lstm(8, .dropout = 0.5),
        kt_gru(8, .dropout = 0.5, .recurrent_dropout = 0.5),
        kt_simple_rnn(8, .recurrent_dropout = 0.5),
        kt_rnn(kt_list(kt_lstm_cell(8, .dropout = 0.5)))};
    for (int i = 0; i < 4; i++) {
        float y[3][8];
        kt_adopt(layers[i]);
        for (int k = 0; k < 3; k++) {
            kt_recurrent_call c = {
                .layer = layers[i], .training = k > 0, .x = {KT_FLOAT32, {3, {1, 3, 4}}}};
            kt_recurrent_start(&c);
            for (int j = 0; j < 12; j++) ((float *)kt_cpu_input(c.run, 0))[j] = (float)(j - 5) / 4;
            kt_check_status(kt_cpu_execute(c.run), KT_OK);
            memcpy(y[k], kt_cpu_output(c.run, 0), sizeof y[k]);
            kt_recurrent_stop(&c);
        }
        assert_memory_not_equal(y[0], y[1], sizeof y[0]);
        assert_memory_equal(y[1], y[2], sizeof y[1]); /* same counter, same masks */
        kt_release(layers[i]);
    }
}

/* A cell of the user's own: h = tanh(x w + h / 2). */
typedef struct {
    size_t size;
    int units;
    KT_LAYER_ARGS
} leaky_args;
typedef struct {
    kt_var *w;
} leaky;

static kt_status leaky_build(kt_layer *l, const kt_shape *in) {
    const leaky_args *a = kt_layer_args(l);
    ((leaky *)kt_layer_state(l))->w = kt_add_weight(l, "w", {kt_shape_dim(in, -1), a->units});
    return kt_check(l);
}
static kt_status leaky_call(kt_layer *l, kt_trace *t) {
    const leaky *s = kt_layer_state(l);
    kt_sym *z = kt_op_matmul(t->in[0], kt_value(s->w));
    t->n_out = 2;
    t->out[0] = t->out[1] = kt_op_tanh(
        kt_op_add(z, kt_op_multiply(t->initial_state[0], kt_num(0.5))));
    return kt_check(t->out[0]);
}
static int leaky_states(const kt_layer *l, int64_t *size) {
    size[0] = ((const leaky_args *)kt_layer_args(l))->units;
    return 1;
}
static const kt_field leaky_fields[] = {KT_F(leaky_args, units), KT_F_END};
static const kt_layer_class leaky_class = {
    .name = "Leaky",
    .args_size = sizeof(leaky_args),
    .state_size = sizeof(leaky),
    .fields = leaky_fields,
    .build = leaky_build,
    .call = leaky_call,
    .state_sizes = leaky_states};
static kt_layer *leaky_cell(int units) {
    return kt_layer_new(
        &leaky_class, &(leaky_args){.size = sizeof(leaky_args), .units = units, KT_LAYER_DEFAULTS});
}

KT_TEST(rnn, runs_a_cell_of_the_user) {
    kt_check_layer(
        kt_rnn(leaky_cell(4), SEQ),
        .input = {2, KT_NONE, 3},
        .output = {2, KT_NONE, 4},
        .n_trainable = 1);
    kt_set_dtype_policy("float64");
    kt_check_gradients(kt_rnn(leaky_cell(4), SEQ), .input = {2, 4, 3});
    kt_set_dtype_policy("float32");
    /* the same as SimpleRNN with that recurrent kernel */
    kt_model *m = kt_sequential(kt_list(kt_input({5, 3}), kt_rnn(leaky_cell(2))));
    kt_model *s = kt_sequential(kt_list(kt_input({5, 3}), kt_simple_rnn(2, .use_bias = false)));
    kt_tensor *w = kt_var_value(kt_layer_weight(m, 0));
    kt_tensor *r = kt_floats_tensor(kt_dims(2, 2), KT_VALUES(0.5, 0, 0, 0.5));
    kt_check_status(kt_set_weights(s, kt_list(w, r)), KT_OK);
    kt_check_tensors_near(
        kt_model_predict(m, noise(3, 5, 3), .verbose = 0),
        kt_model_predict(s, noise(3, 5, 3), .verbose = 0),
        1e-6,
        1e-6);
    kt_free(m);
    kt_free(s);
}

KT_TEST(rnn, rejects_wrong_arguments) {
    kt_check_fails(kt_lstm(0), KT_EINVAL, "units: expected a positive integer, got 0");
    kt_check_fails(kt_gru(-3), KT_EINVAL, "units");
    kt_check_fails(kt_simple_rnn(4, "tanhh"), KT_EINVAL, "tanhh");
    kt_check_fails(kt_lstm(4, .use_cudnn = true), KT_EUNSUPPORTED, "cuDNN");
    kt_check_ok(kt_lstm(4, .use_cudnn = false));
    kt_check_fails(kt_rnn(NULL), KT_EINVAL, "cell: expected a cell");
    kt_check_fails(kt_rnn(kt_dense(3)), KT_EINVAL, "Dense is no recurrent cell");
    kt_check_fails(kt_rnn(kt_list(kt_dense(3))), KT_EINVAL, "Dense is no recurrent cell");
    kt_check_fails(kt_stacked_rnn_cells(NULL), KT_EINVAL, "cells: expected a list");
    kt_check_fails(kt_lstm(4, .dropout = NAN), KT_EINVAL, "dropout");
}

KT_TEST(rnn, rejects_wrong_calls) {
    kt_sym *x = kt_input({5, 3}), *wrong = kt_input({7});
    kt_check_fails(kt_call(kt_lstm(4), kt_input({3})), KT_ESHAPE, "3 axes");
    kt_check_fails(kt_call(kt_lstm(4), x, .initial_state = wrong), KT_EINVAL, "expected 2 tensors");
    kt_check_fails(kt_call(kt_gru(4), x, .initial_state = wrong), KT_ESHAPE, "another shape");
    kt_check_fails(kt_call(kt_gru(4), x, .mask = wrong), KT_ESHAPE, "mask does not go");
    kt_check_fails(kt_call(kt_gru(4, .stateful = true), x), KT_ESHAPE, "batch size");
    kt_check_fails(
        kt_call(kt_gru(4, .unroll = true), kt_input({KT_NONE, 3})), KT_ESHAPE, "time steps");
    kt_check_fails(kt_call(kt_lstm_cell(4), kt_input({3})), KT_EINVAL, "needs its states");
    kt_check_status(kt_reset_states(NULL), KT_EINVAL);
}

KT_TEST(bidirectional, keeps_the_layer_contract) {
    kt_check_layer(
        kt_bidirectional(kt_lstm(4)),
        .input = {2, KT_NONE, 3},
        .output = {2, 8},
        .n_trainable = 6,
        .n_params = 256);
    kt_check_layer(
        kt_bidirectional(kt_gru(4, SEQ), "sum"),
        .input = {2, 5, 3},
        .output = {2, 5, 4},
        .n_trainable = 6);
    kt_check_gradients(kt_bidirectional(kt_gru(3, SEQ)), .input = {2, 4, 2});
}

/* Copies have names and weights of their own; the pattern stays as it was. */
KT_TEST(bidirectional, copies_the_layer) {
    kt_layer *l = kt_lstm(2, .name = "mine"), *b = kt_bidirectional(l, .name = "both");
    kt_model *m = kt_sequential(kt_list(kt_input({5, 3}), b));
    kt_check_ok(m);
    kt_check_str(
        kt_var_path(kt_layer_weight(m, 0)), "sequential/both/forward_mine/lstm_cell/kernel");
    kt_check_str(
        kt_var_path(kt_layer_weight(m, 3)), "sequential/both/backward_mine/lstm_cell/kernel");
    assert_false(kt_layer_built(l));
    kt_free(m);
    kt_check_ok(kt_call(l, kt_input({5, 3})));
    b = kt_bidirectional(kt_rnn(kt_list(kt_gru_cell(2), kt_gru_cell(2))));
    kt_check_status(kt_layer_build(b, kt_dims(1, 4, 3)), KT_OK);
    assert_int_equal(kt_layer_n_weights(b), 12); /* cells are copied too */
    kt_free(b);
}

KT_TEST(bidirectional, rejects_wrong_arguments) {
    kt_check_fails(kt_bidirectional(NULL), KT_EINVAL, "layer: expected a recurrent layer");
    kt_check_fails(kt_bidirectional(kt_dense(3)), KT_EINVAL, "expected a recurrent layer");
    kt_check_fails(kt_bidirectional(kt_gru(3), "max"), KT_EINVAL, "merge_mode: unknown");
    kt_check_fails(kt_bidirectional(kt_gru(3, .go_backwards = true)), KT_EINVAL, "the same way");
    kt_check_fails(
        kt_bidirectional(kt_gru(3), .backward_layer = kt_gru(3, SEQ, .go_backwards = true)),
        KT_EINVAL,
        "return_sequences");
    kt_check_fails(
        kt_call(kt_bidirectional(kt_gru(3)), kt_input({5, 2}), .initial_state = kt_input({3})),
        KT_EINVAL,
        "as many tensors");
}

KT_TEST(time_distributed, keeps_the_layer_contract) {
    kt_check_layer(
        kt_time_distributed(kt_dense(4)),
        .input = {2, KT_NONE, 3},
        .output = {2, KT_NONE, 4},
        .n_trainable = 2);
    kt_check_layer(kt_time_distributed(kt_flatten()), .input = {2, 5, 3, 2}, .output = {2, 5, 6});
    kt_check_layer(
        kt_time_distributed(kt_conv2d(2, 3)),
        .input = {2, 3, 6, 6, 1},
        .output = {2, 3, 4, 4, 2},
        .n_trainable = 2);
    kt_check_gradients(
        kt_time_distributed(kt_batch_normalization()),
        .input = {3, 2, 2},
        .training = true,
        .tolerance = 1e-6);
    kt_check_fails(kt_time_distributed(NULL), KT_EINVAL, "layer");
    kt_check_fails(
        kt_call(kt_time_distributed(kt_dense(2)), kt_input({3})), KT_ESHAPE, "at least 3 axes");
    kt_check_fails(
        kt_call(kt_time_distributed(kt_dense(2)), kt_input({3, 2}), .mask = kt_input({4})),
        KT_ESHAPE,
        "mask does not go");
}

static kt_model *long_reader(void) {
    kt_sym *x = kt_input({300, 2});
    kt_sym *y = kt_call(kt_lstm(64, SEQ), x);
    kt_model *m = kt_functional(x, kt_call(kt_dense(1), kt_call(kt_gru(3), y)));
    kt_check_status(
        kt_model_compile(m, kt_opt_sgd(0.1), kt_loss_mean_squared_error(.reduction = "sum")),
        KT_OK);
    return m;
}

static kt_tensor *some_rows(const kt_tensor *x, int64_t first, int64_t n) {
    kt_shape s = kt_tensor_shape(x);
    s.dim[0] = n;
    return kt_tensor_new(
        KT_FLOAT32, s, (const float *)x->data + first * kt_shape_range(&s, 1, s.ndim));
}

/* Large batches go through in parts (rnn.c, part_rows): the same outputs, and the same gradients as
 * those of small batches together. */
KT_TEST(rnn, large_batches_are_split) {
    uint64_t seed = 5;
    kt_model *m = long_reader();
    kt_tensor *x = kt_test_tensor(KT_FLOAT32, kt_dims(40, 300, 2), -1, 1, &seed);
    kt_tensor *y = kt_test_tensor(KT_FLOAT32, kt_dims(40, 1), -1, 1, &seed);
    kt_tensor *all = kt_model_predict(m, x, .batch_size = 40, .verbose = 0);
    kt_tensor *few = kt_model_predict(m, x, .batch_size = 8, .verbose = 0);
    kt_check_tensors_near(all, few, 1e-5, 1e-6);
    kt_list_t *begin = kt_get_weights(m);
    kt_check_ok(kt_model_train_on_batch(m, x, y));
    kt_weights_copy whole = kt_copy_weights(m);
    double *sum = calloc((size_t)whole.n, sizeof *sum), most = 0;
    for (int i = 0; i < 5; i++) {
        kt_check_status(kt_set_weights(m, begin), KT_OK);
        kt_weights_copy before = kt_copy_weights(m);
        kt_check_ok(kt_model_train_on_batch(m, some_rows(x, 8 * i, 8), some_rows(y, 8 * i, 8)));
        kt_weights_copy after = kt_copy_weights(m);
        for (int64_t k = 0; k < whole.n; k++) {
            sum[k] += after.v[k] - before.v[k];
            if (i == 4) whole.v[k] -= before.v[k];
        }
        kt_weights_copy_free(&before);
        kt_weights_copy_free(&after);
    }
    for (int64_t k = 0; k < whole.n; k++) most = fmax(most, fabs(sum[k]));
    for (int64_t k = 0; k < whole.n; k++) kt_check_near(whole.v[k], sum[k], 1e-3, 1e-4 * most);
    free(sum);
    kt_weights_copy_free(&whole);
    kt_free(m);
}
