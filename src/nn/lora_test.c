/* Low-rank adaptation against real Keras (tests/golden/lora.npz): predictions, losses and weights
 * of three steps, what files hold. Then kt_layer_enable_lora, freezing, errors. */
#include "nn/lora.h"

#include "io/npz.h"
#include "testing/kt_layers.h"
#include "testing/kt_models.h"

#include <stdio.h>
#include <string.h>

static kt_tensor *member(const char *name, const char *key, int i) {
    char path[64];
    kt_npz *z;
    kt_check_status(kt_npz_open(&z, "tests/golden/lora.npz"), KT_OK);
    snprintf(path, sizeof path, i < 0 ? "%s/%s" : "%s/%s%d", name, key, i);
    kt_tensor *t = kt_npz_read(z, path);
    kt_npz_close(z);
    return t;
}

/* What files hold of the layer. */
static void check_own(const char *name, const kt_layer *l) {
    int n = 0;
    for (int i = 0; i < l->vars.n; i++) {
        kt_var *v = l->vars.v[i];
        void *merged;
        if (kt_lora_is_part(l, v)) continue;
        kt_check_status(kt_lora_merged(l, v, &merged), KT_OK);
        kt_tensor *own = merged ? kt_tensor_new(v->spec.dtype, v->spec.shape, merged)
                                : kt_var_value(v);
        kt_check_tensors_near(own, member(name, "own", n++), 1e-4, 1e-5);
        kt_mem_free(merged);
        kt_free(own);
    }
}

static void check_model(const char *name, kt_model *m, kt_layer *l, kt_optimizer *o, int n) {
    kt_check_ok(m);
    assert_int_equal(kt_layer_n_weights(m), n);
    for (int i = 0; i < n; i++)
        kt_check_status(kt_var_assign(kt_layer_weight(m, i), member(name, "w", i)), KT_OK);
    kt_tensor *x = member(name, "x", -1), *t = member(name, "t", -1);
    kt_tensor *loss = member(name, "loss", -1), *p = kt_model_predict(m, x, .verbose = 0);
    kt_check_tensors_near(p, member(name, "p", -1), 1e-5, 1e-5);
    kt_check_status(kt_model_compile(m, o, "mse"), KT_OK);
    for (int step = 0; step < 3; step++) {
        kt_logs *logs = kt_model_train_on_batch(m, x, t);
        kt_check_ok(logs);
        kt_check_near(kt_logs_get(logs, "loss"), kt_tensor_get(loss, step), 1e-5, 1e-6);
        kt_free(logs);
    }
    for (int i = 0; i < n; i++) {
        kt_tensor *v = kt_var_value(kt_layer_weight(m, i));
        kt_check_tensors_near(v, member(name, "v", i), 1e-4, 1e-5);
        kt_free(v);
    }
    check_own(name, l);
    kt_free(p);
    kt_free(m);
}

static void check(const char *name, kt_sym *in, kt_layer *l, kt_optimizer *o, int n) {
    kt_check_ok(l);
    check_model(name, kt_sequential(kt_list(in, l)), l, o, n);
}

#define LORA .lora_rank = 2, .lora_alpha = 6

KT_TEST(lora, trains_as_in_keras) {
    check(
        "dense",
        kt_input({5}),
        kt_dense(4, .activation = "tanh", .kernel_regularizer = "l2", LORA),
        kt_opt_sgd(0.1),
        4);
    check(
        "dense_3d",
        kt_input({2, 5}),
        kt_dense(4, .use_bias = false, .lora_rank = 1),
        kt_opt_adam(0.01),
        3);
    check(
        "einsum",
        kt_input({2, 4}),
        kt_einsum_dense("abc,cde->abde", {2, 2, 3}, .bias_axes = "de", LORA),
        kt_opt_sgd(0.1),
        4);
    check(
        "embedding",
        kt_input({3}, .dtype = "int32"),
        kt_embedding(7, 3, .embeddings_regularizer = "l2", LORA),
        kt_opt_adam(0.01),
        3);
}

KT_TEST(lora, adapts_convolutions_as_in_keras) {
    check(
        "conv1d", kt_input({6, 3}), kt_conv1d(4, 3, .padding = "causal", LORA), kt_opt_sgd(0.1), 4);
    check(
        "conv2d",
        kt_input({5, 4, 4}),
        kt_conv2d(4, kt_hw(3, 2), .groups = 2, .kernel_regularizer = "l1", LORA),
        kt_opt_sgd(0.1),
        4);
    check("conv3d", kt_input({3, 3, 4, 2}), kt_conv3d(2, 2, .lora_rank = 2), kt_opt_sgd(0.1), 4);
    kt_layer *l = kt_conv2d(4, 3, .activation = "relu", .lora_rank = 3);
    kt_model *m = kt_sequential(
        kt_list(kt_input({6, 6, 1}), l, kt_max_pooling2d(), kt_flatten(), kt_dense(2)));
    check_model("conv2d_pool", m, l, kt_opt_adam(0.01), 6);
}

static const char *const order[] = {"kernel", "bias", "lora_kernel_a", "lora_kernel_b"};

/* Which weights of the layer are trained: bit i for weight i. */
static unsigned trained(kt_layer *l) {
    kt_var_list on = {0, 0, NULL}, off = {0, 0, NULL};
    unsigned bits = 0;
    kt_check_status(kt_layer_collect(l, &on, &off, true), KT_OK);
    assert_int_equal(on.n + off.n, kt_layer_n_weights(l));
    for (int i = 0; i < on.n; i++)
        for (int k = 0; k < kt_layer_n_weights(l); k++)
            if (on.v[i] == kt_layer_weight(l, k)) bits |= 1u << k;
    kt_vec_free(&on);
    kt_vec_free(&off);
    return bits;
}

KT_TEST(lora, can_be_enabled_later) {
    kt_layer *l = kt_dense(4);
    kt_model *m = kt_sequential(kt_list(kt_input({5}), l));
    kt_check_ok(m);
    assert_int_equal(trained(l), 3);
    kt_check_status(kt_layer_enable_lora(l, 2, .lora_alpha = 6), KT_OK);
    for (int i = 0; i < 4; i++) assert_string_equal(kt_var_name(kt_layer_weight(l, i)), order[i]);
    assert_int_equal(trained(l), 14);
    check_model("enable", m, l, kt_opt_sgd(0.1), 4);
}

/* In the middle of things: what was compiled before computes with it, and trains it. */
KT_TEST(lora, is_seen_by_programs_made_before) {
    uint64_t seed = 5;
    kt_layer *l = kt_dense(4);
    kt_model *m = kt_sequential(kt_list(kt_input({5}), l));
    kt_tensor *x = kt_adopt(kt_test_tensor(KT_FLOAT32, kt_dims(3, 5), -1, 1, &seed));
    kt_tensor *y = kt_adopt(kt_test_tensor(KT_FLOAT32, kt_dims(3, 4), -1, 1, &seed));
    kt_check_status(kt_model_compile(m, "adam", "mse"), KT_OK);
    kt_free(kt_model_train_on_batch(m, x, y));
    kt_tensor *before = kt_model_predict(m, x, .verbose = 0);
    kt_check_status(kt_layer_enable_lora(l, 2), KT_OK); /* b is zeros: the same outputs */
    kt_tensor *same = kt_model_predict(m, x, .verbose = 0);
    kt_check_tensors_near(same, before, 1e-6, 1e-6);
    kt_tensor *kernel = kt_var_value(kt_layer_weight(l, 0));
    kt_free(kt_model_train_on_batch(m, x, y));
    kt_tensor *after = kt_model_predict(m, x, .verbose = 0);
    kt_tensor *b = kt_var_value(kt_layer_weight(l, 3)), *k = kt_var_value(kt_layer_weight(l, 0));
    kt_check_tensors_near(k, kernel, 0, 0);
    assert_true(kt_tensor_get(b, 0) != 0);
    assert_true(kt_tensor_get(after, 0) != kt_tensor_get(before, 0));
    kt_layer *again = kt_layer_copy(l, "again", NULL);
    kt_check_status(kt_layer_build(again, kt_dims(3, 5)), KT_OK);
    assert_int_equal(kt_layer_n_weights(again), 4);
    kt_free(again);
    const void *all[] = {before, same, kernel, after, b, k, m};
    for (int i = 0; i < 7; i++) kt_free(all[i]);
    kt_release(x);
    kt_release(y);
}

/* As in Keras, whose layer.trainable sets the flag of every variable. */
KT_TEST(lora, lets_go_of_the_kernel_when_the_layer_is_switched_on) {
    kt_layer *l = kt_dense(4, .lora_rank = 2);
    kt_check_status(kt_layer_build(l, kt_dims(3, 5)), KT_OK);
    assert_int_equal(trained(l), 14);
    kt_check_status(kt_set_trainable(l, false), KT_OK);
    assert_int_equal(trained(l), 0);
    kt_check_status(kt_set_trainable(l, true), KT_OK);
    assert_int_equal(trained(l), 15);
    kt_free(l);
}

static void check_fails(kt_layer *l, kt_status want, const char *text) {
    kt_check_status(kt_layer_enable_lora(l, 2), want);
    kt_check_message_has(text);
}

KT_TEST(lora, rejects_what_keras_does) {
    kt_layer *l = kt_dense(4), *held = kt_dense(4, .kernel_constraint = "max_norm");
    check_fails(l, KT_ESTATE, "not built yet");
    kt_check_status(kt_layer_build(l, kt_dims(3, 5)), KT_OK);
    kt_check_status(kt_layer_enable_lora(l, 0), KT_EINVAL);
    kt_check_message_has("rank: expected a positive integer, got 0");
    kt_check_status(kt_layer_enable_lora(l, 2, .a_initializer = "he_unifrom"), KT_EINVAL);
    kt_check_message_has("he_unifrom");
    kt_check_status(kt_layer_enable_lora(l, 2, .b_initializer = "zeroes"), KT_EINVAL);
    assert_int_equal(kt_layer_n_weights(l), 2);
    kt_check_status(kt_layer_enable_lora(l, 2), KT_OK);
    check_fails(l, KT_ESTATE, "enabled already");
    kt_check_status(kt_layer_build(held, kt_dims(3, 5)), KT_OK);
    check_fails(held, KT_EINVAL, "incompatible with a constraint on \"kernel\"");
    assert_int_equal(kt_layer_n_weights(held), 2);
    kt_layer *other = kt_flatten();
    check_fails(other, KT_EUNSUPPORTED, "Flatten has no LoRA");
    check_fails((kt_layer *)(uintptr_t)kt_none, KT_EINVAL, "expected a layer");
    kt_free(l);
    kt_free(held);
    kt_free(other);
    kt_check_fails(kt_dense(3, .lora_rank = -4), KT_EINVAL, "lora_rank: expected a positive");
    kt_check_fails(kt_conv1d(3, 2, .lora_rank = -4), KT_EINVAL, "lora_rank: expected a positive");
    kt_check_fails(
        kt_call(kt_dense(3, .lora_rank = 1, .kernel_constraint = "max_norm"), kt_input({5})),
        KT_EINVAL,
        "incompatible with a constraint");
}
