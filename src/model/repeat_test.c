/* The same seed gives the same bits, with any number of threads; a different one does not. */
#include "testing/kt_layers.h"
#include "testing/kt_models.h"

#include <string.h>

/* Large enough that its products, passes and updates are split over threads. */
static kt_weights_copy train(uint64_t seed, int threads, double *loss) {
    kt_clear_session();
    kt_set_random_seed(seed);
    kt_set_num_threads(threads);
    const kt_blobs d = kt_make_blobs(300, 328, 10);
    kt_model *m = kt_sequential(kt_list(
        kt_input({328}),
        kt_dense(160, .activation = "relu"),
        kt_dropout(0.3),
        kt_dense(130, .activation = "tanh"),
        kt_dense(10, .activation = "softmax")));
    kt_check_status(
        kt_model_compile(
            m, "adam", "sparse_categorical_crossentropy", .metrics = kt_list("accuracy")),
        KT_OK);
    kt_history *h = kt_model_fit(
        m, d.x, d.y, .batch_size = 128, .epochs = 2, .validation_split = 0.2, .verbose = 0);
    kt_check_ok(h);
    *loss = kt_history_get(h, "val_loss", -1);
    kt_weights_copy w = kt_copy_weights(m);
    kt_free(m);
    kt_set_num_threads(0);
    return w;
}

static bool same(const kt_weights_copy *a, const kt_weights_copy *b) {
    return a->n == b->n && !memcmp(a->v, b->v, sizeof *a->v * (size_t)a->n);
}

KT_TEST(repeat, the_same_seed_gives_the_same_bits) {
    double a_loss, b_loss, c_loss;
    kt_weights_copy a = train(7, 1, &a_loss), b = train(7, 1, &b_loss), c = train(8, 1, &c_loss);
    assert_true(same(&a, &b));
    assert_false(same(&a, &c));
    assert_true(a_loss == b_loss && a_loss != c_loss);
    kt_weights_copy_free(&a);
    kt_weights_copy_free(&b);
    kt_weights_copy_free(&c);
}

KT_TEST(repeat, the_number_of_threads_does_not_matter) {
    double want, got;
    kt_weights_copy a = train(7, 1, &want);
    static const int threads[] = {2, 3, 8};
    for (int i = 0; i < 3; i++) {
        kt_weights_copy b = train(7, threads[i], &got);
        assert_true(same(&a, &b));
        assert_true(got == want);
        kt_weights_copy_free(&b);
    }
    kt_weights_copy_free(&a);
}

/* Random numbers come from names, not from the order in which things were made. */
KT_TEST(repeat, the_order_of_construction_does_not_matter) {
    kt_weights_copy copy[2];
    for (int turn = 0; turn < 2; turn++) {
        kt_clear_session();
        kt_set_random_seed(3);
        kt_layer *a = turn ? NULL : kt_dense(4, .name = "a");
        kt_layer *b = kt_dense(5, .name = "b");
        if (!a) a = kt_dense(4, .name = "a");
        kt_model *m = kt_sequential(kt_list(kt_input({3}), a, b), .name = "m");
        copy[turn] = kt_copy_weights(m);
        kt_free(m);
    }
    assert_true(same(&copy[0], &copy[1]));
    kt_weights_copy_free(&copy[0]);
    kt_weights_copy_free(&copy[1]);
}
