/* Profiles of contexts. See profile.h.
 *
 * Events are collected in memory and written when their context ends, so that writing does not
 * disturb what is measured. The format allows a list without its closing bracket: contexts simply
 * append. */
#include "backend/cpu/profile.h"

#include "base/log.h"
#include "base/str.h"
#include "ir/opdef.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MAX_EVENTS 1000000

typedef struct {
    const kt_node *node;
    int64_t start, end;
} event;

struct kt_profile {
    const char *path;
    int id; /* which context: a row of the picture */
    kt_profile_program of;
    KT_VEC(event) events;
};

static atomic_int profile_count;

kt_profile *kt_profile_new(const kt_profile_program *of) {
    const char *path = getenv("KT_PROFILE");
    kt_profile *p = path && *path ? kt_alloc(sizeof *p) : NULL;
    if (!p) return NULL;
    p->path = path;
    p->of = *of;
    p->id = atomic_fetch_add(&profile_count, 1);
    return p;
}

int64_t kt_profile_clock(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void kt_profile_add(kt_profile *p, const kt_node *n, int64_t start, int64_t end) {
    const event e = {n, start, end};
    if (p->events.n < MAX_EVENTS && kt_vec_push(&p->events, e)) return; /* fewer bars, no failure */
}

static void add_quoted(kt_str *out, const char *text) {
    kt_str_add(out, "\"");
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\') kt_str_add(out, "\\");
        kt_str_addn(out, (unsigned char)*c < ' ' ? " " : c, 1);
    }
    kt_str_add(out, "\"");
}

/* Up to the comma before the arguments */
static void add_bar(kt_str *out, const char *name, int id, int64_t start, int64_t end) {
    kt_str_addf(
        out,
        "{\"name\":\"%s\",\"ph\":\"X\",\"pid\":1,\"tid\":%d,\"ts\":%lld.%03d,\"dur\":%lld.%03d,",
        name,
        id,
        (long long)(start / 1000),
        (int)(start % 1000),
        (long long)((end - start) / 1000),
        (int)((end - start) % 1000));
}

static void add_program(kt_str *out, const kt_profile *p) {
    add_bar(out, "program", p->id, p->of.start, p->of.end);
    kt_str_addf(
        out,
        "\"args\":{\"steps\":%d,\"arena_bytes\":%lld,\"lower_bound\":%lld}},\n",
        p->of.n_steps,
        (long long)p->of.plan->arena_bytes,
        (long long)p->of.plan->lower_bound);
}

static void add_event(kt_str *out, const kt_profile *p, const event *e) {
    char spec[KT_SHAPE_STR];
    add_bar(out, e->node->op->name, p->id, e->start, e->end);
    int64_t bytes = 0;
    for (int i = 0; i < e->node->n_in; i++) bytes += kt_spec_bytes(&e->node->in[i]->spec);
    for (int i = 0; i < e->node->n_out; i++) bytes += kt_spec_bytes(&e->node->out[i]->spec);
    kt_str_addf(
        out,
        "\"args\":{\"bytes\":%lld,\"node\":\"%%%d\",\"layer\":",
        (long long)bytes,
        e->node->out[0]->id);
    add_quoted(out, e->node->scope ? e->node->scope : "");
    kt_spec_str(&e->node->out[0]->spec, spec, sizeof spec);
    kt_str_addf(out, ",\"result\":\"%s\"}},\n", spec);
}

static void profile_write(const kt_profile *p) {
    FILE *f = fopen(p->path, p->id == 0 ? "w" : "a");
    kt_str text = {0};
    if (!f) {
        kt_log("KT_PROFILE: cannot write %s\n", p->path);
        return;
    }
    if (p->id == 0) kt_str_add(&text, "[\n");
    add_program(&text, p);
    for (int i = 0; i < p->events.n; i++) add_event(&text, p, &p->events.v[i]);
    if (text.status || fwrite(text.s, 1, text.n, f) != text.n)
        kt_log("KT_PROFILE: %s is not complete\n", p->path);
    fclose(f);
    kt_str_free(&text);
}

void kt_profile_free(kt_profile *p) {
    if (!p) return;
    if (p->events.n || p->id == 0) profile_write(p);
    kt_vec_free(&p->events);
    kt_mem_free(p);
}
