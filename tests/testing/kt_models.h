/* Helpers for tests of models: small data sets, a small network, comparing weights. */
#ifndef KT_TESTING_KT_MODELS_H
#define KT_TESTING_KT_MODELS_H

#include "testing/kt_test.h"

#include <keratin/keratin.h>

/** Blobs, one per class: x float32 (n, dim), labels int32 (n,), one-hot labels float32 (n,
 * classes). All float, and depend on the arguments alone. */
typedef struct kt_blobs {
    kt_tensor *x, *y, *onehot;
} kt_blobs;
kt_blobs kt_make_blobs(int64_t n, int64_t dim, int classes);

/** Dense(hidden, relu), Dense(classes, softmax) on `dim` inputs, compiled with Adam(0.01), sparse
 * categorical cross-entropy and accuracy. */
kt_model *kt_small_model(int64_t dim, int hidden, int classes);

/** float32 of any shape from doubles, converted; 1-D: KT_ROW(1, 2, 3). */
kt_tensor *kt_floats_tensor(kt_shape shape, const double *values);
#define KT_VALUES(...) ((const double[]){__VA_ARGS__})

/** Copies of all weights one after the other, and back. */
typedef struct kt_weights_copy {
    int64_t n;
    double *v;
} kt_weights_copy;
kt_weights_copy kt_copy_weights(kt_layer *l);
void kt_weights_copy_free(kt_weights_copy *c);
/** Are the weights bit for bit those of the copy? */
bool kt_weights_same(kt_layer *l, const kt_weights_copy *c);

/** Fails unless the object was made; shows the message. */
#define kt_check_ok(object) kt_check_status(kt_check(object), KT_OK)
/** Every element within rtol, atol of `values`. */
#define kt_check_values(t, rtol, atol, ...)                                                        \
    kt_check_values_at(                                                                            \
        t,                                                                                         \
        (int)(sizeof KT_VALUES(__VA_ARGS__) / sizeof(double)),                                     \
        KT_VALUES(__VA_ARGS__),                                                                    \
        rtol,                                                                                      \
        atol,                                                                                      \
        #t,                                                                                        \
        __FILE__,                                                                                  \
        __LINE__)
void kt_check_values_at(
    const kt_tensor *t,
    int n,
    const double *values,
    double rtol,
    double atol,
    const char *what,
    const char *file,
    int line);
/** Two arrays of one shape, element by element. */
void kt_check_tensors_near(const kt_tensor *got, const kt_tensor *want, double rtol, double atol);

#endif
