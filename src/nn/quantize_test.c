/* Quantized layers against real Keras (tests/golden/quantize.npz): weights, scales, predictions,
 * losses and weights of three steps, what files hold. Errors, filters, programs made before. */
#include "nn/quantize.h"

#include "base/mem.h"
#include "io/npz.h"
#include "nn/lora.h"
#include "testing/kt_layers.h"
#include "testing/kt_models.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static kt_tensor *member(const char *name, const char *key, int i) {
    char path[64];
    kt_npz *z;
    kt_check_status(kt_npz_open(&z, "tests/golden/quantize.npz"), KT_OK);
    snprintf(path, sizeof path, i < 0 ? "%s/%s" : "%s/%s%d", name, key, i);
    kt_tensor *t = kt_npz_read(z, path);
    kt_npz_close(z);
    return t;
}

/* All weights, their dtypes too. Integers that training or merging leads to may differ by a unit:
 * a sum that is rounded elsewhere. */
static void check_weights(const char *name, const char *key, kt_model *m, int n) {
    assert_int_equal(kt_layer_n_weights(m), n);
    for (int i = 0; i < n; i++) {
        kt_tensor *got = kt_var_value(kt_layer_weight(m, i)), *want = member(name, key, i);
        kt_check_ok(want);
        assert_int_equal(kt_tensor_dtype(got), kt_tensor_dtype(want));
        kt_check_tensors_near(got, want, 1e-6, 1e-6);
        kt_free(got);
        kt_free(want);
    }
}

static void check_own(const char *name, const kt_layer *l) {
    for (int i = 0, n = 0; i < l->vars.n; i++) {
        kt_var *v = l->vars.v[i];
        void *merged;
        if (kt_lora_is_part(l, v)) continue;
        kt_check_status(kt_lora_merged(l, v, &merged), KT_OK);
        kt_tensor *own = merged ? kt_tensor_new(v->spec.dtype, v->spec.shape, merged)
                                : kt_var_value(v);
        kt_tensor *want = member(name, "own", n++);
        assert_int_equal(kt_tensor_dtype(own), kt_tensor_dtype(want));
        kt_check_tensors_near(own, want, 1e-5, 1e-6);
        kt_mem_free(merged);
        kt_free(own);
        kt_free(want);
    }
}

typedef struct {
    int before, after; ///< numbers of weights
    kt_ref config;
    bool lora, train;
} golden_case;

static void check_steps(const char *name, kt_model *m, kt_tensor *x, int n) {
    kt_tensor *t = member(name, "t", -1), *loss = member(name, "loss", -1);
    kt_check_status(kt_model_compile(m, kt_opt_sgd(0.1), "mse"), KT_OK);
    for (int step = 0; step < 3; step++) {
        kt_logs *logs = kt_model_train_on_batch(m, x, t);
        kt_check_ok(logs);
        kt_check_near(kt_logs_get(logs, "loss"), kt_tensor_get(loss, step), 1e-5, 1e-6);
        kt_free(logs);
    }
    for (int i = 0; i < n; i++) {
        kt_tensor *got = kt_var_value(kt_layer_weight(m, i)), *want = member(name, "v", i);
        kt_check_tensors_near(got, want, 1e-4, 1e-5);
        kt_free(got);
        kt_free(want);
    }
    kt_free(t);
    kt_free(loss);
}

static void check(const char *name, kt_layer *l, kt_sym *in, golden_case c) {
    kt_check_ok(l);
    kt_model *m = kt_sequential(kt_list(in, l));
    kt_check_ok(m);
    for (int i = 0; i < c.before; i++)
        kt_check_status(kt_var_assign(kt_layer_weight(m, i), member(name, "w", i)), KT_OK);
    kt_check_status(
        c.config ? kt_layer_quantize(l, .config = c.config) : kt_layer_quantize(l, "int8"), KT_OK);
    assert_string_equal(kt_layer_quantization_mode(l), "int8");
    if (c.lora) {
        kt_check_status(kt_layer_enable_lora(l, 2, .lora_alpha = 6), KT_OK);
        for (int i = 0; i < c.after; i++)
            if (kt_lora_is_part(l, kt_layer_weight(m, i)))
                kt_check_status(kt_var_assign(kt_layer_weight(m, i), member(name, "q", i)), KT_OK);
    }
    check_weights(name, "q", m, c.after);
    kt_tensor *x = member(name, "x", -1), *p = kt_model_predict(m, x, .verbose = 0);
    kt_tensor *want = member(name, "p", -1);
    kt_check_tensors_near(p, want, 1e-6, 1e-6);
    if (c.train) check_steps(name, m, x, c.after);
    check_own(name, l);
    const void *all[] = {m, x, p, want};
    for (int i = 0; i < 4; i++) kt_free(all[i]);
}

KT_TEST(quantize, dense_is_that_of_keras) {
    check(
        "dense",
        kt_dense(4, .activation = "tanh", .kernel_regularizer = "l2"),
        kt_input({5}),
        (golden_case){.before = 2, .after = 3, .train = true});
    check(
        "dense_3d",
        kt_dense(19, .use_bias = false),
        kt_input({3, 37}),
        (golden_case){.before = 1, .after = 2});
    kt_quantizer *wide = kt_quant_int8_quantization_config(
        kt_quant_abs_max_quantizer(0, kt_floats(-100, 90)),
        kt_quant_abs_max_quantizer(.value_range = kt_floats(-128, 64), .epsilon = 0.25));
    check(
        "dense_wide",
        kt_dense(4),
        kt_input({5}),
        (golden_case){.before = 2, .after = 3, .config = wide});
    kt_quantizer *weights = kt_quant_int8_quantization_config(.activation_quantizer = NULL);
    check(
        "dense_weights",
        kt_dense(4),
        kt_input({5}),
        (golden_case){.before = 2, .after = 3, .config = weights, .train = true});
    check(
        "dense_lora",
        kt_dense(4),
        kt_input({5}),
        (golden_case){.before = 2, .after = 5, .lora = true, .train = true});
}

KT_TEST(quantize, einsum_dense_is_that_of_keras) {
    check(
        "einsum",
        kt_einsum_dense("abc,cde->abde", {2, 2, 3}, .bias_axes = "de"),
        kt_input({2, 4}),
        (golden_case){.before = 2, .after = 3, .train = true});
    check(
        "einsum_two",
        kt_einsum_dense("abcd,cde->abe", {2, 5}, .bias_axes = "e"),
        kt_input({2, 4, 3}),
        (golden_case){.before = 2, .after = 3});
    check(
        "einsum_turned",
        kt_einsum_dense("abc,dce->aedb", {3, 2, 2}, .activation = "relu"),
        kt_input({2, 4}),
        (golden_case){.before = 1, .after = 2});
    check(
        "einsum_batch",
        kt_einsum_dense("abc,bcd->abd", {2, 3}),
        kt_input({2, 4}),
        (golden_case){.before = 1, .after = 2});
    check(
        "einsum_lora",
        kt_einsum_dense("abc,cde->abde", {2, 2, 3}, .bias_axes = "de"),
        kt_input({2, 4}),
        (golden_case){.before = 2, .after = 5, .lora = true, .train = true});
    kt_quantizer *weights = kt_quant_int8_quantization_config(.activation_quantizer = NULL);
    check(
        "einsum_weights",
        kt_einsum_dense("abc,cde->abde", {2, 2, 3}),
        kt_input({2, 4}),
        (golden_case){.before = 1, .after = 2, .config = weights});
}

KT_TEST(quantize, embedding_is_that_of_keras) {
    check(
        "embedding",
        kt_embedding(7, 3),
        kt_input({3}, .dtype = "int32"),
        (golden_case){.before = 1, .after = 2});
}

KT_TEST(quantize, abs_max_quantize_is_that_of_keras) {
    kt_sym *s, *in = kt_input({3, 4});
    kt_sym *q = kt_op_abs_max_quantize(&s, in, kt_hw(1, 2), -100, 100, 0.5);
    kt_model *m = kt_functional(in, kt_list(q, s));
    kt_check_ok(m);
    kt_tensor *x = member("abs_max", "x", -1);
    kt_list_t *y = kt_model_predict_list(m, x, .verbose = 0);
    kt_check_ok(y);
    kt_check_tensors_near(kt_list_get(y, 0), member("abs_max", "q", -1), 0, 0);
    kt_check_tensors_near(kt_list_get(y, 1), member("abs_max", "s", -1), 1e-7, 0);
    assert_int_equal(kt_tensor_dtype(kt_list_get(y, 0)), KT_INT8);
    const void *all[] = {m, x, y};
    for (int i = 0; i < 3; i++) kt_free(all[i]);
}

static kt_model *mlp(void) {
    return kt_sequential(kt_list(
        kt_input({5}),
        kt_dense(4, .activation = "relu", .name = "first"),
        kt_dropout(0.1),
        kt_dense(3, .name = "second")));
}

KT_TEST(quantize, takes_the_layers_of_a_model_that_it_can) {
    kt_model *inner = kt_sequential(
        kt_list(kt_input({6, 8}), kt_time_distributed(kt_dense(8, .name = "each"))),
        .name = "inner");
    kt_sym *in = kt_input({6}, .dtype = "int32");
    kt_layer *dense = kt_dense(8, .name = "twice");
    kt_sym *x = kt_call(inner, kt_call(kt_embedding(9, 8), in));
    x = kt_call(dense, kt_call(dense, x));
    x = kt_call(kt_multi_head_attention(2, 3), kt_list(x, x));
    x = kt_call(kt_lstm(3), x);
    kt_model *m = kt_functional(in, kt_call(kt_dense(2, .activation = kt_relu()), x));
    kt_check_ok(m);
    kt_check_status(kt_model_quantize(m, "int8"), KT_OK);
    int n = 0, n_scales = 0;
    for (int i = 0; i < kt_layer_n_weights(m); i++) {
        const kt_var *v = kt_layer_weight(m, i);
        n += v->spec.dtype == KT_INT8;
        n_scales += strstr(kt_var_name(v), "_scale") != NULL;
    }
    assert_int_equal(n, 7); /* table, each, twice, four of attention; the head has a layer in it */
    assert_int_equal(n_scales, 7);
    kt_tensor *ids = kt_tensor_new(KT_INT32, kt_dims(2, 6), NULL);
    kt_tensor *p = kt_model_predict(m, ids, .verbose = 0);
    kt_check_ok(p);
    kt_check_status(kt_model_quantize(m, "int8"), KT_ESTATE);
    kt_check_message_has("already quantized with dtype policy \"int8_from_float32\"");
    const void *all[] = {m, ids, p};
    for (int i = 0; i < 3; i++) kt_free(all[i]);
}

KT_TEST(quantize, filters_are_found_in_names) {
    kt_model *m = mlp();
    kt_layer *first = kt_model_get_layer(m, "first"), *second = kt_model_get_layer(m, "second");
    kt_check_status(kt_model_quantize(m, "int8", .filters = "third"), KT_OK);
    kt_check_status(kt_model_quantize(m, "int8", .filters = "("), KT_EINVAL);
    kt_check_message_has("filters: \"(\"");
    kt_check_status(kt_model_quantize(m, "int8", .filters = kt_reg_l2(0.1)), KT_EINVAL);
    assert_null(kt_layer_quantization_mode(first));
    kt_check_status(kt_model_quantize(m, "int8", .filters = kt_list("^irst", "d$")), KT_OK);
    assert_null(kt_layer_quantization_mode(first));
    assert_string_equal(kt_layer_quantization_mode(second), "int8");
    kt_check_status(kt_model_quantize(m, "int8"), KT_ESTATE); /* and nothing changes */
    assert_null(kt_layer_quantization_mode(first));
    kt_free(m);
}

KT_TEST(quantize, refuses_what_keras_refuses) {
    kt_model *m = mlp();
    kt_layer *l = kt_model_get_layer(m, "first");
    kt_check_status(kt_layer_quantize(l), KT_EINVAL);
    kt_check_message_has("expected a `mode` or a `config`");
    kt_check_status(kt_layer_quantize(l, "int9"), KT_EINVAL);
    kt_check_message_has("invalid quantization mode");
    static const char *const other[] = {"int4", "float8", "gptq", "awq"};
    for (int i = 0; i < 4; i++) {
        kt_check_status(kt_layer_quantize(l, other[i]), KT_EUNSUPPORTED);
        kt_check_message_has(other[i]);
    }
    kt_check_status(kt_layer_quantize(l, .config = kt_quant_abs_max_quantizer()), KT_EINVAL);
    kt_check_message_has("expected an Int8QuantizationConfig, got a quantizer");
    kt_quantizer *rows = kt_quant_int8_quantization_config(kt_quant_abs_max_quantizer(1));
    kt_check_status(kt_layer_quantize(l, .config = rows), KT_EINVAL);
    kt_check_message_has("axis");
    kt_quantizer *far = kt_quant_int8_quantization_config(kt_quant_abs_max_quantizer(2));
    kt_check_status(kt_model_quantize(m, .config = far), KT_EINVAL);
    kt_check_message_has("out of range in layer \"first\"");
    kt_check_status(kt_layer_quantize(kt_dense(2), "int8"), KT_ESTATE);
    kt_check_message_has("not built yet");
    kt_check_status(kt_layer_quantize(kt_relu(), "int8"), KT_EUNSUPPORTED);
    kt_check_message_has("ReLU does not have a `quantize` method");
    kt_check_status(kt_model_quantize(kt_sequential(kt_list(kt_dense(2))), "int8"), KT_ESTATE);
    kt_check_status(kt_model_quantize(NULL, "int8"), KT_EINVAL);
    kt_tensor *bad = kt_tensor_new(KT_FLOAT32, kt_dims(5, 4), NULL);
    kt_check_status(kt_tensor_set(bad, 7, HUGE_VAL), KT_OK);
    kt_check_status(kt_var_assign(kt_layer_weight(l, 0), bad), KT_OK);
    kt_check_status(kt_layer_quantize(l, "int8"), KT_ENAN);
    assert_null(kt_layer_quantization_mode(l));
    assert_int_equal(kt_layer_n_weights(l), 2);
    kt_free(bad);
    kt_free(m);
    m = kt_sequential(kt_list(kt_input({5}), kt_spectral_normalization(kt_dense(2))));
    kt_check_status(kt_model_quantize(m, "int8"), KT_EUNSUPPORTED);
    kt_check_message_has("used by the wrapper");
    kt_free(m);
}

KT_TEST(quantize, quantizers_check_their_arguments) {
    kt_check_fails(
        kt_quant_abs_max_quantizer(.value_range = kt_floats(-129, 127)), KT_EINVAL, "value_range");
    kt_check_fails(
        kt_quant_abs_max_quantizer(.value_range = kt_floats(-8, 7.5)), KT_EINVAL, "value_range");
    kt_check_fails(kt_quant_abs_max_quantizer(.value_range = kt_floats(3)), KT_EINVAL, "two");
    kt_check_fails(kt_quant_abs_max_quantizer(.epsilon = -1), KT_EINVAL, "epsilon");
    kt_check_fails(
        kt_quant_abs_max_quantizer(.output_dtype = "int32"), KT_EUNSUPPORTED, "output_dtype");
    kt_check_fails(kt_quant_abs_max_quantizer(.output_dtype = "int"), KT_EINVAL, "\"int\"");
    kt_check_fails(
        kt_quant_int8_quantization_config("default"), KT_EINVAL, "weight_quantizer: expected");
    kt_check_fails(
        kt_quant_int8_quantization_config(.activation_quantizer = kt_loss_hinge()),
        KT_EINVAL,
        "got a loss");
}

/* In the middle of things: what was compiled before computes with integers, and trains the rest. */
KT_TEST(quantize, is_seen_by_programs_made_before) {
    uint64_t seed = 5;
    kt_model *m = mlp();
    kt_tensor *x = kt_adopt(kt_test_tensor(KT_FLOAT32, kt_dims(8, 5), -1, 1, &seed));
    kt_tensor *y = kt_adopt(kt_test_tensor(KT_FLOAT32, kt_dims(8, 3), -1, 1, &seed));
    kt_check_status(kt_model_compile(m, "adam", "mse"), KT_OK);
    kt_free(kt_model_train_on_batch(m, x, y));
    kt_tensor *before = kt_model_predict(m, x, .verbose = 0);
    kt_check_status(kt_model_quantize(m, "int8"), KT_OK);
    kt_tensor *after = kt_model_predict(m, x, .verbose = 0);
    double far = 0;
    for (int i = 0; i < 24; i++)
        far = fmax(far, fabs(kt_tensor_get(before, i) - kt_tensor_get(after, i)));
    assert_true(far > 0 && far < 0.05);
    kt_var *kernel = kt_layer_weight(kt_model_get_layer(m, "first"), 1);
    kt_var *bias = kt_layer_weight(kt_model_get_layer(m, "first"), 0);
    assert_string_equal(kt_var_name(kernel), "kernel");
    kt_tensor *k0 = kt_var_value(kernel), *b0 = kt_var_value(bias);
    kt_logs *logs = kt_model_train_on_batch(m, x, y);
    kt_check_ok(logs);
    kt_tensor *k1 = kt_var_value(kernel), *b1 = kt_var_value(bias);
    kt_check_tensors_near(k0, k1, 0, 0);
    assert_true(kt_tensor_get(b0, 0) != kt_tensor_get(b1, 0));
    kt_check_status(kt_model_compile(m, "adam", "mse"), KT_OK);
    kt_logs *again = kt_model_train_on_batch(m, x, y);
    kt_check_ok(again);
    const void *all[] = {m, before, after, k0, b0, k1, b1, logs, again};
    for (int i = 0; i < 9; i++) kt_free(all[i]);
    kt_release(x);
    kt_release(y);
}

KT_TEST(quantize, layers_may_be_made_so) {
    kt_layer *l = kt_dense(2, .dtype = "int8_from_float32");
    kt_check_ok(l);
    kt_check_status(kt_layer_build(l, kt_dims(KT_NONE, 3)), KT_OK);
    assert_string_equal(kt_layer_quantization_mode(l), "int8");
    static const char *const names[] = {"bias", "kernel", "kernel_scale"};
    for (int i = 0; i < 3; i++) assert_string_equal(kt_var_name(kt_layer_weight(l, i)), names[i]);
    assert_int_equal(kt_layer_weight(l, 1)->spec.dtype, KT_INT8);
    kt_tensor *scale = kt_var_value(kt_layer_weight(l, 2));
    kt_check_near(kt_tensor_get(scale, 1), 1, 0, 0);
    kt_free(scale);
    kt_check_fails(
        kt_conv2d(2, 3, .dtype = "int8_from_float32"), KT_EUNSUPPORTED, "Conv2D has no int8 form");
    kt_check_fails(kt_dense(2, .dtype = "int8_from_float99"), KT_EUNSUPPORTED, "int8_from_float99");
    kt_tensor *table = kt_tensor_new(KT_FLOAT32, kt_dims(2, 2), NULL);
    kt_check_fails(
        kt_embedding(2, 2, .weights = table, .dtype = "int8_from_float32"), KT_EINVAL, "weights");
    kt_free(table);
}

/* Double precision is quantized in its own. */
KT_TEST(quantize, float64_layers_stay_double) {
    uint64_t seed = 9;
    kt_layer *l = kt_dense(3, .dtype = "float64");
    kt_model *m = kt_sequential(kt_list(kt_input({5}, .dtype = "float64"), l));
    kt_check_ok(m);
    kt_tensor *x = kt_test_tensor(KT_FLOAT64, kt_dims(2, 5), -1, 1, &seed);
    kt_tensor *a = kt_model_predict(m, x, .verbose = 0);
    kt_check_status(kt_layer_quantize(l, "int8"), KT_OK);
    assert_int_equal(kt_layer_weight(l, 2)->spec.dtype, KT_FLOAT64);
    kt_tensor *b = kt_model_predict(m, x, .verbose = 0);
    assert_int_equal(kt_tensor_dtype(b), KT_FLOAT64);
    kt_check_tensors_near(b, a, 0.05, 0.05);
    const void *all[] = {m, x, a, b};
    for (int i = 0; i < 4; i++) kt_free(all[i]);
}

/* Every allocation fails once: nothing is half changed. */
KT_TEST(quantize, out_of_memory_changes_nothing) {
    kt_model *m = mlp();
    kt_layer *l = kt_model_get_layer(m, "first");
    kt_tensor *before = kt_var_value(kt_layer_weight(l, 0));
    kt_status st = KT_ENOMEM;
    for (int n = 1; n < 100 && st; n++) {
        kt_mem_fail_after(n);
        st = kt_layer_quantize(l, "int8");
        kt_mem_fail_after(0);
        if (!st) break;
        kt_check_status(st, KT_ENOMEM);
        kt_check_ok(l);
        assert_null(kt_layer_quantization_mode(l));
        assert_int_equal(kt_layer_n_weights(l), 2);
        kt_tensor *now = kt_var_value(kt_layer_weight(l, 0));
        kt_check_tensors_near(now, before, 0, 0);
        kt_free(now);
    }
    assert_int_equal(st, KT_OK);
    assert_int_equal(kt_layer_n_weights(l), 3);
    kt_free(before);
    kt_free(m);
}
