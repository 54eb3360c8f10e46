/* keratin doctor: what this machine has for Keratin, how fast it is, and how to get what is
 * missing. The course's "set up your workstation". */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sched_getaffinity, gnu_get_libc_version under -std=c11 */
#endif
#include "cli/cli.h"

#include <gnu/libc-version.h>
#include <jansson.h>
#include <libdeflate.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zip.h>
#include <zlib.h>

#define MAX_ADVICE 12
#define PRODUCT 1024               /* rows and columns of the matrices that are multiplied */
#define STREAM ((size_t)128 << 20) /* bytes that one thread reads */
#define SECONDS 0.4

typedef struct {
    char cpu[128], isa[64], folder[512];
    const char *kernels;
    int cores, threads;
    double memory_gib, free_gib;
    double gflops[2], gbytes[2]; /* one thread, all threads */
    char advice[MAX_ADVICE][400];
    int n_advice;
} machine;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

CLI_PRINTF(2, 3) static void advise(machine *m, const char *fmt, ...) {
    va_list ap;
    if (m->n_advice == MAX_ADVICE) return;
    va_start(ap, fmt);
    vsnprintf(m->advice[m->n_advice++], sizeof m->advice[0], fmt, ap);
    va_end(ap);
}

/* What the kernel says ------------------------------------------------------------------------- */

static void look_at_cpu(machine *m) {
    static const char *const wanted[] = {
        "avx2", "fma", "avx512f", "avx512_vnni", "amx_tile", "asimd"};
    char line[8192];
    FILE *f = fopen("/proc/cpuinfo", "r");
    snprintf(m->cpu, sizeof m->cpu, "unknown");
    while (f && fgets(line, sizeof line, f)) {
        char *value = strchr(line, ':');
        if (!value) continue;
        value[strcspn(value, "\n")] = 0;
        if (!strncmp(line, "model name", 10)) snprintf(m->cpu, sizeof m->cpu, "%s", value + 2);
        if (strncmp(line, "flags", 5) != 0 && strncmp(line, "Features", 8) != 0) continue;
        m->isa[0] = 0;
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
            const char *at = strstr(value, wanted[i]);
            const size_t used = strlen(m->isa);
            if (at)
                snprintf(m->isa + used, sizeof m->isa - used, "%s%s", used ? " " : "", wanted[i]);
        }
    }
    if (f) fclose(f);
    cpu_set_t set;
    m->cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
    m->threads = sched_getaffinity(0, sizeof set, &set) ? m->cores : CPU_COUNT(&set);
    m->kernels = kt_isa();
}

static void look_at_memory(machine *m) {
    char line[256];
    FILE *f = fopen("/proc/meminfo", "r");
    while (f && fgets(line, sizeof line, f)) {
        const double gib = strtod(line + strcspn(line, " "), NULL) / (1 << 20);
        if (!strncmp(line, "MemTotal:", 9)) m->memory_gib = gib;
        if (!strncmp(line, "MemAvailable:", 13)) m->free_gib = gib;
    }
    if (f) fclose(f);
}

/* Speed ---------------------------------------------------------------------------------------- */

/* Products of square matrices through a model of one Dense layer. */
static double measure_gflops(int threads) {
    kt_set_num_threads(threads);
    kt_model *model = kt_sequential(
        kt_list(kt_input({PRODUCT}), kt_dense(PRODUCT, .use_bias = false)));
    kt_tensor *x = kt_tensor_new(KT_FLOAT32, kt_dims(PRODUCT, PRODUCT), NULL);
    kt_tensor *y = kt_tensor_new(KT_FLOAT32, kt_dims(PRODUCT, PRODUCT), NULL);
    double best = 0, end = now() + SECONDS;
    while (!kt_failed(model) && !kt_failed(x) && !kt_failed(y) && now() < end) {
        const double start = now();
        if (kt_model_predict_into(model, x, y)) break;
        const double rate = 2e-9 * PRODUCT * PRODUCT * PRODUCT / (now() - start);
        if (rate > best) best = rate;
    }
    kt_free(model);
    kt_free(x);
    kt_free(y);
    return best;
}

typedef struct {
    const uint64_t *data;
    uint64_t sum;
} stream;

static void *read_all(void *argument) {
    stream *s = argument;
    uint64_t sum[4] = {0};
    for (size_t i = 0; i < STREAM / sizeof(uint64_t); i += 4)
        for (size_t k = 0; k < 4; k++) sum[k] += s->data[i + k];
    s->sum = sum[0] + sum[1] + sum[2] + sum[3];
    return NULL;
}

/* How fast memory is read: each thread goes through an array of its own. */
static double measure_gbytes(int threads) {
    enum { MOST = 64 };
    const int n = threads < MOST ? threads : MOST;
    stream s[MOST] = {{NULL, 0}};
    double best = 0;
    bool ok = true;
    for (int i = 0; i < n; i++) {
        void *block = malloc(STREAM);
        if (block) memset(block, 1, STREAM);
        s[i].data = block;
        ok = ok && block;
    }
    for (int times = 0; ok && times < 3; times++) {
        pthread_t thread[MOST];
        int started = 0;
        const double start = now();
        while (started < n && !pthread_create(&thread[started], NULL, read_all, &s[started]))
            started++;
        for (int i = 0; i < started; i++) pthread_join(thread[i], NULL);
        const double rate = 1e-9 * (double)STREAM * started / (now() - start);
        if (rate > best) best = rate;
    }
    for (int i = 0; i < n; i++) free((void *)(uintptr_t)s[i].data);
    return best;
}

/* Files ---------------------------------------------------------------------------------------- */

static const struct {
    const char *name, *file;
} data_sets[] = {
    {"mnist", "mnist.npz"},
    {"fashion_mnist", "fashion-mnist/train-images-idx3-ubyte.gz"},
    {"cifar10", "cifar-10-batches-py-target/cifar-10-batches-py"},
    {"cifar100", "cifar-100-python-target/cifar-100-python"},
    {"imdb", "imdb.npz"},
    {"reuters", "reuters.npz"},
    {"boston_housing", "boston_housing.npz"},
    {"california_housing", "california_housing.npz"},
};
#define FASHION 1 /* Debian has a package of it */
#define N_SETS ((int)(sizeof data_sets / sizeof *data_sets))

static bool has_set(const machine *m, int i) {
    char path[1024];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", m->folder, data_sets[i].file);
    if (!stat(path, &st)) return true;
    return i == FASHION &&
           !stat("/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz", &st);
}

static void look_at_folder(machine *m) {
    const char *keras = getenv("KERAS_HOME"), *home = getenv("HOME");
    struct stat st;
    if (keras && *keras)
        snprintf(m->folder, sizeof m->folder, "%s/datasets", keras);
    else
        snprintf(m->folder, sizeof m->folder, "%s/.keras/datasets", home ? home : "");
    if (stat(m->folder, &st))
        advise(m, "the data folder %.150s is not there: make it, or set KERAS_HOME", m->folder);
}

static bool has_program(const char *name) {
    const char *path = getenv("PATH");
    char file[1024];
    while (path && *path) {
        const int n = (int)strcspn(path, ":");
        snprintf(file, sizeof file, "%.*s/%s", n, path, name);
        if (!access(file, X_OK)) return true;
        path += n + (path[n] == ':');
    }
    return false;
}

static void judge(machine *m) {
    char missing[300];
    int n = 0;
    if (!strcmp(m->kernels, "portable"))
        advise(m, "only portable kernels: a processor with AVX2 is several times as fast");
    if (getenv("KT_ISA"))
        advise(m, "KT_ISA=%.20s caps the instruction set: unset it", getenv("KT_ISA"));
    if (m->threads < m->cores)
        advise(
            m, "this process may use %d of %d processors (taskset, cgroups)", m->threads, m->cores);
    if (m->free_gib < 1) advise(m, "less than 1 GiB of memory is free");
    if (!has_program("dot"))
        advise(m, "no Graphviz, so plot writes .dot only: apt-get install graphviz");
    double load = 0;
    if (getloadavg(&load, 1) == 1 && load > 0.7 * m->cores)
        advise(
            m, "other programs keep %.1f processors busy: speeds were measured beside them", load);
    for (int i = 0; i < N_SETS && n < (int)sizeof missing; i++) {
        if (has_set(m, i)) continue;
        if (i == FASHION)
            advise(m, "no fashion_mnist: apt-get install dataset-fashion-mnist");
        else
            n += snprintf(
                missing + n,
                sizeof missing - (size_t)n,
                "%s %s (%.*s)",
                n ? "," : "",
                data_sets[i].name,
                (int)strcspn(data_sets[i].file, "/"),
                data_sets[i].file);
    }
    if (n)
        advise(
            m,
            "not in the data folder:%s (in Python keras.datasets.NAME.load_data() puts them there)",
            missing);
}

/* Report --------------------------------------------------------------------------------------- */

static void report_text(const machine *m) {
    printf("keratin     %s\n", kt_version());
    printf("processor   %s\n", m->cpu);
    printf("ISA         %s (the processor has: %s)\n", m->kernels, m->isa[0] ? m->isa : "?");
    printf("cores       %d, %d of them for this process\n", m->cores, m->threads);
    printf("memory      %.1f GiB, %.1f GiB free\n", m->memory_gib, m->free_gib);
    printf(
        "arithmetic  %.1f GFLOP/s on one thread, %.1f on %d\n",
        m->gflops[0],
        m->gflops[1],
        m->threads);
    printf(
        "reading     %.1f GB/s on one thread, %.1f on %d\n",
        m->gbytes[0],
        m->gbytes[1],
        m->threads);
    printf("engines     cpu\n");
    printf(
        "libraries   libc %s, libzip %s, zlib %s, jansson %s, libdeflate %s\n",
        gnu_get_libc_version(),
        zip_libzip_version(),
        zlibVersion(),
        JANSSON_VERSION,
        LIBDEFLATE_VERSION_STRING);
    printf("data        %s:", m->folder);
    for (int i = 0; i < N_SETS; i++)
        if (has_set(m, i)) printf(" %s", data_sets[i].name);
    printf("\n");
    for (int i = 0; i < m->n_advice; i++) printf("advice      %s\n", m->advice[i]);
    if (!m->n_advice) printf("advice      nothing is missing\n");
}

static void report_json(const machine *m) {
    cli_json j = {.out = stdout};
    cli_json_open(&j, NULL, '{');
    cli_json_string(&j, "version", kt_version());
    cli_json_string(&j, "cpu", m->cpu);
    cli_json_string(&j, "isa", m->kernels);
    cli_json_string(&j, "cpu_features", m->isa);
    cli_json_int(&j, "cores", m->cores);
    cli_json_int(&j, "threads", m->threads);
    cli_json_number(&j, "memory_gib", m->memory_gib);
    cli_json_number(&j, "free_gib", m->free_gib);
    cli_json_number(&j, "gflops_1_thread", m->gflops[0]);
    cli_json_number(&j, "gflops", m->gflops[1]);
    cli_json_number(&j, "gbytes_per_s_1_thread", m->gbytes[0]);
    cli_json_number(&j, "gbytes_per_s", m->gbytes[1]);
    cli_json_open(&j, "engines", '[');
    cli_json_string(&j, NULL, "cpu");
    cli_json_close(&j, ']');
    cli_json_open(&j, "libraries", '{');
    cli_json_string(&j, "libc", gnu_get_libc_version());
    cli_json_string(&j, "libzip", zip_libzip_version());
    cli_json_string(&j, "zlib", zlibVersion());
    cli_json_string(&j, "jansson", JANSSON_VERSION);
    cli_json_string(&j, "libdeflate", LIBDEFLATE_VERSION_STRING);
    cli_json_close(&j, '}');
    cli_json_string(&j, "data_folder", m->folder);
    cli_json_open(&j, "data", '[');
    for (int i = 0; i < N_SETS; i++)
        if (has_set(m, i)) cli_json_string(&j, NULL, data_sets[i].name);
    cli_json_close(&j, ']');
    cli_json_open(&j, "advice", '[');
    for (int i = 0; i < m->n_advice; i++) cli_json_string(&j, NULL, m->advice[i]);
    cli_json_close(&j, ']');
    cli_json_close(&j, '}');
}

static int doctor(const void *options) {
    const cli_common *o = options;
    machine m = {.n_advice = 0};
    look_at_cpu(&m);
    if (o->threads != KT_NONE) m.threads = (int)o->threads;
    look_at_memory(&m);
    look_at_folder(&m);
    for (int i = 0; i < 2; i++) {
        const int n = i ? m.threads : 1;
        m.gflops[i] = measure_gflops(n);
        m.gbytes[i] = measure_gbytes(n);
    }
    judge(&m);
    (cli.json ? report_json : report_text)(&m);
    return m.gflops[0] > 0 ? EXIT_OK : cli_fail();
}

const cli_command cli_doctor = {
    .name = "doctor",
    .summary = "Says what this machine has for Keratin, how fast it is, and what is missing",
    .usage = "",
    .examples = "  keratin doctor\n  keratin doctor --json\n",
    .size = sizeof(cli_common),
    .run = doctor,
};
