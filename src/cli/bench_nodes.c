/* keratin bench --verbose 2: what each program took to make and how near its memory plan is to the
 * bound, and where the time of a step goes, node by node; from the trace that KT_PROFILE asks the
 * engine for. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* setenv under -std=c11 */
#endif
#include "cli/cli.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NODES 4096

typedef struct {
    char op[32], layer[96], result[64], node[16];
    int context;
    int64_t runs;
    double total, bytes; /* us; bytes of one run */
} node_time;

typedef struct {
    node_time v[MAX_NODES];
    int n;
    double total;
} node_times;

int cli_trace_nodes(bool on) {
    const char *path = on ? cli_out("-", ".trace") : NULL;
    if (on && !path) return cli.last_exit;
    if (on)
        setenv("KT_PROFILE", path, 1);
    else
        unsetenv("KT_PROFILE");
    return EXIT_OK;
}

static void copy_text(char *to, size_t size, const json_t *from) {
    const char *text = json_string_value(from);
    snprintf(to, size, "%.*s", (int)size - 1, text ? text : "");
}

/* No plan can be smaller than what is alive at one moment. */
static void report_program(const json_t *e) {
    const json_t *args = json_object_get(e, "args");
    const double arena = json_number_value(json_object_get(args, "arena_bytes"));
    const double bound = json_number_value(json_object_get(args, "lower_bound"));
    fprintf(
        stderr,
        "program %lld: %lld kernels, made in %.2f ms; plan %.0f bytes, bound %.0f (%.3f)\n",
        json_integer_value(json_object_get(e, "tid")),
        json_integer_value(json_object_get(args, "steps")),
        json_number_value(json_object_get(e, "dur")) * 1e-3,
        arena,
        bound,
        bound > 0 ? arena / bound : 1);
}

static void add_event(node_times *t, const json_t *e) {
    const json_t *args = json_object_get(e, "args");
    if (!strcmp(json_string_value(json_object_get(e, "name")), "program")) {
        report_program(e);
        return;
    }
    node_time one = {.context = (int)json_integer_value(json_object_get(e, "tid"))};
    copy_text(one.node, sizeof one.node, json_object_get(args, "node"));
    int i = 0;
    while (i < t->n && (t->v[i].context != one.context || strcmp(t->v[i].node, one.node))) i++;
    if (i == MAX_NODES) return;
    if (i == t->n) {
        copy_text(one.op, sizeof one.op, json_object_get(e, "name"));
        copy_text(one.layer, sizeof one.layer, json_object_get(args, "layer"));
        copy_text(one.result, sizeof one.result, json_object_get(args, "result"));
        one.bytes = json_number_value(json_object_get(args, "bytes"));
        t->v[t->n++] = one;
    }
    const double us = json_number_value(json_object_get(e, "dur"));
    t->v[i].runs++;
    t->v[i].total += us;
    t->total += us;
}

static int by_total(const void *a, const void *b) {
    const double x = ((const node_time *)a)->total, y = ((const node_time *)b)->total;
    return x > y ? -1 : x < y;
}

static void read_trace(node_times *t, FILE *f) {
    char line[1024];
    while (fgets(line, sizeof line, f)) {
        const size_t n = strlen(line);
        if (n < 3 || line[0] != '{') continue;
        line[n - 2] = 0; /* ",\n" */
        json_t *e = json_loads(line, 0, NULL);
        if (e) add_event(t, e);
        json_decref(e);
    }
}

int cli_report_nodes(void) {
    const char *path = getenv("KT_PROFILE");
    FILE *f = path ? fopen(path, "rb") : NULL;
    node_times *t = f ? calloc(1, sizeof *t) : NULL;
    if (t) read_trace(t, f);
    if (f) fclose(f);
    if (f) remove(path); /* the next workload writes a new one */
    if (!t) return EXIT_OK;
    qsort(t->v, (size_t)t->n, sizeof *t->v, by_total);
    fprintf(
        stderr,
        "%8s %6s %9s %7s  %-20s %-28s %s\n",
        "us",
        "%",
        "runs",
        "GB/s",
        "op",
        "result",
        "layer");
    for (int i = 0; i < t->n && i < 40; i++) {
        const node_time *n = &t->v[i];
        const double us = n->total / (double)n->runs;
        fprintf(
            stderr,
            "%8.2f %6.1f %9lld %7.2f  %-20s %-28s %s\n",
            us,
            100 * n->total / t->total,
            (long long)n->runs,
            us > 0 ? n->bytes / us * 1e-3 : 0,
            n->op,
            n->result,
            n->layer);
    }
    free(t);
    return EXIT_OK;
}
