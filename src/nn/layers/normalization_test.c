/* Normalization: the numbers of Keras' documentation, and what can be wrong. What files hold is
 * compared with real Keras by make interop. */
#include "testing/kt_layers.h"
#include "testing/kt_models.h"
#include "testing/kt_test.h"

#include <keratin/keratin.h>

static kt_tensor *sample(void) {
    static const float x[] = {0, 7, 4, 2, 9, 6, 0, 7, 4, 2, 9, 6};
    return kt_tensor_new(KT_FLOAT32, kt_dims(4, 3), x);
}

static void check_prediction(kt_layer *l, const float *want) {
    static const float x[] = {1, 2, 3};
    kt_model *m = kt_sequential(kt_list(kt_input({3}), l));
    kt_check_ok(m);
    kt_tensor *p = kt_model_predict(m, kt_tensor_new(KT_FLOAT32, kt_dims(1, 3), x), .verbose = 0);
    kt_check_ok(p);
    for (int i = 0; i < 3; i++) kt_check_near(kt_tensor_get(p, i), want[i], 1e-6, 1e-6);
}

KT_TEST(normalization, adapted) {
    kt_layer *l = kt_normalization(), *back = kt_normalization(.invert = true);
    kt_check_status(kt_normalization_adapt(l, sample()), KT_OK);
    kt_check_status(kt_normalization_adapt(back, sample()), KT_OK);
    check_prediction(l, (const float[]){0, -6, -2});
    check_prediction(back, (const float[]){2, 10, 8});
    kt_check_status(kt_normalization_adapt(l, sample()), KT_OK);
}

KT_TEST(normalization, one_moment_for_all) {
    kt_layer *l = kt_normalization(.axis = KT_NONE);
    kt_check_status(kt_normalization_adapt(l, sample()), KT_OK);
    const double mean = 56.0 / 12, deviation = 3.03681123; /* numpy */
    float want[3];
    for (int i = 0; i < 3; i++) want[i] = (float)((i + 1 - mean) / deviation);
    check_prediction(l, want);
}

KT_TEST(normalization, given) {
    static const float mean[] = {1, 2, 5}, variance[] = {4, 1, 0};
    kt_layer *l = kt_normalization(
            .mean = kt_tensor_new(KT_FLOAT32, kt_dims(3), mean),
            .variance = kt_tensor_new(KT_FLOAT32, kt_dims(3), variance));
    check_prediction(l, (const float[]){0, 0, -2e7F});
    kt_check_status(kt_normalization_adapt(l, sample()), KT_ESTATE);
}

KT_TEST(normalization, wrong) {
    kt_tensor *one = kt_retain(kt_tensor_new(KT_FLOAT32, kt_dims(1), NULL));
    kt_check_fails(kt_normalization(.mean = one), KT_EINVAL, "go together");
    kt_check_fails(kt_normalization(.mean = "x", .variance = one), KT_EINVAL, "mean");
    kt_check_fails(
        kt_normalization(.axis = KT_NONE, .mean = one, .variance = one), KT_EINVAL, "axes");
    kt_check_status(kt_normalization_adapt(kt_dense(1), one), KT_EINVAL);
    kt_check_status(kt_normalization_adapt(kt_normalization(), NULL), KT_EINVAL);
    kt_layer *l = kt_normalization();
    kt_check_status(kt_normalization_adapt(l, sample()), KT_OK);
    kt_check_status(
        kt_normalization_adapt(l, kt_tensor_new(KT_FLOAT32, kt_dims(4, 2), NULL)), KT_ESHAPE);
    kt_check_fails(kt_call(kt_normalization(.axis = 3), kt_input({3})), KT_EINVAL, "axis");
    kt_check_fails(kt_call(kt_normalization(), kt_input({KT_NONE})), KT_ESHAPE, "must be known");
    kt_free(one);
}
