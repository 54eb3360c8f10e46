/* Programs and their contexts. See program.h. */
#include "runtime/program.h"

#include "base/error.h"
#include "ir/opdef.h"
#include "passes/passes.h"

#include <pthread.h>

struct kt_program {
    atomic_int refs;
    kt_graph *g;
    kt_cpu_code *code;
    void **slots;
    pthread_mutex_t lock;
    KT_VEC(kt_cpu_run *) idle;
    bool assigns;           ///< writes variables: one run at a time
    pthread_mutex_t writer; ///< held by who runs it; recursive
};

/* Stores are kept alive for the program; variables got their first values before it was traced. */
static kt_status bind_slots(kt_program *p) {
    p->slots = kt_alloc_array(p->g->slots.n + 1, sizeof *p->slots);
    if (!p->slots) return KT_ENOMEM;
    for (int i = 0; i < p->g->slots.n; i++) {
        kt_store *s = p->g->slots.v[i].key;
        kt_store_ref(s); /* before touching: free drops every store once p->slots is there */
    }
    for (int i = 0; i < p->g->slots.n; i++) {
        kt_store *s = p->g->slots.v[i].key;
        if (kt_store_touch(s)) return KT_ENOMEM;
        p->slots[i] = s->data;
    }
    return KT_OK;
}

kt_status kt_program_new(kt_graph *g, kt_program **out) {
    kt_program *p = kt_alloc(sizeof *p);
    if (!p) {
        kt_graph_free(g);
        return KT_ENOMEM;
    }
    p->g = g;
    atomic_store(&p->refs, 1);
    pthread_mutexattr_t recursive;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&p->lock, NULL);
    pthread_mutex_init(&p->writer, &recursive);
    pthread_mutexattr_destroy(&recursive);
    kt_status st = g->status;
    for (int i = 0; i < g->nodes.n; i++)
        p->assigns = p->assigns || g->nodes.v[i]->op->flags & KT_OP_EFFECT;
    if (st == KT_OK) st = kt_passes_run(g);
    if (st == KT_OK) st = kt_cpu_compile(g, &p->code);
    if (st == KT_OK) st = bind_slots(p);
    if (st == KT_OK)
        *out = p;
    else
        kt_program_free(p);
    return st;
}

kt_program *kt_program_ref(kt_program *p) {
    atomic_fetch_add(&p->refs, 1);
    return p;
}

void kt_program_free(kt_program *p) {
    if (!p || atomic_fetch_sub(&p->refs, 1) > 1) return;
    for (int i = 0; i < p->idle.n; i++) kt_cpu_run_free(p->idle.v[i]);
    kt_vec_free(&p->idle);
    if (p->slots)
        for (int i = 0; i < p->g->slots.n; i++) kt_store_unref(p->g->slots.v[i].key);
    kt_mem_free(p->slots);
    kt_cpu_code_free(p->code);
    kt_graph_free(p->g);
    pthread_mutex_destroy(&p->lock);
    pthread_mutex_destroy(&p->writer);
    kt_mem_free(p);
}

void kt_program_made(kt_program *p, int64_t start, int64_t end) {
    kt_cpu_made(p->code, start, end);
}

const kt_graph *kt_program_graph(const kt_program *p) { return p->g; }

const kt_plan *kt_program_plan(const kt_program *p) { return kt_cpu_plan(p->code); }

/* A program that writes variables (a stateful layer that predicts) serves one thread at a time. */
kt_status kt_program_acquire(kt_program *p, kt_cpu_run **run) {
    if (p->assigns) pthread_mutex_lock(&p->writer);
    pthread_mutex_lock(&p->lock);
    *run = p->idle.n ? p->idle.v[--p->idle.n] : NULL;
    pthread_mutex_unlock(&p->lock);
    const kt_status st = *run ? KT_OK : kt_cpu_run_new(p->code, p->slots, run);
    if (st && p->assigns) pthread_mutex_unlock(&p->writer);
    return st;
}

void kt_program_release(kt_program *p, kt_cpu_run *run) {
    if (!run) return;
    pthread_mutex_lock(&p->lock);
    const kt_status st = kt_vec_push(&p->idle, run);
    pthread_mutex_unlock(&p->lock);
    if (st) kt_cpu_run_free(run);
    if (p->assigns) pthread_mutex_unlock(&p->writer);
}
