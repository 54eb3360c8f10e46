/* Models on data that are almost all zeros: fit, evaluate and predict give what they give on the
 * same numbers taken as they are (float64 arrays are never looked through). */
#include "model/sparse.h"

#include "base/mem.h"
#include "model/model.h"
#include "testing/kt_test.h"

#include <keratin/keratin.h>

#include <string.h>

enum { ROWS = 2100, WIDTH = 520 };

static kt_tensor *texts(bool ones) {
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(ROWS, WIDTH), NULL);
    float *v = kt_tensor_data(x);
    uint32_t state = 7;
    for (int i = 0; i < ROWS * WIDTH; i++) {
        state = state * 1664525u + 1013904223u;
        if (state >> 24 < 8) v[i] = ones ? 1 : (float)(state >> 8 & 255) / 64 - 2;
    }
    memset(v + 5 * WIDTH, 0, WIDTH * sizeof *v); /* a row of zeros */
    return x;
}

static kt_tensor *labels(void) {
    kt_tensor *y = kt_tensor_new(KT_INT32, kt_dims(ROWS), NULL);
    for (int i = 0; i < ROWS; i++) kt_tensor_set(y, i, i * 7 % 3);
    return y;
}

static kt_model *model_of(bool normalized) {
    kt_clear_session(); /* the same names, so the same first weights */
    kt_model *m = kt_sequential(kt_list(
        kt_input({WIDTH}),
        normalized ? kt_batch_normalization() : kt_activation("linear"),
        kt_dense(19, .activation = "relu"),
        kt_dense(3, .activation = "softmax")));
    kt_model_compile(m, "adam", "sparse_categorical_crossentropy", .metrics = kt_list("accuracy"));
    return m;
}

/* Weights, predictions and the test loss after two epochs. */
static kt_tensor *run(bool ones, bool as_doubles, bool normalized, double *loss) {
    kt_model *m = model_of(normalized);
    kt_tensor *x = texts(ones), *y = labels();
    if (as_doubles) x = kt_tensor_cast(x, KT_FLOAT64);
    kt_history *h = kt_model_fit(
        m, x, y, .epochs = 2, .batch_size = 64, .validation_split = 0.2, .verbose = 0);
    kt_check_status(kt_check(h), KT_OK);
    *loss = kt_logs_get(kt_model_evaluate(m, x, y, .batch_size = 100, .verbose = 0), "loss") +
            kt_history_get(h, "val_loss", -1);
    kt_tensor *p = kt_retain(kt_model_predict(m, x, .batch_size = 100, .verbose = 0));
    kt_free(m);
    return p;
}

static void check_as_dense(bool ones, bool normalized) {
    double dense_loss = 0, loss = 0;
    kt_tensor *want = run(ones, true, normalized, &dense_loss);
    kt_tensor *got = run(ones, false, normalized, &loss);
    kt_check_near(loss, dense_loss, 1e-4, 0);
    for (int64_t i = 0; i < kt_tensor_size(want); i++)
        kt_check_near(kt_tensor_get(got, i), kt_tensor_get(want, i), 0, 2e-4);
    kt_free(want);
    kt_free(got);
}

KT_TEST(sparse, fit_on_multi_hot_rows_as_dense) { check_as_dense(true, false); }
KT_TEST(sparse, fit_on_other_values_as_dense) { check_as_dense(false, false); }
KT_TEST(sparse, a_first_layer_that_is_no_product) { check_as_dense(true, true); }

KT_TEST(sparse, results_do_not_depend_on_threads) {
    double loss[2];
    kt_set_num_threads(1);
    kt_tensor *one = run(true, false, false, &loss[0]);
    kt_set_num_threads(2);
    kt_tensor *two = run(true, false, false, &loss[1]);
    kt_set_num_threads(0);
    assert_true(loss[0] == loss[1]);
    assert_memory_equal(kt_tensor_data(one), kt_tensor_data(two), ROWS * 3 * sizeof(float));
    kt_free(one);
    kt_free(two);
}

KT_TEST(sparse, only_what_is_large_and_almost_all_zeros) {
    kt_sparse_rows *s;
    kt_tensor *x = texts(true);
    kt_check_status(kt_sparse_rows_of(&s, x), KT_OK);
    assert_non_null(s);
    assert_true(kt_sparse_rows_cap(s, 10) >= 10);
    kt_sparse_rows_free(s);
    kt_tensor *const others[] = {
        kt_tensor_cast(x, KT_FLOAT64),
        kt_tensor_slice(x, 0, 1000),
        kt_tensor_reshape(x, kt_dims(ROWS * 2, WIDTH / 2)),
        kt_tensor_reshape(x, kt_dims(ROWS, WIDTH, 1)),
        kt_tensor_reshape(x, kt_dims(3, ROWS / 3 * WIDTH)),
        kt_tensor_new(KT_FLOAT32, kt_dims(ROWS, WIDTH), NULL)};
    float *v = kt_tensor_data(others[5]); /* dense where the first look does not see it */
    for (int i = 100 * WIDTH; i < 130 * WIDTH; i++) v[i] = 1;
    for (int i = 0; i < 6; i++) {
        kt_check_status(kt_sparse_rows_of(&s, others[i]), KT_OK);
        assert_null(s);
    }
}

KT_TEST(sparse, out_of_memory) {
    kt_sparse_rows *s;
    kt_tensor *x = texts(false);
    kt_set_num_threads(1);
    for (int i = 1;; i++) {
        kt_mem_fail_after(i);
        const kt_status st = kt_sparse_rows_of(&s, x);
        kt_mem_fail_after(0);
        if (st == KT_OK) break;
        assert_int_equal(st, KT_ENOMEM);
        assert_null(s);
        assert_true(i < 20);
    }
    kt_sparse_rows_free(s);
    kt_set_num_threads(0);
}
