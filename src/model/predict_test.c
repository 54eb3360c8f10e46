/* predict, predict_on_batch, predict_into: the same numbers every way. */
#include "base/mem.h"
#include "testing/kt_layers.h"
#include "testing/kt_models.h"

#include <pthread.h>
#include <string.h>

static kt_tensor *noise(kt_shape shape, uint64_t seed) {
    return kt_test_tensor(KT_FLOAT32, shape, -1, 1, &seed);
}

static kt_model *model(void) {
    kt_set_random_seed(1);
    return kt_small_model(5, 9, 4);
}

KT_TEST(predict, batches_do_not_matter) {
    kt_model *m = model();
    kt_tensor *x = noise(kt_dims(37, 5), 1);
    kt_tensor *want = kt_model_predict(m, x, .verbose = 0); /* 32 and 5 */
    const kt_shape s = kt_tensor_shape(want), expected = kt_dims(37, 4);
    assert_true(kt_shape_equal(&s, &expected));
    static const int sizes[] = {1, 2, 7, 36, 37, 38, 1000};
    for (int i = 0; i < 7; i++) {
        kt_tensor *y = kt_model_predict(m, x, .batch_size = sizes[i], .verbose = 0);
        kt_check_tensors_near(y, want, 1e-6, 1e-7);
    }
    kt_check_tensors_near(kt_model_predict_on_batch(m, x), want, 1e-6, 1e-7);
    kt_tensor *y = kt_tensor_new(KT_FLOAT32, kt_dims(37, 4), NULL);
    kt_check_status(kt_model_predict_into(m, x, y), KT_OK);
    kt_check_tensors_near(y, want, 1e-6, 1e-7);
    kt_free(m);
}

KT_TEST(predict, one_sample) {
    kt_model *m = model();
    kt_tensor *x = noise(kt_dims(3, 5), 1), *all = kt_model_predict(m, x, .verbose = 0);
    for (int i = 0; i < 3; i++) {
        kt_tensor *one = kt_model_predict_on_batch(m, kt_tensor_slice(x, i, i + 1));
        kt_check_tensors_near(one, kt_tensor_slice(all, i, i + 1), 1e-6, 1e-7);
    }
    kt_free(m);
}

KT_TEST(predict, steps_end_it_early) {
    kt_model *m = model();
    kt_tensor *x = noise(kt_dims(20, 5), 1);
    kt_tensor *y = kt_model_predict(m, x, .batch_size = 6, .steps = 2, .verbose = 0);
    assert_int_equal(kt_tensor_dim(y, 0), 12);
    y = kt_model_predict(m, x, .batch_size = 6, .steps = 100, .verbose = 0);
    assert_int_equal(kt_tensor_dim(y, 0), 20);
    kt_free(m);
}

KT_TEST(predict, follows_the_weights) {
    kt_model *m = model();
    const kt_blobs d = kt_make_blobs(32, 5, 4);
    kt_tensor *before = kt_model_predict(m, d.x, .verbose = 0);
    kt_list_t *w = kt_get_weights(m);
    kt_check_ok(kt_model_fit(m, d.x, d.y, .epochs = 2, .verbose = 0));
    kt_tensor *after = kt_model_predict(m, d.x, .verbose = 0);
    assert_memory_not_equal(before->data, after->data, kt_tensor_bytes(before));
    kt_check_status(kt_set_weights(m, w), KT_OK);
    kt_check_tensors_near(kt_model_predict(m, d.x, .verbose = 0), before, 0, 0);
    kt_free(m);
}

KT_TEST(predict, dropout_is_off) {
    kt_model *m = kt_sequential(kt_list(kt_input({5}), kt_dropout(0.9)));
    kt_tensor *x = noise(kt_dims(4, 5), 1);
    kt_check_tensors_near(kt_model_predict(m, x, .verbose = 0), x, 0, 0);
    kt_free(m);
}

/* How many elements of a and b differ. */
static int differing(const kt_tensor *a, const kt_tensor *b) {
    int n = 0;
    for (int64_t i = 0; i < kt_tensor_size(a); i++) n += kt_tensor_get(a, i) != kt_tensor_get(b, i);
    return n;
}

/* training=True in a call holds in prediction too and draws anew (Monte Carlo dropout). */
KT_TEST(predict, a_call_may_insist_on_training) {
    kt_sym *in = kt_input({50});
    kt_model *m = kt_functional(in, kt_call(kt_dropout(0.5), in, .training = true));
    kt_tensor *x = noise(kt_dims(2, 50), 1);
    kt_tensor *y = kt_model_predict(m, x, .batch_size = 1, .verbose = 0);
    kt_tensor *again = kt_model_predict(m, x, .batch_size = 1, .verbose = 0);
    int zeros[2] = {0}, both = 0;
    for (int i = 0; i < 50; i++) {
        const bool first = kt_tensor_get(y, i) == 0, second = kt_tensor_get(y, 50 + i) == 0;
        zeros[0] += first, zeros[1] += second, both += first == second;
    }
    for (int i = 0; i < 2; i++) assert_in_range(zeros[i], 5, 45);
    assert_in_range(both, 5, 45); /* two batches */
    assert_in_range(differing(y, again), 10, 90);
    kt_free(m);
}

static kt_model *trained(bool predicting) {
    kt_set_random_seed(3);
    kt_sym *in = kt_input({5}), *h = kt_call(kt_dense(20, .name = "a"), in);
    h = kt_call(kt_dropout(0.5, .name = "b"), h, .training = true);
    kt_model *m = kt_functional(in, kt_call(kt_dense(1, .name = "c"), h), .name = "m");
    kt_tensor *x = noise(kt_dims(8, 5), 1), *y = noise(kt_dims(8, 1), 2);
    double loss[2];
    kt_check_status(kt_model_compile(m, "sgd", "mse"), KT_OK);
    for (int i = 0; i < 3; i++) {
        if (predicting) kt_check_ok(kt_model_predict(m, x, .verbose = 0));
        for (int k = 0; k < 2 && predicting; k++)
            loss[k] = kt_logs_get(kt_model_evaluate(m, x, y, .verbose = 0), "loss");
        kt_check_ok(kt_model_fit(m, x, y, .epochs = 1, .verbose = 0));
    }
    if (predicting) assert_true(loss[0] != loss[1]);
    return m;
}

/* What training draws does not depend on predictions in between. */
KT_TEST(predict, draws_apart_from_training) {
    kt_model *a = trained(true), *b = trained(false);
    kt_weights_copy want = kt_copy_weights(b);
    assert_true(kt_weights_same(a, &want));
    kt_weights_copy_free(&want);
    kt_free(a);
    kt_free(b);
}

KT_TEST(predict, into_checks_its_target) {
    kt_model *m = model();
    kt_tensor *x = noise(kt_dims(3, 5), 1);
    kt_check_status(
        kt_model_predict_into(m, x, kt_tensor_new(KT_FLOAT32, kt_dims(2, 4), NULL)), KT_ESHAPE);
    kt_check_message_has("float32 (3, 4)");
    kt_check_message_has("float32 (2, 4)");
    kt_check_status(
        kt_model_predict_into(m, x, kt_tensor_new(KT_FLOAT64, kt_dims(3, 4), NULL)), KT_ESHAPE);
    kt_check_status(kt_model_predict_into(m, x, NULL), KT_EINVAL);
    kt_check_status(
        kt_model_predict_into(m, x, kt_tensor_new(KT_FLOAT32, kt_dims(-1), NULL)), KT_ESHAPE);
    kt_check_status(kt_model_predict_into(m, NULL, NULL), KT_EINVAL);
    kt_check_status(kt_model_predict_into(NULL, x, x), KT_EINVAL);
    kt_free(m);
}

/* Several threads may predict with one model at once. */
typedef struct {
    kt_model *m;
    const kt_tensor *x;
    kt_tensor *y;
    kt_status status;
} job;

static void *predict_often(void *data) {
    job *j = data;
    for (int i = 0; i < 200 && !j->status; i++) j->status = kt_model_predict_into(j->m, j->x, j->y);
    return NULL;
}

KT_TEST(predict, several_threads_at_once) {
    kt_model *m = model();
    kt_tensor *x[4], *want[4];
    job jobs[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        x[i] = noise(kt_dims(3, 5), (uint64_t)i + 1);
        want[i] = kt_model_predict_on_batch(m, x[i]);
        jobs[i] = (job){m, x[i], kt_tensor_new(KT_FLOAT32, kt_dims(3, 4), NULL), KT_OK};
    }
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, predict_often, &jobs[i]), 0);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < 4; i++) {
        kt_check_status(jobs[i].status, KT_OK);
        kt_check_tensors_near(jobs[i].y, want[i], 0, 0);
    }
    kt_free(m);
}

typedef struct {
    kt_tensor *x;
    int64_t at, stop;
} stream;

/* Batches of 6, 6, … and what is left; then an end, and all over again. */
static kt_status next_six(kt_batch *b, void *data) {
    stream *s = data;
    const int64_t left = s->stop - s->at, n = left < 6 ? left : 6;
    if (n) b->x = kt_tensor_slice(s->x, s->at, s->at + n);
    s->at = n ? s->at + n : 0;
    return KT_OK;
}

KT_TEST(predict, batches_of_a_generator) {
    kt_model *m = model();
    kt_tensor *x = noise(kt_dims(20, 5), 1), *want = kt_model_predict(m, x, .verbose = 0);
    stream s = {x, 0, 20};
    kt_generator *g = kt_retain(kt_generator_new(next_six, &s));
    kt_tensor *y = kt_model_predict(m, g, .verbose = 0);
    kt_check_tensors_near(y, want, 1e-6, 1e-7);
    y = kt_model_predict(m, g, .steps = 2, .verbose = 0);
    kt_check_tensors_near(y, kt_tensor_slice(want, 0, 12), 1e-6, 1e-7);
    s = (stream){x, 0, 0};
    kt_check_fails(kt_model_predict(m, g, .verbose = 0), KT_EINVAL, "no batches");
    kt_release(g);
    kt_free(m);
}

/* Outputs without a row for each row of the input are put together along their first axis. */
KT_TEST(predict, outputs_of_other_lengths) {
    float v[10];
    for (int i = 0; i < 10; i++) v[i] = (float)i;
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(5, 2), v);
    kt_sym *in = kt_input({2});
    kt_model *m = kt_functional(
        in, kt_list(kt_op_ravel(in), kt_op_sum(in, 0, true), kt_op_add(in, kt_num(1))));
    kt_check_ok(m);
    kt_list_t *y = kt_model_predict_list(m, x, .batch_size = 2, .verbose = 0);
    kt_check_ok(y);
    const kt_tensor *flat = kt_list_get(y, 0), *sums = kt_list_get(y, 1);
    assert_int_equal(kt_tensor_size(flat), 10);
    for (int i = 0; i < 10; i++) assert_true(kt_tensor_get(flat, i) == i);
    const double want[] = {2, 4, 10, 12, 8, 9};
    assert_int_equal(kt_tensor_size(sums), 6);
    for (int i = 0; i < 6; i++) assert_true(kt_tensor_get(sums, i) == want[i]);
    kt_free(y);
    kt_free(m);
    kt_free(x);
}
