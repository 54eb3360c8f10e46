/* Out of memory in loading and saving, libraries included. This program has a malloc of its own,
 * which the dynamic linker gives to libzip, zlib, jansson and the C library too; the n-th call
 * fails, for every n. Each time the result must be KT_ENOMEM (or what could do without), nothing
 * may be lost (every block is counted; under ASan its leak check looks too), and a file that was
 * there must be the old or the new one.
 *
 * tests/torture does the same with the library's own allocations, for all of it.
 *
 * KT_TORTURE_STEP=n tries every n-th call only. */
#include "base/fs.h"
#include "base/mem.h"
#include "base/obj.h"
#include "io/csv.h"
#include "testing/kt_models.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* malloc ----------------------------------------------------------------------------------------
 */

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN
#endif
#if __has_feature(thread_sanitizer)
#define HAVE_ASAN
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAVE_ASAN
#endif

#ifdef HAVE_ASAN /* the sanitizer's own functions are behind ours then */
#define REAL(name) __interceptor_##name
#else
#define REAL(name) __libc_##name
#endif
void *REAL(malloc)(size_t size);
void *REAL(calloc)(size_t n, size_t size);
void *REAL(realloc)(void *p, size_t size);
void *REAL(memalign)(size_t align, size_t size);
void REAL(free)(void *p);

static _Thread_local bool armed; /* only what this test runs itself */
static long n_calls, fail_at, n_live;

static bool must_fail(void) {
    if (!armed || ++n_calls != fail_at) return false;
    errno = ENOMEM;
    return true;
}

/* Under a sanitizer strdup() and realpath() are its own and come by other ways: its leak check
 * counts then. */
static void *count(void *p) {
#ifndef HAVE_ASAN
    if (armed && p) n_live++;
#endif
    return p;
}

#pragma GCC visibility push(default) /* for the dynamic linker */
void *malloc(size_t size) { return must_fail() ? NULL : count(REAL(malloc)(size)); }
void *calloc(size_t n, size_t size) { return must_fail() ? NULL : count(REAL(calloc)(n, size)); }
void *realloc(void *p, size_t size) {
    if (must_fail()) return NULL;
    void *q = REAL(realloc)(p, size);
    return p ? q : count(q);
}
void *aligned_alloc(size_t align, size_t size) {
    return must_fail() ? NULL : count(REAL(memalign)(align, size));
}
int posix_memalign(void **p, size_t align, size_t size) {
    if (must_fail()) return ENOMEM;
    void *q = count(REAL(memalign)(align, size));
    if (!q) return ENOMEM;
    *p = q;
    return 0;
}
void free(void *p) {
#ifndef HAVE_ASAN
    if (armed && p) n_live--;
#endif
    REAL(free)(p);
}
#pragma GCC visibility pop

/* Runs ------------------------------------------------------------------------------------------
 */

typedef kt_status scenario(void);

static char message[1024];

static kt_status armed_run(scenario *run, long n) {
    kt_error_clear();
    n_calls = n_live = 0;
    fail_at = n;
    armed = true;
    const kt_status st = run();
    armed = false;
    snprintf(message, sizeof message, "%s", st ? kt_error_message() : "");
    armed = true;
    fail_at = 0;
    kt_clear_session();
    kt_error_clear();
    armed = false;
    return st;
}

#ifdef HAVE_ASAN
const char *__lsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void) {
    return "leak:libzip.so";
}
#endif

static void torture(scenario *run) {
    const char *s = getenv("KT_TORTURE_STEP");
    const long step = s && strtol(s, NULL, 10) > 1 ? strtol(s, NULL, 10) : 1;
    kt_set_num_threads(1);
    if (armed_run(run, 0)) fail_msg("%s", message); /* and what is made once and kept */
    kt_check_status(armed_run(run, 0), KT_OK);
    assert_int_equal(n_live, 0);
    const long n = n_calls;
    const int64_t objects = kt_obj_count();
    long survived = 0, libzip_lost = 0; /* zip_fopen_index of libzip 1.7 loses a block of its own */
    for (long i = 1; i <= n; i += step) {
        kt_status st = armed_run(run, i);
        if (n_live) st = armed_run(run, i); /* what is made once, now on another way */
        survived += st == KT_OK;
        if (n_live == 1 && strstr(message, "zip: cannot open a member")) n_live = 0, libzip_lost++;
        if ((st && st != KT_ENOMEM) || n_live || kt_obj_count() != objects)
            fail_msg(
                "call %ld of %ld: %s, %ld blocks and %d objects left; %s",
                i,
                n,
                kt_status_name(st),
                n_live,
                (int)(kt_obj_count() - objects),
                message);
    }
    kt_check_status(armed_run(run, 0), KT_OK);
    kt_set_num_threads(0);
    print_message("%ld calls, %ld survived, %ld lost by libzip\n", n, survived, libzip_lost);
}

static char place[64];
static const char *path_of(const char *name) {
    static char path[160];
    snprintf(path, sizeof path, "%s/%s", place, name);
    return path;
}

static void make_place(void) { /* in memory where that is: each save waits for its disk */
    snprintf(
        place, sizeof place, "%s/kt_malloc_XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    assert_non_null(mkdtemp(place));
}

static kt_model *compiled_model(void) {
    const kt_blobs d = kt_make_blobs(5, 4, 3);
    kt_sym *x = kt_input({4}), *h = kt_call(kt_dense(3, .activation = "tanh"), x);
    kt_sym *y = kt_call(kt_concatenate(), kt_list(h, x));
    y = kt_call(kt_batch_normalization(), y);
    kt_model *m = kt_functional(x, kt_call(kt_dense(3, .kernel_regularizer = "l2"), y));
    kt_check_status(
        kt_model_compile(m, kt_opt_adam(0.01), kt_loss_huber(), .metrics = kt_list("mae")), KT_OK);
    kt_check_status(kt_check(kt_model_train_on_batch(m, d.x, d.onehot)), KT_OK);
    return m;
}

/* Scenarios -------------------------------------------------------------------------------------
 */

static kt_model *model;    /* to be saved */
static const char *target; /* name of the file */

static kt_status save_run(void) { return kt_model_save(model, path_of(target)); }
static kt_status save_weights_run(void) { return kt_model_save_weights(model, path_of(target)); }
static kt_status load_run(void) {
    kt_model *m = kt_load_model(path_of(target));
    const kt_status st = kt_check(m);
    kt_free(m);
    return st;
}
static kt_status load_weights_run(void) { return kt_model_load_weights(model, path_of(target)); }
static kt_status check_run(void) { return kt_file_check(path_of(target)); }
static kt_status predict_run(void) {
    const kt_blobs d = kt_make_blobs(5, 4, 3);
    kt_model *m = kt_load_model(path_of(target));
    kt_status st = kt_check(m);
    if (st == KT_OK) st = kt_check(kt_model_predict(m, d.x, .verbose = 0));
    kt_free(m);
    return st;
}
static kt_status json_run(void) {
    kt_text *t = kt_model_to_json(model);
    kt_model *m = kt_failed(t) ? kt_fail_object(kt_check(t)) : kt_model_from_json(kt_text_str(t));
    return kt_check(m);
}
static kt_status clone_run(void) { return kt_check(kt_clone_model(model)); }

/* A save that fails leaves the file that was there, and nothing beside it. */
static void torture_save(scenario *run) {
    unsigned char *old, *now;
    size_t n_old, n_now;
    kt_check_status(run(), KT_OK);
    kt_check_status(kt_fs_load(&old, &n_old, path_of(target), 1 << 24), KT_OK);
    torture(run);
    kt_check_status(kt_fs_load(&now, &n_now, path_of(target), 1 << 24), KT_OK);
    assert_int_equal(n_now, n_old); /* .keras has the time of day in it */
    if (!strstr(target, ".keras")) assert_memory_equal(now, old, n_old);
    kt_mem_free(old);
    kt_mem_free(now);
}

static void torture_files(const char *name, scenario *save, scenario *load) {
    target = name;
    make_place();
    model = compiled_model();
    kt_retain(model);
    torture_save(save);
    torture(load);
    torture(check_run);
    if (load == load_run) torture(predict_run);
    unlink(path_of(target));
    assert_int_equal(rmdir(place), 0); /* nothing else is there */
    kt_free(model);
}

KT_TEST(malloc, keras) { torture_files("m.keras", save_run, load_run); }
KT_TEST(malloc, h5) { torture_files("m.h5", save_run, load_run); }
KT_TEST(malloc, weights_h5) { torture_files("m.weights.h5", save_weights_run, load_weights_run); }
KT_TEST(malloc, legacy_weights) { torture_files("w.h5", save_weights_run, load_weights_run); }

KT_TEST(malloc, deflated_and_of_real_keras) {
    static const char *const names[] = {
        "mlp.keras", "tokens.keras", "attention.keras", "pictures.keras"};
    snprintf(place, sizeof place, "tests/golden/files");
    for (int i = 0; i < 4; i++) {
        target = names[i];
        torture(load_run);
    }
}

KT_TEST(malloc, json) {
    model = compiled_model();
    kt_retain(model);
    torture(json_run);
    torture(clone_run);
    kt_free(model);
}

/* Arrays and tables */

static kt_status npz_run(void) {
    kt_tensor *a = kt_tensor_new(KT_FLOAT32, kt_dims(3, 2), NULL);
    kt_status st = kt_save_npz(path_of("a.npz"), kt_dict("a", a, "b", a));
    if (st == KT_OK) st = kt_check(kt_load_npz(path_of("a.npz")));
    if (st == KT_OK && !kt_failed(a)) st = kt_save_npy(path_of("a.npy"), a);
    if (st == KT_OK) st = kt_check(kt_load_npy(path_of("a.npy")));
    return st;
}
static kt_status csv_run(void) {
    const kt_csv_options o = {.separator = ',', .header = -1, .target = "y"};
    kt_tensor *x = NULL, *y = NULL;
    const kt_status st = kt_csv_read(path_of("t.csv"), &o, &x, &y);
    kt_free(x);
    kt_free(y);
    return st;
}

KT_TEST(malloc, arrays_and_tables) {
    static const char table[] = "a,\"b\",y\n1,2,3\n4,nan,6\n";
    make_place();
    torture(npz_run);
    kt_check_status(kt_fs_save(path_of("t.csv"), table, strlen(table)), KT_OK);
    torture(csv_run);
    unlink(path_of("t.csv"));
    unlink(path_of("a.npz"));
    unlink(path_of("a.npy"));
    assert_int_equal(rmdir(place), 0);
}

/* Writing through a link must not become writing over it. */
static kt_status link_run(void) { return kt_fs_save(path_of("link"), "new", 3); }
KT_TEST(malloc, a_link_stays_one) {
    char to[16] = "";
    make_place();
    kt_check_status(kt_fs_save(path_of("file"), "old", 3), KT_OK);
    assert_int_equal(symlink("file", path_of("link")), 0);
    torture(link_run);
    assert_int_equal(readlink(path_of("link"), to, sizeof to - 1), 4);
    kt_check_str(to, "file");
    unlink(path_of("link"));
    unlink(path_of("file"));
    assert_int_equal(rmdir(place), 0);
}
