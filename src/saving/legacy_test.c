/* Files of Keras 1 and 2, and .h5 files of Keras 3: the corpus against what real Keras predicts
 * (tools/golden/legacy.py), translations, and weights of other layouts. */
#include "saving/legacy.h"

#include "base/mem.h"
#include "io/npz.h"
#include "testing/kt_test.h"

#include <keratin/keratin.h>

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#define MODELS "../shared/corpus/models/"
#define WEIGHTS "../shared/corpus/weights/"

/* Predictions of the corpus -------------------------------------------------------------------- */

/* The script's numbers(). */
static kt_tensor *numbers(kt_shape shape, int64_t n_ids) {
    kt_tensor *t = kt_tensor_new(KT_FLOAT32, shape, NULL);
    for (int64_t i = 0; i < kt_tensor_size(t); i++)
        kt_tensor_set(
            t, i, n_ids ? (double)(i * 31 % (n_ids - 1) + 1) : (double)(i * 7919 % 17 - 8) / 64);
    return t;
}

/* input_dim of the k-th Embedding, or of the last one. */
static int64_t ids_of(const kt_model *m, int k) {
    int64_t n = 0;
    for (int i = 0, seen = 0; i < kt_model_n_layers(m); i++) {
        kt_layer *l = kt_model_layer(m, i);
        if (strcmp(kt_layer_class_name(l), "Embedding") != 0 || seen++ > k) continue;
        n = kt_layer_weight(l, 0)->spec.shape.dim[0];
    }
    return n;
}

static kt_ref inputs_of(const kt_model *m) {
    const void *xs[9] = {NULL};
    int n = 0;
    for (; n < 8 && kt_model_input(m, n); n++) {
        kt_shape s = kt_sym_shape(kt_model_input(m, n));
        for (int d = 0; d < s.ndim; d++)
            if (s.dim[d] == KT_NONE) s.dim[d] = d ? 5 : 2;
        xs[n] = numbers(s, s.ndim == 2 ? ids_of(m, n) : 0);
    }
    xs[n] = kt_list_end;
    return n == 1 ? xs[0] : kt_list_new(xs);
}

/* The tolerance of ../shared/conformance. */
static void compare(const char *name, const kt_tensor *got, const kt_tensor *want) {
    double top = 1;
    for (int64_t i = 0; i < kt_tensor_size(want); i++)
        top = fmax(top, fabs(kt_tensor_get(want, i)));
    for (int64_t i = 0; i < kt_tensor_size(want); i++) {
        const double w = kt_tensor_get(want, i), d = fabs(kt_tensor_get(got, i) - w);
        if (!(d <= 1e-5 * top + 1e-4 * fabs(w)))
            fail_msg("%s: element %lld is off by %g from %g", name, (long long)i, d, w);
    }
}

static kt_model *load(const char *path, bool compile) {
    kt_hdf5 *h;
    const kt_status st = kt_hdf5_open(&h, path, NULL);
    if (st) return kt_fail_object(st);
    kt_model *m = kt_legacy_load_model(h, path, compile);
    kt_hdf5_close(h);
    return m;
}

static void check_predictions(kt_npz *golden, const char *file, int *n_ok, int *n_missing) {
    char path[512], part[512];
    snprintf(path, sizeof path, "%s%s", MODELS, file);
    if (access(path, R_OK) != 0) snprintf(path, sizeof path, "%s%s", WEIGHTS, file);
    kt_model *m = load(path, true);
    if (kt_check(m) == KT_EUNSUPPORTED) {
        printf("legacy: %s: %s\n", file, kt_error_get().text);
        ++*n_missing;
        return;
    }
    if (kt_failed(m)) fail_msg("%s: %s", file, kt_error_message());
    kt_list_t *y = kt_model_predict_list(m, inputs_of(m), .verbose = 0);
    if (kt_failed(y)) fail_msg("%s: %s", file, kt_error_message());
    for (int i = 0; i < kt_list_len(y); i++) {
        snprintf(part, sizeof part, "%s/y%d", file, i);
        kt_tensor *want = kt_npz_read(golden, part);
        kt_check_status(kt_check(want), KT_OK);
        compare(part, kt_list_get(y, i), want);
        kt_free(want);
    }
    ++*n_ok;
    kt_free(m);
}

KT_TEST(legacy, predicts_what_keras_does) {
    kt_npz *golden;
    int ok = 0, missing = 0;
    if (access(MODELS, R_OK) != 0) {
        printf("legacy: no ../shared/corpus here: its models are not run\n");
        return;
    }
    kt_check_status(kt_npz_open(&golden, "tests/golden/legacy.npz"), KT_OK);
    for (int i = 0; i < kt_npz_count(golden); i++) {
        const char *name = kt_npz_name(golden, i), *end = strstr(name, "/y0");
        char file[256];
        if (!end) continue;
        snprintf(file, sizeof file, "%.*s", (int)(end - name), name);
        check_predictions(golden, file, &ok, &missing);
    }
    kt_npz_close(golden);
    assert_int_equal(ok + missing, 24);
    assert_true(ok >= 23);
}

KT_TEST(legacy, refuses_code) {
    if (access(MODELS, R_OK) != 0) return; /* said above */
    kt_check_fails(
        load(MODELS "naokishibuya__car-behavioral-cloning__model.h5", true), KT_EREFUSED, "Lambda");
    kt_check_fails(
        load(MODELS "shubhamrao6__facerec_siamese__siamese.h5", true), KT_EREFUSED, "Lambda");
}

/* The same network in two files, written under TensorFlow and under Theano, which has its kernels
 * in another order and flipped. */
static kt_sym *fire(kt_sym *x, int squeeze, int expand) {
    x = kt_call(kt_conv2d(squeeze, 1, .activation = "relu"), x);
    kt_sym *a = kt_call(kt_conv2d(expand, 1, .activation = "relu"), x);
    kt_sym *b = kt_call(kt_conv2d(expand, 3, .padding = "same", .activation = "relu"), x);
    return kt_call(kt_concatenate(), kt_list(a, b));
}

static kt_model *squeezenet(void) {
    static const int squeeze[] = {16, 16, 32, 32, 48, 48, 64, 64};
    kt_sym *in = kt_input({67, 67, 3});
    kt_sym *x = kt_call(kt_conv2d(64, 3, .strides = 2, .activation = "relu"), in);
    x = kt_call(kt_max_pooling2d(3, .strides = 2), x);
    for (int i = 0; i < 8; i++) {
        x = fire(x, squeeze[i], 4 * squeeze[i]);
        if (i == 1 || i == 3) x = kt_call(kt_max_pooling2d(3, .strides = 2), x);
    }
    return kt_functional(in, x);
}

KT_TEST(legacy, squeezenet_of_theano_is_that_of_tensorflow) {
    static const char *const files[] = {
        WEIGHTS "squeezenet_notop_tf__DeepCognition.h5",
        WEIGHTS "squeezenet_notop_th__DeepCognition.h5"};
    kt_tensor *y[2];
    if (access(files[0], R_OK) != 0) return; /* said above */
    kt_tensor *x = numbers(kt_dims(1, 67, 67, 3), 0);
    for (int i = 0; i < 2; i++) {
        kt_model *m = squeezenet();
        kt_check_status(kt_model_load_weights(m, files[i]), KT_OK);
        y[i] = kt_model_predict(m, x, .verbose = 0);
    }
    assert_true(kt_tensor_size(y[0]) > 1000);
    compare("squeezenet", y[1], y[0]);
}
