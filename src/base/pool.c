/* Thread pool. See pool.h.
 *
 * One word, `pool.gate`, decides who takes part in a job: bit 31 says that the job is open, the
 * low bits count the workers inside. A worker enters by compare-and-swap while the bit is set; the
 * caller clears the bit when no chunk is left and then waits for those inside only. So a worker
 * that the scheduler keeps away for milliseconds costs nothing: the caller does its chunks, and
 * the late worker finds the gate shut. (Pools that wait for *every* worker take 3 to 10 ms per job
 * on a busy machine.)
 *
 * Idle workers watch `pool.jobs`, a counter of jobs, for at most 20 us (200 us while a program
 * runs) and then sleep on it.
 * The caller makes the system call that wakes them only if somebody sleeps. Nobody spins
 * between programs.
 *
 * A worker that keeps the caller waiting in the middle of a chunk, longer than one may spin and
 * than the caller's own part took, shares its processor with another process. It is benched: it
 * sleeps for some milliseconds, longer each time it comes back too early, and the others take its
 * share over. */
#include "base/pool.h"

#include "base/fpu.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#endif

#define POOL_MAX 256
#define SPIN_NS 20000       /* between programs */
#define SPIN_HELD_NS 200000 /* while one runs, and for the end of a job: waking takes 15 to 60 us */
#define BENCH_NS 2000000    /* the first time; up to 32 times as long */
#define GATE_OPEN 0x80000000u
#define GATE_AWAITED 0x40000000u /* the caller sleeps until those inside have left */

/* The chunks that a thread takes first: the same ones at every step, so that weights and their
 * moments stay in the caches of one core. A share whose owner has not come (it sleeps, or the
 * machine is busy) is taken over; one that its owner has begun is left to it, because fetching its
 * data from the other core takes longer than waiting. */
typedef struct {
    _Alignas(64) atomic_llong next;
    int64_t first, end;
} pool_share;

/* What a worker says about itself, on a line of its own. */
typedef struct {
    _Alignas(64) atomic_bool inside; /* it works on a chunk of the job */
    atomic_bool benched;             /* set by the caller, cleared when it comes back */
    int64_t bench_ns, back;          /* how long the last time, and when it came back */
} pool_state;

static struct {
    pthread_mutex_t lock; /* held by the caller whose job runs, and while threads start and stop */
    bool started, hooked; /* under lock */
    int n_workers;        /* under lock */
    atomic_int n_threads; /* 0: not decided yet */
    pthread_t worker[POOL_MAX];
    /* the job: written before the gate opens, read by those inside */
    kt_pool_fn *fn;
    void *arg;
    int n_shares;
    pool_share share[POOL_MAX];
    pool_state state[POOL_MAX];
    /* words that both sides write stand on cache lines of their own */
    _Alignas(64) atomic_uint gate;
    _Alignas(64) atomic_uint jobs;
    atomic_int sleepers;
    atomic_uint stop;
    atomic_int held; /* programs that run */
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local bool pool_inside; /* this thread runs a chunk: nested jobs run alone */

static void pool_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

static int64_t pool_clock(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

#if defined(__linux__)
/* Sleeps unless *word changed meanwhile; may wake without cause. */
static void pool_sleep(atomic_uint *word, unsigned seen) {
    syscall(SYS_futex, (void *)word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

/* Sleeps until the time is over or the pool stops. */
static void pool_nap(int64_t ns) {
    const struct timespec t = {ns / 1000000000, ns % 1000000000};
    syscall(SYS_futex, (void *)&pool.stop, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0);
}

static void pool_wake(atomic_uint *word, int n) {
    syscall(SYS_futex, (void *)word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}
#else
static pthread_mutex_t sleep_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t sleep_cond = PTHREAD_COND_INITIALIZER;

static void pool_sleep(atomic_uint *word, unsigned seen) {
    pthread_mutex_lock(&sleep_lock);
    if (atomic_load(word) == seen) pthread_cond_wait(&sleep_cond, &sleep_lock);
    pthread_mutex_unlock(&sleep_lock);
}

static void pool_nap(int64_t ns) {
    const struct timespec t = {ns / 1000000000, ns % 1000000000};
    nanosleep(&t, NULL);
}

static void pool_wake(atomic_uint *word, int n) {
    (void)word, (void)n;
    pthread_mutex_lock(&sleep_lock);
    pthread_cond_broadcast(&sleep_cond);
    pthread_mutex_unlock(&sleep_lock);
}
#endif

void kt_pool_hold(int delta) { atomic_fetch_add_explicit(&pool.held, delta, memory_order_relaxed); }

static int64_t pool_patience(void) {
    return atomic_load_explicit(&pool.held, memory_order_relaxed) > 0 ? SPIN_HELD_NS : SPIN_NS;
}

/* Spins until *word is no longer `seen`; false when patience is at its end. */
static bool pool_spin(atomic_uint *word, unsigned seen, int64_t patience) {
    const int64_t start = pool_clock();
    do {
        for (int i = 0; i < 32; i++) {
            if (atomic_load_explicit(word, memory_order_acquire) != seen) return true;
            pool_pause();
        }
    } while (pool_clock() - start < patience);
    return false;
}

static void pool_take_chunks(int thread) {
    for (int i = 0; i < pool.n_shares; i++) {
        pool_share *s = &pool.share[(thread + i) % pool.n_shares];
        const bool own = i == 0;
        if (!own && atomic_load_explicit(&s->next, memory_order_relaxed) != s->first) continue;
        for (;;) {
            const int64_t chunk = atomic_fetch_add_explicit(&s->next, 1, memory_order_relaxed);
            if (chunk >= s->end) break;
            pool.fn(pool.arg, chunk, thread);
        }
    }
}

static bool pool_enter(pool_state *self) {
    atomic_store_explicit(&self->inside, true, memory_order_relaxed);
    unsigned gate = atomic_load(&pool.gate);
    while (gate & GATE_OPEN)
        if (atomic_compare_exchange_weak(&pool.gate, &gate, gate + 1)) return true;
    atomic_store_explicit(&self->inside, false, memory_order_relaxed);
    return false;
}

/* Coming back too early doubles the time. */
static void pool_sit_out(pool_state *self) {
    const bool again = pool_clock() - self->back < 4 * self->bench_ns;
    self->bench_ns = again ? 2 * self->bench_ns : BENCH_NS;
    if (self->bench_ns > 32 * BENCH_NS) self->bench_ns = 32 * BENCH_NS;
    pool_nap(self->bench_ns);
    self->back = pool_clock();
    atomic_store_explicit(&self->benched, false, memory_order_relaxed);
}

static void pool_leave(pool_state *self) {
    atomic_store_explicit(&self->inside, false, memory_order_relaxed);
    if (atomic_fetch_sub(&pool.gate, 1) == (GATE_AWAITED | 1)) pool_wake(&pool.gate, 1);
}

static void *pool_worker(void *arg) {
    const int thread = (int)(intptr_t)arg;
    pool_state *self = &pool.state[thread];
    unsigned seen = 0;
    kt_fpu_flush_begin();
    pool_inside = true;
    for (;;) {
        if (!pool_spin(&pool.jobs, seen, pool_patience())) {
            atomic_fetch_add(&pool.sleepers, 1);
            while (atomic_load(&pool.jobs) == seen) pool_sleep(&pool.jobs, seen);
            atomic_fetch_sub(&pool.sleepers, 1);
        }
        seen = atomic_load(&pool.jobs);
        if (atomic_load(&pool.stop)) return NULL;
        if (pool_enter(self)) {
            pool_take_chunks(thread);
            pool_leave(self);
        }
        if (atomic_load_explicit(&self->benched, memory_order_relaxed)) pool_sit_out(self);
    }
}

static int pool_default_threads(void) {
    const char *env = getenv("KT_NUM_THREADS");
    long n = env ? strtol(env, NULL, 10) : 0;
#if defined(__linux__)
    cpu_set_t set;
    if (n <= 0 && !sched_getaffinity(0, sizeof set, &set)) n = CPU_COUNT(&set);
#endif
    if (n <= 0) n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > POOL_MAX ? POOL_MAX : (int)n;
}

int kt_pool_threads(void) {
    int n = atomic_load_explicit(&pool.n_threads, memory_order_relaxed);
    if (n) return n;
    int none = 0;
    n = pool_default_threads();
    return atomic_compare_exchange_strong(&pool.n_threads, &none, n) ? n : none;
}

/* After fork() only the calling thread lives on; a job that ran at that moment is lost with its
 * caller. */
static void pool_after_fork(void) {
    const pthread_mutex_t unlocked = PTHREAD_MUTEX_INITIALIZER;
    pool.lock = unlocked;
    pool.started = false;
    pool.n_workers = 0;
    atomic_store(&pool.gate, 0);
    atomic_store(&pool.jobs, 0);
    atomic_store(&pool.sleepers, 0);
    atomic_store(&pool.stop, 0);
    for (int i = 0; i < POOL_MAX; i++) {
        atomic_store(&pool.state[i].inside, false);
        atomic_store(&pool.state[i].benched, false);
    }
}

/* Under the lock. With fewer threads than wanted the pool is smaller, not broken. */
static void pool_start(void) {
    if (!pool.hooked) pool.hooked = !pthread_atfork(NULL, NULL, pool_after_fork);
    const int wanted = kt_pool_threads() - 1;
    pool.started = true;
    atomic_store(&pool.jobs, 0);
    atomic_store(&pool.stop, 0);
    while (pool.n_workers < wanted) {
        const int i = pool.n_workers;
        if (pthread_create(&pool.worker[i], NULL, pool_worker, (void *)(intptr_t)(i + 1))) break;
        pool.n_workers++;
    }
}

/* Under the lock. */
static void pool_stop(void) {
    atomic_store(&pool.stop, 1);
    atomic_fetch_add(&pool.jobs, 1);
    pool_wake(&pool.jobs, INT_MAX);
    pool_wake(&pool.stop, INT_MAX);
    for (int i = 0; i < pool.n_workers; i++) pthread_join(pool.worker[i], NULL);
    pool.n_workers = 0;
    pool.started = false;
}

void kt_pool_set_threads(int n) {
    if (n <= 0) n = pool_default_threads();
    if (n > POOL_MAX) n = POOL_MAX;
    if (pool_inside) return; /* from within a job it cannot be obeyed */
    pthread_mutex_lock(&pool.lock);
    if (pool.started && n != atomic_load(&pool.n_threads)) pool_stop();
    atomic_store(&pool.n_threads, n);
    pthread_mutex_unlock(&pool.lock);
}

#if defined(__GNUC__)
/* Threads of a library that is being unloaded must be gone; a running job (exit() in a
 * callback) wins. */
__attribute__((destructor)) static void pool_unload(void) {
    if (pool_inside || pthread_mutex_trylock(&pool.lock)) return;
    if (pool.started) pool_stop();
    pthread_mutex_unlock(&pool.lock);
}
#endif

static void pool_bench_late(void) {
    for (int i = 1; i <= pool.n_workers; i++)
        if (atomic_load_explicit(&pool.state[i].inside, memory_order_relaxed))
            atomic_store_explicit(&pool.state[i].benched, true, memory_order_relaxed);
}

/* `start`: when the job began */
static void pool_wait_inside(int64_t start) {
    unsigned gate = atomic_fetch_and(&pool.gate, ~GATE_OPEN) & ~GATE_OPEN;
    if (!(gate & ~GATE_AWAITED)) return;
    const int64_t mine = pool_clock() - start;
    while (gate & ~GATE_AWAITED) {
        if (!pool_spin(&pool.gate, gate, SPIN_HELD_NS)) {
            if (pool_clock() - start > 2 * mine) pool_bench_late();
            gate = atomic_fetch_or(&pool.gate, GATE_AWAITED) | GATE_AWAITED;
            if (gate != GATE_AWAITED) pool_sleep(&pool.gate, gate);
        }
        gate = atomic_load(&pool.gate);
    }
}

static void pool_run_shared(kt_pool_fn *fn, void *arg, int64_t n_chunks) {
    const int64_t start = pool_clock();
    pool.fn = fn;
    pool.arg = arg;
    const int threads = kt_pool_threads();
    pool.n_shares = n_chunks < threads ? (int)n_chunks : threads;
    for (int i = 0; i < pool.n_shares; i++) {
        const int64_t first = i * n_chunks / pool.n_shares;
        pool.share[i].first = first;
        atomic_store_explicit(&pool.share[i].next, first, memory_order_relaxed);
        pool.share[i].end = (i + 1) * n_chunks / pool.n_shares;
    }
    atomic_store(&pool.gate, GATE_OPEN);
    atomic_fetch_add(&pool.jobs, 1);
    const int sleepers = atomic_load(&pool.sleepers);
    const int64_t helpers = n_chunks - 1;
    if (sleepers) pool_wake(&pool.jobs, sleepers < helpers ? sleepers : (int)helpers);
    pool_inside = true;
    pool_take_chunks(0);
    pool_inside = false;
    pool_wait_inside(start);
}

void kt_pool_run(kt_pool_fn *fn, void *arg, int64_t n_chunks) {
    const bool shared = n_chunks > 1 && !pool_inside && kt_pool_threads() > 1 &&
                        !pthread_mutex_trylock(&pool.lock);
    if (!shared) {
        for (int64_t i = 0; i < n_chunks; i++) fn(arg, i, 0);
        return;
    }
    if (!pool.started) pool_start();
    pool_run_shared(fn, arg, n_chunks);
    pthread_mutex_unlock(&pool.lock);
}
