/* The pool: every chunk once, nested and concurrent callers, changing numbers of threads, fork. */
#include "base/pool.h"

#include "base/fpu.h"
#include "testing/kt_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHUNKS 1000

typedef struct tally {
    atomic_int count[CHUNKS];
    atomic_int bad_thread;
} tally;

static void tally_chunk(void *arg, int64_t chunk, int thread) {
    tally *t = arg;
    atomic_fetch_add(&t->count[chunk], 1);
    if (thread < 0 || thread >= kt_pool_threads()) atomic_store(&t->bad_thread, 1);
}

static void check_tally(tally *t, int64_t n) {
    for (int64_t i = 0; i < CHUNKS; i++) assert_int_equal(atomic_load(&t->count[i]), i < n);
    assert_int_equal(atomic_load(&t->bad_thread), 0);
}

KT_TEST(pool, runs_every_chunk_once) {
    static const int sizes[] = {0, 1, 2, 3, 7, 64, CHUNKS};
    for (int threads = 1; threads <= 8; threads += threads < 4 ? 1 : 4) {
        kt_pool_set_threads(threads);
        assert_int_equal(kt_pool_threads(), threads);
        for (int round = 0; round < 200; round++) {
            tally t;
            memset(&t, 0, sizeof t);
            kt_pool_run(tally_chunk, &t, sizes[round % 7]);
            check_tally(&t, sizes[round % 7]);
        }
    }
    kt_pool_set_threads(0);
}

static void empty_chunk(void *arg, int64_t chunk, int thread) {
    (void)arg, (void)chunk, (void)thread;
}

KT_TEST(pool, survives_many_short_jobs) {
    kt_pool_set_threads(4);
    for (int i = 0; i < 20000; i++) kt_pool_run(empty_chunk, NULL, 4);
    for (int i = 0; i < 20; i++) { /* sleeping workers are woken */
        tally t;
        memset(&t, 0, sizeof t);
        usleep(500);
        kt_pool_run(tally_chunk, &t, 16);
        check_tally(&t, 16);
    }
    kt_pool_set_threads(0);
}

static void nested_chunk(void *arg, int64_t chunk, int thread) {
    tally *t = arg;
    (void)thread;
    kt_pool_run(tally_chunk, &t[chunk], 10);
}

KT_TEST(pool, nested_jobs_run_alone) {
    static tally t[20];
    memset(t, 0, sizeof t);
    kt_pool_set_threads(4);
    kt_pool_run(nested_chunk, t, 20);
    for (int i = 0; i < 20; i++) check_tally(&t[i], 10);
    kt_pool_set_threads(0);
}

static void *concurrent_caller(void *arg) {
    tally *t = arg;
    for (int i = 0; i < 300; i++) {
        memset(t, 0, sizeof *t);
        kt_pool_run(tally_chunk, t, 1 + i % 50);
        for (int j = 0; j < CHUNKS; j++)
            if (atomic_load(&t->count[j]) != (j < 1 + i % 50)) return t;
    }
    return NULL;
}

KT_TEST(pool, takes_several_callers) {
    static tally t[4];
    pthread_t caller[4];
    void *bad;
    kt_pool_set_threads(3);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&caller[i], NULL, concurrent_caller, &t[i]), 0);
    for (int i = 0; i < 10; i++) kt_pool_set_threads(2 + i % 3);
    for (int i = 0; i < 4; i++) {
        pthread_join(caller[i], &bad);
        assert_null(bad);
    }
    kt_pool_set_threads(0);
}

#if defined(__SANITIZE_THREAD__)
#define KT_UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define KT_UNDER_TSAN 1
#endif
#endif
#ifndef KT_UNDER_TSAN /* which refuses to start threads in a forked child */
KT_TEST(pool, works_in_a_forked_child) {
    kt_pool_set_threads(3);
    kt_pool_run(empty_chunk, NULL, 10);
    const pid_t child = fork();
    if (child == 0) {
        static tally t;
        kt_pool_run(tally_chunk, &t, 100);
        int ok = 1;
        for (int i = 0; i < 100; i++) ok &= atomic_load(&t.count[i]) == 1;
        _exit(ok ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    kt_pool_set_threads(0);
}
#endif

static void denormal_chunk(void *arg, int64_t chunk, int thread) {
    volatile float tiny = 1e-30f;
    float *out = arg;
    out[chunk] = thread ? tiny * 1e-10f : 0;
}

KT_TEST(pool, workers_flush_denormals) {
    static float out[CHUNKS];
    kt_pool_set_threads(4);
    kt_pool_run(denormal_chunk, out, CHUNKS);
#if defined(__x86_64__) || defined(__aarch64__)
    for (int i = 0; i < CHUNKS; i++) assert_true(out[i] == 0);
#endif
    kt_pool_set_threads(0);
}

KT_TEST(fpu, flush_comes_and_goes) {
    volatile float tiny = 1e-30f;
    const uint64_t saved = kt_fpu_flush_begin();
#if defined(__x86_64__) || defined(__aarch64__)
    assert_true(tiny * 1e-10f == 0);
#endif
    kt_fpu_flush_end(saved);
    assert_true(tiny * 1e-10f > 0);
}
