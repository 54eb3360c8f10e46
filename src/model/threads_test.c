/* Threads that share nothing but the library: each builds, trains and asks a model of its own. */
#include "testing/kt_models.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 4

typedef struct {
    kt_blobs d;
    kt_weights_copy weights;
    kt_status status;
    char first_name[16];
} job;

static void train(job *j) {
    kt_sym *x = kt_input({5}, .name = "in");
    kt_sym *y = kt_call(kt_dense(8, .activation = "relu", .name = "a"), x);
    kt_model *m = kt_functional(x, kt_call(kt_dense(3, .name = "b"), y), .name = "m");
    j->status = kt_model_compile(m, "adam", "mse", .metrics = kt_list("mae"));
    for (int i = 0; i < 5 && !j->status; i++) {
        kt_history *h = kt_model_fit(m, j->d.x, j->d.onehot, .verbose = 0);
        j->status = kt_check(h);
        kt_free(h);
    }
    kt_free(kt_dense(3)); /* and automatic names */
    kt_layer *d = kt_dense(3);
    strncat(j->first_name, kt_layer_name(d), sizeof j->first_name - 1);
    kt_free(d);
    if (!j->status) j->weights = kt_copy_weights(m);
    kt_free(m);
}

static void *run(void *data) {
    train(data);
    return NULL;
}

KT_TEST(threads, models_of_several_threads_do_not_meet) {
    job jobs[THREADS + 1] = {{.status = KT_OK}};
    pthread_t threads[THREADS];
    kt_set_random_seed(5);
    for (int i = 0; i <= THREADS; i++) jobs[i].d = kt_make_blobs(32, 5, 3);
    train(&jobs[THREADS]); /* what each should come to */
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, &jobs[i]), 0);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    const kt_weights_copy *want = &jobs[THREADS].weights;
    for (int i = 0; i <= THREADS; i++) {
        kt_check_status(jobs[i].status, KT_OK);
        assert_int_equal(jobs[i].weights.n, want->n);
        assert_memory_equal(jobs[i].weights.v, want->v, sizeof *want->v * (size_t)want->n);
        for (int k = 0; k < i; k++) /* names differ */
            assert_string_not_equal(jobs[i].first_name, jobs[k].first_name);
    }
    for (int i = 0; i <= THREADS; i++) kt_weights_copy_free(&jobs[i].weights);
}
