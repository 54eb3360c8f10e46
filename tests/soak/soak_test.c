/* Work without end: models are made, trained, used, saved, loaded and thrown away, errors included,
 * for KT_SOAK_SECONDS (10). After a fifth of the time memory, file descriptors and threads must
 * stay as they are: the slope of the resident memory (least squares over the samples) is bound. */
#include "testing/kt_test.h"

#include <keratin/keratin.h>

#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_SAMPLES 100000

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SANITIZED false
#endif

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double resident(void) {
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%*d %ld", &pages), 1);
    fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* Bytes that malloc has given out; 0 where that cannot be asked. */
static int64_t in_use(void) {
#if defined(__GLIBC__)
    return SANITIZED ? 0 : (int64_t)mallinfo2().uordblks;
#else
    return 0;
#endif
}

static int count(const char *folder) {
    int n = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    while (readdir(d)) n++;
    closedir(d);
    return n;
}

static kt_tensor *noise(int64_t rows, int64_t columns) {
    kt_tensor *t = kt_tensor_new(KT_FLOAT32, kt_dims(rows, columns), NULL);
    for (int64_t i = 0; i < rows * columns; i++)
        kt_tensor_set(t, i, (double)(i * 37 % 101) / 50 - 1);
    return t;
}

static kt_model *make_model(int kind) {
    kt_sym *in = kt_input({12});
    kt_sym *h = kt_call(kt_dense(16, .activation = "relu"), in);
    if (kind == 0) h = kt_call(kt_dropout(0.2), kt_call(kt_batch_normalization(), h));
    if (kind == 1) h = kt_call(kt_lstm(8), kt_call(kt_reshape({4, 4}), h));
    if (kind == 2)
        h = kt_call(kt_flatten(), kt_call(kt_conv2d(3, 2), kt_call(kt_reshape({4, 4, 1}), h)));
    return kt_functional(in, kt_call(kt_dense(2), h));
}

/* One life of a model; rounds differ in kind, optimizer and format. */
static void live(int round, const char *folder, const kt_tensor *x, const kt_tensor *y) {
    static const char *const optimizers[] = {"adam", "sgd", "rmsprop", "lamb"};
    char path[256];
    kt_model *m = make_model(round % 3);
    assert_int_equal(
        kt_model_compile(m, optimizers[round % 4], "mse", .metrics = kt_list("mae")), KT_OK);
    snprintf(path, sizeof path, "%s/m.%s", folder, round % 2 ? "keras" : "h5");
    kt_callback *cb = kt_cb_model_checkpoint(path);
    kt_history *h = kt_model_fit(
        m,
        x,
        y,
        .epochs = 2,
        .batch_size = 16 + round % 5,
        .verbose = 0,
        .validation_split = 0.25,
        .callbacks = kt_list(cb));
    if (kt_failed(h)) fail_msg("%s", kt_error_message());
    kt_free(h);
    for (int i = 0; i < 50; i++) kt_free(kt_model_predict(m, x, .verbose = 0));
    kt_free(kt_model_evaluate(m, x, y, .verbose = 0));
    kt_model *again = kt_load_model(path);
    if (kt_failed(again)) fail_msg("%s", kt_error_message());
    kt_free(kt_model_predict(again, x, .verbose = 0));
    assert_true(kt_failed(kt_load_model("/nowhere.keras")));
    assert_true(kt_failed(kt_model_predict(again, y, .verbose = 0)));
    kt_free(again);
    kt_free(m);
    kt_clear_session();
}

/* Bytes an hour, by least squares. */
static double slope(const double *t, const double *v, int n) {
    double mt = 0, mv = 0, up = 0, down = 0;
    for (int i = 0; i < n; i++) mt += t[i] / n, mv += v[i] / n;
    for (int i = 0; i < n; i++) up += (t[i] - mt) * (v[i] - mv), down += (t[i] - mt) * (t[i] - mt);
    return down > 0 ? up / down * 3600 : 0;
}

KT_TEST(soak, nothing_grows) {
    static double t[MAX_SAMPLES], v[MAX_SAMPLES];
    const char *wish = getenv("KT_SOAK_SECONDS");
    const double seconds = wish ? strtod(wish, NULL) : 10, begin = now();
    char folder[] = "/tmp/kt_soak_XXXXXX", path[256];
    assert_non_null(mkdtemp(folder));
    kt_tensor *x = kt_retain(noise(64, 12)), *y = kt_retain(noise(64, 2));
    int rounds = 0, n = 0, files = 0, threads = 0;
    int64_t used = 0;
    double next = begin + seconds / 5;
    while (now() < begin + seconds) {
        live(rounds++, folder, x, y);
        if (now() < next || n == MAX_SAMPLES) continue;
        if (!n) files = count("/proc/self/fd"), threads = count("/proc/self/task"), used = in_use();
        t[n] = now() - begin;
        v[n++] = resident();
        next = now() + seconds * 0.8 / 200;
    }
    assert_true(n > 10);
    assert_int_equal(count("/proc/self/fd"), files);
    assert_int_equal(count("/proc/self/task"), threads);
    const double grown = v[n - 1] - v[0], hour = slope(t, v, n);
    printf(
        "%d rounds in %.0f s: %.0f KiB resident, %+.0f KiB since the first fifth, %+.0f KiB an "
        "hour\n",
        rounds,
        seconds,
        v[n - 1] / 1024,
        grown / 1024,
        hour / 1024);
    assert_true(in_use() - used <= 64 * 1024);
    /* Short runs cannot tell an hour: pages come and go with the moment. Sanitizers keep what is
     * freed for a while, and find what leaks themselves. */
    if (SANITIZED)
        assert_true(n > 10);
    else if (seconds >= 300)
        assert_true(hour <= (seconds >= 9000 ? 64.0 : 1024.0) * 1024);
    else
        assert_true(grown <= 4096.0 * 1024);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/m.%s", folder, i ? "keras" : "h5");
        unlink(path);
    }
    assert_int_equal(rmdir(folder), 0);
    kt_free(x);
    kt_free(y);
}
