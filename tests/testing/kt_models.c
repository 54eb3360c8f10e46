/* See kt_models.h. */
#include "testing/kt_models.h"

#include "base/error.h"
#include "testing/graphs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

kt_blobs kt_make_blobs(int64_t n, int64_t dim, int classes) {
    uint64_t seed = 1234;
    kt_blobs b = {
        kt_tensor_new(KT_FLOAT32, kt_dims(n, dim), NULL),
        kt_tensor_new(KT_INT32, kt_dims(n), NULL),
        kt_tensor_new(KT_FLOAT32, kt_dims(n, classes), NULL)};
    float *x = kt_tensor_data(b.x), *onehot = kt_tensor_data(b.onehot);
    int32_t *y = kt_tensor_data(b.y);
    if (!x || !y || !onehot) return b; /* out of memory on purpose: failed objects travel on */
    for (int64_t i = 0; i < n; i++) {
        y[i] = (int32_t)(kt_test_random(&seed) * classes);
        onehot[i * classes + y[i]] = 1;
        for (int64_t k = 0; k < dim; k++) {
            uint64_t centre = 99 + (uint64_t)(y[i] * 1000 + k);
            kt_test_random(&centre);
            const double c = 4 * kt_test_random(&centre) - 2;
            x[i * dim + k] = (float)(c + kt_test_random(&seed) - 0.5);
        }
    }
    return b;
}

kt_model *kt_small_model(int64_t dim, int hidden, int classes) {
    kt_model *m = kt_sequential(kt_list(
        kt_input({dim}),
        kt_dense(hidden, .activation = "relu"),
        kt_dense(classes, .activation = "softmax")));
    const kt_status st = kt_model_compile(
        m, kt_opt_adam(0.01), "sparse_categorical_crossentropy", .metrics = kt_list("accuracy"));
    if (st == KT_OK) return m;
    kt_free(m);
    return kt_fail_object(st);
}

kt_tensor *kt_floats_tensor(kt_shape shape, const double *values) {
    kt_tensor *t = kt_tensor_new(KT_FLOAT32, shape, NULL);
    for (int64_t i = 0; i < kt_tensor_size(t); i++) kt_tensor_set(t, i, values[i]);
    return t;
}

kt_weights_copy kt_copy_weights(kt_layer *l) {
    kt_weights_copy c = {kt_layer_count_params(l), NULL};
    c.v = malloc(sizeof *c.v * (size_t)(c.n + 1));
    if (!c.v) abort();
    int64_t at = 0;
    for (int i = 0; i < kt_layer_n_weights(l); i++) {
        kt_tensor *t = kt_var_value(kt_layer_weight(l, i));
        for (int64_t k = 0; k < kt_tensor_size(t); k++) c.v[at++] = kt_tensor_get(t, k);
        kt_free(t);
    }
    assert_int_equal(at, c.n);
    return c;
}

void kt_weights_copy_free(kt_weights_copy *c) {
    free(c->v);
    *c = (kt_weights_copy){0, NULL};
}

bool kt_weights_same(kt_layer *l, const kt_weights_copy *c) {
    kt_weights_copy now = kt_copy_weights(l);
    const bool same = now.n == c->n && !memcmp(now.v, c->v, sizeof *c->v * (size_t)c->n);
    kt_weights_copy_free(&now);
    return same;
}

void kt_check_values_at(
    const kt_tensor *t,
    int n,
    const double *values,
    double rtol,
    double atol,
    const char *what,
    const char *file,
    int line) {
    kt_check_status_at((int)kt_check(t), KT_OK, what, file, line);
    if (kt_tensor_size(t) != n) {
        print_error("%s: %d elements, expected %d\n", what, (int)kt_tensor_size(t), n);
        _fail(file, line);
    }
    for (int i = 0; i < n; i++)
        kt_check_near_at(kt_tensor_get(t, i), values[i], rtol, atol, what, file, line);
}

void kt_check_tensors_near(const kt_tensor *got, const kt_tensor *want, double rtol, double atol) {
    kt_check_ok(got);
    kt_check_ok(want);
    const kt_shape a = kt_tensor_shape(got), b = kt_tensor_shape(want);
    assert_int_equal(a.ndim, b.ndim);
    assert_memory_equal(a.dim, b.dim, sizeof(int64_t) * (size_t)a.ndim);
    for (int64_t i = 0; i < kt_tensor_size(want); i++)
        kt_check_near(kt_tensor_get(got, i), kt_tensor_get(want, i), rtol, atol);
}
