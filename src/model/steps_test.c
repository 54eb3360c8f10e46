/* Steps allocate nothing: what fit, evaluate, train_on_batch and predict_into need is made once. */
#include "base/mem.h"
#include "testing/kt_layers.h"
#include "testing/kt_models.h"

/* Allocations of one call. */
#define COUNT(n, call)                                                                             \
    do {                                                                                           \
        const int64_t before = kt_mem_count();                                                     \
        call;                                                                                      \
        (n) = kt_mem_count() - before;                                                             \
    } while (0)

static kt_model *network(void) {
    kt_model *m = kt_sequential(kt_list(
        kt_input({6}),
        kt_dense(8, .activation = "relu", .kernel_regularizer = kt_reg_l2(0.01)),
        kt_dropout(0.2),
        kt_dense(3, .activation = "softmax")));
    kt_check_status(
        kt_model_compile(
            m,
            "adam",
            "sparse_categorical_crossentropy",
            .metrics = kt_list("accuracy"),
            .weighted_metrics = kt_list("accuracy")),
        KT_OK);
    return m;
}

/* A fit of n steps, after one that made the programs. */
static int64_t fit_steps(kt_model *m, int64_t steps, bool weighted) {
    const kt_blobs d = kt_make_blobs(4 * steps, 6, 3);
    kt_tensor *w = kt_tensor_new(KT_FLOAT32, kt_dims(4 * steps), NULL);
    int64_t n;
    COUNT(
        n,
        kt_check_ok(kt_model_fit(
            m, d.x, d.y, .batch_size = 4, .sample_weight = weighted ? w : NULL, .verbose = 0)));
    return n;
}

KT_TEST(steps, of_fit_allocate_nothing) {
    kt_model *m = network();
    for (int weighted = 0; weighted < 2; weighted++) {
        fit_steps(m, 2, weighted);
        const int64_t few = fit_steps(m, 10, weighted), many = fit_steps(m, 110, weighted);
        assert_int_equal(many, few);
        print_message("a fit of one epoch allocates %d times\n", (int)many);
    }
    kt_free(m);
}

KT_TEST(steps, of_validation_and_evaluate_allocate_nothing) {
    kt_model *m = network();
    int64_t n[2];
    for (int turn = 0; turn < 3; turn++) {
        const kt_blobs d = kt_make_blobs(turn == 2 ? 440 : 40, 6, 3);
        COUNT(
            n[turn == 2],
            kt_check_ok(
                kt_model_fit(m, d.x, d.y, .batch_size = 4, .validation_split = 0.5, .verbose = 0)));
    }
    assert_int_equal(n[0], n[1]);
    for (int turn = 0; turn < 3; turn++) {
        const kt_blobs d = kt_make_blobs(turn == 2 ? 440 : 40, 6, 3);
        COUNT(
            n[turn == 2],
            kt_check_ok(kt_model_evaluate(m, d.x, d.y, .batch_size = 4, .verbose = 0)));
    }
    assert_int_equal(n[0], n[1]);
    kt_free(m);
}

/* predict makes its result, once, whatever the number of batches. */
KT_TEST(steps, of_predict_allocate_nothing) {
    kt_model *m = network();
    int64_t n[2];
    for (int turn = 0; turn < 3; turn++) {
        const kt_blobs d = kt_make_blobs(turn == 2 ? 440 : 40, 6, 3);
        COUNT(n[turn == 2], kt_check_ok(kt_model_predict(m, d.x, .batch_size = 4, .verbose = 0)));
    }
    assert_int_equal(n[0], n[1]);
    kt_free(m);
}

KT_TEST(steps, of_predict_into_allocate_nothing_at_all) {
    kt_model *m = network();
    const kt_blobs d = kt_make_blobs(4, 6, 3);
    kt_tensor *y = kt_tensor_new(KT_FLOAT32, kt_dims(4, 3), NULL);
    int64_t n;
    kt_check_status(kt_model_predict_into(m, d.x, y), KT_OK);
    COUNT(
        n, for (int i = 0; i < 100; i++) kt_check_status(kt_model_predict_into(m, d.x, y), KT_OK));
    assert_int_equal(n, 0);
    kt_free(m);
}

/* The short last batch of each epoch has a program of its own, made once. */
KT_TEST(steps, ragged_epochs_make_no_programs_again) {
    kt_model *m = network();
    const kt_blobs d = kt_make_blobs(21, 6, 3);
    int64_t one, many;
    kt_check_ok(kt_model_fit(m, d.x, d.y, .batch_size = 4, .epochs = 2, .verbose = 0));
    COUNT(one, kt_check_ok(kt_model_fit(m, d.x, d.y, .batch_size = 4, .verbose = 0)));
    COUNT(
        many, kt_check_ok(kt_model_fit(m, d.x, d.y, .batch_size = 4, .epochs = 11, .verbose = 0)));
    print_message("%d allocations for 1 epoch, %d for 11\n", (int)one, (int)many);
    assert_true(many - one <= 10 * 12); /* logs and history of an epoch */
    kt_free(m);
}

/* train_on_batch returns logs: those, and nothing else. */
KT_TEST(steps, of_train_on_batch_allocate_their_logs_alone) {
    kt_model *m = network();
    const kt_blobs d = kt_make_blobs(4, 6, 3);
    int64_t n;
    kt_free(kt_model_train_on_batch(m, d.x, d.y));
    COUNT(n, for (int i = 0; i < 100; i++) kt_free(kt_model_train_on_batch(m, d.x, d.y)));
    print_message("%d allocations a step\n", (int)n / 100);
    assert_true(n <= 100 * 8);
    kt_free(m);
}

/* Nothing piles up: neither objects nor programs. */
KT_TEST(steps, leave_no_objects) {
    kt_model *m = network();
    const kt_blobs d = kt_make_blobs(8, 6, 3);
    kt_free(kt_model_fit(m, d.x, d.y, .verbose = 0));
    const int64_t before = kt_obj_count();
    for (int i = 0; i < 10; i++) {
        kt_free(kt_model_fit(m, d.x, d.y, .verbose = 0));
        kt_free(kt_model_evaluate(m, d.x, d.y, .verbose = 0));
        kt_free(kt_model_predict(m, d.x, .verbose = 0));
        kt_free(kt_model_train_on_batch(m, d.x, d.y));
        kt_free(kt_get_weights(m));
    }
    assert_int_equal(kt_obj_count(), before);
    kt_free(m);
}
