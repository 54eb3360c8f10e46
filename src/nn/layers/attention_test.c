/* Attention layers and EinsumDense: the contract, gradients by differences, names, wrong input.
 * Values, gradients and masks of real Keras: wide_test.c. */
#include "testing/kt_layers.h"

#include <math.h>
#include <string.h>

KT_TEST(attention, layers_keep_the_contract) {
    kt_check_layer(
        kt_multi_head_attention(2, 3),
        .input = {2, KT_NONE, 6},
        .input1 = {2, KT_NONE, 5},
        .output = {2, KT_NONE, 6},
        .n_trainable = 8,
        .n_params = 6 * 6 + 6 + 2 * (5 * 6 + 6) + 6 * 6 + 6);
    kt_check_layer(
        kt_multi_head_attention(2, 3, 4, .use_bias = false, .output_shape = {7}),
        .input = {2, 4, 6},
        .input1 = {2, 5, 3},
        .input2 = {2, 5, 2},
        .output = {2, 4, 7},
        .n_trainable = 4);
    kt_check_layer(
        kt_group_query_attention(3, 4, 2),
        .input = {2, KT_NONE, 6},
        .input1 = {2, 5, 6},
        .output = {2, KT_NONE, 6},
        .n_trainable = 8);
    kt_check_layer(
        kt_attention(), .input = {2, KT_NONE, 6}, .input1 = {2, 5, 6}, .output = {2, KT_NONE, 6});
    kt_check_layer(
        kt_additive_attention(),
        .input = {2, KT_NONE, 6},
        .input1 = {2, 5, 6},
        .output = {2, KT_NONE, 6},
        .n_trainable = 1);
    kt_check_layer(
        kt_einsum_dense("abc,cd->abd", {KT_NONE, 7}, .bias_axes = "d"),
        .input = {2, KT_NONE, 6},
        .output = {2, KT_NONE, 7},
        .n_trainable = 2,
        .n_params = 49);
}

KT_TEST(attention, layers_have_the_right_gradients) {
    kt_set_random_seed(3);
    kt_check_gradients(kt_multi_head_attention(2, 3), .input = {2, 4, 5}, .input1 = {2, 3, 5});
    kt_check_gradients(
        kt_multi_head_attention(2, 3, .dropout = 0.3),
        .input = {2, 4, 5},
        .input1 = {2, 3, 5},
        .training = true);
    kt_check_gradients(
        kt_group_query_attention(3, 4, 2, .sliding_window = 2),
        .input = {1, 4, 5},
        .input1 = {1, 4, 5});
    kt_check_gradients(kt_attention(true), .input = {2, 4, 5}, .input1 = {2, 3, 5});
    kt_check_gradients(
        kt_attention(.dropout = 0.3), .input = {2, 4, 5}, .input1 = {2, 3, 5}, .training = true);
    kt_check_gradients(kt_additive_attention(), .input = {2, 4, 5}, .input1 = {2, 3, 5});
    kt_check_gradients(kt_einsum_dense("abc,bcd->adb", {6, 3}), .input = {2, 3, 4});
}

/* Paths are Keras' own: they name weights in files. */
KT_TEST(attention, weights_have_the_paths_of_keras) {
    static const char *const paths[] = {
        "mha/query/kernel",
        "mha/query/bias",
        "mha/key/kernel",
        "mha/key/bias",
        "mha/gate/kernel",
        "mha/gate/bias",
        "mha/value/kernel",
        "mha/value/bias",
        "mha/attention_output/kernel",
        "mha/attention_output/bias"};
    kt_sym *x = kt_input({4, 6});
    kt_layer *l = kt_multi_head_attention(2, 3, .use_gate = true, .name = "mha");
    kt_sym *y = kt_call(l, kt_list(x, x));
    kt_check_status(kt_check(y), KT_OK);
    assert_int_equal(kt_layer_n_weights(l), 10);
    for (int i = 0; i < 10; i++) assert_string_equal(kt_var_path(kt_layer_weight(l, i)), paths[i]);
}

/* Fans are those of a dense layer, not of a convolution: limit sqrt(6 / (64 + 4 16)). */
KT_TEST(attention, projections_start_with_the_spread_of_keras) {
    kt_sym *x = kt_input({4, 64});
    kt_layer *l = kt_multi_head_attention(4, 16);
    kt_check_status(kt_check(kt_call(l, kt_list(x, x))), KT_OK);
    for (int k = 0; k < 8; k += 2) {
        kt_tensor *w = kt_var_value(kt_layer_weight(l, k));
        double most = 0;
        for (int64_t i = 0; i < kt_tensor_size(w); i++)
            most = fmax(most, fabs(kt_tensor_get(w, i)));
        kt_check_near(most, sqrt(6.0 / 128), 0.02, 0);
        kt_free(w);
    }
}

KT_TEST(attention, scores_are_a_second_output_of_the_model) {
    kt_sym *x = kt_input({4, 6}), *v = kt_input({5, 6});
    kt_sym *y = kt_call(
        kt_multi_head_attention(2, 3), kt_list(x, v), .return_attention_scores = true);
    kt_sym *scores = kt_item(y, 1);
    kt_check_status(kt_check(scores), KT_OK);
    const kt_shape s = kt_sym_shape(scores);
    assert_int_equal(s.ndim, 4);
    assert_int_equal(s.dim[1], 2);
    assert_int_equal(s.dim[2], 4);
    assert_int_equal(s.dim[3], 5);
    kt_check_fails(kt_item(kt_call(kt_attention(), kt_list(x, v)), 1), KT_EINVAL, "no output 1");
}

KT_TEST(attention, rejects_wrong_arguments) {
    kt_check_fails(kt_multi_head_attention(0, 3), KT_EINVAL, "num_heads: expected a positive");
    kt_check_fails(kt_multi_head_attention(2), KT_EINVAL, "key_dim: expected a positive");
    kt_check_fails(kt_multi_head_attention(2, 3, -1), KT_EINVAL, "value_dim");
    kt_check_fails(kt_multi_head_attention(2, 3, .dropout = 2), KT_EINVAL, "dropout");
    kt_check_fails(
        kt_multi_head_attention(2, 3, .sliding_window = -1), KT_EINVAL, "sliding_window");
    kt_check_fails(
        kt_multi_head_attention(2, 3, .dropout = 0.1, .flash_attention = true),
        KT_EINVAL,
        "Dropout is not supported when flash attention is enabled");
    kt_check_fails(kt_group_query_attention(3, 4, 3), KT_EINVAL, "must be divisible by");
    kt_check_fails(kt_group_query_attention(3, 4), KT_EINVAL, "num_key_value_heads: expected");
    kt_check_fails(kt_attention(.score_mode = "cosine"), KT_EINVAL, "score_mode: unknown value");
    kt_check_fails(kt_attention(.score_mode = NULL), KT_EINVAL, "score_mode");
    kt_check_fails(kt_attention(.dropout = NAN), KT_EINVAL, "dropout");
    kt_check_fails(kt_additive_attention(.dropout = -1), KT_EINVAL, "dropout");
    kt_check_fails(kt_einsum_dense("abc", {3}), KT_EINVAL, "equation: invalid einsum equation");
    kt_check_fails(kt_einsum_dense(NULL, {3}), KT_EINVAL, "equation");
    kt_check_fails(kt_einsum_dense("ab,bc->ac"), KT_EINVAL, "output_shape");
    kt_check_fails(
        kt_einsum_dense("ab,bc->ac", {3}, .bias_axes = "b"), KT_EINVAL, "\"b\" is no axis");
}

KT_TEST(attention, rejects_wrong_inputs) {
    kt_sym *q = kt_input({4, 6}), *v = kt_input({5, 6}), *k = kt_input({3, 6});
    kt_layer *mha = kt_multi_head_attention(2, 3);
    kt_check_fails(kt_call(mha, kt_list(q, v, k)), KT_ESHAPE, "except the last one, must be equal");
    kt_check_fails(kt_call(mha, q), KT_EINVAL, "inputs, got 1");
    kt_check_fails(kt_call(mha, kt_list(kt_input({6}), v)), KT_ESHAPE, "at least 3 axes");
    kt_check_fails(
        kt_call(kt_multi_head_attention(2, 3, .attention_axes = 2), kt_list(q, v)),
        KT_EINVAL,
        "attention_axes: axis 2 is out of range");
    kt_check_fails(
        kt_call(
            kt_multi_head_attention(2, 3, .flash_attention = true),
            kt_list(q, v),
            .return_attention_scores = true),
        KT_EINVAL,
        "not supported with flash attention");
    kt_check_status(kt_check(kt_call(mha, kt_list(q, v))), KT_OK); /* nothing is left half-built */
    assert_int_equal(kt_layer_n_weights(mha), 8);
    kt_check_fails(
        kt_call(kt_group_query_attention(3, 4, 2), kt_list(q, kt_input({5, 7}))),
        KT_ESHAPE,
        "last dimension of query and value");
    kt_check_fails(
        kt_call(kt_attention(), kt_list(q, v), .attention_mask = q), KT_EINVAL, "takes none");
    kt_check_fails(
        kt_call(kt_attention(), kt_list(q, v), .mask = kt_list(q, v, k)), KT_EINVAL, "at most 2");
    kt_check_fails(
        kt_call(kt_einsum_dense("abcd,de->abce", {3, 3, 3}), q), KT_ESHAPE, "does not fit");
    kt_check_fails(
        kt_call(kt_einsum_dense("abc,cd->abd", {5, 3}), q), KT_ESHAPE, "common axis \"b\"");
    kt_check_fails(kt_call(kt_einsum_dense("abc,ce->abd", {KT_NONE, 3}), q), KT_EINVAL, "\"d\"");
}
