/* Models under the policies of 16 bits: written, read, trained on. With KT_INTEROP_OUT set to a
 * folder the files stay there for interop.py, which opens them in real Keras (make interop). */
#include "io/npz.h"
#include "tensor/tensor.h"
#include "testing/kt_layers.h"
#include "testing/kt_models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static kt_model *build(int number, const char *policy) {
    kt_set_dtype_policy(policy);
    kt_model *m = number == 0   ? kt_sequential(kt_list(
                                    kt_input({5}),
                                    kt_dense(6, .activation = "tanh"),
                                    kt_layer_normalization(),
                                    kt_dense(2, .dtype = "float32")))
                  : number == 1 ? kt_sequential(kt_list(
                                      kt_input({6, 6, 2}),
                                      kt_conv2d(3, 3, .activation = "relu"),
                                      kt_batch_normalization(),
                                      kt_flatten(),
                                      kt_dense(2)))
                                : kt_sequential(kt_list(
                                      kt_input({5, 3}),
                                      kt_lstm(4, .recurrent_initializer = "he_normal"),
                                      kt_dense(2)));
    kt_set_dtype_policy("float32");
    kt_check_ok(m);
    return m;
}

static void check_file(int number, const char *policy, const char *folder) {
    static const kt_shape shapes[] = {{2, {8, 5}}, {4, {8, 6, 6, 2}}, {3, {8, 5, 3}}};
    char path[300], data[300];
    uint64_t seed = (uint64_t)number + 9;
    snprintf(path, sizeof path, "%s/half_%d_%s.keras", folder, number, policy);
    snprintf(data, sizeof data, "%s/half_%d_%s.npz", folder, number, policy);
    kt_set_random_seed(seed);
    kt_model *m = build(number, policy);
    kt_tensor *x = kt_test_tensor(KT_FLOAT32, shapes[number], -1, 1, &seed);
    kt_tensor *y = kt_test_tensor(KT_FLOAT32, kt_dims(8, 2), -1, 1, &seed);
    kt_check_status(kt_model_compile(m, kt_opt_sgd(0.05, .momentum = 0.9), "mse"), KT_OK);
    for (int i = 0; i < 2; i++) kt_check_ok(kt_model_train_on_batch(m, x, y));
    kt_check_status(kt_model_save(m, path), KT_OK);
    kt_tensor *p = kt_model_predict(m, x, .verbose = 0);
    kt_model *again = kt_load_model(path); /* under float32: the file has the policies */
    kt_check_ok(again);
    kt_tensor *q = kt_model_predict(again, x, .verbose = 0);
    assert_int_equal(kt_tensor_dtype(q), number ? kt_tensor_dtype(p) : KT_FLOAT32);
    assert_memory_equal(p->data, q->data, kt_tensor_bytes(p));
    const char *names[16] = {"x0", "y0", "p0"};
    const kt_tensor *arrays[16] = {x, y, p};
    char text[16][8];
    int n = 3;
    for (int i = 0; i < 3; i++) {
        kt_check_ok(kt_model_train_on_batch(m, x, y));
        kt_check_ok(kt_model_train_on_batch(again, x, y));
    }
    for (int i = 0; i < kt_layer_n_weights(m); i++, n++) {
        snprintf(text[i], sizeof text[i], "w%d", i);
        names[n] = text[i];
        arrays[n] = kt_var_value(kt_layer_weight(m, i));
        kt_check_tensors_near(kt_var_value(kt_layer_weight(again, i)), arrays[n], 0, 0);
    }
    if (getenv("KT_INTEROP_OUT"))
        kt_check_status(kt_npz_write(data, n, names, arrays), KT_OK);
    else
        unlink(path);
    kt_free(m);
    kt_free(again);
}

KT_TEST(interop, models_in_16_bits) {
    static const char *const policies[] = {
        "mixed_float16", "mixed_bfloat16", "float16", "bfloat16"};
    char temporary[] = "/tmp/keratin_half_XXXXXX";
    const char *folder = getenv("KT_INTEROP_OUT");
    if (!folder) folder = mkdtemp(temporary);
    assert_non_null(folder);
    for (int i = 0; i < 12; i++) check_file(i / 4, policies[i % 4], folder);
    if (!getenv("KT_INTEROP_OUT")) rmdir(folder);
}
