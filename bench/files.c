/* How fast are models saved and loaded? A program of its own, not a test.
 *
 *     bench_files FOLDER [MB]       a model of that size (100), on the file system of the folder
 *     bench_files FILE              only loading, of this model
 *
 * Saving is compared with `cp` of the same file followed by fsync: they alternate, 15 times each,
 * and medians are shown. Loading is the time to the first prediction less that of the second one,
 * from the page cache; memory is the peak of a process of its own. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* wait4, O_CLOEXEC under -std=c11 */
#endif
#include <keratin/keratin.h>

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TIMES = 15, UNITS = 1024 };
extern char **environ;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *v) {
    qsort(v, TIMES, sizeof *v, by_value);
    return v[TIMES / 2];
}

/* Layers of 4 MiB. */
static kt_model *make(int mb) {
    const void *layers[1024];
    int n = 0;
    layers[n++] = kt_input({UNITS});
    for (int i = 0; i < (mb + 3) / 4 && n < 1024; i++) layers[n++] = kt_dense(UNITS);
    return kt_sequential(kt_list_of(n, layers));
}

static int copy(const char *from, const char *to) {
    char *argv[] = {"cp", (char *)(uintptr_t)from, (char *)(uintptr_t)to, NULL};
    pid_t pid;
    int status = 1;
    if (posix_spawnp(&pid, "cp", NULL, NULL, argv, environ)) return 1;
    if (waitpid(pid, &status, 0) < 0 || status) return 1;
    const int fd = open(to, O_WRONLY | O_CLOEXEC);
    const int failed = fd < 0 || fsync(fd);
    return close(fd) || failed;
}

/* `fresh`: the target is not there yet. */
static int compare(kt_model *m, const char *folder, const char *extension, bool fresh) {
    char saved[512], copied[512], source[512];
    double save_s[TIMES], copy_s[TIMES], start;
    snprintf(source, sizeof source, "%s/kt_bench_source%s", folder, extension);
    snprintf(saved, sizeof saved, "%s/kt_bench_saved%s", folder, extension);
    snprintf(copied, sizeof copied, "%s/kt_bench_copied%s", folder, extension);
    if (kt_model_save(m, source)) return 1;
    for (int i = -1; i < TIMES; i++) { /* the first round warms up */
        const int at = i < 0 ? 0 : i;
        if (fresh) unlink(saved), unlink(copied);
        start = now();
        if (copy(source, copied)) return 1;
        copy_s[at] = now() - start;
        start = now();
        if (kt_model_save(m, saved)) return 1;
        save_s[at] = now() - start;
    }
    unlink(source), unlink(saved), unlink(copied);
    const double a = median(save_s), b = median(copy_s);
    printf(
        "save %-7s %-11s %7.1f ms (%.1f to %.1f)   cp + fsync %7.1f ms (%.1f to %.1f)   %.2f\n",
        extension,
        fresh ? "new file" : "over an old",
        a * 1e3,
        save_s[0] * 1e3,
        save_s[TIMES - 1] * 1e3,
        b * 1e3,
        copy_s[0] * 1e3,
        copy_s[TIMES - 1] * 1e3,
        a / b);
    return 0;
}

/* One row for a model of one input, open dimensions 1. */
static kt_tensor *row_for(const kt_model *m) {
    kt_shape s = kt_sym_shape(kt_model_input(m, 0));
    for (int i = 0; i < s.ndim; i++)
        if (s.dim[i] < 0) s.dim[i] = 1;
    return kt_tensor_new(kt_sym_dtype(kt_model_input(m, 0)), s, NULL);
}

static int load_once(const char *path, double *seconds) {
    const double start = now();
    kt_model *m = kt_load_model(path);
    if (kt_failed(m)) return 1;
    kt_tensor *x = row_for(m);
    kt_tensor *p = kt_model_predict(m, x, .verbose = 0);
    const double loaded = now();
    kt_tensor *q = kt_model_predict(m, x, .verbose = 0);
    *seconds = loaded - start - (now() - loaded);
    const int failed = kt_failed(p) || kt_failed(q);
    kt_free(p), kt_free(q), kt_free(m), kt_free(x);
    return failed;
}

static int peak_of_loading(const char *path, double *mib) {
    struct rusage use;
    int status = 1;
    double seconds;
    const pid_t pid = fork();
    if (pid == 0) _exit(load_once(path, &seconds));
    if (pid < 0 || wait4(pid, &status, 0, &use) < 0 || status) return 1;
    *mib = (double)use.ru_maxrss / 1024;
    return 0;
}

static int loading(const char *path) {
    double seconds[TIMES], mib;
    struct stat st;
    if (stat(path, &st) || peak_of_loading(path, &mib)) return 1; /* before threads are there */
    for (int i = 0; i < TIMES; i++)
        if (load_once(path, &seconds[i])) return 1;
    printf(
        "load %-7s %.1f MiB: first prediction after %.1f ms, peak %.1f MiB\n",
        strrchr(path, '.'),
        (double)st.st_size / (1 << 20),
        median(seconds) * 1e3,
        mib);
    return 0;
}

static int saved_and_loaded(int mb, const char *folder, const char *extension) {
    char path[512];
    kt_model *m = make(mb);
    snprintf(path, sizeof path, "%s/kt_bench_load%s", folder, extension);
    const int failed = kt_model_save(m, path);
    kt_free(m);
    return failed || loading(path) || unlink(path);
}

static int finish(int failed) {
    if (failed) fprintf(stderr, "failed: %s\n", kt_error_message());
    return failed;
}

int main(int argc, char **argv) {
    if (argc < 2) return fputs("bench_files FOLDER [MB]\n", stderr), 2;
    const int mb = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 100;
    static const char *const formats[] = {".keras", ".h5"};
    struct stat st;
    if (!stat(argv[1], &st) && S_ISREG(st.st_mode)) return finish(loading(argv[1]));
    int failed = 0;
    for (int i = 0; i < 2; i++) failed |= saved_and_loaded(mb, argv[1], formats[i]);
    kt_model *m = make(mb);
    for (int i = 0; i < 4; i++) failed |= compare(m, argv[1], formats[i / 2], i % 2 == 0);
    kt_free(m);
    return finish(failed);
}
