/* Models of tf.keras 2 with functions of TensorFlow (tools/golden/tf_ops.py). */
#include "base/fs.h"
#include "io/npz.h"
#include "testing/kt_models.h"

#include <keratin/keratin.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static kt_model *load(kt_npz *npz, const char *name) {
    char path[64], key[64];
    snprintf(path, sizeof path, "/tmp/keratin_tf_ops_%d.h5", (int)getpid());
    snprintf(key, sizeof key, "%s/h5", name);
    kt_tensor *bytes = kt_npz_read(npz, key);
    kt_check_ok(bytes);
    kt_check_status(kt_fs_save(path, kt_tensor_data(bytes), (size_t)kt_tensor_size(bytes)), KT_OK);
    kt_model *m = kt_load_model(path);
    unlink(path);
    return m;
}

static void check_predictions(kt_npz *npz, const char *name, int n, kt_model *m) {
    char key[64];
    const void *x[2];
    for (int i = 0; i < n; i++) {
        snprintf(key, sizeof key, "%s/x%d", name, i);
        x[i] = kt_npz_read(npz, key);
    }
    kt_list_t *p = kt_model_predict_list(m, n == 1 ? x[0] : kt_list_of(n, x), .verbose = 0);
    kt_check_ok(p);
    assert_true(kt_list_len(p) > 4);
    for (int i = 0; i < kt_list_len(p); i++) {
        snprintf(key, sizeof key, "%s/p%d", name, i);
        kt_check_tensors_near(kt_list_get(p, i), kt_npz_read(npz, key), 1e-5, 2e-6);
    }
}

/* As loaded, and as Keras 3 would have it. */
static void check_case(const char *name, int n) {
    kt_npz *npz;
    kt_check_status(kt_npz_open(&npz, "tests/golden/tf_ops.npz"), KT_OK);
    kt_model *m = load(npz, name);
    if (kt_failed(m)) fprintf(stderr, "%s: %s\n", name, kt_error_message());
    kt_check_ok(m);
    check_predictions(npz, name, n, m);
    kt_model *again = kt_model_from_json(kt_text_str(kt_model_to_json(m)));
    kt_check_ok(again);
    kt_check_status(kt_set_weights(again, kt_get_weights(m)), KT_OK);
    check_predictions(npz, name, n, again);
    kt_npz_close(npz);
}

KT_TEST(legacy_ops, arithmetic) { check_case("arithmetic", 2); }
KT_TEST(legacy_ops, shapes) { check_case("shapes", 2); }
KT_TEST(legacy_ops, folds) { check_case("folds", 1); }
KT_TEST(legacy_ops, missing_ones_are_named) {
    kt_npz *npz;
    kt_check_status(kt_npz_open(&npz, "tests/golden/tf_ops.npz"), KT_OK);
    kt_check_fails(load(npz, "missing"), KT_EUNSUPPORTED, "math.cumsum");
    kt_npz_close(npz);
}
