/* Quantized models of real Keras (tests/golden/files/int8_*.keras): predictions, the same bytes
 * when they are saved twice. And what configurations say. */
#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/npz.h"
#include "model/summary.h"
#include "nn/layer.h"
#include "testing/kt_layers.h"
#include "testing/kt_models.h"

#include <keratin/saving.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static kt_tensor *member(const char *name, const char *key) {
    char path[64];
    kt_npz *z;
    kt_check_status(kt_npz_open(&z, "tests/golden/quantize.npz"), KT_OK);
    snprintf(path, sizeof path, "%s/%s", name, key);
    kt_tensor *t = kt_npz_read(z, path);
    kt_npz_close(z);
    return t;
}

static void check_predictions(kt_model *m, const char *name) {
    kt_tensor *x = member(name, "x"), *want = member(name, "p");
    kt_tensor *p = kt_model_predict(m, x, .verbose = 0);
    kt_check_tensors_near(p, want, 1e-5, 1e-6);
    const void *all[] = {x, want, p};
    for (int i = 0; i < 3; i++) kt_free(all[i]);
}

static kt_model *load(const char *path) {
    kt_model *m = kt_load_model(path);
    kt_check_ok(m);
    return m;
}

static void check_same(const char *a, const char *b) {
    unsigned char *da, *db;
    size_t na, nb;
    kt_check_status(kt_fs_load(&da, &na, a, 1 << 24), KT_OK);
    kt_check_status(kt_fs_load(&db, &nb, b, 1 << 24), KT_OK);
    assert_int_equal(na, nb);
    assert_memory_equal(da, db, na);
    kt_mem_free(da);
    kt_mem_free(db);
}

static void check_file(const char *name, const char *suffix) {
    char path[96], a[96], b[96];
    snprintf(path, sizeof path, "tests/golden/files/int8_%s.keras", name);
    snprintf(a, sizeof a, "/tmp/keratin_%d_q_a.%s", (int)getpid(), suffix);
    snprintf(b, sizeof b, "/tmp/keratin_%d_q_b.%s", (int)getpid(), suffix);
    kt_model *m = load(path);
    check_predictions(m, name);
    kt_check_status(kt_model_save(m, a), KT_OK);
    kt_model *again = load(a);
    check_predictions(again, name);
    kt_check_status(kt_model_save(again, b), KT_OK);
    check_same(a, b);
    kt_model *copy = kt_clone_model(again);
    kt_check_ok(copy);
    kt_list_t *w = kt_get_weights(again);
    kt_check_status(kt_set_weights(copy, w), KT_OK);
    check_predictions(copy, name);
    const void *all[] = {w, copy, again, m};
    for (int i = 0; i < 4; i++) kt_free(all[i]);
    unlink(a);
    unlink(b);
}

KT_TEST(quantized, models_of_keras_go_on) {
    check_file("mlp", "keras");
    check_file("text", "keras");
    check_file("mlp", "h5");
}

static void check_config(const void *object, const char *want) {
    kt_check_ok(object);
    kt_text *config = kt_get_config(object);
    kt_check_ok(config);
    if (!strstr(kt_text_str(config), want)) kt_check_str(kt_text_str(config), want);
    kt_free(config);
}

#define WRAPPED(name, config)                                                                      \
    "{\"module\": \"keras.quantizers\", \"class_name\": \"" name "\", \"config\": " config         \
    ", \"registered_name\": null}"

KT_TEST(quantized, configurations_are_those_of_keras) {
    check_config(
        kt_quant_abs_max_quantizer(0, .epsilon = 0.5),
        "{\"value_range\": [-127, 127], \"epsilon\": 0.5, \"output_dtype\": \"int8\", \"axis\": "
        "[0]}");
    check_config(
        kt_quant_int8_quantization_config(),
        "{\"weight_quantizer\": null, \"activation_quantizer\": " WRAPPED(
            "AbsMaxQuantizer",
            "{\"value_range\": [-127, 127], \"epsilon\": 1e-07, \"output_dtype\": \"int8\"}") "}");
    kt_layer *l = kt_dense(
        3,
        .dtype = "int8_from_float32",
        .quantization_config = kt_quant_int8_quantization_config(.activation_quantizer = NULL));
    check_config(
        l,
        "\"dtype\": {\"module\": \"keras.dtype_policies\", \"class_name\": "
        "\"QuantizedDTypePolicy\", \"config\": {\"mode\": \"int8\", \"source_name\": "
        "\"float32\"}, \"registered_name\": null}");
    check_config(
        l,
        "\"quantization_config\": " WRAPPED(
            "Int8QuantizationConfig",
            "{\"weight_quantizer\": null, \"activation_quantizer\": null}"));
    kt_text *text = kt_get_config(l);
    kt_layer *again = kt_from_config("Dense", kt_text_str(text));
    check_config(again, kt_text_str(text));
    kt_free(text);
}

/* Files hold no dtype of the layers inside a MultiHeadAttention; weights alone do. */
KT_TEST(quantized, attention_is_saved_as_weights) {
    char path[96];
    kt_model *m[2];
    snprintf(path, sizeof path, "/tmp/keratin_%d_q.keras", (int)getpid());
    for (int i = 0; i < 2; i++) {
        kt_sym *in = kt_input({4, 3});
        m[i] = kt_functional(in, kt_call(kt_multi_head_attention(2, 3), kt_list(in, in)));
        kt_check_ok(m[i]);
        kt_check_status(kt_model_quantize(m[i], "int8"), KT_OK);
    }
    kt_check_status(kt_model_save(m[0], path), KT_EUNSUPPORTED);
    kt_check_message_has("inside \"multi_head_attention\" (MultiHeadAttention) is quantized");
    assert_int_not_equal(access(path, F_OK), 0);
    snprintf(path, sizeof path, "/tmp/keratin_%d_q.weights.h5", (int)getpid());
    kt_check_status(kt_model_save_weights(m[0], path), KT_OK);
    kt_check_status(kt_model_load_weights(m[1], path), KT_OK);
    uint64_t seed = 3;
    kt_tensor *x = kt_adopt(kt_test_tensor(KT_FLOAT32, kt_dims(2, 4, 3), -1, 1, &seed));
    kt_tensor *a = kt_model_predict(m[0], x, .verbose = 0);
    kt_tensor *b = kt_model_predict(m[1], x, .verbose = 0);
    kt_check_tensors_near(a, b, 0, 0);
    const void *all[] = {a, b, m[0], m[1]};
    for (int i = 0; i < 4; i++) kt_free(all[i]);
    kt_release(x);
    unlink(path);
}

KT_TEST(quantized, summary_counts_as_in_keras) {
    kt_model *m = load("tests/golden/files/int8_mlp.keras");
    kt_str out = {0};
    const kt_summary_args args = {.size = sizeof args, .model = m};
    kt_check_status(kt_model_summary_text(&out, &args, 80, KT_COLORS_OFF), KT_OK);
    static const char *const lines[] = {
        " Total params: 46 (88.00 B)",
        " Trainable params: 7 (28.00 B)",
        " Non-trainable params: 39 (60.00 B)",
        "│            28 │"};
    for (int i = 0; i < 4; i++)
        if (!strstr(out.s, lines[i])) kt_check_str(out.s, lines[i]);
    kt_str_free(&out);
    kt_free(m);
}
