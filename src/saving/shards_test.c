/* Weights in several files: those of real Keras (tools/golden/shards.py), our own, bad maps. */
#include "saving/shards.h"

#include "base/fs.h"
#include "io/npz.h"
#include "testing/kt_models.h"

#include <keratin/keratin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static kt_model *golden_model(void) {
    kt_sym *in = kt_input({5, 4});
    kt_sym *x = kt_call(kt_lstm(6), kt_call(kt_dense(3), in));
    kt_model *m = kt_functional(in, kt_call(kt_dense(2), x));
    kt_check_ok(m);
    return m;
}

static kt_tensor *golden(const char *name) {
    kt_npz *npz;
    kt_check_status(kt_npz_open(&npz, "tests/golden/shards.npz"), KT_OK);
    kt_tensor *t = kt_npz_read(npz, name);
    kt_npz_close(npz);
    return t;
}

KT_TEST(shards, of_keras) {
    kt_model *m = golden_model();
    kt_check_status(kt_model_load_weights(m, "tests/golden/shards/m.weights.json"), KT_OK);
    kt_tensor *p = kt_model_predict(m, golden("x0"), .verbose = 0);
    kt_check_tensors_near(p, golden("p0"), 1e-5, 1e-6);
}

KT_TEST(shards, are_one_file_to_look_at) {
    kt_file *f = kt_file_open("tests/golden/shards/m.weights.json");
    kt_check_ok(f);
    kt_check_str(kt_file_format(f), "weights.json");
    assert_int_equal(kt_file_n_vars(f), 7 + 2 + 2 * 7);
    const int i = kt_file_find_var(f, "layers/lstm/cell/vars/1");
    const kt_shape shape = kt_file_var_shape(f, i);
    assert_int_equal(shape.dim[0], 6);
    assert_int_equal(shape.dim[1], 24);
    kt_check_status(kt_file_check("tests/golden/shards/m.weights.json"), KT_OK);
    kt_free(f);
}

/* Saved and read again; with KT_INTEROP_OUT the files stay for interop.py: the model with other
 * weights, and the weights that p0 belongs to. */
KT_TEST(shards, of_our_own) {
    char temporary[] = "/tmp/keratin_shards_XXXXXX", path[300], model[300], data[300];
    const char *out = getenv("KT_INTEROP_OUT"), *folder = out ? out : mkdtemp(temporary);
    snprintf(path, sizeof path, "%s/sharded.weights.json", folder);
    snprintf(model, sizeof model, "%s/sharded.keras", folder);
    snprintf(data, sizeof data, "%s/sharded.npz", folder);
    kt_model *m = golden_model(), *other = golden_model();
    kt_check_status(kt_model_compile(m, "adam", "mse"), KT_OK);
    kt_tensor *x = kt_retain(golden("x0"));
    kt_tensor *y = kt_tensor_new(KT_FLOAT32, kt_dims(3, 2), NULL);
    kt_check_ok(kt_model_train_on_batch(m, x, y));
    kt_check_status(kt_model_save_weights(m, path, .max_shard_size = 600.0 / 1073741824), KT_OK);
    kt_check_status(kt_model_load_weights(other, path), KT_OK);
    kt_list_t *a = kt_get_weights(m), *b = kt_get_weights(other);
    for (int i = 0; i < kt_list_len(a); i++)
        kt_check_tensors_near(kt_list_get(b, i), kt_list_get(a, i), 0, 0);
    kt_check_status(
        kt_model_save_weights(m, path, .max_shard_size = 100.0 / 1073741824), KT_EINVAL);
    kt_check_message_has("max_shard_size");
    kt_check_status(kt_model_save_weights(m, path), KT_EINVAL);
    kt_check_status(kt_model_save_weights(m, "/tmp/a.weights.h5", .max_shard_size = 1), KT_EINVAL);
    if (out) {
        kt_check_status(kt_model_save(golden_model(), model), KT_OK);
        kt_tensor *p = kt_model_predict(m, x, .verbose = 0);
        const char *names[] = {"x0", "p0"};
        const kt_tensor *arrays[] = {x, p};
        kt_check_status(kt_npz_write(data, 2, names, arrays), KT_OK);
    }
    for (int i = 0; i < 99 && !out; i++) {
        snprintf(data, sizeof data, "%s/sharded_%05d.weights.h5", folder, i);
        unlink(data);
    }
    if (!out) unlink(path), rmdir(folder);
    kt_free(x);
}

static kt_status load_map(const char *text) {
    char path[] = "/tmp/keratin_map_XXXXXX.weights.json";
    const int fd = mkstemps(path, 13);
    assert_true(fd >= 0);
    close(fd);
    kt_check_status(kt_fs_save(path, text, strlen(text)), KT_OK);
    const kt_status st = kt_model_load_weights(golden_model(), path);
    unlink(path);
    return st;
}

KT_TEST(shards, bad_maps) {
    kt_check_status(load_map("{"), KT_EFORMAT);
    kt_check_status(load_map("{}"), KT_EFORMAT);
    kt_check_status(load_map("{\"weight_map\": []}"), KT_EFORMAT);
    kt_check_status(load_map("{\"weight_map\": {\"/vars\": 1}}"), KT_EFORMAT);
    kt_check_status(load_map("{\"weight_map\": {}}"), KT_EFORMAT);
    kt_check_status(
        load_map("{\"weight_map\": {\"/vars\": \"not_there.weights.h5\"}}"), KT_EFORMAT);
    kt_check_status(load_map("{\"weight_map\": {\"/vars\": \"../a.weights.h5\"}}"), KT_EREFUSED);
    kt_check_status(load_map("{\"weight_map\": {\"/vars\": \"/etc/a.weights.h5\"}}"), KT_EREFUSED);
    kt_check_status(load_map("{\"weight_map\": {\"/vars\": \"a.weights.json\"}}"), KT_EREFUSED);
    kt_check_status(
        load_map("{\"weight_map\": {\"/vars\": [\"..\\\\a.weights.h5\"]}}"), KT_EREFUSED);
}
