/* Thread pool: the caller takes part, workers spin for at most 20 us and then sleep on a futex,
 * chunks are handed out dynamically. One job at a time; a second caller runs its job alone. */
#ifndef KT_BASE_POOL_H
#define KT_BASE_POOL_H

#include <stdint.h>

/** Work on chunk `chunk` of 0 … n_chunks-1; `thread` is 0 for the caller, up to
 * kt_pool_threads()-1. */
typedef void kt_pool_fn(void *arg, int64_t chunk, int thread);

/** Runs fn for every chunk and returns when all are done. With one chunk or one thread nothing is
 * handed over. Chunks must be independent; results must not depend on which thread ran which. */
void kt_pool_run(kt_pool_fn *fn, void *arg, int64_t n_chunks);
/** A program starts (+1) or ends (-1) on this thread: while one runs, idle workers wait for its
 * next job longer before they sleep, because waking one costs more than the program's short serial
 * parts. */
void kt_pool_hold(int delta);
/** Threads in use (1 without workers). The default is the number of processors of this process
 * (affinity mask), or KT_NUM_THREADS. */
int kt_pool_threads(void);
/** 0 means the default. Workers are started at first use and stopped by 1. */
void kt_pool_set_threads(int n);

#endif
