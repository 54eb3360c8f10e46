/* Splitting flat work into pieces. */
#include "backend/cpu/impls.h"

#include <stdatomic.h>

#define WORTH_NS 15000.0 /* below this a hand-over costs more than it saves */

typedef struct {
    kt_range_fn *fn;
    void *arg;
    int64_t total, piece;
    atomic_llong failed; /* lowest chunk that failed; the number of chunks: none */
} range_job;

static int64_t chunk_len(const range_job *j, int64_t chunk) {
    const int64_t left = j->total - chunk * j->piece;
    return left < j->piece ? left : j->piece;
}

static void range_chunk(void *p, int64_t chunk, int thread) {
    range_job *j = p;
    (void)thread;
    if (!j->fn(j->arg, chunk * j->piece, chunk_len(j, chunk))) return;
    long long lowest = atomic_load(&j->failed);
    while (chunk < lowest && !atomic_compare_exchange_weak(&j->failed, &lowest, chunk)) {
    }
}

/* Messages belong to a thread, so what failed on a worker is run once more here: the caller gets
 * the words, and always those of the first failure. (Kernels that can fail do so before they write
 * over an input.) */
kt_status kt_cpu_range(kt_range_fn *fn, void *arg, int64_t total, int64_t piece, double cost_ns) {
    if (total <= 0) return KT_OK;
    if ((double)total * cost_ns < WORTH_NS || total <= piece) return fn(arg, 0, total);
    const int64_t chunks = (total + piece - 1) / piece;
    range_job j = {.fn = fn, .arg = arg, .total = total, .piece = piece};
    atomic_init(&j.failed, chunks);
    kt_pool_run(range_chunk, &j, chunks);
    const int64_t failed = atomic_load(&j.failed);
    return failed == chunks ? KT_OK : fn(arg, failed * piece, chunk_len(&j, failed));
}
